"""Webhook deliveries: headers, signature, and which resource they are about.

`WebhookHeaders.parse` and `verify` are all that runs before a delivery is trusted, for every
request that anybody sends to the public route: no parsing of the body here.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .gid import gid

_HEADERS = {
    "topic": "topic",
    "hmac-sha256": "hmac",
    "shop-domain": "shop",
    "api-version": "api_version",
    "webhook-id": "webhook_id",
    "event-id": "event_id",
    "triggered-at": "triggered_at",
    "name": "name",
}


@dataclass(frozen=True)
class WebhookHeaders:
    """The headers of one delivery; an absent one is an empty string.

    :ivar topic: as sent, e.g. `orders/create`.
    :ivar shop: lower case, e.g. `foo.myshopify.com`.
    :ivar webhook_id: one delivery; `event_id`: what the merchant did, shared by its deliveries.
    :ivar triggered_at: ISO 8601.
    :ivar name: the name given to the subscription.
    """

    topic: str = ""
    hmac: str = ""
    shop: str = ""
    api_version: str = ""
    webhook_id: str = ""
    event_id: str = ""
    triggered_at: str = ""
    name: str = ""

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> WebhookHeaders:
        """Read the headers in any case, with or without the `X-` prefix."""
        found = {}
        for key, value in headers.items():
            name = key.lower().removeprefix("x-")
            if name.startswith("shopify-") and (field := _HEADERS.get(name[8:])):
                found[field] = value
        if "shop" in found:
            found["shop"] = found["shop"].lower()
        return cls(**found)


def sign(body: bytes, secret: str) -> str:
    """Base64 of the HMAC-SHA256 over the raw body, as `X-Shopify-Hmac-Sha256` carries it."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def verify(body: bytes, signature: str, secrets: Sequence[str]) -> bool:
    """Whether one of the secrets (current, previous) signed the body. Constant time."""
    given = signature.encode("utf-8", "replace")
    return any(hmac.compare_digest(sign(body, s).encode(), given) for s in secrets if s)


_TYPES = {
    "app": "Shop",
    "bulk_operations": "BulkOperation",
    "collections": "Collection",
    "companies": "Company",
    "company_contacts": "CompanyContact",
    "company_locations": "CompanyLocation",
    "customers": "Customer",
    "disputes": "ShopifyPaymentsDispute",
    "draft_orders": "DraftOrder",
    "fulfillments": "Order",
    "inventory_items": "InventoryItem",
    "inventory_levels": "InventoryItem",
    "locations": "Location",
    "order_transactions": "Order",
    "orders": "Order",
    "products": "Product",
    "refunds": "Order",
    "returns": "Return",
    "shop": "Shop",
}
# Resources that live inside another one, which is what has to be read again.
_PARTS_OF_ORDER = frozenset({"fulfillments", "order_transactions", "refunds", "returns"})


def resource_gid(topic: str, body: dict) -> str | None:
    """The gid of the object to read again because of this delivery, or None when unknown.

    Refunds, transactions, fulfillments, returns and edits lead to their order, because the
    order is what is read. Compliance topics lead to the customer or the shop.

    :param topic: `orders/create` or `ORDERS_CREATE`.
    :param body: the decoded payload, which has the shape of the REST API.
    """
    area, _, _event = topic.lower().partition("/")
    if not _event:
        area = next((a for a in _BY_LENGTH if topic.lower().startswith(a + "_")), "")
    if area == "fulfillment_orders":
        return _fulfillment_order_gid(body)
    part = area == "orders" and not body.keys().isdisjoint(("order_edit", "order_id"))
    if part or area in _PARTS_OF_ORDER or "admin_graphql_api_order_id" in body:
        if order := _order_gid(body):
            return order
        if area != "returns":
            return None
    if own := body.get("admin_graphql_api_id"):
        return own
    if area == "customers" and isinstance(body.get("customer"), dict):
        body = body["customer"]
    own_id = body.get("id") or body.get("shop_id" if area == "shop" else "inventory_item_id")
    return gid(_TYPES[area], own_id) if own_id and area in _TYPES else None


_BY_LENGTH = sorted([*_TYPES, "fulfillment_orders"], key=len, reverse=True)


def _order_gid(body: dict) -> str | None:
    order = body.get("order") or body.get("order_edit") or {}
    if known := body.get("admin_graphql_api_order_id") or order.get("admin_graphql_api_id"):
        return known
    number = body.get("order_id") or order.get("order_id") or (body.get("order") or {}).get("id")
    return gid("Order", number) if number else None


def _fulfillment_order_gid(body: dict) -> str | None:
    keys = ("fulfillment_order", "moved_fulfillment_order", "original_fulfillment_order")
    return next((body[key].get("id") for key in keys if isinstance(body.get(key), dict)), None)
