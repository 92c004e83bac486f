from odoo import models


class ShopifyOnboarding(models.TransientModel):
    _name = "shopify.onboarding"
    _description = "Connect a Shopify Store"
