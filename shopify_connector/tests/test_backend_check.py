from unittest.mock import patch

from freezegun import freeze_time

from odoo.addons.shopify_connector import const

from .common import ShopifyCase


class TestConnectionCheck(ShopifyCase):
    """Every finding, on what the sandbox really answers."""

    def check(self, backend=None, **settings):
        """Findings of a store whose settings were changed, as {title: finding}."""
        backend = backend or self.us
        self.set_shop(backend, **settings)
        return {finding.title: finding for finding in backend._check_connection()}

    def assertFound(self, findings, level, title, *texts):
        found = [finding for name, finding in findings.items() if title in name]
        self.assertEqual([finding.level for finding in found], [level], list(findings))
        whole = f"{found[0].title} {found[0].message} {found[0].remedy}"
        for text in texts:
            self.assertIn(text, whole)

    def errors(self, findings):
        return [title for title, finding in findings.items() if finding.level == "error"]

    def test_what_is_right(self):
        self.place_orders(self.us)
        findings = self.check()
        self.assertEqual(self.errors(findings), [])
        self.assertFound(
            findings,
            "ok",
            "Connected with",
            "Standard",
            "USD",
            "America/New_York",
            "prices without tax",
        )
        self.assertFound(findings, "ok", "2 locations", "Brooklyn Warehouse")
        self.assertFound(findings, "ok", "Customer data")
        self.assertFound(findings, "ok", "API version", "2027-10-01")
        self.assertFound(findings, "ok", "Currency USD")
        self.assertEqual(self.us.state, "ready")
        self.assertTrue(self.us.last_check_at)
        self.assertIn("Brooklyn Warehouse", self.us.last_check_result)
        self.assertEqual(self.us.shop_plan, "Standard")
        self.assertEqual(self.us.shop_country_id.code, "US")
        self.assertEqual(self.us.database_uuid, self.us._current_database_uuid())

    def test_customers_are_told_once(self):
        """By Shopify or by Odoo: both at a time are a warning."""
        company = self.us.company_id
        company.write({"stock_text_confirmation": False, "stock_move_email_validation": False})
        self.us.write({"export_fulfillments": True, "notify_customer": True})
        self.assertNotIn("Customers are told twice of each delivery", self.check())
        for name in ("stock_text_confirmation", "stock_move_email_validation"):
            company[name] = True
            self.assertFound(
                self.check(), "warning", "Customers are told twice", "Mail the Customer"
            )
            company[name] = False
        company.stock_text_confirmation = True
        self.us.notify_customer = False
        self.assertNotIn("Customers are told twice of each delivery", self.check())

    def test_the_dialog_shows_the_result(self):
        action = self.us.action_check_connection()
        self.assertEqual(action["target"], "new")
        self.assertEqual(action["res_id"], self.us.id)

    def test_names_of_others_are_escaped(self):
        self.check(name="<b onclick='x'>Shop</b>")
        self.assertIn("&lt;b onclick", self.us.last_check_result)

    def test_unreachable(self):
        nobody = "http://127.0.0.1:9/shops/{shop}"
        with patch.dict("os.environ", SHOPIFY_CONNECTOR_API_URL=nobody):
            findings = self.check()
        self.assertFound(findings, "error", "cannot be reached", "HTTPS")
        self.assertEqual(self.us.state, "error")

    def test_server_error(self):
        self.shop(self.us).faults.add(kind="http_error", status=503)
        self.assertFound(self.check(), "error", "cannot be reached")

    def test_wrong_secret(self):
        self.us.client_secret = "shpss_wrong"
        self.assertFound(
            self.check(), "error", "client secret is wrong", "Copy both again", "invalid_client"
        )

    def test_wrong_secret_is_found_although_a_token_is_there(self):
        self.check()
        self.assertTrue(self.us.has_token)
        self.us.client_secret = "shpss_wrong"
        self.assertFound(self.check(), "error", "client secret is wrong")

    def test_wrong_client_id(self):
        self.us.client_id = "nobody"
        self.assertFound(self.check(), "error", "no app with this client ID")

    def test_other_organization(self):
        findings = self.check(client_credentials_allowed=False)
        self.assertFound(findings, "error", "another organization", "OAuth")

    def test_not_installed(self):
        self.assertFound(self.check(installed=False), "error", "not installed", "Install it")

    def test_refused_static_token(self):
        self.us.write({"auth_method": "static_token", "access_token": "shpat_wrong"})
        self.assertFound(self.check(), "error", "access token is refused", "revoked")

    def test_no_credentials(self):
        self.us.action_forget_credentials()
        self.assertFound(self.check(), "error", "Not configured", "the client secret")

    def test_required_scopes(self):
        scopes = [scope for scope in self.shop(self.us).settings.scopes if "orders" not in scope]
        findings = self.check(scopes=scopes)
        self.assertFound(findings, "error", "Order import", "read_orders", "Dev Dashboard")
        self.assertFound(findings, "warning", "Orders older than 60 days", "read_all_orders")
        self.assertEqual(self.us.state, "error")

    def test_optional_scopes_hinder_nothing(self):
        scopes = [s for s in self.shop(self.us).settings.scopes if "payment_terms" not in s]
        findings = self.check(scopes=scopes)
        self.assertFound(
            findings,
            "warning",
            "Payment terms of companies",
            "read_payment_terms",
            "the rest works",
        )
        self.assertEqual(self.us.state, "ready")

    def test_each_scope_names_its_feature(self):
        labels = self.env["shopify.connection.checker"]._feature_labels()
        self.assertEqual(labels, const.FEATURES)

    def test_all_scopes(self):
        scopes = [scope.handle for scope in const.SCOPES]
        self.assertFound(self.check(scopes=scopes), "ok", "All access scopes")

    def test_customer_data_withheld(self):
        self.place_orders(self.us, 3)
        findings = self.check(protected_data_withheld=True)
        self.assertFound(
            findings, "error", "Customer data is withheld", "lastName", "protected customer data"
        )

    def test_missing_scope_is_no_withheld_data(self):
        self.place_orders(self.us, 3)
        scopes = [s for s in self.shop(self.us).settings.scopes if "customers" not in s]
        findings = self.check(scopes=scopes)
        self.assertFound(findings, "error", "Customers of orders", "read_customers")
        self.assertNotIn("Customer data is withheld", findings)

    @freeze_time("2027-08-01")
    def test_version_near_its_end(self):
        findings = self.env["shopify.connection.checker"]._check_version(
            self.us, self.env["shopify.client.factory"]._client(self.us)
        )
        self.assertEqual(findings[0].level, "warning")
        self.assertIn("Update", findings[0].remedy)

    def test_version_no_longer_served(self):
        findings = self.check(api_versions=["2026-04", "2026-07"])
        self.assertFound(findings, "error", "no longer serves", const.API_VERSION)

    def test_inactive_currency(self):
        self.env.ref("base.SEK").active = False
        self.assertFound(
            self.check(currency="SEK", presentment_currencies=[]),
            "error",
            "SEK is not active",
            "Activate it",
        )
        self.assertEqual(self.us.shop_currency_id.name, "SEK")

    def test_presentment_currencies_only_where_they_are_used(self):
        self.env.ref("base.CHF").active = False
        self.assertEqual(self.errors(self.check(self.eu)), [])
        self.eu.currency_policy = "presentment"
        self.assertFound(self.check(self.eu), "error", "CHF is not active")

    def test_currency_rounded_too_coarsely(self):
        self.env.ref("base.USD").rounding = 0.05
        self.assertFound(self.check(), "error", "USD is rounded too coarsely", "0.05")

    def test_integration_user_without_rights(self):
        group = self.env.ref("shopify_connector.group_integration")
        self.jobs_user.group_ids -= group
        findings = self.check()
        self.assertFound(findings, "error", "lacks access rights", "Integration User", "create")
        self.jobs_user.group_ids += group
        self.assertFound(self.check(), "ok", "may do what its jobs need")

    def test_archived_integration_user(self):
        self.jobs_user.active = False
        self.assertFound(self.check(), "error", "is archived")

    def test_no_warehouse(self):
        self.us.warehouse_id = False
        self.assertFound(self.check(), "error", "no warehouse", self.company.name)

    def test_webhooks_need_https(self):
        self.us.webhook_base_url = "http://odoo.example.com"
        checker = self.env["shopify.connection.checker"]
        with patch.dict("os.environ", SHOPIFY_CONNECTOR_API_URL=""):
            titles = [finding.title for finding in checker._check_server(self.us)]
            self.assertIn("Webhooks need a public HTTPS address", titles)
            self.us.webhook_base_url = "https://odoo.example.com"
            titles = [finding.title for finding in checker._check_server(self.us)]
            self.assertNotIn("Webhooks need a public HTTPS address", titles)

    def test_another_store_is_not_taken_for_this_one(self):
        self.check()
        known = self.us.shop_gid
        self.us.shop_domain = "something-else.myshopify.com"
        findings = self.check()
        self.assertFound(findings, "error", "another store", "Sandbox Us")
        self.assertEqual(self.us.shop_gid, known)

    def test_one_question_that_fails_hides_no_other(self):
        self.shop(self.us).faults.add(kind="http_error", operation="CurrentAppInstallation")
        findings = self.check()
        self.assertFound(findings, "error", "cannot be reached")
        self.assertFound(findings, "ok", "2 locations")
