from odoo import fields, models


class ShopifyVariant(models.Model):
    _name = "shopify.variant"
    _inherit = "shopify.binding"
    _description = "Shopify Variant"
    _rec_name = "title"

    shopify_product_id = fields.Many2one(
        "shopify.product", ondelete="cascade", index=True, readonly=True
    )
    title = fields.Char(readonly=True)
    sku = fields.Char(string="SKU", readonly=True, index="btree_not_null")
    barcode = fields.Char(readonly=True)
    inventory_item_gid = fields.Char(readonly=True, index="btree_not_null")
    product_id = fields.Many2one(
        "product.product",
        index="btree_not_null",
        ondelete="restrict",
        help="Empty: not mapped yet; orders with this variant wait.",
    )
