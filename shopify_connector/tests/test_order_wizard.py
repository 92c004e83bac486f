"""Import by a person: by date and by number, with progress and results."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form

from odoo.addons.queue_job.tests.common import trap_jobs

from ..wizards import shopify_order_import
from .order_common import OrderCase


class TestOrderWizard(OrderCase):
    def setUp(self):
        super().setUp()
        self.create_products(self.us)
        self.us.auto_tax_mapping = True

    def place(self, count, **wishes):
        return self.place_orders(self.us, count, seed=2, extras=False, region="US/OR", **wishes)

    def wizard(self, **values):
        return (
            self.env["shopify.order.import"]
            .with_user(self.operator)
            .create({"backend_id": self.us.id, **values})
        )

    def test_by_number(self):
        nodes = self.place(3)
        names = [node["name"] for node in nodes]
        wizard = self.wizard(mode="names", names=f"{names[0]}, {names[1].lstrip('#')}\n#999999")
        with trap_jobs() as trap:
            wizard.action_import()
        trap.assert_jobs_count(1, only=self.us._job_drain_inbox)
        lines = {line.name: line for line in wizard.line_ids}
        self.assertEqual(set(lines), {names[0], names[1], "#999999"})
        self.assertEqual(lines["#999999"].outcome, "missing")
        self.assertEqual((wizard.total, wizard.done, wizard.finished), (3, 1, False))
        self.drain(self.us)
        wizard.invalidate_recordset()
        wizard.line_ids.invalidate_recordset()
        self.assertEqual(lines[names[0]].outcome, "created", lines[names[0]].message)
        self.assertEqual(lines[names[0]].sale_order_id.origin, names[0])
        self.assertTrue(wizard.finished)
        self.assertEqual(wizard.progress, 100)
        self.assertIn("Imported: 2", wizard.summary)
        self.assertFalse(self.env["sale.order"].search([("origin", "=", names[2])]))

    def test_by_date(self):
        """Only orders of that time; what needs a decision leads to its cause."""
        nodes = self.place(2)
        old = self.place(1)[0]
        store = self.shop(self.us).store
        store.get(old["id"])["processedAt"] = "2020-01-01T00:00:00Z"
        self.us.auto_tax_mapping = False
        self.us.missing_product = "stop"
        self.env["product.product"].search([("default_code", "!=", False)]).default_code = False
        wizard = self.wizard(mode="range", date_from="2021-01-01 00:00:00")
        wizard.action_import()
        self.assertEqual(
            sorted(wizard.line_ids.mapped("gid")), sorted(node["id"] for node in nodes)
        )
        self.drain(self.us)
        wizard.line_ids.invalidate_recordset()
        self.assertEqual(set(wizard.line_ids.mapped("outcome")), {"blocked"})
        action = wizard.line_ids[0].action_open()
        self.assertEqual(action["res_model"], "shopify.exception")

    def test_orders_before_the_first_date_of_the_store(self):
        """Whoever asks for an order by hand gets it."""
        self.us.import_from = "2200-01-01 00:00:00"
        node = self.place(1)[0]
        self.put(self.us, [node["id"]], source="poll")
        self.drain(self.us)
        self.assertFalse(self.env["sale.order"].search([("origin", "=", node["name"])]))
        self.wizard(mode="names", names=node["name"]).action_import()
        self.drain(self.us)
        self.assertTrue(self.env["sale.order"].search([("origin", "=", node["name"])]))

    def test_many_pages(self):
        """The first page comes at once, the others from jobs; none is listed twice."""
        nodes = self.place(5, lines=1)
        self.patch(shopify_order_import, "PAGE_SIZE", 2)
        self.patch(shopify_order_import, "PAGES_PER_JOB", 1)
        wizard = self.wizard(mode="range", date_from="2021-01-01 00:00:00")
        with trap_jobs() as trap:
            wizard.action_import()
            self.assertEqual(len(wizard.line_ids), 2)
            self.assertFalse(wizard.finished)
            trap.assert_jobs_count(1, only=wizard._job_list)
            while wizard.list_cursor:
                wizard._job_list()
        self.assertEqual(
            sorted(wizard.line_ids.mapped("gid")), sorted(node["id"] for node in nodes)
        )
        self.assertFalse(wizard.list_cursor)

    def test_what_cannot_be_asked(self):
        with self.assertRaisesRegex(UserError, "at least one"):
            self.wizard(mode="names", names=" , ").action_import()
        with self.assertRaisesRegex(UserError, "first date"):
            self.wizard(
                mode="range", date_from="2021-01-02 00:00:00", date_to="2021-01-01 00:00:00"
            ).action_import()
        with self.assertRaises(AccessError):
            self.env["shopify.order.import"].with_user(self.auditor).create(
                {"backend_id": self.us.id}
            )

    def test_store_that_does_not_answer(self):
        self.shop(self.us).faults.add(kind="http_error", operation="OrdersIds")
        with self.assertRaises(UserError):
            self.wizard(mode="names", names="1").action_import()

    def test_screens(self):
        """The forms open for those who use them."""
        node = self.place(1)[0]
        self.import_orders(self.us, [node])
        sale = self.env["sale.order"].search([("origin", "=", node["name"])])
        self.assertTrue(sale)
        Form(self.env["shopify.order.import"].with_user(self.operator))
        Form(sale.with_user(self.operator))
        Form(sale.shopify_order_id.with_user(self.auditor))
        action = sale.with_user(self.operator).action_shopify_order()
        self.assertEqual(action["res_id"], sale.shopify_order_id.id)
        url = sale.action_shopify_open()["url"]
        self.assertTrue(url.endswith(f"/admin/orders/{sale.shopify_order_id.legacy_id}"))
        self.assertEqual(sale.shopify_order_id.log_count, 1)
