"""Orders that are in Shopify and not in Odoo yet are never sold a second time."""

from unittest.mock import patch

from odoo.addons.shopify_connector.services.outcome import Block

from .stock_common import StockCase

SET = "InventorySetQuantities"


class TestStockInflight(StockCase):
    def setUp(self):
        super().setUp()
        self.us.write({"confirm_policy": "always", "import_orders": True})
        self.us.shop_country_id = self.env.ref("base.us")
        rest = [v for v in self.remote_variants if v["sku"] not in self.variants.mapped("sku")]
        self.variants |= self.link(rest, 100)
        self.in_step()
        self.by_gid = {variant.shopify_gid: variant for variant in self.variants}

    def sell(self, **wishes):
        """A customer buys; returns the order, the variant and how many."""
        wishes = {"lines": 1, "extras": False, "region": "US/OR", "seed": 5, **wishes}
        (order,) = self.place_orders(self.us, **wishes)
        store = self.shop(self.us).store
        (line,) = map(store.get, order["lineItems"])
        variant = self.by_gid[line["variant"]]
        self.assertEqual(self.remote(variant), 100 - line["quantity"])
        return order, variant, line["quantity"]

    def import_now(self, order):
        self.put(self.us, [order["id"]])
        self.drain(self.us)
        binding = self.env["shopify.order"].search([("shopify_gid", "=", order["id"])])
        self.assertEqual(binding.sale_order_id.state, "sale", self.exceptions().mapped("message"))
        self.us._job_reserve()
        self.flush()
        return binding.sale_order_id

    def sell_unreserved(self):
        """An order that is confirmed in Odoo, with nothing reserved; returns variant and units."""
        self.us.reserve = False
        order, variant, sold = self.sell()
        self.put(self.us, [order["id"]])
        with patch.object(
            type(self.env["stock.move"]), "_should_assign_at_confirm", lambda s: False
        ):
            self.drain(self.us)
        return variant, sold

    def test_an_imported_order_needs_no_call(self):
        order, variant, sold = self.sell()
        self.import_now(order)
        self.shop(self.us).log.clear()
        self.push()
        self.assertEqual(self.calls(), [], "Shopify has taken it off by itself")
        self.assertEqual(self.remote(variant), 100 - sold)

    def test_order_in_the_inbox_is_subtracted(self):
        order, variant, sold = self.sell()
        self.put(self.us, [order["id"]])
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        waiting = self.env["shopify.stock.waiting"].search([])
        self.assertEqual((waiting.order_name, waiting.quantity), (order["name"], sold))
        self.drain(self.us)
        self.us._job_reserve()
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        self.assertFalse(self.env["shopify.stock.waiting"].search([]))

    def test_order_of_which_odoo_knows_nothing_is_held_back(self):
        order, variant, sold = self.sell()
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold, "it vanished in Shopify: why?")
        level = self.level(variant)
        self.assertEqual((level.state, level.held), ("held", sold))
        self.assertIn("held back", self.outbox().message)
        # Once more, without knowing better: the units stay held back.
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        self.import_now(order)
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        self.assertEqual((level.state, level.held), ("same", 0))
        self.assertFalse(self.outbox())

    def test_change_by_hand_in_shopify_is_put_right_when_it_is_no_order(self):
        variant = self.variants[0]
        self.set_remote(variant, 60)
        self.add(variant.product_id, 5)
        self.push()
        self.assertEqual(self.remote(variant), 65)
        self.assertEqual(self.level(variant).held, 40)
        self.catch_up()
        self.push()
        self.assertEqual(self.remote(variant), 105, "Odoo knows how many there are")
        self.assertEqual(self.level(variant).held, 0)

    def test_order_placed_during_an_export_is_not_oversold(self):
        exporter = type(self.env["shopify.stock.exporter"])
        intend = exporter._intend
        placed = []

        def and_then_somebody_buys(model, backend, batches):
            intend(model, backend, batches)
            if not placed:
                placed.append(self.sell())

        for variant in self.variants:
            self.add(variant.product_id, 50)
        with patch.object(exporter, "_intend", and_then_somebody_buys):
            self.push()
        ((order, variant, sold),) = placed
        self.assertEqual(self.remote(variant), 150 - sold)
        others = self.variants - variant
        self.assertEqual({self.remote(other) for other in others}, {150})
        self.import_now(order)
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        stock = self.location.stock_location_id.id
        self.assertEqual(variant.product_id.with_context(location=stock).free_qty, 150 - sold)

    def test_order_that_waits_for_a_person_is_subtracted(self):
        self.us.missing_product = "stop"
        order, variant, sold = self.sell()
        order["taxesIncluded"] = True
        self.env["shopify.exception"]._report(
            self.us,
            {order["id"]: (order["name"], [self.block()])},
        )
        self.add(variant.product_id, 50)
        self.catch_up()
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        self.assertEqual(self.level(variant).held, 0, "it is known why")
        self.shop(self.us).log.clear()
        self.add(variant.product_id, 1)
        self.push()
        self.assertEqual(self.calls(), [SET], "the order is not read again")

    def block(self):
        return Block(category="tax", key="x", title="A tax", message="is not mapped")

    def test_quotation_is_subtracted(self):
        self.us.confirm_policy = "quotation"
        order, variant, sold = self.sell()
        self.put(self.us, [order["id"]])
        self.drain(self.us)
        sale = self.env["shopify.order"].search([("shopify_gid", "=", order["id"])]).sale_order_id
        self.assertEqual(sale.state, "draft")
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)
        sale.action_confirm()
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)

    def test_confirmed_order_that_is_not_reserved_is_subtracted(self):
        variant, sold = self.sell_unreserved()
        free = variant.product_id.with_context(location=self.location.stock_location_id.id).free_qty
        self.assertEqual(free, 100, "nothing is reserved")
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant), 150 - sold)

    def test_an_order_that_is_not_reserved_explains_its_own_units_only(self):
        variant, sold = self.sell_unreserved()
        # Somebody buys as much, and Odoo does not hear of it yet.
        self.set_remote(variant, 100 - 2 * sold)
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant), 150 - 2 * sold)
        self.assertEqual(self.level(variant).held, sold)

    def test_an_order_that_waited_explains_its_units_once(self):
        order, variant, sold = self.sell()
        self.put(self.us, [order["id"]])
        self.add(variant.product_id, 50)
        self.push()
        self.import_now(order)
        self.set_remote(variant, self.remote(variant) - sold)
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant), 200 - 2 * sold)
        self.assertEqual(self.level(variant).held, sold)

    def test_on_hand_leaves_open_orders_to_shopify(self):
        self.location.stock_basis = "on_hand"
        _order, variant, sold = self.sell()
        self.add(variant.product_id, 50)
        self.push()
        self.assertEqual(self.remote(variant, name="on_hand"), 150)
        self.assertEqual(self.remote(variant), 150 - sold)

    def test_changes_in_shopify_never_come_back(self):
        variant = self.variants[0]
        quants = self.env["stock.quant"].search([("product_id", "=", variant.product_id.id)])
        before = quants.mapped("quantity")
        self.set_remote(variant, 1)
        level = self.shop(self.us).store.all("InventoryLevel")[0]["id"]
        self.put(self.us, [level], topic="inventory_levels/update", source="webhook")
        self.drain(self.us)
        self.push()
        self.assertEqual(quants.mapped("quantity"), before)
        self.assertFalse(
            self.env["stock.move"].search([("product_id", "=", variant.product_id.id)])
        )
