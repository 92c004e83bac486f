"""Goods of refunds where goods are delivered, or received, in several steps."""

from odoo.tests import tagged

from .test_restock import RestockCase


@tagged("post_install", "-at_install", "shopify")
class TestRestockSteps(RestockCase):
    def deliver_in(self, steps):
        self.us.warehouse_id.delivery_steps = steps

    def step(self, sale, kind, quantities=None):
        """Do one step of the delivery, all of it or ``{sku: units}``."""
        picking = sale.picking_ids.filtered(
            lambda pick: (
                pick.state not in ("done", "cancel")
                and pick.picking_type_id == self.us.warehouse_id[f"{kind}_type_id"]
            )
        )
        picking.action_assign()
        for move in picking.move_ids:
            if quantities is not None:
                move.quantity = quantities.get(move.product_id.default_code, 0)
            move.picked = bool(move.quantity)
        picking.with_context(skip_backorder=True)._action_done()

    def ahead(self, sale):
        """``{(sku, destination): units}`` of deliveries that are not done"""
        found = {}
        for move in sale.picking_ids.move_ids:
            if move.state not in ("done", "cancel") and not move.origin_returned_move_id:
                key = move.product_id.default_code, move.location_dest_id.name
                found[key] = found.get(key, 0) + move.product_uom_qty
        return found

    def test_returned_before_it_was_picked(self):
        """The step to the customer is planned when the goods are picked."""
        self.deliver_in("pick_ship")
        node, sale = self.sold()
        self.back(node, 2, "RETURN")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.ahead(sale), {("A", "Output"): 1, ("B", "Output"): 1})
        self.assertFalse(self.stock_exceptions())
        self.step(sale, "pick")
        self.step(sale, "out")
        self.assertEqual(sale.order_line[0].qty_delivered, 1)

    def test_given_up_before_it_was_picked(self):
        self.deliver_in("pick_pack_ship")
        node, sale = self.sold(status="PARTIALLY_FULFILLED")
        self.back(node, 2, "NO_RESTOCK", money="19.74")
        self.fulfilled(node, 0, waiting=1)
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.ahead(sale), {("A", "Packing Zone"): 1, ("B", "Packing Zone"): 1})

    def test_returned_when_a_part_was_picked(self):
        """The rest is not picked; what was, is shipped."""
        self.deliver_in("pick_ship")
        node, sale = self.sold()
        self.step(sale, "pick", {"A": 2, "B": 1})
        self.back(node, 1, "RETURN")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.ahead(sale), {("A", "Customers"): 2, ("B", "Customers"): 1})
        self.back(node, 1, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.ahead(sale), {("A", "Customers"): 1, ("B", "Customers"): 1})
        self.step(sale, "out")
        self.assertEqual(sale.order_line[0].qty_delivered, 1)

    def test_returned_when_a_part_was_shipped(self):
        """Units of all steps: one shipped, one packed, one to pick."""
        self.deliver_in("pick_pack_ship")
        node, sale = self.sold()
        self.step(sale, "pick", {"A": 2, "B": 1})
        self.step(sale, "pack", {"A": 1})
        self.step(sale, "out")
        self.back(node, 2, "RETURN")
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})
        self.assertEqual(self.ahead(sale), {("A", "Output"): 1, ("B", "Output"): 1})
        self.back(node, 1, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.ahead(sale), {("B", "Output"): 1})
        self.assertFalse(self.stock_exceptions())

    def test_goods_on_their_way_to_the_shelf(self):
        """What came back is stored, whatever is not sent any more."""
        self.us.return_policy = "done"
        self.us.warehouse_id.reception_steps = "two_steps"
        node, sale = self.sold({"A": 2, "B": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 2, "RETURN")
        self.apply(node)
        self.assertEqual(self.moved(sale, "done"), {"A": 2})
        self.assertEqual(self.ahead(sale), {("A", "Customers"): 1, ("A", "Stock"): 2})
        self.back(node, 1, "NO_RESTOCK", number=2, money="9.87")
        self.fulfilled(node, 2, waiting=0)
        self.apply(node)
        self.assertEqual(self.ahead(sale), {("A", "Stock"): 2})

    def test_receipts_of_serial_numbers(self):
        """Each open receipt expects another one."""
        product = self.goods[0]
        product.tracking = "serial"
        quants = self.env["stock.quant"]
        quants._update_available_quantity(product, self.lot_stock, -1000)
        for name in ("S1", "S2", "S3"):
            lot = self.env["stock.lot"].create({"name": name, "product_id": product.id})
            quants._update_available_quantity(product, self.lot_stock, 1, lot_id=lot)
        node, sale = self.sold()
        sale.picking_ids.move_ids.picked = True
        sale.picking_ids._action_done()
        for number in (1, 2, 3):
            self.back(node, 1, "RETURN", number=number)
            self.apply(node)
        receipts = self.receipts(sale)
        self.assertEqual(sorted(receipts.move_line_ids.mapped("lot_id.name")), ["S1", "S2", "S3"])
        for receipt in receipts:
            receipt.move_ids.picked = True
            receipt._action_done()
        self.assertEqual(self.in_stock(product), 3)
