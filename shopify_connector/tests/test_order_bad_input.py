"""Whatever Shopify may leave out or add one day: the order comes, or waits with a reason."""

import json
from unittest import SkipTest
from unittest.mock import patch

from ..client.documents import document
from .accounting_common import AccountingCase, cents
from .order_nodes import OrderNode

try:
    from .order_filled import UNKNOWN, Selection, numbered, with_value
except ImportError:
    Selection = None

# Few at a time: what one transaction has written is unknown to the planner of the database.
BATCH = 30


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
        """Orders ``{path: node}`` through the whole flow.

        :return: ``{path: (whether it is in Odoo, exceptions that it waits for)}``, these as dicts
        """
        nodes = {
            path: numbered(node, number) for number, (path, node) in enumerate(variants.items(), 1)
        }
        found, paths = {}, list(nodes)
        for start in range(0, len(paths), BATCH):
            batch = {path: nodes[path] for path in paths[start : start + BATCH]}
            savepoint = self.env.cr.savepoint()
            found |= self.run_batch(batch)
            self.env.invalidate_all(flush=False)
            savepoint.close(rollback=True)
        return found

    def run_batch(self, nodes):
        by_gid = {node["id"]: node for node in nodes.values()}

        def fetch(service, backend, client, gids):
            return {gid: by_gid[gid] for gid in gids}, ()

        importer = type(self.env["shopify.order.importer"])
        with patch.object(importer, "_fetch", fetch):
            self.import_orders(self.us, list(by_gid))
            self.map_taxes(self.us)
            imported = self.import_orders(self.us, list(by_gid)).mapped("shopify_gid")
        self.account()
        waiting = {}
        for line in self.exceptions(self.us).line_ids:
            (row,) = line.exception_id.read(["category", "name", "message", "remedy"])
            waiting.setdefault(line.gid, []).append(row)
        return {
            path: (node["id"] in imported, waiting.get(node["id"], []))
            for path, node in nodes.items()
        }

    def assert_each_ends(self, results):
        """Each is in Odoo, or waits for a reason that a person can act on; none crashed."""
        for path, (imported, exceptions) in results.items():
            with self.subTest(".".join(map(str, path))):
                self.assertTrue(imported or exceptions, "neither imported nor reported")
                for exception in exceptions:
                    self.assertNotIn("Unexpected error", exception["message"])
                    self.assertNotEqual(exception["category"], "other", exception["message"])
                    self.assertTrue(all(exception.values()), exception)

    def test_nothing_is_missing(self):
        """The order that the variants are made of goes through without a word."""
        results = self.run_variants({("whole",): self.whole()})
        ((imported, waiting),) = results.values()
        self.assertTrue(imported)
        self.assertFalse([row["message"] for row in waiting])

    def test_nulls(self):
        """No order waits for a value that the schema does not promise."""
        node = self.whole()
        paths = self.selection.nullable(node)
        self.assertGreater(len(paths), 100)
        results = self.run_variants({path: with_value(node, path, None) for path in paths})
        self.assert_each_ends(results)
        self.assertEqual([path for path, (imported, _rows) in results.items() if not imported], [])

    def test_unknown_values(self):
        """Orders wait for the names of currencies and countries only."""
        node = self.whole()
        paths = self.selection.enumerated(node)
        self.assertGreater(len(paths), 60)
        results = self.run_variants({path: with_value(node, path, UNKNOWN) for path in paths})
        self.assert_each_ends(results)
        waiting = [path[-1] for path, (imported, _rows) in results.items() if not imported]
        self.assertLessEqual(set(waiting), {"currencyCode", "countryCodeV2", "countryCode"})


class TestOrderOfManyPages(AccountingCase):
    def test_500_lines(self):
        """Read in pages, imported, invoiced and paid whole."""
        order = OrderNode(1)
        taxes = self.taxes("0.04", "0.05")
        for _line in range(500):
            order.line("A", "1.01", 1, taxes)
        for _shipping in range(7):
            order.ship("1.00", [taxes[0]])
        self.transaction(order, 1, order.total)
        node = order.node
        self.sandbox.load([node], self.us.shop_domain)
        (binding,) = self.import_orders(self.us, [node])
        self.assertFalse(self.account())
        sale = binding.sale_order_id
        self.assertEqual(len(sale.order_line), 507)
        self.assertEqual(cents(sale.amount_total), order.total)
        self.assertEqual(cents(sale.invoice_ids.amount_total), order.total)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)


class TestAccountThatIsMissing(AccountingCase):
    def test_income_account(self):
        """The order is there; its invoice waits and says what is missing."""
        sale = self.sale(self.us, self.paid())
        journal = self.env["account.journal"].search(
            [("company_id", "=", self.company.id), ("type", "=", "sale")]
        )
        journal.default_account_id = False
        known = self.company.income_account_id
        self.company.income_account_id = False
        exceptions = self.account()
        self.assertEqual(sale.state, "sale")
        self.assertFalse(sale.invoice_ids)
        self.assertEqual(set(exceptions.mapped("category")), {"accounting"})
        self.assertIn("no income account is set for [A] A", exceptions[0].message)
        self.assertIn(exceptions[0].res_id, self.goods.ids)
        self.company.income_account_id = known
        self.process(self.us, self.paid(), sources={"retry"})
        self.assertFalse(self.account().mapped("message"))
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
