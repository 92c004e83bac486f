"""Companies that buy: contacts, VAT numbers, terms; guests, tags and consent."""

from datetime import date
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import ValidationError

from .accounting_common import AccountingCase
from .order_nodes import OrderNode

HARBOUR = {
    "name": "Receiving",
    "firstName": None,
    "lastName": None,
    "companyName": "ACME Ltd",
    "address1": "5 Harbour Road",
    "address2": None,
    "city": "Albany",
    "zip": "12208",
    "province": "New York",
    "zoneCode": "NY",
    "country": "United States",
    "countryCode": "US",
    "phone": None,
}


def business(number=1, location=1, contact=1, **fields):
    """``purchasingEntity`` of an order; ``fields`` are of the location."""
    return {
        "__typename": "PurchasingCompany",
        "company": {
            "__typename": "Company",
            "id": f"gid://shopify/Company/{number}",
            "name": "ACME Ltd" if number == 1 else f"Company {number}",
            "externalId": f"EXT{number}",
        },
        "location": {
            "__typename": "CompanyLocation",
            "id": f"gid://shopify/CompanyLocation/{location}",
            "name": f"Harbour {location}",
            "externalId": None,
            "taxSettings": {
                "taxRegistrationId": "US123456" if number == 1 else f"US{number}",
                "taxExempt": False,
            },
            "billingAddress": HARBOUR,
            "shippingAddress": HARBOUR,
            **fields,
        },
        "contact": {
            "__typename": "CompanyContact",
            "id": f"gid://shopify/CompanyContact/{contact}",
            "title": "Buyer",
        },
    }


class BusinessCase(AccountingCase):
    def order(self, number=1, entity=None, customer=7, **fields):
        """10.00 of one customer, sent to the harbour."""
        node = OrderNode(number, purchasingEntity=entity, **fields).line("A", "10.00")
        own = {
            **node.node["customer"],
            "id": f"gid://shopify/Customer/{customer}",
            "firstName": "Ada",
            "lastName": "Buyer",
            "displayName": "Ada Buyer",
            "defaultEmailAddress": {"emailAddress": f"ada{customer}@acme.example"},
        }
        node.fields.setdefault("customer", own)
        node.fields.setdefault("email", f"ada{customer}@acme.example")
        address = {
            **node.address,
            "firstName": "Ada",
            "lastName": "Buyer",
            "name": "Ada Buyer",
            "company": "ACME Ltd" if entity else None,
            "address1": "5 Harbour Road",
            "zip": "12208",
        }
        node.fields.setdefault("shippingAddress", address)
        node.fields.setdefault("billingAddress", address)
        return node

    def company_of(self, number=1):
        return self.env["shopify.company"].search(
            [
                ("backend_id", "=", self.us.id),
                ("shopify_gid", "=", f"gid://shopify/Company/{number}"),
            ]
        )


