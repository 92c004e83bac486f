"""A store whose accounting is switched on after its orders were imported."""

from datetime import date

from odoo.exceptions import AccessError, UserError

from .accounting_common import AccountingCase


class TestAccountingStart(AccountingCase):
    def setUp(self):
        super().setUp()
        self.us.write({"invoice_policy": "none", "book_payments": False})

    def wizard(self, date_from="2020-01-01", user=None):
        Wizard = self.env["shopify.accounting.start"].with_user(user or self.operator)
        return Wizard.create({"backend_id": self.us.id, "date_from": date_from})

    def imported(self, count=3):
        """Orders of the sandbox, imported while nothing is accounted for."""
        placed = self.place_orders(
            self.us, count, lines=1, payment="paid", extras=False, region="US/OR"
        )
        self.create_products(self.us)
        orders = self.import_orders(self.us, placed)
        self.assertFalse(orders.payment_ids)
        return orders

    def test_orders_are_invoiced_and_paid(self):
        orders = self.imported()
        self.us.invoice_policy = "paid"
        wizard = self.wizard()
        self.assertEqual((wizard.order_count, wizard.read_count), (3, 3))
        wizard.action_start()
        events = self.env["shopify.webhook.event"].search([("state", "=", "pending")])
        self.assertEqual(set(events.mapped("priority")), {30})
        self.drain(self.us)
        self.assertFalse(self.account())
        invoices = orders.sale_order_id.invoice_ids
        self.assertEqual(len(invoices), 3)
        self.assertEqual(set(invoices.mapped("amount_residual")), {0})
        # once more changes nothing
        again = self.wizard()
        self.assertEqual((again.order_count, again.read_count), (3, 0))
        again.action_start()
        self.assertFalse(self.account())
        self.assertEqual(orders.sale_order_id.invoice_ids, invoices)
        self.assertEqual(len(orders.payment_ids.payment_id), 3)

    def test_payments_that_are_known(self):
        """Nothing is read again when only the invoices are new."""
        self.us.book_payments = True
        sale = self.sale(self.us, self.paid())
        self.account()
        self.assertFalse(sale.invoice_ids)
        self.us.invoice_policy = "paid"
        wizard = self.wizard()
        self.assertEqual((wizard.order_count, wizard.read_count), (1, 0))
        wizard.action_start()
        self.assertFalse(self.env["shopify.webhook.event"].search([("state", "=", "pending")]))
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_from_a_date(self):
        self.sale(self.us, self.paid(1, processedAt="2026-10-31T10:00:00Z"))
        kept = self.sale(self.us, self.paid(2, processedAt="2026-11-02T10:00:00Z"))
        self.us.invoice_policy = "posted"
        wizard = self.wizard("2026-11-01")
        self.assertEqual((wizard.order_count, wizard.first_date), (1, date(2026, 10, 31)))
        wizard.action_start()
        events = self.env["shopify.webhook.event"].search([("state", "=", "pending")])
        self.assertEqual(
            events.mapped("resource_gid"), kept.shopify_order_ids.mapped("shopify_gid")
        )

    def test_orders_of_another_store(self):
        self.us.invoice_policy = "posted"
        self.assertEqual(self.wizard().order_count, 0)

    def test_off(self):
        self.imported(1)
        with self.assertRaisesRegex(UserError, "makes no invoices"):
            self.wizard().action_start()

    def test_who_may(self):
        with self.assertRaises(AccessError):
            self.wizard(user=self.auditor)
