"""A preview on real connections: commits and their hooks are real there."""

from odoo import SUPERUSER_ID, api

from .committed_common import ConnectedCase, sandbox_testing
from .preview_common import everything

SHOP = "preview-connections.myshopify.com"


class TestOrderPreviewConnections(ConnectedCase):
    def setUp(self):
        super().setUp()
        self.sandbox.reset(SHOP, profile="us")
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            values = {
                "name": "Connections",
                "shop_domain": SHOP,
                "client_id": sandbox_testing.CLIENT_ID,
                "client_secret": sandbox_testing.CLIENT_SECRET,
                "state": "ready",
                "confirm_policy": "always",
                "missing_product": "placeholder",
                "invoice_policy": "paid",
                "payment_journal_id": env["account.journal"]
                .search([("type", "=", "bank"), ("company_id", "=", env.company.id)], limit=1)
                .id,
            }
            self.backend_id = env["shopify.backend"].create(values).id
        self.addCleanup(self.clean)

    def clean(self):
        with self.registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})["shopify.backend"].browse(
                self.backend_id
            ).unlink()

    def previewed(self, name):
        """A preview as a request does it, committed; returns its values."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            backend = env["shopify.backend"].browse(self.backend_id)
            return env["shopify.order.previewer"]._preview(backend, name, delivered=True)

    def look(self):
        with self.registry.cursor() as cr:
            return everything(api.Environment(cr, SUPERUSER_ID, {}))

    def test_nothing_stays(self):
        # Oregon has no sales tax, so nothing has to be mapped.
        (order,) = self.sandbox.place_orders(SHOP, 1, extras=False, region="US/OR")
        # The first one also keeps the token that the store gives.
        self.previewed(order["name"])
        before = self.look()
        values = self.previewed(order["name"])
        after = self.look()
        self.assertEqual(values["headline"]["outcome"], "created")
        self.assertTrue(values["entries"])
        self.assertTrue(values["deliveries"])
        self.assertEqual(before, after)
