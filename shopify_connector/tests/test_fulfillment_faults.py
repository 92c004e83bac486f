"""Exactly once, whatever fails: lost answers, refusals, killed workers, other people at work."""

from contextlib import suppress
from unittest.mock import patch

from odoo.addons.shopify_connector.client.client import ShopifyClient
from odoo.addons.shopify_connector.client.errors import UserError, UserErrorsError
from odoo.addons.shopify_connector.services import fulfillment_exporter

from .fulfillment_common import FulfillmentCase

CREATE = "FulfillmentCreate"
MOVE = """mutation M($id: ID!, $to: ID!, $lines: [FulfillmentOrderLineItemInput!]) {
    fulfillmentOrderMove(id: $id, newLocationId: $to, fulfillmentOrderLineItems: $lines) {
        userErrors { message } } }"""


class Killed(BaseException):
    """The worker is gone, in the middle of whatever it did."""


class TestFulfillmentFaults(FulfillmentCase):
    def assertOnce(self, sale, lines=None, numbers=("1Z999",)):
        expected = (lines or {"A": 3, "B": 1}, list(numbers), True)
        self.assertEqual(self.shipped(sale), [expected])
        self.assertEqual(self.rows().mapped("state"), ["done"])
        self.assertEqual(self.rows().shopify_gid, self.fulfillments(sale)[0]["id"])
        self.assertFalse(self.exceptions())

    def one(self, **fault):
        sale = self.order()
        self.ship(sale)
        self.fault(**fault)
        return sale

    # -- answers that get lost ------------------------------------------------------------------

    def test_timeout_after_the_write(self):
        """Shopify did it and mailed the customer, but we never heard of it."""
        sale = self.one(kind="timeout_after_write", ms=10)
        self.push(later=False)
        self.assertEqual(len(self.fulfillments(sale)), 1)
        row = self.rows()
        self.assertEqual((row.state, row.shopify_gid), ("sending", False))
        self.assertTrue(row.sent_at)
        self.push()
        self.assertOnce(sale)
        self.assertEqual(self.calls(CREATE), 1)

    def test_timeout_after_the_write_without_a_number(self):
        sale = self.order()
        self.ship(sale, tracking=False)
        self.fault("timeout_after_write", ms=10)
        self.push()
        self.assertOnce(sale, numbers=())
        self.assertEqual(self.calls(CREATE), 1)

    def test_timeout_before_the_write(self):
        sale = self.one(kind="no_answer", ms=10)
        self.push()
        self.assertOnce(sale)
        self.assertEqual(self.calls(CREATE), 2)

    def test_after_a_lost_answer_it_waits_a_while(self):
        """Shopify may still be at work on it, so nobody looks at once."""
        self.one(kind="timeout_after_write", ms=10)
        self.push(later=False)
        self.assertEqual(self.push(later=False), "Nothing waits.")

    def test_timeouts_of_parcels_that_look_the_same(self):
        sale = self.order(lines=[("A", 3)])
        for _parcel in range(3):
            self.ship(sale, {"A": 1}, tracking=False)
        self.fault("timeout_after_write", count=3, ms=10)
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 1}, [], True)] * 3)
        self.assertEqual(len(set(self.rows().mapped("shopify_gid"))), 3)
        self.assertEqual(self.calls(CREATE), 3)

    def test_connection_reset_and_server_errors(self):
        sale = self.one(kind="reset")
        self.fault("http_error", status=503, count=2)
        self.push()
        self.assertOnce(sale)

    def test_lost_too_often(self):
        sale, other = self.order(1001), self.order(1002)
        self.ship(sale)
        self.fault("no_answer", count=None, ms=1)
        for _attempt in range(fulfillment_exporter.MAX_ATTEMPTS):
            self.rows().filtered("next_attempt_at").next_attempt_at = "2026-01-01"
            self.push(later=False)
        self.assertEqual(self.rows().state, "waiting")
        exception = self.exceptions()
        self.assertIn("may have done it", exception.message)
        self.shop(self.us).faults.clear()
        # It holds up nobody.
        self.ship(other)
        self.push()
        self.assertEqual(len(self.shipped(other)), 1)
        self.rows().filtered(lambda row: row.state == "waiting").action_push()
        self.push()
        self.assertEqual(len(self.shipped(sale)), 1)
        self.assertFalse(self.exceptions())

    def test_tracking_that_changed_while_the_answer_was_lost(self):
        sale = self.order()
        picking = self.ship(sale, tracking="OLD")
        self.fault("timeout_after_write", ms=10)
        self.push(later=False)
        picking.carrier_tracking_ref = "NEW"
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["NEW"], True)])
        self.assertEqual(self.calls(CREATE), 1)

    # -- no budget, no access -------------------------------------------------------------------

    def test_throttled_write(self):
        sale = self.one(kind="throttled")
        self.push(later=False)
        self.assertFalse(self.fulfillments(sale))
        self.assertEqual(self.rows().attempts, 0, "that was no attempt")
        self.push()
        self.assertOnce(sale)

    def test_throttled_read(self):
        sale = self.one(kind="throttled", operation="OrderFulfillmentOrders")
        self.push()
        self.assertOnce(sale)

    def test_missing_scope(self):
        sale = self.order()
        self.ship(sale)
        scopes = self.shop(self.us).settings.scopes
        self.set_shop(self.us, scopes=[s for s in scopes if "fulfillment_orders" not in s])
        self.push(later=False)
        self.assertEqual(self.exceptions().category, "scope")
        self.assertEqual(self.rows().state, "pending")
        self.set_shop(self.us, scopes=scopes)
        self.push()
        self.assertOnce(sale)

    def test_the_app_was_uninstalled(self):
        sale = self.order()
        self.ship(sale)
        self.set_shop(self.us, installed=False)
        self.push(later=False)
        self.assertEqual(self.exceptions().category, "credentials")
        self.set_shop(self.us, installed=True)
        self.push()
        self.assertOnce(sale)

    # -- somebody else is at work ---------------------------------------------------------------

    def meanwhile(self, change):
        """Something happens between our look and our call, once."""
        original = type(self.env["shopify.fulfillment.exporter"])._decide
        done = []

        def _decide(exporter, *args, **options):
            steps = original(exporter, *args, **options)
            if not done:
                done.append(change())
            return steps

        return patch.object(self.env.registry["shopify.fulfillment.exporter"], "_decide", _decide)

    def waiting_at_shopify(self, sale):
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        return store.related(order, "fulfillmentOrders")[0]

    def test_the_goods_were_moved_meanwhile(self):
        sale = self.order()
        self.ship(sale)
        waiting = self.waiting_at_shopify(sale)
        part = {"id": waiting["lineItems"][0], "quantity": 2}

        def move():
            variables = {"id": waiting["id"], "to": self.places[1], "lines": [part]}
            self.sandbox.graphql(MOVE, variables, self.us.shop_domain)

        with self.meanwhile(move):
            self.push()
        self.assertOnce(sale)
        self.assertEqual(self.fulfillments(sale)[0]["location"], self.places[0])

    def test_the_fulfilment_order_was_closed_meanwhile(self):
        sale = self.order()
        self.ship(sale)
        gid = self.waiting_at_shopify(sale)["id"]
        store = self.shop(self.us).store
        with self.meanwhile(lambda: store.put(gid, "FulfillmentOrder", {"status": "CLOSED"})):
            self.push()
        self.assertFalse(self.fulfillments(sale))
        self.assertEqual(self.rows().state, "waiting")
        self.assertIn("does not wait for", self.exceptions().message)
        store.put(gid, "FulfillmentOrder", {"status": "OPEN"})
        self.rows().action_push()
        self.push()
        self.assertOnce(sale)

    def test_somebody_fulfilled_it_meanwhile(self):
        sale = self.order()
        self.ship(sale)
        gid = self.waiting_at_shopify(sale)["id"]
        given = {
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": gid}],
            "trackingInfo": {"number": "1Z999", "company": "UPS"},
            "notifyCustomer": True,
        }
        query = (
            "mutation F($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f)"
            " { userErrors { message } } }"
        )
        with self.meanwhile(lambda: self.sandbox.graphql(query, {"f": given}, self.us.shop_domain)):
            self.push()
        self.assertOnce(sale)

    def test_refused_for_good(self):
        sale = self.order()
        self.ship(sale)

        def mutate(_client, operation, _variables):
            errors = (UserError(("fulfillment",), "No access to it."),)
            raise UserErrorsError(operation, errors, payload={})

        with patch.object(ShopifyClient, "mutate", mutate):
            self.push()
        self.assertFalse(self.fulfillments(sale))
        exception = self.exceptions()
        self.assertIn("No access to it.", exception.message)
        self.assertIn("write_merchant_managed_fulfillment_orders", exception.remedy)
        exception.action_retry()
        self.drain(self.us)
        self.push()
        self.assertOnce(sale)

    # -- workers that die -----------------------------------------------------------------------

    def kill(self):
        """The worker dies when it heard the answer and before it noted it."""

        def _record(*_args):
            raise Killed

        self.env.flush_all()
        # No assertRaises: it would take back what was committed before.
        planner = self.env.registry["shopify.fulfillment.planner"]
        with patch.object(planner, "_record", _record), suppress(Killed):
            self.us._job_push_fulfillments()
        self.env.invalidate_all()

    def test_killed_worker(self):
        sale = self.order()
        self.ship(sale)
        self.kill()
        row = self.rows()
        self.assertEqual((row.state, len(self.fulfillments(sale))), ("sending", 1))
        self.assertEqual(self.push(), "Nothing waits.", "its lease holds")
        row.lease_pid = 1
        self.env.flush_all()
        self.env["shopify.backend"]._cron_fulfillments()
        self.env.invalidate_all()
        self.push()
        self.assertOnce(sale)
        self.assertEqual(self.calls(CREATE), 1)

    def test_a_lease_ends(self):
        sale = self.order()
        self.ship(sale)
        self.kill()
        self.rows().lease_until = "2026-01-01"
        self.push()
        self.assertOnce(sale)

    def test_what_another_job_is_at_work_on_is_left_to_it(self):
        first, second = self.order(1001), self.order(1002)
        self.ship(first)
        exporter = self.env["shopify.fulfillment.exporter"]
        self.env.flush_all()
        claim = exporter._claim(self.us, 10)
        self.ship(second)
        self.env.flush_all()
        other = exporter._claim(self.us, 10)
        self.assertEqual(list(claim.rows), [first.shopify_order_id.shopify_gid])
        self.assertEqual(list(other.rows), [second.shopify_order_id.shopify_gid])

    def test_one_that_fails_holds_up_no_other(self):
        bad, good = self.order(1001), self.order(1002)
        self.ship(bad)
        self.ship(good)
        original = type(self.env["shopify.fulfillment.values"])._lines

        def _lines(values, row):
            if row.order_id.name == "#1001":
                raise ZeroDivisionError("odd")
            return original(values, row)

        with patch.object(self.env.registry["shopify.fulfillment.values"], "_lines", _lines):
            self.push()
        self.assertEqual(len(self.shipped(good)), 1)
        self.assertFalse(self.fulfillments(bad))
        self.assertIn("ZeroDivisionError", self.exceptions().details)

    # -- the cron and the jobs ------------------------------------------------------------------

    def test_the_cron_enqueues_a_job(self):
        self.ship(self.order())
        self.env.flush_all()
        jobs = self.env["queue.job"].search([])
        self.env["shopify.backend"]._cron_fulfillments()
        job = self.env["queue.job"].search([]) - jobs
        self.assertEqual(job.method_name, "_job_push_fulfillments")
        self.assertEqual(job.channel, "root.shopify.fulfillment")
        self.assertEqual(job.user_id, self.us.user_id)

    def test_a_commit_enqueues_a_job(self):
        fulfillment_exporter._covered_until.clear()
        jobs = self.env["queue.job"].search([])
        self.ship(self.order())
        self.env.flush_all()
        self.env.cr.postcommit.run()
        self.env.invalidate_all()
        job = self.env["queue.job"].search([]) - jobs
        self.assertIn("_job_push_fulfillments", job.mapped("method_name"))
