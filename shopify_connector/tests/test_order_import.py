"""Facts, filters, policies and bad input of single orders and of batches."""

from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import Command, fields
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs

from ..models import shopify_backend_orders
from .order_common import OrderCase
from .order_nodes import OrderNode, bag

NY = [("NY State", 0.04)]


class TestOrderFacts(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.goods = cls.env["product.product"].create(
            [
                {"name": sku, "default_code": sku, "type": "consu", "is_storable": True}
                for sku in ("A", "B")
            ]
        )

    def setUp(self):
        super().setUp()
        self.tax(self.us, *NY[0])

    def test_facts_of_the_order(self):
        node = OrderNode(
            7,
            note="Ring twice",
            tags=["VIP", "vip", " wholesale "],
            customAttributes=[{"key": "gift", "value": "yes"}, {"key": "_hidden", "value": "x"}],
            poNumber="PO-9",
            displayFulfillmentStatus="ON_HOLD",
            risk={"recommendation": "INVESTIGATE", "assessments": [{"riskLevel": "HIGH"}]},
        ).line("A", "10", 2, NY, discount="1")
        self.us.write(
            {
                "hold_high": False,
                "order_name_pattern": "{store}-{number:05d}",
                "order_code": "US",
                "team_id": self.env["crm.team"].create({"name": "Web"}).id,
            }
        )
        sale = self.sale(self.us, node)
        self.assertRecordValues(
            sale,
            [
                {
                    "name": "US-00007",
                    "origin": "#7",
                    "client_order_ref": "PO-9",
                    "state": "sale",
                    "company_id": self.us.company_id.id,
                    "warehouse_id": self.us.warehouse_id.id,
                    "user_id": False,
                    "team_id": self.us.team_id.id,
                    "payment_term_id": False,
                    "require_signature": False,
                    "require_payment": False,
                    "create_uid": self.us.user_id.id,
                }
            ],
        )
        self.assertEqual(str(sale.date_order), "2026-11-02 10:00:00")
        self.assertEqual(sorted(sale.tag_ids.mapped("name")), ["VIP", "wholesale"])
        self.assertEqual(sale.pricelist_id.shopify_backend_id, self.us)
        self.assertEqual(sale.partner_id.email, "ada7@example.com")
        self.assertEqual(sale.partner_shipping_id.street, "7 Main Street")
        self.assertRecordValues(
            self.binding(self.us, node),
            [
                {
                    "name": "#7",
                    "financial_status": "paid",
                    "fulfillment_status": "on_hold",
                    "risk": "investigate",
                    "risk_level": "high",
                    "note": "Ring twice",
                    "tags": "VIP, wholesale",
                    "attributes": "gift: yes",
                    "discount_codes": "SAVE",
                    "channel": "Online Store",
                    "confirmation_number": "C7",
                    "amount_total": float(node.total),
                    "amount_discount": 1,
                }
            ],
        )
        self.assertIn("Ring twice", sale.picking_ids.note)
        self.assertFalse(sale.message_ids.filtered(lambda m: m.message_type != "notification"))

    def test_nobody_follows_and_nobody_is_mailed(self):
        sale = self.sale(self.us, OrderNode(1).line("A", "10", 1, NY))
        self.assertNotIn(sale.partner_id, sale.message_partner_ids)
        self.assertFalse(self.env["mail.mail"].search([("model", "=", "sale.order")]))
        self.assertFalse(sale.activity_ids)

    def test_name_that_is_taken(self):
        self.env["sale.order"].create(
            [{"name": name, "partner_id": self.env.user.partner_id.id} for name in ("#1", "#1-2")]
        )
        first, second = OrderNode(1).line("A", "10", 1, NY), OrderNode(2).line("A", "10", 1, NY)
        sale = self.sale(self.us, first)
        self.assertEqual(sale.name, "#1-3")
        self.assertEqual(self.sale(self.us, second).name, "#2")

    def test_lines(self):
        node = OrderNode(1)
        node.line(
            "A",
            "10",
            2,
            NY,
            title="Shirt",
            variantTitle="M / Blue",
            customAttributes=[{"key": "Engraving", "value": "Ada"}, {"key": "_id", "value": "1"}],
            sellingPlan={"name": "Monthly"},
        )
        node.line("X-1", "5", 1, NY, title="Handmade", variant=None, product=None)
        node.line("", "25", 1, title="Voucher", isGiftCard=True, requiresShipping=False)
        node.ship("4.50", NY, title="Express").fee("Handling", "1.10").tip("3")
        sale = self.sale(self.us, node)
        lines = {line.shopify_kind: line for line in sale.order_line}
        self.assertEqual(
            [line.shopify_kind for line in sale.order_line],
            ["product", "custom", "gift_card", "shipping", "fee", "tip"],
        )
        self.assertEqual(lines["product"].name, "Shirt - M / Blue\nMonthly\nEngraving: Ada")
        self.assertEqual(lines["product"].product_id, self.goods[0])
        self.assertEqual(lines["custom"].product_id, self.us.placeholder_product_id)
        self.assertEqual((lines["custom"].name, lines["custom"].shopify_sku), ("Handmade", "X-1"))
        self.assertEqual(lines["gift_card"].product_id, self.us.gift_card_product_id)
        self.assertEqual(lines["tip"].product_id, self.us.tip_product_id)
        self.assertEqual(lines["fee"].product_id, self.us.fee_product_id)
        self.assertTrue(lines["shipping"].is_delivery)
        self.assertEqual(lines["shipping"].name, "Express")
        self.assertEqual(sale.amount_total, float(node.total))

    def test_carrier(self):
        carrier = self.env["delivery.carrier"].create(
            {"name": "Fast", "product_id": self.us.shipping_product_id.copy().id}
        )
        self.env["shopify.carrier.mapping"].create(
            {"backend_id": self.us.id, "title": "Express", "carrier_id": carrier.id}
        )
        node = OrderNode(1).line("A", "10", 1, NY).ship("4.50", title="Express")
        sale = self.sale(self.us, node)
        self.assertEqual(sale.carrier_id, carrier)
        self.assertEqual(sale.order_line[1].product_id, carrier.product_id)
        self.assertEqual(sale.picking_ids.carrier_id, carrier)

    def test_fiscal_position_maps_no_taxes(self):
        """It decides on accounts; the taxes are those that the mappings name."""
        other = self.tax(self.us, "Other", 0.5)
        tax = self.us.tax_mapping_ids.filtered(lambda m: m.title == "NY State").tax_id
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Domestic",
                "auto_apply": True,
                "country_id": self.env.ref("base.us").id,
                "company_id": self.us.company_id.id,
                "tax_ids": [Command.link(other.id)],
            }
        )
        other.original_tax_ids = tax
        sale = self.sale(self.us, OrderNode(1).line("A", "10", 1, NY))
        self.assertEqual(sale.fiscal_position_id, position)
        self.assertEqual(sale.order_line.tax_ids, tax)

    def test_warehouse_of_a_location(self):
        warehouse = self.env["stock.warehouse"].create({"name": "Shop", "code": "SHP"})
        self.env["shopify.location"].create(
            {
                "backend_id": self.us.id,
                "shopify_gid": "gid://shopify/Location/5",
                "name": "Shop",
                "warehouse_id": warehouse.id,
            }
        )
        node = OrderNode(1, retailLocation={"id": "gid://shopify/Location/5"})
        sale = self.sale(self.us, node.line("A", "10", 1))
        self.assertEqual(sale.warehouse_id, warehouse)
        self.assertEqual(sale.picking_ids.picking_type_id.warehouse_id, warehouse)

    def test_comparison_is_readable(self):
        node = OrderNode(1).line("A", "10", 1, NY, discount="1").ship("4.50", NY, discount="0.5")
        node.extra["totalShippingPriceSet"] = bag("4.50")
        sale = self.sale(self.us, node)
        page = str(self.binding(self.us, node).with_user(self.auditor).comparison)
        for text in ("NY State", "4 %", "SAVE", "13.52", "Shipping"):
            self.assertIn(text, page)
        self.assertNotIn("text-danger", page)
        self.assertEqual(sale.shopify_status, "paid, unfulfilled")

    def test_queries_stay_flat(self):
        """Four times the orders cost far less than four times the queries of the import."""

        def count(start, number):
            nodes = [
                OrderNode(n).line("A", "10", 2, NY).line("B", "3", 1, NY).ship("4", NY)
                for n in range(start, start + number)
            ]
            self.us.confirm_policy = "quotation"
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.process(self.us, *nodes)
            return self.env.cr.sql_log_count - before

        count(100, 2)
        few, many = count(200, 10), count(300, 40)
        # Odoo itself asks twice per order: fiscal position, default documents.
        self.assertLess(many - few, 30 * 3)


