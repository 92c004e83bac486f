"""Cases of a US store in the main company and of an EU store in a second one.

The stores are those of the sandbox, which runs in this process; every test finds them fresh.
"""

import os
from unittest import SkipTest
from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from cryptography.fernet import Fernet

from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged
from odoo.tests.common import _super_send

from odoo.addons.shopify_connector.client import throttle

try:
    from shopify_sandbox import testing as sandbox_testing
except ImportError:
    sandbox_testing = None

US_SHOP = "sandbox-us.myshopify.com"
EU_SHOP = "sandbox-eu.myshopify.com"


class ShopifyMixin:
    """Stores, users and what the tests of this addon do with them; use one of the cases below.

    :cvar sandbox: handle of the running sandbox (`shopify_sandbox.testing.SandboxHandle`)
    :cvar us: connected store of `company`, in USD, prices without tax
    :cvar eu: connected store of `eu_company`, in EUR, prices with tax
    :cvar jobs_user: integration user of both; `manager`, `operator`, `auditor`: one role each
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if sandbox_testing is None:
            raise SkipTest("the package shopify_sandbox is not there")
        cls.sandbox = sandbox_testing.shared_sandbox()
        cls._set_options(api_url=cls.sandbox.api_url, encryption_key=Fernet.generate_key().decode())
        cls.env = cls.env(context={**cls.env.context, "tracking_disable": True})
        cls.company = cls.env.company
        cls.eu_company = cls._create_eu_company()
        cls._create_users()
        cls.us = cls._create_backend("US Store", US_SHOP, cls.company)
        cls.eu = cls._create_backend("EU Store", EU_SHOP, cls.eu_company)

    def setUp(self):
        super().setUp()
        for name in (US_SHOP, EU_SHOP):
            self.sandbox.reset(name)
        # The budgets that clients remember belong to the shops of the test before.
        throttle._throttles.clear()
        if not type(self)._registry_patched:
            # Cursors of their own (tokens, inbox) then work inside of the test's transaction.
            self.env.flush_all()
            self.registry_enter_test_mode()

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        # Odoo's own handler lets local requests pass too, but not our pairs of timeouts.
        if urlsplit(request.url).hostname == "127.0.0.1":
            return _super_send(session, request, **kwargs)
        return super()._request_handler(session, request, **kwargs)

    @classmethod
    def _set_options(cls, **options):
        """Options of the section [shopify_connector], until the end of the class."""
        names = {f"SHOPIFY_CONNECTOR_{name.upper()}": value for name, value in options.items()}
        patcher = patch.dict(os.environ, names)
        patcher.start()
        cls.addClassCleanup(patcher.stop)

    @classmethod
    def _create_eu_company(cls):
        company = cls.env["res.company"].create(
            {
                "name": "EU Company",
                "country_id": cls.env.ref("base.de").id,
                "currency_id": cls.env.ref("base.EUR").id,
            }
        )
        cls.env.ref("base.EUR").active = True
        cls.env["account.chart.template"].try_loading(
            "generic_coa", company=company, install_demo=False
        )
        # The chart is American; currency and country are the company's.
        company.write(
            {
                "currency_id": cls.env.ref("base.EUR").id,
                "account_fiscal_country_id": cls.env.ref("base.de").id,
            }
        )
        cls.env.user.company_ids |= company
        return company

    @classmethod
    def _create_users(cls):
        companies = (cls.company | cls.eu_company).ids
        for name, group in (
            ("jobs_user", "group_integration"),
            ("manager", "group_manager"),
            ("operator", "group_operator"),
            ("auditor", "group_auditor"),
        ):
            user = new_test_user(
                cls.env,
                login=f"shopify_{name}",
                groups=f"shopify_connector.{group}",
                company_id=cls.company.id,
                company_ids=[(6, 0, companies)],
            )
            setattr(cls, name, user)

    @classmethod
    def _create_backend(cls, name, shop, company, **values):
        """A store that is connected with client credentials, without asking the sandbox."""
        return (
            cls.env["shopify.backend"]
            .with_company(company)
            .create(
                {
                    "name": name,
                    "shop_domain": shop,
                    "company_id": company.id,
                    "user_id": cls.jobs_user.id,
                    "client_id": sandbox_testing.CLIENT_ID,
                    "client_secret": sandbox_testing.CLIENT_SECRET,
                    "state": "ready",
                    **values,
                }
            )
        )

    # -- what tests do --------------------------------------------------------------------------

    def shop(self, backend):
        """The sandbox's side of a store: settings, faults, objects."""
        return self.sandbox.shop(backend.shop_domain)

    def set_shop(self, backend, **settings):
        """Change settings of the sandbox's side, e.g. `installed=False`."""
        url = f"{self.sandbox.url}/_sandbox/{backend.shop_domain}/settings"
        requests.post(url, json=settings, timeout=10).raise_for_status()

    def place_orders(self, backend, count=1, seed=1, **wishes):
        """Customers place orders.

        :param wishes: see `shopify_sandbox.orders.Wishes`
        :return: list of the orders as the sandbox holds them
        """
        return self.sandbox.place_orders(backend.shop_domain, count, seed, **wishes)

    def put(self, backend, gids, topic="orders/create", source="manual"):
        """Put resources into the inbox, without a job."""
        items = [{"topic": topic, "gid": gid, "source": source} for gid in gids]
        return backend._as_integration_user().env["shopify.inbox"]._put(backend, items)

    def drain(self, backend, rounds=10):
        """Process the inbox as its jobs do, until nothing is due.

        :return: list of what the drains said
        """
        said = []
        backend = backend._as_integration_user()
        due = [("backend_id", "=", backend.id), ("state", "=", "pending")]
        for _round in range(rounds):
            self.env.flush_all()
            said.append(backend.env["shopify.inbox"]._drain(backend))
            # Other cursors have written.
            self.env.invalidate_all()
            if not self.env["shopify.webhook.event"].search_count(due, limit=1):
                break
        return said

    def import_orders(self, backend, nodes):
        """Import orders of the sandbox through the inbox.

        :param nodes: what `place_orders` returned, or their gids
        :return: their `shopify.order`, in the same order; those that are not there are left out
        """
        gids = [node if isinstance(node, str) else node["id"] for node in nodes]
        self.put(backend, gids)
        self.drain(backend)
        found = self.env["shopify.order"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", gids)]
        )
        return found.sorted(lambda order: gids.index(order.shopify_gid))

    def create_products(self, backend):
        """A storable product in Odoo for every SKU of the store, and none twice."""
        Product = self.env["product.product"]
        variants = self.shop(backend).store.all("ProductVariant")
        skus = {variant["sku"] for variant in variants if variant.get("sku")}
        known = set(Product.search([("default_code", "in", list(skus))]).mapped("default_code"))
        return Product.create(
            [
                {"name": sku, "default_code": sku, "type": "consu", "is_storable": True}
                for sku in sorted(skus - known)
            ]
        )


@tagged("post_install", "-at_install", "shopify")
class ShopifyCase(ShopifyMixin, TransactionCase):
    """A test in one transaction; cursors that the code opens take part in it."""


@tagged("post_install", "-at_install", "shopify")
class ShopifyHttpCase(ShopifyMixin, HttpCase):
    """The same with a running server: `self.url_open`, `self.authenticate`."""
