"""Amounts that Odoo's engine would not compute by itself, on orders and on posted invoices."""

from odoo import Command

from ..services.order_totals import NO_TAX
from .order_common import OrderCase
from .order_nodes import OrderNode

NY = [("NY State", 0.04), ("NY City", 0.045)]
SAME = [("County A", 0.01), ("County B", 0.01)]


class TestOrderMoney(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for sku in ("A", "B", "C"):
            cls.env["product.product"].create(
                {
                    "name": sku,
                    "default_code": sku,
                    "type": "consu",
                    "is_storable": True,
                    "list_price": 77,
                }
            )

    def taxes(self, backend, *taxes, **options):
        return [self.tax(backend, title, rate, **options) for title, rate in taxes]

    def assertMoney(self, sale, untaxed, tax, total, by_tax=None):
        """The order, its lines computed anew, and its posted invoice say the same."""
        figures = (untaxed, tax, total)
        self.assertEqual(self._figures(sale), figures)
        sums = [sum(sale.order_line.mapped(name)) for name in ("price_subtotal", "price_total")]
        self.assertEqual([sale.currency_id.round(amount) for amount in sums], [untaxed, total])
        # What was given to the lines at creation is what the engine makes of them.
        given = sale.order_line.mapped(lambda line: (line.price_subtotal, line.price_total))
        self.env.add_to_compute(sale.order_line._fields["price_subtotal"], sale.order_line)
        self.env.flush_all()
        self.assertEqual(
            sale.order_line.mapped(lambda line: (line.price_subtotal, line.price_total)), given
        )
        invoice = sale._create_invoices()
        invoice.action_post()
        self.assertEqual(self._figures(invoice), figures)
        if by_tax is not None:
            found = {
                line.tax_line_id: -line.currency_id.round(line.amount_currency)
                for line in invoice.line_ids.filtered("tax_line_id")
            }
            self.assertEqual(found, by_tax)
        return invoice

    def _figures(self, record):
        return record.amount_untaxed, record.amount_tax, record.amount_total

    def both_roundings(self):
        for method in ("round_per_line", "round_globally"):
            self.us.company_id.tax_calculation_rounding_method = method
            yield method

    def test_taxes_as_they_are(self):
        """Tax amounts that no rounding gives stay, in companies of both rounding methods."""
        state, city = self.taxes(self.us, *NY)
        for number, method in enumerate(self.both_roundings(), 1):
            with self.subTest(method):
                node = OrderNode(number)
                node.line("A", "9.99", 3, [("NY State", 0.04, "1.17"), ("NY City", 0.045, "1.29")])
                node.line("B", "0.33", 1, [("NY State", 0.04, "0.02"), ("NY City", 0.045, "0")])
                sale = self.sale(self.us, node)
                self.assertMoney(sale, 30.3, 2.48, 32.78, {state: 1.19, city: 1.29})

    def test_discount_that_percent_cannot_express(self):
        self.taxes(self.us, *NY)
        for number, method in enumerate(self.both_roundings(), 1):
            with self.subTest(method):
                node = OrderNode(number).line("A", "9.99", 3, NY, discount="1.00")
                sale = self.sale(self.us, node)
                self.assertEqual(sale.order_line.discount, 3.34)
                self.assertEqual(sale.order_line.price_unit, 9.99)
                self.assertMoney(sale, 28.97, 2.46, 31.43)

    def test_no_taxes(self):
        """The engine takes manual amounts only beside taxes; a line without needs them too."""
        for number, method in enumerate(self.both_roundings(), 1):
            with self.subTest(method):
                node = OrderNode(number).line("A", "9.99", 3, discount="1.00").line("B", "0.01")
                sale = self.sale(self.us, node)
                data = sale.order_line[0].extra_tax_data
                self.assertEqual(data["manual_tax_amounts"], {NO_TAX: {}})
                self.assertMoney(sale, 28.98, 0, 28.98)

    def test_two_taxes_of_one_rate(self):
        first, second = self.taxes(self.us, *SAME)
        node = OrderNode(1).line("A", "10.50", 1, SAME)
        self.assertMoney(self.sale(self.us, node), 10.5, 0.22, 10.72, {first: 0.11, second: 0.11})

    def test_two_of_shopify_are_one_of_odoo(self):
        tax = self.tax(self.us, "County A", 0.01)
        self.tax(self.us, "County B", 0.01)
        self.us.tax_mapping_ids.filtered(lambda m: m.title == "County B").tax_id = tax
        node = OrderNode(1).line("A", "10.50", 1, SAME)
        sale = self.sale(self.us, node)
        self.assertEqual(sale.order_line.tax_ids, tax)
        self.assertMoney(sale, 10.5, 0.22, 10.72, {tax: 0.22})

    def test_tax_of_zero_is_kept(self):
        tax = self.tax(self.us, "Export", 0.0)
        node = OrderNode(1).line("A", "10.50", 1, [("Export", 0.0)])
        sale = self.sale(self.us, node)
        self.assertEqual(sale.order_line.tax_ids, tax)
        self.assertMoney(sale, 10.5, 0, 10.5)

    def test_prices_with_tax(self):
        full = self.tax(self.eu, "MwSt", 0.19, "DE", included=True)
        reduced = self.tax(self.eu, "MwSt", 0.07, "DE", included=True)
        address = {**OrderNode(1).address, "countryCodeV2": "DE", "provinceCode": None}
        node = OrderNode(1, "EUR", True, shippingAddress=address, billingAddress=address)
        node.line("A", "9.99", 3, [("MwSt", 0.19)], discount="1.00")
        node.line("B", "1.43", 7, [("MwSt", 0.07)])
        node.ship("4.90", [("MwSt", 0.19)])
        sale = self.sale(self.eu, node)
        self.assertEqual(sale.order_line[0].price_unit, 9.99)
        self.assertMoney(sale, 37.82, 6.06, 43.88, {full: 5.41, reduced: 0.65})

    def test_all_for_nothing(self):
        self.taxes(self.us, *NY)
        node = OrderNode(1).line("A", "9.99", 3, NY, discount="29.97")
        sale = self.sale(self.us, node)
        self.assertEqual(sale.order_line.discount, 100)
        self.assertMoney(sale, 0, 0, 0)

    def test_currency_without_decimals(self):
        self.env.ref("base.JPY").active = True
        first, _second = self.taxes(self.us, *NY)
        node = OrderNode(1, "JPY").line("A", "999", 3, NY, discount="100").line("B", "86", 1)
        sale = self.sale(self.us, node)
        self.assertEqual(sale.currency_id.name, "JPY")
        invoice = self.assertMoney(sale, 2983, 246, 3229)
        self.assertIn(first, invoice.line_ids.tax_line_id)

    def test_currency_with_three_decimals(self):
        self.env.ref("base.KWD").active = True
        self.taxes(self.us, *NY)
        node = OrderNode(1, "KWD").line("A", "9.999", 3, NY, discount="1.003")
        sale = self.sale(self.us, node)
        self.assertEqual(sale.order_line.price_unit, 9.999)
        self.assertMoney(sale, 28.994, 2.465, 31.459)

    def test_five_hundred_lines(self):
        state, city = self.taxes(self.us, *NY)
        for number, method in enumerate(self.both_roundings(), 1):
            with self.subTest(method):
                node = OrderNode(number)
                for _index in range(500):
                    node.line("A", "1.01", 1, NY)
                sale = self.sale(self.us, node)
                self.assertEqual(len(sale.order_line), 500)
                self.assertMoney(sale, 505, 45, 550, {state: 20, city: 25})

    def test_books_in_the_currency_of_the_store(self):
        """The order in the customer's currency: the books get the store's amounts."""
        self.us.currency_policy = "presentment"
        self.env.ref("base.CAD").active = True
        self.taxes(self.us, *NY)
        node = OrderNode(1, presentment="CAD", rate="1.3721")
        node.line("A", "9.99", 3, NY, discount="1.00").line("B", "0.86")
        sale = self.sale(self.us, node)
        self.assertEqual(sale.currency_id.name, "CAD")
        invoice = sale._create_invoices()
        invoice.action_post()
        self.assertEqual(invoice.amount_total, sale.amount_total)
        self.assertEqual(invoice.amount_total_signed, float(node.total))
        self.assertEqual(invoice.amount_tax_signed, float(node.tax))
        self.assertEqual(sum(invoice.line_ids.mapped("balance")), 0)

    def test_totals_that_differ_are_refused(self):
        """Neither order, contact nor binding stays; the others of the batch go through."""
        self.taxes(self.us, *NY)
        right = OrderNode(1).line("A", "9.99", 3, NY)
        wrong = OrderNode(2).line("A", "9.99", 3, NY)
        wrong.total += 1
        outcomes = self.process(self.us, right, wrong)
        self.assertEqual([o.status for o in outcomes], ["created", "blocked"])
        (block,) = outcomes[1].blocks
        self.assertEqual((block.category, block.key), ("totals", wrong.node["id"]))
        self.assertIn("33.52 USD", block.message)
        self.assertIn("-1.00 USD", block.message)
        self.assertFalse(self.binding(self.us, wrong))
        self.assertFalse(self.env["res.partner"].search([("email", "=", "ada2@example.com")]))
        self.assertFalse(self.env["sale.order"].search([("name", "=", "#2")]))

    def test_what_the_engine_makes_different_is_refused(self):
        """The proof reads Odoo's own totals: an engine that ignores the amounts is noticed."""
        tax = self.tax(self.us, "NY State", 0.04)
        tax.write(
            {
                "amount_type": "group",
                "children_tax_ids": [
                    Command.set(self.tax(self.us, "Child", 0.04).ids),
                ],
            }
        )
        right = OrderNode(1).line("A", "9.99", 1)
        wrong = OrderNode(2).line("B", "9.99", 1, [("NY State", 0.04, "0.42")])
        outcomes = self.process(self.us, right, wrong)
        self.assertEqual([o.status for o in outcomes], ["created", "blocked"])
        self.assertIn("tax: Shopify", outcomes[1].blocks[0].message)
        self.assertFalse(self.binding(self.us, wrong))
        self.assertFalse(self.env["sale.order"].search([("name", "=", "#2")]))
        self.assertEqual(outcomes[0].record.amount_total, 9.99)

    def test_more_decimals_than_the_currency_has(self):
        """Odoo's JPY has none: an order with some cannot be kept exactly."""
        self.env.ref("base.JPY").active = True
        node = OrderNode(1, "JPY").line("A", "99.5", 1)
        (outcome,) = self.process(self.us, node)
        self.assertEqual(outcome.status, "blocked")
        self.assertEqual(outcome.blocks[0].category, "totals")
