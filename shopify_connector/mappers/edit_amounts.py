"""Amounts of a line of which an edit takes units off, in the form of ``extra_tax_data``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from .invoice_totals import BOOKS, DOCUMENT, exact
from .money import Money, allocate


def at_quantity(
    data: Mapping,
    quantity: float,
    target: Mapping | None = None,
    *,
    digits: int,
    books_digits: int,
) -> dict:
    """The amounts of a line at a quantity between what it has and what it shall have.

    The units in between share the difference by the largest remainder, so that a line that reaches
    ``target`` in several steps ends with its amounts to the cent.

    :param data: ``extra_tax_data`` of the line as it is
    :param target: that of the line as it shall be; None: nothing of it stays
    :param digits: decimals of the document's currency, ``books_digits`` of the company's
    """
    target = target or {"quantity": 0.0, "manual_tax_amounts": {}}
    whole, end, now = exact(data["quantity"]), exact(target["quantity"]), exact(quantity)

    def part(before: float, after: float, suffix: str) -> float:
        places = digits if suffix else books_digits
        between = Money(exact(before) - exact(after), "")
        stays = allocate(between, (now - end, whole - now), places)[0].amount if whole > end else 0
        return float(exact(after) + Decimal(stays))

    result = {**data, "quantity": float(quantity), "manual_tax_amounts": {}}
    for suffix in (DOCUMENT, BOOKS):
        name = f"manual_total_excluded{suffix}"
        if name in data:
            result[name] = part(data[name], target.get(name, 0.0), suffix)
    for tax_id, amounts in data["manual_tax_amounts"].items():
        stated = target["manual_tax_amounts"].get(tax_id, {})
        result["manual_tax_amounts"][tax_id] = shares = {}
        for suffix in (DOCUMENT, BOOKS):
            name = f"tax_amount{suffix}"
            if name in amounts:
                shares[name] = part(amounts[name], stated.get(name, 0.0), suffix)
                shares[f"base_amount{suffix}"] = result[f"manual_total_excluded{suffix}"]
    return result
