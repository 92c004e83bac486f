"""Refunds beside each other and one after the other; tests of what drawn histories found."""

import copy

from .order_nodes import OrderNode
from .refund_common import RefundCase, page


class TestRefundsOfOneOrder(RefundCase):
    """Several refunds of an order, and orders side by side."""

    def test_two_that_wait_for_one_invoice_leave_other_customers_alone(self):
        """Their credit notes are posted together and name the same invoice."""
        self.us.invoice_when = "delivery"
        first = self.refund(self.refund(self.paid(1001), 1, "5.00"), 2, "3.00")
        second = self.refund(self.paid(1002), 1, "7.00")
        sales = [self.sale(self.us, order) for order in (first, second)]
        self.account()
        for sale in sales:
            self.deliver(sale, {"A": 3, "B": 1})
        self.assertFalse(self.account())
        for sale, count in zip(sales, (2, 1), strict=True):
            self.assertEqual(len(self.credit_notes(sale)), count)
            self.assertSettled(sale)
            moves = sale.invoice_ids | self.transactions(sale).move_id
            lines = moves.line_ids
            others = lines.matched_debit_ids.debit_move_id | lines.matched_credit_ids.credit_move_id
            self.assertLessEqual(others.move_id, moves, "each with its own")

    def test_credit_notes_that_are_posted_together_stay_with_their_invoices(self):
        """Unpaid orders, each with its invoice; two of the credit notes name the same."""
        self.us.invoice_when = "confirmation"
        orders = [self.transaction(self.order(n), 1, "47.35", status="PENDING") for n in (1, 2)]
        sales = [self.run_order(order) for order in orders]
        for order, number in ((orders[0], 1), (orders[0], 2), (orders[1], 3)):
            line = self.item(order, 0, 1, "9.87", "0.84", restock="RETURN")
            self.refund(order, number, None, refundLineItems=page([line]))
            order.fields["updatedAt"] = f"2026-11-2{number}T10:00:00Z"
            order.fields["displayFulfillmentStatus"] = "FULFILLED"
        for order in orders:
            self.sale(self.us, order)
        self.account()
        self.assertEqual([len(self.credit_notes(sale)) for sale in sales], [2, 1])
        for sale, left in zip(sales, (25.93, 36.64), strict=True):
            self.assertEqual(self.invoices(sale).amount_residual, left)
            self.assertFalse(any(self.credit_notes(sale).mapped("amount_residual")))

    def test_money_back_of_an_order_that_is_paid_in_part(self):
        """The refund is settled with its own money; what is still owed stays on the invoice."""
        self.us.invoice_when = "confirmation"
        order = self.transaction(self.order(), 1, "40.00")
        line = self.item(order, 0, 1, "9.87", "0.84", restock="RETURN")
        sale = self.run_order(order)
        self.run_order(self.refund(order, 1, "10.71", refundLineItems=page([line])))
        (note,) = self.credit_notes(sale)
        back = self.refunds(sale).payment_ids.move_id.line_ids
        self.assertLessEqual(note.line_ids.matched_debit_ids.debit_move_id, back)
        self.assertEqual(note.amount_residual, 0.0)
        self.assertEqual(self.invoices(sale).amount_residual, 7.35)

    def test_taxes_of_shipping_in_parts(self):
        """4.00 with 0.16 and 0.19: what is left of each tax goes back with the last part."""
        order = self.paid()
        sale = self.run_order(order)
        for number, (amount, tax) in enumerate([("1.00", "0.09"), ("1.50", "0.13")], 1):
            back = self.shipping_back(order, amount, tax)
            money = f"{float(amount) + float(tax):.2f}"
            self.refund(order, number, money, refundShippingLines=page([back]))
            self.run_order(order)
        back = self.shipping_back(order, "1.50", "0.13")
        self.run_order(self.refund(order, 3, "1.63", refundShippingLines=page([back])))
        found = {self.state: 0.0, self.city: 0.0}
        for line in self.credit_notes(sale).line_ids.filtered("tax_line_id"):
            found[line.tax_line_id] += line.balance
        self.assertEqual(
            {tax: round(sum_, 2) for tax, sum_ in found.items()},
            {self.state: 0.16, self.city: 0.19},
        )
        self.assertSettled(sale)

    def test_taxes_of_a_line_that_goes_back_in_two_ways(self):
        """0.25 of each of two taxes on two units: the second unit has what the first left."""
        order = OrderNode(1001).line("A", "10.00", 2, self.taxes("0.25", "0.25"))
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        lines = [
            self.item(order, 0, 1, "10.00", "0.25", restock=restock)
            for restock in ("NO_RESTOCK", "CANCEL")
        ]
        lines[1]["id"] += "1"
        self.run_order(self.refund(order, 1, "20.50", refundLineItems=page(lines)))
        taxes = self.credit_notes(sale).line_ids.filtered("tax_line_id")
        self.assertEqual({tax.tax_line_id: tax.balance for tax in taxes}, self.both(0.25))
        self.assertSettled(sale)

    def both(self, amount):
        return {self.state: amount, self.city: amount}

    def test_what_was_on_no_invoice_stays_so(self):
        """Posted credit notes without payments: a later invoice does not bring one about."""
        self.us.write({"invoice_when": "delivery", "refund_policy": "posted"})
        order = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(order)
        line = self.item(order, 0, 1, "9.87", "0.84", restock="RETURN")
        self.run_order(self.refund(order, 1, "10.71", refundLineItems=page([line])))
        self.us._job_restock()
        self.assertEqual(self.refunds(sale).state, "not_booked")
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        self.assertFalse(self.credit_notes(sale))
        self.assertEqual(self.invoices(sale).amount_total, 36.64)

    def test_money_that_is_kept_on_purpose(self):
        """Cancelled units of a posted invoice: nothing to book, and nobody is asked."""
        order = self.paid()
        sale = self.run_order(order)
        line = self.item(order, 0, 1, "9.87", "0.84", restock="CANCEL")
        kept = page([self.adjustment(order, "10.71")])
        self.refund(order, 1, None, refundLineItems=page([line]), orderAdjustments=kept)
        self.run_order(order)
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.amount_value), ("not_booked", 0.0))
        self.assertEqual(refund.line_ids.mapped("kind"), ["item", "adjustment"])
        self.assertEqual(
            (sale.order_line[0].product_uom_qty, sale.order_line[0].qty_invoiced), (2, 3)
        )
        self.assertBooks(sale, "47.35")

    def test_free_units_are_not_invoiced_again(self):
        self.goods[0].invoice_policy = "order"
        order = self.order()
        order.line("A", "5.00", 3, discount="15.00")
        self.transaction(order, 1, order.total)
        self.us.invoice_when = "delivery"
        sale = self.run_order(order)
        order.fields["displayFulfillmentStatus"] = "FULFILLED"
        line = self.item(order, 2, 1, "0.00", "0.00", restock="RETURN")
        self.run_order(self.refund(order, 1, None, refundLineItems=page([line])))
        free = sale.order_line.filtered(lambda one: one.shopify_gid == order.lines[2]["id"])
        self.assertEqual(free.qty_to_invoice, 2)

    def test_the_last_unit_has_what_the_others_left_of_its_tax(self):
        """Of 0.05 on four units: two cancelled with 0.03, then one returned with 0.01."""
        self.us.invoice_when = "delivery"
        order = OrderNode(1001).line("A", "10.00", 4, self.taxes("0.05", "0.00"))
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        order.fields["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED"
        for number, (units, subtotal, tax, restock) in enumerate(
            [(2, "20.00", "0.03", "CANCEL"), (1, "10.00", "0.01", "RETURN")], 1
        ):
            line = self.item(order, 0, units, subtotal, tax, restock=restock)
            self.refund(order, number, None, refundLineItems=page([line]))
            order.fields["updatedAt"] = f"2026-11-2{number}T10:00:00Z"
            self.run_order(order)
        self.env.invalidate_all()
        self.deliver(sale, {"A": 1})
        self.account()
        self.assertEqual(self.invoices(sale).amount_tax, 0.01)

    def test_of_which_unit_is_not_said(self):
        """Of four units two were sent, and refunded are one that was not and one that was: Shopify
        does not say which is which. The two that the customer keeps are invoiced, no more.
        """
        self.us.invoice_when = "delivery"
        order = OrderNode(1001).line("A", "10.00", 4)
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        self.deliver(sale, {"A": 2})
        self.account()
        order.fields["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED"
        order.lines[0]["unfulfilledQuantity"] = 1
        sent = page([{"lineItem": {"id": order.lines[0]["id"]}, "quantity": 2}])
        order.extra["parcels"] = [
            {
                "id": order.gid("Fulfillment", 1),
                "status": "SUCCESS",
                "fulfillmentLineItems": sent,
            }
        ]
        for number in (1, 2):
            line = self.item(order, 0, 1, "10.00", "0.00", restock="NO_RESTOCK")
            self.run_order(self.refund(order, number, "10.00", refundLineItems=page([line])))
        self.us._job_restock()
        self.deliver(sale, {"A": 1})
        self.assertFalse(self.account())
        self.assertEqual(sale.order_line.qty_delivered, 3)
        self.assertBooks(sale, "20.00")
        self.assertSettled(sale)

    def test_an_undecided_refund_keeps_its_units(self):
        """One is cancelled before the invoice, its money pending; then one that is on it."""
        order = self.paid()
        for number, status in ((1, "PENDING"), (2, "SUCCESS")):
            line = self.item(order, 0, 1, "9.87", "0.84", restock="CANCEL")
            self.refund(order, number, "10.71", status=status, refundLineItems=page([line]))
            sale = self.run_order(order)
        first, second = self.refunds(sale)
        self.assertEqual((first.state, first.move_ids.ids), ("waiting", []))
        self.assertEqual(second.move_ids.amount_total, 10.71)

    def test_an_old_answer_changes_nothing(self):
        order = self.paid()
        sale = self.run_order(order)
        line = self.item(order, 0, 1, "9.87", "0.84")
        self.refund(order, 1, "10.71", status="PENDING", refundLineItems=page([line]))
        self.run_order(order)
        old = copy.deepcopy(order.node)
        order.extra["transactions"][-1]["status"] = "SUCCESS"
        order.fields["updatedAt"] = "2026-11-20T10:00:00Z"
        self.run_order(order)
        (outcome,) = self.process(self.us, old)
        self.assertEqual(outcome.status, "unchanged")
        self.assertFalse(self.account())
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.money_state), ("booked", "done"))
        self.assertEqual((refund.amount_money, refund.payment_ids.status), (10.71, "success"))


