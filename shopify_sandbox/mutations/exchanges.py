"""Exchange items of a return: new lines of the order once they are processed."""

from decimal import Decimal

from ..context import Context
from ..derive import amounts, make_bag, plus
from ..errors import UserErrors, user_error
from ..money import rounded
from ..routing import ACTIONS, assigned_location, commit_stock
from ..store import Ref
from .registry import create, find, update


def check_exchange_items(entries: list, field: list[str], context: Context) -> None:
    for index, entry in enumerate(entries):
        if find(context, "ProductVariant", entry.get("variantId") or "") is None:
            where = [*field, str(index), "variantId"]
            raise UserErrors(user_error(where, "Product variant not found.", "NOT_FOUND"))


def exchange_items(entries: list, context: Context) -> list[dict]:
    store = context.shop.store
    found = []
    for entry in entries:
        variant = store.get(entry["variantId"])
        product = store.get(variant.get("product")) or {}
        found.append(
            {
                "__typename": "ExchangeLineItem",
                "id": store.new_gid("ExchangeLineItem"),
                "quantity": entry["quantity"],
                "variantId": variant["id"],
                "variantSku": variant.get("sku"),
                "variantTitle": variant.get("title"),
                "productId": product.get("id"),
                "title": product.get("title"),
            }
        )
    return found


def add_exchange_items(order: dict, items: list[tuple], context: Context) -> None:
    """Processed exchange items become lines and a fulfilment order; the totals rise by them.

    :param items: ``[(exchange line, entry with the quantity)]``
    """
    shop = context.shop
    lines, nets, taxes = [], [], []
    for item, entry in items:
        line, net, tax = _line(order, item, entry["quantity"], context)
        lines.append(line)
        nets.append(net)
        taxes.append(tax)
        made = [*shop.store.resolve_all(item.get("lineItems")), shop.store.get(line["id"])]
        update(context, item["id"], {"lineItems": [Ref(record["id"]) for record in made]})
    net, tax = plus(*nets), plus(*taxes)
    whole = net if shop.read(order, "taxesIncluded") else plus(net, tax)
    values = {"lineItems": [*(order.get("lineItems") or ()), *(Ref(x["id"]) for x in lines)]}
    for names, rise in (
        (("totalPriceSet", "currentTotalPriceSet"), whole),
        (("subtotalPriceSet", "currentSubtotalPriceSet"), net),
        (("totalTaxSet", "currentTotalTaxSet"), tax),
    ):
        for name in names:
            if name in order:
                values[name] = make_bag(order, shop, plus(amounts(order[name]), rise))
    values["taxLines"] = [
        *(order.get("taxLines") or ()),
        *(tax_line for line in lines for tax_line in line.get("taxLines") or ()),
    ]
    update(context, order["id"], values)
    _add_fulfillment_order(order, lines, context)


def _line(order: dict, item: dict, quantity: int, context: Context) -> tuple:
    """A new line at the variant's price, taxed as the first taxed line of the order is."""
    shop, store = context.shop, context.shop.store
    variant = store.get(item["variantId"])
    price = Decimal(str(variant.get("price") or 0))
    unit = (price, rounded(price * _exchange_rate(order, context), _presentment(order, context)))
    net = tuple(amount * quantity for amount in unit)
    sample = next(
        (line for line in store.resolve_all(order.get("lineItems")) if line.get("taxLines")), None
    )
    codes = (shop.currency, _presentment(order, context))
    tax_lines, tax = [], (Decimal(0), Decimal(0))
    for known in (sample or {}).get("taxLines") or ():
        rate = Decimal(str(known.get("rate") or 0))
        if shop.read(order, "taxesIncluded"):
            rate = rate / (1 + rate)
        amount = tuple(rounded(part * rate, code) for part, code in zip(net, codes, strict=True))
        tax_lines.append({**known, "priceSet": make_bag(order, shop, amount)})
        tax = plus(tax, amount)
    record = create(
        context,
        {
            "__typename": "LineItem",
            "id": store.new_gid("LineItem"),
            "title": item.get("title"),
            "variantTitle": item.get("variantTitle"),
            "sku": item.get("variantSku"),
            "quantity": quantity,
            "variant": {"id": variant["id"]},
            "product": {"id": item["productId"]} if item.get("productId") else None,
            "originalUnitPriceSet": make_bag(order, shop, unit),
            "requiresShipping": True,
            "discountAllocations": [],
        },
    )
    record = store.put(
        record["id"], "LineItem", {"taxLines": tax_lines, "_parent": Ref(order["id"])}
    )
    return record, net, tax


def _presentment(order: dict, context: Context) -> str:
    return context.shop.read(order, "presentmentCurrencyCode")


def _exchange_rate(order: dict, context: Context) -> Decimal:
    ours, theirs = amounts(context.shop.read(order, "totalPriceSet"))
    return theirs / ours if ours else Decimal(1)


def _add_fulfillment_order(order: dict, lines: list[dict], context: Context) -> None:
    shop, store = context.shop, context.shop.store
    known = store.related(order, "fulfillmentOrders")
    gid = (known[0].get("assignedLocation") or {}).get("location") if known else None
    location = store.get(gid) or next(iter(store.all("Location")), None)
    if location is None:
        return
    items = [store.get(store.get(line["variant"]).get("inventoryItem")) or {} for line in lines]
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
                        "totalQuantity": line["quantity"],
                        "remainingQuantity": line["quantity"],
                        "lineItem": {"id": line["id"]},
                        "inventoryItemId": item.get("id"),
                    }
                    for line, item in zip(lines, items, strict=True)
                ]
            },
        },
    )
    context.changes += commit_stock(
        shop,
        [(item, location["id"], line["quantity"]) for line, item in zip(lines, items, strict=True)],
    )