class TestCompanies(BusinessCase):
    def test_person_of_company(self):
        sale = self.sale(self.us, self.order(entity=business(), poNumber="PO 77"))
        acme = self.company_of().partner_id
        self.assertRecordValues(
            acme,
            [
                {
                    "name": "ACME Ltd",
                    "is_company": True,
                    "vat": "US123456",
                    "ref": "EXT1",
                    "company_id": self.company.id,
                    "parent_id": False,
                }
            ],
        )
        self.assertRecordValues(
            sale.partner_id,
            [
                {
                    "name": "Ada Buyer",
                    "parent_id": acme.id,
                    "type": "contact",
                    "vat": "US123456",
                    "commercial_partner_id": acme.id,
                    "email": "ada7@acme.example",
                }
            ],
        )
        location = self.company_of().location_ids
        self.assertEqual(location.tax_id, "US123456")
        self.assertEqual(location.partner_id.parent_id, acme)
        self.assertEqual(location.partner_id.name, "Harbour 1")
        self.assertEqual(location.partner_id.street, "5 Harbour Road")
        self.assertEqual(sale.partner_shipping_id, location.partner_id)
        self.assertEqual(sale.partner_invoice_id, location.partner_id)
        self.assertEqual(sale.client_order_ref, "PO 77")
        facts = sale.shopify_order_ids
        self.assertEqual((facts.business_name, facts.location_name), ("ACME Ltd", "Harbour 1"))

    def test_company_buys_itself(self):
        self.us.customer_strategy = "company"
        sale = self.sale(self.us, self.order(entity=business()))
        acme = self.company_of().partner_id
        self.assertEqual(sale.partner_id, acme)
        self.assertIn("Ada Buyer", acme.child_ids.mapped("name"))
        private = self.sale(self.us, self.order(2, customer=8))
        self.assertFalse(private.partner_id.parent_id)

    def test_nothing_is_multiplied(self):
        first = self.sale(self.us, self.order(1, business()))
        count = self.env["res.partner"].search_count([])
        second = self.sale(self.us, self.order(2, business()))
        self.assertEqual(second.partner_id, first.partner_id)
        self.assertEqual(second.partner_shipping_id, first.partner_shipping_id)
        self.assertEqual(self.env["res.partner"].search_count([]), count)
        outcomes = self.process(
            self.us, self.order(3, business()), self.order(4, business(contact=2), customer=8)
        )
        one, other = (outcome.record for outcome in outcomes)
        self.assertEqual(one.partner_id, first.partner_id)
        self.assertEqual(other.partner_id.parent_id, first.partner_id.parent_id)
        self.assertEqual(other.partner_shipping_id, first.partner_shipping_id)
        self.assertEqual(self.env["res.partner"].search_count([]), count + 1)

    def test_two_orders_of_a_new_company_in_one_batch(self):
        outcomes = self.process(self.us, self.order(1, business()), self.order(2, business()))
        one, other = (outcome.record for outcome in outcomes)
        self.assertEqual(one.partner_id, other.partner_id)
        self.assertEqual(len(self.company_of()), 1)

    def test_other_address_and_other_recipient(self):
        first = self.sale(self.us, self.order(1, business()))
        elsewhere = self.order(2, business())
        elsewhere.fields["shippingAddress"] = {
            **elsewhere.fields["shippingAddress"],
            "address1": "9 Hill Street",
        }
        sale = self.sale(self.us, elsewhere)
        self.assertEqual(sale.partner_shipping_id.street, "9 Hill Street")
        self.assertEqual(sale.partner_shipping_id.parent_id, self.company_of().partner_id)
        self.assertEqual(sale.partner_invoice_id, first.partner_invoice_id)
        somebody = self.order(3, business())
        somebody.fields["shippingAddress"] = {
            **somebody.fields["shippingAddress"],
            "name": "Bob Dock",
        }
        sale = self.sale(self.us, somebody)
        self.assertIn("Bob Dock", sale.partner_shipping_id.name)
        self.assertEqual(sale.partner_shipping_id.street, "5 Harbour Road")

    def test_people_of_different_companies_are_never_merged(self):
        known = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        self.env["res.partner"].create(
            {"name": "Ada", "email": "ada7@acme.example", "parent_id": known.id}
        )
        at_acme = self.sale(self.us, self.order(1, business()))
        self.assertEqual(at_acme.partner_id.parent_id, self.company_of().partner_id)
        at_other = self.sale(self.us, self.order(2, business(2, 2, contact=2)))
        self.assertEqual(at_other.partner_id.parent_id, self.company_of(2).partner_id)
        self.assertNotEqual(at_other.partner_id, at_acme.partner_id)
        private = self.sale(self.us, self.order(3))
        self.assertNotIn(private.partner_id, at_acme.partner_id | at_other.partner_id)

    def test_private_order_that_names_another_company(self):
        known = self.env["res.partner"].create({"name": "Beta", "is_company": True})
        ada = self.env["res.partner"].create(
            {"name": "Ada", "email": "ada7@acme.example", "parent_id": known.id}
        )
        order = self.order(1)
        self.assertEqual(self.sale(self.us, order).partner_id, ada)
        other = self.order(2, customer=9)
        ada.email = "ada9@acme.example"
        other.fields["billingAddress"] = {**other.fields["billingAddress"], "company": "Gamma"}
        self.assertNotEqual(self.sale(self.us, other).partner_id, ada)

    def test_company_that_odoo_knows_by_vat_or_reference(self):
        Partner = self.env["res.partner"].with_context(no_vat_validation=True)
        known = Partner.create({"name": "Acme Limited", "is_company": True, "vat": "US-123 456"})
        sale = self.sale(self.us, self.order(1, business()))
        self.assertEqual(sale.partner_id.parent_id, known)
        self.assertEqual(known.name, "Acme Limited")
        by_reference = Partner.create({"name": "Two", "is_company": True, "ref": "EXT2"})
        sale = self.sale(self.us, self.order(2, business(2, 2, 2, taxSettings=None)))
        self.assertEqual(sale.partner_id.parent_id, by_reference)

    def test_company_of_a_name_is_not_taken(self):
        namesake = self.env["res.partner"].create({"name": "ACME Ltd", "is_company": True})
        sale = self.sale(self.us, self.order(1, business()))
        self.assertNotEqual(sale.partner_id.parent_id, namesake)

    def test_invalid_vat_number_is_kept_and_noted(self):
        def refuse(partner, country, vat, partner_name="", validation="error"):
            if validation == "error":
                raise ValidationError(partner.env._("Not a number"))
            return vat, False

        cls = type(self.env["res.partner"])
        with patch.object(cls, "_run_vat_checks", refuse):
            sale = self.sale(self.us, self.order(1, business()))
        self.assertEqual(self.company_of().partner_id.vat, "US123456")
        self.assertIn("US123456", sale.shopify_order_ids.warnings)
        self.assertIn("not valid", sale.shopify_order_ids.warnings)

    def test_vat_number_of_another_location(self):
        self.sale(self.us, self.order(1, business()))
        entity = business(1, 2, taxSettings={"taxRegistrationId": "CA99", "taxExempt": False})
        sale = self.sale(self.us, self.order(2, entity))
        self.assertEqual(self.company_of().partner_id.vat, "US123456")
        self.assertIn("CA99", sale.shopify_order_ids.warnings)
        self.assertEqual(
            self.company_of().location_ids.sorted("id").mapped("tax_id"), ["US123456", "CA99"]
        )

    def test_exempt_location(self):
        exempt = self.env["account.fiscal.position"].create(
            {"name": "Exempt", "company_id": self.company.id}
        )
        self.us.exempt_fiscal_position_id = exempt
        entity = business(taxSettings={"taxRegistrationId": "US123456", "taxExempt": True})
        self.assertEqual(self.sale(self.us, self.order(1, entity)).fiscal_position_id, exempt)
        other = self.sale(self.us, self.order(2, business(2, 2, 2)))
        self.assertNotEqual(other.fiscal_position_id, exempt)

    def test_location_without_address(self):
        entity = business(billingAddress=None, shippingAddress=None)
        sale = self.sale(self.us, self.order(1, entity))
        acme = self.company_of().partner_id
        self.assertEqual(self.company_of().location_ids.partner_id, acme)
        self.assertEqual(sale.partner_shipping_id.parent_id, acme)

    def test_merged_contacts_keep_the_links(self):
        self.sale(self.us, self.order(1, business()))
        acme = self.company_of().partner_id
        twin = self.env["res.partner"].create(
            {"name": "ACME", "is_company": True, "company_id": self.company.id}
        )
        location = self.company_of().location_ids
        place = location.partner_id.copy({"parent_id": twin.id})
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge([location.partner_id.id, place.id], place)
        wizard._merge([acme.id, twin.id], twin)
        self.env.invalidate_all()
        self.assertEqual(self.company_of().partner_id, twin)
        self.assertEqual(self.company_of().location_ids.partner_id, place)
        sale = self.sale(self.us, self.order(2, business()))
        self.assertEqual(sale.partner_id.parent_id, twin)
        self.assertEqual(len(self.company_of().location_ids), 1)

    def test_read_from_the_store(self):
        """What the document asks for is there: the store refuses unknown fields and scopes."""
        node = self.order(1, business()).node
        self.sandbox.load([node], self.us.shop_domain)
        [fetched] = self.fetch(self.us, [node["id"]])
        sale = self.sale(self.us, fetched)
        self.assertEqual(sale.partner_id.parent_id, self.company_of().partner_id)
        self.assertEqual(self.company_of().location_ids.partner_id.street, "5 Harbour Road")


