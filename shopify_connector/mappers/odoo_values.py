"""From an order to plain values for Odoo: texts and numbers, never ids."""

from __future__ import annotations

import string
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from .order_types import Order, OrderLine

NAME_PLACEHOLDERS = ("name", "number", "store", "confirmation", "channel", "year")
_HUNDRED = Decimal(100)


@lru_cache(maxsize=64)
def check_name_pattern(pattern: str) -> None:
    """Check a pattern such as ``{store}-{number}`` or ``{store}{number:06d}``.

    :raises ValueError: it names no part of the order that sets orders apart, has an unknown
        placeholder or unbalanced braces; the message lists what is allowed
    """
    allowed = "Allowed: " + ", ".join(f"{{{name}}}" for name in NAME_PLACEHOLDERS) + "."
    sample = {**dict.fromkeys(NAME_PLACEHOLDERS, "x"), "number": 1, "year": 2000}
    try:
        fields = {field for _, field, *_ in string.Formatter().parse(pattern) if field is not None}
        unknown = fields - set(NAME_PLACEHOLDERS)
        if not unknown:
            pattern.format_map(sample)
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{pattern!r} is no pattern for names ({error}). {allowed}") from None
    if unknown:
        raise ValueError(f"{pattern!r}: unknown placeholder {{{min(unknown)}}}. {allowed}")
    if not fields & {"name", "number"}:
        raise ValueError(f"{pattern!r} gives all orders one name: use {{name}} or {{number}}.")


def order_name(pattern: str, order: Order, store_code: str = "") -> str:
    """Name an order by a pattern: ``{name}`` is "#1001", ``{store}-{number}`` is "US-1001".

    :raises ValueError: see :func:`check_name_pattern`
    """
    check_name_pattern(pattern)
    return pattern.format(
        name=order.name,
        number=order.number,
        store=store_code,
        confirmation=order.confirmation_number,
        channel=order.channel_handle or order.source_name,
        year=order.processed_at.year,
    ).strip()


def customer_note(order: Order) -> str:
    """The customer's note and the order's attributes, one per line; hidden ones (_key) left out."""
    parts = [order.note] if order.note else []
    parts += [f"{key}: {value}" for key, value in visible_attributes(order.attributes) if value]
    return "\n".join(parts)


def visible_attributes(attributes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Attributes that are meant for people: apps start the keys of theirs with an underscore."""
    return [(key, value) for key, value in attributes if not key.startswith("_")]


def line_description(line: OrderLine) -> str:
    """What the customer bought, with the variant, the subscription and the personalisation."""
    title = line.title or line.name or line.sku
    if line.variant_title and line.variant_title != "Default Title":
        title = f"{title} - {line.variant_title}" if title else line.variant_title
    parts = [title]
    if line.group:
        parts.append(line.group.title)
    if line.selling_plan:
        parts.append(line.selling_plan)
    parts += [f"{key}: {value}" for key, value in visible_attributes(line.attributes) if value]
    return "\n".join(part for part in parts if part)


def tag_list(order: Order) -> list[str]:
    """The order's tags, each once whatever its case, in Shopify's order."""
    seen: dict[str, str] = {}
    for tag in map(str.strip, order.tags):
        if tag:
            seen.setdefault(tag.casefold(), tag)
    return list(seen.values())


def discount_percent(line: OrderLine, digits: int = 2) -> Decimal:
    """The discount of a line in percent, for display: amounts are kept beside it.

    Rounded half up to ``digits``, within 0 and 100. A discount on a line of price zero is 0.
    """
    if not line.gross or line.gross == line.net:
        return Decimal(0)
    percent = _HUNDRED * line.discount_total.amount / line.gross.amount
    percent = min(max(percent, Decimal(0)), _HUNDRED)
    return percent.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
