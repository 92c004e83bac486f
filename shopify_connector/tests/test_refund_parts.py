"""What refunds give back beside goods and shipping, and by which ways the money goes."""

from odoo.tests import tagged

from .refund_common import RefundCase, page


@tagged("post_install", "-at_install", "shopify")
class TestRefundParts(RefundCase):
    def with_tip(self):
        order = self.order()
        order.line(
            "",
            "3.00",
            title="Tip",
            name="Tip",
            variant=None,
            product=None,
            requiresShipping=False,
            taxable=False,
        )
        order.extra["totalTipReceivedSet"] = order.bag("3.00")
        return self.transaction(order, 1, order.total)

    def with_duty(self):
        order = self.order()
        self.duty = order.gid("Duty", 1)
        order.lines[1]["duties"] = [{"id": self.duty, "price": order.bag("5.00"), "taxLines": []}]
        order.extra["originalTotalDutiesSet"] = order.bag("5.00")
        order.total += 5
        order.seen["total"] += 5
        return self.transaction(order, 1, order.total)

    def back(self, order, money, **fields):
        """Import the order, then again with a refund; returns its credit note."""
        sale = self.run_order(order)
        self.refund(order, 1, money, **fields)
        self.run_order(order)
        self.assertEqual(self.refunds(sale).state, "booked", self.refunds(sale).state_note)
        self.assertSettled(sale)
        return sale, self.credit_notes(sale)

    def test_a_tip(self):
        order = self.with_tip()
        tip = self.item(order, 2, 1, "3.00", "0.00")
        sale, note = self.back(order, "3.00", refundLineItems=page([tip]))
        self.assertEqual((note.amount_total, note.amount_tax), (3.0, 0.0))
        line = sale.order_line.filtered(lambda line: line.shopify_kind == "tip")
        self.assertEqual(note.invoice_line_ids.sale_line_ids, line)
        self.assertEqual(note.invoice_line_ids.product_id, line.product_id)
        self.assertEqual((line.qty_invoiced, line.qty_to_invoice), (0, 0))
        self.assertBooks(sale, "47.35")

    def test_a_duty(self):
        order = self.with_duty()
        duty = {"originalDuty": {"id": self.duty}, "amountSet": order.bag("5.00")}
        sale, note = self.back(order, "5.00", duties=[duty])
        self.assertEqual((note.amount_total, note.amount_tax), (5.0, 0.0))
        line = sale.order_line.filtered(lambda line: line.shopify_kind == "duty")
        self.assertEqual(note.invoice_line_ids.sale_line_ids, line)
        self.assertBooks(sale, "47.35")

    def test_a_part_of_a_duty_leaves_the_rest(self):
        order = self.with_duty()
        duty = {"originalDuty": {"id": self.duty}, "amountSet": order.bag("2.00")}
        sale, note = self.back(order, "2.00", duties=[duty])
        self.assertEqual(note.amount_total, 2.0)
        line = sale.order_line.filtered(lambda line: line.shopify_kind == "duty")
        self.assertEqual(line.qty_invoiced, 1, "what is left of it stays invoiced")
        self.assertBooks(sale, "50.35")

    def test_money_as_store_credit(self):
        self.us.store_credit_account_id = self.gift_cards.copy({"code": "239901"})
        order = self.paid()
        item = self.item(order, 1, 1, "10.00", "0.85", restock="RETURN")
        sale, note = self.back(
            order, "10.85", gateway="shopify_store_credit", refundLineItems=page([item])
        )
        self.assertEqual(note.amount_total, 10.85)
        entry = self.refunds(sale).payment_ids.move_id
        liability = entry.line_ids.filtered(
            lambda line: line.account_id == self.us.store_credit_account_id
        )
        self.assertEqual(liability.balance, -10.85, "owed to the customer now")
        self.assertFalse(self.refunds(sale).payment_ids.payment_id)

    def test_money_as_store_credit_without_its_account(self):
        """It is named, and goes through once there is one."""
        order = self.paid()
        sale = self.run_order(order)
        item = self.item(order, 1, 1, "10.00", "0.85", restock="RETURN")
        self.refund(order, 1, "10.85", gateway="shopify_store_credit", refundLineItems=page([item]))
        self.sale(self.us, order)
        exceptions = self.account()
        self.assertEqual(exceptions.mapped("key"), ["gateway|shopify_store_credit"])
        self.assertEqual(self.refunds(sale).state, "exception")
        self.assertEqual(self.credit_notes(sale).state, "posted")
        self.us.store_credit_account_id = self.gift_cards.copy({"code": "239901"})
        self.assertFalse(self.exceptions(self.us))
        self.process(self.us, order, sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(self.refunds(sale).state, "booked")
        self.assertSettled(sale)
