"""Orders of the sandbox store become sale orders, invoices and transfers with the same figures."""

from collections import defaultdict
from decimal import Decimal

from .order_common import OrderCase


def _amount(money_bag, policy="shop"):
    money = (money_bag or {}).get(f"{policy}Money") or {"amount": "0"}
    return Decimal(money["amount"])


class TestOrderFlow(OrderCase):
    def import_all(self, backend, count, seed, policy="shop", **wishes):
        """Place orders, map what they wait for, import; returns ``[(node, sale order)]``."""
        self.create_products(backend)
        backend.currency_policy = policy
        placed = self.place_orders(backend, count, seed=seed, **wishes)
        nodes = self.fetch(backend, [node["id"] for node in placed])
        outcomes = self.process(backend, *nodes)
        waiting = [
            node
            for node, outcome in zip(nodes, outcomes, strict=True)
            if outcome.status == "blocked"
        ]
        self.map_taxes(backend)
        found = {node["id"]: outcome for node, outcome in zip(nodes, outcomes, strict=True)}
        found |= {
            node["id"]: outcome
            for node, outcome in zip(waiting, self.process(backend, *waiting), strict=True)
        }
        pairs = []
        for node in nodes:
            outcome = found[node["id"]]
            self.assertEqual(outcome.status, "created", (node["name"], outcome))
            pairs.append((node, outcome.record.with_env(self.env)))
        return pairs

    def assertSameFigures(self, node, sale, policy):
        totals = {
            "total": (sale.amount_total, "totalPriceSet"),
            "tax": (sale.amount_tax, "totalTaxSet"),
        }
        for figure, (ours, key) in totals.items():
            self.assertEqual(
                sale.currency_id.round(ours),
                sale.currency_id.round(float(_amount(node[key], policy))),
                f"{node['name']}: {figure}",
            )

    def assertSameTaxes(self, backend, node, invoice, policy):
        """Each tax of the invoice is what Shopify's tax lines of that title and rate add up to."""
        theirs = defaultdict(Decimal)
        holders = [
            *node["lineItems"]["nodes"],
            *node["shippingLines"]["nodes"],
            *(node["additionalFees"] or []),
            *(duty for line in node["lineItems"]["nodes"] for duty in line["duties"] or []),
        ]
        for holder in holders:
            for tax in holder["taxLines"] or []:
                theirs[tax["title"], tax["rate"]] += _amount(tax["priceSet"], policy)
        ours = defaultdict(Decimal)
        by_tax = {m.tax_id: (m.title, m.rate) for m in backend.tax_mapping_ids}
        for line in invoice.line_ids.filtered("tax_line_id"):
            title, rate = by_tax[line.tax_line_id]
            ours[title, rate] -= Decimal(str(invoice.currency_id.round(line.amount_currency)))
        self.assertEqual(
            {key: amount for key, amount in ours.items() if amount},
            {key: amount for key, amount in theirs.items() if amount},
            node["name"],
        )

    def test_figures_of_a_us_store(self):
        """Prices without tax, several taxes per line, discounts, tips, fees, gift cards, duties."""
        for node, sale in self.import_all(self.us, 40, seed=3):
            self.assertSameFigures(node, sale, "shop")
            self.assertEqual(sale.state, "sale")
            invoice = sale._create_invoices()
            invoice.action_post()
            self.assertEqual(invoice.amount_total, sale.amount_total, node["name"])
            self.assertEqual(invoice.amount_tax, sale.amount_tax, node["name"])
            self.assertSameTaxes(self.us, node, invoice, "shop")

    def test_figures_of_an_eu_store(self):
        """Prices with tax."""
        for node, sale in self.import_all(self.eu, 40, seed=4):
            self.assertSameFigures(node, sale, "shop")
            invoice = sale._create_invoices()
            invoice.action_post()
            self.assertEqual(invoice.amount_total, sale.amount_total, node["name"])
            self.assertSameTaxes(self.eu, node, invoice, "shop")

    def test_figures_in_the_currency_of_the_customer(self):
        """The document is in the customer's currency, the books have the store's amounts."""
        self.env.ref("base.CAD").active = True
        pairs = self.import_all(self.us, 15, seed=6, policy="presentment", currency="CAD")
        for node, sale in pairs:
            self.assertEqual(sale.currency_id.name, "CAD")
            self.assertSameFigures(node, sale, "presentment")
            invoice = sale._create_invoices()
            invoice.action_post()
            self.assertSameTaxes(self.us, node, invoice, "presentment")
            self.assertEqual(
                invoice.company_currency_id.round(invoice.amount_total_signed),
                float(_amount(node["totalPriceSet"], "shop")),
                node["name"],
            )

    def test_through_the_inbox(self):
        """The whole way: put, claimed, read, created, reserved; a second time changes nothing."""
        self.create_products(self.us)
        self.us.auto_tax_mapping = True
        nodes = self.place_orders(self.us, 5, seed=8, lines=2, region="US/OR", extras=False)
        orders = self.import_orders(self.us, nodes)
        self.assertEqual(len(orders), 5)
        self.assertEqual(set(orders.sale_order_id.mapped("state")), {"sale"})
        for product in orders.sale_order_id.order_line.product_id:
            if product.is_storable:
                self.stock(self.us, product, 1000)
        self.us._job_reserve()
        pickings = orders.sale_order_id.picking_ids
        self.assertTrue(pickings)
        self.assertEqual(set(pickings.mapped("state")), {"assigned"})
        self.assertFalse(any(orders.mapped("reserve_pending")))
        before = self.env["sale.order"].search_count([])
        self.import_orders(self.us, reversed(nodes))
        self.assertEqual(self.env["sale.order"].search_count([]), before)

    def test_inbox_names_orders(self):
        """People read order numbers; what is not in Odoo yet has the number of its page."""
        self.create_products(self.us)
        (order,) = self.place_orders(self.us, lines=1, extras=False, region="US/OR")
        missing = "gid://shopify/Order/777"
        self.import_orders(self.us, [order, missing])
        Event = self.env["shopify.webhook.event"]
        for gid, name in ((order["id"], order["name"]), (missing, "Order 777")):
            events = Event.search([("resource_gid", "=", gid)])
            self.assertEqual(set(events.mapped("resource_name")), {name})
