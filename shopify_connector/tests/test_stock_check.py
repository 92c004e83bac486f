"""Rules, the full check, switching on, and the first count from Shopify."""

from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from .stock_common import StockCase

SET = "InventorySetQuantities"


class TestStockRules(StockCase):
    def setUp(self):
        super().setUp()
        self.in_step()
        self.first, self.second, self.third = self.variants

    def rule(self, effect, value=0, **scope):
        return self.env["shopify.stock.rule"].create(
            {"backend_id": self.us.id, "effect": effect, "value": value, **scope}
        )

    def test_buffer_of_a_flash_sale(self):
        self.add(self.first.product_id, 400)
        now = fields.Datetime.now()
        rule = self.rule(
            "buffer_fixed",
            20,
            product_id=self.first.product_id.id,
            date_from=now + timedelta(hours=1),
            date_to=now + timedelta(hours=3),
        )
        self.push()
        self.assertEqual(self.remote(self.first), 500)
        with patch.object(fields.Datetime, "now", lambda *a: now + timedelta(hours=2)):
            self.env["shopify.stock.rule"]._cron_turn()
            self.assertTrue(rule.in_force)
            self.push()
            self.assertEqual(self.remote(self.first), 480)
        with patch.object(fields.Datetime, "now", lambda *a: now + timedelta(hours=4)):
            self.env["shopify.stock.rule"]._cron_turn()
            self.push()
        self.assertEqual(self.remote(self.first), 500)
        self.assertEqual(self.remote(self.second), 100)

    def test_scopes(self):
        parent = self.env["product.category"].create({"name": "Parent"})
        child = self.env["product.category"].create({"name": "Child", "parent_id": parent.id})
        self.second.product_id.categ_id = child
        self.rule("buffer_percent", 10)
        self.rule("buffer_fixed", 1, categ_id=parent.id)
        self.rule("maximum", 30, product_tmpl_id=self.third.product_id.product_tmpl_id.id)
        self.push()
        self.assertEqual([self.remote(v) for v in self.variants], [90, 99, 30])

    def test_do_not_send(self):
        self.rule("no_push", product_id=self.first.product_id.id, location_id=self.location.id)
        self.add(self.first.product_id, 5)
        self.push()
        self.assertEqual(self.remote(self.first), 100)
        self.assertEqual(self.level(self.first).state, "off")
        self.env["shopify.stock.rule"].search([]).unlink()
        self.push()
        self.assertEqual(self.remote(self.first), 105)

    def test_minimum_and_never_negative(self):
        self.add(self.first.product_id, -130)
        self.add(self.second.product_id, -130)
        self.rule("minimum", 3, product_id=self.second.product_id.id)
        self.push()
        self.assertEqual([self.remote(v) for v in self.variants[:2]], [0, 3])

    def test_bad_values_are_refused(self):
        for effect, value in (("buffer_percent", 101), ("buffer_fixed", -1)):
            with self.assertRaises(ValidationError):
                self.rule(effect, value)
        now = fields.Datetime.now()
        with self.assertRaises(ValidationError):
            self.rule("maximum", 1, date_from=now, date_to=now)

    def test_explanation(self):
        self.rule("buffer_fixed", 20, product_id=self.first.product_id.id)
        text = str(self.level(self.first).explanation)
        self.assertIn("On hand", text)
        self.assertIn("Kept back", text)
        self.assertIn(">80<", text)

    def test_horizon_of_incoming_goods(self):
        supplier = self.env.ref("stock.stock_location_suppliers")
        for days, units in ((2, 5), (30, 50)):
            self.env["stock.move"].create(
                {
                    "product_id": self.first.product_id.id,
                    "product_uom_qty": units,
                    "location_id": supplier.id,
                    "location_dest_id": self.us.warehouse_id.lot_stock_id.id,
                    "date": fields.Datetime.now() + timedelta(days=days),
                }
            )._action_confirm()
        self.location.write({"stock_basis": "free_incoming", "stock_days": 7})
        self.push()
        self.assertEqual(self.remote(self.first), 105)
        self.location.stock_days = 0
        self.push()
        self.assertEqual(self.remote(self.first), 155)

    def test_forecast_is_without_what_goes_out(self):
        self.env["stock.move"].create(
            {
                "product_id": self.first.product_id.id,
                "product_uom_qty": 30,
                "location_id": self.us.warehouse_id.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
            }
        )._action_confirm()
        self.location.stock_basis = "forecast"
        self.push()
        self.assertEqual(self.remote(self.first), 70)

    def test_moves_inside_the_sources_change_nothing(self):
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.us.warehouse_id.lot_stock_id.id}
        )
        self.env["stock.move"].create(
            {
                "product_id": self.first.product_id.id,
                "product_uom_qty": 30,
                "location_id": self.us.warehouse_id.lot_stock_id.id,
                "location_dest_id": shelf.id,
            }
        )._action_confirm()
        self.location.stock_basis = "forecast"
        self.push()
        self.assertEqual(self.remote(self.first), 100)

    def test_half_a_unit_is_not_sold(self):
        self.first.product_id.uom_id.rounding = 0.01
        self.add(self.first.product_id, 0.5)
        self.push()
        self.assertEqual(self.remote(self.first), 100)

    def test_who_may_do_what(self):
        rules = self.env["shopify.stock.rule"]
        values = {"backend_id": self.us.id, "effect": "maximum", "value": 1}
        rules.with_user(self.operator).create(values)
        with self.assertRaises(AccessError):
            rules.with_user(self.auditor).create(values)
        with self.assertRaises(AccessError):
            self.first.with_user(self.auditor).action_push_stock()
        self.first.with_user(self.operator).action_push_stock()
        alone = self.env["res.company"].create({"name": "Alone"})
        self.operator.write({"company_ids": [(6, 0, alone.ids)], "company_id": alone.id})
        for model in ("level", "rule", "check"):
            records = self.env[f"shopify.stock.{model}"].with_user(self.operator)
            self.assertFalse(records.with_company(alone).search([("backend_id", "=", self.us.id)]))


