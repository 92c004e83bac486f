from odoo import fields, models

REFUND_POLICIES = [
    ("none", "Only keep them"),
    ("draft", "Draft credit notes"),
    ("posted", "Posted credit notes"),
    ("paid", "Posted credit notes, with their payments"),
]


class ShopifyBackend(models.Model):
    """How refunds of a store are booked."""

    _inherit = "shopify.backend"

    refund_policy = fields.Selection(
        REFUND_POLICIES,
        string="Refunds",
        default="draft",
        required=True,
        tracking=True,
        help="What is made of a refund in Shopify once its money was returned. A credit note of"
        " an invoice that is still a draft stays a draft until the invoice is posted.",
    )
