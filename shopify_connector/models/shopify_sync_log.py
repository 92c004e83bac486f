from odoo import fields, models


class ShopifySyncLog(models.Model):
    """One line per record and attempt."""

    _name = "shopify.sync.log"
    _description = "Shopify Sync Log"
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    direction = fields.Selection(
        [("in", "From Shopify"), ("out", "To Shopify")], required=True, readonly=True
    )
