"""How we come by an access token, and how it stays fresh.

Three ways: a static token (legacy custom apps), client credentials (an app of the merchant's own
organization) and an OAuth code with rotating refresh tokens (an app of somebody else's). What a
provider obtains is kept by a `TokenStore`, which whoever uses this package supplies.

`ShopifyAPI` does here what it does well: sanitising a shop's domain, the parameters of the
permission page, the signature of the callback, the algebra of scopes. It is imported on first use
and never sees a token; its process-wide settings are not touched.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cache
from html import unescape
from typing import Protocol
from urllib.parse import urlsplit

from .answers import status_error
from .errors import AuthError, ProtocolError, ShopifyError, ShopUnavailableError, TransientError
from .transport import Reply, Transport

_logger = logging.getLogger(__name__)

# A token is renewed this long before it lapses.
RENEW_BEFORE = timedelta(minutes=10)

_REMEDIES = {
    "invalid_client": (
        "invalid_client",
        "Shopify refuses the client id or the client secret. Copy both again from the app's "
        "settings in the Dev Dashboard, and check that the app is still installed on the store.",
    ),
    "application_cannot_be_found": (
        "app_not_found",
        "Shopify knows no app with this client id. Copy it again from the app's settings in the "
        "Dev Dashboard.",
    ),
    "shop_not_permitted": (
        "shop_not_permitted",
        "The app and the store do not belong to the same Shopify organization, so client "
        "credentials cannot be used. Create the app in the store's own organization, or connect "
        "with an authorization code (OAuth).",
    ),
    "app_not_installed": (
        "app_not_installed",
        "The app is not installed on this store. Install it from the Dev Dashboard, then try "
        "again.",
    ),
}
_CODE_REMEDY = "Start the installation again: the code of the last one was used or has lapsed."
_REFRESH_REMEDY = "Shopify refuses the refresh token. Install the app on the store again."


@dataclass(frozen=True)
class Token:
    """An access token and what belongs to it. Times are aware, in UTC.

    :ivar expires_at: None when the token does not lapse.
    """

    access_token: str = field(repr=False)
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()

    def __post_init__(self):
        for name in ("expires_at", "refresh_expires_at"):
            value = getattr(self, name)
            if value is not None and value.tzinfo is None:
                object.__setattr__(self, name, value.replace(tzinfo=timezone.utc))


class TokenStore(Protocol):
    """Where a token lives between jobs and processes."""

    def load(self) -> Token | None:
        """The last token saved by anybody."""

    def save(self, token: Token) -> None:
        """Keep a token for good: it must survive a rollback of the caller."""

    def lock(self) -> AbstractContextManager:
        """Only one process at a time is inside; `load` in it sees what the one before saved."""


class TokenProvider(Protocol):
    """Gives access tokens. `app` names the app, since call budgets are per app."""

    app: str

    def get(self) -> str:
        """A token that is good now, as far as we know."""

    def renew(self, rejected_token: str) -> str:
        """Another token than the one that the store refused; raises `AuthError`."""


class StaticToken:
    """A token that does not lapse."""

    app = "static"

    def __init__(self, access_token: str):
        self._access_token = access_token

    def get(self) -> str:
        if not self._access_token:
            raise AuthError("There is no access token. Enter one.", reason="no_token")
        return self._access_token

    def renew(self, rejected_token: str) -> str:
        raise AuthError(
            "The store refuses the access token: it was revoked, or the app was uninstalled. "
            "Enter the token of an app that is installed on this store.",
            reason="invalid_token",
            http_status=401,
        )


class _Renewing:
    """A provider whose tokens lapse. One renewal at a time, over all processes."""

    def __init__(
        self,
        shop_url: str,
        client_id: str,
        client_secret: str,
        store: TokenStore,
        transport: Transport,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ):
        self.app = client_id
        self._shop_url = shop_url
        self._client_secret = client_secret
        self._store = store
        self._transport = transport
        self._now = now
        self._token: Token | None = None

    def get(self) -> str:
        if not self._fresh(self._token):
            self._token = self._store.load()
        if not self._fresh(self._token):
            self._token = self._renewed(None)
        return self._token.access_token

    def renew(self, rejected_token: str) -> str:
        self._token = self._renewed(rejected_token)
        return self._token.access_token

    def _renewed(self, rejected: str | None) -> Token:
        with self._store.lock():
            # Somebody else may have renewed it while we waited for the lock.
            current = self._store.load()
            if self._fresh(current) and current.access_token != rejected:
                return current
            try:
                token = self._request(current)
            except TransientError:
                if self._alive(current) and current.access_token != rejected:
                    _logger.info("The token could not be renewed yet and is still good")
                    return current
                raise
            self._store.save(token)
            return token

    def _request(self, current: Token | None) -> Token:
        raise NotImplementedError

    def _fresh(self, token: Token | None) -> bool:
        return self._alive(token, RENEW_BEFORE)

    def _alive(self, token: Token | None, margin: timedelta = timedelta(seconds=30)) -> bool:
        if token is None or not token.access_token:
            return False
        return token.expires_at is None or token.expires_at - margin > self._now()

    def _post(self, form: dict[str, str], remedy: str) -> Token:
        """Ask the token endpoint; `remedy` is what to do when it refuses the grant."""
        url = f"{self._shop_url}/admin/oauth/access_token"
        reply = self._transport.post_form(
            url, {"client_id": self.app, "client_secret": self._client_secret, **form}
        )
        if reply.status != 200:
            raise _refusal(reply, remedy)
        answer = reply.json()
        if not isinstance(answer.get("access_token"), str):
            raise ProtocolError(
                "The store answered without an access token", request_id=reply.request_id
            )
        return Token(
            access_token=answer["access_token"],
            expires_at=self._in_seconds(answer.get("expires_in")),
            refresh_token=answer.get("refresh_token"),
            refresh_expires_at=self._in_seconds(answer.get("refresh_token_expires_in")),
            scopes=split_scopes(answer.get("scope")),
        )

    def _in_seconds(self, seconds: float | None) -> datetime | None:
        return self._now() + timedelta(seconds=seconds) if seconds else None


class ClientCredentials(_Renewing):
    """Tokens of 24 hours, asked for with the app's own id and secret."""

    def _request(self, current: Token | None) -> Token:
        return self._post(
            {"grant_type": "client_credentials"}, "Check the app's settings in the Dev Dashboard."
        )


