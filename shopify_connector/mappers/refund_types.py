"""Refunds as the connector sees them: frozen data, no behaviour beyond sums.

Every :class:`~.money.Money` is in ``Order.currency``; fields named ``shop_*`` are in
``Order.shop_currency``, ``customer_*`` in the currency that the customer paid in. Dates are naive
UTC. Enum values are Shopify's own in lower case, also those that this version does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .money import Money


@dataclass(frozen=True, slots=True)
class RefundLine:
    """Units of one order line that are given back or were never delivered.

    ``subtotal`` is after discounts, with tax where the order's prices include tax; ``tax`` is
    Shopify's total over all taxes of the line. ``restock_type``: cancel, return, no_restock,
    legacy_restock or unknown; ``restocked`` says whether Shopify's stock went up already, at
    ``location_gid``.
    """

    gid: str
    line_gid: str
    quantity: int
    restock_type: str
    restocked: bool
    location_gid: str
    subtotal: Money
    tax: Money
    shop_subtotal: Money
    shop_tax: Money
    customer_subtotal: Money
    customer_tax: Money


@dataclass(frozen=True, slots=True)
class RefundShipping:
    """Shipping that is given back; ``amount`` is without or with tax as the order's prices are."""

    gid: str
    line_gid: str
    amount: Money
    tax: Money
    shop_amount: Money
    shop_tax: Money
    customer_amount: Money
    customer_tax: Money


@dataclass(frozen=True, slots=True)
class RefundAdjustment:
    """What Shopify writes down where the money differs from what the lines are worth.

    Positive: less was given back than the lines say. ``reason``: customer, damage, restock,
    refund_discrepancy, pending_refund_discrepancy, full_return_balancing_adjustment or ''.
    It explains a difference and is never added blindly: a refund whose money is still pending
    carries one over its whole worth.
    """

    gid: str
    reason: str
    amount: Money
    tax: Money
    shop_amount: Money
    shop_tax: Money
    customer_amount: Money
    customer_tax: Money


@dataclass(frozen=True, slots=True)
class RefundDuty:
    """A duty that is given back; ``line_gid`` is the duty of the order."""

    line_gid: str
    amount: Money
    shop_amount: Money
    customer_amount: Money


@dataclass(frozen=True, slots=True)
class Refund:
    """Something of an order that was taken back, with or without money.

    ``transaction_gids`` name those of ``Order.transactions`` that moved its money; ``total`` is
    what Shopify says about them. ``return_gid`` is empty where there was no return, and where
    returns could not be read. ``problem`` says why the content is not known; the lists are empty
    then and mean nothing.
    """

    gid: str
    created_at: datetime | None = None
    processed_at: datetime | None = None
    updated_at: datetime | None = None
    note: str = ""
    return_gid: str = ""
    lines: tuple[RefundLine, ...] = ()
    shipping: tuple[RefundShipping, ...] = ()
    adjustments: tuple[RefundAdjustment, ...] = ()
    duties: tuple[RefundDuty, ...] = ()
    transaction_gids: tuple[str, ...] = ()
    total: Money | None = None
    shop_total: Money | None = None
    customer_total: Money | None = None
    problem: str = ""

    @property
    def units(self) -> dict[str, int]:
        """Units by the gid of the order's line."""
        found: dict[str, int] = {}
        for line in self.lines:
            found[line.line_gid] = found.get(line.line_gid, 0) + line.quantity
        return found
