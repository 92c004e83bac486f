"""Deliveries told to Shopify: what, where, with which tracking, and what makes them wait."""

from .fulfillment_common import FulfillmentCase

READ, CREATE = "OrderFulfillmentOrders", "FulfillmentCreate"


class TestFulfillmentExport(FulfillmentCase):
    def test_a_delivery_fulfils_the_order(self):
        sale = self.order()
        picking = self.ship(sale)
        row = self.rows(picking)
        self.assertEqual((row.state, row.kind), ("pending", "create"))
        self.assertEqual(picking.shopify_fulfillment_state, "pending")
        self.assertFalse(self.calls(CREATE), "those who deliver ask nobody")
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["1Z999"], True)])
        (made,) = self.fulfillments(sale)
        self.assertEqual(made["trackingInfo"][0]["company"], "UPS")
        self.assertEqual(made["location"], self.places[0])
        self.assertEqual((row.state, row.shopify_gid), ("done", made["id"]))
        self.assertEqual(row.name, "#1001-F1")
        self.assertEqual(row.location_id, self.main)
        self.assertEqual(picking.shopify_fulfillment_state, "done")
        self.assertFalse(self.exceptions())
        self.assertEqual((self.calls(READ), self.calls(CREATE)), (1, 1))

    def test_nothing_is_told_unless_it_is_switched_on(self):
        self.us.export_fulfillments = False
        picking = self.ship(self.order())
        self.assertFalse(self.rows())
        self.assertTrue(picking.shopify_can_push)
        picking.with_user(self.operator).action_shopify_push()
        self.push()
        self.assertEqual(picking.shopify_fulfillment_state, "done")

    def test_the_customer_is_mailed_only_when_the_store_says_so(self):
        self.us.notify_customer = False
        sale = self.order()
        self.ship(sale)
        self.push()
        self.assertEqual(self.shipped(sale)[0][2], False)

    def test_parts_and_backorders_are_parcels_of_their_own(self):
        sale = self.order()
        self.ship(sale, {"A": 2}, tracking="1Z1")
        self.push()
        self.ship(sale, {"A": 1, "B": 1}, tracking="1Z2")
        self.push()
        self.assertEqual(
            self.shipped(sale), [({"A": 2}, ["1Z1"], True), ({"A": 1, "B": 1}, ["1Z2"], True)]
        )

    def test_two_deliveries_of_an_order_go_in_one_round(self):
        sale = self.order()
        self.ship(sale, {"A": 2}, tracking="1Z1")
        self.ship(sale, {"A": 1, "B": 1}, tracking="1Z2")
        self.push()
        self.assertEqual([part[0] for part in self.shipped(sale)], [{"A": 2}, {"A": 1, "B": 1}])
        self.assertEqual(self.calls(READ), 1)

    def test_several_packages_have_a_number_each(self):
        sale = self.order()
        self.ship(sale, tracking="1Z1,1Z2+1Z3")
        self.push()
        self.assertEqual(self.shipped(sale)[0][1], ["1Z1", "1Z2", "1Z3"])

    def test_orders_are_read_together(self):
        for number in range(1001, 1006):
            self.ship(self.order(number))
        self.push()
        self.assertEqual((self.calls(READ), self.calls(CREATE)), (1, 5))
        self.assertEqual(set(self.rows().mapped("state")), {"done"})

    def test_a_delivery_of_two_orders(self):
        first, second = self.order(1001), self.order(1002)
        picking, other = first.picking_ids, second.picking_ids
        other.move_ids.picking_id = picking
        picking.carrier_id = self.carrier
        picking.carrier_tracking_ref = "1Z7"
        picking.action_assign()
        picking.move_ids.picked = True
        picking._action_done()
        self.push()
        for sale in (first, second):
            self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["1Z7"], True)])

    def test_500_lines(self):
        goods = [(f"S{number}", 2) for number in range(500)]
        self.goods.update({sku: self.product(sku) for sku, _quantity in goods})
        for sku, _quantity in goods:
            self.stock(self.us, self.goods[sku], 5)
        sale = self.order(lines=goods)
        self.ship(sale)
        self.push()
        parts = self.shipped(sale)
        told = {sku: units for lines, _numbers, _mailed in parts for sku, units in lines.items()}
        self.assertEqual(told, dict(goods))
        self.assertEqual([len(lines) for lines, _numbers, _mailed in parts], [250, 250])
        self.assertEqual([mailed for _lines, _numbers, mailed in parts], [True, False])

    # -- carriers -------------------------------------------------------------------------------

    def tracked(self, sale):
        info = self.fulfillments(sale)[0]["trackingInfo"][0]
        return info["company"], info["url"]

    def test_a_carrier_by_its_mapping(self):
        carrier = self.new_carrier("Express")
        self.env["shopify.tracking.company"].create(
            {
                "backend_id": self.us.id,
                "carrier_id": carrier.id,
                "company": "DPD",
                "tracking_url": "https://track.example.com/{number}?x=1",
            }
        )
        sale = self.order()
        self.ship(sale, tracking="09", carrier=carrier)
        self.push()
        self.assertEqual(self.tracked(sale), ("DPD", "https://track.example.com/09?x=1"))

    def test_a_carrier_that_shopify_does_not_know(self):
        carrier = self.new_carrier("Our Van")
        carrier.tracking_url = "https://van.example.com/<shipmenttrackingnumber>"
        sale = self.order()
        self.ship(sale, tracking="V1", carrier=carrier)
        self.push()
        self.assertEqual(self.tracked(sale), ("Our Van", "https://van.example.com/V1"))

    def test_a_link_must_hold_the_number(self):
        with self.assertRaisesRegex(Exception, "number"):
            self.env["shopify.tracking.company"].create(
                {
                    "backend_id": self.us.id,
                    "carrier_id": self.carrier.id,
                    "tracking_url": "javascript:alert(1)",
                }
            )

    def test_without_tracking(self):
        sale = self.order()
        self.ship(sale, tracking=False)
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, [], True)])

    # -- places ---------------------------------------------------------------------------------

    def test_goods_expected_elsewhere_are_moved(self):
        sale = self.order(place=1)
        self.ship(sale)
        self.push()
        (made,) = self.fulfillments(sale)
        self.assertEqual(made["location"], self.places[0])
        self.assertEqual(self.calls("FulfillmentOrderMove"), 1)

    def test_only_what_was_shipped_is_moved(self):
        sale = self.order(place=1)
        self.ship(sale, {"A": 1})
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 1}, ["1Z999"], True)])
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        left = {
            place["assignedLocation"]["location"]: sum(
                line["remainingQuantity"] for line in store.resolve_all(place["lineItems"])
            )
            for place in store.related(order, "fulfillmentOrders")
        }
        self.assertEqual(left, {self.places[0]: 0, self.places[1]: 3})

    def test_goods_expected_elsewhere_wait_by_policy(self):
        self.us.fulfillment_location_policy = "report"
        sale = self.order(place=1)
        picking = self.ship(sale)
        self.push()
        self.assertFalse(self.fulfillments(sale))
        exception = self.exceptions()
        self.assertEqual(exception.category, "fulfillment")
        self.assertIn("3 x", exception.message)
        self.assertIn(self.shop(self.us).store.get(self.places[1])["name"], exception.name)
        self.assertEqual(picking.shopify_fulfillment_state, "waiting")
        self.assertIn(exception.name, picking.shopify_fulfillment_message)
        self.assertEqual(exception.action_fix()["res_model"], "shopify.fulfillment")
        # The other policy is the remedy.
        self.us.fulfillment_location_policy = "move"
        self.push()
        self.assertEqual(len(self.shipped(sale)), 1)
        self.assertFalse(self.exceptions())

    def test_two_places_of_a_warehouse_make_two_fulfilments(self):
        self.other.warehouse_id = self.us.warehouse_id
        builder_sale = self.order()
        store = self.shop(self.us).store
        order = store.get(builder_sale.shopify_order_id.shopify_gid)
        (waiting,) = store.related(order, "fulfillmentOrders")
        self.move(waiting["id"], self.places[1], {waiting["lineItems"][1]: 1})
        picking = self.ship(builder_sale)
        self.push()
        self.assertEqual(
            sorted(self.shipped(builder_sale), key=str),
            [({"A": 3}, ["1Z999"], True), ({"B": 1}, ["1Z999"], False)],
        )
        self.assertEqual(self.rows(picking).mapped("state"), ["done", "done"])
        self.assertEqual(self.rows(picking).location_id, self.main | self.other)

    def move(self, gid, place, lines):
        self.sandbox.graphql(
            """mutation M($id: ID!, $to: ID!, $lines: [FulfillmentOrderLineItemInput!]) {
                fulfillmentOrderMove(id: $id, newLocationId: $to,
                    fulfillmentOrderLineItems: $lines) { userErrors { message } } }""",
            {
                "id": gid,
                "to": place,
                "lines": [{"id": line, "quantity": count} for line, count in lines.items()],
            },
            self.us.shop_domain,
        )

    def test_a_warehouse_without_location_waits(self):
        self.main.warehouse_id = self.elsewhere
        sale = self.order()
        self.ship(sale)
        self.push()
        self.assertIn("stands for no location", self.exceptions().name)
        self.main.warehouse_id = self.us.warehouse_id
        self.push()
        self.assertEqual(len(self.shipped(sale)), 1)
        self.assertFalse(self.exceptions())

    def test_a_location_that_is_not_mapped_stands_for_the_stores_warehouse(self):
        self.locations.warehouse_id = False
        sale = self.order()
        self.ship(sale)
        self.push()
        self.assertEqual(len(self.shipped(sale)), 1)

    def test_where_shopify_ships_nothing_is_told(self):
        self.main.shopify_ships = True
        sale = self.order()
        picking = self.ship(sale)
        self.push()
        self.assertFalse(self.fulfillments(sale))
        self.assertEqual(self.rows(picking).state, "skipped")

    # -- holds ----------------------------------------------------------------------------------

    def hold(self, sale, ours=True):
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        (waiting,) = store.related(order, "fulfillmentOrders")
        self.sandbox.graphql(
            """mutation H($id: ID!) { fulfillmentOrderHold(id: $id,
                fulfillmentHold: {reason: INCORRECT_ADDRESS, reasonNotes: "call first"})
                { userErrors { message } } }""",
            {"id": waiting["id"]},
            self.us.shop_domain,
        )
        (hold,) = store.resolve_all(store.get(waiting["id"])["fulfillmentHolds"])
        store.put(hold["id"], "FulfillmentHold", {"heldByRequestingApp": ours})
        return waiting["id"]

    def test_holds_of_others_are_respected(self):
        self.us.fulfillment_release_holds = True
        sale = self.order()
        gid = self.hold(sale, ours=False)
        picking = self.ship(sale)
        self.push()
        self.assertFalse(self.fulfillments(sale))
        self.assertIn("call first", self.exceptions().message)
        self.assertTrue(self.rows(picking).next_attempt_at, "it is looked at again by itself")
        self.sandbox.graphql(
            "mutation R($id: ID!) { fulfillmentOrderReleaseHold(id: $id)"
            " { userErrors { message } } }",
            {"id": gid},
            self.us.shop_domain,
        )
        self.push()
        self.assertEqual(len(self.shipped(sale)), 1)
        self.assertFalse(self.exceptions())

    def test_own_holds_wait_unless_they_may_be_released(self):
        sale = self.order()
        self.hold(sale)
        self.ship(sale)
        self.push()
        self.assertFalse(self.fulfillments(sale))
        self.us.fulfillment_release_holds = True
        self.push()
        self.assertEqual(len(self.shipped(sale)), 1)
        self.assertEqual(self.calls("FulfillmentOrderReleaseHold"), 1)

    # -- units ----------------------------------------------------------------------------------

    def test_more_than_was_ordered_is_reported(self):
        sale = self.order()
        picking = sale.picking_ids
        picking.action_assign()
        for move in picking.move_ids:
            move.quantity += 2
            move.picked = True
        picking._action_done()
        self.push()
        self.assertEqual(self.shipped(sale)[0][0], {"A": 3, "B": 1})
        self.assertIn("2 x", self.exceptions().message)
        self.assertEqual(picking.shopify_fulfillment_state, "done")

    def test_lines_that_shopify_does_not_know_are_left_out(self):
        sale = self.order()
        sale.order_line = [
            (0, 0, {"product_id": self.goods["C"].id, "product_uom_qty": 1, "price_unit": 0})
        ]
        self.ship(sale)
        self.push()
        self.assertEqual(self.shipped(sale)[0][0], {"A": 3, "B": 1})
        self.assertFalse(self.exceptions())

    def test_goods_that_need_no_shipping_are_none_of_its_business(self):
        """A course that Odoo delivers and Shopify does not."""
        sale = self.order(lines=[("A", 1), ("B", 1)])
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        (waiting,) = store.related(order, "fulfillmentOrders")
        store.put(waiting["id"], "FulfillmentOrder", {"lineItems": waiting["lineItems"][:1]})
        self.ship(sale)
        self.push()
        self.assertEqual(self.shipped(sale)[0][0], {"A": 1})
        self.assertFalse(self.exceptions())

    def test_goods_that_were_removed_in_shopify_are_reported(self):
        sale = self.order(lines=[("A", 1), ("B", 1)])
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        (waiting,) = store.related(order, "fulfillmentOrders")
        store.put(waiting["id"], "FulfillmentOrder", {"lineItems": waiting["lineItems"][:1]})
        sale.shopify_order_id.edited = True
        self.ship(sale)
        self.push()
        self.assertEqual(self.shipped(sale)[0][0], {"A": 1})
        self.assertIn("1 x", self.exceptions().message)

    def test_parts_of_a_unit_are_told_with_what_completes_it(self):
        self.goods["A"].uom_id = self.env.ref("uom.product_uom_kgm")
        sale = self.order(lines=[("A", 2)])
        self.ship(sale, {"A": 0.6}, tracking="1")
        self.ship(sale, {"A": 0.6}, tracking="2")
        self.ship(sale, {"A": 0.8}, tracking="3")
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 1}, ["2"], True), ({"A": 1}, ["3"], True)])

    def test_dozens(self):
        sale = self.order(lines=[("A", 24)])
        move = sale.picking_ids.move_ids
        dozen = self.env.ref("uom.product_uom_dozen")
        move.write({"product_uom": dozen.id, "product_uom_qty": 2})
        self.ship(sale, {"A": 1})
        self.push()
        self.assertEqual(self.shipped(sale)[0][0], {"A": 12})

    def test_a_kit_is_told_when_it_is_complete(self):
        """Moves of other products than the line's: Odoo's own count of the kit is what counts."""
        sale = self.order(lines=[("A", 2)])
        line = sale.order_line.filtered("shopify_gid")
        first = self.ship(sale, {"A": 1}, tracking="1")
        second = self.ship(sale, {"A": 1}, tracking="2")
        moves = (first | second).move_ids
        component = self.goods["C"].id
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE stock_move SET product_id = %s WHERE id = ANY(%s)", [component, moves.ids]
        )
        self.env.cr.execute("UPDATE sale_order_line SET qty_delivered = 1 WHERE id = %s", [line.id])
        self.env.invalidate_all()
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 1}, ["1"], True)])
        self.assertEqual(self.rows(second).state, "skipped")

    def test_what_came_back_before_it_was_told_is_not_told(self):
        sale = self.order()
        picking = self.ship(sale)
        self.take_back(picking)
        self.push()
        self.assertFalse(self.fulfillments(sale))
        self.assertEqual(self.rows(picking).state, "skipped")

    def take_back(self, picking):
        wizard = (
            self.env["stock.return.picking"]
            .with_context(active_id=picking.id, active_ids=picking.ids, active_model=picking._name)
            .create({"picking_id": picking.id})
        )
        for line in wizard.product_return_moves:
            line.quantity = line.move_id.quantity
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.move_ids.picked = True
        back._action_done()
        return back

    # -- others fulfil too ----------------------------------------------------------------------

    def fulfil_in_shopify(self, sale, numbers=()):
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        todo = store.related(order, "fulfillmentOrders")
        tracking = {"company": "UPS", "numbers": list(numbers)} if numbers else None
        given = {
            "lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": todo[-1]["id"]}],
            "trackingInfo": tracking,
        }
        answer = self.sandbox.graphql(
            "mutation F($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f)"
            " { fulfillment { id } userErrors { message } } }",
            {"f": given},
            self.us.shop_domain,
        )["data"]["fulfillmentCreate"]
        self.assertFalse(answer["userErrors"])
        return answer["fulfillment"]["id"]

    def test_what_was_fulfilled_by_hand_is_taken_over(self):
        sale = self.order()
        gid = self.fulfil_in_shopify(sale)
        picking = self.ship(sale)
        self.push()
        self.assertEqual(len(self.fulfillments(sale)), 1)
        self.assertEqual(self.rows(picking).shopify_gid, gid)
        self.assertFalse(self.exceptions())

    def test_an_order_from_the_till_has_nothing_left_to_tell(self):
        """Orders of a point of sale arrive fulfilled; the delivery in Odoo follows in parts."""
        sale = self.order()
        self.fulfil_in_shopify(sale)
        self.ship(sale, {"A": 3}, tracking=False)
        self.ship(sale, {"B": 1}, tracking=False)
        self.push()
        self.assertEqual(len(self.fulfillments(sale)), 1)
        self.assertEqual(set(self.rows().mapped("state")), {"done"})
        self.assertFalse(self.exceptions())

    def test_pickup_is_fulfilled_like_any_other(self):
        sale = self.order()
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        (waiting,) = store.related(order, "fulfillmentOrders")
        store.put(
            waiting["id"],
            "FulfillmentOrder",
            {"deliveryMethod": {"id": "gid://shopify/DeliveryMethod/1", "methodType": "PICK_UP"}},
        )
        self.ship(sale, tracking=False)
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, [], True)])

    def test_a_cancelled_order_waits_for_nothing(self):
        sale = self.order()
        picking = self.ship(sale)
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        for waiting in store.related(order, "fulfillmentOrders"):
            store.put(waiting["id"], "FulfillmentOrder", {"status": "CLOSED"})
        self.push()
        self.assertEqual(self.rows(picking).state, "waiting")
        self.assertIn("does not wait for 3 x", self.exceptions().message)
        self.rows(picking).action_dismiss()
        self.assertEqual(self.rows(picking).state, "skipped")
        self.assertFalse(self.exceptions())

    def test_an_order_that_is_gone(self):
        sale = self.order()
        picking = self.ship(sale)
        self.shop(self.us).store.delete(sale.shopify_order_id.shopify_gid)
        self.push()
        self.assertEqual(self.rows(picking).state, "skipped")

    # -- the rest of the house ------------------------------------------------------------------

    def test_a_store_that_is_not_connected_keeps_them(self):
        self.ship(self.order())
        self.us.state = "draft"
        self.us._job_push_fulfillments()
        self.assertEqual(self.rows().state, "pending")
        self.assertFalse(self.calls(READ))

    def test_a_copy_of_the_database_tells_nothing(self):
        self.us.sudo().database_uuid = "another"
        sale = self.order_without_calls()
        self.push(later=False)
        self.assertEqual(self.rows().state, "pending")
        self.assertFalse(self.calls(READ))
        self.assertFalse(self.fulfillments(sale))

    def order_without_calls(self):
        sale = self.order()
        self.ship(sale)
        return sale

    def test_other_deliveries_are_none_of_our_business(self):
        order = self.env["sale.order"].create(
            {
                "partner_id": self.env["res.partner"].create({"name": "Ada"}).id,
                "order_line": [(0, 0, {"product_id": self.goods["A"].id})],
            }
        )
        order.action_confirm()
        self.ship(order)
        self.assertFalse(self.rows())

    def test_one_insert_whatever_their_number(self):
        pickings = self.env["stock.picking"]
        for number in range(1001, 1006):
            pickings |= self.ship(self.order(number))
        self.rows().unlink()
        self.env.flush_all()
        fulfillments = self.env["shopify.fulfillment"].sudo()
        pickings.mapped("sale_id.shopify_order_ids.backend_id.export_fulfillments")
        with self.assertQueryCount(5):
            fulfillments._put_deliveries(pickings)
        self.assertEqual(len(self.rows()), 5)
        fulfillments._put_deliveries(pickings)
        self.assertEqual(len(self.rows()), 5, "none twice")

    def test_auditors_push_nothing(self):
        picking = self.ship(self.order())
        self.push()
        with self.assertRaisesRegex(Exception, "operators"):
            self.rows(picking).with_user(self.auditor).action_cancel_in_shopify()
