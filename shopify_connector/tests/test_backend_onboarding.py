from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from .common import US_SHOP, ShopifyCase, sandbox_testing


class TestOnboarding(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.us.unlink()

    def wizard(self, **values):
        return self.env["shopify.onboarding"].create(
            {
                "name": "US",
                "shop_domain": f"https://{US_SHOP}/admin",
                "user_id": self.jobs_user.id,
                "client_id": sandbox_testing.CLIENT_ID,
                "client_secret": sandbox_testing.CLIENT_SECRET,
                **values,
            }
        )

    def test_from_credentials_to_the_first_import(self):
        wizard = self.wizard()
        self.assertFalse(wizard.client_secret)
        self.assertTrue(wizard.secret_set)

        wizard.action_next()
        self.assertEqual(wizard.step, "check")
        store = wizard.backend_id
        self.assertEqual(store.shop_domain, US_SHOP)
        self.assertEqual(store.state, "ready")
        self.assertIn("Connected with", wizard.last_check_result)
        self.assertEqual(store._webhook_secrets(), [sandbox_testing.CLIENT_SECRET])
        self.assertFalse(wizard.sudo().client_secret_enc)

        wizard.action_next()
        self.assertEqual(wizard.step, "locations")
        self.assertEqual(len(wizard.location_ids), 2)
        wizard.location_ids[0].warehouse_id = store.warehouse_id

        wizard.action_next()
        self.assertEqual(wizard.step, "orders")
        wizard.confirm_policy = "always"
        self.assertEqual(store.confirm_policy, "always")

        wizard.action_next()
        self.assertEqual(wizard.step, "webhooks")
        wizard.webhook_base_url = "https://odoo.example.com"
        wizard.action_next()
        self.assertEqual(wizard.step, "import")
        self.assertIn("created", wizard.message)
        self.assertTrue(self.shop(store).store.all("WebhookSubscription"))

        action = wizard.action_finish()
        self.assertEqual(action["res_id"], store.id)
        jobs = self.env["queue.job"].search([("model_name", "=", "shopify.backend")])
        self.assertIn("_job_import_catalog", jobs.mapped("method_name"))

    def test_without_webhooks_none_is_registered(self):
        wizard = self.wizard()
        for _step in ("check", "locations", "orders", "webhooks"):
            wizard.action_next()
        wizard.use_webhooks = False
        wizard.action_next()
        self.assertEqual(wizard.step, "import")
        self.assertFalse(self.shop(wizard.backend_id).store.all("WebhookSubscription"))

    def test_the_catalogue_is_imported_on_demand(self):
        wizard = self.wizard(import_catalog=False)
        wizard.action_next()
        wizard.step = "import"
        wizard.action_finish()
        jobs = self.env["queue.job"].search([("model_name", "=", "shopify.backend")])
        self.assertNotIn("_job_import_catalog", jobs.mapped("method_name"))

    def test_a_wrong_secret_can_be_corrected(self):
        wizard = self.wizard(client_secret="shpss_wrong")
        wizard.action_next()
        self.assertEqual(wizard.backend_id.state, "error")
        self.assertIn("client secret is wrong", wizard.last_check_result)
        with self.assertRaisesRegex(UserError, "could not be reached"):
            wizard.action_next()
        wizard.action_back()
        wizard.client_secret = sandbox_testing.CLIENT_SECRET
        wizard.action_next()
        self.assertEqual(wizard.backend_id.state, "ready")
        self.assertEqual(self.env["shopify.backend"].search_count([("name", "=", "US")]), 1)

    def test_errors_that_are_no_obstacle_can_be_passed(self):
        self.jobs_user.group_ids -= self.env.ref("shopify_connector.group_integration")
        wizard = self.wizard()
        wizard.action_next()
        self.assertEqual(wizard.backend_id.state, "error")
        wizard.action_next()
        self.assertEqual(wizard.step, "locations")

    def test_check_again(self):
        wizard = self.wizard()
        self.sandbox.shop(US_SHOP).settings.installed = False
        wizard.action_next()
        self.assertEqual(wizard.backend_id.state, "error")
        self.sandbox.shop(US_SHOP).settings.installed = True
        wizard.action_check()
        self.assertEqual(wizard.backend_id.state, "ready")

    def test_a_store_that_was_begun_is_continued(self):
        wizard = self.wizard()
        wizard.action_next()
        action = wizard.backend_id.action_onboarding()
        again = Form(self.env["shopify.onboarding"].with_context(**action["context"]))
        self.assertEqual(again.step, "check")
        again = again.save()
        self.assertEqual(again.shop_domain, US_SHOP)
        again.action_back()
        again.action_next()
        self.assertEqual(again.backend_id, wizard.backend_id)

    def test_pasted_addresses(self):
        form = Form(self.env["shopify.onboarding"])
        form.shop_domain = "https://admin.shopify.com/store/big-shop"
        self.assertEqual(form.shop_domain, "big-shop.myshopify.com")
        self.assertEqual(form.name, "Big Shop")
        with self.assertRaises(ValidationError):
            form.shop_domain = "www.example.com"

    def test_oauth_leads_to_shopify(self):
        wizard = self.wizard(auth_method="authorization_code")
        wizard.action_next()
        self.assertFalse(wizard.has_token)
        self.assertIn("not installed yet", wizard.last_check_result)
        url = wizard.action_install()["url"]
        self.assertEqual(url, f"/shopify/oauth/install/{wizard.backend_id.id}")

    def test_static_tokens(self):
        wizard = self.wizard(
            auth_method="static_token", access_token=sandbox_testing.STATIC_TOKEN, client_id=False
        )
        wizard.action_next()
        self.assertEqual(wizard.backend_id.state, "ready")

    def test_only_managers(self):
        with self.assertRaises(AccessError):
            self.env["shopify.onboarding"].with_user(self.operator).create({})
