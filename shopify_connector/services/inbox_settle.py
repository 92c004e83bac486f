import logging
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from .inbox_claim import LeaseLost
from .inbox_verdict import Verdict, label
from .outcome import Block

_logger = logging.getLogger(__name__)

# The drain's own attempt, and three in a job of its own: after 1, 4 and 16 s.
MAX_ATTEMPTS = 4
FIRST_RETRY = 1
# A cause is marked as solved when its transaction says so, which others see when it commits.
COMMIT_LAG = timedelta(minutes=5)
# How far back the cron looks for exceptions whose cause was solved as they were written.
LATELY = timedelta(minutes=10)
# When the job of a resource dies, a drain takes it over after this time.
RETRY_NET = 60


class ShopifyInbox(models.AbstractModel):
    """What did not go through: exceptions, retries, and who waits no longer.

    In a READ COMMITTED transaction after that of the records. Drains that meet the same cause
    write the same exception, which under snapshot isolation makes one of them start all over.
    When a worker dies in between, the events are still claimed: their lease ends, and they
    are processed again.
    """

    _inherit = "shopify.inbox"

    def _settle(self, backend, batch, verdicts, result):
        """Write down what did not go through.

        :param verdicts: ``{gid: Verdict}`` of all resources
        :param result: Result, completed here
        """
        claim = batch.claim
        self._give_up(claim, verdicts)
        for verdict in verdicts.values():
            verdict.request_id = verdict.request_id or batch.request_id
        of = {
            kind: {gid: verdict for gid, verdict in verdicts.items() if verdict.kind == kind}
            for kind in ("done", "blocked", "failed", "passing", "busy")
        }
        try:
            with self._read_committed() as env:
                inbox = env[self._name]
                inbox._settle_closed(backend, batch, of["blocked"] | of["failed"])
                inbox._settle_passing(backend, batch, of["passing"])
                if of["busy"]:
                    inbox._release_events(claim, list(of["busy"]), 2)
                env["shopify.exception"]._clear_waiting(backend, of["done"])
        except LeaseLost:
            _logger.info("The lease of a drain lapsed; another one took over")
            return
        for verdict in verdicts.values():
            result.counts[verdict.outcome] += 1
        result.passing.update({gid: verdict.message for gid, verdict in of["passing"].items()})

    def _give_up(self, claim, verdicts):
        """What failed for a passing reason too often has failed."""
        for gid, verdict in verdicts.items():
            attempts = max(event.attempts for event in claim.events[gid])
            if verdict.kind == "passing" and attempts >= MAX_ATTEMPTS:
                verdict.kind = verdict.outcome = "failed"

    def _settle_closed(self, backend, batch, verdicts):
        """Report what needs a person; its events are closed."""
        if not verdicts:
            return
        causes, details = {}, {}
        for gid, verdict in verdicts.items():
            name = label(gid, batch.nodes.get(gid))
            causes[gid] = (name, verdict.blocks or [self._failure(gid, name, verdict)])
            details[gid] = verdict.details
        exceptions = self.env["shopify.exception"]._report(backend, causes, details)
        self._finish_events(
            batch.claim,
            {gid: (verdict.state, verdict.message) for gid, verdict in verdicts.items()},
        )
        self._log_verdicts(backend, verdicts, batch.nodes)
        self._retry_fixed_meanwhile(exceptions, batch.claim.at)

    def _failure(self, gid, name, verdict: Verdict):
        return Block(
            category=verdict.category,
            key=gid,
            title=self.env._("%(record)s could not be processed", record=name),
            message=verdict.message,
            remedy=self.env._(
                "Correct what the message names, then press Retry. If it is not clear what that"
                " is, send the technical details to whoever maintains the connector."
            ),
        )

    def _retry_fixed_meanwhile(self, exceptions, since):
        """Somebody solved the cause while we met it still: process again, once."""
        self.env.cr.execute(
            SQL(
                """
                SELECT e.id FROM shopify_exception e JOIN shopify_exception solved
                    ON solved.backend_id = e.backend_id AND solved.category = e.category
                    AND solved.key = e.key AND solved.state = 'resolved'
                    AND solved.closed_by_id IS NULL AND solved.closed_at >= %s
                WHERE e.id = ANY(%s) AND e.occurrences = 1
                """,
                (since - COMMIT_LAG).replace(microsecond=0),
                exceptions.ids,
            )
        )
        fixed = exceptions.browse(exception_id for (exception_id,) in self.env.cr.fetchall())
        if fixed:
            fixed._release()

    def _retry_fixed_lately(self):
        """The net: solved between the look of a drain and the commit of what it saw."""
        since = fields.Datetime.now() - LATELY
        Exceptions = self.env["shopify.exception"].sudo()
        lately = Exceptions.search([("state", "=", "open"), ("create_date", ">=", since)])
        self._retry_fixed_meanwhile(lately, since)

    def _settle_passing(self, backend, batch, verdicts):
        """Try again soon, each in a job of its own."""
        if not verdicts:
            return
        for gid, verdict in verdicts.items():
            self._release_events(
                batch.claim, [gid], RETRY_NET, count=True, message=verdict.message or None
            )
        self._log_verdicts(backend, verdicts, batch.nodes)
        if batch.alone:
            return
        user, company = backend.sudo().user_id, backend.sudo().company_id
        events = self.env["shopify.webhook.event"].with_user(user).with_company(company)
        for gid in verdicts:
            event = events.browse(batch.claim.events[gid][-1].id)
            event.with_delay(
                identity_key=f"shopify:{backend.id}:{gid}", eta=FIRST_RETRY
            )._job_process()
