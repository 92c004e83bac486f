from odoo import fields, models


class ShopifyLocation(models.Model):
    """A location of a store, mapped to a warehouse or a stock location."""

    _name = "shopify.location"
    _inherit = "shopify.binding"
    _description = "Shopify Location"
    _order = "backend_id, name"

    name = fields.Char(required=True, readonly=True)
    active = fields.Boolean(default=True)
    warehouse_id = fields.Many2one("stock.warehouse", check_company=True)
    stock_location_id = fields.Many2one(
        "stock.location", check_company=True, domain="[('usage', '=', 'internal')]"
    )
