"""Fulfilment orders: holds, moves and splits, with the ids that a real store was seen to give.

What stays with the fulfilment order keeps its id; what leaves it gets a new one. A hold is the
other way round: the held part keeps the id. A move of everything changes the location only.
"""

from ..context import Context
from ..errors import UserErrors, user_error
from ..routing import ACTIONS, assigned_location
from ..store import Ref
from .fulfillments import move_stock, place_of, settle_order, split_off
from .registry import find, mutation, update

NOT_FOUND = "FULFILLMENT_ORDER_NOT_FOUND"
INVALID_QUANTITY = "Invalid fulfillment order line item quantity requested."
MOVABLE = ("OPEN", "IN_PROGRESS")


def _open(context: Context, gid: str, statuses: tuple[str, ...], code: str | None = None) -> dict:
    record = find(context, "FulfillmentOrder", gid)
    if record is None:
        raise UserErrors(user_error(["id"], "Fulfillment order does not exist.", code))
    status = context.shop.read(record, "status")
    if status not in statuses:
        message = f"Fulfillment order is not in a state for this: {status.lower()}."
        raise UserErrors(user_error(["id"], message))
    return record


def _lines(record: dict, context: Context) -> dict[str, dict]:
    found = context.shop.store.resolve_all(record.get("lineItems"))
    return {line["id"]: line for line in found}


def _chosen(record: dict, given: list[dict] | None, context: Context) -> list[tuple[dict, int]]:
    """Lines and quantities; all that remains when none are named."""
    read, lines = context.shop.read, _lines(record, context)
    if not given:
        left = [(line, read(line, "remainingQuantity")) for line in lines.values()]
        return [(line, quantity) for line, quantity in left if quantity > 0]
    chosen = []
    for entry in given:
        line, quantity = lines.get(entry["id"]), entry["quantity"]
        if line is None or not 0 < quantity <= read(line, "remainingQuantity"):
            field = ["fulfillmentOrderLineItems"]
            raise UserErrors(user_error(field, INVALID_QUANTITY))
        chosen.append((line, quantity))
    return chosen


def _is_everything(record: dict, chosen: list[tuple[dict, int]], context: Context) -> bool:
    """Whether nothing stays behind, and nothing of it was shipped before."""
    wanted = {line["id"]: quantity for line, quantity in chosen}
    return all(
        wanted.get(gid) == line.get("totalQuantity")
        for gid, line in _lines(record, context).items()
    )


def _leave(record: dict, chosen: list[tuple[dict, int]], context: Context) -> None:
    """Take lines out of a fulfilment order; one of which nothing is left is gone from it."""
    store, read, kept = context.shop.store, context.shop.read, []
    wanted = {line["id"]: quantity for line, quantity in chosen}
    for gid, line in _lines(record, context).items():
        total = (line.get("totalQuantity") or 0) - wanted.get(gid, 0)
        if total:
            remaining = read(line, "remainingQuantity") - wanted.get(gid, 0)
            values = {"totalQuantity": total, "remainingQuantity": remaining}
            store.put(gid, line["__typename"], values)
            kept.append(Ref(gid))
    update(context, record["id"], {"lineItems": kept})


def _order(record: dict, context: Context) -> dict:
    return context.shop.store.get(record["order"])


@mutation(
    "fulfillmentOrderMove",
    empty=("movedFulfillmentOrder", "originalFulfillmentOrder", "remainingFulfillmentOrder"),
)
def move(arguments: dict, context: Context) -> dict:
    record = _open(context, arguments["id"], MOVABLE)
    target = find(context, "Location", arguments["newLocationId"])
    if target is None:
        raise UserErrors(user_error(["newLocationId"], "Location not found."))
    chosen = _chosen(record, arguments.get("fulfillmentOrderLineItems"), context)
    for line, quantity in chosen:
        away = {"available": quantity, "committed": -quantity}
        move_stock(line, place_of(record), away, context)
        move_stock(line, target["id"], {name: -n for name, n in away.items()}, context)
    place = {"assignedLocation": assigned_location(target)}
    if _is_everything(record, chosen, context):
        moved, remaining = update(context, record["id"], place), None
    else:
        moved = split_off(_order(record, context), {**record, **place}, chosen, context)
        _leave(record, chosen, context)
        remaining = context.shop.store.get(record["id"])
    return {
        "movedFulfillmentOrder": moved,
        "originalFulfillmentOrder": context.shop.store.get(record["id"]),
        "remainingFulfillmentOrder": remaining,
    }


