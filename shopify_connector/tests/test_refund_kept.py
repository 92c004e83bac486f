"""Refunds and returns as they are kept; prices with tax; taxes that are not booked."""

from odoo.exceptions import AccessError

from .order_nodes import OrderNode
from .refund_common import RefundCase, page


class TestRefundKept(RefundCase):
    def returned(self, order, number, status="OPEN", **fields):
        node = {
            "id": f"gid://shopify/Return/{order.number * 10 + number}",
            "name": f"#{order.number}-R{number}",
            "status": status,
            "createdAt": "2026-11-03T09:00:00Z",
            "returnLineItems": page(
                [
                    {
                        "__typename": "ReturnLineItem",
                        "id": f"gid://shopify/ReturnLineItem/{order.number * 10 + number}",
                        "quantity": 1,
                        "returnReasonDefinition": {"handle": "color", "name": "Colour"},
                        "fulfillmentLineItem": {
                            "id": "gid://shopify/FulfillmentLineItem/1",
                            "lineItem": {"id": order.lines[0]["id"]},
                        },
                    }
                ]
            ),
            "exchangeLineItems": page(),
            "returnShippingFees": [],
            "refunds": page(),
            "reverseFulfillmentOrders": page(),
            **fields,
        }
        order.extra.setdefault("returns", []).append(node)
        return node

    def one_a(self, order, number=1, money="10.71"):
        line = self.item(order, 0, 1, "9.87", "0.84", restock="RETURN")
        return self.refund(order, number, money, refundLineItems=page([line]))

    def test_a_status_moves_nothing(self):
        order = self.paid()
        sale = self.run_order(order)
        node = self.returned(order, 1, "REQUESTED")
        for number, status in enumerate(("REQUESTED", "OPEN", "CLOSED", "OPEN", "CANCELED"), 1):
            node["status"] = status
            order.fields["updatedAt"] = f"2026-11-1{number}T10:00:00Z"
            self.run_order(order)
            item = sale.shopify_order_ids.return_ids
            self.assertEqual((len(item), item.status), (1, status.lower()))
        self.assertEqual((item.units, item.reasons), (1, "Colour"))
        self.assertEqual(item.line_ids.sale_line_id, sale.order_line[0])
        self.assertFalse(sale.shopify_order_ids.refund_ids)
        self.assertEqual(len(sale.invoice_ids), 1)
        self.assertEqual(len(sale.picking_ids), 1)

    def test_a_status_is_kept_although_the_order_is_up_to_date(self):
        order = self.paid()
        sale = self.run_order(order)
        self.returned(order, 1, "REQUESTED")
        (outcome,) = self.process(self.us, order)
        self.assertEqual(outcome.status, "unchanged")
        self.assertEqual(sale.shopify_order_ids.return_ids.status, "requested")

    def test_several_returns_one_refund_with_its_fee(self):
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order, money="8.21")
        fee = {"id": "gid://shopify/Fee/1", "amountSet": order.bag("2.50")}
        refund = order.extra["refunds"][0]["id"]
        self.returned(order, 1, returnShippingFees=[fee], refunds=page([{"id": refund}]))
        self.returned(order, 2, "DECLINED", decline={"reason": "FINAL_SALE", "note": "Sorry"})
        self.run_order(order)
        first, second = sale.shopify_order_ids.return_ids.sorted("name")
        self.assertEqual((first.shipping_fee, first.refund_ids), (2.5, self.refunds(sale)))
        self.assertEqual((second.decline_reason, second.refund_ids.ids), ("final_sale", []))
        note = self.credit_notes(sale)
        self.assertEqual(note.amount_total, 8.21)
        kept = note.invoice_line_ids.filtered(lambda line: line.price_subtotal < 0)
        product = self.env.ref("shopify_connector.product_return_shipping_fee")
        self.assertEqual((kept.product_id, kept.price_subtotal), (product, -2.5))
        self.assertSettled(sale)

    def test_dispositions(self):
        order = self.paid()
        sale = self.run_order(order)
        location = self.env["shopify.location"].create(
            {
                "backend_id": self.us.id,
                "shopify_gid": "gid://shopify/Location/77",
                "name": "Returns desk",
            }
        )
        reverse = {
            "id": "gid://shopify/ReverseFulfillmentOrder/1",
            "status": "OPEN",
            "lineItems": page(
                [
                    {
                        "id": "gid://shopify/ReverseFulfillmentOrderLineItem/1",
                        "totalQuantity": 3,
                        "fulfillmentLineItem": {
                            "id": "gid://shopify/FulfillmentLineItem/1",
                            "lineItem": {"id": order.lines[0]["id"]},
                        },
                        "dispositions": [
                            {
                                "id": "gid://shopify/ReverseFulfillmentOrderDisposition/1",
                                "type": "RESTOCKED",
                                "quantity": 2,
                                "createdAt": "2026-11-04T10:00:00Z",
                                "location": {"id": location.shopify_gid},
                            }
                        ],
                    }
                ]
            ),
        }
        self.returned(order, 1, reverseFulfillmentOrders=page([reverse]))
        self.process(self.us, order)
        rows = sale.shopify_order_ids.return_ids.disposition_ids
        self.assertEqual(
            [(row.kind, row.quantity, row.location_id) for row in rows],
            [("restocked", 2, location), (False, 1, location.browse())],
        )
        self.assertEqual(rows.sale_line_id, sale.order_line[0])

    def test_prices_with_tax(self):
        vat = self.tax(self.us, "VAT", 0.1, included=True)
        order = OrderNode(1001, included=True).line("A", "11.00", 2, [("VAT", 0.1, "2.00")])
        self.transaction(order, 1, "22.00")
        sale = self.run_order(order)
        line = self.item(order, 0, 1, "11.00", "1.00", restock="RETURN")
        self.run_order(self.refund(order, 1, "11.00", refundLineItems=page([line])))
        note = self.credit_notes(sale)
        self.assertEqual((note.amount_untaxed, note.amount_tax, note.amount_total), (10, 1, 11))
        self.assertEqual(note.invoice_line_ids.tax_ids, vat)
        self.assertSettled(sale)

    def test_taxes_that_are_left_out(self):
        self.us.tax_mapping_ids.filtered(lambda row: row.tax_id == self.city).write(
            {"tax_id": False, "left_out": True}
        )
        order = self.paid()
        sale = self.run_order(order)
        self.one_a(order)
        self.run_order(order)
        note = self.credit_notes(sale)
        self.assertEqual((note.amount_untaxed, note.amount_tax), (9.87, 0.39))

    def test_a_batch_takes_no_more_queries_for_more_orders(self):
        def refunded(numbers):
            orders = [self.paid(number) for number in numbers]
            self.process(self.us, *orders)
            self.account()
            for order in orders:
                self.one_a(order)
            return orders

        few, many = refunded([1001, 1002]), refunded(range(2001, 2013))
        counts = []
        for orders in (few, many):
            nodes = {order.node["id"]: order.node for order in orders}
            worker = self.us._as_integration_user()
            importer = worker.env["shopify.order.importer"]
            mapped = [importer._map(worker, node, None) for node in nodes.values()]
            bindings = importer._bindings(worker.sudo(), nodes)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            worker.sudo().env["shopify.refund.recorder"]._record(worker.sudo(), mapped, bindings)
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 6, counts)

    def test_who_may_do_what(self):
        order = self.paid()
        sale = self.run_order(order)
        self.run_order(self.one_a(order))
        refund = self.refunds(sale)
        as_auditor = refund.with_user(self.auditor)
        self.assertEqual(as_auditor.line_ids.amount_total, 10.71)
        with self.assertRaises(AccessError):
            as_auditor.action_book()
        with self.assertRaises(AccessError):
            as_auditor.write({"state": "to_book"})
        with self.assertRaises(AccessError):
            refund.with_user(self.operator).write({"state": "to_book"})
        refund.with_user(self.operator).action_book()
