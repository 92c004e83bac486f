"""What a real store makes by itself when an object appears, for objects that are loaded."""

from typing import TYPE_CHECKING

from .loading import Change
from .routing import ACTIONS, assigned_location
from .store import Ref

if TYPE_CHECKING:
    from .shop import Shop


def complete(shop: "Shop", changes: list[Change]) -> None:
    """Add what loaded objects lack: items of variants, fulfilment orders, links of discounts."""
    for change in changes:
        record = shop.store.get(change.gid)
        if record is None:
            continue
        if change.type_name == "ProductVariant" and not record.get("inventoryItem"):
            _add_inventory_item(shop, record)
        elif change.type_name == "Order":
            _link_discounts(shop, record)
            if change.before is None:
                shop.skip_order_number(shop.read(record, "number"))
                _add_fulfillment_order(shop, record)


def _add_inventory_item(shop: "Shop", variant: dict) -> None:
    """Every variant has an inventory item; here with the variant's number."""
    gid = variant["id"].replace("/ProductVariant/", "/InventoryItem/")
    if shop.store.get(gid) is None:
        now = shop.now()
        values = {"sku": variant.get("sku"), "createdAt": now, "updatedAt": now}
        shop.store.put(gid, "InventoryItem", values)
    shop.store.put(variant["id"], "ProductVariant", {"inventoryItem": Ref(gid)})


def _link_discounts(shop: "Shop", order: dict) -> None:
    """An allocation that names its application by the index only gets the order's application."""
    applications = {
        item.get("index", place): item
        for place, item in enumerate(shop.store.resolve_all(order.get("discountApplications")))
    }
    if not applications:
        return
    for line in (
        *shop.store.resolve_all(order.get("lineItems")),
        *shop.store.resolve_all(order.get("shippingLines")),
    ):
        for allocation in line.get("discountAllocations") or ():
            given = allocation.get("discountApplication") or {}
            known = applications.get(given.get("index"))
            if known and given.keys() <= {"__typename", "index"}:
                allocation["discountApplication"] = known


def _add_fulfillment_order(shop: "Shop", order: dict) -> None:
    """An order that is to be shipped has a fulfilment order at the shop's first location."""
    store = shop.store
    lines = [
        line
        for line in store.resolve_all(order.get("lineItems"))
        if line.get("id")
        and shop.read(line, "requiresShipping")
        and shop.read(line, "unfulfilledQuantity") > 0
    ]
    locations = [item for item in store.all("Location") if shop.read(item, "isActive")]
    finished = order.get("cancelledAt") or order.get("displayFulfillmentStatus") == "FULFILLED"
    if not lines or not locations or finished or store.related(order, "fulfillmentOrders"):
        return
    place = next((item for item in locations if item.get("isPrimary")), locations[0])
    now, gid, nodes = shop.now(), store.new_gid("FulfillmentOrder"), []
    for line in lines:
        variant = store.get(line.get("variant")) or {}
        quantity = shop.read(line, "unfulfilledQuantity")
        line_gid = store.new_gid("FulfillmentOrderLineItem")
        store.put(
            line_gid,
            "FulfillmentOrderLineItem",
            {
                "totalQuantity": quantity,
                "remainingQuantity": quantity,
                "lineItem": Ref(line["id"]),
                "inventoryItemId": variant.get("inventoryItem"),
                "_parent": Ref(gid),
            },
        )
        nodes.append(Ref(line_gid))
    store.put(
        gid,
        "FulfillmentOrder",
        {
            "order": Ref(order["id"]),
            "status": "OPEN",
            "requestStatus": "UNSUBMITTED",
            "assignedLocation": assigned_location(place),
            "supportedActions": [{"action": name} for name in ACTIONS],
            "lineItems": nodes,
            "createdAt": now,
            "updatedAt": now,
        },
    )
