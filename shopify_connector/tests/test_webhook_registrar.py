import os
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.shopify_connector.const import API_VERSION, WEBHOOK_TOPICS
from odoo.addons.shopify_connector.services import webhook_registrar

from .common import ShopifyCase


class TestWebhookRegistrar(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.us.webhook_base_url = "https://odoo.example.com"
        self.Registrar = self.env["shopify.webhook.registrar"]
        self.address = f"https://odoo.example.com/shopify/webhook/{self.us.webhook_key}"

    def reconcile(self):
        result = self.Registrar._reconcile(self.us)
        self.env.invalidate_all()
        return {key: len(topics) for key, topics in result.items()}

    def held(self):
        client = self.env["shopify.client.factory"]._client(self.us)
        return list(client.paginate("webhook_subscriptions", "webhookSubscriptions"))

    def counts(self, **counts):
        return {"created": 0, "updated": 0, "deleted": 0, "kept": 0, "refused": 0, **counts}

    def test_first_time(self):
        self.assertEqual(self.reconcile(), self.counts(created=len(WEBHOOK_TOPICS)))
        self.assertEqual({node["uri"] for node in self.held()}, {self.address})
        self.assertEqual({node["topic"] for node in self.held()}, set(WEBHOOK_TOPICS))
        lines = self.us.subscription_ids
        self.assertEqual(set(lines.mapped("state")), {"active"})
        self.assertIn("orders/create", lines.mapped("topic"))
        self.assertIn("app/uninstalled", lines.mapped("topic"))
        self.assertEqual(set(lines.mapped("api_version")), {API_VERSION})

    def test_topics_whose_scope_is_missing_are_left_out(self):
        scopes = [scope for scope in self.shop(self.us).settings.scopes if "returns" not in scope]
        self.set_shop(self.us, scopes=scopes)
        without = {topic for topic in WEBHOOK_TOPICS if not topic.startswith("RETURNS_")}
        self.assertEqual(self.reconcile(), self.counts(created=len(without)))
        self.assertEqual({node["topic"] for node in self.held()}, without)

    def test_second_time_changes_nothing(self):
        self.reconcile()
        before = self.held()
        line = self.us.subscription_ids[0]
        line.last_delivery_at = "2026-11-01 10:00:00"
        topic = line.topic
        self.assertEqual(self.reconcile(), self.counts(kept=len(WEBHOOK_TOPICS)))
        self.assertEqual(self.held(), before)
        again = self.us.subscription_ids.filtered(lambda other: other.topic == topic)
        self.assertEqual(str(again.last_delivery_at), "2026-11-01 10:00:00")

    def test_repairs_what_shopify_deleted(self):
        self.reconcile()
        client = self.env["shopify.client.factory"]._client(self.us)
        for node in self.held()[:2]:
            client.mutate("webhook_subscription_delete", {"id": node["id"]})
        self.assertEqual(self.reconcile(), self.counts(created=2, kept=len(WEBHOOK_TOPICS) - 2))

    def test_moved_odoo(self):
        self.reconcile()
        self.us.webhook_base_url = "https://new.example.com"
        self.assertEqual(self.reconcile(), self.counts(updated=len(WEBHOOK_TOPICS)))
        address = self.address.replace("odoo.example.com", "new.example.com")
        self.assertEqual({node["uri"] for node in self.held()}, {address})
        self.assertEqual(len(self.held()), len(WEBHOOK_TOPICS))

    def test_new_api_version_makes_them_again(self):
        self.patch(webhook_registrar, "_version", lambda node: "2026-07")
        self.reconcile()
        before = {node["id"] for node in self.held()}
        self.assertEqual(self.reconcile(), self.counts(updated=len(WEBHOOK_TOPICS)))
        after = {node["id"] for node in self.held()}
        self.assertEqual(len(after), len(WEBHOOK_TOPICS))
        self.assertFalse(before & after)

    def test_of_others_are_left_alone(self):
        client = self.env["shopify.client.factory"]._client(self.us)
        other = "https://other.example.com/hook"
        client.mutate(
            "webhook_subscription_create",
            {"topic": "ORDERS_CREATE", "webhookSubscription": {"uri": other, "format": "JSON"}},
        )
        self.assertEqual(self.reconcile(), self.counts(created=len(WEBHOOK_TOPICS)))
        foreign = self.us.subscription_ids.filtered(lambda line: line.state == "foreign")
        self.assertEqual(foreign.address, other)
        self.us.use_webhooks = False
        self.assertEqual(self.reconcile(), self.counts(deleted=len(WEBHOOK_TOPICS)))
        self.assertEqual([node["uri"] for node in self.held()], [other])

    def test_refused_topics_are_listed_and_reported(self):
        topics = [*WEBHOOK_TOPICS, "PAYOUTS_CREATE"]
        with patch.object(self.env.registry[self.Registrar._name], "_topics", lambda *a: topics):
            result = self.reconcile()
            self.us._job_reconcile_webhooks()
        self.assertEqual(result["refused"], 1)
        missing = self.us.subscription_ids.filtered(lambda line: line.state == "missing")
        self.assertEqual(missing.topic, "payouts/create")
        self.assertIn("invalid value", missing.message)
        exception = self.env["shopify.exception"].search([("key", "=", "webhooks")])
        self.assertIn("payouts/create", exception.message)
        self.us._job_reconcile_webhooks()
        self.env.invalidate_all()
        self.assertEqual(exception.state, "resolved")

    def test_address_must_be_one_that_shopify_reaches(self):
        self.us.webhook_base_url = "http://odoo.example.com"
        with (
            patch.dict(os.environ, {"SHOPIFY_CONNECTOR_API_URL": ""}),
            self.assertRaisesRegex(UserError, "https"),
        ):
            self.Registrar._address(self.us)

    @mute_logger("odoo.addons.shopify_connector.client.client")
    def test_store_that_does_not_answer(self):
        self.reconcile()
        self.shop(self.us).faults.add(kind="http_error", status=503, count=9, operation="*")
        self.assertIn("could not be asked", self.us._job_reconcile_webhooks())
        self.assertEqual(len(self.us.subscription_ids), len(WEBHOOK_TOPICS))

    def test_cron(self):
        self.eu.use_webhooks = False
        with trap_jobs() as jobs:
            self.env["shopify.webhook.subscription"]._cron_reconcile()
        keys = {job.identity_key for job in jobs.enqueued_jobs}
        self.assertEqual(keys, {f"shopify:{self.us.id}:webhooks"})
