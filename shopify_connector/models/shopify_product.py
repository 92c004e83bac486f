from odoo import fields, models


class ShopifyProduct(models.Model):
    _name = "shopify.product"
    _inherit = "shopify.binding"
    _description = "Shopify Product"
    _rec_name = "title"

    title = fields.Char(readonly=True)
    handle = fields.Char(readonly=True)
    status = fields.Char(readonly=True)
    product_tmpl_id = fields.Many2one("product.template", index="btree_not_null")
    variant_ids = fields.One2many("shopify.variant", "shopify_product_id")
