"""Refunds become credit notes and payments, once and to the cent."""

from odoo import fields

from .refund_common import RefundCase, page


class TestRefund(RefundCase):
    def one_a(self, order, number=1, money="10.71", restock="NO_RESTOCK", **fields):
        """One of three A: 9.87 and 0.84 tax."""
        line = self.item(order, 0, 1, "9.87", "0.84", restock=restock)
        return self.refund(order, number, money, refundLineItems=page([line]), **fields)

    def booked(self, order, add):
        """Import an order, then again with what ``add`` puts on it; returns the sale."""
        sale = self.run_order(order)
        add(order)
        self.run_order(order)
        return sale

    # -- policies -------------------------------------------------------------------------------

    def test_posted_and_paid(self):
        sale = self.booked(self.paid(), self.one_a)
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.money_state), ("booked", "done"))
        note = self.credit_notes(sale)
        self.assertEqual((note.state, note.payment_state), ("posted", "paid"))
        self.assertEqual((note.amount_untaxed, note.amount_total), (9.87, 10.71))
        self.assertEqual(note.reversed_entry_id, self.invoices(sale))
        self.assertEqual(note.invoice_date, fields.Date.to_date("2026-11-03"))
        taxes = {line.tax_line_id: line.balance for line in note.line_ids if line.tax_line_id}
        self.assertEqual(taxes, {self.state: 0.39, self.city: 0.45})
        self.assertEqual(sale.order_line[0].qty_invoiced, 2)
        self.assertEqual(sale.order_line[0].qty_to_invoice, 0)
        payment = refund.payment_ids.payment_id
        self.assertEqual((payment.payment_type, payment.amount), ("outbound", 10.71))
        self.assertEqual(payment.move_id.line_ids.matched_credit_ids.credit_move_id.move_id, note)
        self.assertBooks(sale, "36.64")
        self.assertSettled(sale)

    def test_drafts_by_default(self):
        self.assertEqual(self.eu.refund_policy, "draft")
        self.us.refund_policy = "draft"
        sale = self.booked(self.paid(), self.one_a)
        self.assertEqual(self.refunds(sale).state, "booked")
        self.assertEqual(self.credit_notes(sale).state, "draft")
        self.assertFalse(self.refunds(sale).payment_ids.move_id)

    def test_posted_without_payment(self):
        self.us.refund_policy = "posted"
        sale = self.booked(self.paid(), self.one_a)
        note = self.credit_notes(sale)
        self.assertEqual((note.state, note.payment_state), ("posted", "not_paid"))
        self.assertFalse(self.refunds(sale).payment_ids.move_id)

    def test_only_kept(self):
        self.us.refund_policy = "none"
        sale = self.booked(self.paid(), self.one_a)
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.amount_money), ("not_booked", 10.71))
        self.assertEqual(refund.line_ids.sale_line_id, sale.order_line[0])
        self.assertFalse(refund.move_ids)

    def test_once(self):
        order = self.paid()
        sale = self.booked(order, self.one_a)
        for _again in range(2):
            self.process(self.us, order, sources=("manual",))
            self.account()
        self.refunds(sale).action_book()
        self.account()
        self.assertEqual(len(self.refunds(sale)), 1)
        self.assertEqual(len(self.credit_notes(sale)), 1)
        self.assertEqual(len(self.invoices(sale)), 1)
        self.assertEqual(len(self.refunds(sale).payment_ids), 1)
        self.assertSettled(sale)

    # -- money ----------------------------------------------------------------------------------

    def test_pending_money_waits(self):
        order = self.paid()
        sale = self.run_order(order)
        # Shopify writes an adjustment over the whole worth meanwhile
        pending = self.adjustment(order, "10.71", "PENDING_REFUND_DISCREPANCY")
        self.one_a(order, orderAdjustments=page([pending]))
        order.extra["transactions"][-1]["status"] = "PENDING"
        self.run_order(order)
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.amount_money), ("waiting", 0.0))
        self.assertFalse(refund.move_ids)
        order.extra["transactions"][-1]["status"] = "SUCCESS"
        order.fields["updatedAt"] = "2026-11-20T10:00:00Z"
        self.run_order(order)
        self.assertEqual(refund.state, "booked")
        self.assertEqual(refund.move_ids.amount_total, 10.71)
        self.assertSettled(sale)

    def test_failed_money_never_books(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order)
        order.extra["transactions"][-1]["status"] = "FAILURE"
        self.run_order(order)
        self.assertEqual(self.refunds(sale).state, "not_booked")
        self.assertFalse(self.credit_notes(sale))
        self.assertBooks(sale, "47.35")

    def test_two_transactions_are_two_payments(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order, money="6.00")
        self.transaction(order, 99, "4.71", kind="REFUND", gateway="gift_card")
        refund = order.extra["refunds"][0]
        refund["transactions"]["nodes"].append({"id": order.extra["transactions"][-1]["id"]})
        refund["totalRefundedSet"] = order.bag("10.71")
        self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_total, 10.71)
        payments = self.refunds(sale).payment_ids
        self.assertEqual(sorted(payments.mapped("amount")), [4.71, 6.0])
        card = payments.filtered(lambda payment: payment.gateway == "gift_card")
        liability = card.move_id.line_ids.filtered(lambda line: line.account_id == self.gift_cards)
        self.assertEqual(liability.balance, -4.71)
        self.assertSettled(sale)

    def test_money_that_changes_later_is_an_exception(self):
        order = self.paid()
        sale = self.booked(order, self.one_a)
        self.transaction(order, 99, "5.00", kind="REFUND")
        order.extra["refunds"][0]["transactions"]["nodes"].append(
            {"id": order.extra["transactions"][-1]["id"]}
        )
        order.fields["updatedAt"] = "2026-11-20T10:00:00Z"
        self.sale(self.us, order)
        exception = self.account()
        self.assertIn("10.71", exception.message)
        self.assertEqual(self.refunds(sale).state, "exception")
        self.assertEqual(len(self.credit_notes(sale)), 1)

    # -- what is on it --------------------------------------------------------------------------

    def test_three_refunds_give_the_taxes_of_the_line_back(self):
        order = self.paid()
        sale = self.run_order(order)
        for number, (untaxed, tax) in enumerate(
            [("9.87", "0.85"), ("9.87", "0.85"), ("9.86", "0.85")], 1
        ):
            line = self.item(order, 0, 1, untaxed, tax)
            money = f"{float(untaxed) + float(tax):.2f}"
            self.refund(order, number, money, refundLineItems=page([line]))
            self.run_order(order)
        notes = self.credit_notes(sale)
        self.assertEqual(len(notes), 3)
        self.assertTotals(notes, "29.60", "-1.18", "-1.37")
        self.assertBooks(sale, "15.20")
        self.assertEqual(sale.order_line[0].qty_invoiced, 0)
        self.assertEqual(sale.order_line[0].qty_to_invoice, 0)
        self.assertSettled(sale)

    def assertTotals(self, moves, untaxed, state, city):
        lines = moves.line_ids.filtered(lambda line: line.display_type == "tax")
        for tax, expected in ((self.state, state), (self.city, city)):
            own = lines.filtered(lambda line, tax=tax: line.tax_line_id == tax)
            self.assertAlmostEqual(-sum(own.mapped("balance")), float(expected), 2)
        self.assertAlmostEqual(sum(moves.mapped("amount_untaxed")), float(untaxed), 2)

    def test_everything_at_once(self):
        def everything(order):
            self.refund(
                order,
                1,
                "47.35",
                refundLineItems=page(
                    [
                        self.item(order, 0, 3, "29.60", "2.55", restock="RETURN"),
                        self.item(order, 1, 1, "10.00", "0.85"),
                    ]
                ),
                refundShippingLines=page([self.shipping_back(order, "4.00", "0.35")]),
            )

        sale = self.booked(self.paid(), everything)
        self.assertTotals(self.credit_notes(sale), "43.60", "-1.74", "-2.01")
        self.assertBooks(sale, "0")
        self.assertEqual(set(sale.order_line.mapped("qty_invoiced")), {0})
        self.assertEqual(set(sale.order_line.mapped("qty_to_invoice")), {0})
        self.assertSettled(sale)

    def test_part_of_the_shipping(self):
        def part(order):
            back = self.shipping_back(order, "1.00", "0.09")
            self.refund(order, 1, "1.09", refundShippingLines=page([back]))

        sale = self.booked(self.paid(), part)
        note = self.credit_notes(sale)
        self.assertEqual((note.amount_untaxed, note.amount_tax), (1.0, 0.09))
        self.assertEqual(sale.order_line[2].qty_invoiced, 1)
        self.assertSettled(sale)

    def test_goodwill_without_a_line(self):
        for number, adjusted in ((1001, False), (1002, True)):
            with self.subTest(adjusted=adjusted):

                def goodwill(order, adjusted=adjusted):
                    found = [self.adjustment(order, "-5.00")] if adjusted else []
                    self.refund(order, 1, "5.00", orderAdjustments=page(found))

                sale = self.booked(self.paid(number), goodwill)
                note = self.credit_notes(sale)
                self.assertEqual((note.amount_total, note.amount_tax), (5.0, 0.0))
                self.assertEqual(sale.order_line[0].qty_invoiced, 3)
                self.assertSettled(sale)

    def test_less_is_given_back_than_the_lines_say(self):
        order = self.paid()
        kept = page([self.adjustment(order, "1.00", "DAMAGE")])
        sale = self.booked(order, lambda o: self.one_a(o, money="9.71", orderAdjustments=kept))
        note = self.credit_notes(sale)
        self.assertEqual(note.amount_total, 9.71)
        self.assertEqual(sorted(note.invoice_line_ids.mapped("price_subtotal")), [-1.0, 9.87])
        self.assertSettled(sale)

    def test_a_difference_without_a_name_is_an_exception(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order, money="8.00")
        self.sale(self.us, order)
        exception = self.account()
        self.assertIn("2.71", exception.message)
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.amount_gap), ("exception", 2.71))
        self.assertFalse(refund.move_ids)
        self.assertFalse(refund.payment_ids.move_id)

    def test_a_credit_note_by_hand_is_linked(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order, money="8.00")
        self.sale(self.us, order)
        self.account()
        invoice = self.invoices(sale)
        note = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        note.invoice_line_ids[1:].unlink()
        note.invoice_line_ids.write(
            {"price_unit": 8, "quantity": 1, "discount": 0, "tax_ids": False}
        )
        note.action_post()
        link = self.env["shopify.refund.link"].create(
            {"refund_id": self.refunds(sale).id, "move_id": note.id}
        )
        self.assertEqual(link.difference, 0)
        link.action_link()
        self.assertFalse(self.account())
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.move_ids), ("booked", note))
        self.assertEqual(note.payment_state, "paid")
        self.assertSettled(sale)

    def test_a_refund_that_cannot_be_read_is_an_exception(self):
        order = self.paid()
        sale = self.run_order(order)
        line = self.item(order, 1, 1, "10.00", "0.85")
        self.refund(order, 1, "10.85", refundLineItems=page([line]))
        line["subtotalSet"] = None
        self.sale(self.us, order)
        self.assertIn("subtotalSet", self.account().message)
        self.assertEqual(self.refunds(sale).state, "exception")


