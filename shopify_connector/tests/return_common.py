"""What the tests of returns that are made in the sandbox share."""

from .order_common import OrderCase

MUTATION = """mutation M($value: %s) { %s(%s: $value) { return { id
  returnLineItems(first: 9) { nodes { id } } exchangeLineItems(first: 9) { nodes { id } }
  reverseFulfillmentOrders(first: 9) { nodes { id lineItems(first: 9) { nodes { id } } } } }
  userErrors { message } } }"""
SHIP = """mutation F($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { fulfillmentLineItems(first: 9) { nodes { id } } } userErrors { message } } }"""


class ReturnFlowCase(OrderCase):
    """One line, no tax; returns are made in the sandbox, and Odoo looks.

    :cvar wishes: further ones for the order
    """

    wishes = {}

    def setUp(self):
        super().setUp()
        self.us.write({"confirm_policy": "always", "import_orders": True, "return_policy": "done"})
        self.us.shop_country_id = self.env.ref("base.us")
        self.store = self.shop(self.us).store
        variants = self.store.all("ProductVariant")
        self.products = self.env["product.product"].create(
            [
                {"name": sku, "default_code": sku, "is_storable": True}
                for sku in dict.fromkeys(variant["sku"] for variant in variants)
            ]
        )
        place = self.us.warehouse_id.lot_stock_id
        for product in self.products:
            self.env["stock.quant"]._update_available_quantity(product, place, 100)
        (self.order,) = self.place_orders(
            self.us, lines=1, extras=False, region="US/OR", discounts=False, seed=3, **self.wishes
        )
        line = self.store.get(self.order["lineItems"][0])
        self.bought = line["quantity"]
        self.look()
        self.sale = (
            self.env["shopify.order"].search([("shopify_gid", "=", self.order["id"])]).sale_order_id
        )
        self.product = self.sale.order_line.product_id.filtered("is_storable")
        self.assertEqual(self.sale.state, "sale")

    # -- both sides -------------------------------------------------------------------------------

    def look(self):
        self.put(self.us, [self.order["id"]])
        self.drain(self.us)
        self.us._job_reserve()
        self.us._job_restock()
        self.env.flush_all()
        self.env.invalidate_all()

    def run_graphql(self, query, variables):
        answer = self.sandbox.graphql(query, variables, self.us.shop_domain)
        self.assertNotIn("errors", answer)
        (payload,) = answer["data"].values()
        self.assertFalse(payload["userErrors"])
        return payload

    def do(self, name, argument, kind, value):
        return self.run_graphql(MUTATION % (kind, name, argument), {"value": value})["return"]

    def ship(self):
        """Both sides deliver what is open; returns the lines that Shopify sent."""
        picking = self.sale.picking_ids.filtered(
            lambda pick: (
                pick.state not in ("done", "cancel") and pick.picking_type_code == "outgoing"
            )
        )
        picking.action_assign()
        picking.move_ids.picked = True
        picking._action_done()
        todo = self.store.related(self.order, "fulfillmentOrders")[-1]
        given = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": todo["id"]}]}
        sent = self.run_graphql(SHIP, {"f": given})["fulfillment"]
        return sent["fulfillmentLineItems"]["nodes"]

    def ask(self, quantity=1, **fields):
        """A return of units that were shipped."""
        line = {
            "fulfillmentLineItemId": self.sent[0]["id"],
            "quantity": quantity,
            "returnReason": "UNWANTED",
        }
        value = {"orderId": self.order["id"], "returnLineItems": [line], **fields}
        return self.do("returnCreate", "returnInput", "ReturnInput!", value)

    def process_return(self, record, kind="RESTOCKED", quantity=1, **fields):
        (reverse,) = record["reverseFulfillmentOrders"]["nodes"]
        disposition = {
            "reverseFulfillmentOrderLineItemId": reverse["lineItems"]["nodes"][0]["id"],
            "quantity": quantity,
            "dispositionType": kind,
            "locationId": self.store.all("Location")[0]["id"],
        }
        line = {
            "id": record["returnLineItems"]["nodes"][0]["id"],
            "quantity": quantity,
            "dispositions": [disposition],
        }
        value = {"returnId": record["id"], "returnLineItems": [line], **fields}
        return self.do("returnProcess", "input", "ReturnProcessInput!", value)

    def stock(self):
        location = self.us.warehouse_id.lot_stock_id
        return self.product.with_context(location=location.id).qty_available

    def receipts(self):
        return self.sale.picking_ids.filtered(lambda pick: pick.picking_type_code == "incoming")
