"""What a field answers: the value held, else derived, else neutral where null is forbidden."""

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from graphql import (
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)

from .derive import (
    DERIVED,
    amount_of_set,
    concrete_type,
    currencies,
    legacy_resource_id,
    make_bag,
)
from .money import money
from .schema import ApiSchema, is_connection
from .store import RELATIONS

if TYPE_CHECKING:
    from .shop import Shop

Reader = Callable[[dict, "Shop"], object]
NEUTRAL_SCALARS = {
    "String": "",
    "Boolean": False,
    "Int": 0,
    "Float": 0.0,
    "Decimal": "0.0",
    "Money": "0.00",
    "UnsignedInt64": "0",
    "BigInt": "0",
    "HTML": "",
    "FormattedString": "",
    "JSON": {},
    "Color": "#000000",
}
# Neutral is not always the first member of an enum.
NEUTRAL_ENUMS = {
    "CustomerState": "DISABLED",
    "CustomerEmailAddressMarketingState": "NOT_SUBSCRIBED",
    "CustomerSmsMarketingState": "NOT_SUBSCRIBED",
    "CustomerEmailAddressOpenTrackingLevel": "UNKNOWN",
    "CustomerProductSubscriberStatus": "NEVER_SUBSCRIBED",
    "CountPrecision": "EXACT",
    "FulfillmentStatus": "SUCCESS",
    "RefundLineItemRestockType": "NO_RESTOCK",
    "ProductVariantInventoryPolicy": "DENY",
    "ReturnStatus": "OPEN",
    "WeightUnit": "KILOGRAMS",
    "OrderRiskLevel": "LOW",
    "WebhookSubscriptionFormat": "JSON",
}


def reader(api: ApiSchema, type_name: str, field_name: str) -> Reader:
    """Compile the function ``(object, shop) -> value`` of one field, never null where forbidden.

    Connections and lists come as plain lists; references are not resolved.
    """
    gql_type = api.type(type_name).fields[field_name].type
    if (type_name, field_name) in RELATIONS:
        return lambda record, shop: shop.store.related(record, field_name)
    missing = _missing(api, type_name, field_name, gql_type)
    if missing is None:
        return lambda record, _shop: record.get(field_name)
    required = is_non_null_type(gql_type)

    def read(record: dict, shop: "Shop"):
        value = record.get(field_name)
        if value is not None or (not required and field_name in record):
            return value
        return missing(record, shop)

    return read


def is_plain(api: ApiSchema, type_name: str, field_name: str) -> bool:
    """Whether reading the field is no more than looking into the dict."""
    gql_type = api.type(type_name).fields[field_name].type
    related = (type_name, field_name) in RELATIONS
    return not related and _missing(api, type_name, field_name, gql_type) is None


def _missing(api, type_name: str, field_name: str, gql_type: GraphQLOutputType) -> Reader | None:
    """What a field reads when the object holds nothing; None stands for "null"."""
    neutral = _neutral(api, type_name, gql_type) if is_non_null_type(gql_type) else None
    compute = DERIVED.get((type_name, field_name)) or _by_convention(
        api, type_name, field_name, gql_type
    )
    if compute and neutral:

        def derived_or_neutral(record, shop):
            value = compute(record, shop)
            return neutral(record, shop) if value is None else value

        return derived_or_neutral
    return compute or neutral


def _by_convention(api, type_name, field_name, gql_type) -> Reader | None:
    if field_name == "legacyResourceId":
        return legacy_resource_id
    scalar = get_named_type(gql_type).name
    if scalar in ("Money", "MoneyV2") and f"{field_name}Set" in api.type(type_name).fields:
        return lambda record, shop: amount_of_set(record, shop, field_name, scalar)
    return None


def _neutral(api, type_name: str, gql_type: GraphQLOutputType) -> Reader:
    named = get_named_type(gql_type)
    if is_list_type(get_nullable_type(gql_type)) or is_connection(gql_type):
        return lambda _record, _shop: []
    if named.name == "MoneyBag":
        return lambda record, shop: make_bag(record, shop, (0, 0))
    if named.name == "MoneyV2":
        return lambda record, shop: money(0, currencies(record, shop)[0])
    if named.name == "CurrencyCode":
        return lambda record, shop: currencies(record, shop)[0]
    if named.name == "DateTime":
        return lambda record, shop: record.get("createdAt") or shop.created_at
    if named.name == "URL":
        return lambda _record, shop: f"https://{shop.domain}/"
    if named.name == "CountryCode":
        return lambda _record, shop: shop.country
    if named.name == "ID":
        return lambda record, _shop: _neutral_id(type_name, record)
    if is_enum_type(named):
        value = NEUTRAL_ENUMS.get(named.name) or next(iter(named.values))
        return lambda _record, _shop: value
    if is_object_type(named):
        return lambda record, _shop: _child(named.name, record)
    if is_abstract_type(named):
        member = api.schema.get_possible_types(named)[0]
        return lambda record, _shop: _child(member.name, record)
    value = NEUTRAL_SCALARS.get(named.name, "")
    return lambda _record, _shop: value


def _neutral_id(type_name: str, record: dict) -> str:
    """An id for an object without one, the same each time it is read."""
    number = zlib.crc32(f"{type_name} {record.get('_parent')}".encode())
    return f"gid://shopify/{type_name}/{number}"


def _child(type_name: str, record: dict) -> dict:
    """A neutral object that knows whose it is, so that its money finds the order's currencies."""
    return {"__typename": type_name, "_parent": record.get("id") or record.get("_parent")}


class Reading:
    """Readers of one schema version, compiled on first use."""

    def __init__(self, api: ApiSchema) -> None:
        self._api = api
        self._readers: dict[tuple[str, str], Reader] = {}

    def __call__(self, record: dict, field_name: str, type_name: str | None, shop: "Shop"):
        key = (type_name or concrete_type(record), field_name)
        found = self._readers.get(key)
        if found is None:
            found = self._readers[key] = reader(self._api, *key)
        return found(record, shop)
