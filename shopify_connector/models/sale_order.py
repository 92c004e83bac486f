from odoo import api, fields, models
from odoo.fields import Command


class SaleOrder(models.Model):
    _inherit = "sale.order"

    shopify_order_ids = fields.One2many("shopify.order", "sale_order_id", string="Shopify Orders")
    shopify_order_id = fields.Many2one(
        "shopify.order", compute="_compute_shopify_facts", compute_sudo=True
    )
    shopify_backend_id = fields.Many2one(
        "shopify.backend",
        string="Shopify Store",
        copy=False,
        readonly=True,
        index="btree_not_null",
    )
    shopify_status = fields.Char(compute="_compute_shopify_facts", compute_sudo=True)
    shopify_risk = fields.Char(string="Risk", compute="_compute_shopify_facts", compute_sudo=True)
    shopify_channel = fields.Char(
        string="Channel", compute="_compute_shopify_facts", compute_sudo=True
    )
    shopify_tags = fields.Char(
        string="Tags in Shopify", compute="_compute_shopify_facts", compute_sudo=True
    )
    shopify_discount_codes = fields.Char(
        string="Discount Codes", compute="_compute_shopify_facts", compute_sudo=True
    )
    shopify_note = fields.Text(
        string="Customer's Note", compute="_compute_shopify_facts", compute_sudo=True
    )
    shopify_difference = fields.Text(compute="_compute_shopify_facts", compute_sudo=True)
    shopify_comparison = fields.Html(
        compute="_compute_shopify_comparison", compute_sudo=True, sanitize=False
    )
    shopify_placeholder_count = fields.Integer(
        compute="_compute_shopify_placeholder_count", compute_sudo=True
    )
    # values of stored computed fields that the importer knows; see `_add_precomputed_values`
    shopify_computed = fields.Json(store=False)

    @api.depends("shopify_order_ids")
    def _compute_shopify_facts(self):
        for order in self:
            facts = order.shopify_order_ids[:1]
            order.shopify_order_id = facts
            order.shopify_status = facts.status_summary
            order.shopify_risk = facts.risk
            order.shopify_channel = facts.channel
            order.shopify_tags = facts.tags
            order.shopify_discount_codes = facts.discount_codes
            order.shopify_note = facts.note
            order.shopify_difference = facts.difference

    @api.depends("shopify_order_ids", "amount_total")
    def _compute_shopify_comparison(self):
        for order in self:
            order.shopify_comparison = order.shopify_order_ids[:1].comparison

    @api.depends("order_line.product_id", "shopify_backend_id")
    def _compute_shopify_placeholder_count(self):
        for order in self:
            order.shopify_placeholder_count = len(order._shopify_placeholder_lines())

    @api.model
    def _add_precomputed_values(self, vals_list):
        _take_computed(self, vals_list)
        return super()._add_precomputed_values(vals_list)

    def _prepare_confirmation_values(self):
        """The date of a Shopify order is when the customer placed it, not when it came here."""
        values = super()._prepare_confirmation_values()
        if all(order.shopify_backend_id for order in self):
            values.pop("date_order", None)
        return values

    def _shopify_figures(self):
        """Amounts of the order as Shopify counts them: prices with tax where they include it.

        :return: ``{total, tax, untaxed, shipping, discount, shipping_discount}`` in the
            order's currency; ``shipping`` is after its discount, ``discount`` is of all lines
        """
        self.ensure_one()
        shipping = discount = shipping_discount = 0.0
        for line in self.order_line:
            if line.display_type:
                continue
            included = line.shopify_taxes_included
            amount = line.price_total if included else line.price_subtotal
            taken_off = line.price_unit * line.product_uom_qty - amount
            discount += taken_off
            if line.is_delivery:
                shipping += amount
                shipping_discount += taken_off
        return {
            "total": self.amount_total,
            "tax": self.amount_tax,
            "untaxed": self.amount_untaxed,
            "shipping": self.currency_id.round(shipping),
            "discount": self.currency_id.round(discount),
            "shipping_discount": self.currency_id.round(shipping_discount),
        }

    def _shopify_placeholder_lines(self):
        self.ensure_one()
        backend = self.shopify_backend_id
        placeholders = backend.placeholder_product_id | backend.placeholder_service_id
        return self.order_line.filtered(
            lambda line: line.shopify_gid and line.product_id in placeholders
        )

    # === ACTIONS === #

    def action_shopify_order(self):
        """Open the Shopify order that this order was made from."""
        self.ensure_one()
        return self.shopify_order_id._get_records_action()

    def action_shopify_open(self):
        """Open the order in Shopify's admin."""
        self.ensure_one()
        return self.shopify_order_id.action_open_in_shopify()

    def action_shopify_map_lines(self):
        """Choose the products of lines that could not be linked at import."""
        self.ensure_one()
        wizard = self.env["shopify.line.mapping"].create(
            {
                "order_id": self.id,
                "line_ids": [
                    Command.create({"sale_line_id": line.id})
                    for line in self._shopify_placeholder_lines()
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Choose Products"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }


def _take_computed(model, vals_list):
    """Give fields that Odoo computes at creation the values that the importer brought.

    Odoo discards what is given for a read-only computed field and computes it on a draft of each
    record, which costs about a third of a creation. The amounts given here are proved by those of
    the order, which Odoo's tax engine computes over all lines.
    """
    trusted = model.env.su and model.env.context.get("shopify_import")
    for vals in vals_list:
        computed = vals.pop("shopify_computed", None)
        if computed and trusted:
            vals.update(computed)
