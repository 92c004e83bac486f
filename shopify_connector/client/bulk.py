"""Bulk operations: Shopify runs a query at leisure and leaves a file, a JSON object per line.

They cost no call budget and know no page limits, so they are for what is too much to be read page
by page. Five of them may run at once for an app and a store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from . import documents
from .errors import (
    BulkBusyError,
    FileGoneError,
    ProtocolError,
    TransientError,
    UserErrorsError,
)

if TYPE_CHECKING:
    from .client import ShopifyClient
    from .transport import Transport

CHUNK = 64 * 1024
MAX_LINE = 8 * 1024 * 1024
# A full house of five is looked at again after this time (seconds).
BUSY_SECONDS = 60.0
_BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})
_RUNNING = frozenset({"created", "running", "canceling"})
_FAILED = frozenset({"failed", "canceled", "expired"})
_COMMENTS = re.compile(r"\A(?:#[^\n]*\n)+")
_GID = re.compile(r"gid://shopify/BulkOperation/\d+")


@dataclass(frozen=True)
class BulkOperation:
    """How far a bulk operation is.

    :ivar status: `created`, `running`, `canceling`, `completed`, `failed`, `canceled`, `expired`,
        or what Shopify adds to these.
    :ivar error_code: `access_denied`, `internal_server_error`, `timeout`; empty for none.
    :ivar objects: lines written so far; `roots` counts those without parent.
    :ivar url: of the file, None without results, and after seven days.
    :ivar partial_url: of what was written before it failed.
    """

    gid: str
    status: str
    error_code: str = ""
    objects: int = 0
    roots: int = 0
    size: int = 0
    url: str | None = None
    partial_url: str | None = None

    @classmethod
    def parse(cls, node: dict) -> BulkOperation:
        """From `fragment_bulk_operation.graphql`."""
        return cls(
            gid=node["id"],
            status=(node.get("status") or "").lower(),
            error_code=(node.get("errorCode") or "").lower(),
            objects=int(node.get("objectCount") or 0),
            roots=int(node.get("rootObjectCount") or 0),
            size=int(node.get("fileSize") or 0),
            url=node.get("url"),
            partial_url=node.get("partialDataUrl"),
        )

    @property
    def running(self) -> bool:
        """Whether it is worth looking again; so are statuses that are not known here."""
        return not self.completed and not self.failed

    @property
    def completed(self) -> bool:
        return self.status == "completed"

    @property
    def failed(self) -> bool:
        return self.status in _FAILED


class Line(NamedTuple):
    """An object of a file; `end` is the byte at which the next one begins."""

    value: dict
    end: int


def inline(name: str, variables: dict, mark: str = "") -> str:
    """The text of the document `bulk_query_<name>`, with its variables written out: a bulk
    operation takes none.

    :param mark: a word that is kept with the query, by which `find` knows it again.
    :raises KeyError: a variable has no value.
    """
    text = _COMMENTS.sub("", documents.document(f"bulk_query_{name}"))
    head, brace, body = text.partition("{")
    body = re.sub(
        r"\$(\w+)", lambda match: json.dumps(variables[match[1]], ensure_ascii=False), body
    )
    comment = f"# {mark}\n" if mark else ""
    return f"{comment}{head.partition('(')[0].rstrip()} {brace}{body}"


def start(client: ShopifyClient, query: str, *, group_objects: bool = False) -> BulkOperation:
    """Start a bulk operation.

    :param query: see `inline`.
    :param group_objects: children follow their parents in the file, which takes longer; otherwise
        they may stand anywhere.
    :raises BulkBusyError: as many run as may; wait.
    """
    variables = {"query": query, "groupObjects": group_objects}
    try:
        payload = client.mutate("bulk_operation_run_query", variables)
    except UserErrorsError as error:
        if error.code not in _BUSY:
            raise
        raise BulkBusyError(
            "Shopify is at work on as many exports as it allows at once",
            gids=tuple(_GID.findall(error.message)),
            retry_after=BUSY_SECONDS,
            request_id=error.request_id,
            code=error.code,
        ) from error
    return _required(payload, "bulkOperation")


def find(client: ShopifyClient, mark: str) -> BulkOperation | None:
    """One of the latest operations, by the mark in its query: for a start without an answer."""
    result = client.execute("bulk_operations_recent")
    for node in result.data["bulkOperations"]["nodes"]:
        if (node.get("query") or "").startswith(f"# {mark}\n"):
            return BulkOperation.parse(node)
    return None


def poll(client: ShopifyClient, gid: str) -> BulkOperation | None:
    """How far it is; None when Shopify knows it no more."""
    node = client.execute("bulk_operation", {"id": gid}).data["bulkOperation"]
    return BulkOperation.parse(node) if node else None


def cancel(client: ShopifyClient, gid: str) -> BulkOperation | None:
    """Ask Shopify to stop; it does so after a while. One that has ended stays as it is."""
    try:
        return _required(client.mutate("bulk_operation_cancel", {"id": gid}), "bulkOperation")
    except UserErrorsError:
        return poll(client, gid)


def _required(payload: dict, key: str) -> BulkOperation:
    if not payload.get(key):
        raise ProtocolError(f"The answer has no {key}")
    return BulkOperation.parse(payload[key])


def lines(
    transport: Transport, url: str, *, begin: int = 0, trusted: str | None = None
) -> Iterator[Line]:
    """The objects of a file, read as a stream: no more than a line is held in memory.

    :param begin: byte to go on at: the `end` of the last line that was taken.
    :param trusted: an address whose host may be asked without TLS; development only.
    :raises FileGoneError: the link lapsed, or the file is not there.
    :raises TransientError: the connection broke; go on where the last line ended.
    :raises ProtocolError: the address or a line is not what it should be.
    """
    _check_address(url, trusted)
    # Bytes are counted, so the file must come as it is stored.
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    with transport.stream(url, headers) as response:
        if begin and response.status_code == 416:
            return
        _check_status(response.status_code)
        skip = begin if response.status_code == 200 else 0
        yield from _split(_whole(response), begin, skip)


def _check_address(url: str, trusted: str | None) -> None:
    parts = urlsplit(url)
    same = trusted and parts[:2] == urlsplit(trusted)[:2]
    if not parts.netloc or not (parts.scheme == "https" or same):
        raise ProtocolError("Shopify named an address for the file that is not https")


def _check_status(status: int) -> None:
    if status in (200, 206):
        return
    if status in (400, 401, 403, 404, 410):
        raise FileGoneError("The file of the export is not there any more", http_status=status)
    if status == 429 or status >= 500:
        raise TransientError(f"The file server answered HTTP {status}", http_status=status)
    raise ProtocolError(f"The file server answered HTTP {status}", http_status=status)


def _whole(response) -> Iterator[bytes]:
    """The chunks of an answer, which must be as long as it says."""
    expected, received = response.headers.get("Content-Length"), 0
    for chunk in response.iter_content(CHUNK):
        received += len(chunk)
        yield chunk
    if expected is not None and received < int(expected):
        raise TransientError("The connection broke in the middle of the file")


def _split(chunks: Iterator[bytes], position: int, skip: int) -> Iterator[Line]:
    """:param position: byte at which the first line begins
    :param skip: bytes that come before it, from a server that knows no ranges
    """
    rest = b""
    for chunk in chunks:
        dropped = min(skip, len(chunk))
        skip -= dropped
        *complete, rest = (rest + chunk[dropped:]).split(b"\n")
        for text in complete:
            position += len(text) + 1
            if text.strip():
                yield Line(_parsed(text, position), position)
        if len(rest) > MAX_LINE:
            raise ProtocolError(f"The line at byte {position} is longer than {MAX_LINE} bytes")
    if rest.strip():
        position += len(rest)
        yield Line(_parsed(rest, position), position)


def _parsed(text: bytes, end: int) -> dict:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProtocolError(f"The line that ends at byte {end} of the file is no JSON object")
    return value
