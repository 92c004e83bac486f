"""Orders drawn by Shopify's arithmetic, with totals added up in whole minor units.

A hypothesis strategy: lines with stacked discounts and several taxes, on top or within, shipping
with its own, tips, duties and fees, in currencies with 0, 2 and 3 decimals, for customers who see
another currency than the store's; paid at once, in parts, later or never, by several tenders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from hypothesis import strategies as st

DIGITS = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
CURRENCIES = tuple(DIGITS)
RATES = (0.0, 0.01, 0.0125, 0.04, 0.0725, 0.19, 0.2, 0.255)
TITLES = ("STATE", "CITY", "VAT")
KINDS = ("ManualDiscount", "AutomaticDiscount", "DiscountCode", "ScriptDiscount")
GATEWAYS = ("shopify_payments", "gift_card", "shopify_store_credit", "paypal")
# What an order of several payments may hold beside those that moved money.
NO_MONEY = (("SALE", "FAILURE"), ("SALE", "PENDING"), ("AUTHORIZATION", "SUCCESS"))
DATE = "2026-10-05T08:30:00Z"
COUNTS = st.integers(0, 8)


@dataclass
class Books:
    """What an order adds up to: (seen by the customer, in the store's currency), minor units.

    :ivar taxes: the same for each ``(title, rate, liability of the channel)``
    :ivar payments: of each transaction that moved money, negative where it went back
    """

    total: tuple = (0, 0)
    tax: tuple = (0, 0)
    shipping: tuple = (0, 0)
    discount: tuple = (0, 0)
    taxes: dict = field(default_factory=dict)
    payments: list = field(default_factory=list)

    def book(self, figure, pair, sign=1):
        setattr(self, figure, plus(getattr(self, figure), pair, sign))

    @property
    def paid(self):
        return tuple(sum(pair[side] for pair in self.payments) for side in (0, 1))


def plus(left, right, sign=1):
    return left[0] + sign * right[0], left[1] + sign * right[1]


def decimal(minor, currency):
    """Minor units as an amount: 1250 is ``Decimal("12.50")`` in USD."""
    return Decimal(minor).scaleb(-DIGITS[currency])


def _money(minor, currency):
    """As Shopify writes amounts: at least one decimal."""
    text = f"{decimal(minor, currency):.{max(DIGITS[currency], 1)}f}"
    return {"amount": text, "currencyCode": currency}


class Pen:
    """Writes amounts in both currencies. Each amount is converted and rounded by itself.

    :ivar number: of the order; the ids of all that is on it are made from it
    """

    def __init__(self, number, seen, shop, per_mille):
        self.number, self.seen, self.shop, self.per_mille = number, seen, shop, per_mille

    def gid(self, kind, number):
        return f"gid://shopify/{kind}/{self.number * 1000 + number}"

    def pair(self, minor):
        if self.seen == self.shop:
            return minor, minor
        return minor, (minor * self.per_mille + 500) // 1000

    def bag(self, pair):
        return {
            "shopMoney": _money(pair[1], self.shop),
            "presentmentMoney": _money(pair[0], self.seen),
        }


def round_half_up(numerator, denominator):
    return (2 * numerator + denominator) // (2 * denominator)


@st.composite
def taxes(draw, pen, base, included):
    """Tax lines on ``base`` minor units; two of them may have one title and rate."""
    chosen = draw(st.lists(st.tuples(st.sampled_from(TITLES), st.sampled_from(RATES)), max_size=3))
    whole = 10_000 + (sum(round(rate * 10_000) for _, rate in chosen) if included else 0)
    lines = []
    for title, rate in chosen:
        pair = pen.pair(round_half_up(base * round(rate * 10_000), whole))
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
def discounts(draw, pen, gross):
    """Draw (allocations, seen amount that is left); they never take more than there is."""
    found, left = [], list(gross)
    for _ in range(draw(st.integers(0, 3))):
        seen = draw(st.one_of(st.integers(0, left[0]), st.just(left[0])))
        pair = (seen, min(pen.pair(seen)[1], left[1]))
        left = [left[0] - pair[0], left[1] - pair[1]]
        kind = draw(st.sampled_from(KINDS))
        found.append(
            {
                "allocatedAmountSet": pen.bag(pair),
                "discountApplication": {
                    "__typename": f"{kind}Application",
                    **({"code": "SPRING"} if kind == "DiscountCode" else {"title": "Spring"}),
                    "targetType": "LINE_ITEM",
                    "targetSelection": "ALL",
                    "allocationMethod": "ACROSS",
                },
            }
        )
    return found, left[0]


@st.composite
def line_items(draw, pen, number, included, edits):
    unit = pen.pair(draw(st.integers(0, 200_000)))
    quantity = draw(st.integers(0, 1000))
    gross = (unit[0] * quantity, unit[1] * quantity)
    found, net = draw(discounts(pen, gross))
    variant = draw(st.booleans())
    return {
        "id": pen.gid("LineItem", number),
        "title": f"Article {number}",
        "sku": f"SKU-{number}" if variant else None,
        "quantity": quantity,
        "currentQuantity": draw(st.integers(0, quantity)) if edits else quantity,
        "requiresShipping": draw(st.booleans()),
        "isGiftCard": draw(st.sampled_from([False, False, True])),
        "variant": {"id": f"gid://shopify/ProductVariant/{number}"} if variant else None,
        "product": None,
        "originalUnitPriceSet": pen.bag(unit),
        "discountAllocations": found,
        "taxLines": draw(taxes(pen, net, included)),
        "duties": [
            draw(charges(pen, pen.gid("Duty", number * 10 + index), included))
            for index in range(draw(st.integers(0, 1)))
        ],
    }


@st.composite
def charges(draw, pen, gid, included):
    pair = pen.pair(draw(st.integers(1, 9_999)))
    return {
        "id": gid,
        "name": "Fee",
        "price": pen.bag(pair),
        "taxLines": draw(taxes(pen, pair[0], included)),
    }


@st.composite
def shipping_lines(draw, pen, number, included):
    pair = pen.pair(draw(st.integers(0, 9_999)))
    found, net = draw(discounts(pen, pair))
    return {
        "id": pen.gid("ShippingLine", number),
        "title": "Standard",
        "isRemoved": False,
        "originalPriceSet": pen.bag(pair),
        "discountAllocations": found,
        "taxLines": draw(taxes(pen, net, included)),
    }


@st.composite
def transactions(draw, pen, total):
    """How an order was paid: ``(transactions, financial status)``.

    Some of several captures or tenders, or all of them; cash with change; attempts that failed.
    """
    found = []

    def add(kind, status, pair, gateway):
        gid = pen.gid("OrderTransaction", len(found) + 1)
        found.append(transaction(gid, kind, status, pen.bag(pair), gateway))

    if not total[0]:
        return found, "PAID"
    for kind, status in draw(st.lists(st.sampled_from(NO_MONEY), max_size=2)):
        add(kind, status, total, "shopify_payments")
    if pen.seen == pen.shop and draw(st.integers(0, 5)) == 0:
        change = draw(st.integers(1, 5_000))
        add("SALE", "SUCCESS", plus(total, (change, change)), "cash")
        add("CHANGE", "SUCCESS", (change, change), "cash")
        return found, "PAID"
    kind = draw(st.sampled_from(["SALE", "CAPTURE"]))
    cuts = draw(st.lists(st.integers(1, total[0]), max_size=2, unique=True))
    parts = shares(total, sorted({*cuts, total[0]}))
    kept = draw(st.sampled_from([len(parts)] * 3 + [len(parts) - 1, 0]))
    for pair in parts[:kept]:
        add(kind, "SUCCESS", pair, draw(st.sampled_from(GATEWAYS)))
    return found, "PAID" if kept == len(parts) else "PARTIALLY_PAID" if kept else "PENDING"


def transaction(gid, kind, status, amount, gateway):
    return {
        "id": gid,
        "kind": kind,
        "status": status,
        "gateway": gateway,
        "formattedGateway": gateway.replace("_", " ").title(),
        "manualPaymentGateway": False,
        "processedAt": DATE,
        "amountSet": amount,
        "test": False,
    }


def shares(total, ends):
    """Parts of a pair that end at these seen amounts; in the other currency they sum up too."""
    marks = [(0, 0), *((end, total[1] * end // total[0]) for end in ends)]
    return [plus(end, start, -1) for start, end in pairwise(marks)]


def part_of(total, index, parts):
    """One of equal parts of a pair; all of them sum to it."""
    marks = [[amount * place // parts for amount in total] for place in (index, index + 1)]
    return plus(marks[1], marks[0], -1)


@st.composite
def orders(draw, number=1, edits=True, lines=line_items, counts=COUNTS):
    """Draw (order node, Books).

    :param number: of the order, or a function that gives it
    :param edits: whether units may have been taken off
    :param lines: function that gives a strategy of one line, ``counts`` one of how many there are
    """
    number = number() if callable(number) else number
    seen = draw(st.sampled_from(CURRENCIES))
    shop = draw(st.sampled_from([seen, *CURRENCIES]))
    pen = Pen(number, seen, shop, draw(st.integers(200, 5000)))
    included = draw(st.booleans())
    items = [draw(lines(pen, index, included, edits)) for index in range(1, 1 + draw(counts))]
    tip = pen.bag(pen.pair(draw(st.sampled_from([0, 0, 250, 300]))))
    if minor(tip)[0] and draw(st.booleans()):
        items.insert(
            draw(st.integers(0, len(items))),
            {
                "id": pen.gid("LineItem", 999),
                "title": "Tip",
                "quantity": 1,
                "requiresShipping": False,
                "originalUnitPriceSet": tip,
            },
        )
    node = {
        "__typename": "Order",
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "number": number,
        "createdAt": DATE,
        "updatedAt": DATE,
        "currencyCode": shop,
        "presentmentCurrencyCode": seen,
        "taxesIncluded": included,
        "edited": edits and draw(st.booleans()),
        "totalTipReceivedSet": tip,
        "lineItems": {"nodes": items},
        "shippingLines": {
            "nodes": [
                draw(shipping_lines(pen, index, included))
                for index in range(draw(st.integers(0, 2)))
            ]
        },
        "additionalFees": [
            draw(charges(pen, pen.gid("AdditionalFee", index), included))
            for index in range(draw(st.integers(0, 1)))
        ],
        "transactions": [],
    }
    total = add_up(node).total
    node["transactions"], node["displayFinancialStatus"] = draw(transactions(pen, total))
    return node, close(node)


# === ADDING UP === #


def minor(bag):
    """``(seen, store's)`` of a money bag in minor units."""
    moneys = bag["presentmentMoney"], bag["shopMoney"]
    return tuple(
        int(Decimal(money["amount"]).scaleb(DIGITS[money["currencyCode"]])) for money in moneys
    )


def add_up(node):
    """The :class:`Books` of an order, by plain addition of what is on it."""
    books, included = Books(), node["taxesIncluded"]

    def price(bag, quantity, taxed, allocations=()):
        pair = minor(bag)
        books.book("total", (pair[0] * quantity, pair[1] * quantity))
        for allocation in allocations:
            taken = minor(allocation["allocatedAmountSet"])
            books.book("total", taken, -1)
            books.book("discount", taken)
        for tax in taxed:
            key, amount = (
                (tax["title"], tax["rate"], bool(tax["channelLiable"])),
                minor(tax["priceSet"]),
            )
            books.taxes[key] = plus(books.taxes.get(key, (0, 0)), amount)
            books.book("tax", amount)
            if not included:
                books.book("total", amount)
        return pair

    items = node["lineItems"]["nodes"]
    for item in items:
        taxed, allocations = item.get("taxLines", ()), item.get("discountAllocations", ())
        price(item["originalUnitPriceSet"], item["quantity"], taxed, allocations)
    for item in node["shippingLines"]["nodes"]:
        pair = price(item["originalPriceSet"], 1, item["taxLines"], item["discountAllocations"])
        books.book("shipping", pair)
    duties = [duty for item in items for duty in item.get("duties", ())]
    for charge in (*duties, *node["additionalFees"]):
        price(charge["price"], 1, charge["taxLines"])
    if not any(item["title"] == "Tip" for item in items):
        books.book("total", minor(node["totalTipReceivedSet"]))
    for item in node["transactions"]:
        if item["status"] == "SUCCESS" and item["kind"] in ("SALE", "CAPTURE", "CHANGE"):
            sign = -1 if item["kind"] == "CHANGE" else 1
            books.payments.append(plus((0, 0), minor(item["amountSet"]), sign))
    return books


def close(node):
    """Write the totals of an order onto it; returns its :class:`Books`."""
    books = add_up(node)
    pen = Pen(node["number"], node["presentmentCurrencyCode"], node["currencyCode"], 1000)
    node.update(
        totalPriceSet=pen.bag(books.total),
        totalTaxSet=pen.bag(books.tax),
        totalShippingPriceSet=pen.bag(books.shipping),
        totalDiscountsSet=pen.bag(books.discount),
        totalReceivedSet=pen.bag(books.paid),
        totalOutstandingSet=pen.bag(plus(books.total, books.paid, -1)),
    )
    return books


# === READING === #


def story(node):
    """An order in a few lines, for the message of a test that failed."""
    seen, shop = node["presentmentCurrencyCode"], node["currencyCode"]
    money = seen if seen == shop else f"{shop}, seen in {seen}"
    lines = [
        f"{node['name']} in {money}, prices {'with' if node['taxesIncluded'] else 'without'} tax"
    ]
    for item in node["lineItems"]["nodes"]:
        lines += _line_story(f"{item['quantity']} x", "originalUnitPriceSet", item)
        for duty in item.get("duties") or ():
            lines += _line_story("    duty", "price", duty)
    for item in node["shippingLines"]["nodes"]:
        lines += _line_story("shipping", "originalPriceSet", item)
    for fee in node["additionalFees"]:
        lines += _line_story("fee", "price", fee)
    lines.append(f"  tip {_text(node['totalTipReceivedSet'])}")
    lines += [
        f"  {item['kind']} {item['status']} {item['gateway']} {_text(item['amountSet'])}"
        for item in node["transactions"]
    ]
    lines.append(
        f"  total {_text(node['totalPriceSet'])}, tax {_text(node['totalTaxSet'])},"
        f" {node['displayFinancialStatus']}"
    )
    return "\n".join(lines)


def _line_story(what, price, item):
    parts = [f"  {what} {_text(item[price])}"]
    parts += [
        f"less {_text(allocation['allocatedAmountSet'])}"
        for allocation in item.get("discountAllocations") or ()
    ]
    parts += [
        f"{tax['title']} {tax['rate']} {_text(tax['priceSet'])}"
        + (" (channel)" if tax["channelLiable"] else "")
        for tax in item.get("taxLines") or ()
    ]
    return [", ".join(parts)]


def _text(bag):
    shop, seen = bag["shopMoney"]["amount"], bag["presentmentMoney"]["amount"]
    return shop if shop == seen else f"{shop} ({seen})"
