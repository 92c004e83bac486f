import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import mute_logger

from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.shopify_connector.client.errors import TransientError
from odoo.addons.shopify_connector.services import inbox_claim
from odoo.addons.shopify_connector.services.outcome import Block, Blocked, Outcome

from .common import ShopifyCase
from .inbox_common import Handler

PROCESS_LOGGER = "odoo.addons.shopify_connector.services.inbox_process"


class InboxCase(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.handler = Handler()
        self.enterContext(self.handler.patch(self.env))
        self.jobs = self.enterContext(trap_jobs())
        self.Event = self.env["shopify.webhook.event"]
        self.Exception = self.env["shopify.exception"]

    def order_gids(self, count, seed=1):
        return [order["id"] for order in self.place_orders(self.us, count, seed=seed)]

    def events(self, *gids):
        return self.Event.search(
            [("backend_id", "=", self.us.id), ("resource_gid", "in", gids)], order="id"
        )

    def drain_once(self, backend=None, **options):
        backend = (backend or self.us)._as_integration_user()
        self.env.flush_all()
        said = backend.env["shopify.inbox"]._drain(backend, **options)
        self.env.invalidate_all()
        return said

    def run_event(self, event):
        """What the job of an event does."""
        self.env.flush_all()
        try:
            return event.with_user(self.jobs_user)._job_process()
        finally:
            self.env.invalidate_all()

    def job_keys(self):
        return [job.identity_key for job in self.jobs.enqueued_jobs]

    def block(self, key="TAX|4", category="tax"):
        return Block(category, key, "Tax X is not mapped", "Order has tax X", "Map it")


class TestInboxDrain(InboxCase):
    def test_batch_is_folded_and_done(self):
        one, two = self.order_gids(2)
        self.put(self.us, [one, two, one])
        self.put(self.us, [one], topic="orders/paid", source="poll")
        said = self.drain_once()
        self.assertEqual(self.handler.calls, [[one, two]])
        self.assertEqual(
            self.handler.contexts[0]["topics"][one],
            ["orders/create", "orders/create", "orders/paid"],
        )
        self.assertEqual(self.handler.contexts[0]["sources"][one], {"manual", "poll"})
        self.assertEqual(set(self.events(one, two).mapped("state")), {"done"})
        self.assertFalse(any(self.events(one, two).mapped("lease_token")))
        self.assertEqual(said, "2 created")
        logs = self.env["shopify.sync.log"].search([("backend_id", "=", self.us.id)])
        self.assertEqual(logs.mapped("outcome"), ["created", "created"])
        self.assertEqual(logs.mapped("direction"), ["in", "in"])
        self.assertTrue(all(log.request_id and log.res_id for log in logs))
        self.assertEqual(logs[-1].res_model, "shopify.order")
        self.assertRegex(logs[-1].name, r"^Order #\d+")

    def test_follow_up_only_after_work(self):
        self.assertEqual(self.drain_once(), "Nothing waits.")
        self.assertFalse(self.job_keys())
        self.put(self.us, self.order_gids(1))
        self.drain_once()
        self.assertEqual(self.job_keys(), [f"shopify:{self.us.id}:drain"])
        self.assertTrue(self.jobs.enqueued_jobs[0].eta)

    def test_backlog_starts_more_drains(self):
        gids = self.order_gids(3)
        self.put(self.us, gids)
        self.drain_once(limit=2)
        self.assertEqual(self.handler.calls, [gids[:2]])
        self.assertEqual(self.job_keys(), [f"shopify:{self.us.id}:drain:more"])
        self.drain_once(limit=2)
        self.assertEqual(self.handler.calls[1:], [gids[2:]])

    def test_priority_goes_first(self):
        gids = self.order_gids(3)
        self.put(self.us, gids[:2])
        self.env["shopify.inbox"]._put(
            self.us, [{"topic": "x", "gid": gids[2], "source": "manual", "priority": 5}]
        )
        self.drain_once(limit=2)
        self.assertEqual(self.handler.calls, [[gids[2], gids[0]]])

    def test_not_yet_due_waits_and_comes_along(self):
        one, two = self.order_gids(2)
        self.put(self.us, [one, two])
        self.events(one).next_attempt_at = fields.Datetime.now() + timedelta(hours=1)
        self.drain_once()
        self.assertEqual(self.handler.calls, [[two]])
        self.put(self.us, [one])
        self.drain_once()
        self.assertEqual(self.events(one).mapped("state"), ["done", "done"])

    def test_gone_in_shopify(self):
        gid = "gid://shopify/Order/999999999"
        self.put(self.us, [gid])
        seen = []
        self.handler.answers[gid] = lambda backend, node: (
            seen.append(node) or Outcome("deleted", message="gone")
        )
        self.drain_once()
        self.assertEqual(seen, [None])
        self.assertEqual(self.events(gid).message, "gone")

    def test_skipped(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])
        self.handler.answers[gid] = Outcome("skipped", message="Too old")
        self.drain_once()
        self.assertEqual(self.events(gid).state, "skipped")
        self.assertEqual(self.events(gid).message, "Too old")

    def test_unconnected_store_is_not_called(self):
        self.put(self.us, self.order_gids(1))
        self.us.state = "draft"
        self.shop(self.us).log.clear()
        self.drain_once()
        self.assertFalse(self.handler.calls)
        self.assertFalse(list(self.shop(self.us).log))

    def test_what_the_payload_hides_is_found(self):
        (gid,) = self.order_gids(1)
        number = int(gid.rsplit("/", 1)[1])
        bodies = {
            "refunds/create": json.dumps({"id": 5, "order_id": number}),
            "orders/edited": json.dumps({"order_edit": {"id": 6, "order_id": number}}),
            "orders/create": "not JSON",
            "shop/update": json.dumps({"id": 7}),
        }
        for topic, body in bodies.items():
            self.Event.create({"backend_id": self.us.id, "topic": topic, "body": body})
        self.drain_once()
        self.assertEqual(self.handler.calls, [[gid]])
        self.assertEqual(
            sorted(self.events(gid).mapped("topic")), ["orders/edited", "refunds/create"]
        )
        others = self.Event.search([("resource_gid", "!=", gid)], order="topic")
        self.assertEqual(others.mapped("state"), ["skipped", "skipped"])

    def test_own_part_costs_the_same_for_any_batch(self):
        def cost(gids):
            self.put(self.us, gids)
            self.handler.answers = dict.fromkeys(gids, Outcome("unchanged"))
            backend = self.us._as_integration_user()
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            backend.env["shopify.inbox"]._drain(backend)
            return self.env.cr.sql_log_count - before

        gids = self.order_gids(26)
        cost(gids[:1])
        few, many = cost(gids[1:4]), cost(gids[4:])
        self.assertLessEqual(many, few)
        self.assertLess(many, 25)


