"""Shopify's arithmetic of an order, in one currency.

Everything is computed from the parts and rounded part by part: a percentage is rounded once and
divided over its lines to the smallest unit, every tax of every line is rounded by itself, and
totals are sums of rounded parts. So the identities hold to the smallest unit in each currency.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from .money import allocate, rounded


@dataclass
class Discount:
    """A discount application.

    :param lines: indexes of the lines it applies to; None is the shipping line
    """

    percentage: Decimal | None = None
    amount: Decimal | None = None
    lines: list[int] | None = None


@dataclass
class LineInput:
    """A line to price.

    :param unit: unit price in the currency
    :param rates: tax rates, e.g. ``[Decimal("0.04"), ...]``; empty when not taxable
    :param duty: duty of the whole line
    """

    unit: Decimal
    quantity: int
    rates: list[Decimal] = field(default_factory=list)
    duty: Decimal = Decimal(0)
    tip: bool = False


@dataclass
class Priced:
    """The result, every amount in ``currency``.

    :param allocations: per line, amount by index of the discount
    """

    currency: str
    gross: list[Decimal]
    allocations: list[dict[int, Decimal]]
    taxes: list[list[Decimal]]
    duties: list[Decimal]
    shipping: Decimal
    shipping_allocations: dict[int, Decimal]
    shipping_taxes: list[Decimal]
    fee: Decimal
    tip: Decimal
    taxes_included: bool

    def net(self, index: int) -> Decimal:
        return self.gross[index] - sum(self.allocations[index].values())

    @property
    def subtotal(self) -> Decimal:
        """Lines after discounts, without the tip."""
        return sum(map(self.net, range(len(self.gross))), Decimal(0)) - self.tip

    @property
    def shipping_net(self) -> Decimal:
        return self.shipping - sum(self.shipping_allocations.values())

    @property
    def tax(self) -> Decimal:
        lines = sum((sum(taxes) for taxes in self.taxes), Decimal(0))
        return lines + sum(self.shipping_taxes)

    @property
    def discount(self) -> Decimal:
        lines = sum((sum(shares.values()) for shares in self.allocations), Decimal(0))
        return lines + sum(self.shipping_allocations.values())

    @property
    def total(self) -> Decimal:
        base = self.subtotal + self.tip + self.shipping_net + sum(self.duties) + self.fee
        return base if self.taxes_included else base + self.tax


def price_order(
    currency: str,
    lines: list[LineInput],
    discounts: list[Discount],
    *,
    taxes_included: bool,
    shipping: Decimal = Decimal(0),
    shipping_rates: list[Decimal] | None = None,
    fee: Decimal = Decimal(0),
) -> Priced:
    """Price an order. Discounts apply one after the other, each to what the former left."""
    gross = [line.unit * line.quantity for line in lines]
    allocations: list[dict[int, Decimal]] = [{} for _line in lines]
    shipping_allocations: dict[int, Decimal] = {}
    for index, discount in enumerate(discounts):
        if discount.lines is None:
            left = shipping - sum(shipping_allocations.values())
            shipping_allocations[index] = _reduction(discount, left, currency)
            continue
        left = [gross[i] - sum(allocations[i].values()) for i in discount.lines]
        reduction = _reduction(discount, sum(left, Decimal(0)), currency)
        for i, share in zip(discount.lines, allocate(reduction, left, currency), strict=True):
            if share:
                allocations[i][index] = share
    priced = Priced(
        currency,
        gross,
        allocations,
        [],
        [rounded(line.duty, currency) for line in lines],
        shipping,
        shipping_allocations,
        [],
        fee,
        sum((g for g, line in zip(gross, lines, strict=True) if line.tip), Decimal(0)),
        taxes_included,
    )
    priced.taxes = [
        _taxes(priced.net(i), line.rates, currency, taxes_included) for i, line in enumerate(lines)
    ]
    priced.shipping_taxes = _taxes(
        priced.shipping_net, shipping_rates or [], currency, taxes_included
    )
    return priced


def _reduction(discount: Discount, base: Decimal, currency: str) -> Decimal:
    if discount.percentage is not None:
        return rounded(base * discount.percentage / 100, currency)
    return min(discount.amount, base)


def _taxes(net: Decimal, rates: list[Decimal], currency: str, included: bool) -> list[Decimal]:
    if not included:
        return [rounded(net * rate, currency) for rate in rates]
    whole = 1 + sum(rates)
    return [rounded(net * rate / whole, currency) for rate in rates]
