"""That the lines of an order are worth what Shopify says, to the cent.

How Shopify's figures hang together (seen on recorded orders of a real store):

- ``totalPriceSet``, ``subtotalPriceSet``, ``totalTaxSet`` and ``totalDiscountsSet`` speak of the
  ordered quantities. Units that are refunded, or removed by an edit, stay in them (an order of
  226.00 of which one of two units was removed still says 226.00, its ``currentTotalPriceSet``
  113.00).
- A discount or a line that an edit adds changes them at once (an order of 100.00 from which an edit
  took 20.00 says 80.00), as it changes ``discountAllocations`` and the list of lines.
- So the sum over ``quantity`` equals ``totalPriceSet`` before and after edits and refunds.

What Shopify's documentation leaves open is decided by the sum of the order at hand, exactly or not
at all; see :func:`settle`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from .money import Money, currency_digits
from .order_lines import removed_value
from .order_types import Order, OrderLine, Totals
from .taken_off import kept_totals


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure on which Shopify and the lines disagree; ``delta`` is ours less Shopify's."""

    figure: str
    shopify: Money
    ours: Money

    @property
    def delta(self) -> Money:
        return self.ours - self.shopify

    def __str__(self) -> str:
        return f"{self.figure}: Shopify {self.shopify}, lines {self.ours}, difference {self.delta}"


def prove(order: Order) -> tuple[Difference, ...]:
    """Compare total, tax, shipping and discount of the lines with Shopify's totals, and what is
    kept of them with its current total.

    Shopify gives shipping before or after its discount and its refunds, discounts with or without
    those on shipping, taxes with or without those on duties and fees: each is accepted, to the
    cent.

    :return: the figures that differ; empty when the order is proved
    """
    currency, totals = order.currency, order.totals
    shipping = [line for line in order.lines if line.kind == "shipping"]
    standing = [line for line in shipping if line.current_quantity]
    charges = [line for line in order.lines if line.kind in ("duty", "fee")]
    tax = Money.sum((line.tax_total for line in order.lines), currency)
    charge_tax = Money.sum((line.tax_total for line in charges), currency)
    discount = Money.sum((line.discount_total for line in order.lines), currency)
    on_shipping = Money.sum((line.discount_total for line in shipping), currency)
    checks = (
        ("total", totals.total, (_total(order.lines, currency),)),
        ("tax", totals.tax, (tax, tax - charge_tax)),
        (
            "shipping",
            totals.shipping,
            tuple(
                Money.sum((getattr(line, figure) for line in lines), currency) - refunded
                for refunded in (Money.zero(currency), totals.refunded_shipping)
                for lines in (shipping, standing)
                for figure in ("gross", "net")
            ),
        ),
        ("discount", totals.discount, (discount, discount - on_shipping)),
    )
    kept = kept_totals(order)
    if kept:
        checks += (("current total", kept[0], kept[1:]),)
    return tuple(
        Difference(figure, stated, ours[0])
        for figure, stated, ours in checks
        if stated is not None and stated not in ours
    )


def _total(lines: Iterable[OrderLine], currency: str) -> Money:
    return Money.sum((line.total_included for line in lines), currency)


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that Shopify's data leaves open, read the less usual way.

    ``effect`` is what it adds to the sum of the lines. ``restate``: Shopify's totals leave out the
    removed units, so these are added to the totals instead.
    """

    effect: Money
    add: tuple[OrderLine, ...] = ()
    drop: tuple[OrderLine, ...] = ()
    restate: bool = False
    warning: str = ""


def settle(
    lines: list[OrderLine], totals: Totals, readings: Sequence[Reading], currency: str
) -> tuple[list[OrderLine], Totals, tuple[Reading, ...]]:
    """Find the reading of the order under which its parts sum to its total exactly.

    The plain reading wins when it fits; else the fewest others that fit, in the order given.
    When none fits, the plain reading is returned and :func:`prove` tells the difference.
    """
    missing = totals.total - _total(lines, currency)
    if not missing:
        return lines, totals, ()
    sets = chain.from_iterable(combinations(readings, size) for size in range(1, len(readings) + 1))
    chosen = next(
        (some for some in sets if Money.sum((r.effect for r in some), currency) == missing), ()
    )
    for reading in chosen:
        dropped = {line.gid for line in reading.drop}
        lines = [line for line in lines if line.gid not in dropped] + list(reading.add)
    if any(reading.restate for reading in chosen):
        totals = _restate(lines, totals, currency)
    return lines, totals, chosen


def removed_units(lines: Iterable[OrderLine], currency: str) -> Money | None:
    """The worth of all removed units, with tax; None where it cannot be known to the cent."""
    worth = _removed(lines, currency)
    return worth[0] if worth else None


def _removed(lines: Iterable[OrderLine], currency: str) -> tuple[Money, Money, Money] | None:
    digits = currency_digits(currency)
    values = [removed_value(line, digits) for line in lines]
    if not values or any(value is None for value in values):
        return None
    return tuple(Money(sum(column), currency) for column in zip(*values, strict=True))


def _restate(lines: Iterable[OrderLine], totals: Totals, currency: str) -> Totals:
    total, tax, discount = _removed(lines, currency)
    return replace(
        totals,
        total=totals.total + total,
        tax=None if totals.tax is None else totals.tax + tax,
        discount=None if totals.discount is None else totals.discount + discount,
    )
