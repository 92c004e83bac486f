from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import SQL

from .outcome import Block

STALLED = timedelta(minutes=5)
ALERT_INTERVAL = timedelta(hours=1)


class ShopifyWatchdog(models.AbstractModel):
    """Looks after the inbox from a cron, because the job queue may be what is dead."""

    _name = "shopify.watchdog"
    _description = "Shopify Watchdog"

    def _watch(self):
        """Find stores whose events wait although they are due, and tell of new exceptions."""
        for backend in self.env["shopify.backend"].search([]):
            if backend._can_call():
                self._check_queue(backend)
            self._alert(backend)

    def _check_queue(self, backend):
        if self._stalled(backend):
            oldest, count = self._waiting(backend)
            block = Block(
                category="configuration",
                key="queue",
                title=self.env._("Events of %(store)s wait, but no job runs", store=backend.name),
                message=self.env._(
                    "%(count)s events wait, the oldest since %(oldest)s (UTC), and no job has"
                    " worked on them for five minutes.",
                    count=count,
                    oldest=oldest,
                ),
                remedy=self.env._(
                    "Ask your administrator to restart Odoo and to check the job runner:"
                    " server_wide_modules contains queue_job, workers are at least 2, and the"
                    " channels of [queue_job] leave room for root.shopify. Nothing is lost:"
                    " what waits is processed as soon as jobs run."
                ),
            )
            self.env["shopify.exception"]._report(backend, {False: (backend.name, [block])})
        else:
            self.env["shopify.exception"]._resolve_now(backend, "configuration", ["queue"])

    def _stalled(self, backend):
        self.env.cr.execute(
            SQL(
                """
                SELECT EXISTS (
                    SELECT 1 FROM shopify_webhook_event
                    WHERE backend_id = %(backend)s AND state = 'pending'
                        AND next_attempt_at < %(limit)s
                        AND coalesce(lease_until, '-infinity') < %(limit)s
                ) AND NOT EXISTS (
                    SELECT 1 FROM shopify_cursor
                    WHERE backend_id = %(backend)s AND topic = 'inbox'
                        AND (polled_at >= %(limit)s OR not_before >= %(limit)s))
                """,
                backend=backend.id,
                limit=fields.Datetime.now() - STALLED,
            )
        )
        return self.env.cr.fetchone()[0]

    def _waiting(self, backend):
        self.env.cr.execute(
            SQL(
                "SELECT min(received_at), count(*) FROM shopify_webhook_event"
                " WHERE backend_id = %s AND state = 'pending'",
                backend.id,
            )
        )
        oldest, count = self.env.cr.fetchone()
        return fields.Datetime.to_string(oldest), count

    # === ALERTS === #

    def _alert(self, backend):
        """One message on all exceptions that nobody was told of, at most once an hour."""
        now = fields.Datetime.now()
        Cursor = self.env["shopify.cursor"]
        cursor = Cursor.search([("backend_id", "=", backend.id), ("topic", "=", "alerts")])
        if cursor.alerted_at and cursor.alerted_at > now - ALERT_INTERVAL:
            return
        fresh = self.env["shopify.exception"].search(
            [
                ("backend_id", "=", backend.id),
                ("state", "=", "open"),
                ("alerted_at", "=", False),
            ]
        )
        if not fresh:
            return
        self._tell(backend, fresh)
        fresh.write({"alerted_at": now})
        if not cursor:
            cursor = Cursor.create({"backend_id": backend.id, "topic": "alerts"})
        cursor.alerted_at = now

    def _tell(self, backend, exceptions):
        users = backend.alert_user_ids or self._managers(backend)
        lines = Markup("").join(
            Markup("<li>%s</li>")
            % self.env._(
                "%(what)s: %(waiting)s records wait",
                what=exception.name,
                waiting=exception.waiting_count,
            )
            for exception in exceptions[:20]
        )
        intro = self.env._("These need a decision; the list says what to do:")
        body = Markup("<p>%s</p><ul>%s</ul>") % (intro, lines)
        link = f"/odoo/action-shopify_connector.action_shopify_exception/{exceptions[0].id}"
        body += Markup('<p><a href="%s">%s</a></p>') % (link, self.env._("Open the exceptions"))
        backend.message_notify(
            partner_ids=users.partner_id.ids,
            subject=self.env._(
                "%(store)s: %(count)s new exceptions", store=backend.name, count=len(exceptions)
            ),
            body=body,
        )

    def _managers(self, backend):
        group = self.env.ref("shopify_connector.group_manager")
        return group.all_user_ids.filtered(
            lambda user: backend.company_id in user.company_ids and not user.share
        )
