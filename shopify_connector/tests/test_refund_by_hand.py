"""What people do by hand to invoices, credit notes and settings, around a refund."""

from odoo import fields
from odoo.exceptions import UserError

from .refund_common import RefundCase, page


class ByHandCase(RefundCase):
    def one_a(self, order, number=1, money="10.71", restock="NO_RESTOCK", **fields):
        """One of three A: 9.87 and 0.84 tax."""
        line = self.item(order, 0, 1, "9.87", "0.84", restock=restock)
        return self.refund(order, number, money, refundLineItems=page([line]), **fields)

    def everything(self, order):
        lines = [
            self.item(order, 0, 3, "29.60", "2.55", restock="RETURN"),
            self.item(order, 1, 1, "10.00", "0.85", restock="RETURN"),
        ]
        return self.refund(
            order,
            1,
            "47.35",
            refundLineItems=page(lines),
            refundShippingLines=page([self.shipping_back(order, "4.00", "0.35")]),
        )

    def told(self, order):
        """Shopify tells of a change; returns the open accounting exceptions."""
        order.fields["updatedAt"] = f"2026-11-2{len(order.extra['transactions'])}T10:00:00Z"
        self.sale(self.us, order)
        return self.account()

    def reversed(self, sale):
        """The whole invoice is taken back by hand."""
        invoice = self.invoices(sale)
        note = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        note.action_post()
        return note

    def link(self, refund, note):
        return self.env["shopify.refund.link"].create({"refund_id": refund.id, "move_id": note.id})


