from .common import ShopifyCase


class TestMatchFlow(ShopifyCase):
    """What a person decides lets the orders through that waited for it."""

    def setUp(self):
        super().setUp()
        self.us.write({"auto_tax_mapping": False, "missing_product": "stop"})
        [self.node] = self.place_orders(self.us, 1, lines=2, discounts=False, extras=False)

    def _exceptions(self, category):
        return self.env["shopify.exception"].search(
            [
                ("backend_id", "=", self.us.id),
                ("category", "=", category),
                ("state", "=", "open"),
            ]
        )

    def _order(self):
        return self.env["shopify.order"].search(
            [("backend_id", "=", self.us.id), ("shopify_gid", "=", self.node["id"])]
        )

    def _fix(self, exception):
        """The record that the one-click fix opens."""
        action = exception.with_user(self.operator).action_fix()
        self.assertTrue(action["res_id"])
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_taxes_created_by_one_click(self):
        self.create_products(self.us)
        self.assertFalse(self.import_orders(self.us, [self.node]))
        waiting = self._exceptions("tax")
        self.assertTrue(waiting)
        self.assertEqual(waiting.line_ids.mapped("gid"), [self.node["id"]] * len(waiting))
        for exception in waiting:
            self._fix(exception).with_user(self.manager).action_create_tax()
        self.drain(self.us)
        self.assertFalse(self._exceptions("tax"))
        sale = self._order().sale_order_id
        total = self.node["totalPriceSet"]["shopMoney"]["amount"]
        self.assertEqual(sale.amount_total, float(total))

    def test_products_chosen(self):
        self.us.auto_tax_mapping = True
        self.assertFalse(self.import_orders(self.us, [self.node]))
        for exception in self._exceptions("tax"):
            self._fix(exception).with_user(self.manager).action_create_tax()
        waiting = self._exceptions("product")
        self.assertTrue(waiting)
        for exception in waiting:
            variant = self._fix(exception)
            product = self.env["product.product"].create({"name": variant.sku})
            variant.with_user(self.operator).product_id = product
        self.drain(self.us)
        self.assertFalse(self._exceptions("product"))
        self.assertTrue(self._order().sale_order_id)

    def test_products_that_get_their_sku(self):
        self.import_orders(self.us, [self.node])
        for exception in self._exceptions("tax"):
            self._fix(exception).with_user(self.manager).action_create_tax()
        self.create_products(self.us)
        self.drain(self.us)
        self.assertFalse(self._exceptions("product"))
        self.assertTrue(self._order().sale_order_id)
