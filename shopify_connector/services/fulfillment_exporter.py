from __future__ import annotations

import logging
import secrets
import time
import traceback

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..client.errors import (
    AuthError,
    ScopeError,
    ShopifyError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
)
from ..mappers.fulfillment import OrderState, map_order_state
from .fulfillment_steps import Call, Claim, Run
from .inbox import _after
from .inbox_verdict import describe, label

_logger = logging.getLogger(__name__)

FLOW = "fulfillment"
# Orders that one job takes; the client reads as many of them at once as their cost allows.
ORDERS = 25
# A job that does not come to an end loses its rows after this time (seconds). When its worker
# was killed, that is noticed within a minute.
LEASE = 300
# After an answer got lost, Shopify may still be at work on it: look later (seconds).
UNSURE = 20
MAX_PAUSE = 3600
# After it, the others are told (seconds).
BREATH = 2
# A person has to act before it is worth asking again.
LONG_PAUSE = 600
MAX_ATTEMPTS = 8
# Move or release, create, and once more when something changed in between.
ROUNDS = 4
STORE_ERRORS = (TransientError, AuthError, ScopeError, ShopUnavailableError)
DOCUMENTS = {
    "create": "fulfillment_create",
    "tracking": "fulfillment_tracking_info_update",
    "cancel": "fulfillment_cancel",
    "move": "fulfillment_order_move",
    "release": "fulfillment_order_release_hold",
}
# Until when each (database, store) of this process has a job ahead that will see what is
# committed before.
_covered_until = {}


class PutOff(Exception):
    """The store can't be told any more now; the rest waits."""

    def __init__(self, error: ShopifyError) -> None:
        self.error = error
        super().__init__(str(error))


