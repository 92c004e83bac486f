"""What is left to ship after refunds: units that had been sent are not taken off it."""

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.profiles import new_shop

from .test_cancel import send
from .test_mutations import paid_order, payload

REFUND = """mutation R($input: RefundInput!) {
  refundCreate(input: $input) @idempotent(key: "once") { userErrors { message } } }"""


@pytest.mark.parametrize(
    ("sent", "restock", "units", "left"),
    [
        (0, "CANCEL", 1, 2),
        (0, "NO_RESTOCK", 1, 2),
        (1, "CANCEL", 1, 1),
        (1, "RETURN", 1, 2),
        (1, "NO_RESTOCK", 1, 2),
        (1, "NO_RESTOCK", 2, 1),
        (3, "RETURN", 2, 0),
        (3, "NO_RESTOCK", 3, 0),
        (2, "CANCEL", 1, 0),
    ],
)
def test_units_that_are_left_to_ship(engine, sent, restock, units, left):
    """Of three units some were sent, then some are refunded."""

    def run(query, variables):
        return engine.execute(shop, {"query": query, "variables": variables}).body

    shop = new_shop("left.myshopify.com", "us")
    catalog.fill(shop)
    order, payment = paid_order(shop, seed=5)
    line = next(
        line for line in shop.store.resolve_all(order["lineItems"]) if line["quantity"] >= 2
    )
    (todo,) = shop.store.related(order, "fulfillmentOrders")
    for item in shop.store.resolve_all(todo["lineItems"]):
        if item["lineItem"] == line["id"]:
            line["quantity"] = item["totalQuantity"] = item["remainingQuantity"] = 3
            waiting = item
    if sent:
        others = {item["lineItem"]: 0 for item in shop.store.resolve_all(todo["lineItems"])}
        send(shop, run, order, {**others, line["id"]: 3 - sent})
    given = {
        "orderId": order["id"],
        "refundLineItems": [
            {
                "lineItemId": line["id"],
                "quantity": units,
                "restockType": restock,
                **(
                    {"locationId": shop.store.all("Location")[0]["id"]}
                    if restock != "NO_RESTOCK"
                    else {}
                ),
            }
        ],
        "transactions": [
            {
                "orderId": order["id"],
                "parentId": payment["id"],
                "kind": "REFUND",
                "gateway": payment["gateway"],
                "amount": "0.01",
            }
        ],
    }
    assert payload(run(REFUND, {"input": given}), "refundCreate")["userErrors"] == []
    assert shop.read(line, "unfulfilledQuantity") == left
    assert shop.read(waiting, "remainingQuantity") == left
    open_ones = shop.read(todo, "status") not in ("CLOSED", "CANCELLED")
    assert open_ones == (left > 0 or not sent)