class AuthorizationCode(_Renewing):
    """Tokens of an installation that a person agreed to, with rotating refresh tokens.

    A refresh token stays usable until its successor is used, so a lost answer loses nothing;
    the new pair is saved before it is used.
    """

    def authorize_url(self, scopes: Iterable[str], redirect_uri: str, state: str) -> str:
        """Where to send the person who installs the app."""
        # The page has no API version, but the library wants one.
        session = _app_session(self.app)(urlsplit(self._shop_url).hostname, "unstable")
        query = urlsplit(session.create_permission_url(list(scopes), redirect_uri, state)).query
        return f"{self._shop_url}/admin/oauth/authorize?{query}"

    def exchange(self, code: str) -> Token:
        """Turn the code of the callback into a token, saved in the store.

        :raises AuthError: the code was used, or has lapsed.
        """
        with self._store.lock():
            token = self._post({"code": code, "expiring": "1"}, _CODE_REMEDY)
            self._store.save(token)
        self._token = token
        return token

    def _request(self, current: Token | None) -> Token:
        if current is None:
            raise AuthError("The app was never installed. Install it.", reason="no_token")
        if not current.refresh_token:
            raise AuthError(
                "The store refuses the access token. Install the app on the store again.",
                reason="invalid_token",
            )
        if current.refresh_expires_at and current.refresh_expires_at <= self._now():
            raise AuthError(
                "The app was not used for so long that its access has lapsed. "
                "Install the app on the store again.",
                reason="refresh_expired",
            )
        return self._post(
            {"grant_type": "refresh_token", "refresh_token": current.refresh_token},
            _REFRESH_REMEDY,
        )


_OAUTH_PAGE = re.compile(r"Oauth error (\w+)\s*:?\s*([^<\n]*)", re.IGNORECASE)


