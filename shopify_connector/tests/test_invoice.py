"""Invoices of orders: amounts, moments, parts, and what keeps them from being made."""

from datetime import date
from decimal import Decimal

from odoo import fields
from odoo.sql_db import db_connect
from odoo.tests import Form

from odoo.addons.queue_job.exception import RetryableJobError

from ..models import shopify_backend_accounting
from .accounting_common import AccountingCase, cents
from .order_nodes import OrderNode


class TestInvoice(AccountingCase):
    def test_whole_order(self):
        sale = self.run_order(self.paid())
        invoice = sale.invoice_ids
        self.assertRecordValues(
            invoice,
            [
                {
                    "state": "posted",
                    "payment_state": invoice._get_invoice_in_payment_state(),
                    "partner_id": sale.partner_invoice_id.id,
                    "invoice_origin": sale.name,
                    "invoice_date": date(2026, 11, 2),
                    "amount_residual": 0.0,
                }
            ],
        )
        self.assertTotals(invoice, "43.60", "1.74", "2.01")
        self.assertEqual(sale.invoice_status, "invoiced", "nothing is to be taken back")
        self.deliver(sale, {"A": 3, "B": 1})
        self.account()
        self.assertEqual(sale.invoice_ids, invoice)
        self.assertEqual(sale.invoice_status, "invoiced")

    def test_policies(self):
        for policy, states in (("none", []), ("draft", ["draft"]), ("posted", ["posted"])):
            with self.subTest(policy):
                self.us.invoice_policy = policy
                number = {"none": 1, "draft": 2, "posted": 3}[policy]
                sale = self.run_order(self.paid(number))
                self.assertEqual(sale.invoice_ids.mapped("state"), states)
                self.assertFalse(self.env["account.payment"].search([("memo", "like", "#%")]))
                self.assertEqual(
                    sum(sale.invoice_ids.mapped("amount_residual")),
                    (sale.amount_total if states else 0),
                )

    def test_off_keeps_nothing(self):
        """A store that does no accounting has no cost of it."""
        self.us.invoice_policy = "none"
        sale = self.sale(self.us, self.paid())
        self.assertFalse(self.transactions(sale))
        self.assertFalse(self.env["shopify.accounting.task"].search([]))

    def test_twice_and_late(self):
        node = self.paid()
        sale = self.run_order(node)
        self.process(self.us, node, sources={"manual"})
        self.env["shopify.accounting.task"]._add(sale.shopify_order_ids)
        self.account()
        self.assertEqual(len(sale.invoice_ids), 1)
        self.assertEqual(len(self.transactions(sale).payment_id), 1)

    def test_not_paid(self):
        """Authorised, pending and partly paid orders are invoiced when they are paid."""
        order = self.order(displayFinancialStatus="AUTHORIZED")
        self.transaction(order, 1, order.total, "AUTHORIZATION")
        sale = self.run_order(order)
        self.assertFalse(sale.invoice_ids)
        self.assertEqual(self.transactions(sale).state, "no_money")
        self.transaction(order, 2, "40.00", "CAPTURE", parentTransaction={"id": "x"})
        order.fields.update(
            displayFinancialStatus="PARTIALLY_PAID", updatedAt="2026-11-02T11:00:00Z"
        )
        self.run_order(order)
        self.assertFalse(sale.invoice_ids)
        self.transaction(order, 3, order.total - 40, "CAPTURE", processedAt="2026-11-04T10:00:00Z")
        order.fields.update(displayFinancialStatus="PAID", updatedAt="2026-11-03T10:00:00Z")
        self.run_order(order)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(sale.invoice_ids.invoice_date, date(2026, 11, 4))
        self.assertEqual(len(self.transactions(sale).payment_id), 2)

    def test_on_confirmation(self):
        self.us.invoice_when = "confirmation"
        order = self.order(displayFinancialStatus="PENDING")
        sale = self.run_order(order)
        self.assertEqual(sale.invoice_ids.amount_residual, sale.amount_total)
        self.transaction(order, 1, order.total, processedAt="2026-11-09T10:00:00Z")
        order.fields.update(displayFinancialStatus="PAID", updatedAt="2026-11-09T10:00:00Z")
        self.run_order(order)
        self.assertEqual(len(sale.invoice_ids), 1)
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_confirmed_by_a_person(self):
        self.us.write({"confirm_policy": "quotation", "invoice_when": "confirmation"})
        sale = self.run_order(self.paid())
        self.assertFalse(sale.invoice_ids)
        sale.action_confirm()
        self.account()
        self.assertTotals(sale.invoice_ids, "43.60", "1.74", "2.01")

    def test_deliveries(self):
        """Each delivery is invoiced; all invoices together say what Shopify says."""
        self.us.invoice_when = "delivery"
        sale = self.run_order(self.paid())
        self.assertFalse(sale.invoice_ids)
        jobs = [("identity_key", "=", f"shopify:{self.us.id}:accounting")]
        self.env["queue.job"].search(jobs).unlink()
        self.deliver(sale, {"A": 1})
        self.assertFalse(sale.invoice_ids, "nothing is computed in the user's transaction")
        self.assertEqual(len(self.env["queue.job"].search(jobs)), 1)
        self.account()
        first = sale.invoice_ids
        # a third of 29.60, 1.18 and 1.37, and all of the shipping
        self.assertTotals(first, "13.87", "0.55", "0.65")
        self.deliver(sale, {"A": 1, "B": 1})
        self.account()
        second = sale.invoice_ids - first
        self.assertEqual(sum(second.invoice_line_ids.mapped("quantity")), 2)
        self.deliver(sale, {"A": 1})
        self.account()
        self.assertEqual(len(sale.invoice_ids), 3)
        self.assertTotals(sale.invoice_ids, "43.60", "1.74", "2.01")
        self.assertEqual(set(sale.invoice_ids.mapped("amount_residual")), {0})

    def test_services_are_invoiced_at_delivery_too(self):
        self.us.invoice_when = "delivery"
        order = OrderNode(5).line("S", "10", 1, requiresShipping=False, variant=None, product=None)
        self.transaction(order, 1, order.total)
        sale = self.run_order(order)
        self.assertEqual(sale.invoice_ids.amount_total, 10)

    def test_nothing_left_to_deliver(self):
        """Goods that were all taken off hold no invoice of the rest back."""
        self.us.invoice_when = "delivery"
        order = OrderNode(5).line("A", "10", 0)
        order.line("S", "10", 1, requiresShipping=False, variant=None, product=None)
        self.transaction(order, 1, order.total)
        self.assertEqual(self.run_order(order).invoice_ids.amount_total, 10)

    def test_posted_by_a_person(self):
        """The payment was booked before; it is matched when somebody posts the invoice."""
        self.us.write({"invoice_policy": "none", "book_payments": True})
        sale = self.run_order(self.paid())
        sale._force_lines_to_invoice_policy_order()
        invoice = sale._create_invoices()
        invoice.action_post()
        self.assertFalse(self.account())
        self.assertEqual(invoice.amount_residual, 0)

    def test_parts_by_hand(self):
        """A person who invoices a part gets Shopify's share, and the last one the rest."""
        self.us.invoice_policy = "none"
        sale = self.sale(self.us, self.paid())
        line = sale.order_line.filtered(lambda line: line.product_id.default_code == "A")
        moves = self.env["account.move"]
        for _unit in range(3):
            line.qty_to_invoice = 1
            (sale.order_line - line).qty_to_invoice = 0
            moves |= sale._create_invoices()
        self.assertEqual(len(moves), 3)
        self.assertTotals(moves, "29.60", "1.18", "1.37")

    def test_after_a_credit_note(self):
        """What a credit note took back is not invoiced again by itself; by hand it is, whole."""
        sale = self.run_order(self.paid())
        invoice = sale.invoice_ids
        credit = invoice._reverse_moves([{"date": fields.Date.today()}], cancel=True)
        self.assertEqual(credit.amount_total, invoice.amount_total)
        self.env["shopify.accounting.task"]._add(sale.shopify_order_ids)
        self.account()
        self.assertEqual(sale.invoice_ids, invoice | credit)
        sale.order_line.filtered("product_id").write({"qty_delivered": 1})
        sale._force_lines_to_invoice_policy_order()
        again = sale._create_invoices()
        self.assertTotals(again, "43.60", "1.74", "2.01")

    def test_zero_total(self):
        order = OrderNode(9).line("A", "10", 1, [(*("NY State", 0.04), "0.00")], discount="10")
        sale = self.run_order(order)
        self.assertRecordValues(
            sale.invoice_ids, [{"state": "posted", "amount_total": 0.0, "payment_state": "paid"}]
        )

    def test_prices_with_tax(self):
        tax = self.tax(self.eu, "DE MwSt", 0.19, "DE", included=True)
        self.eu.write({"invoice_policy": "posted", "invoice_when": "delivery"})
        address = {**OrderNode().address, "countryCodeV2": "DE", "province": None}
        address["provinceCode"] = None
        order = OrderNode(
            1, "EUR", included=True, shippingAddress=address, billingAddress=address
        ).line("A", "9.99", 7, [("DE MwSt", 0.19, "11.15")], discount="0.11")
        sale = self.sale(self.eu, order)
        self.stock(self.eu, self.goods[0], 100)
        for units in (2, 3, 2):
            self.deliver(sale, {"A": units})
            self.assertFalse(self.account(self.eu))
        self.assertEqual(len(sale.invoice_ids), 3)
        self.assertEqual(cents(sum(sale.invoice_ids.mapped("amount_total"))), Decimal("69.82"))
        self.assertEqual(cents(sum(sale.invoice_ids.mapped("amount_tax"))), Decimal("11.15"))
        self.assertEqual(sale.invoice_ids.line_ids.tax_line_id, tax)

    def test_several_taxes_in_prices_of_another_currency(self):
        """The books of the company are in a third currency, at Odoo's rate."""
        euro = self.env.ref("base.EUR")
        euro.active = True
        self.env["res.currency.rate"].create(
            {
                "currency_id": euro.id,
                "company_id": self.us.company_id.id,
                "name": "2026-01-01",
                "rate": 0.9,
            }
        )
        order = OrderNode(1001, currency="EUR", included=True)
        taxes = [("STATE", "0.04", "2.52"), ("CITY", "0.19", "11.95"), ("AREA", "0.2", "12.58")]
        self.transaction(order.line("A", "22.48", 4, taxes), 1, order.total)
        self.process(self.us, order.node)
        self.map_taxes(self.us)
        order.fields["updatedAt"] = "2026-11-20T10:00:00Z"
        sale = self.run_order(order)
        (invoice,) = sale.invoice_ids
        (line,) = invoice.invoice_line_ids
        self.assertEqual((line.amount_currency, line.balance), (-62.87, -69.86))
        self.assertEqual((invoice.amount_total, invoice.amount_total_signed), (89.92, 99.92))

    def test_user_changed_the_order(self):
        """A line that is not Shopify's any more is invoiced as Odoo has it."""
        self.us.invoice_policy = "posted"
        self.us.invoice_when = "delivery"
        sale = self.sale(self.us, self.paid())
        line = sale.order_line.filtered(lambda line: line.product_id.default_code == "A")
        line.write({"product_uom_qty": 2, "price_unit": 5, "discount": 0})
        self.deliver(sale, {"A": 2, "B": 1})
        self.assertFalse(self.account())
        own = sale.invoice_ids.invoice_line_ids.filtered(
            lambda move_line: move_line.sale_line_ids == line
        )
        self.assertEqual(own.price_subtotal, 10)

    def test_gateway_overrides_the_store(self):
        self.us.invoice_policy = "none"
        self.env["shopify.payment.mapping"].create(
            {
                "backend_id": self.us.id,
                "gateway": "Cash on Delivery (COD)",
                "kind": "manual",
                "journal_id": self.bank.id,
                "invoice_policy": "posted",
                "invoice_when": "confirmation",
            }
        )
        cod = {"gateway": "Cash on Delivery (COD)", "manualPaymentGateway": True}
        order = self.order(1, displayFinancialStatus="PENDING")
        self.transaction(order, 1, order.total, "SALE", "PENDING", **cod)
        sale = self.run_order(order)
        self.assertEqual(sale.invoice_ids.state, "posted")
        self.assertFalse(self.run_order(self.paid(2)).invoice_ids)

    def test_batch(self):
        """One order that cannot be invoiced harms no other."""
        for number in range(1, 9):
            self.sale(self.us, self.paid(number))
        bad = self.sale(self.us, self.paid(9))
        bad.partner_invoice_id.with_company(
            self.company
        ).property_account_receivable_id = self.gift_cards.copy(
            {
                "code": "119901",
                "account_type": "asset_receivable",
                "reconcile": True,
                "active": False,
            }
        )
        exceptions = self.account()
        sales = self.env["sale.order"].search([("shopify_backend_id", "=", self.us.id)])
        self.assertEqual(len((sales - bad).invoice_ids), 8)
        self.assertEqual(set((sales - bad).invoice_ids.mapped("state")), {"posted"})
        self.assertFalse(bad.invoice_ids)
        self.assertEqual(set(exceptions.mapped("category")), {"accounting"})
        self.assertIn("#9", exceptions[:1].message)


