"""Figures of returns and their lines."""

from .base import derived


def _lines(record, shop):
    return shop.store.resolve_all(record.get("returnLineItems"))


@derived("Return", "totalQuantity")
def _return_quantity(record, shop):
    return sum(line.get("quantity") or 0 for line in _lines(record, shop))


@derived("Return", "name")
def _return_name(record, shop):
    order = shop.store.get(record.get("order"))
    return f"{shop.read(order, 'name') if order else '#'}-R1"


def _quantities(type_name: str) -> None:
    @derived(type_name, "processableQuantity", "unprocessedQuantity")
    def left(line, shop):
        return (line.get("quantity") or 0) - (line.get("processedQuantity") or 0)


_quantities("ReturnLineItem")
_quantities("ExchangeLineItem")


@derived("ReturnLineItem", "refundedQuantity")
def _refunded(line, shop):
    return line.get("processedQuantity") or 0


@derived("ReturnLineItem", "refundableQuantity")
def _refundable(line, shop):
    return (line.get("quantity") or 0) - shop.read(line, "refundedQuantity")


@derived("ReverseFulfillmentOrder", "status")
def _reverse_status(record, shop):
    return "OPEN"
