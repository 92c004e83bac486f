"""Lines, shipping lines and taxes of an order."""

from decimal import Decimal
from typing import TYPE_CHECKING

from ..money import bag, rounded
from .base import amounts, currencies, derived, make_bag, minus, owner, plus, total

if TYPE_CHECKING:
    from ..shop import Shop


def lines(order: dict, shop: "Shop") -> list[dict]:
    return shop.store.resolve_all(order.get("lineItems"))


def shipping_lines(order: dict, shop: "Shop") -> list[dict]:
    found = shop.store.resolve_all(order.get("shippingLines"))
    return found or [line for line in [order.get("shippingLine")] if line]


def discounts_of(line: dict) -> tuple[Decimal, Decimal]:
    return total(item.get("allocatedAmountSet") for item in line.get("discountAllocations") or ())


def taxes_of(line: dict) -> tuple[Decimal, Decimal]:
    return total(tax.get("priceSet") for tax in line.get("taxLines") or ())


def gross_of(line: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    quantity = shop.read(line, "quantity", "LineItem")
    return tuple(amount * quantity for amount in amounts(line.get("originalUnitPriceSet")))


def net_of(line: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    return minus(gross_of(line, shop), discounts_of(line))


def refund_lines(order: dict, shop: "Shop") -> list[dict]:
    refunds = shop.store.related(order, "refunds") if order.get("id") else []
    return [
        line for refund in refunds for line in shop.store.resolve_all(refund.get("refundLineItems"))
    ]


def removed(order: dict, shop: "Shop") -> tuple[tuple, tuple]:
    """What units are worth that are gone although no refund says so: ``(net, taxes)``."""
    nothing = (Decimal(0), Decimal(0)), (Decimal(0), Decimal(0))
    refunds = shop.store.related(order, "refunds") if order.get("id") else []
    if any(refund.get("refundLineItems") is None for refund in refunds):
        # Of these not all is told: the units may be theirs.
        return nothing
    net, taxes = nothing
    for line in lines(order, shop):
        quantity = shop.read(line, "quantity", "LineItem")
        gone = (
            quantity - shop.read(line, "currentQuantity", "LineItem") - _refunded(line, order, shop)
        )
        if gone > 0:
            net = plus(net, _share_of(line, shop, net_of(line, shop), gone, quantity))
            taxes = plus(taxes, _share_of(line, shop, taxes_of(line), gone, quantity))
    return net, taxes


def _refunded(line: dict, order: dict, shop: "Shop") -> int:
    """Units of a line that refunds name."""
    return sum(
        item.get("quantity") or 0
        for item in refund_lines(order, shop)
        if item.get("lineItem") == line["id"]
    )


@derived("LineItem", "quantity")
def _line_quantity(line, shop):
    return 1


@derived("LineItem", "currentQuantity", "refundableQuantity")
def _line_current_quantity(line, shop):
    return shop.read(line, "quantity") - _refunded(line, owner(line, shop, "Order"), shop)


@derived("LineItem", "unfulfilledQuantity", "fulfillableQuantity")
def _line_unfulfilled(line, shop):
    order = owner(line, shop, "Order")
    shipped = 0
    for fulfillment in shop.store.related(order, "fulfillments") if order else ():
        if fulfillment.get("status", "SUCCESS") == "SUCCESS":
            for item in shop.store.resolve_all(fulfillment.get("fulfillmentLineItems")):
                if item.get("lineItem") == line["id"]:
                    shipped += item.get("quantity") or 0
    quantity, left = shop.read(line, "quantity"), shop.read(line, "currentQuantity")
    never_sent = quantity - left - min(_given_back(line, order, shop), shipped)
    return max(0, quantity - shipped - max(never_sent, 0))


def _given_back(line: dict, order: dict, shop: "Shop") -> int:
    """Units of a line that were refunded after they had been sent, as far as refunds tell: those
    that edits took off and those that were cancelled had not.
    """
    units = 0
    for refund in shop.store.related(order, "refunds") if order.get("id") else ():
        edit = not refund.get("transactions") and not refund.get("return")
        for item in shop.store.resolve_all(refund.get("refundLineItems")):
            kind = item.get("restockType") or "NO_RESTOCK"
            if item.get("lineItem") == line["id"] and (
                kind in ("RETURN", "LEGACY_RESTOCK") or (kind == "NO_RESTOCK" and not edit)
            ):
                units += item.get("quantity") or 0
    return units


@derived("LineItem", "nonFulfillableQuantity")
def _line_non_fulfillable(line, shop):
    return shop.read(line, "quantity") - shop.read(line, "unfulfilledQuantity")


@derived("LineItem", "name")
def _line_name(line, shop):
    title, variant = line.get("title") or "", line.get("variantTitle")
    return f"{title} - {variant}" if variant else title


@derived("LineItem", "taxable", "requiresShipping", "restockable", "merchantEditable")
def _line_true(line, shop):
    return True


@derived("LineItem", "originalUnitPriceSet")
def _line_unit_price(line, shop):
    return make_bag(line, shop, (Decimal(0), Decimal(0)))


@derived("LineItem", "originalTotalSet")
def _line_total(line, shop):
    return make_bag(line, shop, gross_of(line, shop))


def line_discounts(line: dict, shop: "Shop", with_codes: bool) -> tuple[Decimal, Decimal]:
    """Discounts on the line itself: those across the order never count, codes only on demand."""
    found = []
    for item in line.get("discountAllocations") or ():
        application = shop.store.resolve(item.get("discountApplication")) or {}
        across = application.get("allocationMethod") == "ACROSS"
        code = application.get("__typename") == "DiscountCodeApplication"
        if not across and (with_codes or not code):
            found.append(item.get("allocatedAmountSet"))
    return total(found)


@derived("LineItem", "totalDiscountSet")
def _line_discount(line, shop):
    return make_bag(line, shop, line_discounts(line, shop, with_codes=True))


@derived("LineItem", "discountedTotalSet")
def _line_discounted(line, shop):
    own = line_discounts(line, shop, with_codes=False)
    return make_bag(line, shop, minus(gross_of(line, shop), own))


@derived("LineItem", "priceAfterAllDiscountsBeforeTaxesSet")
def _line_after_all(line, shop):
    quantity = shop.read(line, "quantity") or 1
    left = shop.read(line, "currentQuantity")
    return _bag_of_share(line, shop, net_of(line, shop), left, quantity)


@derived("LineItem", "discountedUnitPriceSet")
def _line_discounted_unit(line, shop):
    whole = amounts(shop.read(line, "discountedTotalSet"))
    return _bag_of_share(line, shop, whole, 1, shop.read(line, "quantity") or 1)


@derived("LineItem", "discountedUnitPriceAfterAllDiscountsSet")
def _line_unit_after_all(line, shop):
    return _bag_of_share(line, shop, net_of(line, shop), 1, shop.read(line, "quantity") or 1)


def _share_of(line, shop, whole: tuple, part: int, quantity: int) -> tuple[Decimal, Decimal]:
    codes = currencies(line, shop)
    return tuple(
        rounded(amount * part / quantity, code) for amount, code in zip(whole, codes, strict=True)
    )


def _bag_of_share(line, shop, whole: tuple, part: int, quantity: int) -> dict:
    return make_bag(line, shop, _share_of(line, shop, whole, part, quantity))


@derived("ShippingLine", "discountedPriceSet", "currentDiscountedPriceSet")
def _shipping_discounted(line, shop):
    price = line.get("originalPriceSet")
    if not price:
        return None
    reduced = minus(amounts(price), discounts_of(line))
    moneys = (price["shopMoney"], price["presentmentMoney"])
    return bag(reduced[0], moneys[0]["currencyCode"], reduced[1], moneys[1]["currencyCode"])


@derived("TaxLine", "ratePercentage")
def _tax_percentage(tax, shop):
    rate = tax.get("rate")
    return None if rate is None else float(round(Decimal(str(rate)) * 100, 4))
