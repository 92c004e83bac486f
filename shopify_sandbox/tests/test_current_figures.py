"""What an order is worth now: without the units that were removed or given back, each once."""

import pytest

from .test_objects import ORDER, money

CURRENT = """{ order(id: "gid://shopify/Order/1") {
  currentTotalPriceSet { shopMoney { amount } } currentSubtotalPriceSet { shopMoney { amount } }
  currentTotalTaxSet { shopMoney { amount } } } }"""


def current(run):
    order = run(CURRENT)["data"]["order"]
    names = ("currentTotalPriceSet", "currentSubtotalPriceSet", "currentTotalTaxSet")
    return [order[name]["shopMoney"]["amount"] for name in names]


def order(**fields):
    """3 units for 25.50 and 2.17 tax, shipping for 7.90 and 0.32 tax."""
    (line,) = ORDER["lineItems"]["nodes"]
    line = {**line, **{key: fields.pop(key) for key in ("currentQuantity",) if key in fields}}
    return {**ORDER, "lineItems": {"nodes": [line]}, **fields}


def refund(amount=None):
    """One unit: 8.50 and 0.72 tax."""
    transaction = {
        "id": "gid://shopify/OrderTransaction/9",
        "order": {"id": "gid://shopify/Order/1"},
        "kind": "REFUND",
        "status": "SUCCESS",
    }
    return {
        "id": "gid://shopify/Refund/1",
        "refundLineItems": {
            "nodes": [
                {
                    "lineItem": {"id": "gid://shopify/LineItem/1"},
                    "quantity": 1,
                    "subtotalSet": money("8.50"),
                    "totalTaxSet": money("0.72"),
                }
            ]
        },
        "transactions": {
            "nodes": [{**transaction, "amountSet": money(amount)}] if amount else [],
        },
    }


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (3, ["35.89", "25.5", "2.49"]),
        (2, ["26.67", "17.0", "1.77"]),
        (0, ["8.22", "0.0", "0.32"]),
    ],
)
def test_units_that_an_edit_removed(shop, run, left, expected):
    shop.load([order(currentQuantity=left)])
    assert current(run) == expected


@pytest.mark.parametrize("stated", [{}, {"currentQuantity": 2}])
@pytest.mark.parametrize("amount", ["9.22", None])
def test_units_of_a_refund_count_once(shop, run, stated, amount):
    """With its money, or without as that of an edit; whether or not the quantity is stated."""
    shop.load([order(refunds=[refund(amount)], **stated)])
    assert current(run) == ["26.67", "17.0", "1.77"]


def test_a_refund_lowers_a_quantity_that_is_stated(shop, run):
    shop.load([order(currentQuantity=3)])
    given = {
        "orderId": "gid://shopify/Order/1",
        "refundLineItems": [{"lineItemId": "gid://shopify/LineItem/1", "quantity": 1}],
    }
    query = """mutation R($given: RefundInput!) {
      refundCreate(input: $given) @idempotent(key: "1") {
        order { lineItems(first: 1) { nodes { quantity currentQuantity } } }
        userErrors { message } } }"""
    (line,) = run(query, {"given": given})["data"]["refundCreate"]["order"]["lineItems"]["nodes"]
    assert line == {"quantity": 3, "currentQuantity": 2}
    assert current(run) == ["26.67", "17.0", "1.77"]


def test_units_beside_those_of_a_refund(shop, run):
    shop.load([order(refunds=[refund("9.22")], currentQuantity=1)])
    assert current(run) == ["17.45", "8.5", "1.05"]


def test_units_of_a_refund_of_which_only_the_sum_is_told(shop, run):
    told = refund("9.22")
    del told["refundLineItems"]
    shop.load([order(refunds=[told], currentQuantity=2)])
    assert current(run)[0] == "26.67"
