"""Refunds: lines, shipping and money given back, and what becomes of the order."""

from collections import Counter
from decimal import Decimal

from ..context import Context
from ..derive import amounts, make_bag, minus, plus, taxes_of, total
from ..errors import UserErrors, user_error
from ..money import rounded
from ..routing import change_quantities
from .fulfillments import do_not_ship
from .registry import create, find, mutation, update

NOTHING = (Decimal(0), Decimal(0))


@mutation("refundCreate", empty=("refund",), idempotent=True)
def refund_create(arguments: dict, context: Context) -> dict:
    given = arguments["input"]
    order = find(context, "Order", given["orderId"])
    if order is None:
        error = user_error(["orderId"], "Order does not exist")
        raise UserErrors(error, payload={"order": None})
    waiting = _to_ship(order, context)
    try:
        answer = _refund(order, given, context)
    except UserErrors as refused:
        refused.payload["order"] = order
        raise
    for gid, left in _to_ship(order, context).items():
        if left < waiting[gid]:
            do_not_ship(order, context.shop.store.get(gid), waiting[gid] - left, context)
    return answer


def _refund(order: dict, given: dict, context: Context) -> dict:
    lines = _lines(order, given.get("refundLineItems") or (), context)
    presented = _is_presented(order, given, context)
    shipping = _shipping(order, given.get("shipping") or {}, context, presented)
    transactions = [
        _transaction(order, entry, context, presented) for entry in given.get("transactions") or ()
    ]
    _check_amount(order, transactions, context)
    record = _create(
        order,
        given,
        lines=lines,
        shipping=shipping,
        transactions=transactions,
        context=context,
    )
    return {"refund": record, "order": _after(order, record, context)}


def _is_presented(order: dict, given: dict, context: Context) -> bool:
    """Whether the amounts are in the currency that the customer paid in, as ``currency`` says."""
    paid_in = context.shop.read(order, "presentmentCurrencyCode")
    if given.get("currency") not in (None, paid_in):
        message = f"Currency must be the presentment currency of the order, {paid_in}"
        raise UserErrors(user_error(["currency"], message))
    return given.get("currency") is not None


def _lines(order: dict, entries, context: Context) -> list[dict]:
    """The lines of a refund; several may be of one ordered line, restocked in different ways."""
    before: Counter = Counter()
    found = []
    for index, entry in enumerate(entries):
        found.append(_line(order, index, entry, context, before[entry["lineItemId"]]))
        before[entry["lineItemId"]] += entry["quantity"]
    return found


def _line(order: dict, index: int, entry: dict, context: Context, before: int = 0) -> dict:
    """:param before: units of the same line that earlier entries give back"""
    shop = context.shop
    line = find(context, "LineItem", entry["lineItemId"])
    if line is None or entry["lineItemId"] not in (order.get("lineItems") or ()):
        field = ["refundLineItems", str(index), "lineItemId"]
        raise UserErrors(user_error(field, "Line item does not exist"))
    quantity = entry["quantity"]
    left = shop.read(line, "refundableQuantity") - before
    if quantity > left:
        field = ["refundLineItems", str(index), "quantity"]
        raise UserErrors(user_error(field, "Quantity cannot refund more items than were purchased"))
    ordered = shop.read(line, "quantity") or 1
    done = ordered - left
    unit = tuple(amount * ordered for amount in amounts(line.get("originalUnitPriceSet")))
    discounts = total(i["allocatedAmountSet"] for i in line.get("discountAllocations") or ())
    taxes = total(tax["priceSet"] for tax in line.get("taxLines") or ())
    return {
        "lineItem": {"id": line["id"]},
        "quantity": quantity,
        "restockType": entry.get("restockType") or "NO_RESTOCK",
        "restocked": entry.get("restockType") in ("RETURN", "CANCEL"),
        "location": {"id": entry["locationId"]} if entry.get("locationId") else None,
        "subtotalSet": _share(order, minus(unit, discounts), (done, quantity, ordered), context),
        "totalTaxSet": _share(order, taxes, (done, quantity, ordered), context),
        "priceSet": line.get("originalUnitPriceSet"),
    }


