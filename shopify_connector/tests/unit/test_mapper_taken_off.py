"""Units that were taken off an order before they were delivered."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from mapper_nodes import allocation, bag, line_item, order, shipping_line, tax, usd

from shopify_connector.mappers.money import Money
from shopify_connector.mappers.order import map_order, prove
from shopify_connector.mappers.taken_off import taken_units
from shopify_connector.tests.order_drawn import orders

RECORDED = Path(__file__).resolve().parents[4] / "shared/recordings/2026-04/orders"
LINE = "gid://shopify/LineItem/1"


def refund(*lines, **more):
    """``lines`` are ``(line number, units, restock type, subtotal, tax)`` in cents."""
    return {
        "id": "gid://shopify/Refund/1",
        "createdAt": "2026-10-06T08:30:00Z",
        "totalRefundedSet": bag(0),
        "refundLineItems": {
            "nodes": [
                {
                    "id": f"gid://shopify/RefundLineItem/{number}",
                    "quantity": units,
                    "restockType": kind,
                    "restocked": kind in ("CANCEL", "RETURN"),
                    "subtotalSet": bag(subtotal),
                    "totalTaxSet": bag(tax_minor),
                    "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
                }
                for number, units, kind, subtotal, tax_minor in lines
            ]
        },
        "refundShippingLines": {"nodes": []},
        "orderAdjustments": {"nodes": []},
        "duties": [],
        "transactions": {"nodes": []},
        **more,
    }


PAID_BACK = {"transactions": {"nodes": [{"id": "gid://shopify/OrderTransaction/1"}]}}


def mapped(left=1, current=1100, status="FULFILLED", refunds=(), **more):
    """2 x 10.00 and 2.00 tax, of which ``left`` units are left."""
    item = line_item(1, 1000, 2, currentQuantity=left, taxLines=[tax("T", 0.1, 200)])
    return map_order(
        order(
            [item],
            total=2200,
            currentTotalPriceSet=bag(current),
            displayFulfillmentStatus=status,
            refunds=list(refunds),
            **more,
        )
    )


@pytest.mark.parametrize(
    ("status", "refunds", "units"),
    [
        ("UNFULFILLED", [], 1),
        ("ON_HOLD", [refund((1, 1, "RETURN", 1000, 100), **PAID_BACK)], 1),
        ("FULFILLED", [], 0),
        ("FULFILLED", [refund((1, 1, "CANCEL", 1000, 100), **PAID_BACK)], 1),
        ("FULFILLED", [refund((1, 1, "NO_RESTOCK", 1000, 100))], 1),
        ("FULFILLED", [refund((1, 1, "NO_RESTOCK", 1000, 100), **PAID_BACK)], 0),
        ("FULFILLED", [refund((1, 1, "RETURN", 1000, 100))], 0),
        ("PARTIALLY_FULFILLED", [refund((1, 1, "SOMETHING_NEW", 1000, 100), **PAID_BACK)], 0),
        ("FULFILLED", [refund((1, 5, "CANCEL", 1000, 100))], 1),
        ("FULFILLED", [refund((7, 1, "CANCEL", 1000, 100))], 0),
    ],
)
def test_before_or_after_it_was_delivered(status, refunds, units):
    assert taken_units(mapped(status=status, refunds=refunds)) == ({LINE: units} if units else {})


def test_what_is_left_is_worth_what_shopify_says():
    (line,) = mapped(current=1089, refunds=[refund((1, 1, "CANCEL", 1001, 110))]).kept_lines
    assert (line.quantity, line.net, line.tax_total) == (1, usd("9.99"), usd("0.90"))


def test_units_that_came_back_do_not_lower_what_is_left():
    """Of three units that are worth 3.34, 3.33 and 3.33, the second is cancelled."""
    item = line_item(1, 334, 3, currentQuantity=1)
    item["discountAllocations"] = [allocation(2)]
    refunds = [
        refund((1, 1, "RETURN", 333, 0), **PAID_BACK),
        refund((1, 1, "CANCEL", 334, 0), **PAID_BACK),
    ]
    node = order([item], total=1000, displayFulfillmentStatus="FULFILLED", refunds=refunds)
    (line,) = map_order(node).kept_lines
    assert (line.quantity, line.net) == (2, usd("6.66"))


def test_what_was_taken_off_before_stays_beside_what_is_cancelled_now():
    item = line_item(1, 1000, 3, currentQuantity=1)
    refunds = [
        refund((1, 1, "NO_RESTOCK", 1000, 0), **PAID_BACK),
        refund((1, 1, "CANCEL", 1000, 0), **PAID_BACK),
    ]
    refunds[0]["id"] = first = "gid://shopify/Refund/0"
    node = order([item], total=3000, displayFulfillmentStatus="FULFILLED", refunds=refunds)

    def taken(before, *known):
        options = {"taken_before": ((LINE, before),), "refunds_before": frozenset(known)}
        return taken_units(map_order(node, **options))

    assert taken(0) == {LINE: 1}
    assert taken(1, first) == {LINE: 2}
    assert taken(2, first, refunds[1]["id"]) == {LINE: 2}
    assert taken(1, first, refunds[1]["id"]) == {LINE: 1}


def test_a_share_where_shopify_says_nothing_or_nothing_that_fits():
    for refunds in ([refund((1, 1, "CANCEL", 0, 0))], [refund((1, 1, "CANCEL", 300, 1))]):
        (line,) = mapped(refunds=refunds).kept_lines
        assert (line.net, line.tax_total) == (usd(10), usd(1))


def test_what_fits_in_no_way_is_told():
    """Neither Shopify's 3.00 nor the share of 11.00 leaves the 10.90 that it states."""
    (found,) = prove(mapped(current=1090, refunds=[refund((1, 1, "CANCEL", 300, 1))]))
    assert (found.figure, found.shopify, found.ours) == (
        "current total",
        usd("10.90"),
        usd("18.99"),
    )
    assert prove(mapped(refunds=[refund((1, 1, "CANCEL", 1000, 100))])) == ()
    back = refund((1, 1, "RETURN", 1000, 100), **PAID_BACK)
    assert prove(mapped(current=1090, refunds=[back])) == ()


