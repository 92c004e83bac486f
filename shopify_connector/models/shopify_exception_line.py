from odoo import api, fields, models
from odoo.tools import SQL


class ShopifyExceptionLine(models.Model):
    """A record that waits for an exception to be fixed."""

    _name = "shopify.exception.line"
    _description = "Shopify Exception: Waiting Record"
    _log_access = False
    _order = "state desc, last_seen desc, id desc"

    exception_id = fields.Many2one(
        "shopify.exception", required=True, readonly=True, ondelete="cascade"
    )
    backend_id = fields.Many2one(
        "shopify.backend", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    gid = fields.Char(string="Shopify ID", required=True, readonly=True)
    name = fields.Char(string="Record", required=True, readonly=True)
    message = fields.Text(readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("released", "Tried again"),
            ("ignored", "Ignored"),
            ("done", "Went through"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    flow = fields.Char(
        required=True,
        readonly=True,
        default="import",
        help="What waits: going through ends the waiting of the same flow only.",
    )
    first_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    last_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    attempts = fields.Integer(default=1, required=True, readonly=True, aggregator=False)

    _exception_gid_uniq = models.UniqueIndex("(exception_id, gid)")
    _unfinished_idx = models.Index("(backend_id, gid) WHERE state IN ('waiting', 'released')")

    @api.model
    def _wait(self, backend, waiting, flow="import"):
        """Note who waits for what, and that the same flow waits for nothing else any more.

        :param waiting: ``{gid: (name, {exception id: message})}``
        """
        rows = [
            (exception_id, gid, name, message)
            for gid, (name, messages) in sorted(waiting.items())
            for exception_id, message in sorted(messages.items())
        ]
        if not rows:
            return
        exception_ids, gids, names, messages = map(list, zip(*rows, strict=True))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_exception_line AS l (
                    exception_id, backend_id, gid, name, message, state, flow, attempts,
                    first_seen, last_seen)
                SELECT t.exception_id, %(backend)s, t.gid, t.name, t.message, 'waiting',
                    %(flow)s, 1,
                    clock_timestamp() AT TIME ZONE 'utc', clock_timestamp() AT TIME ZONE 'utc'
                FROM unnest(%(exception_ids)s::int[], %(gids)s::varchar[],
                    %(names)s::varchar[], %(messages)s::text[])
                    AS t (exception_id, gid, name, message)
                ON CONFLICT (exception_id, gid) DO UPDATE SET
                    name = EXCLUDED.name, message = EXCLUDED.message, state = 'waiting',
                    flow = EXCLUDED.flow, attempts = l.attempts + 1, last_seen = EXCLUDED.last_seen
                """,
                backend=backend.id,
                flow=flow,
                exception_ids=exception_ids,
                gids=gids,
                names=names,
                messages=messages,
            )
        )
        kept = set(zip(exception_ids, gids, strict=True))
        self._clear(backend, list(waiting), keep=kept, flow=flow)
        self._count(exception_ids)

    @api.model
    def _clear(self, backend, gids, keep=(), flow="import"):
        """End the waiting of these in a flow, and close what nothing waits for any more.

        :param keep: pairs (exception id, gid) that still wait
        """
        if not gids:
            return
        keep_ids, keep_gids = map(list, zip(*keep, strict=True)) if keep else ([], [])
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_exception_line SET state = 'done'
                WHERE backend_id = %s AND gid = ANY(%s::varchar[])
                    AND flow = %s AND state IN ('waiting', 'released')
                    AND (exception_id, gid) NOT IN (
                        SELECT * FROM unnest(%s::int[], %s::varchar[]))
                RETURNING exception_id
                """,
                backend.id,
                gids,
                flow,
                keep_ids,
                keep_gids,
            )
        )
        touched = sorted({exception_id for (exception_id,) in self.env.cr.fetchall()})
        if touched:
            self._count(touched)

    @api.model
    def _count(self, exception_ids):
        """Count who waits, and close what nothing waits for any more."""
        # Locked first, so that the count sees what others add at the same time.
        self.env.cr.execute(
            SQL(
                "SELECT 1 FROM shopify_exception WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
                exception_ids,
            )
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_exception e SET waiting_count = l.waiting,
                    state = CASE WHEN e.state = 'open' AND l.unfinished = 0 THEN 'resolved'
                        ELSE e.state END,
                    closed_at = CASE WHEN e.state = 'open' AND l.unfinished = 0
                        THEN clock_timestamp() AT TIME ZONE 'utc' ELSE e.closed_at END
                FROM (
                    SELECT exception_id,
                        count(*) FILTER (WHERE state = 'waiting') AS waiting,
                        count(*) FILTER (WHERE state IN ('waiting', 'released')) AS unfinished
                    FROM shopify_exception_line WHERE exception_id = ANY(%s)
                    GROUP BY exception_id) l
                WHERE e.id = l.exception_id
                """,
                exception_ids,
            )
        )
        self.invalidate_model()
        self.env["shopify.exception"].invalidate_model()

    def action_open_record(self):
        """Open what there is of the record in Odoo, else in Shopify's admin."""
        self.ensure_one()
        record = self.env["shopify.sync.log"]._find_record(self.backend_id, self.gid)
        if record:
            return record._get_records_action()
        return self.exception_id.action_open_in_shopify()
