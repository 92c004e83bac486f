from odoo import api, fields, models
from odoo.tools import SQL

from ..services.past_orders import WAITING

STATES = [
    ("running", "Importing"),
    ("paused", "Paused"),
    ("failed", "Stopped"),
    ("done", "Done"),
    ("canceled", "Cancelled"),
]
OUTCOMES = [
    ("listed", "Listed"),
    ("waiting", "Waiting"),
    ("created", "Imported"),
    ("updated", "Updated"),
    ("unchanged", "Up to date"),
    ("skipped", "Skipped"),
    ("deleted", "Deleted in Shopify"),
    ("blocked", "Needs a decision"),
    ("failed", "Failed"),
]
DELIVERIES = [
    ("none", "None"),
    ("open", "For orders of which nothing was sent yet"),
    ("all", "As for new orders"),
]
ACCOUNTING = [("none", "None"), ("policy", "As the store does for new orders")]


class ShopifyOrderHistory(models.Model):
    """An import of many orders, and how far it is. It goes on when people close the page."""

    _name = "shopify.order.history"
    _description = "Shopify Import of Orders"
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    state = fields.Selection(STATES, default="running", required=True, readonly=True)
    date_from = fields.Datetime(string="Ordered From", readonly=True)
    date_to = fields.Datetime(string="Ordered Until", readonly=True)
    as_new = fields.Boolean(
        string="As New Orders",
        readonly=True,
        help="Treated as orders that come in now: confirmed, delivered and invoiced as the store"
        " says.",
    )
    deliveries = fields.Selection(DELIVERIES, default="none", required=True, readonly=True)
    reserve = fields.Boolean(string="Reserve Stock", readonly=True)
    accounting = fields.Selection(
        ACCOUNTING, string="Invoices and Payments", default="none", required=True, readonly=True
    )
    visible_from = fields.Datetime(
        readonly=True,
        help="The app lacked the scope read_all_orders, so that Shopify shows it no older orders.",
    )
    operation_id = fields.Many2one("shopify.bulk.operation", readonly=True, ondelete="set null")
    error = fields.Char(related="operation_id.error", string="Reason")
    user_id = fields.Many2one(
        "res.users", string="Started By", readonly=True, default=lambda self: self.env.user
    )
    started_at = fields.Datetime(
        string="Started", required=True, readonly=True, default=fields.Datetime.now
    )
    ended_at = fields.Datetime(string="Ended", readonly=True)

    line_ids = fields.One2many("shopify.order.history.line", "history_id", readonly=True)
    finished = fields.Boolean(compute="_compute_finished")
    phase = fields.Char(compute="_compute_progress")
    total = fields.Integer(string="Orders", compute="_compute_progress")
    done = fields.Integer(string="Dealt With", compute="_compute_progress")
    imported = fields.Integer(compute="_compute_progress")
    blocked = fields.Integer(string="Need a Decision", compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress")
    summary = fields.Char(compute="_compute_progress")

    _live_idx = models.Index("(id) WHERE state = 'running'")

    def _compute_display_name(self):
        for history in self:
            history.display_name = self.env._(
                "Orders of %(store)s, %(date)s",
                store=history.backend_id.name,
                date=fields.Date.to_string(history.started_at),
            )

    @api.depends("state")
    def _compute_finished(self):
        for history in self:
            history.finished = history.state != "running"

    @api.depends("state", "line_ids.outcome", "operation_id.state", "operation_id.object_count")
    def _compute_progress(self):
        labels = dict(OUTCOMES) | dict(
            self.line_ids._fields["outcome"]._description_selection(self.env)
        )
        counts = self._counts()
        for history in self:
            mine = counts.get(history.id, {})
            history.total = sum(mine.values())
            waiting = sum(mine.get(outcome, 0) for outcome in WAITING)
            history.done = history.total - waiting
            history.imported = mine.get("created", 0) + mine.get("updated", 0)
            history.blocked = mine.get("blocked", 0) + mine.get("failed", 0)
            history.progress = 100.0 * history.done / history.total if history.total else 0.0
            history.summary = ", ".join(
                f"{labels[outcome]}: {count}"
                for outcome, count in sorted(mine.items(), key=lambda item: -item[1])
            )
            history.phase = history._phase()

    def _counts(self):
        """``{id: {outcome: number of orders}}``, counted by the database."""
        groups = self.env["shopify.order.history.line"]._read_group(
            [("history_id", "in", self.ids)], ["history_id", "outcome"], ["__count"]
        )
        counts = {}
        for history, outcome, count in groups:
            counts.setdefault(history.id, {})[outcome] = count
        return counts

    def _phase(self):
        operation = self.operation_id
        if self.state != "running":
            return ""
        if operation.state == "waiting":
            return self.env._("Shopify will begin to list the orders soon.")
        if operation.state == "running":
            return self.env._(
                "Shopify is listing the orders: %s so far. Nothing is imported before.",
                operation.object_count,
            )
        if operation.state == "reading":
            return self.env._("The list is being read: more orders will be added.")
        return self.env._("The orders are being imported; new ones always go first.")

    # === JOBS === #

    def _continue(self, delay=0):
        """Enqueue the next look at what can go into the inbox."""
        self.ensure_one()
        store = self.sudo().backend_id
        worker = self.with_user(store.user_id).with_company(store.company_id)
        worker.with_delay(
            identity_key=f"shopify:{store.id}:history:{self.id}",
            eta=delay or None,
            description=self.env._("Import orders of %s", store.name),
        )._job_feed()

    def _job_feed(self):
        """Put further orders into the inbox."""
        return self.env["shopify.order.lister"]._feed(self)

    @api.model
    def _cron_feed(self):
        """Net below the jobs."""
        for history in self.search([("state", "=", "running")]):
            if history.backend_id._can_call():
                history._continue()

    # === ACTIONS === #

    def _check_operator(self):
        self.backend_id.check_access("read")
        self.env["shopify.order"]._check_operator()

    def action_pause(self):
        """Import no further orders until somebody resumes."""
        self._check_operator()
        running = self.sudo().filtered(lambda history: history.state == "running")
        running.state = "paused"
        running._take_back()

    def action_resume(self):
        """Go on where it stopped."""
        self._check_operator()
        for history in self.sudo().filtered(lambda item: item.state in ("paused", "failed")):
            history.write({"state": "running", "ended_at": False})
            if history.operation_id.state == "failed":
                self.env["shopify.bulk.runner"]._resume(history.operation_id)
            history._continue()

    def action_cancel(self):
        """Import no further orders for good; those that are in Odoo stay."""
        self._check_operator()
        for history in self.sudo().filtered(lambda item: item.state not in ("done", "canceled")):
            if history.operation_id.state in ("waiting", "running", "reading", "failed"):
                self.env["shopify.bulk.runner"]._cancel(history.operation_id)
            history.write({"state": "canceled", "ended_at": fields.Datetime.now()})
            history._take_back()

    def action_view_orders(self):
        """List the orders that this import brought."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Imported Orders"),
            "res_model": "shopify.order",
            "view_mode": "list,form",
            "domain": [("history_id", "in", self.ids)],
        }

    def action_view_exceptions(self):
        """List the causes for which orders of this import wait."""
        lines = self.env["shopify.order.history.line"]._search(
            [("history_id", "in", self.ids), ("outcome", "in", ("blocked", "failed"))]
        )
        waiting = self.env["shopify.exception.line"].search(
            [
                ("backend_id", "in", self.backend_id.ids),
                ("gid", "in", lines.subselect("gid")),
                ("state", "=", "waiting"),
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Exceptions"),
            "res_model": "shopify.exception",
            "view_mode": "list,form",
            "domain": [("id", "in", waiting.exception_id.ids)],
        }

    def action_view_lines(self):
        """List the orders with what came of each."""
        action = self.env["ir.actions.actions"]._for_xml_id(
            "shopify_connector.action_shopify_order_history_line"
        )
        return {**action, "domain": [("history_id", "in", self.ids)]}

    def _take_back(self):
        """Take what no drain is at work on out of the inbox again."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                WITH back AS (
                    DELETE FROM shopify_webhook_event e
                    USING shopify_order_history_line l
                    WHERE l.history_id = ANY(%s) AND l.outcome = 'waiting'
                        AND e.backend_id = l.backend_id AND e.resource_gid = l.gid
                        AND e.source = 'history' AND e.state = 'pending'
                        AND e.lease_token IS NULL
                    RETURNING l.id)
                UPDATE shopify_order_history_line l SET outcome = 'listed'
                FROM back WHERE l.id = back.id
                """,
                self.ids,
            )
        )
        self.line_ids.invalidate_model(["outcome"])


class ShopifyOrderHistoryLine(models.Model):
    """An order of an import, and what came of it. Written by plain SQL."""

    _name = "shopify.order.history.line"
    _description = "Shopify Import of Orders: Order"
    _log_access = False
    _order = "id"
    _rec_name = "name"

    history_id = fields.Many2one(
        "shopify.order.history", required=True, readonly=True, ondelete="cascade"
    )
    backend_id = fields.Many2one("shopify.backend", required=True, readonly=True)
    gid = fields.Char(string="Shopify ID", required=True, readonly=True)
    name = fields.Char(string="Order", readonly=True)
    processed_at = fields.Datetime(string="Ordered", readonly=True)
    fulfillment_status = fields.Char(string="Fulfilment Status", readonly=True)
    live = fields.Boolean(
        string="New Order",
        readonly=True,
        help="It came in as a new order while it was to be imported, and is treated as one.",
    )
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True, default="listed")
    message = fields.Char(string="Result", readonly=True)
    sale_order_id = fields.Many2one("sale.order", compute="_compute_sale_order_id")

    _gid_uniq = models.Constraint("UNIQUE (history_id, gid)", "An import contains each order once.")
    _gid_idx = models.Index("(backend_id, gid)")
    _outcome_idx = models.Index("(history_id, outcome, id)")

    def _compute_sale_order_id(self):
        bindings = self.env["shopify.order"].search(
            [
                ("backend_id", "in", self.backend_id.ids),
                ("shopify_gid", "in", self.mapped("gid")),
            ]
        )
        orders = {(item.backend_id, item.shopify_gid): item.sale_order_id for item in bindings}
        for line in self:
            line.sale_order_id = orders.get((line.backend_id, line.gid))

    def action_open(self):
        """Open the sale order, else the causes for which it waits."""
        self.ensure_one()
        if self.sale_order_id:
            return self.sale_order_id._get_records_action()
        exceptions = self.env["shopify.exception"].search(
            [
                ("backend_id", "=", self.backend_id.id),
                ("line_ids.gid", "=", self.gid),
                ("state", "=", "open"),
            ]
        )
        return exceptions._get_records_action(name=self.env._("Why %s waits", self.name))


class ShopifyOrder(models.Model):
    """An order that was imported as a part of the past."""

    _inherit = "shopify.order"

    history_id = fields.Many2one(
        "shopify.order.history",
        string="Import",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    historical = fields.Boolean(
        readonly=True, copy=False, help="Imported as a part of the past, not as a new order."
    )
    without_delivery = fields.Boolean(
        readonly=True,
        copy=False,
        help="Odoo makes no delivery for it, whatever changes later.",
    )
    without_accounting = fields.Boolean(
        string="Without Invoice",
        readonly=True,
        copy=False,
        help="Odoo makes no invoice and books no payment for it, whatever changes later.",
    )

    def action_treat_as_new(self):
        """Deliver and invoice a historical order after all."""
        self._check_operator()
        orders = self.sudo().filtered("historical")
        orders.write({"historical": False, "without_delivery": False, "without_accounting": False})
        for backend, mine in orders.grouped("backend_id").items():
            sales = mine.sale_order_id.filtered(lambda sale: sale.state == "sale")
            sales.with_context(
                shopify_defer_reservation=True
            ).order_line._action_launch_stock_rule()
            if backend.reserve:
                mine.filtered(lambda o: o.sale_order_id.state == "sale").reserve_pending = True
                backend._trigger_reservation()
            self.env["shopify.accounting.task"]._add_sales(sales)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _action_launch_stock_rule(self, **kwargs):
        """Orders of the past were delivered before; see ``shopify.order.without_delivery``."""
        shopify_orders = self.order_id.filtered("shopify_backend_id").sudo().shopify_order_ids
        past = shopify_orders.filtered("without_delivery").sale_order_id
        lines = self.filtered(lambda line: line.order_id not in past) if past else self
        if past and not lines:
            return True
        return super(SaleOrderLine, lines)._action_launch_stock_rule(**kwargs)

    @api.depends("order_id.shopify_order_ids.without_accounting")
    def _compute_qty_to_invoice(self):
        """Orders of the past are no work for the accountant."""
        result = super()._compute_qty_to_invoice()
        for line in self:
            orders = line.order_id.shopify_backend_id and line.order_id.sudo().shopify_order_ids
            if orders and orders.filtered("without_accounting"):
                line.qty_to_invoice = 0.0
        return result


class ShopifyAccountingTask(models.Model):
    _inherit = "shopify.accounting.task"

    def _add(self, orders):
        return super()._add(orders.filtered(lambda order: not order.without_accounting))
