"""What the tests of the stock export share."""

import uuid
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import ShopifyCase


@tagged("post_install", "-at_install", "shopify")
class StockCase(ShopifyCase):
    """The US store with one location that shows the warehouse, and variants with stock.

    :ivar variants: three ``shopify.variant``, linked with products of 100 units each, in step
    :ivar location: the ``shopify.location`` that is exported
    """

    names = ("SMA", "SMB", "SMC")

    def setUp(self):
        super().setUp()
        self.us.user_id = self.jobs_user
        self.env["shopify.location.importer"]._import(self.us)
        self.location = self.us.location_ids[0]
        self.other = self.us.location_ids[1]
        self.location.warehouse_id = self.us.warehouse_id
        self.remote_variants = [
            variant
            for variant in self.shop(self.us).store.all("ProductVariant")
            if self.remote_item(variant).get("tracked")
        ]
        self.variants = self.link(self.remote_variants[:3], 100)
        self.us.push_stock = True
        self.flush()

    def remote_item(self, remote_variant):
        return self.shop(self.us).store.get(remote_variant["inventoryItem"])

    def link(self, remote, quantity, backend=None):
        """Make variants and products with stock for variants of the sandbox."""
        backend = backend or self.us
        products = self.env["product.product"].create(
            [
                {"name": node["sku"], "default_code": node["sku"], "is_storable": True}
                for node in remote
            ]
        )
        for product in products if quantity else ():
            self.add(product, quantity)
        return self.env["shopify.variant"].create(
            [
                {
                    "backend_id": backend.id,
                    "shopify_gid": node["id"],
                    "sku": node["sku"],
                    "title": node["sku"],
                    "inventory_item_gid": node["inventoryItem"],
                    "product_id": product.id,
                }
                for node, product in zip(remote, products, strict=True)
            ]
        )

    def add(self, product, quantity, place=None):
        place = place or self.us.warehouse_id.lot_stock_id
        self.env["stock.quant"]._update_available_quantity(product, place, quantity)

    def flush(self):
        """What the end of a transaction does."""
        self.env.cr.flush()

    def push(self, backend=None, force=True):
        """Export as the job does; the time to wait is not waited for."""
        backend = (backend or self.us)._as_integration_user()
        self.flush()
        said = backend.env["shopify.stock.exporter"]._push(backend, force=force)
        self.env.invalidate_all()
        return said

    def in_step(self):
        """The first comparison: Shopify has what Odoo has."""
        self.env["shopify.outbox"]._put_all(self.us, "manual")
        self.push()
        self.shop(self.us).log.clear()

    def remote(self, variant, location=None, name="available"):
        """The quantity in the sandbox, None where it was never stocked."""
        location = location or self.location
        store = self.shop(self.us).store
        item = store.get(variant.inventory_item_gid)
        for level in store.related(item, "inventoryLevels"):
            if level["location"] == location.shopify_gid:
                held = {entry["name"]: entry["quantity"] for entry in level["quantities"]}
                return held.get(name, 0)
        return None

    def set_remote(self, variant, quantity, location=None, name="available"):
        """Somebody changes the quantity in Shopify's admin."""
        location = location or self.location
        answer = self.sandbox.graphql(
            "mutation($i: InventorySetQuantitiesInput!, $key: String!) {"
            " inventorySetQuantities(input: $i) @idempotent(key: $key) {"
            " userErrors { message } } }",
            {
                "key": str(uuid.uuid4()),
                "i": {
                    "name": name,
                    "reason": "correction",
                    "quantities": [
                        {
                            "inventoryItemId": variant.inventory_item_gid,
                            "locationId": location.shopify_gid,
                            "quantity": quantity,
                            "changeFromQuantity": None,
                        }
                    ],
                },
            },
            self.us.shop_domain,
        )
        self.assertFalse(answer["data"]["inventorySetQuantities"]["userErrors"], answer)
        self.shop(self.us).log.clear()

    def calls(self, operation=None):
        """The requests that the sandbox got: names of operations."""
        names = [entry["operation"] for entry in self.shop(self.us).log]
        return [name for name in names if operation in (None, name)]

    def level(self, variant, location=None):
        return self.env["shopify.stock.level"].search(
            [
                ("variant_id", "=", variant.id),
                ("location_id", "=", (location or self.location).id),
            ]
        )

    def catch_up(self):
        """Polling has seen all orders that were placed until now."""
        self.env.cr.execute(
            "INSERT INTO shopify_cursor (backend_id, topic, failures, position)"
            " VALUES (%s, 'orders', 0, %s) ON CONFLICT (backend_id, topic)"
            " DO UPDATE SET position = EXCLUDED.position",
            (self.us.id, fields.Datetime.now() + timedelta(seconds=30)),
        )
        self.env.invalidate_all()

    def outbox(self):
        return self.env["shopify.outbox"].search([("backend_id", "=", self.us.id)])

    def exceptions(self):
        return self.env["shopify.exception"].search(
            [("backend_id", "=", self.us.id), ("state", "=", "open")]
        )
