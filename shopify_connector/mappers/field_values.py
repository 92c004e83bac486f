"""Values of metafields and additional details, from Shopify's text to what a field takes."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from .text import clean, parse_datetime

_TRUE = frozenset({"true", "yes", "y", "1", "on"})
_MOST = Decimal(10) ** 15
_MOST_INTEGER = 2**31 - 1  # PostgreSQL's integer
_FALSE = frozenset({"false", "no", "n", "0", "off", ""})


def read_value(text: str, kind: str) -> str | int | float | bool | date | datetime | None:
    """Read a value; an empty text is None, for a boolean False.

    Lists become texts with commas; of an amount of money or a measurement, which Shopify writes as
    an object, the number is taken. A date and time is naive UTC.

    :param kind: text, integer, decimal, boolean, date or datetime
    :raises ValueError: the text is no such value
    """
    text = clean(text).replace("\0", "")
    if kind == "boolean":
        return _boolean(text)
    if not text:
        return None
    return _READERS[kind](text)


def _boolean(text: str) -> bool:
    if text.casefold() in _TRUE:
        return True
    if text.casefold() in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither yes nor no")


def _text(text: str) -> str:
    if text[:1] != "[":
        return text
    try:
        items = json.loads(text)
    except ValueError:
        return text
    return ", ".join(item if isinstance(item, str) else json.dumps(item) for item in items)


def _decimal(text: str) -> float:
    if text[:1] == "{":
        content = json.loads(text)
        text = str(content.get("amount", content.get("value", text)))
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if not (number.is_finite() and abs(number) < _MOST):
        raise ValueError(f"{text!r} is no number that can be kept")
    return float(number)


def _integer(text: str) -> int:
    number = _decimal(text)
    if number != int(number):
        raise ValueError(f"{text!r} is no whole number")
    if abs(number) > _MOST_INTEGER:
        raise ValueError(f"{text!r} is too large")
    return int(number)


def _date(text: str) -> date:
    return parse_datetime(text).date()


_READERS = {
    "text": _text,
    "decimal": _decimal,
    "integer": _integer,
    "date": _date,
    "datetime": parse_datetime,
}
