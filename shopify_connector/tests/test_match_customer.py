from dataclasses import replace

from odoo.tests import tagged

from ..mappers.customer import Company
from .match_common import MatchCase, address, customer, order


@tagged("post_install", "-at_install")
class TestMatchCustomer(MatchCase):
    def test_new_customer_carries_address(self):
        [partners] = self._customers(order(customer=customer(locale="en-US")))
        partner = partners.partner
        self.assertEqual(partners.invoice, partner)
        self.assertEqual(partners.shipping, partner)
        self.assertEqual(partner.name, "Jane Doe")
        self.assertEqual(partner.email, "jane@example.com")
        self.assertEqual(partner.company_id, self.company)
        self.assertEqual(partner.street, "1 Main Street")
        self.assertEqual(partner.state_id, self.env.ref("base.state_us_27"))
        self.assertEqual(partner.country_id, self.env.ref("base.us"))
        self.assertEqual(partner.lang, "en_US")
        self.assertEqual(partner.customer_rank, 1)
        self.assertFalse(partner.child_ids)
        link = partner.shopify_customer_ids
        self.assertEqual(link.shopify_gid, "gid://shopify/Customer/1")
        self.assertEqual(link.backend_id, self.backend)
        self.assertFalse(link.is_guest)
        self.assertFalse(partner.message_ids)
        self.assertFalse(partner.message_follower_ids)

    def test_email_capitals_are_the_same_person(self):
        jane = self._create_partner(email="Jane.Doe@Example.COM")
        [partners] = self._customers(order(customer=customer(email="jane.doe@example.com")))
        self.assertEqual(partners.partner, jane)

    def test_guest_email_of_order(self):
        jane = self._create_partner(email="jane@example.com")
        [partners] = self._customers(order(customer=None, email=" JANE@example.com "))
        self.assertEqual(partners.partner, jane)
        self.assertTrue(jane.shopify_customer_ids.is_guest)
        guests = self.env["shopify.customer"].search([("is_guest", "=", True)])
        self.assertIn(jane.shopify_customer_ids, guests)
        known = self.env["shopify.customer"].search([("is_guest", "=", False)])
        self.assertNotIn(jane.shopify_customer_ids, known)

    def test_link_beats_email(self):
        [first] = self._customers(order())
        first.partner.email = "changed@example.com"
        self._create_partner(email="jane@example.com")
        [second] = self._customers(order(2))
        self.assertEqual(second.partner, first.partner)

    def test_partner_of_other_company_is_never_taken(self):
        foreign = self._create_partner(
            email="jane@example.com", phone="+12125550100", company_id=self.other_company.id
        )
        [partners] = self._customers(order(customer=customer(phone="+12125550100")))
        self.assertNotEqual(partners.partner, foreign)
        self.assertEqual(partners.partner.company_id, self.company)

    def test_stores_of_two_companies_do_not_mix(self):
        other = self._create_backend(self.other_company, "match-two")
        [first] = self._customers(order())
        [second] = self._customers(order(), backend=other)
        self.assertNotEqual(first.partner, second.partner)
        self.assertEqual(second.partner.company_id, self.other_company)

    def test_link_of_partner_that_moved_to_other_company(self):
        [first] = self._customers(order())
        first.partner.company_id = self.other_company
        [second] = self._customers(order(2))
        self.assertNotEqual(second.partner, first.partner)
        self.assertEqual(second.partner.shopify_customer_ids.shopify_gid, customer().gid)
        [third] = self._customers(order(3))
        self.assertEqual(third.partner, second.partner)

    def test_ambiguous_email_prefers_linked(self):
        self._create_partner(email="jane@example.com")
        linked = self._create_partner(email="jane@example.com")
        self.env["shopify.customer"].create(
            {
                "backend_id": self.backend.id,
                "shopify_gid": "gid://shopify/Customer/999",
                "partner_id": linked.id,
            }
        )
        [partners] = self._customers(order())
        self.assertEqual(partners.partner, linked)
        self.assertIn("2 contacts", partners.notes[0])
        self.assertIn(str(linked.id), partners.notes[0])

    def test_ambiguous_email_prefers_contact_of_its_own(self):
        parent = self._create_partner(name="Company")
        self._create_partner(email="jane@example.com", parent_id=parent.id)
        top = self._create_partner(email="jane@example.com")
        self._create_partner(email="jane@example.com")
        [partners] = self._customers(order())
        self.assertEqual(partners.partner, top, "the oldest contact without a parent")

    def test_email_of_address_means_its_owner(self):
        parent = self._create_partner(name="Company")
        self._create_partner(email="jane@example.com", parent_id=parent.id, type="invoice")
        [partners] = self._customers(order())
        self.assertEqual(partners.partner, parent)

    def test_archived_contact_is_not_found_by_email(self):
        gone = self._create_partner(email="jane@example.com", active=False)
        [partners] = self._customers(order())
        self.assertNotEqual(partners.partner, gone)

    def test_phone_with_spaces(self):
        jane = self._create_partner(phone="(212) 555-0100", country_id=self.env.ref("base.us").id)
        [partners] = self._customers(
            order(customer=None, email="", phone="+1 212 555 01 00", billing=None)
        )
        self.assertEqual(partners.partner, jane)

    def test_phone_of_person_with_other_email_does_not_count(self):
        other = self._create_partner(phone="+12125550100", email="jim@example.com")
        [partners] = self._customers(order(customer=customer(phone="+12125550100")))
        self.assertNotEqual(partners.partner, other)

    def test_phone_of_contact_without_email(self):
        jane = self._create_partner(phone="+1 212 555 0100")
        [partners] = self._customers(order(customer=customer(phone="+12125550100")))
        self.assertEqual(partners.partner, jane)
        self.assertFalse(jane.email, "nothing is written to a contact that was there before")

    def test_ambiguous_phone_makes_new_contact_once(self):
        known = self._create_partner(phone="+12125550100")
        known |= self._create_partner(phone="+1 212 555 0100")
        anonymous = {"customer": None, "email": "", "phone": "+12125550100"}
        [first] = self._customers(order(**anonymous))
        self.assertNotIn(first.partner, known)
        [second] = self._customers(order(2, **anonymous))
        self.assertEqual(second.partner, first.partner)

    def test_nothing_known_gives_a_contact_per_order(self):
        anonymous = {"customer": None, "billing": None, "shipping": None}
        [first, second] = self._customers(order(1, **anonymous), order(2, **anonymous))
        self.assertNotEqual(first.partner, second.partner)
        self.assertIn("#1", first.partner.name)
        [again] = self._customers(order(1, **anonymous))
        self.assertEqual(again.partner, first.partner)

    def test_new_customer_of_50_orders_is_created_once(self):
        orders = [order(number) for number in range(50)]
        partners = self._customers(*orders)
        self.assertEqual(len({found.partner for found in partners}), 1)

    def test_guest_and_customer_of_one_batch_are_one(self):
        guest = order(2, customer=None, email="jane@example.com")
        [first, second] = self._customers(order(), guest)
        self.assertEqual(first.partner, second.partner)
        self.assertEqual(len(first.partner.shopify_customer_ids), 2)

    def test_queries_do_not_grow_with_the_batch(self):
        def orders(start, count):
            return [
                order(
                    number,
                    customer=customer(number, email=f"c{number}@example.com", name=f"C {number}"),
                    billing=address(name=f"C {number}"),
                    shipping=address(name=f"D {number}", address1=f"{number} Side Street"),
                )
                for number in range(start, start + count)
            ]

        def queries(batch):
            before = self.env.cr.sql_log_count
            self._customers(*batch)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        queries(orders(1, 2))
        few, many = queries(orders(100, 2)), queries(orders(200, 50))
        self.assertEqual(many, few)
        self.assertLessEqual(many, 12)
        moved = [
            replace(one, shipping=replace(one.shipping, city="Troy")) for one in orders(200, 50)
        ]
        self.assertLessEqual(queries(moved), 12)
        self.assertLessEqual(queries(moved), 6, "known customers and addresses")

    def test_queries_do_not_grow_with_the_companies(self):
        def orders(start, count):
            return [
                order(
                    number,
                    customer=customer(number, email=f"b{number}@example.com", name=f"B {number}"),
                    company=Company(
                        gid=f"gid://shopify/Company/{number}",
                        name=f"Company {number}",
                        external_id=f"E{number}",
                        location_gid=f"gid://shopify/CompanyLocation/{number}",
                        location_name=f"Branch {number}",
                        tax_id=f"US{number}",
                        contact_gid=f"gid://shopify/CompanyContact/{number}",
                        shipping=address(name="", address1=f"{number} Harbour Road"),
                        billing=address(name="", address1=f"{number} Harbour Road"),
                    ),
                    billing=address(name=f"B {number}", address1=f"{number} Harbour Road"),
                    shipping=address(name=f"B {number}", address1=f"{number} Harbour Road"),
                )
                for number in range(start, start + count)
            ]

        def queries(batch):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self._customers(*batch)
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        queries(orders(1, 2))
        self.assertEqual(queries(orders(200, 40)), queries(orders(100, 4)), "new companies")
        self.assertEqual(queries(orders(200, 40)), queries(orders(100, 4)), "known companies")

    def test_single_customer_of_the_store(self):
        self.backend.write(
            {
                "customer_strategy": "single",
                "customer_id": self._create_partner(name="Web Shop").id,
            }
        )
        [first, second] = self._customers(
            order(), order(2, customer=customer(2, email="b@example.com"))
        )
        self.assertEqual(first.partner, self.backend.customer_id)
        self.assertEqual(second.partner, self.backend.customer_id)
        self.assertEqual(first.shipping.parent_id, self.backend.customer_id)
        self.assertEqual(first.shipping, second.shipping)
        self.assertFalse(
            self.env["shopify.customer"].search([("backend_id", "=", self.backend.id)])
        )
        [third] = self._customers(order(3))
        self.assertEqual(third.shipping, first.shipping)

    def test_single_customer_not_set(self):
        self.backend.customer_strategy = "single"
        found, blocks = self._match("customer", [order()])
        self.assertFalse(found)
        [block] = blocks[order().gid]
        self.assertEqual((block.category, block.key), ("configuration", "customer_id"))

    def test_company_and_vat_of_new_customer(self):
        [partners] = self._customers(
            order(
                customer=customer(tax_id="not a number"),
                billing=address(company="ACME"),
                shipping=address(company="ACME"),
            )
        )
        self.assertEqual(partners.partner.company_name, "ACME")
        self.assertEqual(partners.partner.vat, "not a number")
        self.assertEqual(partners.invoice, partners.partner)

    def test_merged_contacts_keep_their_links(self):
        [first] = self._customers(order())
        [second] = self._customers(order(2, customer=customer(2, email="b@example.com")))
        links = first.partner.shopify_customer_ids | second.partner.shopify_customer_ids
        wizard = self.env["base.partner.merge.automatic.wizard"].with_company(self.company)
        wizard._merge([first.partner.id, second.partner.id], first.partner)
        self.assertEqual(links.exists().partner_id, first.partner)
        self.assertEqual(len(links.exists()), 2)
        [third] = self._customers(order(3, customer=customer(2, email="b@example.com")))
        self.assertEqual(third.partner, first.partner)