class TestTerms(BusinessCase):
    def terms(self, name="Net 30", days=30, kind="NET", due="2026-12-02T05:00:00Z"):
        return {
            "paymentTermsName": name,
            "paymentTermsType": kind,
            "dueInDays": days,
            "paymentSchedules": {"nodes": [{"dueAt": due}]},
        }

    def term(self, name, days):
        return self.env["account.payment.term"].create(
            {
                "name": name,
                "company_id": self.company.id,
                "line_ids": [
                    fields.Command.create(
                        {"value": "percent", "value_amount": 100, "nb_days": days}
                    )
                ],
            }
        )

    def pending(self, number, terms):
        return self.order(number, business(), paymentTerms=terms, displayFinancialStatus="PENDING")

    def test_by_days_by_name_and_by_mapping(self):
        by_days = self.term("Fortnight", 13)
        sale = self.sale(self.us, self.pending(1, self.terms("Net 13", 13)))
        self.assertEqual(sale.payment_term_id, by_days)
        by_name = self.term("net 13", 99)
        sale = self.sale(self.us, self.pending(2, self.terms("Net 13", 13)))
        self.assertEqual(sale.payment_term_id, by_name)
        mapped = self.term("Other", 5)
        self.env["shopify.payment.term.mapping"].create(
            {"backend_id": self.us.id, "name": "NET 13", "payment_term_id": mapped.id}
        )
        sale = self.sale(self.us, self.pending(3, self.terms("Net 13", 13)))
        self.assertEqual(sale.payment_term_id, mapped)

    def test_unknown_terms_stop_nothing(self):
        sale = self.sale(self.us, self.pending(1, self.terms("Net 77", 77)))
        self.assertFalse(sale.payment_term_id)
        self.assertIn("Net 77", sale.shopify_order_ids.warnings)
        self.assertEqual(sale.shopify_order_ids.due_date, date(2026, 12, 2))

    def test_order_without_terms_has_none(self):
        sale = self.sale(self.us, self.order(1, business()))
        self.assertFalse(sale.payment_term_id)
        self.assertFalse(sale.shopify_order_ids.due_date)

    def test_due_date_goes_to_the_invoice(self):
        """The day is that of the store's time zone; 05:00 UTC is midnight in New York."""
        product = self.env["product.product"].search([("default_code", "=", "A")])
        product.invoice_policy = "order"
        sale = self.sale(self.us, self.pending(1, self.terms(due="2026-12-11T04:59:00Z")))
        self.assertEqual(sale.shopify_order_ids.due_date, date(2026, 12, 10))
        invoice = sale._create_invoices()
        invoice.invoice_date = date(2026, 11, 20)
        self.assertEqual(invoice.invoice_date_due, date(2026, 12, 10))
        receivable = invoice.line_ids.filtered(lambda line: line.display_type == "payment_term")
        self.assertEqual(receivable.mapped("date_maturity"), [date(2026, 12, 10)])


