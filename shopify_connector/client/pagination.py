"""Walking through connections: page by page, with a guard against pages that never end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .documents import snake
from .errors import GraphQLFault, ProtocolError
from .gid import parse

# https://shopify.dev/docs/api/usage/limits
MAX_PAGE = 250


@dataclass(frozen=True)
class Page:
    """One page of a connection; `cursor` is where the next one begins, None after the last."""

    nodes: list[dict]
    cursor: str | None
    faults: tuple[GraphQLFault, ...]


class Cursor:
    """The position in one connection.

    :raises ProtocolError: from `advance`, when the connection goes in circles.
    """

    def __init__(self, after: str | None = None):
        self.after = after
        self._seen = {after}

    def advance(self, connection: dict) -> bool:
        """Move behind a page; False when it was the last one."""
        info = connection.get("pageInfo") or {}
        if not info.get("hasNextPage"):
            return False
        after = info.get("endCursor")
        if after is None or after in self._seen:
            raise ProtocolError("The pages of the store go in circles: the same cursor came twice")
        self._seen.add(after)
        self.after = after
        return True


def at(data: dict, path: str) -> dict | None:
    """The value at a dotted path, or None when something on the way is null."""
    value = data
    for key in path.split("."):
        value = value.get(key) if value is not None else None
    return value


def page_nodes(connection: dict) -> list[dict]:
    """The objects of a page, whether it was asked for `nodes` or for `edges`."""
    if "nodes" in connection:
        return connection["nodes"]
    return [edge["node"] for edge in connection.get("edges") or ()]


def unfinished(value) -> Iterator[tuple[dict, str]]:
    """Every nested connection that has further pages, as (object that holds it, key)."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo += value
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(inner, dict):
                    info = inner.get("pageInfo")
                    if info and info.get("hasNextPage"):
                        yield value, key
                    todo.append(inner)
                elif isinstance(inner, list):
                    todo.append(inner)


def page_document(holder: dict, key: str) -> str:
    """The document that reads further pages of a nested connection: `order_page_line_items`.

    :raises ProtocolError: when the object was asked for without its id.
    """
    if "id" not in holder:
        raise ProtocolError(f"{key} has further pages, but the object around it has no id")
    return f"{snake(parse(holder['id'])[0])}_page_{snake(key)}"
