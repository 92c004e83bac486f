from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..client.gid import parse

OUTCOMES = [
    ("created", "Created"),
    ("updated", "Updated"),
    ("unchanged", "Unchanged"),
    ("skipped", "Skipped"),
    ("deleted", "Deleted"),
    ("blocked", "Needs a decision"),
    ("retry", "Tried again later"),
    ("failed", "Failed"),
]
# Where to look for the record that stands for a resource: model of the binding, its link.
BINDINGS = {
    "Order": ("shopify.order", "sale_order_id"),
    "Product": ("shopify.product", "product_tmpl_id"),
    "Customer": ("shopify.customer", "partner_id"),
}
PURGE_BATCH = 10_000


class ShopifySyncLog(models.Model):
    """One line per record and attempt. Written by plain SQL, never changed."""

    _name = "shopify.sync.log"
    _description = "Shopify Sync Log"
    _log_access = False
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    direction = fields.Selection(
        [("in", "From Shopify"), ("out", "To Shopify")], required=True, readonly=True
    )
    name = fields.Char(string="Record", readonly=True)
    gid = fields.Char(string="Shopify ID", readonly=True, index="btree_not_null")
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(string="Record ID", model_field="res_model", readonly=True)
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True)
    message = fields.Char(readonly=True)
    duration_ms = fields.Integer(
        string="Duration (ms)",
        readonly=True,
        aggregator="avg",
        help="Of a record that went through in a batch: its share of the batch.",
    )
    request_id = fields.Char(
        string="Request ID", readonly=True, help="Tell it to Shopify's support."
    )
    job_uuid = fields.Char(string="Job", readonly=True)

    _date_idx = models.Index("(date)")

    @api.model
    def _log(self, backend, rows):
        """Add lines in one INSERT.

        :param rows: list of ``{direction, res_model, res_id, name, gid, outcome,
            message, duration_ms, request_id, job_uuid}``; only ``direction`` ('in' or
            'out') and ``outcome`` are needed
        """
        columns = (
            ("direction", "varchar"),
            ("outcome", "varchar"),
            ("res_model", "varchar"),
            ("res_id", "int"),
            ("name", "varchar"),
            ("gid", "varchar"),
            ("message", "varchar"),
            ("duration_ms", "int"),
            ("request_id", "varchar"),
            ("job_uuid", "varchar"),
        )
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                "INSERT INTO shopify_sync_log (backend_id, date, %s)"
                " SELECT %s, clock_timestamp() AT TIME ZONE 'utc', t.* FROM unnest(%s) t",
                SQL(", ").join(SQL.identifier(name) for name, _type in columns),
                backend.id,
                SQL(", ").join(
                    SQL(
                        "%s::%s[]",
                        [_plain(row.get(name)) for row in rows],
                        SQL(pg_type),  # pylint: disable=sql-injection
                    )
                    for name, pg_type in columns
                ),
            )
        )

    @api.model
    def _find_record(self, backend, gid):
        """The Odoo record that stands for a Shopify resource, or its binding, or nothing."""
        try:
            model, link = BINDINGS[parse(gid or "")[0]]
        except (KeyError, ValueError):
            return None
        binding = self.env[model].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "=", gid)], limit=1
        )
        return (binding[link] or binding) if binding else None

    @api.model
    def _binding_names(self, backends, gids):
        """Names of the bindings of Shopify resources: ``{(store id, gid): name}``, in one query per
        type of resource."""
        by_type = defaultdict(list)
        for gid in gids:
            try:
                by_type[parse(gid or "")[0]].append(gid)
            except ValueError:
                continue
        names = {}
        for kind in by_type.keys() & BINDINGS.keys():
            bindings = self.env[BINDINGS[kind][0]].search(
                [("backend_id", "in", backends.ids), ("shopify_gid", "in", by_type[kind])]
            )
            for binding in bindings:
                names[binding.backend_id.id, binding.shopify_gid] = binding.display_name
        return names

    def action_open_record(self):
        """Open the record that this line is about."""
        self.ensure_one()
        if self.res_model in self.env and self.res_id:
            record = self.env[self.res_model].browse(self.res_id).exists()
        else:
            record = self._find_record(self.backend_id, self.gid)
        return record._get_records_action() if record else False

    def action_open_job(self):
        """Open the job that wrote this line."""
        self.ensure_one()
        job = self.env["queue.job"].search([("uuid", "=", self.job_uuid)], limit=1)
        return job._get_records_action() if job else False

    @api.autovacuum
    def _gc_logs(self):
        """Delete lines that are older than each store keeps them, in batches."""
        removed = 0
        for backend in self.env["shopify.backend"].with_context(active_test=False).search([]):
            if not backend.log_retention_days:
                continue
            limit = fields.Datetime.now() - timedelta(days=backend.log_retention_days)
            self.env.cr.execute(
                SQL(
                    "DELETE FROM shopify_sync_log WHERE id IN (SELECT id FROM"
                    " shopify_sync_log WHERE backend_id = %s AND date < %s LIMIT %s)",
                    backend.id,
                    limit,
                    PURGE_BATCH,
                )
            )
            removed += self.env.cr.rowcount
        return removed, removed >= PURGE_BATCH


def _plain(value):
    return value or None
