"""The sandbox answers as a real store did: recorded requests, replayed.

The objects that an answer tells about are loaded, the recorded query is executed, and the two
answers are compared value for value.
"""

import pytest

from shopify_sandbox.engine import Engine
from shopify_sandbox.profiles import new_shop
from shopify_sandbox.schema import load

from . import replay

pytestmark = pytest.mark.skipif(
    not replay.RECORDINGS.is_dir(), reason=f"no recordings in {replay.RECORDINGS}"
)

# What a replay cannot know: the rest of the store, or a schema older than the package has.
UNKNOWN = (
    "hasNextPage",  # objects that the page did not show
    "hasPreviousPage",
    "startCursor",  # opaque
    "endCursor",
    "cursor",
)
# Recorded reads whose answer depends on what they do not show; each with the reason.
EXCEPTIONS = {
    "gift-card-lifecycle": "order of introspected fields",
    "draft-order-create-from-order-parity": "cut down by the recorder",
    "fulfillment-cancel-parity.json:upstreamCalls": "one fulfilment in two selections",
    "order-live-hybrid-mixed-catalog": "filters on fields that the answer does not show",
    "orderCreate-state-derived-payment-and-count": "counts of orders that it does not show",
    "finance-risk-access-read": "queries outside of the sandbox",
    "products-variant-search": "filters on fields that the answer does not show",
    "customer-order-summary-read-effects": "counts and variables that it does not show",
    "orderCreateManualPayment-warm-success-parity.json:capability": "the app's own scopes",
    "orderCreateManualPayment-warm-success-parity.json:upstreamCalls:1": "the app's own scopes",
    "schemaProbe": "order of introspected fields",
    ":schema": "order of introspected fields",
    "inventory-inactive-level-lifecycle-2026-04.json:upstreamCalls": "merged by the recorder",
    "inventory-item-levels-connection-windowing": "places in the list of other levels",
    "preflightCleanup": "filters on fields that the answer does not show",
    "fulfillment-order-mixed-catalog-lifecycle.json:operations:pageAfter": "other orders",
    "fulfillment-order-mixed-catalog-lifecycle.json:upstreamCalls:7": "other orders",
    "location-activate-deactivate": "cut down by the recorder",
    "location-deactivate-state-machine.json:setup:initialCatalog": "sorted by a name not shown",
}


# Recorded against an older schema, or a variable whose place the recorder changed.
OTHER_SCHEMAS = (
    "order-edit-residual-live-capture",
    "staffMemberIdSchemaProbe",
    "WithDirective202510",
)


def everything() -> list[replay.Interaction]:
    if not replay.RECORDINGS.is_dir():
        return []
    paths = sorted(replay.RECORDINGS.glob("*/*/*.json"))
    return [
        item
        for path in paths
        for item in replay.interactions(str(path.relative_to(replay.RECORDINGS)))
    ]


def reads() -> list[replay.Interaction]:
    return [
        item
        for item in everything()
        if "data" in item.body
        and not item.is_mutation
        and not any(key in item.name for key in EXCEPTIONS)
    ]


def refusals() -> list[replay.Interaction]:
    return [
        item
        for item in everything()
        if "data" not in item.body and not any(key in item.name for key in OTHER_SCHEMAS)
    ]


@pytest.fixture(scope="module")
def engines():
    return {"2026-04": Engine("2026-04"), "2025-01": Engine("2025-10")}


def differences(recorded, answered, path=""):
    if isinstance(recorded, dict) and isinstance(answered, dict):
        for key in {**recorded, **answered}:
            if key not in UNKNOWN:
                inner = f"{path}.{key}"
                yield from differences(
                    recorded.get(key, "(absent)"), answered.get(key, "(absent)"), inner
                )
    elif isinstance(recorded, list) and isinstance(answered, list):
        if len(recorded) != len(answered):
            yield f"{path}: {len(recorded)} recorded, {len(answered)} answered"
        for index, pair in enumerate(zip(recorded, answered, strict=False)):
            yield from differences(*pair, f"{path}[{index}]")
    elif recorded != answered:
        yield f"{path}: {recorded!r} recorded, {answered!r} answered"


def a_store_with(item: replay.Interaction):
    """A shop that holds what the answer tells, and grants what it was granted."""
    api = load()
    shop = new_shop("recorded.myshopify.com", "blank")
    if not item.body.get("errors"):
        everything = [*api.type_access.values(), *api.field_access.values()]
        shop.settings.scopes = sorted({s for a in everything for s in a.scopes})
        shop.settings.scopes.append("read_all_orders")
    objects = replay.Extractor(api, item).objects()
    shop.gid = next((o["id"] for o in objects if o["__typename"] == "Shop"), shop.gid)
    shop.load(objects)
    return shop


@pytest.mark.parametrize("item", reads(), ids=lambda item: item.name)
def test_recorded_read(engines, item):
    shop = a_store_with(item)
    engine = engines[item.name.split("/")[0]]
    body = engine.execute(shop, {"query": item.query, "variables": item.variables}).body
    errors = body.get("errors") or []
    codes = {(error.get("extensions") or {}).get("code") for error in errors}
    if "NOT_IMPLEMENTED" in codes:
        pytest.skip(errors[0]["message"])
    if "data" not in body and codes & {"undefinedField", "argumentNotAccepted"}:
        pytest.skip(f"not in the schema of {engine.api.version}: {errors[0]['message']}")
    assert list(differences(item.body["data"], body["data"])) == []
    recorded = [error["message"] for error in item.body.get("errors") or []]
    assert [error["message"] for error in errors] == recorded
    cost = (item.body.get("extensions") or {}).get("cost")
    odd = ("__type", "location(", "storeCreditAccounts")  # cost more than their shape says
    if cost and not any(word in item.query for word in odd):
        assert body["extensions"]["cost"]["requestedQueryCost"] == cost["requestedQueryCost"]


def normalised(errors: list[dict]) -> list[dict]:
    """The order in which an enum's values are listed is of no importance."""
    result = []
    for error in errors:
        message, found, listed = error["message"].partition("to be one of: ")
        words = sorted(listed.rstrip(")").split(", "))
        extensions = {k: v for k, v in error["extensions"].items() if k != "problems"}
        result.append(
            {**error, "message": message + found + ", ".join(words), "extensions": extensions}
        )
    return result


@pytest.mark.parametrize("item", refusals(), ids=lambda item: item.name)
def test_recorded_refusal(engines, item):
    """What the schema forbids is refused in the same words, places and codes."""
    shop = new_shop("recorded.myshopify.com", "blank")
    engine = engines[item.name.split("/")[0]]
    body = engine.execute(shop, {"query": item.query, "variables": item.variables}).body
    assert "data" not in body
    assert normalised(body["errors"]) == normalised(item.body["errors"])
