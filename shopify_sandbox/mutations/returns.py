"""Returns: asked for, approved or declined, closed, opened again, and processed.

No status moves money or stock: only what is processed or disposed of does.
"""

from collections.abc import Callable
from decimal import Decimal

from ..context import Context
from ..derive import make_bag
from ..errors import UserErrors, user_error
from ..money import rounded
from ..store import Ref
from .exchanges import add_exchange_items, check_exchange_items, exchange_items
from .refunds import put_back, refund_of_return
from .registry import create, find, mutation, update

EMPTY = ("return",)
CANCELABLE = ("OPEN", "REQUESTED")


def _refuse(field: list[str], message: str, code: str) -> UserErrors:
    return UserErrors(user_error(field, message, code))


# === ASKING FOR A RETURN === #


@mutation("returnCreate", empty=EMPTY)
def return_create(arguments: dict, context: Context) -> dict:
    given = arguments["returnInput"]
    for index, entry in enumerate(given["returnLineItems"]):
        _check_reason(entry, ["returnInput", "returnLineItems", str(index)])
    record = _return(given, ["returnInput"], "OPEN", context)
    add_reverse_order(record, context)
    return {"return": record}


def _check_reason(entry: dict, field: list[str]) -> None:
    if not (entry.get("returnReason") or entry.get("returnReasonDefinitionId")):
        message = "Return line items Either return reason or return reason definition must be"
        raise _refuse(field, f"{message} provided", "NOT_FOUND")
    if entry.get("returnReason") == "OTHER" and not entry.get("returnReasonNote"):
        message = "Return line items return reason note The note is required when the return reason"
        raise _refuse([*field, "returnReasonNote"], f'{message} is "Other"', "BLANK")


