from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError

from odoo.addons.queue_job.tests.common import trap_jobs
from odoo.addons.shopify_connector.services.outcome import Block

from .common import ShopifyCase

ONE, TWO, THREE = (f"gid://shopify/Order/{number}" for number in (1, 2, 3))


class ExceptionCase(ShopifyCase):
    def setUp(self):
        super().setUp()
        self.Exception = self.env["shopify.exception"]
        self.jobs = self.enterContext(trap_jobs())

    def report(self, gids, category="tax", key="T", backend=None, **values):
        block = Block(
            category,
            key,
            f"Tax {key} is not mapped",
            f"{category} {key} is missing",
            "Map it",
            **values,
        )
        waiting = {gid: (f"Order {gid[-1]}", [block]) for gid in gids}
        exception = self.Exception._report(backend or self.us, waiting)
        self.env.invalidate_all()
        return exception

    def inbox(self):
        return self.env["shopify.webhook.event"].search([("source", "=", "retry")], order="id")


class TestException(ExceptionCase):
    def test_one_cause_is_one_exception(self):
        first = self.report([ONE])
        second = self.report([ONE, TWO])
        self.assertEqual(first, second)
        self.assertEqual((first.occurrences, first.waiting_count), (2, 2))
        lines = {line.gid: line.attempts for line in first.line_ids}
        self.assertEqual(lines, {ONE: 2, TWO: 1})
        self.assertNotEqual(self.report([ONE], key="U"), first)
        self.assertNotEqual(self.report([ONE], backend=self.eu), first)

    def test_several_causes_of_one_record(self):
        blocks = [Block("tax", key, key, "why") for key in "AB"]
        exceptions = self.Exception._report(self.us, {ONE: ("Order 1", blocks)})
        self.env.invalidate_all()
        self.assertEqual(exceptions.mapped("waiting_count"), [1, 1])
        self.Exception._report(self.us, {ONE: ("Order 1", blocks[:1])})
        self.env.invalidate_all()
        self.assertEqual(exceptions.mapped("state"), ["open", "resolved"])

    def test_history_is_kept(self):
        exception = self.report([ONE])
        past = fields.Datetime.now() - timedelta(days=1)
        exception.write({"first_seen": past, "last_seen": past})
        exception.line_ids.write({"first_seen": past})
        self.report([ONE])
        self.assertEqual(exception.first_seen, past)
        self.assertGreater(exception.last_seen, past)
        self.assertEqual(exception.line_ids.first_seen, past)
        self.Exception._clear_waiting(self.us, [ONE])
        self.env.invalidate_all()
        self.assertEqual(exception.line_ids.state, "done")
        again = self.report([ONE])
        self.assertNotEqual(again, exception)

    def test_resolving_retries_all_who_waited(self):
        exception = self.report([ONE, TWO])
        other = self.report([THREE], key="U")
        closed = self.Exception._resolve(self.us, "tax", ["T", "unknown"])
        self.assertEqual(closed, exception)
        self.assertEqual((exception.state, other.state), ("resolved", "open"))
        self.assertEqual(self.inbox().mapped("resource_gid"), [ONE, TWO])
        self.jobs.assert_enqueued_job(
            self.us._job_drain_inbox, kwargs={"force": True}, properties={"priority": 5}
        )
        self.assertFalse(self.Exception._resolve(self.us, "tax", "T"))
        self.assertEqual(len(self.inbox()), 2)

    def test_resolving_is_done_again_after_the_commit(self):
        self.env.cr.postcommit.clear()
        self.Exception._resolve(self.us, "tax", "T")
        self.Exception._resolve(self.us, "tax", ["U"])
        self.assertEqual(len(self.env.cr.postcommit), 1)
        late = self.report([ONE], key="U")
        self.env.flush_all()
        self.env.cr.postcommit.run()
        self.env.invalidate_all()
        self.assertEqual(late.state, "resolved")
        self.assertEqual(self.inbox().resource_gid, ONE)

    def test_clearing_closes_only_what_nothing_waits_for(self):
        both = self.report([ONE, TWO])
        only = self.report([ONE], key="U")
        cause = self.Exception._report(
            self.us, {False: ("", [Block("credentials", "x", "No access", "")])}
        )
        self.report([ONE])
        self.Exception._clear_waiting(self.us, [ONE])
        self.env.invalidate_all()
        self.assertEqual((both.state, only.state, cause.state), ("open", "resolved", "open"))
        self.assertEqual(both.waiting_count, 1)

    def test_ignore(self):
        exception = self.report([ONE])
        exception.with_user(self.operator).action_ignore()
        self.assertEqual(exception.state, "ignored")
        self.assertEqual(exception.closed_by_id, self.operator)
        self.assertTrue(exception.closed_at)
        self.assertFalse(self.inbox())
        self.Exception._resolve(self.us, "tax", "T")
        self.assertFalse(self.inbox())

    def test_retry(self):
        exception = self.report([ONE])
        exception.with_user(self.operator).action_retry()
        self.assertEqual(exception.state, "open")
        self.assertEqual(self.inbox().resource_gid, ONE)
        exception.action_retry()
        self.assertEqual(len(self.inbox()), 1)

    def test_auditor_changes_nothing(self):
        exception = self.report([ONE]).with_user(self.auditor)
        self.assertEqual(exception.name, "Tax T is not mapped")
        for action in ("action_retry", "action_ignore"):
            with self.assertRaises(AccessError):
                getattr(exception, action)()

    def test_fix_opens_a_new_record_with_its_defaults(self):
        exception = self.report([ONE], res_model="res.partner", values={"name": "X"})
        action = exception.action_fix()
        self.assertEqual((action["res_model"], action["res_id"]), ("res.partner", False))
        self.assertEqual(action["context"]["default_name"], "X")
        self.assertEqual(action["context"]["default_backend_id"], self.us.id)

    def test_fix_opens_the_record(self):
        partner = self.env["res.partner"].create({"name": "P"})
        exception = self.report([ONE], res_model="res.partner", res_id=partner.id)
        self.assertEqual(exception.action_fix()["res_id"], partner.id)

    def test_fix_of_a_record_that_is_not_there(self):
        totals = self.report([ONE], category="totals", key=ONE)
        self.assertEqual(
            totals.action_fix()["url"],
            "https://sandbox-us.myshopify.com/admin/orders/1",
        )
        store = self.report([], category="credentials", key="x")
        self.assertFalse(store)
        cause = self.Exception._report(
            self.us, {False: ("", [Block("credentials", "x", "No access", "")])}
        )
        self.assertEqual(cause.action_fix()["res_model"], "shopify.backend")

    def test_upsert_replaces_the_text(self):
        self.report([ONE])
        block = Block("tax", "T", "New title", "New message", "New remedy")
        exception = self.Exception._report(self.us, {ONE: ("Order 1", [block])})
        self.env.invalidate_all()
        self.assertEqual(
            (exception.name, exception.message, exception.remedy),
            ("New title", "New message", "New remedy"),
        )


