"""Root lists: which objects, which filters of ``query:``, which sort keys."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from .context import Context, Listing
from .derive import amounts
from .search import Filter, compile_search, moment
from .shop import Shop
from .store import legacy_id

VISIBLE_DAYS = 60  # older orders need read_all_orders
Getter = Callable[[dict], object]


def number(record: dict) -> str:
    return legacy_id(record["id"])


def number_of(gid: str | None) -> str | None:
    return legacy_id(gid) if gid else None


def _times(shop: Shop, *names: str) -> dict[str, Filter]:
    return {name: Filter("time", _reads(shop, _camel(name))) for name in names}


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _reads(shop: Shop, field: str) -> Getter:
    return lambda record: shop.read(record, field)


def _lower(shop: Shop, field: str) -> Getter:
    return lambda record: str(shop.read(record, field) or "").lower()


def _common(shop: Shop) -> dict[str, Filter]:
    return {
        "id": Filter("id", number),
        **_times(shop, "created_at", "updated_at"),
        "tag": Filter("string", _reads(shop, "tags")),
    }


def order_status(order: dict) -> list[str]:
    words = ["any", "closed" if order.get("closedAt") else "not_closed"]
    if order.get("cancelledAt"):
        words.append("cancelled")
    elif not order.get("closedAt"):
        words.append("open")
    return words


def order_filters(shop: Shop) -> dict[str, Filter]:
    def lines(order):
        return shop.store.resolve_all(order.get("lineItems"))

    def customer_words(order):
        customer = shop.store.resolve(order.get("customer")) or {}
        return [
            shop.read(order, "name"),
            order.get("email"),
            order.get("note"),
            customer.get("firstName"),
            customer.get("lastName"),
            *(line.get("title") for line in lines(order)),
        ]

    def locations(order):
        found = shop.store.related(order, "fulfillmentOrders")
        return [number_of((item.get("assignedLocation") or {}).get("location")) for item in found]

    def attribution(order):
        return (order.get("attribution") or {}).get("handle") or shop.read(order, "sourceName")

    return {
        **_common(shop),
        **_times(shop, "processed_at"),
        "default": Filter("words", customer_words),
        "name": Filter(
            "string", lambda order: [shop.read(order, "name"), shop.read(order, "name").lstrip("#")]
        ),
        "tag_not": Filter("not_in", _reads(shop, "tags")),
        "status": Filter("string", order_status),
        "financial_status": Filter("string", _lower(shop, "displayFinancialStatus")),
        "fulfillment_status": Filter("string", lambda order: _fulfillment_words(shop, order)),
        "return_status": Filter("string", _lower(shop, "returnStatus")),
        "test": Filter("boolean", _reads(shop, "test")),
        "email": Filter("string", _reads(shop, "email")),
        "sku": Filter("string", lambda order: [line.get("sku") for line in lines(order)]),
        "source_name": Filter("string", _reads(shop, "sourceName")),
        "source_identifier": Filter("string", _reads(shop, "sourceIdentifier")),
        "sales_channel": Filter("string", attribution),
        "channel": Filter("string", attribution),
        "po_number": Filter("string", _reads(shop, "poNumber")),
        "confirmation_number": Filter("string", _reads(shop, "confirmationNumber")),
        "cart_token": Filter("string", _reads(shop, "cartToken")),
        "checkout_token": Filter("string", _reads(shop, "checkoutToken")),
        "gateway": Filter("string", _reads(shop, "paymentGatewayNames")),
        "discount_code": Filter("string", _reads(shop, "discountCode")),
        "customer_id": Filter("id", lambda order: number_of(order.get("customer"))),
        "location_id": Filter("id", lambda order: number_of(order.get("retailLocation"))),
        "fulfillment_location_id": Filter("id", locations),
        "risk_level": Filter("string", _lower(shop, "riskLevel")),
        "current_total_price": Filter(
            "number", lambda order: str(amounts(shop.read(order, "currentTotalPriceSet"))[0])
        ),
        "payment_id": Filter(
            "string",
            lambda order: [
                item.get("paymentId") for item in shop.store.related(order, "transactions")
            ],
        ),
    }


def _fulfillment_words(shop: Shop, order: dict) -> list[str]:
    status = shop.read(order, "displayFulfillmentStatus").lower()
    words = {
        "fulfilled": ["shipped"],
        "unfulfilled": ["unshipped"],
        "partially_fulfilled": ["partial"],
    }
    return [status, *words.get(status, [])]


def product_filters(shop: Shop) -> dict[str, Filter]:
    def variants(product, field):
        return [shop.read(item, field) for item in shop.store.related(product, "variants")]

    return {
        **_common(shop),
        **_times(shop, "published_at"),
        "default": Filter(
            "words",
            lambda p: [p.get("title"), p.get("vendor"), p.get("productType"), *variants(p, "sku")],
        ),
        "tag_not": Filter("not_in", _reads(shop, "tags")),
        "title": Filter("words", _reads(shop, "title")),
        "handle": Filter("string", _reads(shop, "handle")),
        "status": Filter("string", _lower(shop, "status")),
        "vendor": Filter("string", _reads(shop, "vendor")),
        "product_type": Filter("string", _reads(shop, "productType")),
        "sku": Filter("string", lambda product: variants(product, "sku")),
        "barcode": Filter("string", lambda product: variants(product, "barcode")),
        "price": Filter("number", lambda product: variants(product, "price")),
        "variant_id": Filter("id", lambda product: variants(product, "id")),
        "gift_card": Filter("boolean", _reads(shop, "isGiftCard")),
        "inventory_total": Filter("number", lambda p: str(shop.read(p, "totalInventory"))),
    }


def variant_filters(shop: Shop) -> dict[str, Filter]:
    def product(variant, field):
        found = shop.store.resolve(variant.get("product"))
        return shop.read(found, field) if found else None

    return {
        **_common(shop),
        "default": Filter(
            "words", lambda v: [shop.read(v, "sku"), v.get("barcode"), shop.read(v, "displayName")]
        ),
        "title": Filter("words", _reads(shop, "title")),
        "sku": Filter("string", _reads(shop, "sku")),
        "barcode": Filter("string", _reads(shop, "barcode")),
        "product_id": Filter("id", lambda variant: number_of(variant.get("product"))),
        "product_ids": Filter("id", lambda variant: number_of(variant.get("product"))),
        "product_status": Filter("string", lambda v: str(product(v, "status")).lower()),
        "product_type": Filter("string", lambda v: product(v, "productType")),
        "vendor": Filter("string", lambda v: product(v, "vendor")),
        "tag": Filter("string", lambda v: product(v, "tags")),
        "taxable": Filter("boolean", _reads(shop, "taxable")),
        "inventory_quantity": Filter("number", lambda v: str(shop.read(v, "inventoryQuantity"))),
    }


def item_filters(shop: Shop) -> dict[str, Filter]:
    return {**_common(shop), "sku": Filter("string", _reads(shop, "sku"))}


def customer_filters(shop: Shop) -> dict[str, Filter]:
    return {
        **_common(shop),
        "default": Filter(
            "words",
            lambda c: [
                c.get("firstName"),
                c.get("lastName"),
                shop.read(c, "email"),
                shop.read(c, "phone"),
            ],
        ),
        "tag_not": Filter("not_in", _reads(shop, "tags")),
        "customer_date": Filter("time", _reads(shop, "createdAt")),
        "email": Filter("string", _reads(shop, "email")),
        "phone": Filter("string", _reads(shop, "phone")),
        "first_name": Filter("string", _reads(shop, "firstName")),
        "last_name": Filter("string", _reads(shop, "lastName")),
        "state": Filter("string", _lower(shop, "state")),
        "country": Filter("string", lambda c: (c.get("defaultAddress") or {}).get("country")),
        "orders_count": Filter("number", _reads(shop, "numberOfOrders")),
    }


def location_filters(shop: Shop) -> dict[str, Filter]:
    def address(location, field):
        return (location.get("address") or {}).get(field)

    return {
        **_common(shop),
        "default": Filter("words", _reads(shop, "name")),
        "name": Filter("string", _reads(shop, "name")),
        "location_id": Filter("id", number),
        "active": Filter("boolean", _reads(shop, "isActive")),
        "city": Filter("string", lambda location: address(location, "city")),
        "country": Filter("string", lambda location: address(location, "country")),
        "zip": Filter("string", lambda location: address(location, "zip")),
    }


def company_filters(shop: Shop) -> dict[str, Filter]:
    return {
        **_common(shop),
        "default": Filter("words", _reads(shop, "name")),
        "name": Filter("string", _reads(shop, "name")),
        "external_id": Filter("string", _reads(shop, "externalId")),
    }


def fulfillment_order_filters(shop: Shop) -> dict[str, Filter]:
    return {
        **_common(shop),
        "status": Filter("string", _lower(shop, "status")),
        "assigned_location_id": Filter(
            "id", lambda record: number_of((record.get("assignedLocation") or {}).get("location"))
        ),
    }


def bulk_operation_filters(shop: Shop) -> dict[str, Filter]:
    return {
        "id": Filter("id", number),
        **_times(shop, "created_at"),
        "status": Filter("string", _lower(shop, "status")),
        "operation_type": Filter("string", _lower(shop, "type")),
    }


FILTERS: dict[str, Callable[[Shop], dict[str, Filter]]] = {
    "Order": order_filters,
    "Product": product_filters,
    "ProductVariant": variant_filters,
    "InventoryItem": item_filters,
    "Customer": customer_filters,
    "Location": location_filters,
    "Company": company_filters,
    "CompanyLocation": company_filters,
    "FulfillmentOrder": fulfillment_order_filters,
    "WebhookSubscription": _common,
    "BulkOperation": bulk_operation_filters,
}


def sort_key(shop: Shop, type_name: str, name: str | None) -> Getter:
    """The value that a sort key reads; unknown ones sort by id."""
    fields = {
        "CREATED_AT": "createdAt",
        "COMPLETED_AT": "completedAt",
        "UPDATED_AT": "updatedAt",
        "PROCESSED_AT": "processedAt",
        "PUBLISHED_AT": "publishedAt",
        "TITLE": "title",
        "FULL_TITLE": "displayName",
        "VENDOR": "vendor",
        "PRODUCT_TYPE": "productType",
        "SKU": "sku",
        "PO_NUMBER": "poNumber",
        "FINANCIAL_STATUS": "displayFinancialStatus",
        "FULFILLMENT_STATUS": "displayFulfillmentStatus",
        "INVENTORY_TOTAL": "totalInventory",
        "INVENTORY_QUANTITY": "inventoryQuantity",
        "POSITION": "position",
        "ORDER_NUMBER": "number",
    }
    moneys = {"TOTAL_PRICE": "totalPriceSet", "CURRENT_TOTAL_PRICE": "currentTotalPriceSet"}
    if name in moneys:
        return lambda record: float(amounts(shop.read(record, moneys[name]))[0])
    if name == "NAME":
        return _reads(shop, "displayName" if type_name == "Customer" else "name")
    if name in fields:
        return _reads(shop, fields[name])
    return lambda record: int(number(record)) if number(record).isdigit() else 0


def visible(shop: Shop, type_name: str, arguments: dict) -> list[dict]:
    """Objects of a type that a root list shows before filtering."""
    records = shop.store.all(type_name)
    if type_name == "Order" and "read_all_orders" not in shop.scopes:
        edge = datetime.now(timezone.utc) - timedelta(days=VISIBLE_DAYS)
        records = [r for r in records if moment(shop.read(r, "createdAt"))[0] >= edge]
    elif type_name == "Location" and not arguments.get("includeInactive"):
        records = [r for r in records if shop.read(r, "isActive")]
    elif type_name == "FulfillmentOrder" and not arguments.get("includeClosed"):
        records = [
            r
            for r in records
            if shop.read(r, "status") not in ("CLOSED", "CANCELLED", "INCOMPLETE")
        ]
    elif type_name == "WebhookSubscription":
        records = [r for r in records if _subscription_fits(r, arguments)]
    return records


def _subscription_fits(record: dict, arguments: dict) -> bool:
    uri = arguments.get("uri") or arguments.get("callbackUrl")
    topics = arguments.get("topics")
    return (not uri or record["uri"] == uri) and (not topics or record["topic"] in topics)


def search(records: list[dict], type_name: str, arguments: dict, context: Context) -> list[dict]:
    query = arguments.get("query")
    if not query:
        return records
    parsed = compile_search(query, FILTERS[type_name](context.shop))
    if parsed.warnings:
        context.warnings.append(
            {
                "path": [str(part) for part in context.path],
                "query": query,
                "warnings": parsed.warnings,
            }
        )
    return [record for record in records if parsed.matches(record)]


def root_list(type_name: str):
    """Resolver of a root connection."""

    def resolve(_root: dict, arguments: dict, context: Context) -> Listing:
        records = search(visible(context.shop, type_name, arguments), type_name, arguments, context)
        return Listing(records, sort_key(context.shop, type_name, arguments.get("sortKey")))

    return resolve


def root_count(type_name: str):
    """Resolver of a root ``...Count``; counts are exact up to the limit."""

    def resolve(_root: dict, arguments: dict, context: Context) -> dict:
        records = search(visible(context.shop, type_name, arguments), type_name, arguments, context)
        limit = arguments.get("limit")
        capped = limit is not None and len(records) > limit
        return {
            "count": limit if capped else len(records),
            "precision": "AT_LEAST" if capped else "EXACT",
        }

    return resolve
