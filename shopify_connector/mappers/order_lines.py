"""From line items, shipping lines, duties and fees to order lines.

Lines are built from ``quantity`` as ordered, never from ``currentQuantity``: refunds and edits that
take units away leave ``quantity``, ``totalPriceSet`` and the tax lines as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .errors import MappingError
from .money import ZERO, Money, MoneyBag
from .order_types import Discount, LineGroup, OrderLine
from .tax import map_taxes
from .text import attributes, clean, lower

_DISCOUNT_KINDS = {
    "ManualDiscountApplication": "manual",
    "AutomaticDiscountApplication": "automatic",
    "DiscountCodeApplication": "code",
    "ScriptDiscountApplication": "script",
}


@dataclass(frozen=True, slots=True)
class LineContext:
    """What all lines of one order share."""

    order_gid: str
    policy: str
    currency: str
    shop_currency: str
    taxes_included: bool
    country_code: str | None

    def bag(self, node: Mapping, key: str, path: str = "") -> MoneyBag:
        """Read a money bag that must be there, in the order's two currencies.

        :raises MappingError: it is missing, no number, or in another currency
        """
        path = f"{path}.{key}" if path else key
        try:
            bag = MoneyBag.parse(node.get(key))
        except (ValueError, KeyError, TypeError) as error:
            raise MappingError(path, f"not an amount of money ({error})") from None
        if bag is None:
            raise MappingError(path, "the amount is missing")
        found = bag.pick(self.policy).currency
        if found != self.currency:
            raise MappingError(path, f"the amount is in {found}, the order in {self.currency}")
        if bag.shop.currency != self.shop_currency:
            raise MappingError(
                path, f"the amount is in {bag.shop.currency}, the store in {self.shop_currency}"
            )
        return bag


def map_line_items(items: Iterable[Mapping], context: LineContext) -> list[OrderLine]:
    """Map the line items; whether one of them is the tip is decided later, for the whole order."""
    return [
        _line_item(node, context, f"lineItems[{position}]") for position, node in enumerate(items)
    ]


def _line_item(node: Mapping, context: LineContext, path: str) -> OrderLine:
    quantity = node["quantity"]
    if quantity < 0:
        raise MappingError(f"{path}.quantity", f"{quantity} units were ordered")
    current = node.get("currentQuantity")
    variant, product = node.get("variant") or {}, node.get("product") or {}
    kind = "product" if variant or product else "custom"
    if node.get("isGiftCard"):
        kind = "gift_card"
    return OrderLine(
        kind=kind,
        gid=node["id"],
        product_gid=product.get("id") or "",
        variant_gid=variant.get("id") or "",
        sku=clean(node.get("sku")),
        barcode=clean(variant.get("barcode")),
        title=clean(node.get("title")),
        variant_title=clean(node.get("variantTitle")),
        name=clean(node.get("name")) or clean(node.get("title")),
        vendor=clean(node.get("vendor")),
        quantity=quantity,
        current_quantity=quantity if current is None else current,
        waiting_quantity=node.get("unfulfilledQuantity"),
        requires_shipping=bool(node.get("requiresShipping")),
        is_gift_card=bool(node.get("isGiftCard")),
        taxable=node.get("taxable") is not False,
        attributes=attributes(node.get("customAttributes")),
        selling_plan=clean((node.get("sellingPlan") or {}).get("name")),
        group=_group(node.get("lineItemGroup")),
        **_money(node, "originalUnitPriceSet", quantity, context, path),
    )


def map_shipping_lines(
    items: Iterable[Mapping], context: LineContext
) -> tuple[list[OrderLine], list[OrderLine]]:
    """Map the shipping lines; return those that stand and those that were removed."""
    kept, removed = [], []
    for position, node in enumerate(items):
        is_removed = bool(node.get("isRemoved"))
        line = OrderLine(
            kind="shipping",
            gid=node.get("id") or f"{context.order_gid}/shipping/{position}",
            title=clean(node.get("title")),
            name=clean(node.get("title")),
            quantity=1,
            current_quantity=0 if is_removed else 1,
            code=clean(node.get("code")),
            source=clean(node.get("source")),
            carrier=clean(node.get("carrierIdentifier")),
            **_money(node, "originalPriceSet", 1, context, f"shippingLines[{position}]"),
        )
        (removed if is_removed else kept).append(line)
    return kept, removed


def map_duties(items: Iterable[Mapping], context: LineContext) -> list[OrderLine]:
    """One line for each duty of each line item."""
    return [
        _charge(
            duty,
            context,
            path,
            kind="duty",
            title=f"Duty: {clean(node.get('title'))}",
            parent=node["id"],
        )
        for position, node in enumerate(items)
        for path, duty in (
            (f"lineItems[{position}].duties[{index}]", duty)
            for index, duty in enumerate(node.get("duties") or ())
        )
    ]


def map_fees(items: Iterable[Mapping] | None, context: LineContext) -> list[OrderLine]:
    """One line for each additional fee of the order."""
    return [
        _charge(
            node, context, f"additionalFees[{index}]", kind="fee", title=clean(node.get("name"))
        )
        for index, node in enumerate(items or ())
    ]


def tip_line(tip: MoneyBag, context: LineContext) -> OrderLine:
    """A tip that Shopify states beside the lines."""
    amount = tip.pick(context.policy)
    return OrderLine(
        kind="tip",
        gid=f"{context.order_gid}/tip",
        title="Tip",
        name="Tip",
        quantity=1,
        current_quantity=1,
        unit_price=amount,
        gross=amount,
        net=amount,
        shop_net=tip.shop,
        taxes_included=context.taxes_included,
        taxable=False,
    )


def _charge(
    node: Mapping, context: LineContext, path: str, *, kind: str, title: str, parent: str = ""
) -> OrderLine:
    return OrderLine(
        kind=kind,
        gid=node["id"],
        parent_gid=parent,
        title=title,
        name=title,
        quantity=1,
        current_quantity=1,
        **_money(node, "price", 1, context, path),
    )


def _money(node: Mapping, key: str, quantity: int, context: LineContext, path: str) -> dict:
    """The figures of one line, in the order's currency and in the store's."""
    unit = context.bag(node, key, path)
    unit_price = unit.pick(context.policy)
    gross = unit_price * quantity
    net, shop_net = gross.amount, unit.shop.amount * quantity
    discounts = _discounts(node.get("discountAllocations"), context, path)
    for discount in discounts:
        net -= discount.amount.amount
        shop_net -= discount.shop_amount.amount
    try:
        taxes = map_taxes(
            node.get("taxLines"),
            policy=context.policy,
            included=context.taxes_included,
            country_code=context.country_code,
            path=path,
        )
    except (KeyError, TypeError) as error:
        raise MappingError(f"{path}.taxLines", f"not readable ({error})") from None
    for tax in taxes:
        if tax.amount.currency != context.currency:
            raise MappingError(
                f"{path}.taxLines",
                f"the tax is in {tax.amount.currency}, the order in {context.currency}",
            )
    return {
        "unit_price": unit_price,
        "gross": gross,
        "net": Money(net, context.currency) if discounts else gross,
        "shop_net": Money(shop_net, context.shop_currency),
        "taxes_included": context.taxes_included,
        "discounts": discounts,
        "taxes": taxes,
    }


def _discounts(
    allocations: Iterable[Mapping] | None, context: LineContext, path: str
) -> tuple[Discount, ...]:
    if not allocations:
        return ()
    found = []
    for position, node in enumerate(allocations):
        bag = context.bag(node, "allocatedAmountSet", f"{path}.discountAllocations[{position}]")
        amount = bag.pick(context.policy)
        if not amount and not bag.shop:
            continue
        application = node.get("discountApplication") or {}
        typename = application.get("__typename") or ""
        target = lower(application.get("targetType")) or "line_item"
        found.append(
            Discount(
                amount=amount,
                shop_amount=bag.shop,
                kind=_DISCOUNT_KINDS.get(typename) or _unknown_kind(typename),
                code_or_title=clean(
                    application.get("code")
                    or application.get("title")
                    or application.get("description")
                ),
                target=target,
                order_level=target == "line_item"
                and application.get("targetSelection") == "ALL"
                and application.get("allocationMethod") == "ACROSS",
            )
        )
    return tuple(found)


def _unknown_kind(typename: str) -> str:
    return typename.removesuffix("DiscountApplication").removesuffix("Application").lower() or (
        "manual"
    )


def _group(node: Mapping | None) -> LineGroup | None:
    if not node:
        return None
    return LineGroup(
        gid=node["id"],
        title=clean(node.get("title")),
        quantity=node.get("quantity") or 0,
        product_gid=node.get("productId") or "",
        variant_gid=node.get("variantId") or "",
        sku=clean(node.get("variantSku")),
    )


def removed_value(line: OrderLine, digits: int) -> tuple[Decimal, Decimal, Decimal] | None:
    """What the removed units of a line are worth: total with tax, tax, discount.

    None where a share of a cent would have to be guessed.
    """
    removed = line.quantity - line.current_quantity
    if removed <= 0:
        return ZERO, ZERO, ZERO
    shares = []
    for money in (line.total_included, line.tax_total, line.discount_total):
        share = money.amount * removed / line.quantity
        if share != round(share, digits):
            return None
        shares.append(share)
    return tuple(shares)
