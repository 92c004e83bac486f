"""Changes in Shopify of confirmed orders: what the cells of the table do not show."""

from decimal import Decimal

from odoo import Command
from odoo.tests import Form, tagged

from .edit_common import EditCase
from .order_common import OrderCase
from .order_nodes import OrderNode, bag

MORE = (4, "0.37", "1.58", "1.83")
ONE = (2, "19.73", "1.70")


@tagged("post_install", "-at_install", "shopify")
class TestOrderEdits(EditCase):
    def binding_of(self, sale):
        return sale.shopify_order_ids

    def drafts(self, sale):
        return sale.invoice_ids.filtered(lambda move: move.state == "draft")

    # -- choices --------------------------------------------------------------------------------

    def apply_anyway(self, sale, node):
        binding = self.binding_of(sale)
        binding.with_user(self.operator).action_apply_difference()
        (outcome,) = self.process(self.us, node)
        self.assertFalse(binding.apply_anyway)
        return outcome

    def test_apply_anyway_locked(self):
        sale = self.reach("locked")
        node = self.build(a=MORE, displayFinancialStatus="PENDING")
        self.assertEqual(self.process(self.us, node)[0].status, "blocked")
        self.assertEqual(self.apply_anyway(sale, node).status, "updated")
        self.assertEqual(self.ordered(sale), {"A": 4, "B": 1})
        self.assertEqual(self.still_to_ship(sale), {"A": 4, "B": 1})
        self.assertTrue(sale.locked)
        self.assertFalse(self.binding_of(sale).difference)

    def test_apply_anyway_invoiced(self):
        """The order is worth what Shopify says; the posted invoice is told to be higher."""
        sale = self.reach("paid")
        node = self.build(a=(3, "1.37", "1.14", "1.33"), money=["SALE"])
        self.assertIn("apply", self.process(self.us, node)[0].blocks[0].remedy.lower())
        outcome = self.apply_anyway(sale, node)
        self.assertEqual(round(sale.amount_total, 2), 46.27)
        self.assertIn("1.08 more is invoiced", outcome.blocks[0].message.replace("\xa0", " "))
        self.assertEqual(self.binding_of(sale).choices, "accept")
        self.assertEqual(self.posted(sale), 47.35)

    def test_apply_anyway_customer(self):
        sale = self.reach("delivered")
        node = self.build(displayFinancialStatus="PENDING")
        node.fields["customer"] = {
            "id": "gid://shopify/Customer/99",
            "displayName": "Eve Other",
            "defaultEmailAddress": {"emailAddress": "eve@example.com"},
        }
        self.assertEqual(self.process(self.us, node)[0].status, "blocked")
        self.assertEqual(self.apply_anyway(sale, node).status, "updated")
        self.assertEqual(sale.partner_id.name, "Eve Other")
        self.assertNotEqual(sale.picking_ids.partner_id.name, "Eve Other")

    def test_apply_anyway_reopened(self):
        """An order that was cancelled on both sides is confirmed again as it is now."""
        sale = self.reach("confirmed")
        self.change(cancelledAt="2026-11-03T10:00:00Z")
        self.assertEqual(sale.state, "cancel")
        node = self.build(a=MORE, displayFinancialStatus="PENDING")
        self.assertEqual(self.process(self.us, node)[0].status, "blocked")
        self.assertEqual(self.apply_anyway(sale, node).status, "updated")
        self.assertEqual((sale.state, round(sale.amount_total, 2)), ("sale", 58.20))
        self.assertEqual(self.still_to_ship(sale), {"A": 4, "B": 1})

    def test_return_goods(self):
        """Once the goods are back, what waited is applied by itself."""
        sale = self.reach("delivered")
        node = self.build(off=ONE, displayFinancialStatus="PENDING")
        self.process(self.us, node)
        binding = self.binding_of(sale)
        action = binding.with_user(self.operator).action_return_goods()
        wizard = Form(self.env[action["res_model"]].with_context(**action["context"])).save()
        wizard.product_return_moves.filtered(lambda row: row.product_id == self.goods[0]).write(
            {"quantity": 2, "to_refund": True}
        )
        wizard.product_return_moves.filtered(lambda row: row.product_id == self.goods[1]).unlink()
        returned = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        returned.move_ids.picked = True
        returned._action_done()
        retry = self.env["shopify.webhook.event"].search(
            [("resource_gid", "=", binding.shopify_gid)]
        )
        self.assertEqual(retry.mapped("topic"), ["retry"])
        (outcome,) = self.process(self.us, node)
        self.assertEqual(outcome.status, "updated")
        self.assertEqual(self.ordered(sale), {"A": 1, "B": 1})
        self.assertEqual(round(sale.amount_total, 2), 25.92)
        self.assertFalse(binding.difference)

    def test_cancelled_then_returned(self):
        sale = self.reach("delivered")
        node = self.build(cancelledAt="2026-11-03T10:00:00Z", displayFinancialStatus="PENDING")
        self.assertIn("delivered", self.process(self.us, node)[0].blocks[0].message)
        picking = sale.picking_ids
        wizard = self.env["stock.return.picking"].create({"picking_id": picking.id})
        for row in wizard.product_return_moves:
            row.write({"quantity": row.move_id.quantity, "to_refund": True})
        returned = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        returned.move_ids.picked = True
        returned._action_done()
        self.assertEqual(self.process(self.us, node)[0].status, "updated")
        self.assertEqual(sale.state, "cancel")

    def test_invoiced_and_partly_delivered(self):
        """What was sent stays on the order, although all of it is invoiced and paid."""
        sale = self.reach("paid")
        self.deliver(sale, {"A": 2})
        node = self.build(off=(3, "29.60", "2.55"), money=["SALE"], displayFinancialStatus="PAID")
        (block,) = self.process(self.us, node)[0].blocks
        self.assertIn("Already delivered: 2", block.message)
        self.assertEqual(self.binding_of(sale).choices, "accept,return")
        self.assertEqual(self.ordered(sale), {"A": 2, "B": 1})
        self.assertEqual(self.still_to_ship(sale), {"B": 1})

    # -- one change after the other --------------------------------------------------------------

    def test_part_by_part_ends_to_the_cent(self):
        """What waited is not applied twice, and the next change goes on from there."""
        sale = self.reach("partly_delivered")
        self.assertEqual(self.change(off=ONE).status, "blocked")
        self.assertEqual(self.ordered(sale), {"A": 2, "B": 1})
        self.assertEqual(self.change(off=ONE, tags=["later"]).status, "blocked")
        self.assertEqual(round(sale.amount_total, 2), 36.65)
        self.assertEqual(self.change(a=MORE).status, "updated")
        self.assertEqual(self.ordered(sale), {"A": 4, "B": 1})
        self.assertEqual(self.still_to_ship(sale), {"A": 2, "B": 1})
        self.assertEqual(round(sale.amount_total, 2), 58.20)
        self.assertFalse(self.binding_of(sale).difference)

    def test_several_changes_at_once(self):
        """What can be applied is; the exception tells both."""
        sale = self.reach("delivered")
        node = self.build(off=ONE, c=True, displayFinancialStatus="PENDING")
        (outcome,) = self.process(self.us, node)
        self.assertEqual(self.ordered(sale), {"A": 3, "B": 1, "C": 2})
        self.assertEqual(self.still_to_ship(sale), {"C": 2})
        message = outcome.blocks[0].message
        self.assertIn("Applied: 2 x Title C was added.", message)
        self.assertNotIn("Title C", self.binding_of(sale).difference)
        self.process(self.us, node)
        self.assertEqual(self.ordered(sale), {"A": 3, "B": 1, "C": 2})

    def test_partly_cancelled_and_reopened(self):
        sale = self.reach("partly_delivered")
        self.change(cancelledAt="2026-11-03T10:00:00Z")
        self.assertEqual(self.ordered(sale), {"A": 2, "B": 0})
        self.assertFalse(self.still_to_ship(sale))
        self.assertEqual(self.change().status, "updated")
        self.assertEqual(self.ordered(sale), {"A": 3, "B": 1})
        self.assertEqual(self.still_to_ship(sale), {"A": 1, "B": 1})
        self.assertEqual(round(sale.amount_total, 2), 47.35)

    # -- invoices -------------------------------------------------------------------------------

    def test_draft_invoice_is_made_anew(self):
        self.us.write({"invoice_policy": "draft", "invoice_when": "confirmation"})
        sale = self.sale(self.us, self.build(displayFinancialStatus="PENDING"))
        self.account()
        first = self.drafts(sale)
        self.assertEqual(round(first.amount_total, 2), 47.35)
        self.change(a=MORE, c=True)
        self.account()
        self.assertEqual(first.state, "cancel")
        self.assertEqual(round(self.drafts(sale).amount_total, 2), 73.39)
        node = self.build(a=MORE, c=True)
        node.fields["billingAddress"] = {**node.address, "address1": "2 Other Street"}
        self.process(self.us, node)
        self.account()
        self.assertEqual(self.drafts(sale).partner_id.street, "2 Other Street")
        self.change(cancelledAt="2026-11-03T10:00:00Z")
        self.assertFalse(self.drafts(sale))

    def test_more_is_invoiced_in_addition(self):
        """The last invoice takes the rest, so that all together say what Shopify says."""
        sale = self.reach("paid")
        node = self.build(a=MORE, c=True, displayFinancialStatus="PAID")
        self.transaction(node, 1, "47.35")
        self.transaction(node, 2, "26.04")
        self.assertEqual(self.process(self.us, node)[0].status, "updated")
        self.assertFalse(self.account())
        moves = sale.invoice_ids
        self.assertEqual(len(moves), 2)
        self.assertTotals(moves, "67.59", "2.70", "3.10")
        self.assertEqual(set(moves.mapped("payment_state")), {"paid"})

    def test_credit_note_follows(self):
        """An edit is a refund in Shopify: its credit note comes by itself, to the cent."""
        self.us.refund_policy = "posted"
        sale = self.reach("paid")
        self.assertEqual(self.change(off=ONE, money=["SALE"]).status, "updated")
        self.assertFalse(self.account())
        credit = sale.invoice_ids.filtered(lambda move: move.move_type == "out_refund")
        self.assertEqual((credit.state, round(credit.amount_total, 2)), ("posted", 21.43))
        self.assertEqual(self.posted(sale), round(sale.amount_total, 2))
        self.change(off=ONE, money=["SALE"], tags=["later"])
        self.assertFalse(self.account())
        self.assertEqual(len(sale.invoice_ids), 2)

    def test_invoiced_after_the_edit(self):
        """What was taken off before the invoice is neither invoiced nor credited."""
        self.us.write(
            {"invoice_policy": "posted", "invoice_when": "payment", "refund_policy": "posted"}
        )
        sale = self.sale(self.us, self.build(displayFinancialStatus="PENDING"))
        self.assertFalse(self.account())
        self.change(off=ONE, money=["SALE"])
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.mapped("move_type"), ["out_invoice"])
        self.assertEqual(self.posted(sale), 25.92)

    def test_taken_off_and_added_again(self):
        """Units that an edit took off and another put back are invoiced again."""
        self.us.refund_policy = "posted"
        sale = self.reach("paid")
        self.change(off=ONE, money=["SALE"])
        self.assertFalse(self.account())
        node = self.build(a=(5, "0.37", "1.98", "2.30"), off=ONE, displayFinancialStatus="PAID")
        self.transaction(node, 1, "47.35")
        self.transaction(node, 2, str(node.total - Decimal("47.35") - Decimal("21.43")))
        self.assertEqual(self.process(self.us, node)[0].status, "updated")
        self.assertFalse(self.account())
        self.assertEqual(self.ordered(sale), {"A": 3, "B": 1})
        self.assertEqual(self.posted(sale), round(sale.amount_total, 2))

    def test_owed_where_refunds_are_only_kept(self):
        self.us.refund_policy = "none"
        sale = self.reach("paid")
        (block,) = self.change(off=ONE, money=["SALE"]).blocks
        self.assertIn("21.43 more is invoiced", block.message.replace("\xa0", " "))
        binding = self.binding_of(sale)
        self.assertEqual((binding.choices, self.ordered(sale)["A"]), ("accept", 1))
        self.us.refund_policy = "posted"
        self.assertEqual(self.change(off=ONE, money=["SALE"]).status, "updated")
        self.assertFalse(binding.difference)

    # -- deliveries -----------------------------------------------------------------------------

    def test_picked_units_stay_here(self):
        """Also what somebody put into the parcel already is not shipped any more."""
        sale = self.reach("confirmed")
        picking = sale.picking_ids
        for move in picking.move_ids:
            move.write({"quantity": move.product_uom_qty, "picked": True})
        self.change(off=ONE)
        picking.button_validate()
        self.assertEqual(self.line(sale, "A").qty_delivered, 1)
        self.assertEqual(self.line(sale, "B").qty_delivered, 1)

    def test_several_deliveries_and_steps(self):
        """Each step shrinks by itself, and no return is made of what never left."""
        self.us.warehouse_id.delivery_steps = "pick_pack_ship"
        sale = self.reach("confirmed")
        pick = sale.picking_ids
        pick.move_ids.picked = True
        pick._action_done()
        self.change(off=ONE)
        moves = sale.picking_ids.move_ids.filtered(lambda m: m.state not in ("done", "cancel"))
        left = {move.product_id.default_code: move.product_uom_qty for move in moves}
        self.assertEqual(left, {"A": 1, "B": 1})
        self.assertFalse(moves.origin_returned_move_id)
        self.assertFalse(moves.filtered(lambda move: move.location_usage == "customer"))

    def test_reservations_are_kept(self):
        sale = self.reach("confirmed")
        reserved = sale.picking_ids.move_ids.filtered(lambda m: m.product_id == self.goods[0])
        self.assertEqual(reserved.quantity, 3)
        self.change(off=ONE)
        self.assertEqual((reserved.product_uom_qty, reserved.quantity), (1, 1))
        self.assertEqual(reserved.state, "assigned")
        self.change(a=MORE)
        self.assertTrue(self.binding_of(sale).reserve_pending)
        self.us._job_reserve()
        self.assertEqual(sum(self.line(sale, "A").move_ids.mapped("quantity")), 4)

    def test_delivery_method_changes(self):
        sale = self.reach("confirmed")
        carrier = self.env["delivery.carrier"].create(
            {"name": "Express", "product_id": self.us.shipping_product_id.id}
        )
        self.env["shopify.carrier.mapping"].create(
            {"backend_id": self.us.id, "title": "Express", "carrier_id": carrier.id}
        )
        node = self.build(ship=None, displayFinancialStatus="PENDING")
        node.ship("9.00", title="Express")
        node.shipping[0]["id"] = "gid://shopify/ShippingLine/77"
        (outcome,) = self.process(self.us, node)
        self.assertEqual(outcome.status, "updated", outcome.blocks)
        self.assertEqual(sale.carrier_id, carrier)
        self.assertEqual(sale.picking_ids.carrier_id, sale.carrier_id)
        self.assertEqual(len(sale.order_line.filtered("is_delivery")), 2)
        self.assertEqual(round(sale.amount_total, 2), 52.00)

    # -- people ---------------------------------------------------------------------------------

    def test_what_a_user_added_stays(self):
        sale = self.reach("confirmed")
        gift = self.env["sale.order.line"].create(
            {
                "order_id": sale.id,
                "product_id": self.goods[2].id,
                "price_unit": 1,
                "tax_ids": [Command.clear()],
            }
        )
        self.assertEqual(self.change(a=MORE).status, "updated")
        self.assertIn(gift, sale.order_line)
        self.assertEqual(round(sale.amount_total, 2), 59.20)

    def test_line_that_a_user_changed(self):
        """Less of a line with another price is worth what it says in Odoo, per unit."""
        sale = self.reach("partly_delivered")
        line = self.line(sale, "A")
        line.price_unit = 20
        self.assertEqual(self.change(off=ONE).status, "blocked")
        self.assertEqual((line.product_uom_qty, line.price_unit), (2, 20))

    def test_unknown_product_waits(self):
        """A line that is added needs its product; everything goes through once it is there."""
        sale = self.reach("confirmed")
        self.goods[2].default_code = False
        node = self.build(a=MORE, c=True, displayFinancialStatus="PENDING")
        (outcome,) = self.process(self.us, node)
        self.assertEqual(outcome.blocks[0].category, "product")
        self.assertEqual(self.ordered(sale), {"A": 3, "B": 1})
        self.goods[2].default_code = "C"
        self.assertEqual(self.process(self.us, node)[0].status, "updated")
        self.assertEqual(self.ordered(sale), {"A": 4, "B": 1, "C": 2})

    # -- batches --------------------------------------------------------------------------------

    def test_queries_do_not_grow_with_the_batch(self):
        self.us.confirm_policy = "always"

        def nodes(numbers, quantity, minute):
            found = []
            for number in numbers:
                node = OrderNode(number, updatedAt=f"2026-11-02T12:{minute:02d}:00Z")
                node.line("A", "10", quantity).line("B", "10", 1)
                found.append(node)
            return found

        def edit(numbers, quantity, minute):
            before = self.env.cr.sql_log_count
            outcomes = self.process(self.us, *nodes(numbers, quantity, minute))
            self.assertEqual({outcome.status for outcome in outcomes}, {"updated"})
            return self.env.cr.sql_log_count - before

        few, many = range(2001, 2003), range(3001, 3021)
        self.process(self.us, *nodes([*few, *many], 3, 1))
        edit([2001], 4, 2)
        small = edit(few, 2, 3)
        large = edit(many, 2, 4)
        per_order = (large - small) / (len(many) - len(few))
        # what Odoo itself does for a sale order and a delivery that change, their chatter above all
        self.assertLess(per_order, 20)


