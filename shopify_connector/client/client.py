"""The Admin API of one store: runs documents, classifies every failure, never retries.

Whoever calls decides about retries; the two exceptions are a token that was refused (renewed
once) and a request that would cost too much (asked again in smaller pieces).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from . import answers, bulk, documents
from .answers import Result
from .auth import TokenProvider, shop_url
from .errors import (
    AuthError,
    CostExceededError,
    GraphQLFault,
    ProtocolError,
    QueryError,
    ShopifyError,
    ThrottledError,
    TransientError,
    UserError,
    UserErrorsError,
    VersionError,
)
from .pagination import MAX_PAGE, Cursor, Page, at, page_document, page_nodes, unfinished
from .throttle import Throttle, shared_throttle
from .transport import Transport

__all__ = ["Page", "Result", "ShopifyClient"]

_logger = logging.getLogger(__name__)
_logged: set[tuple[str, ...]] = set()


class ShopifyClient:
    """Talks to one store.

    :param shop: `foo.myshopify.com`.
    :param api_version: e.g. `2026-10`.
    :param base_url: development only; `{shop}` in it becomes `foo`.
    :param max_wait: seconds that one call of a method may sleep in total for want of budget;
        beyond that it raises `ThrottledError`.
    :param strict_version: raise `VersionError` when another version answers.

    :ivar last_request_id: of the last answer, for logs.

    Every method raises subclasses of `ShopifyError`.
    """

    last_request_id: str | None = None

    def __init__(
        self,
        shop: str,
        tokens: TokenProvider,
        *,
        api_version: str,
        transport: Transport,
        throttle: Throttle | None = None,
        base_url: str | None = None,
        max_wait: float = 1.0,
        strict_version: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.shop = shop
        self.api_version = api_version
        self.max_wait = max_wait
        self._tokens = tokens
        self._transport = transport
        self._throttle = throttle or shared_throttle(shop, tokens.app)
        self._url = f"{shop_url(shop, base_url)}/admin/api/{api_version}/graphql.json"
        self._strict_version = strict_version
        self._sleep = sleep

    def execute(
        self, operation: str, variables: dict | None = None, *, allow_partial: bool = True
    ) -> Result:
        """Run the document `operation`.

        :raises ScopeError: an access scope is missing and nothing else came, or
            `allow_partial` is false; otherwise the fault is in `Result.errors`.
        """
        return self._send(operation, variables, _Patience(self.max_wait), allow_partial)

    def mutate(self, operation: str, variables: dict | None = None) -> dict:
        """Run a document with one mutation and return its payload.

        :raises UserErrorsError: `userErrors` is not empty; what did go through is in `.payload`.
        """
        result = self.execute(operation, variables)
        payload = next(iter(result.data.values()))
        if payload is None:
            raise ProtocolError(f"{operation}: no payload", request_id=result.request_id)
        errors = _user_errors(payload)
        if errors:
            raise UserErrorsError(operation, errors, payload=payload, request_id=result.request_id)
        return payload

    def paginate(
        self,
        operation: str,
        path: str,
        variables: dict | None = None,
        *,
        page_size: int = 100,
        faults: list[GraphQLFault] | None = None,
    ) -> Iterator[dict]:
        """The objects of a connection, read page by page, each with its nested connections whole.

        :param faults: receives the faults beside the data, e.g. ACCESS_DENIED on a field.
        See `pages` for the rest.
        """
        for page in self.pages(operation, path, variables, page_size=page_size):
            if faults is not None:
                faults.extend(page.faults)
            yield from page.nodes

    def pages(
        self,
        operation: str,
        path: str,
        variables: dict | None = None,
        *,
        page_size: int = 100,
        after: str | None = None,
    ) -> Iterator[Page]:
        """The pages of a connection. The document takes `$first` and `$after`.

        :param path: of the connection in the data, e.g. `orders` or `shop.orders`.
        :param after: a `Page.cursor`, to go on where another job stopped.
        :raises ProtocolError: a cursor came twice.
        :raises TransientError: Shopify failed inside a page, which therefore has gaps.
        """
        patience, cursor, more = _Patience(self.max_wait), Cursor(after), True
        size = self._throttle.size(operation, min(page_size, MAX_PAGE))
        while more:
            try:
                page_variables = {**(variables or {}), "first": size, "after": cursor.after}
                result = self._send(operation, page_variables, patience)
            except CostExceededError as error:
                size = self._smaller(operation, size, error)
                continue
            connection = at(result.data, path)
            if connection is None:
                raise ProtocolError(f"{operation}: {path} is null", request_id=result.request_id)
            _refuse_gaps(operation, result)
            more = cursor.advance(connection)
            nodes = page_nodes(connection)
            for node in nodes:
                self._complete(node, patience)
            yield Page(nodes, cursor.after if more else None, result.errors)

    def nodes(
        self,
        operation: str,
        gids: Sequence[str],
        *,
        variables: dict | None = None,
        chunk_size: int = 50,
    ) -> tuple[dict[str, dict | None], tuple[GraphQLFault, ...]]:
        """Read objects by their gids, each with its nested connections whole.

        The document takes `$ids` and has the one root field `nodes(ids: $ids)`.

        :return: object by gid, None for one that is gone, and the faults beside the data, whose
            path names the gid. An object that Shopify failed to read in whole is left out; its
            faults are `transient`.
        """
        patience, found, faults = _Patience(self.max_wait), {}, []
        pending = list(dict.fromkeys(gids))
        size = self._throttle.size(operation, min(chunk_size, MAX_PAGE))
        while pending:
            chunk = pending[:size]
            try:
                result = self._send(operation, {**(variables or {}), "ids": chunk}, patience)
            except CostExceededError as error:
                size = self._smaller(operation, len(chunk), error)
                continue
            pending = pending[size:]
            chunk_faults = [_name_node(fault, chunk) for fault in result.errors]
            faults += chunk_faults
            for gid, node in zip(chunk, result.data["nodes"], strict=True):
                own = [fault for fault in chunk_faults if fault.gid in (gid, None)]
                if any(fault.transient or node is None for fault in own):
                    continue
                self._complete(node, patience)
                found[gid] = node
        return found, tuple(faults)

    def lines(self, url: str, begin: int = 0) -> Iterator[bulk.Line]:
        """The objects of a file that a bulk operation left; see `bulk.lines`."""
        return bulk.lines(self._transport, url, begin=begin, trusted=self._url)

    # -- parts ---------------------------------------------------------------------------------

    def _complete(self, node: dict | None, patience: _Patience):
        """Append the further pages of all nested connections of an object, in place."""
        # New pages may bring new unfinished connections, so look until none is left.
        while todo := next(unfinished(node), None):
            holder, key = todo
            document = page_document(holder, key)
            if not documents.exists(document):
                raise QueryError(f"{key} has further pages, but there is no document {document!r}")
            connection = holder[key]
            cursor = Cursor()
            while cursor.advance(connection):
                variables = {"id": holder["id"], "after": cursor.after}
                result = self._send(document, variables, patience)
                _refuse_gaps(document, result)
                page = at(result.data, f"node.{key}")
                if page is None:
                    raise ProtocolError(
                        f"{document}: the object vanished while it was read",
                        request_id=result.request_id,
                    )
                held = "nodes" if "nodes" in connection else "edges"
                connection[held].extend(page[held])
                connection["pageInfo"] = page["pageInfo"]

    def _smaller(self, operation: str, size: int, error: CostExceededError) -> int:
        if size <= 1:
            raise error
        smaller = size // 2
        self._throttle.limit_size(operation, smaller)
        return smaller

    def _send(
        self,
        operation: str,
        variables: dict | None,
        patience: _Patience,
        allow_partial: bool = True,
    ) -> Result:
        """Send once; a second time only with a renewed token."""
        payload = {"query": documents.document(operation), "variables": variables or {}}
        cost_key = (operation, _amount(variables))
        self._wait(self._throttle.expected(cost_key), patience)
        try:
            result = self._post_authorised(payload, allow_partial)
        except ShopifyError as error:
            self._throttle.learn(cost_key, error.budget)
            self._report_error(operation, error)
            raise
        self._throttle.learn(cost_key, result.cost)
        self.last_request_id = result.request_id
        self._report(operation, result)
        if result.fell_forward and self._strict_version:
            raise VersionError(
                f"Shopify answered with API version {result.api_version} "
                f"instead of {self.api_version}, which it no longer serves",
                request_id=result.request_id,
            )
        return result

    def _post_authorised(self, payload: dict, allow_partial: bool) -> Result:
        token = self._tokens.get()
        try:
            return self._post(payload, token, allow_partial)
        except AuthError as error:
            if error.reason != "invalid_token":
                raise
            _logger.info("%s: the token is refused (request id %s)", self.shop, error.request_id)
        return self._post(payload, self._tokens.renew(token), allow_partial)

    def _post(self, payload: dict, token: str, allow_partial: bool) -> Result:
        headers = {"X-Shopify-Access-Token": token}
        reply = self._transport.post_json(self._url, payload, headers)
        self._warn_deprecations(reply.headers.get("X-Shopify-API-Deprecated-Reason"))
        try:
            result = answers.read(reply, self.api_version, allow_partial=allow_partial)
        except ShopifyError as error:
            self._throttle.update(error.budget)
            raise
        self._throttle.update(result.cost)
        return result

    def _wait(self, cost: float, patience: _Patience):
        seconds = self._throttle.wait_for(cost)
        if seconds > patience.left:
            raise ThrottledError(
                f"The call budget of {self.shop} is spent", retry_after=round(seconds, 3)
            )
        if seconds:
            patience.left -= seconds
            self._sleep(seconds)
        self._throttle.spend(cost)

    def _report(self, operation: str, result: Result):
        cost = result.cost
        _logger.debug(
            "%s %s: %.0f ms, cost %s of %s, %s left, request id %s",
            self.shop,
            operation,
            result.duration * 1000,
            cost and cost.actual,
            cost and cost.requested,
            cost and cost.available,
            result.request_id,
        )
        for fault in result.errors:
            _logger.info(
                "%s %s: %s at %s (request id %s)",
                self.shop,
                operation,
                fault.code,
                ".".join(map(str, fault.path)),
                result.request_id,
            )
        if result.fell_forward and _first_time("version", self.shop, self.api_version):
            _logger.warning(
                "%s: Shopify no longer serves API version %s and answers with %s",
                self.shop,
                self.api_version,
                result.api_version,
            )

    def _report_error(self, operation: str, error: ShopifyError):
        # Without the message: a store may quote in it what was sent.
        _logger.info(
            "%s %s: %s %s, cost %s, %s left, request id %s",
            self.shop,
            operation,
            type(error).__name__,
            error.code or error.http_status or "",
            error.budget and error.budget.requested,
            error.budget and error.budget.available,
            error.request_id,
        )

    def _warn_deprecations(self, reason: str | None):
        if reason and _first_time("deprecated", reason):
            _logger.warning("Shopify calls deprecated (API %s): %s", self.api_version, reason)


class _Patience:
    """The seconds that one call may still sleep."""

    def __init__(self, left: float):
        self.left = left


def _first_time(*what: str) -> bool:
    """Whether this process reports something for the first time."""
    if what in _logged:
        return False
    _logged.add(what)
    return True


def _amount(variables: dict | None) -> int:
    """How many objects a request asks for, which is what its cost depends on."""
    variables = variables or {}
    return variables.get("first") or len(variables.get("ids") or ())


def _user_errors(payload: dict) -> tuple[UserError, ...]:
    """The entries of `userErrors`, and of its siblings such as `mediaUserErrors`."""
    return tuple(
        UserError(
            field=tuple(map(str, error.get("field") or ())),
            message=error.get("message") or "",
            code=error.get("code"),
        )
        for key, errors in payload.items()
        if key.lower().endswith("usererrors")
        for error in errors or ()
    )


def _name_node(fault: GraphQLFault, gids: Sequence[str]) -> GraphQLFault:
    """Put the gid into the path in place of the index in this chunk."""
    path = fault.path
    if len(path) > 1 and path[0] == "nodes" and isinstance(path[1], int) and path[1] < len(gids):
        return replace(fault, path=(path[0], gids[path[1]], *path[2:]))
    return fault


def _refuse_gaps(operation: str, result: Result):
    """Raise when Shopify failed inside a page: it would look as if the objects were not there."""
    failed = next((fault for fault in result.errors if fault.transient), None)
    if failed:
        raise TransientError(
            f"{operation}: Shopify failed: {failed.message}",
            code=failed.code,
            request_id=result.request_id,
        )
