import json

from .common import EU_SHOP, US_SHOP
from .test_inbox_drain import InboxCase


class TestInboxNotices(InboxCase):
    def notify(self, topic, **content):
        body = json.dumps({"shop_domain": US_SHOP, **content})
        event = self.Event.create(
            {"backend_id": self.us.id, "topic": topic, "body": body, "source": "webhook"}
        )
        self.drain_once()
        return event

    def uninstall(self):
        self.shop(self.us).settings.installed = False
        return self.notify("app/uninstalled", id=1, shop_domain=None, myshopify_domain=US_SHOP)

    def test_uninstalled_store_is_not_called_any_more(self):
        self.assertEqual(self.uninstall().state, "done")
        self.assertEqual(self.us.state, "error")
        self.assertTrue(self.us.uninstalled_at)
        exception = self.Exception.search([("key", "=", "uninstalled")])
        self.assertEqual((exception.category, exception.state), ("credentials", "open"))
        self.shop(self.us).log.clear()
        self.put(self.us, self.order_gids(1))
        self.drain_once()
        self.us._job_poll()
        self.us._job_reconcile_webhooks()
        self.assertFalse(list(self.shop(self.us).log))
        self.us.state = "ready"
        self.assertFalse(self.us.uninstalled_at)

    def test_late_notice_is_not_believed(self):
        event = self.notify("app/uninstalled", id=1, shop_domain=None, myshopify_domain=US_SHOP)
        self.assertEqual(event.state, "skipped")
        self.assertEqual(self.us.state, "ready")

    def test_body_of_another_topic_is_no_notice(self):
        self.shop(self.us).settings.installed = False
        for content in ({"shop_domain": None, "id": 5}, {"shop_domain": EU_SHOP}):
            self.assertEqual(self.notify("app/uninstalled", **content).state, "failed")
        redact = self.notify("shop/redact", shop_id=1, customer={"id": 3})
        self.assertEqual(redact.state, "failed")
        self.assertEqual(self.us.state, "ready")

    def customer(self):
        partner = self.env["res.partner"].create({"name": "Ada"})
        self.env["shopify.customer"].create(
            {
                "backend_id": self.us.id,
                "shopify_gid": "gid://shopify/Customer/7",
                "partner_id": partner.id,
            }
        )
        return partner

    def test_data_request(self):
        partner = self.customer()
        self.notify("customers/data_request", customer={"id": 7}, data_request={"id": 99})
        exception = self.Exception.search([("key", "like", "data_request:")])
        self.assertIn("Ada", exception.message)
        self.assertNotIn("Ada", exception.name)
        self.assertEqual(exception.action_fix()["res_id"], partner.id)

    def test_customer_redact(self):
        self.customer()
        order = "gid://shopify/Order/70"
        values = {"backend_id": self.us.id, "topic": "orders/create", "body": "{}"}
        theirs = self.Event.create({**values, "resource_gid": order, "state": "done"})
        other = self.Event.create(
            {**values, "resource_gid": "gid://shopify/Order/71", "state": "done"}
        )
        self.notify("customers/redact", customer={"id": 7}, orders_to_redact=[70])
        self.assertFalse(theirs.body)
        self.assertTrue(other.body)
        exception = self.Exception.search([("key", "=", "redact:gid://shopify/Customer/7")])
        self.assertIn("Ada", exception.message)

    def test_redact_of_somebody_unknown(self):
        event = self.notify("customers/redact", customer={"id": 8}, orders_to_redact=[])
        self.assertEqual(event.state, "done")
        self.assertFalse(self.Exception.search([("backend_id", "=", self.us.id)]))

    def test_shop_redact(self):
        self.shop(self.us).settings.installed = False
        event = self.notify("shop/redact", shop_id=1)
        self.assertEqual(event.state, "done")
        self.assertFalse(event.body)
        self.assertFalse(self.us._webhook_secrets())
        self.assertEqual(self.us.state, "draft")

    def test_shop_redact_of_a_connected_store(self):
        event = self.notify("shop/redact", shop_id=1)
        self.assertEqual(event.state, "skipped")
        self.assertTrue(self.us._webhook_secrets())

    def test_unknown_topic(self):
        self.assertEqual(self.notify("themes/update", id=1).state, "skipped")
