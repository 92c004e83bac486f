from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..mappers.tax import TaxKey
from ..mappers.titles import title_key

# decimals of a rate (a fraction) and of a percentage, as account.tax has them
RATE_DIGITS = 6
PERCENT_DIGITS = 4


def rate_text(rate):
    """``0.0725`` for 7.25 %, without trailing zeros; '' where no rate is known."""
    if rate is None:
        return ""
    return f"{Decimal(str(round(rate, RATE_DIGITS))).normalize():f}"


class ShopifyTaxMapping(models.Model):
    """Which Odoo tax stands for a tax line of Shopify."""

    _name = "shopify.tax.mapping"
    _inherit = "shopify.mapping"
    _description = "Shopify Tax Mapping"
    _rec_name = "title"
    _order = "backend_id, title, rate, id"

    _target_field = "tax_id"
    _exception_category = "tax"

    title = fields.Char(required=True, help="As Shopify prints it; case does not matter.")
    title_key = fields.Char(compute="_compute_title_key", store=True, precompute=True)
    rate = fields.Float(digits=(12, RATE_DIGITS), help="0.19 is 19 %.")
    no_rate = fields.Boolean(help="Shopify states no rate for this tax.")
    percent = fields.Float(
        string="Rate (%)",
        compute="_compute_percent",
        inverse="_inverse_percent",
        digits=(12, PERCENT_DIGITS),
    )
    included = fields.Boolean(string="Included in Price")
    country_id = fields.Many2one(
        "res.country", help="Where the goods go. Empty: any country without a row of its own."
    )
    channel_liable = fields.Boolean(
        string="Remitted by Channel",
        help="The sales channel (marketplace) remits this tax, not you.",
    )
    tax_id = fields.Many2one(
        "account.tax",
        string="Odoo Tax",
        check_company=True,
        index="btree_not_null",
        domain="[('type_tax_use', '=', 'sale'), ('company_id', 'parent_of', company_id)]",
        help="Empty: not mapped yet; orders with this tax wait.",
    )
    left_out = fields.Boolean(
        string="Leave Out",
        help="The tax is not booked: the order, its invoice and its taxes are lower than Shopify's"
        " by its amount. Only for taxes that the channel remits.",
    )
    is_mapped = fields.Boolean(compute="_compute_is_mapped", search="_search_is_mapped")
    suggested_tax_id = fields.Many2one(
        "account.tax",
        string="Suggestion",
        compute="_compute_suggested_tax_id",
        help="The only sales tax of the company with this rate and price inclusion.",
    )
    warning = fields.Char(compute="_compute_warning")

    _left_out_check = models.Constraint(
        "CHECK (NOT left_out OR (channel_liable AND tax_id IS NULL))",
        "Only a tax that the channel remits can be left out, and then it has no Odoo tax.",
    )
    _key_uniq = models.UniqueIndex(
        "(backend_id, title_key, rate, no_rate, included, COALESCE(country_id, 0), channel_liable)",
        "This tax is in the list of tax mappings already: choose its Odoo tax there.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        mappings = super().create(vals_list)
        mappings.filtered("left_out")._resolve_exceptions()
        return mappings

    def write(self, vals):
        result = super().write(vals)
        if vals.get("left_out"):
            self._resolve_exceptions()
        return result

    @api.depends("title")
    def _compute_title_key(self):
        for mapping in self:
            mapping.title_key = title_key(mapping.title)

    @api.depends("tax_id", "left_out")
    def _compute_is_mapped(self):
        for mapping in self:
            mapping.is_mapped = bool(mapping.tax_id) or mapping.left_out

    def _search_is_mapped(self, operator, value):
        if operator != "in" or len(value) != 1:
            return NotImplemented
        waiting = fields.Domain("tax_id", "=", False) & fields.Domain("left_out", "=", False)
        return ~waiting if True in value else waiting

    @api.depends("rate")
    def _compute_percent(self):
        for mapping in self:
            mapping.percent = round(mapping.rate * 100, PERCENT_DIGITS)

    def _inverse_percent(self):
        for mapping in self:
            mapping.rate = round(mapping.percent / 100, RATE_DIGITS)

    @api.depends("rate", "no_rate", "included", "country_id", "company_id", "title", "tax_id")
    def _compute_suggested_tax_id(self):
        Matcher = self.env["shopify.tax.matcher"]
        for company, mappings in self.grouped("company_id").items():
            candidates = Matcher._candidates(company) if company else None
            for mapping in mappings:
                mapping.suggested_tax_id = (
                    candidates is not None
                    and not mapping.is_mapped
                    and Matcher._suggest(candidates, mapping._tax_key())
                )

    @api.depends("tax_id.amount", "tax_id.amount_type", "rate", "no_rate")
    def _compute_warning(self):
        for mapping in self:
            tax = mapping.tax_id
            mapping.warning = False
            if not tax or mapping.no_rate:
                continue
            if tax.amount_type != "percent" or (
                round(tax.amount, PERCENT_DIGITS) != mapping.percent
            ):
                mapping.warning = self.env._(
                    "The rate in Shopify is %(shopify)s %%, that of %(tax)s is %(odoo)s %%."
                    " Amounts of orders are taken from Shopify; invoices that are edited in"
                    " Odoo are computed with Odoo's rate.",
                    shopify=rate_text(mapping.percent),
                    tax=tax.name,
                    odoo=rate_text(tax.amount),
                )

    @api.onchange("left_out")
    def _onchange_left_out(self):
        if self.left_out:
            self.tax_id = False

    @api.onchange("tax_id")
    def _onchange_tax_id(self):
        if self.tax_id:
            self.left_out = False
        if self.warning:
            return {"warning": {"title": self.env._("Different rates"), "message": self.warning}}

    @api.constrains("tax_id", "included")
    def _check_tax_id(self):
        for mapping in self:
            tax = mapping.tax_id
            if not tax:
                continue
            if tax.type_tax_use != "sale":
                raise ValidationError(
                    self.env._("%(tax)s is not a sales tax.", tax=tax.display_name)
                )
            if tax.price_include != mapping.included:
                raise ValidationError(
                    self.env._(
                        "In Shopify, %(title)s is included in the price; %(tax)s is added to"
                        " it. Choose or create a tax that is included in the price.",
                        title=mapping.title,
                        tax=tax.display_name,
                    )
                    if mapping.included
                    else self.env._(
                        "In Shopify, %(title)s is added to the price; %(tax)s is included in"
                        " it. Choose or create a tax that is not included in the price.",
                        title=mapping.title,
                        tax=tax.display_name,
                    )
                )

    @api.depends("title", "percent", "no_rate", "country_id", "included")
    def _compute_display_name(self):
        for mapping in self:
            mapping.display_name = self.env["shopify.tax.matcher"]._label(mapping._tax_key())

    def _tax_key(self):
        """The :class:`~..mappers.tax.TaxKey` that this row answers."""
        self.ensure_one()
        return TaxKey(
            title=self.title or "",
            rate=None if self.no_rate else Decimal(rate_text(self.rate)),
            included=self.included,
            country_code=self.country_id.code or None,
            channel_liable=self.channel_liable,
        )

    def _covers(self, key):
        own = self.env["shopify.tax.matcher"]._exception_key(self._tax_key()).rsplit("|", 4)
        other = key.rsplit("|", 4)
        if not self.country_id and len(other) == 5:
            own[3] = other[3]
        return own == other

    # === ACTIONS === #

    def action_use_suggestion(self):
        """Map the rows without a tax to the tax that is suggested for them."""
        for mapping in self:
            if not mapping.is_mapped and mapping.suggested_tax_id:
                mapping.tax_id = mapping.suggested_tax_id

    def action_create_tax(self):
        """Make a sales tax of this rate for every row without one, and map it."""
        Tax = self.env["account.tax"]
        if not Tax.has_access("create"):
            if not self.env.user.has_group("shopify_connector.group_manager"):
                raise AccessError(
                    self.env._(
                        "Only an accountant or a Shopify manager can create taxes. Choose an"
                        " existing tax, or ask one of them."
                    )
                )
            Tax = Tax.sudo()
        for mapping in self:
            if not mapping.is_mapped:
                creator = Tax.with_company(mapping.company_id)
                mapping.tax_id = mapping._equal_tax(creator) or creator.create(
                    mapping._prepare_tax(creator)
                )

    def _tax_name(self):
        name = self.title.strip()
        if not self.no_rate:
            name = f"{name} {rate_text(self.percent)}%"
        if self.country_id and self.country_id != self.company_id.account_fiscal_country_id:
            name = f"{name} {self.country_id.code}"
        if self.included:
            name = self.env._("%(tax)s incl.", tax=name)
        if self.channel_liable:
            name = self.env._("%(tax)s, remitted by the channel", tax=name)
        return name

    def _equal_tax(self, Tax):
        """A tax that an earlier row made: another store has the same one."""
        return Tax.search(
            [
                *Tax._check_company_domain(self.company_id),
                ("name", "=", self._tax_name()),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
                ("amount", "=", self.percent),
            ]
        ).filtered(lambda tax: tax.price_include == self.included)[:1]

    def _prepare_tax(self, Tax):
        """Values of a new tax, with the accounts of the company's default sales tax."""
        self.ensure_one()
        company = self.company_id
        default = company.account_sale_tax_id.sudo()
        name = self._tax_name()
        if Tax.search_count(
            [
                ("company_id", "child_of", company.root_id.id),
                ("name", "=", name),
                ("type_tax_use", "=", "sale"),
            ],
            limit=1,
        ):
            name = f"{name} ({self.backend_id.name})"
        country = company.account_fiscal_country_id or company.country_id
        if self.country_id in company.sudo().multi_vat_foreign_country_ids:
            country = self.country_id
        vals = {
            "name": name,
            "company_id": company.id,
            "type_tax_use": "sale",
            "amount_type": "percent",
            "amount": self.percent,
            "price_include_override": "tax_included" if self.included else "tax_excluded",
            "invoice_label": name,
            "country_id": country.id,
            **self._prepare_repartition(self._tax_account(default)),
        }
        if not self._has_tax_group(country):
            vals["tax_group_id"] = (
                self.env["account.tax.group"]
                .sudo()
                .create({"name": name, "company_id": company.id, "country_id": country.id})
                .id
            )
        return vals

    def _has_tax_group(self, country):
        Group = self.env["account.tax.group"].sudo()
        return Group.search_count(
            [
                *Group._check_company_domain(self.company_id),
                ("country_id", "in", (country.id, False)),
            ],
            limit=1,
        )

    def _tax_account(self, default):
        """``{"invoice" or "refund": account}`` of a new tax: those of the ``default`` tax.

        What the channel remits is nothing that the company owes: it goes to the store's account
        for such taxes.
        """
        own = self.channel_liable and self.backend_id.channel_tax_account_id
        taxed = default.repartition_line_ids.filtered(lambda line: line.repartition_type == "tax")
        return {
            document: own
            or taxed.filtered(lambda line, kind=document: line.document_type == kind).account_id[:1]
            for document in ("invoice", "refund")
        }

    def _prepare_repartition(self, accounts):
        """Base and tax lines that post to ``accounts``, see :meth:`_tax_account`."""
        vals = {}
        for document, account in accounts.items():
            vals[f"{document}_repartition_line_ids"] = [
                fields.Command.create({"repartition_type": "base", "document_type": document}),
                fields.Command.create(
                    {
                        "repartition_type": "tax",
                        "document_type": document,
                        "account_id": account.id,
                    }
                ),
            ]
        return vals
