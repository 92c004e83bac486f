"""Compile a validated operation into closures over plain dicts.

graphql-core parses, validates and coerces; executing its tree of resolvers for fifty full orders
would take seconds. A plan is compiled once per document, scopes and ``@include`` flags, and then
runs as fast as dicts are read.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    visit,
)
from graphql.execution.values import get_argument_values

from . import connections
from .cost import FREE_TYPES, Costed
from .derive import concrete_type
from .errors import ApiError, not_implemented
from .schema import ApiSchema, is_connection
from .scopes import AccessRules
from .store import Ref
from .values import is_plain, reader

Run = Callable[[dict, "Context"], object]
Resolver = Callable[[dict, dict, "Context"], object]
SKIP = ("skip", "include")


class NullHere(Exception):
    """A field that must not be null has no value: its parent becomes null."""


@dataclass
class Listing:
    """Objects of a connection before paging; ``key`` sorts root objects."""

    items: list
    key: connections.SortKey | None = None


@dataclass
class Context:
    """One execution."""

    shop: object
    api: ApiSchema
    variables: dict
    errors: list[dict] = field(default_factory=list)
    warnings: list[dict] = field(default_factory=list)
    path: list = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    arguments: dict[int, dict] = field(default_factory=dict)
    changes: list = field(default_factory=list)

    def fail(self, error: ApiError, node: FieldNode) -> None:
        location = node.loc.start_token
        entry = {
            "message": error.message,
            "locations": [{"line": location.line, "column": location.column}],
        }
        if error.extensions:
            entry["extensions"] = error.extensions
        self.errors.append({**entry, "path": list(self.path)})


@dataclass
class Plan:
    """A compiled operation: root fields in order, and what they cost."""

    operation: OperationDefinitionNode
    run: Run
    cost: list[Costed]
    root_fields: list[str]

    def requested_cost(self, variables: dict) -> int:
        return max(1, sum(part.requested(variables) for part in self.cost))

    def actual_cost(self, seen: dict[int, int]) -> int:
        return max(1, sum(part.actual(seen) for part in self.cost))


class Compiler:
    """Compiles one operation.

    :param resolvers: functions by (type, field) for what is more than reading a value
    """

    def __init__(
        self,
        api: ApiSchema,
        fragments: dict[str, FragmentDefinitionNode],
        access: AccessRules,
        flags: dict[str, bool],
        resolvers: dict[tuple[str, str], Resolver],
    ) -> None:
        self.api, self.fragments, self.access = api, fragments, access
        self.flags, self.resolvers = flags, resolvers
        self._keys = itertools.count(1)

    def compile(self, operation: OperationDefinitionNode) -> Plan:
        mutation = operation.operation.value == "mutation"
        root = self.api.schema.mutation_type if mutation else self.api.schema.query_type
        run, cost = self._select(root, [operation.selection_set], in_payload=False)
        names = [nodes[0].name.value for nodes in
                 self._collect(root, [operation.selection_set]).values()]
        return Plan(operation, run, cost, names)

    # Selections -------------------------------------------------------------------------------

    def _collect(self, gql_type, selection_sets: list[SelectionSetNode], found=None) -> dict:
        found = {} if found is None else found
        for selection_set in selection_sets:
            for node in selection_set.selections:
                if not self._included(node):
                    continue
                if isinstance(node, FieldNode):
                    key = node.alias.value if node.alias else node.name.value
                    found.setdefault(key, []).append(node)
                    continue
                if isinstance(node, FragmentSpreadNode):
                    node = self.fragments[node.name.value]
                condition = node.type_condition
                if condition is None or self._applies(condition.name.value, gql_type):
                    self._collect(gql_type, [node.selection_set], found)
        return found

    def _applies(self, condition: str, gql_type) -> bool:
        if condition == gql_type.name:
            return True
        wider = self.api.type(condition)
        return is_abstract_type(wider) and self.api.schema.is_sub_type(wider, gql_type)

    def _included(self, node) -> bool:
        for directive in node.directives:
            if directive.name.value in SKIP:
                value = directive.arguments[0].value
                if isinstance(value, VariableNode):
                    flag = self.flags.get(value.name.value, False)
                else:
                    flag = value.value
                if bool(flag) is (directive.name.value == "skip"):
                    return False
        return True

    def _select(self, gql_type: GraphQLObjectType, selection_sets, in_payload: bool):
        parts: list[tuple[str, str, Run | None]] = []
        costs = []
        for key, nodes in self._collect(gql_type, selection_sets).items():
            run, cost = self._field(gql_type, key, nodes, in_payload)
            parts.append((key, nodes[0].name.value, run))
            if cost:
                costs.append(cost)

        def run_all(record: dict, context: Context) -> dict:
            read = record.get
            result = {}
            for key, name, run in parts:
                result[key] = read(name) if run is None else run(record, context)
            return result

        return run_all, costs

    # Fields -----------------------------------------------------------------------------------

    def _field(self, parent: GraphQLObjectType, key: str, nodes: list[FieldNode], in_payload):
        """Function of one response field (None: plain dict access), and its cost."""
        name = nodes[0].name.value
        if name == "__typename":
            return (lambda _record, _context: parent.name), None
        definition = parent.fields[name]
        required = is_non_null_type(definition.type)
        denied = self.access.denial(parent.name, name, definition.type)
        if denied:
            return self._failing(key, denied, required, nodes[0]), None
        resolver = self.resolvers.get((parent.name, name))
        root = parent in (self.api.schema.query_type, self.api.schema.mutation_type)
        if resolver is None and root:
            kind = "Mutation" if parent is self.api.schema.mutation_type else "Query"
            error = not_implemented(kind, name)
            return self._failing(key, error, required, nodes[0]), None
        raw = self._raw(parent, definition, name, nodes[0], resolver)
        named = get_named_type(definition.type)
        if is_leaf_type(named):
            return self._leaf(parent, name, key, raw, resolver, required, nodes[0], root)
        is_mutation = parent is self.api.schema.mutation_type
        if is_connection(definition.type):
            return self._connection(definition, key, nodes, raw, required)
        return self._composite(definition, key, nodes, raw, required, is_mutation, in_payload)

    def _raw(self, parent, definition, name: str, node: FieldNode, resolver) -> Run:
        """Function that fetches the value before it is completed."""
        if resolver is None:
            read = reader(self.api, parent.name, name)
            if is_list_type(get_nullable_type(definition.type)) and "first" in definition.args:
                arguments = self._arguments(definition, node)

                def sliced(record, context):
                    size = arguments(context).get("first")
                    values = read(record, context.shop)
                    return values if size is None or values is None else values[:size]

                return sliced
            return lambda record, context: read(record, context.shop)
        arguments = self._arguments(definition, node)
        return lambda record, context: resolver(record, arguments(context), context)

    def _arguments(self, definition, node: FieldNode) -> Callable[[Context], dict]:
        if not any(_has_variable(argument) for argument in node.arguments):
            fixed = get_argument_values(definition, node, {})
            return lambda _context: fixed
        key = next(self._keys)

        def read(context: Context) -> dict:
            found = context.arguments.get(key)
            if found is None:
                found = get_argument_values(definition, node, context.variables)
                context.arguments[key] = found
            return found

        return read

    def _failing(self, key: str, error: ApiError, required: bool, node: FieldNode) -> Run:
        def run(_record, context: Context):
            context.path.append(key)
            context.fail(error, node)
            context.path.pop()
            if required:
                raise NullHere
            return None

        return run

    def _leaf(self, parent, name, key, raw, resolver, required, node, root):
        cost = Costed(10 if root and name.endswith("Count") else 0, "object", next(self._keys))
        if resolver is None:
            return None if is_plain(self.api, parent.name, name) else raw, None
        return self._guarded(key, raw, lambda value, _context: value, required, node, cost.key), cost

    def _guarded(self, key, raw, complete, required: bool, node: FieldNode, cost_key: int) -> Run:
        """Fetch and complete a value; an error makes it, or its parent, null."""

        def run(record, context: Context):
            path = context.path
            depth = len(path)
            path.append(key)
            try:
                value = raw(record, context)
                if type(value) is Ref:
                    value = context.shop.store.objects.get(value)
                if value is not None:
                    context.seen.setdefault(cost_key, 1)
                    value = complete(value, context)
                if value is None and required:
                    raise NullHere
            except ApiError as error:
                context.fail(error, node)
                value = None
                if required:
                    raise NullHere from None
            except NullHere:
                value = None
                if required:
                    raise
            finally:
                del path[depth:]
            return value

        return run

    def _composite(self, definition, key, nodes, raw, required, is_mutation, in_payload):
        named = get_named_type(definition.type)
        select, costs = self._completion(named, nodes, in_payload=is_mutation)
        free = in_payload or named.name in FREE_TYPES or named.name.endswith("UserError")
        if named.name == "Count" and not in_payload:
            own = 10 if nodes[0].name.value.endswith("Count") else 1
        else:
            own = 10 if is_mutation else 0 if free else 1
        cost = Costed(own, "object", next(self._keys), costs)
        complete = select
        if is_list_type(get_nullable_type(definition.type)):
            inner = get_nullable_type(definition.type).of_type
            complete = _list_of(select, nullable_items=not is_non_null_type(inner))
        return self._guarded(key, raw, complete, required, nodes[0], cost.key), cost

    def _completion(self, named, nodes: list[FieldNode], in_payload: bool = False):
        selection_sets = [node.selection_set for node in nodes if node.selection_set]
        if is_object_type(named):
            return self._select(named, selection_sets, in_payload)
        return self._abstract(selection_sets)

    def _abstract(self, selection_sets):
        """Select by the object's own type; the dearest alternative counts as the cost."""
        compiled: dict[str, Run] = {}
        alternatives = []
        for name in sorted(self._conditions(selection_sets)):
            if is_object_type(self.api.type(name)):
                compiled[name], costs = self._select(self.api.type(name), selection_sets, False)
                alternatives.append(Costed(0, "object", 0, costs))

        def select(record: dict, context: Context):
            name = concrete_type(record)
            run = compiled.get(name)
            if run is None:
                run = compiled[name] = self._select(self.api.type(name), selection_sets, False)[0]
            field_name = next(part for part in reversed(context.path) if isinstance(part, str))
            denied = self.access.type_denial(name, field_name)
            if denied:
                raise denied
            return run(record, context)

        return select, [Costed(0, "either", 0, alternatives)] if alternatives else []

    def _conditions(self, selection_sets) -> set[str]:
        found = set()
        for selection_set in selection_sets:
            for node in selection_set.selections:
                if isinstance(node, FragmentSpreadNode):
                    node = self.fragments[node.name.value]
                if isinstance(node, FieldNode):
                    continue
                if node.type_condition:
                    found.add(node.type_condition.name.value)
                found |= self._conditions([node.selection_set])
        return found

    # Connections ------------------------------------------------------------------------------

    def _connection(self, definition, key, nodes, raw, required):
        named = get_named_type(definition.type)
        arguments = self._arguments(definition, nodes[0])
        selection_sets = [node.selection_set for node in nodes if node.selection_set]
        parts, costs = [], []
        for part_key, part_nodes in self._collect(named, selection_sets).items():
            part, part_costs = self._connection_part(named, part_nodes)
            parts.append((part_key, part))
            costs.extend(part_costs)
        cost = Costed(0, "connection", next(self._keys), costs, _size_reader(nodes[0]))

        def complete(value, context: Context) -> dict:
            listing = value if isinstance(value, Listing) else Listing(value)
            asked = arguments(context)
            connections.check_size(asked)
            items = context.shop.store.resolve_all(listing.items)
            if listing.key:
                page = connections.paginate_sorted(items, asked, listing.key)
            else:
                page = connections.paginate_list(items, asked)
            context.seen[cost.key] = max(context.seen.get(cost.key, 0), len(page.items))
            return {part_key: part(page, context) for part_key, part in parts}

        return self._guarded(key, raw, complete, required, nodes[0], cost.key), cost

    def _connection_part(self, connection, nodes: list[FieldNode]):
        """``nodes``, ``edges`` or ``pageInfo`` of a page, and its cost per object."""
        name = nodes[0].name.value
        if name == "__typename":
            return (lambda _page, _context: connection.name), []
        if name == "nodes":
            named = get_named_type(connection.fields["nodes"].type)
            select, costs = self._completion(named, nodes)
            each = _list_of(select)
            item = Costed(1, "page", 0, costs)
            return (lambda page, context: each(page.items, context, "nodes")), [item]
        if name == "edges":
            return self._edges(connection, nodes)
        if name == "pageInfo":
            return self._page_info(nodes), []
        return (lambda page, _context: None), []

    def _edges(self, connection, nodes: list[FieldNode]):
        edge_type = get_named_type(connection.fields["edges"].type)
        selection_sets = [node.selection_set for node in nodes]
        parts, costs = [], []
        for key, part_nodes in self._collect(edge_type, selection_sets).items():
            name = part_nodes[0].name.value
            if name == "node":
                named = get_named_type(edge_type.fields["node"].type)
                select, costs = self._completion(named, part_nodes)
                parts.append((key, lambda page, i, context, run=select: run(page.items[i],
                                                                           context)))
            elif name == "cursor":
                parts.append((key, lambda page, i, _context: page.cursor(i)))
            else:
                parts.append((key, lambda _page, _i, _context: edge_type.name))

        def run(page, context: Context) -> list[dict]:
            result = []
            depth = len(context.path)
            context.path.append("edges")
            for index in range(len(page.items)):
                context.path += (index, "node")
                result.append({key: part(page, index, context) for key, part in parts})
                del context.path[depth + 1:]
            del context.path[depth:]
            return result

        return run, [Costed(1, "page", 0, costs)]

    def _page_info(self, nodes: list[FieldNode]):
        named = self.api.type("PageInfo")
        fields = {
            "hasNextPage": lambda page: page.has_next,
            "hasPreviousPage": lambda page: page.has_previous,
            "startCursor": lambda page: page.cursor(0) if page.items else None,
            "endCursor": lambda page: page.cursor(len(page.items) - 1) if page.items else None,
            "__typename": lambda _page: "PageInfo",
        }
        found = self._collect(named, [node.selection_set for node in nodes])
        parts = [(key, fields[part[0].name.value]) for key, part in found.items()]
        return lambda page, _context: {key: part(page) for key, part in parts}


