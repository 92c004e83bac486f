from odoo import fields, models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    shopify_order_ids = fields.One2many("shopify.order", "sale_order_id")
