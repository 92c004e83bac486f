"""What refunds are worth: the money is the truth, and every difference has a name."""

from datetime import datetime
from decimal import Decimal

import pytest

from shopify_connector.mappers.money import Money, MoneyBag
from shopify_connector.mappers.order_types import Order, OrderLine, Totals, Transaction
from shopify_connector.mappers.refund_types import (
    Refund,
    RefundAdjustment,
    RefundDuty,
    RefundLine,
    RefundShipping,
)
from shopify_connector.mappers.refund_value import split_tax, value_refunds
from shopify_connector.mappers.return_types import Return, ReturnFee

DAY = datetime(2026, 11, 2)


def usd(amount):
    return Money(Decimal(str(amount)), "USD")


def three(name, amount):
    return {name: usd(amount), f"shop_{name}": usd(amount), f"customer_{name}": usd(amount)}


def line(subtotal, tax=0, quantity=1, gid="L1", **fields):
    return RefundLine(
        gid=f"RL{gid}{subtotal}",
        line_gid=gid,
        quantity=quantity,
        restock_type="return",
        restocked=True,
        location_gid="",
        **three("subtotal", subtotal),
        **three("tax", tax),
        **fields,
    )


def shipping(amount, tax=0):
    return RefundShipping(gid="RS1", line_gid="S1", **three("amount", amount), **three("tax", tax))


def adjustment(amount, reason="refund_discrepancy", tax=0):
    return RefundAdjustment(
        gid=f"A{amount}", reason=reason, **three("amount", amount), **three("tax", tax)
    )


def money(gid, amount, status="success", kind="refund", customer=None):
    bag = MoneyBag(usd(amount), customer or usd(amount))
    return Transaction(gid=gid, kind=kind, status=status, amount=bag)


def order(*refunds, transactions=(), returns=(), included=False, paid=100):
    zero = usd(0)
    totals = Totals(
        total=usd(100),
        tax=None,
        shipping=None,
        discount=None,
        subtotal=None,
        tip=zero,
        duties=zero,
        fees=zero,
        refunded=zero,
        refunded_shipping=zero,
        received=zero,
        outstanding=zero,
        current_total=usd(100),
        cash_rounding=zero,
    )
    sale = OrderLine("product", "L1", "x", 3, 3, usd(30), usd(90), usd(90), usd(90), included)
    return Order(
        gid="O1",
        legacy_id="1",
        name="#1",
        number=1,
        currency="USD",
        shop_currency="USD",
        presentment_currency="USD",
        created_at=DAY,
        processed_at=DAY,
        updated_at=DAY,
        totals=totals,
        lines=(sale,),
        refunds=refunds,
        returns=returns,
        taxes_included=included,
        transactions=(money("T0", paid, kind="sale"), *transactions),
    )


def refund(*lines, gid="R1", transactions=("T1",), **fields):
    return Refund(gid, created_at=DAY, lines=lines, transaction_gids=transactions, **fields)


def only(given, *transactions, **fields):
    return value_refunds(order(given, transactions=transactions, **fields))[given.gid]


def kinds(value):
    return [(part.kind, str(part.total)) for part in value.parts]


def test_lines_and_money_agree():
    value = only(
        refund(line(30, 3), shipping=(shipping(5, "0.5"),), duties=(duty(2),)), money("T1", "40.5")
    )
    assert kinds(value) == [
        ("item", "33.00 USD"),
        ("shipping", "5.50 USD"),
        ("duty", "2.00 USD"),
    ]
    assert (value.money_state, value.gap, value.total) == ("done", None, usd("40.50"))


def duty(amount):
    return RefundDuty(line_gid="D1", **three("amount", amount))


def test_prices_with_tax():
    value = only(refund(line(33, 3)), money("T1", 33), included=True)
    (part,) = value.parts
    assert (part.untaxed, part.tax) == (usd(30), usd(3))


def test_prices_with_tax_and_shipping_stated_without():
    given = refund(line(33, 3), shipping=(shipping(5, "0.5"),))
    value = only(given, money("T1", "38.5"), included=True)
    assert kinds(value) == [("item", "33.00 USD"), ("shipping", "5.50 USD")]


@pytest.mark.parametrize(
    ("statuses", "state", "amount"),
    [
        (("success",), "done", 10),
        (("success", "failure"), "done", 10),
        (("success", "pending"), "pending", 10),
        (("awaiting_response",), "pending", 0),
        (("failure", "error"), "failed", 0),
        (("never_heard_of",), "failed", 0),
    ],
)
def test_states_of_money(statuses, state, amount):
    gids = tuple(f"T{n}" for n in range(1, len(statuses) + 1))
    transactions = [money(gid, 10, status) for gid, status in zip(gids, statuses, strict=True)]
    value = only(refund(line(10), transactions=gids), *transactions)
    assert (value.money_state, value.money) == (state, usd(amount))


