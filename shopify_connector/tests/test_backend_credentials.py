import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from cryptography.fernet import Fernet

from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL

from odoo.addons.shopify_connector.client.auth import AuthorizationCode, ClientCredentials, Token
from odoo.addons.shopify_connector.client.transport import Transport
from odoo.addons.shopify_connector.services import vault
from odoo.addons.shopify_connector.services.client_factory import DatabaseTokenStore

from .common import US_SHOP, ShopifyCase, ShopifyMixin, sandbox_testing

SECRET = "shpss_a_very_secret_value"
CIPHERTEXTS = ("client_secret_enc", "previous_secret_enc", "access_token_enc")


class TestWriteOnly(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.set_shop(self.us, client_secrets=[SECRET])
        self.us.write({"client_secret": SECRET, "access_token": "shpat_secret"})

    def test_inputs_are_empty_again_at_once(self):
        self.assertFalse(self.us.client_secret)
        self.assertFalse(self.us.access_token)
        self.assertTrue(self.us.client_secret_set_at)
        created = self._create_backend("New", "new-store", self.company, client_secret=SECRET)
        self.assertFalse(created.client_secret)
        self.assertEqual(created._webhook_secrets(), [SECRET])

    def test_nobody_reads_them_through_the_orm(self):
        for user in (self.env.ref("base.user_admin"), self.manager, self.auditor):
            store = self.us.with_user(user)
            everything = store.read()[0]
            self.assertNotIn(SECRET, str(everything))
            self.assertFalse(set(CIPHERTEXTS) & set(everything))
            self.assertFalse(set(CIPHERTEXTS) & set(store.fields_get()))
            for name in CIPHERTEXTS:
                with self.assertRaises(AccessError):
                    store.read([name])
                with self.assertRaises(AccessError):
                    store.search([(name, "!=", False)])
                with self.assertRaises(UserError):  # AccessError is one
                    store.export_data([name])
        self.manager.group_ids += self.env.ref("base.group_allow_export")
        exported = self.us.with_user(self.manager).export_data(["client_secret", "name"])
        self.assertEqual(exported["datas"][0][0], "")
        with self.assertRaises(AccessError):
            self.us.with_user(self.auditor).read(["client_secret"])

    def test_tokens_are_for_administrators_and_without_their_value(self):
        self.us._check_connection()
        tokens = self.env["shopify.token"].search([("store_id", "=", self.us.id)])
        self.assertTrue(tokens)
        admin = tokens.with_user(self.env.ref("base.user_admin"))
        self.assertNotIn("access_token_enc", admin.read()[0])
        with self.assertRaises(AccessError):
            admin.read(["access_token_enc"])
        with self.assertRaises(AccessError):
            tokens.with_user(self.manager).read(["expires_at"])

    def test_the_database_holds_ciphertexts_only(self):
        self.us._check_connection()
        self.env.flush_all()
        for table in ("shopify_backend", "shopify_token", "mail_message"):
            rows = str(self.env.execute_query(SQL("SELECT * FROM %s", SQL.identifier(table))))
            self.assertNotIn(SECRET, rows)
            self.assertNotIn("shpat_", rows)

    def test_an_empty_input_changes_nothing(self):
        self.us.write({"client_secret": False, "access_token": "  "})
        self.assertEqual(self.us._secret("client_secret"), SECRET)
        self.assertEqual(self.us._secret("access_token"), "shpat_secret")

    def test_chatter_says_who_and_not_what(self):
        store = self.us.with_user(self.manager)
        store.client_secret = "shpss_another"
        body = store.message_ids[0].body
        self.assertIn("Client Secret replaced by", body)
        self.assertIn(self.manager.name, body)
        self.assertNotIn("shpss_another", "".join(store.message_ids.mapped("body")))
        self.assertEqual(store.message_ids[0].author_id, self.manager.partner_id)

    def test_ordinary_settings_are_tracked(self):
        self.flush_tracking()  # of the creation, which is not tracked here
        store = self.us.with_context(tracking_disable=False)
        store.confirm_policy = "always"
        store.client_id = "other"
        self.flush_tracking()
        tracked = store.message_ids.tracking_value_ids.mapped("field_id.name")
        self.assertIn("confirm_policy", tracked)
        self.assertIn("client_id", tracked)

    def flush_tracking(self):
        self.env.flush_all()
        self.cr.flush()

    def test_credentials_can_be_deleted(self):
        self.us._check_connection()
        self.us.action_forget_credentials()
        self.assertEqual(self.us._webhook_secrets(), [])
        self.assertEqual(self.us._secret("access_token"), "")
        self.assertFalse(self.us.has_token)
        self.assertEqual(self.us.state, "draft")

    def test_tokens_go_with_their_store(self):
        self.us._check_connection()
        store_id = self.us.id
        self.us.unlink()
        self.assertFalse(self.env["shopify.token"].search([("store_id", "=", store_id)]))


class TestRotation(ShopifyCase):
    def test_the_previous_webhook_secret_stays_good(self):
        first = sandbox_testing.CLIENT_SECRET
        self.assertEqual(self.us._webhook_secrets(), [first])
        self.us.client_secret = first
        self.assertFalse(self.us.previous_secret_set_at)
        self.us.client_secret = "shpss_second"
        self.assertEqual(self.us._webhook_secrets(), ["shpss_second", first])
        self.us.client_secret = "shpss_third"
        self.assertEqual(self.us._webhook_secrets(), ["shpss_third", "shpss_second"])
        self.us.action_forget_previous_secret()
        self.assertEqual(self.us._webhook_secrets(), ["shpss_third"])

    def test_keys_are_rotated(self):
        self.us.client_secret = "shpss_second"
        self.us._check_connection()
        old, new = os.environ["SHOPIFY_CONNECTOR_ENCRYPTION_KEY"], Fernet.generate_key().decode()
        secrets = self.us._webhook_secrets()
        self.us.auth_method = "client_credentials"
        with self.keys(f"{new},{old}"):
            self.env["shopify.backend"].action_reencrypt_secrets()
        with self.keys(new):
            self.assertEqual(self.us._webhook_secrets(), secrets)
            store = self.env["shopify.client.factory"]._token_store(self.us)
            self.assertIsNone(store.load())
        with self.keys(old), self.assertRaisesRegex(UserError, "cannot be decrypted"):
            self.us._webhook_secrets()

    def test_a_token_survives_the_rotation_of_keys(self):
        self.us._check_connection()
        old, new = os.environ["SHOPIFY_CONNECTOR_ENCRYPTION_KEY"], Fernet.generate_key().decode()
        known = self.env["shopify.client.factory"]._token_store(self.us).load()
        with self.keys(f"{new}, {old}"):
            self.env["shopify.backend"].action_reencrypt_secrets()
            self.env.flush_all()
        with self.keys(new):
            token = self.env["shopify.client.factory"]._token_store(self.us).load()
        self.assertEqual(token, known)

    def test_a_key_that_does_not_fit_is_named_with_its_remedy(self):
        with self.keys(Fernet.generate_key().decode()):
            with self.assertRaisesRegex(UserError, "encryption_key.*enter the credentials"):
                self.env["shopify.client.factory"]._client(self.us)
            self.us._check_connection()
            self.assertIn("cannot be decrypted", self.us.last_check_result)

    def test_a_new_secret_can_be_entered_although_the_old_one_is_lost(self):
        with self.keys(Fernet.generate_key().decode()):
            self.us.client_secret = "shpss_fresh"
            self.assertEqual(self.us._secret("client_secret"), "shpss_fresh")

    def test_only_administrators_rotate_keys(self):
        with self.assertRaises(UserError):
            self.us.with_user(self.manager).action_reencrypt_secrets()

    def keys(self, text):
        return patch.dict(os.environ, SHOPIFY_CONNECTOR_ENCRYPTION_KEY=text)


@tagged("shopify")
class TestVault(TransactionCase):
    def setUp(self):
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.patch(vault, "config", {"data_dir": folder.name})
        self.startPatcher(patch.dict(os.environ, SHOPIFY_CONNECTOR_ENCRYPTION_KEY=""))

    def test_a_key_file_is_made_on_first_use(self):
        self.assertEqual(vault.decrypt(vault.encrypt("täst")), "täst")
        path = vault.key_path()
        self.assertTrue(path.is_relative_to(self.folder))
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        self.assertEqual([file.name for file in path.parent.iterdir()], [path.name])

    def test_workers_that_start_together_share_one_key(self):
        barrier = threading.Barrier(8)

        def work(_index):
            barrier.wait()
            return vault.encrypt("secret")

        with ThreadPoolExecutor(8) as pool:
            tokens = list(pool.map(work, range(8)))
        self.assertEqual({vault.decrypt(token) for token in tokens}, {"secret"})

    def test_a_configured_key_takes_over_from_the_file(self):
        token = vault.encrypt("secret")
        key = Fernet.generate_key().decode()
        with patch.dict(os.environ, SHOPIFY_CONNECTOR_ENCRYPTION_KEY=key):
            self.assertEqual(vault.decrypt(token), "secret")
            rotated = vault.rotate(token)
            self.assertEqual(Fernet(key).decrypt(rotated.encode()), b"secret")

    def test_without_the_file_a_configured_key_makes_none(self):
        key = Fernet.generate_key().decode()
        with patch.dict(os.environ, SHOPIFY_CONNECTOR_ENCRYPTION_KEY=key):
            vault.encrypt("secret")
        self.assertFalse(vault.key_path().exists())

    def test_what_is_wrong_is_said(self):
        token = vault.encrypt("secret")
        vault.key_path().unlink()
        with self.assertRaisesRegex(vault.VaultError, "encryption.key.*enter the credentials"):
            vault.decrypt(token)
        with (
            patch.dict(os.environ, SHOPIFY_CONNECTOR_ENCRYPTION_KEY="password"),
            self.assertRaisesRegex(vault.VaultError, "32 random bytes"),
        ):
            vault.encrypt("secret")

    def test_a_readable_key_file_is_worth_a_warning(self):
        vault.encrypt("secret")
        vault.key_path().chmod(0o644)
        with self.assertLogs(vault._logger, "WARNING") as logs:
            vault.encrypt("secret")
        self.assertIn("0600", logs.output[0])


@tagged("post_install", "-at_install", "shopify")
class TestTokenRenewal(TransactionCase):
    """With cursors that really commit: the store's id is none that exists."""

    STORE = 2_000_000_001

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sandbox = sandbox_testing.shared_sandbox()

    _request_handler = ShopifyMixin._request_handler

    def setUp(self):
        super().setUp()
        self.shop = self.sandbox.reset(US_SHOP)
        key = Fernet.generate_key().decode()
        self.startPatcher(patch.dict(os.environ, SHOPIFY_CONNECTOR_ENCRYPTION_KEY=key))
        self.addCleanup(self.forget)

    def forget(self):
        with self.registry.cursor() as cr:
            cr.execute("DELETE FROM shopify_token WHERE store_id = %s", (self.STORE,))

    def provider(self, kind):
        return kind(
            f"{self.sandbox.url}/shops/sandbox-us",
            sandbox_testing.CLIENT_ID,
            sandbox_testing.CLIENT_SECRET,
            self.store(),
            Transport(),
        )

    def store(self, fingerprint="f"):
        return DatabaseTokenStore(self.registry, self.STORE, fingerprint)

    def requests(self):
        return [entry for entry in self.shop.log if entry["operation"] == "oauth"]

    def at_once(self, kind):
        """Tokens that two workers get which need one at the same time."""
        self.shop.faults.add(kind="latency", operation="oauth", ms=300)
        barrier = threading.Barrier(2)

        def work(_index):
            provider = self.provider(kind)
            barrier.wait()
            return provider.get()

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(work, range(2)))

    def test_two_workers_ask_for_one_token(self):
        first, second = self.at_once(ClientCredentials)
        self.assertEqual(first, second)
        self.assertEqual(len(self.requests()), 1)

    def test_two_workers_refresh_once_and_keep_the_new_pair(self):
        self.shop.refresh_tokens["shprt_old"] = time.time() + 1000
        past = datetime.now(timezone.utc) - timedelta(minutes=1)
        self.store().save(Token("old", expires_at=past, refresh_token="shprt_old"))
        first, second = self.at_once(AuthorizationCode)
        self.assertEqual(first, second)
        self.assertEqual(len(self.requests()), 1)
        kept = self.store().load()
        self.assertEqual(kept.access_token, first)
        self.assertNotEqual(kept.refresh_token, "shprt_old")

    def test_what_is_loaded_is_what_was_saved(self):
        soon = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
        token = Token("a", soon, "r", soon + timedelta(days=90), ("read_orders", "write_x"))
        self.store().save(token)
        self.assertEqual(self.store().load(), token)
        self.assertIsNone(self.store("other credentials").load())
        self.store("other credentials").save(Token("b"))
        self.assertIsNone(self.store().load())
        self.assertEqual(self.store("other credentials").load(), Token("b"))
