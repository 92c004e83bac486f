"""Access tokens: client credentials, authorization code, refresh. Error bodies as Shopify's."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from .shop import Shop

EXPIRING_TOKEN_SECONDS = 3600
REFRESH_TOKEN_SECONDS = 7_776_000
CODE_SECONDS = 600
# The replaced refresh token stays usable for a while, so that a lost answer locks nobody out.
USED_REFRESH_TOKEN_SECONDS = 30 * 86400


@dataclass
class OAuthError(Exception):
    """Refusal of a token request, as ``{"error", "error_description"}``."""

    error: str
    description: str
    status: int = 400


def token_is_valid(shop: Shop, token: str | None) -> bool:
    if not token or not shop.settings.installed:
        return False
    return shop.tokens.get(token, 0) > time.time()


def grant(shop: Shop, form: dict) -> dict:
    """Answer of ``POST /admin/oauth/access_token``.

    :param form: fields of the JSON or form body
    :raises OAuthError: in Shopify's words
    """
    settings = shop.settings
    if form.get("client_id") != settings.client_id:
        raise OAuthError(
            "application_cannot_be_found",
            "The application with the given client id cannot be found.",
        )
    if form.get("client_secret") not in settings.client_secrets:
        raise OAuthError("invalid_client", "The client secret is not valid for this app.")
    if not settings.installed:
        raise OAuthError("app_not_installed", "The app is not installed on this shop.")
    kind = form.get("grant_type")
    if kind == "client_credentials":
        return _client_credentials(shop)
    if kind == "refresh_token":
        return _refresh(shop, form.get("refresh_token"))
    if kind in (None, "", "authorization_code"):
        return _code(shop, form)
    raise OAuthError("unsupported_grant_type", f"The grant type {kind} is not supported.")


def _client_credentials(shop: Shop) -> dict:
    if not shop.settings.client_credentials_allowed:
        raise OAuthError(
            "shop_not_permitted", "Client credentials cannot be performed on this shop."
        )
    token = f"shpat_{secrets.token_hex(16)}"
    seconds = shop.settings.token_seconds
    shop.tokens[token] = time.time() + seconds
    return {"access_token": token, "scope": ",".join(shop.settings.scopes), "expires_in": seconds}


def _code(shop: Shop, form: dict) -> dict:
    valid_until = shop.codes.pop(form.get("code") or "", 0)
    if valid_until < time.time():
        raise OAuthError(
            "invalid_request", "The authorization code was not found or was already used"
        )
    scope = ",".join(shop.settings.scopes)
    if str(form.get("expiring") or "") != "1":
        token = f"shpat_{secrets.token_hex(16)}"
        shop.tokens[token] = float("inf")
        return {"access_token": token, "scope": scope}
    return _expiring_pair(shop)


def _expiring_pair(shop: Shop) -> dict:
    token, refresh = f"shpat_{secrets.token_hex(16)}", f"shprt_{secrets.token_hex(16)}"
    seconds = min(EXPIRING_TOKEN_SECONDS, shop.settings.token_seconds)
    shop.tokens[token] = time.time() + seconds
    shop.refresh_tokens[refresh] = time.time() + REFRESH_TOKEN_SECONDS
    return {
        "access_token": token,
        "expires_in": seconds,
        "refresh_token": refresh,
        "refresh_token_expires_in": REFRESH_TOKEN_SECONDS,
        "scope": ",".join(shop.settings.scopes),
    }


def _refresh(shop: Shop, refresh: str | None) -> dict:
    valid_until = shop.refresh_tokens.get(refresh or "", 0)
    if valid_until < time.time():
        raise OAuthError("invalid_request", "The refresh token is invalid or has expired.")
    shop.refresh_tokens[refresh] = min(valid_until, time.time() + USED_REFRESH_TOKEN_SECONDS)
    return _expiring_pair(shop)


def callback_url(shop: Shop, redirect_uri: str, state: str) -> str:
    """Where the authorize page sends the merchant: code, shop, state, timestamp and their HMAC."""
    code = secrets.token_hex(16)
    shop.codes[code] = time.time() + CODE_SECONDS
    shop.settings.installed = True
    parameters = {
        "code": code,
        "shop": shop.domain,
        "state": state,
        "timestamp": str(int(time.time())),
    }
    message = urlencode(sorted(parameters.items()))
    key = shop.settings.client_secrets[-1].encode()
    parameters["hmac"] = hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(parameters)}"