class TestCreditedByHand(ByHandCase):
    def test_the_form_says_by_how_much_a_note_differs(self):
        """From what the units are worth, where no money went back."""
        order = self.paid()
        sale = self.run_order(order)
        note = self.reversed(sale)
        line = self.item(order, 0, 1, "9.87", "0.84", restock="RETURN")
        self.told(self.refund(order, 1, None, refundLineItems=page([line])))
        form = self.link(self.refunds(sale), note)
        self.assertEqual((form.amount_due, round(form.difference, 2)), (10.71, 36.64))

    def test_an_invoice_that_was_taken_back(self):
        """Nothing of it is credited twice: not its units, and not its shipping."""
        order = self.paid()
        sale = self.run_order(order)
        note = self.reversed(sale)
        exception = self.told(self.everything(order))
        self.assertIn(f"credited by hand already ({note.name})", exception.message)
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.move_ids.ids), ("exception", []))
        self.assertFalse(refund.payment_ids.move_id)
        self.link(refund, note).action_link()
        self.assertFalse(self.account())
        self.assertEqual((refund.state, refund.move_ids), ("booked", note))
        self.assertBooks(sale, "0")
        self.assertSettled(sale)

    def test_shipping_that_was_taken_back(self):
        order = self.paid()
        sale = self.run_order(order)
        self.reversed(sale)
        back = self.shipping_back(order, "4.00", "0.35")
        exception = self.told(self.refund(order, 1, "4.35", refundShippingLines=page([back])))
        self.assertIn("credited by hand already", exception.message)
        self.assertFalse(self.refunds(sale).move_ids)

    def test_an_invoice_that_was_corrected(self):
        """Taken back and made anew: the refund credits the new one."""
        order = self.paid()
        sale = self.run_order(order)
        self.reversed(sale)
        again = self.invoices(sale).copy({"invoice_date": "2026-11-02"})
        for old, new in zip(
            self.invoices(sale)[:1].invoice_line_ids, again.invoice_line_ids, strict=True
        ):
            new.sale_line_ids = old.sale_line_ids
        again.action_post()
        order.fields["displayFulfillmentStatus"] = "FULFILLED"
        self.assertFalse(self.told(self.everything(order)))
        self.assertEqual(self.credit_notes(sale).amount_total, 47.35)
        self.assertBooks(sale, "0")

    def test_a_credit_note_stands_for_one_refund(self):
        """Two people choose the same one."""
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(self.one_a(order, money="8.00"), 2, money="8.00")
        self.told(order)
        note = self.reversed(sale)
        first, second = self.refunds(sale)
        links = [self.link(refund, note) for refund in (first, second)]
        links[0].action_link()
        with self.assertRaisesRegex(UserError, f"{note.name} stands for {first.name}"):
            links[1].action_link()
        self.assertEqual((first.move_ids, second.move_ids.ids), (note, []))

    def test_only_credit_notes_that_stand_are_linked(self):
        order = self.paid()
        sale = self.run_order(order)
        self.told(self.one_a(order, money="8.00"))
        note = self.reversed(sale)
        note.button_draft()
        note.button_cancel()
        for move in (note, self.invoices(sale)):
            with self.assertRaisesRegex(UserError, "no credit note that stands"):
                self.link(self.refunds(sale), move).action_link()

    def test_a_draft_without_date_is_linked(self):
        order = self.paid()
        sale = self.run_order(order)
        self.told(self.one_a(order, money="8.00"))
        note = self.invoices(sale)._reverse_moves([{"invoice_date": False}])
        note.invoice_line_ids[1:].unlink()
        note.invoice_line_ids.write(
            {"price_unit": 8, "quantity": 1, "discount": 0, "tax_ids": False}
        )
        self.assertFalse(note.invoice_date)
        self.link(self.refunds(sale), note).action_link()
        self.assertFalse(self.account())
        self.assertEqual((note.state, note.payment_state), ("posted", "paid"))
        self.assertEqual(note.invoice_date, fields.Date.today())

    def test_a_credit_note_that_was_paid_by_hand(self):
        """Its money is in the books already."""
        order = self.paid()
        sale = self.run_order(order)
        self.told(self.one_a(order, money="8.00"))
        note = self.invoices(sale)._reverse_moves([{"invoice_date": "2026-11-03"}])
        note.invoice_line_ids[1:].unlink()
        note.invoice_line_ids.write(
            {"price_unit": 8, "quantity": 1, "discount": 0, "tax_ids": False}
        )
        note.action_post()
        register = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=note.ids
        )
        payment = register.create({"journal_id": self.bank.id})._create_payments()
        self.link(self.refunds(sale), note).action_link()
        self.assertFalse(self.account())
        refund = self.refunds(sale)
        self.assertEqual((refund.state, note.reconciled_payment_ids), ("booked", payment))
        self.assertFalse(refund.payment_ids.move_id)

    def test_a_credit_note_that_was_cancelled(self):
        """It is made anew, and the payment that is booked already is matched with it."""
        order = self.paid()
        sale = self.run_order(order)
        self.run_order(self.one_a(order))
        refund = self.refunds(sale)
        payment, note = refund.payment_ids.payment_id, refund.move_ids
        self.assertTrue(refund.is_credited)
        note.button_draft()
        note.button_cancel()
        self.assertFalse(refund.is_credited, "the buttons of the form are there again")
        refund.with_user(self.operator).action_book()
        self.assertFalse(self.account())
        self.assertEqual((refund.state, refund._live_moves().payment_state), ("booked", "paid"))
        self.assertEqual(refund.payment_ids.payment_id, payment)
        self.assertEqual(refund._live_moves().reconciled_payment_ids, payment)

    def test_accounts_that_were_changed(self):
        """Revenue and receivable are taken from the invoice, as they are there."""
        self.us.invoice_policy = "draft"
        order = self.paid()
        sale = self.run_order(order)
        invoice = self.invoices(sale)
        due = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        due.account_id = due.account_id.copy({"code": "121999"})
        revenue = invoice.invoice_line_ids.account_id.copy({"code": "400999"})
        invoice.invoice_line_ids[0].account_id = revenue
        invoice.action_post()
        self.us.invoice_policy = "paid"
        self.assertFalse(self.told(self.one_a(order)))
        note = self.credit_notes(sale)
        self.assertEqual(note.invoice_line_ids.account_id, revenue)
        self.assertEqual(note.payment_state, "paid")
        self.assertSettled(sale)


