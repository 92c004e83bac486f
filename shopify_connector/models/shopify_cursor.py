from odoo import fields, models


class ShopifyCursor(models.Model):
    """Position up to which a topic of a store was read by polling.

    The row of the topic ``inbox`` holds the state of the drain: when it ran last, and until
    when it leaves a store alone that does not answer. Apart from the store's own row because
    drains write it often.
    """

    _name = "shopify.cursor"
    _description = "Shopify Polling Position"
    _rec_name = "topic"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    topic = fields.Char(required=True)
    position = fields.Datetime(help="Changes up to this time (UTC) are in the inbox.")
    polled_at = fields.Datetime(string="Last Run")
    failures = fields.Integer(
        default=0, required=True, help="Runs in a row that the store did not answer."
    )
    not_before = fields.Datetime(help="The store is left alone until then (UTC).")
    alerted_at = fields.Datetime(help="When the managers were last told of exceptions.")

    _backend_topic_uniq = models.Constraint(
        "UNIQUE (backend_id, topic)", "One position per store and topic."
    )
