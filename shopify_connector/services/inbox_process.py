import logging
import random
import time
import traceback

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..client.errors import (
    AuthError,
    ScopeError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
)
from ..client.gid import parse
from .inbox_claim import LeaseLost
from .inbox_verdict import Batch, Result, Verdict, describe, label
from .outcome import Block

_logger = logging.getLogger(__name__)

# Transactions that collide with others are started again this often.
TRANSACTIONS = 3
MAX_PAUSE = 300
# A person has to act before it is worth asking again.
LONG_PAUSE = 600
# Drains in a row without an answer, before people are told.
FAILURES_TO_REPORT = 5


class ShopifyInbox(models.AbstractModel):
    """Working on a claim: read it from Shopify, then process it in a fresh transaction."""

    _inherit = "shopify.inbox"

    def _work(self, backend, claim, alone=False):
        """Read and process what was claimed.

        :param alone: this is a resource in a job of its own, so none is to be enqueued
        :return: Result
        """
        result = Result()
        rest = list(claim.events)
        for kind, model in self._handlers().items():
            gids = [gid for gid in rest if _kind(gid) == kind]
            if gids:
                rest = [gid for gid in rest if gid not in set(gids)]
                self._work_with(backend, Batch(claim, model, gids, alone), result)
        if rest:
            self._work_on_notices(backend, claim, rest, result)
        return result

    def _work_with(self, backend, batch, result):
        claim, gids = batch.claim, batch.gids
        verdicts = {}
        if not result.pause:
            try:
                client = self.env["shopify.client.factory"]._client(backend)
                batch.nodes, faults, verdicts = self._fetch_all(backend, client, batch.model, gids)
                batch.request_id = client.last_request_id
            except (TransientError, AuthError, ShopUnavailableError, UserError) as error:
                self._pause(backend, claim, error, result)
            except ScopeError as error:
                self._wait_for_scope(backend, batch, error, result)
                return
        if result.pause:
            with self._read_committed() as env:
                env[self._name]._release_events(claim, gids, 0)
            return
        self._note_answer(backend, claim)
        context = {
            "faults": faults,
            "topics": {gid: [event.topic for event in claim.events[gid]] for gid in gids},
            "sources": {gid: {event.source for event in claim.events[gid]} for gid in gids},
        }
        try:
            verdicts |= self._process(backend, batch, context)
        except LeaseLost:
            _logger.info("The lease of a drain lapsed; another one took over")
            return
        self._settle(backend, batch, verdicts, result)

    # === READING === #

    def _fetch_all(self, backend, client, model, gids):
        """Read the resources; what the store can't tell now is left to another time.

        :return: ``{gid: node or None}``, faults, ``{gid: Verdict}`` of those that failed
        :raises ShopifyError: nothing can be read from the store at present
        """
        try:
            nodes, faults = self.env[model]._fetch(backend, client, gids)
        except (TransientError, AuthError, ScopeError, ShopUnavailableError):
            raise
        except Exception as error:
            if len(gids) == 1:
                return {}, (), {gids[0]: Verdict.of_error(error, traceback.format_exc())}
            _logger.info("Reading %s resources failed, now one by one", len(gids), exc_info=True)
            return self._fetch_each(backend, client, model, gids)
        missing = [gid for gid in gids if gid not in nodes]
        return nodes, faults, {gid: _unread(gid, faults) for gid in missing}

    def _fetch_each(self, backend, client, model, gids):
        nodes, faults, verdicts = {}, [], {}
        for gid in gids:
            some, their_faults, failed = self._fetch_all(backend, client, model, [gid])
            nodes |= some
            verdicts |= failed
            faults += their_faults
        return nodes, tuple(faults), verdicts

    def _pause(self, backend, claim, error, result):
        """The store can't be asked now: leave it alone for a while, the longer the more
        often that was in vain.
        """
        failures = claim.failures + 1
        block = None
        if isinstance(error, ThrottledError):
            failures, seconds = claim.failures, max(error.retry_after, 0.5)
        elif isinstance(error, TransientError):
            seconds = max(
                error.retry_after or 0,
                min(2**failures, MAX_PAUSE) * random.uniform(0.8, 1.2),
            )
            if failures >= FAILURES_TO_REPORT:
                block = self._store_block(backend, "remote", "unreachable", error)
        else:
            seconds = LONG_PAUSE
            key, category = getattr(error, "reason", None), "credentials"
            if isinstance(error, ShopUnavailableError):
                key, category = "unavailable", "remote"
            block = self._store_block(backend, category, key or "client", error)
        with self._read_committed() as env:
            env[self._name]._set_pause(backend.id, seconds, failures)
            if block:
                env["shopify.exception"]._report(backend, {False: (backend.name, [block])})
        result.pause, result.pause_reason = seconds, describe(error)
        _logger.info("%s is left alone for %.0f s: %s", backend.name, seconds, error)

    def _store_block(self, backend, category, key, error):
        titles = {
            "remote": self.env._("%(store)s does not answer", store=backend.name),
            "credentials": self.env._("%(store)s does not let Odoo in", store=backend.name),
            "scope": self.env._("%(store)s withholds data", store=backend.name),
        }
        return Block(
            category=category,
            key=key,
            title=titles[category],
            message=describe(error),
            remedy=self.env._(
                "Open the store and press Check Connection: it says what to do. What waits is"
                " processed as soon as the store answers; nothing is lost."
            ),
            res_model="shopify.backend",
            res_id=backend.id,
        )

    def _wait_for_scope(self, backend, batch, error, result):
        key = ",".join(error.scopes) or error.path or "unknown"
        block = self._store_block(backend, "scope", key, error)
        with self._read_committed() as env:
            inbox = env[self._name]
            inbox._release_events(batch.claim, batch.gids, LONG_PAUSE, message=describe(error))
            env["shopify.exception"]._report(
                backend, {gid: (label(gid, None), [block]) for gid in batch.gids}
            )
        result.counts["blocked"] += len(batch.gids)

    def _note_answer(self, backend, claim):
        """The store answers (again)."""
        if not claim.failures:
            return
        claim.failures = 0
        with self._read_committed() as env:
            env[self._name]._set_pause(backend.id, 0, 0)
            env["shopify.exception"].search(
                [
                    ("backend_id", "=", backend.id),
                    ("category", "in", ("remote", "credentials")),
                    ("state", "=", "open"),
                    ("line_ids", "=", False),
                ]
            )._close("resolved")

    # === PROCESSING === #

    def _process(self, backend, batch, context):
        """Process in a transaction of its own, whose snapshot is younger than what was read.

        :return: ``{gid: Verdict}``
        :raises LeaseLost: another drain took over; nothing was written
        """
        nodes, model = batch.nodes, batch.model
        if not nodes:
            return {}
        for left in reversed(range(TRANSACTIONS)):
            try:
                with self.env.registry.cursor() as cr:
                    env = api.Environment(cr, self.env.uid, self.env.context, self.env.su)
                    inbox = env[self._name]
                    locked = inbox._try_lock(backend.id, list(nodes))
                    verdicts = inbox._run(
                        env["shopify.backend"].browse(backend.id)._as_integration_user(),
                        model,
                        {gid: node for gid, node in nodes.items() if gid in locked},
                        context,
                        again=bool(left),
                    )
                    inbox._record_done(backend, batch, verdicts)
                break
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
                _logger.info("Transaction of %s collided: %s", model, error)
                if not left:
                    verdicts = {}
            except LeaseLost:
                raise
            except Exception as error:
                if left and isinstance(error, psycopg2.errors.UniqueViolation):
                    _logger.info("A batch of %s met another drain: %s", model, error)
                    continue
                # It came from the end of the transaction, so of no resource in particular.
                _logger.exception("A batch of %s could not be committed", model)
                details = traceback.format_exc()
                verdicts = {
                    gid: Verdict("passing", "retry", describe(error), details=details)
                    for gid in nodes
                }
                break
        return {gid: verdicts.get(gid) or Verdict("busy", "retry") for gid in nodes}

    def _try_lock(self, backend_id, gids):
        """Lock resources against other flows until the end of the transaction.

        :return: those that nobody else has locked
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT gid FROM unnest(%s::varchar[]) AS gid
                WHERE pg_try_advisory_xact_lock(hashtextextended(%s || gid, 0))
                """,
                gids,
                f"shopify:{backend_id}:",
            )
        )
        return {gid for (gid,) in self.env.cr.fetchall()}

    def _run(self, backend, model, nodes, context, again=False):
        """The whole batch at once; when that fails, one by one.

        :param again: the caller will start anew, with a younger snapshot
        :return: ``{gid: Verdict}``
        :raises UniqueViolation: with ``again``; another drain has just made the same contact
            or tag, which this snapshot does not show
        """
        if len(nodes) > 1:
            try:
                return self._run_once(backend, model, nodes, context)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:
                if again and isinstance(error, psycopg2.errors.UniqueViolation):
                    raise
                _logger.info("A batch of %s failed, now one by one", len(nodes), exc_info=True)
        verdicts = {}
        for gid, node in nodes.items():
            try:
                verdicts |= self._run_once(backend, model, {gid: node}, context)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except psycopg2.errors.UniqueViolation as error:
                # Somebody else made the same record, which this snapshot does not show.
                verdicts[gid] = Verdict("passing", "retry", describe(error))
            except Exception as error:
                verdict = Verdict.of_error(error, traceback.format_exc())
                if verdict.kind == "failed" and not isinstance(error, UserError):
                    _logger.warning("%s failed", label(gid, node), exc_info=True)
                verdicts[gid] = verdict
        return verdicts

    def _run_once(self, backend, model, nodes, context):
        started = time.monotonic()
        with self.env.cr.savepoint():
            outcomes = backend.env[model]._process(backend, nodes, context)
            missing = nodes.keys() - outcomes.keys()
            if missing:
                raise ValueError(f"{model} gave no outcome for {sorted(missing)}")
        duration = round((time.monotonic() - started) * 1000 / max(len(nodes), 1))
        verdicts = {gid: Verdict.of(outcomes[gid]) for gid in nodes}
        for verdict in verdicts.values():
            verdict.duration_ms = duration
        return verdicts

    def _record_done(self, backend, batch, verdicts):
        """Events and log lines of what went through, in the transaction that wrote it."""
        done = {gid: verdict for gid, verdict in verdicts.items() if verdict.kind == "done"}
        for verdict in done.values():
            verdict.request_id = batch.request_id
        self._finish_events(
            batch.claim,
            {gid: (verdict.state, verdict.message or None) for gid, verdict in done.items()},
        )
        self._log_verdicts(backend, done, batch.nodes)

    def _log_verdicts(self, backend, verdicts, nodes):
        self.env["shopify.sync.log"]._log(
            backend,
            [
                {
                    "direction": "in",
                    "res_model": verdict.record[0],
                    "res_id": verdict.record[1],
                    "name": label(gid, nodes.get(gid)),
                    "gid": gid,
                    "outcome": verdict.outcome,
                    "message": verdict.message,
                    "duration_ms": verdict.duration_ms,
                    "request_id": verdict.request_id,
                    "job_uuid": self.env.context.get("job_uuid"),
                }
                for gid, verdict in verdicts.items()
            ],
        )


def _kind(gid):
    try:
        return parse(gid)[0]
    except ValueError:
        return None


def _unread(gid, faults):
    """Verdict on a resource that the store did not tell."""
    own = [fault for fault in faults if fault.gid == gid]
    message = "; ".join(fault.message for fault in own) or "Shopify did not answer for it"
    if own and not any(fault.transient for fault in own):
        return Verdict("failed", "failed", message)
    return Verdict("passing", "retry", message)
