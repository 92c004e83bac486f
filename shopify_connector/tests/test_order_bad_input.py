"""Whatever Shopify may leave out or add one day: the order comes, or waits with a reason."""

import json
from unittest import SkipTest

from ..client.documents import document
from .accounting_common import AccountingCase
from .order_nodes import OrderNode

try:
    from .order_filled import UNKNOWN, Selection, numbered, with_value
except ImportError:
    Selection = None


class TestOrderEveryField(AccountingCase):
    """Each field of the order, one at a time, through the inbox, invoice and payment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if Selection is None:
            raise SkipTest("the packages shopify_sandbox and graphql-core are not there")
        cls.selection = Selection(document("order_by_ids"))
        cls.us.write({"missing_product": "placeholder", "import_test_orders": True})

    def whole(self):
        """An order with a value in every field."""
        order = OrderNode(1)
        taxes = self.taxes("0.40", "0.45")
        order.line("A", "10.00", 1, taxes, discount="1.00")
        order.ship("4.00", [taxes[0]], discount="0.50")
        self.transaction(order, 1, order.total)
        node = order.node
        node["purchasingEntity"] = {
            "__typename": "PurchasingCompany",
            "company": {"id": "gid://shopify/Company/1", "name": "ACME"},
            "location": {"id": "gid://shopify/CompanyLocation/1", "name": "Harbour"},
            "contact": {"id": "gid://shopify/CompanyContact/1", "title": "Buyer"},
        }
        # amounts and addresses are not to share their dicts
        return json.loads(json.dumps(self.selection.fill(node)))

    def run_variants(self, variants):
        """``{path: node}`` through the whole flow; ``{path: (binding, messages)}``."""
        nodes = {
            path: numbered(node, number) for number, (path, node) in enumerate(variants.items(), 1)
        }
        by_gid = {node["id"]: node for node in nodes.values()}
        importer = type(self.env["shopify.order.importer"])

        def fetch(service, backend, client, gids):
            return {gid: by_gid[gid] for gid in gids}, ()

        self.patch(importer, "_fetch", fetch)
        self.import_orders(self.us, list(by_gid))
        self.map_taxes(self.us)
        bindings = self.import_orders(self.us, list(by_gid))
        self.account()
        bindings = {binding.shopify_gid: binding for binding in bindings}
        exceptions = {}
        for line in self.exceptions(self.us).line_ids:
            exceptions.setdefault(line.gid, []).append(line.exception_id)
        return {
            path: (bindings.get(node["id"]), exceptions.get(node["id"], []))
            for path, node in nodes.items()
        }

    def assert_each_ends(self, results):
        """Each is in Odoo, or waits for a reason that a person can act on; none crashed."""
        for path, (binding, exceptions) in results.items():
            with self.subTest(".".join(map(str, path))):
                self.assertTrue(binding or exceptions, "neither imported nor reported")
                for exception in exceptions:
                    self.assertNotIn("Unexpected error", exception.message)
                    self.assertNotEqual(exception.category, "other", exception.message)
                    self.assertTrue(exception.name and exception.message and exception.remedy)

    def test_nothing_is_missing(self):
        """The order that the variants are made of goes through without a word."""
        results = self.run_variants({("whole",): self.whole()})
        ((binding, exceptions),) = results.values()
        self.assertFalse(exceptions, [row.message for row in exceptions])
        self.assertEqual(binding.sale_order_id.invoice_ids.amount_residual, 0)

    def test_nulls(self):
        """No order waits for a value that the schema does not promise."""
        node = self.whole()
        paths = self.selection.nullable(node)
        self.assertGreater(len(paths), 100)
        results = self.run_variants({path: with_value(node, path, None) for path in paths})
        self.assert_each_ends(results)
        self.assertEqual([path for path, (binding, _rows) in results.items() if not binding], [])

    def test_unknown_values(self):
        """Orders wait for the names of currencies and countries only."""
        node = self.whole()
        paths = self.selection.enumerated(node)
        self.assertGreater(len(paths), 60)
        results = self.run_variants({path: with_value(node, path, UNKNOWN) for path in paths})
        self.assert_each_ends(results)
        waiting = [path[-1] for path, (binding, _rows) in results.items() if not binding]
        self.assertLessEqual(set(waiting), {"currencyCode", "countryCodeV2", "countryCode"})
