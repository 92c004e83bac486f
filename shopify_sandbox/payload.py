"""REST-shaped bodies of webhooks: enough to find the resource, and what hints often read."""

from collections.abc import Callable

from .derive import amounts
from .money import money_text
from .shop import Shop
from .store import legacy_id


def numeric(gid: str | None) -> int | None:
    number = legacy_id(gid) if gid else ""
    return int(number) if number.isdigit() else None


def _amount(value: dict | None) -> str | None:
    return money_text(amounts(value)[0]) if value else None


def _base(record: dict) -> dict:
    return {
        "id": numeric(record["id"]),
        "admin_graphql_api_id": record["id"],
        "created_at": record.get("createdAt"),
        "updated_at": record.get("updatedAt"),
    }


def _address(address: dict | None) -> dict | None:
    if not address:
        return None
    names = {
        "first_name": "firstName",
        "last_name": "lastName",
        "company": "company",
        "address1": "address1",
        "address2": "address2",
        "city": "city",
        "zip": "zip",
        "province": "province",
        "province_code": "provinceCode",
        "country": "country",
        "country_code": "countryCodeV2",
        "phone": "phone",
        "name": "name",
    }
    return {name: address.get(field) for name, field in names.items()}


def order(record: dict, shop: Shop) -> dict:
    def lower(field):
        value = shop.read(record, field)
        return value.lower() if value else None

    fulfillment = lower("displayFulfillmentStatus")
    return {
        **_base(record),
        "name": shop.read(record, "name"),
        "order_number": shop.read(record, "number"),
        "email": record.get("email"),
        "phone": record.get("phone"),
        "note": record.get("note"),
        "tags": ", ".join(record.get("tags") or ()),
        "test": shop.read(record, "test"),
        "currency": shop.read(record, "currencyCode"),
        "presentment_currency": shop.read(record, "presentmentCurrencyCode"),
        "processed_at": record.get("processedAt"),
        "cancelled_at": record.get("cancelledAt"),
        "cancel_reason": lower("cancelReason"),
        "closed_at": record.get("closedAt"),
        "financial_status": lower("displayFinancialStatus"),
        "fulfillment_status": None if fulfillment == "unfulfilled" else fulfillment,
        "source_name": shop.read(record, "sourceName"),
        "taxes_included": shop.read(record, "taxesIncluded"),
        "subtotal_price": _amount(shop.read(record, "subtotalPriceSet")),
        "total_discounts": _amount(shop.read(record, "totalDiscountsSet")),
        "total_tax": _amount(shop.read(record, "totalTaxSet")),
        "total_price": _amount(shop.read(record, "totalPriceSet")),
        "current_total_price": _amount(shop.read(record, "currentTotalPriceSet")),
        "customer": {"id": numeric(record["customer"])} if record.get("customer") else None,
        "billing_address": _address(record.get("billingAddress")),
        "shipping_address": _address(record.get("shippingAddress")),
        "line_items": [
            _line(line, shop) for line in shop.store.resolve_all(record.get("lineItems"))
        ],
        "refunds": [refund(item, shop) for item in shop.store.related(record, "refunds")],
    }


def _line(line: dict, shop: Shop) -> dict:
    return {
        "id": numeric(line["id"]),
        "admin_graphql_api_id": line["id"],
        "title": line.get("title"),
        "name": shop.read(line, "name"),
        "sku": line.get("sku"),
        "quantity": shop.read(line, "quantity"),
        "current_quantity": shop.read(line, "currentQuantity"),
        "price": _amount(line.get("originalUnitPriceSet")),
        "product_id": numeric(line.get("product")),
        "variant_id": numeric(line.get("variant")),
    }


def refund(record: dict, shop: Shop) -> dict:
    return {
        **_base(record),
        "order_id": numeric(record.get("order")),
        "note": record.get("note"),
        "processed_at": record.get("processedAt"),
        "refund_line_items": [
            {
                "quantity": item.get("quantity"),
                "line_item_id": numeric(item.get("lineItem")),
                "restock_type": (item.get("restockType") or "NO_RESTOCK").lower(),
            }
            for item in shop.store.resolve_all(record.get("refundLineItems"))
        ],
        "transactions": [
            transaction(item, shop) for item in shop.store.resolve_all(record.get("transactions"))
        ],
    }


def transaction(record: dict, shop: Shop) -> dict:
    return {
        **_base(record),
        "order_id": numeric(record.get("order")),
        "kind": str(record.get("kind") or "").lower(),
        "status": str(record.get("status") or "").lower(),
        "gateway": record.get("gateway"),
        "amount": _amount(record.get("amountSet")),
    }


