from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.shopify_connector.services import reconciler

from .common import ShopifyCase


class TestPoll(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.jobs = self.enterContext(trap_jobs())
        self.env.cr.execute(
            "UPDATE shopify_backend SET create_date = create_date - interval '1 hour'"
        )
        self.env.invalidate_all()
        # So that the store's own start is not what is tested.
        self.us.import_from = fields.Datetime.now() - timedelta(days=365)

    def poll(self, backend=None):
        self.env.flush_all()
        said = (backend or self.us)._job_poll()
        self.env.invalidate_all()
        return said

    def polled(self, topic="orders/poll"):
        events = self.env["shopify.webhook.event"].search(
            [("backend_id", "=", self.us.id), ("topic", "=", topic)], order="id"
        )
        return events.mapped("resource_gid")

    def cursor(self, topic="orders"):
        return self.env["shopify.cursor"].search(
            [("backend_id", "=", self.us.id), ("topic", "=", topic)]
        )

    def gids(self, count, seed=1):
        return [order["id"] for order in self.place_orders(self.us, count, seed=seed)]

    def test_finds_what_no_webhook_told(self):
        before = fields.Datetime.now()
        gids = self.gids(3)
        self.poll()
        self.assertEqual(sorted(self.polled()), sorted(gids))
        self.assertGreaterEqual(self.cursor().position, before)
        event = self.env["shopify.webhook.event"].search([("topic", "=", "orders/poll")])[0]
        self.assertEqual(event.source, "poll")
        self.assertTrue(event.updated_at)
        keys = [job.identity_key for job in self.jobs.enqueued_jobs]
        self.assertEqual(keys, [f"shopify:{self.us.id}:drain"])

    def test_what_was_applied_is_not_put_again(self):
        one, two = self.gids(2)
        updated = self.sandbox_updated(one)
        Binding = self.env["shopify.order"]
        values = {"backend_id": self.us.id, "name": "#1"}
        Binding.create({**values, "shopify_gid": one, "shopify_updated_at": updated})
        Binding.create(
            {**values, "shopify_gid": two, "shopify_updated_at": updated - timedelta(days=1)}
        )
        self.poll()
        self.assertEqual(self.polled(), [two])

    def test_what_was_applied_in_the_second_of_its_change_is_put_again(self):
        """The state that was read may lack another change of that second."""
        one, two = self.gids(2)
        updated = self.sandbox_updated(one)
        Binding = self.env["shopify.order"]
        values = {"backend_id": self.us.id, "name": "#1", "shopify_updated_at": updated}
        Binding.create({**values, "shopify_gid": one, "synced_at": updated})
        later = updated + timedelta(minutes=1)
        Binding.create({**values, "shopify_gid": two, "synced_at": later})
        self.poll()
        self.assertEqual(self.polled(), [one])

    def sandbox_updated(self, gid):
        order = self.shop(self.us).store.get(gid)
        return datetime.fromisoformat(order["updatedAt"].replace("Z", "+00:00")).replace(
            tzinfo=None
        )

    def test_starts_where_it_stopped_less_the_overlap(self):
        self.poll()
        self.cursor().position = fields.Datetime.now() + timedelta(days=1)
        gids = self.gids(1)
        self.poll()
        self.assertNotIn(gids[0], self.polled())
        self.cursor().position = fields.Datetime.now() + timedelta(minutes=4)
        self.poll()
        self.assertIn(gids[0], self.polled())

    def test_first_poll_does_not_import_the_past(self):
        self.us.import_from = False
        self.gids(1)
        self.env.cr.execute(
            "UPDATE shopify_backend SET create_date = (now() AT TIME ZONE 'utc')"
            " + interval '1 hour' WHERE id = %s",
            [self.us.id],
        )
        self.env.invalidate_all()
        self.poll()
        self.assertFalse(self.polled())

    def test_position_stays_when_the_store_does_not_answer(self):
        self.poll()
        before = fields.Datetime.now() - timedelta(hours=1)
        self.cursor().position = before
        self.shop(self.us).faults.add(kind="http_error", status=503, count=9, operation="*")
        self.assertIn("could not be asked", self.poll())
        self.assertEqual(self.cursor().position, before)

    def test_position_stays_when_nothing_could_be_put(self):
        self.poll()
        before = fields.Datetime.now() - timedelta(hours=1)
        self.cursor().position = before
        self.gids(1)
        with (
            patch.object(self.env.registry["shopify.inbox"], "_put", side_effect=OSError),
            self.assertRaises(OSError),
        ):
            self.poll()
        self.assertEqual(self.cursor().position, before)

    def test_large_windows_are_read_in_parts(self):
        gids = self.gids(5)
        self.patch(reconciler, "PAGE_SIZE", 2)
        self.patch(reconciler, "MAX_ITEMS", 2)
        self.poll()
        self.assertLess(len(set(self.polled())), 5)
        keys = [job.identity_key for job in self.jobs.enqueued_jobs]
        self.assertIn(f"shopify:{self.us.id}:poll", keys)
        latest = max(self.sandbox_updated(gid) for gid in self.polled())
        self.assertEqual(self.cursor().position, latest + reconciler.OVERLAP)
        self.patch(reconciler, "MAX_ITEMS", 100)
        self.poll()
        self.assertEqual(set(self.polled()), set(gids))

    def test_products_are_polled_too(self):
        self.poll()
        self.cursor("products").position = fields.Datetime.now() - timedelta(days=4000)
        self.poll()
        self.assertTrue(self.polled("products/poll"))

    def test_cron_respects_the_switch(self):
        self.eu.use_polling = False
        self.env["shopify.backend"]._cron_poll()
        keys = {job.identity_key for job in self.jobs.enqueued_jobs}
        self.assertEqual(keys, {f"shopify:{self.us.id}:poll"})
        self.us.use_polling = False
        self.assertEqual(self.poll(), "The store is not polled.")
