"""Orders that are cancelled or refunded in the sandbox, from its mutations to money and goods."""

import threading
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import SUPERUSER_ID, api, fields
from odoo.tests import Form, HttpCase
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError

from .committed_common import SHOP, WAIT, CommittedCase
from .common import US_SHOP, sandbox_testing
from .order_nodes import OrderNode
from .refund_common import RefundCase

NUMBER = 7301

CANCEL = """mutation Cancel($id: ID!, $restock: Boolean!) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: $restock,
              refundMethod: {originalPaymentMethodsRefund: true}) {
    orderCancelUserErrors { message } userErrors { message } } }"""
SHIP = """mutation Ship($given: FulfillmentInput!) { fulfillmentCreate(fulfillment: $given) {
  userErrors { message } } }"""
REFUND = """mutation Refund($given: RefundInput!, $key: String!) {
  refundCreate(input: $given) @idempotent(key: $key) { refund { id } userErrors { message } } }"""
SUGGEST = """query Suggest($id: ID!, $lines: [RefundLineItemInput!]) { order(id: $id) {
  suggestedRefund(refundLineItems: $lines) { amountSet { shopMoney { amount } } } } }"""
SUBSCRIBE = """mutation Subscribe($uri: String!) {
  webhookSubscriptionCreate(topic: REFUNDS_CREATE, webhookSubscription: {uri: $uri}) {
    userErrors { message } } }"""


class RefundLifecycleCase(RefundCase):
    """A paid order of the sandbox with two lines, taxes and shipping; invoiced at once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.write(
            {"import_orders": True, "invoice_when": "confirmation", "return_policy": "done"}
        )

    def setUp(self):
        super().setUp()
        for product in self.create_products(self.us):
            self.stock(self.us, product, 100)
        (self.order,) = self.place_orders(
            self.us, lines=2, payment="paid", extras=False, region="US/NY", seed=1
        )
        self.gid = self.order["id"]
        self.remote = self.shop(self.us)
        self.lines = [self.remote.store.get(gid) for gid in self.order["lineItems"]]
        self.assertGreater(min(line["quantity"] for line in self.lines), 1)
        self.units = sum(line["quantity"] for line in self.lines)
        self.total = self.amount("totalPriceSet")

    # -- Shopify's side ---------------------------------------------------------------------------

    def amount(self, name):
        order = self.remote.store.get(self.gid)
        return float(self.remote.read(order, name)["shopMoney"]["amount"])

    def mutate(self, query, **variables):
        answer = self.sandbox.graphql(query, variables, US_SHOP)
        self.assertNotIn("errors", answer)
        (payload,) = answer["data"].values()
        errors = [payload[key] for key in payload if key.lower().endswith("usererrors")]
        self.assertFalse(any(errors), errors)
        return payload

    def cancel(self, restock=True):
        self.mutate(CANCEL, id=self.gid, restock=restock)

    def refund_line(self, restock="NO_RESTOCK"):
        """Give one unit of the first line back, with its money; returns how much."""
        line = self.lines[0]
        asked = [{"lineItemId": line["id"], "quantity": 1, "restockType": restock}]
        (payment,) = self.remote.store.related(self.order, "transactions")
        suggested = self.sandbox.graphql(SUGGEST, {"id": self.gid, "lines": asked}, US_SHOP)
        bag = suggested["data"]["order"]["suggestedRefund"]["amountSet"]
        transaction = {
            "orderId": self.gid,
            "parentId": payment["id"],
            "kind": "REFUND",
            "gateway": payment["gateway"],
            "amount": bag["shopMoney"]["amount"],
        }
        given = {"orderId": self.gid, "refundLineItems": asked, "transactions": [transaction]}
        self.mutate(REFUND, given=given, key="once")
        return float(transaction["amount"])

    # -- Odoo's side ------------------------------------------------------------------------------

    def look(self, source="webhook", gids=None):
        """Shopify tells of the order; all jobs run."""
        self.put(self.us, gids or [self.gid], topic="orders/updated", source=source)
        self.work()

    def work(self):
        self.drain(self.us)
        if self.us.tax_mapping_ids.filtered(lambda row: not row.tax_id):
            self.map_taxes(self.us)
            self.drain(self.us)
        self.us._job_reserve()
        self.account()
        self.us._job_restock()
        self.account()

    @property
    def shopify_order(self):
        return self.binding(self.us, self.order)

    @property
    def sale(self):
        return self.shopify_order.sale_order_id

    def ship(self, left):
        """Both sides deliver all but ``left`` units of each line."""
        picking = self.sale.picking_ids
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty - left
            move.picked = bool(move.quantity)
        picking.with_context(skip_backorder=True)._action_done()
        (todo,) = self.remote.store.related(self.order, "fulfillmentOrders")
        lines = [
            {"id": item["id"], "quantity": item["totalQuantity"] - left}
            for item in self.remote.store.resolve_all(todo["lineItems"])
        ]
        part = {"fulfillmentOrderId": todo["id"], "fulfillmentOrderLineItems": lines}
        self.mutate(SHIP, given={"lineItemsByFulfillmentOrder": [part]})
        self.look()

    def in_stock(self):
        """Units of the order's products that are here."""
        products = self.sale.order_line.product_id.filtered("is_storable")
        place = self.us.warehouse_id.lot_stock_id
        return sum(products.with_context(location=place.id).mapped("qty_available"))

    def to_ship(self):
        moves = self.sale.picking_ids.move_ids.filtered(
            lambda move: (
                move.location_dest_usage == "customer" and move.state not in ("done", "cancel")
            )
        )
        return sum(moves.mapped("product_uom_qty"))

    def made(self):
        """What there is, to see that nothing is made twice."""
        sale, order = self.sale, self.shopify_order
        return (
            sale.state,
            sale.invoice_ids.sorted("id").mapped(lambda move: (move.id, move.state)),
            order.payment_ids.sorted("id").mapped(lambda row: (row.id, row.move_id.id)),
            sale.picking_ids.sorted("id").mapped(lambda pick: (pick.id, pick.state)),
        )

    def assert_given_back(self, money):
        """One credit note and one payment over this, to the cent."""
        note = self.credit_notes(self.sale)
        self.assertEqual(len(note), 1)
        self.assertEqual((note.state, round(note.amount_total, 2)), ("posted", money))
        self.assertEqual(note.payment_state, "paid")
        payment = self.refunds(self.sale).payment_ids
        self.assertEqual((len(payment), round(payment.move_id.amount_total, 2)), (1, money))
        self.assertSettled(self.sale)


