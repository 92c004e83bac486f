from unittest.mock import patch

from odoo.exceptions import AccessError

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from ..client.gid import gid
from .common import ShopifyCase


def variant_node(number, product=1, sku="", **values):
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", number),
        "title": f"Variant {number}",
        "sku": sku,
        "price": "10.00",
        "product": {"id": gid("Product", product)},
        "inventoryItem": {
            "__typename": "InventoryItem",
            "id": gid("InventoryItem", number),
            "tracked": True,
            "requiresShipping": True,
        },
        **values,
    }


def product_node(number=1, variants=(), **values):
    return {
        "__typename": "Product",
        "id": gid("Product", number),
        "title": f"Product {number}",
        "handle": f"product-{number}",
        "status": "ACTIVE",
        "updatedAt": "2026-10-01T10:00:00Z",
        "variants": {"nodes": list(variants)},
        **values,
    }


class CatalogCase(ShopifyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.store = cls._create_backend("Empty Store", "match-blank.myshopify.com", cls.company)

    def setUp(self):
        super().setUp()
        self.sandbox.reset("match-blank", profile="blank")

    def _load(self, *nodes):
        self.sandbox.load(list(nodes), "match-blank")

    def _import(self, **options):
        worker = self.store._as_integration_user()
        count = worker.env["shopify.catalog.importer"]._import(worker, **options)
        self.env.flush_all()
        return count

    def _process(self, *gids):
        """What the drain of the inbox does with these."""
        worker = self.store._as_integration_user()
        importer = worker.env["shopify.catalog.importer"]
        client = worker.env["shopify.client.factory"]._client(worker.sudo())
        nodes, faults = importer._fetch(worker, client, list(gids))
        self.assertFalse(faults)
        return importer._process(worker, nodes, {})

    def _variants(self):
        return self.env["shopify.variant"].search(
            [("backend_id", "=", self.store.id)], order="shopify_gid"
        )

    def _products(self):
        return self.env["shopify.product"].search([("backend_id", "=", self.store.id)])

    def _create_product(self, **values):
        return self.env["product.product"].create({"name": "Mug", **values})


class TestCatalog(CatalogCase):
    def test_links_by_sku_and_lists_the_rest(self):
        mug = self._create_product(default_code="MUG")
        twins = [self._create_product(default_code="TWIN") for _twin in range(2)]
        before = self.env["product.product"].search_count([])
        self._load(
            product_node(
                1,
                [
                    variant_node(1, sku="MUG", barcode="123"),
                    variant_node(2, sku="NONE"),
                    variant_node(3, sku="TWIN"),
                ],
                vendor="Potter",
            )
        )
        self.assertEqual(self._import(), 1)
        linked, missing, ambiguous = self._variants()
        self.assertEqual(linked.product_id, mug)
        self.assertEqual(linked.barcode, "123")
        self.assertEqual(linked.inventory_item_gid, gid("InventoryItem", 1))
        self.assertFalse(missing.product_id)
        self.assertFalse(ambiguous.product_id, twins)
        product = self._products()
        self.assertEqual(product.vendor, "Potter")
        self.assertEqual(product.status, "active")
        self.assertEqual(product.product_tmpl_id, mug.product_tmpl_id)
        self.assertEqual((product.variant_count, product.unmapped_count), (3, 2))
        self.assertEqual(self.env["product.product"].search_count([]), before)
        self.assertTrue(self.store.catalog_synced_at)

    def test_link_of_a_person_is_kept(self):
        self._create_product(default_code="MUG")
        chosen = self._create_product(default_code="OTHER")
        self._load(product_node(1, [variant_node(1, sku="MUG")]))
        self._import()
        self._variants().product_id = chosen
        self._import()
        self.assertEqual(self._variants().product_id, chosen)

    def test_changes_are_taken_over(self):
        self._load(product_node(1, [variant_node(1, sku="OLD"), variant_node(2, sku="B")]))
        [created] = self._process(gid("Product", 1)).values()
        self.assertEqual(created.status, "created")
        self.assertIn("2 variants are not mapped", created.message)
        [same] = self._process(gid("Product", 1)).values()
        self.assertEqual(same.status, "unchanged")
        mug = self._create_product(default_code="NEW")
        self._load(
            product_node(
                1,
                [variant_node(1, sku="NEW")],
                title="Renamed",
                updatedAt="2026-10-02T10:00:00Z",
            )
        )
        self.sandbox.shop("match-blank").store.delete(gid("ProductVariant", 2))
        [changed] = self._process(gid("Product", 1)).values()
        self.assertEqual(changed.status, "updated")
        self.assertEqual(changed.record.title, "Renamed")
        first, second = self._variants()
        self.assertEqual((first.sku, first.product_id), ("NEW", mug))
        self.assertFalse(first.remote_deleted)
        self.assertTrue(second.remote_deleted, "it is no longer among the product's variants")

    def test_older_state_is_skipped(self):
        self._load(product_node(1, [variant_node(1)]))
        self._import()
        self._products().shopify_updated_at = "2026-10-03 00:00:00"
        self._load(product_node(1, [variant_node(1)], title="Late"))
        self._products().shopify_updated_at = "2027-10-03 00:00:00"
        [outcome] = self._process(gid("Product", 1)).values()
        self.assertEqual(outcome.status, "skipped")
        self.assertEqual(self._products().title, "Product 1")

    def test_deleted_product_is_marked(self):
        mug = self._create_product(default_code="MUG")
        self._load(product_node(1, [variant_node(1, sku="MUG")]))
        self._import()
        outcomes = self._process(gid("Product", 1), gid("Product", 99))
        self.assertEqual(outcomes[gid("Product", 99)].status, "skipped")
        self.sandbox.shop("match-blank").store.delete(gid("Product", 1))
        [outcome] = self._process(gid("Product", 1)).values()
        self.assertEqual(outcome.status, "deleted")
        self.assertTrue(self._products().remote_deleted)
        self.assertTrue(self._variants().remote_deleted)
        self.assertEqual(self._variants().product_id, mug)
        self.assertTrue(mug.active)

    def test_absent_product_is_left_alone(self):
        self._load(product_node(1, [variant_node(1)]), product_node(2, [variant_node(2, 2)]))
        self._import()
        self.sandbox.shop("match-blank").store.delete(gid("Product", 1))
        self.assertEqual(self._import(), 1)
        self.assertFalse(any(self._products().mapped("remote_deleted")))

    def test_variant_id_brings_its_product(self):
        self._load(product_node(1, [variant_node(1), variant_node(2)]))
        outcomes = self._process(gid("ProductVariant", 2))
        self.assertEqual(list(outcomes), [gid("ProductVariant", 2)])
        self.assertEqual(len(self._variants()), 2)
        [outcome] = self._process(gid("ProductVariant", 9)).values()
        self.assertEqual(outcome.status, "skipped")

    def test_waiting_order_is_released(self):
        from ..services.outcome import Block

        self._load(product_node(1, [variant_node(1, sku="MUG")]))
        block = Block("product", gid("ProductVariant", 1), "Mug", "not mapped")
        exception = self.env["shopify.exception"]._report(
            self.store, {gid("Order", 1): ("#1", [block])}
        )
        self._create_product(default_code="MUG")
        self._import()
        self.assertEqual(exception.state, "resolved")

    def test_600_variants_in_slices(self):
        nodes = [
            product_node(
                number,
                [variant_node(number * 10 + i, number, sku=f"S{number}-{i}") for i in range(4)],
            )
            for number in range(1, 151)
        ]
        self._load(*nodes)
        self._create_product(default_code="S150-3")
        self._create_product(default_code="S1-0")
        module = "odoo.addons.shopify_connector.models.shopify_backend_mapping"
        with patch(f"{module}.CATALOG_PAGES_PER_JOB", 1), trap_jobs() as trap:
            self.store.with_user(self.operator).action_import_catalog()
            jobs = 0
            while trap.enqueued_jobs:
                jobs += 1
                self.assertLessEqual(jobs, 20)
                self.assertEqual(trap.enqueued_jobs[0].user_id, self.jobs_user.id)
                trap.perform_enqueued_jobs()
        self.assertGreaterEqual(jobs, 3)
        self.assertEqual(len(self._products()), 150)
        self.assertEqual(len(self._variants()), 600)
        self.assertEqual(len(self._variants().filtered("product_id")), 2)

    def test_queries_do_not_grow_with_the_catalogue(self):
        worker = self.store._as_integration_user()
        importer = worker.env["shopify.catalog.importer"]

        def queries(start, count):
            from ..mappers.product import map_product

            products = [
                map_product(
                    product_node(
                        number,
                        [variant_node(number * 10 + i, number, sku="MUG") for i in range(3)],
                    )
                )
                for number in range(start, start + count)
            ]
            before = self.env.cr.sql_log_count
            importer._upsert(worker, products)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        self._create_product(default_code="MUG")
        queries(1, 1)
        self.assertLessEqual(queries(100, 100) - queries(10, 2), 4)

    def test_store_that_does_not_answer_is_asked_again_later(self):
        self.sandbox.shop("match-blank").faults.add(kind="http_error", status=503, count=9)
        with self.assertRaises(RetryableJobError):
            self.store._job_import_catalog()

    def test_store_that_withholds_products(self):
        settings = self.sandbox.shop("match-blank").settings
        scopes = list(settings.scopes)
        settings.scopes = [scope for scope in scopes if "products" not in scope]
        self.store._job_import_catalog()
        exception = self.env["shopify.exception"].search(
            [("backend_id", "=", self.store.id), ("key", "=", "catalog")]
        )
        self.assertEqual((exception.category, exception.state), ("scope", "open"))
        self.assertIn("read_products", exception.message)
        settings.scopes = scopes
        self.store._job_import_catalog()
        self.assertEqual(exception.state, "resolved")


class TestCatalogCreate(CatalogCase):
    def test_product_without_options(self):
        self._load(
            product_node(
                1, [variant_node(1, sku="MUG", barcode="4006381333931", title="Default Title")]
            )
        )
        self._import(create_missing=True)
        product = self._variants().product_id
        self.assertEqual(product.name, "Product 1")
        self.assertEqual(product.default_code, "MUG")
        self.assertEqual(product.barcode, "4006381333931")
        self.assertEqual(product.list_price, 10.0)
        self.assertTrue(product.is_storable)
        self.assertEqual(product.company_id, self.company)
        self._import(create_missing=True)
        self.assertEqual(
            self.env["product.product"].search([("default_code", "=", "MUG")]), product
        )

    def _shirt(self, number, size, color, **values):
        options = [{"name": "Size", "value": size}, {"name": "Color", "value": color}]
        return variant_node(
            number,
            sku=f"{size}-{color}",
            title=f"{size} / {color}",
            selectedOptions=options,
            **values,
        )

    def test_options_become_attributes(self):
        shirts = [
            self._shirt(1, "S", "Red"),
            self._shirt(2, "M", "Red"),
            self._shirt(3, "M", "Blue"),
        ]
        self._load(product_node(1, shirts, options=self._options("S M", "Red Blue")))
        self._import(create_missing=True)
        small, medium, blue = (variant.product_id for variant in self._variants())
        template = small.product_tmpl_id
        self.assertEqual(template.product_variant_ids, small | medium | blue)
        self.assertEqual(blue.product_template_attribute_value_ids.mapped("name"), ["M", "Blue"])
        self.assertEqual(blue.default_code, "M-Blue")
        self.assertEqual(self._products().product_tmpl_id, template)
        more = self._shirt(4, "L", "Blue")
        self._load(product_node(1, [*shirts, more], options=self._options("S M L", "Red Blue")))
        self._import(create_missing=True)
        large = self._variants()[3].product_id
        self.assertEqual(large.product_tmpl_id, template)
        self.assertEqual(len(template.product_variant_ids), 4)
        sizes = self.env["product.attribute"].search(
            [("name", "=", "Size"), ("create_variant", "=", "dynamic")]
        )
        self.assertEqual(len(sizes), 1)

    def _options(self, *values):
        return [
            {
                "__typename": "ProductOption",
                "id": gid("ProductOption", n),
                "name": name,
                "position": n,
                "values": texts.split(),
            }
            for n, (name, texts) in enumerate(zip(("Size", "Color"), values, strict=True), 1)
        ]

    def test_partly_linked_product_is_left_to_a_person(self):
        self._create_product(default_code="S-Red")
        before = self.env["product.product"].search_count([])
        self._load(
            product_node(
                1,
                [self._shirt(1, "S", "Red"), self._shirt(2, "M", "Red")],
                options=self._options("S M", "Red"),
            )
        )
        self._import(create_missing=True)
        self.assertEqual(self._products().unmapped_count, 1)
        self.assertEqual(self.env["product.product"].search_count([]), before)

    def test_barcode_used_twice_is_left_out(self):
        self._load(
            product_node(1, [variant_node(1, barcode="4006381333931")]),
            product_node(2, [variant_node(2, 2, barcode="4006381333931")]),
        )
        self._import(create_missing=True)
        self.assertTrue(all(variant.product_id for variant in self._variants()))
        self.assertFalse(any(self._variants().product_id.mapped("barcode")))

    def test_gift_cards_are_not_created(self):
        self._load(product_node(1, [variant_node(1)], isGiftCard=True))
        self._import(create_missing=True)
        self.assertFalse(self._variants().product_id)

    def test_who_may_create_products(self):
        with self.assertRaises(AccessError):
            self.store.with_user(self.operator).action_import_catalog_create()
        with trap_jobs() as trap:
            self.store.action_import_catalog_create()
        [job] = trap.enqueued_jobs
        self.assertEqual(job.args, (None, True))

    def test_whole_sandbox_store(self):
        worker = self.us._as_integration_user()
        worker.env["shopify.catalog.importer"]._import(worker, create_missing=True)
        variants = self.env["shopify.variant"].search([("backend_id", "=", self.us.id)])
        self.assertEqual(len(variants), len(self.shop(self.us).store.all("ProductVariant")))
        left = variants.filtered(lambda variant: not variant.product_id)
        self.assertTrue(all(left.shopify_product_id.mapped("is_gift_card")))
