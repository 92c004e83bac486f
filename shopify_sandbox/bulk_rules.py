"""What Shopify refuses in the query of a bulk operation, in its words."""

from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    parse,
)

from .errors import UserErrors, user_error
from .schema import ApiSchema, is_connection
from .validation import validation_errors

MAX_BYTES = 65_535
MAX_CONNECTIONS = 5
MAX_DEPTH = 2
EDGES = (
    "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: "
    "'{} {{ edges {{ node {{'. Selecting via 'nodes' is not supported. Invalid connection "
    "fields: '{}'."
)
PARENT = (
    "The parent 'node' field for a nested connection must select the 'id' field without an alias "
    "and must be of 'ID' return type. Connection fields without 'id': {}."
)
WITHIN_LIST = (
    "Queries that contain a connection field within a list field are not currently supported."
)


@dataclass
class BulkQuery:
    """A query that may run as a bulk operation."""

    api: ApiSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]


@dataclass
class _Shape:
    """What was seen while walking through the query."""

    connections: int = 0
    depth: int = 0  # of the deepest connection
    within_list: bool = False
    by_nodes: list[str] = field(default_factory=list)
    without_id: list[str] = field(default_factory=list)


def read(api: ApiSchema, text: str) -> BulkQuery:
    """Parse and check a query.

    :raises UserErrors: it may not run as a bulk operation
    """
    if len(text.encode()) > MAX_BYTES:
        _refuse(f"Query is too long (maximum is {MAX_BYTES} bytes)")
    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        _refuse(f"Invalid bulk query: {error.message.removeprefix('Syntax Error: ')}")
    query = _read(api, document)
    problems = validation_errors(api, document)
    if problems:
        _refuse(*(f"Invalid bulk query: {problem['message']}" for problem in problems))
    _refuse(*_problems(query))
    return query


def _refuse(*messages: str) -> None:
    if messages:
        raise UserErrors(*(user_error(["query"], message, "INVALID") for message in messages))


def _read(api: ApiSchema, document: DocumentNode) -> BulkQuery:
    operations = [n for n in document.definitions if isinstance(n, OperationDefinitionNode)]
    fragments = {
        n.name.value: n for n in document.definitions if isinstance(n, FragmentDefinitionNode)
    }
    if len(operations) != 1:
        _refuse("Bulk queries must contain exactly one operation.")
    if operations[0].operation.value != "query":
        _refuse("Invalid operation type. Only `query` operations are supported.")
    return BulkQuery(api, operations[0], fragments)


def _problems(query: BulkQuery) -> list[str]:
    shape, found = _Shape(), []
    roots = query.operation.selection_set
    for node in roots.selections:
        name = node.name.value if isinstance(node, FieldNode) else ""
        if name in ("node", "nodes"):
            found.append(f"Bulk queries cannot contain a top level `{name}` field.")
    _walk(query, query.api.schema.query_type, roots, shape)
    if not shape.connections:
        found.append("Bulk queries must contain at least one connection.")
    if shape.by_nodes:
        found.append(EDGES.format(shape.by_nodes[0], "', '".join(shape.by_nodes)))
    if shape.within_list:
        found.append(WITHIN_LIST)
    if shape.connections > MAX_CONNECTIONS:
        found.append(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")
    if shape.depth > MAX_DEPTH:
        found.append(
            f"Bulk queries cannot contain connections with a nesting depth greater than "
            f"{MAX_DEPTH}."
        )
    if shape.without_id:
        found.append(PARENT.format(", ".join(shape.without_id)))
    return found


def _fields(query: BulkQuery, gql_type, selection_set):
    """Fields of a selection with the type that they are selected on, through fragments."""
    for node in selection_set.selections if selection_set else ():
        if isinstance(node, FieldNode):
            yield gql_type, node
            continue
        spread = isinstance(node, FragmentSpreadNode)
        fragment = query.fragments[node.name.value] if spread else node
        condition = fragment.type_condition
        inner = query.api.type(condition.name.value) if condition else gql_type
        yield from _fields(query, inner, fragment.selection_set)


def _walk(query, gql_type, selection_set, shape: _Shape, *, depth=0, in_list=False) -> bool:
    """Note what the selection contains; True when a connection is in it."""
    has_connection = False
    for owner, node in _fields(query, gql_type, selection_set):
        definition = getattr(owner, "fields", {}).get(node.name.value)
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            continue
        named = get_named_type(definition.type)
        if is_connection(definition.type):
            has_connection = True
            shape.connections += 1
            shape.depth = max(shape.depth, depth + 1)
            shape.within_list = shape.within_list or in_list
            _connection(query, named, node, shape, depth + 1)
        else:
            listed = in_list or isinstance(get_nullable_type(definition.type), GraphQLList)
            inner = _walk(query, named, node.selection_set, shape, depth=depth, in_list=listed)
            has_connection = has_connection or inner
    return has_connection


def _connection(query, named, node: FieldNode, shape: _Shape, depth: int) -> None:
    for _owner, part in _fields(query, named, node.selection_set):
        if part.name.value == "nodes":
            shape.by_nodes.append(node.name.value)
        if part.name.value != "edges":
            continue
        edge = get_named_type(named.fields["edges"].type)
        for _edge, inner in _fields(query, edge, part.selection_set):
            if inner.name.value == "node":
                item = get_named_type(edge.fields["node"].type)
                nested = _walk(query, item, inner.selection_set, shape, depth=depth)
                if nested and not _selects_id(query, item, inner.selection_set):
                    shape.without_id.append(node.name.value)


def _selects_id(query: BulkQuery, gql_type, selection_set) -> bool:
    return any(
        node.name.value == "id" and not node.alias
        for _owner, node in _fields(query, gql_type, selection_set)
    )
