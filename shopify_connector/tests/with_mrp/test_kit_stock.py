"""What Shopify is shown of kits: as many as their components allow, and never twice."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command

from ...services.outcome import Block
from ..order_nodes import OrderNode
from ..stock_common import StockCase
from .kit_common import KitMixin

SET = "InventorySetQuantities"


class KitStockCase(KitMixin, StockCase):
    """`kit` takes 2 of `part` and 1 of `box`; `part` is sold alone, too.

    :ivar kit, rival, part: ``shopify.variant``; `rival` takes 1 of `part`
    """

    def setUp(self):
        super().setUp()
        self.part = self.variants[0]
        self.box = self.component("BOX", 30)
        self.kit, self.rival = self.link(self.remote_variants[3:5], 0)
        self.bom(self.kit.product_id, (self.part.product_id, 2), (self.box, 1))
        self.bom(self.rival.product_id, (self.part.product_id, 1))
        self.in_step()
        self.outbox().unlink()

    @property
    def stock(self):
        return self.us.warehouse_id.lot_stock_id

    def shown(self, name="available"):
        """Of the kit, of its rival and of the part alone."""
        return tuple(
            self.remote(variant, name=name) for variant in (self.kit, self.rival, self.part)
        )

    def move(self, product, quantity, back=False, **values):
        outside = self.env.ref("stock.stock_location_customers")
        places = (outside, self.stock) if back else (self.stock, outside)
        return self.env["stock.move"].create(
            {
                "product_id": product.id,
                "product_uom_qty": quantity,
                "location_id": places[0].id,
                "location_dest_id": places[1].id,
                **values,
            }
        )

    def done(self, move):
        move._action_confirm()
        move._action_assign()
        move.picked = True
        move._action_done()

    def reckoned(self, variant, location=None):
        """What is wanted of a variant now, without telling Shopify."""
        self.flush()
        location = location or self.location
        offer = self.env["shopify.stock.quantity"]._offer(self.us, location, variant.product_id.ids)
        pair = (location.id, variant.product_id.id)
        return offer.stocks[pair].on_hand, offer.stocks[pair].reserved


class TestKitStock(KitStockCase):
    def test_scarcest_component_counts(self):
        self.assertEqual(self.shown(), (30, 100, 100))
        self.add(self.box, 100)
        self.push()
        self.assertEqual(self.shown(), (50, 100, 100))
        self.add(self.part.product_id, 1)
        self.push()
        self.assertEqual(self.shown(), (50, 101, 101), "half a kit is none")

    def test_missing_component(self):
        self.add(self.box, -30)
        self.push()
        self.assertEqual(self.shown(), (0, 100, 100))

    def test_components_that_odoo_does_not_count(self):
        self.bom(self.variants[1].product_id, (self.component("GLUE", is_storable=False), 1))
        leaflet = self.component("LEAFLET", is_storable=False)
        self.kit.product_id.bom_ids.bom_line_ids = [
            Command.create({"product_id": leaflet.id, "product_qty": 5}),
            Command.create({"product_id": self.component("OPTION").id, "product_qty": 0}),
        ]
        self.push()
        self.assertEqual(self.shown(), (30, 100, 100), "they hold nothing back")
        level = self.level(self.variants[1])
        self.assertEqual((level.state, level.message), ("off", "Odoo does not count this product."))

    def test_kit_of_kits(self):
        """A case holds 3 kits and 4 parts of its own: 10 parts and 3 boxes."""
        (case,) = self.link(self.remote_variants[5:6], 0)
        self.bom(case.product_id, (self.kit.product_id, 3), (self.part.product_id, 4))
        self.push()
        self.assertEqual(self.remote(case), 10)
        self.add(self.part.product_id, -35)
        self.push()
        self.assertEqual(self.remote(case), 6)
        self.assertEqual(self.shown(), (30, 65, 65))

    def test_other_units_of_measure(self):
        """12 g of 1 kg for each; the bill is for two dozen kits."""
        gram, dozen = (self.env.ref(f"uom.product_uom_{name}") for name in ("gram", "dozen"))
        powder = self.component("POWDER", 1, uom_id=self.env.ref("uom.product_uom_kgm").id)
        (tin,) = self.link(self.remote_variants[5:6], 0)
        self.bom(tin.product_id, (powder, 288, gram), product_qty=2, product_uom_id=dozen.id)
        self.push()
        self.assertEqual(self.remote(tin), 83)

    def test_component_on_two_lines(self):
        self.kit.product_id.bom_ids.bom_line_ids = [
            Command.create({"product_id": self.part.product_id.id, "product_qty": 3})
        ]
        self.push()
        self.assertEqual(self.shown()[0], 20)

    def test_a_part_of_a_unit_is_never_rounded_up(self):
        """Odoo takes 0.34 for one of three, so that 10 are enough for 29 and not for 30."""
        third = self.component("THIRD", 10)
        (kit,) = self.link(self.remote_variants[5:6], 0)
        self.bom(kit.product_id, (third, 1), product_qty=3)
        self.push()
        self.assertEqual(self.remote(kit), 29)

    def test_kit_by_variant(self):
        attribute = self.env["product.attribute"].create(
            {"name": "Size", "value_ids": [Command.create({"name": name}) for name in "SL"]}
        )
        template = self.env["product.template"].create(
            {
                "name": "Sized",
                "attribute_line_ids": [
                    Command.create(
                        {
                            "attribute_id": attribute.id,
                            "value_ids": [Command.set(attribute.value_ids.ids)],
                        }
                    )
                ],
            }
        )
        small, large = template.product_variant_ids
        variants = self.link(self.remote_variants[5:7], 0)
        for variant, product in zip(variants, (small, large), strict=True):
            variant.product_id = product
        bom = self.bom(small, (self.box, 1), (self.part.product_id, 10))
        large_only = bom.bom_line_ids[1]
        large_only.bom_product_template_attribute_value_ids = (
            large.product_template_attribute_value_ids
        )
        self.push()
        self.assertEqual([self.remote(variant) for variant in variants], [30, 10])
        # a bill for one variant goes before that for all
        self.bom(small, (self.box, 15), product_id=small.id, sequence=0)
        bom.sequence = 1
        self.push()
        self.assertEqual([self.remote(variant) for variant in variants], [2, 10])

    def test_bill_of_another_company(self):
        (product,) = self.link(self.remote_variants[5:6], 7)
        self.bom(
            product.product_id,
            (self.component("FOREIGN"), 1),
            company_id=self.eu_company.id,
        )
        self.push()
        self.assertEqual(self.remote(product), 7, "here it is no kit")

    def test_two_locations(self):
        other = self.env["stock.warehouse"].create(
            {"name": "Other", "code": "OTH", "company_id": self.company.id}
        )
        self.other.write({"warehouse_id": other.id, "push_stock": True})
        self.add(self.part.product_id, 9, other.lot_stock_id)
        self.push()
        self.assertEqual(self.remote(self.kit, self.other) or 0, 0)
        self.add(self.box, 50, other.lot_stock_id)
        self.push()
        self.assertEqual((self.remote(self.kit), self.remote(self.kit, self.other)), (30, 4))

    def test_rules_are_the_kits_own(self):
        rule = {"backend_id": self.us.id}
        self.env["shopify.stock.rule"].create(
            [
                {
                    **rule,
                    "effect": "buffer_fixed",
                    "value": 4,
                    "product_id": self.kit.product_id.id,
                },
                {**rule, "effect": "maximum", "value": 60, "product_id": self.part.product_id.id},
            ]
        )
        self.push()
        self.assertEqual(self.shown(), (26, 100, 60))

    def test_explanation_names_the_component(self):
        shown = str(self.level(self.kit).explanation)
        self.assertIn("1 x [BOX] BOX each", shown)
        self.assertIn(">30</td>", shown)

    # -- bases

    def test_reserved_components(self):
        self.done_not(self.move(self.box, 25))
        self.push()
        self.assertEqual(self.shown(), (5, 100, 100))

    def done_not(self, move):
        move._action_confirm()
        move._action_assign()

    def test_on_hand(self):
        self.location.stock_basis = "on_hand"
        self.done_not(self.move(self.box, 25))
        self.push()
        self.assertEqual(self.shown("on_hand"), (30, 100, 100))

    def test_incoming_component_within_days(self):
        self.location.write({"stock_basis": "free_incoming", "stock_days": 5})
        soon = fields.Datetime.now() + timedelta(days=2)
        late = fields.Datetime.now() + timedelta(days=9)
        self.move(self.box, 8, back=True, date=soon)._action_confirm()
        self.move(self.box, 100, back=True, date=late)._action_confirm()
        self.push()
        self.assertEqual(self.shown(), (38, 100, 100))

    def test_incoming_of_one_and_stock_of_the_other(self):
        """Neither is there twice: the kits that both make together count."""
        self.location.stock_basis = "free_incoming"
        self.add(self.box, -30)
        self.move(self.box, 20, back=True)._action_confirm()
        self.push()
        self.assertEqual(self.shown(), (20, 100, 100))

    def test_forecast_takes_off_what_each_component_is_planned_for(self):
        self.location.stock_basis = "forecast"
        self.move(self.part.product_id, 90)._action_confirm()
        self.move(self.box, 20, back=True)._action_confirm()
        self.push()
        self.assertEqual(self.shown(), (5, 10, 10))

    # -- what marks a kit

    def noted(self):
        self.flush()
        rows = self.outbox()
        found = {row.variant_id for row in rows}
        rows.unlink()
        return found

    def test_component_that_moves_marks_its_kits(self):
        (case,) = self.link(self.remote_variants[5:6], 0)
        self.bom(case.product_id, (self.kit.product_id, 3))
        self.noted()
        self.done(self.move(self.box, 2))
        self.assertEqual(self.noted(), {self.kit, case})
        self.done_not(self.move(self.part.product_id, 1))
        self.assertEqual(self.noted(), {self.part, self.kit, self.rival, case})

    def test_bill_that_changes_marks_its_kit(self):
        bom = self.kit.product_id.bom_ids
        box = bom.bom_line_ids.filtered(lambda line: line.product_id == self.box)
        box.product_qty = 3
        self.assertEqual(self.noted(), {self.kit})
        self.push_all()
        self.assertEqual(self.shown()[0], 10)
        box.unlink()
        self.assertEqual(self.noted(), {self.kit})
        self.push_all()
        self.assertEqual(self.shown()[0], 50)
        bom.product_qty = 2
        self.assertEqual(self.noted(), {self.kit})
        self.push_all()
        self.assertEqual(self.shown()[0], 100)

    def test_bill_that_begins_and_ends_marks_its_kit(self):
        other = self.variants[1]
        bom = self.bom(other.product_id, (self.box, 2))
        self.assertEqual(self.noted(), {other})
        self.push_all()
        self.assertEqual(self.remote(other), 15)
        bom.action_archive()
        self.assertEqual(self.noted(), {other})
        self.push_all()
        self.assertEqual(self.remote(other), 100, "its own stock counts again")
        bom.action_unarchive()
        self.assertEqual(self.noted(), {other})
        bom.type = "normal"
        self.assertEqual(self.noted(), {other})
        bom.type = "phantom"
        self.noted()
        bom.unlink()
        self.assertEqual(self.noted(), {other})

    def test_kit_within_a_kit_that_changes_marks_both(self):
        (case,) = self.link(self.remote_variants[5:6], 0)
        self.bom(case.product_id, (self.kit.product_id, 3))
        self.noted()
        self.kit.product_id.bom_ids.bom_line_ids[0].product_qty = 1
        self.assertEqual(self.noted(), {self.kit, case})

    def test_bill_of_a_product_that_is_made_marks_nothing(self):
        bom = self.bom(self.variants[1].product_id, (self.box, 2), type="normal")
        bom.bom_line_ids.product_qty = 5
        self.assertEqual(self.noted(), set())

    def test_bills_are_not_watched_where_stock_is_not_sent(self):
        self.us.push_stock = False
        self.kit.product_id.bom_ids.bom_line_ids[0].product_qty = 1
        self.assertEqual(self.noted(), set())

    def push_all(self):
        self.env["shopify.outbox"]._put_all(self.us, "manual")
        self.push()
        self.outbox().unlink()

    # -- what it costs

    def test_products_that_are_no_kits_cost_two_queries(self):
        """However many they are; of as many as it takes without Manufacturing."""
        plain = self.link(self.remote_variants[5:], 10).product_id.ids
        Kit = type(self.env["shopify.stock.kit"])
        found = set()
        for some in (plain[:2], plain):
            count = self.queries(some)
            with (
                patch.object(Kit, "_parts", lambda *_args: {}),
                patch.object(Kit, "_containing", lambda _self, ids: set(ids)),
            ):
                found.add((count, count - self.queries(some)))
        self.assertGreater(len(plain), 3)
        self.assertEqual([extra for _count, extra in found], [2], found)

    def queries(self, product_ids):
        """How many it takes to decide what is shown of products."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        offer = self.env["shopify.stock.quantity"]._offer(self.us, self.location, product_ids)
        self.assertGreaterEqual({product for _place, product in offer.stocks}, set(product_ids))
        return self.env.cr.sql_log_count - before

    def test_moves_of_products_that_are_no_kits_cost_one_query(self):
        plain = self.link(self.remote_variants[5:], 10).product_id.ids
        self.env.flush_all()
        with self.assertQueryCount(1):
            with_kits = self.env["shopify.stock.capture"]._with_kits(plain, "stock")
        self.assertEqual(set(with_kits), set(plain))

    def test_kits_are_computed_in_a_batch(self):
        variants = self.link(self.remote_variants[5:], 0)
        for variant in variants:
            self.bom(variant.product_id, (self.box, 1), (self.component(variant.sku + "x", 5), 1))
        self.assertGreater(len(variants), 3)
        few = self.queries(variants[:2].product_id.ids)
        self.assertEqual(self.queries(variants.product_id.ids), few)

    def test_on_hand_is_warned_of(self):
        """Shopify does not know that a part is promised to another kit."""
        title = "Kits are shown by what is on hand"
        titles = [finding.title for finding in self.us._check_connection()]
        self.assertNotIn(title, titles)
        self.location.stock_basis = "on_hand"
        found = {finding.title: finding for finding in self.us._check_connection()}
        self.assertIn(f"2 kits are sold from {self.location.name}", found[title].message)


