from psycopg2.errors import UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .match_common import MatchCase, line, tax_key


@tagged("post_install", "-at_install")
class TestMatchTax(MatchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["account.tax.group"].create(
            {
                "name": "Match",
                "company_id": cls.company.id,
                "country_id": cls.company.account_fiscal_country_id.id,
            }
        )

    def _create_tax(self, amount=19.0, included=True, **values):
        return (
            self.env["account.tax"]
            .with_company(self.company)
            .create(
                {
                    "name": f"Tax {amount} {included}",
                    "amount": amount,
                    "company_id": self.company.id,
                    "type_tax_use": "sale",
                    "price_include_override": "tax_included" if included else "tax_excluded",
                    **values,
                }
            )
        )

    def _map(self, tax, key, **values):
        values = {
            "backend_id": self.backend.id,
            "title": key.title,
            "rate": float(key.rate or 0),
            "no_rate": key.rate is None,
            "included": key.included,
            "country_id": self.env["res.country"].search([("code", "=", key.country_code)]).id,
            "channel_liable": key.channel_liable,
            "tax_id": tax and tax.id,
            **values,
        }
        return self.env["shopify.tax.mapping"].create(values)

    def _block(self, key):
        found, blocks = self._taxes(key)
        self.assertFalse(found)
        return blocks[key]

    def test_case_and_spaces_of_the_title(self):
        tax = self._create_tax()
        self._map(tax, tax_key("German  VAT"))
        key = tax_key(" german vat")
        self.assertEqual(self._taxes(key), ({key: tax}, {}))

    def test_title_with_two_rates(self):
        full, reduced = self._create_tax(19.0), self._create_tax(7.0)
        self._map(full, tax_key())
        self._map(reduced, tax_key(rate="0.07"))
        found, blocks = self._taxes(tax_key(), tax_key(rate="0.07"))
        self.assertFalse(blocks)
        self.assertEqual(found, {tax_key(): full, tax_key(rate="0.07"): reduced})

    def test_rate_of_two_titles(self):
        one, other = self._create_tax(1.0, name="A"), self._create_tax(1.0, name="B")
        city, county = tax_key("City", "0.01"), tax_key("County", "0.01")
        self._map(one, city)
        self._map(other, county)
        self.assertEqual(self._taxes(city, county)[0], {city: one, county: other})

    def test_two_titles_may_share_a_tax(self):
        tax = self._create_tax(1.0)
        city, county = tax_key("City", "0.01"), tax_key("County", "0.01")
        self._map(tax, city)
        self._map(tax, county)
        self.assertEqual(self._taxes(city, county)[0], {city: tax, county: tax})

    def test_included_and_excluded_are_two(self):
        self._map(self._create_tax(), tax_key())
        block = self._block(tax_key(included=False))
        self.assertEqual(block.category, "tax")

    def test_remitted_by_channel_is_another(self):
        self._map(self._create_tax(), tax_key())
        block = self._block(tax_key(liable=True))
        self.assertEqual(block.category, "tax")

    def test_country_before_no_country(self):
        general, german = self._create_tax(name="EU"), self._create_tax(name="DE")
        self._map(general, tax_key(country=None))
        self._map(german, tax_key())
        french = tax_key(country="FR")
        self.assertEqual(self._taxes(tax_key(), french)[0], {tax_key(): german, french: general})

    def test_unmapped_row_of_country_does_not_hide_the_general_one(self):
        general = self._create_tax()
        self._map(None, tax_key())
        self._map(general, tax_key(country=None))
        self.assertEqual(self._taxes(tax_key())[0], {tax_key(): general})

    def test_rate_of_seven_digits_and_none(self):
        key, none = tax_key("NYC", "0.0887500"), tax_key("NYC", None)
        tax, flat = self._create_tax(8.875), self._create_tax(0.0)
        self._map(tax, key)
        self._map(flat, none)
        self.assertEqual(self._taxes(key, none)[0], {key: tax, none: flat})

    def test_unmapped_tax_names_itself_and_waits_for_its_row(self):
        key = tax_key("NY STATE TAX", "0.04", included=False, country="US")
        block = self._block(key)
        for part in ("NY STATE TAX", "4 %", "US"):
            self.assertIn(part, block.title)
        row = self.env["shopify.tax.mapping"].browse(block.res_id)
        self.assertEqual((row.title, row.percent, row.included), ("NY STATE TAX", 4.0, False))
        self.assertEqual(row.country_id.code, "US")
        self.assertEqual(self._block(key).res_id, row.id, "one row, however often it is met")
        exception = self._wait_for(block)
        row.tax_id = self._create_tax(4.0, included=False)
        self.assertEqual(exception.state, "resolved")
        self.assertEqual(self._taxes(key)[0], {key: row.tax_id})

    def test_general_row_releases_all_countries(self):
        german = self._wait_for(self._block(tax_key()))
        french = self._wait_for(self._block(tax_key(country="FR")))
        reduced = self._wait_for(self._block(tax_key(rate="0.07")))
        self._map(self._create_tax(), tax_key("vat", country=None))
        self.assertEqual(german.state, "resolved")
        self.assertEqual(french.state, "resolved")
        self.assertEqual(reduced.state, "open")

    def test_no_title(self):
        key = tax_key("")
        row_id = self._block(key).res_id
        self.assertEqual(self._block(key).res_id, row_id)
        self.env["shopify.tax.mapping"].browse(row_id).tax_id = self._create_tax()
        self.assertTrue(self._taxes(key)[0])

    def test_same_row_twice(self):
        self._map(None, tax_key())
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"):
            self._map(None, tax_key(" VAT"))

    def test_suggestion(self):
        tax = self._create_tax(4.0, included=False)
        self._create_tax(4.0, included=True)
        self._create_tax(4.0, included=False, type_tax_use="purchase")
        row = self._map(None, tax_key("NY", "0.04", included=False, country="US"))
        self.assertEqual(row.suggested_tax_id, tax)
        self._create_tax(4.0, included=False, name="Another")
        row.invalidate_recordset()
        self.assertFalse(row.suggested_tax_id)
        named = self._create_tax(4.0, included=False, name="NY 4%")
        row.invalidate_recordset()
        self.assertEqual(row.suggested_tax_id, named)
        row.action_use_suggestion()
        self.assertEqual(row.tax_id, named)

    def test_automatic_mapping_only_on_request_and_unique(self):
        tax = self._create_tax(4.0, included=False)
        key = tax_key("NY", "0.04", included=False, country="US")
        self._block(key)
        self.backend.auto_tax_mapping = True
        self.assertEqual(self._taxes(key), ({key: tax}, {}))
        row = self.env["shopify.tax.mapping"].search([("backend_id", "=", self.backend.id)])
        self.assertEqual(row.tax_id, tax)
        abroad = tax_key("NY", "0.04", included=False, country="CA")
        self._block(abroad)
        self._create_tax(4.0, included=False, name="Another")
        self._block(tax_key("Other", "0.04", included=False, country="US"))

    def test_map_all_suggestions_of_the_store(self):
        self._create_tax(4.0, included=False)
        keys = [tax_key(t, "0.04", included=False, country="US") for t in "AB"]
        for key in keys:
            self._block(key)
        self._block(tax_key("C", "0.05", included=False, country="US"))
        action = self.backend.action_map_taxes()
        self.assertIn("2 taxes mapped, 1 left", action["params"]["message"])
        self.assertEqual(len(self._taxes(*keys)[0]), 2)

    def test_create_tax(self):
        account = self.env["account.account"].create(
            {
                "name": "Tax due",
                "code": "MATCH1",
                "account_type": "liability_current",
                "company_ids": [(6, 0, self.company.ids)],
            }
        )
        default = self._create_tax(10.0, included=False, name="Default")
        default.invalidate_recordset()
        taxed = default.repartition_line_ids.filtered(lambda li: li.repartition_type == "tax")
        taxed.account_id = account
        self.company.account_sale_tax_id = default
        key = tax_key("NY STATE TAX", "0.08875", included=True, country="US")
        row = self.env["shopify.tax.mapping"].browse(self._block(key).res_id)
        row.action_create_tax()
        tax = row.tax_id
        self.assertEqual(tax.amount, 8.875)
        self.assertTrue(tax.price_include)
        self.assertEqual(tax.company_id, self.company)
        self.assertEqual(tax.type_tax_use, "sale")
        self.assertIn("NY STATE TAX", tax.name)
        self.assertEqual(tax.country_id, self.company.account_fiscal_country_id)
        lines = tax.repartition_line_ids.filtered(lambda li: li.repartition_type == "tax")
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines.account_id, account)
        self.assertEqual(self._taxes(key)[0], {key: tax})
        other = self._map(None, tax_key("ny state tax", "0.08875", country=None))
        other.title = "NY STATE TAX"
        other.action_create_tax()
        self.assertEqual(other.tax_id, tax, "the same tax is not created twice")

    def test_create_tax_without_tax_group(self):
        company = self.env["res.company"].create(
            {"name": "Empty", "country_id": self.env.ref("base.fr").id}
        )
        self.env.user.company_ids |= company
        self.jobs_user.company_ids |= company
        backend = self._create_backend(company, "match-empty")
        self.assertFalse(self.env["account.tax.group"].search([("company_id", "=", company.id)]))
        row = self._map(None, tax_key("TVA", "0.2", country="FR"), backend_id=backend.id)
        row.action_create_tax()
        self.assertEqual(row.tax_id.company_id, company)
        self.assertEqual(row.tax_id.country_id, self.env.ref("base.fr"))
        self.assertEqual(row.tax_id.tax_group_id.company_id, company)

    def test_who_may_create_taxes(self):
        row = self._map(None, tax_key())
        groups = {"operator": False, "manager": True}
        for group, allowed in groups.items():
            user = new_test_user(
                self.env,
                f"match_{group}",
                f"shopify_connector.group_{group}",
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            if allowed:
                row.with_user(user).action_create_tax()
                self.assertTrue(row.tax_id)
            else:
                with self.assertRaises(AccessError):
                    row.with_user(user).action_create_tax()

    def test_what_a_mapping_refuses(self):
        row = self._map(None, tax_key())
        with self.assertRaisesRegex(ValidationError, "not a sales tax"):
            row.tax_id = self._create_tax(type_tax_use="purchase")
        with self.assertRaisesRegex(ValidationError, "included in the price"):
            row.tax_id = self._create_tax(included=False)
        foreign = self.env["account.tax"].search(
            [("company_id", "=", self.other_company.id), ("type_tax_use", "=", "sale")], limit=1
        ) or self.env["account.tax"].create({"name": "Foreign", "amount": 19})
        with self.assertRaises(UserError):
            row.tax_id = foreign

    def test_other_rate_warns(self):
        row = self._map(None, tax_key())
        row.tax_id = self._create_tax(16.0)
        self.assertIn("19 %", row.warning)
        self.assertIn("16 %", row.warning)
        row.tax_id = self._create_tax(19.0)
        self.assertFalse(row.warning)

    def test_form(self):
        with Form(
            self.env["shopify.tax.mapping"].with_context(default_backend_id=self.backend.id)
        ) as form:
            form.title = "VAT"
            form.percent = 7.25
            form.included = True
        self.assertEqual(form.record.rate, 0.0725)
        self.assertIn("7.25 %", form.record.display_name)


@tagged("post_install", "-at_install")
class TestMatchCarrier(MatchCase):
    def _shipping(self, number=1, **values):
        return line(
            number,
            **{"kind": "shipping", "title": "Express", "code": "EXP", "variant_gid": "", **values},
        )

    def _rates(self, *lines):
        return self._match("carrier", list(lines))

    def _carrier(self, **values):
        product = self._create_product(type="service", name="Carrier")
        values = {"name": "DHL", "product_id": product.id, **values}
        return self.env["delivery.carrier"].create(values)

    def _rows(self):
        return self.env["shopify.carrier.mapping"].search([("backend_id", "=", self.backend.id)])

    def test_unknown_rate_does_not_stop_the_order(self):
        one = self._shipping(source="ups")
        found, blocks = self._rates(one, self._shipping(2))
        self.assertFalse(blocks)
        carrier, product = found[one.gid]
        self.assertFalse(carrier)
        self.assertEqual(product, self.env.ref("shopify_connector.product_shipping"))
        row = self._rows()
        self.assertEqual((row.title, row.code, row.source), ("Express", "EXP", "ups"))
        self._rates(one)
        self.assertEqual(len(self._rows()), 1)

    def test_mapped_rate(self):
        one = self._shipping()
        self._rates(one)
        carrier = self._carrier()
        self._rows().carrier_id = carrier
        self.assertEqual(self._rates(one)[0], {one.gid: (carrier, carrier.product_id)})
        other = self._shipping(code="OTHER")
        self.assertFalse(self._rates(other)[0][other.gid][0])

    def test_title_without_code(self):
        carrier = self._carrier()
        self.env["shopify.carrier.mapping"].create(
            {"backend_id": self.backend.id, "title": "express", "carrier_id": carrier.id}
        )
        one = self._shipping(title="EXPRESS", code="whatever")
        self.assertEqual(self._rates(one)[0][one.gid][0], carrier)

    def test_store_that_stops_unknown_rates(self):
        self.backend.missing_carrier = "stop"
        one = self._shipping()
        found, blocks = self._rates(one)
        self.assertFalse(found)
        block = blocks[one.gid]
        self.assertEqual((block.category, block.key), ("carrier", "EXP|Express"))
        exception = self._wait_for(block)
        row = self._rows()
        self.assertEqual(block.res_id, row.id)
        row.carrier_id = self._carrier()
        self.assertEqual(exception.state, "resolved")
        self.assertFalse(self._rates(one)[1])
