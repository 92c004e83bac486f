"""What the demo's merchant has done before the first order: companies, products, stock, stores.

Everything goes through the running server, by the methods that the screens call.
"""

import re
import time
from dataclasses import dataclass

from .console import DevenvError, say
from .store import CLIENT_ID, CLIENT_SECRET, Store

STOCK = 5000
OPEN_ORDERS = 6
COMPANIES = {
    # shop: (company, currency, country, code in order names)
    "sandbox-us.myshopify.com": ("Sandbox Goods Inc.", "USD", "US", "US"),
    "sandbox-eu.myshopify.com": ("Sandbox Waren GmbH", "EUR", "DE", "EU"),
}


@dataclass
class Seed:
    """Sets up one database.

    :param odoo: session of the administrator
    :param stores: one per shop of ``COMPANIES``
    :param odoo_url: where the stores deliver their webhooks
    """

    odoo: object
    stores: list[Store]
    odoo_url: str

    def run(self):
        """Set everything up; returns the ids of the backends."""
        for store in self.stores:
            store.place_orders(OPEN_ORDERS)
        self.add_products()
        backends = [self.connect(store) for store in self.stores]
        self.import_open_orders(backends)
        return backends

    # --- companies

    def company(self, shop):
        """Id of the company that runs this store; the first store takes the first company."""
        name, currency, country, code = COMPANIES[shop]
        values = {
            "name": name,
            "currency_id": self.currency(currency),
            "country_id": self.one("res.country", [("code", "=", country)]),
        }
        # Without it Odoo installs the country's accounting modules, which takes a minute.
        context = {"install_mode": True}
        if shop == next(iter(COMPANIES)):
            company = self.one("res.company", [], order="id")
            self.odoo.write("res.company", [company], values, context=context)
            self.switch_to(company)
            return company
        company = self.odoo.create("res.company", values, context=context)
        self.odoo.call("account.chart.template", "try_loading", [], "generic_coa", company)
        self.switch_to(company)
        # The chart of accounts has made it an American company.
        self.odoo.write("res.company", [company], values, context=context)
        self.odoo.create("stock.warehouse", {"name": name, "code": code, "company_id": company})
        return company

    def switch_to(self, company):
        """Choose the current company; the others stay visible."""
        companies = self.odoo.search("res.company", [])
        self.odoo.context["allowed_company_ids"] = sorted(companies, key=company.__ne__)

    def currency(self, code):
        domain = [("name", "=", code), ("active", "in", (True, False))]
        currency = self.one("res.currency", domain)
        self.odoo.write("res.currency", [currency], {"active": True})
        return currency

    def one(self, model, domain, **kwargs):
        found = self.odoo.search(model, domain, limit=1, **kwargs)
        if not found:
            raise DevenvError(f"no {model} for {domain}")
        return found[0]

    # --- products

    def add_products(self):
        """Make the stores' goods in Odoo too: products are linked by SKU."""
        skus = {}
        for store in self.stores:
            titles = {product["id"]: product["title"] for product in store.objects("Product")}
            for variant in store.objects("ProductVariant"):
                if variant.get("sku"):
                    skus.setdefault(variant["sku"], (_product_title(variant, titles), variant))
        values = [
            {
                "name": title,
                "default_code": sku,
                "list_price": float(variant.get("price") or 0),
                "type": "consu",
                "is_storable": True,
            }
            for sku, (title, variant) in sorted(skus.items())
        ]
        say(f"adding {len(values)} products to Odoo")
        self.products = self.odoo.call("product.product", "create", values)

    def add_stock(self, company):
        warehouse = self.odoo.search_read(
            "stock.warehouse", [("company_id", "=", company)], ["lot_stock_id"], limit=1
        )[0]
        context = {"inventory_mode": True}
        values = [
            {
                "product_id": product,
                "location_id": warehouse["lot_stock_id"][0],
                "inventory_quantity": STOCK,
            }
            for product in self.products
        ]
        quants = self.odoo.call("stock.quant", "create", values, context=context)
        self.odoo.call("stock.quant", "action_apply_inventory", quants, context=context)

    # --- stores

    def connect(self, store):
        """Create the backend of a store and take the steps of its screen; returns its id."""
        say(f"connecting {store.shop}")
        company = self.company(store.shop)
        self.add_stock(company)
        name, _currency, _country, code = COMPANIES[store.shop]
        backend = self.odoo.create(
            "shopify.backend",
            {
                "name": name,
                "company_id": company,
                "order_code": code,
                "order_name_pattern": "{store}{name}",
                "shop_domain": store.shop,
                "auth_method": "client_credentials",
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "webhook_base_url": self.odoo_url,
                "confirm_policy": "paid",
                "auto_tax_mapping": True,
            },
        )
        self.odoo.call("shopify.backend", "action_check_connection", [backend])
        self.expect_ready(backend)
        self.odoo.call("shopify.backend", "action_import_locations", [backend])
        self.map_locations(backend)
        self.odoo.call("shopify.backend", "action_register_webhooks", [backend])
        self.odoo.call("shopify.backend", "action_import_catalog", [backend])
        self.wait_for_links(store, backend)
        return backend

    def expect_ready(self, backend):
        found = self.odoo.call("shopify.backend", "read", [backend], ["state", "last_check_result"])
        if found[0]["state"] != "ready":
            text = re.sub(r"<[^>]+>", " ", found[0]["last_check_result"] or "no result")
            raise DevenvError(f"the check of the connection failed: {' '.join(text.split())}")

    def map_locations(self, backend):
        """Deliver from the company's only warehouse, whatever the location in the store."""
        warehouse = self.odoo.call("shopify.backend", "read", [backend], ["warehouse_id"])
        locations = self.odoo.search("shopify.location", [("backend_id", "=", backend)])
        values = {"warehouse_id": warehouse[0]["warehouse_id"][0]}
        self.odoo.write("shopify.location", locations, values)

    def wait_for_links(self, store, backend, seconds=60):
        """Wait until the job has read the catalogue."""
        expected = len(store.objects("ProductVariant"))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            linked = self.odoo.call(
                "shopify.variant", "search_count", [("backend_id", "=", backend)]
            )
            if linked >= expected:
                return
            time.sleep(0.3)
        raise DevenvError(f"only {linked} of {expected} variants of {store.shop} are linked")

    def import_open_orders(self, backends):
        """Import the orders that customers placed before the connection, by the wizard."""
        for backend in backends:
            wizard = self.odoo.create(
                "shopify.order.import",
                {"backend_id": backend, "mode": "range", "date_from": "2020-01-01 00:00:00"},
            )
            self.odoo.call("shopify.order.import", "action_import", [wizard])


def _product_title(variant, titles):
    product = variant.get("product")
    gid = product["id"] if isinstance(product, dict) else product
    names = [titles.get(gid, ""), variant.get("title") or ""]
    return " / ".join(name for name in names if name and name != "Default Title") or variant["sku"]