class TestInboxFailures(InboxCase):
    @mute_logger(PROCESS_LOGGER)
    def test_poisoned_record_holds_nobody_back(self):
        gids = self.order_gids(3)
        self.put(self.us, gids)
        self.handler.answers[gids[1]] = UserError("The tax country is wrong")
        self.drain_once()
        self.assertEqual(self.handler.calls, [gids, [gids[0]], [gids[1]], [gids[2]]])
        self.assertEqual(self.events(*gids).mapped("state"), ["done", "failed", "done"])
        self.assertEqual(self.env["shopify.order"].search_count([("shopify_gid", "in", gids)]), 2)
        exception = self.Exception.search([("key", "=", gids[1])])
        self.assertEqual(exception.category, "other")
        self.assertEqual(exception.message, "The tax country is wrong")
        self.assertEqual(exception.line_ids.gid, gids[1])
        self.assertIn("UserError", exception.details)

    @mute_logger(PROCESS_LOGGER)
    def test_failing_batch_leaves_nothing_behind(self):
        gids = self.order_gids(2)
        self.put(self.us, gids)

        def write_then_fail(backend, node):
            self.handler.bind(backend, gids[1], node)
            raise KeyError("x")

        self.handler.answers[gids[1]] = write_then_fail
        self.drain_once()
        bindings = self.env["shopify.order"].search([("shopify_gid", "in", gids)])
        self.assertEqual(bindings.mapped("shopify_gid"), [gids[0]])
        self.assertIn("KeyError", self.Exception.search([("key", "=", gids[1])]).message)

    def test_blocked_waits_and_goes_through_when_solved(self):
        one, two, three = self.order_gids(3)
        self.put(self.us, [one, two, three])
        self.handler.answers = dict.fromkeys((one, two), Outcome("blocked", blocks=[self.block()]))
        self.drain_once()
        self.assertEqual(
            self.events(one, two, three).mapped("state"), ["blocked", "blocked", "done"]
        )
        exception = self.Exception.search([("key", "=", "TAX|4")])
        self.assertEqual(exception.waiting_count, 2)
        self.assertRegex(exception.line_ids[0].name, r"^Order #\d+")

        self.handler.answers.clear()
        self.Exception._resolve(self.us, "tax", "TAX|4")
        self.assertEqual(exception.state, "resolved")
        self.assertIn(f"shopify:{self.us.id}:drain:now", self.job_keys())
        self.drain_once()
        self.assertEqual(set(self.handler.calls[-1]), {one, two})
        self.assertEqual(exception.line_ids.mapped("state"), ["done", "done"])

    def test_blocked_again_by_something_else(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])
        self.handler.answers[gid] = Blocked(self.block())
        self.drain_once()
        self.put(self.us, [gid])
        self.handler.answers[gid] = Blocked(self.block("#1", "totals"))
        self.drain_once()
        tax, totals = self.Exception.search([("line_ids.gid", "=", gid)], order="category desc")[
            ::-1
        ]
        tax, totals = (tax, totals) if tax.category == "tax" else (totals, tax)
        self.assertEqual((tax.state, totals.state), ("resolved", "open"))

    def test_success_closes_the_exception(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])
        self.handler.answers[gid] = Outcome("blocked", blocks=[self.block()])
        self.drain_once()
        exception = self.Exception.search([("key", "=", "TAX|4")])
        self.assertEqual(exception.state, "open")
        self.handler.answers.clear()
        exception.action_retry()
        self.assertEqual(exception.state, "open")
        self.drain_once()
        self.assertEqual(exception.state, "resolved")
        self.assertFalse(exception.closed_by_id)

    def test_solved_while_it_was_met(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])

        def solve_meanwhile(backend, node):
            solved = self.Exception._report(self.us, {False: ("", [self.block()])})
            solved._close("resolved")
            # It was solved before the drain began, by a transaction that was committed after.
            solved.closed_at -= timedelta(seconds=30)
            self.env.flush_all()
            return Outcome("blocked", blocks=[self.block()])

        self.handler.answers[gid] = solve_meanwhile
        self.drain_once()
        self.handler.answers.clear()
        self.assertEqual(self.events(gid).mapped("state"), ["blocked", "pending"])
        self.drain_once()
        self.assertEqual(self.events(gid).mapped("state"), ["blocked", "done"])
        self.assertFalse(self.Exception.search([("key", "=", "TAX|4"), ("state", "=", "open")]))

    def test_solved_after_the_look_of_the_drain(self):
        (gid,) = self.order_gids(1)
        solved = self.Exception._report(self.us, {False: ("", [self.block()])})
        solved._close("resolved")
        solved.closed_at -= timedelta(hours=1)
        self.put(self.us, [gid])
        self.handler.answers[gid] = Outcome("blocked", blocks=[self.block()])
        self.drain_once()
        self.env["shopify.webhook.event"]._cron_drain()
        self.assertEqual(self.events(gid).mapped("state"), ["blocked"])
        # The drain could not see that it was solved: it was committed a moment later.
        solved.closed_at = fields.Datetime.now()
        self.env.flush_all()
        self.env["shopify.webhook.event"]._cron_drain()
        self.assertEqual(self.events(gid).mapped("state"), ["blocked", "pending"])

    def test_passing_failure_is_retried_then_reported(self):
        one, two = self.order_gids(2)
        self.put(self.us, [one, two])
        self.handler.answers[one] = TransientError("Lost the connection")
        with mute_logger(PROCESS_LOGGER):
            self.drain_once()
        event = self.events(one)
        self.assertEqual(event.state, "pending")
        self.assertGreater(event.next_attempt_at, fields.Datetime.now() + timedelta(seconds=30))
        self.assertEqual(self.events(two).state, "done")
        self.jobs.assert_enqueued_job(
            event._job_process, properties={"identity_key": f"shopify:{self.us.id}:{one}"}
        )
        raised = 0
        for _attempt in range(2):
            # Not assertRaises, which would take back that it was tried.
            try:
                self.run_event(event)
            except RetryableJobError:
                raised += 1
        self.assertEqual(raised, 2)
        self.assertFalse(self.Exception.search([("key", "=", one)]))
        self.run_event(event)
        self.assertEqual(event.state, "failed")
        exception = self.Exception.search([("key", "=", one)])
        self.assertEqual(exception.message, "Lost the connection")
        outcomes = self.env["shopify.sync.log"].search([("gid", "=", one)], order="id")
        self.assertEqual(outcomes.mapped("outcome"), ["retry", "retry", "retry", "failed"])
        self.assertEqual(self.run_event(event), "Nothing to do: it was processed meanwhile.")

    def test_passing_failure_goes_well_later(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])
        self.handler.answers[gid] = TransientError("Lost the connection")
        self.drain_once()
        self.handler.answers.clear()
        self.assertEqual(self.run_event(self.events(gid)), "1 created")
        self.assertEqual(self.events(gid).state, "done")

    def test_retry_pattern_of_the_job(self):
        function = self.env.ref("shopify_connector.job_process_event")
        self.assertEqual(function.retry_pattern, {"1": [4, 6], "2": [16, 20]})
        self.assertEqual(function.channel, "root.shopify.inbox")

    def test_store_wide_failure_keeps_all_and_counts_nothing(self):
        gids = self.order_gids(2)
        self.put(self.us, gids)
        self.shop(self.us).faults.add(kind="http_error", status=503, count=50, operation="*")
        for failures in range(1, 6):
            said = self.drain_once(force=True)
            self.assertIn("again in", said)
            cursor = self.env["shopify.cursor"].search(
                [("backend_id", "=", self.us.id), ("topic", "=", "inbox")]
            )
            self.assertEqual(cursor.failures, failures)
        self.assertGreater(cursor.not_before, fields.Datetime.now() + timedelta(seconds=20))
        self.assertEqual(set(self.job_keys()), {f"shopify:{self.us.id}:drain:later"})
        self.assertEqual(self.events(*gids).mapped("state"), ["pending", "pending"])
        self.assertEqual(self.events(*gids).mapped("attempts"), [0, 0])
        self.assertFalse(self.handler.calls)
        exception = self.Exception.search([("backend_id", "=", self.us.id)])
        self.assertEqual((exception.category, exception.state), ("remote", "open"))

        self.assertIn("left alone", self.drain_once())
        self.shop(self.us).faults.clear()
        self.drain_once(force=True)
        self.assertEqual(self.events(*gids).mapped("state"), ["done", "done"])
        self.assertEqual(exception.state, "resolved")
        self.assertEqual((cursor.failures, cursor.not_before), (0, False))

    def test_store_that_did_not_answer_is_asked_for_little(self):
        gids = self.order_gids(7)
        self.put(self.us, gids)
        self.shop(self.us).faults.add(kind="http_error", status=503, count=1, operation="nodes")
        self.drain_once(limit=6)
        self.assertIn(f"shopify:{self.us.id}:drain:more", self.job_keys())
        self.jobs.enqueued_jobs.clear()
        self.assertEqual(self.drain_once(limit=6, force=True), "5 created")
        self.assertEqual(self.job_keys(), [f"shopify:{self.us.id}:drain"])
        self.assertFalse(self.jobs.enqueued_jobs[0].eta)

    def test_throttled_store_is_asked_when_it_says(self):
        self.put(self.us, self.order_gids(1))
        self.shop(self.us).faults.add(kind="throttled", count=9, operation="nodes")
        self.drain_once()
        cursor = self.env["shopify.cursor"].search(
            [("backend_id", "=", self.us.id), ("topic", "=", "inbox")]
        )
        self.assertEqual(cursor.failures, 0)
        self.assertTrue(cursor.not_before)

    def test_refused_store_is_reported_once(self):
        self.put(self.us, self.order_gids(1))
        self.shop(self.us).settings.installed = False
        self.drain_once(force=True)
        self.drain_once(force=True)
        exception = self.Exception.search([("backend_id", "=", self.us.id)])
        self.assertEqual((exception.category, exception.occurrences), ("credentials", 2))
        self.assertEqual(exception.action_fix()["res_model"], "shopify.backend")
        self.shop(self.us).settings.installed = True
        self.drain_once(force=True)
        self.assertEqual(exception.state, "resolved")

    def test_one_unreadable_resource(self):
        one, two = self.order_gids(2)
        self.put(self.us, [one, two])
        real = self.env.registry["shopify.order.importer"]._fetch

        def leave_out(importer, backend, client, gids):
            nodes, faults = real(importer, backend, client, gids)
            nodes.pop(one)
            return nodes, faults

        with patch.object(self.env.registry["shopify.order.importer"], "_fetch", leave_out):
            self.drain_once()
        self.assertEqual(self.handler.calls, [[two]])
        self.assertEqual(self.events(one).state, "pending")
        self.assertIn(f"shopify:{self.us.id}:{one}", self.job_keys())

    def test_one_resource_breaks_the_reading_of_all(self):
        (gid,) = self.order_gids(1)
        bad = "gid://shopify/Order/abc"
        self.put(self.us, [gid, bad])
        self.drain_once()
        self.assertEqual(self.events(gid).state, "done")
        self.assertIn(self.events(bad).state, ("done", "failed"))