class TestStockCheck(StockCase):
    def check(self, purpose="manual"):
        check = self.env["shopify.stock.check"]._start(self.us, purpose)
        return self.look(check)

    def look(self, check):
        self.flush()
        self.us._job_check_stock(check.id)
        self.env.invalidate_all()
        return check

    def confirm(self, check):
        self.flush()
        self.us._job_confirm_stock(check.id)
        self.env.invalidate_all()
        return check

    def test_all_in_step(self):
        self.in_step()
        check = self.check()
        self.assertEqual((check.state, check.compared, check.line_count), ("done", 3, 0))
        self.assertFalse(self.exceptions())

    def test_differences_are_listed_repaired_and_told_once(self):
        self.in_step()
        first, second, _third = self.variants
        self.set_remote(first, 60)
        self.set_remote(second, 103)
        check = self.check("schedule")
        self.assertEqual(check.state, "running", "an order may be the reason")
        self.confirm(check)
        self.assertEqual(check.line_ids.mapped("difference"), [40, -3])
        self.assertEqual(check.units, 43)
        exception = self.exceptions()
        self.assertEqual(len(exception), 1)
        self.assertIn("43 units", exception.name)
        self.push()
        self.assertEqual([self.remote(v) for v in (first, second)], [100, 100])
        self.confirm(self.check())
        self.assertFalse(self.exceptions())

    def test_small_differences_raise_no_alert(self):
        self.in_step()
        self.set_remote(self.variants[0], 92)
        check = self.confirm(self.check())
        self.assertEqual(check.units, 8)
        self.assertFalse(self.exceptions())

    def test_policy_to_report_only(self):
        self.in_step()
        self.us.stock_check_policy = "report"
        self.set_remote(self.variants[0], 60)
        check = self.confirm(self.check())
        self.push()
        self.assertEqual(self.remote(self.variants[0]), 60)
        check.action_repair()
        self.push()
        self.assertEqual(self.remote(self.variants[0]), 100)

    def test_what_was_sold_meanwhile_is_no_difference(self):
        self.in_step()
        self.set_remote(self.variants[0], 97)
        check = self.check()
        self.add(self.variants[0].product_id, -3)
        self.flush()
        self.outbox().unlink()
        self.confirm(check)
        self.assertEqual((check.line_count, check.line_ids.state), (0, "gone"))

    def test_untracked_and_gone(self):
        self.in_step()
        store = self.shop(self.us).store
        store.put(self.variants[0].inventory_item_gid, "InventoryItem", {"tracked": False})
        self.variants[1].inventory_item_gid = "gid://shopify/InventoryItem/999999"
        self.outbox().unlink()
        check = self.confirm(self.check())
        self.assertEqual(set(check.line_ids.mapped("problem")), {"untracked", "gone"})

    def test_switching_on_asks_first(self):
        self.us.push_stock = False
        before = [self.remote(variant) for variant in self.variants]
        action = self.us.with_user(self.manager).action_check_stock()
        check = self.env["shopify.stock.check"].browse(action["res_id"])
        with self.assertRaises(UserError):
            check.with_user(self.manager).action_switch_on()
        self.look(check)
        self.assertEqual((check.state, check.line_count), ("done", 3))
        self.push()
        self.assertEqual([self.remote(variant) for variant in self.variants], before)
        self.assertNotIn(SET, self.calls())
        with self.assertRaises(AccessError):
            check.with_user(self.operator).action_switch_on()
        check.with_user(self.manager).action_switch_on()
        self.push()
        self.assertEqual({self.remote(variant) for variant in self.variants}, {100})

    def test_two_locations_with_the_same_stock_are_refused(self):
        with self.assertRaisesRegex(ValidationError, "offered twice"):
            self.other.warehouse_id = self.us.warehouse_id
        self.us.push_stock = False
        self.other.warehouse_id = self.us.warehouse_id
        with self.assertRaisesRegex(ValidationError, "offered twice"):
            self.us.action_check_stock()
        self.other.push_stock = False
        self.us.action_check_stock()

    def test_store_that_refuses(self):
        self.set_shop(self.us, installed=False)
        check = self.check()
        self.assertEqual(check.state, "failed")
        self.assertTrue(check.message)


