from odoo import fields, models


class ShopifyCursor(models.Model):
    """Position up to which a topic of a store was read by polling."""

    _name = "shopify.cursor"
    _description = "Shopify Polling Position"

    backend_id = fields.Many2one("shopify.backend", required=True, ondelete="cascade")
    topic = fields.Char(required=True)
    position = fields.Datetime(help="Shopify's updated_at of the last item read (UTC).")
    polled_at = fields.Datetime()

    _backend_topic_uniq = models.Constraint(
        "UNIQUE (backend_id, topic)", "One position per store and topic."
    )