@tagged("post_install", "-at_install", "shopify")
class TestOrderEditFlow(OrderCase):
    """From the store's side to the sale order, by the way of the inbox."""

    def setUp(self):
        super().setUp()
        self.create_products(self.us)
        self.us.missing_product = "placeholder"
        # Oregon has no sales tax, so nothing has to be mapped.
        (self.placed,) = self.place_orders(self.us, lines=2, extras=False, region="US/OR")
        (self.order,) = self.import_orders(self.us, [self.placed])
        self.sale_order = self.order.sale_order_id

    def edit(self, **fields):
        order = self.shop(self.us).store.get(self.placed["id"])
        line = self.shop(self.us).store.get(order["lineItems"][0])
        price = Decimal(line["originalUnitPriceSet"]["shopMoney"]["amount"])
        units = line["quantity"]
        taken = sum(
            Decimal(item["allocatedAmountSet"]["shopMoney"]["amount"])
            for item in line.get("discountAllocations") or ()
        )
        worth = price * units - taken
        refund = {
            "__typename": "Refund",
            "id": "gid://shopify/Refund/1",
            "order": {"id": order["id"]},
            "createdAt": "2026-11-21T10:00:00Z",
            "refundLineItems": {
                "nodes": [
                    {
                        "lineItem": {"id": line["id"]},
                        "quantity": units,
                        "restockType": "CANCEL",
                        "restocked": True,
                        "subtotalSet": bag(worth),
                        "totalTaxSet": bag(0),
                    }
                ]
            },
        }
        total = Decimal(order["totalPriceSet"]["shopMoney"]["amount"])
        now = {
            "__typename": "Order",
            "id": order["id"],
            "edited": True,
            "updatedAt": "2100-01-01T10:00:00Z",
            "currentTotalPriceSet": bag(total - worth),
            **fields,
        }
        self.sandbox.load([refund, now], self.us.shop_domain)
        self.import_orders(self.us, [self.placed])
        return line["id"], float(total - worth)

    def test_line_removed(self):
        self.assertEqual(self.sale_order.state, "sale")
        gid, total = self.edit()
        line = self.sale_order.order_line.filtered(lambda line: line.shopify_gid == gid)
        self.assertEqual(line.product_uom_qty, 0)
        self.assertAlmostEqual(self.sale_order.amount_total, total, 2)
        self.assertEqual(set(line.move_ids.mapped("state")), {"cancel"})
        self.assertFalse(self.order.difference)
        self.assertNotIn("text-danger", self.order.comparison)

    def test_exception_and_its_end(self):
        """What waits is on the list, goes with its cause, and takes the buttons along."""
        for picking in self.sale_order.picking_ids:
            for move in picking.move_ids:
                move.write({"quantity": move.product_uom_qty, "picked": True})
            picking._action_done()
        self.edit()
        domain = [("category", "=", "order_changed"), ("state", "=", "open")]
        exception = self.env["shopify.exception"].search(domain)
        self.assertEqual(exception.line_ids.gid, self.order.shopify_gid)
        self.assertEqual(exception.action_fix()["res_id"], self.order.id)
        self.assertEqual(self.order.choices, "accept,return")
        self.order.with_user(self.operator).action_accept_difference()
        self.assertEqual(exception.state, "resolved")
        self.drain(self.us)
        self.assertFalse(self.env["shopify.exception"].search(domain))

    def test_edited_before_it_was_imported(self):
        """The sale order starts with what is left, and ships no more."""
        self.us.confirm_policy = "always"
        (other,) = self.place_orders(self.us, seed=5, lines=2, extras=False, region="US/OR")
        self.placed = other
        gid, total = self.edit()
        order = self.env["shopify.order"].search([("shopify_gid", "=", other["id"])])
        sale = order.sale_order_id
        line = sale.order_line.filtered(lambda line: line.shopify_gid == gid)
        self.assertEqual((line.product_uom_qty, line.price_total), (0, 0))
        self.assertFalse(line.move_ids)
        self.assertAlmostEqual(sale.amount_total, total, 2)
