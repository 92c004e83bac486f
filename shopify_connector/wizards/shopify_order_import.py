from odoo import models


class ShopifyOrderImport(models.TransientModel):
    _name = "shopify.order.import"
    _description = "Import Shopify Orders"
