import json
import logging
import secrets
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from psycopg2.extensions import STATUS_READY

from odoo import api, models
from odoo.tools import SQL

from ..client.webhook import resource_gid

_logger = logging.getLogger(__name__)

# A drain that does not come to an end loses its events after this time (seconds). When its
# worker was killed, that is noticed within a minute.
LEASE = 300
# Resources that a store is asked for which did not answer last time.
PROBE = 5
# Seconds within which the time of a subscription's last delivery is not written again.
DELIVERY_GRAIN = 30

ClaimedEvent = namedtuple("ClaimedEvent", "id topic source attempts received_at updated_at")


@dataclass
class Claim:
    """The events that one drain has for itself until its lease ends.

    :ivar events: ``{gid: [ClaimedEvent, ...]}``, those that arrived first at the front
    :ivar more: there was more than was asked for
    :ivar paused_for: seconds for which the store is to be left alone; nothing was claimed
    :ivar failures: how many drains in a row found before that the store does not answer
    :ivar at: when it was claimed, by the database's clock (UTC)
    :ivar pid: server process of the job's connection, which ends when its worker is killed
    """

    token: str
    pid: int
    events: dict = field(default_factory=dict)
    more: bool = False
    paused_for: float = 0.0
    failures: int = 0
    at: datetime | None = None

    @property
    def probes(self):
        """Whether it is to find out if the store answers again: a few resources do."""
        return self.failures > 0

    def ids(self, gids):
        """The ids of the events of these resources."""
        return [event.id for gid in gids for event in self.events[gid]]


