"""From an HTTP answer of the Admin API to a `Result`, or to the error that says what to do.

Pure functions: everything here can be replayed from a recorded answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import (
    AuthError,
    CostExceededError,
    GraphQLFault,
    ProtocolError,
    QueryError,
    ScopeError,
    ShopifyError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
)
from .throttle import Cost
from .transport import Reply

_SCOPE = re.compile(r"`((?:unauthenticated_)?(?:read|write)_\w+)`")
_UNAVAILABLE = {
    402: "The store is frozen: its Shopify bill has to be paid before it answers again.",
    403: "The store forbids access (HTTP 403). It may be closed or fraudulent, "
    "or the app may have been blocked.",
    404: "There is no such store, or it has been deleted (HTTP 404).",
    423: "The store is locked (HTTP 423). Its owner has to unlock it with Shopify.",
}
DEFAULT_RETRY_AFTER = 1.0


@dataclass(frozen=True)
class Result:
    """The answer to one operation.

    :ivar data: as sent by the store; partial when there are `errors`.
    :ivar errors: faults beside the data, e.g. ACCESS_DENIED on an optional field.
    :ivar cost: None when the answer told none.
    :ivar api_version: the version that answered.
    :ivar duration: seconds on the wire.
    :ivar fell_forward: another version answered than the one asked for.
    """

    data: dict
    errors: tuple[GraphQLFault, ...]
    cost: Cost | None
    request_id: str
    api_version: str
    duration: float
    fell_forward: bool = False


def status_error(reply: Reply) -> ShopifyError | None:
    """What an HTTP status other than 200 means.

    401 is an `AuthError`, 429 a `ThrottledError`, 5xx and 408 are `TransientError`; 402, 403, 404,
    423 and redirects are `ShopUnavailableError`; any other is a `QueryError`.
    """
    status = reply.status
    if status == 200:
        return None
    known = {"request_id": reply.request_id, "http_status": status}
    if status == 401:
        return AuthError(
            "The store refuses the access token: it was revoked, or the app was uninstalled. "
            "Install the app on the store again, or enter a new token.",
            reason="invalid_token",
            **known,
        )
    if status == 429:
        return ThrottledError(
            "The store receives too many requests", retry_after=retry_after(reply), **known
        )
    if status >= 500 or status == 408:
        return TransientError(
            f"Shopify is out of order (HTTP {status})",
            retry_after=retry_after(reply, None),
            **known,
        )
    if 300 <= status < 400:
        return ShopUnavailableError(
            "The store has moved to another address. Check its myshopify.com domain "
            "under Settings > Domains in Shopify.",
            **known,
        )
    if status in _UNAVAILABLE:
        return ShopUnavailableError(_UNAVAILABLE[status], **known)
    return QueryError(f"Shopify refuses the request (HTTP {status})", **known)


def retry_after(reply: Reply, default: float | None = DEFAULT_RETRY_AFTER) -> float | None:
    """The seconds of the `Retry-After` header, which may have decimals."""
    try:
        return max(0.0, float(reply.headers.get("Retry-After", "")))
    except ValueError:
        return default


def read(reply: Reply, asked_version: str, *, allow_partial: bool = True) -> Result:
    """Read an answer of `graphql.json`.

    Data beside errors is kept, unless every root field is null or `allow_partial` is false.

    :raises ShopifyError: see `status_error` and `fault_error`.
    """
    if error := status_error(reply):
        raise error
    body = reply.json()
    cost = Cost.parse(body.get("extensions"))
    faults = parse_faults(body.get("errors"))
    data = body.get("data")
    if faults and (not allow_partial or not data or all(v is None for v in data.values())):
        error = fault_error(faults, cost, reply)
        error.budget = cost
        raise error
    if not isinstance(data, dict):
        raise ProtocolError(
            "The answer of the store has neither data nor errors",
            request_id=reply.request_id,
            http_status=reply.status,
        )
    version = reply.headers.get("X-Shopify-API-Version") or asked_version
    return Result(
        data=data,
        errors=faults,
        cost=cost,
        request_id=reply.request_id or "",
        api_version=version,
        duration=reply.duration,
        fell_forward=version != asked_version,
    )


def parse_faults(errors) -> tuple[GraphQLFault, ...]:
    """`errors` of an answer: a list of objects; for some refusals a plain string."""
    if not errors:
        return ()
    if not isinstance(errors, list):
        errors = [{"message": str(errors)}]
    return tuple(
        _fault(error if isinstance(error, dict) else {"message": error}) for error in errors
    )


def _fault(error: dict) -> GraphQLFault:
    extensions = error.get("extensions") or {}
    message = str(error.get("message") or "unknown error")
    code = extensions.get("code")
    if code is None and message == "Throttled":
        code = "THROTTLED"
    scopes = ()
    if code == "ACCESS_DENIED":
        scopes = tuple(_SCOPE.findall(extensions.get("requiredAccess") or message))
    return GraphQLFault(message, code, tuple(error.get("path") or ()), scopes)


def fault_error(faults: tuple[GraphQLFault, ...], cost: Cost | None, reply: Reply) -> ShopifyError:
    """The one error for an answer without usable data; what can pass by waiting comes first."""
    by_code = {fault.code: fault for fault in reversed(faults)}
    text = "; ".join(dict.fromkeys(fault.message for fault in faults))
    known = {"request_id": reply.request_id, "http_status": reply.status, "code": faults[0].code}
    if "THROTTLED" in by_code:
        known["code"] = "THROTTLED"
        return ThrottledError(
            "The call budget of the store is spent",
            retry_after=_seconds_until(cost) or retry_after(reply),
            **known,
        )
    if fault := next((fault for fault in faults if fault.transient), None):
        known["code"] = fault.code
        return TransientError(f"Shopify failed: {text}", **known)
    if "SHOP_INACTIVE" in by_code:
        known["code"] = "SHOP_INACTIVE"
        return ShopUnavailableError(f"The store is not active: {text}", **known)
    if "MAX_COST_EXCEEDED" in by_code:
        known["code"] = "MAX_COST_EXCEEDED"
        return CostExceededError(text, faults=faults, **_exceeded(reply), **known)
    denied = [fault for fault in faults if fault.code == "ACCESS_DENIED"]
    if denied:
        known["code"] = "ACCESS_DENIED"
        return ScopeError(
            "; ".join(dict.fromkeys(fault.message for fault in denied)),
            scopes=tuple(dict.fromkeys(scope for fault in denied for scope in fault.scopes)),
            path=".".join(map(str, denied[0].path)),
            **known,
        )
    return QueryError(text, faults=faults, **known)


def _seconds_until(cost: Cost | None) -> float | None:
    if not cost or not cost.restored or cost.requested is None or cost.available is None:
        return None
    return max(0.0, (cost.requested - cost.available) / cost.restored)


def _exceeded(reply: Reply) -> dict:
    for error in reply.json()["errors"]:
        extensions = error.get("extensions") or {}
        if extensions.get("code") == "MAX_COST_EXCEEDED":
            return {"cost": extensions.get("cost"), "max_cost": extensions.get("maxCost")}
    return {}
