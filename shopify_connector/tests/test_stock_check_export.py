"""The check of a large store, which reads an export instead of pages."""

from unittest.mock import patch

from ..client.client import ShopifyClient
from ..services import bulk_runner, stock_checker, stock_reader
from .stock_check_common import ExportCase

READ = "InventoryLevels"


class TestStockCheckExport(ExportCase):
    def differ(self):
        """All that a check can come upon, at two locations."""
        many = self.many(12)
        annex = self.env["stock.location"].create(
            {"name": "Annex", "location_id": self.us.warehouse_id.view_location_id.id}
        )
        self.other.stock_source_ids = annex
        for variant in many:
            self.add(variant.product_id, 10, annex)
        self.set_remote(many[0], 60)
        self.set_remote(many[1], 3, self.other)
        self.put_item(many[2], tracked=False)
        many[3].inventory_item_gid = "gid://shopify/InventoryItem/999999"
        for variant, place in ((many[4], self.location), (many[5], self.other)):
            self.remote_level(variant, place).update(isActive=False)
        # Nothing in Odoo, and not active in Shopify: in step.
        self.remote_level(many[6], self.other).update(isActive=False)
        self.add(many[6].product_id, -10, annex)
        rules = self.env["shopify.stock.rule"]
        rules.create(
            {
                "backend_id": self.us.id,
                "effect": "no_push",
                "product_id": many[7].product_id.id,
                "location_id": self.location.id,
            }
        )
        rules.create({"backend_id": self.us.id, "effect": "maximum", "value": 90})
        many[8].product_id.is_storable = False
        self.other.stock_basis = "on_hand"
        self.set_remote(many[9], 7, self.other, name="on_hand")
        # Never stocked there.
        self.shop(self.us).store.delete(self.remote_level(many[10], self.other)["id"])
        self.flush()
        self.outbox().unlink()

    def remote_level(self, variant, location):
        store = self.shop(self.us).store
        levels = store.related(store.get(variant.inventory_item_gid), "inventoryLevels")
        return next(level for level in levels if level["location"] == location.shopify_gid)

    def test_says_what_pages_say(self):
        self.differ()
        for purpose in ("switch_on", "schedule"):
            self.us.stock_check_policy = "report"
            self.us.push_stock = purpose != "switch_on"
            exported = self.check(purpose)
            self.assertEqual(exported.operation_id.state, "done")
            with patch.object(stock_reader, "EXPORT_FROM", 10_000):
                paged = self.check(purpose)
            self.assertFalse(paged.operation_id)
            self.assertEqual(self.told(exported), self.told(paged))
            problems = exported.line_ids.mapped("problem")
            self.assertEqual(set(problems), {"quantity", "untracked", "inactive", "gone"})
            self.assertGreater(exported.skipped, 1)
        self.assertEqual(exported.units, paged.units)

    def test_few_calls_however_many_quantities(self):
        self.many(300)
        self.set_remote(self.variants[5], 4)
        with (
            patch.object(bulk_runner, "LINES_PER_JOB", 70),
            patch.object(stock_checker, "PAGE", 40),
        ):
            check = self.check()
        self.assertEqual((check.compared, check.line_count), (303, 1))
        self.assertEqual(check.line_ids.found, 4)
        # Once more for the one that differs.
        self.assertEqual(len(self.calls(READ)), 1)
        operation = check.operation_id
        self.assertEqual(operation.line_count, operation.object_count)
        self.assertGreater(operation.line_count, 900)

    def test_children_before_their_parents(self):
        self.many(40)
        for variant in self.variants[3:20]:
            self.put_item(variant, tracked=False)
        check = self.start()
        said = []
        take = type(self.env["shopify.stock.reader"])._bulk_lines

        def note(reader, operation, values):
            said.extend(values)
            return take(reader, operation, values)

        with (
            patch.object(bulk_runner, "LINES_PER_JOB", 7),
            patch.object(type(self.env["shopify.stock.reader"]), "_bulk_lines", note),
        ):
            self.finish(check)
        places = {line["id"]: index for index, line in enumerate(said)}
        children = [line for line in said if "__parentId" in line]
        self.assertTrue(any(places[line["__parentId"]] > places[line["id"]] for line in children))
        self.assertEqual(set(check.line_ids.mapped("problem")), {"untracked"})
        self.assertEqual(check.line_count, 17)

    def test_how_far_it_is(self):
        self.many(40)
        check, phases = self.start(), []
        with (
            patch.object(bulk_runner, "LINES_PER_JOB", 50),
            patch.object(stock_checker, "PAGE", 20),
        ):
            self.set_remote(self.variants[4], 1)
            while check.state == "running":
                phases.append(check.phase)
                self.assertTrue(self.step())
        self.assertEqual(check.phase, "")
        text = "\n".join(phases)
        self.assertIn("will begin to export", text)
        self.assertIn("lines so far", text)
        total = check.operation_id.object_count
        self.assertIn(f"50 of {total} lines", text)
        self.assertIn("compared: 20 so far", text)
        self.assertIn("once more", phases[-1])

    # === WHAT HAPPENS MEANWHILE === #

    def test_sale_while_the_export_runs(self):
        """Shopify's file is older than the sale, and so is wrong about it."""
        first, _second, third = self.variants
        check = self.start("schedule")
        self.read_export(check)
        # Sold, and its order is in Odoo already when quantities are compared.
        self.set_remote(first, 97)
        self.add(first.product_id, -3)
        # Sold, and its order comes in with the poll before the second look.
        self.set_remote(third, 99)
        self.flush()
        self.outbox().unlink()
        self.steps(lambda: check.confirming)
        self.assertEqual(check.line_ids.level_id.variant_id, first)
        self.add(third.product_id, -1)
        self.flush()
        self.outbox().unlink()
        self.finish(check)
        self.assertEqual((check.line_count, check.units), (0, 0))
        self.assertFalse(self.outbox(), "nothing is repaired")
        self.push()
        self.assertEqual([self.remote(v) for v in self.variants], [97, 100, 99])

    def test_sale_that_the_export_shows_and_odoo_does_not_know_yet(self):
        first = self.variants[0]
        self.set_remote(first, 97)
        check = self.start("schedule")
        self.steps(lambda: check.confirming)
        self.assertEqual(check.line_ids.found, 97)
        polls = [("method_name", "=", "_job_poll"), ("state", "=", "pending")]
        self.assertTrue(self.env["queue.job"].search(polls))
        self.add(first.product_id, -3)
        self.flush()
        self.outbox().unlink()
        self.finish(check)
        self.assertEqual(check.line_count, 0)
        self.assertFalse(self.outbox())

    def test_push_while_the_export_runs(self):
        first, second, _third = self.variants
        check = self.start("schedule")
        self.read_export(check)
        self.add(first.product_id, 5)
        self.push()
        self.add(second.product_id, 8)
        self.flush()  # and is to be sent in a moment
        self.finish(check)
        self.assertEqual((check.line_count, self.remote(first)), (0, 105))
        self.assertFalse(self.exceptions())

    def test_variant_that_is_linked_while_the_export_runs(self):
        check = self.start()
        self.read_export(check)
        fresh = self.link(self.remote_variants[4:5], 0)
        self.put_item(fresh, tracked=True)
        self.set_remote(fresh, 0)
        self.outbox().unlink()
        self.finish(check)
        self.assertEqual((check.compared, check.line_count), (4, 0))
        self.assertEqual(check.line_ids.problem, "gone", "by the export, at first")
        self.assertEqual(check.line_ids.state, "gone", "in step, by the second look")

    # === THE SECOND LOOK === #

    def test_many_differences_are_looked_at_in_several_jobs(self):
        many = self.many(30)
        for variant in many:
            self.set_remote(variant, 4)
        with patch.object(stock_checker, "PAGE", 8):
            check = self.start("schedule")
            self.steps(lambda: check.confirming)
            jobs = 0
            while check.state == "running":
                left = len(check.line_ids.filtered(lambda line: line.state == "seen"))
                self.assertEqual(left, 30 - 8 * jobs)
                self.assertTrue(self.step())
                jobs += 1
        self.assertEqual((jobs, check.line_count, check.units), (4, 30, 180))

    def test_one_alert_and_one_mail_however_many(self):
        for variant in self.many(150):
            self.set_remote(variant, 3)
        check = self.check("schedule")
        self.assertEqual((check.line_count, check.units), (150, 1050))
        exception = self.exceptions()
        self.assertEqual(len(exception), 1)
        self.assertIn("1050 units", exception.name)
        mails = self.env["mail.message"].search([], order="id desc", limit=1).id
        for _time in range(2):
            self.env["shopify.watchdog"]._watch()
        told = self.env["mail.message"].search(
            [("id", ">", mails), ("message_type", "=", "user_notification")]
        )
        self.assertEqual(len(told), 1)
        self.assertEqual(set(check.line_ids.mapped("state")), {"sent"})
        self.push()
        self.assertEqual({self.remote(variant) for variant in self.variants[3:]}, {10})
        self.check("schedule")
        self.assertFalse(self.exceptions())

    def test_threshold(self):
        self.assertEqual(self.us.stock_check_threshold, 10)
        first, second, _third = self.variants
        self.us.stock_check_policy = "report"
        self.set_remote(first, 94)
        self.set_remote(second, 104)
        self.assertEqual(self.check("schedule").units, 10)
        self.assertFalse(self.exceptions())
        self.set_remote(second, 105)
        self.assertEqual(self.check("schedule").units, 11)
        self.assertEqual(len(self.exceptions()), 1)

    def test_what_cannot_be_read_is_neither_in_step_nor_forgotten(self):
        first, second, _third = self.variants
        self.us.stock_check_policy = "report"
        for variant in (first, second):
            self.set_remote(variant, 60)
        check = self.start("schedule")
        self.steps(lambda: check.confirming)
        ask = ShopifyClient.nodes

        def fail_on_one(client, operation, gids, **options):
            nodes, faults = ask(client, operation, gids, **options)
            nodes.pop(first.inventory_item_gid, None)
            return nodes, faults

        with patch.object(ShopifyClient, "nodes", fail_on_one):
            self.finish(check)
        self.assertEqual(check.line_ids.mapped("state"), ["open", "open"])
        with (
            patch.object(ShopifyClient, "nodes", fail_on_one),
            patch.object(stock_reader, "EXPORT_FROM", 10_000),
        ):
            paged = self.check("schedule")
        self.assertEqual((paged.compared, paged.skipped), (2, 1))

    # === SWITCHING ON === #

    def test_switching_on_a_large_store(self):
        self.us.push_stock = False
        first, second = self.many(20)[:2]
        self.set_remote(first, 7)
        self.us.with_user(self.manager).action_check_stock()
        check = self.us.stock_check_ids[:1]
        self.read_export(check)
        # Shopify sold some while it wrote the file, and Odoo knows.
        self.set_remote(second, 6)
        self.add(second.product_id, -4)
        self.finish(check)
        self.assertEqual((check.purpose, check.compared, check.line_count), ("switch_on", 23, 1))
        line = check.line_ids.filtered(lambda line: line.state == "open")
        self.assertEqual((line.level_id.variant_id, line.difference), (first, 3))
        self.assertFalse(self.exceptions(), "nothing is alarming before it is switched on")
        self.push()
        self.assertEqual(self.remote(first), 7)
        check.with_user(self.manager).action_switch_on()
        self.push()
        self.assertEqual([self.remote(first), self.remote(second)], [10, 6])