class TestCancelledInShopify(RefundLifecycleCase):
    """The whole order is cancelled and paid back, with and without restocking."""

    def cancelled(self, restock):
        """Shopify cancels; told twice, nothing is made twice."""
        here = self.in_stock()
        self.cancel(restock)
        self.look()
        before = self.made()
        self.look("poll")
        self.assertEqual(self.made(), before)
        self.assert_given_back(self.total)
        taxes = sum(self.invoices(self.sale).mapped("amount_tax"))
        self.assertGreater(taxes, 0)
        self.assertAlmostEqual(self.credit_notes(self.sale).amount_tax, taxes, 2)
        self.assertEqual(self.shopify_order.cancel_reason, "customer")
        # Whether Shopify restocks does not matter: the stock is Odoo's.
        self.assertEqual(self.in_stock(), here)

    def assert_waits(self):
        """A person must say what becomes of the goods that left."""
        exception = self.exceptions(self.us)
        self.assertEqual(exception.category, "order_changed")
        self.assertIn("It was cancelled", exception.message)
        self.assertEqual(self.shopify_order.choices, "accept,return")
        self.assertEqual((self.sale.state, self.to_ship()), ("sale", 0))

    def not_delivered(self, restock):
        self.look()
        self.cancelled(restock)
        self.assertEqual(self.sale.state, "cancel")
        self.assertEqual(set(self.sale.picking_ids.mapped("state")), {"cancel"})
        self.assertFalse(self.exceptions(self.us), self.exceptions(self.us).mapped("message"))

    def partly_delivered(self, restock):
        self.look()
        self.ship(left=1)
        sent = self.units - len(self.lines)
        self.assertEqual(self.to_ship(), len(self.lines))
        self.cancelled(restock)
        self.assert_waits()
        self.assertEqual(sum(self.sale.order_line.mapped("qty_delivered")), sent)
        return sent

    def delivered(self, restock):
        self.look()
        self.ship(left=0)
        self.cancelled(restock)
        self.assert_waits()

    def test_not_delivered_restocked(self):
        self.not_delivered(restock=True)

    def test_not_delivered(self):
        self.not_delivered(restock=False)

    def test_partly_delivered_restocked(self):
        self.partly_delivered(restock=True)

    def test_partly_delivered(self):
        self.partly_delivered(restock=False)

    def test_delivered_restocked(self):
        self.delivered(restock=True)

    def test_delivered(self):
        self.delivered(restock=False)

    def test_goods_come_back_afterwards(self):
        """Then the order is cancelled by itself, and no more money moves."""
        sent = self.partly_delivered(restock=True)
        here, made = self.in_stock(), self.made()
        action = self.shopify_order.with_user(self.operator).action_return_goods()
        wizard = Form(self.env[action["res_model"]].with_context(**action["context"])).save()
        for row in wizard.product_return_moves:
            row.quantity = row.move_id.quantity
        receipt = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        receipt.move_ids.picked = True
        receipt._action_done()
        self.work()
        self.assertEqual(self.in_stock(), here + sent)
        self.assertEqual(self.sale.state, "cancel")
        self.assertFalse(self.exceptions(self.us), self.exceptions(self.us).mapped("message"))
        self.assertEqual(self.made()[1:3], made[1:3])
        self.assert_given_back(self.total)


