"""Fulfilments: shipping what fulfilment orders ask for, tracking, and taking it back."""

from collections.abc import Iterable

from ..context import Context
from ..errors import UserErrors, user_error
from ..routing import ACTIONS, change_quantities
from ..store import Ref, legacy_id
from .registry import create, find, mutation, refuse_long, update

FIELD = ["fulfillment"]
OPEN = ("OPEN", "IN_PROGRESS", "SCHEDULED")
FINISHED = {"CLOSED", "CANCELLED", "INCOMPLETE"}


def _refuse(message: str, field: list[str] | None = None) -> UserErrors:
    return UserErrors(user_error(field or FIELD, message))


@mutation("fulfillmentCreate", empty=("fulfillment",))
def fulfillment_create(arguments: dict, context: Context) -> dict:
    given, shop = arguments["fulfillment"], context.shop
    groups = given["lineItemsByFulfillmentOrder"]
    for entries in (groups, *(group.get("fulfillmentOrderLineItems") or () for group in groups)):
        refuse_long(entries, "fulfillmentOrderLineItems")
    _check_positive(groups)
    records = [_fulfillment_order(group, context) for group in groups]
    orders = dict.fromkeys(record.get("order") for record in records)
    if len(orders) > 1:
        message = "All fulfillment orders must belong to the same order. Multiple orders"
        raise _refuse(f"{message} with ids {_ids(orders)} were found.")
    places = dict.fromkeys(place_of(record) for record in records)
    if len(places) > 1:
        message = "All fulfillment orders must be assigned to a single location. Multiple locations"
        raise _refuse(f"{message} with ids {_ids(places)} were found.")
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
                    "lineItem": {"id": gid},
                }
                for gid, quantity in _by_line_item(chosen).items()
            ]
        },
        "fulfillmentOrders": {"nodes": [{"id": record["id"]} for record in records]},
        "_lines": [(line["id"], quantity) for line, quantity in chosen],
        "_notified": bool(given.get("notifyCustomer")),
    }
    fulfillment = create(context, data)
    for line, quantity in chosen:
        _take(line, -quantity, context)
        move_stock(line, location, {"committed": -quantity, "on_hand": -quantity}, context)
    for record in records:
        _settle(record, context)
    settle_order(order, context)
    return {"fulfillment": fulfillment}


def place_of(record: dict) -> str | None:
    """The location that a fulfilment order is assigned to."""
    return (record.get("assignedLocation") or {}).get("location")


def _ids(gids: Iterable[str]) -> str:
    return f"[{', '.join(sorted(map(legacy_id, gids)))}]"


def _by_line_item(chosen: list[tuple[dict, int]]) -> dict[str, int]:
    """Quantity by line item: its lines in several fulfilment orders become one."""
    quantities: dict[str, int] = {}
    for line, quantity in chosen:
        quantities[line["lineItem"]] = quantities.get(line["lineItem"], 0) + quantity
    return quantities


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
        if line is None:
            raise _refuse("Fulfillment order line item does not exist.")
        if entry["quantity"] > shop.read(line, "remainingQuantity"):
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
    """Change what remains of a line."""
    remaining = context.shop.read(line, "remainingQuantity") + delta
    context.shop.store.put(line["id"], line["__typename"], {"remainingQuantity": remaining})


def move_stock(line: dict, location: str | None, deltas: dict[str, int], context: Context) -> None:
    """Change the quantities of a line's goods at a location."""
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


def do_not_ship(order: dict, line: dict, units: int, context: Context) -> None:
    """Take units off the fulfilment orders that still have them."""
    shop, store = context.shop, context.shop.store
    for todo in store.related(order, "fulfillmentOrders"):
        items = store.resolve_all(todo.get("lineItems"))
        for item in items:
            less = min(units, shop.read(item, "remainingQuantity"))
            if item.get("lineItem") == line["id"] and less > 0:
                units -= less
                values = {
                    name: shop.read(item, name) - less
                    for name in ("totalQuantity", "remainingQuantity")
                }
                store.put(item["id"], "FulfillmentOrderLineItem", values)
        if todo.get("status") != "CLOSED" and not any(
            shop.read(item, "remainingQuantity") for item in items
        ):
            update(context, todo["id"], {"status": "CLOSED", "supportedActions": []})


def settle_order(order: dict, context: Context) -> None:
    """Derive the order's fulfilment status. A closed fulfilment order has nothing left to ship,
    also when its lines say that something remains, as after a cancelled fulfilment.
    """
    store, read = context.shop.store, context.shop.read
    statuses = set()
    for record in store.related(order, "fulfillmentOrders"):
        lines = store.resolve_all(record.get("lineItems"))
        if sum(read(line, "remainingQuantity") for line in lines):
            statuses.add(read(record, "status"))
    shipped = any(
        item.get("status", "SUCCESS") == "SUCCESS" for item in store.related(order, "fulfillments")
    )
    if shipped:
        status = "PARTIALLY_FULFILLED" if statuses - FINISHED else "FULFILLED"
    else:
        status = "ON_HOLD" if statuses - FINISHED == {"ON_HOLD"} else "UNFULFILLED"
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
        back = {"committed": quantity, "on_hand": quantity}
        move_stock(line, record.get("location"), back, context)
    if lines:
        _reopen(order, record, lines, context)
    record = update(context, record["id"], {"status": "CANCELLED", "displayStatus": "CANCELED"})
    settle_order(order, context)
    return {"fulfillment": record}


def _reopen(order: dict, record: dict, lines: list, context: Context) -> None:
    """Open a fulfilment order for what a cancelled fulfilment had shipped."""
    store = context.shop.store
    source = store.get(next(iter(record.get("fulfillmentOrders") or ()), None)) or {}
    for line, quantity in lines:
        parent = store.get(line.get("_parent")) or source
        if context.shop.read(parent, "status") == "CLOSED":
            _take(line, quantity, context)
    split_off(order, source, lines, context)


def split_off(order: dict, source: dict, lines: list[tuple[dict, int]], context: Context) -> dict:
    """A new fulfilment order like ``source`` for these lines and quantities."""
    store = context.shop.store
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
    return store.put(
        gid,
        "FulfillmentOrder",
        {
            **{name: source.get(name) for name in keep},
            "order": Ref(order["id"]),
            "status": "OPEN",
            "requestStatus": "UNSUBMITTED",
            "supportedActions": [{"action": name} for name in ACTIONS],
            "lineItems": nodes,
            "createdAt": now,
            "updatedAt": now,
        },
    )
