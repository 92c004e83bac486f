"""From a change of stock to the call: what is noted, what is sent, what happens when it fails."""

from contextlib import suppress
from unittest.mock import patch

from odoo import fields

from ..mappers import stock as mapper
from .stock_common import StockCase

SET = "InventorySetQuantities"


class TestStockCapture(StockCase):
    def setUp(self):
        super().setUp()
        self.outbox().unlink()
        self.product = self.variants[0].product_id
        self.stock = self.us.warehouse_id.lot_stock_id
        self.customers = self.env.ref("stock.stock_location_customers")

    def noted(self):
        self.flush()
        rows = self.outbox()
        found = [(row.variant_id, row.reason) for row in rows]
        rows.unlink()
        return found

    def move(self, quantity, product=None):
        return self.env["stock.move"].create(
            {
                "product_id": (product or self.product).id,
                "product_uom_qty": quantity,
                "location_id": self.stock.id,
                "location_dest_id": self.customers.id,
            }
        )

    def test_each_way_to_change_the_stock_is_noted(self):
        move = self.move(5)
        move._action_confirm()
        self.assertEqual(self.noted(), [], "a plan does not change what is free")
        move._action_assign()
        self.assertEqual(self.noted(), [(self.variants[0], "reservation")])
        move._do_unreserve()
        self.assertEqual(self.noted(), [(self.variants[0], "reservation")])
        move._action_assign()
        move.picked = True
        self.noted()
        move._action_done()
        self.assertEqual(self.noted(), [(self.variants[0], "stock")])
        cancelled = self.move(2)
        cancelled._action_confirm()
        cancelled._action_assign()
        self.noted()
        cancelled._action_cancel()
        self.assertEqual(self.noted(), [(self.variants[0], "reservation")])

    def test_inventory_adjustment_is_noted(self):
        quant = self.env["stock.quant"].search(
            [("product_id", "=", self.product.id), ("location_id", "=", self.stock.id)]
        )
        quant.with_context(inventory_mode=True).inventory_quantity = 70
        quant.action_apply_inventory()
        self.assertEqual(self.noted(), [(self.variants[0], "stock")])

    def test_plans_are_noted_where_they_are_shown(self):
        self.location.stock_basis = "forecast"
        self.noted()
        move = self.move(5)
        move._action_confirm()
        self.assertEqual(self.noted(), [(self.variants[0], "plan")])

    def test_what_is_not_linked_is_not_noted(self):
        loose = self.env["product.product"].create({"name": "Loose", "is_storable": True})
        self.add(loose, 10)
        self.assertEqual(self.noted(), [])

    def test_a_store_that_is_not_told_is_not_noted(self):
        self.us.push_stock = False
        self.add(self.product, 10)
        self.assertEqual(self.noted(), [])

    def test_link_and_settings_are_noted(self):
        (variant,) = self.link(self.remote_variants[5:6], 3)
        self.noted()
        product, variant.product_id = variant.product_id, False
        self.noted()
        variant.product_id = product
        self.assertEqual(self.noted(), [(variant, "link")])
        self.location.stock_basis = "on_hand"
        self.assertEqual(len(self.noted()), 4)

    def test_one_statement_for_a_hundred_moves(self):
        products = self.link(self.remote_variants[3:33], 10).product_id
        moves = self.env["stock.move"].concat(*[self.move(1, product) for product in products])
        moves._action_confirm()
        moves._action_assign()
        moves.picked = True
        self.noted()
        inserts = []
        outbox = type(self.env["shopify.outbox"])
        insert = outbox._insert

        def counted(model, *args):
            inserts.append(args)
            return insert(model, *args)

        with patch.object(outbox, "_insert", counted):
            moves._action_done()
            self.flush()
        self.assertLessEqual(len(inserts), 2)
        self.assertEqual(len({variant for variant, _reason in self.noted()}), 30)

    def test_outbox_has_no_foreign_key(self):
        self.env.cr.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'f'"
            " AND conrelid = 'shopify_outbox'::regclass"
        )
        self.assertFalse(self.env.cr.fetchall(), "a user's transaction would have to wait")