class TestKitInflight(KitStockCase):
    """Orders that Odoo has not reserved yet, of kits and of their components."""

    def setUp(self):
        super().setUp()
        self.us.write({"confirm_policy": "always", "import_orders": True})
        self.us.shop_country_id = self.env.ref("base.us")
        self.assertEqual(self.shown(), (30, 100, 100))

    def sell(self, variant, units=3, number=1001, **fields):
        """A customer buys units of a variant; Shopify takes them off its quantity, and no more."""
        node = OrderNode(number, **fields)
        node.line(variant.sku, "10.00", units, variant={"id": variant.shopify_gid})
        self.sandbox.load([node.node], self.us.shop_domain)
        self.set_remote(variant, self.remote(variant) - units)
        return node.node["id"]

    def bring_in(self, gid, state="sale"):
        self.put(self.us, [gid])
        self.drain(self.us)
        binding = self.env["shopify.order"].search([("shopify_gid", "=", gid)])
        self.assertEqual(binding.sale_order_id.state, state, self.exceptions().mapped("message"))
        self.flush()
        return binding.sale_order_id

    def assertInStep(self, *shown):
        """What Shopify shows after an export, and after another one that changes nothing."""
        self.push()
        self.assertEqual(self.shown(), shown)
        self.env["shopify.outbox"]._put_all(self.us, "manual")
        self.shop(self.us).log.clear()
        self.push()
        self.assertEqual((self.shown(), self.calls(SET)), (shown, []))

    def test_reserved_order_of_a_kit(self):
        sale = self.bring_in(self.sell(self.kit))
        self.us._job_reserve()
        self.assertEqual(sale.picking_ids.move_ids.product_id, self.part.product_id | self.box)
        self.assertInStep(27, 94, 94)
        self.assertFalse(self.level(self.kit).held)

    def test_order_of_a_kit_in_the_inbox(self):
        self.put(self.us, [self.sell(self.kit)])
        self.add(self.part.product_id, 10)
        self.assertInStep(27, 104, 104)

    def test_order_of_a_component_in_the_inbox(self):
        self.put(self.us, [self.sell(self.part, 60)])
        self.add(self.part.product_id, 10)
        self.assertInStep(25, 50, 50)

    def test_order_of_a_kit_that_waits_for_a_person_is_taken_off_its_components(self):
        """Nothing moves in Odoo, so the order itself has to have the others looked at."""
        gid = self.sell(self.kit)
        with self.blocked():
            self.put(self.us, [gid])
            self.drain(self.us)
        self.assertEqual(self.exceptions().line_ids.gid, gid)
        self.assertInStep(27, 94, 94)

    def blocked(self):
        block = Block(category="other", key="x", title="Something", message="is wrong")
        importer = type(self.env["shopify.order.importer"])
        return patch.object(importer, "_total_blocks", lambda *_args: [block])

    def test_quotation_of_a_kit(self):
        self.us.confirm_policy = "quotation"
        sale = self.bring_in(self.sell(self.kit), "draft")
        self.assertInStep(27, 94, 94)
        sale._action_cancel()
        self.push()
        self.assertEqual(self.shown(), (30, 100, 100))

    def test_confirmed_order_of_a_kit_that_is_not_reserved(self):
        self.us.reserve = False
        gid = self.sell(self.kit)
        moves = type(self.env["stock.move"])
        with patch.object(moves, "_should_assign_at_confirm", lambda _self: False):
            self.bring_in(gid)
        self.assertEqual(self.reckoned(self.box_variant()), (30, 0), "nothing is reserved")
        self.assertInStep(27, 94, 94)

    def box_variant(self):
        variant = self.variants[1]
        variant.product_id = self.box
        return variant

    def test_kit_that_vanished_while_its_rival_waits(self):
        """The order of the rival does not explain why kits are gone."""
        self.put(self.us, [self.sell(self.rival, 50)])
        self.set_remote(self.kit, 20)
        self.add(self.box, 5)
        self.push()
        self.assertEqual(self.level(self.kit).held, 10)
        self.assertEqual(self.remote(self.kit), 15, "50 parts make 25 kits, 10 are held back")

    def test_first_count_leaves_kits_out(self):
        self.us.push_stock = False
        self.kit.product_id.is_storable = True
        wizard = self.env["shopify.stock.import"].create(
            {"backend_id": self.us.id, "understood": True, "only_empty": False}
        )
        wizard.action_import()
        counted = self.env["stock.quant"].search([("inventory_quantity_set", "=", True)])
        self.assertIn(self.part.product_id, counted.product_id)
        self.assertNotIn(self.kit.product_id, counted.product_id)