class TestPeople(BusinessCase):
    def test_guests_share_a_contact(self):
        with self.assertRaises(ValidationError):
            self.us.guest_strategy = "single"
        counter = self.env["res.partner"].create({"name": "Counter"})
        self.us.write({"guest_strategy": "single", "guest_customer_id": counter.id})
        guest = self.order(1)
        guest.fields.update(customer=None, email=None)
        sale = self.sale(self.us, guest)
        self.assertEqual(sale.partner_id, counter)
        self.assertEqual(sale.partner_shipping_id.parent_id, counter)
        self.assertFalse(counter.shopify_customer_ids)
        known = self.sale(self.us, self.order(2))
        self.assertNotEqual(known.partner_id, counter)
        member = self.sale(self.us, self.order(3, business()))
        self.assertEqual(member.partner_id.parent_id, self.company_of().partner_id)

    def test_tags_are_added_and_none_is_taken_away(self):
        vip = self.env["res.partner.category"].create({"name": "vip"})
        own = self.env["res.partner.category"].create({"name": "Own"})
        order = self.order(1)
        order.fields["customer"]["tags"] = ["VIP", "Wholesale "]
        partner = self.sale(self.us, order).partner_id
        self.assertIn(vip, partner.category_id)
        self.assertEqual(set(partner.category_id.mapped("name")), {"vip", "Wholesale"})
        partner.category_id |= own
        again = self.order(2)
        again.fields["customer"]["tags"] = ["Loyal"]
        self.sale(self.us, again)
        self.assertEqual(
            set(partner.category_id.mapped("name")), {"vip", "Wholesale", "Own", "Loyal"}
        )
        self.us.import_customer_tags = False
        third = self.order(3)
        third.fields["customer"]["tags"] = ["Late"]
        self.sale(self.us, third)
        self.assertNotIn("Late", partner.category_id.mapped("name"))

    def test_consent_follows_the_customer(self):
        order = self.order(1)
        order.fields["customer"]["defaultEmailAddress"]["marketingState"] = "SUBSCRIBED"
        link = self.sale(self.us, order).partner_id.shopify_customer_ids
        self.assertEqual((link.email_consent, link.sms_consent), ("subscribed", False))
        again = self.order(2)
        again.fields["customer"]["defaultEmailAddress"]["marketingState"] = "UNSUBSCRIBED"
        self.sale(self.us, again)
        self.assertEqual(link.email_consent, "unsubscribed")
        blacklisted = self.env["mail.blacklist"].search([("email", "=", link.email)])
        self.assertFalse(blacklisted, "what a store may send is the store's affair")

    def test_language_of_the_order(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        order = self.order(1, customerLocale="fr-CA")
        self.assertEqual(self.sale(self.us, order).partner_id.lang, "fr_FR")
