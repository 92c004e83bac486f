"""Small readers shared by the mappers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone

from .errors import MappingError

# What copied texts bring along at their ends.
_SPACES = " \t\r\n\f\v\N{NO-BREAK SPACE}\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"


def clean(text: str | None) -> str:
    """Strip white space at both ends, also the invisible kind; null gives an empty string."""
    return text.strip(_SPACES) if text else ""


def lower(value: str | None) -> str:
    """An enum value in lower case (``PARTIALLY_PAID`` -> ``partially_paid``); null gives ''.

    Shopify adds values between versions, so none is ever refused.
    """
    return value.lower() if value else ""


def parse_datetime(text: str | None) -> datetime | None:
    """Read an ISO 8601 date and time as naive UTC; null gives None.

    :raises ValueError: not a date
    """
    if not text:
        return None
    if text.endswith("Z"):  # not understood by fromisoformat before Python 3.11
        text = text[:-1] + "+00:00"
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment


def nodes(connection: Mapping | Iterable | None) -> list:
    """The nodes of a connection (``nodes`` or ``edges``) or of a plain list; null gives []."""
    if not connection:
        return []
    if isinstance(connection, Mapping):
        found = connection.get("nodes")
        if found is None:
            found = [edge["node"] for edge in connection.get("edges") or ()]
        return found
    return list(connection)


def whole(node: Mapping, key: str) -> list:
    """The nodes of a connection that must have been read to its end.

    :raises MappingError: it has further pages
    """
    connection = node.get(key)
    if isinstance(connection, Mapping) and (connection.get("pageInfo") or {}).get("hasNextPage"):
        raise MappingError(key, "not all pages were read")
    return nodes(connection)


def attributes(items: Iterable[Mapping] | None) -> tuple[tuple[str, str], ...]:
    """Custom attributes as (key, value) pairs in Shopify's order."""
    if not items:
        return ()
    return tuple((item["key"], item.get("value") or "") for item in items)


def metafields(connection: Mapping | None) -> tuple[tuple[str, str], ...]:
    """Metafields as pairs of ``namespace.key`` and the text of the value."""
    return tuple(
        (f"{node['namespace']}.{node['key']}", node.get("value") or "")
        for node in nodes(connection)
    )


def plain_name(name: str) -> str:
    """Order names as people compare them: #1001 is 1001."""
    return name.strip().lstrip("#").casefold()


def quoted(text: str) -> str:
    """A text as a term of Shopify's search, whatever is in it."""
    inner = text.replace("\\", "").replace('"', "")
    return f'"{inner}"'
