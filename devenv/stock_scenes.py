"""Pictures of the stock that Shopify shows."""


class StockScenes:
    """A part of :class:`~.screenshot_scenes.Scenes`."""

    def stock(self):
        """Stock is compared, switched on, bounded by rules, and looked at."""
        first, *others = self.odoo.search("shopify.location", [("backend_id", "=", self.us)])
        self.odoo.write("shopify.location", others, {"push_stock": False})
        self.seed.map_locations(self.us)
        self.visit("store-stock-off", "action_shopify_backend", self.us, "stock")
        action = self.odoo.call("shopify.backend", "action_check_stock", [self.us])
        check = [("id", "=", action["res_id"]), ("state", "=", "done")]
        self.until("the comparison", lambda: self.odoo.search("shopify.stock.check", check))
        self.visit("stock-check", "action_shopify_stock_check", action["res_id"])
        self.odoo.call("shopify.stock.check", "action_switch_on", [action["res_id"]])
        tees = self.odoo.search("product.template", [("name", "ilike", "Harbor Tee")])
        for values in (
            {"effect": "buffer_percent", "value": 5},
            {"effect": "buffer_fixed", "value": 20, "product_tmpl_id": tees[0]},
            {"effect": "maximum", "value": 500, "location_id": first},
        ):
            self.odoo.create("shopify.stock.rule", {"backend_id": self.us, **values})
        self.until("an empty outbox", lambda: not self.odoo.search("shopify.outbox", []))
        self.visit("stock-rules", "action_shopify_stock_rule")
        self.visit("stock-levels", "action_shopify_stock_level")
        level = self.odoo.search("shopify.stock.level", [("location_id", "=", first)])[0]
        self.visit("stock-level", "action_shopify_stock_level", level)
        variant = self.odoo.search_read("shopify.stock.level", [("id", "=", level)], ["variant_id"])
        self.visit("stock-variant", "action_shopify_variant", variant[0]["variant_id"][0])
        self.visit("store-stock", "action_shopify_backend", self.us, "stock")
        self.visit("stock-locations", "action_shopify_location")
