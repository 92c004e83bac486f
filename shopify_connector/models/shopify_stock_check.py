from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..services.stock_checker import PATIENCE

KEEP_DAYS = 30


class ShopifyStockCheck(models.Model):
    """A comparison of all quantities of a store with those of Shopify."""

    _name = "shopify.stock.check"
    _description = "Shopify Stock Check"
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
    push_stock = fields.Boolean(related="backend_id.push_stock")
    purpose = fields.Selection(
        [
            ("switch_on", "Before it is switched on"),
            ("schedule", "Daily"),
            ("manual", "By hand"),
        ],
        string="Why",
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [("running", "Running"), ("done", "Done"), ("failed", "Failed")],
        required=True,
        readonly=True,
        default="running",
    )
    message = fields.Text(readonly=True)
    done_at = fields.Datetime(readonly=True)
    compared = fields.Integer(readonly=True, help="Quantities: variants at locations.")
    skipped = fields.Integer(
        string="Left Out",
        readonly=True,
        help="Not sent by a rule, not counted in Odoo, or not readable in Shopify.",
    )
    operation_id = fields.Many2one(
        "shopify.bulk.operation",
        string="Export",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        help="Large stores are read by an export that Shopify makes.",
    )
    position = fields.Integer(
        readonly=True, aggregator=False, help="ID of the last variant that was compared."
    )
    confirming = fields.Boolean(readonly=True, help="What differs is looked at once more.")
    phase = fields.Char(compute="_compute_phase")
    line_ids = fields.One2many("shopify.stock.check.line", "check_id", readonly=True)
    line_count = fields.Integer(string="Differences", compute="_compute_lines")
    units = fields.Integer(compute="_compute_lines")

    @api.depends("line_ids.size", "line_ids.state")
    def _compute_lines(self):
        groups = self.env["shopify.stock.check.line"]._read_group(
            [("check_id", "in", self.ids), ("state", "!=", "gone")],
            ["check_id"],
            ["__count", "size:sum"],
        )
        sums = {check.id: both for check, *both in groups}
        for check in self:
            check.line_count, check.units = sums.get(check.id, (0, 0))

    @api.depends("state", "confirming", "compared", "operation_id")
    def _compute_phase(self):
        for check in self:
            check.phase = check._phase() if check.state == "running" else ""

    def _phase(self):
        """How far a running check is."""
        operation = self.sudo().operation_id
        if self.confirming:
            return self.env._("What differs is looked at once more.")
        if operation.state == "waiting" and operation.status == "busy":
            return self.env._(
                "Shopify is at work on as many exports as it allows at once; this one waits."
            )
        if operation.state == "waiting":
            return self.env._("Shopify will begin to export its quantities soon.")
        if operation.state == "running":
            return self.env._(
                "Shopify exports its quantities: %s lines so far.", operation.object_count
            )
        if operation.state == "reading":
            return self.env._(
                "The export is being read: %(read)s of %(all)s lines.",
                read=operation.line_count,
                all=operation.object_count,
            )
        if operation.state == "failed":
            return self.env._(
                "%(error)s So the quantities are read page by page: %(count)s so far.",
                error=operation.error,
                count=self.compared,
            )
        return self.env._("Quantities are compared: %s so far.", self.compared)

    @api.depends("backend_id", "create_date")
    def _compute_display_name(self):
        for check in self:
            check.display_name = self.env._("Stock of %s", check.backend_id.name)

    @api.model
    def _start(self, backend, purpose):
        """Begin a check, unless one is under way; its jobs do the rest."""
        running = self.search([("backend_id", "=", backend.id), ("state", "=", "running")])
        stale = running.filtered(lambda check: check._is_stale())
        for check in stale:
            self.env["shopify.stock.checker"]._give_up(
                check, self.env._("It did not get on for hours.")
            )
        if running - stale:
            return (running - stale)[0]
        check = self.create({"backend_id": backend.id, "purpose": purpose})
        self.env["shopify.stock.checker"]._begin(check)
        return check

    def _is_exported(self):
        """Whether an export tells what Shopify has."""
        return self.sudo().operation_id.state == "done"

    def _is_stale(self):
        moved = max(filter(None, (self.write_date, self.sudo().operation_id.write_date)))
        return moved < fields.Datetime.now() - PATIENCE

    def action_switch_on(self):
        """Odoo's quantities replace those of Shopify from now on."""
        self.ensure_one()
        backend = self.backend_id
        backend.check_access("write")
        if self.state != "done":
            raise UserError(self.env._("Wait until the comparison is done."))
        backend.push_stock = True
        self.env["shopify.outbox"].sudo()._put_all(backend, "setting")
        self.env["shopify.stock.exporter"]._kick(backend)
        return backend._get_records_action()

    def action_repair(self):
        """Send Odoo's quantity wherever it differs."""
        for check in self:
            check.backend_id.check_access("write")
            check.sudo()._repair()
        return self.backend_id[:1]._notify(self.env._("They are sent in a moment."), "info")

    def _repair(self):
        """Send Odoo's quantity of all that differs: what Shopify has is read first."""
        self.ensure_one()
        self.env["shopify.stock.check.line"].flush_model(["state", "level_id"])
        self.env["shopify.stock.level"].flush_model(["known_at"])
        self.env.cr.execute(
            SQL(
                """
                WITH line AS (
                    UPDATE shopify_stock_check_line SET state = 'sent'
                    WHERE check_id = %s AND state IN ('open', 'seen')
                    RETURNING level_id)
                UPDATE shopify_stock_level s SET known_at = NULL
                FROM line WHERE s.id = line.level_id
                RETURNING s.variant_id
                """,
                self.id,
            )
        )
        variant_ids = sorted({variant_id for (variant_id,) in self.env.cr.fetchall()})
        self.env["shopify.stock.check.line"].invalidate_model(["state"])
        self.env["shopify.stock.level"].invalidate_model(["known_at"])
        variants = self.env["shopify.variant"].browse(variant_ids)
        self.env["shopify.outbox"]._put_variants(variants, "check")

    def action_again(self):
        """Compare once more."""
        self.ensure_one()
        return self.backend_id.action_check_stock()

    @api.autovacuum
    def _gc_checks(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        self.search([("create_date", "<", limit)]).unlink()


class ShopifyStockCheckLine(models.Model):
    """A quantity that is another one in Shopify."""

    _name = "shopify.stock.check.line"
    _description = "Shopify Stock Check: Difference"
    _log_access = False
    _order = "size desc, id"

    check_id = fields.Many2one(
        "shopify.stock.check", required=True, readonly=True, ondelete="cascade", index=True
    )
    backend_id = fields.Many2one(related="check_id.backend_id")
    level_id = fields.Many2one("shopify.stock.level", readonly=True, ondelete="cascade")
    variant_id = fields.Many2one(related="level_id.variant_id")
    location_id = fields.Many2one(related="level_id.location_id")
    problem = fields.Selection(
        [
            ("quantity", "Another quantity"),
            ("untracked", "Not tracked in Shopify"),
            ("inactive", "Not stocked at this location"),
            ("gone", "Not in Shopify any more"),
        ],
        required=True,
        readonly=True,
    )
    found = fields.Integer(string="In Shopify", readonly=True, aggregator=False)
    wanted = fields.Integer(string="In Odoo", readonly=True, aggregator=False)
    difference = fields.Integer(readonly=True)
    size = fields.Integer(readonly=True, help="The difference without its sign.")
    state = fields.Selection(
        [
            ("seen", "Seen once"),
            ("open", "Differs"),
            ("sent", "Being sent"),
            ("gone", "In step by itself"),
        ],
        required=True,
        readonly=True,
        default="open",
    )
