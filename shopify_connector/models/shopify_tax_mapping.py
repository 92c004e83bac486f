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
    suggested_tax_id = fields.Many2one(
        "account.tax",
        string="Suggestion",
        compute="_compute_suggested_tax_id",
        help="The only sales tax of the company with this rate and price inclusion.",
    )
    warning = fields.Char(compute="_compute_warning")

    _key_uniq = models.UniqueIndex(
        "(backend_id, title_key, rate, no_rate, included, COALESCE(country_id, 0), channel_liable)",
        "This tax is in the list of tax mappings already: choose its Odoo tax there.",
    )

    @api.depends("title")
    def _compute_title_key(self):
        for mapping in self:
            mapping.title_key = title_key(mapping.title)

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
                    and not mapping.tax_id
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

    @api.onchange("tax_id")
    def _onchange_tax_id(self):
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
            if not mapping.tax_id and mapping.suggested_tax_id:
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
            if not mapping.tax_id:
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
            **self._prepare_repartition(default),
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

    def _prepare_repartition(self, default):
        """Base and tax lines that post to the account of the ``default`` tax."""
        vals = {}
        taxed = default.repartition_line_ids.filtered(lambda line: line.repartition_type == "tax")
        for document in ("invoice", "refund"):
            lines = taxed.filtered(lambda line, document=document: line.document_type == document)
            account = lines.account_id[:1]
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