class TestOrderPolicies(OrderCase):
    def setUp(self):
        super().setUp()
        self.product("A")

    def import_one(self, number=1, sources=(), **fields):
        node = OrderNode(number, **fields).line("A", "10", 1)
        (outcome,) = self.process(self.us, node, sources=sources)
        return outcome

    def assertSkipped(self, reason, **options):
        outcome = self.import_one(**options)
        self.assertEqual(outcome.status, "skipped", outcome)
        self.assertIn(reason, outcome.message)
        self.assertFalse(self.env["shopify.order"].search([("backend_id", "=", self.us.id)]))

    def test_date(self):
        self.us.import_from = "2026-11-03 00:00:00"
        self.assertSkipped("placed before")
        self.assertEqual(self.import_one(sources={"manual"}).status, "created")

    def test_payment_status(self):
        self.us.financial_filter = "paid"
        self.assertSkipped("authorized", displayFinancialStatus="AUTHORIZED")
        self.us.financial_filter = "authorized"
        self.assertSkipped("pending", displayFinancialStatus="PENDING")
        outcome = self.import_one(displayFinancialStatus="AUTHORIZED")
        self.assertEqual(outcome.status, "created")

    def test_fulfilment_status(self):
        self.us.fulfillment_filter = "open"
        self.assertSkipped("fulfilled", displayFulfillmentStatus="FULFILLED")

    def test_filter_by_tags(self):
        self.us.tag_filter = "b2b, Export"
        self.assertSkipped("none of the tags", tags=["other"])
        self.us.tag_exclude = "hold"
        self.assertSkipped("hold", tags=["export", "HOLD"])
        self.assertEqual(self.import_one(tags=["EXPORT"]).status, "created")

    def test_channel(self):
        self.us.channel_filter = "pos"
        self.assertSkipped("channel web")
        self.assertEqual(self.import_one(sourceName="POS").status, "created")

    def test_test_orders(self):
        self.assertSkipped("test order", test=True)
        self.us.import_test_orders = True
        self.assertEqual(self.import_one(test=True).status, "created")

    def test_import_switched_off(self):
        self.us.import_orders = False
        self.assertSkipped("imports no orders")

    def test_confirmation(self):
        """Policy x payment status: whether the order is confirmed."""
        cases = {
            ("quotation", "PAID"): "draft",
            ("paid", "PAID"): "sale",
            ("paid", "PARTIALLY_REFUNDED"): "sale",
            ("paid", "AUTHORIZED"): "draft",
            ("paid", "PARTIALLY_PAID"): "draft",
            ("paid", "PENDING"): "draft",
            ("paid", None): "draft",
            ("paid", "SOMETHING_NEW"): "draft",
            ("always", "PENDING"): "sale",
            ("always", "REFUNDED"): "draft",
            ("always", None): "sale",
        }
        for number, ((policy, status), state) in enumerate(cases.items(), 1):
            with self.subTest(policy=policy, status=status):
                self.us.confirm_policy = policy
                outcome = self.import_one(number, displayFinancialStatus=status)
                self.assertEqual(outcome.record.state, state)

    def test_money_decides_where_the_status_is_unknown(self):
        self.us.confirm_policy = "paid"
        transaction = {
            "id": "gid://shopify/OrderTransaction/1",
            "kind": "SALE",
            "status": "SUCCESS",
            "amountSet": bag("10"),
        }
        outcome = self.import_one(displayFinancialStatus=None, transactions=[transaction])
        self.assertEqual(outcome.record.state, "sale")

    def test_cancelled(self):
        outcome = self.import_one(cancelledAt="2026-11-02T11:00:00Z", cancelReason="CUSTOMER")
        self.assertEqual(outcome.record.state, "cancel")
        self.assertFalse(outcome.record.picking_ids)
        sent = self.import_one(
            2, cancelledAt="2026-11-02T11:00:00Z", displayFulfillmentStatus="FULFILLED"
        )
        self.assertEqual(sent.record.state, "draft")

    def test_reservation(self):
        product = self.env["product.product"].search([("default_code", "=", "A")])
        self.stock(self.us, product, 1)
        first, second = self.import_one(1).record, self.import_one(2).record
        orders = (first | second).shopify_order_ids
        self.assertEqual(orders.mapped("reserve_pending"), [True, True])
        self.assertEqual(set((first | second).picking_ids.mapped("state")), {"confirmed"})
        self.us._job_reserve()
        self.assertEqual(first.picking_ids.state, "assigned")
        self.assertEqual(second.picking_ids.state, "confirmed")
        self.assertEqual(orders.mapped("reserve_pending"), [False, False])

    def test_no_reservation(self):
        self.us.reserve = False
        product = self.env["product.product"].search([("default_code", "=", "A")])
        self.stock(self.us, product, 1)
        sale = self.import_one(1).record
        self.us._job_reserve()
        self.assertEqual(sale.picking_ids.state, "confirmed")
        sale.picking_ids.action_assign()
        self.assertEqual(sale.picking_ids.state, "assigned")

    def test_orders_by_hand_are_reserved_at_once(self):
        """Only what the connector confirms is reserved later."""
        product = self.env["product.product"].search([("default_code", "=", "A")])
        self.stock(self.us, product, 1)
        sale = self.env["sale.order"].create(
            {
                "partner_id": self.env.user.partner_id.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )
        sale.action_confirm()
        self.assertEqual(sale.picking_ids.state, "assigned")
        self.assertNotEqual(str(sale.date_order), "2026-11-02 10:00:00")


class TestOrderBadInput(OrderCase):
    def setUp(self):
        super().setUp()
        self.product("A")

    def test_nulls_everywhere(self):
        """Only id, dates, currency and total are needed."""
        node = OrderNode(1).line("A", "10", 1).node
        for key in list(node):
            if key not in (
                "id",
                "name",
                "createdAt",
                "currencyCode",
                "totalPriceSet",
                "lineItems",
            ):
                node[key] = None
        sale = self.sale(self.us, node)
        self.assertEqual(sale.amount_total, 10)
        self.assertEqual(sale.partner_id.name, "Guest #1")

    def test_no_lines(self):
        sale = self.sale(self.us, OrderNode(1))
        self.assertFalse(sale.order_line)
        self.assertEqual(sale.amount_total, 0)

    def test_unknown_values(self):
        node = OrderNode(
            1,
            displayFinancialStatus="PAID_IN_BEADS",
            displayFulfillmentStatus="TELEPORTED",
            returnStatus="NEW",
            risk={"recommendation": "PRAY", "assessments": [{"riskLevel": "COSMIC"}]},
        ).line("A", "10", 1)
        self.sale(self.us, node)
        self.assertEqual(self.binding(self.us, node).financial_status, "paid_in_beads")

    def test_data_that_contradicts_itself(self):
        node = OrderNode(1).line("A", "10", 1).node
        node["lineItems"]["nodes"][0]["originalUnitPriceSet"] = None
        good = OrderNode(2).line("A", "10", 1)
        outcomes = self.process(self.us, node, good)
        self.assertEqual([o.status for o in outcomes], ["blocked", "created"])
        (block,) = outcomes[0].blocks
        self.assertEqual(block.category, "mapping")
        self.assertIn("lineItems[0].originalUnitPriceSet", block.message)

    def test_order_that_is_gone(self):
        gid = "gid://shopify/Order/1"
        worker = self.us._as_integration_user()
        importer = worker.env["shopify.order.importer"]
        self.assertEqual(importer._process(worker, {gid: None}, {})[gid].status, "skipped")
        node = OrderNode(1).line("A", "10", 1)
        sale = self.sale(self.us, node)
        binding = self.binding(self.us, node)
        binding.processed_at = fields.Datetime.now() - timedelta(days=61)
        outcome = importer._process(worker, {gid: None}, {})[gid]
        self.assertEqual((outcome.status, binding.deleted), ("skipped", False))
        self.assertIn("read_all_orders", outcome.message)
        binding.processed_at = fields.Datetime.now() - timedelta(days=59)
        self.assertEqual(importer._process(worker, {gid: None}, {})[gid].status, "deleted")
        self.assertTrue(binding.deleted)
        self.assertEqual(sale.state, "sale")

    def test_currency_that_is_not_active(self):
        currency = self.env.ref("base.THB")
        currency.active = False
        node = OrderNode(1, "THB").line("A", "10", 1)
        (outcome,) = self.process(self.us, node)
        (block,) = outcome.blocks
        self.assertEqual(
            (block.category, block.key, block.res_id), ("currency", "THB", currency.id)
        )
        self.env["shopify.exception"]._report(self.us, {node.node["id"]: ("#1", outcome.blocks)})
        exceptions = Domain("backend_id", "=", self.us.id) & Domain("state", "=", "open")
        self.assertTrue(self.env["shopify.exception"].search(exceptions))
        currency.active = True
        self.assertFalse(self.env["shopify.exception"].search(exceptions))
        self.assertEqual(self.sale(self.us, node).currency_id, currency)

    def test_country_that_is_unknown(self):
        node = OrderNode(1).line("A", "10", 1)
        address = {**node.address, "country": "Atlantis", "countryCodeV2": None}
        node.fields.update(shippingAddress=address)
        (outcome,) = self.process(self.us, node)
        self.assertEqual([block.category for block in outcome.blocks], ["country"])

    def test_product_that_is_unknown(self):
        """One cause for all orders that wait for it; the others of the batch go through."""
        self.us.missing_product = "stop"
        nodes = [OrderNode(1).line("Z", "10", 1), OrderNode(2).line("Z", "10", 1)]
        good = OrderNode(3).line("A", "10", 1)
        outcomes = self.process(self.us, *nodes, good)
        self.assertEqual([o.status for o in outcomes], ["blocked", "blocked", "created"])
        self.assertEqual(outcomes[0].blocks[0].key, outcomes[1].blocks[0].key)

    def test_twice_and_late(self):
        node = OrderNode(1).line("A", "10", 1).node
        newer = {**node, "updatedAt": "2026-11-02T11:00:00Z", "note": "new"}
        sale = self.sale(self.us, newer)
        for again in (newer, node):
            (outcome,) = self.process(self.us, again)
            self.assertEqual(outcome.status, "unchanged")
            self.assertEqual(outcome.record, sale)
        self.assertEqual(self.binding(self.us, node).note, "new")

    def test_two_workers(self):
        """The second of two that import one order fails on the link, and leaves nothing."""
        node = OrderNode(1).line("A", "10", 1)
        self.sale(self.us, node)
        before = self.env["sale.order"].search_count([])
        creator = self.env.registry["shopify.order.importer"]
        self.patch(creator, "_bindings", lambda *args: {})
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(Exception, "shopify_order_backend_gid_uniq"),
            self.env.cr.savepoint(),
        ):
            self.process(self.us, node)
        self.assertEqual(self.env["sale.order"].search_count([]), before)

    def test_companies(self):
        """The order of a store is in its company, whatever company the job began in."""
        self.env["shopify.order.importer"].with_company(self.us.company_id)
        node = OrderNode(1, "EUR").line("A", "10", 1)
        sale = self.sale(self.eu, node)
        self.assertEqual(sale.company_id, self.eu_company)
        self.assertEqual(sale.warehouse_id.company_id, self.eu_company)
        self.assertEqual(sale.pricelist_id.company_id, self.eu_company)