def product(record: dict, shop: Shop) -> dict:
    return {
        **_base(record),
        "title": record.get("title"),
        "handle": shop.read(record, "handle"),
        "status": shop.read(record, "status").lower(),
        "vendor": record.get("vendor"),
        "product_type": record.get("productType"),
        "tags": ", ".join(record.get("tags") or ()),
        "variants": [
            {
                **_base(item),
                "product_id": numeric(record["id"]),
                "sku": shop.read(item, "sku"),
                "barcode": item.get("barcode"),
                "price": shop.read(item, "price"),
                "title": shop.read(item, "title"),
                "inventory_item_id": numeric(item.get("inventoryItem")),
            }
            for item in shop.store.related(record, "variants")
        ],
    }


def customer(record: dict, shop: Shop) -> dict:
    return {
        **_base(record),
        "email": shop.read(record, "email"),
        "phone": shop.read(record, "phone"),
        "first_name": record.get("firstName"),
        "last_name": record.get("lastName"),
        "state": shop.read(record, "state").lower(),
        "default_address": _address(record.get("defaultAddress")),
    }


def inventory_level(record: dict, shop: Shop) -> dict:
    held = {item["name"]: item["quantity"] for item in record.get("quantities") or ()}
    return {
        "inventory_item_id": numeric(record.get("item")),
        "location_id": numeric(record.get("location")),
        "available": held.get("available"),
        "updated_at": record.get("updatedAt"),
        "admin_graphql_api_id": record["id"],
    }


def fulfillment(record: dict, shop: Shop) -> dict:
    tracking = record.get("trackingInfo") or []
    return {
        **_base(record),
        "order_id": numeric(record.get("order")),
        "name": shop.read(record, "name"),
        "status": shop.read(record, "status").lower(),
        "location_id": numeric(record.get("location")),
        "tracking_company": next((item.get("company") for item in tracking), None),
        "tracking_numbers": [item.get("number") for item in tracking],
        "tracking_urls": [item.get("url") for item in tracking],
    }


def returned(record: dict, shop: Shop) -> dict:
    parent = shop.store.get(record.get("order"))
    return {
        **_base(record),
        "name": record.get("name"),
        "status": str(record.get("status") or "").lower(),
        "order": {
            "id": numeric(record.get("order")),
            "admin_graphql_api_id": parent and parent["id"],
        },
    }


def named(record: dict, shop: Shop) -> dict:
    return {**_base(record), "name": record.get("name")}


def order_edit(record: dict, shop: Shop) -> dict:
    number = numeric(record["id"])
    return {"order_edit": {"id": number, "order_id": number, "created_at": record["updatedAt"]}}


def risk_assessment(record: dict, shop: Shop) -> dict:
    assessed = (record.get("risk") or {}).get("assessments") or [{}]
    return {
        "risk_level": str(assessed[-1].get("riskLevel") or "none").lower(),
        "facts": [],
        "order_id": numeric(record["id"]),
        "admin_graphql_api_order_id": record["id"],
        "created_at": record.get("updatedAt"),
    }


def bulk_operation(record: dict, shop: Shop) -> dict:
    return {
        "admin_graphql_api_id": record["id"],
        "completed_at": record["completedAt"],
        "created_at": record["createdAt"],
        "error_code": record["errorCode"] and record["errorCode"].lower(),
        "status": record["status"].lower(),
        "type": record["type"].lower(),
    }


def deleted(record: dict, shop: Shop) -> dict:
    return {"id": numeric(record["id"])}


PAYLOADS: dict[str, Callable[[dict, Shop], dict]] = {
    "Order": order,
    "Refund": refund,
    "OrderTransaction": transaction,
    "Product": product,
    "Customer": customer,
    "InventoryLevel": inventory_level,
    "Fulfillment": fulfillment,
    "Return": returned,
    "BulkOperation": bulk_operation,
}


def body(topic: str, record: dict, shop: Shop) -> dict:
    """Body of a webhook about an object.

    :param topic: as in the enum, e.g. ``ORDERS_CREATE``
    """
    if topic.endswith("_DELETE"):
        return deleted(record, shop)
    if topic == "ORDERS_EDITED":
        return order_edit(record, shop)
    if topic == "ORDERS_RISK_ASSESSMENT_CHANGED":
        return risk_assessment(record, shop)
    return PAYLOADS.get(record["__typename"], named)(record, shop)