class TestInboxLease(InboxCase):
    def claim(self, limit=50):
        return self.env["shopify.inbox"]._claim(self.us, limit)

    def test_claimed_is_left_to_its_drain(self):
        one, two = self.order_gids(2)
        self.put(self.us, [one])
        claim = self.claim()
        self.assertEqual(list(claim.events), [one])
        self.put(self.us, [one, two])
        self.assertEqual(list(self.claim().events), [two])

    def test_killed_worker(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])
        self.claim()
        self.assertEqual(self.drain_once(), "Nothing waits.")
        lapsed = fields.Datetime.now() - timedelta(seconds=1)
        self.events(gid).lease_until = lapsed
        self.drain_once()
        self.assertEqual(self.events(gid).state, "done")
        self.assertEqual(self.events(gid).attempts, 2)

    def test_killed_worker_is_noticed_by_the_cron(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])
        self.claim()
        self.Event._cron_drain()
        self.env.invalidate_all()
        self.assertTrue(self.events(gid).lease_token)
        self.assertFalse(self.job_keys())
        # No process has this number.
        self.events(gid).lease_pid = 2**31 - 2
        self.env.flush_all()
        with self.assertLogs("odoo.addons.shopify_connector.services.inbox_claim", "WARNING"):
            self.Event._cron_drain()
        self.env.invalidate_all()
        self.assertEqual(self.job_keys(), [f"shopify:{self.us.id}:drain"])
        self.drain_once()
        self.assertEqual(self.events(gid).state, "done")

    def test_overtaken_drain_writes_nothing(self):
        (gid,) = self.order_gids(1)
        self.put(self.us, [gid])

        def take_over(backend, node):
            outcome = self.handler.bind(backend, gid, node)
            backend.env.cr.execute(
                "UPDATE shopify_webhook_event SET lease_token = 'other' WHERE resource_gid = %s",
                [gid],
            )
            return outcome

        self.handler.answers[gid] = take_over
        with patch.object(inbox_claim, "LEASE", 60):
            self.drain_once()
        self.assertFalse(self.env["shopify.order"].search([("shopify_gid", "=", gid)]))
        self.assertEqual(self.events(gid).state, "pending")

    def test_last_delivery_of_a_subscription(self):
        subscription = self.env["shopify.webhook.subscription"].create(
            {"backend_id": self.us.id, "topic": "orders/create", "state": "active"}
        )
        self.put(self.us, self.order_gids(1), source="webhook")
        self.drain_once()
        self.assertTrue(subscription.last_delivery_at)