class TestRefundTold(RefundLifecycleCase, HttpCase):
    """One refund, told early, late and often: it is booked once."""

    def setUp(self):
        super().setUp()
        self.us.client_secret = sandbox_testing.CLIENT_SECRET
        # Nobody answers there: the tests bring the deliveries themselves.
        self.mutate(SUBSCRIBE, uri=f"{self.sandbox.url}/nobody")

    def deliver(self, delivery, **headers):
        """Bring what the sandbox sent to Odoo's door."""
        url = f"/shopify/webhook/{self.us.webhook_key}"
        headers = {**delivery.headers(), **headers}
        response = self.url_open(url, data=delivery.body, headers=headers)
        self.assertEqual(response.status_code, 200)
        self.env.invalidate_all()

    def told(self):
        """The webhook of the refund."""
        return self.sandbox.deliveries(US_SHOP, topic="refunds/create")[0]

    def events(self):
        return self.env["shopify.webhook.event"].search([("backend_id", "=", self.us.id)])

    def test_before_its_order_was_imported(self):
        """The order is imported then, without what is gone; the money back is booked."""
        money = self.refund_line(restock="CANCEL")
        self.deliver(self.told())
        self.assertFalse(self.shopify_order)
        self.work()
        event = self.events().filtered(lambda event: event.topic == "refunds/create")
        self.assertEqual(event.resource_gid, self.gid)
        self.assertEqual(self.sale.state, "sale")
        self.assertEqual(self.to_ship(), self.units - 1)
        self.assertEqual(round(self.sale.amount_total, 2), self.amount("currentTotalPriceSet"))
        self.assertEqual(
            round(self.invoices(self.sale).amount_total, 2), round(self.total - money, 2)
        )
        refund = self.refunds(self.sale)
        self.assertEqual((len(refund), refund.state), (1, "booked"))
        self.assertFalse(refund.move_ids, "nothing of it was invoiced")
        self.assertEqual(refund.payment_ids.move_id.amount_total, money)
        self.assertSettled(self.sale)
        before = self.made()
        self.look()
        self.assertEqual(self.made(), before)

    def test_twice_and_by_polling(self):
        self.look()
        money = self.refund_line()
        delivery = self.told()
        self.deliver(delivery)
        self.deliver(delivery)
        refunds = self.events().filtered(lambda event: event.topic == "refunds/create")
        self.assertEqual(len(refunds), 1)
        self.work()
        self.assert_given_back(money)
        before = self.made()
        self.deliver(delivery, **{"X-Shopify-Webhook-Id": "once-more"})
        self.work()
        self.assertEqual(self.made(), before)
        self.us.import_from = fields.Datetime.now() - timedelta(days=1)
        self.shopify_order.shopify_updated_at -= timedelta(minutes=1)
        self.env.flush_all()
        self.us._job_poll()
        self.assertIn("orders/poll", self.events().mapped("topic"))
        self.work()
        self.assertEqual(self.made(), before)
        self.assert_given_back(money)


