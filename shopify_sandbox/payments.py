"""How a generated order is paid: its transactions and what follows from them."""

from decimal import Decimal
from typing import TYPE_CHECKING

from .pricing import Priced

if TYPE_CHECKING:
    from .basket import Basket

NOTHING = Decimal(0)


def pay(basket: "Basket", data: dict, priced: Priced, presented: Priced) -> None:
    """Add transactions, financial status and received amounts to an order in the making."""
    kind = (
        basket.wishes.payment
        or basket.rng.choices(("paid", "pending", "authorized"), (88, 7, 5))[0]
    )
    total = (priced.total, presented.total)
    if kind == "authorized":
        transactions = [_transaction(basket, data, "AUTHORIZATION", "SUCCESS", total)]
        status, received, capturable = "AUTHORIZED", (NOTHING, NOTHING), total
    elif kind == "pending":
        transactions = [_transaction(basket, data, "SALE", "PENDING", total, manual=True)]
        status, received, capturable = "PENDING", (NOTHING, NOTHING), (NOTHING, NOTHING)
    else:
        transactions = _sales(basket, data, total)
        status, received, capturable = "PAID", total, (NOTHING, NOTHING)
    outstanding = total if status == "PENDING" else (NOTHING, NOTHING)
    both = basket.bag
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


def _sales(basket: "Basket", data: dict, total: tuple[Decimal, Decimal]) -> list[dict]:
    """One payment, or now and then a part from a gift card and the rest by card."""
    part = (Decimal("10.00"), basket.convert(Decimal("10.00"), basket.presentment))
    if basket.surprise(0.04) and total[0] > part[0] and total[1] > part[1]:
        rest = (total[0] - part[0], total[1] - part[1])
        return [
            _transaction(basket, data, "SALE", "SUCCESS", part, gateway="gift_card"),
            _transaction(basket, data, "SALE", "SUCCESS", rest),
        ]
    gateway = basket.rng.choice(("shopify_payments", "shopify_payments", "paypal"))
    return [_transaction(basket, data, "SALE", "SUCCESS", total, gateway=gateway)]


def _transaction(basket, data, kind, status, amount, *, gateway="shopify_payments", manual=False):
    if manual:
        gateway = basket.profile.cash_on_delivery
    store = basket.shop.store
    return {
        "id": store.new_gid("OrderTransaction"),
        "kind": kind,
        "status": status,
        "gateway": gateway,
        "formattedGateway": gateway if manual else gateway.replace("_", " ").capitalize(),
        "manualPaymentGateway": manual,
        "amountSet": basket.bag(*amount),
        "processedAt": data["processedAt"],
        "createdAt": data["createdAt"],
        "paymentId": f"{data['name']}.1" if not manual else None,
        "test": data["test"],
    }
