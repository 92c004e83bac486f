"""Order editing: a session in which changes are staged, and the commit that applies them.

Units that an edit takes off make a refund without money, and stay in ``quantity``. Lines that it
adds get a fulfilment order of their own.
"""

import uuid
from decimal import Decimal

from ..context import Context
from ..derive import amounts, make_bag, plus
from ..derive.lines import net_of, taxes_of
from ..errors import UserErrors, user_error
from ..money import rounded
from ..store import Ref, legacy_id
from .added_lines import (
    NOTHING,
    NewLine,
    add_fulfillment_order,
    add_lines,
    line_of_variant,
    raised,
    unit_of,
    worth_of,
)
from .fulfillments import do_not_ship
from .orders import settle
from .refunds import refund_of_edit
from .registry import find, mutation, update

EMPTY = ("calculatedOrder", "orderEditSession")
STAGED = (*EMPTY, "calculatedLineItem")


def _refuse(field: str | None, *messages: str) -> UserErrors:
    return UserErrors(*(user_error(field and [field], message) for message in messages))


@mutation("orderEditBegin", empty=EMPTY)
def begin(arguments: dict, context: Context) -> dict:
    shop, store = context.shop, context.shop.store
    order = find(context, "Order", arguments["id"])
    if order is None:
        raise _refuse("id", "The order does not exist.")
    if order.get("cancelledAt"):
        raise _refuse("id", "The order cannot be edited.")
    gid = store.new_gid("CalculatedOrder")
    lines = [
        _calculated(line, order, gid, context)
        for line in store.resolve_all(order.get("lineItems"))
        if shop.read(line, "currentQuantity") > 0
    ]
    values = {"originalOrder": Ref(order["id"]), "lineItems": lines, "addedLineItems": []}
    store.put(gid, "CalculatedOrder", values)
    return _payload(gid, context)


def _calculated(line: dict, order: dict, session: str, context: Context) -> Ref:
    shop = context.shop
    gid = f"gid://shopify/CalculatedLineItem/{legacy_id(line['id'])}"
    shop.store.put(
        gid,
        "CalculatedLineItem",
        {
            "title": shop.read(line, "title"),
            "variantTitle": line.get("variantTitle"),
            "sku": line.get("sku"),
            "variant": line.get("variant"),
            "quantity": shop.read(line, "currentQuantity"),
            "originalUnitPriceSet": shop.read(line, "originalUnitPriceSet"),
            "restocking": False,
            "_line": Ref(line["id"]),
            "_parent": Ref(order["id"]),
            "_session": session,
        },
    )
    return Ref(gid)


def _session(arguments: dict, context: Context) -> dict:
    """The session, by the id of its calculated order or by its own."""
    gid = f"gid://shopify/CalculatedOrder/{legacy_id(arguments['id'])}"
    found = find(context, "CalculatedOrder", gid)
    if found is None or found.get("committed"):
        raise _refuse("id", "The calculated order does not exist.")
    return found


def _order(session: dict, context: Context) -> dict:
    return context.shop.store.get(session["originalOrder"])


def _payload(gid: str, context: Context, line: dict | None = None) -> dict:
    """The session with the figures that the order would have."""
    shop, store = context.shop, context.shop.store
    session = store.get(gid)
    order = _order(session, context)
    net, tax = _difference(session, order, context)
    whole = net if shop.read(order, "taxesIncluded") else plus(net, tax)
    lines = store.resolve_all([*session["lineItems"], *session["addedLineItems"]])

    def figure(name: str, rise: tuple) -> dict:
        return make_bag(order, shop, plus(amounts(shop.read(order, name)), rise))

    store.put(
        gid,
        "CalculatedOrder",
        {
            "subtotalLineItemsQuantity": sum(item["quantity"] for item in lines),
            "subtotalPriceSet": figure("currentSubtotalPriceSet", net),
            "totalPriceSet": figure("currentTotalPriceSet", whole),
            "totalOutstandingSet": figure("totalOutstandingSet", whole),
        },
    )
    edit = gid.replace("/CalculatedOrder/", "/OrderEditSession/")
    return {
        "calculatedOrder": store.get(gid),
        "orderEditSession": {"__typename": "OrderEditSession", "id": edit},
        **({"calculatedLineItem": store.get(line["id"])} if line else {}),
    }