def _list_of(select: Run, nullable_items: bool = False) -> Callable:
    """Complete each object of a list; null items stay only where the schema allows them."""

    def complete(values, context: Context, name: str | None = None) -> list:
        objects, path = context.shop.store.objects, context.path
        result = []
        if name:
            path.append(name)
        path.append(0)
        for index, value in enumerate(values):
            if type(value) is Ref:
                value = objects.get(value)
            if value is None:
                if nullable_items:
                    result.append(None)
                continue
            path[-1] = index
            result.append(select(value, context))
        path.pop()
        if name:
            path.pop()
        return result

    return complete


def _has_variable(node) -> bool:
    class Finder(Visitor):
        found = False

        def enter_variable(self, *_args):
            self.found = True

    finder = Finder()
    visit(node, finder)
    return finder.found


def _size_reader(node: FieldNode) -> Callable[[dict], int]:
    """Page size asked for by ``first`` or ``last``; the maximum when it is left out."""
    for argument in node.arguments:
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, VariableNode):
                name = argument.value.name.value
                return lambda variables: int(variables.get(name) or 0)
            if hasattr(argument.value, "value"):
                size = int(argument.value.value)
                return lambda _variables: size
    return lambda _variables: 0


def include_flags(document) -> set[str]:
    """Names of the variables that ``@include`` and ``@skip`` read."""
    names: set[str] = set()

    class Finder(Visitor):
        def enter_directive(self, node, *_args):
            if node.name.value in SKIP and isinstance(node.arguments[0].value, VariableNode):
                names.add(node.arguments[0].value.name.value)

    visit(document, Finder())
    return names
