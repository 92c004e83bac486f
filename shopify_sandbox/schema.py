"""The official Admin API schema of a version, with the access each field asks for.

The files come from the npm package ``@shopify/dev-mcp`` (``dist/data/admin_<version>.json.gz``):
an introspection result plus Shopify's list of access scopes per type and field.
"""

import gzip
import json
import os
import re
import threading
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

from graphql import (
    GraphQLError,
    GraphQLNamedType,
    GraphQLSchema,
    build_client_schema,
    get_named_type,
    is_interface_type,
    is_object_type,
)

FILE_PATTERN = re.compile(r"^admin_(?P<version>\d{4}-\d{2}|unstable)\.json\.gz$")
DEFAULT_VERSION = "2026-10"
GID = re.compile(r"^gid://[\w-]+/[\w:-]+/.+")


def schema_dir() -> Path:
    """Folder of the schema files: ``SHOPIFY_SCHEMA_DIR`` or ``.devenv/schema`` of the checkout."""
    configured = os.environ.get("SHOPIFY_SCHEMA_DIR")
    if configured:
        return Path(configured)
    return Path(__file__).resolve().parent.parent / ".devenv" / "schema"


def available_versions(folder: Path | None = None) -> list[str]:
    """Versions that the folder holds, oldest first, ``unstable`` last."""
    folder = folder or schema_dir()
    if not folder.is_dir():
        return []
    found = (FILE_PATTERN.match(name) for name in os.listdir(folder))
    return sorted(match["version"] for match in found if match)


@dataclass(frozen=True)
class Access:
    """What a type or field asks for: any one of ``scopes``; ``text`` is Shopify's wording."""

    scopes: frozenset[str]
    text: str


@dataclass(frozen=True)
class Topic:
    """A webhook topic: its name on the wire (``orders/create``) and any one scope it asks for."""

    name: str
    scopes: frozenset[str]


@dataclass
class ApiSchema:
    """One version of the Admin API."""

    version: str
    schema: GraphQLSchema
    type_access: dict[str, Access] = field(default_factory=dict)
    field_access: dict[tuple[str, str], Access] = field(default_factory=dict)
    protected: frozenset[tuple[str, str]] = frozenset()
    topics: dict[str, Topic] = field(default_factory=dict)
    shapes: dict[tuple[str, str], object] = field(default_factory=dict)
    _nodes: dict[str, bool] = field(default_factory=dict)

    def type(self, name: str) -> GraphQLNamedType | None:
        return self.schema.type_map.get(name)

    def is_node(self, name: str) -> bool:
        """Whether objects of this type have an identity of their own in the store."""
        if name not in self._nodes:
            self._nodes[name] = self._implements_node(name)
        return self._nodes[name]

    def _implements_node(self, name: str) -> bool:
        gql_type = self.type(name)
        if is_object_type(gql_type):
            return any(interface.name == "Node" for interface in gql_type.interfaces)
        if is_interface_type(gql_type):
            return name == "Node" or any(i.name == "Node" for i in gql_type.interfaces)
        return False


_loaded: dict[tuple[str, str], ApiSchema] = {}
_loading = threading.Lock()


def load(version: str = DEFAULT_VERSION, folder: Path | None = None) -> ApiSchema:
    """Build the schema of a version (0.6 s), once per process.

    :raises FileNotFoundError: with the remedy, when the file of that version is missing
    """
    folder = folder or schema_dir()
    key = (version, str(folder))
    with _loading:
        if key not in _loaded:
            _loaded[key] = _build(version, folder)
        return _loaded[key]


def _build(version: str, folder: Path) -> ApiSchema:
    path = folder / f"admin_{version}.json.gz"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: unpack the npm package @shopify/dev-mcp and point "
            "SHOPIFY_SCHEMA_DIR to its folder dist/data"
        )
    with gzip.open(path) as stream:
        content = json.load(stream)
    introspection = content["data"]
    protected = frozenset(_prepare(introspection["__schema"]))
    # Shopify deprecates fields whose interface field is not, which newer graphql-core refuses.
    schema = build_client_schema(introspection, assume_valid=True)
    _add_scalar_checks(schema)
    topics = _topics(schema)
    api = ApiSchema(version, schema, protected=protected, topics=topics)
    for item in content.get("offline_scopes", {}).get("items", []):
        if item["offlineScopes"]:
            access = Access(frozenset(item["offlineScopes"]), item["requiredAccess"].strip())
            if item["type"] == "type":
                api.type_access[item["typeName"]] = access
            else:
                api.field_access[item["typeName"], item["fieldName"]] = access
    return api


def _topics(schema: GraphQLSchema) -> dict[str, Topic]:
    """Names and scopes of the webhook topics, which the schema tells in its descriptions."""
    topics = {}
    for value, definition in schema.type_map["WebhookSubscriptionTopic"].values.items():
        text = definition.description or ""
        name = re.search(r"webhook topic for `([^`]+)`", text)
        _before, found, rest = text.partition("equires ")
        scopes = re.findall(r"\b(?:read|write)_\w+", rest.split(". ")[0]) if found else []
        resource, _, action = value.rpartition("_")
        fallback = f"{resource}/{action}".lower()
        topics[value] = Topic(name[1] if name else fallback, frozenset(scopes))
    return topics


def _prepare(introspection: dict):
    """Drop deprecation marks of required inputs, which GraphQL forbids; yield protected fields."""
    for gql_type in introspection["types"]:
        for element in gql_type.get("fields") or []:
            if element.get("isProtected"):
                yield gql_type["name"], element["name"]
            _drop_illegal_deprecations(element["args"])
        _drop_illegal_deprecations(gql_type.get("inputFields") or [])
    for directive in introspection["directives"]:
        _drop_illegal_deprecations(directive["args"])


def _drop_illegal_deprecations(inputs: list[dict]) -> None:
    for element in inputs:
        required = element["type"]["kind"] == "NON_NULL" and element.get("defaultValue") is None
        if required and element.get("isDeprecated"):
            element["isDeprecated"] = False
            element["deprecationReason"] = None


def _parse_id(value):
    if not isinstance(value, str) or not GID.match(value):
        raise GraphQLError(f"Invalid global id '{value}'")
    return value


def _parse_decimal(value):
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        return str(Decimal(str(value)))
    except InvalidOperation:
        raise GraphQLError(f"invalid decimal '{value}'") from None


def _parse_datetime(value):
    try:
        datetime.fromisoformat(value.replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        raise GraphQLError(f"invalid datetime '{value}'") from None
    return value


def _add_scalar_checks(schema: GraphQLSchema) -> None:
    parsers = {
        "ID": _parse_id,
        "Decimal": _parse_decimal,
        "Money": _parse_decimal,
        "DateTime": _parse_datetime,
    }
    for name, parser in parsers.items():
        if name in schema.type_map:
            scalar = schema.type_map[name]
            scalar.parse_value = parser
            scalar.parse_literal = lambda node, _variables=None, parse=parser: parse(
                getattr(node, "value", None)
            )


def item_type_name(name: str) -> str:
    """``OrderConnection`` and ``OrderEdge`` -> ``Order``; anything else unchanged."""
    for suffix in ("Connection", "Edge"):
        if name.endswith(suffix):
            return name[: -len(suffix)]
    return name


def is_connection(gql_type) -> bool:
    named = get_named_type(gql_type)
    return is_object_type(named) and named.name.endswith("Connection")
