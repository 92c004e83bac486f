"""What is more than reading a value: root queries, mutations and fields with arguments."""

from urllib.parse import urlsplit

from . import schema
from .context import Context, Listing, Resolver
from .derive import make_bag, minus
from .derive.lines import gross_of, line_discounts
from .errors import ApiError
from .listing import root_count, root_list, search, sort_key
from .mutations import MUTATIONS
from .mutations.refunds import suggestion
from .store import type_of_gid

RESOLVERS: dict[tuple[str, str], Resolver] = {}
# Shopify's own versions; the ones without a schema file are still announced.
RELEASE_CANDIDATE = "2027-01"


def resolver(type_name: str, *fields: str):
    def register(function: Resolver) -> Resolver:
        for name in fields:
            RESOLVERS[type_name, name] = function
        return function

    return register


def _by_id(type_name: str) -> Resolver:
    def resolve(_root, arguments, context):
        record = context.shop.store.get(arguments.get("id"))
        return record if record and record["__typename"] == type_name else None

    return resolve


LISTS = {
    "orders": "Order",
    "products": "Product",
    "productVariants": "ProductVariant",
    "inventoryItems": "InventoryItem",
    "customers": "Customer",
    "companies": "Company",
    "companyLocations": "CompanyLocation",
    "locations": "Location",
    "fulfillmentOrders": "FulfillmentOrder",
    "webhookSubscriptions": "WebhookSubscription",
    "bulkOperations": "BulkOperation",
}
SINGLES = {
    "order": "Order",
    "product": "Product",
    "productVariant": "ProductVariant",
    "inventoryItem": "InventoryItem",
    "inventoryLevel": "InventoryLevel",
    "customer": "Customer",
    "company": "Company",
    "companyLocation": "CompanyLocation",
    "companyContact": "CompanyContact",
    "refund": "Refund",
    "return": "Return",
    "fulfillment": "Fulfillment",
    "fulfillmentOrder": "FulfillmentOrder",
    "webhookSubscription": "WebhookSubscription",
    "job": "Job",
    "bulkOperation": "BulkOperation",
}
COUNTS = (
    "orders",
    "products",
    "productVariants",
    "customers",
    "locations",
    "webhookSubscriptions",
    "companies",
)
for _name, _type in LISTS.items():
    RESOLVERS["QueryRoot", _name] = root_list(_type)
for _name, _type in SINGLES.items():
    RESOLVERS["QueryRoot", _name] = _by_id(_type)
for _name in COUNTS:
    RESOLVERS["QueryRoot", f"{_name}Count"] = root_count(LISTS[_name])
for _name, _function in MUTATIONS.items():
    RESOLVERS["Mutation", _name] = _function


# Roots ----------------------------------------------------------------------------------------


@resolver("QueryRoot", "node")
def node(_root, arguments, context):
    return _node(arguments["id"], context)


@resolver("QueryRoot", "nodes")
def nodes(_root, arguments, context):
    if len(arguments["ids"]) > 250:
        raise ApiError(
            f"The input array size of {len(arguments['ids'])} is greater than the maximum allowed "
            "of 250.",
            "MAX_INPUT_SIZE_EXCEEDED",
        )
    return [_node(gid, context) for gid in arguments["ids"]]


def _node(gid: str, context: Context) -> dict | None:
    if type_of_gid(gid) == "Shop":
        return shop_record(None, {}, context)
    return context.shop.store.get(gid)


@resolver("QueryRoot", "shop")
def shop_record(_root, _arguments, context):
    return context.shop.store.get(context.shop.gid)


@resolver("QueryRoot", "currentAppInstallation", "appInstallation")
def app_installation(_root, _arguments, context):
    handles = context.shop.settings.scopes
    return {
        "__typename": "AppInstallation",
        "id": "gid://shopify/AppInstallation/1",
        "launchUrl": f"https://{context.shop.domain}/admin/apps/sandbox",
        "accessScopes": [
            {"handle": name, "description": name.replace("_", " ").capitalize()} for name in handles
        ],
        "app": {
            "__typename": "App",
            "id": "gid://shopify/App/1",
            "apiKey": context.shop.settings.client_id,
            "title": "Sandbox app",
            "handle": "sandbox-app",
            "webhookApiVersion": context.api.version,
        },
    }


