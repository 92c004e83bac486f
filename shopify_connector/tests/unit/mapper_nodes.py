"""Builders of nodes in the shape of the Admin API, for the tests of the mappers.

Amounts are given as texts or in minor units (cents); totals are added up here in plain integers, so
that they check the mappers' sums and do not repeat them.
"""

from __future__ import annotations

from decimal import Decimal

from shopify_connector.mappers.money import Money
from shopify_connector.mappers.order import map_order, prove

DIGITS = {"USD": 2, "EUR": 2, "CAD": 2, "JPY": 0, "KWD": 3}
ORDER_GID = "gid://shopify/Order/1"


def text(minor: int, currency: str) -> str:
    """Minor units as Shopify writes amounts: at least one decimal."""
    amount = Decimal(minor).scaleb(-DIGITS[currency])
    return f"{amount:.{max(DIGITS[currency], 1)}f}"


def money(minor: int, currency: str) -> dict:
    return {"amount": text(minor, currency), "currencyCode": currency}


def bag(minor: int, currency: str = "USD", shop_minor: int | None = None, shop: str = "") -> dict:
    """A money bag; ``minor`` is what the customer saw."""
    shop = shop or currency
    return {
        "shopMoney": money(minor if shop_minor is None else shop_minor, shop),
        "presentmentMoney": money(minor, currency),
    }


def tax(title: str, rate: float | None, minor: int, currency: str = "USD", **more) -> dict:
    return {"title": title, "rate": rate, "priceSet": bag(minor, currency), **more}


def allocation(minor: int, currency: str = "USD", **application) -> dict:
    application = {
        "__typename": "ManualDiscountApplication",
        "title": "Courtesy",
        "targetType": "LINE_ITEM",
        "targetSelection": "EXPLICIT",
        "allocationMethod": "EACH",
        **application,
    }
    return {"allocatedAmountSet": bag(minor, currency), "discountApplication": application}


def line_item(number: int, minor: int, quantity: int = 1, currency: str = "USD", **more) -> dict:
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "title": f"Article {number}",
        "name": f"Article {number}",
        "sku": f"SKU-{number}",
        "quantity": quantity,
        "currentQuantity": quantity,
        "requiresShipping": True,
        "isGiftCard": False,
        "taxable": True,
        "variant": {"id": f"gid://shopify/ProductVariant/{number}", "barcode": None},
        "product": {"id": f"gid://shopify/Product/{number}"},
        "originalUnitPriceSet": bag(minor, currency),
        "discountAllocations": [],
        "taxLines": [],
        "duties": [],
        **more,
    }


def custom_item(number: int, minor: int, title: str, **more) -> dict:
    return line_item(
        number,
        minor,
        **{
            "title": title,
            "name": title,
            "sku": None,
            "variant": None,
            "product": None,
            "requiresShipping": False,
            "taxable": False,
            **more,
        },
    )


def shipping_line(number: int, minor: int, currency: str = "USD", **more) -> dict:
    return {
        "id": f"gid://shopify/ShippingLine/{number}",
        "title": "Standard",
        "code": "standard",
        "source": "shopify",
        "isRemoved": False,
        "originalPriceSet": bag(minor, currency),
        "discountAllocations": [],
        "taxLines": [],
        **more,
    }


def order(items=(), shipping=(), *, total: int, currency: str = "USD", **more) -> dict:
    """An order whose totals are those given, in minor units; the others stay null or zero."""
    return {
        "id": ORDER_GID,
        "legacyResourceId": "1",
        "name": "#1001",
        "number": 1001,
        "createdAt": "2026-10-05T08:30:00Z",
        "processedAt": "2026-10-05T08:30:00Z",
        "updatedAt": "2026-10-05T08:30:02Z",
        "currencyCode": currency,
        "presentmentCurrencyCode": currency,
        "taxesIncluded": False,
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "UNFULFILLED",
        "totalPriceSet": bag(total, currency),
        "lineItems": {"nodes": list(items), "pageInfo": {"hasNextPage": False}},
        "shippingLines": {"nodes": list(shipping), "pageInfo": {"hasNextPage": False}},
        **more,
    }


def usd(amount):
    return Money(Decimal(amount), "USD")


def proved(node, **options):
    """Map an order, and demand that its lines add up to Shopify's totals."""
    mapped = map_order(node, **options)
    assert prove(mapped) == ()
    return mapped


def kinds(mapped):
    return [line.kind for line in mapped.lines]
