"""Fulfilments: shipping what fulfilment orders ask for, tracking, and taking it back."""

from ..context import Context
from ..errors import UserErrors, user_error
from ..routing import change_quantities
from ..store import Ref, legacy_id
from .registry import create, find, mutation, update

FIELD = ["fulfillment"]
OPEN = ("OPEN", "IN_PROGRESS", "SCHEDULED")


def _refuse(message: str, field: list[str] | None = None) -> UserErrors:
    return UserErrors(user_error(field or FIELD, message))


@mutation("fulfillmentCreate", empty=("fulfillment",))
def fulfillment_create(arguments: dict, context: Context) -> dict:
    given, shop = arguments["fulfillment"], context.shop
    groups = given["lineItemsByFulfillmentOrder"]
    _check_positive(groups)
    records = [_fulfillment_order(group, context) for group in groups]
    if len({record.get("order") for record in records}) > 1:
        raise _refuse("All fulfillment orders must belong to the same order.")
    places = {(record.get("assignedLocation") or {}).get("location") for record in records}
    if len(places) > 1:
        raise _refuse("All fulfillment orders must be assigned to a single location.")
    chosen = [
        pair
        for group, record in zip(groups, records, strict=True)
        for pair in _chosen_lines(group, record, context)
    ]
    order, location = shop.store.get(records[0]["order"]), next(iter(places))
    number = len(shop.store.related(order, "fulfillments")) + 1
    data = {
        "__typename": "Fulfillment",
        "id": shop.store.new_gid("Fulfillment"),
        "order": {"id": order["id"]},
        "name": f"{shop.read(order, 'name')}-F{number}",
        "status": "SUCCESS",
        "displayStatus": "FULFILLED",
        "location": {"id": location} if location else None,
        "trackingInfo": tracking(given.get("trackingInfo") or {}),
        "fulfillmentLineItems": {
            "nodes": [
                {
                    "id": shop.store.new_gid("FulfillmentLineItem"),
                    "quantity": quantity,
                    "lineItem": {"id": line["lineItem"]},
                }
                for line, quantity in chosen
            ]
        },
        "fulfillmentOrders": {"nodes": [{"id": record["id"]} for record in records]},
        "_lines": [(line["id"], quantity) for line, quantity in chosen],
        "_notified": bool(given.get("notifyCustomer")),
    }
    fulfillment = create(context, data)
    for line, quantity in chosen:
        _take(line, -quantity, context)
        _stock(line, location, {"committed": -quantity, "on_hand": -quantity}, context)
    for record in records:
        _settle(record, context)
    _settle_order(order, context)
    return {"fulfillment": fulfillment}


def _check_positive(groups: list[dict]) -> None:
    for index, group in enumerate(groups):
        for position, line in enumerate(group.get("fulfillmentOrderLineItems") or ()):
            if line["quantity"] <= 0:
                field = [
                    *FIELD,
                    "lineItemsByFulfillmentOrder",
                    str(index),
                    "fulfillmentOrderLineItems",
                    str(position),
                    "quantity",
                ]
                raise _refuse("Quantity must be greater than 0", field)


def _fulfillment_order(group: dict, context: Context) -> dict:
    record = find(context, "FulfillmentOrder", group["fulfillmentOrderId"])
    if record is None:
        raise _refuse("Fulfillment order does not exist.")
    status = context.shop.read(record, "status")
    if status not in OPEN:
        number = legacy_id(record["id"])
        raise _refuse(f"Fulfillment order {number} has an unfulfillable status= {status.lower()}.")
    return record


def _chosen_lines(group: dict, record: dict, context: Context) -> list[tuple[dict, int]]:
    """Lines and quantities to ship; all that is left when none are named."""
    shop = context.shop
    lines = {line["id"]: line for line in shop.store.resolve_all(record.get("lineItems"))}
    wanted = group.get("fulfillmentOrderLineItems")
    if not wanted:
        left = [(line, shop.read(line, "remainingQuantity")) for line in lines.values()]
        return [(line, quantity) for line, quantity in left if quantity > 0]
    chosen = []
    for entry in wanted:
        line = lines.get(entry["id"])
        if line is None or entry["quantity"] > shop.read(line, "remainingQuantity"):
            raise _refuse("Invalid fulfillment order line item quantity requested.")
        chosen.append((line, entry["quantity"]))
    return chosen


