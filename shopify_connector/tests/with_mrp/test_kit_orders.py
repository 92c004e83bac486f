"""Orders of kits: imported to the cent, delivered as components, edited, invoiced."""

from decimal import Decimal

from odoo.fields import Command
from odoo.tests import tagged

from ..accounting_common import AccountingCase
from ..edit_common import EditCase
from ..order_nodes import OrderNode
from .kit_common import KitMixin

MORE = (4, "0.37", "1.58", "1.83")
TWO_OFF = (2, "19.81", "1.70")
ONE_OFF = (1, "9.86", "0.85")


class KitEditCase(KitMixin, EditCase):
    """A is a kit: 3 of it and 1 B are ordered."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.reserve = True
        cls.make_kit(cls.goods[0])


@tagged("post_install", "-at_install", "shopify")
class TestKitOrders(KitEditCase):
    def test_order_is_imported_to_the_cent(self):
        sale = self.reach("confirmed")
        self.assertEqual(Decimal(str(round(sale.amount_total, 2))), Decimal("47.35"))
        self.assertEqual(round(sale.amount_tax, 2), 3.75)
        self.assertEqual(self.to_send(sale), {**self.kits(3), "B": 1})
        self.assertEqual(sale.picking_ids.state, "assigned")
        self.assertEqual(len(sale.picking_ids.move_ids), 5, "one for each line of the bill")
        line = self.line(sale, "A")
        self.assertEqual((line.product_uom_qty, line.qty_delivered), (3, 0))
        parts = {product.default_code: part for product, part in line._shopify_parts().items()}
        self.assertEqual(parts, {"C": 2, "D": 2, "E": 0.5})
        self.assertFalse(self.line(sale, "B").shopify_kit_parts)

    def test_twice_is_once(self):
        node = self.build(displayFinancialStatus="PENDING")
        sale = self.sale(self.us, node)
        self.process(self.us, node, sources=("manual",))
        self.assertEqual(self.to_send(sale), {**self.kits(3), "B": 1})

    def test_delivery_in_steps(self):
        self.us.warehouse_id.delivery_steps = "pick_ship"
        sale = self.reach("confirmed")
        line = self.line(sale, "A")
        parts = {product.default_code: part for product, part in line._shopify_parts().items()}
        self.assertEqual(parts, {"C": 2, "D": 2, "E": 0.5})
        self.assertEqual(self.amounts(sale.picking_ids.move_ids), {**self.kits(3), "B": 1})
        self.change(a=MORE, displayFinancialStatus="PENDING")
        self.assertEqual(self.amounts(sale.picking_ids.move_ids), {**self.kits(4), "B": 1})
        self.us._job_reserve()
        picked = sale.picking_ids
        picked.move_ids.picked = True
        picked._action_done()
        self.assertEqual(self.to_send(sale), {**self.kits(4), "B": 1})
        self.change(a=MORE, off=TWO_OFF, displayFinancialStatus="PENDING")
        self.assertEqual(self.to_send(sale), {**self.kits(2), "B": 1})

    # -- edits

    def test_less(self):
        sale = self.reach("confirmed")
        outcome = self.change(off=ONE_OFF, displayFinancialStatus="PENDING")
        self.assertEqual(outcome.status, "updated", outcome.blocks)
        self.assertEqual(self.ordered(sale), {"A": 2, "B": 1})
        self.assertEqual(self.still_to_ship(sale), {**self.kits(2), "B": 1})
        moves = sale.picking_ids.move_ids.filtered("bom_line_id")
        by_line = {("C", 0): 4, ("D", 1): 2, ("D", 2): 2, ("E", 3): 1}
        self.assertEqual(self.by_bom_line(moves), by_line)
        self.assertEqual(len(sale.picking_ids), 1)
        self.send(sale, {"A": 2, "B": 1})
        self.assertEqual(self.line(sale, "A").qty_delivered, 2)

    def test_less_when_a_part_was_delivered(self):
        sale = self.reach("confirmed")
        self.send(sale, {"A": 2})
        self.assertEqual(self.line(sale, "A").qty_delivered, 2)
        outcome = self.change(off=ONE_OFF, displayFinancialStatus="PENDING")
        self.assertEqual(outcome.status, "updated", outcome.blocks)
        self.assertEqual(self.ordered(sale), {"A": 2, "B": 1})
        self.assertEqual(self.to_send(sale), {"B": 1})
        self.assertFalse(sale.picking_ids.filtered("return_id"), "nothing comes back")

    def test_less_when_some_components_of_it_were_delivered(self):
        sale = self.reach("confirmed")
        self.send(sale, {"A": 3}, without="CE")
        self.assertEqual(self.line(sale, "A").qty_delivered, 0)
        self.change(off=ONE_OFF, displayFinancialStatus="PENDING")
        self.assertEqual(self.ordered(sale), {"A": 2, "B": 1})
        self.assertEqual(self.to_send(sale), {"C": 4, "E": 1, "B": 1})

    def test_more(self):
        sale = self.reach("confirmed")
        outcome = self.change(a=MORE, displayFinancialStatus="PENDING")
        self.assertEqual(outcome.status, "updated", outcome.blocks)
        self.assertEqual(self.ordered(sale), {"A": 4, "B": 1})
        self.assertEqual(self.to_send(sale), {**self.kits(4), "B": 1})

    def test_more_when_a_part_was_delivered(self):
        sale = self.reach("confirmed")
        self.send(sale, {"A": 2, "B": 1})
        self.change(a=MORE, displayFinancialStatus="PENDING")
        self.assertEqual(self.to_send(sale), self.kits(2))

    def test_more_after_the_bill_changed(self):
        """What is planned already is not planned again; the further unit is of today's bill."""
        sale = self.reach("confirmed")
        self.send(sale, {"A": 3, "B": 1})
        (bom,) = self.goods[0].bom_ids
        extra = self.component("X", 10)
        bom.bom_line_ids[:1].unlink()
        bom.bom_line_ids = [Command.create({"product_id": extra.id, "product_qty": 1})]
        self.change(a=MORE, displayFinancialStatus="PENDING")
        self.assertEqual(self.to_send(sale), {"D": 2, "E": 0.5, "X": 1})

    def test_less_after_the_bill_changed(self):
        sale = self.reach("confirmed")
        self.goods[0].bom_ids.bom_line_ids[:1].product_qty = 7
        self.change(off=ONE_OFF, displayFinancialStatus="PENDING")
        self.assertEqual(self.to_send(sale), {**self.kits(2), "B": 1})

    def test_cancelled(self):
        sale = self.reach("confirmed")
        self.change(cancelledAt="2026-11-03T10:00:00Z")
        self.assertEqual((sale.state, self.to_send(sale)), ("cancel", {}))

    def test_placeholder_that_turns_out_to_be_a_kit(self):
        node = OrderNode(1001, displayFinancialStatus="PENDING")
        node.line("UNKNOWN", "10.00", 3, self.taxes("0.40", "0.45"))
        self.us.missing_product = "placeholder"
        sale = self.sale(self.us, node)
        (line,) = sale.order_line.filtered("shopify_gid")
        self.assertNotEqual(line.product_id, self.goods[0])
        line._shopify_replace_product(self.goods[0])
        self.assertEqual(self.to_send(sale), self.kits(3))
        line._shopify_replace_product(self.goods[1])
        self.assertEqual((self.to_send(sale), line.shopify_kit_parts), ({"B": 3}, False))


