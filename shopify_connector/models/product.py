from odoo import fields, models


class ProductProduct(models.Model):
    _inherit = "product.product"

    shopify_variant_ids = fields.One2many("shopify.variant", "product_id")