def _share(order: dict, whole: tuple, units: tuple[int, int, int], context: Context) -> dict:
    """The part of an amount that some units carry; the parts of all units are the whole.

    :param units: refunded before, refunded now, ordered
    """
    done, quantity, ordered = units
    bag = make_bag(order, context.shop, whole)
    currencies = [bag[name]["currencyCode"] for name in ("shopMoney", "presentmentMoney")]
    share = tuple(
        rounded(amount * (done + quantity) / ordered, currency)
        - rounded(amount * done / ordered, currency)
        for amount, currency in zip(whole, currencies, strict=True)
    )
    return make_bag(order, context.shop, share)


def _shipping(
    order: dict, given: dict, context: Context, presented: bool = False
) -> tuple[Decimal, Decimal]:
    """Shipping given back, in both currencies and without tax."""
    whole = amounts(context.shop.read(order, "totalShippingPriceSet"))
    if given.get("fullRefund"):
        return whole
    if given.get("amount") and whole[0]:
        if presented and whole[1]:
            amount = Decimal(given["amount"])
            return rounded(amount * whole[0] / whole[1], context.shop.currency), amount
        shop_amount = Decimal(given["amount"])
        return shop_amount, rounded(shop_amount * whole[1] / whole[0], context.shop.currency)
    return NOTHING


def _transaction(order: dict, entry: dict, context: Context, presented: bool = False) -> dict:
    shop = context.shop
    if entry["kind"] != "REFUND":
        message = f"Kind {entry['kind'].lower()} is not a valid transaction"
        raise UserErrors(user_error(None, message))
    parent = find(context, "OrderTransaction", entry.get("parentId") or "")
    if parent is None or parent.get("order") != order["id"]:
        message = "Transactions require a parent_id associated with the order"
        raise UserErrors(user_error(["transactions"], message))
    amounts_given = _both(Decimal(entry["amount"]), parent["amountSet"], presented)
    return {
        "id": shop.store.new_gid("OrderTransaction"),
        "kind": "REFUND",
        "status": "SUCCESS",
        # The parent's gateway counts, whatever name was given.
        "gateway": parent.get("gateway"),
        "formattedGateway": parent.get("formattedGateway"),
        "amountSet": make_bag(order, shop, amounts_given),
        "parentTransaction": {"id": parent["id"]},
        "order": {"id": order["id"]},
        "processedAt": shop.now(),
    }


def _both(amount: Decimal, paid: dict, presented: bool) -> tuple[Decimal, Decimal]:
    """An amount in both currencies, by the rate of the payment that it is taken from.

    :param presented: whether it is in the customer's currency, else in the store's
    """
    shop, customer = amounts(paid)
    if shop == customer or not shop or not customer:
        return amount, amount
    if presented:
        return rounded(amount * shop / customer, paid["shopMoney"]["currencyCode"]), amount
    return amount, rounded(amount * customer / shop, paid["presentmentMoney"]["currencyCode"])


def _check_amount(order: dict, transactions: list[dict], context: Context) -> None:
    asked = total(item["amountSet"] for item in transactions)[0]
    received = amounts(context.shop.read(order, "netPaymentSet"))[0]
    if asked > received:
        message = f"Refund amount ${asked:.2f} is greater than net payment received ${received:.2f}"
        raise UserErrors(user_error(None, message))


