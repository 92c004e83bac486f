"""What is on the pictures of the guide, in the order in which a merchant meets it."""

import time

from .console import DevenvError, say
from .demo_check import map_taxes
from .history_scenes import HistoryScenes
from .refund_scenes import RefundScenes
from .shipping_scenes import ShippingScenes
from .stock_scenes import StockScenes
from .store import CLIENT_ID, CLIENT_SECRET

ADDON = "shopify_connector"
OPEN_ORDERS = 12
NEW_ORDERS = 4
HELD_ORDERS = 3
PATIENCE = 120


class Scenes(ShippingScenes, HistoryScenes, StockScenes, RefundScenes):
    """Takes the pictures while it leads a database through the life of a connection.

    :param seed: a :class:`~.demo_seed.Seed` on an empty database
    :param tab: a :class:`~.browser.Browser`
    :param images: folder of the pictures
    :param only: names of the pictures to save; None for all
    """

    def __init__(self, seed, tab, images, only=None):
        self.seed = seed
        self.odoo = seed.odoo
        self.tab = tab
        self.images = images
        self.only = only
        self.count = 0

    def run(self):
        self.empty_lists()
        self.onboarding()
        self.first_orders()
        self.decisions()
        self.daily_work()
        self.holds()
        self.shipping()
        self.stock()
        self.store_form()
        self.lists()
        self.previews()
        self.refunds()
        self.history()

    def shot(self, name):
        """Save what is visible as ``<name>.png``."""
        if self.only and name not in self.only:
            return
        self.tab.save(self.images / f"{name}.png")
        self.count += 1
        say(f"picture {name}")

    def visit(self, name, action, record=None, page=None):
        self.tab.open(f"{ADDON}.{action}", record)
        if page:
            self.tab.page(page)
        self.shot(name)

    # --- helpers for what happens between two pictures

    def one(self, model, domain, **kwargs):
        return self.seed.one(model, domain, **kwargs)

    def until(self, what, condition):
        """Wait until ``condition()`` is true, and return its value."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.3)
        raise DevenvError(f"waited {PATIENCE} s in vain: {what}")

    def until_quiet(self):
        """Wait until no event waits in the inbox."""
        pending = [("state", "=", "pending")]
        self.until(
            "an empty inbox",
            lambda: not self.odoo.call("shopify.webhook.event", "search_count", pending),
        )

    # --- the scenes

    def empty_lists(self):
        self.visit("empty-stores", "action_shopify_backend")
        self.visit("empty-exceptions", "action_shopify_exception")

    def onboarding(self):
        """The American store, by the wizard only."""
        store = self.seed.stores[0]
        store.place_orders(OPEN_ORDERS, seed=11)
        self.seed.add_products()
        company = self.seed.company(store.shop)
        self.seed.add_stock(company)
        tab = self.tab
        tab.open(f"{ADDON}.action_shopify_backend")
        tab.click(".o_view_nocontent a.btn-primary")
        handle = store.shop.removesuffix(".myshopify.com")
        tab.fill("shop_domain", f"https://admin.shopify.com/store/{handle}")
        tab.fill("name", "Sandbox Goods US")
        tab.fill("client_id", CLIENT_ID)
        tab.fill("client_secret", CLIENT_SECRET)
        self.shot("onboarding-store")
        tab.button("action_next")
        self.shot("onboarding-check")
        tab.button("action_next")
        self.shot("onboarding-locations")
        tab.button("action_next")
        self.shot("onboarding-orders")
        tab.button("action_next")
        tab.fill("webhook_base_url", self.seed.odoo_url)
        self.shot("onboarding-webhooks")
        tab.button("action_next")
        self.shot("onboarding-import")
        self.us = self.one("shopify.backend", [])
        tab.button("action_finish")
        self.seed.wait_for_links(store, self.us)

    def first_orders(self):
        """The orders from before the connection; a product and the taxes are not known yet."""
        self.hide_a_product()
        tab = self.tab
        tab.open(f"{ADDON}.action_shopify_backend", self.us)
        tab.button("action_import_orders")
        tab.fill("date_from", "01/01/2020 00:00:00")
        self.shot("import-choose")
        tab.button("action_import")
        self.shot("import-running")
        self.until_quiet()
        time.sleep(3)
        self.shot("import-waiting")
        self.wizard = max(self.odoo.search("shopify.order.import", []))

    def hide_a_product(self):
        """Forget the link of a product that is in an open order, and its SKU."""
        order = self.seed.stores[0].objects("Order")[-1]
        lines = order["lineItems"]["nodes"]
        sku = next(line["sku"] for line in lines if line.get("sku"))
        variant = self.odoo.search("shopify.variant", [("sku", "=", sku)])
        self.odoo.write("shopify.variant", variant, {"product_id": False})
        self.hidden = self.one("product.product", [("default_code", "=", sku)])
        self.odoo.write("product.product", [self.hidden], {"default_code": f"OLD-{sku}"})

    def decisions(self):
        self.visit("exceptions", "action_shopify_exception")
        exception = self.one("shopify.exception", [("category", "=", "tax")])
        self.visit("exception-tax", "action_shopify_exception", exception)
        self.preview_waiting(exception)
        self.visit("taxes-unmapped", "action_shopify_tax_mapping")
        self.tab.open(f"{ADDON}.action_shopify_exception", exception)
        self.tab.button("action_fix")
        self.shot("tax-mapping")
        map_taxes(self.odoo)
        self.until_quiet()
        self.visit("taxes", "action_shopify_tax_mapping")
        exception = self.one("shopify.exception", [("category", "=", "product")])
        self.visit("exception-product", "action_shopify_exception", exception)
        self.tab.button("action_fix")
        self.shot("product-fix")
        self.map_variants()
        self.until_quiet()
        self.tab.open(f"{ADDON}.action_shopify_order_import", self.wizard)
        self.shot("import-done")

    def preview_waiting(self, exception):
        """What an order waits for, seen from the list of those that wait."""
        line = self.odoo.search("shopify.exception.line", [("exception_id", "=", exception)])[-1]
        action = self.odoo.call("shopify.exception.line", "action_preview", [line])
        self.visit("preview-waiting", "action_shopify_order_preview", action["res_id"])

    def map_variants(self):
        variants = self.odoo.search("shopify.variant", [("product_id", "=", False)])
        self.odoo.write("shopify.variant", variants, {"product_id": self.hidden})

    def until_imported(self):
        """Decide what needs a decision until no order waits."""

        def nothing_waits():
            map_taxes(self.odoo)
            self.map_variants()
            waiting = [("state", "=", "open"), ("waiting_count", ">", 0)]
            pending = [("state", "=", "pending")]
            return not (
                self.odoo.call("shopify.webhook.event", "search_count", pending)
                or self.odoo.call("shopify.exception", "search_count", waiting)
            )

        self.until("all orders in Odoo", nothing_waits)

    def daily_work(self):
        """A second store, new orders, invoices and payments, and an order that changes."""
        store = self.seed.stores[1]
        store.place_orders(OPEN_ORDERS, seed=12)
        self.eu = self.seed.connect(store)
        self.seed.import_open_orders([self.eu])
        self.until_imported()
        companies = "-".join(map(str, sorted(self.odoo.context["allowed_company_ids"])))
        self.tab.driver.add_cookie({"name": "cids", "value": companies, "path": "/"})
        self.accounting()
        for each in self.seed.stores:
            each.place_orders(NEW_ORDERS, seed=21)
        self.until_imported()
        self.change_an_order()

    def previews(self):
        """An order that is not in Odoo, and the one that changed."""
        self.odoo.write("shopify.backend", [self.us], {"import_orders": False})
        store = self.seed.stores[0]
        store.place_orders(1, seed=31)
        name = store.objects("Order")[-1]["name"]
        tab = self.tab
        tab.open(f"{ADDON}.action_shopify_backend", self.us)
        tab.button("action_preview_order")
        tab.fill("name", name)
        tab.click(".o_field_widget[name='delivered'] input")
        tab.click(".o_field_widget[name='way'] input[data-value='manual']")
        tab.button("action_preview")
        tab.wait_for(".o_shopify_preview")
        self.shot("preview")
        for section in ("matches", "entries"):
            tab.show(f".o_shopify_preview_{section}")
            self.shot(f"preview-{section}")
        tab.open(f"{ADDON}.action_shopify_order", self.changed)
        tab.button("action_preview")
        tab.wait_for(".o_shopify_preview")
        self.shot("preview-changed")
        self.odoo.write("shopify.backend", [self.us], {"import_orders": True})

    def accounting(self):
        values = {"invoice_policy": "paid", "payment_journal_id": self.journal()}
        self.odoo.write("shopify.backend", [self.us], values)
        gateways = (("Cash on Delivery", "manual", "delivery"), ("paypal", "normal", False))
        for gateway, kind, when in gateways:
            self.odoo.create(
                "shopify.payment.mapping",
                {
                    "backend_id": self.us,
                    "gateway": gateway,
                    "kind": kind,
                    "journal_id": self.journal(),
                    "invoice_when": when,
                },
            )

    def journal(self):
        domain = [("type", "=", "bank"), ("company_id.currency_id.name", "=", "USD")]
        return self.one("account.journal", domain)

    def change_an_order(self):
        """The customer moves when the goods are gone already."""
        orders = self.odoo.search_read(
            "shopify.order",
            [("backend_id", "=", self.us), ("sale_state", "=", "sale")],
            ["shopify_gid", "sale_order_id"],
            limit=1,
        )
        self.changed = orders[0]["id"]
        self.deliver(orders[0]["sale_order_id"][0])
        order = next(
            order
            for order in self.seed.stores[0].objects("Order")
            if order["id"] == orders[0]["shopify_gid"]
        )
        address = {**(order["shippingAddress"] or {}), "address1": "12 Harbour Street"}
        self.seed.stores[0].change(order["id"], {"shippingAddress": address})
        self.until(
            "the difference of the order",
            lambda: self.odoo.search(
                "shopify.order", [("id", "=", self.changed), ("difference", "!=", False)]
            ),
        )

    def deliver(self, sale):
        moves = self.odoo.search_read(
            "stock.move",
            [("picking_id.sale_id", "=", sale), ("state", "not in", ("done", "cancel"))],
            ["product_uom_qty", "picking_id"],
        )
        for move in moves:
            values = {"quantity": move["product_uom_qty"], "picked": True}
            self.odoo.write("stock.move", [move["id"]], values)
        for picking in {move["picking_id"][0] for move in moves}:
            self.odoo.call("stock.picking", "button_validate", [picking])

    def holds(self):
        """Orders that Shopify advises to cancel; one of them is to be cancelled."""
        store, tab = self.seed.stores[0], self.tab
        self.odoo.write("shopify.backend", [self.us], {"import_orders": False})
        before = store.order_gids()
        store.place_orders(HELD_ORDERS, seed=31, payment="paid", extras=False)
        self.until_quiet()
        values = {"import_orders": True, "cancel_in_shopify": True}
        self.odoo.write("shopify.backend", [self.us], values)
        risk = {"recommendation": "CANCEL", "assessments": [{"riskLevel": "HIGH"}]}
        for gid in store.order_gids() - before:
            store.change(gid, {"risk": risk})
        held = [("hold", "=", "held")]
        self.until("the orders on hold", lambda: self._are_held(held))
        self.until_quiet()
        self.visit("held-orders", "action_shopify_order_held")
        order = self.odoo.search_read("shopify.order", held, ["sale_order_id"], limit=1)[0]
        self.visit("held-order", "action_shopify_order", order["id"])
        tab.button("action_cancel_in_shopify")
        tab.wait_for(".modal .o_form_view")
        self.shot("order-cancel")
        tab.open("sale.action_orders", order["sale_order_id"][0])
        self.shot("held-sale-order")
        exception = self.one("shopify.exception", [("category", "=", "risk")])
        self.visit("held-exception", "action_shopify_exception", exception)

    def _are_held(self, held):
        map_taxes(self.odoo)
        self.map_variants()
        return self.odoo.call("shopify.order", "search_count", held) == HELD_ORDERS

    def store_form(self):
        tab = self.tab
        self.visit("stores", "action_shopify_backend")
        tab.click(".o_switch_view.o_list")
        self.shot("stores-list")
        tab.open(f"{ADDON}.action_shopify_backend", self.us)
        self.shot("store")
        tab.button("action_check_connection")
        self.shot("store-check")
        tab.open(f"{ADDON}.action_shopify_backend", self.us)
        for page in ("connection", "orders", "products", "accounting", "sync", "locations"):
            tab.page(page)
            tab.show(".o_notebook")
            self.shot(f"store-{page}")
        tab.page("accounting")
        tab.click("button", text="Account for Imported Orders")
        tab.wait_for(".modal .o_form_view")
        tab.fill("date_from", "01/01/2020")
        self.shot("accounting-start")

    def lists(self):
        tab = self.tab
        self.visit("orders", "action_shopify_order")
        invoiced = [("invoice_ids", "!=", False), ("id", "!=", self.changed)]
        order = self.until(
            "an invoiced order", lambda: self.odoo.search("shopify.order", invoiced, limit=1)
        )[0]
        self.visit("order", "action_shopify_order", order)
        self.visit("order-changed", "action_shopify_order", self.changed)
        sale = self.odoo.call("shopify.order", "read", [order], ["sale_order_id"])[0]
        tab.open("sale.action_orders", sale["sale_order_id"][0])
        self.shot("sale-order")
        tab.page("shopify")
        tab.show(".o_notebook")
        self.shot("sale-order-shopify")
        self.visit("products", "action_shopify_product")
        self.visit("product", "action_shopify_product", self.one("shopify.product", []))
        tab.open(f"{ADDON}.action_shopify_variant")
        tab.click(".o_searchview_facet .o_facet_remove")
        self.shot("variants")
        self.visit("customers", "action_shopify_customer")
        self.visit("carriers", "action_shopify_carrier_mapping")
        self.visit("payment-mappings", "action_shopify_payment_mapping")
        self.visit("payments", "action_shopify_payment")
        self.visit("inbox", "action_shopify_webhook_event")
        event = self.one("shopify.webhook.event", [("source", "=", "webhook")])
        self.visit("inbox-event", "action_shopify_webhook_event", event)
        self.visit("log", "action_shopify_sync_log")
        self.visit("webhooks", "action_shopify_webhook_subscription")
