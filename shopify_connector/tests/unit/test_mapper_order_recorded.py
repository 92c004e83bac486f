"""Orders that a real store answered. Each recording asked for a part of the fields only."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from shopify_connector.mappers.money import Money
from shopify_connector.mappers.order import map_order, prove

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"

pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason=f"no recorded answers of a store in {RECORDINGS}"
)

# What every order has and no recording asked for.
ALWAYS = {"createdAt": "2026-01-01T00:00:00Z", "number": 1, "name": "#1"}


def load(path):
    return json.loads((RECORDINGS / path).read_text())


def at(node, *keys):
    for key in keys:
        node = node[key]
    return node


def orders_in(node):
    """All orders of a recording that can be added up, found by their shape."""
    if isinstance(node, dict):
        answer = node.get("lineItems")
        lines = answer.get("nodes") if isinstance(answer, dict) else None
        if "totalPriceSet" in node and lines and {"id", "originalUnitPriceSet"} <= set(lines[0]):
            yield complete(node)
        for value in node.values():
            yield from orders_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from orders_in(value)


def complete(node):
    total = node["totalPriceSet"]
    return {
        **ALWAYS,
        "currencyCode": total["shopMoney"]["currencyCode"],
        "presentmentCurrencyCode": total.get("presentmentMoney", total["shopMoney"])[
            "currencyCode"
        ],
        **node,
        # Asked for without ids by the recorder.
        "shippingLines": node.get("shippingLines") or {"nodes": []},
    }


def every_recorded_order():
    for path in sorted(RECORDINGS.glob("*/*/*.json")):
        for node in orders_in(json.loads(path.read_text())):
            if node["id"].startswith("gid://shopify/Order/"):
                yield pytest.param(node, id=f"{path.stem}-{node['name']}")


@pytest.mark.parametrize("node", every_recorded_order())
@pytest.mark.parametrize("policy", ["shop", "presentment"])
def test_all_recorded_orders_add_up(node, policy):
    mapped = map_order(node, policy=policy)
    assert prove(mapped) == ()
    assert mapped.warnings == ()


def test_there_are_recorded_orders():
    assert len(list(every_recorded_order())) >= 10


def money(amount, currency):
    return Money(Decimal(amount), currency)


def test_partly_refunded_order_keeps_what_was_ordered():
    recorded = load("2025-01/orders/refund-create-user-errors-and-quantities.json")
    mapped = map_order(next(orders_in(recorded)))
    assert [(line.kind, line.quantity, line.current_quantity) for line in mapped.lines] == [
        ("custom", 2, 1),
        ("custom", 2, 2),
        ("shipping", 1, 1),
    ]
    assert mapped.totals.total == money("45.00", "CAD")
    assert mapped.totals.current_total == money("35.00", "CAD")
    assert mapped.paid == money("35.00", "CAD")
    assert [refund.gid for refund in mapped.refunds] == ["gid://shopify/Refund/1028613407026"]


def test_edited_order_keeps_removed_units_and_has_the_added_line():
    recorded = load("2026-04/orders/order-edit-commit-history-and-fulfillment-orders.json")
    node = at(recorded, "downstreamRead", "response", "payload", "data", "order")
    total = {"shopMoney": {"amount": "1929.9", "currencyCode": "CAD"}}
    mapped = map_order({**ALWAYS, "currencyCode": "CAD", "totalPriceSet": total, **node})
    assert [(line.quantity, line.current_quantity, str(line.net)) for line in mapped.lines] == [
        (3, 1, "30.00 CAD"),
        (2, 2, "1899.90 CAD"),
    ]
    assert mapped.totals.current_total == money("1909.90", "CAD")


def test_taxed_order():
    recorded = load("2026-04/orders/return-query-roots-recorded.json")
    node = at(
        recorded, "setup", "orderCreate", "response", "payload", "data", "orderCreate", "order"
    )
    mapped = map_order(complete(node), shop_country="CA")
    (line,) = mapped.lines
    assert (line.total_excluded, line.tax_total) == (money(40, "USD"), money(2, "USD"))
    assert line.taxes[0].key.title == "Return query roots line tax"
    assert line.taxes[0].key.rate == Decimal("0.05")
    assert line.taxes[0].key.country_code == "CA"


def multi_currency():
    recorded = load("2026-04/orders/orderMarkAsPaid-state-and-money.json")
    case = at(recorded, "setup", "multiCurrency", "hydrate", "response", "payload", "data", "order")
    paid = at(recorded, "cases", "multiCurrency", "response", "payload", "data")
    return {**complete(case), **paid["orderMarkAsPaid"]["order"], "currencyCode": "CAD"}


@pytest.mark.parametrize(
    ("policy", "amount", "currency"), [("shop", "17.01", "CAD"), ("presentment", "12.50", "USD")]
)
def test_order_in_a_foreign_currency(policy, amount, currency):
    mapped = map_order(multi_currency(), policy=policy)
    assert mapped.totals.total == mapped.paid == money(amount, currency)
    assert mapped.financial_status == "paid"


def test_authorised_order_is_not_paid():
    recorded = load("2025-01/orders/orderCreate-state-derived-payment-and-count.json")
    node = at(
        recorded,
        *("operations", "firstCreate", "response", "payload", "data", "orderCreate", "order"),
    )
    total = {"shopMoney": {"amount": "31.90", "currencyCode": "CAD"}}
    mapped = map_order({**ALWAYS, "currencyCode": "CAD", "totalPriceSet": total, **node})
    assert mapped.transactions[0].kind == "authorization"
    assert not mapped.paid and not mapped.totals.received and not mapped.totals.outstanding


def test_cancelled_order_without_customer_and_financial_status():
    recorded = load("2026-04/orders/orderCancel-parity.json")
    node = at(recorded, "downstreamRead", "response", "data", "order")
    total = {"shopMoney": {"amount": "14.0", "currencyCode": "USD"}}
    mapped = map_order({**ALWAYS, "currencyCode": "USD", "totalPriceSet": total, **node})
    assert (mapped.cancel_reason, mapped.financial_status) == ("other", "")
    assert mapped.customer is None and mapped.cancelled_at.year == 2026
    assert not mapped.totals.current_total


def test_addresses_and_attributes():
    recorded = load("2025-01/orders/draft-order-create-from-order-parity.json")
    node = at(recorded, "setup", "downstreamOrderRead", "response", "data", "order")
    total = {"shopMoney": {"amount": "0.0", "currencyCode": "CAD"}}
    node = {**ALWAYS, "currencyCode": "CAD", "totalPriceSet": total, **node, "lineItems": None}
    mapped = map_order(node)
    assert mapped.shipping.name == "Hermes Buyer"
    assert mapped.shipping.key != mapped.billing.key
    assert mapped.shipping.country_code == "CA"
    assert ("purchase-order", "PO-117") in mapped.attributes
    assert mapped.discount_codes == ("Loyalty credit",)
