from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

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
        string="Left Out", readonly=True, help="Not sent by a rule, or not counted in Odoo."
    )
    line_ids = fields.One2many("shopify.stock.check.line", "check_id", readonly=True)
    line_count = fields.Integer(string="Differences", compute="_compute_lines")
    units = fields.Integer(compute="_compute_lines")

    @api.depends("line_ids.difference", "line_ids.state")
    def _compute_lines(self):
        for check in self:
            lines = check.line_ids.filtered(lambda line: line.state != "gone")
            check.line_count = len(lines)
            check.units = sum(abs(line.difference) for line in lines)

    @api.depends("backend_id", "create_date")
    def _compute_display_name(self):
        for check in self:
            check.display_name = self.env._("Stock of %s", check.backend_id.name)

    @api.model
    def _start(self, backend, purpose):
        """Begin a check, unless one is under way; its jobs do the rest."""
        running = self.search(
            [
                ("backend_id", "=", backend.id),
                ("state", "=", "running"),
                ("create_date", ">", fields.Datetime.now() - timedelta(hours=6)),
            ],
            limit=1,
        )
        if running:
            return running
        check = self.create({"backend_id": backend.id, "purpose": purpose})
        backend._delay(f"shopify:{backend.id}:stock:check:{check.id}:0")._job_check_stock(check.id)
        return check

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
            check.sudo().line_ids._repair()
        return self.backend_id[:1]._notify(self.env._("They are sent in a moment."), "info")

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

    def _repair(self):
        """Send Odoo's quantity: what Shopify has is read first."""
        lines = self.filtered(lambda line: line.state in ("open", "seen"))
        lines.level_id.write({"known_at": False})
        self.env["shopify.outbox"]._put_variants(lines.level_id.variant_id, "check")
        lines.state = "sent"
