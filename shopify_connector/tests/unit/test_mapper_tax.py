from decimal import Decimal

import pytest
from mapper_nodes import bag, tax

from shopify_connector.mappers.errors import MappingError
from shopify_connector.mappers.money import Money
from shopify_connector.mappers.tax import TaxKey, map_taxes, sum_taxes


def mapped(*lines, policy="presentment", included=False):
    return map_taxes(
        lines, policy=policy, included=included, country_code="US", path="lineItems[0]"
    )


def test_key_carries_all_that_a_mapping_needs():
    (found,) = mapped(tax("VAT", 0.2, 100, channelLiable=True), included=True)
    assert found.key == TaxKey("VAT", Decimal("0.2"), True, "US", True)
    assert found.key.percent == Decimal(20)
    assert found.amount == Money(Decimal(1), "USD")


def test_two_taxes_of_one_name_and_rate_are_summed():
    found = mapped(tax("CITY", 0.01, 33), tax("STATE", 0.01, 34), tax("CITY", 0.01, 35))
    assert [(part.key.title, str(part.amount)) for part in found] == [
        ("CITY", "0.68 USD"),
        ("STATE", "0.34 USD"),
    ]


def test_rates_that_float_cannot_hold_stay_exact():
    (first,) = mapped(tax("A", 0.07250, 1), tax("A", 0.0725, 2))
    assert first.key.rate == Decimal("0.0725")
    assert str(first.key.percent) == "7.25"


def test_no_rate_and_zero_rate_are_two_taxes():
    none, zero = mapped(tax("X", None, 5), tax("X", 0.0, 0))
    assert none.key.rate is None and none.key.percent is None
    assert zero.key.rate == 0 and zero.key.percent == 0


def test_unknown_liability_is_not_the_channels():
    (found,) = mapped(tax("X", 0.1, 5, channelLiable=None))
    assert found.key.channel_liable is False


def test_both_currencies_are_kept():
    line = {"title": "VAT", "rate": 0.2, "priceSet": bag(200, "USD", 270, "CAD")}
    (found,) = mapped(line, line)
    assert found.amount == Money(Decimal(4), "USD")
    assert found.shop_amount == Money(Decimal("5.4"), "CAD")
    (found,) = mapped(line, policy="shop")
    assert found.amount == found.shop_amount


def test_a_tax_without_amount_is_named():
    with pytest.raises(MappingError, match=r"lineItems\[0\].taxLines\[1\].priceSet"):
        mapped(tax("X", 0.1, 5), {"title": "Y", "rate": 0.1, "priceSet": None})


def test_sums_over_lines():
    both = sum_taxes(mapped(tax("A", 0.1, 5)) + mapped(tax("B", 0.1, 1), tax("A", 0.1, 7)))
    assert [(part.key.title, part.amount.amount) for part in both] == [
        ("A", Decimal("0.12")),
        ("B", Decimal("0.01")),
    ]