class ShopifyFulfillmentExporter(models.AbstractModel):
    """Tells stores of deliveries, tracking and cancellations, each exactly once.

    A job claims the rows of some orders, reads these orders from Shopify in one call, and lets
    ``shopify.fulfillment.planner`` decide what each row needs. What is going to be sent is noted
    and committed before it is sent. When an answer gets lost, the row is due again later, and the
    planner looks for what it left behind in Shopify before it sends anything.
    """

    _name = "shopify.fulfillment.exporter"
    _description = "Shopify Fulfilment Export"

    # === STARTING JOBS === #

    def _wake_after_commit(self, backends):
        """See to it that a job comes soon, once the caller's transaction is committed."""
        ids = backends.ids
        wake = self.env.cr.postcommit.data.setdefault("shopify.fulfillment.wake", set())
        if not wake:
            self.env.cr.postcommit.add(lambda: [self._wake(store) for store in sorted(wake)])
        wake.update(ids)

    def _wake(self, backend_id):
        slot, now = (self.env.cr.dbname, backend_id), time.time()
        if now < _covered_until.get(slot, 0):
            return
        eta = _after(0)
        _covered_until[slot] = int(now) + 1
        try:
            with self.env.registry.cursor() as cr:
                backend = api.Environment(cr, SUPERUSER_ID, {})["shopify.backend"]
                backend.browse(backend_id)._trigger_fulfillments(eta=eta)
        except Exception:
            # The rows are there: the cron sees to them when this fails.
            _logger.warning("No job for shipments could be enqueued", exc_info=True)

    def _trigger_due(self):
        """Enqueue a job for each store that has due shipments."""
        self._free_dead()
        self.env.cr.execute(
            """
            SELECT DISTINCT backend_id FROM shopify_fulfillment
            WHERE direction = 'out' AND state IN ('pending', 'sending', 'waiting')
                AND next_attempt_at <= clock_timestamp() AT TIME ZONE 'utc'
                AND coalesce(lease_until, '-infinity') <= clock_timestamp() AT TIME ZONE 'utc'
            """
        )
        ids = [backend_id for (backend_id,) in self.env.cr.fetchall()]
        for backend in self.env["shopify.backend"].browse(ids):
            backend._trigger_fulfillments()

    # === CLAIMING === #

    def _read_committed(self):
        return self.env["shopify.inbox"]._read_committed()

    def _claim(self, backend, limit):
        """Take all open rows of up to ``limit`` orders of which something is due.

        An order that another job is at work on is left to it.

        :return: Claim, maybe empty
        """
        claim = Claim(secrets.token_hex(8), self.env.cr.connection.get_backend_pid())
        with self._read_committed() as env:
            env.cr.execute(
                SQL(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                    f"shopify.fulfillment:{backend.id}",
                )
            )
            orders = self._due_orders(env.cr, backend.id, limit + 1)
            claim.more = len(orders) > limit
            self._take(env.cr, claim, orders[:limit])
        return claim

    def _due_orders(self, cr, backend_id, limit):
        cr.execute(
            SQL(
                """
                SELECT order_id FROM shopify_fulfillment f
                WHERE backend_id = %s AND direction = 'out'
                    AND state IN ('pending', 'sending', 'waiting')
                    AND next_attempt_at <= clock_timestamp() AT TIME ZONE 'utc'
                    AND NOT EXISTS (
                        SELECT 1 FROM shopify_fulfillment busy
                        WHERE busy.order_id = f.order_id
                            AND busy.lease_until > clock_timestamp() AT TIME ZONE 'utc')
                GROUP BY order_id ORDER BY min(next_attempt_at), min(id) LIMIT %s
                """,
                backend_id,
                limit,
            )
        )
        return [order_id for (order_id,) in cr.fetchall()]

    def _take(self, cr, claim, order_ids):
        if not order_ids:
            return
        cr.execute(
            SQL(
                """
                WITH taken AS (
                    UPDATE shopify_fulfillment SET lease_token = %s, lease_pid = %s,
                        lease_until = clock_timestamp() AT TIME ZONE 'utc'
                            + make_interval(secs => %s),
                        attempts = attempts + 1
                    WHERE order_id = ANY(%s) AND direction = 'out'
                        AND state IN ('pending', 'sending', 'waiting')
                    RETURNING id, order_id)
                SELECT taken.id, o.shopify_gid FROM taken
                JOIN shopify_order o ON o.id = taken.order_id
                ORDER BY array_position(%s, taken.order_id), taken.id
                """,
                claim.token,
                claim.pid,
                LEASE,
                order_ids,
                order_ids,
            )
        )
        for row_id, gid in cr.fetchall():
            claim.rows.setdefault(gid, []).append(row_id)

    def _free_dead(self):
        """Take rows from jobs whose worker was killed, before their leases end."""
        with self._read_committed() as env:
            env.cr.execute(
                """
                UPDATE shopify_fulfillment SET lease_token = NULL, lease_until = NULL
                WHERE lease_token IS NOT NULL
                    AND lease_pid NOT IN (SELECT pid FROM pg_stat_activity)
                """
            )

    def _release(self, claim, gids, delay=0, *, count=False):
        """Give the rows of these orders back, to be due again in ``delay`` seconds.

        Those that wait for a decision stay as they are.

        :param count: this was an attempt of theirs
        """
        if gids:
            with self._read_committed() as env:
                self._give_back(env.cr, claim, gids, delay, count=count)

    def _give_back(self, cr, claim, gids, delay=0, *, count=False):
        cr.execute(
            SQL(
                """
                UPDATE shopify_fulfillment f SET lease_token = NULL, lease_until = NULL,
                    attempts = greatest(attempts - %s, 0),
                    next_attempt_at = CASE WHEN state = 'waiting' THEN next_attempt_at
                        ELSE clock_timestamp() AT TIME ZONE 'utc'
                            + make_interval(secs => %s) END
                FROM shopify_order o
                WHERE o.id = f.order_id AND o.shopify_gid = ANY(%s::varchar[])
                    AND f.lease_token = %s AND f.state IN ('pending', 'sending', 'waiting')
                """,
                0 if count else 1,
                delay,
                list(gids),
                claim.token,
            )
        )

    # === WORKING === #

    def _drain(self, backend, limit=ORDERS):
        """Tell the store what is due.

        :return: a sentence for the job
        """
        backend.ensure_one()
        # What a job needs to reach its store is not for its user to read.
        backend = backend.sudo()
        if not backend._can_call():
            return self.env._("The store is not connected: shipments wait.")
        claim = self._claim(backend, limit)
        if not claim.rows:
            return self.env._("Nothing waits.")
        run = Run(backend, claim)
        pause = self._work(run)
        if pause:
            backend._trigger_fulfillments(eta=_after(pause))
        else:
            # What came meanwhile may have relied on this job.
            backend._trigger_fulfillments(eta=_after(0 if claim.more else 1))
        return ", ".join(f"{count} {what}" for what, count in sorted(run.counts.items())) or "-"

    def _work(self, run):
        """:return: seconds to leave the store alone"""
        backend, claim = run.backend, run.claim
        rest = list(claim.rows)
        try:
            run.client = self.env["shopify.client.factory"]._client(backend)
            states = self._read_all(run.client, rest)
            for gid in claim.rows:
                self._export_safely(run, gid, states)
                rest.remove(gid)
        except PutOff as stop:
            if isinstance(stop.error, TransientError) and stop.error.sent:
                pause = self._delay_of(claim, rest[0])
                self._release(claim, rest[:1], pause, count=True)
                self._release(claim, rest[1:])
                return BREATH
            return self._leave_alone(backend, claim, rest, stop.error)
        except (*STORE_ERRORS, UserError) as error:
            return self._leave_alone(backend, claim, rest, error)
        return 0

    def _read_all(self, client, gids):
        """The orders, as far as they can be read together; see :meth:`_read`."""
        try:
            return self._read(client, gids)
        except STORE_ERRORS:
            raise
        except ShopifyError:
            _logger.info("Reading %s orders failed, now one by one", len(gids), exc_info=True)
            return {}

    def _export_safely(self, run, gid, states):
        """One order; whatever is wrong with it holds up no other.

        :raises PutOff: the store does not answer any more
        """
        try:
            if gid not in states:
                states |= self._read(run.client, [gid])
            self._export(run, gid, states[gid])
        except (PutOff, *STORE_ERRORS):
            raise
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self._release(run.claim, [gid], 2)
        except Exception as error:
            _logger.info("Shipments of %s failed", gid, exc_info=True)
            with self._read_committed() as env:
                rows = env["shopify.fulfillment"].browse(run.claim.rows[gid]).exists()
                env["shopify.fulfillment.planner"]._fail(
                    rows, describe(error), traceback.format_exc()
                )
            self._release(run.claim, [gid])

    def _read(self, client, gids):
        """What Shopify waits for: ``{gid: OrderState, None when it is gone}``; orders that could
        not be read are left out.
        """
        nodes, _faults = client.nodes("order_fulfillment_orders", gids, chunk_size=len(gids))
        return {gid: node and map_order_state(node) for gid, node in nodes.items()}

    def _export(self, run, gid, state: OrderState | None):
        """Tell of all shipments of one order.

        :raises PutOff: the store does not answer any more
        """
        refused = {}
        for left in reversed(range(ROUNDS)):
            steps = self._decide(run, gid, state, refused, last=not left)
            refused, again = self._send(run, gid, steps)
            if not refused and not again:
                break
            try:
                state = self._read(run.client, [gid])[gid]
            except STORE_ERRORS as error:
                raise PutOff(error) from error
        self._close(run, gid)

    def _decide(self, run, gid, state, refused, *, last):
        """Find out what each row needs, and note it, in a transaction of its own.

        :return: list of Step
        """
        with self._read_committed() as env:
            planner = env["shopify.fulfillment.planner"]
            rows = env["shopify.fulfillment"].search(
                [
                    ("order_id.shopify_gid", "=", gid),
                    ("backend_id", "=", run.backend.id),
                    ("lease_token", "=", run.claim.token),
                ],
                order="id",
            )
            return planner._plan(rows, state, refused, last=last)

    def _send(self, run, gid, steps):
        """Make the calls, and note each answer at once.

        :return: ``({row id: message of those that Shopify refused}, whether to look again)``
        :raises PutOff: no answer came
        """
        refused, again = {}, False
        for step in steps:
            call = Call(gid, step)
            try:
                payload = run.client.mutate(DOCUMENTS[step.action], step.variables)
            except STORE_ERRORS as error:
                self._log_failure(run.backend, call.ended("retry", error))
                raise PutOff(error) from error
            except ShopifyError as error:
                # Refused, or the request or its answer is wrong: it has to be looked at.
                messages = [item.message for item in getattr(error, "errors", ())]
                refused[step.row_id] = "; ".join(messages) or describe(error)
                self._log_failure(run.backend, call.ended("failed", error))
                continue
            request_id = run.client.last_request_id
            outcome = "created" if step.action == "create" else "updated"
            with self._read_committed() as env:
                env["shopify.fulfillment.planner"]._record(step, payload, request_id)
                self._log(env, run.backend, call.ended(outcome, request_id=request_id))
            run.counts[step.action] += 1
            again = again or step.again
        return refused, again

    def _close(self, run, gid):
        """End the work on an order: report what waits, and give everything back."""
        with self._read_committed() as env:
            order = env["shopify.order"].search(
                [("backend_id", "=", run.backend.id), ("shopify_gid", "=", gid)]
            )
            waiting = env["shopify.fulfillment.planner"]._report(order)
            self._give_back(env.cr, run.claim, [gid])
        if waiting:
            run.counts["waiting"] += waiting

    # === WHEN IT DOES NOT WORK === #

    def _delay_of(self, claim, gid):
        """Seconds until an order whose answer got lost is looked at again; gives up in the end."""
        with self._read_committed() as env:
            rows = env["shopify.fulfillment"].browse(claim.rows[gid]).exists()
            attempts = max(rows.mapped("attempts"), default=1)
            if attempts >= MAX_ATTEMPTS:
                env["shopify.fulfillment.planner"]._give_up(rows)
        return min(UNSURE * 2 ** (attempts - 1), MAX_PAUSE)

    def _leave_alone(self, backend, claim, gids, error):
        """The store can't be asked at all now: nothing was attempted.

        :return: seconds
        """
        pause = UNSURE
        if isinstance(error, ThrottledError):
            pause = max(error.retry_after, 1)
        elif not isinstance(error, TransientError):
            pause = LONG_PAUSE
            category, key = "credentials", getattr(error, "reason", None) or "client"
            if isinstance(error, ScopeError):
                category, key = "scope", ",".join(error.scopes) or error.path or "unknown"
            elif isinstance(error, ShopUnavailableError):
                category, key = "remote", "unavailable"
            block = self.env["shopify.inbox"]._store_block(backend, category, key, error)
            with self._read_committed() as env:
                env["shopify.exception"]._report(
                    backend, {gid: (label(gid, None), [block]) for gid in gids}, flow=FLOW
                )
        self._release(claim, gids, pause)
        _logger.info("Shipments of %s wait %.0f s: %s", backend.name, pause, error)
        return pause

    def _log_failure(self, backend, call):
        with self._read_committed() as env:
            self._log(env, backend, call)

    def _log(self, env, backend, call):
        row = env["shopify.fulfillment"].browse(call.step.row_id)
        record = row.picking_id or row.order_id
        env["shopify.sync.log"]._log(
            backend,
            [
                {
                    "direction": "out",
                    "res_model": record._name,
                    "res_id": record.id,
                    "name": row.display_name,
                    "gid": call.gid,
                    "job_uuid": env.context.get("job_uuid"),
                    **call.figures,
                }
            ],
        )
