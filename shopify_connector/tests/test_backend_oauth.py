from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from odoo.addons.shopify_connector.const import SCOPES
from odoo.addons.shopify_connector.controllers import oauth

from .common import ShopifyHttpCase, sandbox_testing


class TestOAuth(ShopifyHttpCase):
    """The browser's way: Odoo, the store's page of consent, and back."""

    def setUp(self):
        super().setUp()
        self.us.write({"auth_method": "authorization_code", "state": "draft"})
        self.env.flush_all()
        self.authenticate(self.manager.login, self.manager.login)

    def install(self):
        return self.url_open(f"/shopify/oauth/install/{self.us.id}", allow_redirects=False)

    def consent(self, answer):
        """What the store sends the browser back with: path of the callback, and its parameters."""
        self.assertEqual(answer.status_code, 303, answer.text)
        page = requests.get(answer.headers["Location"], timeout=10, allow_redirects=False)
        back = urlsplit(page.headers["Location"])
        return back.path, dict(parse_qsl(back.query))

    def come_back(self, path, params):
        answer = self.url_open(f"{path}?{urlencode(params)}", allow_redirects=False)
        self.env.invalidate_all()
        return answer

    def assertRefused(self, answer, text):
        self.assertEqual(answer.status_code, 400, answer.text)
        self.assertIn(text, answer.text)
        self.assertIn("Back to the store", answer.text)
        self.assertFalse(self.us.has_token)

    def test_round_trip(self):
        answer = self.install()
        asked = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        self.assertEqual(asked["client_id"], sandbox_testing.CLIENT_ID)
        self.assertEqual(set(asked["scope"].split(",")), {scope.handle for scope in SCOPES})
        self.assertEqual(asked["redirect_uri"], self.us.oauth_redirect_url)
        answer = self.come_back(*self.consent(answer))
        self.assertEqual(answer.status_code, 303, answer.text)
        self.assertIn(f"/{self.us.id}", answer.headers["Location"])
        self.assertTrue(self.us.has_token)
        self.assertEqual(self.us.state, "ready")
        self.assertIn("App installed by", "".join(self.us.message_ids.mapped("body")))
        token = self.env["shopify.client.factory"]._token_store(self.us).load()
        self.assertTrue(token.refresh_token)
        self.assertTrue(token.expires_at)

    def test_an_answer_counts_once(self):
        path, params = self.consent(self.install())
        self.come_back(path, params)
        answer = self.come_back(path, params)
        self.assertEqual(answer.status_code, 400)
        self.assertIn("no installation that you have started", answer.text)

    def test_state_of_somebody_else(self):
        path, params = self.consent(self.install())
        self.assertRefused(
            self.come_back(path, {**params, "state": "x"}), "no installation that you have started"
        )

    def test_forged_parameters(self):
        path, params = self.consent(self.install())
        answer = self.come_back(path, {**params, "code": "forged"})
        self.assertRefused(answer, "signature")

    def test_signed_with_another_secret(self):
        answer = self.install()
        self.us.client_secret = "shpss_another"
        self.us.action_forget_previous_secret()
        self.env.flush_all()
        self.assertRefused(self.come_back(*self.consent(answer)), "Enter the client secret again")

    def test_another_store(self):
        answer = self.install()
        location = answer.headers["Location"].replace("/sandbox-us/", "/sandbox-eu/")
        page = requests.get(location, timeout=10, allow_redirects=False)
        back = urlsplit(page.headers["Location"])
        answer = self.come_back(back.path, dict(parse_qsl(back.query)))
        self.assertRefused(answer, "sandbox-eu.myshopify.com")

    def test_a_code_that_has_lapsed(self):
        path, params = self.consent(self.install())
        self.shop(self.us).codes.clear()
        self.assertRefused(self.come_back(path, params), "Start the installation again")

    def test_a_person_who_takes_too_long(self):
        self.patch(oauth, "STATE_LIFETIME", -1)
        self.assertRefused(self.come_back(*self.consent(self.install())), "took too long")

    def test_stores_that_do_not_use_oauth(self):
        self.us.auth_method = "client_credentials"
        self.env.flush_all()
        self.assertRefused(self.install(), "does not use OAuth")

    def test_a_store_without_credentials(self):
        self.us.action_forget_credentials()
        self.env.flush_all()
        self.assertRefused(self.install(), "enter the client secret")

    def test_only_managers_install(self):
        self.authenticate(self.operator.login, self.operator.login)
        self.assertRefused(self.install(), "Only Shopify managers")

    def test_other_companies_are_out_of_reach(self):
        self.manager.write(
            {"company_id": self.eu_company.id, "company_ids": [(6, 0, self.eu_company.ids)]}
        )
        self.env.flush_all()
        self.assertRefused(self.install(), "Back to the store")

    def test_a_copy_of_the_database_installs_nothing(self):
        self.us.database_uuid = "another"
        self.env.flush_all()
        self.assertRefused(self.install(), "another database")
