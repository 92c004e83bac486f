from odoo import fields, models


class ShopifyStockWaiting(models.Model):
    """Units of an order that is in Shopify and not in Odoo yet, so that nothing is reserved."""

    _name = "shopify.stock.waiting"
    _description = "Sold in Shopify, Not Yet in Odoo"
    _log_access = False
    _rec_name = "order_name"
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    order_gid = fields.Char(string="Shopify ID", required=True, readonly=True)
    order_name = fields.Char(string="Shopify Order", readonly=True)
    location_gid = fields.Char(string="Location ID", readonly=True, help="Where it was sold (POS).")
    variant_gid = fields.Char(string="Variant ID", readonly=True)
    quantity = fields.Integer(readonly=True)
    read_at = fields.Datetime(required=True, readonly=True)

    _order_idx = models.Index("(backend_id, order_gid)")
