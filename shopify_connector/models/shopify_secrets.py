from odoo import fields, models
from odoo.exceptions import UserError

from ..services import vault


class ShopifySecrets(models.AbstractModel):
    """Credentials that can be written and never read: the inputs are always empty again.

    What is kept are ciphertexts, which nobody reads but this addon (with sudo).
    """

    _name = "shopify.secrets"
    _description = "Shopify Credentials"

    client_secret = fields.Char(
        compute="_compute_secret_inputs",
        inverse="_inverse_client_secret",
        groups="shopify_connector.group_manager",
        help="Shown by the Dev Dashboard under Settings of the app (API secret key for a custom"
        " app). It also proves that webhooks come from Shopify. It is kept encrypted and cannot"
        " be read here again.",
    )
    access_token = fields.Char(
        compute="_compute_secret_inputs",
        inverse="_inverse_access_token",
        groups="shopify_connector.group_manager",
        help="Admin API access token of the custom app. It is kept encrypted and cannot be read"
        " here again.",
    )
    client_secret_enc = fields.Char(
        readonly=True, copy=False, prefetch=False, groups=fields.NO_ACCESS
    )
    access_token_enc = fields.Char(
        readonly=True, copy=False, prefetch=False, groups=fields.NO_ACCESS
    )

    def _compute_secret_inputs(self):
        self.client_secret = self.access_token = False

    def _inverse_client_secret(self):
        self._keep_secret("client_secret")

    def _inverse_access_token(self):
        self._keep_secret("access_token")

    def _keep_secret(self, name):
        """Encrypt what was entered. An empty input means that nothing was entered."""
        for record in self:
            secret = (record[name] or "").strip()
            if secret:
                record._replace_secret(name, secret)
        self.invalidate_recordset([name], flush=False)

    def _replace_secret(self, name, secret):
        self.sudo().write({f"{name}_enc": self._encrypted(secret)})

    def _secret(self, name):
        """A secret in clear, or "" when there is none.

        :raises UserError: the key of this server does not fit
        """
        self.ensure_one()
        return self._decrypted(self.sudo()[f"{name}_enc"])

    def _encrypted(self, secret):
        try:
            return vault.encrypt(secret)
        except vault.VaultError as error:
            raise UserError(str(error)) from error

    def _decrypted(self, ciphertext):
        if not ciphertext:
            return ""
        try:
            return vault.decrypt(ciphertext)
        except vault.VaultError as error:
            raise UserError(str(error)) from error
