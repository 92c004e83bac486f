"""Kits that come back, or never leave: their components move in proportion."""

from odoo.fields import Command
from odoo.tests import tagged

from ..refund_common import page
from ..test_restock import WAREHOUSE, RestockCase
from .kit_common import KitMixin


class KitRestockCase(KitMixin, RestockCase):
    """A is a kit: 3 of it and 1 B are ordered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_kit(cls.goods[0])

    def sold(self, *parcels, status="FULFILLED", number=1001):
        node, sale = super().sold(status=status, number=number)
        for parcel in parcels:
            self.send(sale, parcel)
        return node, sale

    def back_at(self, sale, state):
        moves = self.receipts(sale).move_ids
        return self.amounts(moves.filtered(lambda move: move.state == state))

    def kit_line(self, sale):
        return sale.order_line.filtered(lambda line: line.product_id == self.goods[0])

    def held(self):
        return {name: round(self.in_stock(part), 3) for name, part in self.parts.items()}

    def validate(self, sale):
        for receipt in self.receipts(sale).filtered(lambda pick: pick.state != "done"):
            receipt.move_ids.picked = True
            receipt._action_done()


@tagged("post_install", "-at_install", "shopify")
class TestKitRestock(KitRestockCase):
    def test_one_of_three(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.assertEqual(self.kit_line(sale).qty_delivered, 3)
        self.back(node, 1, "RETURN", money="9.86")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(1))
        self.assertEqual(len(self.receipts(sale)), 1)
        self.assertEqual(len(self.receipts(sale).move_ids), 4, "one for each line of the bill")
        self.assertEqual(self.kit_line(sale).qty_delivered, 3)
        self.validate(sale)
        self.assertEqual(self.kit_line(sale).qty_delivered, 2)
        self.assertEqual(self.held(), {"C": 96, "D": 96, "E": 99})
        self.assertFalse(self.stock_exceptions())

    def test_one_by_one_until_the_last(self):
        self.us.return_policy = "done"
        node, sale = self.sold({"A": 3, "B": 1})
        for number in (1, 2, 3):
            self.back(node, 1, "RETURN", number=number, money="9.86")
            self.apply(node)
            self.assertEqual(self.kit_line(sale).qty_delivered, 3 - number)
        self.assertEqual(self.back_at(sale, "done"), self.kits(3))
        self.assertEqual(self.held(), {"C": 100, "D": 100, "E": 100})
        self.assertFalse(self.stock_exceptions())

    def test_more_than_was_delivered(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 3, "RETURN")
        self.back(node, 2, "RETURN", number=2)
        self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(3))
        self.assertIn("2 more than Odoo delivered", self.stock_exceptions().message)

    def test_newest_delivery_first(self):
        node, sale = self.sold({"A": 1}, {"A": 2, "B": 1})
        first, second = sale.picking_ids.sorted("id")
        self.back(node, 2, "RETURN", money="19.72")
        self.apply(node)
        self.assertEqual(self.receipts(sale).return_id, second)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(2))
        self.back(node, 1, "RETURN", number=2, money="9.86")
        self.apply(node)
        self.assertEqual(self.receipts(sale).return_id, first | second)

    def test_components_of_several_deliveries(self):
        """The kits were completed by a second parcel, so a kit comes back from both."""
        node, sale = self.sold()
        self.send(sale, {"A": 3}, without="C")
        self.send(sale, {"A": 3, "B": 1}, without="DE")
        self.assertEqual(self.kit_line(sale).qty_delivered, 3)
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        self.assertEqual(len(self.receipts(sale)), 2)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(1))

    def test_lots_are_kept(self):
        part = self.parts["C"]
        part.tracking = "lot"
        lots = self.env["stock.lot"].create(
            [{"name": name, "product_id": part.id} for name in ("L1", "L2")]
        )
        quants = self.env["stock.quant"]
        quants._update_available_quantity(part, self.lot_stock, -100)
        for lot, quantity in zip(lots, (2, 4), strict=True):
            quants._update_available_quantity(part, self.lot_stock, quantity, lot_id=lot)
        self.us.return_policy = "done"
        node, sale = self.sold()
        picking = sale.picking_ids
        picking.move_ids.picked = True
        picking._action_done()
        self.back(node, 3, "RETURN", money="29.60")
        self.apply(node)
        lines = self.receipts(sale).move_line_ids.filtered("lot_id")
        self.assertEqual({line.lot_id: line.quantity for line in lines}, {lots[0]: 2, lots[1]: 4})
        self.assertFalse(self.stock_exceptions())

    def test_place_of_the_store(self):
        self.us.return_policy = "done"
        node, _sale = self.sold({"A": 3, "B": 1})
        self.back(node, 2, "RETURN", place=WAREHOUSE, money="19.72")
        self.apply(node)
        self.assertEqual(self.in_stock(self.parts["C"], self.shelf), 4)
        self.assertEqual(self.in_stock(self.parts["E"], self.shelf), 1)

    def test_to_scrap(self):
        self.us.write({"discard_policy": "scrap", "return_policy": "done"})
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "NO_RESTOCK", money="9.86")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.back_at(sale, "done"), self.kits(1))
        self.assertEqual(
            set(self.receipts(sale).move_ids.mapped("location_dest_usage")), {"inventory"}
        )
        self.assertEqual(self.held(), {"C": 94, "D": 94, "E": 98.5})
        self.assertEqual(self.kit_line(sale).qty_delivered, 3)

    def test_cancelled_units_are_not_delivered(self):
        node, sale = self.sold(status="UNFULFILLED")
        self.back(node, 2, "CANCEL")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.to_send(sale), {**self.kits(1), "B": 1})
        self.assertFalse(self.receipts(sale))
        self.assertFalse(self.stock_exceptions())

    def test_cancelled_units_of_a_paid_order(self):
        """Shopify says that all was sent, and Odoo's delivery is still open."""
        node, sale = self.sold()
        self.back(node, 1, "RETURN", money="9.86")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.to_send(sale), {**self.kits(2), "B": 1})
        self.assertEqual(self.kit_line(sale).shopify_not_sent, 1)
        self.back(node, 2, "RETURN", number=2, money="19.74")
        self.apply(node)
        self.assertEqual(self.to_send(sale), {"B": 1})
        self.assertFalse(self.receipts(sale))
        self.assertFalse(self.stock_exceptions())

    def test_delivered_in_part(self):
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 2, "RETURN", money="19.72")
        self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(1))
        self.assertEqual(self.to_send(sale), {**self.kits(1), "B": 1})

    def test_not_restocked_and_never_sent(self):
        node, sale = self.sold({"A": 1}, status="PARTIALLY_FULFILLED")
        self.back(node, 2, "NO_RESTOCK", money="19.74")
        for _again in range(2):
            self.apply(node)
        self.assertFalse(self.receipts(sale))
        self.assertEqual(self.to_send(sale), {**self.kits(1), "B": 1})

    def check_given_up(self, restock, status):
        """The rest of the kits is not sent; what was sent of them alone does not come back."""
        node, sale = self.sold(status=status)
        self.send(sale, {"A": 3, "B": 1}, without="CE")
        self.back(node, 2, restock, money="19.74")
        for _again in range(2):
            self.apply(node)
        self.assertEqual(self.to_send(sale), {"C": 2, "E": 0.5})
        self.assertFalse(self.receipts(sale))
        self.send(sale, {"A": 1})
        self.assertEqual(self.kit_line(sale).qty_delivered, 1)
        self.assertFalse(self.stock_exceptions())

    def test_returned_before_it_was_picked(self):
        self.us.warehouse_id.delivery_steps = "pick_ship"
        node, sale = self.sold()
        self.back(node, 2, "RETURN", money="19.74")
        for _again in range(2):
            self.apply(node)
        moves = self.kit_line(sale).move_ids.filtered(lambda move: move.state != "cancel")
        self.assertEqual(self.amounts(moves), self.kits(1))
        self.assertFalse(self.stock_exceptions())

    def test_cancelled_when_some_components_were_sent(self):
        self.check_given_up("CANCEL", "PARTIALLY_FULFILLED")

    def test_returned_when_some_components_were_sent(self):
        self.check_given_up("RETURN", "FULFILLED")

    def test_rest_that_somebody_gave_up(self):
        """Of 3 kits 2 were sent and the backorder was cancelled by hand: a kit is still a kit."""
        node, sale = self.sold({"A": 2, "B": 1})
        sale.picking_ids.filtered(lambda pick: pick.state != "done").action_cancel()
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(1))

    def test_bill_that_changed_after_the_delivery(self):
        """What was delivered comes back, whatever the kit consists of now."""
        node, sale = self.sold({"A": 3, "B": 1})
        (bom,) = self.goods[0].bom_ids
        bom.bom_line_ids[0].product_qty = 9
        bom.bom_line_ids[1].unlink()
        extra = self.component("X", 10)
        bom.bom_line_ids = [Command.create({"product_id": extra.id, "product_qty": 1})]
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(1))

    def test_bill_that_is_gone(self):
        node, sale = self.sold({"A": 3, "B": 1})
        self.env.cr.execute("UPDATE mrp_bom SET active = false")
        self.env.invalidate_all()
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(1))

    def test_nested_kits(self):
        """3 cases of 2 kits each."""
        inner = self.component("INNER")
        self.bom(inner, (self.parts["C"], 1), (self.parts["D"], 3))
        self.goods[0].bom_ids.bom_line_ids.unlink()
        self.goods[0].bom_ids.bom_line_ids = [
            Command.create({"product_id": inner.id, "product_qty": 2})
        ]
        node, sale = self.sold()
        self.assertEqual(self.to_send(sale), {"C": 6, "D": 18, "B": 1})
        picking = sale.picking_ids
        picking.move_ids.picked = True
        picking._action_done()
        self.assertEqual(self.kit_line(sale).qty_delivered, 3)
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        self.assertEqual(self.back_at(sale, "assigned"), {"C": 2, "D": 6})

    def test_returned_units_are_not_sent_again(self):
        self.us.return_policy = "done"
        node, sale = self.sold({"A": 3, "B": 1})
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        self.env["shopify.order.editor"]._set_ordered_quantities({self.kit_line(sale): 5})
        self.assertEqual(self.to_send(sale), self.kits(2))

    def test_unsent_units_stay_unsent_when_the_quantity_changes(self):
        node, sale = self.sold()
        self.back(node, 1, "RETURN", money="9.86")
        self.apply(node)
        editor, line = self.env["shopify.order.editor"], self.kit_line(sale)
        editor._set_ordered_quantities({line: 2})
        self.assertEqual(self.to_send(sale), {**self.kits(1), "B": 1})
        editor._set_ordered_quantities({line: 5})
        self.assertEqual(self.to_send(sale), {**self.kits(4), "B": 1})

    def test_form_of_a_refund_knows_whole_kits(self):
        _node, sale = self.sold()
        units, line = self.env["shopify.refund.desk"]._units, self.kit_line(sale)
        first = self.send(sale, {"A": 2}, without="C")
        self.assertEqual(units(first.move_ids), {line.shopify_gid: 0})
        second = self.send(sale, {"A": 2, "B": 1}, without="DE")
        done = (first | second).move_ids
        self.assertEqual(units(done)[line.shopify_gid], 2)

    def test_whole_order_cancelled(self):
        node, sale = self.sold({"A": 2}, status="PARTIALLY_FULFILLED")
        node.fields["cancelledAt"] = "2026-11-05T10:00:00Z"
        self.back(node, 2, "RETURN")
        self.back(node, 1, "RETURN", number=2, position=1)
        self.apply(node)
        self.assertEqual(self.to_send(sale), {})
        self.assertEqual(self.back_at(sale, "assigned"), self.kits(2))


