"""Refunds and returns as parts of their order."""

from datetime import datetime
from decimal import Decimal

import pytest
from mapper_nodes import bag, line_item, order, shipping_line, usd

from shopify_connector.mappers.money import Money
from shopify_connector.mappers.order import map_order

REFUND = "gid://shopify/Refund/1"
RETURN = "gid://shopify/Return/1"


def page(*nodes, more=False):
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": more}}


def refund_line(number, quantity, subtotal, tax=0, **fields):
    return {
        "id": f"gid://shopify/RefundLineItem/{number}",
        "quantity": quantity,
        "restockType": "RETURN",
        "restocked": True,
        "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
        "location": {"id": "gid://shopify/Location/1"},
        "subtotalSet": bag(subtotal),
        "totalTaxSet": bag(tax),
        **fields,
    }


def refund(*lines, gid=REFUND, **fields):
    return {
        "id": gid,
        "createdAt": "2026-10-06T10:00:00Z",
        "processedAt": "2026-10-06T10:00:01Z",
        "updatedAt": "2026-10-06T10:00:02Z",
        "note": " broken ",
        "totalRefundedSet": bag(0),
        "refundLineItems": page(*lines),
        "refundShippingLines": page(),
        "orderAdjustments": page(),
        "duties": [],
        "transactions": page(),
        **fields,
    }


def mapped(*refunds, returns=None, **fields):
    node = order(
        [line_item(1, 1000, 2)],
        [shipping_line(1, 500)],
        total=2500,
        refunds=list(refunds),
        **fields,
    )
    if returns is not None:
        node["returns"] = returns
    return map_order(node)


def only(*refunds, **fields):
    (found,) = mapped(*refunds, **fields).refunds
    return found


def test_everything_of_a_refund():
    found = only(
        refund(
            refund_line(1, 2, 2000, 160),
            totalRefundedSet=bag(2600),
            refundShippingLines=page(
                {
                    "id": "gid://shopify/RefundShippingLine/1",
                    "shippingLine": {"id": "gid://shopify/ShippingLine/1"},
                    "subtotalAmountSet": bag(500),
                    "taxAmountSet": bag(40),
                }
            ),
            orderAdjustments=page(
                {
                    "id": "gid://shopify/OrderAdjustment/1",
                    "reason": "DAMAGE",
                    "amountSet": bag(100),
                    "taxAmountSet": bag(0),
                }
            ),
            duties=[{"amountSet": bag(70), "originalDuty": {"id": "gid://shopify/Duty/1"}}],
            transactions=page({"id": "gid://shopify/OrderTransaction/9"}),
        )
    )
    assert found.problem == ""
    assert found.processed_at == datetime(2026, 10, 6, 10, 0, 1)
    assert (found.note, found.total) == ("broken", usd("26.00"))
    (line,) = found.lines
    assert (line.quantity, line.restock_type, line.restocked) == (2, "return", True)
    assert (line.subtotal, line.tax) == (usd("20.00"), usd("1.60"))
    assert line.location_gid == "gid://shopify/Location/1"
    assert found.units == {"gid://shopify/LineItem/1": 2}
    (shipping,) = found.shipping
    assert (shipping.line_gid, shipping.amount, shipping.tax) == (
        "gid://shopify/ShippingLine/1",
        usd("5.00"),
        usd("0.40"),
    )
    (adjustment,) = found.adjustments
    assert (adjustment.reason, adjustment.amount) == ("damage", usd("1.00"))
    assert [(duty.line_gid, duty.amount) for duty in found.duties] == [
        ("gid://shopify/Duty/1", usd("0.70"))
    ]
    assert found.transaction_gids == ("gid://shopify/OrderTransaction/9",)


