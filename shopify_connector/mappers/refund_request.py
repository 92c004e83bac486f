"""Refunds that are asked for in Odoo: Shopify's own calculation, and what is sent to it.

Shopify takes and gives the amounts of a refund in the currency that the customer paid in
(``RefundInput.currency`` must be the presentment currency); :class:`Suggestion` holds them in the
store's currency too, to compare them with a credit note in that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .money import Money, MoneyBag, currency_digits

# RefundLineItemInput.restockType
RESTOCK_TYPES = ("RETURN", "CANCEL", "NO_RESTOCK")


@dataclass(frozen=True, slots=True)
class RefundablePayment:
    """A payment that money can be given back to.

    :ivar gid: of the transaction that brought the money
    :ivar suggested: what Shopify would give back to it
    :ivar maximum: what is left of it
    """

    gid: str
    gateway: str
    title: str
    suggested: MoneyBag
    maximum: MoneyBag


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``Order.suggestedRefund``; ``subtotal`` includes tax where the order's prices do.

    :ivar total: what the lines and the shipping are worth, as far as money is left
    :ivar maximum: what can be given back at most
    :ivar refund_gids: the refunds that the order has already
    """

    subtotal: MoneyBag
    tax: MoneyBag
    duties: MoneyBag
    shipping: MoneyBag
    shipping_maximum: MoneyBag
    total: MoneyBag
    maximum: MoneyBag
    payments: tuple[RefundablePayment, ...]
    refund_gids: tuple[str, ...]

    @property
    def currency(self) -> str:
        """ISO code of the currency that the customer paid in."""
        return self.total.presentment.currency

    def total_in(self, currency: str) -> Money | None:
        """The total in the store's currency or in the customer's; None in any other."""
        return next(
            (
                money
                for money in (self.total.presentment, self.total.shop)
                if money.currency == currency
            ),
            None,
        )


def map_suggestion(order: Mapping) -> Suggestion:
    """Map the ``order`` of ``order_suggested_refund.graphql``."""
    node = order["suggested"]
    payments: dict[str, RefundablePayment] = {}
    for item in node["suggestedTransactions"]:
        _add_payment(payments, item, MoneyBag.parse(item["amountSet"]))
    # Payments that this refund would leave alone may be chosen all the same.
    for item in order["everything"]["suggestedTransactions"]:
        nothing = MoneyBag.parse(item["amountSet"])
        zero = MoneyBag(Money.zero(nothing.shop.currency), Money.zero(nothing.presentment.currency))
        _add_payment(payments, item, zero)
    shipping = node["shipping"]
    return Suggestion(
        subtotal=MoneyBag.parse(node["subtotalSet"]),
        tax=MoneyBag.parse(node["totalTaxSet"]),
        duties=MoneyBag.parse(node["totalDutiesSet"]),
        shipping=MoneyBag.parse(shipping["amountSet"]),
        shipping_maximum=MoneyBag.parse(shipping["maximumRefundableSet"]),
        total=MoneyBag.parse(node["amountSet"]),
        maximum=MoneyBag.parse(node["maximumRefundableSet"]),
        payments=tuple(payments.values()),
        refund_gids=tuple(refund["id"] for refund in order["refunds"]),
    )


def _add_payment(
    payments: dict[str, RefundablePayment], item: Mapping, suggested: MoneyBag
) -> None:
    parent = (item.get("parentTransaction") or {}).get("id")
    # Money can only be given back to a payment that is known.
    if not parent or parent in payments:
        return
    maximum = MoneyBag.parse(item.get("maximumRefundableSet")) or suggested
    payments[parent] = RefundablePayment(
        gid=parent,
        gateway=item.get("gateway") or "",
        title=item.get("formattedGateway") or item.get("gateway") or "",
        suggested=suggested,
        maximum=maximum,
    )


@dataclass(frozen=True, slots=True)
class RefundLineRequest:
    """Units of an order's line that are to be refunded; ``restock`` of ``RESTOCK_TYPES``."""

    line_gid: str
    quantity: int
    restock: str
    location_gid: str = ""


def lines_input(lines: Iterable[RefundLineRequest]) -> list[dict]:
    """``[RefundLineItemInput!]``: lines without units are left out."""
    return [
        {
            "lineItemId": line.line_gid,
            "quantity": line.quantity,
            "restockType": line.restock,
            **({"locationId": line.location_gid} if line.restock != "NO_RESTOCK" else {}),
        }
        for line in lines
        if line.quantity > 0
    ]


def amount_text(amount: Decimal, currency: str) -> str:
    """Shopify's scalar ``Money``."""
    return f"{amount:.{currency_digits(currency)}f}"


def refund_input(
    order_gid: str,
    currency: str,
    lines: Sequence[RefundLineRequest],
    payments: Iterable[tuple[str, str, Decimal]],
    *,
    shipping: Decimal = Decimal(0),
    whole_shipping: bool = False,
    note: str = "",
    notify: bool = False,
    reason: str = "",
) -> dict:
    """``RefundInput``.

    :param currency: that the customer paid in; all amounts are in it
    :param payments: ``(gid of the payment, gateway, amount)``; amounts of zero are left out
    :param reason: ``OrderAdjustmentInputDiscrepancyReason`` where the money is not what the
        lines are worth
    """
    given = {
        "orderId": order_gid,
        "currency": currency,
        "notify": notify,
        "refundLineItems": lines_input(lines),
        "transactions": [
            {
                "orderId": order_gid,
                "kind": "REFUND",
                "parentId": gid,
                "gateway": gateway,
                "amount": amount_text(amount, currency),
            }
            for gid, gateway, amount in payments
            if amount > 0
        ],
    }
    if whole_shipping:
        given["shipping"] = {"fullRefund": True}
    elif shipping > 0:
        given["shipping"] = {"amount": amount_text(shipping, currency)}
    if note:
        given["note"] = note
    if reason:
        given["discrepancyReason"] = reason
    return given


def is_made_from(refund: Mapping, given: Mapping) -> bool:
    """Whether a ``Refund`` node (``refunds_by_ids.graphql``) says what was asked for.

    The money may still be on its way, so a total of nothing is no contradiction.
    """
    if (refund.get("note") or "") != (given.get("note") or ""):
        return False
    if _units(refund["refundLineItems"]["nodes"]) != _units(given["refundLineItems"]):
        return False
    total = MoneyBag.parse(refund.get("totalRefundedSet"))
    asked = sum((Decimal(item["amount"]) for item in given["transactions"]), Decimal(0))
    return total is None or not total.presentment or total.presentment.amount == asked


def _units(lines: Iterable[Mapping]) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in lines:
        gid = line.get("lineItemId") or (line.get("lineItem") or {}).get("id") or ""
        found[gid] = found.get(gid, 0) + line["quantity"]
    return found
