from odoo import fields, models


class ShopifyOrder(models.Model):
    """A Shopify order and the sale order made from it."""

    _name = "shopify.order"
    _inherit = "shopify.binding"
    _description = "Shopify Order"
    _rec_name = "name"
    _order = "processed_at desc, id desc"

    name = fields.Char(string="Shopify Order", required=True, readonly=True)
    sale_order_id = fields.Many2one(
        "sale.order", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    processed_at = fields.Datetime(readonly=True)
    financial_status = fields.Char(readonly=True)
    fulfillment_status = fields.Char(readonly=True)
    reserve_pending = fields.Boolean(readonly=True, copy=False)

    _sale_order_uniq = models.UniqueIndex(
        "(sale_order_id) WHERE sale_order_id IS NOT NULL",
        "A sale order belongs to one Shopify order only.",
    )