def _difference(session: dict, order: dict, context: Context) -> tuple[tuple, tuple]:
    """By how much the edit raises the order: ``(net, tax)``; less when it lowers it."""
    shop, store = context.shop, context.shop.store
    net, tax = NOTHING, NOTHING
    codes = (shop.currency, shop.read(order, "presentmentCurrencyCode"))
    for item in store.resolve_all(session["lineItems"]):
        line = store.get(item["_line"])
        units = item["quantity"] - shop.read(line, "currentQuantity")
        ordered = shop.read(line, "quantity")
        if units > 0:
            rise, _tax_lines, tax_rise = _more(order, line, units, context)
        else:
            rise, tax_rise = (
                tuple(
                    rounded(amount * units / ordered, code)
                    for amount, code in zip(whole, codes, strict=True)
                )
                for whole in (net_of(line, shop), taxes_of(line))
            )
        net, tax = plus(net, rise), plus(tax, tax_rise)
    for item in store.resolve_all(session["addedLineItems"]):
        more, _tax_lines, more_tax = worth_of(order, _new_line(item), context)
        net, tax = plus(net, more), plus(tax, more_tax)
    return net, tax


def _new_line(item: dict) -> NewLine:
    new = item["_new"]
    return NewLine(new.values, new.price, item["quantity"], new.taxable)


# === STAGING === #


@mutation("orderEditSetQuantity", empty=STAGED)
def set_quantity(arguments: dict, context: Context) -> dict:
    shop, store = context.shop, context.shop.store
    session, quantity = _session(arguments, context), arguments["quantity"]
    if quantity < 0:
        raise _refuse("quantity", "must be greater than or equal to 0")
    item = find(context, "CalculatedLineItem", arguments["lineItemId"])
    own = (*session["lineItems"], *session["addedLineItems"])
    if item is None or item["id"] not in own:
        raise _refuse("lineItemId", "The line item does not exist.")
    line = store.get(item.get("_line"))
    if line:
        sent = shop.read(line, "currentQuantity") - shop.read(line, "unfulfilledQuantity")
        if quantity < sent:
            # Only units that were not sent can be edited away.
            raise _refuse("quantity", f"must be greater than or equal to {sent}")
    values = {"quantity": quantity, "restocking": bool(arguments.get("restock"))}
    store.put(item["id"], "CalculatedLineItem", values)
    return _payload(session["id"], context, item)


@mutation("orderEditAddVariant", empty=STAGED)
def add_variant(arguments: dict, context: Context) -> dict:
    session, quantity = _session(arguments, context), arguments["quantity"]
    _check_quantity(quantity)
    variant = find(context, "ProductVariant", arguments["variantId"])
    if variant is None:
        raise _refuse("variantId", "The variant does not exist.")
    lines = context.shop.store.resolve_all([*session["lineItems"], *session["addedLineItems"]])
    there = any(line.get("variant") == variant["id"] and line["quantity"] for line in lines)
    if there and not arguments.get("allowDuplicates"):
        raise _refuse("variantId", "The variant is already on the order.")
    return _add(session, line_of_variant(variant, quantity, context), context)


@mutation("orderEditAddCustomItem", empty=STAGED)
def add_custom_item(arguments: dict, context: Context) -> dict:
    session, quantity = _session(arguments, context), arguments["quantity"]
    _check_quantity(quantity)
    price = arguments["price"]
    currency = context.shop.read(_order(session, context), "currencyCode")
    if price["currencyCode"] != currency:
        raise _refuse("price", f"The price must be in {currency}.")
    values = {
        "title": arguments["title"],
        "requiresShipping": bool(arguments.get("requiresShipping")),
        "taxable": arguments.get("taxable") is not False,
    }
    line = NewLine(values, Decimal(price["amount"]), quantity, values["taxable"])
    return _add(session, line, context)


