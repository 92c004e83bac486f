"""Refunds and returns that a real store answered. Each recording asked for a part of the fields."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from mapper_nodes import order

from shopify_connector.mappers.order import map_order

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"no recorded answers of a store in {RECORDINGS}"
)


def recorded(kind, key):
    """All objects of a type that carry a field: ``[(node, where)]``."""

    def walk(value):
        if isinstance(value, dict):
            if str(value.get("id")).startswith(f"gid://shopify/{kind}/") and key in value:
                yield value
            for inner in value.values():
                yield from walk(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from walk(inner)

    if not RECORDINGS.is_dir():
        return []
    return [
        (node, path.stem)
        for path in sorted(RECORDINGS.glob("*/*/*.json"))
        for node in walk(json.loads(path.read_text()))
    ]


RETURNS = recorded("Return", "returnLineItems")


@pytest.mark.parametrize(
    "node", [pytest.param(n, id=f"{w}-{i}") for i, (n, w) in enumerate(RETURNS)]
)
def test_recorded_returns_are_read(node):
    whole = {"exchangeLineItems": {"nodes": []}, **node}
    (item,) = map_order(order(total=0, returns=[whole])).returns
    assert item.problem == ""
    assert item.status in {"requested", "open", "closed", "canceled", "declined"}
    assert len(item.lines) == len(node["returnLineItems"]["nodes"])


def test_there_are_recorded_returns():
    statuses = {node["status"] for node, _where in RETURNS}
    assert {"REQUESTED", "OPEN", "CLOSED", "CANCELED", "DECLINED"} <= statuses


def test_recorded_refunds_are_read():
    refunds = recorded("Refund", "totalRefundedSet")
    assert len(refunds) >= 3
    for answer, _where in refunds:
        node = {"refundLineItems": {"nodes": []}, **answer}
        (found,) = map_order(order(total=0, currency="CAD", refunds=[node])).refunds
        total = node["totalRefundedSet"]["shopMoney"]
        assert found.problem == ""
        assert (found.total.amount, found.total.currency) == (Decimal(total["amount"]), "CAD")


def test_recorded_refund_of_money_alone_has_a_transaction():
    answer = next(n for n, where in recorded("Refund", "transactions") if "transactions" in where)
    node = {"refundLineItems": {"nodes": []}, **answer}
    (found,) = map_order(order(total=0, currency="CAD", refunds=[node])).refunds
    assert (found.lines, len(found.transaction_gids)) == ((), 1)
