"""Fixtures: a running sandbox, and an engine without a server."""

import pytest

from shopify_sandbox import schema
from shopify_sandbox.engine import Engine
from shopify_sandbox.profiles import new_shop
from shopify_sandbox.testing import running_sandbox


def pytest_collection_modifyitems(items):
    if not schema.available_versions():
        reason = f"no schema files in {schema.schema_dir()}"
        for item in items:
            if "shopify_sandbox" in str(item.fspath):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def store():
    with running_sandbox() as handle:
        yield handle


@pytest.fixture
def us(store):
    """A fresh American shop."""
    return store.reset("sandbox-us", "us")


@pytest.fixture
def blank(store):
    """A fresh empty shop."""
    return store.reset("blank", "blank")


@pytest.fixture(scope="session")
def engine():
    return Engine("2026-10")


@pytest.fixture
def shop():
    """An empty shop without a server."""
    return new_shop("unit.myshopify.com", "blank")


@pytest.fixture
def run(engine, shop):
    """Execute a query on the empty shop; returns the whole body."""

    def execute(query: str, variables: dict | None = None) -> dict:
        return engine.execute(shop, {"query": query, "variables": variables or {}}).body

    return execute