def tracking(given: dict) -> list[dict]:
    """One entry per parcel: ``number``/``url`` or ``numbers``/``urls``."""
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    count = max(len(numbers), len(urls), 1 if given.get("company") else 0)
    return [
        {
            "company": given.get("company"),
            "number": numbers[i] if i < len(numbers) else None,
            "url": urls[i] if i < len(urls) else None,
        }
        for i in range(count)
    ]


def _take(line: dict, delta: int, context: Context) -> None:
    remaining = context.shop.read(line, "remainingQuantity") + delta
    context.shop.store.put(line["id"], line["__typename"], {"remainingQuantity": remaining})


def _stock(line: dict, location: str | None, deltas: dict[str, int], context: Context) -> None:
    item = context.shop.store.get(line.get("inventoryItemId"))
    for level in context.shop.store.related(item, "inventoryLevels") if item else ():
        if level.get("location") == location:
            context.changes.append(change_quantities(context.shop, level, deltas))


def _settle(record: dict, context: Context) -> None:
    lines = context.shop.store.resolve_all(record.get("lineItems"))
    if not any(context.shop.read(line, "remainingQuantity") for line in lines):
        update(context, record["id"], {"status": "CLOSED", "supportedActions": []})
    else:
        update(context, record["id"], {"status": "IN_PROGRESS"})


def _settle_order(order: dict, context: Context) -> None:
    store, read = context.shop.store, context.shop.read
    lines = [
        line
        for record in store.related(order, "fulfillmentOrders")
        for line in store.resolve_all(record.get("lineItems"))
    ]
    left = sum(read(line, "remainingQuantity") for line in lines)
    shipped = any(
        item.get("status", "SUCCESS") == "SUCCESS" for item in store.related(order, "fulfillments")
    )
    status = "UNFULFILLED" if not shipped else "PARTIALLY_FULFILLED" if left else "FULFILLED"
    update(context, order["id"], {"displayFulfillmentStatus": status})


@mutation("fulfillmentTrackingInfoUpdate", empty=("fulfillment",))
def tracking_update(arguments: dict, context: Context) -> dict:
    record = find(context, "Fulfillment", arguments["fulfillmentId"])
    if record is None:
        raise UserErrors(user_error(["fulfillmentId"], "Fulfillment does not exist."))
    info = tracking(arguments["trackingInfoInput"])
    return {"fulfillment": update(context, record["id"], {"trackingInfo": info})}


@mutation("fulfillmentCancel", empty=("fulfillment",))
def fulfillment_cancel(arguments: dict, context: Context) -> dict:
    """Takes a fulfilment back; a new fulfilment order opens for its items."""
    shop = context.shop
    record = find(context, "Fulfillment", arguments["id"])
    if record is None:
        raise UserErrors(user_error(["id"], "Fulfillment not found."))
    if record.get("status") == "CANCELLED":
        return {"fulfillment": record}
    order = shop.store.get(record["order"])
    lines = [(shop.store.get(gid), quantity) for gid, quantity in record.get("_lines") or ()]
    for line, quantity in lines:
        _stock(line, record.get("location"), {"committed": quantity, "on_hand": quantity}, context)
    if lines:
        _reopen(order, record, lines, context)
    record = update(context, record["id"], {"status": "CANCELLED", "displayStatus": "CANCELED"})
    _settle_order(order, context)
    return {"fulfillment": record}


def _reopen(order: dict, record: dict, lines: list, context: Context) -> None:
    store = context.shop.store
    source = store.get(next(iter(record.get("fulfillmentOrders") or ()), None)) or {}
    keep = ("assignedLocation", "destination", "deliveryMethod")
    gid = store.new_gid("FulfillmentOrder")
    nodes = []
    for line, quantity in lines:
        line_gid = store.new_gid("FulfillmentOrderLineItem")
        store.put(
            line_gid,
            "FulfillmentOrderLineItem",
            {
                "totalQuantity": quantity,
                "remainingQuantity": quantity,
                "lineItem": line["lineItem"],
                "inventoryItemId": line.get("inventoryItemId"),
                "_parent": Ref(gid),
            },
        )
        nodes.append(Ref(line_gid))
    now = context.shop.now()
    store.put(
        gid,
        "FulfillmentOrder",
        {
            **{name: source.get(name) for name in keep},
            "order": Ref(order["id"]),
            "status": "OPEN",
            "requestStatus": "UNSUBMITTED",
            "supportedActions": [{"action": "CREATE_FULFILLMENT"}],
            "lineItems": nodes,
            "createdAt": now,
            "updatedAt": now,
        },
    )
