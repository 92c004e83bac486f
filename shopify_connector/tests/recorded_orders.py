"""Orders in recorded answers of a real store, put together from all that a recording says of them.

A recording asks for a few fields at a time, so an order is spread over several answers: as the
payload of a mutation, as a node, in a connection. What the request that made the order said
(``orderCreate``) completes what no answer does.
"""

import json
from pathlib import Path

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"
# What the recorder read beforehand, wherever it stands in the file.
_FIRST = "upstreamCalls"
_LISTS = ("lineItems", "shippingLines", "transactions")


def recordings():
    """``{name: {gid: order node}}`` of the recordings that hold an order, in the Admin API's shape.

    Connections are plain lists. Nodes have what was recorded only.
    """
    found = {}
    for path in sorted(RECORDINGS.glob("*/*/*.json")):
        content = json.loads(path.read_text())
        orders = {}
        for node in _orders(content):
            _merge(orders.setdefault(node["id"], {}), node)
        for gid, request in _requests(content):
            if gid in orders:
                _complete(orders[gid], request)
        for order in orders.values():
            _leave_out_unknown(order)
        if orders:
            found[f"{path.parent.parent.name}/{path.parent.name}/{path.stem}"] = orders
    return found


def is_whole(node):
    """Whether all prices and discounts are known, so that the order must add up."""
    lines = node.get("lineItems") or ()
    discount = (node.get("totalDiscountsSet") or {"shopMoney": {"amount": "0"}})["shopMoney"]
    return (
        bool(lines)
        and all(line.get("originalUnitPriceSet") and "quantity" in line for line in lines)
        and (not float(discount["amount"]) or any("discountAllocations" in line for line in lines))
    )


def _orders(value):
    if isinstance(value, dict):
        if str(value.get("id")).startswith("gid://shopify/Order/"):
            yield value
        for item in _parts(value):
            yield from _orders(item)
    elif isinstance(value, list):
        for item in value:
            yield from _orders(item)


def _parts(value):
    return [value[key] for key in sorted(value, key=lambda key: key != _FIRST)]


def _items(value):
    if isinstance(value, dict):
        if "edges" in value:
            return [edge["node"] for edge in value["edges"]]
        return value.get("nodes") or []
    return value or []


def _merge(order, node):
    """Add an answer to an order; the later one wins."""
    for key, value in node.items():
        if key in _LISTS:
            known = order.setdefault(key, [])
            for position, item in enumerate(_items(value)):
                _merge_item(known, position, item)
        elif value is not None:
            order[key] = value


def _merge_item(known, position, item):
    same = [other for other in known if item.get("id") and other.get("id") == item["id"]]
    if not same and "id" not in item:
        same = known[position : position + 1]
    if not same:
        same = [{}]
        known += same
    same[0].update({key: value for key, value in item.items() if value is not None})


def _requests(value):
    """``(gid of the order that was made, input of orderCreate)``"""
    if isinstance(value, dict):
        variables = value.get("variables")
        request = variables.get("order") if isinstance(variables, dict) else None
        if isinstance(request, dict) and request.get("lineItems"):
            made = next(_orders(value.get("response") or value.get("mutation")), None)
            if made:
                yield made["id"], request
        for item in _parts(value):
            yield from _requests(item)
    elif isinstance(value, list):
        for item in value:
            yield from _requests(item)


def _complete(order, request):
    """Fill in what was asked for when the order was made and no answer tells."""
    known = order.setdefault("lineItems", [])
    for position, line in enumerate(request["lineItems"]):
        if position >= len(known):
            known.append({})
        for key in ("title", "quantity", "requiresShipping", "taxable", "sku", "taxLines"):
            if line.get(key) is not None:
                known[position].setdefault(key, line[key])
        if line.get("priceSet"):
            known[position].setdefault("originalUnitPriceSet", line["priceSet"])
    for key in ("shippingLines", "transactions"):
        if request.get(key) and not order.get(key):
            order[key] = [dict(item) for item in request[key]]
    for line in order.get("shippingLines") or ():
        if "priceSet" in line:
            line.setdefault("originalPriceSet", line.pop("priceSet"))
    for key, name in (
        ("currencyCode", "currency"),
        ("presentmentCurrencyCode", "presentmentCurrency"),
        ("taxesIncluded", "taxesIncluded"),
    ):
        if request.get(name) is not None:
            order.setdefault(key, request[name])


def _leave_out_unknown(order):
    """Refunds of which neither the lines nor the money is told: nothing follows from them."""
    known = ("refundLineItems", "transactions")
    refunds = [item for item in _items(order.get("refunds")) if any(key in item for key in known)]
    if "refunds" in order:
        order["refunds"] = refunds
