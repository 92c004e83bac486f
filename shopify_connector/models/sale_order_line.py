from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    shopify_gid = fields.Char(
        string="Shopify Line ID", copy=False, readonly=True, index="btree_not_null"
    )
    shopify_kind = fields.Selection(
        [
            ("product", "Product"),
            ("custom", "Custom Item"),
            ("gift_card", "Gift Card"),
            ("tip", "Tip"),
            ("shipping", "Shipping"),
            ("duty", "Duty"),
            ("fee", "Additional Fee"),
        ],
        copy=False,
        readonly=True,
    )