class TestBook(ByHandCase):
    def test_what_was_on_no_invoice(self):
        """It had been sent and was not invoiced; the invoice of the others came later."""
        self.us.invoice_when = "delivery"
        order = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(order)
        self.run_order(self.one_a(order, restock="RETURN"))
        self.us._job_restock()
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        refund = self.refunds(sale)
        refund.action_book()
        self.assertFalse(self.account())
        self.assertEqual((refund.state, refund.move_ids.ids), ("booked", []))
        self.assertEqual(self.invoices(sale).mapped("amount_total"), [36.64])
        self.assertSettled(sale)

    def test_what_was_on_no_invoice_in_another_language(self):
        """The note is written for people."""
        self.us.write({"invoice_when": "delivery", "refund_policy": "posted"})
        order = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(order)
        self.run_order(self.one_a(order, restock="RETURN"))
        self.us._job_restock()
        refund = self.refunds(sale)
        refund.state_note = "Nichts davon wurde berechnet."
        self.deliver(sale, {"A": 2, "B": 1})
        self.account()
        self.assertEqual((refund.state, refund.move_ids.ids), ("not_booked", []))

    def test_an_invoice_that_stands_again(self):
        """It was cancelled when the refund came."""
        order = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(order)
        self.us.invoice_policy = "none"
        invoice = self.invoices(sale)
        invoice.button_draft()
        invoice.button_cancel()
        self.run_order(self.one_a(order, restock="RETURN"))
        refund = self.refunds(sale)
        self.assertEqual((refund.state, refund.move_ids.ids), ("booked", []))
        invoice.button_draft()
        invoice.action_post()
        refund.action_book()
        self.assertFalse(self.account())
        self.assertEqual((refund.state, refund.move_ids.amount_total), ("booked", 10.71))
        self.assertBooks(sale, "36.64")
        self.assertSettled(sale)