class TestInboxTriggers(InboxCase):
    def test_cron_triggers_stores_with_due_events(self):
        self.put(self.us, self.order_gids(1))
        self.env.flush_all()
        self.Event._cron_drain()
        self.assertEqual(self.job_keys(), [f"shopify:{self.us.id}:drain"])

    def test_cron_leaves_paused_and_claimed_alone(self):
        self.put(self.us, self.order_gids(1))
        self.env["shopify.inbox"]._claim(self.us, 10)
        self.Event._cron_drain()
        self.assertFalse(self.job_keys())
        self.events(*self.Event.search([]).mapped("resource_gid")).lease_until = False
        self.env["shopify.inbox"]._set_pause(self.us.id, 60, 1)
        self.env.flush_all()
        self.Event._cron_drain()
        self.assertFalse(self.job_keys())

    def test_jobs_run_as_the_integration_user(self):
        self.env["shopify.inbox"]._trigger(self.eu)
        job = self.jobs.enqueued_jobs[0]
        self.assertEqual(job.env.uid, self.jobs_user.id)
        self.assertEqual(job.env.company, self.eu_company)
        self.assertEqual(job.channel or job.job_config.channel, "root.shopify.inbox")

    def test_retention(self):
        old = fields.Datetime.now() - timedelta(days=10)
        values = {"backend_id": self.us.id, "topic": "orders/create", "body": "{}"}
        done = self.Event.create({**values, "state": "done", "received_at": old})
        waiting = self.Event.create({**values, "received_at": old})
        fresh = self.Event.create({**values, "state": "done"})
        self.env["shopify.sync.log"]._log(self.us, [{"direction": "in", "outcome": "created"}])
        self.env["shopify.sync.log"].search([]).write({"date": old})
        self.env.flush_all()
        self.Event._gc_events()
        self.env["shopify.sync.log"]._gc_logs()
        self.env.invalidate_all()
        self.assertEqual((done.body, waiting.body, fresh.body), (False, "{}", "{}"))
        self.assertTrue(self.env["shopify.sync.log"].search([("backend_id", "=", self.us.id)]))
        self.us.log_retention_days = 5
        self.env.flush_all()
        self.Event._gc_events()
        self.env["shopify.sync.log"]._gc_logs()
        self.env.invalidate_all()
        self.assertFalse(done.exists())
        self.assertTrue(waiting.exists() and fresh.exists())
        self.assertFalse(self.env["shopify.sync.log"].search([("backend_id", "=", self.us.id)]))