class TestRefundInvoices(RefundCase):
    """The state of the invoice when the refund comes."""

    def one_a(self, order, money="10.71", restock="CANCEL"):
        line = self.item(order, 0, 1, "9.87", "0.84", restock=restock)
        return self.refund(order, 1, money, refundLineItems=page([line]))

    def test_before_any_invoice(self):
        self.us.invoice_when = "delivery"
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order)
        self.run_order(order)
        refund = self.refunds(sale)
        self.assertEqual(refund.state, "booked")
        self.assertFalse(refund.move_ids)
        paid, back = self.transactions(sale)
        matched = back.move_id.line_ids.matched_credit_ids.credit_move_id.move_id
        self.assertEqual(matched, paid.move_id)
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        self.assertEqual(self.invoices(sale).amount_total, 36.64)
        self.assertEqual(sale.order_line[0].qty_invoiced, 2)
        self.assertEqual(sale.order_line[0].qty_to_invoice, 0)
        self.assertSettled(sale)

    def test_with_the_order_itself(self):
        """An order that is imported when its refund is history already."""
        order = self.one_a(self.paid())
        sale = self.run_order(order)
        self.assertEqual(self.invoices(sale).amount_total, 36.64)
        self.assertFalse(self.credit_notes(sale))
        self.assertSettled(sale)

    def test_goodwill_waits_for_the_invoice(self):
        self.us.invoice_when = "delivery"
        order = self.refund(self.paid(), 1, "5.00")
        sale = self.run_order(order)
        self.assertEqual(self.refunds(sale).state, "to_book")
        self.deliver(sale, {"A": 3, "B": 1})
        self.account()
        self.assertEqual(self.refunds(sale).state, "booked")
        self.assertBooks(sale, "42.35")
        self.assertSettled(sale)

    def test_units_on_a_draft_invoice(self):
        """The order is edited, so the draft is made anew without them."""
        self.us.invoice_policy = "draft"
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order)
        self.run_order(order)
        self.assertFalse(self.credit_notes(sale))
        drafts = self.invoices(sale).filtered(lambda move: move.state == "draft")
        self.assertEqual(drafts.amount_total, 36.64)

    def test_an_amount_on_a_draft_invoice(self):
        self.us.invoice_policy = "draft"
        order = self.paid()
        sale = self.run_order(order)
        self.refund(order, 1, "5.00")
        self.run_order(order)
        note = self.credit_notes(sale)
        self.assertEqual((note.state, self.refunds(sale).state), ("draft", "to_book"))
        self.invoices(sale).action_post()
        self.account()
        self.assertEqual((note.state, self.refunds(sale).state), ("posted", "booked"))

    def test_units_taken_off_an_unpaid_invoice(self):
        """An order edit leaves a refund without money: the customer has to pay less."""
        self.us.write({"invoice_policy": "posted", "invoice_when": "confirmation"})
        order = self.order(displayFinancialStatus="PENDING")
        sale = self.run_order(order)
        self.assertEqual(self.invoices(sale).amount_residual, 47.35)
        order.extra["transactions"] = []
        self.one_a(order, money=None)
        self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_total, 10.71)
        self.assertEqual(self.invoices(sale).amount_residual, 36.64)

    def test_units_taken_off_a_paid_order_are_paid_out_later(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order, money=None)
        self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_residual, 10.71)
        self.refund(order, 2, "10.71", orderAdjustments=page([self.adjustment(order, "-10.71")]))
        self.run_order(order)
        self.assertEqual(len(self.credit_notes(sale)), 1)
        self.assertEqual(self.refunds(sale).mapped("state"), ["booked", "booked"])
        self.assertBooks(sale, "36.64")
        self.assertSettled(sale)

    def test_over_several_invoices(self):
        self.us.invoice_when = "delivery"
        order = self.paid()
        sale = self.run_order(order)
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        self.deliver(sale, {"A": 1})
        self.account()
        self.assertEqual(len(self.invoices(sale)), 2)
        order.fields["displayFulfillmentStatus"] = "FULFILLED"
        line = self.item(order, 0, 3, "29.60", "2.55", restock="RETURN")
        self.refund(order, 1, "32.15", refundLineItems=page([line]))
        self.run_order(order)
        note = self.credit_notes(sale)
        self.assertEqual(note.amount_total, 32.15)
        self.assertFalse(note.reversed_entry_id)
        self.assertEqual(sale.order_line[0].qty_invoiced, 0)
        self.assertBooks(sale, "15.20")
        self.assertSettled(sale)

    def test_a_cancelled_unit_beside_an_invoice_of_the_others(self):
        self.us.invoice_when = "delivery"
        order = self.paid()
        sale = self.run_order(order)
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        order.fields["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED"
        self.one_a(order)
        self.run_order(order)
        self.assertFalse(self.credit_notes(sale))
        self.assertEqual(sale.order_line[0].qty_invoiced, 2)
        self.assertEqual(sale.order_line[0].qty_to_invoice, 0)

    def test_a_returned_unit_beside_an_invoice_of_the_others(self):
        self.us.invoice_when = "delivery"
        order = self.paid()
        sale = self.run_order(order)
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        order.fields["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED"
        self.one_a(order, restock="RETURN")
        self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_total, 10.71)
        self.deliver(sale, {"A": 1})
        self.account()
        self.assertEqual(len(self.invoices(sale)), 2)
        self.assertBooks(sale, "36.64")
        self.assertSettled(sale)

    def test_a_unit_that_was_sent_and_not_restocked_beside_an_invoice_of_the_others(self):
        """Shopify says which units were refunded: these had been sent, so they are invoiced."""
        self.us.invoice_when = "delivery"
        order = self.paid()
        sale = self.run_order(order)
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        order.fields["displayFulfillmentStatus"] = "PARTIALLY_FULFILLED"
        line = {"lineItem": {"id": order.lines[0]["id"]}, "quantity": 2}
        order.extra["parcels"] = [
            {"id": "gid://shopify/Fulfillment/1", "fulfillmentLineItems": page([line])}
        ]
        order.lines[0]["unfulfilledQuantity"] = 1
        self.one_a(order, restock="NO_RESTOCK")
        self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_total, 10.71)
        self.deliver(sale, {"A": 1})
        self.account()
        self.assertBooks(sale, "36.64")
        self.assertSettled(sale)

    def test_more_than_was_invoiced(self):
        order = self.paid()
        sale = self.run_order(order)
        self.refund(order, 1, "60.00")
        self.run_order(order)
        self.assertEqual(self.credit_notes(sale).amount_total, 60.0)
        self.assertEqual(self.refunds(sale).state, "booked")
        self.assertSettled(sale)

    def test_nothing_is_invoiced_again(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order, restock="RETURN")
        self.run_order(order)
        self.deliver(sale, {"A": 3, "B": 1})
        self.account()
        self.assertEqual(len(self.invoices(sale)), 1)
        self.assertEqual(set(sale.order_line.mapped("qty_to_invoice")), {0})
        self.assertEqual(sale.invoice_status, "invoiced")

    def test_closed_period_waits(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order)
        self.company.sale_lock_date = "2026-11-30"
        self.sale(self.us, order)
        exception = self.account()
        self.assertIn("2026-11-30", exception.name)
        self.assertEqual(self.refunds(sale).state, "exception")
        self.assertEqual(self.credit_notes(sale).state, "draft")
        self.company.sale_lock_date = False
        self.refunds(sale).action_book()
        self.assertFalse(self.account())
        self.assertEqual(self.credit_notes(sale).payment_state, "paid")


