from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

# Something is still to be done about these.
OPEN_STATES = ("pending", "sending", "waiting")


class ShopifyFulfillment(models.Model):
    """A shipment that both sides know of, or are to know of.

    A row is the intent and the queue at once. Those who deliver only insert rows; what was sent
    is noted before it is sent, so that nothing is sent twice, whatever happens in between.
    Corrections of tracking and cancellations are rows of their own, so that nobody waits for the
    row of a parcel that is just being sent.
    """

    _name = "shopify.fulfillment"
    _description = "Shopify Fulfilment"
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    order_id = fields.Many2one(
        "shopify.order",
        string="Shopify Order",
        required=True,
        readonly=True,
        ondelete="cascade",
        index=True,
    )
    sale_order_id = fields.Many2one(related="order_id.sale_order_id")
    picking_id = fields.Many2one(
        "stock.picking",
        string="Delivery",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="Empty for goods that nobody carries, such as gift cards.",
    )
    direction = fields.Selection(
        [("out", "To Shopify"), ("in", "From Shopify")],
        required=True,
        readonly=True,
        default="out",
    )
    kind = fields.Selection(
        [("create", "Shipment"), ("tracking", "New tracking"), ("cancel", "Cancellation")],
        string="What",
        required=True,
        readonly=True,
        default="create",
    )
    part = fields.Integer(
        readonly=True,
        default=0,
        aggregator=False,
        help="A delivery from several locations makes several fulfilments.",
    )
    state = fields.Selection(
        [
            ("pending", "Waiting to be sent"),
            ("sending", "Being sent"),
            ("waiting", "Needs a decision"),
            ("done", "Done"),
            ("skipped", "Nothing to do"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="pending",
    )
    shopify_gid = fields.Char(string="Shopify ID", readonly=True, copy=False)
    name = fields.Char(string="Fulfilment", readonly=True, help="As Shopify names it: #1001-F1.")
    location_id = fields.Many2one("shopify.location", readonly=True, ondelete="set null")
    tracking_company = fields.Char(string="Carrier", readonly=True)
    tracking_numbers = fields.Char(readonly=True)
    tracking_urls = fields.Char(string="Tracking Links", readonly=True)
    notified = fields.Boolean(
        string="Customer Mailed", readonly=True, help="Shopify was asked to mail the customer."
    )
    quantities = fields.Json(
        readonly=True, help="Units by Shopify order line, as they were or will be sent."
    )
    message = fields.Char(readonly=True)
    blocks = fields.Json(readonly=True, prefetch=False, help="What a person has to decide.")
    request_id = fields.Char(
        string="Request ID", readonly=True, help="Tell it to Shopify's support."
    )

    sent_at = fields.Datetime(
        string="Sent", readonly=True, help="When it was last sent; the answer may have got lost."
    )
    done_at = fields.Datetime(string="Done On", readonly=True)
    next_attempt_at = fields.Datetime(
        string="Next Attempt", readonly=True, help="Empty: it waits for a decision."
    )
    attempts = fields.Integer(required=True, readonly=True, default=0, aggregator=False)
    lease_token = fields.Char(readonly=True, help="The job that is at work on it.")
    lease_pid = fields.Integer(
        readonly=True, aggregator=False, help="Database process of that job."
    )
    lease_until = fields.Datetime(readonly=True, help="Afterwards another job takes it over.")

    _gid_uniq = models.UniqueIndex(
        "(backend_id, shopify_gid) WHERE kind = 'create' AND shopify_gid IS NOT NULL",
        "This fulfilment is linked already.",
    )
    _shipment_uniq = models.UniqueIndex(
        "(picking_id, order_id, part)"
        " WHERE direction = 'out' AND kind = 'create' AND state != 'cancelled'",
        "This delivery is told to Shopify already.",
    )
    _digital_uniq = models.UniqueIndex(
        "(order_id, part) WHERE picking_id IS NULL"
        " AND direction = 'out' AND kind = 'create' AND state != 'cancelled'",
        "The digital goods of this order are told to Shopify already.",
    )
    _open_idx = models.Index(
        "(backend_id, direction, next_attempt_at) WHERE state IN ('pending', 'sending', 'waiting')"
    )

    @api.depends("name", "picking_id", "order_id")
    def _compute_display_name(self):
        for row in self:
            what = row.name or row.picking_id.name or self.env._("Digital goods")
            row.display_name = f"{row.order_id.name} {what}"

    # === PUTTING IN === #

    @api.model
    def _put_deliveries(self, pickings):
        """Have these done deliveries told to their stores, in the transaction of the caller.

        :param pickings: of any kind; those that no store is to be told of are left alone
        """
        leaving = pickings.filtered(lambda picking: picking.location_dest_id.usage == "customer")
        items = self._items(leaving)
        self._insert(
            [item for item in items if item["order"].backend_id.export_fulfillments], "create"
        )

    @api.model
    def _items(self, pickings):
        """``[{order, picking}]``: a delivery may hold goods of several orders."""
        return [
            {"order": order, "picking": picking}
            for picking in pickings
            for order in picking.move_ids.sale_line_id.order_id.shopify_order_ids
        ]

    @api.model
    def _put_digital(self, orders):
        """Have goods that nobody carries told to the stores of these ``shopify.order``."""
        self._insert([{"order": order, "picking": None} for order in orders], "create")

    @api.model
    def _put_tracking(self, pickings):
        """Have the tracking of these deliveries told again, where it was told before."""
        told = self.search(
            [
                ("picking_id", "in", pickings.ids),
                ("direction", "=", "out"),
                ("kind", "=", "create"),
                ("state", "in", ("sending", "waiting", "done")),
            ]
        )
        pairs = dict.fromkeys((row.order_id, row.picking_id) for row in told)
        self._insert([{"order": order, "picking": picking} for order, picking in pairs], "tracking")

    def _insert(self, items, kind):
        """Insert rows and have a job come; rows that exist already stay as they are.

        :param items: ``[{order: shopify.order, picking: stock.picking or None}]``
        """
        if not items:
            return
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_fulfillment (
                    backend_id, order_id, picking_id, direction, kind, part, state, attempts,
                    next_attempt_at, create_uid, create_date, write_uid, write_date)
                SELECT o.backend_id, o.id, t.picking_id, 'out', %(kind)s, 0, 'pending', 0,
                    now.at, %(uid)s, now.at, %(uid)s, now.at
                FROM unnest(%(orders)s::int[], %(pickings)s::int[]) AS t (order_id, picking_id)
                JOIN shopify_order o ON o.id = t.order_id,
                    (SELECT clock_timestamp() AT TIME ZONE 'utc' AS at) now
                ON CONFLICT DO NOTHING
                """,
                kind=kind,
                uid=self.env.uid,
                orders=[item["order"].id for item in items],
                pickings=[item["picking"].id if item["picking"] else None for item in items],
            )
        )
        self.invalidate_model()
        self.env["stock.picking"].invalidate_model(["shopify_fulfillment_ids"])
        backends = self.env["shopify.backend"].union(*(item["order"].backend_id for item in items))
        self.env["shopify.fulfillment.exporter"]._wake_after_commit(backends)

    # === ACTIONS === #

    def _check_operator(self):
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group("shopify_connector.group_operator")):
            raise AccessError(self.env._("Only operators of the Shopify connector may do this."))

    def action_push(self):
        """Send these now, whether or not it was their turn."""
        self._check_operator()
        self.sudo()._due_now()
        return (
            self.sudo()
            .backend_id[:1]
            ._notify(self.env._("They are sent in a moment."), "info", reload=True)
        )

    def _due_now(self):
        """Make what is open due, in a job of its own per store."""
        rows = self.filtered(lambda row: row.state in OPEN_STATES)
        late = rows.filtered(lambda row: row.direction == "in")
        late.state = "pending"
        for backend in late.backend_id:
            backend._trigger_apply_fulfillments()
        rows -= late
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_fulfillment SET attempts = 0,
                    state = CASE WHEN state = 'waiting' THEN 'pending' ELSE state END,
                    next_attempt_at = clock_timestamp() AT TIME ZONE 'utc'
                WHERE id = ANY(%s) AND state IN ('pending', 'sending', 'waiting')
                """,
                rows.ids,
            )
        )
        rows.invalidate_recordset()
        for backend in rows.backend_id:
            backend._trigger_fulfillments()

    def action_cancel_in_shopify(self):
        """Take these fulfilments back in Shopify: what they held is open there again."""
        self._check_operator()
        rows = self.sudo().filtered(
            lambda row: row.direction == "out" and row.kind == "create" and row.shopify_gid
        )
        if not rows.filtered(lambda row: row.state == "done"):
            raise UserError(self.env._("Only what Shopify knows of can be cancelled there."))
        rows._put_cancellations()
        return rows.backend_id[:1]._notify(
            self.env._("Shopify cancels the fulfilment in a moment."), "info", reload=True
        )

    def _put_cancellations(self):
        """Have these fulfilments cancelled in Shopify."""
        rows = self.filtered(lambda row: row.state == "done" and row.shopify_gid)
        self.create(
            [
                {
                    "backend_id": row.backend_id.id,
                    "order_id": row.order_id.id,
                    "picking_id": row.picking_id.id,
                    "kind": "cancel",
                    "shopify_gid": row.shopify_gid,
                    "name": row.name,
                    "next_attempt_at": fields.Datetime.now(),
                }
                for row in rows
            ]
        )
        self.env["shopify.fulfillment.exporter"]._wake_after_commit(rows.backend_id)

    def action_dismiss(self):
        """A person dealt with these by hand: they wait no longer."""
        self._check_operator()
        rows = self.sudo().filtered(lambda row: row.state in ("pending", "waiting"))
        rows.write(
            {
                "state": "skipped",
                "next_attempt_at": False,
                "message": self.env._("Dismissed by %s.", self.env.user.name),
            }
        )
        Exceptions = self.env["shopify.exception"].sudo()
        for backend, mine in rows.grouped("backend_id").items():
            still = self.sudo().search(
                [("order_id", "in", mine.order_id.ids), ("state", "=", "waiting")]
            )
            gids = (mine.order_id - still.order_id).mapped("shopify_gid")
            Exceptions._clear_waiting(backend, gids, flow="fulfillment")

    def action_view_order(self):
        """Open the Shopify order."""
        self.ensure_one()
        return self.order_id._get_records_action()