@mutation("returnRequest", empty=EMPTY)
def return_request(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    for index, entry in enumerate(given["returnLineItems"]):
        if not (entry.get("returnReason") or entry.get("returnReasonDefinitionId")):
            field = ["input", "returnLineItems", str(index), "returnReason"]
            raise _refuse(field, "Return reason can't be blank", "BLANK")
    return {"return": _return(given, ["input"], "REQUESTED", context)}


def _return(given: dict, root: list[str], status: str, context: Context) -> dict:
    shop = context.shop
    order = find(context, "Order", given["orderId"])
    if order is None:
        raise _refuse([*root, "orderId"], "Order not found.", "NOT_FOUND")
    exchanged = given.get("exchangeLineItems") or ()
    check_exchange_items(exchanged, [*root, "exchangeLineItems"], context)
    lines = [
        _line(order, entry, [*root, "returnLineItems", str(index)], context)
        for index, entry in enumerate(given["returnLineItems"])
    ]
    number = len(shop.store.related(order, "returns")) + 1
    fee = (given.get("returnShippingFee") or {}).get("amount")
    return create(
        context,
        {
            "__typename": "Return",
            "id": shop.store.new_gid("Return"),
            "order": {"id": order["id"]},
            "name": f"{shop.read(order, 'name')}-R{number}",
            "status": status,
            "createdAt": given.get("requestedAt") or shop.now(),
            "returnLineItems": {"nodes": lines},
            "exchangeLineItems": {"nodes": exchange_items(exchanged, context)},
            "returnShippingFees": [_fee("ReturnShippingFee", order, fee["amount"], context)]
            if fee
            else [],
        },
    )


def _fee(type_name: str, order: dict, amount, context: Context, **fields) -> dict:
    shop = context.shop
    money = rounded(Decimal(amount), shop.currency)
    return {
        "id": shop.store.new_gid(type_name),
        "amountSet": make_bag(order, shop, (money, money)),
        **fields,
    }


def _line(order: dict, entry: dict, field: list[str], context: Context) -> dict:
    shop, quantity = context.shop, entry["quantity"]
    shipped = find(context, "FulfillmentLineItem", entry["fulfillmentLineItemId"])
    if shipped is None:
        field = [*field, "fulfillmentLineItemId"]
        raise _refuse(field, "Fulfillment line item not found.", "NOT_FOUND")
    if quantity > (shipped.get("quantity") or 0) - _returned(order, shipped["id"], context):
        message = "Return line item has an invalid quantity."
        raise _refuse([*field, "quantity"], message, "INVALID")
    line = {
        "__typename": "ReturnLineItem",
        "id": shop.store.new_gid("ReturnLineItem"),
        "quantity": quantity,
        "fulfillmentLineItem": {"id": shipped["id"]},
        "returnReason": entry.get("returnReason") or "UNKNOWN",
        "returnReasonNote": entry.get("returnReasonNote") or "",
        "customerNote": entry.get("customerNote"),
    }
    if entry.get("returnReasonDefinitionId"):
        line["returnReasonDefinition"] = {"id": entry["returnReasonDefinitionId"]}
    percentage = (entry.get("restockingFee") or {}).get("percentage")
    if percentage:
        sold = shop.store.get(shipped["lineItem"])
        unit = shop.read(sold, "discountedUnitPriceAfterAllDiscountsSet")["shopMoney"]["amount"]
        amount = Decimal(unit) * quantity * Decimal(str(percentage)) / 100
        line["restockingFee"] = _fee("RestockingFee", order, amount, context, percentage=percentage)
    return line


def _returned(order: dict, shipped_gid: str, context: Context) -> int:
    """Units of a shipped line that returns hold already."""
    store = context.shop.store
    return sum(
        line["quantity"]
        for record in store.related(order, "returns")
        if record.get("status") not in ("CANCELED", "DECLINED")
        for line in store.resolve_all(record.get("returnLineItems"))
        if line.get("fulfillmentLineItem") == shipped_gid
    )


def add_reverse_order(record: dict, context: Context) -> None:
    """The order to take the goods of an approved return back."""
    store = context.shop.store
    lines = [
        {
            "id": store.new_gid("ReverseFulfillmentOrderLineItem"),
            "totalQuantity": line["quantity"],
            "fulfillmentLineItem": {"id": line["fulfillmentLineItem"]},
            "dispositions": [],
        }
        for line in store.resolve_all(record.get("returnLineItems"))
    ]
    reverse = create(
        context,
        {
            "__typename": "ReverseFulfillmentOrder",
            "id": store.new_gid("ReverseFulfillmentOrder"),
            "status": "OPEN",
            "order": {"id": record["order"]},
            "lineItems": {"nodes": lines},
        },
    )
    update(context, record["id"], {"reverseFulfillmentOrders": [Ref(reverse["id"])]})


# === STATUS === #


def _found(gid: str, field: list[str], context: Context) -> dict:
    record = find(context, "Return", gid)
    if record is None:
        raise _refuse(field, "Return not found.", "NOT_FOUND")
    return record


@mutation("returnApproveRequest", empty=EMPTY)
def return_approve(arguments: dict, context: Context) -> dict:
    field = ["input", "id"]
    record = _found(arguments["input"]["id"], field, context)
    if record["status"] != "REQUESTED":
        message = "Return is not approvable. Only returns with status REQUESTED can be approved."
        raise _refuse(field, message, "INVALID_STATE")
    add_reverse_order(record, context)
    values = {"status": "OPEN", "requestApprovedAt": context.shop.now()}
    return {"return": update(context, record["id"], values)}


@mutation("returnDeclineRequest", empty=EMPTY)
def return_decline(arguments: dict, context: Context) -> dict:
    given, field = arguments["input"], ["input", "id"]
    record = _found(given["id"], field, context)
    if record["status"] == "DECLINED":
        raise _refuse(field, "The return is already declined.", "INVALID_STATE")
    if record["status"] != "REQUESTED":
        message = "Return is not declinable. Only non-refunded returns with status REQUESTED can be"
        raise _refuse(field, f"{message} declined.", "INVALID_STATE")
    decline = {"reason": given["declineReason"], "note": given.get("declineNote")}
    return {"return": update(context, record["id"], {"status": "DECLINED", "decline": decline})}


def _move(name: str, allowed: Callable[[dict], bool], message: str, values: Callable) -> None:
    @mutation(name, empty=EMPTY)
    def move(arguments: dict, context: Context) -> dict:
        record = _found(arguments["id"], ["id"], context)
        if not allowed(record):
            raise _refuse(["id"], message, "INVALID_STATE")
        return {"return": update(context, record["id"], values(context))}


_INVALID = "Return status is invalid."
_move(
    "returnCancel",
    lambda record: record["status"] in CANCELABLE and not record.get("_processed"),
    "Return is not cancelable.",
    lambda context: {"status": "CANCELED"},
)
_move(
    "returnClose",
    lambda record: record["status"] in ("OPEN", "CLOSED"),
    _INVALID,
    lambda context: {"status": "CLOSED", "closedAt": context.shop.now()},
)
_move(
    "returnReopen",
    lambda record: record["status"] in ("OPEN", "CLOSED"),
    _INVALID,
    lambda context: {"status": "OPEN", "closedAt": None},
)


# === GOODS THAT CAME BACK === #


@mutation("reverseFulfillmentOrderDispose", empty=("reverseFulfillmentOrderLineItems",))
def dispose(arguments: dict, context: Context) -> dict:
    entries, field = arguments["dispositionInputs"], ["dispositionInputs"]
    if not entries:
        raise _refuse(field, "The array cannot be empty.", "BLANK")
    lines = [
        find(context, "ReverseFulfillmentOrderLineItem", entry["reverseFulfillmentOrderLineItemId"])
        for entry in entries
    ]
    if None in lines or len({line.get("_parent") for line in lines}) > 1:
        message = "Cannot dispose items from more than one reverse fulfillment order."
        raise _refuse(field, message, "INVALID")
    for index, (line, entry) in enumerate(zip(lines, entries, strict=True)):
        _check_disposition(line, entry, [*field, str(index)], context)
    for line, entry in zip(lines, entries, strict=True):
        _dispose(line, entry, context)
    _settle(lines[0], context)
    return {"reverseFulfillmentOrderLineItems": lines}


def _sold(line: dict, context: Context) -> dict:
    """The order's line that a reverse line takes back."""
    store = context.shop.store
    return store.get(store.get(line["fulfillmentLineItem"])["lineItem"])


def _check_disposition(line: dict, entry: dict, field: list[str], context: Context) -> None:
    if entry["dispositionType"] == "RESTOCKED" and not _sold(line, context).get("variant"):
        message = "RESTOCKED is an invalid disposition type for a custom line item."
        raise _refuse([*field, "dispositionType"], message, "INVALID")
    done = sum(item["quantity"] for item in line.get("dispositions") or ())
    if not 0 < entry["quantity"] <= line["totalQuantity"] - done:
        raise _refuse([*field, "quantity"], "Quantity is invalid.", "INVALID")


def _dispose(line: dict, entry: dict, context: Context) -> None:
    store = context.shop.store
    place = entry.get("locationId")
    disposition = {
        "id": store.new_gid("ReverseFulfillmentOrderDisposition"),
        "type": entry["dispositionType"],
        "quantity": entry["quantity"],
        "location": Ref(place) if place else None,
        "createdAt": context.shop.now(),
    }
    update(context, line["id"], {"dispositions": [*(line.get("dispositions") or ()), disposition]})
    if entry["dispositionType"] == "RESTOCKED":
        put_back(_sold(line, context), entry["quantity"], "RETURN", place, context)


def _settle(line: dict, context: Context) -> None:
    """A reverse order is closed once nothing of it is left to be disposed of."""
    store = context.shop.store
    reverse = store.get(line.get("_parent"))
    if reverse is None:
        return
    left = sum(
        item["totalQuantity"] - sum(done["quantity"] for done in item.get("dispositions") or ())
        for item in store.resolve_all(reverse.get("lineItems"))
    )
    if not left:
        update(context, reverse["id"], {"status": "CLOSED"})


# === PROCESSING === #


@mutation("returnProcess", empty=EMPTY)
def return_process(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    record = _found(given["returnId"], ["input", "returnId"], context)
    if record["status"] != "OPEN":
        raise _refuse(["input", "returnId"], _INVALID, "INVALID_STATE")
    lines = _processed(record, given, "returnLineItems", "Return line item", context)
    items = _processed(record, given, "exchangeLineItems", "Exchange line item", context)
    order = context.shop.store.get(record["order"])
    for line, entry in [*lines, *items]:
        done = (line.get("processedQuantity") or 0) + entry["quantity"]
        update(context, line["id"], {"processedQuantity": done})
    for _line, entry in lines:
        for disposition in entry.get("dispositions") or ():
            reverse = find(
                context,
                "ReverseFulfillmentOrderLineItem",
                disposition["reverseFulfillmentOrderLineItemId"],
            )
            _dispose(reverse, disposition, context)
            _settle(reverse, context)
    if items:
        add_exchange_items(order, items, context)
    if lines or given.get("financialTransfer"):
        refund_of_return(order, record, given, _refund_lines(lines, context), context)
    processed = (record.get("_processed") or 0) + 1
    return {"return": update(context, record["id"], {"_processed": processed})}


def _processed(record: dict, given: dict, name: str, what: str, context: Context) -> list[tuple]:
    """``[(line, entry of the input)]``, each of this return and with enough left."""
    found = []
    for index, entry in enumerate(given.get(name) or ()):
        field = ["input", name, str(index)]
        if entry["id"] not in (record.get(name) or ()):
            raise _refuse([*field, "id"], f"{what} was not found.", "NOT_FOUND")
        line = context.shop.store.get(entry["id"])
        if not 0 < entry["quantity"] <= line["quantity"] - (line.get("processedQuantity") or 0):
            raise _refuse([*field, "quantity"], f"{what} has an invalid quantity.", "INVALID")
        found.append((line, entry))
    return found


def _refund_lines(lines: list[tuple], context: Context) -> list[dict]:
    """What of the order's lines is taken back; goods were put back by their dispositions."""
    store, found = context.shop.store, []
    for line, entry in lines:
        types = {item["dispositionType"] for item in entry.get("dispositions") or ()}
        place = next((item.get("locationId") for item in entry.get("dispositions") or ()), None)
        found.append(
            {
                "lineItemId": str(store.get(line["fulfillmentLineItem"])["lineItem"]),
                "quantity": entry["quantity"],
                "restockType": "RETURN" if types == {"RESTOCKED"} else "NO_RESTOCK",
                "locationId": place,
            }
        )
    return found
