"""An order with a value in every field that the importer asks for, and variants of it.

What is asked for, which of it may be null and what is an enumeration, is read from the document of
the importer and from the official schema.
"""

import copy
import json
import re

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    parse,
)

from shopify_sandbox import schema

UNKNOWN = "SOMETHING_NEW"
# Would make another order of it: one that is cancelled, or refunded.
_LEFT_NULL = frozenset({"cancelledAt", "closedAt", "cancelReason", "refunds", "returns"})
# Fields whose value must make sense to the reader.
_BY_NAME = {
    "amount": "0.0",
    "country": "United States",
    "countryCode": "US",
    "countryCodeV2": "US",
    "currencyCode": "USD",
    "settlementCurrency": "USD",
    "province": "New York",
    "provinceCode": "NY",
    "zoneCode": "NY",
    "phone": "+12125550100",
    "phoneNumber": "+12125550100",
}
_BY_TYPE = {"Boolean": False, "Int": 1, "Float": 0.1, "DateTime": "2026-11-02T10:00:00Z"}
_BY_TYPE |= {"Decimal": "0.0", "Money": "0.0", "UnsignedInt64": "1"}
# Of all orders alike: what stands in Odoo for it is not to be doubled.
_SHARED = ("ProductVariant", "Product", "Location", "Company", "CompanyLocation", "Customer")


class Selection:
    """The fields of an order that a document asks for.

    :ivar fields: ``{name: (type of the schema, {name: ...})}``
    """

    def __init__(self, document):
        self.api = schema.load()
        definitions = parse(document).definitions
        self.fragments = {
            item.name.value: item
            for item in definitions
            if isinstance(item, FragmentDefinitionNode)
        }
        (operation,) = (item for item in definitions if item.name.value not in self.fragments)
        (root,) = operation.selection_set.selections
        self.fields = self._collect(root.selection_set, self.api.type("Order"))

    def _collect(self, selection_set, parent):
        found = {}
        for item in selection_set.selections:
            if isinstance(item, FieldNode):
                name = item.name.value
                if name == "__typename":
                    continue
                gql_type = parent.fields[name].type
                named = get_named_type(gql_type)
                children = {}
                if item.selection_set:
                    children = self._collect(item.selection_set, named)
                    if not is_object_type(named):
                        children["__typename"] = (parent.fields[name].type, {})
                found[name] = (gql_type, children)
            else:
                fragment = item if hasattr(item, "selection_set") else None
                fragment = fragment or self.fragments[item.name.value]
                found |= self._collect(
                    fragment.selection_set, self.api.type(fragment.type_condition.name.value)
                )
        return found

    def fill(self, node, fields=None):
        """Put a value wherever an order has none."""
        for name, (gql_type, children) in (fields or self.fields).items():
            if name in _LEFT_NULL or name == "__typename":
                continue
            if node.get(name) in (None, []):
                node[name] = self._value(name, gql_type, children)
            for item in node[name] if isinstance(node[name], list) else [node[name]]:
                if isinstance(item, dict):
                    self.fill(item, children)
        return node

    def _value(self, name, gql_type, children):
        named = get_named_type(gql_type)
        if is_leaf_type(named):
            value = _BY_NAME.get(name, _BY_TYPE.get(named.name, f"Some {name}"))
            if named.name == "ID":
                value = f"gid://shopify/{name}/1"
            elif is_enum_type(named) and value not in named.values:
                value = next(iter(named.values))
        else:
            value = self.fill({}, children)
        return [value] if is_list_type(get_nullable_type(gql_type)) else value

    def places(self, node, fields=None, path=()):
        """``(path, type)`` of each value of an order, of the first item of each list."""
        for name, (gql_type, children) in (fields or self.fields).items():
            value = node.get(name)
            if value in (None, []):
                continue
            yield (*path, name), gql_type
            place = (*path, name)
            if isinstance(value, list):
                value, place = value[0], (*place, 0)
            if isinstance(value, dict):
                yield from self.places(value, children, place)

    def nullable(self, node):
        """Paths of the values that may be null."""
        return [
            path
            for path, gql_type in self.places(node)
            if not is_non_null_type(gql_type) and path[-1] != "__typename"
        ]

    def enumerated(self, node):
        """Paths of the values that an API version may add to."""
        return [
            path
            for path, gql_type in self.places(node)
            if is_enum_type(get_named_type(gql_type)) or path[-1] == "__typename"
        ]


def with_value(node, path, value):
    """A copy of an order with another value in one place."""
    node = copy.deepcopy(node)
    target = node
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return node


def numbered(node, number):
    """A copy of an order with ids of its own."""

    def renumber(match):
        kind, rest = match.groups()
        return match[0] if kind in _SHARED else f"gid://shopify/{kind}/{rest}{number:05d}"

    text = re.sub(r"gid://shopify/(\w+)/(\w+)", renumber, json.dumps(node))
    node = json.loads(text)
    return {**node, "name": f"#{number}"} if node.get("name") else node
