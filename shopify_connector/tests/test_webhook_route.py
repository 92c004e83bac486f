import json
import logging
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from odoo.tests.common import HOST

from odoo.addons.shopify_connector.client.webhook import sign
from odoo.addons.shopify_connector.controllers import webhook
from odoo.addons.shopify_connector.controllers.webhook import MAX_BODY

from .common import EU_SHOP, US_SHOP, ShopifyHttpCase

LOGGER = "odoo.addons.shopify_connector.controllers.webhook"
SECRET = "shpss_of_the_tests"
BODY = json.dumps(
    {"id": 42, "admin_graphql_api_id": "gid://shopify/Order/42", "name": "#1"}
).encode()


class TestWebhookRoute(ShopifyHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.client_secret = SECRET
        cls.url = f"/shopify/webhook/{cls.us.webhook_key}"

    def deliver(self, body=BODY, url=None, secret=SECRET, **headers):
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": "orders/create",
            "X-Shopify-Shop-Domain": US_SHOP,
            "X-Shopify-Hmac-Sha256": sign(body, secret),
            "X-Shopify-Webhook-Id": "delivery-1",
            "X-Shopify-Event-Id": "event-1",
            "X-Shopify-Triggered-At": "2026-11-01T10:00:00.123456789Z",
            "X-Shopify-API-Version": "2026-10",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        response = self.url_open(url or self.url, data=body, headers=headers)
        self.env.invalidate_all()
        return response.status_code

    def events(self):
        return self.env["shopify.webhook.event"].search([("backend_id", "=", self.us.id)])

    @contextmanager
    def refused(self, reason):
        with self.assertLogs(LOGGER, logging.WARNING) as logs:
            yield
        self.assertIn(reason, logs.output[0])
        self.assertNotIn("Order/42", logs.output[0])
        self.assertFalse(self.events())

    def test_delivery(self):
        self.assertEqual(self.deliver(), 200)
        event = self.events()
        self.assertRecordValues(
            event,
            [
                {
                    "topic": "orders/create",
                    "resource_gid": "gid://shopify/Order/42",
                    "source": "webhook",
                    "state": "pending",
                    "webhook_id": "delivery-1",
                    "event_id": "event-1",
                    "api_version": "2026-10",
                    "triggered_at": "2026-11-01T10:00:00.123456789Z",
                    "body": BODY.decode(),
                    "attempts": 0,
                }
            ],
        )
        self.assertIn(event.remote_ip, ("127.0.0.1", "::1"))

    def test_doubled_delivery_is_one_event(self):
        self.assertEqual([self.deliver() for _time in range(3)], [200] * 3)
        self.assertEqual(len(self.events()), 1)
        self.assertEqual(self.deliver(X_Shopify_Topic="orders/updated"), 200)
        self.assertEqual(self.deliver(X_Shopify_Webhook_Id="delivery-2"), 200)
        self.assertEqual(len(self.events()), 3)

    def test_deliveries_without_id_are_all_kept(self):
        for _time in range(2):
            self.assertEqual(self.deliver(X_Shopify_Webhook_Id=""), 200)
        self.assertEqual(len(self.events()), 2)

    def test_wrong_secret(self):
        with self.refused("wrong signature"):
            self.assertEqual(self.deliver(secret="another"), 401)

    def test_altered_body(self):
        with self.refused("wrong signature"):
            signature = sign(BODY + b" ", SECRET)
            self.assertEqual(self.deliver(X_Shopify_Hmac_Sha256=signature), 401)

    def test_no_signature(self):
        for signature in ("", "\xe9\xe9"):
            with self.refused("wrong signature"):
                self.assertEqual(self.deliver(X_Shopify_Hmac_Sha256=signature), 401)

    def test_previous_secret_until_it_is_forgotten(self):
        self.us.client_secret = "shpss_new"
        self.assertEqual(self.deliver(), 200)
        self.assertEqual(self.deliver(secret="shpss_new", X_Shopify_Webhook_Id="2"), 200)
        self.us.action_forget_previous_secret()
        self.events().unlink()
        with self.refused("wrong signature"):
            self.assertEqual(self.deliver(), 401)

    def test_store_without_secret_accepts_nothing(self):
        self.us.action_forget_credentials()
        for secret in ("", SECRET):
            with self.refused("wrong signature"):
                self.assertEqual(self.deliver(secret=secret), 401)

    def test_other_shop(self):
        with self.refused("other shop"):
            self.assertEqual(self.deliver(X_Shopify_Shop_Domain=EU_SHOP), 401)

    def test_unknown_key(self):
        with self.refused("unknown key"):
            self.assertEqual(self.deliver(url="/shopify/webhook/nobody"), 401)

    def test_archived_store(self):
        self.us.active = False
        with self.refused("unknown key"):
            self.assertEqual(self.deliver(), 401)

    def test_too_large(self):
        body = b"x" * (MAX_BODY + 1)
        self.assertEqual(self.deliver(body), 413)
        self.assertFalse(self.events())

    def test_not_utf8(self):
        body = b'{"id": 1, "note": "\xff\xfe\x00"}'
        self.assertEqual(self.deliver(body), 200)
        self.assertFalse(self.events().resource_gid)
        self.assertIn("note", self.events().body)

    def test_escaped_slashes_as_shopify_writes_them(self):
        body = rb'{"id":42,"admin_graphql_api_id":"gid:\/\/shopify\/Order\/42","a":1}'
        self.assertEqual(self.deliver(body), 200)
        self.assertEqual(self.events().resource_gid, "gid://shopify/Order/42")

    def test_gid_of_another_kind_is_not_believed(self):
        self.assertEqual(self.deliver(X_Shopify_Topic="refunds/create"), 200)
        self.assertFalse(self.events().resource_gid)

    def test_headers_without_prefix(self):
        headers = {
            "Shopify-Topic": "orders/create",
            "Shopify-Shop-Domain": US_SHOP.upper(),
            "Shopify-Hmac-Sha256": sign(BODY, SECRET),
        }
        response = self.url_open(self.url, data=BODY, headers=headers)
        self.assertEqual(response.status_code, 200)

    def test_bodies_are_not_kept_when_the_store_says_so(self):
        self.us.payload_retention_days = 0
        self.assertEqual(self.deliver(), 200)
        self.assertFalse(self.events().body)
        compliance = json.dumps({"shop_domain": US_SHOP, "customer": {"id": 1}}).encode()
        self.deliver(compliance, X_Shopify_Topic="customers/redact", X_Shopify_Webhook_Id="2")
        self.assertTrue(self.events()[0].body)

    def test_work_of_a_delivery(self):
        """One INSERT and nothing else, once the process knows the store."""
        self.deliver()
        queries = []
        real = webhook._insert

        def count(cr, *args):
            before = cr.sql_log_count
            result = real(cr, *args)
            queries.append(cr.sql_log_count - before)
            return result

        self.patch(webhook, "_insert", count)
        with self.assertQueryCount(1):
            self.deliver(X_Shopify_Webhook_Id="2")
        self.assertEqual(queries, [1])


class TestDowntime(ShopifyHttpCase):
    """Odoo is not there for a while; the store delivers again."""

    def test_down_then_up(self):
        down = threading.Event()
        down.set()
        forwarded = []
        base_url, cookies = self.base_url(), dict(self.opener.cookies)

        class Proxy(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if down.is_set():
                    forwarded.append(503)
                    self.send_error(503)
                    return
                answer = requests.post(
                    base_url + self.path,
                    data=body,
                    headers=dict(self.headers),
                    cookies=cookies,
                    timeout=10,
                )
                forwarded.append(answer.status_code)
                self.send_response(answer.status_code)
                self.end_headers()

            def log_message(self, *args):
                return

        server = ThreadingHTTPServer((HOST, 0), Proxy)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.us.webhook_base_url = f"http://{HOST}:{server.server_port}"
        self.env["shopify.webhook.registrar"]._reconcile(self.us)
        self.env.flush_all()
        with self.allow_requests(all_requests=True):
            orders = self.place_orders(self.us, 1)
            while len(forwarded) < 2:
                threading.Event().wait(0.05)
            down.clear()
            deliveries = self.sandbox.deliveries(US_SHOP, topic="orders/create")
        self.env.invalidate_all()
        self.assertTrue(deliveries)
        events = self.env["shopify.webhook.event"].search(
            [("backend_id", "=", self.us.id), ("topic", "=", "orders/create")]
        )
        self.assertEqual(events.resource_gid, orders[0]["id"])
        self.assertIn(503, forwarded)
        self.assertIn(200, forwarded)
