"""Pages of a list: sort keys, cursors, ``first``/``after`` and ``last``/``before``."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from .errors import ApiError
from .store import legacy_id

MAX_PAGE = 250
SortKey = Callable[[dict], object]


@dataclass
class Page:
    """One page; ``cursor`` is computed only for what is asked."""

    items: list
    has_next: bool
    has_previous: bool
    cursor: Callable[[int], str]


def check_size(arguments: dict) -> None:
    """Refuse a page without size or beyond Shopify's maximum."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise ApiError("you must provide one of first or last", "BAD_REQUEST")
    if first is not None and last is not None:
        raise ApiError("providing both first and last is not supported", "BAD_REQUEST")
    for name, value in (("first", first), ("last", last)):
        if value is not None and value < 0:
            raise ApiError(f"{name} must be zero or more", "BAD_REQUEST")
        if value is not None and value > MAX_PAGE:
            raise ApiError(f"{name} cannot exceed {MAX_PAGE}", "BAD_REQUEST")


def encode_cursor(last_id: int, last_value: int | str) -> str:
    text = json.dumps({"last_id": last_id, "last_value": last_value}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def decode_cursor(cursor: str) -> tuple[int, int | str]:
    try:
        content = json.loads(base64.b64decode(cursor, validate=True))
        return int(content["last_id"]), content["last_value"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ApiError("Invalid cursor for current pagination sort.", "BAD_REQUEST") from None


def number_of(item: dict, index: int) -> int:
    number = legacy_id(item["id"]) if item.get("id") else ""
    return int(number) if number.isdigit() else index + 1


def paginate_sorted(items: list[dict], arguments: dict, key: SortKey) -> Page:
    """Page of root objects. A cursor is a place in the order, so it survives changes of the list.

    :param key: object -> string, number or None to sort by; equal ones are sorted by id
    """
    descending = bool(arguments.get("reverse"))
    placed = sorted(
        (((_sortable(key(item)), number_of(item, 0)), item) for item in items),
        key=lambda pair: pair[0],
        reverse=descending,
    )
    numeric = all(isinstance(place[0][1], int) for place, _item in placed)
    start, end = 0, len(placed)
    if arguments.get("after"):
        edge = _place(arguments["after"], numeric)
        start = sum(
            1 for place, _item in placed if _before(place, edge, descending) or place == edge
        )
    if arguments.get("before"):
        edge = _place(arguments["before"], numeric)
        end = sum(1 for place, _item in placed if _before(place, edge, descending))
    return _window(placed, start, end, arguments, lambda pair: _cursor(pair[0]))


def _sortable(value) -> tuple:
    # None sorts first, numbers before texts; the two are never compared with each other.
    if value is None or value == "":
        return (0, 0)
    return (2, value) if isinstance(value, str) else (1, value)


def _cursor(place: tuple) -> str:
    (kind, value), number = place
    return encode_cursor(number, value if kind else "")


def _place(cursor: str, numeric: bool) -> tuple:
    number, value = decode_cursor(cursor)
    if numeric and isinstance(value, str) and value.isdigit():
        value = int(value)
    return (_sortable(value), number)


def _before(place: tuple, edge: tuple, descending: bool) -> bool:
    return place > edge if descending else place < edge


def paginate_list(items: list[dict], arguments: dict) -> Page:
    """Page of objects inside of another object, in their own order."""
    if arguments.get("reverse"):
        items = items[::-1]
    numbers = None
    start, end = 0, len(items)
    if arguments.get("after") or arguments.get("before"):
        numbers = [number_of(item, index) for index, item in enumerate(items)]
    if arguments.get("after"):
        number = decode_cursor(arguments["after"])[0]
        start = numbers.index(number) + 1 if number in numbers else len(items)
    if arguments.get("before"):
        number = decode_cursor(arguments["before"])[0]
        end = numbers.index(number) if number in numbers else 0
    pairs = list(enumerate(items))

    def cursor(pair):
        number = number_of(pair[1], pair[0])
        return encode_cursor(number, number)

    return _window(pairs, start, end, arguments, cursor)


def _window(pairs: list, start: int, end: int, arguments: dict, cursor) -> Page:
    total = len(pairs)
    end = max(start, end)
    if arguments.get("first") is not None:
        end = min(end, start + arguments["first"])
    elif arguments.get("last") is not None:
        start = max(start, end - arguments["last"])
    chosen = pairs[start:end]
    return Page(
        items=[item for _place, item in chosen],
        has_next=end < total,
        has_previous=start > 0,
        cursor=lambda index: cursor(chosen[index]),
    )