@resolver("QueryRoot", "app")
def app(_root, arguments, context):
    return app_installation(_root, arguments, context)["app"]


@resolver("QueryRoot", "publicApiVersions")
def public_api_versions(_root, _arguments, context):
    versions = [(name, name, True) for name in supported_versions(context.shop)]
    versions.append((RELEASE_CANDIDATE, f"{RELEASE_CANDIDATE} (Release candidate)", False))
    versions.append(("unstable", "unstable", False))
    return [
        {"handle": handle, "displayName": label, "supported": supported}
        for handle, label, supported in versions
    ]


def supported_versions(shop) -> list[str]:
    """Stable versions that the shop answers in, oldest first."""
    return shop.settings.api_versions or [
        name for name in schema.available_versions() if name >= "2026-01" and name != "unstable"
    ]


@resolver("QueryRoot", "location")
def location(_root, arguments, context):
    if arguments.get("id"):
        return _by_id("Location")(_root, arguments, context)
    everything = context.shop.store.all("Location")
    return next((item for item in everything if item.get("isPrimary")), None) or next(
        iter(everything), None
    )


@resolver("QueryRoot", "orderByIdentifier")
def order_by_identifier(_root, arguments, context):
    return _by_id("Order")(_root, arguments["identifier"], context)


@resolver("QueryRoot", "productByIdentifier", "productByHandle")
def product_by_identifier(_root, arguments, context):
    identifier = arguments.get("identifier") or arguments
    if identifier.get("id"):
        return _by_id("Product")(_root, identifier, context)
    products = context.shop.store.all("Product")
    return next(
        (p for p in products if context.shop.read(p, "handle") == identifier.get("handle")), None
    )


@resolver("QueryRoot", "productVariantByIdentifier")
def variant_by_identifier(_root, arguments, context):
    return _by_id("ProductVariant")(_root, arguments["identifier"], context)


@resolver("QueryRoot", "customerByIdentifier")
def customer_by_identifier(_root, arguments, context):
    identifier = arguments["identifier"]
    if identifier.get("id"):
        return _by_id("Customer")(_root, identifier, context)
    field, wanted = (
        ("email", identifier.get("emailAddress"))
        if identifier.get("emailAddress")
        else ("phone", identifier.get("phoneNumber"))
    )
    for customer in context.shop.store.all("Customer"):
        if wanted and (context.shop.read(customer, field) or "").lower() == wanted.lower():
            return customer
    return None


# Fields with arguments ------------------------------------------------------------------------


@resolver("InventoryLevel", "quantities")
def level_quantities(level, arguments, context):
    held = {item["name"]: item for item in level.get("quantities") or ()}
    neutral = {"quantity": 0, "updatedAt": None}
    return [
        {
            "id": f"gid://shopify/InventoryQuantity/{level['id'].rsplit('/', 1)[-1]}&name={name}",
            **held.get(name, neutral),
            "name": name,
        }
        for name in arguments["names"]
    ]


def _active_levels(record, arguments, context) -> list[dict]:
    levels = context.shop.store.related(record, "inventoryLevels")
    if arguments.get("includeInactive"):
        return levels
    return [level for level in levels if context.shop.read(level, "isActive")]


@resolver("InventoryItem", "inventoryLevels")
@resolver("Location", "inventoryLevels")
def inventory_levels(record, arguments, context):
    return Listing(_active_levels(record, arguments, context))


@resolver("InventoryItem", "inventoryLevel")
def item_level(item, arguments, context):
    levels = _active_levels(item, arguments, context)
    return next((x for x in levels if x.get("location") == arguments["locationId"]), None)


@resolver("Location", "inventoryLevel")
def location_level(record, arguments, context):
    levels = _active_levels(record, arguments, context)
    return next((x for x in levels if x.get("item") == arguments["inventoryItemId"]), None)


