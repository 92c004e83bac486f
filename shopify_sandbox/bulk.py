"""Bulk operations at work: a thread per operation, and the file that it leaves behind."""

import json
import logging
import random
import secrets
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import bulk_rules
from .context import Context, NullHere
from .faults import BULK_KINDS
from .loading import Change
from .shop import Shop

if TYPE_CHECKING:
    from .engine import Engine

_logger = logging.getLogger(__name__)

TYPE = "BulkOperation"
UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
MAX_AT_ONCE = 5
STEPS = 20  # how often a long operation looks whether it was cancelled


def under_way(shop: Shop) -> list[dict]:
    """Query operations that are not finished, oldest first."""
    return [
        record
        for record in shop.store.all(TYPE)
        if record["type"] == "QUERY" and record["status"] in UNDER_WAY
    ]


def start(engine: "Engine", shop: Shop, gid: str) -> None:
    """Run a created operation beside the requests."""
    threading.Thread(
        target=_run, args=(engine, shop, gid), daemon=True, name=gid.rsplit("/", 1)[-1]
    ).start()


def _run(engine: "Engine", shop: Shop, gid: str) -> None:
    try:
        record = shop.store.get(gid)
        if _wait(shop, gid, "RUNNING") and _wait(shop, gid):
            _finish(shop, gid, *_execute(engine, shop, record))
        else:
            _finish(shop, gid, {"status": "CANCELED"})
    except Exception:
        _logger.exception("%s broke", gid)
        _finish(shop, gid, {"status": "FAILED", "errorCode": "INTERNAL_SERVER_ERROR"})


def _wait(shop: Shop, gid: str, status: str | None = None) -> bool:
    """Let half of the duration pass; False when the operation is to be cancelled."""
    for _step in range(STEPS):
        if shop.store.get(gid)["status"] == "CANCELING":
            return False
        time.sleep(shop.settings.bulk_ms / 2000 / STEPS)
    with shop.store.lock:
        if shop.store.get(gid)["status"] == "CANCELING":
            return False
        if status:
            shop.store.put(gid, TYPE, {"status": status})
    return True


def _execute(engine: "Engine", shop: Shop, record: dict) -> tuple[dict, list[dict]]:
    """What the operation ends with, and its lines."""
    query = bulk_rules.read(engine.api, record["query"])
    context = Context(shop, engine.api, {}, whole_lists=True)
    plan = engine.compile(shop, query.operation, query.fragments)
    try:
        data = plan.run({}, context)
    except NullHere:
        data = {}
    lines = _in_places(list(_lines(data or {}, None)), record["_grouped"], record["id"])
    codes = {(error.get("extensions") or {}).get("code") for error in context.errors}
    if codes:
        code = "ACCESS_DENIED" if "ACCESS_DENIED" in codes else "INTERNAL_SERVER_ERROR"
        return {"status": "FAILED", "errorCode": code}, lines[: len(lines) // 2]
    for fault in shop.faults.strike(BULK_KINDS, [record["id"], "bulkOperationRunQuery"]):
        status = fault.kind.removeprefix("bulk_").upper()
        code = "INTERNAL_SERVER_ERROR" if status == "FAILED" else None
        return {"status": status, "errorCode": code}, lines[: len(lines) // 2]
    return {"status": "COMPLETED"}, lines


def _lines(value: dict, parent: str | None) -> Iterator[dict]:
    """A line per node of a connection, parents before their children."""
    for part in value.values():
        if not isinstance(part, dict):
            continue
        if "edges" not in part:
            yield from _lines(part, parent)
            continue
        for edge in part["edges"]:
            node = edge["node"]
            line = {key: inner for key, inner in node.items() if not _is_page(inner)}
            yield {**line, "__parentId": parent} if parent else line
            yield from _lines(node, node.get("id"))


def _is_page(value) -> bool:
    return isinstance(value, dict) and "edges" in value


def _in_places(lines: list[dict], grouped: bool, seed: str) -> list[dict]:
    """Without grouping, children may stand anywhere: before their parents as well."""
    if grouped:
        return lines
    rng = random.Random(seed)
    places = {
        id(line): rng.uniform(0, len(lines)) if "__parentId" in line else index
        for index, line in enumerate(lines)
    }
    return sorted(lines, key=lambda line: places[id(line)])


def _finish(shop: Shop, gid: str, end: dict, lines: list[dict] | None = None) -> None:
    before = dict(shop.store.get(gid))
    values = {"errorCode": None, "completedAt": shop.now(), **end}
    if lines is not None:
        roots = sum("__parentId" not in line for line in lines)
        values.update(objectCount=str(len(lines)), rootObjectCount=str(roots))
    if lines:
        content = b"".join(
            json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
            for line in lines
        )
        name = secrets.token_hex(12)
        shop.files[name] = content
        complete = end["status"] == "COMPLETED"
        values["fileSize"] = str(len(content))
        values["url" if complete else "partialDataUrl"] = (
            f"{shop.base_url}/bulk/{name}.jsonl?Expires={int(time.time()) + 604800}"
        )
    shop.store.put(gid, TYPE, values)
    shop.tell([Change(gid, TYPE, before, dict(shop.store.get(gid)))])