class ShopifyInbox(models.AbstractModel):
    """Claiming: short transactions of their own, one at a time per store."""

    _inherit = "shopify.inbox"

    @contextmanager
    def _read_committed(self):
        """An environment in a cursor of its own, in which each statement sees what others
        have committed by then, and waiting for their row locks raises no serialization error.

        Superuser's, for nothing but the connector's own bookkeeping.
        """
        with self.env.registry.cursor() as cr:
            # A cursor that takes part in a running transaction keeps its isolation.
            if cr.connection.status == STATUS_READY:
                cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            yield api.Environment(cr, self.env.uid, self.env.context, su=True)

    def _claim(self, backend, limit, force=False):
        """Take the due events of up to ``limit`` resources.

        All that waits for a resource is taken together, also what is not due yet. A resource
        that another drain is at work on is left to it.

        :return: Claim, maybe empty
        """
        claim = self._new_claim()
        with self._read_committed() as env:
            inbox = env[self._name]
            inbox._lock_claims(backend.id)
            paused_for = inbox._note_drain(backend.id, claim)
            if paused_for and not force:
                claim.paused_for = paused_for
                return claim
            if claim.probes:
                limit = min(limit, PROBE)
            inbox._identify(backend.id)
            gids = inbox._due_gids(backend.id, limit + 1)
            claim.more = len(gids) > limit
            inbox._take(backend.id, claim, gids[:limit])
            inbox._note_deliveries(backend.id, claim)
            if claim.more and not claim.probes:
                # Each drain that sees a backlog has one more start beside it, so that they
                # become as many as their channel lets run.
                inbox._enqueue(env["shopify.backend"].browse(backend.id), "drain:more")
        return claim

    def _new_claim(self):
        pid = self.env.cr.connection.get_backend_pid()
        return Claim(token=secrets.token_hex(8), pid=pid)

    def _claim_gid(self, backend, gid):
        """Take all that waits for one resource, unless a drain is at work on it."""
        claim = self._new_claim()
        with self._read_committed() as env:
            inbox = env[self._name]
            inbox._lock_claims(backend.id)
            inbox._note_drain(backend.id, claim)
            if not inbox._busy(backend.id, gid):
                inbox._take(backend.id, claim, [gid])
        return claim

    def _lock_claims(self, backend_id):
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                f"shopify.inbox:{backend_id}",
            )
        )

    def _note_drain(self, backend_id, claim):
        """Note that a drain ran, and how the store answered before.

        :return: seconds for which the store is still to be left alone
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_cursor AS c (backend_id, topic, failures, polled_at)
                VALUES (%s, 'inbox', 0, clock_timestamp() AT TIME ZONE 'utc')
                ON CONFLICT (backend_id, topic) DO UPDATE SET polled_at = EXCLUDED.polled_at
                RETURNING greatest(0, extract(epoch FROM
                    c.not_before - polled_at)), failures, polled_at
                """,
                backend_id,
            )
        )
        paused_for, claim.failures, claim.at = self.env.cr.fetchone()
        return float(paused_for or 0)

    def _identify(self, backend_id):
        """Find out what the deliveries are about whose payload did not begin with it."""
        self.env.cr.execute(
            SQL(
                """
                SELECT id, topic, body FROM shopify_webhook_event
                WHERE backend_id = %s AND state = 'pending' AND resource_gid IS NULL
                ORDER BY id LIMIT 200
                """,
                backend_id,
            )
        )
        for event_id, topic, body in self.env.cr.fetchall():
            try:
                gid = resource_gid(topic, json.loads(body or ""))
            except (AttributeError, TypeError, ValueError):
                gid = None
            # Without a resource the event still has to be dealt with, by itself.
            self.env.cr.execute(
                SQL(
                    "UPDATE shopify_webhook_event SET resource_gid = %s WHERE id = %s",
                    gid or f"event:{event_id}",
                    event_id,
                )
            )

    def _due_gids(self, backend_id, limit):
        # Many events of one resource may stand in a row, hence the wider window.
        self.env.cr.execute(
            SQL(
                """
                SELECT resource_gid FROM (
                    SELECT id, priority, resource_gid FROM shopify_webhook_event e
                    WHERE backend_id = %(backend)s AND state = 'pending'
                        AND next_attempt_at <= clock_timestamp() AT TIME ZONE 'utc'
                        AND NOT EXISTS (
                            SELECT 1 FROM shopify_webhook_event busy
                            WHERE busy.backend_id = %(backend)s AND busy.state = 'pending'
                                AND busy.resource_gid = e.resource_gid
                                AND busy.lease_until > clock_timestamp() AT TIME ZONE 'utc')
                    ORDER BY priority, id LIMIT %(window)s) due
                GROUP BY resource_gid ORDER BY min(priority), min(id) LIMIT %(limit)s
                """,
                backend=backend_id,
                window=limit * 8,
                limit=limit,
            )
        )
        return [gid for (gid,) in self.env.cr.fetchall()]

    def _busy(self, backend_id, gid):
        self.env.cr.execute(
            SQL(
                """
                SELECT 1 FROM shopify_webhook_event
                WHERE backend_id = %s AND resource_gid = %s AND state = 'pending'
                    AND lease_until > clock_timestamp() AT TIME ZONE 'utc' LIMIT 1
                """,
                backend_id,
                gid,
            )
        )
        return bool(self.env.cr.fetchone())

    def _take(self, backend_id, claim, gids):
        if not gids:
            return
        self.env.cr.execute(
            SQL(
                """
                WITH taken AS (
                    UPDATE shopify_webhook_event SET lease_token = %s, lease_pid = %s,
                        lease_until = clock_timestamp() AT TIME ZONE 'utc'
                            + make_interval(secs => %s),
                        attempts = attempts + 1
                    WHERE backend_id = %s AND state = 'pending'
                        AND resource_gid = ANY(%s::varchar[])
                    RETURNING id, topic, source, attempts, received_at, updated_at,
                        resource_gid, priority)
                SELECT * FROM taken ORDER BY min(priority) OVER (PARTITION BY resource_gid), id
                """,
                claim.token,
                claim.pid,
                LEASE,
                backend_id,
                gids,
            )
        )
        for *values, gid, _priority in self.env.cr.fetchall():
            claim.events.setdefault(gid, []).append(ClaimedEvent(*values))

    def _note_deliveries(self, backend_id, claim):
        """Keep the time of the last delivery by topic; here, because claims don't overlap."""
        latest = {}
        for events in claim.events.values():
            for event in events:
                if event.source == "webhook":
                    latest[event.topic] = max(
                        event.received_at, latest.get(event.topic, event.received_at)
                    )
        if not latest:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_webhook_subscription s SET last_delivery_at = t.at
                FROM unnest(%s::varchar[], %s::timestamp[]) AS t (topic, at)
                WHERE s.backend_id = %s AND s.topic = t.topic AND s.state != 'foreign'
                    AND coalesce(s.last_delivery_at, '-infinity')
                        < t.at - make_interval(secs => %s)
                """,
                list(latest),
                list(latest.values()),
                backend_id,
                DELIVERY_GRAIN,
            )
        )

    # === LEASES === #

    def _free_dead(self):
        """Take events from drains whose worker was killed, before their leases end."""
        with self._read_committed() as env:
            env.cr.execute(
                """
                UPDATE shopify_webhook_event SET lease_token = NULL, lease_until = NULL
                WHERE state = 'pending' AND lease_token IS NOT NULL
                    AND lease_pid NOT IN (SELECT pid FROM pg_stat_activity)
                """
            )
            if env.cr.rowcount:
                _logger.warning("%s events of killed workers are free again", env.cr.rowcount)

    def _release_events(self, claim, gids, delay, *, count=False, message=None):
        """Give events back, to be due again in ``delay`` seconds.

        :param count: this was an attempt of theirs
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_webhook_event SET lease_token = NULL, lease_until = NULL,
                    attempts = attempts - %s, message = coalesce(%s, message),
                    next_attempt_at = clock_timestamp() AT TIME ZONE 'utc'
                        + make_interval(secs => %s)
                WHERE id = ANY(%s) AND lease_token = %s AND state = 'pending'
                """,
                0 if count else 1,
                message,
                delay,
                claim.ids(gids),
                claim.token,
            )
        )

    def _finish_events(self, claim, states):
        """Mark events as processed.

        :param states: ``{gid: (state, message)}``
        :raises LeaseLost: another drain took them over meanwhile
        """
        rows = [
            (event.id, state, message)
            for gid, (state, message) in states.items()
            for event in claim.events[gid]
        ]
        if not rows:
            return
        ids, new_states, messages = map(list, zip(*rows, strict=True))
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_webhook_event e SET state = t.state, message = t.message,
                    lease_token = NULL, lease_until = NULL,
                    processed_at = clock_timestamp() AT TIME ZONE 'utc'
                FROM unnest(%s::int[], %s::varchar[], %s::varchar[]) AS t (id, state, message)
                WHERE e.id = t.id AND e.lease_token = %s AND e.state = 'pending'
                """,
                ids,
                new_states,
                messages,
                claim.token,
            )
        )
        if self.env.cr.rowcount != len(rows):
            raise LeaseLost()

    def _set_pause(self, backend_id, seconds, failures):
        """Leave a store alone for a while; 0 seconds end that."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_cursor SET failures = %s, not_before = CASE WHEN %s > 0
                    THEN clock_timestamp() AT TIME ZONE 'utc' + make_interval(secs => %s) END
                WHERE backend_id = %s AND topic = 'inbox'
                """,
                failures,
                seconds,
                seconds,
                backend_id,
            )
        )


class LeaseLost(Exception):
    """The lease of this drain lapsed, and another one took its events over."""
