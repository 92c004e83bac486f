from odoo import api, fields, models


class ShopifyWebhookSubscription(models.Model):
    """A webhook subscription of a store as Shopify holds it, or as it is missing there."""

    _name = "shopify.webhook.subscription"
    _description = "Shopify Webhook Subscription"
    _order = "backend_id, topic, id"
    _rec_name = "topic"

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    topic = fields.Char(required=True, readonly=True, help="e.g. orders/create")
    state = fields.Selection(
        [
            ("active", "Active"),
            ("missing", "Missing"),
            ("foreign", "Of another program"),
        ],
        required=True,
        readonly=True,
        default="missing",
    )
    shopify_gid = fields.Char(string="Shopify ID", readonly=True)
    address = fields.Char(readonly=True)
    api_version = fields.Char(string="API Version", readonly=True)
    message = fields.Char(readonly=True, help="Why Shopify refused it.")
    checked_at = fields.Datetime(string="Compared", readonly=True)
    last_delivery_at = fields.Datetime(
        string="Last Delivery", readonly=True, help="To within half a minute."
    )

    @api.model
    def _cron_reconcile(self):
        """Compare and repair the subscriptions of all stores, in jobs."""
        backends = self.env["shopify.backend"].search([("use_webhooks", "=", True)])
        for backend in backends.filtered(lambda b: b._can_call()):
            backend._delay(f"shopify:{backend.id}:webhooks")._job_reconcile_webhooks()
