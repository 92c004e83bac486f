"""Recorded answers of a real store, as interactions to replay and objects to load."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    value_from_ast_untyped,
)

from shopify_sandbox.schema import ApiSchema, is_connection
from shopify_sandbox.store import type_of_gid

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"


@dataclass
class Interaction:
    """One recorded request and its answer."""

    name: str
    query: str
    variables: dict
    body: dict

    @property
    def is_mutation(self) -> bool:
        return any(
            node.operation.value == "mutation"
            for node in parse(self.query).definitions
            if isinstance(node, OperationDefinitionNode)
        )


def read(path: str) -> dict:
    return json.loads((RECORDINGS / path).read_text())


def interactions(path: str) -> Iterator[Interaction]:
    """Every request of a recording whose query and answer are both there."""
    yield from _walk(read(path), path)


def _walk(value, name: str) -> Iterator[Interaction]:
    if isinstance(value, dict):
        query = value.get("query") or value.get("document")
        body = value.get("response") or value.get("result")
        if isinstance(body, dict):
            body = body.get("payload") or body.get("body") or body
        if isinstance(query, str) and isinstance(body, dict) and body.keys() & {"data", "errors"}:
            try:
                parse(query)
                yield Interaction(name, query, value.get("variables") or {}, body)
            except GraphQLSyntaxError:
                pass
        for key, item in value.items():
            yield from _walk(item, f"{name}:{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{name}:{index}")


class Extractor:
    """Turns an answer back into the objects it tells about, under their schema names."""

    def __init__(self, api: ApiSchema, interaction: Interaction) -> None:
        self.api, self.variables = api, interaction.variables
        document = parse(interaction.query)
        self.fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.operation = next(
            node for node in document.definitions if isinstance(node, OperationDefinitionNode)
        )
        self.data = interaction.body.get("data") or {}

    def objects(self) -> list[dict]:
        """Objects with an id at the roots, with everything nested in them."""
        root = (
            self.api.schema.mutation_type
            if self.operation.operation.value == "mutation"
            else self.api.schema.query_type
        )
        found = []
        for field, value in self._fields(root, self.operation.selection_set, self.data):
            definition = root.fields.get(field.name.value)
            if definition is None or value is None:
                continue
            given = self.arguments(field).get("id")
            if get_named_type(definition.type).name == "Shop":
                given = "gid://shopify/Shop/1"
            known = isinstance(value, dict) and isinstance(given, str) and "id" not in value
            content = {"id": given, **value} if known else value
            self._roots(definition.type, field, content, found)
        return found

    def _roots(self, gql_type, field: FieldNode, value, found: list) -> None:
        if isinstance(value, list):
            for item in value:
                self._roots(gql_type, field, item, found)
        elif isinstance(value, dict):
            result = self._value(gql_type, field, value)
            for item in result.get("nodes", [result]):
                if isinstance(item, dict) and str(item.get("id", "")).startswith("gid://"):
                    found.append(item)
                elif isinstance(item, dict):
                    found += [
                        part for part in item.values() if isinstance(part, dict) and "id" in part
                    ]

    def _fields(self, gql_type, selection_set, data: dict):
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                if key in data:
                    yield node, data[key]
                continue
            spread = isinstance(node, FragmentSpreadNode)
            fragment = self.fragments[node.name.value] if spread else node
            condition = fragment.type_condition
            if condition is None or self._fits(condition.name.value, gql_type):
                yield from self._fields(gql_type, fragment.selection_set, data)

    def _fits(self, condition: str, gql_type) -> bool:
        if condition == gql_type.name:
            return True
        wider = self.api.type(condition)
        return is_abstract_type(wider) and self.api.schema.is_sub_type(wider, gql_type)

    def _value(self, gql_type, field: FieldNode, value):
        named = get_named_type(gql_type)
        if isinstance(value, list):
            return [self._value(gql_type, field, item) for item in value]
        if not isinstance(value, dict) or not is_composite_type(named):
            return value
        if is_connection(named):
            return {"nodes": self._connection(named, field, value)}
        return self._object(named, field, value)

    def _connection(self, named, field: FieldNode, value: dict) -> list:
        nodes: list = []
        for part, inner in self._fields(named, field.selection_set, value):
            if part.name.value == "nodes":
                items = self._value(named.fields["nodes"].type, part, inner)
                nodes = _merged_lists(nodes, items)
            elif part.name.value == "edges":
                edge = get_named_type(named.fields["edges"].type)
                items = []
                for entry in inner:
                    for sub, content in self._fields(edge, part.selection_set, entry):
                        if sub.name.value == "node":
                            items.append(self._value(edge.fields["node"].type, sub, content))
                nodes = _merged_lists(nodes, items)
        return nodes

    def _object(self, named, field: FieldNode, value: dict) -> dict:
        if is_abstract_type(named):
            name = value.get("__typename") or (type_of_gid(value["id"]) if "id" in value else None)
            named = self.api.type(name) if self.api.type(name or "") else named
        result = {} if is_abstract_type(named) else {"__typename": named.name}
        if "id" in value:
            result["id"] = value["id"]
        for node, inner in self._fields(named, field.selection_set, value):
            name = node.name.value
            if name == "__typename" or name not in getattr(named, "fields", {}):
                continue
            content = self._value(named.fields[name].type, node, inner)
            if name == "metafield":
                if content:
                    name, content = "metafields", {"nodes": [content]}
                else:
                    continue
            elif name in ("inventoryLevel",):
                name = "inventoryLevels"
                content = {"nodes": [content] if content else []}
            result[name] = _merged(result.get(name), content)
        return result

    def arguments(self, node: FieldNode) -> dict:
        return {
            argument.name.value: value_from_ast_untyped(argument.value, self.variables)
            for argument in node.arguments
        }


def _merged(old, new):
    """Two selections of one field (aliases, fragments) tell about one value."""
    if isinstance(old, dict) and isinstance(new, dict):
        if "nodes" in old and "nodes" in new:
            return {"nodes": _merged_lists(old["nodes"], new["nodes"])}
        return {**old, **{key: _merged(old.get(key), item) for key, item in new.items()}}
    if isinstance(old, list) and isinstance(new, list):
        return _merged_lists(old, new)
    return new


def _merged_lists(old: list, new: list) -> list:
    if not old:
        return new
    keys = ["id", "name", "key"]
    result = list(old)
    for item in new:
        key = next((k for k in keys if isinstance(item, dict) and k in item), None)
        same = [
            i
            for i, other in enumerate(result)
            if key and isinstance(other, dict) and other.get(key) == item[key]
        ]
        if same:
            result[same[0]] = _merged(result[same[0]], item)
        elif not key and item in result:
            continue
        else:
            result.append(item)
    return result
