from odoo import fields, models


class ShopifyWebhookSubscription(models.Model):
    """A webhook subscription of a store as Shopify holds it."""

    _name = "shopify.webhook.subscription"
    _description = "Shopify Webhook Subscription"
    _order = "backend_id, topic"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    topic = fields.Char(required=True, readonly=True)
    shopify_gid = fields.Char(readonly=True)
    address = fields.Char(readonly=True)
