"""Figures and states of an order."""

from decimal import Decimal
from typing import TYPE_CHECKING

from ..store import legacy_id
from .base import amounts, derived, make_bag, minus, plus, total
from .lines import (
    discounts_of,
    lines,
    net_of,
    refund_lines,
    removed,
    shipping_lines,
    taxes_of,
)

if TYPE_CHECKING:
    from ..shop import Shop


def shipping_total(order: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    return plus(
        *(
            amounts(shop.read(line, "discountedPriceSet", "ShippingLine"))
            for line in shipping_lines(order, shop)
            if not line.get("isRemoved")
        )
    )


def tax_total(order: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    if order.get("taxLines"):
        return taxes_of(order)
    everything = [*lines(order, shop), *shipping_lines(order, shop)]
    return plus(*(taxes_of(line) for line in everything))


@derived("Order", "name")
def _order_name(order, shop):
    return f"#{order.get('number') or legacy_id(order['id'])}"


@derived("Order", "number")
def _order_number(order, shop):
    found = "".join(filter(str.isdigit, order.get("name") or legacy_id(order["id"])))
    return int(found or 0)


def _currency_of_money(order: dict, shop: "Shop", side: str) -> str | None:
    """The currency in which the order's money was given."""
    bags = [order.get("totalPriceSet")]
    bags += [line.get("originalUnitPriceSet") for line in lines(order, shop)]
    found = (bag[side].get("currencyCode") for bag in bags if bag and bag.get(side))
    return next(found, None)


@derived("Order", "currencyCode")
def _order_currency(order, shop):
    return _currency_of_money(order, shop, "shopMoney") or shop.currency


@derived("Order", "presentmentCurrencyCode")
def _order_presentment_currency(order, shop):
    return _currency_of_money(order, shop, "presentmentMoney") or shop.read(order, "currencyCode")


@derived("Order", "taxesIncluded")
def _order_taxes_included(order, shop):
    return shop.taxes_included


@derived("Order", "subtotalPriceSet")
def _order_subtotal(order, shop):
    everything = plus(*(net_of(line, shop) for line in lines(order, shop)))
    return make_bag(order, shop, minus(everything, amounts(order.get("totalTipReceivedSet"))))


@derived("Order", "totalTaxSet")
def _order_tax(order, shop):
    return make_bag(order, shop, tax_total(order, shop))


@derived("Order", "totalShippingPriceSet")
def _order_shipping(order, shop):
    return make_bag(order, shop, shipping_total(order, shop))


@derived("Order", "totalDiscountsSet")
def _order_discounts(order, shop):
    everything = [*lines(order, shop), *shipping_lines(order, shop)]
    return make_bag(order, shop, plus(*(discounts_of(line) for line in everything)))


@derived("Order", "totalPriceSet")
def _order_total(order, shop):
    parts = [net_of(line, shop) for line in lines(order, shop)]
    parts.append(shipping_total(order, shop))
    parts.append(amounts(order.get("originalTotalDutiesSet")))
    parts.append(amounts(order.get("originalTotalAdditionalFeesSet")))
    if not shop.read(order, "taxesIncluded"):
        parts.append(amounts(shop.read(order, "totalTaxSet")))
    return make_bag(order, shop, plus(*parts))


@derived("Order", "originalTotalPriceSet")
def _order_original_total(order, shop):
    return shop.read(order, "totalPriceSet")


@derived("Order", "currentTotalPriceSet")
def _order_current_total(order, shop):
    net, taxes = removed(order, shop)
    if not shop.read(order, "taxesIncluded"):
        net = plus(net, taxes)
    gone = plus(amounts(shop.read(order, "totalRefundedSet")), _unpaid(order, shop), net)
    return make_bag(order, shop, minus(amounts(shop.read(order, "totalPriceSet")), gone))


def _unpaid(order, shop) -> tuple[Decimal, Decimal]:
    """What the units of refunds are worth that gave no money back, as those of edits do."""
    names = ["subtotalSet"] + ["totalTaxSet"] * (not shop.read(order, "taxesIncluded"))
    return total(
        shop.read(line, name, "RefundLineItem")
        for refund in (shop.store.related(order, "refunds") if order.get("id") else ())
        if not amounts(shop.read(refund, "totalRefundedSet"))[0]
        for line in shop.store.resolve_all(refund.get("refundLineItems"))
        for name in names
    )


@derived("Order", "currentSubtotalPriceSet")
def _order_current_subtotal(order, shop):
    return _without_returned(
        order, shop, "subtotalPriceSet", "subtotalSet", removed(order, shop)[0]
    )


@derived("Order", "currentTotalTaxSet")
def _order_current_tax(order, shop):
    return _without_returned(order, shop, "totalTaxSet", "totalTaxSet", removed(order, shop)[1])


def _without_returned(order, shop, whole: str, part: str, gone: tuple) -> dict:
    """A figure of the order without what its refunds say of it, and without removed units."""
    lines = refund_lines(order, shop)
    returned = total(shop.read(item, part, "RefundLineItem") for item in lines)
    return make_bag(order, shop, minus(amounts(shop.read(order, whole)), plus(returned, gone)))


@derived("Order", "currentTotalDiscountsSet")
def _order_current_discounts(order, shop):
    return shop.read(order, "totalDiscountsSet")


@derived("Order", "currentShippingPriceSet")
def _order_current_shipping(order, shop):
    returned = total(
        shop.read(line, "subtotalAmountSet", "RefundShippingLine")
        for refund in (shop.store.related(order, "refunds") if order.get("id") else ())
        for line in shop.store.resolve_all(refund.get("refundShippingLines"))
    )
    return make_bag(
        order, shop, minus(amounts(shop.read(order, "totalShippingPriceSet")), returned)
    )


@derived("Order", "currentTaxLines")
def _order_current_tax_lines(order, shop):
    return order.get("taxLines") or []


@derived("Order", "currentTotalDutiesSet")
def _order_current_duties(order, shop):
    return order.get("originalTotalDutiesSet")


@derived("Order", "currentTotalAdditionalFeesSet")
def _order_current_fees(order, shop):
    return order.get("originalTotalAdditionalFeesSet")


@derived("Order", "subtotalLineItemsQuantity")
def _order_quantity(order, shop):
    return sum(shop.read(line, "quantity", "LineItem") for line in lines(order, shop))


@derived("Order", "currentSubtotalLineItemsQuantity")
def _order_current_quantity(order, shop):
    return sum(shop.read(line, "currentQuantity", "LineItem") for line in lines(order, shop))


@derived("Order", "shippingLine")
def _order_shipping_line(order, shop):
    return next(iter(shop.store.resolve_all(order.get("shippingLines"))), None)


@derived("Order", "shippingLines")
def _order_shipping_lines(order, shop):
    return shipping_lines(order, shop)


@derived("Order", "displayAddress")
def _order_display_address(order, shop):
    return order.get("shippingAddress") or order.get("billingAddress")


@derived("Order", "billingAddressMatchesShippingAddress")
def _order_addresses_match(order, shop):
    keys = ("name", "address1", "address2", "city", "zip", "countryCodeV2")
    left, right = order.get("billingAddress") or {}, order.get("shippingAddress") or {}
    return all(left.get(key) == right.get(key) for key in keys)


@derived("Order", "discountCodes")
def _order_discount_codes(order, shop):
    found = shop.store.resolve_all(order.get("discountApplications"))
    return [item["code"] for item in found if item.get("code")]


@derived("Order", "discountCode")
def _order_discount_code(order, shop):
    return next(iter(shop.read(order, "discountCodes")), None)


@derived("Order", "requiresShipping", "fulfillable")
def _order_requires_shipping(order, shop):
    return any(shop.read(line, "requiresShipping", "LineItem") for line in lines(order, shop))


@derived("Order", "closed")
def _order_closed(order, shop):
    return bool(order.get("closedAt"))


@derived("Order", "confirmed", "merchantEditable", "refundable", "restockable")
def _order_true(order, shop):
    return True


@derived("Order", "sourceName")
def _order_source(order, shop):
    return "web"


@derived("Order", "displayFulfillmentStatus")
def _order_fulfillment_status(order, shop):
    shipped = shop.store.related(order, "fulfillments")
    if not any(item.get("status", "SUCCESS") == "SUCCESS" for item in shipped):
        return "UNFULFILLED"
    remaining = sum(
        shop.read(line, "unfulfilledQuantity", "LineItem") for line in lines(order, shop)
    )
    return "PARTIALLY_FULFILLED" if remaining else "FULFILLED"


@derived("Order", "returnStatus")
def _order_return_status(order, shop):
    states = {item.get("status") for item in shop.store.related(order, "returns")}
    # One that waits for an answer counts more than one that is under way.
    if "REQUESTED" in states:
        return "RETURN_REQUESTED"
    if "OPEN" in states:
        return "IN_PROGRESS"
    return "RETURNED" if "CLOSED" in states else "NO_RETURN"


@derived("Order", "risk")
def _order_risk(order, shop):
    return {"assessments": [], "recommendation": "NONE"}