@tagged("post_install", "-at_install")
class TestMatchAddress(MatchCase):
    def test_addresses_are_reused(self):
        delivery = address(name="Jim Doe", address1="2 Side Street")
        [first] = self._customers(order(shipping=delivery))
        self.assertEqual(first.invoice, first.partner)
        self.assertEqual(first.shipping.parent_id, first.partner)
        self.assertEqual(first.shipping.type, "delivery")
        self.assertEqual(first.shipping.name, "Jim Doe")
        self.assertEqual(first.shipping.company_id, self.company)
        same = replace(delivery, name="JIM DOE", address1="2, Side  Street.", phone="+1 5")
        [second] = self._customers(order(2, shipping=same))
        [third] = self._customers(order(3, shipping=replace(delivery, zip="12207-")))
        self.assertEqual(second.shipping, first.shipping)
        self.assertEqual(third.shipping, first.shipping)
        self.assertEqual(len(first.partner.child_ids), 1)

    def test_other_invoice_address(self):
        [partners] = self._customers(
            order(billing=address(name="Accounts", address1="9 Bank Street"))
        )
        self.assertEqual(partners.invoice.type, "invoice")
        self.assertEqual(partners.invoice.name, "Accounts")
        self.assertEqual(partners.shipping, partners.partner)

    def test_one_contact_for_both_addresses(self):
        known = self._create_partner(email="jane@example.com", street="Elsewhere", city="Troy")
        [partners] = self._customers(order())
        self.assertEqual(partners.partner, known)
        self.assertEqual(partners.invoice, partners.shipping)
        self.assertEqual(partners.invoice.parent_id, known)
        self.assertEqual(partners.invoice.type, "other")
        self.assertEqual(known.street, "Elsewhere")

    def test_edited_address_is_left_alone(self):
        [first] = self._customers(order(shipping=address(address1="2 Side Street")))
        first.shipping.street = "3 Side Street"
        [second] = self._customers(order(2, shipping=address(address1="2 Side Street")))
        self.assertEqual(first.shipping.street, "3 Side Street")
        self.assertEqual(second.shipping.street, "2 Side Street", "goes where the order says")
        [third] = self._customers(order(3, shipping=address(address1="3 Side Street")))
        self.assertEqual(third.shipping, first.shipping)

    def test_address_of_customer_with_terms(self):
        term = self.env.ref("account.account_payment_term_30days")
        known = self._create_partner(
            email="jane@example.com", company_id=self.company.id, vat="US12", company_type="company"
        )
        known.with_company(self.company).property_payment_term_id = term
        [partners] = self._customers(order())
        shipping = partners.shipping.with_company(self.company)
        self.assertEqual(shipping.parent_id, known)
        self.assertEqual(shipping.property_payment_term_id, term)
        self.assertEqual(shipping.vat, "US12")
        shared = self._create_partner(email="s@example.com", vat="US13", is_company=True)
        shared.with_company(self.company).property_payment_term_id = term
        [partners] = self._customers(order(2, customer=customer(2, email="s@example.com")))
        shipping = partners.shipping.with_company(self.company)
        self.assertEqual(shipping.parent_id, shared)
        self.assertEqual(shipping.property_payment_term_id, term)

    def test_company_of_delivery_address(self):
        delivery = address(company="ACME", address1="2 Side Street")
        [first] = self._customers(order(shipping=delivery))
        self.assertEqual(first.shipping.name, "ACME, Jane Doe")
        [second] = self._customers(order(2, shipping=delivery))
        self.assertEqual(second.shipping, first.shipping)

    def test_country_by_code_or_name(self):
        [partners] = self._customers(
            order(
                billing=address(country="Allemagne", country_code="DE", province=""),
                shipping=address(country="germany", country_code="", province="", name="X"),
            )
        )
        germany = self.env.ref("base.de")
        self.assertEqual(partners.invoice.country_id, germany)
        self.assertEqual(partners.shipping.country_id, germany)

    def test_unknown_country_waits_for_its_mapping(self):
        lost = order(shipping=address(country="Absurdistan", country_code="", province=""))
        before = self.env["res.partner"].search_count([])
        found, blocks = self._match("customer", [lost])
        self.assertFalse(found)
        self.assertEqual(self.env["res.partner"].search_count([]), before)
        [block] = blocks[lost.gid]
        self.assertEqual((block.category, block.key), ("country", "Absurdistan"))
        self.assertIn("Absurdistan", block.message)
        exception = self._wait_for(block)
        self.env[block.res_model].create({**block.values, "country_id": self.env.ref("base.fr").id})
        self.assertEqual(exception.state, "resolved")
        [partners] = self._customers(lost)
        self.assertEqual(partners.shipping.country_id, self.env.ref("base.fr"))

    def test_unknown_country_does_not_hold_back_others(self):
        lost = order(shipping=address(country="Absurdistan", country_code=""))
        found, blocks = self._match("customer", [lost, order(2)])
        self.assertEqual(list(found), [order(2).gid])
        self.assertEqual(list(blocks), [lost.gid])

    def test_unknown_state_is_kept_in_the_address(self):
        strange = address(province="Middle Earth", province_code="ME1", address2="Floor 2")
        [partners] = self._customers(order(billing=strange, shipping=strange))
        partner = partners.partner
        self.assertEqual(partner.street2, "Floor 2, Middle Earth")
        self.assertFalse(partner.state_id)
        self.assertEqual(partner.city, "Albany")
        [note] = partners.notes
        self.assertIn("Middle Earth", note)
        [again] = self._customers(order(2, billing=strange, shipping=strange))
        self.assertEqual(again.shipping, partner)

    def test_state_by_name_where_codes_differ(self):
        mexico = address(
            country_code="MX", country="Mexico", province="Aguascalientes", province_code="XAGS"
        )
        [partners] = self._customers(order(billing=mexico, shipping=mexico))
        self.assertEqual(partners.partner.state_id.name, "Aguascalientes")

    def test_state_of_the_right_country(self):
        perth = address(country_code="AU", country="Australia", province="", province_code="WA")
        [partners] = self._customers(order(billing=perth, shipping=perth))
        self.assertEqual(partners.partner.state_id.country_id, self.env.ref("base.au"))

    def test_constituent_country_is_no_state(self):
        london = address(
            country_code="GB", country="United Kingdom", province="England", province_code="ENG"
        )
        [partners] = self._customers(order(billing=london, shipping=london))
        self.assertFalse(partners.partner.street2)
        self.assertFalse(partners.notes)
