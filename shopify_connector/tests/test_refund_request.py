"""Refunds that are asked for in Odoo and made in Shopify."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.queue_job.exception import RetryableJobError

from ..services.dry_run import dry_run
from .accounting_common import AccountingCase


class RefundRequestCase(AccountingCase):
    """An order of the sandbox, paid and invoiced, whose store lets Odoo refund."""

    def setUp(self):
        super().setUp()
        self.us.write({"refund_in_shopify": True, "confirm_policy": "always"})
        self.location = self.env["shopify.location"].create(
            {
                "backend_id": self.us.id,
                "shopify_gid": self.shop(self.us).store.all("Location")[0]["id"],
                "name": "Main",
                "warehouse_id": self.us.warehouse_id.id,
            }
        )

    def order_of(self, **wishes):
        wishes = {"lines": 2, "payment": "paid", "extras": False, "region": "US/OR"} | wishes
        (placed,) = self.place_orders(self.us, 1, **wishes)
        self.create_products(self.us)
        order = self.import_orders(self.us, [placed])
        self.assertEqual(order.sale_state, "sale")
        return order

    def invoiced(self, order):
        sale = order.sale_order_id
        if not sale.invoice_ids:
            sale.order_line.product_id.invoice_policy = "order"
            sale._create_invoices()
        sale.invoice_ids.filtered(lambda move: move.state == "draft").action_post()
        return sale.invoice_ids

    def credit_note(self, order, lines=None):
        """A posted credit note of the order's invoice, over the first ``lines`` lines."""
        invoice = self.invoiced(order)
        move = invoice._reverse_moves()
        if lines is not None:
            goods = move.invoice_line_ids.filtered(lambda line: line.display_type == "product")
            goods.sorted("id")[lines:].unlink()
        move.action_post()
        return move

    def wizard(self, source, **values):
        action = source.with_user(self.operator).action_refund_in_shopify()
        wizard = self.env[action["res_model"]].with_user(self.operator).browse(action["res_id"])
        wizard.write(values)
        return wizard

    def chosen(self, order, units=1):
        """A wizard of the order over some units of its first line."""
        wizard = self.wizard(order)
        wizard.line_ids[0].quantity = units
        wizard.action_ask()
        return wizard

    def remote_refunds(self, order):
        store = self.shop(self.us).store
        return [one for one in store.all("Refund") if one["order"] == order.shopify_gid]

    def sent(self):
        """Variables of the mutations."""
        log = self.shop(self.us).log
        return [entry["variables"] for entry in log if entry["operation"] == "RefundCreate"]

    def fault(self, kind, operation="refundCreate", **options):
        self.shop(self.us).faults.add(kind=kind, operation=operation, count=1, **options)

    def deliver_all(self, order):
        picking = order.sale_order_id.picking_ids.filtered(lambda pick: pick.state != "done")
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty
            move.picked = True
        picking._action_done()
        return picking

    def take_back(self, picking, units=1):
        """Receive some units of the first product."""
        form = self.env["stock.return.picking"].create({"picking_id": picking.id})
        form.product_return_moves.quantity = 0
        form.product_return_moves[0].quantity = units
        back = self.env["stock.picking"].browse(form.action_create_returns()["res_id"])
        for move in back.move_ids:
            move.picked = True
        back._action_done()
        return back


