"""What the tests of changes in Shopify share."""

from decimal import Decimal

from .accounting_common import CITY, STATE, AccountingCase
from .order_nodes import OrderNode

STORES = {"invoiced": ("posted", "PENDING"), "paid": ("paid", "PAID")}


class EditCase(AccountingCase):
    """One order, 3 x A, 1 x B and shipping, worth 47.35, in every state that Odoo has for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.goods |= cls.product(cls, "C")
        cls.stock(cls, cls.us, cls.goods[2], 1000)

    def setUp(self):
        super().setUp()
        self.minute = 0

    def build(
        self,
        *,
        a=(3, "0.37", "1.18", "1.37"),
        b=True,
        c=False,
        ship=("4.00", "0.16", "0.19"),
        money=(),
        off=None,
        **fields,
    ):
        """A state of the order, later than all before.

        :param a: units, discount and the two taxes of the line of A
        :param off: units of A that an edit took off, and what Shopify says they are worth without
            and in taxes
        :param money: kinds of the transactions: SALE, REFUND
        """
        self.minute += 1
        fields.setdefault("updatedAt", f"2026-11-02T11:{self.minute:02d}:00Z")
        node = OrderNode(1001, **fields)
        quantity, discount, state, city = a
        node.line("A", "9.99", quantity, self.taxes(state, city), discount=discount)
        if b:
            node.line("B", "10.00", 1, self.taxes("0.40", "0.45"))
        if c:
            node.line("C", "7.00", 2, self.taxes("0.56", "0.63"))
        if ship:
            price, state, city = ship
            node.ship(price, [(*STATE, state), (*CITY, city)])
        if off:
            units, subtotal, tax = off
            self.take_off(node, [(node.lines[0], units, subtotal, tax)])
        for number, kind in enumerate(money, start=1):
            self.transaction(node, number, "47.35", kind=kind)
        if "REFUND" in money:
            node.fields["totalRefundedSet"] = node.bag("47.35")
        return node

    def take_off(self, node, lines, restock=False, everything=False):
        """Shopify's refund of an edit, or of another removal: units stay in ``quantity``.

        :param lines: ``[(line item, units, subtotal, tax)]``
        :param everything: shipping too, and the money of the order's refund
        """
        money = node.extra.get("transactions", []) if everything else []
        items, worth = [], Decimal(0)
        for number, (item, units, subtotal, tax) in enumerate(lines, start=1):
            item["currentQuantity"] -= units
            worth += Decimal(subtotal) + Decimal(tax)
            items.append(
                {
                    "id": node.gid("RefundLineItem", number),
                    "quantity": units,
                    "restockType": "CANCEL" if restock else "NO_RESTOCK",
                    "restocked": restock,
                    "location": None,
                    "subtotalSet": node.bag(subtotal),
                    "totalTaxSet": node.bag(tax),
                    "lineItem": {"id": item["id"]},
                }
            )
        refunds = node.extra.setdefault("refunds", [])
        refunds.append(
            {
                "id": node.gid("Refund", len(refunds) + 1),
                "createdAt": "2026-11-02T11:30:00Z",
                "totalRefundedSet": node.bag(0),
                "refundLineItems": {"nodes": items},
                "refundShippingLines": {"nodes": [self.shipping_of(node)] if everything else []},
                "orderAdjustments": {"nodes": []},
                "duties": [],
                "transactions": {
                    "nodes": [{"id": row["id"]} for row in money if row["kind"] == "REFUND"]
                },
            }
        )
        node.fields.update(edited=True, currentTotalPriceSet=node.bag(node.total - worth))
        return node

    def shipping_of(self, node):
        return {
            "id": node.gid("RefundShippingLine", 1),
            "shippingLine": {"id": node.shipping[0]["id"]},
            "subtotalAmountSet": node.bag("4.00"),
            "taxAmountSet": node.bag("0.35"),
        }

    def reach(self, state):
        """Import the order and bring it into a state; returns the sale order."""
        money = state.partition("_")[0]
        policy, status = STORES.get(money, ("none", "PENDING"))
        self.us.write(
            {
                "confirm_policy": "quotation" if state == "quotation" else "always",
                "invoice_policy": policy,
                "invoice_when": "confirmation",
            }
        )
        paid = ["SALE"] if money == "paid" else []
        sale = self.sale(self.us, self.build(money=paid, displayFinancialStatus=status))
        self.us._job_reserve()
        self.assertFalse(self.account())
        if state == "partly_delivered":
            self.deliver(sale, {"A": 2})
        elif state.endswith("delivered"):
            self.deliver(sale, {"A": 3, "B": 1})
        elif state == "locked":
            sale.action_lock()
        elif state == "cancelled":
            sale._action_cancel()
        self.account()
        return sale

    def change(self, **changes):
        """Shopify changes the order; returns the outcome."""
        return self.process(self.us, self.build(**changes))[0]

    def line(self, sale, sku):
        return sale.order_line.filtered(lambda line: line.shopify_sku == sku)

    def ordered(self, sale):
        """``{sku: ordered quantity}``"""
        lines = sale.order_line.filtered("shopify_sku")
        return {line.shopify_sku: line.product_uom_qty for line in lines}

    def still_to_ship(self, sale):
        """``{sku: units of moves that are neither done nor cancelled}``; no return among them"""
        moves = sale.picking_ids.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
        self.assertEqual(set(moves.mapped("location_dest_usage")) | {"customer"}, {"customer"})
        found = {}
        for move in moves:
            sku = move.product_id.default_code
            found[sku] = found.get(sku, 0) + move.product_uom_qty
        return found

    def posted(self, sale):
        moves = sale.invoice_ids.filtered(lambda move: move.state == "posted")
        return round(sum(moves.mapped("amount_total_signed")), 2)
