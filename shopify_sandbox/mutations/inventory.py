"""Stock: absolute quantities with compare-and-set, deltas, and stocking at a location."""

from ..context import Context
from ..derive import quantity_of
from ..errors import ApiError, UserErrors, user_error
from ..routing import change_quantities
from ..store import Ref, legacy_id
from .registry import changed, find, mutation, refuse_long, update

REASONS = (
    "correction",
    "cycle_count_available",
    "damaged",
    "movement_canceled",
    "movement_created",
    "movement_received",
    "movement_updated",
    "other",
    "promotion",
    "quality_control",
    "received",
    "reservation_created",
    "reservation_deleted",
    "reservation_updated",
    "restock",
    "safety_stock",
    "shrinkage",
)
MAXIMUM = 1_000_000_000
NOT_FOUND = {
    "inventoryItemId": (
        "InventoryItem",
        "The specified inventory item could not be found.",
        "INVALID_INVENTORY_ITEM",
    ),
    "locationId": ("Location", "The specified location could not be found.", "INVALID_LOCATION"),
}
STALE = "The specified change from quantity does not match the current quantity."
GROUP = ("inventoryAdjustmentGroup",)


def _level(context: Context, item_id: str, location_id: str) -> dict | None:
    item = context.shop.store.get(item_id)
    levels = context.shop.store.related(item, "inventoryLevels") if item else []
    return next((level for level in levels if level.get("location") == location_id), None)


def _new_level(context: Context, item_id: str, location_id: str, active: bool) -> dict:
    store, now = context.shop.store, context.shop.now()
    gid = f"{store.new_gid('InventoryLevel')}?inventory_item_id={legacy_id(item_id)}"
    record = store.put(
        gid,
        "InventoryLevel",
        {
            "item": Ref(item_id),
            "location": Ref(location_id),
            "isActive": active,
            "quantities": [],
            "createdAt": now,
            "updatedAt": now,
        },
    )
    changed(context, gid, None)
    return record


def _check_reason(given: dict) -> None:
    if given["reason"] not in REASONS:
        message = f"The specified reason is invalid. Valid values are: {', '.join(REASONS)}."
        raise UserErrors(user_error(["input", "reason"], message, "INVALID_REASON"))


def _check_entries(entries: list[dict], name: str, type_name: str, context: Context) -> None:
    """What is wrong with the shape and the targets of the entries, whatever their quantities."""
    refuse_long(entries, name)
    if context.api.version >= "2026-04" and any("changeFromQuantity" not in e for e in entries):
        raise ApiError(
            f"{type_name} must include the following argument: changeFromQuantity.",
            "INVALID_FIELD_ARGUMENTS",
        )
    errors, pairs = [], set()
    for index, entry in enumerate(entries):
        field = ["input", name, str(index)]
        for key, (kind, message, code) in NOT_FOUND.items():
            if not find(context, kind, entry[key]):
                errors.append(user_error([*field, key], message, code))
        pair = (entry["inventoryItemId"], entry["locationId"])
        if pair in pairs:
            errors.append(
                user_error(
                    [*field, "locationId"],
                    "The combination of inventoryItemId and locationId must be unique.",
                    "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR",
                )
            )
        pairs.add(pair)
    if errors:
        raise UserErrors(*errors)


def _bounds(quantity: int, name: str) -> tuple[str, str] | None:
    if name == "on_hand" and quantity < 0:
        return "The quantity can't be negative.", "INVALID_QUANTITY_NEGATIVE"
    if quantity > MAXIMUM:
        return "The quantity can't be higher than 1,000,000,000.", "INVALID_QUANTITY_TOO_HIGH"
    if quantity < -MAXIMUM:
        return "The quantity can't be lower than -1,000,000,000.", "INVALID_QUANTITY_TOO_LOW"
    return None


def _check_quantities(entries: list[dict], name: str, list_name: str, context: Context) -> None:
    errors = []
    for index, entry in enumerate(entries):
        field = ["input", list_name, str(index)]
        problem = _bounds(entry["quantity"], name) if "quantity" in entry else None
        if problem:
            errors.append(user_error([*field, "quantity"], *problem))
            continue
        level = _level(context, entry["inventoryItemId"], entry["locationId"])
        present = quantity_of(level, name) if level else 0
        expected = entry.get("changeFromQuantity")
        if expected is not None and expected != present:
            errors.append(
                user_error([*field, "changeFromQuantity"], STALE, "CHANGE_FROM_QUANTITY_STALE")
            )
    if errors:
        raise UserErrors(*errors)


