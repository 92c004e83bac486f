"""Returns and exchanges of the sandbox, from the webhook to the goods."""

from odoo.tests import tagged

from .order_common import OrderCase

MUTATION = """mutation M($value: %s) { %s(%s: $value) { return { id
  returnLineItems(first: 9) { nodes { id } } exchangeLineItems(first: 9) { nodes { id } }
  reverseFulfillmentOrders(first: 9) { nodes { id lineItems(first: 9) { nodes { id } } } } }
  userErrors { message } } }"""
SHIP = """mutation F($f: FulfillmentInput!) { fulfillmentCreate(fulfillment: $f) {
  fulfillment { fulfillmentLineItems(first: 9) { nodes { id } } } userErrors { message } } }"""


@tagged("post_install", "-at_install", "shopify")
class TestRestockFlow(OrderCase):
    """One line, no tax, delivered on both sides."""

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
            self.us, lines=1, extras=False, region="US/OR", discounts=False, seed=3
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

    # -- returns ----------------------------------------------------------------------------------

    def test_a_processed_return_moves_goods_once(self):
        self.sent = self.ship()
        before = self.stock()
        record = self.ask()
        self.look()
        self.assertFalse(self.receipts(), "an open return is a plan")
        self.process_return(record)
        for _again in range(2):
            self.look()
        self.assertEqual(self.stock(), before + 1)
        receipt = self.receipts()
        self.assertEqual((len(receipt), receipt.state), (1, "done"))
        self.assertEqual(receipt.shopify_return_id.shopify_gid, record["id"])
        self.assertEqual(receipt.shopify_return_id.picking_count, 1)
        refund = receipt.shopify_return_id.refund_ids
        self.assertEqual((receipt._shopify_refunds(), refund._receipts()), (refund, receipt))
        self.do("returnClose", "id", "ID!", record["id"])
        self.look()
        self.assertEqual(self.stock(), before + 1)
        line = self.sale.order_line.filtered("product_id.is_storable")
        self.assertEqual(line.qty_delivered, self.bought - 1)

    def test_declined_and_cancelled_returns_move_nothing(self):
        self.sent = self.ship()
        before = self.stock()
        self.do("returnCancel", "id", "ID!", self.ask()["id"])
        self.look()
        self.assertEqual((self.stock(), self.receipts()), (before, self.env["stock.picking"]))

    def test_goods_that_are_missing(self):
        self.sent = self.ship()
        before = self.stock()
        self.process_return(self.ask(), kind="MISSING")
        self.look()
        self.assertEqual((self.stock(), self.receipts()), (before, self.env["stock.picking"]))

    def test_an_exchange(self):
        """The old goods come back; the new are ordered, reserved and delivered."""
        self.sent = self.ship()
        before = self.stock()
        other = next(
            variant
            for variant in self.store.all("ProductVariant")
            if variant["sku"] != self.product.default_code
        )
        items = [{"variantId": other["id"], "quantity": 1}]
        record = self.ask(exchangeLineItems=items)
        (item,) = record["exchangeLineItems"]["nodes"]
        self.look()
        self.assertEqual(len(self.sale.order_line.filtered("product_id.is_storable")), 1)
        self.process_return(record, exchangeLineItems=[{"id": item["id"], "quantity": 1}])
        for _again in range(2):
            self.look()
        self.assertEqual(self.stock(), before + 1)
        new = self.sale.order_line.filtered(
            lambda line: line.product_id.default_code == other["sku"]
        )
        self.assertEqual((len(new), new.product_uom_qty), (1, 1))
        moves = new.move_ids
        self.assertEqual((len(moves), moves.state), (1, "assigned"))
        self.assertEqual(
            round(self.sale.amount_total, 2),
            float(self.store.get(self.order["id"])["totalPriceSet"]["shopMoney"]["amount"]),
        )
        self.ship()
        self.look()
        self.assertEqual(new.qty_delivered, 1)
        self.assertEqual(len(self.receipts()), 1)
