"""Orders: what a merchant or an app changes, marks as paid, captures, closes and cancels."""

import uuid
from decimal import Decimal

from ..context import Context
from ..derive import amounts, make_bag
from ..errors import UserErrors, user_error
from ..money import digits, rounded
from ..routing import change_quantities
from .refunds import refund_everything
from .registry import create, find, mutation, update

UPDATABLE = ("note", "tags", "email", "phone", "poNumber", "customAttributes")
STAFF_NOTE_MAXIMUM = 255


def _order(context: Context, gid: str, message: str = "Order does not exist") -> dict:
    order = find(context, "Order", gid)
    if order is None:
        raise UserErrors(user_error(["id"], message))
    return order


@mutation("orderUpdate", empty=("order",))
def update_order(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    order = _order(context, given["id"])
    values = {name: given[name] for name in UPDATABLE if name in given}
    if "tags" in values:
        values["tags"] = sorted(set(values["tags"] or ()), key=str.lower)
    if given.get("shippingAddress"):
        address = dict(given["shippingAddress"])
        if "countryCode" in address:
            address["countryCodeV2"] = address.pop("countryCode")
        values["shippingAddress"] = {**(order.get("shippingAddress") or {}), **address}
    return {"order": update(context, order["id"], values)}


@mutation("tagsAdd", empty=("node",))
def add_tags(arguments: dict, context: Context) -> dict:
    return _change_tags(arguments, context, lambda held, given: held | given)


@mutation("tagsRemove", empty=("node",))
def remove_tags(arguments: dict, context: Context) -> dict:
    return _change_tags(arguments, context, lambda held, given: held - given)


def _change_tags(arguments: dict, context: Context, combine) -> dict:
    record = context.shop.store.get(arguments["id"])
    if record is None:
        raise UserErrors(user_error(["id"], "The resource does not exist"))
    tags = combine(set(record.get("tags") or ()), set(arguments["tags"]))
    return {"node": update(context, record["id"], {"tags": sorted(tags, key=str.lower)})}


@mutation("orderClose", empty=("order",))
def close(arguments: dict, context: Context) -> dict:
    order = _order(context, arguments["input"]["id"])
    return {"order": update(context, order["id"], {"closedAt": context.shop.now()})}


@mutation("orderOpen", empty=("order",))
def reopen(arguments: dict, context: Context) -> dict:
    order = _order(context, arguments["input"]["id"])
    return {"order": update(context, order["id"], {"closedAt": None})}


# Payments -------------------------------------------------------------------------------------


def _transaction(order: dict, context: Context, kind: str, amount: dict, **values) -> dict:
    now = context.shop.now()
    return create(
        context,
        {
            "__typename": "OrderTransaction",
            "id": context.shop.store.new_gid("OrderTransaction"),
            "order": {"id": order["id"]},
            "kind": kind,
            "status": "SUCCESS",
            "amountSet": amount,
            "createdAt": now,
            "processedAt": now,
            **values,
        },
    )


def settle(order: dict, context: Context) -> dict:
    """Recompute what follows from the transactions, and announce the changed order."""
    names = (
        "displayFinancialStatus",
        "paymentGatewayNames",
        "totalReceivedSet",
        "netPaymentSet",
        "totalCapturableSet",
        "totalRefundedSet",
        "capturable",
        "fullyPaid",
        "unpaid",
        "totalOutstandingSet",
    )
    shop = context.shop
    held = {key: value for key, value in order.items() if key not in names}
    values = {}
    for name in names:
        values[name] = shop.read({**held, **values}, name)
    return update(context, order["id"], values)


@mutation("orderMarkAsPaid", empty=("order",))
def mark_as_paid(arguments: dict, context: Context) -> dict:
    shop = context.shop
    order = _order(context, arguments["input"]["id"])
    due = amounts(shop.read(order, "totalOutstandingSet"))
    if order.get("cancelledAt") or due[0] <= 0:
        error = user_error(["id"], "Order cannot be marked as paid.")
        raise UserErrors(error, payload={"order": order})
    for pending in shop.store.related(order, "transactions"):
        if pending.get("status") == "PENDING":
            shop.store.put(pending["id"], "OrderTransaction", {"status": "FAILURE"})
    _transaction(
        order,
        context,
        "SALE",
        make_bag(order, shop, due),
        gateway="manual",
        formattedGateway="Manual",
        manualPaymentGateway=True,
    )
    return {"order": settle(order, context)}


@mutation("orderCapture", empty=("transaction",))
def capture(arguments: dict, context: Context) -> dict:
    given, shop = arguments["input"], context.shop
    order = _order(context, given["id"])
    parent = find(context, "OrderTransaction", given["parentTransactionId"])
    if parent is None or parent.get("order") != order["id"]:
        raise UserErrors(user_error(None, "Unable to find parent transaction"))
    authorized = parent["amountSet"]["presentmentMoney"]
    currency = authorized["currencyCode"]
    foreign = currency != parent["amountSet"]["shopMoney"]["currencyCode"]
    if given.get("currency", None if foreign else currency) != currency:
        message = f"Currency Currency must match parent transaction {currency}"
        raise UserErrors(user_error(["currency"], message))
    amount = Decimal(given["amount"])
    if amount <= 0:
        message = "Amount must be greater than zero for capture transactions"
        raise UserErrors(user_error(None, message))
    captured = sum(
        amounts(item["amountSet"])[1]
        for item in shop.store.related(order, "transactions")
        if item.get("kind") == "CAPTURE" and item.get("parentTransaction") == parent["id"]
    )
    left = Decimal(authorized["amount"]) - captured
    if amount > left:
        message = (
            f"Cannot capture more than the authorized {left:.{digits(currency)}f} for this payment."
        )
        raise UserErrors(user_error(None, message))
    if given.get("finalCapture") is not None:
        raise UserErrors(
            user_error(
                None,
                "Setting final capture is not supported for this "
                "transaction's payment gateway. Please remove the parameter "
                "or set it to null, then try again.",
            )
        )
    whole = amounts(parent["amountSet"])
    shop_amount = rounded(amount * whole[0] / whole[1], shop.currency)
    if amount == left:
        taken = sum(
            amounts(item["amountSet"])[0]
            for item in shop.store.related(order, "transactions")
            if item.get("kind") == "CAPTURE" and item.get("parentTransaction") == parent["id"]
        )
        shop_amount = whole[0] - taken
    transaction = _transaction(
        order,
        context,
        "CAPTURE",
        make_bag(order, shop, (shop_amount, amount)),
        gateway=parent.get("gateway"),
        formattedGateway=parent.get("formattedGateway"),
        parentTransaction={"id": parent["id"]},
    )
    settle(order, context)
    return {"transaction": transaction}


# Cancelling -----------------------------------------------------------------------------------


@mutation("orderCancel", errors="orderCancelUserErrors", empty=("job", "jobResult"))
def cancel(arguments: dict, context: Context) -> dict:
    """Cancels at once; the job of the answer is done when it is asked for."""
    try:
        order = _cancellable(arguments, context)
    except UserErrors as refused:
        plain = [{**error, "code": None} for error in refused.errors]
        raise UserErrors(
            *({**error, "code": "INVALID"} for error in refused.errors),
            payload={"userErrors": plain},
        ) from None
    now = context.shop.now()
    if arguments.get("refund") or (arguments.get("refundMethod") or {}).get(
        "originalPaymentMethodsRefund"
    ):
        refund_everything(order, context, restock=arguments["restock"])
    elif arguments["restock"]:
        _restock(order, context)
    for record in context.shop.store.related(order, "fulfillmentOrders"):
        update(context, record["id"], {"status": "CLOSED", "supportedActions": []})
    zero = make_bag(order, context.shop, (Decimal(0), Decimal(0)))
    update(
        context,
        order["id"],
        {
            "cancelledAt": now,
            "closedAt": now,
            "cancelReason": arguments["reason"],
            "currentTotalPriceSet": zero,
            "currentSubtotalPriceSet": zero,
            "currentTotalTaxSet": zero,
            "totalOutstandingSet": zero,
        },
    )
    store = context.shop.store
    gid = f"gid://shopify/Job/{uuid.uuid4()}"
    store.put(gid, "Job", {"done": True})
    result = f"gid://shopify/OrderCancelJobResult/{uuid.uuid4()}"
    done = {"done": True, "status": "SUCCEEDED", "errors": [], "order": order["id"]}
    return {
        "job": {"__typename": "Job", "id": gid, "done": False},
        "jobResult": {
            **store.put(result, "OrderCancelJobResult", done),
            "done": False,
            "status": "STARTED",
        },
        "userErrors": [],
    }


def _cancellable(arguments: dict, context: Context) -> dict:
    order = find(context, "Order", arguments["orderId"])
    if order is None:
        raise UserErrors(user_error(["orderId"], "Order does not exist"))
    if order.get("cancelledAt"):
        message = "Cannot cancel an order that has already been canceled"
        raise UserErrors(user_error(["orderId"], message))
    if len(arguments.get("staffNote") or "") > STAFF_NOTE_MAXIMUM:
        message = f"Staff note is too long. Maximum length is {STAFF_NOTE_MAXIMUM} characters."
        raise UserErrors(user_error(["staffNote"], message))
    if arguments.get("refund") is not None and arguments.get("refundMethod") is not None:
        message = "Only one of the arguments `refund` or `refund_method` is allowed."
        raise UserErrors(user_error(["refund"], message))
    return order


def _restock(order: dict, context: Context) -> None:
    """What was committed to the order is available again."""
    store = context.shop.store
    for record in store.related(order, "fulfillmentOrders"):
        location = (record.get("assignedLocation") or {}).get("location")
        for line in store.resolve_all(record.get("lineItems")):
            item = store.get(line.get("inventoryItemId"))
            for level in store.related(item, "inventoryLevels") if item else ():
                if level.get("location") == location:
                    quantity = context.shop.read(line, "remainingQuantity")
                    deltas = {"available": quantity, "committed": -quantity}
                    context.changes.append(change_quantities(context.shop, level, deltas))
