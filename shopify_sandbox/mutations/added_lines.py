"""Lines that an order gets after it was placed: by an edit, or by an exchange."""

from dataclasses import dataclass
from decimal import Decimal

from ..context import Context
from ..derive import amounts, make_bag, plus
from ..money import rounded
from ..routing import ACTIONS, assigned_location, commit_stock
from ..store import Ref
from .registry import create, update

NOTHING = (Decimal(0), Decimal(0))


@dataclass
class NewLine:
    """A line that is to be added.

    :ivar values: fields of the line item
    :ivar price: of one unit, in the store's currency
    """

    values: dict
    price: Decimal
    quantity: int
    taxable: bool = True


def line_of_variant(variant: dict, quantity: int, context: Context) -> NewLine:
    """A line at the variant's price."""
    product = context.shop.store.get(variant.get("product")) or {}
    inventory = context.shop.store.get(variant.get("inventoryItem")) or {}
    values = {
        "title": product.get("title") or variant.get("title"),
        "variantTitle": variant.get("title"),
        "sku": variant.get("sku"),
        "variant": {"id": variant["id"]},
        "product": {"id": product["id"]} if product else None,
        "requiresShipping": inventory.get("requiresShipping", True),
    }
    return NewLine(values, Decimal(str(variant.get("price") or 0)), quantity)


def unit_of(order: dict, line: NewLine, context: Context) -> tuple[Decimal, Decimal]:
    """The price of one unit, in the store's and in the customer's currency."""
    code = context.shop.read(order, "presentmentCurrencyCode")
    return line.price, rounded(line.price * _exchange_rate(order, context), code)


def worth_of(order: dict, line: NewLine, context: Context) -> tuple[tuple, list[dict], tuple]:
    """``(net, tax lines, tax)``, taxed as the first taxed line of the order is."""
    shop, store = context.shop, context.shop.store
    net = tuple(amount * line.quantity for amount in unit_of(order, line, context))
    codes = (shop.currency, shop.read(order, "presentmentCurrencyCode"))
    ordered = store.resolve_all(order.get("lineItems"))
    sample = next((known for known in ordered if known.get("taxLines")), {})
    tax_lines, tax = [], NOTHING
    for known in (sample.get("taxLines") or ()) if line.taxable else ():
        rate = Decimal(str(known.get("rate") or 0))
        if shop.read(order, "taxesIncluded"):
            rate = rate / (1 + rate)
        amount = tuple(rounded(part * rate, code) for part, code in zip(net, codes, strict=True))
        tax_lines.append({**known, "priceSet": make_bag(order, shop, amount)})
        tax = plus(tax, amount)
    return net, tax_lines, tax


def add_lines(order: dict, new: list[NewLine], context: Context) -> list[dict]:
    """Lines and a fulfilment order of their own; the totals rise by them."""
    worth = [worth_of(order, line, context) for line in new]
    lines = [
        _create(order, line, tax_lines, context)
        for line, (_net, tax_lines, _tax) in zip(new, worth, strict=True)
    ]
    values = raised(
        order, plus(NOTHING, *(w[0] for w in worth)), plus(NOTHING, *(w[2] for w in worth)), context
    )
    values["lineItems"] = [*(order.get("lineItems") or ()), *(Ref(line["id"]) for line in lines)]
    values["taxLines"] = [
        *(order.get("taxLines") or ()),
        *(tax_line for _net, tax_lines, _tax in worth for tax_line in tax_lines),
    ]
    update(context, order["id"], values)
    add_fulfillment_order(order, [(line, line["quantity"]) for line in lines], context)
    return lines


def raised(order: dict, net: tuple, tax: tuple, context: Context) -> dict:
    """The figures that an order states, with what is added to it."""
    shop = context.shop
    whole = net if shop.read(order, "taxesIncluded") else plus(net, tax)
    return {
        name: make_bag(order, shop, plus(amounts(order[name]), rise))
        for names, rise in (
            (("totalPriceSet", "currentTotalPriceSet"), whole),
            (("subtotalPriceSet", "currentSubtotalPriceSet"), net),
            (("totalTaxSet", "currentTotalTaxSet"), tax),
        )
        for name in names
        if name in order
    }


def _create(order: dict, line: NewLine, tax_lines: list[dict], context: Context) -> dict:
    shop, store = context.shop, context.shop.store
    record = create(
        context,
        {
            "__typename": "LineItem",
            "id": store.new_gid("LineItem"),
            "quantity": line.quantity,
            "originalUnitPriceSet": make_bag(order, shop, unit_of(order, line, context)),
            "discountAllocations": [],
            **line.values,
        },
    )
    return store.put(record["id"], "LineItem", {"taxLines": tax_lines, "_parent": Ref(order["id"])})


def _exchange_rate(order: dict, context: Context) -> Decimal:
    ours, theirs = amounts(context.shop.read(order, "totalPriceSet"))
    return theirs / ours if ours else Decimal(1)


def add_fulfillment_order(order: dict, units: list[tuple], context: Context) -> None:
    """A fulfilment order for ``[(line, units)]``, as far as they are to be shipped."""
    shop, store = context.shop, context.shop.store
    units = [(line, quantity) for line, quantity in units if shop.read(line, "requiresShipping")]
    known = store.related(order, "fulfillmentOrders")
    gid = (known[0].get("assignedLocation") or {}).get("location") if known else None
    location = store.get(gid) or next(iter(store.all("Location")), None)
    if location is None or not units:
        return
    items = []
    for line, _quantity in units:
        variant = store.get(line.get("variant")) or {}
        items.append(store.get(variant.get("inventoryItem")) or {})
    create(
        context,
        {
            "__typename": "FulfillmentOrder",
            "id": store.new_gid("FulfillmentOrder"),
            "order": {"id": order["id"]},
            "status": "OPEN",
            "requestStatus": "UNSUBMITTED",
            "assignedLocation": assigned_location(location),
            "supportedActions": [{"action": name} for name in ACTIONS],
            "lineItems": {
                "nodes": [
                    {
                        "id": store.new_gid("FulfillmentOrderLineItem"),
                        "totalQuantity": quantity,
                        "remainingQuantity": quantity,
                        "lineItem": {"id": line["id"]},
                        "inventoryItemId": item.get("id"),
                    }
                    for (line, quantity), item in zip(units, items, strict=True)
                ]
            },
        },
    )
    context.changes += commit_stock(
        shop,
        [
            (item, location["id"], quantity)
            for (_line, quantity), item in zip(units, items, strict=True)
        ],
    )
