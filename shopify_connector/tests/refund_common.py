"""What the tests of refunds share."""

from decimal import Decimal

from .accounting_common import AccountingCase


def page(nodes=()):
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": False}}


class RefundCase(AccountingCase):
    """Orders of 47.35: 3 x A for 32.15 with tax, B for 10.85, shipping for 4.35."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.refund_policy = "paid"

    def refund(self, order, number, money=None, *, status="SUCCESS", gateway=None, **fields):
        """Add a refund to an order; it moves ``money``, None: it has no transaction."""
        transactions = []
        if money is not None:
            position = 90 + number
            extra = {"gateway": gateway, "formattedGateway": gateway} if gateway else {}
            self.transaction(
                order,
                position,
                money,
                kind="REFUND",
                status=status,
                processedAt=f"2026-11-0{2 + number}T10:00:00Z",
                **extra,
            )
            transactions = [{"id": order.extra["transactions"][-1]["id"]}]
        node = {
            "id": f"gid://shopify/Refund/{order.number * 10 + number}",
            "createdAt": f"2026-11-0{2 + number}T10:00:00Z",
            "processedAt": f"2026-11-0{2 + number}T10:00:00Z",
            "updatedAt": f"2026-11-0{2 + number}T10:00:00Z",
            "note": None,
            "totalRefundedSet": order.bag(money or 0),
            "refundLineItems": page(),
            "refundShippingLines": page(),
            "orderAdjustments": page(),
            "duties": [],
            "transactions": page(transactions),
            **fields,
        }
        order.extra.setdefault("refunds", []).append(node)
        self._lower(order, node)
        order.fields["updatedAt"] = f"2026-11-1{len(order.extra['transactions'])}T10:00:00Z"
        return order

    def _lower(self, order, refund):
        """As Shopify does: what is left of the lines and of the total; what was ordered stays."""
        for line in refund["refundLineItems"]["nodes"]:
            ordered = next(one for one in order.lines if one["id"] == line["lineItem"]["id"])
            ordered["currentQuantity"] -= line["quantity"]
        left = getattr(order, "left", (order.total, order.seen["total"]))
        for side, name in enumerate(("shopMoney", "presentmentMoney")):
            taken = self._worth(order, refund, name)
            left = (left[0] - taken, left[1]) if not side else (left[0], left[1] - taken)
        order.left = left
        current = order.bag(left[0])
        current["presentmentMoney"]["amount"] = str(left[1])
        order.extra["currentTotalPriceSet"] = current
        money = Decimal(refund["totalRefundedSet"]["shopMoney"]["amount"])
        order.given_back = getattr(order, "given_back", Decimal(0)) + money
        order.extra["totalRefundedSet"] = order.bag(order.given_back)
        if money:
            order.fields["displayFinancialStatus"] = "PARTIALLY_REFUNDED"

    @staticmethod
    def _worth(order, refund, money):
        pairs = [("refundLineItems", "subtotalSet", "totalTaxSet")]
        pairs.append(("refundShippingLines", "subtotalAmountSet", "taxAmountSet"))
        worth = Decimal(0)
        for key, subtotal, tax in pairs:
            for line in refund[key]["nodes"]:
                worth += Decimal(str(line[subtotal][money]["amount"]))
                worth += 0 if order.included else Decimal(str(line[tax][money]["amount"]))
        for duty in refund["duties"]:
            worth += Decimal(str(duty["amountSet"][money]["amount"]))
        return worth

    def item(self, order, position, quantity, subtotal, tax, *, restock="NO_RESTOCK"):
        """One line of a refund: ``refundLineItems=page([self.item(...)])``."""
        return {
            "id": f"gid://shopify/RefundLineItem/{order.number}{position}{quantity}{subtotal}",
            "quantity": quantity,
            "restockType": restock,
            "restocked": restock != "NO_RESTOCK",
            "lineItem": {"id": order.lines[position]["id"]},
            "location": None,
            "subtotalSet": order.bag(subtotal),
            "totalTaxSet": order.bag(tax),
        }

    def shipping_back(self, order, amount, tax):
        return {
            "id": f"gid://shopify/RefundShippingLine/{order.number}{amount}",
            "shippingLine": {"id": order.shipping[0]["id"]},
            "subtotalAmountSet": order.bag(amount),
            "taxAmountSet": order.bag(tax),
        }

    def adjustment(self, order, amount, reason="REFUND_DISCREPANCY", tax=0):
        return {
            "id": f"gid://shopify/OrderAdjustment/{order.number}{amount}",
            "reason": reason,
            "amountSet": order.bag(amount),
            "taxAmountSet": order.bag(tax),
        }

    def refunds(self, sale):
        return sale.shopify_order_ids.refund_ids.sorted("id")

    def credit_notes(self, sale):
        return self.refunds(sale).move_ids.sorted("id")

    def invoices(self, sale):
        return sale.invoice_ids.filtered(lambda move: move.move_type == "out_invoice").sorted("id")

    def assertSettled(self, sale):
        """All documents and payments of the order are reconciled."""
        moves = sale.invoice_ids | sale.shopify_order_ids.payment_ids.move_id
        lines = moves.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        open_lines = lines.filtered(lambda line: not line.reconciled)
        self.assertFalse(
            open_lines, open_lines.mapped(lambda line: (line.move_id.name, line.balance))
        )

    def assertBooks(self, sale, total):
        """Invoices less credit notes are what the customer paid in the end."""
        signed = sum(sale.invoice_ids.mapped("amount_total_signed"))
        self.assertEqual(Decimal(str(round(signed, 2))), Decimal(total))
