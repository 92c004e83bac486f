"""A preview shows what an import would do, and does none of it."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .order_nodes import OrderNode
from .preview_common import PreviewCase


@tagged("post_install", "-at_install", "shopify")
class TestOrderPreview(PreviewCase):
    # -- what is shown --------------------------------------------------------------------------

    def titles(self, values):
        return [block["title"] for block in values["blocks"]]

    def rows(self, values, kind):
        return [row for row in values["matches"] if row["kind"] == kind]

    def test_new_order_with_its_entries(self):
        values = self.preview(self.paid(1001))
        self.assertEqual(values["headline"]["outcome"], "created")
        self.assertFalse(values["blocks"])
        self.assertEqual([line["quantity"] for line in values["lines"]], ["3", "1", "1"])
        self.assertIn("47.35", values["comparison"])
        invoice, payment = values["entries"]
        self.assertEqual(invoice["total"], payment["total"])
        self.assertIn("47.35", invoice["total"])
        self.assertEqual(invoice["state"], "Posted")
        (delivery,) = values["deliveries"]
        self.assertEqual({move["quantity"] for move in delivery["moves"]}, {"3 Units", "1 Units"})
        self.assertEqual(values["payments"][0]["state"], "Booked")

    def test_same_as_the_import(self):
        """The figures and numbers of the preview are those that the import then has."""
        order = self.paid(1002)
        values = self.preview(order)
        sale = self.run_order(order)
        self.assertEqual(
            [line["total"] for line in values["lines"]],
            [sale.currency_id.format(line.price_total) for line in sale.order_line],
        )
        self.assertIn(sale.name, values["headline"]["title"])
        moves = sale.invoice_ids | sale.shopify_order_ids.payment_ids.move_id
        self.assertEqual(
            [entry["record"]["name"] for entry in values["entries"]],
            [move.display_name for move in moves],
        )
        self.assertEqual(
            [len(entry["lines"]) for entry in values["entries"]],
            [len(move.line_ids) for move in moves],
        )

    def test_what_decided(self):
        values = self.preview(self.paid(1003))
        rules = {row["stated"].split(",")[0]: row["rule"] for row in values["matches"]}
        self.assertEqual(rules["Title A"], "sku")
        for row in self.rows(values, "Tax"):
            self.assertEqual((row["rule"], row["by"]["model"]), ("mapping", "shopify.tax.mapping"))
            self.assertFalse(row["records"][0]["new"])
            self.assertIn(f"/odoo/account.tax/{row['records'][0]['id']}", row["records"][0]["url"])
        (customer,) = self.rows(values, "Customer")
        self.assertEqual(customer["rule"], "created")
        self.assertTrue(customer["records"][0]["new"])
        self.assertNotIn("url", customer["records"][0])
        (gateway,) = self.rows(values, "Payment gateway")
        self.assertEqual(gateway["records"][0]["id"], self.bank.id)
        self.assertEqual(gateway["rule"], "setting")

    def test_known_customer_and_linked_product(self):
        self.run_order(self.paid(1004))
        order = self.paid(1005, **{"email": "ada1004@example.com"})
        order.fields["customer"] = self.paid(1004).node["customer"]
        values = self.preview(order)
        (customer,) = self.rows(values, "Customer")
        self.assertEqual(customer["rule"], "link")
        self.assertFalse(customer["records"][0]["new"])
        self.assertEqual({row["rule"] for row in self.rows(values, "Product")}, {"link"})

    def test_as_if_delivered(self):
        self.us.invoice_when = "delivery"
        order = self.paid(1006)
        kinds = [entry["kind"] for entry in self.preview(order)["entries"]]
        self.assertNotIn("Customer Invoice", kinds)
        values = self.preview(order, delivered=True)
        self.assertIn("Customer Invoice", [entry["kind"] for entry in values["entries"]])
        self.assertEqual({delivery["state"] for delivery in values["deliveries"]}, {"Done"})

    def test_guest(self):
        order = self.paid(1007, customer=None)
        (guest,) = self.rows(self.preview(order), "Guest")
        self.assertEqual(guest["rule"], "created")

    def test_foreign_currency(self):
        self.env.ref("base.EUR").active = True
        self.us.currency_policy = "presentment"
        order = OrderNode(1008, presentment="EUR", rate="0.9").line("A", "10.00", 2)
        values = self.preview(order)
        self.assertEqual(values["headline"]["outcome"], "created")
        self.assertIn("18.00", values["lines"][0]["total"])
        (currency,) = self.rows(values, "Currency")
        self.assertTrue(currency["records"][0]["new"])

    # -- what waits -----------------------------------------------------------------------------

    def test_unmapped_tax(self):
        order = OrderNode(1010).line("A", "10.00", 1, [("MOON TAX", 0.1)])
        values = self.preview(order)
        self.assertEqual(values["headline"]["outcome"], "blocked")
        self.assertIn("MOON TAX", self.titles(values)[0])
        (tax,) = self.rows(values, "Tax")
        self.assertEqual(tax["rule"], "missing")
        self.assertFalse(values["lines"])

    def test_inactive_currency(self):
        self.env["res.currency"].search([("name", "=", "JPY")]).active = False
        self.us.currency_policy = "presentment"
        values = self.preview(OrderNode(1011, presentment="JPY", rate=150).line("A", "10.00", 1))
        self.assertIn("JPY", self.titles(values)[0])
        self.assertTrue(values["blocks"][0]["fix"]["url"])

    def test_missing_variant(self):
        values = self.preview(OrderNode(1012).line("UNKNOWN", "10.00", 1).line("A", "1.00"))
        self.assertIn("UNKNOWN", self.titles(values)[0])
        rules = {row["stated"].split(",")[0]: row["rule"] for row in values["matches"]}
        self.assertEqual(rules, {"Title UNKNOWN": "missing", "Title A": "sku"})

    def test_unmapped_gateway(self):
        """What would wait in the accounting, while the order itself goes through."""
        self.us.payment_journal_id = False
        values = self.preview(self.paid(1013))
        self.assertEqual(values["headline"]["outcome"], "created")
        self.assertIn("Shopify Payments", self.titles(values)[0])

    def test_error_of_an_extension(self):
        Values = type(self.env["shopify.order.values"])
        with patch.object(Values, "_order_vals", side_effect=UserError("Not on Sundays.")):
            values = self.preview(self.paid(1014))
        self.assertEqual(values["headline"]["outcome"], "failed")
        self.assertEqual(self.titles(values), ["Not on Sundays."])

    # -- what is in Odoo already ----------------------------------------------------------------

    def test_nothing_changed(self):
        order = self.paid(1020)
        sale = self.run_order(order)
        values = self.preview(order)
        self.assertEqual(values["headline"]["outcome"], "unchanged")
        self.assertIn(sale.name, values["headline"]["title"])
        self.assertFalse(values["changes"])

    def test_quotation_that_changed(self):
        self.us.confirm_policy = "quotation"
        self.run_order(self.paid(1021))
        order = self.paid(1021, updatedAt="2026-11-03T10:00:00Z", note="Ring twice")
        order.line("A", "5.00", 2)
        order.extra["transactions"] = []
        values = self.preview(order)
        self.assertEqual(values["headline"]["outcome"], "updated")
        changes = {change["label"]: change for change in values["changes"]}
        self.assertEqual(changes["Note"]["after"], "Ring twice")
        self.assertIn("57.35", changes["Total"]["after"])
        added = [change for change in values["changes"] if not change["before"]]
        self.assertTrue(any(change["after"].startswith("2 x") for change in added))

    def test_confirmed_order_that_changed(self):
        self.run_order(self.paid(1022)).action_lock()
        order = self.paid(1022, updatedAt="2026-11-03T10:00:00Z")
        order.line("A", "5.00", 2)
        values = self.preview(order)
        self.assertEqual(values["headline"]["outcome"], "blocked")
        self.assertIn("changed in Shopify", self.titles(values)[0])

    # -- what is not imported -------------------------------------------------------------------

    def test_skipped(self):
        self.us.write({"import_from": "2027-01-01 00:00:00", "tag_exclude": "hold"})
        self.assertIn("before", self.preview(self.paid(1030))["headline"]["message"])
        by_hand = self.preview("1030", by_hand=True)
        self.assertEqual(by_hand["headline"]["outcome"], "created")
        self.us.import_from = False
        for fields, word in (({"test": True}, "test"), ({"tags": ["Hold"]}, "hold")):
            values = self.preview(self.paid(1031, **fields))
            self.assertEqual(values["headline"]["outcome"], "skipped")
            self.assertIn(word, values["headline"]["message"])
            self.assertFalse(values["lines"])

    def test_cancelled(self):
        values = self.preview(self.paid(1033, cancelledAt="2026-11-02T11:00:00Z"))
        self.assertIn("cancelled", values["headline"]["title"])
        self.assertFalse(values["deliveries"])

    def test_no_such_order(self):
        for name in ("#99999", "424242424242", "gid://shopify/Order/5", "gid://shopify/Shop/1"):
            with self.subTest(name), self.assertRaisesRegex(UserError, "no order"):
                self.preview(name)

    def test_ways_to_name_an_order(self):
        node = self.load(self.paid(1035))
        for name in ("1035", "#1035", node["id"]):
            self.assertEqual(self.preview(name)["order"]["name"], "#1035")

    # -- what is beyond the database ------------------------------------------------------------

    def test_number_of_sequences(self):
        """Extensions may take numbers: the next real one is not lost."""
        sequence = self.env["ir.sequence"].create({"name": "T", "code": "shopify.t"})
        ranged = self.env["ir.sequence"].create(
            {"name": "R", "code": "shopify.r", "use_date_range": True}
        )
        ranged.next_by_id()
        taken = []

        def confirm(confirmer, backend, pairs):
            for code in ("shopify.t", "shopify.r"):
                taken.append(confirmer.env["ir.sequence"].sudo().next_by_code(code))
                taken.append(confirmer.env["ir.sequence"].sudo().next_by_code(code))
            return confirmer.env["sale.order"]

        Confirmer = type(self.env["shopify.order.confirmer"])
        with patch.object(Confirmer, "_confirm", confirm):
            self.preview(self.paid(1040))
        self.assertEqual(taken, ["1", "2", "2", "3"])
        self.assertEqual((sequence.next_by_id(), ranged.next_by_id()), ("1", "2"))

    def test_files_hooks_and_caches(self):
        """Files are written at once, hooks wait for a commit, caches tell other processes."""
        said = []

        def confirm(confirmer, backend, pairs):
            env = confirmer.env
            env["ir.attachment"].sudo().create({"name": "a.txt", "raw": b"never on the disk"})
            env.cr.postcommit.add(lambda: said.append("sent"))
            env.registry.clear_cache()
            return env["sale.order"]

        Confirmer = type(self.env["shopify.order.confirmer"])
        self.env.registry.reset_changes()
        self.env.registry.clear_cache("templates")
        with patch.object(Confirmer, "_confirm", confirm):
            self.preview(self.paid(1041))
        self.assertFalse(said)
        self.assertIn("templates", self.env.registry.cache_invalidated)

    def test_500_lines(self):
        order = OrderNode(1050)
        for _number in range(500):
            order.line("A", "9.99", 2, self.taxes("0.80", "0.90"), discount="0.37")
        values = self.preview(order)
        self.assertEqual(values["headline"]["outcome"], "created")
        self.assertEqual(len(values["lines"]), 500)
        self.assertEqual(len(self.rows(values, "Product")), 1)

    # -- the form -------------------------------------------------------------------------------

    def form(self, user, **values):
        return (
            self.env["shopify.order.preview"]
            .with_user(user)
            .create({"backend_id": self.us.id, **values})
        )

    def test_form(self):
        self.load(self.paid(1060))
        self.env.flush_all()
        before = self.everything()
        for user in (self.auditor, self.operator, self.manager):
            form = self.form(user, name="1060")
            form.action_preview()
            self.assertEqual(form.name, "#1060")
            self.assertIn("47.35", form.report)
        self.env.flush_all()
        after = self.everything()
        own = "shopify_order_preview"
        self.assertNotEqual(before.pop(own), after.pop(own))
        self.assertSame(before, after)

    def test_form_of_another_company(self):
        self.load(self.paid(1061))
        self.operator.write(
            {"company_id": self.eu_company.id, "company_ids": [(6, 0, self.eu_company.ids)]}
        )
        with self.assertRaises(AccessError):
            self.form(self.operator, name="1061").action_preview()

    def test_form_is_its_makers(self):
        form = self.form(self.operator, name="1062")
        with self.assertRaises(AccessError):
            form.with_user(self.auditor).read(["report"])

    def test_store_does_not_answer(self):
        self.load(self.paid(1063))
        self.shop(self.us).faults.add(kind="http_error", status=503, count=50, operation="*")
        with self.assertRaises(UserError):
            self.form(self.operator, name="1063").action_preview()

    def test_buttons(self):
        order = self.paid(1064)
        self.load(order)
        sale = self.run_order(order)
        action = sale.shopify_order_ids.with_user(self.auditor).action_preview()
        preview = self.env["shopify.order.preview"].browse(action["res_id"])
        self.assertIn(sale.name, preview.report)
        self.assertEqual(preview.action_import()["context"]["default_names"], "#1064")