class TestOrderReservation(OrderCase):
    def setUp(self):
        super().setUp()
        self.goods = self.product("A")
        self.stock(self.us, self.goods, 100)
        nodes = [OrderNode(n).line("A", "10", 1) for n in (1, 2, 3)]
        outcomes = self.process(self.us, *nodes)
        self.orders = self.env["sale.order"].union(*(o.record for o in outcomes)).shopify_order_ids

    def fail(self, error, only=None):
        """Let reservations fail; those of the order ``only``, or all."""
        assign = type(self.env["stock.move"])._action_assign

        def _action_assign(moves, force_qty=False):
            if only is None or only in moves.sale_line_id.order_id:
                raise error
            return assign(moves, force_qty)

        self.patch(type(self.env["stock.move"]), "_action_assign", _action_assign)

    def test_one_job_for_all(self):
        jobs = self.env["queue.job"].search(
            [("identity_key", "=", f"shopify:{self.us.id}:reserve"), ("state", "=", "pending")]
        )
        self.assertEqual(len(jobs), 1)
        self.assertEqual(jobs.user_id, self.us.user_id)
        self.assertEqual(jobs.channel, "root.shopify.reserve")

    def test_in_batches(self):
        self.patch(shopify_backend_orders, "RESERVE_BATCH", 2)
        with trap_jobs() as trap:
            self.us._job_reserve()
            trap.assert_jobs_count(1, only=self.us._job_reserve)
        self.assertEqual(sorted(self.orders.mapped("reserve_pending")), [False, False, True])
        self.us._job_reserve()
        self.assertEqual(set(self.orders.sale_order_id.picking_ids.mapped("state")), {"assigned"})

    def test_goods_that_are_being_moved(self):
        """The job comes back; nothing is lost, and no attempt is used up."""
        for error in (LockError("locked"), SerializationFailure("changed")):
            with self.subTest(type(error)), self.assertRaises(RetryableJobError) as raised:
                self.fail(error)
                self.us._job_reserve()
            self.assertTrue(raised.exception.ignore_retry)
            self.assertTrue(all(self.orders.mapped("reserve_pending")))

    def test_one_that_cannot_be_reserved(self):
        bad = self.orders[1]
        self.fail(UserError("No lot"), only=bad.sale_order_id)
        self.us._job_reserve()
        states = dict(
            zip(
                self.orders.mapped("name"),
                self.orders.sale_order_id.picking_ids.sorted("id").mapped("state"),
                strict=True,
            )
        )
        self.assertEqual(states, {"#1": "assigned", "#2": "confirmed", "#3": "assigned"})
        self.assertFalse(any(self.orders.mapped("reserve_pending")))
        exception = self.env["shopify.exception"].search([("category", "=", "stock")])
        self.assertEqual((exception.key, exception.message), (bad.shopify_gid, "No lot"))

    def test_net_below_the_jobs(self):
        with trap_jobs() as trap:
            self.env["shopify.backend"]._cron_reserve()
            trap.assert_jobs_count(1, only=self.us._job_reserve)
        self.us._job_reserve()
        with trap_jobs() as trap:
            self.env["shopify.backend"]._cron_reserve()
            trap.assert_jobs_count(0)
