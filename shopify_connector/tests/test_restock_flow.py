"""Returns and exchanges of the sandbox, from the webhook to the goods."""

from odoo.tests import tagged

from .return_common import ReturnFlowCase


@tagged("post_install", "-at_install", "shopify")
class TestRestockFlow(ReturnFlowCase):
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
