"""Refunds and returns are read with their orders, whole and in few calls."""

from types import SimpleNamespace

from odoo.addons.shopify_connector.client.errors import GraphQLFault

from .order_common import OrderCase
from .order_nodes import bag


class TestRefundRead(OrderCase):
    def setUp(self):
        super().setUp()
        self.store = self.shop(self.us)
        placed = self.place_orders(self.us, 3, lines=2, extras=False)
        self.gids = [order["id"] for order in placed]

    def load(self, *objects):
        self.sandbox.load(list(objects), self.us.shop_domain)

    def order(self, position=0):
        return self.store.store.get(self.gids[position])

    def refund(self, number, position=0, lines=1, **fields):
        line = self.order(position)["lineItems"][0]
        return {
            "__typename": "Refund",
            "id": f"gid://shopify/Refund/{number}",
            "order": {"id": self.gids[position]},
            "createdAt": "2026-11-03T10:00:00Z",
            "refundLineItems": {
                "nodes": [
                    {
                        "lineItem": {"id": line},
                        "quantity": 1,
                        "restockType": "NO_RESTOCK",
                        "subtotalSet": bag(1),
                        "totalTaxSet": bag(0),
                    }
                    for _number in range(lines)
                ]
            },
            **fields,
        }

    def returned(self, number, position=0, **fields):
        return {
            "__typename": "Return",
            "id": f"gid://shopify/Return/{number}",
            "order": {"id": self.gids[position]},
            "name": f"R{number}",
            "status": "OPEN",
            "returnLineItems": {"nodes": []},
            "exchangeLineItems": {"nodes": []},
            "reverseFulfillmentOrders": {"nodes": []},
            "returnShippingFees": [],
            **fields,
        }

    def read_orders(self):
        """Fetch the orders: the mapped ones, and the operations that it took."""
        self.store.log.clear()
        importer = self.env["shopify.order.importer"]
        orders = [importer._map(self.us, node, None) for node in self.fetch(self.us, self.gids)]
        return orders, [
            entry["operation"] for entry in self.store.log if entry["operation"] != "oauth"
        ]

    def test_orders_without_refunds_cost_one_call(self):
        _orders, operations = self.read_orders()
        self.assertEqual(operations, ["OrderByIds"])

    def test_refunds_of_a_batch_cost_one_more_call(self):
        self.load(self.refund(1, 0), self.refund(2, 1), self.refund(3, 1))
        orders, operations = self.read_orders()
        self.assertEqual(operations, ["OrderByIds", "RefundsByIds"])
        self.assertEqual([len(order.refunds) for order in orders], [1, 2, 0])
        self.assertEqual([refund.problem for refund in orders[1].refunds], ["", ""])
        self.assertEqual(orders[0].refunds[0].lines[0].quantity, 1)

    def fulfil(self, position):
        order = self.order(position)
        self.load(
            {
                "__typename": "Fulfillment",
                "id": f"gid://shopify/Fulfillment/{position + 1}",
                "order": {"id": order["id"]},
                "status": "SUCCESS",
                "fulfillmentLineItems": {
                    "nodes": [{"lineItem": {"id": order["lineItems"][0]}, "quantity": 1}]
                },
            }
        )

    def test_what_was_sent_is_read_where_it_matters(self):
        """It tells whether refunded units had been sent; most orders do not ask that."""
        for position in range(3):
            self.fulfil(position)
        self.load(self.refund(1, 0), self.refund(2, 1))
        (line,) = self.store.store.get("gid://shopify/Refund/2")["refundLineItems"]
        line["restockType"] = "RETURN"
        orders, operations = self.read_orders()
        self.assertEqual(operations, ["OrderByIds", "RefundsByIds", "OrderFulfillments"])
        self.assertEqual([order.lines[0].sent_quantity for order in orders], [1, None, None])
        self.assertIsInstance(orders[0].lines[0].waiting_quantity, int)

    def test_sixty_refunds_and_three_hundred_lines(self):
        self.load(*(self.refund(number) for number in range(1, 60)), self.refund(60, lines=300))
        orders, operations = self.read_orders()
        self.assertEqual(len(orders[0].refunds), 60)
        lines = {refund.gid: len(refund.lines) for refund in orders[0].refunds}
        self.assertEqual(lines["gid://shopify/Refund/60"], 300)
        self.assertEqual(sum(lines.values()), 359)
        self.assertFalse([refund.problem for refund in orders[0].refunds if refund.problem])
        self.assertIn("OrderLongLists", operations)
        self.assertEqual(operations.count("RefundPageRefundLineItems"), 1)

    def test_a_refund_that_fails_leaves_its_order_for_later(self):
        self.load(self.refund(1, 0), self.refund(2, 1))
        importer = self.env["shopify.order.importer"]
        nodes = {node["id"]: node for node in self.fetch(self.us, self.gids)}
        for node in nodes.values():
            node["refunds"] = [{"id": refund["id"]} for refund in node["refunds"]]
        gone, failed = "gid://shopify/Refund/1", "gid://shopify/Refund/2"
        fault = GraphQLFault("Oops", "INTERNAL_SERVER_ERROR", ("nodes", failed, "duties"))
        client = SimpleNamespace(nodes=lambda document, gids: ({gone: None}, (fault,)))
        faults = importer._fetch_refunds(client, nodes)
        self.assertEqual(list(nodes), [self.gids[0], self.gids[2]])
        self.assertEqual([fault.gid for fault in faults], [self.gids[1]])
        order = importer._map(self.us, nodes[self.gids[0]], None)
        self.assertEqual([refund.problem for refund in order.refunds], ["not read"])

    def test_returns_with_their_parts(self):
        line = self.order()["lineItems"][0]
        self.load(
            self.returned(
                1,
                returnLineItems={
                    "nodes": [
                        {
                            "__typename": "ReturnLineItem",
                            "id": f"gid://shopify/ReturnLineItem/{number}",
                            "quantity": 1,
                            "returnReasonNote": "",
                            "returnReasonDefinition": {
                                "id": "gid://shopify/ReturnReasonDefinition/1",
                                "handle": "color",
                                "name": "Colour",
                                "deleted": False,
                            },
                            "fulfillmentLineItem": {
                                "id": "gid://shopify/FulfillmentLineItem/1",
                                "lineItem": {"id": line},
                            },
                        }
                        for number in range(1, 31)
                    ]
                },
                returnShippingFees=[{"id": "gid://shopify/Fee/1", "amountSet": bag("4.50")}],
            ),
            self.returned(2, status="DECLINED"),
        )
        self.sandbox.load(
            [{"__typename": "Order", "id": self.gids[0], "returnStatus": "IN_PROGRESS"}],
            self.us.shop_domain,
        )
        orders, operations = self.read_orders()
        self.assertEqual(
            operations,
            ["OrderByIds", "OrdersReturns", "ReturnsByIds", "ReturnPageReturnLineItems"],
        )
        first, second = sorted(orders[0].returns, key=lambda item: item.gid)
        self.assertEqual((first.problem, second.problem), ("", ""))
        self.assertEqual(len(first.lines), 30)
        self.assertEqual({item.line_gid for item in first.lines}, {line})
        self.assertEqual([str(fee.amount) for fee in first.fees], ["4.50 USD"])
        self.assertEqual(second.status, "declined")
        self.assertEqual(orders[1].returns, ())

    def test_without_the_scope_orders_come_without_returns(self):
        self.load(self.returned(1), self.refund(1))
        self.load({"__typename": "Order", "id": self.gids[0], "returnStatus": "IN_PROGRESS"})
        scopes = [scope for scope in self.store.settings.scopes if "returns" not in scope]
        self.set_shop(self.us, scopes=scopes)
        orders, _operations = self.read_orders()
        self.assertEqual([order.returns for order in orders], [(), (), ()])
        self.assertEqual(orders[0].refunds[0].problem, "")
        self.assertEqual(orders[0].return_status, "in_progress")