def test_amounts_in_three_currencies():
    euros = {
        "shopMoney": {"amount": "11.00", "currencyCode": "USD"},
        "presentmentMoney": {"amount": "10.00", "currencyCode": "EUR"},
    }
    node = order(
        [line_item(1, 1000, originalUnitPriceSet=euros)],
        total=0,
        refunds=[refund(refund_line(1, 1, 0, subtotalSet=euros, totalTaxSet=euros))],
        presentmentCurrencyCode="EUR",
        totalPriceSet=euros,
    )
    node["refunds"][0]["totalRefundedSet"] = euros
    for policy, expected in (
        ("shop", usd("11.00")),
        ("presentment", Money(Decimal("10.00"), "EUR")),
    ):
        (found,) = map_order(node, policy=policy).refunds
        assert found.problem == ""
        (line,) = found.lines
        assert (line.subtotal, line.shop_subtotal) == (expected, usd("11.00"))
        assert line.customer_tax == Money(Decimal("10.00"), "EUR")
        assert (found.total, found.customer_total.currency) == (expected, "EUR")


def test_line_without_id_and_unknown_restock_type():
    first, second = only(
        refund(
            refund_line(1, 1, 0, id=None, restockType=None, location=None),
            refund_line(1, 1, 0, id=None, restockType="BURIED"),
        )
    ).lines
    assert first.gid != second.gid
    assert (first.restock_type, first.location_gid) == ("unknown", "")
    assert second.restock_type == "buried"


def test_refund_of_nothing_is_read():
    found = only(refund(totalRefundedSet=bag(100)))
    assert (found.problem, found.lines, found.units) == ("", (), {})


def test_refund_that_was_not_read():
    found = only({"id": REFUND, "createdAt": "2026-10-06T10:00:00Z"})
    assert found.problem == "not read"
    assert found.created_at == datetime(2026, 10, 6, 10)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"refundLineItems": page(more=True)}, "refundLineItems: not all pages were read"),
        ({"transactions": page(more=True)}, "transactions: not all pages were read"),
        ({"createdAt": "yesterday"}, "not readable"),
        ({"totalRefundedSet": {"shopMoney": {"amount": "x"}}}, "totalRefundedSet"),
    ],
)
def test_refund_that_cannot_be_read_does_not_stop_its_order(fields, problem):
    found = only(refund(**fields))
    assert found.problem.startswith(problem)
    assert found.gid == REFUND


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"subtotalSet": None}, "refundLineItems[0].subtotalSet: the amount is missing"),
        ({"subtotalSet": bag(1, "EUR")}, "refundLineItems[0].subtotalSet: the amount is in EUR"),
        ({"lineItem": None}, "refundLineItems[0].lineItem: missing"),
        ({"quantity": -1}, "refundLineItems[0].quantity: -1 units"),
        ({"quantity": None}, "not readable"),
    ],
)
def test_line_that_cannot_be_read(fields, problem):
    line = {**refund_line(1, 1, 100), **fields}
    assert only(refund(line)).problem.startswith(problem)


def test_refunds_are_in_the_order_of_time():
    late = refund(gid="gid://shopify/Refund/1", createdAt="2026-10-08T10:00:00Z")
    early = refund(gid="gid://shopify/Refund/2", createdAt="2026-10-07T10:00:00Z")
    assert [found.gid for found in mapped(late, early).refunds] == [early["id"], late["id"]]


def fee(number, minor, **fields):
    return {"id": f"gid://shopify/Fee/{number}", "amountSet": bag(minor), **fields}


