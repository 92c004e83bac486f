"""Compile a validated operation into closures over plain dicts.

graphql-core parses, validates and coerces; executing its tree of resolvers for fifty full orders
would take seconds. A plan is compiled once per document, scopes and ``@include`` flags, and then
runs as fast as dicts are read.
"""

import itertools
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    execute_sync,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    value_from_ast_untyped,
)
from graphql.execution.values import get_argument_values

from . import connections
from .context import Context, Listing, NullHere, Resolver
from .cost import FREE_TYPES, Costed
from .derive import concrete_type
from .errors import ApiError, not_implemented
from .schema import ApiSchema, is_connection
from .scopes import AccessRules
from .selection import SKIP, has_variable, size_reader
from .store import Ref
from .values import is_plain, reader

Run = Callable[[dict, Context], object]


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


@dataclass(frozen=True)
class _Field:
    """One response field to compile."""

    parent: GraphQLObjectType
    definition: GraphQLField
    key: str
    nodes: list[FieldNode]
    resolver: Resolver | None

    @property
    def node(self) -> FieldNode:
        return self.nodes[0]

    @property
    def name(self) -> str:
        return self.node.name.value

    @property
    def named(self):
        return get_named_type(self.definition.type)

    @property
    def required(self) -> bool:
        return is_non_null_type(self.definition.type)

    @property
    def is_list(self) -> bool:
        return is_list_type(get_nullable_type(self.definition.type))

    @property
    def items_nullable(self) -> bool:
        return self.is_list and not is_non_null_type(
            get_nullable_type(self.definition.type).of_type
        )


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
        self.operation = operation
        mutation = operation.operation.value == "mutation"
        root = self.api.schema.mutation_type if mutation else self.api.schema.query_type
        run, cost = self._select(root, [operation.selection_set], in_payload=False)
        names = [
            nodes[0].name.value for nodes in self._collect(root, [operation.selection_set]).values()
        ]
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
                fragment = self._fragment(node)
                condition = fragment.type_condition
                if condition is None or self._applies(condition.name.value, gql_type):
                    self._collect(gql_type, [fragment.selection_set], found)
        return found

    def _fragment(self, node):
        spread = isinstance(node, FragmentSpreadNode)
        return self.fragments[node.name.value] if spread else node

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
        if name.startswith("__"):
            return self._introspection(key, nodes[0]), Costed(1, "object", 0)
        found = _Field(
            parent, parent.fields[name], key, nodes, self.resolvers.get((parent.name, name))
        )
        error = self.access.denial(parent.name, name, found.definition.type)
        mutation = parent is self.api.schema.mutation_type
        root = mutation or parent is self.api.schema.query_type
        if root and error is None and found.resolver is None:
            error = not_implemented("Mutation" if mutation else "Query", name)
        if is_leaf_type(found.named):
            run, cost = self._leaf(found)
        elif is_connection(found.definition.type):
            run, cost = self._connection(found)
        else:
            run, cost = self._composite(found, in_payload)
        return _failing(found, error) if error else run, cost

    def _introspection(self, key: str, node: FieldNode) -> Run:
        """``__schema`` and ``__type`` are answered by graphql-core."""
        operation = copy(self.operation)
        operation.selection_set = SelectionSetNode(selections=(node,))
        operation.variable_definitions = ()
        document = DocumentNode(definitions=(operation, *self.fragments.values()))

        def run(_record, context: Context):
            result = execute_sync(context.api.schema, document, variable_values=context.variables)
            return (result.data or {}).get(key)

        return run

    def _raw(self, found: "_Field") -> Run:
        """Function that fetches the value before it is completed."""
        resolver, arguments = found.resolver, None
        if resolver:
            arguments = self._arguments(found)
            if found.parent is self.api.schema.mutation_type:
                resolver = _with_idempotency_key(found.node, resolver)
            return lambda record, context: resolver(record, arguments(context), context)
        read = reader(self.api, found.parent.name, found.name)
        if not (found.is_list and "first" in found.definition.args):
            return lambda record, context: read(record, context.shop)
        arguments = self._arguments(found)

        def sliced(record, context: Context):
            size = arguments(context).get("first")
            values = read(record, context.shop)
            return values if size is None or values is None else values[:size]

        return sliced

    def _arguments(self, found: "_Field") -> Callable[[Context], dict]:
        definition, node = found.definition, found.node
        if not any(has_variable(argument) for argument in node.arguments):
            fixed = get_argument_values(definition, node, {})
            return lambda _context: fixed
        key = next(self._keys)

        def read(context: Context) -> dict:
            values = context.arguments.get(key)
            if values is None:
                values = get_argument_values(definition, node, context.variables)
                context.arguments[key] = values
            return values

        return read

    def _leaf(self, found: "_Field"):
        if found.resolver is None:
            plain = is_plain(self.api, found.parent.name, found.name)
            return None if plain else self._raw(found), None
        return _guarded(found, self._raw(found), lambda value, _context: value), None

    def _composite(self, found: "_Field", in_payload: bool):
        mutation = found.parent is self.api.schema.mutation_type
        named = found.named
        select, costs = self._completion(named, found.nodes, in_payload=mutation)
        if mutation or (named.name == "Count" and found.name.endswith("Count")):
            own = 10
        else:
            free = in_payload or named.name in FREE_TYPES or named.name.endswith("UserError")
            own = 0 if free else 1
        cost = Costed(own, "object", next(self._keys), costs)
        complete = _list_of(select, found) if found.is_list else select
        return _guarded(found, self._raw(found), complete, cost.key), cost

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
                if isinstance(node, FieldNode):
                    continue
                fragment = self._fragment(node)
                if fragment.type_condition:
                    found.add(fragment.type_condition.name.value)
                found |= self._conditions([fragment.selection_set])
        return found

    # Connections ------------------------------------------------------------------------------

    def _connection(self, found: "_Field"):
        named, arguments = found.named, self._arguments(found)
        selection_sets = [node.selection_set for node in found.nodes if node.selection_set]
        parts, costs = [], []
        for part_key, part_nodes in self._collect(named, selection_sets).items():
            part, part_costs = self._connection_part(named, part_nodes)
            parts.append((part_key, part))
            costs.extend(part_costs)
        cost = Costed(0, "connection", next(self._keys), costs, size_reader(found.node))

        def complete(value, context: Context) -> dict:
            listing = value if isinstance(value, Listing) else Listing(value)
            asked = arguments(context)
            if context.whole_lists:
                paging = ("first", "last", "after", "before")
                asked = {name: v for name, v in asked.items() if name not in paging}
            else:
                connections.check_size(asked)
            items = context.shop.store.resolve_all(listing.items)
            if listing.key:
                page = connections.paginate_sorted(items, asked, listing.key)
            else:
                page = connections.paginate_list(items, asked)
            context.seen[cost.key] = max(context.seen.get(cost.key, 0), len(page.items))
            return {part_key: part(page, context) for part_key, part in parts}

        return _guarded(found, self._raw(found), complete, cost.key), cost

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
                parts.append(
                    (key, lambda page, i, context, run=select: run(page.items[i], context))
                )
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
                del context.path[depth + 1 :]
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


