"""The simplest order that still goes wrong, from one that does."""

import copy
from itertools import chain

from .order_drawn import Pen, close, minor, part_of, transaction


def reduce(node, splits, goes_wrong, tries=100):
    """Leave out of an order whatever does not matter.

    :param goes_wrong: function of (order node, its Books, splits)
    :return: (order node, Books, splits)
    """
    best, found = (node, close(node), splits), True
    while found:
        found = False
        for smaller in simpler_orders(best[0], best[2]):
            if tries <= 0:
                return best
            tries -= 1
            if goes_wrong(*smaller):
                best, found = smaller, True
                break
    return best


def simpler_orders(node, splits):
    """Orders that are simpler in one way, the boldest first."""
    if splits:
        yield node, close(node), splits[:-1]
    for change in _changes(node):
        other = copy.deepcopy(node)
        change(other)
        if all(map(_is_sound, _lines(other))):
            _pay(other)
            yield other, close(other), splits


def _lines(node):
    return [*node["lineItems"]["nodes"], *node["shippingLines"]["nodes"]]


def _is_sound(line):
    """Whether the discounts take no more than there is."""
    price = minor(line.get("originalUnitPriceSet") or line["originalPriceSet"])
    taken = [minor(item["allocatedAmountSet"]) for item in line.get("discountAllocations", ())]
    gross = [amount * line.get("quantity", 1) for amount in price]
    return all(sum(pair[side] for pair in taken) <= gross[side] for side in (0, 1))


def _changes(node):
    """Functions that make an order simpler."""
    return chain(
        _fewer_parts(node),
        _fewer_of(node, lambda order: order["transactions"], 0),
        _fewer_of(node, lambda order: order["lineItems"]["nodes"], 1),
        _fewer_on_lines(node),
        _smaller_lines(node),
    )


def _fewer_parts(node):
    def no_tip(order):
        order["totalTipReceivedSet"] = _bag(order, 0)
        items = order["lineItems"]["nodes"]
        items[:] = [item for item in items if item["title"] != "Tip"]

    if any(minor(node["totalTipReceivedSet"])):
        yield no_tip
    if node["shippingLines"]["nodes"]:
        yield lambda order: order["shippingLines"]["nodes"].clear()
    if node["additionalFees"]:
        yield lambda order: order["additionalFees"].clear()
    if node["currencyCode"] != node["presentmentCurrencyCode"]:
        yield _in_one_currency


def _in_one_currency(value):
    """The customer sees the store's currency."""
    if isinstance(value, dict):
        if "currencyCode" in value and "presentmentCurrencyCode" in value:
            value["presentmentCurrencyCode"] = value["currencyCode"]
        if "shopMoney" in value:
            value["presentmentMoney"] = value["shopMoney"]
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            _in_one_currency(item)


def _fewer_of(node, items, least):
    """Half of a list, then one less."""
    count = len(items(node))
    if count > least + 1:
        yield lambda order: items(order).__delitem__(slice(max(count // 2, least), None))
        yield lambda order: items(order).__delitem__(slice(None, count // 2))
    if count > least:
        for index in range(count):
            yield lambda order, index=index: items(order).pop(index)


def _holders(node):
    duties = (duty for item in node["lineItems"]["nodes"] for duty in item.get("duties", ()))
    return [*_lines(node), *duties, *node["additionalFees"]]


def _fewer_on_lines(node):
    for position, holder in enumerate(_holders(node)):
        for key in ("duties", "discountAllocations", "taxLines"):
            if holder.get(key):
                yield from _fewer_of(node, lambda o, p=position, k=key: _holders(o)[p][k], 0)


def _smaller_lines(node):
    for position, item in enumerate(node["lineItems"]["nodes"]):
        for quantity in (1, 2, 3, 10):
            if quantity < item["quantity"]:
                yield lambda order, p=position, q=quantity: order["lineItems"]["nodes"][p].update(
                    quantity=q, currentQuantity=q
                )
        for price in (1, 100, 1000):
            if price < minor(item["originalUnitPriceSet"])[1]:
                yield lambda order, p=position, amount=price: order["lineItems"]["nodes"][p].update(
                    originalUnitPriceSet=_bag(order, amount)
                )


def _bag(node, amount):
    pen = Pen(node["number"], node["presentmentCurrencyCode"], node["currencyCode"], 1000)
    return pen.bag((amount, amount))


def _pay(node):
    """Pay the new total by as many transactions as before, in equal parts."""
    total = close(node).total
    money = [
        item
        for item in node["transactions"]
        if item["status"] == "SUCCESS" and item["kind"] in ("SALE", "CAPTURE")
    ]
    if not money or min(total) <= 0:
        node.update(transactions=[], displayFinancialStatus="PENDING" if any(total) else "PAID")
        return
    parts = len(money) + (node["displayFinancialStatus"] == "PARTIALLY_PAID")
    pen = Pen(node["number"], node["presentmentCurrencyCode"], node["currencyCode"], 1000)
    node["transactions"] = [
        transaction(
            item["id"],
            item["kind"],
            "SUCCESS",
            pen.bag(part_of(total, index, parts)),
            item["gateway"],
        )
        for index, item in enumerate(money)
    ]
