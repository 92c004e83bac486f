"""Pictures of deliveries that are told to Shopify."""

ADDON = "shopify_connector"
DELIVERIES = 5


class ShippingScenes:
    """Part of :class:`~.screenshot_scenes.Scenes`."""

    def shipping(self):
        """Some deliveries are told, one is on hold in the store."""
        store = self.seed.stores[0]
        self.odoo.write("shopify.backend", [self.us], {"export_fulfillments": True})
        carrier = self.odoo.search("delivery.carrier", [], limit=1)
        self.odoo.write("delivery.carrier", carrier, {"name": "UPS Ground"})
        ready = [
            ("sale_id.shopify_backend_id", "=", self.us),
            ("state", "=", "assigned"),
            ("picking_type_code", "=", "outgoing"),
        ]
        pickings = self.until(
            "deliveries that are ready",
            lambda: self.odoo.search("stock.picking", ready, limit=DELIVERIES, order="id"),
        )
        self._hold(store, pickings[0])
        for number, picking in enumerate(pickings):
            self._deliver(picking, carrier[0], f"1Z99926{number}")
        self.until("shipments that are told", lambda: self._states(pickings) == {"done", "waiting"})
        tab = self.tab
        tab.open(f"{ADDON}.action_shopify_fulfillment")
        tab.click(".o_searchview_facet .o_facet_remove")
        self.shot("shipments")
        waiting = self.one("shopify.fulfillment", [("state", "=", "waiting")])
        self.visit("shipment-waiting", "action_shopify_fulfillment", waiting)
        for name, picking in (("delivery-held", pickings[0]), ("delivery", pickings[1])):
            tab.open("stock.action_picking_tree_all", picking)
            self.shot(name)
        tab.open(f"{ADDON}.action_shopify_backend", self.us)
        tab.page("shipping")
        tab.show(".o_notebook")
        self.shot("store-shipping")

    def _hold(self, store, picking):
        """A person in the store puts the goods of a delivery on hold."""
        sale = self.odoo.call("stock.picking", "read", [picking], ["sale_id"])[0]["sale_id"][0]
        order = self.odoo.search_read(
            "shopify.order", [("sale_order_id", "=", sale)], ["shopify_gid"]
        )[0]
        hold = {
            "id": "gid://shopify/FulfillmentHold/1",
            "reason": "INCORRECT_ADDRESS",
            "displayReason": "Incorrect address",
            "reasonNotes": "The customer calls back",
            "heldByRequestingApp": False,
        }
        for waiting in store.objects("FulfillmentOrder"):
            if waiting["order"]["id"] == order["shopify_gid"]:
                store.change(waiting["id"], {"status": "ON_HOLD", "fulfillmentHolds": [hold]})

    def _deliver(self, picking, carrier, number):
        values = {"carrier_id": carrier, "carrier_tracking_ref": number}
        self.odoo.write("stock.picking", [picking], values)
        moves = self.odoo.search("stock.move", [("picking_id", "=", picking)])
        self.odoo.write("stock.move", moves, {"picked": True})
        context = {"skip_backorder": True, "skip_sms": True}
        self.odoo.call("stock.picking", "button_validate", [picking], context=context)

    def _states(self, pickings):
        rows = self.odoo.search_read(
            "shopify.fulfillment", [("picking_id", "in", pickings)], ["state"]
        )
        return {row["state"] for row in rows}
