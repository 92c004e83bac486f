"""Handmade orders whose sums are hard: tips, duties, edits, currencies, contradictions."""

from decimal import Decimal

import pytest
from mapper_nodes import (
    allocation,
    bag,
    custom_item,
    kinds,
    line_item,
    order,
    proved,
    shipping_line,
    tax,
    text,
    usd,
)

from shopify_connector.mappers.money import CurrencyMismatch
from shopify_connector.mappers.order import MappingError, map_order, prove

# --- tips, duties, fees ---------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_tip_among_the_lines_is_counted_once_and_stays_alone(position):
    items = [custom_item(1, 900, "Cutting"), line_item(2, 2000)]
    items.insert(position, custom_item(3, 300, "Tip"))
    mapped = proved(order(items, total=3200, totalTipReceivedSet=bag(300)))
    found = {line.gid.rpartition("/")[2]: line.kind for line in mapped.lines}
    assert found == {"1": "custom", "2": "product", "3": "tip"}
    assert mapped.warnings == ()


def test_a_tip_beside_the_lines_becomes_one():
    mapped = proved(order([line_item(1, 2000)], total=2300, totalTipReceivedSet=bag(300)))
    assert kinds(mapped) == ["product", "tip"]
    assert mapped.lines[1].net == usd(3)


def test_a_line_that_only_looks_like_the_tip():
    """The total says that the customer bought "Tip" for 3.00 and tipped 3.00."""
    mapped = proved(
        order(
            [custom_item(1, 300, "Tip"), line_item(2, 2000)],
            total=2600,
            totalTipReceivedSet=bag(300),
        )
    )
    assert kinds(mapped) == ["custom", "product", "tip"]


def test_a_tip_with_a_foreign_name():
    items = [custom_item(1, 300, "Trinkgeld"), custom_item(2, 900, "Schnitt")]
    mapped = proved(order(items, total=1200, totalTipReceivedSet=bag(300)))
    assert kinds(mapped) == ["tip", "custom"]


def test_a_tip_that_cannot_be_told_from_another_line_is_reported():
    items = [custom_item(1, 300, "Eins"), custom_item(2, 300, "Zwei")]
    mapped = proved(order(items, total=600, totalTipReceivedSet=bag(300)))
    assert kinds(mapped) == ["custom", "custom"]
    assert "3.00 USD could not be found" in mapped.warnings[0]


def duty(number, minor, *taxes, currency="USD"):
    return {
        "id": f"gid://shopify/Duty/{number}",
        "price": bag(minor, currency),
        "taxLines": list(taxes),
    }


def test_duties_and_fees():
    mapped = proved(
        order(
            [line_item(1, 5000, duties=[duty(1, 400, tax("GST", 0.05, 20)), duty(2, 100)])],
            total=5000 + 500 + 20 + 75 + 4,
            totalTaxSet=bag(24),
            originalTotalDutiesSet=bag(500),
            additionalFees=[
                {
                    "id": "gid://shopify/AdditionalFee/1",
                    "name": "Bottle deposit",
                    "price": bag(75),
                    "taxLines": [tax("GST", 0.05, 4)],
                }
            ],
        )
    )
    assert kinds(mapped) == ["product", "duty", "duty", "fee"]
    assert mapped.lines[1].parent_gid == mapped.lines[0].gid
    assert mapped.lines[3].title == "Bottle deposit"
    assert mapped.totals.duties == usd(5)


def test_tax_total_may_leave_out_taxes_on_duties():
    node = order(
        [line_item(1, 5000, duties=[duty(1, 400, tax("GST", 0.05, 20))])],
        total=5420,
        totalTaxSet=bag(0),
    )
    proved(node)
    node["totalTaxSet"] = bag(10)
    assert [str(difference.delta) for difference in prove(map_order(node))] == ["0.10 USD"]


def test_duties_within_the_prices_are_no_lines():
    node = order([line_item(1, 5000, duties=[duty(1, 400)])], total=5000, dutiesIncluded=True)
    assert kinds(proved(node)) == ["product"]


def test_duties_follow_the_total_when_it_contradicts_the_flag():
    items = [line_item(1, 5000, duties=[duty(1, 400)])]
    assert kinds(proved(order(items, total=5400, dutiesIncluded=True))) == ["product", "duty"]
    mapped = proved(order(items, total=5000))
    assert kinds(mapped) == ["product"]
    assert "Duties of 4.00 USD are not part" in mapped.warnings[0]