def _create(order, given, *, lines, shipping, transactions, context: Context) -> dict:
    store, now = context.shop.store, context.shop.now()
    adjustment = _discrepancy(order, lines, shipping, transactions, context)
    record = create(
        context,
        {
            "__typename": "Refund",
            "id": store.new_gid("Refund"),
            "order": {"id": order["id"]},
            **({"return": {"id": given["returnId"]}} if given.get("returnId") else {}),
            "note": given.get("note"),
            "createdAt": now,
            "processedAt": given.get("processedAt") or now,
            "refundLineItems": {"nodes": lines},
            "refundShippingLines": {"nodes": _shipping_lines(order, shipping, context)},
            "orderAdjustments": {"nodes": adjustment},
            "transactions": {"nodes": transactions},
            "totalRefundedSet": make_bag(
                order, context.shop, total(item["amountSet"] for item in transactions)
            ),
        },
    )
    for line in lines:
        # Goods of a return were put back when they were disposed of.
        if line["restocked"] and not given.get("returnId"):
            sold = store.get(line["lineItem"]["id"])
            place = (line.get("location") or {}).get("id")
            put_back(sold, line["quantity"], line["restockType"], place, context)
    return record


def _to_ship(order: dict, context: Context) -> dict[str, int]:
    """Units that wait to be shipped by line."""
    lines = context.shop.store.resolve_all(order.get("lineItems"))
    return {line["id"]: context.shop.read(line, "unfulfilledQuantity") for line in lines}


def _shipping_lines(order: dict, shipping: tuple, context: Context) -> list[dict]:
    if not shipping[0]:
        return []
    store = context.shop.store
    line = next(iter(context.shop.read(order, "shippingLines")), None)
    return [
        {
            "id": store.new_gid("RefundShippingLine"),
            "shippingLine": line,
            "subtotalAmountSet": make_bag(order, context.shop, shipping),
            "taxAmountSet": make_bag(order, context.shop, _shipping_tax(order, shipping, context)),
        }
    ]


def _shipping_tax(order: dict, shipping: tuple, context: Context) -> tuple:
    """The part of the tax on shipping that goes with the part of the price given back."""
    shop = context.shop
    whole = amounts(shop.read(order, "totalShippingPriceSet"))
    tax = plus(NOTHING, *(taxes_of(line) for line in shop.read(order, "shippingLines")))
    codes = (shop.currency, shop.read(order, "presentmentCurrencyCode"))
    return tuple(
        rounded(charged * part / price, code) if price else Decimal(0)
        for charged, part, price, code in zip(tax, shipping, whole, codes, strict=True)
    )


def _value(order: dict, lines: list[dict], shipping: tuple, context: Context) -> tuple:
    """What the lines and the shipping of a refund are worth."""
    value = plus(total(line["subtotalSet"] for line in lines), shipping)
    if context.shop.read(order, "taxesIncluded"):
        return value
    taxes = total(line["totalTaxSet"] for line in lines)
    return plus(value, taxes, _shipping_tax(order, shipping, context))


def _discrepancy(order, lines, shipping, transactions, context: Context) -> list[dict]:
    """Money that no line explains becomes an adjustment."""
    money = total(item["amountSet"] for item in transactions)
    difference = minus(_value(order, lines, shipping, context), money)
    if not transactions or not difference[0]:
        return []
    return [
        {
            "id": context.shop.store.new_gid("OrderAdjustment"),
            "reason": "REFUND_DISCREPANCY",
            "amountSet": make_bag(order, context.shop, difference),
            "taxAmountSet": make_bag(order, context.shop, NOTHING),
        }
    ]


def put_back(sold: dict, quantity: int, restock: str, place: str | None, context: Context) -> None:
    """Make units of an order's line available again.

    :param restock: ``RETURN`` for goods that had left, ``CANCEL`` for goods that had not
    :param place: gid of the location; without one the first level is used
    """
    store = context.shop.store
    variant = store.get(sold.get("variant")) if sold else None
    item = store.get(variant.get("inventoryItem")) if variant else None
    for level in store.related(item, "inventoryLevels") if item else ():
        if place in (None, level.get("location")):
            back = "on_hand" if restock == "RETURN" else "committed"
            delta = quantity if back == "on_hand" else -quantity
            deltas = {"available": quantity, back: delta}
            context.changes.append(change_quantities(context.shop, level, deltas))
            return


