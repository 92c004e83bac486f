"""Tracking added or corrected later, deliveries that come back, fulfilments that are cancelled."""

from .fulfillment_common import FulfillmentCase

UPDATE, CANCEL = "FulfillmentTrackingInfoUpdate", "FulfillmentCancel"


class TestFulfillmentChanges(FulfillmentCase):
    def told(self, tracking="1Z999", **options):
        """A delivery that Shopify knows of."""
        self.sale_order = self.order(**options)
        picking = self.ship(self.sale_order, tracking=tracking)
        self.push()
        return picking

    def tracking(self):
        (made,) = self.fulfillments(self.sale_order)
        return [(info["company"], info["number"]) for info in made["trackingInfo"]]

    # -- tracking -------------------------------------------------------------------------------

    def test_tracking_that_is_added_later(self):
        picking = self.told(tracking=False)
        picking.carrier_tracking_ref = "1Z5"
        self.assertEqual(picking.shopify_fulfillment_state, "pending")
        self.push()
        self.assertEqual(self.tracking(), [("UPS", "1Z5")])
        self.assertEqual(self.rows(kind="create").tracking_numbers, "1Z5")
        self.assertEqual(set(self.rows().mapped("state")), {"done"})
        self.assertEqual(self.calls("FulfillmentCreate"), 1)

    def test_tracking_that_is_corrected(self):
        picking = self.told()
        picking.carrier_tracking_ref = "1Z5,1Z6"
        self.push()
        self.assertEqual(self.tracking(), [("UPS", "1Z5"), ("UPS", "1Z6")])

    def test_mails_about_corrections_are_a_setting(self):
        picking = self.told()
        picking.carrier_tracking_ref = "1Z5"
        self.push()
        self.us.notify_tracking = True
        picking.carrier_tracking_ref = "1Z6"
        self.push()
        asked = [
            entry["variables"]["notifyCustomer"]
            for entry in self.shop(self.us).log
            if entry["operation"] == UPDATE
        ]
        self.assertEqual(asked, [False, True])

    def test_several_corrections_are_told_once(self):
        picking = self.told()
        for number in ("1Z5", "1Z6", "1Z7"):
            picking.carrier_tracking_ref = number
        self.push()
        self.assertEqual(self.tracking(), [("UPS", "1Z7")])
        self.assertEqual(self.calls(UPDATE), 1)

    def test_tracking_that_did_not_change_is_not_told(self):
        picking = self.told()
        picking.carrier_tracking_ref = "1Z999"
        picking.carrier_tracking_ref = False
        self.push()
        self.assertFalse(self.calls(UPDATE))

    def test_a_correction_before_the_delivery_was_told(self):
        sale = self.sale_order = self.order()
        picking = self.ship(sale, tracking="OLD")
        picking.carrier_tracking_ref = "NEW"
        self.push()
        self.assertEqual(self.tracking(), [("UPS", "NEW")])
        self.assertFalse(self.calls(UPDATE))

    def test_a_lost_answer_mails_nobody_twice(self):
        self.us.notify_tracking = True
        picking = self.told()
        picking.carrier_tracking_ref = "1Z5"
        self.fault("timeout_after_write", operation=UPDATE, ms=10)
        self.push()
        self.assertEqual(self.tracking(), [("UPS", "1Z5")])
        self.assertEqual(self.calls(UPDATE), 1)
        self.assertEqual(set(self.rows().mapped("state")), {"done"})

    def test_deliveries_that_were_never_told(self):
        self.us.export_fulfillments = False
        picking = self.ship(self.order())
        picking.carrier_tracking_ref = "1Z5"
        self.assertFalse(self.rows())

    # -- cancelled here -------------------------------------------------------------------------

    def test_cancelled_by_hand(self):
        picking = self.told()
        row = self.rows(picking)
        row.with_user(self.operator).action_cancel_in_shopify()
        self.push()
        self.assertEqual(self.fulfillments(self.sale_order)[0]["status"], "CANCELLED")
        self.assertEqual(row.state, "cancelled")
        self.assertEqual(self.calls(CANCEL), 1)
        # The delivery may be told again.
        self.assertTrue(picking.shopify_can_push)
        picking.action_shopify_push()
        self.push()
        self.assertEqual(len(self.shipped(self.sale_order)), 1)
        self.assertEqual(picking.shopify_fulfillment_state, "done")

    def test_a_cancellation_whose_answer_got_lost(self):
        picking = self.told()
        self.rows(picking).action_cancel_in_shopify()
        self.fault("timeout_after_write", operation=CANCEL, ms=10)
        self.push()
        self.assertEqual(self.rows(picking, kind="create").state, "cancelled")
        self.assertEqual(self.calls(CANCEL), 1)

    def take_back(self, picking, share=1.0):
        wizard = (
            self.env["stock.return.picking"]
            .with_context(active_id=picking.id, active_ids=picking.ids, active_model=picking._name)
            .create({"picking_id": picking.id})
        )
        for line in wizard.product_return_moves:
            line.quantity = line.move_id.quantity * share
        back = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        back.move_ids.picked = True
        back._action_done()

    def test_a_returned_delivery_is_left_to_shopify(self):
        picking = self.told()
        self.take_back(picking)
        self.push()
        self.assertEqual(self.fulfillments(self.sale_order)[0]["status"], "SUCCESS")

    def test_a_returned_delivery_is_cancelled_by_policy(self):
        self.us.fulfillment_return_policy = "cancel"
        picking = self.told()
        self.take_back(picking)
        self.push()
        self.assertEqual(self.fulfillments(self.sale_order)[0]["status"], "CANCELLED")

    def test_a_part_that_came_back_cancels_nothing(self):
        self.us.fulfillment_return_policy = "cancel"
        picking = self.told(lines=[("A", 2)])
        self.take_back(picking, share=0.5)
        self.push()
        self.assertEqual(self.fulfillments(self.sale_order)[0]["status"], "SUCCESS")

    # -- cancelled in Shopify -------------------------------------------------------------------

    def cancel_in_shopify(self):
        gid = self.fulfillments(self.sale_order)[-1]["id"]
        self.sandbox.graphql(
            "mutation C($id: ID!) { fulfillmentCancel(id: $id) { userErrors { message } } }",
            {"id": gid},
            self.us.shop_domain,
        )

    def test_cancelled_in_shopify(self):
        picking = self.told()
        self.cancel_in_shopify()
        self.import_orders(self.us, [self.sale_order.shopify_order_id.shopify_gid])
        self.assertEqual(self.rows(picking).state, "cancelled")
        self.assertIn("was cancelled in Shopify", self.exceptions().name)
        self.assertEqual(picking.shopify_fulfillment_state, "cancelled")
        # It did leave the warehouse: told again, and no longer on the list.
        picking.action_shopify_push()
        self.push()
        self.assertEqual(len(self.shipped(self.sale_order)), 1)
        self.exceptions().action_retry()
        self.drain(self.us)
        self.assertFalse(self.exceptions())

    def test_our_own_fulfilment_comes_back(self):
        """The webhook of what we did ourselves changes nothing."""
        picking = self.told()
        before = self.rows().ids
        self.import_orders(self.us, [self.sale_order.shopify_order_id.shopify_gid])
        self.assertEqual(self.rows().ids, before)
        self.assertEqual(self.rows(picking).state, "done")
        self.assertFalse(self.exceptions())
        self.push()
        self.assertEqual(self.calls("FulfillmentCreate"), 1)
