"""An order that is edited in the sandbox as merchants do it, and Odoo that follows."""

from .common import US_SHOP
from .refund_common import RefundCase

BEGIN = """mutation Begin($id: ID!) { orderEditBegin(id: $id) {
  calculatedOrder { id lineItems(first: 9) { nodes { id } } } userErrors { message } } }"""
SET = """mutation Set($id: ID!, $line: ID!, $quantity: Int!) {
  orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $quantity, restock: true) {
    userErrors { message } } }"""
ADD = """mutation Add($id: ID!, $variant: ID!) {
  orderEditAddVariant(id: $id, variantId: $variant, quantity: 2) { userErrors { message } } }"""
COMMIT = "mutation Commit($id: ID!) { orderEditCommit(id: $id) { userErrors { message } } }"


class TestOrderEditFlow(RefundCase):
    """A paid and invoiced order with two lines and taxes, of which nothing was sent."""

    def setUp(self):
        super().setUp()
        self.us.write({"import_orders": True, "invoice_when": "confirmation"})
        self.store = self.shop(self.us).store
        for product in self.create_products(self.us):
            self.stock(self.us, product, 100)
        (self.order,) = self.place_orders(
            self.us, lines=2, payment="paid", extras=False, region="US/NY", seed=1
        )
        self.look()
        self.sale = self.binding(self.us, self.order).sale_order_id
        self.assertEqual(self.sale.state, "sale")

    def look(self):
        self.put(self.us, [self.order["id"]], topic="orders/edited", source="webhook")
        self.drain(self.us)
        if self.us.tax_mapping_ids.filtered(lambda row: not row.tax_id):
            self.map_taxes(self.us)
            self.drain(self.us)
        self.us._job_reserve()
        exceptions = self.account()
        self.assertFalse(exceptions, exceptions.mapped("message"))

    def run_graphql(self, query, **variables):
        answer = self.sandbox.graphql(query, variables, US_SHOP)
        self.assertNotIn("errors", answer)
        (payload,) = answer["data"].values()
        self.assertFalse(payload["userErrors"])
        return payload

    def edit(self, quantities=(), variant=None):
        """One edit: the new quantities of the first lines, and 2 of a variant."""
        session = self.run_graphql(BEGIN, id=self.order["id"])["calculatedOrder"]
        lines = session["lineItems"]["nodes"]
        for line, quantity in zip(lines, quantities, strict=False):
            self.run_graphql(SET, id=session["id"], line=line["id"], quantity=quantity)
        if variant:
            self.run_graphql(ADD, id=session["id"], variant=variant["id"])
        self.run_graphql(COMMIT, id=session["id"])
        self.look()

    def amount(self, name):
        order = self.store.get(self.order["id"])
        return float(self.shop(self.us).read(order, name)["shopMoney"]["amount"])

    def to_ship(self):
        moves = self.sale.picking_ids.move_ids.filtered(
            lambda move: move.state not in ("done", "cancel")
        )
        return {
            move.product_id.default_code: move.product_uom_qty
            for move in moves
            if move.product_uom_qty
        }

    def ordered(self):
        return {
            line.shopify_sku: line.product_uom_qty
            for line in self.sale.order_line
            if line.shopify_sku
        }

    def assert_follows(self):
        """Order, deliveries and books say what Shopify says; told again, nothing changes."""
        self.assertEqual(round(self.sale.amount_total, 2), self.amount("currentTotalPriceSet"))
        self.assertEqual(self.to_ship(), {sku: q for sku, q in self.ordered().items() if q})
        self.assertBooks(self.sale, str(self.amount("currentTotalPriceSet")))
        moves, pickings = self.sale.invoice_ids, self.sale.picking_ids
        self.look()
        self.assertEqual((self.sale.invoice_ids, self.sale.picking_ids), (moves, pickings))

    def test_less_of_a_line(self):
        before = self.ordered()
        first, second = before
        total = self.amount("totalPriceSet")
        self.edit([1])
        self.assertLess(self.amount("currentTotalPriceSet"), total)
        self.assertEqual(self.ordered(), {first: 1, second: before[second]})
        refund = self.refunds(self.sale)
        self.assertEqual((refund.money_state, refund.state), ("none", "booked"))
        self.assertFalse(refund.payment_ids)
        self.assert_follows()

    def test_a_line_removed(self):
        first, _second = self.ordered()
        self.edit([0])
        self.assertEqual(self.ordered()[first], 0)
        self.assertNotIn(first, self.to_ship())
        self.assert_follows()

    def test_a_line_added(self):
        variant = next(
            variant
            for variant in self.store.all("ProductVariant")
            if variant["sku"] not in self.ordered()
        )
        self.edit(variant=variant)
        self.assertEqual(self.ordered()[variant["sku"]], 2)
        self.assertEqual(self.amount("currentTotalPriceSet"), self.amount("totalPriceSet"))
        self.assert_follows()

    def test_less_and_added_at_once(self):
        first, second = self.ordered()
        variant = next(
            variant
            for variant in self.store.all("ProductVariant")
            if variant["sku"] not in self.ordered()
        )
        self.edit([1, 0], variant)
        self.assertEqual(self.ordered(), {first: 1, second: 0, variant["sku"]: 2})
        self.assert_follows()

    def test_one_edit_after_the_other(self):
        first, _second = self.ordered()
        self.edit([1])
        self.edit([2])
        self.assertEqual(self.ordered()[first], 2)
        self.assert_follows()
