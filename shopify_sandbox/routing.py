"""Where an order ships from: its fulfilment orders, and the stock they commit."""

from typing import TYPE_CHECKING

from .derive import quantity_of
from .loading import Change
from .store import Ref

if TYPE_CHECKING:
    from .basket import Basket
    from .shop import Shop

ADDRESS = ("address1", "address2", "city", "phone", "province", "zip")
ACTIONS = ("CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD", "SPLIT")


def fulfillment_orders(basket: "Basket", data: dict) -> list[dict]:
    """One fulfilment order per location; now and then the second location ships a part."""
    nodes = data["lineItems"]["nodes"]
    shipped = [pair for pair in zip(basket.lines, nodes, strict=True) if pair[0]["ships"]]
    groups: dict[str, list] = {}
    split = len(basket.locations) > 1 and len(shipped) > 1 and basket.chance(0.15)
    for index, pair in enumerate(shipped):
        place = basket.locations[1 if split and index == len(shipped) - 1 else 0]
        groups.setdefault(place["id"], []).append(pair)
    return [_one(basket, data, location, pairs) for location, pairs in groups.items()]


def _one(basket: "Basket", data: dict, location_id: str, pairs: list) -> dict:
    store = basket.shop.store
    location = store.get(location_id)
    target = data["shippingAddress"] or {}
    for line, _node in pairs:
        basket.reserved.append((line["item"], location_id, line["quantity"]))
    return {
        "id": store.new_gid("FulfillmentOrder"),
        "status": "OPEN",
        "requestStatus": "UNSUBMITTED",
        "assignedLocation": assigned_location(location),
        "destination": {
            "id": store.new_gid("FulfillmentOrderDestination"),
            "email": basket.email,
            "countryCode": target.get("countryCodeV2"),
            **{name: target.get(name) for name in (*ADDRESS, "company", "firstName", "lastName")},
        },
        "deliveryMethod": {"id": store.new_gid("DeliveryMethod"), "methodType": "SHIPPING"},
        "supportedActions": [{"action": name} for name in ACTIONS],
        "lineItems": {
            "nodes": [
                {
                    "id": store.new_gid("FulfillmentOrderLineItem"),
                    "totalQuantity": line["quantity"],
                    "remainingQuantity": line["quantity"],
                    "lineItem": {"id": node["id"]},
                    "inventoryItemId": line["item"].get("id"),
                }
                for line, node in pairs
            ]
        },
    }


def assigned_location(location: dict) -> dict:
    """The location as a fulfilment order keeps it."""
    address = location.get("address") or {}
    return {
        "name": location.get("name"),
        "location": Ref(location["id"]),
        "countryCode": address.get("countryCode"),
        **{name: address.get(name) for name in ADDRESS},
    }


def commit_stock(shop: "Shop", reserved: list[tuple[dict, str, int]]) -> list[Change]:
    """What was sold is no longer available, but committed."""
    changes = []
    for item, location_id, quantity in reserved:
        for level in shop.store.related(item, "inventoryLevels") if item else ():
            if level.get("location") == location_id:
                changes.append(
                    change_quantities(shop, level, {"available": -quantity, "committed": quantity})
                )
    return changes


def change_quantities(shop: "Shop", level: dict, deltas: dict[str, int]) -> Change:
    """Add to the named quantities of a level."""
    before = dict(level)
    held = {item["name"]: item["quantity"] for item in level.get("quantities") or ()}
    held.update({name: quantity_of(level, name) + delta for name, delta in deltas.items()})
    now = shop.now()
    quantities = [
        {"name": name, "quantity": quantity, "updatedAt": now} for name, quantity in held.items()
    ]
    record = shop.store.put(
        level["id"], "InventoryLevel", {"quantities": quantities, "updatedAt": now}
    )
    return Change(level["id"], "InventoryLevel", before, dict(record))
