"""Import of the past: listed by an export, resumable, without consequences unless asked for."""

import time
from datetime import timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError

from odoo.addons.queue_job.exception import RetryableJobError

from ..services import bulk_runner, past_orders
from .order_common import OrderCase

RUNNER = "shopify.bulk.runner"


class HistoryCase(OrderCase):
    def setUp(self):
        super().setUp()
        self.create_products(self.us)
        self.us.auto_tax_mapping = True
        self.shop(self.us).settings.bulk_ms = 0

    def place(self, count, days=400, **wishes):
        """Orders of long ago, completely fulfilled unless said otherwise."""
        status = wishes.pop("status", "FULFILLED")
        nodes = self.place_orders(
            self.us, count, extras=False, region="US/OR", lines=1, discounts=False, **wishes
        )
        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - days * 86400))
        for node in nodes:
            self.shop(self.us).store.get(node["id"]).update(
                createdAt=then, processedAt=then, displayFulfillmentStatus=status
            )
        return nodes

    def start(self, **values):
        """Press Import; returns the import."""
        wizard = (
            self.env["shopify.order.import"]
            .with_user(self.operator)
            .create({"backend_id": self.us.id, "mode": "all", **values})
        )
        action = wizard.action_import()
        self.assertEqual(action["res_model"], "shopify.order.history", action)
        return self.env["shopify.order.history"].browse(action["res_id"])

    def advance(self, operation):
        """The next step of an export, as its job takes it."""
        said = self.env[RUNNER].with_user(self.jobs_user)._advance(operation)
        self.env.flush_all()
        self.env.invalidate_all()
        return said

    def listed(self, history):
        """Take the steps of the export until it ends."""
        operation = history.operation_id
        for _step in range(500):
            if operation.state not in ("waiting", "running", "reading"):
                return operation
            self.advance(operation)
            time.sleep(0.005)
        self.fail(f"{operation.state}: the export does not end")

    def feed(self, history):
        said = self.env["shopify.order.lister"].with_user(self.jobs_user)._feed(history)
        self.env.flush_all()
        self.env.invalidate_all()
        return said

    def finish(self, history, rounds=50):
        self.listed(history)
        for _round in range(rounds):
            self.feed(history)
            if history.state != "running":
                return history
            self.drain(self.us)
        return self.fail(f"{history.summary}: the import does not end")

    def bindings(self, nodes):
        return self.env["shopify.order"].search(
            [("shopify_gid", "in", [node["id"] for node in nodes])]
        )


