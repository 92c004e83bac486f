"""The way back: stored objects in the shape in which they are loaded."""

from graphql import get_nullable_type, is_list_type, is_object_type

from .schema import is_connection
from .shop import Shop
from .store import RELATIONS, Ref

# Never part of another object, even when they were loaded inside of one.
INDEPENDENT = frozenset(
    {
        "Customer",
        "Order",
        "Product",
        "ProductVariant",
        "InventoryItem",
        "Location",
        "Company",
        "CompanyLocation",
    }
)


def dump(shop: Shop, record: dict) -> dict:
    """An object with everything that belongs to it; other objects appear as ``{"id": ...}``."""
    return _record(shop, record, set())


def _record(shop: Shop, record: dict, around: set[str]) -> dict:
    type_name = record["__typename"]
    inside = around | {record["id"]}
    held = {name: value for name, value in record.items() if not name.startswith("_")}
    result = {"__typename": type_name, **held}
    gql_type = shop.api.type(type_name)
    fields = gql_type.fields if is_object_type(gql_type) else {}
    for name, value in result.items():
        if name in ("__typename", "id"):
            continue
        found = _value(shop, value, record["id"], inside)
        connection = name in fields and is_connection(fields[name].type)
        result[name] = {"nodes": found} if connection and isinstance(found, list) else found
    for (parent, name), (_child, _back, owned) in RELATIONS.items():
        if parent == type_name and owned and name in fields:
            children = [_record(shop, item, inside) for item in shop.store.related(record, name)]
            plain = is_list_type(get_nullable_type(fields[name].type))
            result[name] = children if plain else {"nodes": children}
    return result


def _value(shop: Shop, value, owner: str, inside: set[str]):
    if type(value) is Ref:
        target = shop.store.get(value)
        inner = target and target["__typename"] not in INDEPENDENT
        if inner and target.get("_parent") == owner and str(value) not in inside:
            return _record(shop, target, inside)
        return {"id": str(value)}
    if isinstance(value, list):
        return [_value(shop, item, owner, inside) for item in value]
    if isinstance(value, dict):
        return {
            name: _value(shop, item, owner, inside)
            for name, item in value.items()
            if not name.startswith("_")
        }
    return value
