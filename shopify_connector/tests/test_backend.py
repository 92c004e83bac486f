from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form
from odoo.tools import file_open, mute_logger

from odoo.addons.shopify_connector.client.errors import TransientError

from .common import EU_SHOP, US_SHOP, ShopifyCase


class TestBackend(ShopifyCase):
    def test_any_pasted_address_is_normalised(self):
        for text in (
            "other-store",
            "Other-Store.myshopify.com/",
            "https://other-store.myshopify.com/admin/orders?x=1",
            "https://admin.shopify.com/store/other-store/orders",
        ):
            self.us.shop_domain = text
            self.assertEqual(self.us.shop_domain, "other-store.myshopify.com")
        with Form(self.env["shopify.backend"]) as form:
            form.name = "Third"
            form.shop_domain = " https://third.myshopify.com "
            self.assertEqual(form.shop_domain, "third.myshopify.com")

    def test_other_addresses_are_refused_with_a_remedy(self):
        for text in ("www.example.com", "https://evil.com/x.myshopify.com", "a b"):
            with self.assertRaisesRegex(ValidationError, "ends in .myshopify.com"):
                self.us.shop_domain = text

    @mute_logger("odoo.sql_db")
    def test_a_store_is_connected_once(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._create_backend("Again", f"https://{US_SHOP}/admin", self.company)

    def test_copy_is_a_template_without_credentials(self):
        self.us._check_connection()
        self.us.confirm_policy = "always"
        copied = self.us.copy()
        self.assertEqual(copied.confirm_policy, "always")
        self.assertEqual(copied.state, "draft")
        self.assertNotEqual(copied.shop_domain, self.us.shop_domain)
        self.assertNotEqual(copied.webhook_key, self.us.webhook_key)
        for name in ("client_id", "shop_gid", "database_uuid", "client_secret_set_at"):
            self.assertFalse(copied[name], name)
        self.assertEqual(copied._webhook_secrets(), [])
        self.assertFalse(copied.has_token)

    def test_integration_user_needs_the_company(self):
        self.jobs_user.company_ids = self.company
        with self.assertRaisesRegex(ValidationError, "EU Company"):
            self.eu.user_id = self.jobs_user

    def test_jobs_run_as_the_integration_user(self):
        backend = self.eu._as_integration_user()
        self.assertEqual(backend.env.user, self.jobs_user)
        self.assertFalse(backend.env.su)
        self.assertEqual(backend.env.companies, self.eu_company)
        self.assertTrue(backend.env.context["tracking_disable"])

    def test_company_is_fixed_once_there_are_orders(self):
        self.us.write({"company_id": self.eu_company.id})
        self.us.write({"company_id": self.company.id})
        self.env["shopify.order"].create(
            {"backend_id": self.us.id, "shopify_gid": "gid://shopify/Order/1", "name": "#1"}
        )
        with self.assertRaisesRegex(UserError, "Archive this store"):
            self.us.write({"company_id": self.eu_company.id})

    def test_warehouse_is_one_of_the_company(self):
        self.assertEqual(self.eu.warehouse_id.company_id, self.eu_company)
        self.assertEqual(self.us.warehouse_id.company_id, self.company)

    def test_counts_take_the_same_queries_for_many_stores(self):
        stores = self.us | self.eu
        (self.us | self.eu).mapped("order_count")
        self.env.invalidate_all()
        stores.mapped("name")
        with self.assertQueryCount(5):
            stores.mapped("order_count")


class TestDatabaseGuard(ShopifyCase):
    def test_a_copy_of_the_database_reaches_no_store(self):
        self.us._check_connection()
        self.assertTrue(self.us.database_uuid)
        self.env["ir.config_parameter"].set_param("database.uuid", "the-copy")
        self.us.invalidate_recordset()
        self.assertTrue(self.us.foreign_database)
        asked = len(self.shop(self.us).log)
        with self.assertRaisesRegex(UserError, "This Database Is Now the Owner"):
            self.env["shopify.client.factory"]._client(self.us)
        self.us._check_connection()
        self.assertEqual(self.us.state, "error")
        self.assertIn("This database is a copy", self.us.last_check_result)
        self.assertEqual(len(self.shop(self.us).log), asked)

    def test_a_system_administrator_can_claim_the_store(self):
        self.us.database_uuid = "somebody-else"
        with self.assertRaises(UserError):
            self.us.with_user(self.manager).action_claim_database()
        self.us.action_claim_database()
        self.assertFalse(self.us.foreign_database)
        self.assertIn("made this database", self.us.message_ids[0].body)
        self.us._check_connection()
        self.assertEqual(self.us.state, "ready")

    def test_neutralisation_leaves_nothing_to_connect_with(self):
        self.us.access_token = "shpat_x"
        self.us._check_connection()
        self.env.flush_all()
        with file_open("shopify_connector/data/neutralize.sql") as script:
            self.env.cr.execute(script.read())
        self.env.invalidate_all()
        self.assertEqual(self.us._webhook_secrets(), [])
        self.assertFalse(self.us.access_token_set_at)
        self.assertFalse(self.us.has_token)
        self.assertEqual(self.us.state, "draft")
        self.assertTrue(self.us.foreign_database)
        crons = self.env["ir.model.data"].search(
            [("module", "=", "shopify_connector"), ("model", "=", "ir.cron")]
        )
        records = self.env["ir.cron"].browse(crons.mapped("res_id"))
        self.assertFalse(records.filtered("active"))


class TestLocations(ShopifyCase):
    def test_locations_are_fetched_and_kept_up_to_date(self):
        self.us.action_import_locations()
        self.assertEqual(
            self.us.location_ids.mapped("name"), ["Brooklyn Warehouse", "Los Angeles Store"]
        )
        brooklyn, los_angeles = self.us.location_ids
        self.assertIn("Brooklyn", brooklyn.address)
        brooklyn.warehouse_id = self.us.warehouse_id
        self.assertEqual(brooklyn.stock_location_id, self.us.warehouse_id.lot_stock_id)
        self.shop(self.us).load(
            [
                {"__typename": "Location", "id": brooklyn.shopify_gid, "name": "Kent Avenue"},
                {"__typename": "Location", "id": los_angeles.shopify_gid, "isActive": False},
            ]
        )
        self.us.action_import_locations()
        self.assertEqual(brooklyn.name, "Kent Avenue")
        self.assertEqual(brooklyn.warehouse_id, self.us.warehouse_id)
        self.assertFalse(los_angeles.active)

    def test_locations_that_are_gone_are_archived(self):
        self.us.action_import_locations()
        gone = self.us.location_ids[1]
        self.shop(self.us).store.delete(gone.shopify_gid)
        self.us.action_import_locations()
        self.assertFalse(gone.active)
        self.assertTrue(self.us.location_ids[0].active)

    def test_the_only_location_is_mapped_by_itself(self):
        self.us.action_import_locations()
        self.assertFalse(self.us.location_ids.warehouse_id)
        self.shop(self.us).store.delete(self.us.location_ids[1].shopify_gid)
        self.us.action_import_locations()
        self.assertEqual(self.us.location_ids.warehouse_id, self.us.warehouse_id)

    def test_a_failed_read_archives_nothing(self):
        self.us.action_import_locations()
        self.shop(self.us).faults.add(kind="http_error", status=503)
        with self.assertRaises(TransientError):
            self.us.action_import_locations()
        self.assertEqual(len(self.us.location_ids), 2)


class TestSecurity(ShopifyCase):
    def test_every_model_with_a_company_has_a_company_rule(self):
        rules = self.env["ir.rule"].search([("groups", "=", False)])
        ruled = set(rules.mapped("model_id.model"))
        kept = [
            name
            for name, model in self.env.registry.items()
            if name.startswith("shopify.")
            and not (model._abstract or model._transient)
            and {"company_id", "backend_id", "exception_id"} & set(model._fields)
        ]
        self.assertIn("shopify.order", kept)
        self.assertEqual([name for name in kept if name not in ruled], [])

    def test_stores_of_other_companies_are_out_of_sight(self):
        self.operator.company_ids = self.company
        stores = self.env["shopify.backend"].with_user(self.operator)
        self.assertEqual(stores.search([("id", "in", (self.us | self.eu).ids)]), self.us)
        with self.assertRaises(AccessError):
            stores.browse(self.eu.id).read(["name"])
        gid = "gid://shopify/Location/1"
        location = self.env["shopify.location"].create(
            {"backend_id": self.eu.id, "shopify_gid": gid, "name": "Berlin"}
        )
        with self.assertRaises(AccessError):
            location.with_user(self.operator).read(["name"])

    def test_only_managers_configure(self):
        self.us.with_user(self.manager).write({"confirm_policy": "always"})
        for user in (self.operator, self.auditor, self.jobs_user):
            store = self.us.with_user(user)
            self.assertEqual(store.name, "US Store")
            for action in (
                lambda store=store: store.write({"confirm_policy": "paid"}),
                store.action_check_connection,
                store.action_import_locations,
                store.action_forget_credentials,
                store.action_forget_previous_secret,
                store.action_claim_database,
                store.action_reencrypt_secrets,
                store.unlink,
            ):
                with self.assertRaises(UserError):  # AccessError is one
                    action()

    def test_roles_of_people_and_jobs(self):
        expected = {
            "auditor": {"shopify.order": "r", "shopify.tax.mapping": "r"},
            "operator": {"shopify.order": "r", "shopify.tax.mapping": "rwcu"},
            "manager": {"shopify.order": "rwcu", "shopify.tax.mapping": "rwcu"},
            "jobs_user": {"shopify.order": "rwc", "shopify.tax.mapping": "rwcu"},
        }
        operations = {"r": "read", "w": "write", "c": "create", "u": "unlink"}
        for name, models in expected.items():
            for model, letters in models.items():
                records = self.env[model].with_user(getattr(self, name))
                found = "".join(
                    letter for letter, name in operations.items() if records.has_access(name)
                )
                self.assertEqual(found, letters, f"{name} {model}")

    def test_people_without_a_role_see_nothing(self):
        user = self.env["res.users"].create({"name": "Nobody", "login": "nobody_shopify"})
        for name, model in self.env.registry.items():
            if name.startswith("shopify.") and not model._abstract:
                self.assertFalse(self.env[name].with_user(user).has_access("read"), name)

    def test_two_stores_of_two_companies_side_by_side(self):
        self.us._check_connection()
        self.eu._check_connection()
        self.assertEqual(self.us.shop_currency_id.name, "USD")
        self.assertEqual(self.eu.shop_currency_id.name, "EUR")
        self.assertEqual(self.eu.shop_domain, EU_SHOP)
        self.assertTrue(self.eu.shop_taxes_included)
        self.assertNotEqual(self.us.shop_gid, self.eu.shop_gid)
