"""Refunds that are asked for in Odoo: the calculation, the input, and what was made of it."""

from decimal import Decimal

import pytest

from shopify_connector.mappers.refund_request import (
    RefundLineRequest,
    is_made_from,
    lines_input,
    map_suggestion,
    refund_input,
)

ORDER = "gid://shopify/Order/1"
LINE = "gid://shopify/LineItem/1"
PAYMENT = "gid://shopify/OrderTransaction/1"


def bag(shop, customer=None, code="USD", customer_code="EUR"):
    customer_code = code if customer is None else customer_code
    return {
        "shopMoney": {"amount": str(shop), "currencyCode": code},
        "presentmentMoney": {
            "amount": str(shop if customer is None else customer),
            "currencyCode": customer_code,
        },
    }


def transaction(gid, amount, maximum):
    return {
        "gateway": "paypal",
        "formattedGateway": "PayPal",
        "amountSet": bag(amount),
        "maximumRefundableSet": bag(maximum),
        "parentTransaction": {"id": gid} if gid else None,
    }


def order(suggested=(), everything=(), **fields):
    nothing = bag(0)
    return {
        "id": ORDER,
        "refunds": [{"id": "gid://shopify/Refund/9"}],
        "suggested": {
            "subtotalSet": nothing,
            "totalTaxSet": nothing,
            "totalDutiesSet": nothing,
            "amountSet": nothing,
            "maximumRefundableSet": nothing,
            "shipping": {"amountSet": nothing, "maximumRefundableSet": nothing},
            "suggestedTransactions": list(suggested),
            **fields,
        },
        "everything": {"suggestedTransactions": list(everything)},
    }


def given(**fields):
    lines = [RefundLineRequest(LINE, 2, "RETURN", "gid://shopify/Location/1")]
    payments = [(PAYMENT, "paypal", Decimal("10"))]
    return refund_input(ORDER, "USD", lines, payments, note="Odoo: R1", **fields)


def refund(**fields):
    return {
        "note": "Odoo: R1",
        "refundLineItems": {"nodes": [{"lineItem": {"id": LINE}, "quantity": 2}]},
        "totalRefundedSet": bag("10.0"),
        **fields,
    }


def test_payments_that_are_left_alone_may_be_chosen():
    suggestion = map_suggestion(
        order(
            suggested=[transaction("a", 5, 20)],
            everything=[transaction("a", 20, 20), transaction("b", 7, 7), transaction(None, 1, 1)],
        )
    )
    found = [
        (one.gid, one.suggested.shop.amount, one.maximum.shop.amount) for one in suggestion.payments
    ]
    assert found == [("a", 5, 20), ("b", 0, 7)]
    assert suggestion.refund_gids == ("gid://shopify/Refund/9",)


def test_totals_in_either_currency():
    suggestion = map_suggestion(order(amountSet=bag("11.00", "10.00")))
    assert suggestion.currency == "EUR"
    assert suggestion.total_in("EUR").amount == 10
    assert suggestion.total_in("USD").amount == 11
    assert suggestion.total_in("GBP") is None


def test_a_payment_without_maximum():
    item = {**transaction("a", 5, 0), "maximumRefundableSet": None}
    (payment,) = map_suggestion(order(suggested=[item])).payments
    assert payment.maximum.shop.amount == 5


def test_lines_of_the_input():
    lines = [
        RefundLineRequest(LINE, 1, "NO_RESTOCK", "gid://shopify/Location/1"),
        RefundLineRequest("none", 0, "RETURN", "gid://shopify/Location/1"),
    ]
    assert lines_input(lines) == [{"lineItemId": LINE, "quantity": 1, "restockType": "NO_RESTOCK"}]


@pytest.mark.parametrize(
    ("currency", "amount", "text"),
    [("USD", "1.5", "1.50"), ("JPY", "150", "150"), ("KWD", "1.234", "1.234")],
)
def test_amounts_of_the_input(currency, amount, text):
    payments = [(PAYMENT, "paypal", Decimal(amount)), ("none", "cash", Decimal(0))]
    content = refund_input(ORDER, currency, [], payments, shipping=Decimal(amount))
    assert [item["amount"] for item in content["transactions"]] == [text]
    assert content["shipping"] == {"amount": text}
    assert "note" not in content
    assert "discrepancyReason" not in content


def test_all_of_the_shipping():
    content = given(shipping=Decimal("4"), whole_shipping=True)
    assert content["shipping"] == {"fullRefund": True}


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({}, True),
        ({"totalRefundedSet": bag("0.0")}, True),
        ({"totalRefundedSet": bag("9.99")}, False),
        ({"note": None}, False),
        ({"refundLineItems": {"nodes": []}}, False),
        ({"refundLineItems": {"nodes": [{"lineItem": {"id": LINE}, "quantity": 1}]}}, False),
        ({"refundLineItems": {"nodes": [{"lineItem": None, "quantity": 2}]}}, False),
    ],
)
def test_what_was_made_of_it(fields, same):
    assert is_made_from(refund(**fields), given()) is same
