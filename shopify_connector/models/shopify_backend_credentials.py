import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services import vault

OAUTH_CALLBACK = "/shopify/oauth/callback"


class ShopifyBackend(models.Model):
    """Credentials of a store: encrypted at rest, write-only in the screens."""

    _name = "shopify.backend"
    _inherit = ["shopify.backend", "shopify.secrets"]

    auth_method = fields.Selection(
        [
            ("client_credentials", "Client ID and secret (Dev Dashboard app)"),
            ("authorization_code", "Install by OAuth (app of another organization)"),
            ("static_token", "Access token (custom app made before 2026)"),
        ],
        string="Authentication",
        default="client_credentials",
        required=True,
        tracking=True,
    )
    client_id = fields.Char(string="Client ID", copy=False, tracking=True)
    client_secret_set_at = fields.Datetime(string="Secret Set On", readonly=True, copy=False)
    access_token_set_at = fields.Datetime(string="Token Set On", readonly=True, copy=False)
    previous_secret_enc = fields.Char(
        readonly=True, copy=False, prefetch=False, groups=fields.NO_ACCESS
    )
    previous_secret_set_at = fields.Datetime(
        string="Previous Secret Kept Since",
        readonly=True,
        copy=False,
        help="Shopify may sign webhooks with the previous secret for a while after it was"
        " replaced, so it is accepted until you forget it here.",
    )
    has_token = fields.Boolean(compute="_compute_token")
    token_expires_at = fields.Datetime(compute="_compute_token", string="Access Until")
    oauth_redirect_url = fields.Char(
        string="Redirect URL",
        compute="_compute_oauth_redirect_url",
        help="Enter it in the app's settings under Allowed redirection URLs.",
    )

    def _compute_token(self):
        tokens = self.env["shopify.token"].sudo().search([("store_id", "in", self.ids)])
        by_store = {token.store_id: token for token in tokens}
        for backend in self:
            token = by_store.get(backend.id)
            backend.has_token = bool(token)
            backend.token_expires_at = token.expires_at if token else False

    @api.depends("webhook_base_url")
    def _compute_oauth_redirect_url(self):
        for backend in self:
            backend.oauth_redirect_url = backend._public_url() + OAUTH_CALLBACK

    def _public_url(self):
        """Address under which Shopify and its users reach this Odoo, without a final slash."""
        base = self.webhook_base_url or self.env["ir.config_parameter"].sudo().get_param(
            "web.base.url"
        )
        return (base or "").rstrip("/")

    # === SECRETS === #

    def _replace_secret(self, name, secret):
        now = fields.Datetime.now()
        values = {f"{name}_enc": self._encrypted(secret), f"{name}_set_at": now}
        known = self.sudo()[f"{name}_enc"]
        if name == "client_secret" and known and not self._same_secret(known, secret):
            values.update(previous_secret_enc=known, previous_secret_set_at=now)
        self.sudo().write(values)
        label = self._fields[name]._description_string(self.env)
        text = (
            self.env._("%(secret)s replaced by %(user)s", secret=label, user=self.env.user.name)
            if known
            else self.env._("%(secret)s set by %(user)s", secret=label, user=self.env.user.name)
        )
        self._message_log(body=text)

    def _same_secret(self, ciphertext, secret):
        try:
            return vault.decrypt(ciphertext) == secret
        except vault.VaultError:
            return False

    def _webhook_secrets(self):
        """What webhooks and OAuth callbacks may be signed with: the current secret first.

        :return: list of str, empty while no secret is set
        :raises UserError: the key of this server does not fit
        """
        self.ensure_one()
        secrets = [self._secret("client_secret"), self._secret("previous_secret")]
        return [secret for secret in secrets if secret]

    def _credentials_fingerprint(self):
        """Changes when a token that was obtained before must not be used any more."""
        self.ensure_one()
        parts = [self.auth_method, self.shop_domain, self.client_id or ""]
        if self.auth_method == "client_credentials":
            parts.append(self._secret("client_secret"))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def action_forget_previous_secret(self):
        """Accept the current client secret only."""
        for backend in self:
            backend.check_access("write")
            backend.sudo().write({"previous_secret_enc": False, "previous_secret_set_at": False})
            backend._message_log(
                body=self.env._(
                    "Previous client secret forgotten by %(user)s", user=self.env.user.name
                )
            )

    def action_forget_credentials(self):
        """Delete all secrets and tokens of the store from this database."""
        for backend in self:
            backend.check_access("write")
            backend.sudo().write(
                {
                    "client_secret_enc": False,
                    "client_secret_set_at": False,
                    "previous_secret_enc": False,
                    "previous_secret_set_at": False,
                    "access_token_enc": False,
                    "access_token_set_at": False,
                    "state": "draft",
                }
            )
            backend._message_log(
                body=self.env._("Credentials deleted by %(user)s", user=self.env.user.name)
            )
        self._forget_tokens()

    def action_reencrypt_secrets(self):
        """Encrypt all secrets with the first key of this server, to retire an old key."""
        if not self.env.is_system():
            raise UserError(self.env._("Only a system administrator can change encryption keys."))
        backends = self.sudo().with_context(active_test=False).search([])
        names = ("client_secret_enc", "previous_secret_enc", "access_token_enc")
        try:
            for backend in backends:
                values = {name: vault.rotate(backend[name]) for name in names if backend[name]}
                backend.with_context(tracking_disable=True).write(values)
            self.env["shopify.token"].sudo().search([])._reencrypt()
        except vault.VaultError as error:
            raise UserError(str(error)) from error
        return self._notify(
            self.env._("The credentials of %s stores are encrypted anew.", len(backends))
        )

    def _forget_tokens(self):
        self.env["shopify.token"].sudo().search([("store_id", "in", self.ids)]).unlink()

    def unlink(self):
        self._forget_tokens()
        return super().unlink()

    # === OAUTH === #

    def action_oauth_install(self):
        """Send the manager to Shopify, who asks for leave to install the app."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/shopify/oauth/install/{self.id}",
            "target": "self",
        }
