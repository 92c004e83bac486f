import logging

from odoo import api, fields, models
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

REASONS = [
    ("stock", "Stock moved"),
    ("reservation", "Reserved or released"),
    ("plan", "Incoming or outgoing goods changed"),
    ("order", "Order changed"),
    ("kit", "Bill of materials changed"),
    ("link", "Variant linked"),
    ("setting", "Setting changed"),
    ("check", "Full check"),
    ("again", "Looked at again"),
    ("manual", "By hand"),
]


class UncheckedMany2one(fields.Many2one):
    """A many2one without a foreign key.

    The check of a foreign key locks the row that it refers to. When somebody has written that row
    since a transaction began, the lock fails with a serialization error: a user who moves stock
    would have to wait for the connector, or start again.
    """

    def update_db_foreign_key(self, model, column):
        return


class ShopifyOutbox(models.Model):
    """What has changed in Odoo and waits to be told to Shopify.

    Users' transactions add rows and do nothing else: no unique index, no foreign key, no compute
    can make them wait. Rows go when what they ask for was done.
    """

    _name = "shopify.outbox"
    _description = "Shopify Outbox"
    _log_access = False
    _order = "id"

    backend_id = UncheckedMany2one("shopify.backend", string="Store", required=True, readonly=True)
    company_id = fields.Many2one(related="backend_id.company_id")
    kind = fields.Selection(
        [("stock", "Stock")], required=True, readonly=True, default="stock", string="What"
    )
    variant_id = UncheckedMany2one("shopify.variant", required=True, readonly=True)
    product_id = fields.Many2one(related="variant_id.product_id")
    reason = fields.Selection(REASONS, required=True, readonly=True, default="stock")
    created_at = fields.Datetime(
        string="Since", required=True, readonly=True, default=fields.Datetime.now
    )
    next_attempt_at = fields.Datetime(
        string="Next Attempt", required=True, readonly=True, default=fields.Datetime.now
    )
    attempts = fields.Integer(default=0, required=True, readonly=True, aggregator=False)
    message = fields.Char(string="Why It Waits", readonly=True)
    lease_token = fields.Char(readonly=True, help="The export that is at work on it.")
    lease_pid = fields.Integer(
        readonly=True, aggregator=False, help="Database process of that export."
    )
    lease_until = fields.Datetime(readonly=True, help="Afterwards another export takes it over.")

    _due_idx = models.Index("(backend_id, kind, id)")
    _variant_idx = models.Index("(backend_id, variant_id) WHERE lease_token IS NOT NULL")

    # === PUTTING IN === #

    @api.model
    def _put_products(self, product_ids, reason):
        """Note that the stock of products has changed, in the transaction of the caller.

        :return: ids of the stores that have to be told
        """
        return self._insert(
            SQL("v.product_id = ANY(%s) AND b.push_stock", sorted(product_ids)), reason
        )

    @api.model
    def _put_variants(self, variants, reason, delay=0):
        """Note that ``shopify.variant`` are to be looked at, in ``delay`` seconds."""
        return self._insert(SQL("v.id = ANY(%s) AND b.push_stock", variants.ids), reason, delay)

    @api.model
    def _put_all(self, backend, reason):
        """Note that all variants of a store are to be looked at."""
        return self._insert(SQL("v.backend_id = %s AND b.push_stock", backend.id), reason)

    def _insert(self, condition, reason, delay=0):
        self.env["shopify.variant"].flush_model(["product_id", "backend_id", "remote_deleted"])
        self.env["shopify.backend"].flush_model(["push_stock", "active"])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_outbox (
                    backend_id, kind, variant_id, reason, attempts, created_at, next_attempt_at)
                SELECT v.backend_id, 'stock', v.id, %s, 0,
                    clock_timestamp() AT TIME ZONE 'utc',
                    clock_timestamp() AT TIME ZONE 'utc' + make_interval(secs => %s)
                FROM shopify_variant v JOIN shopify_backend b ON b.id = v.backend_id
                WHERE b.active AND v.product_id IS NOT NULL AND NOT coalesce(
                    v.remote_deleted, false) AND %s
                RETURNING backend_id
                """,
                reason,
                delay,
                condition,
            )
        )
        backend_ids = sorted({backend_id for (backend_id,) in self.env.cr.fetchall()})
        if backend_ids and not delay:
            self._wake_after_commit(backend_ids)
        return backend_ids

    def _wake_after_commit(self, backend_ids):
        postcommit = self.env.cr.postcommit
        waiting = postcommit.data.setdefault("shopify.outbox.wake", set())
        if not waiting:
            registry = self.env.registry

            @postcommit.add
            def wake():
                try:
                    with registry.cursor() as cr:
                        exporter = api.Environment(cr, api.SUPERUSER_ID, {})[
                            "shopify.stock.exporter"
                        ]
                        for backend_id in sorted(waiting):
                            exporter._wake(backend_id)
                except Exception:
                    # The rows are committed: the cron sees to them when this fails.
                    _logger.warning("No export could be enqueued", exc_info=True)

        waiting.update(backend_ids)

    # === ACTIONS === #

    def action_push_now(self):
        """Look at these at once, whatever they wait for."""
        return self.variant_id.exists().action_push_stock()

    @api.model
    def _cron_push(self):
        """Net below the jobs: nothing that is due waits longer than a minute."""
        self.env["shopify.stock.exporter"]._trigger_due()