@tagged("post_install", "-at_install", "shopify")
class TestKitCreditNotes(KitRestockCase):
    """Money and goods of a kit that comes back."""

    def refunded(self, when):
        self.us.write(
            {
                "refund_policy": "paid",
                "invoice_policy": "paid",
                "invoice_when": when,
                "return_policy": "done",
            }
        )
        node, sale = self.sold({"A": 3, "B": 1})
        self.assertFalse(self.account())
        self.assertTotals(self.invoices(sale), "43.60", "1.74", "2.01")
        item = self.item(node, 0, 1, "9.86", "0.85", restock="RETURN")
        self.refund(node, 1, "10.71", refundLineItems=page([item]))
        self.apply(node)
        self.assertFalse(self.account())
        return sale

    def check(self, sale):
        credit = self.credit_notes(sale)
        self.assertEqual((credit.state, round(credit.amount_total, 2)), ("posted", 10.71))
        line = credit.invoice_line_ids.filtered(lambda line: line.product_id == self.goods[0])
        self.assertEqual(line.quantity, 1)
        self.assertEqual(self.kit_line(sale).qty_delivered, 2)
        self.assertEqual(self.kit_line(sale).qty_to_invoice, 0)
        self.assertBooks(sale, "36.64")
        self.assertSettled(sale)

    def test_of_ordered_quantities(self):
        self.goods.invoice_policy = "order"
        self.check(self.refunded("confirmation"))

    def test_of_delivered_quantities(self):
        self.check(self.refunded("delivery"))