class TestRefundRates(RefundCase):
    def test_what_the_customer_is_owed_is_no_exchange_difference(self):
        """Units worth less than a tenth are taken off a paid order: 10.85 wait to be paid out."""
        self.us.shop_timezone = "UTC"
        order = self.paid(presentment="EUR", rate="0.9")
        order.line("A", "99.00")
        order.extra["transactions"] = []
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        line = self.item(order, 1, 1, "10.00", "0.85", restock="CANCEL")
        self.run_order(self.refund(order, 1, None, refundLineItems=page([line])))
        note = self.credit_notes(sale)
        self.assertEqual((note.amount_total, note.amount_residual), (10.85, 10.85))

    def test_what_the_customer_is_owed_of_an_order_that_comes_late(self):
        """Its credit note over a part of the shipping meets the invoice before the payment does."""
        self.us.write({"shop_timezone": "UTC", "invoice_when": "confirmation"})
        order = self.paid(presentment="EUR", rate="0.9")
        order.line("A", "99.00")
        order.extra["transactions"] = []
        self.transaction(order, 1, order.total)
        line = self.item(order, 1, 1, "10.00", "0.85", restock="CANCEL")
        shipping = page([self.shipping_back(order, "1.00", "0.09")])
        items = page([line])
        self.refund(order, 1, None, refundLineItems=items, refundShippingLines=shipping)
        sale = self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_total, 1.09)
        lines = (sale.invoice_ids | self.transactions(sale).move_id).line_ids
        due = lines.filtered(lambda line: line.account_type == "asset_receivable")
        self.assertEqual(round(sum(due.mapped("amount_residual")), 2), -11.94)

    def test_one_rate_for_all_lines(self):
        """An order that shrinks keeps the rate at which it was booked."""
        self.us.write({"currency_policy": "presentment", "invoice_when": "delivery"})
        self.env.ref("base.JPY").active = True
        order = OrderNode(1001, presentment="JPY", rate="150").line("A", "0.01", 2)
        order.line("B", "4.19")
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        line = self.item(order, 0, 1, "0.01", "0", restock="NO_RESTOCK")
        self.run_order(self.refund(order, 1, None, refundLineItems=page([line])))
        self.assertEqual(len({row.extra_tax_data["rate"] for row in sale.order_line}), 1)
        self.deliver(sale, {"A": 1, "B": 1})
        self.account()
        self.assertEqual(self.invoices(sale).amount_total_signed, 4.2)
