from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class ShopifyStockRule(models.Model):
    """A wish about what is shown in a store: a buffer, a bound, or that nothing is sent."""

    _name = "shopify.stock.rule"
    _description = "Shopify Stock Rule"
    _check_company_auto = True
    _order = "backend_id, sequence, id"

    name = fields.Char(compute="_compute_name")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    effect = fields.Selection(
        [
            ("buffer_fixed", "Keep back (units)"),
            ("buffer_percent", "Keep back (percent)"),
            ("maximum", "Show at most"),
            ("minimum", "Show at least"),
            ("no_push", "Do not send"),
        ],
        required=True,
        default="buffer_fixed",
        help="Show at least: also when less or nothing is there, e.g. for goods made to order.",
    )
    value = fields.Float(digits="Product Unit")
    location_id = fields.Many2one(
        "shopify.location",
        ondelete="cascade",
        domain="[('backend_id', '=', backend_id)]",
        help="Empty: all locations.",
    )
    categ_id = fields.Many2one(
        "product.category",
        string="Category",
        ondelete="cascade",
        help="With the categories below it. Empty: all.",
    )
    product_tmpl_id = fields.Many2one(
        "product.template",
        string="Product",
        ondelete="cascade",
        check_company=True,
        help="Empty: all products.",
    )
    product_id = fields.Many2one(
        "product.product",
        string="Product Variant",
        ondelete="cascade",
        check_company=True,
        help="Empty: all variants.",
    )
    date_from = fields.Datetime(string="From", help="Empty: from now on.")
    date_to = fields.Datetime(string="Until", help="Empty: without end.")
    in_force = fields.Boolean(
        readonly=True, help="Whether the time has come; looked at each minute."
    )

    @api.depends("effect", "value", "location_id", "categ_id", "product_tmpl_id", "product_id")
    def _compute_name(self):
        effects = dict(self._fields["effect"]._description_selection(self.env))
        for rule in self:
            what = effects.get(rule.effect, "")
            if rule.effect != "no_push":
                what = f"{what}: {rule.value:g}"
            scope = rule.product_id or rule.product_tmpl_id or rule.categ_id
            parts = [scope.display_name, rule.location_id.name]
            where = ", ".join(part for part in parts if part)
            rule.name = f"{what} ({where})" if where else what

    @api.constrains("effect", "value")
    def _check_value(self):
        for rule in self:
            if rule.value < 0 or (rule.effect == "buffer_percent" and rule.value > 100):
                raise ValidationError(
                    self.env._(
                        "%(rule)s: enter a number from 0 on, for a percentage up to 100.",
                        rule=rule.name,
                    )
                )

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for rule in self:
            if rule.date_from and rule.date_to and rule.date_from >= rule.date_to:
                raise ValidationError(
                    self.env._("%(rule)s: it ends before it begins.", rule=rule.name)
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._refresh_in_force()
        rules._apply()
        return rules

    def write(self, vals):
        if set(vals) <= {"sequence", "in_force"}:
            return super().write(vals)
        self._apply()
        result = super().write(vals)
        self._refresh_in_force()
        self._apply()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_apply(self):
        self._apply()

    # === BUSINESS METHODS === #

    def _apply(self):
        """Look again at the variants that these rules are about."""
        for rule in self:
            variants = self.env["shopify.variant"].sudo().search(rule._variant_domain())
            self.env["shopify.outbox"].sudo()._put_variants(variants, "setting")

    def _variant_domain(self):
        self.ensure_one()
        domain = Domain("backend_id", "=", self.backend_id.id) & Domain("product_id", "!=", False)
        if self.product_id:
            domain &= Domain("product_id", "=", self.product_id.id)
        if self.product_tmpl_id:
            domain &= Domain("product_id.product_tmpl_id", "=", self.product_tmpl_id.id)
        if self.categ_id:
            domain &= Domain("product_id.categ_id", "child_of", self.categ_id.id)
        return domain

    def _is_in_force(self, now):
        self.ensure_one()
        return (not self.date_from or self.date_from <= now) and (
            not self.date_to or now < self.date_to
        )

    def _refresh_in_force(self):
        """:return: the rules whose time has come or gone"""
        now = fields.Datetime.now()
        turned = self.filtered(lambda rule: rule.in_force != rule._is_in_force(now))
        for rule in turned:
            rule.in_force = not rule.in_force
        return turned

    @api.model
    def _cron_turn(self):
        """Rules begin and end without anybody's doing."""
        dated = self.search(["|", ("date_from", "!=", False), ("date_to", "!=", False)])
        dated._refresh_in_force()._apply()