@mutation(
    "fulfillmentOrderHold",
    empty=("fulfillmentHold", "fulfillmentOrder", "remainingFulfillmentOrder"),
)
def hold(arguments: dict, context: Context) -> dict:
    given, store = arguments["fulfillmentHold"], context.shop.store
    record = _open(context, arguments["id"], ("OPEN", "SCHEDULED", "ON_HOLD"), NOT_FOUND)
    chosen = _chosen(record, given.get("fulfillmentOrderLineItems"), context)
    remaining = None
    if not _is_everything(record, chosen, context):
        held = {line["id"]: quantity for line, quantity in chosen}
        rest = [
            (line, context.shop.read(line, "remainingQuantity") - held.get(gid, 0))
            for gid, line in _lines(record, context).items()
        ]
        rest = [(line, quantity) for line, quantity in rest if quantity]
        remaining = split_off(_order(record, context), record, rest, context)
        _leave(record, rest, context)
    entry = store.put(
        store.new_gid("FulfillmentHold"),
        "FulfillmentHold",
        {
            "reason": given["reason"],
            "reasonNotes": given.get("reasonNotes"),
            "handle": given.get("handle"),
            "displayReason": given["reason"].replace("_", " ").capitalize(),
            "heldByRequestingApp": True,
        },
    )
    holds = [*(record.get("fulfillmentHolds") or ()), Ref(entry["id"])]
    values = {
        "status": "ON_HOLD",
        "fulfillmentHolds": holds,
        "supportedActions": [{"action": name} for name in ("RELEASE_HOLD", "HOLD", "MOVE")],
    }
    record = update(context, record["id"], values)
    settle_order(_order(record, context), context)
    return {
        "fulfillmentHold": entry,
        "fulfillmentOrder": record,
        "remainingFulfillmentOrder": remaining,
    }


@mutation("fulfillmentOrderReleaseHold", empty=("fulfillmentOrder",))
def release_hold(arguments: dict, context: Context) -> dict:
    """Releases the named holds, or all of all apps when none are named."""
    record = _open(context, arguments["id"], ("ON_HOLD",), NOT_FOUND)
    named = arguments.get("holdIds")
    holds = record.get("fulfillmentHolds") or ()
    left = [gid for gid in holds if named is not None and gid not in named]
    values = {"fulfillmentHolds": left}
    if not left:
        values |= {
            "status": "OPEN",
            "supportedActions": [{"action": name} for name in ACTIONS],
        }
    record = update(context, record["id"], values)
    settle_order(_order(record, context), context)
    return {"fulfillmentOrder": record}


@mutation("fulfillmentOrderSplit", empty=("fulfillmentOrderSplits",))
def split(arguments: dict, context: Context) -> dict:
    results = []
    for entry in arguments["fulfillmentOrderSplits"]:
        record = _open(context, entry["fulfillmentOrderId"], MOVABLE, NOT_FOUND)
        chosen = _chosen(record, entry["fulfillmentOrderLineItems"], context)
        remaining = split_off(_order(record, context), record, chosen, context)
        _leave(record, chosen, context)
        results.append(
            {
                "fulfillmentOrder": context.shop.store.get(record["id"]),
                "remainingFulfillmentOrder": remaining,
                "replacementFulfillmentOrder": None,
            }
        )
    return {"fulfillmentOrderSplits": results}
