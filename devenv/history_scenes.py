"""Pictures of the import of a store's past."""

import time

from .console import say

ADDON = "shopify_connector"
PAST_ORDERS = 300
LONG_AGO = "2024-03-01T10:00:00Z"


class HistoryScenes:
    """Part of :class:`~.screenshot_scenes.Scenes`; the last one, for it cuts the webhooks off."""

    def history(self):
        """Orders of long ago come in, with a break."""
        self.odoo.write(
            "shopify.backend", [self.us], {"use_polling": False, "missing_product": "placeholder"}
        )
        self._place_past(self.seed.stores[0])
        tab = self.tab
        tab.open(f"{ADDON}.action_shopify_backend", self.us)
        tab.button("action_import_orders")
        tab.click("[name='mode'] input[data-value='all']")
        self.shot("history-choose")
        started = time.monotonic()
        tab.button("action_import")
        history = self.until(
            "an import that runs", lambda: self.odoo.search("shopify.order.history", [])
        )[0]
        self._until_done(history, PAST_ORDERS // 4)
        self.visit("history-running", "action_shopify_order_history", history)
        tab.button("action_pause")
        tab.button("action_resume")
        self._until_done(history, PAST_ORDERS)
        self.until("the end of the import", lambda: self._read(history)["state"] == "done")
        say(f"{PAST_ORDERS} orders of the past in {time.monotonic() - started:.0f} s")
        self.visit("history-done", "action_shopify_order_history", history)
        order = self.odoo.search(
            "shopify.order", [("history_id", "=", history)], order="processed_at", limit=1
        )
        self.visit("history-order", "action_shopify_order", order[0])

    def _place_past(self, store):
        store.forget("WebhookSubscription")
        known = {order["id"] for order in store.objects("Order")}
        store.place_orders(PAST_ORDERS, seed=23, region="US/OR", extras=False)
        store.load(
            [
                {
                    "__typename": "Order",
                    "id": order["id"],
                    "createdAt": LONG_AGO,
                    "processedAt": LONG_AGO,
                    "updatedAt": LONG_AGO,
                    "displayFulfillmentStatus": "FULFILLED",
                }
                for order in store.objects("Order")
                if order["id"] not in known
            ],
            deliver=False,
        )

    def _read(self, history):
        return self.odoo.call("shopify.order.history", "read", [history], ["state", "done"])[0]

    def _until_done(self, history, count):
        self.until(f"{count} orders", lambda: self._read(history)["done"] >= count)
