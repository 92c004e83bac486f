from odoo import fields, models


class ShopifyBackend(models.Model):
    """Credentials of a store: encrypted at rest, write-only in the screens."""

    _inherit = "shopify.backend"

    auth_method = fields.Selection(
        [
            ("client_credentials", "Client ID and secret (Dev Dashboard app)"),
            ("authorization_code", "Install by OAuth (app of another organization)"),
            ("static_token", "Access token (custom app made before 2026)"),
        ],
        default="client_credentials",
        required=True,
        tracking=True,
    )
    client_id = fields.Char(string="Client ID", copy=False, tracking=True)
