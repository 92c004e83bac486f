"""Real connections and committed data: what no test inside one transaction can show."""

import threading
from unittest.mock import patch

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.tools import mute_logger

from odoo.addons.shopify_connector.services import inbox
from odoo.addons.shopify_connector.services.outcome import Block, Outcome

from .committed_common import WAIT, CommittedCase
from .inbox_common import Handler


class TestInboxConcurrency(CommittedCase):
    def prepare(self, env):
        self.handler = Handler()
        self.enterContext(self.handler.patch(env))

    def test_two_drains_share_the_work(self):
        self.put(*self.gids)
        inside, go_on = threading.Event(), threading.Event()

        def hold(backend, node):
            inside.set()
            go_on.wait(WAIT)
            return self.handler.bind(backend, self.gids[0], node)

        self.handler.answers[self.gids[0]] = hold
        first = self.start(self.drain, 2)
        self.assertTrue(inside.wait(WAIT))
        self.assertEqual(self.drain(2), "2 created")
        go_on.set()
        self.assertEqual(first(), "2 created")
        self.assertEqual(self.handler.calls, [self.gids[:2], self.gids[2:]])
        self.assertEqual({state for _gid, state, _attempts in self.states()}, {"done"})

    def test_new_event_of_a_resource_at_work_waits_for_it(self):
        gid = self.gids[0]
        self.put(gid)
        inside, go_on = threading.Event(), threading.Event()

        def hold(backend, node):
            inside.set()
            go_on.wait(WAIT)
            return self.handler.bind(backend, gid, node)

        self.handler.answers[gid] = hold
        first = self.start(self.drain)
        self.assertTrue(inside.wait(WAIT))
        self.put(gid)
        self.assertEqual(self.drain(), "Nothing waits.")
        go_on.set()
        self.assertEqual(first(), "1 created")
        self.assertEqual(self.drain(), "1 updated")
        self.assertEqual([state for _gid, state, _attempts in self.states()], ["done", "done"])

    def test_resource_locked_by_another_flow_is_left_for_later(self):
        self.put(*self.gids[:2])
        with self.registry.cursor() as cr:
            inbox = api.Environment(cr, SUPERUSER_ID, {})["shopify.inbox"]
            self.assertEqual(inbox._try_lock(self.backend_id, self.gids[:1]), {self.gids[0]})
            self.assertEqual(self.drain(), "1 created, 1 retry")
        self.assertEqual(self.states(), [(self.gids[0], "pending", 0), (self.gids[1], "done", 1)])

    @mute_logger("odoo.sql_db")
    def test_collision_starts_the_transaction_again(self):
        self.put(self.gids[0])
        tries = []

        def collide(backend, node):
            tries.append(1)
            if len(tries) == 1:
                raise psycopg2.errors.SerializationFailure("could not serialize access")
            return self.handler.bind(backend, self.gids[0], node)

        self.handler.answers[self.gids[0]] = collide
        self.assertEqual(self.drain(), "1 created")
        self.assertEqual(len(tries), 2)

    def test_collisions_without_end_are_put_off(self):
        self.put(self.gids[0])

        def collide(backend, node):
            raise psycopg2.errors.SerializationFailure("could not serialize access")

        self.handler.answers[self.gids[0]] = collide
        self.assertEqual(self.drain(), "1 retry")
        self.assertEqual(len(self.handler.calls), 3)
        self.assertEqual(self.states(), [(self.gids[0], "pending", 0)])

    def test_record_made_by_another_drain_keeps_the_batch_together(self):
        self.put(*self.gids[:2])
        tries = []

        def meet(backend, node):
            tries.append(1)
            if len(tries) == 1:
                raise psycopg2.errors.UniqueViolation("made meanwhile")
            return self.handler.bind(backend, self.gids[0], node)

        self.handler.answers[self.gids[0]] = meet
        self.assertEqual(self.drain(), "2 created")
        self.assertEqual([len(call) for call in self.handler.calls], [2, 2])

    def test_record_that_always_stands_in_the_way_holds_nobody_back(self):
        self.put(*self.gids[:2])
        self.handler.answers[self.gids[0]] = psycopg2.errors.UniqueViolation("stands already")
        self.assertEqual(self.drain(), "1 created, 1 retry")
        self.assertEqual([len(call) for call in self.handler.calls], [2, 2, 2, 1, 1])

    def test_snapshot_is_younger_than_what_was_read(self):
        """What others commit while Shopify is asked is seen when it is processed."""
        gid = self.gids[0]
        self.put(gid)
        real = self.registry["shopify.order.importer"]._fetch

        def fetch(importer, backend, client, gids):
            answer = real(importer, backend, client, gids)
            with self.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                self.handler.bind(
                    env["shopify.backend"].browse(self.backend_id), gid, {"name": "#other"}
                )
            return answer

        with patch.object(self.registry["shopify.order.importer"], "_fetch", fetch):
            self.assertEqual(self.drain(), "1 updated")

    def test_one_cause_met_by_two_drains(self):
        self.put(*self.gids)
        block = Block("tax", "T", "Tax T is not mapped", "why")
        both = threading.Barrier(2, timeout=WAIT)

        def meet(backend, node):
            return Outcome("blocked", blocks=[block])

        def meet_together(backend, node):
            both.wait()
            return meet(backend, node)

        self.handler.answers = dict.fromkeys(self.gids, meet)
        self.handler.answers[self.gids[0]] = meet_together
        self.handler.answers[self.gids[2]] = meet_together
        first = self.start(self.drain, 2)
        second = self.start(self.drain, 2)
        self.assertEqual((first(), second()), ("2 blocked", "2 blocked"))
        self.assertEqual(len(self.handler.calls), 2)
        self.assertEqual(
            self.rows(
                "SELECT occurrences, (SELECT count(*) FROM shopify_exception_line"
                " WHERE exception_id = e.id) FROM shopify_exception e WHERE backend_id = %s",
                self.backend_id,
            ),
            [(2, 4)],
        )

    def test_doubled_delivery_at_the_same_time(self):
        insert = (
            "INSERT INTO shopify_webhook_event (backend_id, topic, source, state, priority,"
            " attempts, received_at, next_attempt_at, webhook_id) VALUES"
            " (%s, 'orders/create', 'webhook', 'pending', 10, 0, now(), now(), 'w1')"
            " ON CONFLICT DO NOTHING"
        )

        def deliver():
            try:
                with self.registry.cursor() as cr:
                    cr.execute(insert, [self.backend_id], log_exceptions=False)
                    return cr.rowcount
            except psycopg2.errors.SerializationFailure:
                # Odoo runs such a request again.
                return deliver()

        results = [self.start(deliver) for _time in range(4)]
        self.assertEqual(sorted(result() for result in results), [0, 0, 0, 1])

    def test_wake_enqueues_one_drain_for_many_deliveries(self):
        inbox._covered_until.clear()
        self.addCleanup(inbox._covered_until.clear)
        now = 1_900_000_000.5

        def wake(at):
            with (
                patch.object(inbox.time, "time", return_value=at),
                self.registry.cursor() as cr,
            ):
                env = api.Environment(cr, SUPERUSER_ID, {})
                env["shopify.inbox"]._wake(self.backend_id)

        def etas():
            return [
                float(eta)
                for (eta,) in self.rows(
                    "SELECT extract(epoch FROM eta) FROM queue_job WHERE identity_key = %s",
                    f"shopify:{self.backend_id}:drain",
                )
            ]

        for at in (now, now + 0.1, now + 0.4):
            wake(at)
        self.assertEqual(etas(), [1_900_000_001])
        # Another process finds the drain that is planned, and relies on it until it starts.
        inbox._covered_until.clear()
        wake(now + 0.2)
        self.assertEqual(etas(), [1_900_000_001])
        self.assertEqual(list(inbox._covered_until.values()), [1_900_000_001])
        # Once it has started, a delivery has to have one of its own.
        with self.registry.cursor() as cr:
            cr.execute("UPDATE queue_job SET state = 'started' WHERE eta IS NOT NULL")
        wake(now + 0.6)
        self.assertEqual(etas(), [1_900_000_001, 1_900_000_002])

    def test_failing_wake_fails_nobody(self):
        inbox._covered_until.clear()
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            with (
                patch.object(type(env["shopify.inbox"]), "_planned", side_effect=OSError),
                self.assertLogs("odoo.addons.shopify_connector.services.inbox", "WARNING"),
            ):
                env["shopify.inbox"]._wake(self.backend_id)
