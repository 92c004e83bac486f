"""Orders drawn by Shopify's arithmetic, with totals added up in whole minor units.

A hypothesis strategy: lines with stacked discounts and several taxes, on top or within, shipping
with its own, tips, duties and fees, in currencies with 0, 2 and 3 decimals, for customers who see
another currency than the store's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from mapper_nodes import ORDER_GID, bag

CURRENCIES = ("USD", "EUR", "JPY", "KWD")
RATES = (0.0, 0.01, 0.0125, 0.04, 0.0725, 0.19, 0.2, 0.255)
TITLES = ("STATE", "CITY", "VAT")
KINDS = ("ManualDiscount", "AutomaticDiscount", "DiscountCode", "ScriptDiscount")


@dataclass
class Books:
    """What an order adds up to: (seen by the customer, in the store's currency), minor units."""

    total: list = field(default_factory=lambda: [0, 0])
    tax: list = field(default_factory=lambda: [0, 0])
    shipping: list = field(default_factory=lambda: [0, 0])
    discount: list = field(default_factory=lambda: [0, 0])

    def book(self, figure, pair, sign=1):
        sums = getattr(self, figure)
        for side in (0, 1):
            sums[side] += sign * pair[side]


class Pen:
    """Writes amounts in both currencies. Each amount is converted and rounded by itself."""

    def __init__(self, seen, shop, per_mille):
        self.seen, self.shop, self.per_mille = seen, shop, per_mille

    def pair(self, minor):
        if self.seen == self.shop:
            return minor, minor
        return minor, (minor * self.per_mille + 500) // 1000

    def bag(self, pair):
        return bag(pair[0], self.seen, pair[1], self.shop)


def round_half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


@st.composite
def taxes(draw, pen, base, included, books):
    """Tax lines on ``base`` minor units; two of them may have one title and rate."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(TITLES), st.sampled_from(RATES)), max_size=3))
    whole = 10_000 + (sum(round(rate * 10_000) for _, rate in chosen) if included else 0)
    lines = []
    for title, rate in chosen:
        pair = pen.pair(round_half_up(base * round(rate * 10_000), whole))
        books.book("tax", pair)
        if not included:
            books.book("total", pair)
        lines.append(
            {
                "title": title,
                "rate": rate,
                "channelLiable": draw(st.sampled_from([None, False, True])),
                "priceSet": pen.bag(pair),
            }
        )
    return lines


@st.composite
def discounts(draw, pen, gross, books):
    """Draw (allocations, seen amount that is left); they never take more than there is."""
    found, left = [], list(gross)
    for _ in range(draw(st.integers(0, 3))):
        seen = draw(st.integers(0, left[0]))
        pair = (seen, min(pen.pair(seen)[1], left[1]))
        left = [left[0] - pair[0], left[1] - pair[1]]
        books.book("discount", pair)
        books.book("total", pair, -1)
        kind = draw(st.sampled_from(KINDS))
        found.append(
            {
                "allocatedAmountSet": pen.bag(pair),
                "discountApplication": {
                    "__typename": f"{kind}Application",
                    "code": "SPRING",
                    "targetType": "LINE_ITEM",
                    "targetSelection": "ALL",
                    "allocationMethod": "ACROSS",
                },
            }
        )
    return found, left[0]


@st.composite
def line_items(draw, pen, number, included, books):
    unit = pen.pair(draw(st.integers(0, 200_000)))
    quantity = draw(st.integers(0, 1000))
    gross = (unit[0] * quantity, unit[1] * quantity)
    books.book("total", gross)
    found, net = draw(discounts(pen, gross, books))
    return {
        "id": f"gid://shopify/LineItem/{number}",
        "title": f"Article {number}",
        "quantity": quantity,
        "currentQuantity": draw(st.integers(0, quantity)),
        "isGiftCard": draw(st.booleans()),
        "variant": draw(st.sampled_from([None, {"id": f"gid://shopify/ProductVariant/{number}"}])),
        "product": None,
        "originalUnitPriceSet": pen.bag(unit),
        "discountAllocations": found,
        "taxLines": draw(taxes(pen, net, included, books)),
        "duties": [
            draw(charges(pen, f"gid://shopify/Duty/{number}{index}", included, books))
            for index in range(draw(st.integers(0, 1)))
        ],
    }


@st.composite
def charges(draw, pen, gid, included, books):
    pair = pen.pair(draw(st.integers(1, 9_999)))
    books.book("total", pair)
    return {
        "id": gid,
        "name": "Fee",
        "price": pen.bag(pair),
        "taxLines": draw(taxes(pen, pair[0], included, books)),
    }


@st.composite
def shipping_lines(draw, pen, number, included, books):
    pair = pen.pair(draw(st.integers(0, 9_999)))
    books.book("total", pair)
    books.book("shipping", pair)
    found, net = draw(discounts(pen, pair, books))
    return {
        "id": f"gid://shopify/ShippingLine/{number}",
        "title": "Standard",
        "isRemoved": False,
        "originalPriceSet": pen.bag(pair),
        "discountAllocations": found,
        "taxLines": draw(taxes(pen, net, included, books)),
    }


@st.composite
def orders(draw):
    """Draw (order node, Books)."""
    seen = draw(st.sampled_from(CURRENCIES))
    shop = draw(st.sampled_from([seen, *CURRENCIES]))
    pen, books = Pen(seen, shop, draw(st.integers(200, 5000))), Books()
    included = draw(st.booleans())
    items = [
        draw(line_items(pen, number, included, books))
        for number in range(1, draw(st.integers(1, 9)))
    ]
    shipping = [
        draw(shipping_lines(pen, number, included, books))
        for number in range(draw(st.integers(0, 2)))
    ]
    fees = [
        draw(charges(pen, f"gid://shopify/AdditionalFee/{number}", included, books))
        for number in range(draw(st.integers(0, 1)))
    ]
    tip = pen.pair(draw(st.sampled_from([0, 0, 250, 300])))
    books.book("total", tip)
    if tip[0] and draw(st.booleans()):
        items.insert(
            draw(st.integers(0, len(items))),
            {
                "id": "gid://shopify/LineItem/999",
                "title": "Tip",
                "quantity": 1,
                "originalUnitPriceSet": pen.bag(tip),
            },
        )
    node = {
        "id": ORDER_GID,
        "name": "#1001",
        "number": 1001,
        "createdAt": "2026-10-05T08:30:00Z",
        "currencyCode": shop,
        "presentmentCurrencyCode": seen,
        "taxesIncluded": included,
        "edited": draw(st.booleans()),
        "totalPriceSet": pen.bag(books.total),
        "totalTaxSet": pen.bag(books.tax),
        "totalShippingPriceSet": pen.bag(books.shipping),
        "totalDiscountsSet": pen.bag(books.discount),
        "totalTipReceivedSet": pen.bag(tip),
        "lineItems": {"nodes": items},
        "shippingLines": {"nodes": shipping},
        "additionalFees": fees,
    }
    return node, books
