from decimal import Decimal

import pytest
from mapper_nodes import allocation, custom_item, line_item, order

from shopify_connector.mappers.odoo_values import (
    check_name_pattern,
    customer_note,
    discount_percent,
    line_description,
    order_name,
    tag_list,
)
from shopify_connector.mappers.order import map_order
from shopify_connector.mappers.product import map_product, map_variant
from shopify_connector.mappers.shop import map_location, map_shop


def mapped(**more):
    return map_order(order(total=0, **more))


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{name}", "#1001"),
        ("{store}-{number}", "US-1001"),
        ("{store}{number:07d}", "US0001001"),
        ("S {year}/{number}/{confirmation}", "S 2026/1001/ABC"),
        ("{name}@{channel}", "#1001@web"),
    ],
)
def test_order_name(pattern, name):
    found = mapped(
        confirmationNumber="ABC", attribution={"handle": "web", "displayName": "Online Store"}
    )
    assert order_name(pattern, found, "US") == name


@pytest.mark.parametrize(
    "pattern",
    ["{nam}", "{0}", "{}", "{name", "name}", "{name.__class__}", "{number:zz}", "{store}", "fixed"],
)
def test_bad_patterns_are_refused_with_what_is_allowed(pattern):
    with pytest.raises(ValueError, match=r"\{name\}"):
        check_name_pattern(pattern)
    with pytest.raises(ValueError, match=r"\{number\}"):
        order_name(pattern, mapped(), "US")


def test_customer_note():
    found = mapped(
        note=" Ring twice ",
        customAttributes=[
            {"key": "gift", "value": "yes"},
            {"key": "_session", "value": "x"},
            {"key": "empty", "value": None},
        ],
    )
    assert customer_note(found) == "Ring twice\ngift: yes"
    assert customer_note(mapped()) == ""


def test_tags_are_unique_whatever_their_case():
    assert tag_list(mapped(tags=["VIP", " vip", "", "b2b"])) == ["VIP", "b2b"]


def line(*allocations, minor=1000, **more):
    node = line_item(1, minor, 3, discountAllocations=list(allocations), **more)
    return map_order(order([node], total=0)).lines[0]


@pytest.mark.parametrize(
    ("taken", "percent"), [(0, "0"), (1000, "33.33"), (3000, "100"), (9999, "100"), (-5, "0")]
)
def test_discount_percent(taken, percent):
    assert discount_percent(line(allocation(taken))) == Decimal(percent)


def test_discount_percent_of_a_free_line_and_with_more_digits():
    assert discount_percent(line(minor=0)) == 0
    assert discount_percent(line(allocation(1000)), digits=4) == Decimal("33.3333")


def test_line_description():
    found = line(
        title="Shirt",
        variantTitle="Blue / M",
        sellingPlan={"name": "Monthly"},
        customAttributes=[{"key": "engraving", "value": "Ada"}, {"key": "_id", "value": "7"}],
    )
    assert line_description(found) == "Shirt - Blue / M\nMonthly\nengraving: Ada"
    assert line_description(line(title="Shirt", variantTitle="Default Title")) == "Shirt"
    custom = map_order(order([custom_item(1, 100, "Repair")], total=100)).lines[0]
    assert line_description(custom) == "Repair"


VARIANT = {
    "id": "gid://shopify/ProductVariant/1",
    "title": "Blue",
    "sku": " S-1 ",
    "barcode": None,
    "price": "12.50",
    "compareAtPrice": None,
    "position": 2,
    "taxable": False,
    "updatedAt": "2026-10-05T08:30:00Z",
    "selectedOptions": [{"name": "Colour", "value": "Blue"}],
    "inventoryItem": {
        "id": "gid://shopify/InventoryItem/9",
        "tracked": True,
        "requiresShipping": False,
    },
}


def test_product():
    product = map_product(
        {
            "id": "gid://shopify/Product/1",
            "title": "Shirt",
            "status": "UNLISTED",
            "handle": "shirt",
            "vendor": "Acme",
            "productType": None,
            "tags": ["a"],
            "updatedAt": "2026-10-05T08:30:00Z",
            "variants": {"nodes": [VARIANT]},
        }
    )
    (variant,) = product.variants
    assert (product.status, product.product_type, product.tags) == ("unlisted", "", ("a",))
    assert (variant.product_gid, variant.sku, variant.barcode) == (product.gid, "S-1", "")
    assert (variant.price, variant.compare_at_price) == (Decimal("12.5"), None)
    assert (variant.inventory_item_gid, variant.tracked) == ("gid://shopify/InventoryItem/9", True)
    assert (variant.taxable, variant.requires_shipping) == (False, False)
    assert variant.option_values == (("Colour", "Blue"),)


def test_variant_of_a_product_without_options():
    variant = map_variant(
        {
            "id": "gid://shopify/ProductVariant/1",
            "title": "Default Title",
            "selectedOptions": [{"name": "Title", "value": "Default Title"}],
            "inventoryItem": None,
            "product": {"id": "gid://shopify/Product/5"},
        }
    )
    assert (variant.title, variant.option_values) == ("", ())
    assert variant.product_gid == "gid://shopify/Product/5"
    assert variant.price is None and variant.requires_shipping


def test_shop():
    shop = map_shop(
        {
            "id": "gid://shopify/Shop/1",
            "name": "Acme",
            "myshopifyDomain": "Acme.myshopify.com",
            "plan": {"publicDisplayName": "Basic", "partnerDevelopment": True},
            "primaryDomain": None,
            "currencyCode": "EUR",
            "enabledPresentmentCurrencies": ["USD", "EUR"],
            "ianaTimezone": "Europe/Berlin",
            "taxesIncluded": True,
            "orderNumberFormatPrefix": "#",
            "orderNumberFormatSuffix": None,
            "shopAddress": {"countryCodeV2": "DE"},
        }
    )
    assert (shop.domain, shop.country_code, shop.plan) == ("acme.myshopify.com", "DE", "Basic")
    assert shop.currencies == ("EUR", "USD")
    assert (shop.taxes_included, shop.development, shop.plus) == (True, True, False)
    assert (shop.order_prefix, shop.order_suffix) == ("#", "")


def test_location():
    location = map_location(
        {
            "id": "gid://shopify/Location/1",
            "name": "Cellar",
            "isActive": False,
            "fulfillsOnlineOrders": True,
            "address": {"city": "Berlin", "countryCode": "DE"},
        }
    )
    assert (location.active, location.fulfils_online) == (False, True)
    assert location.address.country_code == "DE"
    assert map_location({"id": "gid://shopify/Location/2", "address": None}).address is None