def _after(order: dict, record: dict, context: Context) -> dict:
    """The order after a refund: ``current...`` figures drop, ``total...`` figures stay.

    Figures that the order does not state are derived, with the refund.
    """
    shop = context.shop
    refund_lines = shop.store.resolve_all(record["refundLineItems"])
    _lower(refund_lines, context)
    goods = total(line["subtotalSet"] for line in refund_lines)
    taxes = total(line["totalTaxSet"] for line in refund_lines)
    given = amounts(record["totalRefundedSet"])
    value = given if given[0] else _value(order, refund_lines, NOTHING, context)
    shipped = total(
        line["subtotalAmountSet"] for line in shop.store.resolve_all(record["refundShippingLines"])
    )

    less = {
        "currentTotalPriceSet": value,
        "currentSubtotalPriceSet": goods,
        "currentTotalTaxSet": taxes,
        "currentShippingPriceSet": shipped,
        "netPaymentSet": given,
        "totalRefundedSet": minus(NOTHING, given),
    }
    values = {
        name: make_bag(order, shop, minus(amounts(order[name]), by))
        for name, by in less.items()
        if order.get(name) is not None
    }
    if given[0]:
        done = amounts(shop.read({**order, **values}, "netPaymentSet"))[0] <= 0
        values["displayFinancialStatus"] = "REFUNDED" if done else "PARTIALLY_REFUNDED"
    if "currentSubtotalLineItemsQuantity" in order:
        gone = sum(line["quantity"] for line in refund_lines)
        values["currentSubtotalLineItemsQuantity"] = (
            order["currentSubtotalLineItemsQuantity"] - gone
        )
    return update(context, order["id"], values)


def _lower(refund_lines: list[dict], context: Context) -> None:
    """Lines that state what is left of them have less left; others derive it."""
    store = context.shop.store
    for item in refund_lines:
        line = store.get(item["lineItem"])
        stated = {
            name: line[name] - item["quantity"]
            for name in ("currentQuantity", "refundableQuantity")
            if line.get(name) is not None
        }
        if stated:
            store.put(line["id"], "LineItem", stated)


def left_of(payment: dict, context: Context) -> tuple[Decimal, Decimal]:
    """What of a payment was not given back yet, in both currencies."""
    store = context.shop.store
    given = total(
        item["amountSet"]
        for item in store.related(store.get(payment["order"]), "transactions")
        if item.get("kind") == "REFUND"
        and item.get("status") == "SUCCESS"
        and item.get("parentTransaction") == payment["id"]
    )
    return minus(amounts(payment["amountSet"]), given)


def payments_of(order: dict, context: Context) -> list[dict]:
    """The transactions that brought money."""
    return [
        item
        for item in context.shop.store.related(order, "transactions")
        if item.get("kind") in ("SALE", "CAPTURE") and item.get("status") == "SUCCESS"
    ]


def refund_everything(order: dict, context: Context, restock: bool) -> None:
    """The refund of a cancelled order: all that is left of lines, shipping and payments.

    Only what is committed to the order is restocked, which are the units that were not sent.
    """
    shop = context.shop
    lines = []
    for line in shop.store.resolve_all(order.get("lineItems")):
        left = shop.read(line, "refundableQuantity")
        here = min(left, shop.read(line, "unfulfilledQuantity")) if restock else 0
        for restock_type, quantity in (("CANCEL", here), ("NO_RESTOCK", left - here)):
            lines.append(
                {"lineItemId": line["id"], "quantity": quantity, "restockType": restock_type}
            )
    payments = [
        {
            "kind": "REFUND",
            "parentId": item["id"],
            "gateway": item.get("gateway") or "",
            "orderId": order["id"],
            "amount": left_of(item, context)[0],
        }
        for item in payments_of(order, context)
    ]
    given = {
        "refundLineItems": [line for line in lines if line["quantity"] > 0],
        "shipping": {"fullRefund": True},
        "transactions": [item for item in payments if item["amount"] > 0],
    }
    _refund(order, given, context)


