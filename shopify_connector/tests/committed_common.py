"""Cases with real connections and committed data, which they take away again."""

import os
import threading
from unittest import SkipTest
from unittest.mock import patch
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import _super_send, get_db_name
from odoo.tools import SQL

try:
    from shopify_sandbox import testing as sandbox_testing
except ImportError:
    sandbox_testing = None

SHOP = "inbox-concurrency.myshopify.com"
WAIT = 30


@tagged("post_install", "-at_install", "shopify")
class ConnectedCase(BaseCase):
    """The sandbox within reach, and real connections: commits and their hooks are real."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if sandbox_testing is None:
            raise SkipTest("the package shopify_sandbox is not there")
        cls.sandbox = sandbox_testing.shared_sandbox()
        cls.registry = Registry(get_db_name())
        patcher = patch.dict(
            os.environ,
            {
                "SHOPIFY_CONNECTOR_API_URL": cls.sandbox.api_url,
                "SHOPIFY_CONNECTOR_ENCRYPTION_KEY": Fernet.generate_key().decode(),
            },
        )
        patcher.start()
        cls.addClassCleanup(patcher.stop)

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        # Odoo's own handler can't compare our pairs of timeouts.
        if urlsplit(request.url).hostname == "127.0.0.1":
            return _super_send(session, request, **kwargs)
        return super()._request_handler(session, request, **kwargs)

    def forget_jobs(self):
        """Take away the jobs of stores, also while one is being enqueued."""
        with self.registry.cursor() as cr:
            cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            cr.execute("DELETE FROM queue_job WHERE identity_key LIKE 'shopify:%'")


class CommittedCase(ConnectedCase):
    """A store of its own, whose records are committed.

    :ivar backend_id: of the store
    :ivar gids: of four orders that the sandbox holds
    """

    def setUp(self):
        super().setUp()
        self.sandbox.reset(SHOP, profile="us")
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.prepare(env)
            backend = env["shopify.backend"].create(
                {
                    "name": "Concurrency",
                    "shop_domain": SHOP,
                    "client_id": sandbox_testing.CLIENT_ID,
                    "client_secret": sandbox_testing.CLIENT_SECRET,
                    "state": "ready",
                    **self.backend_values(),
                }
            )
            self.backend_id = backend.id
        self.addCleanup(self.clean)
        self.gids = [order["id"] for order in self.place_orders()]

    def prepare(self, env):
        """What is needed before the store is made."""

    def backend_values(self):
        return {}

    def place_orders(self):
        return self.sandbox.place_orders(SHOP, 4)

    def forget(self, env):
        """Take away what a test has made beside the inbox."""

    def clean(self):
        with self.registry.cursor() as cr:
            self.forget(api.Environment(cr, SUPERUSER_ID, {}))
            for table in ("shopify_order", "shopify_webhook_event", "shopify_cursor"):
                cr.execute(
                    SQL(
                        "DELETE FROM %s WHERE backend_id = %s",
                        SQL.identifier(table),
                        self.backend_id,
                    )
                )
            api.Environment(cr, SUPERUSER_ID, {})["shopify.backend"].browse(
                self.backend_id
            ).unlink()
        self.forget_jobs()

    def put(self, *gids):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            backend = env["shopify.backend"].browse(self.backend_id)
            items = [{"topic": "orders/create", "gid": gid, "source": "manual"} for gid in gids]
            env["shopify.inbox"]._put(backend, items)

    def drain(self, limit=50):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            backend = env["shopify.backend"].browse(self.backend_id)
            return env["shopify.inbox"]._drain(backend, limit=limit)

    def rows(self, query, *args):
        with self.registry.cursor() as cr:
            cr.execute(query, args)
            return cr.fetchall()

    def states(self):
        return self.rows(
            "SELECT resource_gid, state, attempts FROM shopify_webhook_event"
            " WHERE backend_id = %s ORDER BY id",
            self.backend_id,
        )

    def start(self, function, *args):
        """Run in a thread; `.result()` waits for it."""
        thread = threading.Thread(target=lambda: box.append(function(*args)), daemon=True)
        box = []
        thread.start()

        def result():
            thread.join(WAIT)
            self.assertFalse(thread.is_alive(), "it hangs")
            return box[0]

        return result
