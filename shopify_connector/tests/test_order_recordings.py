"""Orders of a real store, loaded into the sandbox and imported.

The recordings are not part of this repository; without them the tests are skipped.
"""

import json
from pathlib import Path
from unittest import skipUnless

from .order_common import OrderCase

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"


def recorded_orders():
    """The orders that can be added up, the last state of each: ``{gid: node}``."""
    found = {}
    for path in sorted(RECORDINGS.glob("*/*/*.json")):
        for node in _walk(json.loads(path.read_text())):
            found[node["id"]] = node
    return found


def _walk(value):
    if isinstance(value, dict):
        lines = value.get("lineItems")
        lines = lines.get("nodes") if isinstance(lines, dict) else None
        if (
            str(value.get("id")).startswith("gid://shopify/Order/")
            and "totalPriceSet" in value
            and lines
            and {"id", "originalUnitPriceSet", "quantity"} <= set(lines[0])
        ):
            yield value
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)


@skipUnless(RECORDINGS.is_dir(), f"no recorded answers of a store in {RECORDINGS}")
class TestOrderRecordings(OrderCase):
    def test_all_are_imported_to_the_cent(self):
        self.us.missing_product = "placeholder"
        recorded = recorded_orders()
        self.assertGreaterEqual(len(recorded), 9)
        for number, node in enumerate(recorded.values(), 1):
            currency = node["totalPriceSet"]["shopMoney"]["currencyCode"]
            self.env["res.currency"].with_context(active_test=False).search(
                [("name", "=", currency)]
            ).active = True
            self.sandbox.load(
                [
                    {
                        "__typename": "Order",
                        "number": number,
                        "name": f"#{number}",
                        "currencyCode": currency,
                        "createdAt": "2026-01-01T00:00:00Z",
                        "processedAt": "2026-01-01T00:00:00Z",
                        "updatedAt": "2026-01-01T00:00:00Z",
                        **{key: value for key, value in node.items() if value is not None},
                    }
                ],
                self.us.shop_domain,
            )
        nodes = self.fetch(self.us, list(recorded))
        self.process(self.us, *nodes)
        self.map_taxes(self.us)
        for node, outcome in zip(nodes, self.process(self.us, *nodes), strict=True):
            with self.subTest(node["id"]):
                self.assertFalse(outcome.blocks)
                # Units that go before anything was sent are not ordered any more.
                sent = node["displayFulfillmentStatus"] != "UNFULFILLED"
                figure = "totalPriceSet" if sent else "currentTotalPriceSet"
                theirs = float(node[figure]["shopMoney"]["amount"])
                self.assertEqual(outcome.record.amount_total, theirs)
