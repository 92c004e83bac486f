"""Which orders a store imports and which it confirms. Pure decisions on mapped orders."""

from __future__ import annotations

from ..mappers.order_types import Order
from ..mappers.taken_off import NOT_FULFILLED

PAID = frozenset({"paid", "partially_refunded"})
AUTHORIZED = PAID | {"authorized", "partially_paid"}
UNPAID = frozenset({"authorized", "expired", "partially_paid", "pending", "voided", "refunded"})


def words(text: str | None) -> set[str]:
    """A comma separated list, case folded."""
    return {word.strip().casefold() for word in (text or "").split(",") if word.strip()}


def is_paid(order: Order) -> bool:
    """The whole total was paid; authorised money is not paid.

    Where Shopify states no payment status, or one that is not known here, the money decides.
    """
    if order.financial_status in PAID:
        return True
    if order.financial_status in UNPAID:
        return False
    return order.paid.amount >= order.totals.total.amount


def is_void(order: Order) -> bool:
    """Nothing is to be delivered any more: cancelled, or all the money went back."""
    return order.cancelled_at is not None or order.financial_status == "refunded"


def is_dead(order: Order) -> bool:
    """Cancelled before anything was sent."""
    return order.cancelled_at is not None and order.fulfillment_status in NOT_FULFILLED


def may_confirm(policy: str, order: Order) -> bool:
    """:param policy: ``quotation``, ``paid`` or ``always``"""
    if is_void(order) or policy == "quotation":
        return False
    return policy == "always" or is_paid(order)


def skip_reason(backend, order: Order, by_hand: bool) -> tuple[str, dict] | None:
    """Why a store does not import an order: ``(kind, values for the sentence)``, or None.

    :param backend: the store's settings
    :param by_hand: a person asked for this very order; then its date does not matter
    """
    tags = {tag.casefold() for tag in order.tags}
    channels = {order.source_name, order.channel, order.channel_handle, order.app_name}
    wanted, unwanted = words(backend.tag_filter), words(backend.tag_exclude)
    if not backend.import_orders and not by_hand:
        return "off", {}
    if order.test and not backend.import_test_orders:
        return "test", {}
    if backend.import_from and order.processed_at < backend.import_from and not by_hand:
        return "date", {"date": backend.import_from}
    status = order.financial_status
    if backend.financial_filter == "paid" and not is_paid(order):
        return "financial", {"status": status or "none"}
    if backend.financial_filter == "authorized" and not (status in AUTHORIZED or is_paid(order)):
        return "financial", {"status": status or "none"}
    if backend.fulfillment_filter == "open" and order.fulfillment_status == "fulfilled":
        return "fulfilled", {}
    if wanted and not wanted & tags:
        return "tag", {"tags": backend.tag_filter}
    if unwanted & tags:
        return "tag_excluded", {"tags": ", ".join(sorted(unwanted & tags))}
    only = words(backend.channel_filter)
    if only and not only & {channel.casefold() for channel in channels}:
        return "channel", {"channel": order.source_name or order.channel or "none"}
    return None


def risk_of(order: Order) -> str:
    """Advice and highest level in one text, to see whether they changed."""
    return f"{order.risk}/{order.risk_level}"


def is_risky(backend, order: Order) -> bool:
    """Whether the store holds orders of this risk.

    What is void needs no decision, and what Shopify fulfilled cannot be held back.

    :param backend: the store's settings
    """
    if is_void(order) or order.fulfillment_status == "fulfilled":
        return False
    advice = {
        "none": False,
        "accept": False,
        "investigate": backend.hold_investigate,
        "cancel": backend.hold_cancel,
    }
    level = {
        "none": False,
        "low": False,
        "medium": backend.hold_medium,
        "high": backend.hold_high,
        "pending": backend.hold_pending,
    }
    unknown = backend.hold_unknown
    return advice.get(order.risk, unknown) or level.get(order.risk_level, unknown)
