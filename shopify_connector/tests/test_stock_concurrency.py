"""The export on connections of its own, as in production: nothing takes part in one transaction."""

import threading
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL

from ..services import stock_reader
from .committed_common import ConnectedCase, sandbox_testing

SHOP = "stock-concurrency.myshopify.com"
SET = "InventorySetQuantities"


class TestStockConcurrency(ConnectedCase):
    def setUp(self):
        super().setUp()
        self.shop = self.sandbox.reset(SHOP, profile="us")
        self.addCleanup(self.clean)
        with self.transaction() as env:
            backend = env["shopify.backend"].create(
                {
                    "name": "Concurrency",
                    "shop_domain": SHOP,
                    "client_id": sandbox_testing.CLIENT_ID,
                    "client_secret": sandbox_testing.CLIENT_SECRET,
                    "state": "ready",
                }
            )
            self.backend_id = backend.id
            env["shopify.location.importer"]._import(backend)
            location = backend.location_ids[0]
            location.warehouse_id = backend.warehouse_id
            self.place_id = backend.warehouse_id.lot_stock_id.id
            node = next(
                variant
                for variant in self.shop.store.all("ProductVariant")
                if self.shop.store.get(variant["inventoryItem"]).get("tracked")
            )
            product = env["product.product"].create({"name": "Busy", "is_storable": True})
            self.product_id = product.id
            self.variant_id = (
                env["shopify.variant"]
                .create(
                    {
                        "backend_id": backend.id,
                        "shopify_gid": node["id"],
                        "inventory_item_gid": node["inventoryItem"],
                        "product_id": product.id,
                    }
                )
                .id
            )
            self.item, self.location_gid = node["inventoryItem"], location.shopify_gid
            backend.push_stock = True
            env["stock.quant"]._update_available_quantity(product, location.stock_location_id, 10)

    def transaction(self):
        return _Transaction(self.registry)

    def clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            backend = env["shopify.backend"].browse(self.backend_id)
            backend.push_stock = False
            cr.flush()
            for table in (
                "shopify_outbox",
                "shopify_stock_level",
                "shopify_stock_check",
                "shopify_bulk_operation",
            ):
                cr.execute(
                    SQL("DELETE FROM %s WHERE backend_id = %s", SQL.identifier(table), backend.id)
                )
            cr.execute("DELETE FROM shopify_variant WHERE backend_id = %s", [backend.id])
            cr.execute("DELETE FROM shopify_cursor WHERE backend_id = %s", [backend.id])
            cr.execute("DELETE FROM shopify_location WHERE backend_id = %s", [backend.id])
            cr.execute("DELETE FROM stock_quant WHERE product_id = %s", [self.product_id])
            env.invalidate_all()
            env["product.product"].browse(self.product_id).product_tmpl_id.unlink()
            backend.unlink()
        self.forget_jobs()
        self.registry.clear_cache()

    def add(self, quantity):
        """A user's transaction."""
        with self.transaction() as env:
            env["stock.quant"]._update_available_quantity(
                env["product.product"].browse(self.product_id),
                env["stock.location"].browse(self.place_id),
                quantity,
            )

    def push(self):
        with self.transaction() as env:
            env["shopify.backend"].browse(self.backend_id)._job_push_stock(force=True)

    def remote(self):
        store = self.shop.store
        for level in store.related(store.get(self.item), "inventoryLevels"):
            if level["location"] == self.location_gid:
                return {row["name"]: row["quantity"] for row in level["quantities"]}["available"]
        return None

    def rows(self, query, *arguments):
        with self.registry.cursor() as cr:
            cr.execute(query, arguments)
            return cr.fetchall()

    def test_a_commit_enqueues_one_export(self):
        self.add(1)
        self.add(1)
        jobs = self.rows(
            "SELECT state FROM queue_job WHERE method_name = '_job_push_stock'"
            " AND identity_key = %s",
            f"shopify:{self.backend_id}:stock",
        )
        self.assertEqual(len(jobs), 1)
        self.push()
        self.assertEqual(self.remote(), 12)

    def test_users_neither_wait_nor_collide_while_an_export_runs(self):
        self.push()
        self.add(5)
        self.shop.faults.add(kind="latency", operation=SET, ms=700, count=1)
        export = threading.Thread(target=self.push)
        export.start()
        done = []
        # Within one transaction that began before the export wrote anything.
        with self.transaction() as env:
            env.cr.execute("SET LOCAL lock_timeout = '300ms'")
            env.cr.execute("SELECT 1 FROM shopify_variant")
            self.write_variant_elsewhere()
            env["stock.quant"]._update_available_quantity(
                env["product.product"].browse(self.product_id),
                env["stock.location"].browse(self.place_id),
                2,
            )
            env.cr.flush()
            done.append(export.is_alive())
        export.join(20)
        self.assertEqual(done, [True], "the export was under way")
        self.push()
        self.assertEqual(self.remote(), 17)
        self.assertFalse(self.rows("SELECT 1 FROM shopify_outbox"))

    def write_variant_elsewhere(self):
        """The catalogue import writes the variant that the row of the outbox refers to."""
        with self.registry.cursor() as cr:
            cr.execute(
                "UPDATE shopify_variant SET title = 'Changed' WHERE id = %s", [self.variant_id]
            )

    def test_two_exports_share_the_rows(self):
        self.push()
        self.add(5)
        exports = [threading.Thread(target=self.push) for _each in range(3)]
        for export in exports:
            export.start()
        for export in exports:
            export.join(20)
        self.assertEqual(self.remote(), 15)
        sent = [entry for entry in self.shop.log if entry["operation"] == SET]
        self.assertEqual(len(sent), 2)

    def test_check_in_transactions_of_its_own(self):
        with self.transaction() as env:
            backend = env["shopify.backend"].browse(self.backend_id)
            env["shopify.outbox"].search([]).unlink()
            check_id = env["shopify.stock.check"]._start(backend, "manual").id
        for job in ("_job_check_stock", "_job_confirm_stock"):
            with self.transaction() as env:
                getattr(env["shopify.backend"].browse(self.backend_id), job)(check_id)
        with self.transaction() as env:
            check = env["shopify.stock.check"].browse(check_id)
            self.assertEqual((check.state, check.line_count), ("done", 1))
        self.push()
        self.assertEqual(self.remote(), 10)

    def test_exported_check_in_transactions_of_its_own(self):
        """Each job comes twice at the same time, and once more afterwards."""
        self.shop.settings.bulk_ms = 0
        with self.transaction() as env:
            backend = env["shopify.backend"].browse(self.backend_id)
            env["shopify.outbox"].search([]).unlink()
            with patch.object(stock_reader, "EXPORT_FROM", 1):
                check = env["shopify.stock.check"]._start(backend, "manual")
            check_id, operation_id = check.id, check.operation_id.id
        for _step in range(200):
            with self.transaction() as env:
                operation = env["shopify.bulk.operation"].browse(operation_id)
                operation._job_advance()
                state = operation.state
            if state == "done":
                break
        self.assertEqual(state, "done")
        self.assertTrue(self.rows("SELECT 1 FROM shopify_stock_reading"))
        for job in ("_job_check_stock", "_job_confirm_stock"):
            jobs = [threading.Thread(target=self.do, args=(job, check_id)) for _each in range(2)]
            for each in jobs:
                each.start()
            for each in jobs:
                each.join(20)
            self.do(job, check_id)
        with self.transaction() as env:
            check = env["shopify.stock.check"].browse(check_id)
            self.assertEqual((check.state, check.compared, check.line_count), ("done", 1, 1))
        self.assertFalse(self.rows("SELECT 1 FROM shopify_stock_reading"))
        self.push()
        self.assertEqual(self.remote(), 10)

    def do(self, job, *arguments):
        with self.transaction() as env:
            getattr(env["shopify.backend"].browse(self.backend_id), job)(*arguments)


class _Transaction:
    """An environment in a transaction that commits at the end."""

    def __init__(self, registry):
        self.registry = registry

    def __enter__(self):
        self.cursor = self.registry.cursor()
        return api.Environment(self.cursor.__enter__(), SUPERUSER_ID, {})

    def __exit__(self, *error):
        return self.cursor.__exit__(*error)
