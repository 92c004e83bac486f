"""Returns of which no webhook told."""

from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.shopify_connector.services import return_poller

from .return_common import ReturnFlowCase


@tagged("post_install", "-at_install", "shopify")
class TestReturnPoll(ReturnFlowCase):
    def setUp(self):
        super().setUp()
        self.sent = self.ship()
        self.look()
        self.settle()
        self.known = self.binding(self.us, self.order)

    def settle(self):
        """What was read is older than a moment: only a later change of the order is news."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE shopify_order SET synced_at = shopify_updated_at + interval '1 hour'"
        )
        self.env.invalidate_all()

    def poll(self):
        """Both polls, and what comes of them.

        :return: gids that the poll of returns found
        """
        Event = self.env["shopify.webhook.event"]
        before = Event.search([], order="id desc", limit=1).id
        with trap_jobs():
            self.us._job_poll()
            self.us._job_poll_returns()
            self.env.flush_all()
        found = Event.search([("id", ">", before), ("topic", "=", "returns/poll")])
        self.drain(self.us)
        self.us._job_restock()
        self.env.flush_all()
        self.env.invalidate_all()
        return found.mapped("resource_gid")

    def test_a_return_from_its_request_to_its_goods(self):
        before = self.stock()
        self.assertEqual(self.poll(), [])
        record = self.ask()
        self.assertEqual(self.poll(), [self.order["id"]])
        item = self.known.return_ids
        self.assertEqual((item.status, self.known.return_status), ("open", "in_progress"))
        self.process_return(record)
        self.poll()
        self.assertEqual(self.stock(), before + 1)
        self.do("returnClose", "id", "ID!", record["id"])
        self.settle()
        self.assertEqual(self.poll(), [self.order["id"]])
        self.assertEqual((item.status, self.known.return_status), ("closed", "returned"))
        self.settle()
        self.assertEqual(self.poll(), [], "what is over and known is left alone")

    def test_a_return_that_was_cancelled(self):
        """Shopify says NO_RETURN then: Odoo asks because it knows of the return."""
        record = self.ask()
        self.poll()
        self.do("returnCancel", "id", "ID!", record["id"])
        self.settle()
        self.assertEqual(self.poll(), [self.order["id"]])
        self.assertEqual(self.known.return_ids.status, "canceled")
        self.assertEqual(self.known.return_status, "no_return")
        self.assertEqual(self.poll(), [])

    def test_a_return_that_came_and_went_between_two_polls(self):
        self.process_return(record := self.ask())
        self.do("returnClose", "id", "ID!", record["id"])
        self.settle()
        self.assertEqual(self.poll(), [self.order["id"]])
        self.assertEqual(self.known.return_ids.status, "closed")

    def test_orders_that_are_not_in_odoo_are_left_to_the_polling_of_orders(self):
        self.ask()
        self.known.shopify_gid = "gid://shopify/Order/1"
        with trap_jobs():
            self.us._job_poll_returns()
        self.env.flush_all()
        events = self.env["shopify.webhook.event"].search([("topic", "=", "returns/poll")])
        self.assertFalse(events)

    def test_old_orders_are_asked_for_while_a_return_is_open(self):
        record = self.ask()
        self.poll()
        self.patch(return_poller, "LOOK_BACK", timedelta(0))
        self.do("returnClose", "id", "ID!", record["id"])
        self.settle()
        self.assertEqual(self.poll(), [self.order["id"]])
        self.assertEqual(self.known.return_ids.status, "closed")

    def test_a_store_that_does_not_answer_is_asked_another_time(self):
        self.ask()
        self.shop(self.us).faults.add(kind="http_error", status=503, count=9, operation="*")
        self.assertIn("could not be asked", self.us._job_poll_returns())

    def test_the_schedule_and_the_button_ask_each_store_that_is_polled(self):
        with trap_jobs() as jobs:
            self.eu.use_polling = False
            self.env["shopify.backend"]._cron_poll_returns()
            self.assertEqual(
                [job.identity_key for job in jobs.enqueued_jobs],
                [f"shopify:{self.us.id}:poll-returns"],
            )
        self.assertEqual(self.eu._job_poll_returns(), "The store is not polled.")
        with trap_jobs() as jobs:
            self.us.action_reconcile_now()
            self.assertIn(
                f"shopify:{self.us.id}:poll-returns",
                [job.identity_key for job in jobs.enqueued_jobs],
            )

    def test_the_newest_orders_are_read_when_there_are_very_many(self):
        self.ask()
        (newer,) = self.place_orders(self.us, seed=4)
        self.sandbox.load(
            [{"__typename": "Order", "id": newer["id"], "returnStatus": "IN_PROGRESS"}],
            self.us.shop_domain,
        )
        self.patch(return_poller, "PAGE_SIZE", 1)
        self.patch(return_poller, "MAX_ITEMS", 1)
        self.assertEqual(self.poll(), [])
        self.patch(return_poller, "MAX_ITEMS", 2)
        self.assertEqual(self.poll(), [self.order["id"]])