def _with_idempotency_key(node: FieldNode, resolver: Resolver) -> Resolver:
    """Hand the key of ``@idempotent`` on this mutation to its function."""
    values = [
        directive.arguments[0].value
        for directive in node.directives
        if directive.name.value == "idempotent" and directive.arguments
    ]

    def resolve(record: dict, arguments: dict, context: Context):
        context.idempotency_key = (
            value_from_ast_untyped(values[0], context.variables) if values else None
        )
        return resolver(record, arguments, context)

    return resolve


def _guarded(found: "_Field", raw: Run, complete: Callable, cost_key: int = 0) -> Run:
    """Fetch and complete a value; an error makes it, or its parent, null."""
    key, node, required = found.key, found.node, found.required

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


def _failing(found: "_Field", error: ApiError) -> Run:
    def run(_record, context: Context) -> None:
        context.path.append(found.key)
        context.fail(error, found.node)
        context.path.pop()
        if found.required:
            raise NullHere

    return run


def _list_of(select: Run, found: "_Field | None" = None) -> Callable:
    """Complete each object of a list; null items stay only where the schema allows them."""
    nullable = found is not None and found.items_nullable

    def complete(values, context: Context, name: str | None = None) -> list:
        objects, path = context.shop.store.objects, context.path
        result = []
        if name:
            path.append(name)
        depth = len(path)
        path.append(0)
        for index, value in enumerate(values):
            record = objects.get(value) if type(value) is Ref else value
            path[depth] = index
            if record is not None:
                try:
                    result.append(select(record, context))
                    continue
                except ApiError as error:
                    if not nullable:
                        raise
                    context.fail(error, found.node)
            if nullable:
                result.append(None)
        path.pop()
        if name:
            path.pop()
        return result

    return complete
