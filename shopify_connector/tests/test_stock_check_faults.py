"""What may go wrong while the check of a large store reads its export."""

import time
from unittest.mock import patch

from odoo import fields

from odoo.addons.queue_job.exception import RetryableJobError

from ..services import bulk_runner, stock_checker
from .stock_check_common import ExportCase

READ = "InventoryLevels"


class TestStockCheckFaults(ExportCase):
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
        self.read_export(check)
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
        self.read_export(dead)
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

    def test_export_for_which_nobody_waits(self):
        """Its file is not read any more once the check was given up."""
        dead = self.start("schedule")
        self.steps(lambda: dead.operation_id.state == "reading")
        later = fields.Datetime.now() + stock_checker.PATIENCE
        with patch.object(fields.Datetime, "now", lambda *args: later):
            check = self.start()
        self.assertEqual(dead.operation_id.state, "canceled")
        self.finish(check)
        self.assertFalse(dead.operation_id.line_count)
        self.assertEqual(self.found(check), self.expected)
