"""Amounts of lines off which units are taken."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_connector.mappers.edit_amounts import at_quantity

DIGITS = {"digits": 2, "books_digits": 2}


def data(quantity, excluded, **taxes):
    return {
        "currency_id": 1,
        "price_unit": 9.99,
        "discount": 1.23,
        "quantity": quantity,
        "manual_total_excluded_currency": excluded,
        "manual_tax_amounts": {
            tax: {"tax_amount_currency": amount, "base_amount_currency": excluded}
            for tax, amount in taxes.items()
        },
    }


WHOLE = data(3.0, 29.6, a=1.18, b=1.37)


def figures(found):
    amounts = found["manual_tax_amounts"]
    return (
        found["quantity"],
        found["manual_total_excluded_currency"],
        *(amounts[tax]["tax_amount_currency"] for tax in sorted(amounts)),
    )


def test_share_of_what_is_there():
    assert figures(at_quantity(WHOLE, 2, **DIGITS)) == (2.0, 19.73, 0.79, 0.91)
    assert figures(at_quantity(WHOLE, 0, **DIGITS)) == (0.0, 0.0, 0.0, 0.0)
    assert figures(at_quantity(WHOLE, 3, **DIGITS)) == figures(WHOLE)


def test_between_two_states_of_shopify():
    target = data(1.0, 9.87, a=0.39, b=0.46)
    assert figures(at_quantity(WHOLE, 2, target, **DIGITS)) == (2.0, 19.74, 0.79, 0.92)
    assert figures(at_quantity(WHOLE, 1, target, **DIGITS)) == figures(target)


def test_base_of_each_tax_is_that_of_the_line():
    found = at_quantity(WHOLE, 2, **DIGITS)
    for amounts in found["manual_tax_amounts"].values():
        assert amounts["base_amount_currency"] == found["manual_total_excluded_currency"]


def test_tax_that_is_gone():
    target = data(1.0, 9.87, a=0.39)
    found = at_quantity(WHOLE, 2, target, **DIGITS)
    assert found["manual_tax_amounts"]["b"]["tax_amount_currency"] == 0.69


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(0, 5000), st.data())
def test_several_steps_end_where_one_does(quantity, cents, draw):
    """Units are never worth less than nothing, and no cent is lost on the way."""
    whole = data(float(quantity), cents / 100, a=cents / 1000)
    whole["manual_tax_amounts"]["a"]["tax_amount_currency"] = round(cents / 1000, 2)
    now, last = whole, Decimal(cents) / 100
    for step in sorted(draw.draw(st.sets(st.integers(0, quantity))), reverse=True):
        now = at_quantity(now, float(step), **DIGITS)
        total = Decimal(str(now["manual_total_excluded_currency"]))
        assert 0 <= total <= last
        assert total == round(total, 2)
        last = total
    if now["quantity"] == 0:
        assert last == 0