@resolver("InventoryItem", "locationsCount")
def item_locations_count(item, _arguments, context):
    return {"count": len(_active_levels(item, {}, context)), "precision": "EXACT"}


@resolver("Order", "shippingLines")
def order_shipping_lines(order, arguments, context):
    lines = context.shop.read(order, "shippingLines")
    if not arguments.get("includeRemovals"):
        lines = [line for line in lines if not line.get("isRemoved")]
    return Listing(lines)


@resolver("Order", "transactions")
def order_transactions(order, arguments, context):
    found = context.shop.store.related(order, "transactions")
    return found if arguments.get("first") is None else found[: arguments["first"]]


@resolver("Order", "refunds")
def order_refunds(order, arguments, context):
    found = context.shop.store.related(order, "refunds")
    return found if arguments.get("first") is None else found[: arguments["first"]]


@resolver("Order", "fulfillments")
def order_fulfillments(order, arguments, context):
    found = context.shop.store.related(order, "fulfillments")
    return found if arguments.get("first") is None else found[: arguments["first"]]


@resolver("Order", "suggestedRefund")
def suggested_refund(order, arguments, context):
    return suggestion(order, arguments, context)


@resolver("Customer", "orders")
@resolver("Company", "orders")
def orders_of(record, arguments, context):
    shop = context.shop
    if record.get("__typename") == "Customer":
        found = shop.store.related(record, "orders")
    else:
        found = [
            order
            for order in shop.store.all("Order")
            if (order.get("purchasingEntity") or {}).get("company") == record["id"]
        ]
    found = search(found, "Order", arguments, context)
    return Listing(found, sort_key(shop, "Order", arguments.get("sortKey")))


def _metafields(record, arguments) -> list[dict]:
    found = record.get("metafields") or []
    namespace, keys = arguments.get("namespace"), arguments.get("keys")
    return [
        item
        for item in found
        if (not namespace or item.get("namespace") == namespace)
        and (
            not keys
            or item.get("key") in keys
            or f"{item.get('namespace')}.{item.get('key')}" in keys
        )
    ]


def _metafield(record, arguments, context):
    held = record.get("metafield")
    found = [
        item
        for item in [*_resolved(record, context), *([held] if held else [])]
        if item.get("key") == arguments["key"]
        and arguments.get("namespace") in (None, item.get("namespace"))
    ]
    return found[0] if found else None


def _resolved(record, context) -> list[dict]:
    return context.shop.store.resolve_all(record.get("metafields"))


for _owner in (
    "Order",
    "Product",
    "ProductVariant",
    "Customer",
    "Company",
    "CompanyLocation",
    "Shop",
    "Location",
):
    RESOLVERS[_owner, "metafield"] = _metafield
    RESOLVERS[_owner, "metafields"] = lambda record, arguments, context: Listing(
        _metafields({"metafields": _resolved(record, context)}, arguments)
    )


@resolver("WebhookSubscription", "endpoint")
def subscription_endpoint(record, _arguments, _context):
    uri = record["uri"]
    if uri.startswith("pubsub://"):
        project, topic = uri.removeprefix("pubsub://").split(":", 1)
        return {
            "__typename": "WebhookPubSubEndpoint",
            "pubSubProject": project,
            "pubSubTopic": topic,
        }
    if urlsplit(uri).scheme == "arn":
        return {"__typename": "WebhookEventBridgeEndpoint", "arn": uri}
    return {"__typename": "WebhookHttpEndpoint", "callbackUrl": uri}


@resolver("WebhookSubscription", "callbackUrl")
def subscription_callback(record, _arguments, _context):
    return record["uri"]


@resolver("WebhookSubscription", "apiVersion")
def subscription_version(record, _arguments, context):
    version = record.get("_api_version", context.api.version)
    return {"handle": version, "displayName": version, "supported": True}


@resolver("LineItem", "discountedTotalSet")
def line_discounted_total(line, arguments, context):
    if not arguments.get("withCodeDiscounts"):
        return context.shop.read(line, "discountedTotalSet", "LineItem")
    own = line_discounts(line, context.shop, with_codes=True)
    return make_bag(line, context.shop, minus(gross_of(line, context.shop), own))
