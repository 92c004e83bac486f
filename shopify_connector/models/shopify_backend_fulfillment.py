from odoo import api, fields, models


class ShopifyBackend(models.Model):
    """How deliveries and parcels are told from one side to the other."""

    _inherit = "shopify.backend"

    export_fulfillments = fields.Boolean(
        string="Tell Shopify of Deliveries",
        tracking=True,
        help="A validated delivery fulfils the order in Shopify, with its tracking. Deliveries"
        " that were validated before are not told; each has a button for it.",
    )
    notify_customer = fields.Boolean(
        string="Mail the Customer",
        default=True,
        tracking=True,
        help="Shopify sends its shipping confirmation for each parcel.",
    )
    notify_tracking = fields.Boolean(
        string="Mail New Tracking",
        tracking=True,
        help="Shopify mails the customer again when tracking is added or corrected later.",
    )
    fulfillment_location_policy = fields.Selection(
        [
            ("move", "Move the goods to that location in Shopify"),
            ("report", "Wait for a decision"),
        ],
        string="Shipped from Another Location",
        default="move",
        required=True,
        tracking=True,
        help="When Shopify expects the goods from another location than the one that shipped.",
    )
    fulfillment_release_holds = fields.Boolean(
        string="Release Own Holds",
        tracking=True,
        help="Holds that were put on the goods through this app are released when they are"
        " delivered. Holds of others always make the delivery wait.",
    )
    fulfillment_return_policy = fields.Selection(
        [
            ("keep", "Leave it to returns and refunds in Shopify"),
            ("cancel", "Cancel the fulfilment in Shopify"),
        ],
        string="Delivery Wholly Returned",
        default="keep",
        required=True,
        tracking=True,
        help="When all goods of a delivery come back to the warehouse.",
    )
    digital_policy = fields.Selection(
        [
            ("leave", "Leave them to Shopify"),
            ("apart", "Fulfil them when the order is paid and confirmed"),
        ],
        string="Gift Cards and Digital Goods",
        default="leave",
        required=True,
        tracking=True,
        help="Shopify fulfils gift cards by itself unless that is switched off there.",
    )
    tracking_company_ids = fields.One2many("shopify.tracking.company", "backend_id")
    fulfillment_count = fields.Integer(compute="_compute_fulfillment_count")

    def _compute_fulfillment_count(self):
        groups = self.env["shopify.fulfillment"]._read_group(
            [("backend_id", "in", self.ids), ("state", "in", ("pending", "sending", "waiting"))],
            ["backend_id"],
            ["__count"],
        )
        counts = {backend.id: count for backend, count in groups}
        for backend in self:
            backend.fulfillment_count = counts.get(backend.id, 0)

    def _reads_fulfillments(self):
        """Whether parcels that Shopify knows of are of interest here."""
        self.ensure_one()
        return self.export_fulfillments or any(self.location_ids.mapped("shopify_ships"))

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"fulfillment_location_policy", "fulfillment_release_holds"}:
            self._retry_fulfillments()
        if "export_fulfillments" in vals:
            self._update_fulfillment_topics()
        return result

    def _update_fulfillment_topics(self):
        """Have Shopify tell of parcels, or no longer."""
        for backend in self:
            if backend.use_webhooks and backend._can_call():
                backend._delay(f"shopify:{backend.id}:webhooks")._job_reconcile_webhooks()

    def _retry_fulfillments(self):
        """Look again at all shipments that wait for a decision."""
        rows = self.env["shopify.fulfillment"].sudo()
        rows.search([("backend_id", "in", self.ids), ("state", "=", "waiting")])._due_now()

    # === JOBS === #

    def _trigger_fulfillments(self, **options):
        """Exchange the shipments that wait, once this transaction is through."""
        self.ensure_one()
        if self._can_call():
            self._delay(
                f"shopify:{self.id}:fulfillments",
                description=self.env._("Shipments of %s", self.sudo().name),
                **options,
            )._job_push_fulfillments()

    def _job_push_fulfillments(self):
        """Tell a store of deliveries, tracking and cancellations."""
        return self.env["shopify.fulfillment.exporter"]._drain(self)

    def _trigger_apply_fulfillments(self):
        """Validate the deliveries of parcels, once this transaction is through."""
        self.ensure_one()
        self._delay(
            f"shopify:{self.id}:parcels",
            description=self.env._("Parcels of %s", self.sudo().name),
        )._job_apply_fulfillments()

    def _job_apply_fulfillments(self):
        """Let deliveries follow parcels that were sent outside of Odoo."""
        return self.env["shopify.fulfillment.importer"]._apply(self)

    @api.model
    def _cron_fulfillments(self):
        """Net below the jobs: no shipment that is due waits longer than a minute."""
        self.env["shopify.fulfillment.exporter"]._trigger_due()
        waiting = [("direction", "=", "in"), ("state", "=", "pending")]
        for (backend,) in self.env["shopify.fulfillment"]._read_group(waiting, ["backend_id"]):
            backend._trigger_apply_fulfillments()

    # === ACTIONS === #

    def action_view_fulfillments(self):
        """List the shipments of this store."""
        return self._open_mine("action_shopify_fulfillment")
