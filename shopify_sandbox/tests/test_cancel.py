"""Orders that are cancelled after something was sent."""

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.derive import amounts, quantity_of, total
from shopify_sandbox.profiles import new_shop

from .test_mutations import FULFILL, paid_order, payload

CANCEL = """mutation Cancel($id: ID!, $restock: Boolean!) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: $restock,
              refundMethod: {originalPaymentMethodsRefund: true}) {
    orderCancelUserErrors { message } } }"""


def send(shop, run, order, left):
    """Ship all but some units of each line: ``{line: units that are left}``."""
    (todo,) = shop.store.related(order, "fulfillmentOrders")
    items = [
        {"id": item["id"], "quantity": item["totalQuantity"] - left[item["lineItem"]]}
        for item in shop.store.resolve_all(todo["lineItems"])
    ]
    given = {
        "fulfillmentOrderId": todo["id"],
        "fulfillmentOrderLineItems": [item for item in items if item["quantity"]],
    }
    answer = run(FULFILL, {"fulfillment": {"lineItemsByFulfillmentOrder": [given]}})
    assert payload(answer, "fulfillmentCreate")["userErrors"] == []


def available(shop):
    return sum(quantity_of(level, "available") for level in shop.store.all("InventoryLevel"))


@pytest.fixture
def cancelled(engine):
    """A function that cancels an order of which all of a line, and all but one unit of another,
    were sent: ``(first line, second line, {(line, restock type): units}, units put back)``.
    """

    def run(query, variables):
        return engine.execute(shop, {"query": query, "variables": variables}).body

    shop = new_shop("cancel.myshopify.com", "us")
    catalog.fill(shop)
    return lambda restock: cancel(shop, run, restock)


def cancel(shop, run, restock):
    order, _payment = paid_order(shop, seed=5)
    whole, part = shop.store.resolve_all(order["lineItems"])
    assert part["quantity"] > 1
    send(shop, run, order, {whole["id"]: 0, part["id"]: 1})
    before = available(shop)
    answer = payload(run(CANCEL, {"id": order["id"], "restock": restock}), "orderCancel")
    assert answer["orderCancelUserErrors"] == []
    (refund,) = shop.store.related(order, "refunds")
    lines = shop.store.resolve_all(refund["refundLineItems"])
    assert amounts(refund["totalRefundedSet"]) == amounts(order["totalPriceSet"])
    assert total(line["subtotalSet"] for line in lines) == amounts(order["subtotalPriceSet"])
    found = {(line["lineItem"], line["restockType"]): line["quantity"] for line in lines}
    return whole, part, found, available(shop) - before


def test_what_was_not_sent_is_restocked(cancelled):
    whole, part, found, back = cancelled(restock=True)
    assert found == {
        (whole["id"], "NO_RESTOCK"): whole["quantity"],
        (part["id"], "CANCEL"): 1,
        (part["id"], "NO_RESTOCK"): part["quantity"] - 1,
    }
    assert back == 1


def test_nothing_is_restocked_unless_asked_for(cancelled):
    whole, part, found, back = cancelled(restock=False)
    assert found == {
        (whole["id"], "NO_RESTOCK"): whole["quantity"],
        (part["id"], "NO_RESTOCK"): part["quantity"],
    }
    assert back == 0
