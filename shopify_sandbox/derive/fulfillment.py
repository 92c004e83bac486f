"""Fulfilment orders and fulfilments."""

from .base import derived


@derived("FulfillmentOrder", "orderId")
def _fulfillment_order_order(record, shop):
    return str(record.get("order") or "")


@derived("FulfillmentOrder", "orderName")
def _fulfillment_order_name(record, shop):
    order = shop.store.get(record.get("order"))
    return shop.read(order, "name") if order else ""


@derived("FulfillmentOrder", "orderProcessedAt")
def _fulfillment_order_processed(record, shop):
    order = shop.store.get(record.get("order")) or {}
    return order.get("processedAt") or shop.created_at


@derived("FulfillmentOrder", "status")
def _fulfillment_order_status(record, shop):
    return "OPEN"


@derived("FulfillmentOrder", "requestStatus")
def _fulfillment_order_request(record, shop):
    return "UNSUBMITTED"


@derived("FulfillmentOrderLineItem", "remainingQuantity")
def _fulfillment_order_remaining(record, shop):
    return record.get("totalQuantity") or 0


def _line_field(name: str, source: str) -> None:
    @derived("FulfillmentOrderLineItem", name)
    def read(record, shop):
        line = shop.store.get(record.get("lineItem"))
        return shop.read(line, source) if line else None


for _name, _source in {
    "sku": "sku",
    "productTitle": "title",
    "variantTitle": "variantTitle",
    "vendor": "vendor",
    "variant": "variant",
    "requiresShipping": "requiresShipping",
}.items():
    _line_field(_name, _source)


@derived("Fulfillment", "name")
def _fulfillment_name(record, shop):
    order = shop.store.get(record.get("order"))
    return f"{shop.read(order, 'name') if order else '#'}-F1"


@derived("Fulfillment", "totalQuantity")
def _fulfillment_quantity(record, shop):
    found = shop.store.resolve_all(record.get("fulfillmentLineItems"))
    return sum(item.get("quantity") or 0 for item in found)
