"""Refund, credit note, payment and receipt of goods lead to each other."""

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from .refund_common import RefundCase, page

KINDS = ("refunds", "credit_notes", "payments", "receipts")


def opened(env, action):
    """The records that an action opens."""
    records = env[action["res_model"]]
    if action.get("res_id"):
        return records.browse(action["res_id"])
    return records.search(action["domain"])


@tagged("post_install", "-at_install", "shopify")
class TestRefundDocuments(RefundCase):
    def setUp(self):
        super().setUp()
        self.us.return_policy = "done"
        node = self.paid(displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(node)
        self.us._job_reserve()
        self.deliver(sale, {"A": 3, "B": 1})
        self.account()
        line = self.item(node, 0, 1, "9.87", "0.84", restock="RETURN")
        self.refund(node, 1, "10.71", refundLineItems=page([line]))
        self.run_order(node)
        self.us._job_restock()
        self.refunded = self.refunds(sale)
        self.documents = {
            "credit_notes": self.refunded.move_ids,
            "payments": self.refunded.payment_ids.payment_id,
            "receipts": self.refunded.picking_ids,
        }
        self.assertEqual([len(records) for records in self.documents.values()], [1, 1, 1])

    def test_each_leads_to_all_others(self):
        everything = {"refunds": self.refunded, **self.documents}
        for kind, document in self.documents.items():
            for other in KINDS:
                if other != kind:
                    action = getattr(document, f"action_view_shopify_{other}")()
                    self.assertEqual(opened(self.env, action), everything[other], (kind, other))
        for name, kind in (("moves", "credit_notes"), ("pickings", "receipts")):
            action = getattr(self.refunded, f"action_view_{name}")()
            self.assertEqual(opened(self.env, action), self.documents[kind])
        action = self.refunded.action_view_payments()
        self.assertEqual(opened(self.env, action).payment_id, self.documents["payments"])

    def test_the_log_tells_what_was_made(self):
        """Once each, however often the order is looked at."""
        self.account()
        lines = self.env["shopify.sync.log"].search([("gid", "=", self.refunded.shopify_gid)])
        made = lines.filtered(lambda line: line.outcome == "created")
        self.assertEqual(
            {(line.res_model, line.res_id) for line in made},
            {
                ("shopify.refund", self.refunded.id),
                ("stock.picking", self.documents["receipts"].id),
            },
        )
        self.assertEqual(len(made), 2)
        booked = made.filtered(lambda line: line.res_model == "shopify.refund")
        for kind in ("credit_notes", "payments"):
            self.assertIn(self.documents[kind].name, booked.message)
        self.assertEqual(opened(self.env, booked.action_open_record()), self.refunded)

    def test_buttons_of_the_forms(self):
        """Each form shows what there is; what has no refund shows nothing."""
        own = dict(
            zip(self.documents, ("credit_notes", "refund_payments", "receipts"), strict=True)
        )
        for kind, document in self.documents.items():
            form = Form(document)
            for name in {"refunds", *own.values()} - {own[kind]}:
                self.assertEqual(form[f"shopify_{name}_count"], 1, (kind, name))
        invoice = Form(self.invoices(self.refunded.sale_order_id))
        self.assertEqual((invoice.shopify_refunds_count, invoice.shopify_receipts_count), (0, 0))

    def test_people_without_a_role_of_the_connector(self):
        """Who invoices sees refunds; who works in the warehouse sees that there is one, no more."""
        accountant = self.person("account.group_account_invoice")
        note = self.documents["credit_notes"].with_user(accountant)
        refund = opened(note.env, note.action_view_shopify_refunds())
        self.assertEqual(Form(refund).amount_money, 10.71)
        payment = opened(note.env, note.action_view_shopify_payments())
        self.assertEqual(payment, self.documents["payments"])
        Form(note)
        receipt = self.documents["receipts"].with_user(self.person("stock.group_stock_user"))
        form = receipt.get_view(view_type="form")["arch"]
        self.assertNotIn("action_view_shopify", form)
        with self.assertRaises(AccessError):
            opened(receipt.env, receipt.action_view_shopify_refunds()).read(["name"])

    def person(self, group):
        return self.env["res.users"].create(
            {
                "name": group,
                "login": group,
                "group_ids": [Command.set(self.env.ref(group).ids)],
                "company_ids": [Command.set(self.company.ids)],
                "company_id": self.company.id,
            }
        )

    def test_money_that_is_booked_as_an_entry(self):
        node = self.paid(1002, displayFulfillmentStatus="FULFILLED")
        sale = self.run_order(node)
        line = self.item(node, 1, 1, "10.00", "0.85", restock="NO_RESTOCK")
        self.refund(node, 1, "10.85", gateway="gift_card", refundLineItems=page([line]))
        self.run_order(node)
        entry = self.refunds(sale).payment_ids.move_id
        self.assertFalse(self.refunds(sale).payment_ids.payment_id)
        note = self.credit_notes(sale)
        self.assertEqual(opened(self.env, note.action_view_shopify_payments()), entry)
        self.assertEqual(opened(self.env, entry.action_view_shopify_credit_notes()), note)
