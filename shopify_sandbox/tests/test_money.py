"""Amounts as Shopify writes them, and their division."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopify_sandbox.money import allocate, decimal_text, money_text, rounded


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("45", "45.0"),
        ("45.00", "45.0"),
        ("32.29", "32.29"),
        ("0", "0.0"),
        ("-1.50", "-1.5"),
        ("1E+3", "1000.0"),
        ("100", "100.0"),
        (0.1, "0.1"),
    ],
)
def test_decimal_scalar(amount, text):
    assert decimal_text(amount) == text


@pytest.mark.parametrize(("amount", "text"), [("45", "45.00"), ("1.5", "1.50"), ("1.234", "1.234")])
def test_money_scalar(amount, text):
    assert money_text(amount) == text


def test_half_a_cent_goes_up():
    assert rounded(Decimal("1.005"), "USD") == Decimal("1.01")
    assert rounded(Decimal("149.5"), "JPY") == Decimal(150)


def test_the_largest_remainders_get_the_rest():
    shares = allocate(Decimal("10.00"), [Decimal(1), Decimal(1), Decimal(1)], "EUR")
    assert shares == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]
    shares = allocate(Decimal("1.00"), [Decimal("10"), Decimal("19.95")], "USD")
    assert shares == [Decimal("0.33"), Decimal("0.67")]


cents = st.integers(0, 100_000).map(lambda value: Decimal(value) / 100)


@given(total=cents, weights=st.lists(cents, min_size=1, max_size=8))
def test_nothing_is_lost_by_dividing(total, weights):
    shares = allocate(total, weights, "USD")
    if sum(weights):
        assert sum(shares) == total
        exact = [total * weight / sum(weights) for weight in weights]
        assert all(abs(a - b) < Decimal("0.01") for a, b in zip(shares, exact, strict=True))
    else:
        assert shares == [0] * len(weights)