class TestStockImport(StockCase):
    def setUp(self):
        super().setUp()
        self.us.push_stock = False
        self.fresh = self.link(self.remote_variants[5:7], 0)
        self.manager.group_ids |= self.env.ref("stock.group_stock_manager")

    def wizard(self, **values):
        form = Form(
            self.env["shopify.stock.import"]
            .with_user(self.manager)
            .with_context(default_backend_id=self.us.id)
        )
        wizard = form.save()
        wizard.write({"understood": True, **values})
        return wizard

    def test_counts_are_entered_and_not_applied(self):
        wizard = self.wizard()
        self.assertEqual(wizard.location_ids, self.location)
        action = wizard.action_import()
        quants = self.env["stock.quant"].search(action["domain"])
        self.assertEqual(quants.product_id, self.fresh.product_id)
        for variant in self.fresh:
            quant = quants.filtered(lambda one, v=variant: one.product_id == v.product_id)
            self.assertEqual(quant.inventory_quantity, self.remote(variant, name="on_hand"))
            self.assertTrue(quant.inventory_quantity_set)
            self.assertEqual(quant.quantity, 0)
        self.assertEqual(self.fresh[0].product_id.qty_available, 0)
        quants.action_apply_inventory()
        self.assertEqual(
            self.fresh[0].product_id.qty_available, self.remote(self.fresh[0], name="on_hand")
        )

    def test_guards(self):
        with self.assertRaises(UserError):
            self.wizard(understood=False).action_import()
        with self.assertRaises(UserError):
            self.wizard(location_ids=[(5,)]).action_import()
        self.us.push_stock = True
        with self.assertRaises(UserError):
            self.wizard().action_import()
        with self.assertRaises(AccessError):
            self.env["shopify.stock.import"].with_user(self.operator).create(
                {"backend_id": self.us.id}
            )
