"""Deliveries of kits are told as kits, once each; parcels of kits deliver their components."""

from odoo.fields import Command

from ..fulfillment_common import FulfillmentCase
from ..test_fulfillment_import import FULFILL
from .kit_common import KitMixin


class KitShipmentCase(KitMixin, FulfillmentCase):
    """A is a kit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_kit(cls.goods["A"])

    def kit_order(self, kits=3, **options):
        return self.order(lines=[("A", kits), ("B", 1)], **options)

    def delivered(self, sale):
        lines = sale.order_line.filtered("shopify_gid")
        return {line.product_id.default_code: line.qty_delivered for line in lines}

    def parcel_of(self, sale, units, number, without=()):
        """Deliver units with a tracking number."""
        picking = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
        picking.write({"carrier_id": self.carrier.id, "carrier_tracking_ref": number})
        return self.send(sale, units, without)

    def take_back(self, picking, kits):
        """The warehouse receives kits of a delivery on its own."""
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        for row in wizard.product_return_moves:
            row.quantity = kits * self.needed(row.move_id)
            row.to_refund = True
        back = wizard._create_return()
        back.move_ids.picked = True
        back._action_done()
        return back


class TestKitExport(KitShipmentCase):
    def test_whole(self):
        sale = self.kit_order()
        picking = self.parcel_of(sale, {"A": 3, "B": 1}, "1Z1")
        for _again in range(2):
            self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["1Z1"], True)])
        self.assertEqual(self.calls("FulfillmentCreate"), 1)
        self.assertEqual(self.rows(picking).state, "done")

    def test_in_parts(self):
        sale = self.kit_order()
        self.parcel_of(sale, {"A": 2}, "1Z1")
        self.push()
        self.parcel_of(sale, {"A": 1, "B": 1}, "1Z2")
        self.push()
        self.assertEqual(
            self.shipped(sale),
            [({"A": 2}, ["1Z1"], True), ({"A": 1, "B": 1}, ["1Z2"], True)],
        )

    def test_backorder_with_some_components(self):
        """The parcel that completes the kits tells of them, and is the only one that mails."""
        sale = self.kit_order()
        first = self.parcel_of(sale, {"A": 3}, "1Z1", without="C")
        self.push()
        self.assertFalse(self.fulfillments(sale))
        self.assertEqual(self.rows(first).state, "skipped")
        self.parcel_of(sale, {"A": 2}, "1Z2", without="DE")
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 2}, ["1Z2"], True)])
        self.parcel_of(sale, {"A": 1, "B": 1}, "1Z3", without="DE")
        self.push()
        self.assertEqual(self.shipped(sale)[1:], [({"A": 1, "B": 1}, ["1Z3"], True)])
        self.assertFalse(self.exceptions())

    def test_components_that_were_sent_while_nothing_was_told(self):
        self.us.export_fulfillments = False
        sale = self.kit_order()
        self.parcel_of(sale, {"A": 3}, "1Z1", without="C")
        self.us.export_fulfillments = True
        self.parcel_of(sale, {"A": 3, "B": 1}, "1Z2", without="DE")
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["1Z2"], True)])

    def test_told_late(self):
        """Two parcels wait: each tells of its own kits."""
        sale = self.kit_order()
        self.parcel_of(sale, {"A": 1}, "1Z1")
        self.parcel_of(sale, {"A": 2, "B": 1}, "1Z2")
        self.push()
        self.assertEqual(
            self.shipped(sale),
            [({"A": 1}, ["1Z1"], True), ({"A": 2, "B": 1}, ["1Z2"], True)],
        )

    def test_some_came_back_before_the_rest_was_sent(self):
        sale = self.kit_order(5)
        first = self.parcel_of(sale, {"A": 2}, "1Z1")
        self.push()
        self.take_back(first, 1)
        self.assertEqual(self.delivered(sale)["A"], 1)
        self.parcel_of(sale, {"A": 3, "B": 1}, "1Z2")
        self.push()
        self.assertEqual(
            self.shipped(sale),
            [({"A": 2}, ["1Z1"], True), ({"A": 3, "B": 1}, ["1Z2"], True)],
        )

    def test_what_came_back_before_it_was_told(self):
        sale = self.kit_order()
        picking = self.parcel_of(sale, {"A": 3}, "1Z1")
        self.take_back(picking, 1)
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 2}, ["1Z1"], True)])

    def test_bill_that_changed_on_the_way(self):
        sale = self.kit_order()
        (bom,) = self.goods["A"].bom_ids
        bom.bom_line_ids[0].unlink()
        extra = self.component("X", 10)
        bom.bom_line_ids = [Command.create({"product_id": extra.id, "product_qty": 1})]
        picking = sale.picking_ids
        picking.write({"carrier_id": self.carrier.id, "carrier_tracking_ref": "1Z1"})
        picking.action_assign()
        picking.move_ids.picked = True
        picking._action_done()
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["1Z1"], True)])

    def test_tracking_that_is_added_later(self):
        sale = self.kit_order()
        picking = self.parcel_of(sale, {"A": 3, "B": 1}, False)
        self.push()
        picking.carrier_tracking_ref = "1Z5"
        self.push()
        self.assertEqual(self.shipped(sale), [({"A": 3, "B": 1}, ["1Z5"], True)])


class TestKitImport(KitShipmentCase):
    def setUp(self):
        super().setUp()
        self.main.shopify_ships = True

    def follow(self, sale, units, number):
        """Somebody ships units of A in Shopify, and the webhook comes."""
        store = self.shop(self.us).store
        order = store.get(sale.shopify_order_id.shopify_gid)
        todo = next(
            item for item in store.related(order, "fulfillmentOrders") if item["status"] != "CLOSED"
        )
        line = store.resolve_all(todo["lineItems"])[0]
        given = {
            "lineItemsByFulfillmentOrder": [
                {
                    "fulfillmentOrderId": todo["id"],
                    "fulfillmentOrderLineItems": [{"id": line["id"], "quantity": units}],
                }
            ],
            "trackingInfo": {"company": "UPS", "numbers": [number]},
        }
        answer = self.sandbox.graphql(FULFILL, {"fulfillment": given}, self.us.shop_domain)
        self.assertFalse(answer["data"]["fulfillmentCreate"]["userErrors"])
        self.import_orders(self.us, [sale.shopify_order_id.shopify_gid])
        said = self.us._job_apply_fulfillments()
        self.env.flush_all()
        self.env.invalidate_all()
        return said

    def test_parcel_in_proportion(self):
        sale = self.kit_order()
        self.follow(sale, 1, "1Z1")
        self.assertEqual(self.delivered(sale), {"A": 1, "B": 0})
        done = sale.picking_ids.filtered(lambda pick: pick.state == "done")
        self.assertEqual(self.amounts(done.move_ids), self.kits(1))
        self.assertEqual(done.carrier_tracking_ref, "1Z1")
        self.assertEqual(self.to_send(sale), {**self.kits(2), "B": 1})
        self.follow(sale, 2, "1Z2")
        self.assertEqual(self.delivered(sale), {"A": 3, "B": 0})
        self.assertEqual(self.to_send(sale), {"B": 1})
        self.assertFalse(self.exceptions())

    def test_parcel_after_an_edit_took_some_off(self):
        """A unit that is not sent any more does not make the others larger."""
        sale = self.kit_order()
        line = sale.order_line.filtered(lambda line: line.product_id == self.goods["A"])
        self.env["shopify.refund.restocker"]._do_not_send(line, 1)
        line.shopify_not_sent = 1
        self.follow(sale, 1, "1Z1")
        self.assertEqual(self.delivered(sale)["A"], 1)
        self.assertEqual(self.to_send(sale), {**self.kits(1), "B": 1})

    def test_parcel_of_more_than_is_open(self):
        sale = self.kit_order()
        self.send(sale, {"A": 2})
        self.follow(sale, 3, "1Z1")
        self.assertEqual(self.delivered(sale)["A"], 3)
        self.assertIn("2 x", self.exceptions().message)

    def test_delivered_by_hand_before(self):
        self.us.export_fulfillments = False
        sale = self.kit_order()
        picking = self.send(sale, {"A": 3})
        self.follow(sale, 3, "1Z1")
        self.assertEqual(self.delivered(sale), {"A": 3, "B": 0})
        self.assertEqual(self.rows().picking_id, picking)
        self.assertEqual(picking.carrier_tracking_ref, "1Z1")
        self.assertFalse(self.exceptions())
