"""Generated orders: Shopify's identities hold in both moneys, for every kind of shop."""

import random
from decimal import Decimal

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.derive import amounts
from shopify_sandbox.orders import NothingToSell, Wishes, place_orders
from shopify_sandbox.profiles import new_shop

SEEDS = 500


def parts(shop, order):
    """Sums over the parts, as (shop, presentment)."""
    lines = shop.store.resolve_all(order["lineItems"])
    shipping = shop.store.resolve_all(order["shippingLines"])
    zero = (Decimal(0), Decimal(0))

    def total(values):
        found = list(values)
        return tuple(sum(v[i] for v in found) for i in (0, 1)) if found else zero

    gross = total(
        tuple(a * line["quantity"] for a in amounts(line["originalUnitPriceSet"])) for line in lines
    )
    allocated = total(
        amounts(item["allocatedAmountSet"])
        for line in lines
        for item in line["discountAllocations"]
    )
    taxes = total(
        amounts(tax["priceSet"]) for line in (*lines, *shipping) for tax in line["taxLines"]
    )
    carried = total(amounts(line["discountedPriceSet"]) for line in shipping)
    off_shipping = total(
        amounts(item["allocatedAmountSet"])
        for line in shipping
        for item in line["discountAllocations"]
    )
    before = total(amounts(line["originalPriceSet"]) for line in shipping)
    duties = total(
        amounts(duty["price"]) for line in lines for duty in shop.store.resolve_all(line["duties"])
    )
    fees = total(
        amounts(fee["price"]) for fee in shop.store.resolve_all(order.get("additionalFees"))
    )
    return gross, allocated, taxes, carried, off_shipping, before, duties, fees


def check(shop, order):
    gross, allocated, taxes, carried, off_shipping, before, duties, fees = parts(shop, order)
    read = {name: amounts(order[name]) for name in order if name.endswith("Set")}
    tip = read["totalTipReceivedSet"]
    for i in (0, 1):
        expected = gross[i] - allocated[i] + carried[i] + duties[i] + fees[i]
        if not order["taxesIncluded"]:
            expected += taxes[i]
        assert read["totalPriceSet"][i] == expected
        assert read["subtotalPriceSet"][i] == gross[i] - allocated[i] - tip[i]
        assert read["totalTaxSet"][i] == taxes[i]
        assert read["totalShippingPriceSet"][i] == carried[i] == before[i] - off_shipping[i]
        assert read["totalDiscountsSet"][i] == allocated[i] + off_shipping[i]
        assert amounts(order["originalTotalDutiesSet"])[i] == duties[i]
        taxed = sum(amounts(tax["priceSet"])[i] for tax in order["taxLines"])
        assert taxed == taxes[i]
    for name in ("TotalPriceSet", "SubtotalPriceSet", "TotalTaxSet", "TotalDiscountsSet"):
        assert order[f"current{name}"] == order[name[0].lower() + name[1:]]
    paid = [amounts(t["amountSet"]) for t in shop.store.related(order, "transactions")]
    assert tuple(sum(p[i] for p in paid) for i in (0, 1)) == read["totalPriceSet"]


@pytest.fixture(scope="module", params=["us", "eu"])
def generated(request):
    """One order of each of many seeds."""
    shop = new_shop(f"many-{request.param}.myshopify.com", request.param)
    catalog.fill(shop)
    orders = [place_orders(shop, 1, random.Random(seed))[0] for seed in range(SEEDS)]
    return shop, orders


def test_identities_hold(generated):
    shop, orders = generated
    for order in orders:
        check(shop, order)