def test_taxes_on_duties_may_come_on_top_in_a_store_with_included_taxes():
    node = order(
        [line_item(1, 5000, duties=[duty(1, 400, tax("VAT", 0.2, 80))])],
        total=5480,
        taxesIncluded=True,
        totalTaxSet=bag(80),
    )
    line = proved(node).lines[1]
    assert (line.total_excluded, line.total_included) == (usd(4), usd("4.80"))
    assert not line.taxes[0].key.included


def test_cash_rounding_is_kept_and_is_no_line():
    mapped = proved(
        order(
            [line_item(1, 1002)],
            total=1002,
            totalCashRoundingAdjustment={"paymentSet": bag(-2)},
        )
    )
    assert mapped.totals.cash_rounding == usd("-0.02")
    assert len(mapped.lines) == 1


# --- edits, refunds -------------------------------------------------------------------------------


def test_lines_are_what_was_ordered_whatever_was_refunded():
    mapped = proved(
        order(
            [line_item(1, 1000, 2, currentQuantity=1), line_item(2, 1000, 2)],
            [shipping_line(1, 500)],
            total=4500,
            currentTotalPriceSet=bag(3500),
            displayFinancialStatus="PARTIALLY_REFUNDED",
        )
    )
    assert [(line.quantity, line.current_quantity) for line in mapped.lines] == [
        (2, 1),
        (2, 2),
        (1, 1),
    ]
    assert (mapped.totals.total, mapped.totals.current_total) == (usd(45), usd(35))


def edited(total, *, tax_total=0, **more):
    return order(
        [
            line_item(
                1,
                1000,
                2,
                currentQuantity=1,
                taxLines=[tax("T", 0.1, 200)],
                discountAllocations=[allocation(20)],
            ),
            line_item(2, 700, currentQuantity=0),
        ],
        total=total,
        totalTaxSet=bag(tax_total),
        edited=True,
        **more,
    )


def test_removed_units_stay_in_the_total():
    mapped = proved(edited(1980 + 200 + 700, tax_total=200))
    assert mapped.warnings == ()


def test_totals_without_the_removed_units_are_restated():
    """Ordered 28.80; one of two units (9.90 + 1.00 tax) and a line of 7.00 are gone: 10.90."""
    mapped = proved(edited(1090, tax_total=100, totalDiscountsSet=bag(10)))
    assert mapped.totals.total == usd("28.80")
    assert mapped.totals.tax == usd(2)
    assert mapped.totals.discount == usd("0.20")
    assert "removed units worth 17.90 USD" in mapped.warnings[0]


@pytest.mark.parametrize("cents", [1, -1])
def test_no_cent_is_explained_away(cents):
    mapped = map_order(edited(1090 + cents, tax_total=100))
    assert "total" in [difference.figure for difference in prove(mapped)]


def test_removed_units_explain_nothing_on_an_order_that_was_not_edited():
    mapped = map_order(edited(1090, tax_total=100) | {"edited": False})
    assert prove(mapped)[0].delta == usd("17.90")


def test_removed_units_that_do_not_divide_explain_nothing():
    """Two of three units for 20.00: whether 13.33 or 13.34 went, the lines do not say."""
    item = line_item(1, 0, 3, currentQuantity=1, taxLines=[tax("T", None, 2000)])
    for rest in (666, 667):
        assert prove(map_order(order([item], total=rest, edited=True)))


def test_totals_are_not_restated_by_a_tax_that_does_not_divide():
    item = line_item(1, 1000, 3, currentQuantity=1, taxLines=[tax("T", 0.1, 273)])
    node = order([item], total=1000, totalTaxSet=bag(91), edited=True, taxesIncluded=True)
    assert [line.kind for line in proved(node).lines] == ["product"]
    item["taxLines"] = [tax("T", 0.1, 272)]
    mapped = map_order(node)
    assert mapped.totals.total == usd(10)
    assert [difference.figure for difference in prove(mapped)] == ["total", "tax"]


def test_removed_shipping_is_no_line():
    removed = shipping_line(2, 900, isRemoved=True)
    node = order([line_item(1, 100)], [shipping_line(1, 500), removed], total=600, edited=True)
    assert [line.gid for line in proved(node).lines][1:] == ["gid://shopify/ShippingLine/1"]


def test_removed_shipping_that_the_total_still_counts():
    removed = shipping_line(2, 900, isRemoved=True)
    mapped = proved(order([line_item(1, 100)], [removed], total=1000, edited=True))
    assert [line.current_quantity for line in mapped.lines] == [1, 0]
    assert "removed shipping of 9.00 USD" in mapped.warnings[0]


# --- currencies -----------------------------------------------------------------------------------