class TestRefundSettings(ByHandCase):
    def test_a_closed_period_and_todays_date(self):
        """What the message advises: the store dates its bookings on the day they are made."""
        order = self.paid()
        sale = self.run_order(order)
        self.company.fiscalyear_lock_date = "2026-11-10"
        exception = self.told(self.one_a(order))
        self.assertIn("let the store date invoices and payments", exception.remedy)
        self.us.booking_date = "today"
        self.process(self.us, order, sources={"retry"})
        self.assertFalse(self.account())
        note, today = self.credit_notes(sale), self.env["shopify.accountant"]._date(self.us, None)
        self.assertEqual((note.invoice_date, note.payment_state), (today, "paid"))
        self.assertEqual(self.refunds(sale).payment_ids.payment_id.date, today)

    def test_a_closed_period_and_shopifys_rate(self):
        """Another date changes nothing about the amounts."""
        self.us.currency_policy = "presentment"
        self.env.ref("base.EUR").active = True
        order = self.paid(presentment="EUR", rate="0.9")
        sale = self.run_order(order)
        self.company.fiscalyear_lock_date = "2026-11-10"
        line = self.item(order, 1, 1, "10.00", "0.85")
        line["totalTaxSet"]["presentmentMoney"]["amount"] = "0.77"
        self.refund(order, 1, "10.85", refundLineItems=page([line]))
        order.extra["transactions"][-1]["amountSet"]["presentmentMoney"]["amount"] = "9.77"
        self.told(order)
        note = self.credit_notes(sale)
        before = (note.amount_total, note.amount_total_signed, note.invoice_currency_rate)
        self.us.booking_date = "today"
        self.process(self.us, order, sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(note.state, "posted")
        after = (note.amount_total, note.amount_total_signed, note.invoice_currency_rate)
        self.assertEqual(after, before)

    def assertTaxes(self, note, state, city):
        found = {line.tax_line_id: line.balance for line in note.line_ids.filtered("tax_line_id")}
        self.assertEqual((found.get(self.state), found.get(self.city)), (state, city))

    def test_a_tax_that_is_left_out_by_now(self):
        """The invoice has it, so the credit note has it."""
        order = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(order)
        row = self.us.tax_mapping_ids.filtered(lambda row: row.tax_id == self.city)
        row.write({"tax_id": False, "left_out": True})
        self.run_order(self.one_a(order, restock="RETURN"))
        note = self.credit_notes(sale)
        self.assertEqual(note.amount_total, 10.71)
        self.assertTaxes(note, 0.39, 0.45)
        self.assertSettled(sale)

    def test_a_tax_that_was_left_out_before(self):
        """The invoice lacks it, so no other tax gives it back."""
        row = self.us.tax_mapping_ids.filtered(lambda row: row.tax_id == self.city)
        row.write({"tax_id": False, "left_out": True})
        order = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(order)
        row.write({"tax_id": self.city.id, "left_out": False})
        self.run_order(self.one_a(order, restock="RETURN"))
        note = self.credit_notes(sale)
        self.assertEqual(note.amount_total, 10.26)
        self.assertTaxes(note, 0.39, None)

    def test_stores_that_do_no_accounting(self):
        self.us.write({"refund_policy": "none", "invoice_policy": "none"})
        order = self.paid()
        sale = self.run_order(order)
        self.run_order(self.one_a(order))
        refund = self.refunds(sale)
        self.assertEqual(refund.state, "not_booked")
        self.assertIn("only kept", refund.state_note)


class TestMoneyChanges(ByHandCase):
    def test_money_that_fails_after_it_was_booked(self):
        order = self.paid()
        sale = self.run_order(order)
        self.run_order(self.one_a(order))
        order.extra["transactions"][-1]["status"] = "FAILURE"
        exception = self.told(order)
        self.assertIn("10.71", exception.message)
        self.assertIn("press Book", exception.remedy)
        refund, note = self.refunds(sale), self.credit_notes(sale)
        self.assertEqual((refund.state, note.state), ("exception", "posted"))
        # what the remedy says
        note.button_draft()
        note.button_cancel()
        self.env["shopify.accounting.task"]._add(refund.order_id)
        self.assertTrue(self.account(), "the money is still in the books")
        refund.payment_ids.payment_id.action_cancel()
        refund.action_book()
        self.assertFalse(self.account())
        self.assertEqual((refund.state, refund._live_moves().ids), ("not_booked", []))

    def test_money_that_fails_after_it_was_booked_without_credit_note(self):
        self.us.invoice_when = "delivery"
        order = self.paid()
        sale = self.run_order(order)
        self.run_order(self.one_a(order, restock="CANCEL"))
        refund = self.refunds(sale)
        self.assertEqual((refund.state, len(refund.payment_ids.move_id)), ("booked", 1))
        order.extra["transactions"][-1]["status"] = "FAILURE"
        self.assertIn("10.71", self.told(order).message)
        self.assertEqual(refund.state, "exception")

    def test_money_that_no_transaction_returned(self):
        """Shopify says that money went back, and not which."""
        order = self.paid()
        sale = self.run_order(order)
        exception = self.told(self.one_a(order, money=None, totalRefundedSet=order.bag("10.71")))
        self.assertIn("10.71 USD", exception.message)
        self.assertEqual((self.refunds(sale).state, self.credit_notes(sale).ids), ("exception", []))

    def test_taxes_of_an_adjustment_that_are_left_out(self):
        """4 of its 8.5 % are booked, as of the order."""
        self.us.tax_mapping_ids.filtered(lambda row: row.tax_id == self.city).write(
            {"tax_id": False, "left_out": True}
        )
        order = self.paid()
        sale = self.run_order(order)
        kept = page([self.adjustment(order, "1.00", tax="0.09")])
        self.run_order(self.one_a(order, money="9.62", orderAdjustments=kept))
        lines = self.credit_notes(sale).invoice_line_ids.sorted("price_subtotal")
        self.assertEqual(lines.mapped("price_subtotal"), [-1.0, 9.87])
        self.assertEqual(lines.mapped("price_total"), [-1.04, 10.26])
