"""Goods of refunds and returns move once, to where Shopify put them."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from .refund_common import RefundCase, page

WAREHOUSE = "gid://shopify/Location/7001"


class RestockCase(RefundCase):
    """3 x A and 1 x B; 1000 of each are in stock."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.write({"refund_policy": "none", "invoice_policy": "none"})
        cls.lot_stock = cls.us.warehouse_id.lot_stock_id
        cls.shelf = cls.env["stock.location"].create(
            {"name": "Returns", "location_id": cls.lot_stock.id}
        )
        cls.env["shopify.location"].create(
            {
                "backend_id": cls.us.id,
                "shopify_gid": WAREHOUSE,
                "name": "Returns",
                "warehouse_id": cls.us.warehouse_id.id,
                "stock_location_id": cls.shelf.id,
            }
        )

    def sold(self, *parcels, status="FULFILLED", number=1001):
        """An order of which these ``{sku: units}`` were delivered: ``(node, sale)``."""
        node = self.paid(number, displayFulfillmentStatus=status)
        sale = self.sale(self.us, node)
        self.us._job_reserve()
        for parcel in parcels:
            self.deliver(sale, parcel)
        return node, sale

    def back(self, node, quantity, restock, *, number=1, position=0, place=None, money=None):
        """A refund of units of a line. Without money it is that of an edit, unless it says that
        the units came back.
        """
        item = self.item(node, position, quantity, money or "0.00", "0.00", restock=restock)
        if place:
            item["location"] = {"id": place}
        return self.refund(node, number, money, refundLineItems=page([item]))

    def fulfilled(self, node, units, waiting):
        """Shopify fulfilled so many units of A, and so many wait for it."""
        node.lines[0]["unfulfilledQuantity"] = waiting
        node.extra["parcels"] = [
            {
                "id": node.gid("Fulfillment", 1),
                "status": "SUCCESS",
                "fulfillmentLineItems": page(
                    [{"lineItem": {"id": node.lines[0]["id"]}, "quantity": units}]
                ),
            }
        ]

    def apply(self, node):
        """Import the order again and run the job; the update must go through."""
        (outcome,) = self.process(self.us, node, sources=("manual",))
        said = self.us._job_restock()
        self.env.flush_all()
        self.env.invalidate_all()
        return outcome, said

    def receipts(self, sale):
        return sale.picking_ids.filtered(lambda pick: pick.picking_type_code == "incoming")

    def moved(self, sale, state):
        """``{sku: units}`` of receipts in a state"""
        moves = self.receipts(sale).move_ids.filtered(lambda move: move.state == state)
        found = {}
        for move in moves:
            quantity = move.quantity if state == "done" else move.product_uom_qty
            sku = move.product_id.default_code
            found[sku] = found.get(sku, 0) + quantity
        return found

    def to_ship(self, sale):
        moves = sale.picking_ids.move_ids.filtered(
            lambda move: (
                move.location_dest_usage == "customer" and move.state not in ("done", "cancel")
            )
        )
        return {move.product_id.default_code: move.product_uom_qty for move in moves}

    def in_stock(self, product, location=None):
        location = location or self.lot_stock
        return product.with_context(location=location.id).qty_available

    def stock_exceptions(self):
        return self.exceptions(self.us).filtered(lambda e: e.category == "stock")


