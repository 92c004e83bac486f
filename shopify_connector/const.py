"""What the connector relies on at Shopify: API version, access scopes, webhook topics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

API_VERSION = "2026-10"
NEXT_API_VERSION = "2027-01"

# Stands in the place of a customer's gid for people who bought without an account.
GUEST_PREFIX = "guest:"
# Stands in the place of a variant's gid for lines that have nothing but an SKU.
SKU_PREFIX = "sku:"


def supported_until(api_version: str) -> date:
    """The first day on which Shopify need not serve a version any more.

    A version comes on the first day of a quarter and is served for at least twelve months.
    Source: https://shopify.dev/docs/api/usage/versioning

    :raises ValueError: when it is not `YYYY-MM`.
    """
    year, month = map(int, api_version.split("-"))
    return date(year + 1, month, 1)


FEATURES = {
    "connection": "Connection",
    "orders": "Order import",
    "customers": "Customers of orders",
    "products": "Product links",
    "locations": "Locations",
    "history": "Orders older than 60 days",
    "payment_terms": "Payment terms of companies",
    "payments": "Payments told to Shopify",
    "fulfilment": "Deliveries told to Shopify",
    "returns": "Returns",
    "stock": "Stock told to Shopify",
}


@dataclass(frozen=True)
class Scope:
    """An access scope of the app.

    :ivar feature: key of `FEATURES` that needs it.
    :ivar why: for the person who grants it.
    :ivar required: nothing works without it; else only the feature is missing.
    """

    handle: str
    feature: str
    why: str
    required: bool = False


SCOPES = (
    Scope("read_orders", "orders", "Read orders, their taxes, payments and refunds.", True),
    Scope("read_customers", "customers", "Read who bought, and where to deliver.", True),
    Scope("read_products", "products", "Link products and variants with those of Odoo.", True),
    Scope("read_locations", "locations", "Link locations with warehouses.", True),
    Scope("read_all_orders", "history", "Read orders that are older than 60 days."),
    Scope("read_payment_terms", "payment_terms", "Read when a company has to pay its order."),
    Scope("read_returns", "returns", "Read returns, their reasons, fees and exchanges."),
    Scope(
        "write_orders",
        "payments",
        "Mark orders as paid, capture payments, cancel and refund orders from Odoo.",
    ),
    Scope(
        "write_merchant_managed_fulfillment_orders",
        "fulfilment",
        "Tell Shopify what was delivered, with tracking.",
    ),
    Scope(
        "read_third_party_fulfillment_orders",
        "fulfilment",
        "See which goods a fulfilment service ships.",
    ),
    Scope("read_fulfillments", "fulfilment", "Be told of parcels that were sent outside of Odoo."),
    Scope("write_inventory", "stock", "Set the stock of variants, and stock them at locations."),
)
REQUIRED_SCOPES = tuple(scope.handle for scope in SCOPES if scope.required)

# Topic as the API names it: the feature that it serves. Payloads are hints; what they name is
# read again, so polling can stand in for each of them.
WEBHOOK_TOPICS = {
    "ORDERS_CREATE": "orders",
    "ORDERS_UPDATED": "orders",
    "ORDERS_PAID": "orders",
    "ORDERS_CANCELLED": "orders",
    "ORDERS_EDITED": "orders",
    "ORDERS_RISK_ASSESSMENT_CHANGED": "orders",
    "REFUNDS_CREATE": "orders",
    "BULK_OPERATIONS_FINISH": "orders",
    "RETURNS_REQUEST": "returns",
    "RETURNS_APPROVE": "returns",
    "RETURNS_DECLINE": "returns",
    "RETURNS_CANCEL": "returns",
    "RETURNS_CLOSE": "returns",
    "RETURNS_REOPEN": "returns",
    "RETURNS_UPDATE": "returns",
    "RETURNS_PROCESS": "returns",
    "PRODUCTS_CREATE": "products",
    "PRODUCTS_UPDATE": "products",
    "PRODUCTS_DELETE": "products",
    "APP_UNINSTALLED": "connection",
}
# Asked for by stores that need them only.
FULFILMENT_TOPICS = {
    "FULFILLMENTS_CREATE": "fulfilment",
    "FULFILLMENTS_UPDATE": "fulfilment",
}