class TestOrderHistory(HistoryCase):
    def test_past_has_no_consequences(self):
        nodes = self.place(3)
        self.us.write({"invoice_policy": "posted", "invoice_when": "confirmation", "reserve": True})
        mails = self.env["mail.mail"].search([], order="id desc", limit=1).id or 0
        history = self.finish(self.start())
        self.assertEqual((history.state, history.total, history.imported), ("done", 3, 3))
        self.assertEqual(history.progress, 100)
        orders = self.bindings(nodes)
        self.assertEqual(len(orders), 3)
        self.assertEqual(set(orders.mapped("historical")), {True})
        self.assertEqual(orders.history_id, history)
        sales = orders.sale_order_id
        self.assertEqual(set(sales.mapped("state")), {"sale"})
        self.assertEqual(sales.mapped("date_order"), orders.mapped("processed_at"))
        self.assertFalse(sales.picking_ids)
        self.assertFalse(orders.filtered("reserve_pending"))
        self.assertFalse(self.env["shopify.accounting.task"].search([]))
        self.env["shopify.accountant"]._account(self.us, orders)
        self.assertFalse(sales.invoice_ids)
        self.assertEqual(set(sales.mapped("invoice_status")), {"no"})
        self.assertFalse(self.env["mail.mail"].search([("id", ">", mails)]))

    def test_later_changes_bring_no_delivery(self):
        (node,) = self.place(1)
        self.finish(self.start())
        order = self.bindings([node])
        line = order.sale_order_id.order_line.filtered(lambda item: item.product_id.type == "consu")
        line[:1].product_uom_qty += 1
        self.assertFalse(order.sale_order_id.picking_ids)
        self.shop(self.us).load(
            [
                {
                    "__typename": "Order",
                    "id": node["id"],
                    "note": "Late",
                    "updatedAt": "2030-01-01T00:00:00Z",
                }
            ]
        )
        self.put(self.us, [node["id"]], source="webhook")
        self.drain(self.us)
        self.assertEqual(order.note, "Late")
        self.assertFalse(order.sale_order_id.picking_ids)
        order.with_user(self.operator).action_treat_as_new()
        self.assertTrue(order.sale_order_id.picking_ids)
        self.assertFalse(order.historical)

    def test_deliveries_of_what_was_not_sent(self):
        sent, partly = self.place(1), self.place(1, status="PARTIALLY_FULFILLED", seed=2)
        unsent = self.place(1, status="UNFULFILLED", seed=3)
        self.finish(self.start(deliveries="open"))
        self.assertFalse(self.bindings(sent + partly).sale_order_id.picking_ids)
        order = self.bindings(unsent)
        self.assertTrue(order.sale_order_id.picking_ids)
        self.assertFalse(order.reserve_pending)

    def test_all_when_asked_for(self):
        nodes = self.place(2)
        self.us.invoice_policy = "draft"
        history = self.finish(self.start(deliveries="all", reserve=True, accounting="policy"))
        orders = self.bindings(nodes)
        self.assertEqual(len(orders.sale_order_id.picking_ids), 2)
        self.assertEqual(set(orders.mapped("reserve_pending")), {True})
        self.assertFalse(orders.filtered("without_accounting"))
        self.assertTrue(self.env["shopify.accounting.task"].search([]))
        self.assertFalse(history.as_new)

    def test_waiting_order_stays_past(self):
        """What waited for a decision is of the past still when a retry brings it."""
        (node,) = self.place(1)
        self.us.missing_product = "stop"
        self.env["product.product"].search([("default_code", "!=", False)]).default_code = False
        history = self.finish(self.start())
        self.assertEqual((history.state, history.blocked), ("done", 1))
        exceptions = self.env["shopify.exception"].search(
            history.action_view_exceptions()["domain"]
        )
        self.assertEqual(exceptions.mapped("category"), ["product"])
        self.us.missing_product = "placeholder"
        self.create_products(self.us)
        self.put(self.us, [node["id"]], source="retry")
        self.drain(self.us)
        order = self.bindings([node])
        self.assertTrue(order.without_delivery)
        self.assertFalse(order.sale_order_id.picking_ids)
        history.invalidate_recordset()
        self.assertEqual((history.blocked, history.imported), (0, 1))

    def test_known_orders_stay_as_they_are(self):
        nodes = self.place(2)
        orders = self.import_orders(self.us, nodes)
        pickings = orders.sale_order_id.picking_ids
        self.assertTrue(pickings)
        history = self.finish(self.start())
        self.assertEqual(set(history.line_ids.mapped("outcome")), {"unchanged"})
        self.assertEqual(orders.sale_order_id.picking_ids, pickings)
        self.assertFalse(orders.filtered("historical"))

    # === NEW ORDERS MEANWHILE === #

    def test_new_orders_go_first_and_stay_new(self):
        old = self.place(8)
        history = self.start()
        self.listed(history)
        self.feed(history)
        fresh = self.place_orders(self.us, 2, seed=9, extras=False, region="US/OR")
        self.put(self.us, [node["id"] for node in fresh], source="webhook")
        worker = self.us._as_integration_user()
        worker.env["shopify.inbox"]._drain(worker, limit=2)
        self.env.invalidate_all()
        self.assertEqual(len(self.bindings(fresh)), 2)
        self.assertFalse(self.bindings(old))
        self.finish(history)
        self.assertEqual(len(self.bindings(old)), 8)
        self.assertTrue(all(o.sale_order_id.picking_ids for o in self.bindings(fresh)))
        self.assertFalse(self.bindings(old).sale_order_id.picking_ids)

    def test_order_that_is_on_its_way_is_new(self):
        """A new order that waits in the inbox is not made a part of the past."""
        (node,) = self.place(1, days=0, status="UNFULFILLED")
        self.us.import_from = "2020-01-01 00:00:00"
        self.put(self.us, [node["id"]], source="webhook")
        history = self.finish(self.start())
        self.assertTrue(history.line_ids.live)
        order = self.bindings([node])
        self.assertFalse(order.historical)
        self.assertTrue(order.sale_order_id.picking_ids)

    # === INTERRUPTIONS === #

    def test_killed_anywhere_and_resumed(self):
        """The jobs die at several points; each order is there exactly once."""
        nodes = self.place(60)
        history = self.start()
        operation = history.operation_id
        with (
            patch.object(bulk_runner, "LINES_PER_JOB", 13),
            patch.object(past_orders, "FEED", 17),
            patch.object(past_orders, "FEED_BELOW", 5),
        ):
            for _step in range(200):
                if operation.state not in ("waiting", "running", "reading"):
                    break
                # Killed before its transaction was through, whatever Shopify did by then.
                with self.assertRaises(SystemError), self.env.cr.savepoint():
                    self.env[RUNNER]._advance(operation)
                    raise SystemError
                self.env.invalidate_all()
                self.advance(operation)
            self.assertEqual(operation.state, "done")
            self.assertEqual(operation.line_count, 60)
            for _step in range(50):
                with self.assertRaises(SystemError), self.env.cr.savepoint():
                    self.feed(history)
                    raise SystemError
                self.env.invalidate_all()
                self.feed(history)
                if history.state == "done":
                    break
                self.drain(self.us)
        self.assertEqual((history.total, history.imported), (60, 60))
        self.assertEqual(len(self.bindings(nodes)), 60)
        events = self.env["shopify.webhook.event"].search([("source", "=", "history")])
        self.assertEqual(sorted(events.mapped("resource_gid")), sorted(n["id"] for n in nodes))
        # The start was repeated after the kill, and found what it had begun.
        self.assertEqual(len(self.shop(self.us).store.all("BulkOperation")), 1)

    def test_file_breaks_off(self):
        nodes = self.place(40)
        history = self.start()
        self.shop(self.us).faults.add(kind="cut", operation="bulk_result", count=1)
        operation = history.operation_id
        while operation.state in ("waiting", "running"):
            self.advance(operation)
        with self.assertRaises(RetryableJobError), self.env.cr.savepoint():
            self.advance(operation)
        self.env.invalidate_all()
        self.finish(history)
        self.assertEqual(len(self.bindings(nodes)), 40)

    def test_pause_and_resume(self):
        nodes = self.place(6)
        history = self.start()
        self.listed(history)
        self.feed(history)
        history.with_user(self.operator).action_pause()
        self.env.invalidate_all()
        self.assertEqual(set(history.line_ids.mapped("outcome")), {"listed"})
        self.feed(history)
        self.drain(self.us)
        self.assertFalse(self.bindings(nodes))
        history.with_user(self.operator).action_resume()
        self.finish(history)
        self.assertEqual(len(self.bindings(nodes)), 6)

    def test_cancel(self):
        nodes = self.place(3)
        self.shop(self.us).settings.bulk_ms = 60_000
        history = self.start()
        self.advance(history.operation_id)
        history.with_user(self.operator).action_cancel()
        self.assertEqual((history.state, history.operation_id.state), ("canceled", "canceled"))
        (remote,) = self.shop(self.us).store.all("BulkOperation")
        self.assertIn(remote["status"], ("CANCELING", "CANCELED"))
        self.shop(self.us).settings.bulk_ms = 0
        self.feed(history)
        self.assertFalse(self.bindings(nodes))

    # === SHOPIFY === #

    def test_sixth_export_waits(self):
        self.place(1)
        self.shop(self.us).settings.bulk_ms = 60_000
        others = [self.start().operation_id for _index in range(5)]
        for operation in others:
            self.advance(operation)
        self.assertEqual(set(b.state for b in others), {"running"})
        sixth = self.start()
        self.advance(sixth.operation_id)
        self.assertEqual((sixth.operation_id.state, sixth.state), ("waiting", "running"))
        self.assertFalse(self.env["shopify.exception"].search([("category", "=", "other")]))
        self.shop(self.us).settings.bulk_ms = 0
        self.env[RUNNER]._cancel(others[0])
        for _try in range(300):
            remote = self.shop(self.us).store.get(others[0].shopify_gid)
            if remote["status"] == "CANCELED":
                break
            time.sleep(0.02)
        self.finish(sixth)
        self.assertEqual(sixth.imported, 1)

    def test_failures_are_tried_again_then_shown(self):
        nodes = self.place(4)
        for skip, kind in enumerate(("failed", "expired", "canceled")):
            self.shop(self.us).faults.add(kind=f"bulk_{kind}", count=1, skip=skip)
        history = self.start()
        operation = self.listed(history)
        self.assertEqual((operation.state, history.state), ("failed", "failed"))
        self.assertEqual(len(self.shop(self.us).store.all("BulkOperation")), 3)
        exception = self.env["shopify.exception"].search([("key", "=", f"bulk|{operation.id}")])
        self.assertIn("cancelled in Shopify", exception.message)
        self.assertEqual((exception.res_model, exception.res_id), (history._name, history.id))
        exception.with_user(self.operator).action_retry()
        self.env.invalidate_all()
        self.assertEqual((exception.state, operation.state), ("resolved", "waiting"))
        history.with_user(self.operator).action_resume()
        self.finish(history)
        self.assertEqual(len(self.bindings(nodes)), 4)

    def test_lapsed_file_is_exported_anew(self):
        nodes = self.place(4)
        history = self.start()
        operation = history.operation_id
        while operation.state != "reading":
            self.advance(operation)
        self.shop(self.us).files.clear()
        self.finish(history)
        self.assertEqual(len(self.bindings(nodes)), 4)
        self.assertEqual(len(self.shop(self.us).store.all("BulkOperation")), 2)

    def test_nothing_found(self):
        history = self.finish(self.start())
        self.assertEqual((history.state, history.total), ("done", 0))

    def test_webhook_makes_it_look_at_once(self):
        self.place(1)
        history = self.start()
        operation = history.operation_id
        self.advance(operation)
        self.assertEqual(operation.state, "running")
        self.env.cr.execute("UPDATE queue_job SET state = 'done' WHERE eta IS NULL")
        later = [("method_name", "=", "_job_advance"), ("state", "=", "pending")]
        self.assertTrue(self.env["queue.job"].search(later).eta)
        self.put(self.us, [operation.shopify_gid], "bulk_operations/finish", "webhook")
        self.drain(self.us)
        self.assertEqual(self.env["queue.job"].search_count([*later, ("eta", "=", False)]), 1)
        event = self.env["shopify.webhook.event"].search(
            [("resource_gid", "=", operation.shopify_gid)]
        )
        self.assertEqual(event.state, "done")

    # === THE WIZARD === #

    def test_without_the_scope_it_says_so(self):
        old, new = self.place(1), self.place(1, days=10, seed=2)
        settings = self.shop(self.us).settings
        settings.scopes = [scope for scope in settings.scopes if scope != "read_all_orders"]
        wizard = self.env["shopify.order.import"].create({"backend_id": self.us.id, "mode": "all"})
        self.assertEqual(wizard.action_import()["res_model"], "shopify.order.import")
        self.assertTrue(wizard.visible_from)
        self.assertFalse(self.env["shopify.order.history"].search([]))
        action = wizard.action_import()
        history = self.env["shopify.order.history"].browse(action["res_id"])
        self.finish(history)
        self.assertTrue(history.visible_from)
        self.assertEqual(len(self.bindings(new)), 1)
        self.assertFalse(self.bindings(old))

    def test_range_as_the_past(self):
        inside, outside = self.place(1, days=20), self.place(1, days=40, seed=2)
        wizard = self.env["shopify.order.import"].create({"backend_id": self.us.id})
        self.assertEqual(wizard.treatment, "new")
        wizard.date_from = wizard._default_date_from() - timedelta(days=20)
        wizard.treatment = "past"
        history = self.env["shopify.order.history"].browse(wizard.action_import()["res_id"])
        self.finish(history)
        self.assertTrue(self.bindings(inside).historical)
        self.assertFalse(self.bindings(outside))

    def test_many_new_orders_go_by_export(self):
        nodes = self.place(3, days=1, status="UNFULFILLED")
        with patch("odoo.addons.shopify_connector.wizards.shopify_order_import.MANY", 2):
            history = self.start(mode="range")
        self.assertTrue(history.as_new)
        self.finish(history)
        orders = self.bindings(nodes)
        self.assertFalse(orders.filtered("historical"))
        self.assertEqual(len(orders.sale_order_id.picking_ids), 3)

    def test_access(self):
        history = self.start()
        self.assertEqual(history.with_user(self.auditor).total, 0)
        with self.assertRaises(AccessError):
            history.with_user(self.auditor).action_pause()
        self.assertFalse(
            self.env["shopify.order.history"]
            .with_user(self.auditor)
            .with_company(self.eu_company)
            .with_context(allowed_company_ids=self.eu_company.ids)
            .search([])
        )
