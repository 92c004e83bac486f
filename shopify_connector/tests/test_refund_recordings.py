"""Refunds and returns of a real store, answer by answer, from the import to money and goods.

The recordings are not part of this repository; without them the tests are skipped.
"""

import json
import re
from decimal import Decimal
from unittest import skipUnless

from .recorded_orders import RECORDINGS, recordings
from .recorded_refunds import PLACED_AT, History, histories, own, placed
from .refund_common import RefundCase

IN_STOCK = 1000
ORDERS = "2026-04/orders"
# Not the made-up ids of requests that fail.
_GIVEN_BACK = re.compile(r"gid://shopify/(?:Refund|Return)/(?!9{9})\d+")
MONEY = ("SALE", "CAPTURE")


@skipUnless(RECORDINGS.is_dir(), f"no recorded answers of a store in {RECORDINGS}")
class TestRefundRecordings(RefundCase):
    """Tests for each recording that holds a refund or a return; see :func:`_add_tests` below.

    Figures that are compared are the recorded ones. What no answer tells of an order (which goods,
    when it was placed) is the same for all.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.article = cls.env["product.product"].create(
            {"name": "Recorded", "type": "consu", "is_storable": True}
        )
        cls.stock(cls, cls.us, cls.article, IN_STOCK)
        cls.env.ref("base.CAD").active = True
        cls.us.write(
            {
                "import_orders": True,
                "import_test_orders": True,
                "missing_product": "placeholder",
                "placeholder_product_id": cls.article.id,
                "invoice_when": "confirmation",
                "refund_policy": "paid",
                "return_policy": "done",
            }
        )

    # -- replaying ------------------------------------------------------------------------------

    def load(self, *objects):
        self.sandbox.load(list(objects), self.us.shop_domain)

    def place(self, history):
        self.history = history
        for number, (gid, order) in enumerate(history.orders.items(), 1):
            currency = order["lineItems"][0]["originalUnitPriceSet"]["shopMoney"]["currencyCode"]
            self.load(
                {
                    "__typename": "Order",
                    "number": number,
                    "name": f"#{number}",
                    "currencyCode": currency,
                    "createdAt": PLACED_AT,
                    "processedAt": PLACED_AT,
                    **order,
                    "id": gid,
                }
            )

    def follow(self, gids):
        """Shopify tells of orders; all jobs run."""
        self.put(self.us, gids, topic="orders/updated", source="webhook")
        self.drain(self.us)
        if self.us.tax_mapping_ids.filtered(lambda row: not row.tax_id):
            self.map_taxes(self.us)
            self.drain(self.us)
        self.us._job_reserve()
        self.account()
        self.us._job_restock()
        self.account()

    def order_of(self, gid):
        return self.binding(self.us, {"id": gid})

    def ship(self, gid):
        """Deliver in Odoo what is still to be sent."""
        sale = self.order_of(gid).sale_order_id
        pickings = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
        if pickings:
            pickings.action_assign()
            pickings.move_ids.picked = True
            pickings._action_done()

    def keep_up(self, told, gid):
        """Odoo has sent what is fulfilled in Shopify."""
        if own(told, gid, "Fulfillment"):
            self.ship(gid)

    def replay(self, history):
        """Every state in its turn, after the orders as they were placed."""
        self.place(history)
        self.follow(list(history.orders))
        for gid in history.orders:
            self.check_order({}, gid)
        for state in history.states:
            with self.subTest(state.name):
                self.load(*state.objects)
                self.follow(state.orders)
                for gid in state.orders:
                    self.keep_up(state.told, gid)
                    self.check_order(state.told, gid)
                before = [self.seen(gid) for gid in state.orders]
                self.follow(state.orders)
                self.assertEqual([self.seen(gid) for gid in state.orders], before)

    def replay_at_once(self, history):
        """The orders come to Odoo when all has happened."""
        self.place(history)
        for state in history.states:
            self.load(*state.objects)
        self.follow(list(history.orders))
        told = history.states[-1].told
        for gid in history.orders:
            with self.subTest(gid):
                self.keep_up(told, gid)
                self.check_order(told, gid, at_once=True)
        before = [self.seen(gid) for gid in history.orders]
        self.follow(list(history.orders))
        self.assertEqual([self.seen(gid) for gid in history.orders], before)

    def seen(self, gid):
        """All that a second import could change."""
        order = self.order_of(gid)
        sale = order.sale_order_id
        return {
            "lines": sale.order_line.mapped(lambda line: (line.id, line.product_uom_qty)),
            "invoices": sale.invoice_ids.sorted("id").mapped(
                lambda move: (move.id, move.state, move.amount_total, move.payment_state)
            ),
            "moves": sale.picking_ids.move_ids.sorted("id").mapped(
                lambda move: (move.id, move.state, move.quantity)
            ),
            "payments": order.payment_ids.sorted("id").mapped(
                lambda row: (row.id, row.move_id.id, row.amount)
            ),
            "refunds": order.refund_ids.mapped(lambda one: (one.id, one.state, one.content)),
            "returns": order.return_ids.sorted("id").mapped(
                lambda one: (one.id, one.status, one.content, one.synced_at)
            ),
        }

    # -- recordings of which more is said -------------------------------------------------------

    def test_none_is_left_out(self):
        """Guards the tests below: all that a recording holds is replayed."""
        found = histories()
        held = {
            f"{path.parent.parent.name}/{path.parent.name}/{path.stem}": set(gids)
            for path in RECORDINGS.glob("*/*/*.json")
            if (gids := _GIVEN_BACK.findall(path.read_text()))
        }
        replayed = {
            name: {gid for gid in history.states[-1].told if _GIVEN_BACK.fullmatch(gid)}
            for name, history in found.items()
        }
        self.assertEqual(replayed, held)
        told = [history.states[-1].told for history in found.values()]
        returns = [told[gid] for told in told for gid in told if "/Return/" in gid]
        self.assertGreaterEqual(len(returns), 15)
        self.assertEqual(
            {item["status"] for item in returns},
            {"REQUESTED", "OPEN", "CLOSED", "CANCELED", "DECLINED"},
        )

    def test_not_restocked_goods_are_scrapped(self):
        """One of three units was recorded as not restocked."""
        self.us.discard_policy = "scrap"
        history = histories()[f"{ORDERS}/return-reverse-logistics-dispose-validation"]
        self.place(history)
        self.follow(list(history.orders))
        (gid,) = history.orders
        sale = self.order_of(gid).sale_order_id
        for state in history.states:
            self.load(*state.objects)
            self.follow(state.orders)
            self.keep_up(state.told, gid)
        self.assertEqual(_disposed(state.told, gid, "not_restocked"), 1)
        receipt = sale.picking_ids.filtered(lambda pick: pick.picking_type_code == "incoming")
        self.assertEqual(receipt.move_ids.mapped("quantity"), [1])
        self.assertEqual(receipt.location_dest_id.usage, "inventory")
        self.assertFalse(self.credit_notes(sale))

    def test_calculated_return(self):
        """A restocking fee as Shopify calculated it: positive beside the negative item.

        The recording holds no more than the calculation; here the return is processed, of an order
        that was paid.
        """
        name = f"{ORDERS}/return-query-roots-recorded"
        content = json.loads((RECORDINGS / f"{name}.json").read_text())
        answer = content["returnCalculate"]["response"]["payload"]["data"]["returnCalculate"]
        (item,) = answer["returnLineItems"]
        ((gid, order),) = recordings()[name].items()
        goods, tax = (-_amount(item[key]) for key in ("subtotalSet", "totalTaxSet"))
        fee = _amount(item["restockingFee"]["amountSet"])
        self.assertEqual((goods, tax, fee), (20, 1, 2))
        order["transactions"] = [_transaction(1, gid, "SALE", _amount(order["totalPriceSet"]))]
        self.place(History({gid: placed(order)}))
        self.follow([gid])
        sale = self.order_of(gid).sale_order_id
        self.ship(gid)
        money = _transaction(2, gid, "REFUND", goods + tax - fee)
        returned, refund = _calculated(item, gid)
        refund["transactions"] = {"nodes": [money]}
        sent = {key: order[key] for key in ("displayFulfillmentStatus", "fulfillments")}
        self.load(returned, refund)
        self.load({"__typename": "Order", "id": gid, "updatedAt": "2026-09-01T00:00:00Z", **sent})
        self.follow([gid])
        self.assertFalse(self.exceptions(self.us), self.exceptions(self.us).mapped("message"))
        note = self.credit_notes(sale)
        self.assertEqual((note.amount_total, note.amount_tax), (19, 1))
        self.assertEqual(sorted(note.invoice_line_ids.mapped("price_subtotal")), [-2, 20])
        self.assertEqual(self.order_of(gid).return_ids.restocking_fee, 2)
        self.assertEqual(self.refunds(sale).payment_ids.move_id.amount_total, 19)
        self.assertEqual(sale.order_line.qty_delivered, 1)
        self.assertSettled(sale)

    # -- comparing ------------------------------------------------------------------------------

    def check_order(self, told, gid, at_once=False):
        exceptions = self.exceptions(self.us)
        self.assertFalse(exceptions, exceptions.mapped("message"))
        sale = self.order_of(gid).sale_order_id
        self.assertEqual(sale.state, "sale")
        self.check_money(told, gid, sale, at_once)
        self.check_goods(told, gid, sale, at_once)
        self.check_returns(told, gid, at_once)

    def check_money(self, told, gid, sale, at_once):
        """Credit notes and payments are the money that was given back, and nothing else."""
        refunds = own(told, gid, "Refund")
        records = self.refunds(sale)
        self.assertEqual(set(records.mapped("shopify_gid")), set(refunds))
        notes = self.credit_notes(sale)
        for record in records:
            fields = refunds[record.shopify_gid]
            money = _amount(fields["totalRefundedSet"])
            self.assertEqual(money, _given(told, fields["transactions"]))
            self.assertEqual((record.state, record.problem or ""), ("booked", ""))
            self.assertEqual(_exact(record.amount_money), money)
            self.assertEqual(
                [_exact(row.move_id.amount_total) for row in record.payment_ids], [money]
            )
            self.assertEqual(record.payment_ids.move_id.mapped("state"), ["posted"])
            # Units that went before the first invoice are in none.
            due = [] if at_once and record.line_ids.sale_line_id else [money]
            self.assertEqual([_exact(note.amount_total) for note in record.move_ids], due)
        self.assertEqual(notes.mapped("state"), ["posted"] * len(notes))
        self.assertEqual(sum(notes.mapped("amount_tax")), 0, "refunds were recorded of 0 % only")
        paid = self.order_of(gid).payment_ids.filtered(lambda row: row.kind in ("sale", "capture"))
        received = sum(_exact(row.move_id.amount_total) for row in paid)
        self.assertEqual(received, self.paid_for(gid))
        total = told.get(gid, {}).get("currentTotalPriceSet")
        if total:
            self.assertEqual(_exact(sale.amount_total), _amount(total))
            invoiced = sum(self.invoices(sale).mapped("amount_total"))
            self.assertEqual(_exact(invoiced - sum(notes.mapped("amount_total"))), _amount(total))
        if received:
            self.assertSettled(sale)

    def paid_for(self, gid):
        """The recorded payments of an order."""
        return sum(
            _amount(item["amountSet"])
            for item in self.history.orders[gid]["transactions"]
            if item["kind"] in MONEY and item["status"] == "SUCCESS"
        )

    def check_goods(self, told, gid, sale, at_once):
        """Goods move with what was sent and what was restocked, never with a status."""
        lines = sale.order_line.filtered(lambda line: line.product_id == self.article)
        moves = sale.picking_ids.move_ids.filtered(lambda move: move.state != "cancel")
        out = moves.filtered(lambda move: move.location_dest_usage == "customer")
        fulfilled = sum(_fulfilled(told, gid).values())
        back = _disposed(told, gid, "restocked", "RETURN", "LEGACY_RESTOCK")
        if at_once:
            # What is not put back need not leave.
            fulfilled -= _disposed(told, gid, "not_restocked")
        done = out.filtered(lambda move: move.state == "done")
        self.assertEqual(sum(done.mapped("quantity")), fulfilled)
        returned = (moves - out).filtered(lambda move: move.state == "done")
        self.assertEqual(sum((moves - out).mapped("product_uom_qty")), back)
        self.assertEqual(sum(returned.mapped("quantity")), back)
        for line in lines:
            known = told.get(line.shopify_gid, {})
            if "currentQuantity" in known and not fulfilled:
                waiting = sum(line.move_ids.filtered(lambda m: m in out).mapped("product_uom_qty"))
                self.assertEqual(waiting, known["currentQuantity"])

    def check_returns(self, told, gid, at_once):
        """Returns are kept as they were told."""
        returns = own(told, gid, "Return")
        if at_once and {item["status"] for item in returns.values()} <= {"DECLINED", "CANCELED"}:
            # Shopify says of such an order that it has no return.
            returns = {}
        records = self.order_of(gid).return_ids
        self.assertEqual(set(records.mapped("shopify_gid")), set(returns))
        for record in records:
            fields = returns[record.shopify_gid]
            self.assertEqual(record.status, fields["status"].lower())
            self.assertFalse(record.problem)
            self.assertEqual(bool(record.closed_at), bool(fields.get("closedAt")))
            decline = fields.get("decline") or {}
            self.assertEqual(record.decline_reason or "", decline.get("reason", "").lower())
            self.assertEqual(record.decline_note or "", decline.get("note", ""))
            self.assertEqual(
                record.line_ids.mapped(
                    lambda line: (
                        line.shopify_gid,
                        line.sale_line_id.shopify_gid,
                        line.quantity,
                        line.processed_quantity,
                        line.note or "",
                        line.customer_note or "",
                        line.reason or "",
                    )
                ),
                [_return_line(told, line) for line in fields["returnLineItems"]],
            )
            self.assertEqual(
                sorted(
                    (row.kind, row.quantity, row.location_gid)
                    for row in record.disposition_ids
                    if row.kind
                ),
                sorted(_dispositions(told, fields)),
            )


def _exact(amount):
    return Decimal(str(round(amount, 2))).normalize() + 0


def _amount(bag):
    return Decimal(bag["shopMoney"]["amount"]).normalize() + 0


def _bag(amount, currency="USD"):
    money = {"amount": str(amount), "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _transaction(number, order_gid, kind, amount):
    return {
        "__typename": "OrderTransaction",
        "id": f"gid://shopify/OrderTransaction/{number}",
        "order": {"id": order_gid},
        "kind": kind,
        "status": "SUCCESS",
        "gateway": "manual",
        "amountSet": _bag(amount),
    }


def _calculated(item, order_gid):
    """A return and its refund, in the figures of a calculated line."""
    returned = {
        "__typename": "Return",
        "id": "gid://shopify/Return/1",
        "order": {"id": order_gid},
        "status": "OPEN",
        "returnLineItems": {
            "nodes": [
                {
                    "__typename": "ReturnLineItem",
                    "id": "gid://shopify/ReturnLineItem/1",
                    "processedQuantity": item["quantity"],
                    **{key: item[key] for key in ("quantity", "fulfillmentLineItem")},
                    "restockingFee": {
                        **item["restockingFee"],
                        "id": "gid://shopify/RestockingFee/1",
                    },
                }
            ]
        },
    }
    refund = {
        "__typename": "Refund",
        "id": "gid://shopify/Refund/1",
        "order": {"id": order_gid},
        "return": {"id": returned["id"]},
        "refundLineItems": {
            "nodes": [
                {
                    "lineItem": item["fulfillmentLineItem"]["lineItem"],
                    "quantity": item["quantity"],
                    "restockType": "RETURN",
                    "subtotalSet": _bag(-_amount(item["subtotalSet"])),
                    "totalTaxSet": _bag(-_amount(item["totalTaxSet"])),
                }
            ]
        },
    }
    return returned, refund


def _given(told, transactions):
    """What the transactions of a refund gave back."""
    found = [told[gid] for gid in transactions]
    return sum(
        _amount(item["amountSet"])
        for item in found
        if item["kind"] == "REFUND" and item["status"] == "SUCCESS"
    )


def _fulfilled(told, gid):
    """``{line gid: units}`` that were sent in Shopify."""
    units = {}
    for fulfillment in own(told, gid, "Fulfillment").values():
        if fulfillment["status"] == "SUCCESS":
            for part in fulfillment["fulfillmentLineItems"]:
                line = told[part]["lineItem"]
                units[line] = units.get(line, 0) + told[part]["quantity"]
    return units


def _disposed(told, gid, *kinds):
    """Units of an order that were recorded as put back, or not put back, into stock."""
    refunded = [
        (line["restockType"], line["quantity"])
        for refund in own(told, gid, "Refund").values()
        for line in refund.get("refundLineItems") or ()
    ]
    disposed = [
        (kind, quantity)
        for item in own(told, gid, "Return").values()
        for kind, quantity, _place in _dispositions(told, item)
    ]
    return sum(quantity for kind, quantity in (*refunded, *disposed) if kind in kinds)


def _dispositions(told, fields):
    """``(kind, units, location gid)`` of a return."""
    return [
        (one["type"].lower(), one["quantity"], one["location"])
        for order in fields.get("reverseFulfillmentOrders") or ()
        for line in told[order].get("lineItems") or ()
        for one in told[line].get("dispositions") or ()
    ]


def _return_line(told, gid):
    line = told[gid]
    reason = told.get(line.get("returnReasonDefinition"), {})
    return (
        gid,
        told[line["fulfillmentLineItem"]]["lineItem"],
        line["quantity"],
        line["processedQuantity"],
        line.get("returnReasonNote") or "",
        line.get("customerNote") or "",
        reason.get("handle", ""),
    )


def _add_tests():
    """Two test methods per recording, so that each has its name and fails by itself."""
    for name, history in histories().items():
        plain = "".join(sign if sign.isalnum() else "_" for sign in name)

        def step_by_step(self, history=history):
            self.replay(history)

        def at_once(self, history=history):
            self.replay_at_once(history)

        step_by_step.__doc__ = f"{name}: {len(history.states)} states"
        at_once.__doc__ = f"{name}: {len(history.orders)} orders"
        setattr(TestRefundRecordings, f"test_{plain}", step_by_step)
        setattr(TestRefundRecordings, f"test_{plain}_at_once", at_once)


_add_tests()