class TestRefundConcurrency(CommittedCase):
    """One refund, two workers, two connections."""

    def backend_values(self):
        return {
            "missing_product": "placeholder",
            "import_orders": True,
            "confirm_policy": "always",
            "invoice_policy": "paid",
            "invoice_when": "confirmation",
            "refund_policy": "paid",
            "return_policy": "none",
            "payment_journal_id": self.journal_id,
        }

    def prepare(self, env):
        self.journal_id = (
            env["account.journal"]
            .search([("company_id", "=", env.company.id), ("type", "=", "bank")], limit=1)
            .id
        )

    def place_orders(self):
        """3 x 10 and shipping for 4, paid."""
        order = OrderNode(NUMBER).line("A", "10", 3).ship("4")
        payment = order.gid("OrderTransaction", 1)
        transaction = {"id": payment, "kind": "SALE", "status": "SUCCESS", "gateway": "manual"}
        order.extra["transactions"] = [{**transaction, "amountSet": order.bag(order.total)}]
        self.sandbox.load([order.node], SHOP)
        self.refund = {
            "orderId": order.node["id"],
            "refundLineItems": [{"lineItemId": order.lines[0]["id"], "quantity": 1}],
            "transactions": [
                {
                    "orderId": order.node["id"],
                    "parentId": payment,
                    "kind": "REFUND",
                    "gateway": "manual",
                    "amount": "10.00",
                }
            ],
        }
        return [order.node]

    def setUp(self):
        super().setUp()
        self.put(*self.gids)
        self.drain()
        self.account()
        self.assertEqual(self.made(), (1, 0, 0, 1))
        answer = self.sandbox.graphql(REFUND, {"given": self.refund, "key": "once"}, SHOP)
        self.assertFalse(answer["data"]["refundCreate"]["userErrors"])

    def account(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            try:
                return env["shopify.backend"].browse(self.backend_id)._job_account()
            except RetryableJobError:
                return "later"

    def made(self):
        """Invoices, credit notes, refunds, booked payments."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            order = env["shopify.order"].search([("backend_id", "=", self.backend_id)])
            types = order.sale_order_id.invoice_ids.mapped("move_type")
            return (
                types.count("out_invoice"),
                types.count("out_refund"),
                len(order.refund_ids),
                len(order.payment_ids.move_id),
            )

    def forget(self, env):
        own = [("backend_id", "=", self.backend_id)]
        of_store = [("shopify_backend_id", "=", self.backend_id)]
        orders, sales = env["shopify.order"].search(own), env["sale.order"].search(of_store)
        payments, invoices = orders.payment_ids.payment_id, sales.invoice_ids
        orders.unlink()
        payments.action_draft()
        payments.unlink()
        invoices.button_draft()
        invoices.with_context(force_delete=True).unlink()
        sales._action_cancel()
        sales.picking_ids.unlink()
        sales.unlink()
        env["shopify.customer"].search(own).unlink()
        env["shopify.variant"].search(own).unlink()
        env["product.pricelist"].search(of_store).unlink()
        env["res.partner"].search([("email", "=", f"ada{NUMBER}@example.com")]).unlink()

    @mute_logger("odoo.sql_db")
    def test_two_workers_keep_it(self):
        """Both see that the refund is new; one keeps it, the other one leaves nothing."""
        importer = self.registry["shopify.order.importer"]
        original, barrier = importer._bindings, threading.Barrier(2, timeout=WAIT)
        met = set()

        def _bindings(service, backend, gids):
            found = original(service, backend, gids)
            if threading.get_ident() not in met:
                met.add(threading.get_ident())
                barrier.wait()
            return found

        with patch.object(importer, "_bindings", _bindings):
            results = [result() for result in [self.start(self.attempt) for _ in range(2)]]
        self.assertEqual(results.count("updated"), 1, results)
        (error,) = (result for result in results if result != "updated")
        self.assertIsInstance(error, psycopg2.Error)
        self.finish()

    def attempt(self):
        """Import the order in a transaction of its own, without the inbox and its locks."""
        try:
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                backend = env["shopify.backend"].browse(self.backend_id)._as_integration_user()
                importer = backend.env["shopify.order.importer"]
                client = backend.env["shopify.client.factory"]._client(backend.sudo())
                nodes, _faults = importer._fetch(backend, client, self.gids)
                outcomes = importer._process(backend, nodes, {})
                env.flush_all()
                return outcomes[self.gids[0]].status
        except Exception as error:
            return error

    @mute_logger("odoo.sql_db")
    def test_two_drains_and_two_accountants(self):
        """Told of twice, read by two drains, booked by two jobs."""
        self.put(*self.gids)
        self.put(*self.gids)
        for step in (self.drain, self.account):
            for result in [self.start(step) for _ in range(2)]:
                self.assertTrue(result())
        self.finish()

    def finish(self):
        for _round in range(3):
            self.put(*self.gids)
            self.drain()
            self.account()
        self.assertEqual({state for _gid, state, _attempts in self.states()}, {"done"})
        self.assertEqual(self.made(), (1, 1, 1, 2))
