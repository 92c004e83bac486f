import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..client.auth import covers
from ..client.errors import ShopifyError
from ..mappers.text import plain_name, quoted
from ..models.shopify_order_history import ACCOUNTING, DELIVERIES

PAGE_SIZE = 250
PAGES_PER_JOB = 20
NAMES_PER_QUERY = 25
MAX_NAMES = 1000
# More than these are left to an export of Shopify, and to a page that stays.
MANY = 1000
# Older orders are shown to apps with the scope read_all_orders only.
VISIBLE_DAYS = 60


class ShopifyOrderImport(models.TransientModel):
    """Imports orders that a person asks for, and shows how far it is."""

    _name = "shopify.order.import"
    _description = "Import Shopify Orders"
    _transient_max_hours = 24.0

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        domain=[("state", "!=", "draft")],
        default=lambda self: self._default_backend_id(),
    )
    mode = fields.Selection(
        [
            ("range", "By date"),
            ("all", "All that the store has"),
            ("names", "By order number"),
        ],
        string="Which Orders",
        default="range",
        required=True,
    )
    treatment = fields.Selection(
        [
            ("new", "As new orders: confirm, deliver and invoice as the store says"),
            ("past", "As the past: without mails, deliveries, reservations and invoices"),
        ],
        compute="_compute_treatment",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
    )
    deliveries = fields.Selection(
        DELIVERIES,
        default="none",
        required=True,
        help="Deliveries of orders of the past. Those of which a part was sent already get none"
        " with the middle choice, because Odoo cannot know what is left to send.",
    )
    reserve = fields.Boolean(string="Reserve Stock", help="For the deliveries that are made.")
    accounting = fields.Selection(
        ACCOUNTING, string="Invoices and Payments", default="none", required=True
    )
    reaches_back = fields.Boolean(compute="_compute_reaches_back")
    leaves_out_fulfilled = fields.Boolean(compute="_compute_reaches_back")
    visible_from = fields.Datetime(
        readonly=True, help="Set when the app may not read the older orders that were asked for."
    )
    scope_remedy = fields.Char(compute="_compute_scope_remedy")
    date_from = fields.Datetime(
        string="Ordered From", default=lambda self: self._default_date_from()
    )
    date_to = fields.Datetime(string="Ordered Until")
    names = fields.Text(
        string="Order Numbers",
        help="As Shopify shows them, with or without #; separated by commas, spaces or lines.",
    )
    state = fields.Selection(
        [("draft", "Choose"), ("running", "Import")], default="draft", required=True
    )
    list_cursor = fields.Char(help="Where the next job goes on listing; empty: all are listed.")
    log_from = fields.Integer(help="Lines of the log above this id are of this import.")
    line_ids = fields.One2many("shopify.order.import.line", "import_id")
    total = fields.Integer(string="Orders", compute="_compute_progress")
    done = fields.Integer(compute="_compute_progress")
    progress = fields.Float(compute="_compute_progress")
    finished = fields.Boolean(compute="_compute_progress")
    summary = fields.Char(compute="_compute_progress")

    def _default_backend_id(self):
        backends = self.env["shopify.backend"].search([("state", "!=", "draft")], limit=2)
        return backends if len(backends) == 1 else False

    def _default_date_from(self):
        return fields.Datetime.subtract(fields.Datetime.now(), days=7)

    def _compute_display_name(self):
        self.display_name = self.env._("Import Orders")

    @api.depends("mode")
    def _compute_treatment(self):
        for wizard in self:
            wizard.treatment = "past" if wizard.mode == "all" else "new"

    @api.depends("mode", "date_from", "treatment", "backend_id")
    def _compute_reaches_back(self):
        edge = self._visible_edge()
        for wizard in self:
            early = wizard.date_from and wizard.date_from < edge
            wizard.reaches_back = wizard.mode == "all" or bool(wizard.mode == "range" and early)
            wizard.leaves_out_fulfilled = (
                wizard.treatment == "past" and wizard.backend_id.fulfillment_filter == "open"
            )

    @api.depends("backend_id")
    def _compute_scope_remedy(self):
        checker = self.env["shopify.connection.checker"]
        for wizard in self:
            wizard.scope_remedy = wizard.backend_id and checker._scope_remedy(wizard.backend_id)

    def _visible_edge(self):
        return fields.Datetime.subtract(fields.Datetime.now(), days=VISIBLE_DAYS)

    @api.depends("line_ids", "list_cursor", "state")
    def _compute_progress(self):
        labels = dict(self.line_ids._fields["outcome"]._description_selection(self.env))
        for wizard in self:
            counts = wizard._count_outcomes() if wizard.state == "running" else {}
            wizard.total = sum(counts.values())
            wizard.done = wizard.total - counts.get("waiting", 0)
            wizard.progress = 100.0 * wizard.done / wizard.total if wizard.total else 0.0
            wizard.finished = (
                wizard.state == "running" and not wizard.list_cursor and wizard.done == wizard.total
            )
            wizard.summary = ", ".join(
                f"{labels.get(outcome, outcome)}: {count}" for outcome, count in counts.items()
            )

    # === ACTIONS === #

    def action_import(self):
        """List the orders, put them into the inbox and show the progress."""
        self.ensure_one()
        self.backend_id.check_access("read")
        if self.mode == "range" and self.date_to and self.date_from > self.date_to:
            raise UserError(self.env._("The first date is after the last one."))
        try:
            if not self.visible_from and self._lacks_scope():
                self.visible_from = self._visible_edge()
                return self._reopen()
            if self._is_long():
                return self._start_long()
        except ShopifyError as error:
            raise UserError(str(error)) from error
        self.env.cr.execute("SELECT coalesce(max(id), 0) FROM shopify_sync_log")
        self.log_from = self.env.cr.fetchone()[0]
        self.state = "running"
        try:
            if self.mode == "names":
                self._list_names()
            else:
                self._list_range(pages=1)
        except ShopifyError as error:
            raise UserError(str(error)) from error
        self.env["shopify.inbox"]._kick(self.backend_id.sudo())
        return self._reopen()

    def _lacks_scope(self):
        """Whether orders are asked for that the app may not read."""
        if not self.reaches_back:
            return False
        installation = (
            self._client().execute("current_app_installation").data["currentAppInstallation"]
        )
        granted = [scope["handle"] for scope in installation["accessScopes"]]
        return not covers(granted, "read_all_orders")

    def _is_long(self):
        """Whether it goes by an export and has a page that stays."""
        if self.mode == "names":
            return False
        if self.mode == "all" or self.treatment == "past":
            return True
        variables = {"query": self._range_query(), "limit": MANY + 1}
        count = self._client().execute("orders_count", variables).data["ordersCount"]
        return count["count"] > MANY

    def _start_long(self):
        past = self.treatment == "past"
        by_date = self.mode == "range"
        history = (
            self.env["shopify.order.history"]
            .sudo()
            .create(
                {
                    "backend_id": self.backend_id.id,
                    "user_id": self.env.uid,
                    "date_from": by_date and self.date_from,
                    "date_to": by_date and self.date_to,
                    "as_new": not past,
                    "deliveries": self.deliveries if past else "all",
                    "reserve": self.reserve if past else True,
                    "accounting": self.accounting if past else "policy",
                    "visible_from": self.visible_from,
                }
            )
        )
        runner = self.env["shopify.bulk.runner"].sudo()
        history.operation_id = runner._start(self.backend_id.sudo(), "order_history")
        return history.sudo(False)._get_records_action(target="main")

    def action_again(self):
        """Choose other orders."""
        return self.backend_id.action_import_orders()

    def action_refresh(self):
        """Nothing to do: the page is read again."""
        return self._reopen()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import Orders"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "main",
        }

    # === LISTING === #

    def _job_list(self):
        """List further orders of an import by date."""
        if not self.exists() or not self.list_cursor:
            return self.env._("All orders are listed.")
        self._list_range(pages=PAGES_PER_JOB)
        return self.env._("%s orders listed.", len(self.line_ids))

    def _list_range(self, pages):
        """List ``pages`` pages of orders from where the last call stopped; a job goes on."""
        found, client = [], self._client()
        listing = client.pages(
            "orders_ids",
            "orders",
            {"query": self._range_query(), "sortKey": "PROCESSED_AT"},
            page_size=PAGE_SIZE,
            after=self.list_cursor or None,
        )
        for number, page in enumerate(listing, 1):
            found += page.nodes
            self.list_cursor = page.cursor
            if number == pages:
                break
        self._add_lines(found, priority=20)
        if self.list_cursor:
            backend = self.backend_id.sudo()
            self.with_user(backend.user_id).sudo().with_delay(
                channel="root.shopify.inbox",
                identity_key=f"shopify:{backend.id}:list:{self.id}:{self.list_cursor}",
                description=self.env._("List orders of %s", backend.name),
            )._job_list()

    def _range_query(self):
        # Without a status Shopify lists open orders only, in some of its lists.
        parts = ["status:any"]
        if self.date_from:
            parts.append(f"processed_at:>='{self.date_from.isoformat()}Z'")
        if self.date_to:
            parts.append(f"processed_at:<='{self.date_to.isoformat()}Z'")
        return " ".join(parts)

    def _list_names(self):
        names = list(dict.fromkeys(name for name in re.split(r"[\s,;]+", self.names or "") if name))
        if not names:
            raise UserError(self.env._("Enter at least one order number."))
        if len(names) > MAX_NAMES:
            raise UserError(self.env._("Enter at most %s order numbers at once.", MAX_NAMES))
        wanted = {plain_name(name): name for name in names}
        found, client = {}, self._client()
        for start in range(0, len(names), NAMES_PER_QUERY):
            chunk = names[start : start + NAMES_PER_QUERY]
            terms = " OR ".join(f"name:{quoted(name)}" for name in chunk)
            nodes = client.paginate(
                "orders_ids",
                "orders",
                {"query": f"status:any ({terms})", "sortKey": "PROCESSED_AT"},
                page_size=PAGE_SIZE,
            )
            for node in nodes:
                if plain_name(node["name"]) in wanted:
                    found[node["id"]] = node
        self._add_lines(list(found.values()), priority=5)
        known = {plain_name(node["name"]) for node in found.values()}
        self.env["shopify.order.import.line"].create(
            [
                {"import_id": self.id, "name": name}
                for plain, name in wanted.items()
                if plain not in known
            ]
        )

    def _client(self):
        return self.env["shopify.client.factory"]._client(self.backend_id.sudo())

    def _last_outcomes(self, gids):
        """The last that the log says of each order since this import began."""
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT ON (gid) gid, outcome, message FROM shopify_sync_log
                WHERE backend_id = %s AND id > %s AND gid = ANY(%s::varchar[])
                ORDER BY gid, id DESC
                """,
                self.backend_id.id,
                self.log_from,
                [gid for gid in gids if gid],
            )
        )
        return {gid: (outcome, message) for gid, outcome, message in self.env.cr.fetchall()}

    def _count_outcomes(self):
        """Number of orders by outcome, counted by the database: there may be very many."""
        self.line_ids.flush_model()
        self.env.cr.execute(
            SQL(
                """
                SELECT CASE WHEN line.gid IS NULL THEN 'missing'
                        WHEN log.outcome IS NULL OR log.outcome = 'retry' THEN 'waiting'
                        ELSE log.outcome END, count(*)
                FROM shopify_order_import_line line
                LEFT JOIN LATERAL (
                    SELECT outcome FROM shopify_sync_log
                    WHERE gid = line.gid AND backend_id = %s AND id > %s
                    ORDER BY id DESC LIMIT 1) log ON TRUE
                WHERE line.import_id = %s
                GROUP BY 1 ORDER BY 2 DESC
                """,
                self.backend_id.id,
                self.log_from,
                self._origin.id,
            )
        )
        return dict(self.env.cr.fetchall())

    def _add_lines(self, nodes, priority):
        self.env["shopify.order.import.line"].create(
            [{"import_id": self.id, "gid": node["id"], "name": node["name"]} for node in nodes]
        )
        self.env["shopify.inbox"]._put(
            self.backend_id,
            [
                {
                    "topic": "manual",
                    "gid": node["id"],
                    "source": "manual",
                    "priority": priority,
                }
                for node in nodes
            ],
        )


class ShopifyOrderImportLine(models.TransientModel):
    """An order of an import, and what came of it."""

    _name = "shopify.order.import.line"
    _description = "Import Shopify Orders: Order"
    _transient_max_hours = 24.0
    _order = "id"

    import_id = fields.Many2one(
        "shopify.order.import", required=True, ondelete="cascade", index=True
    )
    gid = fields.Char(string="Shopify ID", index=True)
    name = fields.Char(string="Order", required=True)
    outcome = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("created", "Imported"),
            ("updated", "Updated"),
            ("unchanged", "Up to date"),
            ("skipped", "Skipped"),
            ("deleted", "Deleted in Shopify"),
            ("blocked", "Needs a decision"),
            ("failed", "Failed"),
            ("missing", "Not found"),
        ],
        compute="_compute_outcome",
    )
    message = fields.Char(string="Result", compute="_compute_outcome")
    sale_order_id = fields.Many2one("sale.order", compute="_compute_sale_order_id")

    def _compute_outcome(self):
        """From the last line of the log that is of this import."""
        for wizard, lines in self.grouped("import_id").items():
            found = wizard._last_outcomes(lines.mapped("gid"))
            for line in lines:
                if not line.gid:
                    line.outcome = "missing"
                    line.message = self.env._(
                        "The store has no order of this number that this app may read."
                    )
                    continue
                outcome, message = found.get(line.gid, ("waiting", ""))
                line.outcome = "waiting" if outcome == "retry" else outcome
                line.message = message

    def _compute_sale_order_id(self):
        bindings = self.env["shopify.order"].search(
            [
                ("backend_id", "in", self.import_id.backend_id.ids),
                ("shopify_gid", "in", self.mapped("gid")),
            ]
        )
        orders = {
            (binding.backend_id, binding.shopify_gid): binding.sale_order_id for binding in bindings
        }
        for line in self:
            line.sale_order_id = orders.get((line.import_id.backend_id, line.gid))

    def action_open(self):
        """Open the sale order, else the causes for which it waits."""
        self.ensure_one()
        if self.sale_order_id:
            return self.sale_order_id._get_records_action()
        exceptions = self.env["shopify.exception"].search(
            [
                ("backend_id", "=", self.import_id.backend_id.id),
                ("line_ids.gid", "=", self.gid),
                ("state", "=", "open"),
            ]
        )
        return exceptions._get_records_action(name=self.env._("Why %s waits", self.name))
