"""The GraphQL documents against Shopify's official schema, and their scopes against const.py."""

import graphql
import pytest

from shopify_connector import const
from shopify_connector.client import auth, documents, pagination
from shopify_sandbox import schema as official

VERSIONS = official.available_versions()
# Shopify publishes the next version's schema under this name until it is a release candidate.
NEXT = const.NEXT_API_VERSION if const.NEXT_API_VERSION in VERSIONS else "unstable"
FEW = 10


def load(version):
    if version not in VERSIONS:
        pytest.skip(f"the schema of API version {version} is not in {official.schema_dir()}")
    return official.load(version)


def parse(name):
    return graphql.parse(documents.document(name))


class Visitor(graphql.Visitor):
    """Calls `check(type, field, node)` for every field that a document selects."""

    def __init__(self, types, check):
        super().__init__()
        self.types = types
        self.check = check

    def enter_field(self, node, *_args):
        self.check(self.types.get_parent_type(), self.types.get_field_def(), node)


def walk(api, name, check):
    types = graphql.TypeInfo(api.schema)
    visitor = graphql.TypeInfoVisitor(types, Visitor(types, check))
    graphql.visit(parse(name), visitor)


def selected(node, document):
    """The fields directly under a node, through fragments, by name."""
    fragments = {d.name.value: d for d in document.definitions if d.kind == "fragment_definition"}
    fields, todo = {}, [node.selection_set]
    while todo:
        for selection in todo.pop().selections:
            if selection.kind == "field":
                fields[selection.name.value] = selection
            elif selection.kind == "fragment_spread":
                todo.append(fragments[selection.name.value].selection_set)
            else:
                todo.append(selection.selection_set)
    return fields


def is_connection(field):
    return graphql.get_named_type(field.type).name.endswith("Connection")


def test_there_are_documents():
    assert {"shop_info", "order_by_ids", "webhook_subscription_create"} <= set(documents.names())


@pytest.mark.parametrize("version", [const.API_VERSION, NEXT])
@pytest.mark.parametrize("name", documents.names())
def test_document_is_valid(name, version):
    errors = graphql.validate(load(version).schema, parse(name))
    assert not errors, "\n".join(map(str, errors))


@pytest.mark.parametrize("name", documents.names())
def test_document_uses_nothing_deprecated(name):
    deprecated = []

    def check(parent, field, node):
        if field.deprecation_reason:
            deprecated.append(f"{parent}.{node.name.value}: {field.deprecation_reason}")

    walk(load(const.API_VERSION), name, check)
    assert not deprecated


@pytest.mark.parametrize("name", documents.names())
def test_document_is_named_after_its_file(name):
    [operation] = [d for d in parse(name).definitions if d.kind == "operation_definition"]
    assert documents.snake(operation.name.value) == name


@pytest.mark.parametrize("name", documents.names())
def test_every_connection_can_be_read_to_its_end(name):
    if name.startswith("bulk_query_"):
        return  # an export knows no pages
    api, document, problems = load(const.API_VERSION), parse(name), []

    def check(parent, field, node):
        if not is_connection(field):
            return
        where = f"{parent}.{node.name.value}"
        if "pageInfo" not in selected(node, document):
            first = next((a.value for a in node.arguments if a.name.value == "first"), None)
            if first is None or first.kind != "int_value" or int(first.value) > FEW:
                problems.append(f"{where} is cut off: it asks for no pageInfo")
        elif parent.name != "QueryRoot":
            key = node.alias.value if node.alias else node.name.value
            further = pagination.page_document({"id": f"gid://shopify/{parent}/1"}, key)
            if not documents.exists(further):
                problems.append(f"{where} is cut off: there is no document {further}")

    walk(api, name, check)
    assert not problems


@pytest.mark.parametrize("name", documents.names())
def test_paginated_objects_carry_their_id(name):
    api, document, problems = load(const.API_VERSION), parse(name), []

    def check(_parent, field, node):
        if not node.selection_set or is_connection(field):
            return
        inner = selected(node, document)
        paged = [
            f for f in inner.values() if f.selection_set and "pageInfo" in selected(f, document)
        ]
        if paged and "id" not in inner:
            problems.append(f"{node.name.value} has pages but no id")

    walk(api, name, check)
    assert not problems


def needed_scopes(api, names):
    """What Shopify asks for: {(alternatives): {where}}."""
    needed = {}

    def check(parent, field, node):
        where = f"{parent}.{node.name.value}"
        accesses = (
            api.field_access.get((parent.name, node.name.value)),
            api.type_access.get(parent.name),
            api.type_access.get(graphql.get_named_type(field.type).name),
        )
        for access in filter(None, accesses):
            needed.setdefault(access.scopes, set()).add(where)

    for name in names:
        walk(api, name, check)
    return needed


@pytest.mark.parametrize("version", [const.API_VERSION, NEXT])
def test_declared_scopes_cover_every_field(version):
    declared = [scope.handle for scope in const.SCOPES]
    missing = {
        " or ".join(sorted(alternatives)): sorted(where)
        for alternatives, where in needed_scopes(load(version), documents.names()).items()
        if not any(auth.covers(declared, scope) for scope in alternatives)
    }
    assert not missing


def test_required_scopes_are_needed():
    needed = needed_scopes(load(const.API_VERSION), documents.names())
    declared = {scope.handle for scope in const.SCOPES}
    for scope in const.REQUIRED_SCOPES:
        assert any(declared & alternatives == {scope} for alternatives in needed), scope


def test_scopes_exist_at_shopify():
    api = load(const.API_VERSION)
    known = {
        scope
        for access in (*api.type_access.values(), *api.field_access.values())
        for scope in access.scopes
    }
    for scope in const.SCOPES:
        handle = scope.handle
        # Scopes without a field of their own: they widen what others show.
        if handle not in ("read_all_orders", "read_fulfillments"):
            assert handle in known or handle.replace("read_", "write_", 1) in known, handle


def test_features_of_scopes_and_topics_exist():
    used = {scope.feature for scope in const.SCOPES} | set(const.WEBHOOK_TOPICS.values())
    assert used == set(const.FEATURES)


def test_topics_exist_at_shopify():
    topics = load(const.API_VERSION).schema.type_map["WebhookSubscriptionTopic"].values
    assert set(const.WEBHOOK_TOPICS) | set(const.FULFILMENT_TOPICS) <= set(topics)


def test_unknown_document_and_fragment_are_refused(tmp_path, monkeypatch):
    (tmp_path / "lonely.graphql").write_text("query Lonely { shop { ...Nobody } }")
    monkeypatch.setattr(documents, "FOLDER", tmp_path)
    documents._fragment_files.cache_clear()
    try:
        with pytest.raises(LookupError, match="Nobody"):
            documents.document("lonely")
        with pytest.raises(LookupError, match="missing"):
            documents.document("missing")
    finally:
        documents._fragment_files.cache_clear()


def test_document_carries_each_fragment_once():
    text = documents.document("product_by_ids")
    assert text.count("fragment VariantFields on") == 1
    assert text.count("fragment ProductFields on") == 1
