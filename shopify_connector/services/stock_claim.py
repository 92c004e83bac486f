import logging
import secrets
import time
from dataclasses import dataclass, field

from odoo import models
from odoo.tools import SQL

from .inbox import _OPEN_JOBS, _after, _utc

_logger = logging.getLogger(__name__)

# An export that does not come to an end loses its rows after this time (seconds).
LEASE = 300
# Rows of the outbox that one export takes.
CLAIM_LIMIT = 5_000
_covered_until = {}


@dataclass
class StockClaim:
    """The variants that one export has for itself until its lease ends.

    :ivar reasons: ``{variant id: reason}`` of the latest row of each
    :ivar more: there was more than was asked for
    :ivar paused_for: seconds for which the store is to be left alone; nothing was claimed
    :ivar failures: how many exports in a row found before that the store does not answer
    """

    token: str
    pid: int
    reasons: dict = field(default_factory=dict)
    more: bool = False
    paused_for: float = 0.0
    failures: int = 0


class ShopifyStockExporter(models.AbstractModel):
    """From the outbox to Shopify, in batches.

    An export claims rows in a short transaction (this file), computes what the store should show
    in a fresh snapshot (`stock_plan.py`), writes down what it is about to send, sends it while
    no transaction is open (`stock_exporter.py`), and writes down what came of it
    (`stock_settle.py`). The transaction of its job stays idle, as in the inbox.
    """

    _name = "shopify.stock.exporter"
    _description = "Shopify Stock Exporter"

    # === STARTING EXPORTS === #

    def _trigger(self, backend, delay=0, key="stock"):
        """Enqueue one export of the store, in ``delay`` seconds."""
        options = {"eta": _after(delay)} if delay else {}
        backend._delay(f"shopify:{backend.id}:{key}", **options)._job_push_stock()

    def _kick(self, backend):
        """Somebody waits: export now, even when the store was to be left alone for a while."""
        if backend._can_call() and backend.sudo().push_stock:
            backend._delay(f"shopify:{backend.id}:stock:now", priority=5)._job_push_stock(
                force=True
            )

    def _wake(self, backend_id):
        """See to it that an export starts soon. Called once rows are committed, so that those of
        one second are exported together.
        """
        slot, now = (self.env.cr.dbname, backend_id), time.time()
        if now < _covered_until.get(slot, 0):
            return
        second = int(now) + 1
        if second - now < 0.2:
            second += 1
        _covered_until[slot] = second
        planned = self._planned(backend_id)
        if planned > now:
            _covered_until[slot] = min(second, planned)
        elif not planned:
            backend = self.env["shopify.backend"].browse(backend_id)
            backend._delay(f"shopify:{backend_id}:stock", eta=_utc(second))._job_push_stock()

    def _planned(self, backend_id):
        """:return: when the next export is to start, as epoch, 0 for not at all"""
        self.env.cr.execute(
            SQL(
                """
                SELECT extract(epoch FROM min(coalesce(eta, date_created))) FROM queue_job
                WHERE identity_key = %s AND state IN %s
                """,
                f"shopify:{backend_id}:stock",
                _OPEN_JOBS,
            )
        )
        return float(self.env.cr.fetchone()[0] or 0)

    def _trigger_due(self):
        """Enqueue an export for each store that has due rows; those that are paused wait."""
        self._free_dead()
        self.env.cr.execute(
            SQL(
                """
                SELECT b.id FROM shopify_backend b
                LEFT JOIN shopify_cursor c ON c.backend_id = b.id AND c.topic = 'stock'
                WHERE b.push_stock AND coalesce(c.not_before, '-infinity') <= %(now)s
                    AND EXISTS (
                        SELECT 1 FROM shopify_outbox o
                        WHERE o.backend_id = b.id AND o.kind = 'stock'
                            AND o.next_attempt_at <= %(now)s
                            AND coalesce(o.lease_until, '-infinity') <= %(now)s)
                """,
                now=_now(),
            )
        )
        ids = [backend_id for (backend_id,) in self.env.cr.fetchall()]
        for backend in self.env["shopify.backend"].browse(ids):
            if backend._can_call():
                self._trigger(backend)

    # === CLAIMING === #

    def _claim(self, backend, limit=CLAIM_LIMIT, force=False):
        """Take due rows; a variant that another export is at work on is left to it.

        :return: StockClaim, maybe empty
        """
        claim = StockClaim(token=secrets.token_hex(8), pid=self.env.cr.connection.get_backend_pid())
        with self.env["shopify.inbox"]._read_committed() as env:
            exporter = env[self._name]
            env.cr.execute(
                SQL(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    f"shopify.stock:{backend.id}",
                )
            )
            paused_for = exporter._note_run(backend.id, claim)
            if paused_for and not force:
                claim.paused_for = paused_for
                return claim
            exporter._take(backend.id, claim, limit, force)
        return claim

    def _note_run(self, backend_id, claim):
        """:return: seconds for which the store is still to be left alone"""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_cursor AS c (backend_id, topic, failures, polled_at)
                VALUES (%s, 'stock', 0, %s)
                ON CONFLICT (backend_id, topic) DO UPDATE SET polled_at = EXCLUDED.polled_at
                RETURNING greatest(0, extract(epoch FROM c.not_before - polled_at)), failures
                """,
                backend_id,
                _now(),
            )
        )
        paused_for, claim.failures = self.env.cr.fetchone()
        return float(paused_for or 0)

    def _take(self, backend_id, claim, limit, force):
        self.env.cr.execute(
            SQL(
                """
                WITH taken AS (
                    UPDATE shopify_outbox SET lease_token = %(token)s, lease_pid = %(pid)s,
                        lease_until = %(now)s + make_interval(secs => %(lease)s),
                        attempts = attempts + 1
                    WHERE id IN (
                        SELECT id FROM shopify_outbox o
                        WHERE backend_id = %(backend)s AND kind = 'stock'
                            AND (next_attempt_at <= %(now)s OR %(force)s)
                            AND coalesce(lease_until, '-infinity') <= %(now)s
                            AND NOT EXISTS (
                                SELECT 1 FROM shopify_outbox busy
                                WHERE busy.backend_id = %(backend)s
                                    AND busy.variant_id = o.variant_id
                                    AND busy.lease_token IS NOT NULL
                                    AND busy.lease_until > %(now)s)
                        ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
                    RETURNING id, variant_id, reason)
                SELECT variant_id, (array_agg(reason ORDER BY id DESC))[1], count(*)
                FROM taken GROUP BY variant_id ORDER BY variant_id
                """,
                token=claim.token,
                pid=claim.pid,
                now=_now(),
                lease=LEASE,
                backend=backend_id,
                force=force,
                limit=limit,
            )
        )
        rows = self.env.cr.fetchall()
        claim.reasons = {variant_id: reason for variant_id, reason, _count in rows}
        claim.more = sum(count for _id, _reason, count in rows) >= limit

    # === LEASES === #

    def _free_dead(self):
        """Take rows from exports whose worker was killed, before their leases end."""
        with self.env["shopify.inbox"]._read_committed() as env:
            env.cr.execute(
                """
                UPDATE shopify_outbox SET lease_token = NULL, lease_until = NULL
                WHERE lease_token IS NOT NULL
                    AND lease_pid NOT IN (SELECT pid FROM pg_stat_activity)
                """
            )
            if env.cr.rowcount:
                _logger.warning("%s rows of killed exports are free again", env.cr.rowcount)

    def _finish(self, claim, variant_ids):
        """These were told to Shopify. Rows that came meanwhile stay."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM shopify_outbox WHERE lease_token = %s AND variant_id = ANY(%s)",
                claim.token,
                list(variant_ids),
            )
        )

    def _release(self, claim, variant_ids, delay, message=None):
        """Give rows back, to be due again in ``delay`` seconds; doubles go."""
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM shopify_outbox o USING shopify_outbox younger
                WHERE o.lease_token = %(token)s AND o.variant_id = ANY(%(variants)s)
                    AND younger.lease_token = %(token)s
                    AND younger.variant_id = o.variant_id AND younger.id > o.id
                """,
                token=claim.token,
                variants=list(variant_ids),
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_outbox SET lease_token = NULL, lease_until = NULL, message = %s,
                    next_attempt_at = %s + make_interval(secs => %s)
                WHERE lease_token = %s AND variant_id = ANY(%s)
                """,
                message,
                _now(),
                delay,
                claim.token,
                list(variant_ids),
            )
        )

    def _set_pause(self, backend_id, seconds, failures):
        """Leave a store alone for a while; 0 seconds end that."""
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_cursor SET failures = %s, not_before = CASE WHEN %s > 0
                    THEN %s + make_interval(secs => %s) END
                WHERE backend_id = %s AND topic = 'stock'
                """,
                failures,
                seconds,
                _now(),
                seconds,
                backend_id,
            )
        )


def _now():
    return SQL("clock_timestamp() AT TIME ZONE 'utc'")
