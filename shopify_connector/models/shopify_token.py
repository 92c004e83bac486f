from odoo import fields, models


class ShopifyToken(models.Model):
    """Tokens of a store, apart from its row: they are renewed in a cursor of their own."""

    _name = "shopify.token"
    _description = "Shopify Access Token"

    backend_id = fields.Many2one("shopify.backend", required=True, ondelete="cascade")

    _backend_uniq = models.Constraint(
        "UNIQUE (backend_id)", "A store has one token only."
    )
