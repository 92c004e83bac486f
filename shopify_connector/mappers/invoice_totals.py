"""Shares of Shopify's amounts for invoices of a part of the ordered quantity.

``extra_tax_data`` of an order line (made by the order importer) states amounts for the whole
quantity. An invoice of a part takes its share of what is not invoiced yet, by the largest
remainder; whoever invoices the last unit takes what is left, so that all invoices together say
what Shopify says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from .money import Money, allocate

# Suffix of the figures in the document's currency, and of those in the company's.
DOCUMENT, BOOKS = "_currency", ""


@dataclass
class Invoiced:
    """What invoices of a line say already, credit notes taken off.

    :ivar amounts: ``{(figure, suffix): amount}``, the figure being ``excluded`` or the id of a
        tax, the suffix :data:`DOCUMENT` or :data:`BOOKS`
    """

    quantity: Decimal = Decimal(0)
    amounts: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, figure: str, suffix: str, amount: float) -> None:
        key = (figure, suffix)
        self.amounts[key] = self.amounts.get(key, Decimal(0)) + exact(amount)


def exact(number: float) -> Decimal:
    """The decimal number that a float was made from."""
    return Decimal(repr(number))


def in_force(
    data: Mapping | None, *, price_unit: float, discount: float, quantity: float, digits: int
) -> bool:
    """Whether the line still is what its amounts were stated for.

    :param digits: decimals of the currency, within which the tax engine compares too: the price
        of a line is kept with fewer decimals than Shopify may state
    """
    tolerance = 0.5 * 10**-digits
    return bool(
        data
        and data.get("manual_tax_amounts")
        and abs(data["price_unit"] - price_unit) < tolerance
        and abs(data["discount"] - discount) < tolerance
        and abs(data["quantity"] - quantity) < 1e-6
    )


def share(
    data: Mapping, quantity: Decimal, invoiced: Invoiced, *, digits: int, books_digits: int
) -> dict | None:
    """``extra_tax_data`` of an invoice line.

    :param data: that of the order line, for the whole quantity
    :param quantity: what is invoiced now; negative takes back what was invoiced
    :param invoiced: what was invoiced before
    :param digits: decimals of the document's currency, ``books_digits`` of the company's
    :return: None when there is no such share: more is invoiced than was ordered, or more is
        taken back than was invoiced
    """
    left = exact(data["quantity"]) - invoiced.quantity
    if quantity > left or -quantity > invoiced.quantity:
        return None

    def part(total: float, figure: str, suffix: str) -> float:
        before = invoiced.amounts.get((figure, suffix), Decimal(0))
        places = digits if suffix else books_digits
        if quantity < 0:
            return -_first(before, -quantity, invoiced.quantity + quantity, places)
        return _first(exact(total) - before, quantity, left - quantity, places)

    result = {**data, "quantity": float(quantity), "manual_tax_amounts": {}}
    for suffix in (DOCUMENT, BOOKS):
        name = f"manual_total_excluded{suffix}"
        if name in data:
            result[name] = part(data[name], "excluded", suffix)
    for tax_id, amounts in data["manual_tax_amounts"].items():
        result["manual_tax_amounts"][tax_id] = shares = {}
        for suffix in (DOCUMENT, BOOKS):
            if f"tax_amount{suffix}" in amounts:
                shares[f"tax_amount{suffix}"] = part(amounts[f"tax_amount{suffix}"], tax_id, suffix)
                shares[f"base_amount{suffix}"] = result[f"manual_total_excluded{suffix}"]
    return result


def _first(total: Decimal, weight: Decimal, rest: Decimal, digits: int) -> float:
    """The part of the first of two weights; all of it when nothing is left for the second."""
    if not rest:
        return float(total)
    return float(allocate(Money(total, ""), (weight, rest), digits)[0].amount)


@dataclass
class Expected:
    """What an invoice must say, in its currency."""

    untaxed: Decimal = Decimal(0)
    taxes: dict[int, Decimal] = field(default_factory=dict)

    def add(self, data: Mapping) -> None:
        """Add the amounts of a line, of its ``extra_tax_data``."""
        self.untaxed += exact(data["manual_total_excluded_currency"])
        for tax_id, amounts in data["manual_tax_amounts"].items():
            if "tax_amount_currency" in amounts:
                known = self.taxes.get(int(tax_id), Decimal(0))
                self.taxes[int(tax_id)] = known + exact(amounts["tax_amount_currency"])

    @property
    def tax(self) -> Decimal:
        return sum(self.taxes.values(), Decimal(0))