def _apply(context: Context, given: dict, deltas: list[tuple[dict, str, int]]) -> dict:
    """Change the levels; the group is null when nothing changed.

    :param deltas: entry, quantity name and what is added to it
    """
    changes = []
    for entry, name, delta in deltas:
        if not delta:
            continue
        level = _level(context, entry["inventoryItemId"], entry["locationId"])
        if level is None:
            level = _new_level(context, entry["inventoryItemId"], entry["locationId"], False)
        # Both are one stock: what becomes available is on hand, and the other way round.
        names = ("available", "on_hand") if name in ("available", "on_hand") else (name,)
        context.changes.append(change_quantities(context.shop, level, dict.fromkeys(names, delta)))
        changes += [
            {
                "name": each,
                "delta": delta,
                "quantityAfterChange": None,
                "item": Ref(entry["inventoryItemId"]),
                "location": Ref(entry["locationId"]),
            }
            for each in names
        ]
    if not changes:
        return {"inventoryAdjustmentGroup": None}
    gid = context.shop.store.new_gid("InventoryAdjustmentGroup")
    group = context.shop.store.put(
        gid,
        "InventoryAdjustmentGroup",
        {
            "createdAt": context.shop.now(),
            "reason": given["reason"],
            "referenceDocumentUri": given.get("referenceDocumentUri"),
            "changes": changes,
        },
    )
    return {"inventoryAdjustmentGroup": group}


def _set(given: dict, entries: list[dict], name: str, list_name: str, context: Context) -> dict:
    _check_reason(given)
    type_name = (
        "InventoryQuantityInput" if list_name == "quantities" else "InventorySetQuantityInput"
    )
    _check_entries(entries, list_name, type_name, context)
    _check_quantities(entries, name, list_name, context)
    deltas = []
    for entry in entries:
        level = _level(context, entry["inventoryItemId"], entry["locationId"])
        present = quantity_of(level, name) if level else 0
        deltas.append((entry, name, entry["quantity"] - present))
    return _apply(context, given, deltas)


@mutation("inventorySetQuantities", empty=GROUP, idempotent=True)
def set_quantities(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    if given["name"] not in ("available", "on_hand"):
        raise UserErrors(
            user_error(
                ["input", "name"],
                "The quantity name must be either 'available' or 'on_hand'.",
                "INVALID_NAME",
            )
        )
    return _set(given, given["quantities"], given["name"], "quantities", context)


@mutation("inventorySetOnHandQuantities", empty=GROUP, idempotent=True)
def set_on_hand(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    return _set(given, given["setQuantities"], "on_hand", "setQuantities", context)


@mutation("inventoryAdjustQuantities", empty=GROUP, idempotent=True)
def adjust_quantities(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    _check_reason(given)
    _check_entries(given["changes"], "changes", "InventoryChangeInput", context)
    _check_quantities(given["changes"], given["name"], "changes", context)
    deltas = [(entry, given["name"], entry["delta"]) for entry in given["changes"]]
    return _apply(context, given, deltas)


@mutation("inventoryActivate", empty=("inventoryLevel",), idempotent=True)
def activate(arguments: dict, context: Context) -> dict:
    """Stock an item at a location; quantities are only taken for a level that was not active."""
    for key, (kind, message, _code) in NOT_FOUND.items():
        if not find(context, kind, arguments[key]):
            raise UserErrors(user_error([key], message))
    item_id, location_id = arguments["inventoryItemId"], arguments["locationId"]
    given = {
        name: arguments.get(name)
        for name in ("available", "onHand")
        if arguments.get(name) is not None
    }
    level = _level(context, item_id, location_id)
    if level and context.shop.read(level, "isActive"):
        errors = [
            user_error(
                [name],
                f"Not allowed to set an {'on_hand' if name == 'onHand' else name} "
                "quantity when the item is already active at the location.",
            )
            for name in given
        ]
        return {"inventoryLevel": level, "userErrors": errors}
    place = context.shop.read(context.shop.store.get(location_id), "name")
    start = f"The product couldn't be stocked at {place} because "
    if len(given) == 2:
        reason = "not allowed to set available and on_hand quantities at the same time."
        raise UserErrors(*(user_error([name], start + reason) for name in given))
    if any(abs(quantity) > MAXIMUM for quantity in given.values()):
        reason = "the quantity needs to be between -1 billion and 1 billion."
        raise UserErrors(*(user_error([name], start + reason) for name in given))
    if level is None:
        level = _new_level(context, item_id, location_id, True)
    level = update(context, level["id"], {"isActive": True})
    for quantity in given.values():
        deltas = dict.fromkeys(("available", "on_hand"), quantity)
        context.changes.append(change_quantities(context.shop, level, deltas))
    return {"inventoryLevel": level}


@mutation("inventoryDeactivate")
def deactivate(arguments: dict, context: Context) -> dict:
    level = find(context, "InventoryLevel", arguments["inventoryLevelId"])
    if level is None:
        raise UserErrors(
            user_error(
                ["inventoryLevelId"],
                "The product couldn't be unstocked because the location was deleted.",
            )
        )
    update(context, level["id"], {"isActive": False})
    return {}


@mutation("inventoryItemUpdate", empty=("inventoryItem",))
def update_item(arguments: dict, context: Context) -> dict:
    item = find(context, "InventoryItem", arguments["id"])
    if item is None:
        message = "The inventory item could not be found."
        raise UserErrors(user_error(["id"], message))
    return {"inventoryItem": update(context, item["id"], dict(arguments["input"]))}