def refund_of_edit(order: dict, lines: list[tuple], context: Context) -> None:
    """The refund without money of units that an edit took off.

    :param lines: ``[(line, units, whether they are restocked)]``
    """
    entries = [
        {
            "lineItemId": line["id"],
            "quantity": units,
            "restockType": "CANCEL" if restock else "NO_RESTOCK",
        }
        for line, units, restock in lines
    ]
    _refund(order, {"refundLineItems": entries}, context)


def suggestion(order: dict, given: dict, context: Context) -> dict:
    """What a refund of these lines and this shipping would give back (``Order.suggestedRefund``).

    :param given: the arguments of the field
    """
    shop = context.shop
    entries = given.get("refundLineItems") or ()
    if given.get("suggestFullRefund"):
        entries = [
            {"lineItemId": line["id"], "quantity": shop.read(line, "refundableQuantity")}
            for line in shop.store.resolve_all(order.get("lineItems"))
        ]
    lines = _lines(order, [entry for entry in entries if entry["quantity"]], context)
    full = given.get("refundShipping") or given.get("suggestFullRefund")
    shipping = _shipping(
        order, {"fullRefund": full, "amount": given.get("shippingAmount")}, context
    )

    def bag(pair: tuple) -> dict:
        return make_bag(order, shop, pair)

    payments = [(item, left_of(item, context)) for item in payments_of(order, context)]
    maximum = plus(NOTHING, *(left for _item, left in payments))
    value = tuple(
        min(pair) for pair in zip(_value(order, lines, shipping, context), maximum, strict=True)
    )
    goods = total(line["subtotalSet"] for line in lines)
    tax = _shipping_tax(order, shipping, context)
    return {
        "amountSet": bag(value),
        "subtotalSet": bag(goods),
        "discountedSubtotalSet": bag(goods),
        "totalTaxSet": bag(plus(total(line["totalTaxSet"] for line in lines), tax)),
        "totalCartDiscountAmountSet": bag(NOTHING),
        "totalDutiesSet": bag(NOTHING),
        "maximumRefundableSet": bag(maximum),
        "shipping": {
            "amountSet": bag(shipping),
            "maximumRefundableSet": bag(amounts(shop.read(order, "totalShippingPriceSet"))),
            "taxSet": bag(tax),
        },
        "refundDuties": [],
        "refundLineItems": [
            {**line, "lineItem": shop.store.get(line["lineItem"]["id"]), "location": None}
            for line in lines
        ],
        "suggestedRefundMethods": [],
        "suggestedTransactions": _suggested_transactions(value, payments, bag),
    }


def _suggested_transactions(value: tuple, payments: list, bag) -> list[dict]:
    """The amount, taken from one payment after the other."""
    found = []
    for item, left in payments:
        part = tuple(min(pair) for pair in zip(value, left, strict=True))
        if part[0] > 0:
            found.append(
                {
                    "amountSet": bag(part),
                    "maximumRefundableSet": bag(left),
                    "gateway": item.get("gateway"),
                    "formattedGateway": item.get("formattedGateway"),
                    "kind": "SUGGESTED_REFUND",
                    "parentTransaction": item,
                }
            )
            value = minus(value, part)
    return found


def refund_of_return(
    order: dict, record: dict, given: dict, lines: list[dict], context: Context
) -> None:
    """The refund that processing a return makes: its lines, and money when some is given back.

    :param given: the input of ``returnProcess``
    :param lines: as in the input of ``refundCreate``
    """
    issued = (given.get("financialTransfer") or {}).get("issueRefund") or {}
    shipping = given.get("refundShipping") or {}
    fixed = (shipping.get("shippingRefundAmount") or {}).get("amount")
    _refund(
        order,
        {
            "returnId": record["id"],
            "note": given.get("note"),
            "refundLineItems": lines,
            "shipping": {"fullRefund": shipping.get("fullRefund"), "amount": fixed},
            "transactions": [
                {
                    "kind": "REFUND",
                    "parentId": item["parentId"],
                    "amount": item["transactionAmount"]["amount"],
                }
                for item in issued.get("orderTransactions") or ()
            ],
        },
        context,
    )
