"""What was paid, refunded and is still due."""

from decimal import Decimal
from typing import TYPE_CHECKING

from .base import amounts, derived, make_bag, minus, plus, total

if TYPE_CHECKING:
    from ..shop import Shop


PAID = ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")


def paid(order: dict, shop: "Shop", *kinds: str) -> tuple[Decimal, Decimal]:
    """Sum of the order's successful transactions of the given kinds."""
    found = shop.store.related(order, "transactions")
    return total(
        item.get("amountSet")
        for item in found
        if item.get("kind") in kinds and item.get("status", "SUCCESS") == "SUCCESS"
    )


@derived("Order", "displayFinancialStatus")
def _order_financial_status(order, shop):
    transactions = shop.store.related(order, "transactions")
    if not transactions:
        return None
    done = {item.get("kind") for item in transactions if item.get("status", "SUCCESS") == "SUCCESS"}
    received = paid(order, shop, "SALE", "CAPTURE")[0]
    refunded = paid(order, shop, "REFUND")[0]
    if refunded:
        return "REFUNDED" if refunded >= received else "PARTIALLY_REFUNDED"
    if done & {"SALE", "CAPTURE"}:
        due = amounts(shop.read(order, "totalPriceSet"))[0]
        return "PAID" if received >= due else "PARTIALLY_PAID"
    return "AUTHORIZED" if "AUTHORIZATION" in done else "PENDING"


@derived("Order", "totalReceivedSet")
def _order_received(order, shop):
    if order.get("displayFinancialStatus") in PAID and not shop.store.related(
        order, "transactions"
    ):
        return shop.read(order, "totalPriceSet")
    return make_bag(order, shop, paid(order, shop, "SALE", "CAPTURE"))


@derived("Order", "totalRefundedSet")
def _order_refunded(order, shop):
    return make_bag(order, shop, paid(order, shop, "REFUND"))


@derived("Order", "netPaymentSet")
def _order_net_payment(order, shop):
    received = amounts(shop.read(order, "totalReceivedSet"))
    return make_bag(order, shop, minus(received, paid(order, shop, "REFUND")))


@derived("Order", "totalCapturableSet")
def _order_capturable_amount(order, shop):
    authorized = paid(order, shop, "AUTHORIZATION")
    used = plus(paid(order, shop, "CAPTURE"), paid(order, shop, "VOID"))
    return make_bag(
        order, shop, tuple(max(Decimal(0), a - u) for a, u in zip(authorized, used, strict=True))
    )


@derived("Order", "capturable")
def _order_capturable(order, shop):
    return amounts(shop.read(order, "totalCapturableSet"))[0] > 0


@derived("Order", "totalOutstandingSet")
def _order_outstanding(order, shop):
    if order.get("cancelledAt"):
        return make_bag(order, shop, (Decimal(0), Decimal(0)))
    settled = plus(
        amounts(shop.read(order, "netPaymentSet")), amounts(shop.read(order, "totalCapturableSet"))
    )
    due = amounts(shop.read(order, "currentTotalPriceSet"))
    return make_bag(order, shop, minus(due, settled))


@derived("Order", "fullyPaid")
def _order_fully_paid(order, shop):
    return shop.read(order, "displayFinancialStatus") in PAID


@derived("Order", "unpaid")
def _order_unpaid(order, shop):
    return not paid(order, shop, "SALE", "CAPTURE")[0]


@derived("Order", "canMarkAsPaid")
def _order_can_mark_as_paid(order, shop):
    return shop.read(order, "displayFinancialStatus") in ("PENDING", "PARTIALLY_PAID", None)


@derived("Order", "paymentGatewayNames")
def _order_gateways(order, shop):
    found = [item.get("gateway") for item in shop.store.related(order, "transactions")]
    return list(dict.fromkeys(name for name in found if name))


@derived("OrderTransaction", "amountSet")
def _transaction_amount(transaction, shop):
    return make_bag(transaction, shop, (Decimal(0), Decimal(0)))


@derived("OrderTransaction", "status")
def _transaction_status(transaction, shop):
    return "SUCCESS"


@derived("OrderTransaction", "kind")
def _transaction_kind(transaction, shop):
    return "SALE"


@derived("OrderTransaction", "formattedGateway")
def _transaction_gateway(transaction, shop):
    return (transaction.get("gateway") or "").replace("_", " ").title() or None


@derived("Refund", "totalRefundedSet")
def _refund_total(refund, shop):
    found = shop.store.resolve_all(refund.get("transactions"))
    done = [
        item
        for item in found
        if item.get("kind") == "REFUND" and item.get("status", "SUCCESS") == "SUCCESS"
    ]
    return make_bag(refund, shop, total(item.get("amountSet") for item in done))
