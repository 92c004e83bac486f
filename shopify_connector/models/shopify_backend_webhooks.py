from odoo import fields, models


class ShopifyBackend(models.Model):
    """How changes of a store reach Odoo: webhooks, polling and retention."""

    _inherit = "shopify.backend"

    use_webhooks = fields.Boolean(default=True, tracking=True)
    use_polling = fields.Boolean(default=True, tracking=True)
    webhook_base_url = fields.Char(
        tracking=True,
        help="Public address of this Odoo; empty: the system's web.base.url.",
    )
    log_retention_days = fields.Integer(default=90, tracking=True)
    payload_retention_days = fields.Integer(default=7, tracking=True)
    subscription_ids = fields.One2many("shopify.webhook.subscription", "backend_id")
