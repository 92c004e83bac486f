"""Pictures of refunds and returns."""

ADDON = "shopify_connector"


class RefundScenes:
    """A part of :class:`~.screenshot_scenes.Scenes`."""

    def refunds(self):
        """An item comes back, and its money goes."""
        store, tab = self.seed.stores[0], self.tab
        shipped = self.odoo.search_read(
            "shopify.fulfillment", [("state", "=", "done")], ["order_id"], order="id"
        )
        sold = [
            ("invoice_ids", "!=", False),
            ("id", "in", [row["order_id"][0] for row in shipped]),
            ("id", "!=", self.changed),
        ]
        gid = self.odoo.search_read("shopify.order", sold, ["shopify_gid"], limit=1)[0][
            "shopify_gid"
        ]
        order = next(order for order in store.objects("Order") if order["id"] == gid)
        store.load(_refund(order))
        refund = self.until(
            "a refund with its credit note",
            lambda: self.odoo.search("shopify.refund", [("state", "=", "booked")]),
        )[0]
        receipt = self.until(
            "the goods that are expected back",
            lambda: self.odoo.search("stock.picking", [("shopify_return_id", "!=", False)]),
        )[0]
        self.visit("refunds", "action_shopify_refund")
        self.visit("refund", "action_shopify_refund", refund)
        found = self.odoo.call("shopify.refund", "read", [refund], ["return_id", "order_id"])[0]
        self.visit("returns", "action_shopify_return")
        self.visit("return", "action_shopify_return", found["return_id"][0])
        tab.open(f"{ADDON}.action_shopify_order", found["order_id"][0])
        tab.show("[name=refund_ids]")
        self.shot("order-refunds")
        note = self.odoo.search("account.move", [("shopify_refund_id", "=", refund)])[0]
        tab.open("account.action_move_out_refund_type", note)
        self.shot("refund-credit-note")
        tab.open("stock.action_picking_tree_all", receipt)
        self.shot("refund-receipt")
        self.refund_from_odoo(found["order_id"][0])

    def refund_from_odoo(self, refunded):
        """Money is given back from Odoo: the form, with what Shopify calculates."""
        self.odoo.write("shopify.backend", [self.us], {"refund_in_shopify": True})
        domain = [
            ("invoice_ids", "!=", False),
            ("backend_id", "=", self.us),
            ("id", "not in", [refunded, self.changed]),
        ]
        tab = self.tab
        tab.open(f"{ADDON}.action_shopify_order", self.one("shopify.order", domain))
        tab.button("action_refund_in_shopify")
        tab.wait_for(".modal .o_form_view")
        tab.click(".modal [name='line_ids'] .o_data_row td[name='quantity']")
        tab.fill("quantity", "1")
        tab.button("action_ask")
        tab.wait_for(".modal .o_form_view")
        self.shot("refund-create")


def _refund(order):
    """The objects of a return and a refund of one unit of an order."""
    line, number = order["lineItems"]["nodes"][0], order["id"].rpartition("/")[2]
    currency = order["currencyCode"]

    def amount(bag):
        return float(bag["shopMoney"]["amount"])

    paid = next(item for item in order["transactions"] if item["kind"] in ("SALE", "CAPTURE"))
    taken = sum(amount(one["allocatedAmountSet"]) for one in line["discountAllocations"])
    unit = round(amount(line["originalUnitPriceSet"]) - taken / line["quantity"], 2)
    tax = round(sum(amount(one["priceSet"]) for one in line["taxLines"]) / line["quantity"], 2)
    money = unit + tax - 4

    def bag(value):
        both = {"amount": f"{value:.2f}", "currencyCode": currency}
        return {"shopMoney": both, "presentmentMoney": both}

    refund, back = f"gid://shopify/Refund/{number}", f"gid://shopify/Return/{number}"
    return [
        _return(order, back, bag(4)),
        {
            "__typename": "OrderTransaction",
            "id": f"gid://shopify/OrderTransaction/9{number}",
            "order": {"id": order["id"]},
            "kind": "REFUND",
            "status": "SUCCESS",
            "gateway": paid["gateway"],
            "formattedGateway": paid["formattedGateway"],
            "amountSet": bag(money),
            "processedAt": order["processedAt"],
            "parentTransaction": {"id": paid["id"]},
        },
        {
            "__typename": "Refund",
            "id": refund,
            "order": {"id": order["id"]},
            "return": {"id": back},
            "createdAt": order["processedAt"],
            "processedAt": order["processedAt"],
            "totalRefundedSet": bag(money),
            "refundLineItems": {
                "nodes": [
                    {
                        "id": f"gid://shopify/RefundLineItem/{number}",
                        "lineItem": {"id": line["id"]},
                        "quantity": 1,
                        "restockType": "RETURN",
                        "restocked": True,
                        "subtotalSet": bag(unit),
                        "totalTaxSet": bag(tax),
                    }
                ]
            },
            "transactions": {"nodes": [{"id": f"gid://shopify/OrderTransaction/9{number}"}]},
        },
        {"__typename": "Order", "id": order["id"], "returnStatus": "IN_PROGRESS"},
    ]


def _return(order, gid, fee):
    """A return of one unit of an order, which came back already."""
    line, number = order["lineItems"]["nodes"][0], order["id"].rpartition("/")[2]
    return {
        "__typename": "Return",
        "id": gid,
        "order": {"id": order["id"]},
        "name": f"{order['name']}-R1",
        "status": "OPEN",
        "returnShippingFees": [{"id": f"gid://shopify/Fee/{number}", "amountSet": fee}],
        "returnLineItems": {
            "nodes": [
                {
                    "__typename": "ReturnLineItem",
                    "id": f"gid://shopify/ReturnLineItem/{number}",
                    "quantity": 1,
                    "processedQuantity": 1,
                    "returnReasonNote": "",
                    "customerNote": "Fits at the shoulders, too short else.",
                    "returnReasonDefinition": {
                        "id": "gid://shopify/ReturnReasonDefinition/1",
                        "handle": "too-small",
                        "name": "Too small",
                        "deleted": False,
                    },
                    "fulfillmentLineItem": {
                        "id": f"gid://shopify/FulfillmentLineItem/{number}",
                        "lineItem": {"id": line["id"]},
                    },
                }
            ]
        },
    }