def test_pending_adjustment_is_not_added():
    given = refund(line(30, 3), adjustments=(adjustment(33, "pending_refund_discrepancy"),))
    assert kinds(only(given, money("T1", 33, "pending"))) == [("item", "33.00 USD")]
    value = only(given, money("T1", 33))
    assert (kinds(value), value.gap) == ([("item", "33.00 USD")], None)


def test_adjustment_names_what_was_kept():
    value = only(refund(line(30), adjustments=(adjustment(5, "damage"),)), money("T1", 25))
    assert kinds(value) == [("item", "30.00 USD"), ("adjustment", "-5.00 USD")]
    assert value.parts[1].reason == "damage"


def test_adjustment_that_does_not_fit_leaves_a_gap():
    value = only(refund(line(30), adjustments=(adjustment(5),)), money("T1", 24))
    assert value.gap == usd(6)


def test_more_money_than_the_lines_say_leaves_a_gap():
    assert only(refund(line(30)), money("T1", 31)).gap == usd(-1)


@pytest.mark.parametrize("lines", [(), (line(0),)])
def test_money_without_worth_is_goodwill(lines):
    value = only(refund(*lines), money("T1", 7))
    assert value.parts[-1].kind == "goodwill"
    assert (value.total, value.gap) == (usd(7), None)


def fees(*kinds_and_amounts):
    return tuple(
        ReturnFee(gid=f"F{n}", kind=kind, **three("amount", amount))
        for n, (kind, amount) in enumerate(kinds_and_amounts)
    )


def test_fees_of_the_return():
    item = Return("RET", fees=fees(("restocking", 3), ("return_shipping", 4)))
    value = only(refund(line(30), return_gid="RET"), money("T1", 23), returns=(item,))
    assert kinds(value)[1:] == [("restocking", "-3.00 USD"), ("return_shipping", "-4.00 USD")]


def test_a_fee_that_was_not_taken_is_left_out():
    item = Return("RET", fees=fees(("restocking", 3), ("return_shipping", 4)))
    value = only(refund(line(30), return_gid="RET"), money("T1", 26), returns=(item,))
    assert kinds(value)[1:] == [("return_shipping", "-4.00 USD")]


def test_a_fee_is_taken_once():
    item = Return("RET", fees=fees(("restocking", 3)))
    first = refund(line(30), return_gid="RET")
    second = refund(line(20), gid="R2", transactions=("T2",), return_gid="RET")
    values = value_refunds(
        order(first, second, transactions=(money("T1", 27), money("T2", 17)), returns=(item,))
    )
    assert values["R1"].gap is None
    assert values["R2"].gap == usd(3)


def test_units_without_money():
    value = only(refund(line(30, 3), transactions=()))
    assert (value.money_state, value.total) == ("none", usd(33))


def test_units_without_money_that_are_not_owed():
    value = only(refund(line(30, 3), transactions=(), adjustments=(adjustment(33),)))
    assert [part.kind for part in value.parts] == ["item", "adjustment"]
    assert not value.total


def test_money_pays_out_what_was_taken_off():
    first = refund(line(30), transactions=())
    second = refund(gid="R2", transactions=("T2",), adjustments=(adjustment(-30),))
    given = order(first, second, transactions=(money("T2", 30),))
    values = value_refunds(given)
    assert (values["R2"].pays_out, values["R2"].parts) == (True, ())


def test_money_beside_an_unpaid_order_is_goodwill():
    first = refund(line(30), transactions=())
    second = refund(gid="R2", transactions=("T2",))
    values = value_refunds(order(first, second, transactions=(money("T2", 30),), paid=70))
    assert (values["R2"].pays_out, kinds(values["R2"])) == (False, [("goodwill", "30.00 USD")])


def test_unknown_transaction_is_a_problem():
    assert "not among" in only(refund(line(30))).problem


def test_money_without_transaction_is_a_problem():
    given = refund(line(30), transactions=(), total=usd(30))
    assert "30.00 USD" in only(given).problem
    voided = refund(line(30), total=usd(30))
    assert "30.00 USD" in only(voided, money("T1", 30, kind="void")).problem
    assert not only(refund(line(30), transactions=(), total=usd(0))).problem


def test_refund_that_was_not_read():
    value = only(Refund("R1", problem="not read"))
    assert (value.problem, value.parts) == ("not read", ())


def test_tax_is_split_to_the_cent():
    weights = {1: usd("1.18"), 2: usd("1.37")}
    shares = split_tax(usd("0.84"), weights, usd(0))
    assert shares == {1: usd("0.39"), 2: usd("0.45")}
    left_out = split_tax(usd("1.00"), {1: usd("1.00")}, usd("1.00"))
    assert left_out == {1: usd("0.50")}
    assert split_tax(usd(0), {1: usd(1)}, usd(0)) == {1: usd(0)}
    with pytest.raises(ValueError, match="no tax"):
        split_tax(usd(1), {}, usd(0))