class TestInvoiceObstacles(AccountingCase):
    def test_closed_period(self):
        """The order is there, waits, and is invoiced as soon as the period is open."""
        self.company.fiscalyear_lock_date = date(2026, 11, 15)
        sale = self.sale(self.us, self.paid())
        exceptions = self.account()
        self.assertEqual(sale.state, "sale")
        self.assertFalse(sale.invoice_ids)
        self.assertFalse(self.transactions(sale).move_id)
        self.assertEqual(set(exceptions.mapped("category")), {"accounting"})
        self.assertIn("2026-11-15", exceptions[0].name)
        self.assertEqual(
            exceptions.line_ids.mapped("gid"), [sale.shopify_order_ids.shopify_gid] * 2
        )
        self.deliver(sale, {"A": 3, "B": 1})
        self.company.fiscalyear_lock_date = False
        self.assertFalse(self.exceptions(self.us))
        events = self.env["shopify.webhook.event"].search([("source", "=", "retry")])
        self.assertEqual(events.mapped("resource_gid"), [sale.shopify_order_ids.shopify_gid])
        self.process(self.us, self.paid(), sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(sale.invoice_ids.date, date(2026, 11, 2))

    def test_closed_period_dated_today(self):
        self.company.fiscalyear_lock_date = date(2026, 11, 15)
        sale = self.sale(self.us, self.paid())
        self.assertTrue(self.account())
        self.us.booking_date = "today"
        self.assertFalse(self.exceptions(self.us))
        self.process(self.us, self.paid(), sources={"retry"})
        self.assertFalse(self.account())
        self.assertGreater(sale.invoice_ids.date, date(2026, 11, 15))

    def test_day_of_the_store(self):
        """Three at night in UTC on the first is the month before in New York."""
        order = self.order()
        self.transaction(order, 1, order.total, processedAt="2026-11-01T03:00:00Z")
        sale = self.run_order(order)
        self.assertEqual(sale.invoice_ids.date, date(2026, 10, 31))
        self.assertEqual(self.transactions(sale).payment_id.date, date(2026, 10, 31))

    def test_missing_sales_journal(self):
        journals = self.env["account.journal"].search(
            [("company_id", "=", self.company.id), ("type", "=", "sale")]
        )
        journals.active = False
        sale = self.sale(self.us, self.paid())
        exceptions = self.account()
        self.assertIn("journal|sale", exceptions.mapped("key"))
        self.assertTrue(all(exceptions.mapped("remedy")))
        journals.active = True
        self.us.invoice_journal_id = journals[0]
        self.assertNotIn("journal|sale", self.exceptions(self.us).mapped("key"))
        self.process(self.us, self.paid(), sources={"retry"})
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.journal_id, journals[0])

    def test_accounting_waits_beside_the_import(self):
        """An order may wait for its import and for its accounting; each ends by itself."""
        node = self.paid()
        self.us.payment_journal_id = False
        sale = self.sale(self.us, node)
        gid = sale.shopify_order_ids.shopify_gid
        self.assertEqual(self.account().mapped("key"), ["gateway|shopify_payments"])
        Exceptions = self.env["shopify.exception"]
        Exceptions._clear_waiting(self.us, [gid])
        self.assertEqual(len(self.exceptions(self.us)), 1)
        Exceptions._clear_waiting(self.us, [gid], flow="accounting")
        self.assertFalse(self.exceptions(self.us))

    def test_wrong_invoice_is_not_posted(self):
        """An invoice that says something else than Shopify is not left behind."""
        sale = self.sale(self.us, self.paid())
        other = self.state.copy({"name": "8 %", "amount": 8})
        invoicer = type(self.env["shopify.invoicer"])
        create = invoicer._create

        def wrong(service, values, quantities):
            line = sale.order_line[:1]
            line.env.cr.execute(
                "UPDATE account_tax_sale_order_line_rel SET account_tax_id = %s"
                " WHERE sale_order_line_id = %s AND account_tax_id = %s",
                [other.id, line.id, self.state.id],
            )
            line.env.invalidate_all()
            return create(service, values, quantities)

        self.patch(invoicer, "_create", wrong)
        exception = self.account().filtered(lambda row: row.category == "accounting")
        self.assertEqual(exception.key, sale.shopify_order_ids.shopify_gid)
        self.assertIn("Shopify $", exception.message)
        self.assertFalse(sale.invoice_ids)

    def test_one_job_at_a_time(self):
        sale = self.sale(self.us, self.paid())
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute(lock, [f"shopify:{self.us.id}:accounting"])
            with self.assertRaises(RetryableJobError):
                self.us._job_account()
            other.rollback()
        self.assertFalse(self.account())
        self.assertTrue(sale.invoice_ids)

    def test_net_below_the_jobs(self):
        self.sale(self.us, self.paid())
        jobs = [("identity_key", "=", f"shopify:{self.us.id}:accounting")]
        self.env["queue.job"].search(jobs).unlink()
        self.env["shopify.backend"]._cron_account()
        self.assertEqual(len(self.env["queue.job"].search(jobs)), 1)

    def test_many_orders_many_batches(self):
        """A job takes a part of what waits and calls for the next one."""
        self.patch(shopify_backend_accounting, "ACCOUNTING_BATCH", 2)
        sales = self.env["sale.order"].concat(
            *(self.sale(self.us, self.paid(number)) for number in range(1, 4))
        )
        self.us._job_account()
        self.assertEqual(len(sales.invoice_ids), 2)
        self.us._job_account()
        self.assertEqual(len(sales.invoice_ids), 3)

    def test_mapping_checks(self):
        with self.assertRaisesRegex(Exception, "no journal for this kind"):
            self.env["shopify.payment.mapping"].create(
                {
                    "backend_id": self.us.id,
                    "gateway": "gift_card",
                    "kind": "gift_card",
                    "journal_id": self.bank.id,
                    "account_id": self.gift_cards.id,
                }
            )

    def test_screen_of_the_store(self):
        form = Form(self.us.with_user(self.manager))
        form.invoice_policy = "posted"
        with form.payment_mapping_ids.new() as row:
            row.gateway = "paypal"
            row.journal_id = self.bank
        form.save()
        self.assertEqual(self.us.payment_mapping_ids.gateway_key, "paypal")
