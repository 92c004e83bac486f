"""The check of a large store, which reads an export instead of pages."""

import time
from unittest.mock import patch

from odoo import fields

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job

from ..client.client import ShopifyClient
from ..services import bulk_runner, stock_checker, stock_reader
from .stock_common import StockCase

READ = "InventoryLevels"
JOBS = ("_job_advance", "_job_check_stock", "_job_confirm_stock")


class ExportCase(StockCase):
    """Any store is a large one; its checks run as their jobs do, one after another."""

    def setUp(self):
        super().setUp()
        self.shop(self.us).settings.bulk_ms = 0
        self.enterContext(patch.object(stock_reader, "EXPORT_FROM", 1))
        self.in_step()

    def many(self, count, quantity=10):
        """Further variants with a level at each location, in step; `self.variants` are all."""
        places = [self.location.shopify_gid, self.other.shopify_gid]
        nodes = [_variant(number, places, quantity) for number in range(count)]
        self.shop(self.us).load(
            [
                {
                    "__typename": "Product",
                    "id": "gid://shopify/Product/770001",
                    "title": "Many",
                    "variants": {"nodes": nodes},
                }
            ]
        )
        flat = [{**node, "inventoryItem": node["inventoryItem"]["id"]} for node in nodes]
        many = self.link(flat, quantity)
        self.variants |= many
        self.flush()
        self.outbox().unlink()
        return many

    def start(self, purpose="manual"):
        self.flush()
        return self.env["shopify.stock.check"]._start(self.us, purpose)

    def waiting(self):
        """The next job; those that are due later are due now."""
        self.env.flush_all()
        jobs = [("state", "=", "pending"), ("method_name", "in", JOBS)]
        return self.env["queue.job"].search(jobs, order="id", limit=1)

    def step(self):
        """Do the next job; whether there was one."""
        waiting = self.waiting()
        if waiting:
            job = self.perform(waiting)
            job.set_done()
            job.store()
            self.env.flush_all()
            self.env.invalidate_all()
            time.sleep(0.002)
        return bool(waiting)

    def perform(self, waiting):
        job = Job.load(self.env, waiting.uuid)
        job.set_started()
        job.store()
        self.env.flush_all()
        job.perform()
        return job

    def steps(self, until):
        for _step in range(500):
            if until() or not self.step():
                return
        self.fail("it does not end")

    def finish(self, check):
        self.steps(lambda: check.state != "running")
        self.assertEqual(check.state, "done", check.message)
        self.assertFalse(self.readings(), "what was kept of the export is still there")
        return check

    def read(self, check):
        """The jobs until the file was read, before anything is compared."""
        self.steps(lambda: check.operation_id.state == "done")

    def check(self, purpose="manual"):
        return self.finish(self.start(purpose))

    def readings(self):
        return self.env["shopify.stock.reading"].search([])

    def put_item(self, variant, **values):
        self.shop(self.us).store.put(variant.inventory_item_gid, "InventoryItem", values)

    def told(self, check):
        """What a check says."""
        lines = check.line_ids.sorted(lambda line: line.level_id.id)
        names = ("level_id", "problem", "found", "wanted", "difference", "size", "state")
        return [
            (check.compared, check.skipped, check.line_count, check.units),
            *(tuple(line[name] for name in names) for line in lines),
        ]


def _variant(number, places, quantity):
    item = 77_000_000 + number
    return {
        "id": f"gid://shopify/ProductVariant/{item}",
        "sku": f"MANY-{number}",
        "inventoryItem": {
            "id": f"gid://shopify/InventoryItem/{item}",
            "tracked": True,
            "inventoryLevels": {
                "nodes": [
                    {
                        "id": f"gid://shopify/InventoryLevel/{item}{index}",
                        "location": {"id": place},
                        "isActive": True,
                        "quantities": [
                            {"name": name, "quantity": quantity} for name in ("available", "on_hand")
                        ],
                    }
                    for index, place in enumerate(places)
                ]
            },
        },
    }


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
        first, second, third = self.variants
        check = self.start("schedule")
        self.read(check)
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
        self.read(check)
        self.add(first.product_id, 5)
        self.push()
        self.add(second.product_id, 8)
        self.flush()  # and is to be sent in a moment
        self.finish(check)
        self.assertEqual((check.line_count, self.remote(first)), (0, 105))
        self.assertFalse(self.exceptions())

    def test_variant_that_is_linked_while_the_export_runs(self):
        check = self.start()
        self.read(check)
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
        self.read(check)
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