class TestStockExport(StockCase):
    def setUp(self):
        super().setUp()
        self.in_step()
        self.first, self.second, self.third = self.variants

    def test_first_comparison_sends_what_odoo_has(self):
        for variant in self.variants:
            self.assertEqual(self.remote(variant), 100)
            level = self.level(variant)
            self.assertEqual(level.state, "same")
            self.assertEqual((level.known, level.pushed_quantity), (100, 100))
            self.assertEqual(level.pushed_reason, "manual")
        self.assertFalse(self.outbox())

    def test_a_change_is_one_call(self):
        self.add(self.first.product_id, 7)
        self.add(self.second.product_id, -4)
        self.push()
        self.assertEqual(self.calls(), [SET], "known quantities are not read again")
        self.assertEqual([self.remote(v) for v in self.variants], [107, 96, 100])
        entry = self.shop(self.us).log[-1]
        sent = entry["variables"]["input"]["quantities"]
        self.assertEqual(
            {(row["quantity"], row["changeFromQuantity"]) for row in sent}, {(107, 100), (96, 100)}
        )
        self.assertEqual(self.level(self.first).pushed_reason, "stock")

    def test_what_is_unchanged_is_not_sent(self):
        self.add(self.first.product_id, 3)
        self.add(self.first.product_id, -3)
        self.push()
        self.assertEqual(self.calls(), [])
        self.assertFalse(self.outbox())

    def test_two_stores_and_locations_do_not_mix(self):
        self.add(self.first.product_id, 1)
        self.push()
        shown = self.remote(self.first, self.other)
        self.assertEqual(self.remote(self.first), 101)
        self.other.stock_location_id = self.env["stock.location"].create(
            {"name": "Shop", "usage": "internal"}
        )
        self.add(self.first.product_id, 5, self.other.stock_location_id)
        self.push()
        self.assertNotEqual(shown, 5)
        self.assertEqual(self.remote(self.first, self.other), 5)
        self.assertEqual(self.remote(self.first), 101)

    def test_several_sources_are_added_up(self):
        place = self.env["stock.location"].create({"name": "Annex", "usage": "internal"})
        self.add(self.first.product_id, 11, place)
        self.location.stock_source_ids = self.location.stock_location_id | place
        self.push()
        self.assertEqual(self.remote(self.first), 111)

    def test_nothing_is_sent_for_a_product_that_odoo_does_not_count(self):
        service = self.env["product.product"].create({"name": "Hat", "type": "service"})
        before = self.remote(self.first)
        self.first.product_id = service
        self.push()
        self.assertEqual(self.remote(self.first), before)
        self.assertEqual(self.level(self.first).state, "off")

    # -- Shopify says no --------------------------------------------------------------------------

    def test_stale_quantity_is_read_and_decided_again(self):
        self.set_remote(self.first, 130)
        self.add(self.first.product_id, 1)
        self.add(self.second.product_id, 2)
        self.push()
        self.assertEqual([self.remote(v) for v in self.variants[:2]], [101, 102])
        self.assertEqual(self.calls().count("InventoryLevels"), 1)
        self.assertFalse(self.outbox())

    def test_one_bad_item_does_not_block_the_others(self):
        self.first.inventory_item_gid = "gid://shopify/InventoryItem/999999"
        self.level(self.first).write({"known": 100, "known_at": fields.Datetime.now()})
        for variant in self.variants:
            self.add(variant.product_id, 5)
        self.push()
        self.assertEqual([self.remote(v) for v in self.variants[1:]], [105, 105])
        self.assertEqual(self.level(self.first).state, "failed")
        exception = self.exceptions()
        self.assertEqual(exception.category, "stock")
        self.assertIn(self.first.sku, exception.line_ids.name)
        self.assertIn("could not be found", exception.message)
        self.assertEqual(exception.line_ids.gid, self.first.shopify_gid)
        self.first.inventory_item_gid = self.remote_variants[0]["inventoryItem"]
        self.push()
        self.assertEqual(self.remote(self.first), 105)
        self.assertEqual(exception.state, "resolved")

    def test_inventory_item_that_is_gone(self):
        self.first.inventory_item_gid = "gid://shopify/InventoryItem/999999"
        self.level(self.first).known_at = False
        self.add(self.first.product_id, 5)
        self.add(self.second.product_id, 5)
        self.push()
        self.assertEqual(self.remote(self.second), 105)
        self.assertIn("not in Shopify any more", self.exceptions().message)

    def test_inactive_level_is_activated(self):
        (variant,) = self.link(self.remote_variants[5:6], 8)
        store = self.shop(self.us).store
        item = store.get(variant.inventory_item_gid)
        for level in store.related(item, "inventoryLevels"):
            store.put(level["id"], "InventoryLevel", {"isActive": False})
        self.push()
        self.assertEqual(self.remote(variant), 8)
        levels = {
            level["location"]: level["isActive"] for level in store.related(item, "inventoryLevels")
        }
        self.assertEqual(levels[self.location.shopify_gid], True)
        self.assertEqual(levels[self.other.shopify_gid], False, "it is not Odoo's affair")

    def test_what_one_step_puts_right_is_one_exception(self):
        variants = self.link(self.remote_variants[4:7], 8)
        store = self.shop(self.us).store
        for variant in variants:
            store.put(variant.inventory_item_gid, "InventoryItem", {"tracked": False})
        self.push()
        exception = self.exceptions()
        self.assertEqual(exception.key, "UNTRACKED")
        self.assertEqual(set(exception.line_ids.mapped("gid")), set(variants.mapped("shopify_gid")))
        self.assertIn(variants[0].sku, " ".join(exception.line_ids.mapped("message")))
        self.assertEqual(exception.action_fix()["res_model"], "shopify.backend")
        store.put(variants[0].inventory_item_gid, "InventoryItem", {"tracked": True})
        exception.action_retry()
        self.outbox().next_attempt_at = fields.Datetime.now()
        self.push()
        self.assertEqual(self.remote(variants[0]), 8)
        self.assertEqual(exception.state, "open")
        waiting = exception.line_ids.filtered(lambda line: line.state == "waiting")
        self.assertEqual(set(waiting.mapped("gid")), set(variants[1:].mapped("shopify_gid")))

    def test_item_without_stock_is_not_stocked_anywhere(self):
        (variant,) = self.link(self.remote_variants[5:6], 0)
        store = self.shop(self.us).store
        for level in store.related(store.get(variant.inventory_item_gid), "inventoryLevels"):
            store.put(level["id"], "InventoryLevel", {"isActive": False})
        self.push()
        self.assertNotIn("InventoryActivate", self.calls())

    def test_untracked_item_is_reported_or_switched(self):
        (variant,) = self.link(self.remote_variants[5:6], 8)
        store = self.shop(self.us).store
        store.put(variant.inventory_item_gid, "InventoryItem", {"tracked": False})
        self.push()
        self.assertNotIn(SET, self.calls())
        self.assertIn("does not track", self.exceptions().message)
        self.us.stock_untracked = "switch"
        self.env["shopify.outbox"]._put_variants(variant, "again")
        self.push()
        self.assertTrue(store.get(variant.inventory_item_gid)["tracked"])
        self.assertEqual(self.remote(variant), 8)
        self.assertFalse(self.exceptions())

    # -- the network ------------------------------------------------------------------------------

    def strike(self, **fault):
        fault = {"operation": SET, "count": 1, **fault}
        self.shop(self.us).faults.add(**fault)

    def test_throttled(self):
        self.add(self.first.product_id, 5)
        self.strike(kind="throttled")
        self.push()
        self.assertEqual(self.remote(self.first), 100)
        self.assertFalse(self.level(self.first).intent_key, "nothing was carried out")
        self.assertEqual(len(self.outbox()), 1)
        self.push()
        self.assertEqual(self.remote(self.first), 105)
        self.assertEqual(self.calls().count("InventoryLevels"), 0)

    def test_timeout_before_the_write(self):
        self.add(self.first.product_id, 5)
        self.strike(kind="no_answer", ms=10)
        self.push()
        self.assertEqual(self.remote(self.first), 100)
        self.assertTrue(self.level(self.first).intent_key, "nobody knows whether it got through")
        self.push()
        self.assertFalse(self.level(self.first).intent_key)
        self.assertEqual(self.remote(self.first), 100, "or it did, and five were sold meanwhile")
        self.catch_up()
        self.push()
        self.assertEqual(self.remote(self.first), 105)

    def test_timeout_before_a_lower_quantity_is_written(self):
        self.add(self.first.product_id, -5)
        self.strike(kind="no_answer", ms=10)
        self.push()
        self.push()
        self.assertEqual(self.remote(self.first), 95)

    def test_timeout_after_the_write(self):
        self.add(self.first.product_id, 5)
        self.strike(kind="timeout_after_write", ms=10)
        self.push()
        self.assertEqual(self.remote(self.first), 105)
        self.shop(self.us).log.clear()
        self.push()
        self.assertEqual(self.calls(), ["InventoryLevels"], "it was read, and was right already")
        self.assertEqual(self.remote(self.first), 105)
        self.assertEqual(self.level(self.first).state, "same")
        self.assertEqual(self.level(self.first).held, 0)
        self.assertFalse(self.outbox())

    def test_each_call_leaves_its_key_when_the_worker_dies(self):
        for variant in self.variants:
            self.add(variant.product_id, 5)
        exporter = type(self.env["shopify.stock.exporter"])
        with (
            patch.object(mapper.calls, "__defaults__", (1,)),
            patch.object(exporter, "_settle", side_effect=SystemError),
            suppress(SystemError),
        ):
            self.push()
        self.env.invalidate_all()
        sent = {}
        for entry in self.shop(self.us).log:
            if entry["operation"] == SET:
                (row,) = entry["variables"]["input"]["quantities"]
                sent[row["inventoryItemId"]] = (entry["variables"]["key"], row["quantity"])
        self.assertEqual(len({key for key, _quantity in sent.values()}), 3)
        stored = {
            level.variant_id.inventory_item_gid: (level.intent_key, level.intent_quantity)
            for level in self.variants.stock_level_ids.filtered("intent_at")
        }
        self.assertEqual(stored, sent)

    def test_sold_while_nobody_knew_whether_it_got_through(self):
        self.add(self.first.product_id, 5)
        self.strike(kind="timeout_after_write", ms=10)
        self.push()
        self.set_remote(self.first, 102)
        self.push()
        self.assertLessEqual(self.remote(self.first), 102, "three were sold")

    def test_store_that_does_not_answer_is_left_alone(self):
        self.add(self.first.product_id, -5)
        self.strike(kind="http_error", count=None)
        self.push()
        self.assertIn("left alone", self.push(force=False))
        for _round in range(5):
            self.push()
        self.assertEqual(self.exceptions().category, "remote")
        self.shop(self.us).faults.clear()
        self.push()
        self.assertEqual(self.remote(self.first), 95)
        self.assertFalse(self.exceptions())

    def test_missing_scope_is_named(self):
        self.set_shop(self.us, scopes=["read_orders", "read_products", "read_locations"])
        self.add(self.first.product_id, 5)
        self.push()
        self.assertEqual(self.exceptions().category, "scope")
        self.assertIn("write_inventory", self.exceptions().message)
        self.assertEqual(len(self.outbox()), 1)

    def test_killed_before_the_result_was_written(self):
        self.add(self.first.product_id, 5)
        exporter = type(self.env["shopify.stock.exporter"])
        # Not assertRaises: it rolls back.
        with patch.object(exporter, "_settle", side_effect=SystemExit), suppress(SystemExit):
            self.push()
        self.env.invalidate_all()
        self.assertEqual(self.remote(self.first), 105)
        self.assertTrue(self.level(self.first).intent_key)
        # The worker's connection is gone.
        self.env.cr.execute("UPDATE shopify_outbox SET lease_pid = -1")
        self.env["shopify.stock.exporter"]._free_dead()
        self.add(self.first.product_id, 1)
        self.shop(self.us).log.clear()
        self.push()
        self.assertEqual(self.calls(), ["InventoryLevels", SET])
        self.assertEqual(self.remote(self.first), 106)
        self.assertFalse(self.outbox())

    def test_the_key_is_stored_before_the_call(self):
        self.add(self.first.product_id, 5)
        seen = []
        exporter = type(self.env["shopify.stock.exporter"])
        variables = exporter._variables

        def watch(model, items):
            level = self.level(self.first)
            level.invalidate_recordset()
            seen.append((level.intent_key, level.intent_quantity))
            result = variables(model, items)
            self.assertEqual(result["key"], level.intent_key)
            return result

        with patch.object(exporter, "_variables", watch):
            self.push()
        self.assertEqual(seen[0][1], 105)

    def test_a_copied_database_sends_nothing(self):
        self.add(self.first.product_id, 5)
        self.us.sudo().database_uuid = "another"
        self.push()
        self.assertEqual(self.remote(self.first), 100)
        self.assertEqual(self.calls(), [])

    def test_many_levels_go_in_few_calls(self):
        remote = self.shop(self.us)
        extra = [
            {
                "__typename": "Product",
                "id": "gid://shopify/Product/77",
                "title": "Many",
                "variants": {
                    "nodes": [
                        {
                            "id": f"gid://shopify/ProductVariant/77{n:04}",
                            "sku": f"MANY-{n}",
                            "inventoryItem": {
                                "id": f"gid://shopify/InventoryItem/77{n:04}",
                                "tracked": True,
                                "inventoryLevels": {
                                    "nodes": [
                                        {
                                            "id": f"gid://shopify/InventoryLevel/77{n:04}",
                                            "location": {"id": self.location.shopify_gid},
                                            "isActive": True,
                                            "quantities": [{"name": "available", "quantity": 1}],
                                        }
                                    ]
                                },
                            },
                        }
                        for n in range(600)
                    ]
                },
            }
        ]
        self.sandbox.load(extra, self.us.shop_domain)
        nodes = [remote.store.get(f"gid://shopify/ProductVariant/77{n:04}") for n in range(600)]
        variants = self.link(nodes, 2)
        self.push()
        self.assertEqual(self.calls(SET), [SET] * 3)
        self.assertEqual({self.remote(variant) for variant in variants}, {2})