def test_units_that_came_back_are_still_ordered():
    order_ = mapped(refunds=[refund((1, 1, "RETURN", 1000, 100), **PAID_BACK)])
    assert order_.kept_lines is order_.lines


def test_a_line_that_is_gone_is_worth_nothing():
    (line,) = mapped(left=0, current=0, status="UNFULFILLED").kept_lines
    assert (line.quantity, line.net, line.tax_total, line.gross) == (0, usd(0), usd(0), usd(0))


def test_a_cancelled_order_shows_what_was_ordered():
    order_ = mapped(left=0, current=0, cancelledAt="2026-10-06T08:30:00Z", status="UNFULFILLED")
    assert order_.kept_lines is order_.lines


def test_more_gone_than_there_was():
    assert taken_units(mapped(left=-3, status="UNFULFILLED")) == {LINE: 2}


def test_taxes_of_units_are_spread_over_the_taxes_of_the_line():
    item = line_item(
        1, 999, 3, currentQuantity=1, taxLines=[tax("A", 0.04, 118), tax("B", 0.05, 137)]
    )
    node = order([item], [shipping_line(1, 400)], total=2997 + 255 + 400)
    node |= {"currentTotalPriceSet": bag(3652 - 1998 - 170)}
    line, _shipping = map_order(
        node | {"refunds": [refund((1, 2, "CANCEL", 1998, 170))]}
    ).kept_lines
    assert [tax.amount for tax in line.taxes] == [usd("0.39"), usd("0.46")]


@settings(max_examples=60, deadline=None)
@given(orders())
def test_what_is_kept_and_what_is_taken_off_are_the_line(drawn):
    """Of any order: nothing is lost, nothing negative comes of it."""
    order_ = map_order(drawn[0])
    units = taken_units(order_)
    for line, kept in zip(order_.lines, order_.kept_lines, strict=True):
        assert kept.quantity == line.quantity - units[line.gid]
        assert kept.gross == kept.unit_price * kept.quantity
        zero = Money.zero(line.net.currency)
        assert zero.amount <= kept.net.amount <= line.net.amount
        assert kept.quantity or kept.total_included == zero


@pytest.mark.skipif(not RECORDED.is_dir(), reason=f"no recorded answers of a store in {RECORDED}")
def test_recorded_edit_is_worth_its_current_total():
    """3 x 10.00 of which an edit took 2, and 2 x 949.95 that it added: 1909.90."""
    name = "order-edit-commit-history-and-fulfillment-orders.json"
    recorded = json.loads((RECORDED / name).read_text())["downstreamRead"]["response"]["payload"]
    node = recorded["data"]["order"]
    items = [
        {**line_item(number, 0), **item, "originalUnitPriceSet": item["originalUnitPriceSet"]}
        for number, item in enumerate(node["lineItems"]["nodes"], start=1)
    ]
    total = sum(
        item["quantity"] * float(item["originalUnitPriceSet"]["shopMoney"]["amount"])
        for item in items
    )
    order_ = map_order(
        order(
            items,
            total=round(total * 100),
            currency="CAD",
            edited=True,
            currentTotalPriceSet=node["currentTotalPriceSet"],
        )
    )
    assert [line.quantity for line in order_.kept_lines] == [1, 2]
    kept = Money.sum((line.total_included for line in order_.kept_lines), "CAD")
    assert kept == order_.totals.current_total


def test_money_that_stands_for_no_unit_is_no_contradiction():
    """Goodwill lowers the current total as well; it takes nothing off the lines."""
    goodwill = refund(totalRefundedSet=bag(500), **PAID_BACK) | {"id": "gid://shopify/Refund/2"}
    cancelled = refund((1, 1, "CANCEL", 1000, 100), totalRefundedSet=bag(1100), **PAID_BACK)
    found = mapped(current=600, refunds=[cancelled, goodwill])
    assert prove(found) == ()
    assert found.kept_lines[0].total_included == usd(11)