class TestStockCheckExportFaults(ExportCase):
    def setUp(self):
        super().setUp()
        self.many(40)
        self.set_remote(self.variants[0], 60)
        self.set_remote(self.variants[7], 15)
        self.expected = {self.variants[0].id: 40, self.variants[7].id: -5}

    def found(self, check):
        return {
            line.level_id.variant_id.id: line.difference
            for line in check.line_ids
            if line.state in ("open", "sent")
        }

    def test_killed_anywhere(self):
        """Each job is done, undone because its worker died, and done again."""
        check = self.start("schedule")
        with (
            patch.object(bulk_runner, "LINES_PER_JOB", 30),
            patch.object(stock_checker, "PAGE", 9),
        ):
            for _step in range(300):
                waiting = self.waiting()
                if not waiting:
                    break
                with self.assertRaises(SystemError), self.env.cr.savepoint():
                    self.perform(waiting)
                    raise SystemError
                self.env.invalidate_all()
                self.step()
        self.assertEqual((check.state, check.compared), ("done", 43))
        self.assertEqual(self.found(check), self.expected)
        self.assertEqual(len(self.shop(self.us).store.all("BulkOperation")), 1)

    def test_jobs_that_come_twice(self):
        """What a job wrote down stays, even when nobody learnt that it was done."""
        check = self.start("schedule")
        with patch.object(stock_checker, "PAGE", 9):
            for _step in range(300):
                waiting = self.waiting()
                if not waiting:
                    break
                self.step()
                if waiting.method_name != "_job_advance":
                    self.perform(waiting)
                    self.env.invalidate_all()
        self.assertEqual((check.state, check.compared), ("done", 43))
        self.assertEqual(len(check.line_ids), 2)
        self.assertEqual(self.found(check), self.expected)

    def test_full_house_waits(self):
        self.shop(self.us).settings.bulk_ms = 60_000
        runner = self.env["shopify.bulk.runner"]
        others = [runner._start(self.us, "stock_levels") for _each in range(5)]
        for other in others:
            runner._advance(other)
        check = self.start()
        runner._advance(check.operation_id)
        self.env.invalidate_all()
        self.assertEqual((check.state, check.operation_id.state), ("running", "waiting"))
        self.assertIn("as many exports as it allows", check.phase)
        self.assertFalse(self.exceptions())
        self.shop(self.us).settings.bulk_ms = 0
        runner._cancel(others[0])
        remote = self.shop(self.us).store.get(others[0].shopify_gid)
        for _try in range(300):
            if remote["status"] == "CANCELED":
                break
            time.sleep(0.02)
        self.finish(check)
        self.assertEqual(self.found(check), self.expected)

    def test_pages_are_read_when_exports_fail(self):
        for skip, kind in enumerate(("failed", "expired", "canceled")):
            self.shop(self.us).faults.add(kind=f"bulk_{kind}", count=1, skip=skip)
        check = self.start("schedule")
        with patch.object(stock_checker, "PAGE", 20):
            self.steps(lambda: check.compared)
            self.assertIn("cancelled in Shopify", check.phase)
            self.assertIn("page by page: 20 so far", check.phase)
            self.finish(check)
        self.assertEqual(check.operation_id.state, "failed")
        self.assertEqual(len(self.shop(self.us).store.all("BulkOperation")), 3)
        self.assertEqual((check.compared, self.found(check)), (43, self.expected))
        (exception,) = self.exceptions()
        self.assertIn("differed by 45 units", exception.name)

    def test_one_failure_is_made_good(self):
        self.shop(self.us).faults.add(kind="bulk_failed", count=1)
        check = self.check("schedule")
        self.assertEqual(check.operation_id.state, "done")
        self.assertEqual(self.found(check), self.expected)

    def test_file_that_lapses_half_read(self):
        """A second file takes the place of the first; nothing of the first one counts."""
        check = self.start("schedule")
        operation, store = check.operation_id, self.shop(self.us).store
        with patch.object(bulk_runner, "LINES_PER_JOB", 100):
            self.steps(lambda: operation.position)
            levels = self.readings().filtered("location_id")
            self.assertEqual(levels.location_id, self.location, "of others nothing is kept")
            known = (self.readings() - levels).variant_id & levels.variant_id
            self.shop(self.us).files.clear()
            # Between the two, one that was read goes from Shopify.
            gone = known.filtered(lambda variant: variant.id not in self.expected)[0]
            store.delete(gone.inventory_item_gid)
            self.finish(check)
        self.assertEqual(len(store.all("BulkOperation")), 2)
        lines = check.line_ids.filtered(lambda line: line.problem == "gone")
        self.assertEqual(lines.level_id.variant_id, gone)
        self.assertEqual(check.line_count, 3)

    def test_connection_that_breaks(self):
        check = self.start()
        self.steps(lambda: check.operation_id.state == "reading")
        self.shop(self.us).faults.add(kind="cut", operation="bulk_result", count=1)
        with self.assertRaises(RetryableJobError), self.env.cr.savepoint():
            self.step()
        self.env.invalidate_all()
        self.finish(check)
        self.assertEqual(self.found(check), self.expected)

    def test_reading_with_gaps_concludes_nothing(self):
        """What is not in the file is asked for; it is gone only when Shopify says so."""
        check = self.start("schedule")
        self.read(check)
        self.env.cr.execute("DELETE FROM shopify_stock_reading WHERE variant_id % 2 = 0")
        self.assertTrue(self.env.cr.rowcount)
        self.finish(check)
        self.assertEqual(self.found(check), self.expected)
        self.assertEqual((check.compared, check.line_count), (43, 2))

    def test_store_that_is_silent_at_the_second_look(self):
        check = self.start("schedule")
        self.steps(lambda: check.confirming)
        self.shop(self.us).faults.add(kind="http_error", operation=READ, count=1)
        with self.assertRaises(RetryableJobError) as caught, self.env.cr.savepoint():
            self.step()
        self.assertTrue(caught.exception.ignore_retry)
        self.env.invalidate_all()
        self.finish(check)
        self.assertEqual(self.found(check), self.expected)

    def test_store_that_refuses(self):
        check = self.start()
        self.set_shop(self.us, installed=False)
        self.steps(lambda: check.state != "running")
        self.assertEqual(check.state, "failed")
        self.assertIn("Compare Again", check.message)
        self.assertFalse(self.readings())

    def test_check_that_does_not_get_on(self):
        dead = self.start("schedule")
        self.read(dead)
        self.assertTrue(self.readings())
        self.assertEqual(self.start(), dead, "one at a time")
        later = fields.Datetime.now() + stock_checker.PATIENCE
        with patch.object(fields.Datetime, "now", lambda *args: later):
            check = self.start()
        self.assertNotEqual(check, dead)
        self.assertEqual((dead.state, check.state), ("failed", "running"))
        self.assertIn("Compare Again", dead.message)
        self.finish(check)
        self.assertEqual(self.found(check), self.expected)
        self.assertFalse(dead.compared)
