"""What can go wrong between us and a store, as types that say what to do about it.

`TransientError` may be tried again later by whoever called; everything else stays wrong until a
person, or a changed request, puts it right.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UserError:
    """One entry of a mutation's `userErrors`; `field` is the path into its arguments."""

    field: tuple[str, ...]
    message: str
    code: str | None = None

    def __str__(self):
        return f"{'.'.join(self.field)}: {self.message}" if self.field else self.message


@dataclass(frozen=True)
class GraphQLFault:
    """One entry of a GraphQL answer's `errors`.

    :ivar path: response path; in answers of `ShopifyClient.nodes` the index of the node is
        replaced by its gid.
    :ivar scopes: for ACCESS_DENIED, the access scopes of which the store asks one.
    """

    message: str
    code: str | None = None
    path: tuple[str | int, ...] = ()
    scopes: tuple[str, ...] = ()

    @property
    def transient(self) -> bool:
        return self.code in TRANSIENT_CODES

    @property
    def gid(self) -> str | None:
        """The node that the fault belongs to, in answers of `ShopifyClient.nodes`."""
        return next((p for p in self.path if isinstance(p, str) and p.startswith("gid://")), None)


TRANSIENT_CODES = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})


class ShopifyError(Exception):
    """Base of all errors of the client; `str()` ends with the request id when there is one.

    :ivar budget: `throttle.Cost` that came with the refusal, or None.
    """

    budget = None

    def __init__(
        self,
        message: str,
        *,
        request_id: str | None = None,
        http_status: int | None = None,
        code: str | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.http_status = http_status
        self.code = code

    def __str__(self):
        return f"{self.message} (request id {self.request_id})" if self.request_id else self.message


class TransientError(ShopifyError):
    """Timeout, connection failure, 5xx: worth another try.

    :ivar retry_after: seconds, when the store said so.
    :ivar sent: the request may have been carried out, so a mutation must look before it is
        repeated. False when it surely was not.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, sent: bool = True, **kwargs
    ):
        super().__init__(message, **kwargs)
        self.retry_after = retry_after
        self.sent = sent


class ThrottledError(TransientError):
    """The call budget is spent; nothing was carried out. `retry_after` is always set."""

    def __init__(self, message: str, *, retry_after: float, **kwargs):
        super().__init__(message, retry_after=retry_after, sent=False, **kwargs)


class BulkBusyError(TransientError):
    """As many bulk operations run as Shopify allows; nothing was started.

    :ivar gids: those that run, as far as Shopify names them.
    """

    def __init__(self, message: str, *, gids: tuple[str, ...] = (), **kwargs):
        super().__init__(message, sent=False, **kwargs)
        self.gids = gids


class FileGoneError(ShopifyError):
    """A file that Shopify made can't be had any more: ask for its address again, or start anew."""


class AuthError(ShopifyError):
    """The store does not let us in. The message says why, and the remedy.

    :ivar reason: one of `REASONS`.
    """

    REASONS = (
        "invalid_token",  # the access token is refused: revoked, or the app was uninstalled
        "invalid_client",  # client id or secret is wrong, or the app was uninstalled
        "shop_not_permitted",  # app and store are not in one Shopify organization
        "app_not_installed",
        "app_not_found",  # no app has this client id
        "invalid_grant",  # the OAuth code or refresh token was used, or is not known
        "refresh_expired",  # the refresh token lapsed: install again
        "no_token",  # the installation was never finished
        "rejected",  # refused for another reason, given in the message
    )

    def __init__(self, message: str, *, reason: str, **kwargs):
        super().__init__(message, **kwargs)
        if reason not in self.REASONS:
            raise ValueError(f"unknown reason {reason!r}")
        self.reason = reason


class ScopeError(ShopifyError):
    """An access scope is missing.

    :ivar scopes: the scopes of which the store asks one.
    :ivar path: response path of the first field that was refused, dotted.
    """

    def __init__(self, message: str, *, scopes: tuple[str, ...] = (), path: str = "", **kwargs):
        super().__init__(message, **kwargs)
        self.scopes = scopes
        self.path = path


class UserErrorsError(ShopifyError):
    """A mutation was refused, wholly or in part.

    :ivar errors: the `userErrors` of the payload.
    :ivar payload: the payload, which may hold what did go through.
    """

    def __init__(self, operation: str, errors: tuple[UserError, ...], *, payload: dict, **kwargs):
        kwargs.setdefault("code", next((error.code for error in errors if error.code), None))
        super().__init__(f"{operation}: {'; '.join(map(str, errors))}", **kwargs)
        self.errors = errors
        self.payload = payload


class ShopUnavailableError(ShopifyError):
    """The store is frozen, closed, locked, moved or not found."""


class QueryError(ShopifyError):
    """The request itself is wrong: bad query, bad variables. Trying again is useless.

    :ivar faults: what the store said.
    """

    def __init__(self, message: str, *, faults: tuple[GraphQLFault, ...] = (), **kwargs):
        super().__init__(message, **kwargs)
        self.faults = faults


class CostExceededError(QueryError):
    """The query asks for more than one call may cost: ask for less at once.

    :ivar cost: points asked for, or None.
    :ivar max_cost: points that one call may cost, or None.
    """

    def __init__(
        self, message: str, *, cost: float | None = None, max_cost: float | None = None, **kwargs
    ):
        super().__init__(message, **kwargs)
        self.cost = cost
        self.max_cost = max_cost


class VersionError(ShopifyError):
    """The store answered with another API version than the one asked for."""


class ProtocolError(ShopifyError):
    """The answer is not what the API promises: not JSON, cut short, or pages that never end."""
