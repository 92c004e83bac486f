from odoo import fields, models


class ShopifyWebhookEvent(models.Model):
    """The inbox: one line per delivery, poll hit, manual request or retry."""

    _name = "shopify.webhook.event"
    _description = "Shopify Inbox Event"
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    topic = fields.Char(required=True, readonly=True)
    resource_gid = fields.Char(string="Shopify ID", readonly=True, index=True)
    state = fields.Selection(
        [
            ("pending", "Waiting"),
            ("done", "Done"),
            ("skipped", "Nothing to do"),
            ("failed", "Failed"),
        ],
        default="pending",
        required=True,
        readonly=True,
        index=True,
    )
