from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_connector.mappers.money import CurrencyMismatch, Money, MoneyBag, allocate


def usd(text):
    return Money(Decimal(text), "USD")


def test_reads_shopify_amounts_exactly():
    assert Money.parse({"amount": "10.0", "currencyCode": "USD"}) == usd("10.00")
    assert Money.parse({"amount": "0.1", "currencyCode": "USD"}).amount == Decimal("0.1")
    assert Money.parse({"amount": 12.5, "currencyCode": "USD"}) == usd("12.5")
    assert Money.parse(None) is None


@pytest.mark.parametrize("amount", ["", "abc", "NaN", "Infinity", None])
def test_refuses_what_is_no_amount(amount):
    with pytest.raises(ValueError, match="not an amount"):
        Money.parse({"amount": amount, "currencyCode": "USD"})


def test_arithmetic_keeps_the_currency():
    assert usd("1.10") + usd("2.20") == usd("3.30")
    assert usd("1.10") - usd("2.20") == usd("-1.10")
    assert usd("0.333") * 3 == 3 * usd("0.333") == usd("0.999")
    assert -usd("5") == usd("-5")
    assert Money.sum([usd("1"), usd("2.5")], "USD") == usd("3.5")
    assert Money.sum([], "JPY") == Money.zero("JPY")
    assert not Money.zero("USD")


@pytest.mark.parametrize(
    "combine",
    [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: Money.sum([a, b], "USD"),
    ],
)
def test_two_currencies_never_mix(combine):
    with pytest.raises(CurrencyMismatch, match=r"USD.*EUR"):
        combine(usd("1"), Money(Decimal(1), "EUR"))


@pytest.mark.parametrize(
    ("currency", "rounded"), [("JPY", "3"), ("ISK", "3"), ("USD", "2.68"), ("KWD", "2.675")]
)
def test_rounds_to_the_digits_of_the_currency(currency, rounded):
    assert Money(Decimal("2.675"), currency).quantize().amount == Decimal(rounded)
    assert usd("2.675").quantize(currency) == usd(rounded)


def test_bag_picks_by_policy():
    bag = MoneyBag.parse(
        {
            "shopMoney": {"amount": "17.01", "currencyCode": "CAD"},
            "presentmentMoney": {"amount": "12.5", "currencyCode": "USD"},
        }
    )
    assert bag.pick("shop") == Money(Decimal("17.01"), "CAD")
    assert bag.pick("presentment") == usd("12.5")
    with pytest.raises(ValueError, match="shop or presentment"):
        bag.pick("euro")


def test_bag_without_presentment_stands_for_both():
    bag = MoneyBag.parse({"shopMoney": {"amount": "1.0", "currencyCode": "CAD"}})
    assert bag.shop == bag.presentment == Money(Decimal(1), "CAD")
    assert MoneyBag.parse(None) is None


def amounts(parts):
    return [str(part.amount) for part in parts]


def test_allocates_by_largest_remainder():
    assert amounts(allocate(usd("10.00"), [1, 1, 1])) == ["3.34", "3.33", "3.33"]
    assert amounts(allocate(usd("-0.05"), [1, 1])) == ["-0.03", "-0.02"]
    assert amounts(allocate(usd("1.00"), [0, 3, 0])) == ["0.00", "1.00", "0.00"]
    assert amounts(allocate(usd("1.00"), [0, 0])) == ["1.00", "0.00"]
    assert amounts(allocate(Money(Decimal(100), "JPY"), [1, 2])) == ["33", "67"]
    assert amounts(allocate(usd("1.0001"), [1, 1])) == ["0.50", "0.5001"]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_allocation_needs_sensible_weights(weights):
    with pytest.raises(ValueError, match=r"weights|negative"):
        allocate(usd("1"), weights)


@settings(deadline=None)
@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.integers(0, 1000), min_size=1, max_size=12),
    st.sampled_from([("JPY", 0), ("USD", 2), ("KWD", 3)]),
)
def test_allocation_loses_nothing_and_is_fair(minor, weights, currency):
    code, digits = currency
    total = Money(Decimal(minor).scaleb(-digits), code)
    parts = allocate(total, weights)
    assert Money.sum(parts, code) == total
    if any(weights):
        unit = Decimal(1).scaleb(-digits)
        for part, weight in zip(parts, weights, strict=True):
            exact = total.amount * weight / sum(weights)
            assert abs(part.amount - exact) < unit
            assert weight or not part