def foreign(**more):
    item = line_item(1, 0, 2)
    item["originalUnitPriceSet"] = bag(1250, "USD", 1701, "CAD")
    item["taxLines"] = [{"title": "T", "rate": 0.1, "priceSet": bag(250, "USD", 340, "CAD")}]
    return order(
        [item],
        total=0,
        currencyCode="CAD",
        presentmentCurrencyCode="USD",
        **{
            "totalPriceSet": bag(2750, "USD", 3742, "CAD"),
            "totalTaxSet": bag(250, "USD", 340, "CAD"),
            **more,
        },
    )


def test_shop_and_presentment_money():
    mapped = proved(foreign(), policy="presentment")
    line = mapped.lines[0]
    assert (mapped.currency, mapped.shop_currency) == ("USD", "CAD")
    assert str(line.total_included) == "27.50 USD"
    assert str(line.shop_total_included) == "37.42 CAD"
    assert (str(line.shop_total_excluded), str(line.shop_tax_total)) == ("34.02 CAD", "3.40 CAD")

    mapped = proved(foreign(), policy="shop")
    assert mapped.currency == mapped.shop_currency == "CAD"
    assert mapped.lines[0].total_included == mapped.lines[0].shop_total_included
    assert str(mapped.totals.total) == "37.42 CAD"


def test_money_of_a_third_currency_is_a_contradiction():
    node = foreign(totalTaxSet=bag(250, "EUR", 340, "CAD"))
    with pytest.raises(MappingError, match="totalTaxSet: the amount is in EUR, the order in USD"):
        map_order(node, policy="presentment")
    node = foreign()
    node["lineItems"]["nodes"][0]["taxLines"][0]["priceSet"] = bag(250, "USD", 340, "EUR")
    with pytest.raises((MappingError, CurrencyMismatch), match="EUR"):
        map_order(node, policy="shop")


@pytest.mark.parametrize(("currency", "unit"), [("JPY", "1 JPY"), ("KWD", "0.001 KWD")])
def test_currencies_without_and_with_three_decimals(currency, unit):
    node = order(
        [line_item(1, 1333, 3, currency, taxLines=[tax("T", 0.1, 400, currency)])],
        [shipping_line(1, 501, currency)],
        total=3999 + 400 + 501,
        currency=currency,
        totalTaxSet=bag(400, currency),
    )
    assert proved(node).lines[0].unit_price.amount == Decimal(text(1333, currency))
    node["totalPriceSet"] = bag(4901, currency)
    assert str(prove(map_order(node))[0].delta) == f"-{unit}"


# --- contradictions -------------------------------------------------------------------------------


def test_a_difference_names_figure_and_amounts():
    (difference,) = prove(map_order(order([line_item(1, 1000)], total=1001)))
    assert difference.figure == "total"
    assert (difference.shopify, difference.ours, difference.delta) == (
        usd("10.01"),
        usd(10),
        usd("-0.01"),
    )
    assert str(difference) == "total: Shopify 10.01 USD, lines 10.00 USD, difference -0.01 USD"


def test_every_figure_is_proved():
    node = order(
        [line_item(1, 1000)],
        total=1001,
        totalTaxSet=bag(1),
        totalShippingPriceSet=bag(1),
        totalDiscountsSet=bag(1),
    )
    figures = [difference.figure for difference in prove(map_order(node))]
    assert figures == ["total", "tax", "shipping", "discount"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"totalPriceSet": None}, "totalPriceSet"),
        ({"totalPriceSet": {"shopMoney": {"amount": "x", "currencyCode": "USD"}}}, "totalPriceSet"),
        ({"createdAt": "yesterday", "processedAt": None}, "createdAt"),
        ({"currencyCode": "EUR"}, "totalPriceSet"),
        ({"lineItems": {"nodes": [line_item(1, 100, -1)]}}, "lineItems[0].quantity"),
        (
            {"lineItems": {"nodes": [line_item(1, 100, originalUnitPriceSet=None)]}},
            "lineItems[0].originalUnitPriceSet",
        ),
        (
            {
                "lineItems": {
                    "nodes": [line_item(1, 1, taxLines=[{"title": "T", "priceSet": None}])]
                }
            },
            "lineItems[0].taxLines[0].priceSet",
        ),
    ],
)
def test_what_cannot_be_represented_says_where(change, path):
    with pytest.raises(MappingError) as caught:
        map_order(order(total=100) | change)
    assert caught.value.path == path
    assert caught.value.message


@pytest.mark.parametrize("missing", ["id", "currencyCode"])
def test_what_is_missing_is_named(missing):
    node = order(total=0)
    del node[missing]
    with pytest.raises(MappingError, match=missing):
        map_order(node)
