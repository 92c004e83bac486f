"""Returned items and the items that the customer got instead settle net."""

from dataclasses import replace

import pytest
from test_refund_value import adjustment, fees, kinds, line, money, order, refund, usd

from shopify_connector.mappers.refund_value import value_refunds
from shopify_connector.mappers.return_types import ExchangeLine, Return

ITEM = ("item", "30.00 USD")


def values(given, *transactions, got=8, charged=(), current=None, more=()):
    """Values of the refunds of a return of which an item worth ``got`` was given instead."""
    new = usd(got)
    exchange = ExchangeLine("E1", 1, 1, line_gids=("L9",))
    returned = Return("RET", exchanges=(exchange,), fees=fees(*charged))
    whole = order(given, *more, transactions=transactions, returns=(returned,))
    sold = replace(
        whole.lines[0],
        gid="L9",
        quantity=1,
        current_quantity=1,
        unit_price=new,
        gross=new,
        net=new,
        shop_net=new,
    )
    totals = replace(whole.totals, total=whole.totals.total + new)
    if current is not None:
        totals = replace(totals, current_total=usd(current))
    return value_refunds(replace(whole, lines=(*whole.lines, sold), totals=totals))


def back(*lines, **fields):
    return refund(*(lines or (line(30),)), return_gid="RET", **fields)


@pytest.mark.parametrize("reasons", [(), (adjustment(8),)])
def test_a_cheaper_item(reasons):
    """Whatever Shopify calls the difference: the new item is sold, not kept of the refund."""
    value = values(back(adjustments=reasons), money("T1", 22))["R1"]
    assert (kinds(value), value.exchanged, value.gap) == ([ITEM], usd(8), None)
    assert value.total == usd(30)


def test_a_cheaper_item_and_a_fee():
    value = values(back(), money("T1", 18), charged=[("restocking", 4)])["R1"]
    assert (kinds(value), value.exchanged) == ([ITEM, ("restocking", "-4.00 USD")], usd(8))


def test_a_cheaper_item_and_something_that_was_kept():
    value = values(back(adjustments=(adjustment(5),)), money("T1", 17))["R1"]
    assert (kinds(value), value.exchanged) == ([ITEM, ("adjustment", "-5.00 USD")], usd(8))


def test_all_is_given_back_and_the_new_item_is_paid_apart():
    value = values(back(), money("T1", 30))["R1"]
    assert (kinds(value), value.exchanged) == ([ITEM], None)


def test_the_new_item_was_paid_in_part():
    value = values(back(), money("T1", 25))["R1"]
    assert (kinds(value), value.exchanged, value.gap) == ([ITEM], usd(5), None)


def test_less_than_the_exchange_explains_is_a_gap():
    value = values(back(), money("T1", 20))["R1"]
    assert (value.exchanged, value.gap) == (None, usd(10))


@pytest.mark.parametrize("reasons", [(), (adjustment(30, "full_return_balancing_adjustment"),)])
@pytest.mark.parametrize("got", [30, 45])
def test_an_item_of_the_same_price_or_a_dearer_one(got, reasons):
    value = values(back(transactions=(), adjustments=reasons), got=got)["R1"]
    assert (value.money_state, kinds(value), value.total) == ("none", [ITEM], usd(30))


def test_a_fee_of_an_exchange_without_money():
    given = back(transactions=())
    value = values(given, got=45, charged=[("return_shipping", 4)])["R1"]
    assert kinds(value) == [ITEM, ("return_shipping", "-4.00 USD")]
    # 100 and 45, less 30: Shopify's total knows no fee
    value = values(given, got=45, charged=[("return_shipping", 4)], current=115)["R1"]
    assert kinds(value) == [ITEM]


def test_a_fee_of_a_return_that_was_processed_before_its_money():
    returned = Return("RET", fees=fees(("restocking", 3)))
    first = refund(line(30), transactions=(), return_gid="RET")
    later = refund(gid="R2", transactions=("T2",))
    given = order(first, later, transactions=(money("T2", 27),), returns=(returned,))
    found = value_refunds(given)
    assert kinds(found["R1"]) == [ITEM, ("restocking", "-3.00 USD")]
    assert found["R2"].pays_out


def test_each_part_of_an_exchange_is_set_off_once():
    second = back(line(20), gid="R2", transactions=("T2",))
    found = values(back(), money("T1", 22), money("T2", 20), more=(second,))
    assert (found["R1"].exchanged, found["R2"].exchanged) == (usd(8), None)
    found = values(back(), money("T1", 22), money("T2", 12), more=(second,))
    assert (found["R1"].exchanged, found["R2"].gap) == (usd(8), usd(8))


def test_a_planned_exchange_settles_nothing():
    returned = Return("RET", exchanges=(ExchangeLine("E1", 1, 0),))
    given = order(back(), transactions=(money("T1", 22),), returns=(returned,))
    assert value_refunds(given)["R1"].gap == usd(8)
