"""What the tests of invoices and payments share."""

from decimal import Decimal

from .order_common import OrderCase
from .order_nodes import OrderNode

STATE, CITY = ("NY State", 0.04), ("NYC City", 0.045)


class AccountingCase(OrderCase):
    """The US store with two mapped taxes, a bank journal for its money and goods in stock."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.goods = cls.env["product.product"].create(
            [
                {
                    "name": sku,
                    "default_code": sku,
                    "type": "consu",
                    "is_storable": True,
                    "invoice_policy": "delivery",
                }
                for sku in ("A", "B")
            ]
        )
        for product in cls.goods:
            cls.stock(cls, cls.us, product, 1000)
        cls.bank = cls.env["account.journal"].search(
            [("company_id", "=", cls.company.id), ("type", "=", "bank")], limit=1
        )
        cls.gift_cards = cls.env["account.account"].create(
            {
                "name": "Gift Cards",
                "code": "239900",
                "account_type": "liability_current",
                "company_ids": [(6, 0, cls.company.ids)],
            }
        )
        cls.us.write(
            {
                "invoice_policy": "paid",
                "payment_journal_id": cls.bank.id,
                "gift_card_account_id": cls.gift_cards.id,
                "shop_timezone": "America/New_York",
            }
        )

    def setUp(self):
        super().setUp()
        self.state = self.tax(self.us, *STATE)
        self.city = self.tax(self.us, *CITY)

    # -- orders ---------------------------------------------------------------------------------

    def taxes(self, state, city):
        """Taxes with amounts that no engine would compute."""
        return [(*STATE, state), (*CITY, city)]

    def order(self, number=1001, **fields):
        """3 x A with two taxes and a discount, 1 x B, shipping: 47.35 in all."""
        node = OrderNode(number, **fields)
        node.line("A", "9.99", 3, self.taxes("1.18", "1.37"), discount="0.37")
        node.line("B", "10.00", 1, self.taxes("0.40", "0.45"))
        return node.ship("4.00", [(*STATE, "0.16"), (*CITY, "0.19")])

    def transaction(self, order, number, amount, kind="SALE", status="SUCCESS", **fields):
        """Add a transaction to an order; ``amount`` is in the store's currency."""
        node = {
            "id": f"gid://shopify/OrderTransaction/{order.number * 10 + number}",
            "kind": kind,
            "status": status,
            "gateway": "shopify_payments",
            "formattedGateway": "Shopify Payments",
            "manualPaymentGateway": False,
            "processedAt": "2026-11-02T10:00:00Z",
            "amountSet": order.bag(amount),
            "test": False,
            **fields,
        }
        order.extra.setdefault("transactions", []).append(node)
        return order

    def paid(self, number=1001, **fields):
        order = self.order(number, **fields)
        return self.transaction(order, 1, order.total)

    # -- what happens ---------------------------------------------------------------------------

    def account(self, backend=None):
        """What the job does for the orders that wait; returns the open accounting exceptions."""
        backend = backend or self.us
        while self.env["shopify.accounting.task"].search_count(
            [("backend_id", "=", backend.id)], limit=1
        ):
            backend._job_account()
        self.env.flush_all()
        self.env.invalidate_all()
        return self.exceptions(backend)

    def exceptions(self, backend):
        return self.env["shopify.exception"].search(
            [("backend_id", "=", backend.id), ("state", "=", "open")]
        )

    def run_order(self, node, backend=None):
        """Import an order and do its accounting, which must go through; returns the sale."""
        backend = backend or self.us
        sale = self.sale(backend, node)
        exceptions = self.account(backend)
        self.assertFalse(exceptions, exceptions.mapped("message"))
        return sale

    def transactions(self, sale):
        return sale.shopify_order_ids.payment_ids.sorted("id")

    def deliver(self, sale, quantities):
        """Ship ``{sku: quantity}`` and leave a backorder for the rest."""
        picking = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
        picking.action_assign()
        for move in picking.move_ids:
            move.quantity = quantities.get(move.product_id.default_code, 0)
            move.picked = bool(move.quantity)
        picking.with_context(skip_backorder=True)._action_done()

    def assertTotals(self, moves, untaxed, state, city):
        """Sums over invoices: untaxed amount and each tax line."""
        self.assertEqual(cents(sum(moves.mapped("amount_untaxed"))), Decimal(untaxed))
        lines = moves.line_ids.filtered(lambda line: line.display_type == "tax")
        for tax, expected in ((self.state, state), (self.city, city)):
            own = lines.filtered(lambda line, tax=tax: line.tax_line_id == tax)
            self.assertEqual(
                cents(-sum(own.mapped("amount_currency"))), Decimal(expected), tax.name
            )
        total = Decimal(untaxed) + Decimal(state) + Decimal(city)
        self.assertEqual(cents(sum(moves.mapped("amount_total"))), total)


def cents(amount):
    return Decimal(str(round(amount, 2))).quantize(Decimal("0.01"))
