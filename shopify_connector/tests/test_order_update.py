"""What changes in Shopify after an order was imported."""

import copy
from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user

from ..mappers.order import map_order
from ..services.order_snapshot import differences, fingerprint, snapshot
from .order_common import OrderCase
from .order_nodes import OrderNode

NY = [("NY State", 0.04)]


class UpdateCase(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.goods = cls.env["product.product"].create(
            [
                {"name": sku, "default_code": sku, "type": "consu", "is_storable": True}
                for sku in ("A", "B", "C")
            ]
        )

    def setUp(self):
        super().setUp()
        self.tax(self.us, *NY[0])
        self.us.confirm_policy = "paid"
        self.minute = 0

    def build(self, *lines, **fields):
        """A state of order #1, later than all before."""
        self.minute += 1
        fields.setdefault("updatedAt", f"2026-11-02T11:{self.minute:02d}:00Z")
        node = OrderNode(1, **fields)
        for sku, price, quantity, options in lines:
            node.line(sku, price, quantity, NY, **options)
        return node

    def quotation(self, *lines, **fields):
        fields.setdefault("displayFinancialStatus", "PENDING")
        sale = self.sale(self.us, self.build(*lines, **fields))
        self.assertEqual(sale.state, "draft")
        return sale

    def update(self, *lines, **fields):
        return self.process(self.us, self.build(*lines, **fields))[0]


A1, A2, B1 = ("A", "10", 1, {}), ("A", "10", 2, {}), ("B", "7", 1, {})


class TestQuotationUpdate(UpdateCase):
    def test_lines_change(self):
        """By Shopify's line id: changed, added, removed; in place."""
        sale = self.quotation(A1, B1)
        first, second = sale.order_line
        outcome = self.update(A2, displayFinancialStatus="PENDING")
        self.assertEqual(outcome.status, "updated")
        self.assertEqual(sale.order_line, first)
        self.assertFalse(second.exists())
        self.assertEqual((first.product_uom_qty, first.price_total), (2, 20.8))
        self.assertEqual(sale.amount_total, 20.8)
        self.update(A2, B1, ("C", "3", 1, {}), displayFinancialStatus="PENDING")
        self.assertEqual(sale.order_line.mapped("product_id"), self.goods)
        self.assertEqual(sale.amount_total, 31.2)
        self.assertEqual(sale.amount_tax, 1.2)

    def test_only_a_tax_amount_changes(self):
        sale = self.quotation(A1)
        node = self.build(displayFinancialStatus="PENDING")
        node.line("A", "10", 1, [("NY State", 0.04, "0.41")])
        self.process(self.us, node)
        self.assertAlmostEqual(sale.order_line.price_tax, 0.41)
        self.assertEqual((sale.amount_tax, sale.amount_total), (0.41, 10.41))
        data = copy.deepcopy(sale.order_line.extra_tax_data)
        data["manual_tax_amounts"][str(sale.order_line.tax_ids.id)]["tax_amount_currency"] = 0.43
        sale.order_line.extra_tax_data = data
        self.assertEqual((sale.amount_tax, sale.amount_total), (0.43, 10.43))

    def test_address_note_and_tags_change(self):
        sale = self.quotation(A1, tags=["old"])
        own = self.env["crm.tag"].create({"name": "own"})
        sale.tag_ids = [Command.link(own.id)]
        partner = sale.partner_id
        node = self.build(A1, displayFinancialStatus="PENDING", note="new", tags=["old", "new"])
        node.fields["shippingAddress"] = {**node.address, "address1": "2 Other Street"}
        self.process(self.us, node)
        self.assertEqual(sale.partner_id, partner)
        self.assertEqual(sale.partner_shipping_id.street, "2 Other Street")
        self.assertEqual(sale.partner_shipping_id.parent_id, partner)
        self.assertEqual(sorted(sale.tag_ids.mapped("name")), ["new", "old", "own"])
        self.assertEqual(self.binding(self.us, node).note, "new")

    def test_what_a_user_did_stays(self):
        sale = self.quotation(A1)
        user = self.env.user
        sale.write({"user_id": user.id, "warehouse_id": sale.warehouse_id.copy({"code": "X"}).id})
        warehouse = sale.warehouse_id
        name, date = sale.name, sale.date_order
        self.update(A2, displayFinancialStatus="PENDING")
        self.assertEqual((sale.user_id, sale.warehouse_id), (user, warehouse))
        self.assertEqual((sale.name, sale.date_order), (name, date))

    def test_paid_later(self):
        sale = self.quotation(A1)
        outcome = self.update(A1)
        self.assertEqual(outcome.status, "updated")
        self.assertEqual(sale.state, "sale")
        self.assertTrue(sale.picking_ids)
        self.assertTrue(sale.shopify_order_ids.reserve_pending)
        self.assertEqual(str(sale.date_order), "2026-11-02 10:00:00")

    def test_changed_and_paid_at_once(self):
        sale = self.quotation(A1)
        self.update(A2)
        self.assertEqual((sale.state, sale.amount_total), ("sale", 20.8))
        self.assertEqual(sale.picking_ids.move_ids.product_uom_qty, 2)

    def test_cancelled(self):
        sale = self.quotation(A1)
        self.update(A1, cancelledAt="2026-11-02T12:00:00Z")
        self.assertEqual(sale.state, "cancel")
        self.assertEqual(self.env["shopify.order"].search([]).difference, False)

    def test_line_of_a_user_stops_it(self):
        """Nothing of the update is written when the order would not be worth Shopify's total."""
        sale = self.quotation(A1)
        sale.order_line = [Command.create({"product_id": self.goods[1].id, "price_unit": 5})]
        total = sale.amount_total
        outcome = self.update(A2, displayFinancialStatus="PENDING")
        self.assertEqual(outcome.status, "blocked")
        self.assertEqual(outcome.blocks[0].category, "totals")
        self.assertEqual(sale.amount_total, total)
        self.assertEqual(sale.order_line[0].product_uom_qty, 1)

    def test_placeholder_that_was_mapped_stays_mapped(self):
        options = {"variant": None, "product": None}
        sale = self.quotation(("S", "10", 1, options))
        sale.order_line._shopify_replace_product(self.goods[0])
        self.update(("S", "10", 3, options), displayFinancialStatus="PENDING")
        self.assertEqual(sale.order_line.product_id, self.goods[0])
        self.assertEqual(sale.order_line.product_uom_qty, 3)

    def test_contact_that_a_user_chose_stays(self):
        sale = self.quotation(A1)
        other = self.env["res.partner"].create({"name": "Head office"})
        sale.partner_invoice_id = other
        self.update(A2, displayFinancialStatus="PENDING")
        self.assertEqual(sale.partner_invoice_id, other)

    def test_customer_changes(self):
        """The new contact brings neither its price list nor its terms along."""
        sale = self.quotation(A1)
        pricelist, term = sale.pricelist_id, sale.payment_term_id
        self.env["res.partner"].create(
            {
                "name": "Eve",
                "email": "eve@example.com",
                "property_payment_term_id": self.env["account.payment.term"].search([], limit=1).id,
                "user_id": self.env.user.id,
            }
        )
        node = self.build(A1, displayFinancialStatus="PENDING")
        node.fields["customer"] = {
            "id": "gid://shopify/Customer/99",
            "defaultEmailAddress": {"emailAddress": "eve@example.com"},
        }
        self.process(self.us, node)
        self.assertEqual(sale.partner_id.name, "Eve")
        self.assertEqual((sale.pricelist_id, sale.payment_term_id), (pricelist, term))
        self.assertFalse(sale.user_id)
        self.assertEqual(sale.amount_total, 10.4)

    def test_people_of_sales_without_shopify(self):
        """They see and confirm the order as any other; the note reaches those who pack."""
        sale = self.quotation(A1, note="Ring twice")
        user = new_test_user(
            self.env, login="seller", groups="sales_team.group_sale_salesman_all_leads"
        )
        with Form(sale.with_user(user)) as form:
            form.client_order_ref = "seen"
        sale.with_user(user).action_confirm()
        self.assertEqual(sale.state, "sale")
        self.assertIn("Ring twice", sale.picking_ids.note)
        self.assertEqual(str(sale.date_order), "2026-11-02 10:00:00")
        other = (
            self.env["sale.order"]
            .with_user(user)
            .create(
                {
                    "partner_id": sale.partner_id.id,
                    "order_line": [Command.create({"product_id": self.goods[0].id})],
                }
            )
        )
        other.action_confirm()
        self.assertTrue(other.sudo().picking_ids)

    def test_by_hand_without_change(self):
        self.quotation(A1)
        node = self.build(A1, displayFinancialStatus="PENDING", updatedAt="2026-11-02T11:01:00Z")
        (outcome,) = self.process(self.us, node, sources={"manual"})
        self.assertEqual(outcome.status, "unchanged")


class TestConfirmedUpdate(UpdateCase):
    def confirmed(self, *lines, **fields):
        sale = self.sale(self.us, self.build(*lines, **fields))
        self.assertEqual(sale.state, "sale")
        return sale

    def test_status_is_no_difference(self):
        sale = self.confirmed(A1)
        lines = sale.order_line
        outcome = self.update(
            A1,
            displayFinancialStatus="PARTIALLY_REFUNDED",
            displayFulfillmentStatus="FULFILLED",
            tags=["x"],
            note="later",
        )
        self.assertEqual(outcome.status, "updated")
        binding = sale.shopify_order_ids
        self.assertEqual(binding.financial_status, "partially_refunded")
        self.assertEqual(binding.fulfillment_status, "fulfilled")
        self.assertEqual((binding.note, binding.tags), ("later", "x"))
        self.assertFalse(binding.difference)
        self.assertEqual(sale.order_line, lines)

    def test_status_whatever_is_mapped(self):
        """What is no longer mapped stops no status, neither on an order nor on a quotation."""
        sale = self.confirmed(A1)
        self.us.tax_mapping_ids.unlink()
        self.goods.default_code = False
        self.us.missing_product = "stop"
        self.us.currency_policy = "presentment"
        outcome = self.update(A1, displayFulfillmentStatus="FULFILLED", tags=["new"])
        self.assertEqual(outcome.status, "updated")
        self.assertEqual(sale.shopify_order_ids.fulfillment_status, "fulfilled")
        self.assertEqual(sale.tag_ids.name, "new")

    def test_currency_policy_that_changes(self):
        """Orders stay in their currency; later ones are in the other."""
        self.env.ref("base.CAD").active = True
        node = OrderNode(1, presentment="CAD", rate=2).line("A", "10", 1)
        sale = self.sale(self.us, node)
        self.us.currency_policy = "presentment"
        again = OrderNode(1, presentment="CAD", rate=2, updatedAt="2026-11-02T12:00:00Z")
        (outcome,) = self.process(self.us, again.line("A", "10", 1))
        self.assertEqual(outcome.status, "updated")
        self.assertEqual((sale.currency_id.name, sale.amount_total), ("USD", 10))
        later = self.sale(self.us, OrderNode(2, presentment="CAD", rate=2).line("A", "10", 1))
        self.assertEqual((later.currency_id.name, later.amount_total), ("CAD", 20))

    def test_cancelled_on_both_sides(self):
        sale = self.confirmed(A1)
        sale._action_cancel()
        outcome = self.update(A1, cancelledAt="2026-11-02T12:00:00Z")
        self.assertEqual(outcome.status, "updated")
        self.assertFalse(sale.shopify_order_ids.difference)

    def test_applied_to_the_confirmed_order(self):
        """What is neither delivered nor invoiced follows, in place and to the cent."""
        sale = self.confirmed(A1)
        line = sale.order_line
        outcome = self.update(A2, B1)
        self.assertEqual((outcome.status, outcome.record), ("updated", sale))
        self.assertIn("The quantity of Title A was 1 and is 2.", outcome.message)
        self.assertIn("1 x Title B was added.", outcome.message)
        self.assertEqual((sale.amount_total, sale.amount_tax), (28.08, 1.08))
        self.assertEqual(sale.order_line[0], line)
        self.assertEqual(sale.shopify_order_ids.amount_total, 28.08)
        self.assertFalse(sale.shopify_order_ids.difference)

    def test_waits_until_it_is_dealt_with(self):
        """A retry reports it again; the button ends it; the next change counts."""
        sale = self.confirmed(A1)
        sale.action_lock()
        node = self.build(A2)
        for _attempt in range(2):
            (outcome,) = self.process(self.us, node)
            self.assertEqual(outcome.status, "blocked")
        (block,) = outcome.blocks
        self.assertEqual((block.category, block.key), ("order_changed", "gid://shopify/Order/1"))
        binding = sale.shopify_order_ids
        with self.assertRaises(AccessError):
            binding.with_user(self.auditor).action_accept_difference()
        binding.with_user(self.operator).action_accept_difference()
        self.assertFalse(binding.difference or binding.choices)
        self.assertEqual(self.process(self.us, node)[0].status, "unchanged")
        self.assertEqual(self.update(A2, note="x").status, "updated")
        self.assertEqual(sale.amount_total, 10.4)
        self.assertEqual(self.update(A1).status, "blocked")

    def test_taken_back_in_shopify(self):
        sale = self.confirmed(A1)
        sale.action_lock()
        self.assertEqual(self.update(A2).status, "blocked")
        self.assertEqual(self.update(A1).status, "updated")
        self.assertFalse(sale.shopify_order_ids.difference)

    def test_two_changes_within_a_second(self):
        """Shopify's times have no fractions: what was read at once may lack the second one."""
        now = f"{fields.Datetime.now().isoformat()}Z"
        sale = self.sale(self.us, self.build(A1, updatedAt=now))
        self.assertEqual(self.process(self.us, self.build(A2, updatedAt=now))[0].status, "updated")
        self.assertEqual(sale.amount_total, 20.8)
        sale.shopify_order_ids.synced_at += timedelta(minutes=1)
        (outcome,) = self.process(self.us, self.build(A1, updatedAt=now))
        self.assertEqual(outcome.status, "unchanged", "it was read a minute later")
        self.assertEqual(sale.amount_total, 20.8)

    def test_out_of_order(self):
        """An older state that arrives late changes nothing."""
        old, new = self.build(A1), self.build(A2)
        sale = self.sale(self.us, new)
        self.assertEqual(self.process(self.us, old)[0].status, "unchanged")
        self.assertEqual(sale.amount_total, 20.8)

    def test_placeholder_on_a_confirmed_order(self):
        """The delivery is made anew with the product; amounts stay."""
        sale = self.confirmed(("S", "10", 2, {"variant": None, "product": None}), A1)
        line = sale.order_line[0]
        self.assertEqual(sale.shopify_placeholder_count, 1)
        wizard = self.env["shopify.line.mapping"].browse(
            sale.with_user(self.operator).action_shopify_map_lines()["res_id"]
        )
        with self.assertRaises(UserError):
            wizard.action_apply()
        wizard.line_ids.product_id = self.goods[2]
        wizard.action_apply()
        self.assertEqual(line.product_id, self.goods[2])
        self.assertEqual(line.name, "Title S")
        self.assertEqual((sale.amount_total, sale.amount_tax), (31.2, 1.2))
        self.assertEqual(sale.shopify_placeholder_count, 0)
        moves = sale.picking_ids.move_ids.filtered(lambda m: m.state != "cancel")
        self.assertEqual(
            {move.product_id: move.product_uom_qty for move in moves},
            {self.goods[2]: 2, self.goods[0]: 1},
        )
        self.assertEqual(
            self.process(
                self.us, self.build(("S", "10", 2, {"variant": None, "product": None}), A1)
            )[0].status,
            "updated",
        )

    def test_placeholder_that_was_delivered(self):
        sale = self.confirmed(("S", "10", 2, {"variant": None, "product": None}))
        self.us._job_reserve()
        sale.picking_ids.move_ids.picked = True
        sale.picking_ids.button_validate()
        with self.assertRaisesRegex(UserError, "delivered or invoiced"):
            sale.order_line._shopify_replace_product(self.goods[0])


class TestSnapshot(UpdateCase):
    def test_what_is_no_content(self):
        """Statuses, notes, payments do not change the fingerprint; content does."""
        base = snapshot(map_order(self.build(A1).node))
        same = snapshot(
            map_order(self.build(A1, note="x", tags=["y"], displayFinancialStatus="VOIDED").node)
        )
        self.assertEqual(fingerprint(base), fingerprint(same))
        self.assertEqual(differences(base, same), [])
        other = snapshot(map_order(self.build(A2).node))
        self.assertNotEqual(fingerprint(base), fingerprint(other))
        self.assertEqual(
            [(change.kind, change.values["new"]) for change in differences(base, other)],
            [("quantity_up", 2)],
        )
