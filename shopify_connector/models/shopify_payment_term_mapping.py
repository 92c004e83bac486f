from odoo import api, fields, models

from ..mappers.titles import title_key


class ShopifyPaymentTermMapping(models.Model):
    """Which payment terms of Odoo stand for payment terms of Shopify.

    Terms of a number of days are found without a row; a row decides for all terms of its name.
    """

    _name = "shopify.payment.term.mapping"
    _description = "Shopify Payment Term Mapping"
    _order = "backend_id, name, id"
    _check_company_auto = True

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    name = fields.Char(
        string="Payment Terms in Shopify",
        required=True,
        help='E.g. "Net 30"; case does not matter.',
    )
    name_key = fields.Char(compute="_compute_name_key", store=True, precompute=True)
    payment_term_id = fields.Many2one(
        "account.payment.term",
        string="Payment Terms",
        required=True,
        ondelete="cascade",
        index=True,
        check_company=True,
    )

    _key_uniq = models.UniqueIndex(
        "(backend_id, name_key)", "These terms are in the list of payment terms already."
    )

    @api.depends("name")
    def _compute_name_key(self):
        for mapping in self:
            mapping.name_key = title_key(mapping.name)
