from odoo import models


class ShopifyConnectionChecker(models.AbstractModel):
    _name = "shopify.connection.checker"
    _description = "Shopify Connection Checker"
