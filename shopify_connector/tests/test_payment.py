"""Transactions of orders: what is booked for them, once, and what is told to Shopify."""

from datetime import date
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError

from .accounting_common import AccountingCase
from .order_nodes import OrderNode, bag


class TestPayment(AccountingCase):
    def test_payment(self):
        order = self.order()
        self.transaction(
            order,
            1,
            order.total,
            paymentId="#1001.1",
            fees=[
                {
                    "type": "processing_fee",
                    "rate": "0.029",
                    "amount": {"amount": "1.67", "currencyCode": "USD"},
                    "taxAmount": {"amount": "0.10", "currencyCode": "USD"},
                }
            ],
        )
        sale = self.run_order(order)
        row = self.transactions(sale)
        self.assertRecordValues(
            row, [{"state": "booked", "amount": 47.35, "fee": 1.67, "fee_tax": 0.10}]
        )
        self.assertRecordValues(
            row.payment_id,
            [
                {
                    "amount": 47.35,
                    "payment_type": "inbound",
                    "journal_id": self.bank.id,
                    "date": date(2026, 11, 2),
                    "partner_id": sale.partner_invoice_id.commercial_partner_id.id,
                    "is_reconciled": True,
                    "payment_reference": "#1001.1",
                    "shopify_fee": 1.67,
                }
            ],
        )
        self.assertEqual(row.payment_id.reconciled_invoice_ids, sale.invoice_ids)

    def test_fee_that_is_known_later(self):
        order = self.paid()
        sale = self.run_order(order)
        fee = {"type": "fee", "rate": None, "taxAmount": None}
        fee["amount"] = {"amount": "1.67", "currencyCode": "USD"}
        order.extra["transactions"][0].update(fees=[fee], amountSet=order.bag("1.00"))
        order.fields["updatedAt"] = "2026-11-03T10:00:00Z"
        self.run_order(order)
        row = self.transactions(sale)
        self.assertEqual((row.fee, row.amount, row.payment_id.amount), (1.67, 47.35, 47.35))

    def test_part_that_cannot_be_booked(self):
        """One tender waits for its mapping, the other one is booked."""
        self.us.gift_card_account_id = False
        order = self.order()
        self.transaction(order, 1, "10.00", gateway="gift_card")
        self.transaction(order, 2, order.total - 10)
        sale = self.sale(self.us, order)
        self.assertEqual(self.account().mapped("key"), ["gateway|gift_card"])
        self.assertEqual(sale.invoice_ids.amount_residual, 10)
        self.us.gift_card_account_id = self.gift_cards
        self.assertFalse(self.exceptions(self.us))
        self.process(self.us, order, sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(len(self.transactions(sale).payment_id), 1)

    def test_before_the_invoice(self):
        """Payments are booked at once where the store wants it, and matched when invoiced."""
        self.us.write({"invoice_policy": "posted", "invoice_when": "delivery"})
        self.us.book_payments = True
        sale = self.run_order(self.paid())
        payment = self.transactions(sale).payment_id
        self.assertFalse(payment.is_reconciled)
        self.deliver(sale, {"A": 3, "B": 1})
        self.assertFalse(self.account())
        self.assertTrue(payment.is_reconciled)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_gift_card_as_tender(self):
        order = self.order()
        self.transaction(order, 1, "10.00", gateway="gift_card")
        self.transaction(order, 2, order.total - 10)
        sale = self.run_order(order)
        gift, card = self.transactions(sale).sorted("amount")
        self.assertFalse(gift.payment_id)
        self.assertRecordValues(
            gift.move_id.line_ids.sorted("balance", reverse=True),
            [
                {"account_id": self.gift_cards.id, "balance": 10.0},
                {
                    "account_id": card.payment_id.destination_account_id.id,
                    "balance": -10.0,
                },
            ],
        )
        self.assertEqual(gift.move_id.journal_id.type, "general")
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_store_credit_waits_for_its_account(self):
        order = self.order()
        self.transaction(order, 1, order.total, gateway="shopify_store_credit")
        sale = self.sale(self.us, order)
        exception = self.account()
        self.assertEqual(exception.key, "gateway|shopify_store_credit")
        self.assertEqual(exception.default_values["kind"], "store_credit")
        action = exception.action_fix()
        self.assertEqual(action["res_model"], "shopify.payment.mapping")
        self.assertEqual(sale.invoice_ids.state, "posted", "the invoice does not wait")
        defaults = {
            key.removeprefix("default_"): value
            for key, value in action["context"].items()
            if key.startswith("default_")
        }
        self.env["shopify.payment.mapping"].create({**defaults, "account_id": self.gift_cards.id})
        self.assertFalse(self.exceptions(self.us))
        self.process(self.us, order, sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(len(sale.invoice_ids), 1)

    def test_mapping(self):
        wallet = self.bank.copy({"name": "Wallet", "code": "WAL"})
        rows = (("PayPal", "normal", wallet), ("Voucher", "ignore", self.bank.browse()))
        for gateway, kind, journal in rows:
            self.env["shopify.payment.mapping"].create(
                {
                    "backend_id": self.us.id,
                    "gateway": gateway,
                    "kind": kind,
                    "journal_id": journal.id,
                }
            )
        order = self.order()
        self.transaction(order, 1, "20.00", gateway="paypal")
        self.transaction(order, 2, "7.35", gateway="voucher")
        self.transaction(order, 3, order.total - 20 - self._amount("7.35"))
        sale = self.run_order(order)
        paypal, voucher, card = self.transactions(sale)
        self.assertEqual(paypal.payment_id.journal_id, wallet)
        self.assertEqual(voucher.state, "ignored")
        self.assertEqual(card.payment_id.journal_id, self.bank)
        self.assertEqual(sale.invoice_ids.amount_residual, 7.35)

    def _amount(self, text):
        return type(self.order().total)(text)

    def test_no_money(self):
        """Authorised, pending, failed and void transactions move nothing."""
        order = self.order(displayFinancialStatus="VOIDED")
        self.transaction(order, 1, order.total, "AUTHORIZATION")
        self.transaction(order, 2, order.total, "SALE", "FAILURE")
        self.transaction(order, 3, order.total, "SALE", "PENDING")
        self.transaction(order, 4, order.total, "VOID")
        self.transaction(order, 5, order.total, "SALE", "A_NEW_STATUS")
        sale = self.run_order(order)
        self.assertEqual(set(self.transactions(sale).mapped("state")), {"no_money"})
        self.assertFalse(sale.invoice_ids)

    def test_pending_that_succeeds_later(self):
        order = self.order(displayFinancialStatus="PENDING")
        self.transaction(order, 1, order.total, "SALE", "PENDING", manualPaymentGateway=True)
        sale = self.run_order(order)
        order.extra["transactions"][0]["status"] = "SUCCESS"
        order.fields.update(displayFinancialStatus="PAID", updatedAt="2026-11-03T10:00:00Z")
        self.run_order(order)
        self.assertEqual(self.transactions(sale).state, "booked")
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_change_at_the_till(self):
        order = self.order()
        self.transaction(order, 1, "50.00", gateway="cash")
        self.transaction(order, 2, "2.65", "CHANGE", gateway="cash")
        sale = self.run_order(order)
        cash, change = self.transactions(sale).payment_id.sorted("amount", reverse=True)
        self.assertEqual((cash.payment_type, change.payment_type), ("inbound", "outbound"))
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertTrue(cash.is_reconciled and change.is_reconciled)

    def rounding(self, order, amount, rounding, kind="SALE", number=1):
        fields = {"gateway": "cash", "amountRoundingSet": order.bag(rounding)}
        return self.transaction(order, number, amount, kind, **fields)

    def test_cash_rounding(self):
        """The till took 47.30 or 47.40 for 47.35: the invoice is paid, the till is right."""
        account = self.gift_cards.copy({"name": "Cash Rounding", "code": "659900"})
        account.account_type = "expense"
        self.us.rounding_account_id = account
        for number, rounding in ((1001, "-0.05"), (1002, "0.05")):
            order = self.order(number)
            sale = self.run_order(self.rounding(order, order.total, rounding))
            payment = self.transactions(sale).payment_id
            self.assertAlmostEqual(payment.amount, 47.35 + float(rounding))
            line = payment.move_id.line_ids.filtered(lambda line: line.account_id == account)
            self.assertAlmostEqual(line.balance, -float(rounding))
            self.assertEqual(sale.invoice_ids.amount_residual, 0)
            self.assertTrue(payment.is_reconciled)

    def test_cash_rounding_of_the_change(self):
        self.us.rounding_account_id = self.gift_cards
        order = self.order()
        self.transaction(order, 1, "50.00", gateway="cash")
        self.rounding(order, "2.65", "0.05", "CHANGE", 2)
        sale = self.run_order(order)
        change = self.transactions(sale).payment_id.filtered(
            lambda payment: payment.payment_type == "outbound"
        )
        self.assertAlmostEqual(change.amount, 2.70)
        line = change.move_id.line_ids.filtered(lambda line: line.account_id == self.gift_cards)
        self.assertAlmostEqual(line.balance, 0.05)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_cash_rounding_to_nothing(self):
        """Two cents are not paid at all."""
        self.us.rounding_account_id = self.gift_cards
        order = OrderNode(1).line("A", "0.02", 1)
        sale = self.run_order(self.rounding(order, "0.02", "-0.02"))
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(self.transactions(sale).payment_id.amount, 0)

    def test_cash_rounding_without_account(self):
        order = self.order()
        self.rounding(order, order.total, "-0.05")
        sale = self.sale(self.us, order)
        cause = self.account()
        self.assertEqual(cause.key, "rounding")
        self.assertIn("47.30", cause.message)
        self.assertIn("0.05", cause.message)
        self.assertEqual(sale.invoice_ids.amount_residual, 47.35)
        self.us.rounding_account_id = self.gift_cards
        self.assertFalse(self.exceptions(self.us))
        self.process(self.us, order, sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_cancelled_order_keeps_its_payment(self):
        order = self.paid(cancelledAt="2026-11-02T12:00:00Z", displayFinancialStatus="REFUNDED")
        sale = self.run_order(order)
        self.assertEqual(sale.state, "cancel")
        self.assertFalse(sale.invoice_ids)
        self.assertEqual(self.transactions(sale).state, "booked")

    def test_journal_without_method(self):
        self.bank.inbound_payment_method_line_ids.unlink()
        sale = self.sale(self.us, self.paid())
        exception = self.account()
        self.assertEqual(exception.key, f"method|{self.bank.id}|inbound")
        self.assertEqual(sale.invoice_ids.state, "posted")

    def test_method_without_outstanding_account(self):
        """Odoo's accounting makes no entry of such a payment by itself: there is one, once."""
        self.bank.inbound_payment_method_line_ids.payment_account_id = False
        state = patch.object(
            type(self.env["account.move"]),
            "_get_invoice_in_payment_state",
            lambda _move: "in_payment",
        )
        with state:
            order = self.paid()
            sale = self.run_order(order)
            self.process(self.us, order, sources=("manual",))
            self.account()
        row = self.transactions(sale)
        self.assertEqual((row.state, row.payment_id.move_id.state), ("booked", "posted"))
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(sale.invoice_ids.reconciled_payment_ids, row.payment_id)
        payments = self.env["account.payment"].search([("memo", "like", f"{row.order_id.name} ")])
        self.assertEqual(payments, row.payment_id)

    def test_other_currency(self):
        """Money as the customer paid it; the books take the store's, and the difference of a
        later capture is booked as such."""
        self.env.ref("base.EUR").active = True
        self.us.currency_policy = "presentment"
        order = OrderNode(1, presentment="EUR", rate="0.5")
        order.line("A", "10.00", 3, self.taxes("1.18", "1.36"))
        order.fields["displayFinancialStatus"] = "PAID"
        total = order.bag(order.total)
        self.transaction(order, 1, order.total, "AUTHORIZATION")
        self.transaction(
            order,
            2,
            0,
            "CAPTURE",
            amountSet=bag("33.00", "USD", (total["presentmentMoney"]["amount"], "EUR")),
        )
        sale = self.run_order(order)
        invoice, row = sale.invoice_ids, self.transactions(sale)[1]
        self.assertEqual(invoice.currency_id.name, "EUR")
        self.assertAlmostEqual(invoice.amount_total, float(total["presentmentMoney"]["amount"]))
        self.assertAlmostEqual(invoice.amount_total_signed, 32.54)
        self.assertAlmostEqual(row.payment_id.amount, invoice.amount_total)
        self.assertAlmostEqual(row.payment_id.amount_company_currency_signed, 33.0)
        self.assertEqual(invoice.amount_residual, 0)
        receivable = (invoice | row.move_id).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable"
        )
        self.assertEqual(set(receivable.mapped("reconciled")), {True})
        exchange = receivable.matched_debit_ids.exchange_move_id
        exchange |= receivable.matched_credit_ids.exchange_move_id
        self.assertAlmostEqual(sum(abs(line.balance) for line in exchange.line_ids) / 2, 0.46)

    def test_store_currency(self):
        """The customer paid in EUR, the store books in USD: nothing in EUR is in the books."""
        self.env.ref("base.EUR").active = True
        order = OrderNode(1, presentment="EUR", rate="0.9").line("A", "10.00", 1)
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        row = self.transactions(sale)
        self.assertEqual((row.amount, row.customer_amount), (10.0, 9.0))
        self.assertEqual(row.payment_id.currency_id.name, "USD")
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def paid_abroad(self, captured):
        """An order over 10.00 USD (9.00 EUR) whose capture was worth ``captured`` USD."""
        self.env.ref("base.EUR").active = True
        order = OrderNode(1, presentment="EUR", rate="0.9").line("A", "10.00", 1)
        order.fields["displayFinancialStatus"] = "PAID"
        self.transaction(order, 1, 0, amountSet=bag(captured, "USD", ("9.00", "EUR")))
        return order, self.sale(self.us, order)

    def exchange_entries(self):
        accounts = (
            self.company.expense_currency_exchange_account_id
            | self.company.income_currency_exchange_account_id
        )
        return self.env["account.move.line"].search(
            [("account_id", "in", accounts.ids), ("parent_state", "=", "posted")]
        )

    def test_capture_worth_less(self):
        """Paid in full in the customer's currency: what is missing is an exchange difference."""
        before = self.exchange_entries()
        order, sale = self.paid_abroad("9.80")
        self.assertFalse(self.account())
        (line,) = self.exchange_entries() - before
        self.assertEqual(line.account_id, self.company.expense_currency_exchange_account_id)
        self.assertAlmostEqual(line.balance, 0.2)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(sale.invoice_ids.payment_state, "paid")
        self.process(self.us, order, sources=["manual"])
        self.account()
        self.assertEqual(self.exchange_entries() - before, line)

    def test_capture_worth_more(self):
        before = self.exchange_entries()
        _order, sale = self.paid_abroad("10.30")
        self.assertFalse(self.account())
        (line,) = self.exchange_entries() - before
        self.assertEqual(line.account_id, self.company.income_currency_exchange_account_id)
        self.assertAlmostEqual(line.balance, -0.3)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        paid = self.transactions(sale).move_id.line_ids
        receivable = paid.filtered(lambda line: line.account_type == "asset_receivable")
        self.assertTrue(receivable.reconciled)

    def test_capture_worth_much_less(self):
        """No exchange rate moves that far: a person looks at it."""
        before = self.exchange_entries()
        _order, sale = self.paid_abroad("5.00")
        waiting = self.account()
        self.assertIn("is paid in Shopify, but not in Odoo", waiting.name)
        self.assertIn("5.00 of", waiting.message)
        self.assertFalse(self.exchange_entries() - before)
        self.assertAlmostEqual(sale.invoice_ids.amount_residual, 5.0)


class TestTellShopify(AccountingCase):
    def order_of(self, payment):
        (placed,) = self.place_orders(
            self.us, 1, lines=1, payment=payment, extras=False, region="US/NY"
        )
        self.create_products(self.us)
        (node,) = self.fetch(self.us, [placed["id"]])
        (outcome,) = self.process(self.us, node)
        if outcome.status == "blocked":
            self.map_taxes(self.us)
            (outcome,) = self.process(self.us, node)
        self.assertEqual(outcome.status, "created", outcome)
        self.assertFalse(self.account())
        return self.binding(self.us, node)

    def log(self, order):
        return self.env["shopify.sync.log"].search(
            [("gid", "=", order.shopify_gid), ("direction", "=", "out")]
        )

    def test_mark_as_paid(self):
        order = self.order_of("pending")
        self.assertFalse(order.sale_order_id.invoice_ids)
        result = order.with_user(self.operator).action_mark_as_paid()
        self.assertEqual(result["params"]["type"], "success", result["params"]["message"])
        self.assertEqual(self.log(order).outcome, "updated")
        self.drain(self.us)
        self.assertFalse(self.account())
        self.assertEqual(order.financial_status, "paid")
        self.assertEqual(order.sale_order_id.invoice_ids.amount_residual, 0)
        again = order.with_user(self.operator).action_mark_as_paid()
        self.assertEqual(again["params"]["type"], "danger")
        self.assertEqual(self.log(order)[0].outcome, "failed")

    def test_capture(self):
        order = self.order_of("authorized")
        self.assertFalse(order.sale_order_id.invoice_ids)
        result = order.with_user(self.operator).action_capture()
        self.assertEqual(result["params"]["type"], "success", result["params"]["message"])
        self.drain(self.us)
        self.assertFalse(self.account())
        self.assertEqual(order.financial_status, "paid")
        self.assertEqual(order.sale_order_id.invoice_ids.amount_residual, 0)
        with self.assertRaisesRegex(UserError, "No authorised payment"):
            order.with_user(self.operator).action_capture()

    def test_who_may(self):
        order = self.order_of("pending")
        with self.assertRaises(AccessError):
            order.with_user(self.auditor).action_mark_as_paid()

    def test_answer_that_is_lost(self):
        """Nothing is sent twice; the order is read again to see what happened."""
        order = self.order_of("pending")
        self.shop(self.us).faults.add(
            kind="timeout_after_write", operation="orderMarkAsPaid", count=1
        )
        result = order.with_user(self.operator).action_mark_as_paid()
        self.assertEqual(result["params"]["type"], "danger")
        self.assertIn("all the same", result["params"]["message"])
        self.drain(self.us)
        self.assertFalse(self.account())
        self.assertEqual(order.sale_order_id.invoice_ids.amount_residual, 0)
        self.assertEqual(len(order.payment_ids.payment_id), 1)
