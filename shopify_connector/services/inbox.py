import logging
import time
from datetime import datetime, timedelta, timezone

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from ..models.shopify_sync_log import PURGE_BATCH

_logger = logging.getLogger(__name__)

DRAIN_LIMIT = 50
# Until when each (database, store) of this process has a drain ahead that will see what is
# committed before: deliveries until then need none of their own.
_covered_until = {}
_OPEN_JOBS = ("wait_dependencies", "pending", "enqueued")


class ShopifyInbox(models.AbstractModel):
    """From the inbox to the handlers, in batches.

    A drain claims events in a short transaction (`inbox_claim.py`), reads what they name from
    Shopify while no transaction writes, and processes it in a fresh one (`inbox_process.py`).
    The transaction of its job stays idle: jobs may not commit, and its snapshot would be too
    old.

    Nobody has to enqueue a drain for each event. The first event of a second enqueues one for
    the end of that second; a drain that found work enqueues another one; a cron looks each
    minute for events that are due.
    """

    _name = "shopify.inbox"
    _description = "Shopify Inbox"

    def _handlers(self):
        """Model that handles each type of resource: ``{gid type: model name}``, in the order
        in which a batch is processed.

        A handler is an abstract model with ``_fetch(backend, client, gids)`` (network
        only) and ``_process(backend, nodes, context)`` (database only).
        """
        return {
            "Product": "shopify.catalog.importer",
            "ProductVariant": "shopify.catalog.importer",
            "Order": "shopify.order.importer",
        }

    # === PUTTING IN === #

    def _put(self, backend, items):
        """Add events in one INSERT, in the transaction of the caller.

        :param items: list of ``{topic, gid, source, updated_at=None, priority=None}``,
            source being ``webhook``, ``poll``, ``manual``, ``retry`` or ``history``; lower
            priority first
        :return: number of events added
        """
        if not items:
            return 0
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_webhook_event (
                    backend_id, topic, resource_gid, source, updated_at, priority, state,
                    attempts, received_at, next_attempt_at)
                SELECT %s, t.*, 'pending', 0, clock_timestamp() AT TIME ZONE 'utc',
                    clock_timestamp() AT TIME ZONE 'utc'
                FROM unnest(%s::varchar[], %s::varchar[], %s::varchar[], %s::timestamp[],
                    %s::int[]) AS t
                """,
                backend.id,
                [item["topic"] for item in items],
                [item["gid"] for item in items],
                [item["source"] for item in items],
                [item.get("updated_at") for item in items],
                [item.get("priority") or 10 for item in items],
            )
        )
        return self.env.cr.rowcount

    # === STARTING DRAINS === #

    def _trigger(self, backend, delay=0):
        """Enqueue one drain of the store, in ``delay`` seconds."""
        self._enqueue(backend, "drain", eta=_after(delay) if delay else None)

    def _kick(self, backend):
        """Somebody waits: drain now, even when the store was to be left alone for a while."""
        if backend._can_call():
            self._enqueue(backend, "drain:now", force=True, priority=5)

    def _enqueue(self, backend, key, force=False, **options):
        identity = f"shopify:{backend.id}:{key}"
        backend._delay(identity, **options)._job_drain_inbox(force=force)

    def _wake(self, backend_id):
        """See to it that a drain starts soon. Called once a delivery is committed.

        Drains are enqueued for whole seconds, because that is how precise a job's eta is.
        What is committed before it is seen by that drain; so only the first delivery after
        it has to look again. When a drain is overdue already (all job slots are taken), the
        deliveries of the next second rely on the one that follows a drain with work.
        """
        slot = (self.env.cr.dbname, backend_id)
        now = time.time()
        if now < _covered_until.get(slot, 0):
            return
        second = int(now) + 1
        if second - now < 0.2:
            second += 1
        _covered_until[slot] = second
        try:
            with self.env.registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                not_before, planned = env[self._name]._planned(backend_id)
                if not_before > now:
                    # The drain that paused, or the cron, goes on.
                    _covered_until[slot] = min(not_before, now + 5)
                elif planned > now:
                    _covered_until[slot] = min(second, planned)
                elif not planned:
                    backend = env["shopify.backend"].browse(backend_id)
                    env[self._name]._enqueue(backend, "drain", eta=_utc(second))
        except Exception:
            # The delivery is in the inbox: the cron sees to it when this fails.
            _logger.warning("No drain could be enqueued", exc_info=True)

    def _planned(self, backend_id):
        """:return: until when the store is left alone, and when its next drain is to start,
        both as epoch, 0 for not at all
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT extract(epoch FROM (
                        SELECT not_before FROM shopify_cursor
                        WHERE backend_id = %s AND topic = 'inbox')),
                    extract(epoch FROM (
                        SELECT min(coalesce(eta, date_created)) FROM queue_job
                        WHERE identity_key = %s AND state IN %s))
                """,
                backend_id,
                f"shopify:{backend_id}:drain",
                _OPEN_JOBS,
            )
        )
        return [float(moment or 0) for moment in self.env.cr.fetchone()]

    def _trigger_due(self):
        """Enqueue a drain for each store that has due events; those that are paused wait."""
        self._free_dead()
        self._retry_fixed_lately()
        self.env.cr.execute(
            SQL(
                """
                SELECT b.id FROM shopify_backend b
                LEFT JOIN shopify_cursor c ON c.backend_id = b.id AND c.topic = 'inbox'
                WHERE coalesce(c.not_before, '-infinity') <= clock_timestamp() AT TIME ZONE 'utc'
                    AND EXISTS (
                        SELECT 1 FROM shopify_webhook_event e
                        WHERE e.backend_id = b.id AND e.state = 'pending'
                            AND e.next_attempt_at <= clock_timestamp() AT TIME ZONE 'utc'
                            AND coalesce(e.lease_until, '-infinity')
                                <= clock_timestamp() AT TIME ZONE 'utc')
                """
            )
        )
        ids = [backend_id for (backend_id,) in self.env.cr.fetchall()]
        for backend in self.env["shopify.backend"].browse(ids):
            if backend._can_call():
                self._trigger(backend)

    # === DRAINING === #

    def _drain(self, backend, limit=DRAIN_LIMIT, force=False):
        """Process the events that are due.

        :param limit: at most so many resources
        :param force: also while the store is left alone because it did not answer
        :return: a sentence for the job
        """
        backend.ensure_one()
        # What a job needs to reach its store is not for its user to read.
        backend = backend.sudo()
        if not backend._can_call():
            return self.env._("The store is not connected: events wait.")
        claim = self._claim(backend, limit, force=force)
        if claim.paused_for:
            self._enqueue(backend, "drain:later", eta=_after(claim.paused_for))
            return self.env._(
                "The store is left alone for %(seconds)s more seconds.",
                seconds=round(claim.paused_for),
            )
        if not claim.events:
            return self.env._("Nothing waits.")
        probed = claim.probes
        result = self._work(backend, claim)
        if result.pause:
            self._enqueue(backend, "drain:later", eta=_after(result.pause))
        elif not claim.more:
            # Later than any delivery that relies on this drain; see _wake.
            self._trigger(backend, delay=1.2)
        elif probed:
            self._trigger(backend)
        return str(result)

    def _drain_event(self, event):
        """Process the resource of one event, in a job of its own.

        :raises RetryableJobError: it failed for a passing reason again
        """
        backend, gid = event.sudo().backend_id, event.sudo().resource_gid
        if not backend._can_call():
            return self.env._("The store is not connected: the event waits.")
        claim = self._claim_gid(backend, gid)
        if not claim.events:
            return self.env._("Nothing to do: it was processed meanwhile.")
        result = self._work(backend, claim, alone=True)
        if gid in result.passing:
            raise RetryableJobError(result.passing[gid])
        if result.pause:
            self._enqueue(backend, "drain:later", eta=_after(result.pause))
        return str(result)

    # === RETENTION === #

    def _purge(self):
        """Delete old bodies and processed events, in batches.

        :return: number of rows, and whether there are more
        """
        done, more = 0, False
        for backend in self.env["shopify.backend"].with_context(active_test=False).search([]):
            for query in self._purge_queries(backend):
                self.env.cr.execute(query)
                done += self.env.cr.rowcount
                more = more or self.env.cr.rowcount >= PURGE_BATCH
        return done, more

    def _purge_queries(self, backend):
        now = fields.Datetime.now()
        bodies = now - timedelta(days=backend.payload_retention_days)
        yield SQL(
            """
            UPDATE shopify_webhook_event SET body = NULL WHERE id IN (
                SELECT id FROM shopify_webhook_event
                WHERE backend_id = %s AND body IS NOT NULL AND state != 'pending'
                    AND received_at < %s LIMIT %s)
            """,
            backend.id,
            bodies,
            PURGE_BATCH,
        )
        if backend.log_retention_days:
            yield SQL(
                """
                DELETE FROM shopify_webhook_event WHERE id IN (
                    SELECT id FROM shopify_webhook_event
                    WHERE backend_id = %s AND state != 'pending' AND received_at < %s
                    LIMIT %s)
                """,
                backend.id,
                now - timedelta(days=backend.log_retention_days),
                PURGE_BATCH,
            )


def _after(seconds):
    """In whole seconds, as a job keeps its eta, and not before."""
    return _utc(int(time.time() + seconds) + 1)


def _utc(epoch):
    return datetime.fromtimestamp(epoch, timezone.utc).replace(tzinfo=None)
