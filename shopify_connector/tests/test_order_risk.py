"""Orders that wait for a decision because of their risk, and what becomes of them."""

import json

from odoo.exceptions import AccessError

from .accounting_common import AccountingCase


def risk(recommendation, *levels):
    return {
        "recommendation": recommendation,
        "assessments": [{"riskLevel": level} for level in levels],
    }


CANCEL, INVESTIGATE = risk("CANCEL", "HIGH"), risk("INVESTIGATE", "MEDIUM")
ACCEPT, NONE = risk("ACCEPT", "LOW"), risk("NONE")


class TestOrderRisk(AccountingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.confirm_policy = "paid"

    def risky(self, assessed="CANCEL", number=1001, **fields):
        if assessed == "CANCEL":
            assessed = CANCEL
        return self.paid(number, risk=assessed, **fields)

    def again(self, order, assessed=None, **fields):
        """The same order, changed in Shopify a minute later; returns the outcome."""
        if assessed:
            fields["risk"] = assessed
        order.fields.update({"updatedAt": "2026-11-02T11:00:00Z", **fields})
        (outcome,) = self.process(self.us, order)
        self.env.invalidate_all()
        return outcome

    def risks(self):
        return self.exceptions(self.us).filtered(lambda cause: cause.category == "risk")

    # === HELD === #

    def test_held(self):
        """A quotation without delivery and invoice; money that came in is booked."""
        (outcome,) = self.process(self.us, self.risky())
        self.assertEqual(outcome.status, "created")
        self.assertIn("on hold: Shopify advises to cancel, high risk", outcome.message)
        sale = outcome.record.with_env(self.env)
        binding = sale.shopify_order_ids
        self.assertEqual((sale.state, binding.hold), ("draft", "held"))
        self.assertFalse(sale.picking_ids)
        self.assertFalse(binding.reserve_pending)
        (cause,) = self.account()
        self.assertEqual((cause.category, cause.key), ("risk", binding.shopify_gid))
        self.assertIn("$\xa047.35): Shopify advises to cancel, high risk", cause.message)
        action = cause.action_fix()
        self.assertEqual((action["res_model"], action["res_id"]), ("shopify.order", binding.id))
        self.assertFalse(sale.invoice_ids)
        self.assertEqual(self.transactions(sale).state, "booked")
        self.assertEqual(self.us.held_count, 1)
        self.assertEqual(
            self.env["sale.order"].search([("shopify_order_ids.hold", "=", "held")]), sale
        )

    def test_what_is_held(self):
        """Each setting by itself, with values that nobody knows yet."""
        settings = ("cancel", "investigate", "high", "medium", "pending", "unknown")
        cases = {
            "cancel": risk("CANCEL"),
            "investigate": risk("INVESTIGATE", "LOW"),
            "high": risk("NONE", "LOW", "HIGH"),
            "medium": risk("ACCEPT", "MEDIUM", "LOW"),
            "pending": risk("NONE", "PENDING"),
            "unknown": risk("PRAY", "LOW"),
        }
        number = 2000
        for wanted in settings:
            self.us.write({f"hold_{name}": name == wanted for name in settings})
            for name, assessed in {
                **cases,
                "unknown": risk("NONE", "COSMIC", "LOW"),
                "none": NONE,
                "accept": ACCEPT,
                "nothing": None,
            }.items():
                number += 1
                sale = self.sale(self.us, self.risky(assessed, number))
                held = sale.shopify_order_ids.hold == "held"
                self.assertEqual(held, name == wanted, f"{name} with hold_{wanted}")
                self.assertEqual(sale.state, "draft" if held else "sale")
        sale = self.sale(self.us, self.risky(cases["unknown"], 3000))
        self.assertEqual(sale.shopify_hold_reason, "Shopify advises: pray, low risk")

    def test_defaults(self):
        sales = [
            self.sale(self.us, self.risky(assessed, 1001 + number))
            for number, assessed in enumerate((CANCEL, INVESTIGATE, ACCEPT, NONE))
        ]
        self.assertEqual([sale.state for sale in sales], ["draft", "sale", "sale", "sale"])

    def test_what_needs_no_decision(self):
        """Void orders, and those whose goods are gone."""
        cancelled = self.risky(number=1, cancelledAt="2026-11-02T12:00:00Z")
        refunded = self.risky(number=2, displayFinancialStatus="REFUNDED")
        fulfilled = self.risky(number=3, displayFulfillmentStatus="FULFILLED")
        outcomes = self.process(self.us, cancelled, refunded, fulfilled)
        sales = [outcome.record for outcome in outcomes]
        self.assertEqual([sale.state for sale in sales], ["cancel", "draft", "sale"])
        self.assertEqual({sale.shopify_order_ids.hold for sale in sales}, {False})
        self.assertFalse(self.risks())

    # === RELEASED === #

    def test_release(self):
        order = self.risky()
        sale = self.sale(self.us, order)
        binding = sale.shopify_order_ids
        with self.assertRaises(AccessError):
            binding.with_user(self.auditor).action_release()
        binding.with_user(self.operator).action_release()
        self.assertEqual((sale.state, binding.hold), ("sale", "released"))
        self.assertEqual(binding.released_by_id, self.operator)
        self.assertTrue(binding.released_at and sale.picking_ids and binding.reserve_pending)
        self.assertIn(self.operator.name, sale.message_ids[0].body or sale.message_ids[1].body)
        log = self.env["shopify.sync.log"].search([("message", "ilike", "Released by")])
        self.assertEqual(log.gid, binding.shopify_gid)
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)
        self.assertEqual(str(sale.date_order), "2026-11-02 10:00:00")
        # it stays released, also when Shopify says it again
        self.again(order, risk("CANCEL", "HIGH", "HIGH"), note="new")
        self.assertEqual(binding.hold, "released")
        self.assertFalse(self.risks())

    def test_released_from_the_list_of_exceptions(self):
        sales = self.sale(self.us, self.risky(number=1)) | self.sale(self.us, self.risky(number=2))
        self.assertEqual(len(self.risks()), 2)
        self.risks().with_user(self.operator).action_release()
        self.assertEqual(set(sales.mapped("state")), {"sale"})
        self.assertFalse(self.risks())

    def test_released_before_it_is_paid(self):
        """The store's rule still holds: it is confirmed when the money is there."""
        order = self.risky(displayFinancialStatus="PENDING")
        sale = self.sale(self.us, order)
        result = sale.with_user(self.operator).sudo(False).action_shopify_release()
        self.assertIn("stays a quotation", result["params"]["message"])
        self.assertEqual((sale.state, sale.shopify_hold), ("draft", "released"))
        self.again(order, displayFinancialStatus="PAID")
        self.assertEqual((sale.state, sale.shopify_hold), ("sale", "released"))

    def test_confirmed_by_hand(self):
        sale = self.sale(self.us, self.risky())
        sale.action_confirm()
        binding = sale.shopify_order_ids
        self.assertEqual((binding.hold, binding.released_by_id), ("released", self.env.user))
        self.assertFalse(self.risks())

    def test_cancelled_in_odoo(self):
        order = self.risky()
        sale = self.sale(self.us, order)
        sale._action_cancel()
        self.assertFalse(sale.shopify_hold)
        self.assertFalse(self.risks())
        self.again(order, note="new")
        self.assertFalse(sale.shopify_hold)

    def test_cancelled_in_shopify(self):
        order = self.risky()
        sale = self.sale(self.us, order)
        self.again(order, cancelledAt="2026-11-02T12:00:00Z")
        self.assertEqual((sale.state, sale.shopify_hold), ("cancel", False))
        self.assertFalse(self.risks())

    # === THE ASSESSMENT CHANGES === #

    def test_improves(self):
        order = self.risky()
        sale = self.sale(self.us, order)
        outcome = self.again(order, ACCEPT)
        self.assertEqual(outcome.message, "#1001 was confirmed.")
        self.assertEqual((sale.state, sale.shopify_hold), ("sale", False))
        self.assertTrue(sale.shopify_order_ids.reserve_pending)
        self.assertFalse(self.account())
        self.assertEqual(sale.invoice_ids.amount_residual, 0)

    def test_assessed_without_a_change_of_the_order(self):
        """Shopify need not count an assessment as an update."""
        order = self.risky(NONE, displayFinancialStatus="PENDING")
        sale = self.sale(self.us, order)
        self.assertFalse(sale.shopify_hold)
        updated = order.node["updatedAt"]
        self.again(order, CANCEL, updatedAt=updated)
        self.assertEqual((sale.shopify_hold, sale.shopify_risk), ("held", "cancel"))
        self.assertEqual(len(self.risks()), 1)
        self.again(order, ACCEPT, updatedAt=updated)
        self.assertFalse(sale.shopify_hold)
        self.assertFalse(self.risks())

    def test_webhook_of_the_assessment(self):
        """Its payload names the order only by number; the order is read again."""
        (placed,) = self.place_orders(self.us, 1, lines=1, extras=False, region="US/OR")
        self.create_products(self.us)
        binding = self.import_orders(self.us, [placed])
        self.assertFalse(binding.hold)
        self.sandbox.load([{**placed, "risk": CANCEL}], self.us.shop_domain)
        self.env["shopify.webhook.event"].create(
            {
                "backend_id": self.us.id,
                "topic": "orders/risk_assessment_changed",
                "body": json.dumps({"order_id": int(binding.legacy_id), "risk_level": "high"}),
            }
        )
        self.drain(self.us)
        self.assertEqual(binding.hold, "late")
        self.assertEqual(self.risks().key, placed["id"])

    def test_worse_after_confirmation(self):
        """It is told, nothing is undone, and told once."""
        order = self.risky(NONE)
        sale = self.sale(self.us, order)
        picking = sale.picking_ids
        state = picking.state
        self.again(order, CANCEL)
        self.assertEqual((sale.state, sale.shopify_hold), ("sale", "late"))
        self.assertEqual(picking.state, state)
        self.assertIn("Nothing was stopped", picking.message_ids[0].body)
        (cause,) = self.risks()
        self.assertIn("became risky after it was confirmed", cause.name)
        self.again(order, note="new", updatedAt="2026-11-02T12:00:00Z")
        self.assertEqual(self.risks().occurrences, 1)
        self.assertEqual(len(picking.message_ids.filtered(lambda m: "Nothing" in m.body)), 1)
        sale.shopify_order_ids.with_user(self.operator).action_release()
        self.assertFalse(self.risks())
        self.assertEqual(sale.shopify_hold, "released")

    def test_worse_and_better_after_confirmation(self):
        order = self.risky(NONE)
        sale = self.sale(self.us, order)
        self.again(order, CANCEL)
        self.again(order, ACCEPT, updatedAt="2026-11-02T12:00:00Z")
        self.assertFalse(sale.shopify_hold)
        self.assertFalse(self.risks())

    def test_stricter_settings_leave_confirmed_orders(self):
        order = self.risky(INVESTIGATE)
        sale = self.sale(self.us, order)
        self.us.hold_investigate = True
        self.again(order, note="new")
        self.assertFalse(sale.shopify_hold)
        self.assertFalse(self.risks())

    def test_looser_settings_lift_holds(self):
        (placed,) = self.place_orders(self.us, 1, lines=1, extras=False, region="US/OR")
        self.create_products(self.us)
        self.sandbox.load([{**placed, "risk": CANCEL}], self.us.shop_domain)
        binding = self.import_orders(self.us, [placed])
        self.assertEqual(binding.hold, "held")
        self.us.write({"hold_cancel": False, "hold_high": False})
        self.drain(self.us)
        self.assertEqual((binding.hold, binding.sale_state), (False, "sale"))
        self.assertFalse(self.risks())

    def test_retry_of_the_exception(self):
        """Nothing is better, so it waits again."""
        (placed,) = self.place_orders(self.us, 1, lines=1, extras=False, region="US/OR")
        self.create_products(self.us)
        self.sandbox.load([{**placed, "risk": CANCEL}], self.us.shop_domain)
        binding = self.import_orders(self.us, [placed])
        self.risks().action_retry()
        self.drain(self.us)
        self.assertEqual((binding.hold, self.risks().waiting_count), ("held", 1))

    def test_batch(self):
        """As many queries for 12 orders as for 3."""

        def queries(first, count):
            orders = [self.paid(first + number) for number in range(count)]
            self.env.flush_all()
            self.env.invalidate_all()
            self.process(self.us, *orders)
            applied = self.env["shopify.order"].search([], limit=count, order="id desc")
            self.assertEqual(len(applied), count)
            importer = self.us._as_integration_user().sudo().env["shopify.order.importer"]
            pairs = [
                (importer._map(self.us, order.node, None), outcome)
                for order, outcome in zip(orders, self.process(self.us, *orders), strict=True)
            ]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["shopify.order.holder"]._review(self.us, pairs, set())
            return self.env.cr.sql_log_count - before

        queries(100, 2)
        self.assertEqual(queries(200, 3), queries(300, 12))
