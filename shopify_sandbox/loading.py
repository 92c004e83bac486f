"""Loading of objects in the Admin API's own shape.

An object is a dict with ``__typename`` and ``id``. Connections are ``{"nodes": [...]}`` (or
``{"edges": [{"node": ...}]}``, or a list), lists are lists, money bags carry both moneys. What is
left out stays out: it reads as null, empty or derived. Nested objects with an id are objects of
their own: they are updated by what is nested and found by ``node(id:)``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from graphql import (
    GraphQLNamedType,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    is_object_type,
)

from .money import decimal_text, money_text
from .schema import ApiSchema, is_connection, item_type_name
from .store import RELATIONS, Ref, Store, type_of_gid

# Snapshots: they have an id, but belong to the object that holds them.
EMBEDDED = frozenset({"MailingAddress", "CompanyAddress", "InventoryQuantity"})


class InvalidObject(ValueError):
    """An object that cannot be loaded; the message says where and why."""


@dataclass
class Change:
    """One object that a load created or changed; ``before`` is None when it is new."""

    gid: str
    type_name: str
    before: dict | None
    after: dict


@dataclass
class Loader:
    """Upsert of Admin-API-shaped objects into a store.

    :param now: timestamp for ``createdAt`` and ``updatedAt`` that are left out
    """

    store: Store
    api: ApiSchema
    currency: str
    now: str
    changes: list[Change] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def load(self, data: dict) -> Change:
        """Upsert one object with everything nested in it.

        :raises InvalidObject: no type, no id, or a shape that the schema does not know
        """
        if not isinstance(data, dict) or not isinstance(data.get("id"), str):
            raise InvalidObject('every object needs an "id" such as gid://shopify/Order/1')
        if not data["id"].startswith("gid://shopify/") or data["id"].count("/") < 4:
            raise InvalidObject(f"{data['id']} is not a global id")
        type_name = data.get("__typename") or type_of_gid(data["id"])
        if not is_object_type(self.api.type(type_name)):
            raise InvalidObject(f"{data['id']}: the Admin API has no type {type_name}")
        with self.store.lock:
            gid = self._upsert(data, type_name, None)
            same = dict(self.store.get(gid))
        unchanged = Change(gid, type_name, same, same)
        return next((c for c in reversed(self.changes) if c.gid == gid), unchanged)

    def _upsert(self, data: dict, type_name: str, parent: Ref | None) -> str:
        gid = data["id"]
        known = self.store.get(gid)
        before = dict(known) if known else None
        values = {"_parent": parent} if parent and not known else {}
        relations = []
        # The object is known before its children: they may refer back to it.
        self.store.put(gid, type_name, {})
        for name, value in data.items():
            if name in ("__typename", "id"):
                continue
            if (type_name, name) in RELATIONS:
                relations.append((name, value))
            else:
                values[name] = self._field(type_name, name, value, Ref(gid))
        if len(data) > 2 or (len(data) == 2 and "__typename" not in data):
            self._stamp(type_name, known, values)
        after = dict(self.store.put(gid, type_name, values))
        for name, value in relations:
            self._relation(type_name, name, value, Ref(gid))
        if values or relations:
            self.changes.append(Change(gid, type_name, before, after))
        return gid

    def _stamp(self, type_name: str, known: dict | None, values: dict) -> None:
        fields = self.api.type(type_name).fields
        for name in ("createdAt", "processedAt", "updatedAt"):
            if name not in fields or values.get(name):
                continue
            if name == "updatedAt":
                values[name] = self.now
            elif not (known and known.get(name)):
                values[name] = values.get("createdAt") or self.now

    def _relation(self, type_name: str, name: str, value, parent: Ref) -> None:
        child_type, back, owned = RELATIONS[type_name, name]
        kept = set()
        for item in _items(value):
            if not isinstance(item, dict):
                raise InvalidObject(f"{parent}: {name} is a list of objects, not {item!r}")
            gid = item.get("id") or self.store.new_gid(child_type)
            kept.add(self._upsert({**item, "id": gid, back: parent}, child_type, parent))
        if owned:
            for child in self.store.children(child_type, back, parent):
                if child["id"] not in kept:
                    self.store.delete(child["id"])

    def _field(self, type_name: str, name: str, value, owner: Ref):
        shape = self.api.shapes.get((type_name, name))
        if shape is None:
            definition = self.api.type(type_name).fields.get(name)
            if definition is None:
                if not name.startswith("_"):
                    self.warnings.append(f"{type_name} has no field {name} in {self.api.version}")
                return value
            shape = self.api.shapes[type_name, name] = _Shape.of(self.api, definition.type)
        return self._value(shape, value, owner)

    def _value(self, shape: "_Shape", value, owner: Ref):
        if value is None or type(value) is Ref:
            return value
        if shape.many:
            return [self._single(shape, item, owner) for item in _items(value)]
        return self._single(shape, value, owner)

    def _single(self, shape: "_Shape", value, owner: Ref):
        if isinstance(value, dict) and shape.composite:
            return self._object(shape, value, owner)
        return shape.scalar(value) if shape.scalar and value is not None else value

    def _object(self, shape: "_Shape", value: dict, owner: Ref):
        named, gid = shape.named, value.get("id")
        type_name = named.name
        if not shape.concrete:
            type_name = (
                value.get("__typename")
                or (type_of_gid(gid) if isinstance(gid, str) and gid.count("/") >= 4 else None)
                or self._guess(named, value)
            )
            if not is_object_type(self.api.type(type_name or "")):
                raise InvalidObject(f"{owner}: say the __typename of this {named.name}: {value}")
        if type_name not in EMBEDDED and self.api.is_node(type_name) and (gid or shape.many):
            gid = gid or self.store.new_gid(type_name)
            return Ref(self._upsert({**value, "id": gid}, type_name, owner))
        result = {
            name: item if name == "__typename" else self._field(type_name, name, item, owner)
            for name, item in value.items()
        }
        if not shape.concrete:
            result["__typename"] = type_name
        if type_name == "MoneyV2":
            result.setdefault("currencyCode", self.currency)
        elif type_name == "MoneyBag" and len(result) == 1:
            (only,) = result.values()
            result = {"shopMoney": only, "presentmentMoney": only}
        return result

    def _guess(self, named, value: dict) -> str | None:
        """The member of a union or interface that has all the given fields."""
        possible = self.api.schema.get_possible_types(named)
        fitting = [member for member in possible if value.keys() <= member.fields.keys()]
        return fitting[0].name if fitting else None


def _items(value) -> list:
    if isinstance(value, dict):
        if "nodes" in value:
            return value["nodes"] or []
        if "edges" in value:
            return [edge["node"] for edge in value["edges"] or []]
        raise InvalidObject('a connection is {"nodes": [...]}')
    if not isinstance(value, (list, type(None))):
        raise InvalidObject(f"a list was expected, not {value!r}")
    return value or []


@dataclass(frozen=True)
class _Shape:
    """What is to be done with the values of one field."""

    named: GraphQLNamedType
    many: bool
    composite: bool
    concrete: bool
    scalar: Callable | None

    @classmethod
    def of(cls, api: ApiSchema, gql_type) -> "_Shape":
        many = is_list_type(get_nullable_type(gql_type))
        named = get_named_type(gql_type)
        if is_connection(gql_type):
            many, named = True, api.type(item_type_name(named.name))
        scalar = {"Decimal": decimal_text, "Money": money_text}.get(named.name)
        return cls(named, many, is_composite_type(named), is_object_type(named), scalar)
