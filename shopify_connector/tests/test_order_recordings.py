"""Orders of a real store, loaded into the sandbox, imported, invoiced and paid.

The recordings are not part of this repository; without them the tests are skipped.
"""

from decimal import Decimal
from unittest import skipUnless

from .accounting_check import Figures, OrderCheck
from .accounting_common import AccountingCase
from .recorded_orders import RECORDINGS, is_whole, recordings

MONEY = ("SALE", "CAPTURE", "CHANGE")


@skipUnless(RECORDINGS.is_dir(), f"no recorded answers of a store in {RECORDINGS}")
class TestOrderRecordings(AccountingCase):
    """A test for each recording that holds an order; see :func:`_add_tests` below."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.write(
            {
                "missing_product": "placeholder",
                "import_test_orders": True,
                "invoice_when": "confirmation",
                "store_credit_account_id": cls.gift_cards.id,
            }
        )

    def test_enough_is_known(self):
        """Guards the tests below: orders of which next to nothing is known would prove nothing."""
        whole = [
            order
            for orders in recordings().values()
            for order in orders.values()
            if is_whole(order)
        ]
        self.assertGreaterEqual(len(recordings()), 50)
        self.assertGreaterEqual(len(whole), 60)
        self.assertGreaterEqual(sum("totalPriceSet" in order for order in whole), 25)

    def check_recording(self, orders):
        self.load(orders)
        nodes = self.fetch(self.us, list(orders))
        self.process(self.us, *nodes)
        self.map_taxes(self.us)
        outcomes = self.process(self.us, *nodes)
        exceptions = self.account()
        self.assertFalse(exceptions, exceptions.mapped("message"))
        for node, outcome in zip(nodes, outcomes, strict=True):
            recorded = orders[node["id"]]
            with self.subTest(node["id"]):
                if outcome.status == "blocked":
                    self.assert_said(outcome)
                    self.assertFalse(is_whole(recorded), outcome.blocks)
                else:
                    self.assertFalse(self.differences(recorded, node))

    def load(self, orders):
        for number, (gid, recorded) in enumerate(orders.items(), 1):
            currency = _currency(recorded)
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
                        **recorded,
                        "id": gid,
                    }
                ],
                self.us.shop_domain,
            )

    def assert_said(self, outcome):
        for block in outcome.blocks:
            self.assertIn(block.category, ("totals", "mapping"))
            self.assertTrue(block.title and block.message and block.remedy)

    def differences(self, recorded, node):
        """What was recorded against what is in the books; what was not recorded, is derived."""
        stated = {**node, **{key: value for key, value in recorded.items() if value is not None}}
        total, tax = _amount(stated["totalPriceSet"]), _amount(stated["totalTaxSet"])
        taxes = _taxes(node)
        if _is_taken_off(node):
            # Units that go before anything was sent are not ordered any more.
            total, tax, taxes = _left(recorded, node), None, None
        check = OrderCheck(
            self.binding(self.us, node),
            Figures(
                total=total,
                tax=tax,
                taxes=taxes,
                payments=[
                    -_amount(item["amountSet"])
                    if item["kind"] == "CHANGE"
                    else _amount(item["amountSet"])
                    for item in node["transactions"]
                    if item["kind"] in MONEY and item["status"] == "SUCCESS"
                ],
            ),
        )
        check.invoiced = check.sale.state == "sale"
        check.order()
        check.invoices()
        check.payments()
        return check.wrong


def _currency(recorded):
    bags = [
        recorded.get("totalPriceSet"),
        *(line.get("originalUnitPriceSet") for line in recorded.get("lineItems") or ()),
    ]
    known = next((bag for bag in bags if bag), None)
    return recorded.get("currencyCode") or (known["shopMoney"]["currencyCode"] if known else "USD")


def _amount(bag):
    return Decimal(bag["shopMoney"]["amount"]).normalize() + 0


def _is_taken_off(node):
    lines = node["lineItems"]["nodes"]
    gone = any(line["currentQuantity"] < line["quantity"] for line in lines)
    return gone and node["displayFulfillmentStatus"] == "UNFULFILLED"


def _left(recorded, node):
    """The current total; what recordings without it hold has neither taxes nor discounts."""
    if recorded.get("currentTotalPriceSet"):
        return _amount(recorded["currentTotalPriceSet"])
    return sum(
        _amount(line["originalUnitPriceSet"]) * line["currentQuantity"]
        for line in node["lineItems"]["nodes"]
    )


def _taxes(node):
    found = {}
    for line in (*node["lineItems"]["nodes"], *node["shippingLines"]["nodes"]):
        for tax in line["taxLines"]:
            key = (tax["title"], tax["rate"], bool(tax["channelLiable"]))
            found[key] = found.get(key, Decimal(0)) + _amount(tax["priceSet"])
    return found


def _add_tests():
    """One test method per recording, so that each has its name and fails by itself."""
    for name, orders in recordings().items():

        def test(self, orders=orders):
            self.check_recording(orders)

        method = "test_" + "".join(sign if sign.isalnum() else "_" for sign in name)
        test.__doc__ = f"{name}: {len(orders)} orders"
        setattr(TestOrderRecordings, method, test)


_add_tests()
