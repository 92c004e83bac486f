"""Locations from which Shopify ships: Odoo's deliveries follow the parcels."""

from odoo.tests import Form

from .fulfillment_common import FulfillmentCase

FULFILL = """mutation F($fulfillment: FulfillmentInput!) {
    fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { message } } }"""


class TestFulfillmentImport(FulfillmentCase):
    def setUp(self):
        super().setUp()
        self.main.shopify_ships = True

    def parcel(self, sale, quantities=None, *numbers, place=0):
        """Somebody ships in Shopify; returns the gid of the fulfilment."""
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        todo = next(
            item for item in store.related(order, "fulfillmentOrders") if item["status"] != "CLOSED"
        )
        lines = []
        for line in store.resolve_all(todo["lineItems"]):
            sku = store.get(line["lineItem"])["title"].removeprefix("Title ")
            if quantities is None or sku in quantities:
                count = (quantities or {}).get(sku) or line["remainingQuantity"]
                lines.append({"id": line["id"], "quantity": count})
        given = {
            "lineItemsByFulfillmentOrder": [
                {"fulfillmentOrderId": todo["id"], "fulfillmentOrderLineItems": lines}
            ]
        }
        if numbers:
            given["trackingInfo"] = {"company": "UPS", "numbers": list(numbers)}
        answer = self.sandbox.graphql(FULFILL, {"fulfillment": given}, self.us.shop_domain)
        payload = answer["data"]["fulfillmentCreate"]
        self.assertFalse(payload["userErrors"])
        return payload["fulfillment"]["id"]

    def follow(self, sale):
        """What the webhook and its jobs do."""
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        said = self.us._job_apply_fulfillments()
        self.env.flush_all()
        self.env.invalidate_all()
        return said

    def delivered(self, sale):
        return {
            line.product_id.default_code: line.qty_delivered
            for line in sale.order_line
            if line.shopify_gid
        }

    def test_a_parcel_validates_the_delivery(self):
        sale = self.order()
        picking = sale.picking_ids
        gid = self.parcel(sale, None, "1Z1", "1Z2")
        self.follow(sale)
        self.assertEqual(picking.state, "done")
        self.assertEqual(picking.carrier_tracking_ref, "1Z1,1Z2")
        self.assertEqual(self.delivered(sale), {"A": 3, "B": 1})
        row = self.rows(picking)
        self.assertEqual((row.direction, row.state, row.shopify_gid), ("in", "done", gid))
        self.assertEqual(picking.shopify_fulfillment_state, "done")
        self.assertFalse(self.exceptions())
        # Shopify is not told of what it told us.
        self.push()
        self.assertEqual(len(self.fulfillments(sale)), 1)

    def test_the_customer_was_told_by_whoever_shipped(self):
        """Odoo's own confirmation is for deliveries that people validate."""
        self.us.company_id.stock_move_email_validation = True
        sale, by_hand = self.order(), self.order(number=1002)
        self.parcel(sale, None, "1Z1")
        self.follow(sale)
        self.assertEqual(sale.picking_ids.state, "done")
        self.assertFalse(self.told(sale))
        self.ship(by_hand)
        self.assertTrue(self.told(by_hand))

    def told(self, sale):
        """Messages to people about the delivery of an order."""
        domain = [("model", "=", "stock.picking"), ("res_id", "in", sale.picking_ids.ids)]
        return self.env["mail.message"].search([*domain, ("partner_ids", "!=", False)])

    def test_twice_is_once(self):
        sale = self.order()
        self.parcel(sale)
        self.follow(sale)
        self.follow(sale)
        self.assertEqual(len(self.rows()), 1)
        self.assertEqual(self.delivered(sale), {"A": 3, "B": 1})

    def test_parts_leave_a_backorder(self):
        sale = self.order()
        self.parcel(sale, {"A": 2}, "1Z1")
        self.follow(sale)
        self.assertEqual(self.delivered(sale), {"A": 2, "B": 0})
        self.assertEqual(len(sale.picking_ids), 2)
        self.parcel(sale, {"A": 1, "B": 1}, "1Z2")
        self.follow(sale)
        self.assertEqual(self.delivered(sale), {"A": 3, "B": 1})
        done = sale.picking_ids.sorted("id")
        self.assertEqual(done.mapped("state"), ["done", "done"])
        self.assertEqual(done.mapped("carrier_tracking_ref"), ["1Z1", "1Z2"])

    def test_two_parcels_at_once(self):
        sale = self.order()
        self.parcel(sale, {"A": 2}, "1Z1")
        self.parcel(sale, {"A": 1, "B": 1}, "1Z2")
        self.follow(sale)
        self.assertEqual(self.delivered(sale), {"A": 3, "B": 1})

    def test_goods_that_odoo_does_not_have(self):
        """They have left all the same."""
        self.goods["C"] = self.product("X")
        sale = self.order(lines=[("C", 5)])
        self.env["stock.quant"].search([("product_id", "=", self.goods["C"].id)]).unlink()
        self.parcel(sale)
        self.follow(sale)
        self.assertEqual(sale.picking_ids.state, "done")

    def test_tracking_that_comes_later(self):
        sale = self.order()
        gid = self.parcel(sale)
        self.follow(sale)
        self.sandbox.graphql(
            """mutation T($id: ID!) { fulfillmentTrackingInfoUpdate(fulfillmentId: $id,
                trackingInfoInput: {number: "1Z7"}) { userErrors { message } } }""",
            {"id": gid},
            self.us.shop_domain,
        )
        self.follow(sale)
        self.assertEqual(sale.picking_ids.carrier_tracking_ref, "1Z7")
        self.assertEqual(len(self.rows()), 1)

    def test_other_locations_are_none_of_its_business(self):
        sale = self.order(place=1)
        self.parcel(sale)
        self.follow(sale)
        self.assertFalse(self.rows())
        self.assertNotEqual(sale.picking_ids.state, "done")

    def test_more_than_is_open_is_reported(self):
        sale = self.order()
        Form(sale.picking_ids)
        line = sale.order_line.filtered(lambda line: line.product_id == self.goods["A"])
        sale.picking_ids.move_ids.filtered(
            lambda move: move.sale_line_id == line
        ).product_uom_qty = 1
        self.parcel(sale)
        self.follow(sale)
        self.assertEqual(self.delivered(sale), {"A": 1, "B": 1})
        self.assertIn("2 x", self.exceptions().message)

    def test_no_delivery_is_open(self):
        sale = self.order()
        sale.picking_ids.action_cancel()
        self.parcel(sale)
        self.follow(sale)
        self.assertEqual(self.rows().state, "waiting")
        exception = self.exceptions()
        self.assertIn("fits no delivery", exception.name)
        self.assertIn("3 x", exception.message)

    def test_delivered_by_hand_before(self):
        self.us.export_fulfillments = False
        sale = self.order()
        picking = self.ship(sale, tracking=False)
        self.parcel(sale, None, "1Z3")
        self.follow(sale)
        self.assertEqual(self.rows().picking_id, picking)
        self.assertEqual(picking.carrier_tracking_ref, "1Z3")
        self.assertFalse(self.exceptions())

    def test_a_lot_that_nobody_named(self):
        self.goods["A"].tracking = "lot"
        self.env["stock.quant"].search([("product_id", "=", self.goods["A"].id)]).unlink()
        sale, other = self.order(1001), self.order(1002, lines=[("B", 1)])
        for order in (sale, other):
            self.parcel(order)
            self.import_orders(self.us, [order.shopify_order_id.shopify_gid])
        self.follow(other)
        self.assertNotEqual(sale.picking_ids.state, "done")
        self.assertEqual(other.picking_ids.state, "done")
        self.assertIn("#1001", self.exceptions().name)

    def test_an_order_that_is_not_confirmed(self):
        self.us.confirm_policy = "quotation"
        sale = self.order()
        self.parcel(sale)
        self.follow(sale)
        self.assertIn("not confirmed", self.exceptions().message)
        sale.action_confirm()
        self.exceptions().action_retry()
        self.drain(self.us)
        self.follow(sale)
        self.assertEqual(sale.picking_ids.state, "done")
        self.assertFalse(self.exceptions())

    def test_cancelled_in_shopify_after_it_was_followed(self):
        sale = self.order()
        gid = self.parcel(sale)
        self.follow(sale)
        self.sandbox.graphql(
            "mutation C($id: ID!) { fulfillmentCancel(id: $id) { userErrors { message } } }",
            {"id": gid},
            self.us.shop_domain,
        )
        self.follow(sale)
        self.assertEqual(self.rows().state, "cancelled")
        self.assertIn("was cancelled in Shopify", self.exceptions().name)

    def test_another_warehouse(self):
        """A parcel from a place whose goods Odoo would not send."""
        other = self.env["stock.warehouse"].create({"name": "Other", "code": "OTH"})
        self.main.warehouse_id = other
        sale = self.order()
        self.parcel(sale)
        self.follow(sale)
        self.assertIn("no open delivery from Other", self.exceptions().message)
        self.main.warehouse_id = self.us.warehouse_id
        self.follow(sale)
        self.assertEqual(sale.picking_ids.state, "done")
        self.assertFalse(self.exceptions())

    def test_topics_are_asked_for_by_stores_that_need_them(self):
        topics = self.env["shopify.webhook.registrar"]._topics
        self.assertIn("FULFILLMENTS_CREATE", topics(self.us))
        self.assertNotIn("FULFILLMENTS_CREATE", topics(self.eu))

    def test_orders_without_parcels_cost_no_further_call(self):
        sale = self.order()
        self.follow(sale)
        self.assertFalse(self.calls("OrderFulfillments"))

    # -- goods that nobody carries --------------------------------------------------------------

    def test_gift_cards_are_left_to_shopify(self):
        sale = self.order(lines=[("GIFT", 1)])
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        self.assertFalse(self.rows())

    def test_gift_cards_are_fulfilled_apart(self):
        self.main.shopify_ships = False
        self.us.digital_policy = "apart"
        sale = self.order(lines=[("A", 1), ("GIFT", 2)])
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        self.push()
        self.assertEqual([lines for lines, _n, _m in self.shipped(sale)], [{"GIFT": 2}])
        self.ship(sale)
        self.push()
        self.assertEqual([lines for lines, _n, _m in self.shipped(sale)], [{"GIFT": 2}, {"A": 1}])
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        self.push()
        self.assertEqual(len(self.fulfillments(sale)), 2)

    def test_gift_cards_and_other_digital_goods_each_apart(self):
        self.us.digital_policy = "apart"
        sale = self.order(lines=[("GIFT", 1), ("A", 1), ("SONG", 3)])
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        self.push()
        self.assertEqual(
            [lines for lines, _n, _m in self.shipped(sale)], [{"GIFT": 1}, {"SONG": 3}]
        )
        self.assertEqual(set(self.rows().mapped("state")), {"done"})

    def test_gift_cards_wait_for_the_money(self):
        self.us.digital_policy = "apart"
        sale = self.order(lines=[("GIFT", 1)], displayFinancialStatus="PENDING")
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        self.assertFalse(self.rows())
