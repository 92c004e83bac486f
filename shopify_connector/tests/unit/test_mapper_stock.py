"""Which quantity is shown, which rule counts, what a refusal says."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopify_connector.client.errors import UserError
from shopify_connector.mappers import stock
from shopify_connector.mappers.stock import Rule, RuleBook, Stock, reckon, scarcest

NOW = datetime(2026, 11, 27, 12)
RECORDINGS = Path(__file__).parents[4] / "shared/recordings/2026-04/products"


@pytest.mark.parametrize(
    ("basis", "shown"),
    [("on_hand", 100), ("free", 70), ("free_incoming", 90), ("forecast", 75)],
)
def test_bases(basis, shown):
    held = Stock(on_hand=100, reserved=30, incoming=20, outgoing=45)
    assert reckon(basis, held, {}) == shown


@pytest.mark.parametrize(
    ("on_hand", "shown"),
    [(0.5, 0), (1.9999, 1), (2.9999999996, 3), (-0.5, 0), (-7, 0), (5e9, stock.LIMIT)],
)
def test_fractions_are_floored_and_bounds_kept(on_hand, shown):
    assert reckon("free", Stock(on_hand=on_hand), {}) == shown


def rule(effect, value=0.0, **scope):
    return Rule(scope.pop("id", 1), effect, value, **scope)


def test_flash_sale_shows_480_of_500():
    assert reckon("free", Stock(500), {"buffer": rule("buffer_fixed", 20)}) == 480


@pytest.mark.parametrize(
    ("percent", "on_hand", "shown"), [(10, 100, 90), (10, 99, 89), (33, 10, 6), (100, 7, 0)]
)
def test_percentage_is_never_rounded_up(percent, on_hand, shown):
    rules = {"buffer": rule("buffer_percent", percent)}
    assert reckon("free", Stock(on_hand), rules) == shown


def test_bounds_come_after_the_buffer():
    rules = {"buffer": rule("buffer_fixed", 5), "maximum": rule("maximum", 50)}
    assert reckon("free", Stock(500), rules) == 50
    assert reckon("free", Stock(8), rules) == 3
    assert reckon("free", Stock(2), {"minimum": rule("minimum", 10)}) == 10


def test_orders_on_their_way_are_subtracted_but_not_from_on_hand():
    assert reckon("free", Stock(10), {}, waiting=3, held=2) == 5
    assert reckon("on_hand", Stock(10), {}, waiting=3, held=2) == 10


amounts = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    basis=st.sampled_from(stock.BASES),
    held=st.builds(Stock, amounts, amounts, amounts, amounts),
    waiting=st.floats(0, 1e4),
    buffer=st.floats(0, 1e4),
)
def test_trail_ends_in_what_is_shown(basis, held, waiting, buffer):
    trail = []
    rules = {"buffer": rule("buffer_fixed", buffer)}
    shown = reckon(basis, held, rules, waiting=waiting, trail=trail)
    assert shown == reckon(basis, held, rules, waiting=waiting)
    assert shown >= 0
    assert trail[-1].total == pytest.approx(shown, abs=1e-5)
    assert sum(step.change for step in trail) == pytest.approx(shown, abs=1e-3)


def find(*rules, location=1, product=10, template=20, categories=(3, 2, 1)):
    book = RuleBook(rules, NOW)
    return {
        key: found.id for key, found in book.find(location, product, template, categories).items()
    }


def test_most_specific_rule_counts():
    rules = (
        rule("buffer_fixed", 1, id=1),
        rule("buffer_fixed", 2, id=2, location=1),
        rule("buffer_percent", 3, id=3, category=1),
        rule("buffer_fixed", 4, id=4, category=3),
        rule("buffer_fixed", 5, id=5, template=20),
        rule("buffer_fixed", 6, id=6, product=10),
        rule("maximum", 7, id=7),
    )
    assert find(*rules) == {"buffer": 6, "maximum": 7}
    assert find(*rules, product=11) == {"buffer": 5, "maximum": 7}
    assert find(*rules, product=11, template=21) == {"buffer": 4, "maximum": 7}
    assert find(*rules, product=11, template=21, categories=(1,))["buffer"] == 3
    assert find(*rules, product=11, template=21, categories=())["buffer"] == 2
    assert find(*rules, product=11, template=21, categories=(), location=2)["buffer"] == 1


def test_rules_have_their_time():
    sale = rule("buffer_fixed", 20, id=2, start=datetime(2026, 11, 27), end=datetime(2026, 11, 28))
    always = rule("buffer_fixed", 1, id=3)
    assert find(always, sale) == {"buffer": 2}
    assert find(rule("buffer_fixed", 1, id=4, end=NOW)) == {}


@pytest.mark.parametrize(
    ("known", "found", "pool", "answer"),
    [(10, 8, 0, (2, 0)), (10, 8, 2, (0, 0)), (10, 8, 3, (0, 1)), (10, 12, 2, (0, 2))],
)
def test_unexplained(known, found, pool, answer):
    assert stock.unexplained(known, found, pool) == answer


def errors(*entries):
    return [UserError(tuple(path), "no", code) for path, code in entries]


def test_refusal_of_single_entries():
    refusal = stock.read_refusal(
        errors(
            (("input", "quantities", "3", "changeFromQuantity"), "CHANGE_FROM_QUANTITY_STALE"),
            (("input", "quantities", "0", "inventoryItemId"), "INVALID_INVENTORY_ITEM"),
            (("input", "quantities", "0", "changeFromQuantity"), "CHANGE_FROM_QUANTITY_STALE"),
        ),
        4,
    )
    assert refusal.stale == (3,)
    assert refusal.bad == {0: ("INVALID_INVENTORY_ITEM", "no")}
    assert refusal.whole is None


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "rekey"),
        ("IDEMPOTENCY_CONCURRENT_REQUEST", "busy"),
        ("SOMETHING_NEW", "whole"),
    ],
)
def test_refusal_of_the_whole_call(code, told):
    assert getattr(stock.read_refusal(errors(((), code)), 2), told)
    assert getattr(stock.read_refusal(errors((("input", "quantities", "9"), code)), 2), told)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not there")
def test_recorded_refusals():
    calls = json.loads((RECORDINGS / "inventory-quantity-contracts-2026-04.json").read_text())
    for name, part in (("setUnknownInventoryItem", "ITEM"), ("setUnknownLocation", "LOCATION")):
        payload = calls["unknownIdValidation"][name]["response"]["data"]["inventorySetQuantities"]
        entries = [
            UserError(tuple(e["field"]), e["message"], e["code"]) for e in payload["userErrors"]
        ]
        refusal = stock.read_refusal(entries, 1)
        assert part in refusal.bad[0][0]
        assert payload["inventoryAdjustmentGroup"] is None


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not there")
def test_recorded_level_that_is_not_active():
    calls = json.loads((RECORDINGS / "inventory-inactive-level-lifecycle-2026-04.json").read_text())
    item = calls["inventoryInactiveLifecycleReadAfterDeactivate"]["response"]["data"][
        "inventoryItem"
    ]
    inactive = next(level for level in item["inventoryLevels"]["nodes"] if not level["isActive"])
    node = {**item, "inventoryLevel": inactive}
    level = stock.map_level(node)
    assert (level.tracked, level.stocked) == (True, False)
    assert (level.available, level.quantity("on_hand")) == (7, 7)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings are not there")
def test_lines_of_an_export_say_what_a_page_says():
    """Recorded levels as an export writes them: children name their parent, and lose it."""
    calls = json.loads((RECORDINGS / "inventory-inactive-level-lifecycle-2026-04.json").read_text())
    item = calls["inventoryInactiveLifecycleReadAfterDeactivate"]["response"]["data"][
        "inventoryItem"
    ]
    levels = item["inventoryLevels"]["nodes"]
    own = stock.map_exported({"id": item["id"], "tracked": item["tracked"]})
    assert own == stock.Exported(item["id"], None, True, False, 0, 0)
    for level in levels:
        line = stock.map_exported({**level, "__parentId": item["id"]})
        assert (line.item_gid, line.location_gid) == (item["id"], level["location"]["id"])
        paged = stock.map_level({**item, "inventoryLevel": level})
        assert stock.Level(own.tracked, *line[3:]) == paged
    assert [level["isActive"] for level in levels] == [True, False]


def test_level_that_never_was():
    assert stock.map_level({"tracked": None, "inventoryLevel": None}) == stock.Level(False, False)


def test_demand():
    lines = [
        {"variant": {"id": "v1"}, "currentQuantity": 2},
        {"variant": {"id": "v1"}, "currentQuantity": 1},
        {"variant": None, "currentQuantity": 5},
        {"variant": {"id": "v2"}, "currentQuantity": 0},
    ]
    node = {"cancelledAt": None, "lineItems": {"nodes": lines}}
    assert stock.map_demand(node) == (stock.Demand("v1", 3),)
    assert stock.map_demand({**node, "cancelledAt": "2026-11-20T00:00:00Z"}) == ()
    assert stock.map_demand(None) == ()


def test_calls_are_as_few_as_can_be():
    assert [len(some) for some in stock.calls(range(501))] == [250, 250, 1]


@pytest.mark.parametrize(
    ("basis", "component", "shown"),
    [("free", 2, 5), ("on_hand", 2, 6), ("free_incoming", 1, 7), ("forecast", 1, 4)],
)
def test_kits_are_bounded_by_their_scarcest_component(basis, component, shown):
    """2 of the first, 0.5 of the second for each; what each is short of differs by basis."""
    parts = {
        1: (2.0, Stock(on_hand=20, reserved=5, incoming=1, outgoing=10), 2.0),
        2: (0.5, Stock(on_hand=3, reserved=0.25, incoming=4, outgoing=1), 0.25),
    }
    found, stock, waiting = scarcest(basis, parts)
    assert (found, reckon(basis, stock, {}, waiting=waiting)) == (component, shown)