@tagged("post_install", "-at_install", "shopify")
class TestKitInvoices(KitMixin, AccountingCase):
    """What is invoiced follows the kits that are complete."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_kit(cls.goods[0])

    def test_ordered(self):
        sale = self.run_order(self.paid())
        self.assertTotals(sale.invoice_ids, "43.60", "1.74", "2.01")
        self.assertEqual(sale.invoice_ids.state, "posted")

    def test_delivered(self):
        self.us.invoice_when = "delivery"
        sale = self.run_order(self.paid())
        self.us._job_reserve()
        self.send(sale, {"A": 3}, without="C")
        self.assertFalse(self.account())
        kits = self.invoiced(sale)
        self.assertEqual(kits, [], "no kit is complete")
        self.send(sale, {"A": 2}, without="DE")
        self.assertFalse(self.account())
        self.assertEqual(self.invoiced(sale), [2])
        self.send(sale, {"A": 1, "B": 1}, without="DE")
        self.assertFalse(self.account())
        self.assertEqual(sorted(self.invoiced(sale)), [1, 2])
        self.assertTotals(sale.invoice_ids, "43.60", "1.74", "2.01")

    def invoiced(self, sale):
        """Units of the kit on each invoice."""
        lines = sale.invoice_ids.invoice_line_ids
        return lines.filtered(lambda line: line.product_id == self.goods[0]).mapped("quantity")
