from odoo import fields, models


class ShopifyCarrierMapping(models.Model):
    """Which delivery method stands for a shipping rate of Shopify."""

    _name = "shopify.carrier.mapping"
    _description = "Shopify Carrier Mapping"
    _rec_name = "title"
    _check_company_auto = True

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    title = fields.Char(required=True)
    code = fields.Char()
    source = fields.Char()
    carrier_id = fields.Many2one("delivery.carrier", check_company=True)
