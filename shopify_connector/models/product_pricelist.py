from odoo import fields, models


class ProductPricelist(models.Model):
    _inherit = "product.pricelist"

    shopify_backend_id = fields.Many2one(
        "shopify.backend",
        string="Shopify Store",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="Says which currency the store's orders are in; prices come from Shopify.",
    )