def _refusal(reply: Reply, remedy: str) -> ShopifyError:
    """What a refused token request means; Shopify answers with JSON or with an HTML page."""
    code, description = _oauth_error(reply)
    known = {"request_id": reply.request_id, "http_status": reply.status, "code": code}
    if code in _REMEDIES:
        reason, text = _REMEDIES[code]
        return AuthError(f"{text} [{code}]", reason=reason, **known)
    if code in ("invalid_grant", "invalid_request", "invalid_token"):
        detail = f" [{code}: {description}]" if description else f" [{code}]"
        return AuthError(remedy + detail, reason="invalid_grant", **known)
    error = status_error(reply)
    if isinstance(error, TransientError | ShopUnavailableError):
        return error
    if reply.status == 401:
        reason, text = _REMEDIES["invalid_client"]
        return AuthError(text, reason=reason, **known)
    if code:
        return AuthError(
            f"Shopify refuses to give an access token: {code} {description}".rstrip(),
            reason="rejected",
            **known,
        )
    return AuthError(
        f"Shopify refuses to give an access token (HTTP {reply.status}). {remedy}",
        reason="rejected",
        **known,
    )


def _oauth_error(reply: Reply) -> tuple[str | None, str]:
    try:
        answer = reply.json()
    except ProtocolError:
        match = _OAUTH_PAGE.search(unescape(reply.body[:65536].decode("utf-8", "replace")))
        return (match[1].lower(), match[2].strip()) if match else (None, "")
    return answer.get("error"), str(answer.get("error_description") or "")


# -- the installation's callback -------------------------------------------------------------


def verify_callback(params: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether Shopify signed the parameters of an OAuth callback, less than a day ago.

    :param secrets: the app's client secret, and the one before it.
    """
    for secret in filter(None, secrets):
        try:
            if _app_session("", secret).validate_params(dict(params)):
                return True
        except (ValueError, TypeError):  # a timestamp that is no number
            return False
    return False


def verify_state(given: str | None, expected: str | None) -> bool:
    """Whether the callback belongs to the installation that we started. Constant time."""
    if not given or not expected:
        return False
    return hmac.compare_digest(given.encode(), expected.encode())


def _app_session(client_id: str, secret: str = ""):
    """ShopifyAPI's session class with an app of its own: the library keeps them on the class."""
    return type("AppSession", (_library().Session,), {"api_key": client_id, "secret": secret})


@cache
def _library():
    import shopify.utils.shop_url  # noqa: PLC0415 (slow to import, and rarely needed)

    return shopify


# -- shops and scopes ------------------------------------------------------------------------

_ADMIN_STORE = re.compile(r"(?:https?://)?admin\.shopify\.com/store/([^/?#]+)", re.IGNORECASE)


def normalise_shop(text: str) -> str:
    """Whatever a person pastes to name a store, as `foo.myshopify.com`.

    Takes the name alone, any address of the store below `myshopify.com`, and any address of its
    admin (`https://admin.shopify.com/store/foo/orders`).

    :raises ValueError: with a text for that person.
    """
    # Copied text carries invisible characters.
    name = re.sub(r"[\u200b-\u200f\u2060\ufeff]", "", text or "").strip().rstrip("./")
    if not name:
        raise ValueError("Enter the address of the store, e.g. my-store.myshopify.com.")
    if match := _ADMIN_STORE.match(name):
        name = match[1]
    name = re.split(r"[/?#]", re.sub(r"^https?://", "", name, flags=re.IGNORECASE), maxsplit=1)[0]
    shop = _library().utils.shop_url.sanitize_shop_domain(name)
    if not shop:
        raise ValueError(
            f"{text.strip()!r} is not the address of a Shopify store. Enter the address that ends "
            "in .myshopify.com; Shopify shows it under Settings > Domains."
        )
    return shop


def shop_url(shop: str, base_url: str | None = None) -> str:
    """`https://foo.myshopify.com`; with a development server, its address of that store."""
    if not base_url:
        return f"https://{shop}"
    return base_url.replace("{shop}", shop.split(".", 1)[0]).rstrip("/")


def split_scopes(text: str | None) -> tuple[str, ...]:
    """`read_orders,write_products` -> a tuple, sorted."""
    return tuple(sorted({scope.strip() for scope in (text or "").split(",")} - {""}))


def covers(granted: Iterable[str], scope: str) -> bool:
    """Whether a scope was granted, be it implied by another: `write_x` grants `read_x`."""
    access = _library().ApiAccess
    # Kinds of scopes that the library does not know, such as `customer_read_orders`, imply none.
    known = [name for name in granted if access.SCOPE_RE.match(name)]
    return access(known).covers(access([scope]))
