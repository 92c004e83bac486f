from odoo import api, fields, models
from odoo.tools import SQL

from ..client.gid import parse

CATEGORIES = [
    ("product", "Product"),
    ("tax", "Tax"),
    ("carrier", "Delivery method"),
    ("country", "Country or state"),
    ("currency", "Currency"),
    ("customer", "Customer"),
    ("totals", "Totals differ"),
    ("order_changed", "Order changed"),
    ("risk", "Fraud risk"),
    ("configuration", "Configuration"),
    ("credentials", "Credentials"),
    ("scope", "Access scope"),
    ("remote", "Shopify does not answer"),
    ("mapping", "Data not understood"),
    ("accounting", "Accounting"),
    ("stock", "Stock"),
    ("fulfillment", "Shipment"),
    ("other", "Other"),
]
# Nothing goes through for the store while one of these is open.
STORE_WIDE = ("configuration", "credentials", "scope", "remote")


class ShopifyException(models.Model):
    """A cause that needs a person, with the records that wait for it.

    One open exception per store, category and key, by a unique index: those who report it
    again count it and add their record.
    """

    _name = "shopify.exception"
    _description = "Shopify Exception"
    _order = "last_seen desc, id desc"

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    category = fields.Selection(CATEGORIES, required=True, readonly=True)
    key = fields.Char(required=True, readonly=True)
    name = fields.Char(string="What", required=True, readonly=True)
    message = fields.Text(string="Why", readonly=True)
    remedy = fields.Text(string="What to Do", readonly=True)
    details = fields.Text(string="Technical Details", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("resolved", "Solved"), ("ignored", "Ignored")],
        required=True,
        readonly=True,
        default="open",
    )
    first_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    last_seen = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    occurrences = fields.Integer(default=1, required=True, readonly=True, aggregator=False)
    closed_at = fields.Datetime(string="Closed", readonly=True)
    closed_by_id = fields.Many2one("res.users", readonly=True, help="Empty: it closed by itself.")
    alerted_at = fields.Datetime(readonly=True, help="When the managers were told.")

    res_model = fields.Char(string="Model to Fix", readonly=True)
    res_id = fields.Integer(string="Record to Fix", readonly=True)
    default_values = fields.Json(readonly=True, help="Filled in when a record is made.")

    line_ids = fields.One2many("shopify.exception.line", "exception_id", string="Records")
    waiting_count = fields.Integer(
        string="Waiting", compute="_compute_waiting_count", store=True, readonly=True
    )

    _open_uniq = models.UniqueIndex(
        "(backend_id, category, key) WHERE state = 'open'",
        "This cause is already on the list.",
    )

    @api.depends("line_ids.state")
    def _compute_waiting_count(self):
        counts = dict(
            self.env["shopify.exception.line"]._read_group(
                [("exception_id", "in", self.ids), ("state", "=", "waiting")],
                ["exception_id"],
                ["__count"],
            )
        )
        for exception in self:
            exception.waiting_count = counts.get(exception, 0)

    # === REPORTING === #

    @api.model
    def _report(self, backend, blocks_by_gid, details=None, flow="import"):
        """Open (or see again) one exception per cause, with the records that wait.

        Safe when several transactions report the same cause: one row comes of it. A
        READ COMMITTED transaction (as the drain's) then never fails for it.

        :param blocks_by_gid: ``{gid: (name of the waiting record, [Block, ...])}``; gid is
            False for a cause for which no record waits
        :param details: ``{gid: text}`` for support, e.g. a traceback
        :param flow: what waits: one record may wait in several flows, e.g. an order for its
            import and for its accounting
        :return: the open exceptions
        """
        details = details or {}
        causes = {}
        for gid, (_name, blocks) in blocks_by_gid.items():
            for block in blocks:
                causes.setdefault((block.category, block.key), (block, details.get(gid)))
        if not causes:
            return self.browse()
        self.flush_model()
        # Sorted, so that two transactions lock rows in the same order.
        ids = {
            cause: self._upsert(backend, block, text)
            for cause, (block, text) in sorted(causes.items(), key=lambda item: item[0])
        }
        self.env["shopify.exception.line"]._wait(
            backend,
            {
                gid: (name, {ids[block.category, block.key]: block.message for block in blocks})
                for gid, (name, blocks) in blocks_by_gid.items()
                if gid
            },
            flow,
        )
        self.invalidate_model()
        return self.browse(ids.values())

    def _upsert(self, backend, block, details):
        values = fields.Json().convert_to_column(dict(block.values) if block.values else None, self)
        now = SQL("clock_timestamp() AT TIME ZONE 'utc'")
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_exception AS e (
                    backend_id, category, key, name, message, remedy, details, res_model,
                    res_id, default_values, state, occurrences, first_seen, last_seen,
                    create_uid, create_date, write_uid, write_date)
                VALUES (%(backend)s, %(category)s, %(key)s, %(name)s, %(message)s,
                    %(remedy)s, %(details)s, %(res_model)s, %(res_id)s, %(values)s, 'open',
                    1, %(now)s, %(now)s, %(uid)s, %(now)s, %(uid)s, %(now)s)
                ON CONFLICT (backend_id, category, key) WHERE state = 'open' DO UPDATE SET
                    name = EXCLUDED.name, message = EXCLUDED.message,
                    remedy = EXCLUDED.remedy, details = EXCLUDED.details,
                    res_model = EXCLUDED.res_model, res_id = EXCLUDED.res_id,
                    default_values = EXCLUDED.default_values,
                    occurrences = e.occurrences + 1, last_seen = EXCLUDED.last_seen,
                    write_uid = EXCLUDED.write_uid, write_date = EXCLUDED.write_date
                RETURNING id
                """,
                backend=backend.id,
                category=block.category,
                key=block.key,
                name=block.title,
                message=block.message,
                remedy=block.remedy or None,
                details=details,
                res_model=block.res_model,
                res_id=block.res_id,
                values=values,
                now=now,
                uid=self.env.uid,
            )
        )
        return self.env.cr.fetchone()[0]

    # === CLOSING === #

    @api.model
    def _resolve(self, backend, category, key):
        """The cause is gone: close it and process again all that waited for it.

        A record that was being processed meanwhile, and met the cause still, may be reported
        after we looked: so we look again once this transaction is committed.

        :param key: one key, or a collection of keys
        :return: the exceptions that were closed
        """
        keys = [key] if isinstance(key, str) else list(key)
        postcommit = self.env.cr.postcommit
        again = postcommit.data.setdefault("shopify.exception.resolve", {})
        if not again and keys:
            registry, uid = self.env.registry, self.env.uid

            @postcommit.add
            def look_again():
                with registry.cursor() as cr:
                    env = api.Environment(cr, uid, {})
                    for (store_id, of), names in sorted(again.items()):
                        store = env["shopify.backend"].browse(store_id)
                        env["shopify.exception"]._resolve_now(store, of, names)

        again.setdefault((backend.id, category), set()).update(keys)
        return self._resolve_now(backend, category, keys)

    @api.model
    def _resolve_now(self, backend, category, keys):
        exceptions = self.sudo().search(
            [
                ("backend_id", "=", backend.id),
                ("category", "=", category),
                ("key", "in", list(keys)),
                ("state", "=", "open"),
            ]
        )
        exceptions._close("resolved")
        exceptions._release()
        return exceptions

    def _close(self, state, by_person=False):
        self.sudo().write(
            {
                "state": state,
                "closed_at": fields.Datetime.now(),
                "closed_by_id": self.env.uid if by_person else False,
            }
        )

    def _release(self):
        """Put all that wait for these causes back into the inbox."""
        Inbox = self.env["shopify.inbox"]
        waiting = self.sudo().line_ids.filtered(lambda line: line.state == "waiting")
        waiting.write({"state": "released"})
        for backend, exceptions in self.sudo().grouped("backend_id").items():
            gids = dict.fromkeys((exceptions.line_ids & waiting).sorted("id").mapped("gid"))
            if gids:
                Inbox._put(
                    backend,
                    [{"topic": "retry", "gid": gid, "source": "retry"} for gid in gids],
                )
                Inbox._kick(backend)

    @api.model
    def _clear_waiting(self, backend, gids, flow="import"):
        """These went through: they wait for nothing any more in that flow.

        An exception for which nothing waits any more closes by itself.
        """
        self.env["shopify.exception.line"]._clear(backend, list(gids), flow=flow)

    # === ACTIONS === #

    def action_fix(self):
        """Open what has to be decided, with its defaults filled in."""
        self.ensure_one()
        if self.res_model in self.env:
            record = self.env[self.res_model].browse(self.res_id or []).exists()
            if record or self.default_values:
                return self._fix_form(self.res_model, record.id, self.default_values)
        finder = getattr(self, f"_fix_{self.category}", None)
        action = finder() if finder else False
        return action or self.action_open_in_shopify() or self._fix_store()

    def _fix_form(self, model, res_id=False, values=None):
        context = {f"default_{name}": value for name, value in (values or {}).items()}
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Fix: %(what)s", what=self.name),
            "res_model": model,
            "res_id": res_id,
            "views": [(False, "form")],
            "target": "current",
            "context": {
                "default_backend_id": self.backend_id.id,
                **context,
                "shopify_exception_id": self.id,
            },
        }

    def _fix_store(self):
        return self._fix_form("shopify.backend", self.backend_id.id)

    _fix_configuration = _fix_credentials = _fix_scope = _fix_remote = _fix_store

    def _fix_totals(self):
        return self._fix_record()

    _fix_order_changed = _fix_accounting = _fix_stock = _fix_totals

    def _fix_record(self):
        """Open the record of the resource that the key names."""
        record = self.env["shopify.sync.log"]._find_record(self.backend_id, self.key)
        return record._get_records_action() if record else False

    def action_open_in_shopify(self):
        """Open the resource that the key names in Shopify's admin."""
        self.ensure_one()
        gid = next((gid for gid in (self.key, *self.line_ids.mapped("gid")) if _page(gid)), None)
        if not gid:
            return False
        return {
            "type": "ir.actions.act_url",
            "url": f"https://{self.backend_id.shop_domain}/admin/{_page(gid)}",
            "target": "new",
        }

    def action_retry(self):
        """Process again all that wait for these causes."""
        exceptions = self.filtered(lambda exception: exception.state == "open")
        exceptions.check_access("write")
        exceptions._release()
        # Nothing will come to close those that no record waits for.
        causes = exceptions.filtered(lambda exception: not exception.sudo().line_ids)
        causes._close("resolved", by_person=True)
        for backend in causes.sudo().backend_id:
            self.env["shopify.inbox"]._kick(backend)
        return self._say(self.env._("They are processed again in a moment."))

    def action_ignore(self):
        """Close without processing; who did it and when is kept."""
        exceptions = self.filtered(lambda exception: exception.state == "open")
        exceptions.check_access("write")
        exceptions._close("ignored", by_person=True)
        lines = exceptions.sudo().line_ids.filtered(lambda line: line.state == "waiting")
        lines.write({"state": "ignored"})

    def action_view_waiting(self):
        """List the records that wait for these causes."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Waiting Records"),
            "res_model": "shopify.exception.line",
            "views": [(False, "list")],
            "domain": [("exception_id", "in", self.ids), ("state", "=", "waiting")],
        }

    def _say(self, message):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }


def _page(gid):
    """Path of a resource in Shopify's admin, None when it has no page."""
    try:
        kind, number = parse(gid or "")
    except ValueError:
        return None
    folder = {"Order": "orders", "Product": "products", "Customer": "customers"}.get(kind)
    return f"{folder}/{number}" if folder else None