def test_the_variety_is_there(generated):
    """Every kind of order that a connector must cope with occurs."""
    shop, orders = generated

    def lines(order):
        return shop.store.resolve_all(order["lineItems"])

    def types(order):
        found = shop.store.resolve_all(order["discountApplications"])
        return {item["__typename"] for item in found}

    assert {o["displayFinancialStatus"] for o in orders} == {"PAID", "PENDING", "AUTHORIZED"}
    assert any(o["customer"] is None for o in orders)
    assert len({o["customer"] for o in orders}) > 50
    assert len({o["presentmentCurrencyCode"] for o in orders}) > 2
    assert any(len(line["taxLines"]) == 0 for o in orders for line in lines(o))
    assert any(
        line["title"] == "Tip" and line["variant"] is None for o in orders for line in lines(o)
    )
    assert any(line["isGiftCard"] for o in orders for line in lines(o))
    assert any(line["duties"] for o in orders for line in lines(o))
    assert any(o.get("additionalFees") for o in orders)
    assert any(len(shop.store.related(o, "fulfillmentOrders")) == 2 for o in orders)
    assert any(len(shop.store.related(o, "transactions")) == 2 for o in orders)
    assert set().union(*map(types, orders)) == {
        "AutomaticDiscountApplication",
        "DiscountCodeApplication",
        "ManualDiscountApplication",
    }
    assert any(
        item["targetType"] == "SHIPPING_LINE"
        for o in orders
        for item in shop.store.resolve_all(o["discountApplications"])
    )
    rates = {len(line["taxLines"]) for o in orders for line in lines(o)}
    assert rates == ({0, 2, 3} if shop.profile == "us" else {0, 1})


def test_tip_is_a_line_and_counted_once(generated):
    shop, orders = generated
    tipped = [o for o in orders if amounts(o["totalTipReceivedSet"])[0]]
    assert tipped
    for order in tipped:
        tips = [
            line for line in shop.store.resolve_all(order["lineItems"]) if line["title"] == "Tip"
        ]
        assert (
            sum(amounts(line["originalUnitPriceSet"])[0] for line in tips)
            == amounts(order["totalTipReceivedSet"])[0]
        )


def test_same_seed_same_order():
    def one(seed):
        shop = new_shop("same.myshopify.com", "us")
        catalog.fill(shop)
        order = place_orders(shop, 5, random.Random(seed))[-1]
        return order["totalPriceSet"], order["email"]

    assert one(3) == one(3)
    assert one(3) != one(4)


def test_wishes_shape_the_order():
    shop = new_shop("wishes.myshopify.com", "us")
    catalog.fill(shop)
    wishes = Wishes(
        lines=3,
        discounts=True,
        distinct_customers=True,
        extras=False,
        currency="JPY",
        payment="authorized",
        region="US/TX",
        test=True,
    )
    orders = place_orders(shop, 20, random.Random(1), wishes)
    assert len({order["customer"] for order in orders}) == 20
    for order in orders:
        check(shop, order)
        assert len(order["lineItems"]) == 3
        assert order["discountApplications"]
        assert order["presentmentCurrencyCode"] == "JPY"
        assert order["totalPriceSet"]["presentmentMoney"]["amount"].endswith(".0")
        assert order["displayFinancialStatus"] == "AUTHORIZED"
        assert order["billingAddress"]["provinceCode"] == "TX"
        assert order["test"] is True


def test_stock_is_committed():
    shop = new_shop("stock.myshopify.com", "us")
    catalog.fill(shop)

    def sums():
        levels = shop.store.all("InventoryLevel")
        return {
            name: sum(
                q["quantity"] for level in levels for q in level["quantities"] if q["name"] == name
            )
            for name in ("available", "committed", "on_hand")
        }

    before = sums()
    orders = place_orders(shop, 30, random.Random(1))
    after = sums()
    sold = sum(
        item["totalQuantity"]
        for order in orders
        for fulfillment_order in shop.store.related(order, "fulfillmentOrders")
        for item in shop.store.resolve_all(fulfillment_order["lineItems"])
    )
    assert after["committed"] == sold > 0
    assert before["available"] - after["available"] == sold
    assert before["on_hand"] == after["on_hand"]


def test_a_blank_shop_sells_nothing():
    with pytest.raises(NothingToSell):
        place_orders(new_shop("none.myshopify.com", "blank"), 1, random.Random(1))
