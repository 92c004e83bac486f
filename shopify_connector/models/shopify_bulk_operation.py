import secrets

from odoo import api, fields, models

from ..services.bulk_runner import PREFIX

STATES = [
    ("waiting", "Waits for Shopify"),
    ("running", "Shopify is at work"),
    ("reading", "Being read"),
    ("done", "Done"),
    ("failed", "Failed"),
    ("canceled", "Cancelled"),
]
ACTIVE = ("waiting", "running", "reading")


class ShopifyBulkOperation(models.Model):
    """An export that Shopify makes at leisure, and how far its file was read.

    ``services/bulk_runner.py`` takes it from state to state, a short job each.
    """

    _name = "shopify.bulk.operation"
    _description = "Shopify Export"
    _order = "id desc"
    _rec_name = "shopify_gid"

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    kind = fields.Selection(
        [("order_history", "Order history"), ("stock_levels", "Stock")],
        required=True,
        readonly=True,
        help="What is exported, and which service gets the lines.",
    )
    state = fields.Selection(STATES, default="waiting", required=True, readonly=True)
    shopify_gid = fields.Char(string="Shopify ID", readonly=True, copy=False)
    mark = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: f"odoo-{secrets.token_hex(8)}",
        help="Stands in the query, so that an export whose start was not answered is known again.",
    )
    status = fields.Char(string="Shopify's Status", readonly=True)
    object_count = fields.Integer(
        string="Objects", readonly=True, aggregator=False, help="Written by Shopify so far."
    )
    file_size = fields.Float(digits=(16, 0), readonly=True, aggregator=False)
    url = fields.Char(
        string="File", readonly=True, copy=False, groups="shopify_connector.group_manager"
    )
    # A double holds whole numbers beyond the 2 GB at which an integer of the database ends.
    position = fields.Float(
        string="Bytes Read", digits=(16, 0), readonly=True, copy=False, aggregator=False
    )
    line_count = fields.Integer(string="Lines Read", readonly=True, copy=False, aggregator=False)
    look_count = fields.Integer(readonly=True, copy=False, aggregator=False)
    failure_count = fields.Integer(
        string="Failures", readonly=True, copy=False, aggregator=False, help="In a row."
    )
    error = fields.Char(readonly=True, copy=False)
    user_id = fields.Many2one(
        "res.users", string="Started By", readonly=True, default=lambda self: self.env.user
    )
    started_at = fields.Datetime(string="Started", readonly=True, default=fields.Datetime.now)
    ended_at = fields.Datetime(string="Ended", readonly=True, copy=False)

    _gid_uniq = models.UniqueIndex(
        "(backend_id, shopify_gid) WHERE shopify_gid IS NOT NULL",
        "This export is known already.",
    )
    _mark_uniq = models.Constraint("UNIQUE (mark)", "Each export has a mark of its own.")
    _active_idx = models.Index("(id) WHERE state IN ('waiting', 'running', 'reading')")

    def _continue(self, delay=0):
        """Enqueue the next step, in ``delay`` seconds.

        What is due now has a key of its own: a look that waits for its time does not hold it up.
        """
        self.ensure_one()
        store = self.sudo().backend_id
        worker = self.with_user(store.user_id).with_company(store.company_id)
        worker.with_delay(
            identity_key=f"shopify:{store.id}:bulk:{self.id}:{'later' if delay else 'now'}",
            eta=delay or None,
            description=self.env._("Export of %s", store.name),
        )._job_advance()

    def _job_advance(self):
        """Take the next step of an export."""
        return self.env["shopify.bulk.runner"]._advance(self)

    @api.model
    def _cron_advance(self):
        """Net below the jobs, for exports whose job died."""
        for operation in self.search([("state", "in", ACTIVE)]):
            if operation.backend_id._can_call():
                operation._continue()


class ShopifyException(models.Model):
    _inherit = "shopify.exception"

    def action_retry(self):
        """Exports go on where they stopped."""
        stopped = self.filtered(lambda item: item.state == "open" and _operation_id(item.key))
        result = super().action_retry()
        for exception in stopped:
            operation = self.env["shopify.bulk.operation"].sudo()
            operation = operation.browse(_operation_id(exception.key)).exists()
            if operation:
                self.env["shopify.bulk.runner"]._resume(operation)
        return result


def _operation_id(key):
    number = (key or "").removeprefix(PREFIX)
    return int(number) if number != key and number.isdigit() else 0
