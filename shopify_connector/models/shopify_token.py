from odoo import api, fields, models

from ..services import vault


class ShopifyToken(models.Model):
    """Tokens of stores, apart from their rows: they are renewed in a cursor of their own.

    ``store_id`` is no foreign key on purpose: the other cursor must neither wait for a lock on
    the row of the store nor miss a store that its creator has not committed yet.
    """

    _name = "shopify.token"
    _description = "Shopify Access Token"
    _rec_name = "store_id"

    store_id = fields.Integer(string="ID of the Store", required=True, readonly=True)
    fingerprint = fields.Char(
        required=True,
        readonly=True,
        help="Of the credentials that gave the token; with others it is not used.",
    )
    access_token_enc = fields.Char(
        required=True, readonly=True, prefetch=False, groups=fields.NO_ACCESS
    )
    expires_at = fields.Datetime(readonly=True, help="Empty: it does not lapse.")
    refresh_token_enc = fields.Char(readonly=True, prefetch=False, groups=fields.NO_ACCESS)
    refresh_expires_at = fields.Datetime(readonly=True)
    scopes = fields.Char(readonly=True)

    _store_uniq = models.Constraint("UNIQUE (store_id)", "A store has one token only.")

    def _reencrypt(self):
        """Encrypt all tokens with the first key of this server."""
        for token in self.sudo():
            values = {
                name: vault.rotate(token[name])
                for name in ("access_token_enc", "refresh_token_enc")
                if token[name]
            }
            token.write(values)

    @api.autovacuum
    def _gc_orphans(self):
        """Delete the tokens of stores whose creation was rolled back."""
        stores = self.env["shopify.backend"].sudo().with_context(active_test=False)
        self.sudo().search([("store_id", "not in", stores.search([]).ids)]).unlink()