class TestRefundRequest(RefundRequestCase):
    def test_from_the_order(self):
        order = self.order_of()
        wizard = self.wizard(order)
        self.assertEqual(len(wizard.line_ids), 2)
        self.assertFalse(wizard.amount_suggested or wizard.stale or wizard.differs)
        self.assertEqual(wizard.amount_maximum, order.amount_received)
        line = wizard.line_ids[0]
        line.quantity = 1
        self.assertTrue(wizard.stale)
        with self.assertRaisesRegex(UserError, "ask Shopify"):
            wizard.action_refund()
        wizard.action_ask()
        self.assertTrue(wizard.amount_suggested)
        self.assertEqual(wizard.amount, wizard.amount_suggested)
        self.assertEqual((line.restock, line.location_id), ("CANCEL", self.location))
        result = wizard.action_refund()
        self.assertEqual(result["params"]["type"], "success", result["params"]["message"])
        (refund,) = self.remote_refunds(order)
        (sent,) = self.sent()
        self.assertEqual(
            sent["input"]["refundLineItems"],
            [
                {
                    "lineItemId": line.line_gid,
                    "quantity": 1,
                    "restockType": "CANCEL",
                    "locationId": self.location.shopify_gid,
                }
            ],
        )
        self.assertEqual(float(sent["input"]["transactions"][0]["amount"]), wizard.amount_suggested)
        self.assertNotIn("discrepancyReason", sent["input"])
        request = order.refund_request_ids
        self.assertEqual((request.state, request.refund_gid), ("done", refund["id"]))
        self.assertEqual(request.key, sent["key"])
        self.assertEqual(request.create_uid, self.operator)
        log = self.env["shopify.sync.log"].search(
            [("gid", "=", order.shopify_gid), ("direction", "=", "out")]
        )
        self.assertEqual((log.outcome, bool(log.request_id)), ("updated", True))
        self.assertIn("were refunded", order.sale_order_id.message_ids[0].body)
        self.drain(self.us)
        self.assertAlmostEqual(order.amount_refunded, wizard.amount)

    def test_from_a_credit_note(self):
        """The whole order: lines and shipping are filled in, and nothing differs."""
        order = self.order_of()
        move = self.credit_note(order)
        wizard = self.wizard(move)
        sale_lines = order.sale_order_id.order_line
        units = {
            line.shopify_gid: line.product_uom_qty
            for line in sale_lines
            if line.shopify_kind == "product"
        }
        self.assertEqual({line.line_gid: line.quantity for line in wizard.line_ids}, units)
        shipping = sale_lines.filtered(lambda line: line.shopify_kind == "shipping")
        self.assertAlmostEqual(wizard.shipping_amount, sum(shipping.mapped("price_subtotal")))
        self.assertAlmostEqual(wizard.amount_suggested, move.amount_total)
        self.assertFalse(wizard.differences)
        wizard.action_refund()
        (refund,) = self.remote_refunds(order)
        self.assertEqual(refund["note"], f"Odoo: {move.name}")
        self.assertEqual(order.refund_request_ids.move_id, move)
        self.assertIn("were refunded", move.message_ids[0].body)
        self.assertFalse(move.shopify_can_refund)
        with self.assertRaisesRegex(UserError, "not refunded yet"):
            move.with_user(self.operator).action_refund_in_shopify()

    def test_credit_note_that_differs(self):
        order = self.order_of()
        move = self.credit_note(order, lines=1)
        wizard = self.wizard(move)
        wizard.line_ids.filtered("quantity").quantity -= 1
        wizard.action_ask()
        self.assertIn("a difference of", wizard.differences)
        with self.assertRaisesRegex(UserError, "intended"):
            wizard.action_refund()
        wizard.action_take_credit_amount()
        self.assertAlmostEqual(wizard.amount, move.amount_total)
        self.assertIn("Shopify calculates", wizard.differences)
        wizard.write({"confirmed": True, "reason": "DAMAGE"})
        wizard.action_refund()
        (sent,) = self.sent()
        self.assertEqual(sent["input"]["discrepancyReason"], "DAMAGE")
        self.assertAlmostEqual(float(sent["input"]["transactions"][0]["amount"]), move.amount_total)

    def test_from_a_return(self):
        order = self.order_of()
        back = self.take_back(self.deliver_all(order))
        wizard = self.wizard(back)
        line = wizard.line_ids.filtered("quantity")
        self.assertEqual((line.quantity, line.restock), (1, "RETURN"))
        self.assertEqual(line.location_id, self.location)
        self.assertEqual((wizard.line_ids - line).restock, "NO_RESTOCK", "delivered and kept")
        wizard.action_refund()
        self.assertEqual(order.refund_request_ids.picking_id, back)
        self.assertFalse(back.shopify_can_refund)

    def test_what_came_back_beside_units_that_never_left(self):
        """Those were refunded before, and are neither to be sent nor among what came back."""
        order = self.order_of()
        wizard = self.chosen(order)
        gid = wizard.line_ids[0].line_gid
        self.assertEqual(wizard.line_ids[0].restock, "CANCEL")
        wizard.action_refund()
        self.drain(self.us)
        back = self.take_back(self.deliver_all(order))
        line = self.wizard(back).line_ids.filtered(lambda line: line.line_gid == gid)
        self.assertEqual((line.not_sent, line.came_back), (0, 1))
        self.assertEqual((line.quantity, line.restock), (1, "RETURN"))

    def test_return_that_was_refunded_in_shopify(self):
        """What came back is not filled in once more."""
        order = self.order_of()
        back = self.take_back(self.deliver_all(order))
        wizard = self.wizard(order)
        wizard.line_ids.filtered("came_back").quantity = 1
        wizard.action_ask()
        wizard.action_refund()
        self.drain(self.us)
        self.assertFalse(self.wizard(back).line_ids.filtered("quantity"))

    def test_credit_note_with_an_invoiced_line(self):
        """Odoo settles what came back with what is to be invoiced in one document."""
        order = self.order_of()
        move = self.invoiced(order)._reverse_moves()
        goods = move.invoice_line_ids.filtered(
            lambda line: line.sale_line_ids.shopify_kind == "product"
        )
        invoiced, credited = goods.sorted("price_total")
        invoiced.quantity = -1
        move.action_post()
        wizard = self.wizard(move)
        self.assertEqual(
            {line.line_gid: line.quantity for line in wizard.line_ids},
            {
                invoiced.sale_line_ids.shopify_gid: 0,
                credited.sale_line_ids.shopify_gid: credited.quantity,
            },
        )
        self.assertIn("a difference of", wizard.differences)

    def test_what_may_not_be_refunded(self):
        order = self.order_of()
        picking = self.deliver_all(order)
        self.assertFalse(picking.shopify_can_refund, "a delivery")
        with self.assertRaisesRegex(UserError, "validated return"):
            picking.with_user(self.operator).action_refund_in_shopify()
        invoice = self.invoiced(order)
        self.assertFalse(invoice.shopify_can_refund)
        draft = invoice._reverse_moves()
        self.assertFalse(draft.shopify_can_refund)
        with self.assertRaisesRegex(UserError, "posted credit note"):
            draft.with_user(self.operator).action_refund_in_shopify()

    def test_limits_of_the_form(self):
        order = self.order_of()
        wizard = self.chosen(order)
        line, payment = wizard.line_ids[0], wizard.payment_ids
        line.location_id = False
        with self.assertRaisesRegex(UserError, "choose the location"):
            wizard.action_refund()
        with self.assertRaisesRegex(ValidationError, "cannot be refunded, only 0 to"):
            line.quantity = line.refundable + 1
        with self.assertRaisesRegex(ValidationError, "only up to"):
            payment.amount = payment.maximum + 1
        wizard.line_ids.quantity = 0
        wizard.action_ask()
        with self.assertRaisesRegex(UserError, "Choose what to refund"):
            wizard.action_refund()
        self.assertFalse(self.sent())

    def test_money_without_lines(self):
        """Goodwill: an amount that no line stands for."""
        order = self.order_of()
        wizard = self.wizard(order, note="Sorry", notify_customer=True, confirmed=True)
        wizard.payment_ids.amount = 1
        wizard.action_refund()
        (sent,) = self.sent()
        self.assertEqual(sent["input"]["refundLineItems"], [])
        self.assertEqual(sent["input"]["note"], "Sorry")
        self.assertTrue(sent["input"]["notify"])
        self.assertEqual(sent["input"]["discrepancyReason"], "OTHER")
        self.drain(self.us)
        self.assertEqual(order.amount_refunded, 1)

    def test_part_of_the_shipping(self):
        order = self.order_of()
        wizard = self.wizard(order, shipping_amount=1)
        self.assertTrue(wizard.stale)
        wizard.action_ask()
        self.assertEqual(wizard.amount_shipping, 1)
        wizard.action_refund()
        self.assertEqual(self.sent()[0]["input"]["shipping"], {"amount": "1.00"})

    def test_paid_in_another_currency(self):
        """Amounts are in the customer's currency; the credit note is in the store's."""
        self.env.ref("base.CAD").active = True
        order = self.order_of(currency="CAD")
        self.assertEqual(order.currency_id.name, "USD")
        move = self.credit_note(order)
        wizard = self.wizard(move)
        self.assertEqual(wizard.currency_id.name, "CAD")
        self.assertAlmostEqual(wizard.suggested_for_credit, move.amount_total)
        self.assertFalse(wizard.differences)
        wizard.action_refund()
        (sent,) = self.sent()
        self.assertEqual(sent["input"]["currency"], "CAD")
        paid = self.remote_refunds(order)[0]["totalRefundedSet"]["presentmentMoney"]
        self.assertEqual(float(paid["amount"]), wizard.amount)
        self.drain(self.us)
        self.assertAlmostEqual(order.amount_refunded, move.amount_total)

    # -- what comes back ------------------------------------------------------------------------

    def test_credit_note_is_linked(self):
        """The refund that comes back gets no second credit note; its money settles this one."""
        self.us.refund_policy = "paid"
        order = self.order_of()
        sale = order.sale_order_id
        self.account()
        move = self.credit_note(order)
        self.wizard(move).action_refund()
        self.drain(self.us)
        self.assertFalse(self.account(), self.account().mapped("message"))
        refund = order.refund_ids
        self.assertEqual(refund.move_ids, move)
        self.assertEqual(refund.state, "booked")
        credit_notes = sale.invoice_ids.filtered(lambda one: one.move_type == "out_refund")
        self.assertEqual(credit_notes, move)
        self.assertTrue(refund.payment_ids.move_id)
        self.assertEqual(move.payment_state, "paid")
        # again, and again
        self.put(self.us, [order.shopify_gid])
        self.drain(self.us)
        self.account()
        self.assertEqual(refund.move_ids, move)

    def test_webhook_before_the_answer(self):
        """The refund comes back while nobody knows yet that it is ours."""
        self.us.refund_policy = "posted"
        order = self.order_of()
        self.account()
        move = self.credit_note(order)
        wizard = self.wizard(move)
        self.fault("timeout_after_write")
        self.fault("http_error", operation="OrderLongLists", skip=1)
        wizard.action_refund()
        self.assertEqual(order.refund_request_ids.state, "sending")
        self.put(self.us, [order.shopify_gid], topic="refunds/create")
        self.drain(self.us)
        self.account()
        self.assertTrue(order.refund_ids)
        self.assertFalse(order.refund_ids.move_ids, "no second credit note")
        self.job()
        self.account()
        self.assertEqual(order.refund_ids.move_ids, move)
        self.assertEqual(order.refund_ids.state, "booked")

    def test_return_is_linked(self):
        """Its credit note is made by the store's policy."""
        self.us.refund_policy = "posted"
        order = self.order_of()
        back = self.take_back(self.deliver_all(order))
        self.account()
        self.wizard(back).action_refund()
        self.drain(self.us)
        self.account()
        self.assertEqual(order.refund_ids.picking_ids, back)
        self.assertEqual(order.refund_ids.move_ids.amount_total, order.refund_ids.amount_money)

    # -- what goes wrong ------------------------------------------------------------------------

    def test_answer_that_is_lost(self):
        """The refund is found by reading, and money goes back once."""
        order = self.order_of()
        wizard = self.chosen(order)
        self.fault("timeout_after_write")
        result = wizard.action_refund()
        self.assertEqual(result["params"]["type"], "success")
        (refund,) = self.remote_refunds(order)
        request = order.refund_request_ids
        self.assertEqual((request.state, request.refund_gid), ("done", refund["id"]))
        # the same press of the button, repeated
        self.assertEqual(wizard.action_refund()["params"]["type"], "success")
        self.assertEqual(len(self.sent()), 1)
        self.assertEqual(len(self.remote_refunds(order)), 1)

    def test_answer_and_refunds_that_are_lost(self):
        """Nothing can be read either: the job finds it."""
        order = self.order_of()
        wizard = self.chosen(order)
        self.fault("timeout_after_write")
        self.fault("http_error", operation="OrderLongLists", skip=1)
        result = wizard.action_refund()
        self.assertEqual(result["params"]["type"], "warning")
        request = order.refund_request_ids
        self.assertEqual(request.state, "sending")
        with self.assertRaisesRegex(UserError, "has not answered yet"):
            order.with_user(self.operator).action_refund_in_shopify()
        self.job()
        self.assertEqual(request.state, "done")
        self.assertEqual(request.refund_gid, self.remote_refunds(order)[0]["id"])
        self.assertEqual(len(self.sent()), 1)
        self.assertIn("already", self.job())

    def job(self):
        """What the job that was enqueued does."""
        job = self.env["queue.job"].search(
            [("method_name", "=", "_job_settle")], limit=1, order="id desc"
        )
        request = self.env["shopify.refund.request"].browse(job.records.ids)
        return request._job_settle()

    def test_request_that_is_lost(self):
        """It never arrived: nobody sends it again by itself; the next one has the same key."""
        order = self.order_of()
        wizard = self.chosen(order)
        self.fault("reset")
        result = wizard.action_refund()
        self.assertEqual(result["params"]["type"], "warning")
        request = order.refund_request_ids
        with self.assertRaises(RetryableJobError):
            self.job()
        with self.assertRaisesRegex(UserError, "has not answered yet"):
            wizard.action_refund()
        request.sent_at = fields.Datetime.now() - timedelta(minutes=10)
        self.job()
        self.assertEqual(request.state, "lost")
        cause = self.exceptions(self.us)
        self.assertIn("did not reach Shopify", cause.name)
        self.assertEqual(cause.action_fix()["res_id"], order.id)
        wizard.action_refund()
        self.assertEqual(request.state, "done")
        self.assertEqual({sent["key"] for sent in self.sent()}, {request.key})
        self.assertEqual(len(self.remote_refunds(order)), 1)
        self.assertFalse(self.exceptions(self.us))

    def test_throttled(self):
        """Nothing was sent; the next press sends it."""
        order = self.order_of()
        wizard = self.chosen(order)
        self.fault("throttled")
        with self.assertRaisesRegex(UserError, "(?i)throttled|budget"):
            wizard.action_refund()
        self.assertEqual(order.refund_request_ids.state, "refused")
        self.assertEqual(wizard.action_refund()["params"]["type"], "success")
        self.assertEqual(len(self.remote_refunds(order)), 1)
        self.assertEqual(len({request.key for request in order.refund_request_ids}), 2)

    def test_refused(self):
        """What Shopify says is shown, and nothing is left behind."""
        order = self.order_of()
        wizard = self.chosen(order)
        self.sandbox.load(
            [
                {
                    "__typename": "Order",
                    "id": order.shopify_gid,
                    "netPaymentSet": {
                        "shopMoney": {"amount": "0.5", "currencyCode": "USD"},
                        "presentmentMoney": {"amount": "0.5", "currencyCode": "USD"},
                    },
                }
            ],
            self.us.shop_domain,
        )
        with self.assertRaisesRegex(UserError, "greater than net payment received .0.50"):
            wizard.action_refund()
        request = order.refund_request_ids
        self.assertEqual(request.state, "refused")
        self.assertTrue(request.request_id)
        self.assertFalse(self.remote_refunds(order))
        self.assertTrue(order.can_refund)

    def test_refunded_there_meanwhile(self):
        order = self.order_of()
        first, second = self.chosen(order), self.chosen(order)
        first.action_refund()
        with self.assertRaisesRegex(UserError, "by somebody else"):
            second.action_refund()
        self.assertEqual(len(self.remote_refunds(order)), 1)
        second.action_ask()
        second.action_refund()
        self.assertEqual(len(self.remote_refunds(order)), 2)

    def test_refund_of_somebody_else_is_not_mistaken(self):
        """After a time-out only what says the same is taken for ours."""
        order = self.order_of()
        wizard = self.chosen(order)
        self.fault("reset")
        wizard.action_refund()
        other = {**order.refund_request_ids.content, "note": "Made in Shopify"}
        client = self.env["shopify.client.factory"]._client(self.us)
        client.mutate("refund_create", {"input": other, "key": "somebody-else"})
        with self.assertRaises(RetryableJobError):
            self.job()
        self.assertEqual(order.refund_request_ids.state, "sending")

    # -- who and when ---------------------------------------------------------------------------

    def test_off(self):
        self.us.refund_in_shopify = False
        order = self.order_of()
        self.assertFalse(order.can_refund)
        with self.assertRaisesRegex(UserError, "does not let Odoo refund"):
            order.with_user(self.operator).action_refund_in_shopify()
        self.assertFalse(self.credit_note(order).shopify_can_refund)

    def test_who_may(self):
        order = self.order_of()
        with self.assertRaises(AccessError):
            order.with_user(self.auditor).action_refund_in_shopify()

    def test_copied_database(self):
        order = self.order_of()
        wizard = self.chosen(order)
        self.us.database_uuid = "another"
        calls = len(self.shop(self.us).log)
        with self.assertRaisesRegex(UserError, "copy"):
            wizard.action_refund()
        self.us.uninstalled_at = fields.Datetime.now()
        with self.assertRaisesRegex(UserError, "not connected"):
            wizard.action_refund()
        self.assertEqual(len(self.shop(self.us).log), calls)
        self.assertFalse(order.refund_request_ids)

    def test_preview_sends_nothing(self):
        order = self.order_of()
        calls = len(self.shop(self.us).log)
        with dry_run(self.env) as (env, _trial), self.assertRaisesRegex(UserError, "preview"):
            order.with_env(env).action_refund_in_shopify()
        self.assertEqual(len(self.shop(self.us).log), calls)

    def test_order_that_is_gone(self):
        order = self.order_of()
        self.shop(self.us).store.delete(order.shopify_gid)
        with self.assertRaisesRegex(UserError, "does not hold"):
            order.with_user(self.operator).action_refund_in_shopify()