def _check_quantity(quantity: int) -> None:
    if quantity <= 0:
        also = ["must be greater than or equal to 0"] if quantity < 0 else []
        raise _refuse("quantity", "must be greater than 0", *also)


def _add(session: dict, new: NewLine, context: Context) -> dict:
    store, order = context.shop.store, _order(session, context)
    gid = f"gid://shopify/CalculatedLineItem/{uuid.uuid4()}"
    variant = new.values.get("variant")
    store.put(
        gid,
        "CalculatedLineItem",
        {
            "title": new.values["title"],
            "variantTitle": new.values.get("variantTitle"),
            "sku": new.values.get("sku"),
            "variant": Ref(variant["id"]) if variant else None,
            "quantity": new.quantity,
            "originalUnitPriceSet": make_bag(order, context.shop, unit_of(order, new, context)),
            "_new": new,
            "_parent": Ref(order["id"]),
        },
    )
    added = [*session["addedLineItems"], Ref(gid)]
    store.put(session["id"], "CalculatedOrder", {"addedLineItems": added})
    return _payload(session["id"], context, store.get(gid))


# === COMMITTING === #


@mutation("orderEditCommit", empty=("order", "successMessages"))
def commit(arguments: dict, context: Context) -> dict:
    shop, store = context.shop, context.shop.store
    session = _session(arguments, context)
    order = _order(session, context)
    lowered, more = [], []
    for item in store.resolve_all(session["lineItems"]):
        line = store.get(item["_line"])
        units = item["quantity"] - shop.read(line, "currentQuantity")
        if units < 0:
            lowered.append((line, -units, item["restocking"]))
        elif units:
            more.append((line, units))
    for line, units, _restock in lowered:
        do_not_ship(order, line, units, context)
    if lowered:
        refund_of_edit(order, lowered, context)
    for line, units in more:
        _raise(store.get(order["id"]), line, units, context)
    added = store.resolve_all(session["addedLineItems"])
    if added := [_new_line(item) for item in added if item["quantity"]]:
        add_lines(store.get(order["id"]), added, context)
    store.put(session["id"], "CalculatedOrder", {"committed": True})
    update(context, order["id"], {"edited": True, "_edits": order.get("_edits", 0) + 1})
    return {
        "order": settle(store.get(order["id"]), context),
        "successMessages": ["Order updated"],
    }


def _more(order: dict, line: dict, units: int, context: Context) -> tuple[tuple, list, tuple]:
    """``(net, tax lines of the whole line then, tax)`` of further units of a line."""
    shop = context.shop
    net = tuple(amount * units for amount in amounts(line["originalUnitPriceSet"]))
    codes = (shop.currency, shop.read(order, "presentmentCurrencyCode"))
    tax, tax_lines, base = NOTHING, [], net_of(line, shop)
    for known in line.get("taxLines") or ():
        whole = amounts(known["priceSet"])
        share = tuple(
            rounded(part * more / all_of, code) if all_of else Decimal(0)
            for part, more, all_of, code in zip(whole, net, base, codes, strict=True)
        )
        tax_lines.append({**known, "priceSet": make_bag(order, shop, plus(whole, share))})
        tax = plus(tax, share)
    return net, tax_lines, tax


def _raise(order: dict, line: dict, units: int, context: Context) -> None:
    """More of a line: its quantity rises, and what is added has a fulfilment order of its own."""
    shop, store = context.shop, context.shop.store
    values = {"quantity": shop.read(line, "quantity") + units}
    for name in ("currentQuantity", "refundableQuantity"):
        if line.get(name) is not None:
            values[name] = line[name] + units
    net, tax_lines, tax = _more(order, line, units, context)
    store.put(line["id"], "LineItem", {**values, "taxLines": tax_lines})
    update(context, order["id"], raised(order, net, tax, context))
    add_fulfillment_order(order, [(store.get(line["id"]), units)], context)
