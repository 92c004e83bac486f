"""The objects of one shop, by global id, with the relations between them."""

import threading
from collections import defaultdict
from collections.abc import Iterable


class Ref(str):
    """A global id that stands for the object it names."""

    __slots__ = ()


# A list on the parent and a reference on the child that are two sides of one relation. They are
# kept on the child only. An owned list that is loaded anew replaces the previous one.
RELATIONS = {
    ("Order", "refunds"): ("Refund", "order", True),
    ("Order", "fulfillments"): ("Fulfillment", "order", True),
    ("Order", "fulfillmentOrders"): ("FulfillmentOrder", "order", True),
    ("Order", "returns"): ("Return", "order", True),
    ("Order", "transactions"): ("OrderTransaction", "order", True),
    ("Product", "variants"): ("ProductVariant", "product", True),
    ("InventoryItem", "inventoryLevels"): ("InventoryLevel", "item", True),
    ("InventoryItem", "variants"): ("ProductVariant", "inventoryItem", False),
    ("Location", "inventoryLevels"): ("InventoryLevel", "location", False),
    ("Customer", "orders"): ("Order", "customer", False),
    ("Customer", "companyContactProfiles"): ("CompanyContact", "customer", False),
    ("Company", "locations"): ("CompanyLocation", "company", True),
    ("Company", "contacts"): ("CompanyContact", "company", True),
    ("Return", "refunds"): ("Refund", "return", False),
}
_INDEXED: dict[str, list[str]] = defaultdict(list)
for _child, _field, _owned in RELATIONS.values():
    _INDEXED[_child].append(_field)


def type_of_gid(gid: str) -> str:
    """``gid://shopify/Order/1`` -> ``Order``."""
    return gid.split("/")[3]


def legacy_id(gid: str) -> str:
    """``gid://shopify/InventoryLevel/1?inventory_item_id=2`` -> ``1``."""
    return gid.rsplit("/", 1)[-1].split("?", 1)[0]


class Store:
    """Objects of one shop. Readers take no lock: every object is replaced or updated at once."""

    def __init__(self) -> None:
        self.objects: dict[str, dict] = {}
        self.lock = threading.RLock()
        self._by_type: dict[str, dict[str, None]] = defaultdict(dict)
        self._children: dict[tuple[str, str], dict[str, dict[str, None]]] = defaultdict(dict)
        self._last_id: dict[str, int] = {}

    def get(self, gid: str | None) -> dict | None:
        return self.objects.get(gid)

    def all(self, type_name: str) -> list[dict]:
        """Every object of a type, oldest first, without those only known by a reference."""
        found = (self.objects.get(gid) for gid in list(self._by_type.get(type_name, ())))
        return [record for record in found if record is not None and len(record) > 2]

    def put(self, gid: str, type_name: str, values: dict) -> dict:
        """Create or update one object. Values are final: no nested objects with an id."""
        with self.lock:
            record = self.objects.get(gid)
            if record is None:
                record = {"__typename": type_name, "id": gid}
                self._remember_id(type_name, gid)
            for field in _INDEXED.get(type_name, ()):
                if field in values:
                    self._move(type_name, field, gid, record.get(field), values[field])
            record.update(values)
            self.objects[gid] = record
            self._by_type[type_name][gid] = None
            return record

    def _move(self, type_name: str, field: str, gid: str, old, new) -> None:
        if old == new:
            return
        index = self._children[type_name, field]
        if old is not None:
            index.get(old, {}).pop(gid, None)
        if new is not None:
            index.setdefault(str(new), {})[gid] = None

    def delete(self, gid: str) -> dict | None:
        """Forget an object and what it owns; references to it read as null from now on."""
        with self.lock:
            record = self.objects.get(gid)
            if record is not None:
                self._delete_owned(record)
                del self.objects[gid]
                type_name = record["__typename"]
                self._by_type[type_name].pop(gid, None)
                for field in _INDEXED.get(type_name, ()):
                    self._move(type_name, field, gid, record.get(field), None)
            return record

    def _delete_owned(self, record: dict) -> None:
        for (parent, field), (_child, _back, owned) in RELATIONS.items():
            if owned and parent == record["__typename"]:
                for child in self.related(record, field):
                    self.delete(child["id"])

    def children(self, type_name: str, field: str, parent_gid: str) -> list[dict]:
        """Objects of ``type_name`` whose ``field`` refers to the parent, oldest first."""
        index = self._children.get((type_name, field))
        if not index or parent_gid not in index:
            return []
        found = (self.objects.get(gid) for gid in list(index[parent_gid]))
        return [record for record in found if record is not None]

    def related(self, parent: dict, field: str) -> list[dict]:
        """The list side of a relation, e.g. ``related(order, "refunds")``."""
        child, child_field, _owned = RELATIONS[parent["__typename"], field]
        return self.children(child, child_field, parent["id"])

    def resolve(self, value):
        """The object behind a reference; anything else unchanged."""
        return self.objects.get(value) if type(value) is Ref else value

    def resolve_all(self, values: Iterable | None) -> list:
        found = (self.resolve(value) for value in values or ())
        return [value for value in found if value is not None]

    def _remember_id(self, type_name: str, gid: str) -> None:
        number = legacy_id(gid)
        if number.isdigit():
            self._last_id[type_name] = max(self._last_id.get(type_name, 0), int(number))

    def new_gid(self, type_name: str) -> str:
        """A global id that no object of that type had before."""
        with self.lock:
            number = self._last_id.get(type_name, _first_id(type_name)) + 1
            self._last_id[type_name] = number
            return f"gid://shopify/{type_name}/{number}"


def _first_id(type_name: str) -> int:
    # Different ranges per type: a mixed-up id is then noticed instead of found.
    return 1_000_000_000 + (sum(map(ord, type_name)) % 9000) * 1_000_000
