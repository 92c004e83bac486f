"""Exchanges: what came back and what the customer got instead settle net, in the books too."""

from decimal import Decimal

from odoo.tests import tagged

from .return_common import ReturnFlowCase


def cents(amount):
    return Decimal(str(round(amount, 2))).quantize(Decimal("0.01"))


@tagged("post_install", "-at_install", "shopify")
class TestExchange(ReturnFlowCase):
    """The order is paid, invoiced and delivered on both sides before the exchange."""

    wishes = {"payment": "paid"}

    def setUp(self):
        super().setUp()
        bank = self.env["account.journal"].search(
            [("company_id", "=", self.us.company_id.id), ("type", "=", "bank")], limit=1
        )
        self.us.write(
            {"invoice_policy": "paid", "refund_policy": "paid", "payment_journal_id": bank.id}
        )
        self.sent = self.ship()
        self.look()
        self.line = self.sale.order_line.filtered("product_id.is_storable")
        self.unit = cents(self.line.price_unit)
        self.before = cents(self.sale.invoice_ids.amount_total)
        self.assertEqual(self.before, self.figure("totalPriceSet"))
        self.assertEqual(self.receivable(), 0)

    def figure(self, name):
        return cents(float(self.store.get(self.order["id"])[name]["shopMoney"]["amount"]))

    def look(self):
        result = super().look()
        tasks = [("backend_id", "=", self.us.id)]
        while self.env["shopify.accounting.task"].search_count(tasks, limit=1):
            self.us._job_account()
        self.env.flush_all()
        self.env.invalidate_all()
        return result

    def receivable(self):
        """What the customer owes by the books; negative: what he is owed."""
        moves = self.sale.invoice_ids | self.sale.shopify_order_ids.payment_ids.move_id
        lines = moves.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and line.parent_state == "posted"
        )
        return cents(sum(lines.mapped("balance")))

    def open_lines(self):
        moves = self.sale.invoice_ids | self.sale.shopify_order_ids.payment_ids.move_id
        return moves.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )

    def exchange(self, price, refund=0):
        """One unit is exchanged for one of a product at this price; ``refund`` is given back.

        :return: the new line of the sale order
        """
        other = next(
            variant
            for variant in self.store.all("ProductVariant")
            if variant["sku"] != self.product.default_code
        )
        self.store.put(other["id"], "ProductVariant", {"price": str(price)})
        record = self.ask(exchangeLineItems=[{"variantId": other["id"], "quantity": 1}])
        (item,) = record["exchangeLineItems"]["nodes"]
        transfer = {}
        if refund:
            (paid,) = (
                one
                for one in self.store.related(self.order, "transactions")
                if one["kind"] in ("SALE", "CAPTURE")
            )
            amount = {"amount": str(refund), "currencyCode": "USD"}
            given = [{"parentId": paid["id"], "transactionAmount": amount}]
            transfer = {"financialTransfer": {"issueRefund": {"orderTransactions": given}}}
        self.process_return(
            record, exchangeLineItems=[{"id": item["id"], "quantity": 1}], **transfer
        )
        for _again in range(2):
            self.look()
        new = self.sale.order_line.filtered(
            lambda line: line.product_id.default_code == other["sku"]
        )
        self.assertEqual((len(new), cents(new.price_total)), (1, cents(price)))
        return new

    def pay(self, amount):
        number = len(self.store.all("OrderTransaction")) + 1
        money = {"amount": str(amount), "currencyCode": "USD"}
        self.sandbox.load(
            [
                {
                    "__typename": "OrderTransaction",
                    "id": f"gid://shopify/OrderTransaction/77{number}",
                    "order": {"id": self.order["id"]},
                    "kind": "SALE",
                    "status": "SUCCESS",
                    "gateway": "bogus",
                    "amountSet": {"shopMoney": money, "presentmentMoney": money},
                    "processedAt": self.order["processedAt"],
                }
            ],
            self.us.shop_domain,
        )
        self.look()

    def refund(self):
        (refund,) = self.sale.shopify_order_ids.refund_ids
        self.assertEqual(refund.state, "booked", refund.state_note)
        return refund

    def assert_settled(self):
        self.assertEqual(self.receivable(), 0)
        self.assertFalse(self.open_lines(), self.open_lines().mapped("move_id.name"))
        self.assertFalse(self.env["shopify.exception"].search([("state", "=", "open")]))

    def test_a_cheaper_item(self):
        """The difference goes back; the credit note is over what came back, not over the money."""
        price, back = self.unit - 3, Decimal("3.00")
        new = self.exchange(price, refund=back)
        refund = self.refund()
        self.assertEqual(cents(refund.amount_money), back)
        self.assertEqual(cents(refund.amount_exchanged), price)
        self.assertEqual(cents(refund.move_ids.amount_total), self.unit)
        self.assertEqual(new.qty_invoiced, 1)
        self.assertEqual(
            cents(sum(self.sale.invoice_ids.mapped("amount_total_signed"))), self.before - back
        )
        self.assertEqual(len(refund.payment_ids.payment_id), 1)
        self.assert_settled()

    def test_an_item_of_the_same_price(self):
        new = self.exchange(self.unit)
        refund = self.refund()
        self.assertEqual(refund.money_state, "none")
        self.assertEqual(cents(refund.move_ids.amount_total), self.unit)
        self.assertEqual(new.qty_invoiced, 1)
        self.assertFalse(refund.payment_ids)
        self.assert_settled()

    def test_a_dearer_item(self):
        """The customer owes the rest until he has paid it."""
        new = self.exchange(self.unit + 5)
        self.assertEqual(cents(self.refund().move_ids.amount_total), self.unit)
        self.assertEqual(self.receivable(), 5 if new.qty_invoiced else -self.unit)
        self.pay("5.00")
        self.assertEqual(new.qty_invoiced, 1)
        self.assert_settled()