class TestRefundCurrency(RefundCase):
    def test_another_rate_gives_an_exchange_difference(self):
        """The customer pays and gets euros; the store and the books are in dollars."""
        self.us.currency_policy = "presentment"
        self.env.ref("base.EUR").active = True
        order = self.paid(presentment="EUR", rate="0.9")
        sale = self.run_order(order)
        line = self.item(order, 1, 1, "10.00", "0.85")
        self.refund(order, 1, "10.85", refundLineItems=page([line]))
        # 9.77 EUR were 10.85 USD; they are 11.00 USD today
        node = order.extra["transactions"][-1]
        node["amountSet"]["presentmentMoney"]["amount"] = "9.77"
        node["amountSet"]["shopMoney"]["amount"] = "11.00"
        node = order.extra["refunds"][0]["refundLineItems"]["nodes"][0]
        node["totalTaxSet"]["presentmentMoney"]["amount"] = "0.77"
        self.run_order(order)
        note = self.credit_notes(sale)
        self.assertEqual((note.currency_id.name, note.amount_total), ("EUR", 9.77))
        self.assertAlmostEqual(-note.amount_total_signed, 10.85, 2)
        self.assertEqual(note.payment_state, "paid")
        partial = self.refunds(sale).payment_ids.move_id.line_ids.matched_credit_ids
        loss = partial.exchange_move_id.line_ids.filtered("debit")
        self.assertEqual(loss.account_id, self.company.expense_currency_exchange_account_id)
        self.assertAlmostEqual(loss.debit, 0.15, 2)

    def test_in_the_stores_currency_the_difference_is_a_line(self):
        company = self.company
        self.assertTrue(company.expense_currency_exchange_account_id)
        order = self.paid(presentment="EUR", rate="0.9")
        sale = self.run_order(order)
        line = self.item(order, 1, 1, "10.00", "0.85")
        self.refund(order, 1, "10.85", refundLineItems=page([line]))
        for node in (
            order.extra["transactions"][-1]["amountSet"],
            order.extra["refunds"][0]["totalRefundedSet"],
        ):
            node["presentmentMoney"]["amount"] = "9.77"
            node["shopMoney"]["amount"] = "11.00"
        node = order.extra["refunds"][0]["refundLineItems"]["nodes"][0]
        node["totalTaxSet"]["presentmentMoney"]["amount"] = "0.77"
        self.run_order(order)
        note = self.credit_notes(sale)
        self.assertEqual((note.currency_id.name, note.amount_total), ("USD", 11.0))
        rest = note.invoice_line_ids.filtered(
            lambda row: row.account_id == company.expense_currency_exchange_account_id
        )
        self.assertEqual(rest.price_subtotal, 0.15)
        self.assertSettled(sale)
