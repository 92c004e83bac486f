"""Orders that are cancelled in Odoo, and in Shopify because of it."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError

from odoo.addons.queue_job.exception import RetryableJobError

from .accounting_common import AccountingCase


class TestOrderCancel(AccountingCase):
    def setUp(self):
        super().setUp()
        self.us.write({"cancel_in_shopify": True, "confirm_policy": "always"})

    def order_of(self, payment="paid"):
        (placed,) = self.place_orders(
            self.us, 1, lines=2, payment=payment, extras=False, region="US/OR"
        )
        self.create_products(self.us)
        order = self.import_orders(self.us, [placed])
        self.assertEqual(order.sale_state, "sale")
        return order

    def wizard(self, order, **values):
        action = order.with_user(self.operator).action_cancel_in_shopify()
        wizard = self.env[action["res_model"]].with_user(self.operator).browse(action["res_id"])
        wizard.write(values)
        return wizard

    def remote(self, order):
        return self.shop(self.us).store.get(order.shopify_gid)

    def request(self, order):
        """Variables of the last mutation."""
        calls = [entry for entry in self.shop(self.us).log if entry["operation"] == "OrderCancel"]
        return calls[-1]["variables"]

    def check(self, order):
        """What the job that was enqueued does."""
        job = self.env["queue.job"].search(
            [("method_name", "=", "_job_check_cancellation")], limit=1, order="id desc"
        )
        return order._job_check_cancellation(*job.args)

    def test_cancel(self):
        order = self.order_of()
        sale = order.sale_order_id
        wizard = self.wizard(order, reason="INVENTORY", staff_note="Sold out", notify_customer=True)
        self.assertEqual(wizard.amount_paid, order.amount_received)
        self.assertIn(f"{order.currency_id.format(order.amount_total)} is refunded", wizard.summary)
        self.assertIn(sale.order_line[0].product_id.display_name, wizard.summary)
        result = wizard.action_cancel()
        self.assertEqual(result["params"]["type"], "success", result["params"]["message"])
        self.assertEqual(sale.state, "cancel")
        self.assertEqual(set(sale.picking_ids.mapped("state")), {"cancel"})
        self.assertEqual(
            self.request(order),
            {
                "orderId": order.shopify_gid,
                "reason": "INVENTORY",
                "restock": True,
                "refundMethod": {"originalPaymentMethodsRefund": True},
                "notifyCustomer": True,
                "staffNote": "Sold out",
            },
        )
        log = self.env["shopify.sync.log"].search(
            [("gid", "=", order.shopify_gid), ("direction", "=", "out")]
        )
        self.assertEqual((log.outcome, bool(log.request_id)), ("updated", True))
        self.assertTrue(order.cancel_requested_at)

    def test_what_comes_back(self):
        """It is known already: nothing is done twice, and nobody is bothered."""
        order = self.order_of()
        sale = order.sale_order_id
        self.wizard(order).action_cancel()
        messages = sale.message_ids
        self.drain(self.us)
        self.assertTrue(order.cancelled_at)
        self.assertEqual(order.cancel_reason, "customer")
        self.assertAlmostEqual(order.amount_refunded, order.amount_received)
        self.assertFalse(order.cancel_requested_at or order.difference)
        self.assertFalse(self.exceptions(self.us))
        self.assertEqual(sale.message_ids, messages)
        self.assertEqual(sale.state, "cancel")
        self.put(self.us, [order.shopify_gid])
        self.drain(self.us)
        self.assertFalse(self.exceptions(self.us))
        self.assertIn("already", self.check(order))

    def test_refund_later(self):
        order = self.order_of()
        wizard = self.wizard(order, refund="later", restock=False)
        self.assertIn("stays with you", wizard.summary)
        wizard.action_cancel()
        request = self.request(order)
        self.assertEqual((request["refundMethod"], request["restock"]), (None, False))
        self.assertTrue(self.remote(order)["cancelledAt"])
        self.drain(self.us)
        self.assertEqual(order.amount_refunded, 0)
        self.assertFalse(self.exceptions(self.us))

    def test_authorised_only(self):
        order = self.order_of("authorized")
        wizard = self.wizard(order)
        self.assertEqual(wizard.amount_paid, 0)
        self.assertIn("only authorised", wizard.summary)
        wizard.action_cancel()
        self.assertIsNone(self.request(order)["refundMethod"])

    def test_cancelled_there_meanwhile(self):
        """What Shopify says is shown; Odoo's order stays until the order was read."""
        order = self.order_of()
        wizard = self.wizard(order)
        now = "2026-11-20T10:00:00Z"
        self.sandbox.load(
            [{"__typename": "Order", "id": order.shopify_gid, "cancelledAt": now}],
            self.us.shop_domain,
        )
        result = wizard.action_cancel()
        self.assertEqual(result["params"]["type"], "danger")
        self.assertIn("already been canceled", result["params"]["message"])
        self.assertEqual(result["params"]["message"].count("already been canceled"), 1)
        self.assertEqual(order.sale_state, "sale")
        self.assertFalse(order.cancel_requested_at)
        with self.assertRaisesRegex(UserError, "still at it|already"):
            self.drain(self.us)
            order.with_user(self.operator).action_cancel_in_shopify()

    def test_answer_that_is_lost(self):
        order = self.order_of()
        self.shop(self.us).faults.add(kind="timeout_after_write", operation="orderCancel", count=1)
        result = self.wizard(order).action_cancel()
        self.assertIn("all the same", result["params"]["message"])
        self.assertEqual(order.sale_state, "sale")
        self.drain(self.us)
        self.assertTrue(order.cancelled_at)

    def test_shopify_fails_later(self):
        """Its job comes to nothing: the sale order is cancelled, the Shopify order is not."""
        order = self.order_of()
        self.wizard(order).action_cancel()
        store = self.shop(self.us).store
        (result,) = store.all("OrderCancelJobResult")
        error = {"message": "Location is deactivated", "code": "INTERNAL_ERROR", "field": None}
        store.put(result["id"], "OrderCancelJobResult", {"done": False, "status": "STARTED"})
        with self.assertRaises(RetryableJobError):
            self.check(order)
        store.put(
            result["id"],
            "OrderCancelJobResult",
            {"done": True, "status": "FAILED", "errors": [error]},
        )
        self.check(order)
        cause = self.exceptions(self.us)
        self.assertIn("Location is deactivated", cause.message)
        self.assertEqual(cause.action_fix()["res_id"], order.id)
        self.assertTrue(order.can_cancel, "once more")
        self.drain(self.us)
        self.assertTrue(order.cancelled_at)

    def test_no_news_of_it(self):
        order = self.order_of()
        self.wizard(order).action_cancel()
        with patch.object(
            self.env.registry["shopify.order"],
            "_ask_cancellation",
            lambda *_args: (None, "Silence"),
        ):
            with self.assertRaises(RetryableJobError):
                self.check(order)
            order.cancel_requested_at = fields.Datetime.now() - timedelta(hours=2)
            self.check(order)
        cause = self.exceptions(self.us)
        self.assertIn("Silence", cause.message)
        # the news comes all the same
        self.drain(self.us)
        self.assertFalse(self.exceptions(self.us))

    def test_sale_order_that_cannot_be_cancelled(self):
        order = self.order_of()
        wizard = self.wizard(order)

        def refuse(*_args):
            raise UserError(self.env._("Not today"))

        with patch.object(self.env.registry["sale.order"], "_action_cancel", refuse):
            result = wizard.action_cancel()
        self.assertIn("Not today", result["params"]["message"])
        self.assertTrue(self.remote(order)["cancelledAt"])
        self.assertTrue(order.cancel_requested_at)

    def test_button_of_the_sale_order(self):
        order = self.order_of()
        sale = order.sale_order_id.with_user(self.operator)
        offered = sale.with_context(shopify_offer_cancel=True)
        action = offered.action_cancel()
        self.assertEqual(action["res_model"], "shopify.order.cancel")
        self.assertEqual(sale.state, "sale")
        wizard = self.env["shopify.order.cancel"].with_user(self.operator).browse(action["res_id"])
        wizard.action_cancel_in_odoo()
        self.assertEqual(sale.state, "cancel")
        self.assertFalse(self.remote(order).get("cancelledAt"))
        self.assertTrue(sale.shopify_can_cancel)
        # afterwards, from the cancelled sale order
        self.assertNotIn("Only", self.wizard(order).summary)
        self.wizard(order).action_cancel()
        self.assertTrue(self.remote(order)["cancelledAt"])

    def test_code_that_cancels_is_not_asked(self):
        order = self.order_of()
        order.sale_order_id.with_user(self.operator).action_cancel()
        self.assertEqual(order.sale_state, "cancel")
        self.assertFalse(self.remote(order).get("cancelledAt"))

    def test_off(self):
        self.us.cancel_in_shopify = False
        order = self.order_of()
        with self.assertRaisesRegex(UserError, "does not let Odoo cancel"):
            order.with_user(self.operator).action_cancel_in_shopify()
        sale = order.sale_order_id.with_context(shopify_offer_cancel=True)
        sale.action_cancel()
        self.assertEqual(sale.state, "cancel")

    def test_when_it_is_not_possible(self):
        order = self.order_of()
        now = fields.Datetime.now()
        for values, sentence in (
            ({"cancelled_at": now}, "cancelled in Shopify already"),
            ({"closed_at": now}, "archived in Shopify"),
            ({"deleted": True}, "deleted in Shopify"),
            ({"cancel_requested_at": now}, "still at it"),
        ):
            order.write(values)
            self.assertFalse(order.can_cancel)
            with self.assertRaisesRegex(UserError, sentence):
                order.with_user(self.operator).action_cancel_in_shopify()
            order.write(dict.fromkeys(values, False))
        order.sale_order_id.locked = True
        with self.assertRaisesRegex(UserError, "locked"):
            order.with_user(self.operator).action_cancel_in_shopify()

    def test_who_may(self):
        order = self.order_of()
        with self.assertRaises(AccessError):
            order.with_user(self.auditor).action_cancel_in_shopify()

    def test_warnings(self):
        order = self.order_of()
        self.account()
        sale = order.sale_order_id
        picking = sale.picking_ids
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty
            move.picked = True
        picking._action_done()
        wizard = self.wizard(order)
        self.assertIn(picking.name, wizard.summary)
        self.assertIn(sale.invoice_ids.name, wizard.summary)
        self.assertNotIn("not be delivered", wizard.summary)
