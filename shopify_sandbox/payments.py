"""How a generated order is paid: its transactions and what follows from them."""

from decimal import Decimal
from typing import TYPE_CHECKING

from .pricing import Priced

if TYPE_CHECKING:
    from .orders import _Order

NOTHING = Decimal(0)


def pay(order: "_Order", data: dict, priced: Priced, presented: Priced) -> None:
    """Add transactions, financial status and received amounts to an order in the making."""
    kind = (
        order.wishes.payment or order.rng.choices(("paid", "pending", "authorized"), (88, 7, 5))[0]
    )
    total = (priced.total, presented.total)
    if kind == "authorized":
        transactions = [_transaction(order, data, "AUTHORIZATION", "SUCCESS", total)]
        status, received, capturable = "AUTHORIZED", (NOTHING, NOTHING), total
    elif kind == "pending":
        transactions = [_transaction(order, data, "SALE", "PENDING", total, manual=True)]
        status, received, capturable = "PENDING", (NOTHING, NOTHING), (NOTHING, NOTHING)
    else:
        transactions = _sales(order, data, total)
        status, received, capturable = "PAID", total, (NOTHING, NOTHING)
    outstanding = total if status == "PENDING" else (NOTHING, NOTHING)
    both = order._bag
    data.update(
        {
            "transactions": transactions,
            "displayFinancialStatus": status,
            "paymentGatewayNames": list(dict.fromkeys(item["gateway"] for item in transactions)),
            "totalReceivedSet": both(*received),
            "netPaymentSet": both(*received),
            "totalCapturableSet": both(*capturable),
            "totalOutstandingSet": both(*outstanding),
            "totalRefundedSet": both(NOTHING, NOTHING),
            "capturable": status == "AUTHORIZED",
            "fullyPaid": status == "PAID",
            "unpaid": status != "PAID",
        }
    )


def _sales(order: "_Order", data: dict, total: tuple[Decimal, Decimal]) -> list[dict]:
    """One payment, or now and then a part from a gift card and the rest by card."""
    part = (Decimal("10.00"), order._convert(Decimal("10.00"), order.presentment))
    if order.surprise(0.04) and total[0] > part[0] and total[1] > part[1]:
        rest = (total[0] - part[0], total[1] - part[1])
        return [
            _transaction(order, data, "SALE", "SUCCESS", part, gateway="gift_card"),
            _transaction(order, data, "SALE", "SUCCESS", rest),
        ]
    gateway = order.rng.choice(("shopify_payments", "shopify_payments", "paypal"))
    return [_transaction(order, data, "SALE", "SUCCESS", total, gateway=gateway)]


def _transaction(order, data, kind, status, amount, *, gateway="shopify_payments", manual=False):
    if manual:
        gateway = order.profile.cash_on_delivery
    store = order.shop.store
    return {
        "id": store.new_gid("OrderTransaction"),
        "kind": kind,
        "status": status,
        "gateway": gateway,
        "formattedGateway": gateway if manual else gateway.replace("_", " ").capitalize(),
        "manualPaymentGateway": manual,
        "amountSet": order._bag(*amount),
        "processedAt": data["processedAt"],
        "createdAt": data["createdAt"],
        "paymentId": f"{data['name']}.1" if not manual else None,
        "test": data["test"],
    }