class TestWatchdog(ExceptionCase):
    def setUp(self):
        super().setUp()
        self.Watchdog = self.env["shopify.watchdog"]
        self.us.alert_user_ids = self.manager
        self.old = fields.Datetime.now() - timedelta(minutes=6)

    def watch(self):
        self.env.flush_all()
        self.Watchdog._watch()
        self.env.invalidate_all()

    def messages(self):
        return self.env["mail.message"].search(
            [("partner_ids", "in", self.manager.partner_id.id), ("model", "=", "shopify.backend")]
        )

    def wait_in_vain(self):
        self.put(self.us, [ONE])
        event = self.env["shopify.webhook.event"].search([("resource_gid", "=", ONE)])
        event.write({"next_attempt_at": self.old, "received_at": self.old})
        return event

    def test_no_job_runs(self):
        event = self.wait_in_vain()
        self.watch()
        exception = self.Exception.search([("key", "=", "queue")])
        self.assertEqual((exception.category, exception.state), ("configuration", "open"))
        event.state = "done"
        self.watch()
        self.assertEqual(exception.state, "resolved")

    def test_slow_is_not_dead(self):
        self.wait_in_vain()
        self.env["shopify.cursor"].create(
            {"backend_id": self.us.id, "topic": "inbox", "polled_at": fields.Datetime.now()}
        )
        self.watch()
        self.assertFalse(self.Exception.search([("key", "=", "queue")]))

    def test_alerts_are_grouped_and_throttled(self):
        self.report([ONE, TWO])
        self.report([ONE], key="U")
        self.watch()
        message = self.messages()
        self.assertEqual(len(message), 1)
        self.assertIn("2 new exceptions", message.subject)
        self.assertIn("Tax T is not mapped", message.body)
        self.report([ONE], key="V")
        self.watch()
        self.assertEqual(len(self.messages()), 1)
        cursor = self.env["shopify.cursor"].search(
            [("backend_id", "=", self.us.id), ("topic", "=", "alerts")]
        )
        cursor.alerted_at -= timedelta(hours=2)
        self.watch()
        self.assertEqual(len(self.messages()), 2)
        self.assertIn("1 new exceptions", self.messages()[0].subject)
