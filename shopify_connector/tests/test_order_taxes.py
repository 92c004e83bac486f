"""What becomes of taxes: remitted by a channel, of one rate, of zero, exempt, abroad."""

from decimal import Decimal

import psycopg2

from odoo import Command
from odoo.tests import Form
from odoo.tools import mute_logger

from .accounting_common import AccountingCase, cents
from .order_nodes import OrderNode

MARKET = ("MARKET TAX", 0.08)


class TaxesCase(AccountingCase):
    def liable(self, order, title=MARKET[0]):
        """Let the channel remit the taxes of this title."""
        for line in (*order.lines, *order.shipping):
            for tax in line["taxLines"]:
                tax["channelLiable"] = tax["title"] == title
        return order

    def mapping(self, included=False, country="US", **values):
        return self.env["shopify.tax.mapping"].create(
            {
                "backend_id": self.us.id,
                "title": MARKET[0],
                "rate": MARKET[1],
                "included": included,
                "channel_liable": True,
                "country_id": self.env["res.country"].search([("code", "=", country)]).id,
                **values,
            }
        )

    def comparison(self, sale):
        order = sale.shopify_order_ids
        order.invalidate_recordset(["comparison"])
        return str(order.comparison)


class TestChannelTaxes(TaxesCase):
    def order(self, number=1001, **fields):
        """3 x A less 0.37 and 1 x B, with a tax of the store and one of the channel."""
        node = OrderNode(number, **fields)
        node.line("A", "9.99", 3, [("STATE", 0.04), MARKET], discount="0.37")
        node.line("B", "10.00", 1, [MARKET])
        self.liable(node.ship("4.00", [MARKET]))
        return self.transaction(node, 1, node.total)

    def test_own_account(self):
        """With a tax of its own, everything equals Shopify; the tax has its own account."""
        account = self.env["account.account"].create(
            {
                "name": "Remitted by Marketplaces",
                "code": "239901",
                "account_type": "liability_current",
                "company_ids": [Command.set(self.company.ids)],
            }
        )
        self.us.channel_tax_account_id = account
        self.tax(self.us, "STATE", 0.04)
        mapping = self.mapping()
        own = self.tax(self.us, *MARKET)
        self.assertFalse(mapping.suggested_tax_id, "what the company owes is no suggestion")
        mapping.with_user(self.manager).action_create_tax()
        self.assertNotEqual(mapping.tax_id, own)
        order = self.order()
        invoice = self.run_order(order).invoice_ids
        self.assertEqual(invoice.amount_total, float(order.total))
        lines = invoice.line_ids.filtered(lambda line: line.tax_line_id == mapping.tax_id)
        self.assertEqual(lines.account_id, account)
        self.assertEqual(cents(-sum(lines.mapped("balance"))), Decimal("3.49"))

    def test_never_mapped_automatically(self):
        self.us.auto_tax_mapping = True
        self.tax(self.us, "STATE", 0.04)
        self.tax(self.us, "SALES", 0.08)
        (outcome,) = self.process(self.us, self.order())
        [block] = outcome.blocks
        self.assertEqual(block.category, "tax")
        self.assertIn("leave the tax out", block.remedy)

    def _left_out(self, included):
        self.mapping(included=included, left_out=True)
        self.tax(self.us, "STATE", 0.04, included=included)
        order = self.order(included=included)
        sale = self.run_order(order)
        gone = sum(
            Decimal(tax["priceSet"]["shopMoney"]["amount"])
            for line in (*order.lines, *order.shipping)
            for tax in line["taxLines"]
            if tax["channelLiable"]
        )
        self.assertTrue(gone)
        return order, sale, gone

    def test_left_out_of_prices_without_tax(self):
        order, sale, gone = self._left_out(False)
        self.assertEqual(sale.amount_total, float(order.total - gone))
        self.assertEqual(sale.amount_untaxed, float(order.total - order.tax))
        self.assertEqual(sale.amount_tax, float(order.tax - gone))
        self.assertEqual(sale.order_line[0].price_unit, 9.99)
        self.assertEqual(sale.invoice_ids.amount_total, sale.amount_total)
        self.assertEqual(sale.invoice_ids.amount_tax, sale.amount_tax)
        self.assertFalse(sale.order_line[1].tax_ids)

    def test_left_out_of_prices_with_tax(self):
        order, sale, gone = self._left_out(True)
        self.assertEqual(sale.amount_total, float(order.total - gone))
        self.assertEqual(sale.amount_untaxed, float(order.total - order.tax))
        self.assertEqual(sale.amount_tax, float(order.tax - gone))
        self.assertEqual(sale.invoice_ids.amount_total, sale.amount_total)
        plain = sale.order_line[1]
        self.assertEqual(plain.price_unit, 9.26, "the price is what is left to the store")
        self.assertEqual((plain.discount, plain.price_subtotal), (0.0, 9.26))

    def test_left_out_is_told_and_not_called_different(self):
        for included in (False, True):
            with self.subTest(included=included):
                order = self.order(1001 + included, included=included)
                self.mapping(included=included, left_out=True)
                self.tax(self.us, "STATE", 0.04, included=included)
                sale = self.run_order(order)
                comparison = self.comparison(sale)
                self.assertNotIn("text-danger", comparison)
                self.assertIn("left out", comparison)
                self.assertEqual(sale.shopify_order_ids.amount_total, float(order.total))
                sale.order_line[1].price_unit += 1
                self.assertIn("text-danger", self.comparison(sale), "other differences are")

    def test_left_out_lets_waiting_orders_through(self):
        self.tax(self.us, "STATE", 0.04)
        order = self.order()
        (outcome,) = self.process(self.us, order)
        [block] = outcome.blocks
        self.env["shopify.exception"]._report(self.us, {order.node["id"]: ("#1001", [block])})
        self.env["shopify.tax.mapping"].browse(block.res_id).left_out = True
        self.assertFalse(self.exceptions(self.us).filtered(lambda e: e.category == "tax"))
        self.assertTrue(self.sale(self.us, order))

    def test_mapping_that_changes_later_changes_no_order(self):
        self.tax(self.us, "STATE", 0.04)
        mapping = self.mapping(tax_id=self.tax(self.us, *MARKET).id)
        sale = self.sale(self.us, self.order())
        total = sale.amount_total
        mapping.write({"tax_id": False, "left_out": True})
        again = self.order(updatedAt="2026-11-03T10:00:00Z", note="New")
        (outcome,) = self.process(self.us, again)
        self.assertEqual(outcome.status, "updated", outcome.message)
        self.assertFalse(sale.shopify_order_ids.difference)
        self.assertEqual(sale.amount_total, total)

    def test_form_and_filter(self):
        mapping = self.mapping()
        Mapping = self.env["shopify.tax.mapping"]
        waiting = [("backend_id", "=", self.us.id), ("is_mapped", "=", False)]
        self.assertIn(mapping, Mapping.search(waiting))
        tax = self.tax(self.us, *MARKET)
        with Form(mapping) as form:
            form.tax_id = tax
            form.left_out = True
            self.assertFalse(form.tax_id)
        self.assertNotIn(mapping, Mapping.search(waiting))
        self.assertIn(mapping, Mapping.search([("is_mapped", "=", True)]))
        with Form(mapping) as form:
            form.left_out = False
            form.tax_id = tax
        self.assertEqual(mapping.tax_id, tax)

    @mute_logger("odoo.sql_db")
    def test_only_taxes_of_channels_are_left_out(self):
        with self.assertRaises(psycopg2.IntegrityError), self.cr.savepoint():
            self.mapping(channel_liable=False, left_out=True)
        tax = self.tax(self.us, *MARKET)
        with self.assertRaises(psycopg2.IntegrityError), self.cr.savepoint():
            self.mapping(tax_id=tax.id, left_out=True)


