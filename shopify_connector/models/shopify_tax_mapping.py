from odoo import fields, models


class ShopifyTaxMapping(models.Model):
    """Which Odoo tax stands for a tax line of Shopify."""

    _name = "shopify.tax.mapping"
    _description = "Shopify Tax Mapping"
    _rec_name = "title"
    _check_company_auto = True

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    title = fields.Char(required=True)
    rate = fields.Float(digits=(12, 6), help="0.19 is 19 %.")
    included = fields.Boolean(string="Included in Price")
    country_id = fields.Many2one("res.country")
    channel_liable = fields.Boolean(
        help="The sales channel (marketplace) remits this tax."
    )
    tax_id = fields.Many2one("account.tax", check_company=True, index="btree_not_null")
