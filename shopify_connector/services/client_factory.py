import zlib
from contextlib import contextmanager
from datetime import timezone

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..client.auth import AuthorizationCode, ClientCredentials, StaticToken, Token, shop_url
from ..client.client import ShopifyClient
from ..client.transport import shared_transport
from ..const import API_VERSION
from . import vault
from .config import option

# Class of our advisory locks on tokens; the object is the store's id.
_LOCK_CLASS = zlib.crc32(b"shopify.token") - 2**31


class DatabaseTokenStore:
    """The token of a store, in a cursor of its own: it survives a rollback of the caller.

    :param registry: of the database
    :param store_id: id of the `shopify.backend`
    :param fingerprint: of the credentials; a token that others gave is not loaded
    """

    def __init__(self, registry, store_id, fingerprint):
        self._registry = registry
        self._store_id = store_id
        self._fingerprint = fingerprint

    def load(self):
        """The last token that anybody saved, or None.

        :raises UserError: no key of this server decrypts it
        """
        # Each look is a transaction of its own, so that it sees what others committed.
        with self._registry.cursor() as cr:
            cr.execute(
                SQL(
                    """SELECT access_token_enc, expires_at, refresh_token_enc,
                              refresh_expires_at, scopes
                         FROM shopify_token WHERE store_id = %s AND fingerprint = %s""",
                    self._store_id,
                    self._fingerprint,
                )
            )
            row = cr.fetchone()
        if row is None:
            return None
        access, expires_at, refresh, refresh_expires_at, scopes = row
        try:
            return Token(
                access_token=vault.decrypt(access),
                expires_at=expires_at,
                refresh_token=vault.decrypt(refresh) if refresh else None,
                refresh_expires_at=refresh_expires_at,
                scopes=tuple((scopes or "").split()),
            )
        except vault.VaultError as error:
            raise UserError(str(error)) from error

    def save(self, token):
        """Keep a token; committed on return."""
        try:
            access = vault.encrypt(token.access_token)
            refresh = vault.encrypt(token.refresh_token) if token.refresh_token else None
        except vault.VaultError as error:
            raise UserError(str(error)) from error
        values = (
            self._store_id,
            self._fingerprint,
            access,
            _naive(token.expires_at),
            refresh,
            _naive(token.refresh_expires_at),
            " ".join(token.scopes),
        )
        with self._registry.cursor() as cr:
            cr.execute(
                SQL(
                    """INSERT INTO shopify_token (store_id, fingerprint, access_token_enc,
                              expires_at, refresh_token_enc, refresh_expires_at, scopes,
                              create_date, write_date)
                       VALUES (%s, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')
                       ON CONFLICT (store_id) DO UPDATE
                          SET fingerprint = EXCLUDED.fingerprint,
                              access_token_enc = EXCLUDED.access_token_enc,
                              expires_at = EXCLUDED.expires_at,
                              refresh_token_enc = EXCLUDED.refresh_token_enc,
                              refresh_expires_at = EXCLUDED.refresh_expires_at,
                              scopes = EXCLUDED.scopes,
                              write_date = EXCLUDED.write_date""",
                    SQL(", ").join(map(_parameter, values)),
                )
            )

    @contextmanager
    def lock(self):
        """One renewal at a time, over all workers and hosts; it ends with its transaction."""
        with self._registry.cursor() as cr:
            cr.execute(SQL("SELECT pg_advisory_xact_lock(%s, %s)", _LOCK_CLASS, self._store_id))
            yield


class ShopifyClientFactory(models.AbstractModel):
    """Makes the client that talks to a store, with whatever gives its tokens."""

    _name = "shopify.client.factory"
    _description = "Shopify Client Factory"

    def _client(self, backend):
        """
        :return: ShopifyClient of the store
        :raises UserError: this database may not talk to the store, or credentials are missing or
            cannot be decrypted
        """
        backend.ensure_one()
        self._refuse_foreign_database(backend)
        return ShopifyClient(
            backend.shop_domain,
            self._token_provider(backend),
            api_version=API_VERSION,
            transport=shared_transport(),
            base_url=option("api_url"),
        )

    def _token_provider(self, backend):
        """What gives access tokens, by the store's way to authenticate."""
        # What a job needs to reach its store is not for its user to read.
        backend = backend.sudo()
        if backend.auth_method == "static_token":
            token = backend._secret("access_token")
            if not token:
                raise self._missing(backend, self.env._("the access token"))
            return StaticToken(token)
        return self._app(backend)

    def _app(self, backend):
        """The app of a store that obtains its tokens itself."""
        backend = backend.sudo()
        secret = backend._secret("client_secret")
        if not backend.client_id:
            raise self._missing(backend, self.env._("the client ID"))
        if not secret:
            raise self._missing(backend, self.env._("the client secret"))
        providers = {
            "client_credentials": ClientCredentials,
            "authorization_code": AuthorizationCode,
        }
        return providers[backend.auth_method](
            shop_url(backend.shop_domain, option("api_url")),
            backend.client_id,
            secret,
            self._token_store(backend),
            shared_transport(),
        )

    def _token_store(self, backend):
        fingerprint = backend.sudo()._credentials_fingerprint()
        return DatabaseTokenStore(self.env.registry, backend.id, fingerprint)

    def _missing(self, backend, what):
        return UserError(
            self.env._(
                "%(store)s has no credentials: enter %(what)s on its page Connection.",
                store=backend.name,
                what=what,
            )
        )

    def _refuse_foreign_database(self, backend):
        """A copy of a database must neither read from nor write to the live store."""
        if backend.foreign_database:
            raise UserError(
                self.env._(
                    "%(store)s is connected with another database, of which this one is a copy;"
                    " so nothing is exchanged with the store here. If this database is to"
                    " replace the other one, a system administrator uses the button"
                    ' "This Database Is Now the Owner" of the store.',
                    store=backend.name,
                )
            )


def _naive(moment):
    """In UTC and whole seconds, as the database keeps it."""
    return moment.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0) if moment else None


def _parameter(value):
    return SQL("%s", value)