def returned(**fields):
    return {
        "id": RETURN,
        "name": "#1001-R1",
        "status": "OPEN",
        "createdAt": "2026-10-06T09:00:00Z",
        "closedAt": None,
        "requestApprovedAt": "2026-10-06T09:30:00Z",
        "totalQuantity": 1,
        "decline": None,
        "returnLineItems": page(
            {
                "__typename": "ReturnLineItem",
                "id": "gid://shopify/ReturnLineItem/1",
                "quantity": 1,
                "processedQuantity": 1,
                "refundedQuantity": 0,
                "customerNote": "too small",
                "returnReasonNote": "",
                "returnReasonDefinition": {"handle": "too-small", "name": "Too small"},
                "fulfillmentLineItem": {
                    "id": "gid://shopify/FulfillmentLineItem/1",
                    "lineItem": {"id": "gid://shopify/LineItem/1"},
                },
                "restockingFee": fee(1, 150, percentage=15.0),
            },
            {
                "__typename": "UnverifiedReturnLineItem",
                "id": "gid://shopify/UnverifiedReturnLineItem/2",
                "quantity": 1,
                "processedQuantity": 0,
                "refundedQuantity": 0,
                "returnReasonDefinition": None,
            },
        ),
        "exchangeLineItems": page(
            {
                "id": "gid://shopify/ExchangeLineItem/1",
                "quantity": 1,
                "processedQuantity": 1,
                "productId": "gid://shopify/Product/7",
                "variantId": None,
                "variantSku": "L",
                "title": "Shirt",
                "variantTitle": "Large",
                "lineItems": [{"id": "gid://shopify/LineItem/8"}],
            }
        ),
        "returnShippingFees": [fee(2, 300)],
        "refunds": page({"id": REFUND}),
        "reverseFulfillmentOrders": page(
            {
                "id": "gid://shopify/ReverseFulfillmentOrder/1",
                "status": "OPEN",
                "lineItems": page(
                    {
                        "id": "gid://shopify/ReverseFulfillmentOrderLineItem/1",
                        "totalQuantity": 1,
                        "fulfillmentLineItem": None,
                        "dispositions": [
                            {
                                "id": "gid://shopify/ReverseFulfillmentOrderDisposition/1",
                                "type": "RESTOCKED",
                                "quantity": 1,
                                "createdAt": "2026-10-07T09:00:00Z",
                                "location": {"id": "gid://shopify/Location/1"},
                            }
                        ],
                    }
                ),
            }
        ),
        **fields,
    }


def test_everything_of_a_return():
    found = mapped(refund(), returns=[returned()])
    (item,) = found.returns
    assert (item.problem, item.name, item.status) == ("", "#1001-R1", "open")
    assert item.approved_at == datetime(2026, 10, 6, 9, 30)
    verified, unverified = item.lines
    assert (verified.line_gid, verified.quantity, verified.processed_quantity) == (
        "gid://shopify/LineItem/1",
        1,
        1,
    )
    assert (verified.reason, verified.reason_name) == ("too-small", "Too small")
    assert verified.customer_note == "too small"
    assert (unverified.line_gid, unverified.reason) == ("", "")
    assert [(f.kind, f.amount, f.percentage) for f in item.fees] == [
        ("restocking", usd("1.50"), 15.0),
        ("return_shipping", usd("3.00"), None),
    ]
    (exchange,) = item.exchanges
    assert (exchange.title, exchange.sku, exchange.variant_gid) == ("Shirt - Large", "L", "")
    assert exchange.line_gids == ("gid://shopify/LineItem/8",)
    (reverse,) = item.reverse_orders
    (disposition,) = reverse.lines[0].dispositions
    assert (disposition.kind, disposition.quantity) == ("restocked", 1)
    assert disposition.location_gid == "gid://shopify/Location/1"
    assert found.refunds[0].return_gid == RETURN


def test_declined_return():
    (item,) = mapped(
        returns=[returned(status="DECLINED", decline={"reason": "FINAL_SALE", "note": "Sorry"})]
    ).returns
    assert (item.status, item.decline_reason, item.decline_note) == (
        "declined",
        "final_sale",
        "Sorry",
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"returnLineItems": page(more=True)}, "returnLineItems: not all pages were read"),
        ({"returnShippingFees": [fee(1, 1, amountSet=None)]}, "returnShippingFees[0].amountSet"),
        ({"exchangeLineItems": page({})}, "id: missing"),
    ],
)
def test_return_that_cannot_be_read_does_not_stop_its_order(fields, problem):
    (item,) = mapped(returns=[returned(**fields)]).returns
    assert item.problem.startswith(problem)


def test_returns_may_be_withheld():
    assert mapped().returns == ()
    (item,) = mapped(returns=[{"id": RETURN}]).returns
    assert item.problem == "not read"