class TestTaxRules(TaxesCase):
    def test_jurisdictions_of_one_rate(self):
        """Two taxes of 1 % stay two where they are mapped to two, and are added up in one."""
        county, town = self.tax(self.us, "COUNTY", 0.01), self.tax(self.us, "TOWN", 0.01)
        taxes = [("COUNTY", 0.01, "0.33"), ("TOWN", 0.01, "0.34")]
        sale = self.sale(self.us, OrderNode(1).line("A", "33.33", 1, taxes))
        self.assertEqual(sale.order_line.tax_ids, county | town)
        totals = sale.order_line.extra_tax_data["manual_tax_amounts"]
        self.assertEqual(totals[str(county.id)]["tax_amount_currency"], 0.33)
        self.assertIn("0.34", self.comparison(sale))
        self.env["shopify.tax.mapping"].search([("tax_id", "=", town.id)]).tax_id = county
        sale = self.sale(self.us, OrderNode(2).line("A", "33.33", 1, taxes))
        self.assertEqual(sale.order_line.tax_ids, county)
        self.assertEqual((sale.amount_tax, sale.amount_total), (0.67, 34.0))
        self.assertIn("0.67", self.comparison(sale), "what Odoo has of the one tax")

    def test_zero_rate_is_kept(self):
        zero = self.tax(self.us, "VAT", 0.0, country="GB")
        order = OrderNode(1, currency="USD").line("A", "10.00", 2, [("VAT", 0.0)])
        order.fields["shippingAddress"] = {
            **order.address,
            "country": "United Kingdom",
            "countryCodeV2": "GB",
            "province": None,
            "provinceCode": None,
        }
        sale = self.sale(self.us, order)
        self.assertEqual(sale.order_line.tax_ids, zero)
        self.assertEqual((sale.amount_tax, sale.amount_total), (0.0, 20.0))
        self.assertIn("VAT", self.comparison(sale))

    def test_exempt_orders_have_their_fiscal_position(self):
        exempt = self.env["account.fiscal.position"].create(
            {"name": "Exempt", "company_id": self.company.id}
        )
        plain = self.sale(self.us, OrderNode(1, taxExempt=True).line("A", "10.00"))
        self.assertNotEqual(plain.fiscal_position_id, exempt)
        self.us.exempt_fiscal_position_id = exempt
        sale = self.run_order(
            self.transaction(order := OrderNode(2, taxExempt=True).line("A", "10.00"), 1, 10)
        )
        self.assertTrue(order.node["taxExempt"])
        self.assertEqual(sale.fiscal_position_id, exempt)
        self.assertFalse(sale.order_line.tax_ids)
        self.assertEqual(sale.invoice_ids.fiscal_position_id, exempt)
        self.assertEqual(sale.invoice_ids.amount_total, 10.0)
        self.assertTrue(sale.shopify_order_ids.tax_exempt)
        other = self.sale(self.us, OrderNode(3).line("A", "10.00"))
        self.assertNotEqual(other.fiscal_position_id, exempt)

    def test_exempt_customer(self):
        exempt = self.env["account.fiscal.position"].create(
            {"name": "Exempt", "company_id": self.company.id}
        )
        self.us.exempt_fiscal_position_id = exempt
        order = OrderNode(1).line("A", "10.00")
        order.fields["customer"] = {**order.node["customer"], "taxExempt": True}
        self.assertEqual(self.sale(self.us, order).fiscal_position_id, exempt)

    def test_fiscal_position_by_country(self):
        """Odoo's own search decides; it changes accounts, never Shopify's taxes."""
        canada = self.env["account.fiscal.position"].create(
            {
                "name": "Canada",
                "company_id": self.company.id,
                "auto_apply": True,
                "country_id": self.env.ref("base.ca").id,
            }
        )
        tax = self.tax(self.us, "GST", 0.05, country="CA")
        order = OrderNode(1).line("A", "10.00", 1, [("GST", 0.05)])
        order.fields["shippingAddress"] = {
            **order.address,
            "country": "Canada",
            "countryCodeV2": "CA",
            "province": "Ontario",
            "provinceCode": "ON",
        }
        sale = self.sale(self.us, order)
        self.assertEqual(sale.fiscal_position_id, canada)
        self.assertEqual(sale.order_line.tax_ids, tax)
        home = self.sale(self.us, OrderNode(2).line("A", "10.00"))
        self.assertNotEqual(home.fiscal_position_id, canada)