@tagged("post_install", "-at_install", "shopify")
class TestRestock(RestockCase):
    # -- each restock type, before, in the midst of and after delivery

    def test_return_of_delivered_units_waits_for_the_warehouse(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 2, "RETURN")
        self.apply(node)
        receipt = self.receipts(sale)
        self.assertEqual((receipt.state, self.moved(sale, "assigned")), ("assigned", {"A": 2}))
        self.assertEqual(receipt.return_id, sale.picking_ids - receipt)
        self.assertEqual(receipt.shopify_refund_id, self.refunds(sale))
        self.assertEqual(receipt.shopify_refund_id.picking_count, 1)
        self.assertEqual(self.in_stock(self.goods[0]), 997)
        self.assertEqual(sale.order_line[0].qty_delivered, 3)
        receipt.move_ids.picked = True
        receipt._action_done()
        self.assertEqual(self.in_stock(self.goods[0]), 999)
        self.assertEqual(sale.order_line[0].qty_delivered, 1)

    def test_validated_receipts(self):
        self.us.return_policy = "done"
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 2, "RETURN")
        self.apply(node)
        self.assertEqual(self.moved(sale, "done"), {"A": 2})
        self.assertEqual(self.in_stock(self.goods[0]), 999)
        self.assertEqual(sale.order_line[0].qty_delivered, 1)

    def test_legacy_restock_is_a_return(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "LEGACY_RESTOCK", money="9.87")
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})

    def test_no_restock_and_unknown_types_move_nothing(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        self.back(node, 1, "TELEPORTED", number=2, money="9.87")
        self.apply(node)
        self.assertFalse(self.receipts(sale))
        self.assertEqual(sale.order_line[0].qty_delivered, 3)

    def test_no_restock_to_scrap(self):
        self.us.write({"discard_policy": "scrap", "return_policy": "done"})
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.moved(sale, "done"), {"A": 1})
        self.assertEqual(self.receipts(sale).location_dest_id.usage, "inventory")
        self.assertEqual(self.in_stock(self.goods[0]), 997)

    def test_returns_that_are_only_kept(self):
        self.us.return_policy = "none"
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN")
        self.apply(node)
        self.assertFalse(self.receipts(sale))
        self.us.return_policy = "ready"
        self.apply(node)
        self.assertFalse(self.receipts(sale), "the past is not made up for")

    def test_cancelled_units_are_not_delivered(self):
        node, sale = self.sold(status="UNFULFILLED")
        self.back(node, 2, "CANCEL")
        self.apply(node)
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})
        self.assertFalse(self.receipts(sale))

    def test_return_of_what_never_left(self):
        """Shopify says that all was sent, and Odoo's delivery is still open."""
        node, sale = self.sold()
        self.back(node, 2, "RETURN")
        for _again in range(2):
            self.apply(node)
        self.assertFalse(self.receipts(sale))
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})
        self.assertEqual(sale.order_line[0].product_uom_qty, 3, "as it is in Shopify")
        self.assertFalse(self.stock_exceptions())

    def test_return_of_what_left_in_part(self):
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 2, "RETURN")
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})

    def test_no_restock_of_what_never_left(self):
        """More is given up than was sent: the rest must not be sent any more."""
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 2, "NO_RESTOCK", money="19.74")
        for _again in range(2):
            self.apply(node)
        self.assertFalse(self.receipts(sale))
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})
        self.assertEqual(sale.order_line[0].product_uom_qty, 3, "as it is in Shopify")

    def test_no_restock_bit_by_bit(self):
        """The first unit may be the one that was sent; the second cannot be."""
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        self.apply(node)
        self.assertEqual(self.to_ship(sale), {"A": 2, "B": 1})
        self.back(node, 1, "NO_RESTOCK", number=2, money="9.87")
        self.apply(node)
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})

    def test_no_restock_of_what_waits_beside_what_was_sent(self):
        """One was sent and two wait: Shopify says that one of those was given up."""
        self.us.write({"discard_policy": "scrap", "return_policy": "done"})
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        self.fulfilled(node, 1, waiting=1)
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})
        self.assertFalse(self.receipts(sale))
        self.back(node, 1, "NO_RESTOCK", number=2, money="9.87")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})
        self.assertEqual(self.moved(sale, "done"), {"A": 1}, "this one was sent")
        self.deliver(sale, {"A": 1, "B": 1})
        self.fulfilled(node, 2, waiting=0)
        node.fields["displayFulfillmentStatus"] = "FULFILLED"
        self.apply(node)
        self.assertEqual((self.to_ship(sale), self.moved(sale, "done")), ({}, {"A": 1}))

    def test_no_restock_of_what_was_sent_beside_what_waits(self):
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        self.fulfilled(node, 1, waiting=2)
        self.apply(node)
        self.assertEqual(self.to_ship(sale), {"A": 2, "B": 1})

    def test_no_restock_of_what_odoo_sent_and_shopify_did_not(self):
        node, sale = self.sold({"A": 3}, status="PARTIALLY_FULFILLED")
        self.back(node, 2, "NO_RESTOCK", money="19.74")
        self.fulfilled(node, 0, waiting=1)
        self.apply(node)
        self.assertEqual(self.to_ship(sale), {"B": 1})
        self.assertFalse(self.receipts(sale))
        self.assertFalse(self.stock_exceptions())

    def test_units_that_were_given_up_are_not_sent_later(self):
        """Given up before anything was sent, they stay off when the rest is fulfilled."""
        node, sale = self.sold(status="UNFULFILLED")
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        self.apply(node)
        self.assertEqual((sale.order_line[0].product_uom_qty, self.to_ship(sale)["A"]), (2, 2))
        self.deliver(sale, {"A": 2})
        for status in ("PARTIALLY_FULFILLED", "FULFILLED"):
            node.fields["displayFulfillmentStatus"] = status
            self.apply(node)
            self.assertEqual(sale.order_line[0].product_uom_qty, 2)
            self.assertNotIn("A", self.to_ship(sale))

    def test_units_of_an_edit_are_not_goods(self):
        """They are taken off the order: neither sent, nor expected back, nor taken off again."""
        self.us.write({"discard_policy": "scrap", "return_policy": "done"})
        node, sale = self.sold({"B": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 1, "NO_RESTOCK")
        for _again in range(2):
            self.apply(node)
        self.assertEqual((sale.order_line[0].product_uom_qty, self.to_ship(sale)), (2, {"A": 2}))
        self.deliver(sale, {"A": 1})
        self.back(node, 1, "NO_RESTOCK", number=2)
        self.apply(node)
        self.assertEqual((sale.order_line[0].product_uom_qty, self.to_ship(sale)), (1, {}))
        self.assertFalse(self.receipts(sale), "the customer keeps the one that was sent")

    def test_before_the_order_is_confirmed(self):
        self.us.confirm_policy = "quotation"
        node = self.paid(displayFulfillmentStatus="FULFILLED")
        self.back(node, 1, "RETURN")
        sale = self.sale(self.us, node)
        self.assertIn("No goods", self.us._job_restock())
        sale.action_confirm()
        self.us._job_restock()
        self.assertEqual(self.to_ship(sale), {"A": 2, "B": 1})

    # -- several deliveries, places, lots

    def test_two_deliveries_newest_first(self):
        node, sale = self.sold({"A": 1}, {"A": 2, "B": 1})
        first, second = sale.picking_ids.sorted("id")
        self.back(node, 2, "RETURN")
        self.apply(node)
        self.assertEqual(self.receipts(sale).return_id, second)
        self.back(node, 1, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.receipts(sale).return_id, first | second)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 3})

    def test_one_refund_over_two_deliveries(self):
        node, sale = self.sold({"A": 1}, {"A": 2, "B": 1})
        deliveries = sale.picking_ids
        self.back(node, 3, "RETURN")
        self.apply(node)
        self.assertEqual(self.receipts(sale).return_id, deliveries)
        self.assertEqual(self.refunds(sale).picking_ids, self.receipts(sale))

    def test_place_of_the_store(self):
        self.us.return_policy = "done"
        node, _sale = self.sold({"A": 3, "B": 1})
        self.back(node, 2, "RETURN", place=WAREHOUSE)
        self.back(node, 1, "RETURN", number=2, place="gid://shopify/Location/99")
        self.apply(node)
        self.assertEqual(self.in_stock(self.goods[0], self.shelf), 2)
        self.assertEqual(self.in_stock(self.goods[0]), 1000)

    def test_place_in_another_warehouse(self):
        other = self.env["stock.warehouse"].create(
            {"name": "Other", "code": "OTH", "company_id": self.company.id}
        )
        place = self.env["shopify.location"].search([("shopify_gid", "=", WAREHOUSE)])
        place.warehouse_id = other
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN", place=WAREHOUSE)
        self.apply(node)
        receipt = self.receipts(sale)
        self.assertEqual(receipt.picking_type_id, other.in_type_id)
        self.assertEqual(receipt.move_ids.location_dest_id, other.lot_stock_id)

    def test_place_that_was_archived(self):
        """Nobody would find the goods there, nor the receipt."""
        other = self.env["stock.warehouse"].create(
            {"name": "Other", "code": "OTH", "company_id": self.company.id}
        )
        place = self.env["shopify.location"].search([("shopify_gid", "=", WAREHOUSE)])
        place.warehouse_id = other
        other.active = False
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN", place=WAREHOUSE)
        self.apply(node)
        receipt = self.receipts(sale)
        self.assertEqual(receipt.picking_type_id, self.us.warehouse_id.in_type_id)
        self.assertEqual(receipt.move_ids.location_dest_id, self.lot_stock)

    def test_lots_and_packages_are_kept(self):
        product = self.goods[0]
        product.tracking = "lot"
        lots = self.env["stock.lot"].create(
            [{"name": name, "product_id": product.id} for name in ("L1", "L2")]
        )
        quants = self.env["stock.quant"]
        quants._update_available_quantity(product, self.lot_stock, -1000)
        for lot, quantity in zip(lots, (1, 2), strict=True):
            quants._update_available_quantity(product, self.lot_stock, quantity, lot_id=lot)
        self.us.return_policy = "done"
        node, sale = self.sold()
        picking = sale.picking_ids
        package = self.env["stock.package"].create({"name": "BOX"})
        picking.move_line_ids.result_package_id = package
        picking.move_ids.picked = True
        picking._action_done()
        self.back(node, 3, "RETURN")
        self.apply(node)
        lines = self.receipts(sale).move_line_ids
        self.assertEqual({line.lot_id: line.quantity for line in lines}, {lots[0]: 1, lots[1]: 2})
        self.assertEqual(lines.package_id, package)
        self.assertFalse(self.stock_exceptions())

    def test_receipt_that_odoo_refuses_stays_open(self):
        self.us.return_policy = "done"
        node, sale = self.sold({"A": 3, "B": 1})
        self.goods[0].tracking = "lot"
        self.back(node, 1, "RETURN")
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})
        self.assertIn(self.receipts(sale).name, self.stock_exceptions().message)

    # -- once

    def test_once(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN")
        self.process(self.us, node, node)
        for _again in range(3):
            self.apply(node)
        sale.shopify_order_ids.restock_pending = True
        self.us._job_restock()
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})
        self.assertEqual(len(self.receipts(sale)), 1)

    def test_goods_that_never_came(self):
        """The warehouse cancels the receipt; it is not made again."""
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN")
        self.apply(node)
        self.receipts(sale).action_cancel()
        self.back(node, 1, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})

    def take_back(self, delivery):
        """The warehouse expects one A on its own."""
        wizard = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        row = wizard.product_return_moves.filtered(lambda row: row.product_id == self.goods[0])
        row.quantity = 1
        (wizard.product_return_moves - row).unlink()
        return wizard._create_return()

    def test_the_warehouse_was_first(self):
        """Goods that were taken back by hand are those that the refund speaks of."""
        node, sale = self.sold({"A": 3, "B": 1})
        self.take_back(sale.picking_ids)
        self.back(node, 1, "RETURN")
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 1})
        self.back(node, 1, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 2})

    def test_the_warehouse_was_first_and_nothing_is_restocked(self):
        """What it took back is not looked for at the customer's, and the others are."""
        self.us.discard_policy = "scrap"
        node, sale = self.sold({"A": 3, "B": 1})
        receipt = self.take_back(sale.picking_ids)
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.receipts(sale), receipt)
        self.back(node, 1, "NO_RESTOCK", number=2, money="9.87")
        self.apply(node)
        scrapped = self.receipts(sale) - receipt
        self.assertEqual(scrapped.location_dest_id.usage, "inventory")
        self.back(node, 1, "RETURN", number=3, money="9.87")
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 3})
        self.assertFalse(self.stock_exceptions())

    def test_one_order_holds_no_other_back(self):
        """Without a place for scrapped goods, and where other code fails."""
        self.us.discard_policy = "scrap"
        node, sale = self.sold({"A": 3, "B": 1})
        failing, _sale = self.sold({"A": 3, "B": 1}, number=1002)
        other, other_sale = self.sold({"A": 3, "B": 1}, number=1003)
        scrap = self.env["stock.location"].search(
            [("company_id", "=", self.company.id), ("usage", "=", "inventory")]
        )
        scrap.active = False
        self.back(node, 1, "NO_RESTOCK", money="9.87")
        self.back(failing, 1, "RETURN")
        self.back(other, 1, "RETURN")
        restocker = type(self.env["shopify.refund.restocker"])
        restock_order = restocker._restock_order

        def fail(service, backend, binding, *args):
            if binding.name == "#1002":
                raise KeyError("custom")
            return restock_order(service, backend, binding, *args)

        self.patch(restocker, "_restock_order", fail)
        self.process(self.us, node, failing, other, sources=("manual",))
        with mute_logger("odoo.addons.shopify_connector.services.refund_restocker"):
            self.us._job_restock()
        self.assertEqual(self.moved(other_sale, "assigned"), {"A": 1})
        messages = "".join(self.stock_exceptions().mapped("message"))
        self.assertIn("no location of the type Inventory Loss", messages)
        self.assertIn("KeyError", messages)
        self.assertFalse(self.env["shopify.order"].search([("restock_pending", "=", True)]))
        scrap.active = True
        sale.shopify_order_ids.action_take_back()
        self.us._job_restock()
        self.assertEqual(self.receipts(sale).location_dest_id.usage, "inventory")
        self.assertNotIn("Inventory Loss", "".join(self.stock_exceptions().mapped("message")))

    def test_more_came_back_than_was_delivered(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 3, "RETURN")
        self.back(node, 2, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 3})
        exception = self.stock_exceptions()
        self.assertIn("2 more than Odoo delivered", exception.message)
        self.assertEqual(exception.res_id, sale.id)

    def test_returned_units_are_not_sent_again(self):
        """More of the line is ordered later: only that is delivered."""
        self.us.return_policy = "done"
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN")
        self.apply(node)
        line = sale.order_line[0]
        self.env["shopify.order.editor"]._set_ordered_quantities({line: 5})
        self.assertEqual(self.to_ship(sale), {"A": 2})

    def test_unsent_units_stay_unsent_when_less_is_ordered(self):
        node, sale = self.sold()
        self.back(node, 1, "RETURN")
        self.apply(node)
        self.env["shopify.order.editor"]._set_ordered_quantities({sale.order_line[0]: 2})
        self.assertEqual(self.to_ship(sale), {"A": 1, "B": 1})

    # -- cancelled orders

    def cancel(self, node, quantity=3):
        node.fields["cancelledAt"] = "2026-11-05T10:00:00Z"
        self.back(node, quantity, "RETURN", number=1)
        self.back(node, 1, "RETURN", number=2, position=1)
        return self.apply(node)

    def test_cancelled_after_delivery(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.cancel(node)
        self.assertEqual(self.moved(sale, "assigned"), {"A": 3, "B": 1})
        action = sale.shopify_order_ids.action_return_goods()
        self.assertEqual(action["res_model"], "stock.picking", "goods are not returned twice")
        for receipt in self.receipts(sale):
            receipt.move_ids.picked = True
            receipt._action_done()
        self.apply(node)
        self.assertEqual(sale.state, "cancel")
        self.assertEqual(self.in_stock(self.goods[0]), 1000)
        self.assertFalse(self.stock_exceptions())

    def test_cancelled_before_delivery(self):
        node, sale = self.sold(status="UNFULFILLED")
        self.cancel(node)
        self.assertEqual((sale.state, self.to_ship(sale)), ("cancel", {}))
        self.assertFalse(self.receipts(sale))
        self.assertFalse(self.stock_exceptions())

    def test_cancelled_when_a_part_was_delivered(self):
        node, sale = self.sold({"A": 2}, status="PARTIALLY_FULFILLED")
        self.cancel(node, quantity=2)
        self.assertEqual(self.to_ship(sale), {})
        self.assertEqual(self.moved(sale, "assigned"), {"A": 2})
        self.assertFalse(self.stock_exceptions())
