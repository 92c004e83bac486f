from odoo import api, fields, models
from odoo.exceptions import AccessError


class ShopifyOrder(models.Model):
    """A Shopify order, its facts as Shopify states them, and the sale order made from it."""

    _name = "shopify.order"
    _inherit = "shopify.binding"
    _description = "Shopify Order"
    _rec_name = "name"
    _order = "processed_at desc, id desc"

    name = fields.Char(string="Shopify Order", required=True, readonly=True)
    legacy_id = fields.Char(string="Order Number in URLs", readonly=True)
    sale_order_id = fields.Many2one(
        "sale.order", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    partner_id = fields.Many2one(related="sale_order_id.partner_id")
    sale_state = fields.Selection(related="sale_order_id.state", string="Order Status")

    processed_at = fields.Datetime(string="Ordered", readonly=True)
    cancelled_at = fields.Datetime(string="Cancelled", readonly=True)
    closed_at = fields.Datetime(string="Archived", readonly=True)
    deleted = fields.Boolean(
        string="Deleted in Shopify", readonly=True, help="Shopify does not hold it any more."
    )
    # Shopify adds values to its enumerations between versions, so these are no selections.
    financial_status = fields.Char(string="Payment Status", readonly=True)
    fulfillment_status = fields.Char(string="Fulfilment Status", readonly=True)
    return_status = fields.Char(string="Return", readonly=True)
    cancel_reason = fields.Char(readonly=True)
    risk = fields.Char(readonly=True, help="What Shopify recommends to do with the order.")
    risk_level = fields.Char(readonly=True)
    status_summary = fields.Char(string="Shopify Status", compute="_compute_status_summary")
    test = fields.Boolean(string="Test Order", readonly=True)
    edited = fields.Boolean(readonly=True, help="Changed in Shopify after it was placed.")

    currency_id = fields.Many2one("res.currency", readonly=True)
    currency_policy = fields.Char(
        copy=False, readonly=True, help="The store's when the order was imported."
    )
    taxes_included = fields.Boolean(string="Prices Include Tax", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    amount_tax = fields.Monetary(string="Taxes", readonly=True)
    amount_shipping = fields.Monetary(string="Shipping", readonly=True)
    amount_discount = fields.Monetary(string="Discounts", readonly=True)
    amount_current = fields.Monetary(
        string="Current Total", readonly=True, help="After edits, refunds and returns."
    )
    amount_received = fields.Monetary(string="Received", readonly=True)
    amount_outstanding = fields.Monetary(string="Outstanding", readonly=True)
    amount_refunded = fields.Monetary(string="Refunded", readonly=True)
    figures = fields.Json(
        prefetch=False, readonly=True, help="Taxes and discounts as Shopify states them."
    )

    note = fields.Text(readonly=True)
    tags = fields.Char(readonly=True)
    attributes = fields.Text(string="Additional Details", readonly=True)
    discount_codes = fields.Char(readonly=True)
    gateways = fields.Char(string="Payment Gateways", readonly=True)
    channel = fields.Char(readonly=True)
    source_name = fields.Char(string="Source", readonly=True)
    app_name = fields.Char(string="App", readonly=True)
    po_number = fields.Char(string="PO Number", readonly=True)
    confirmation_number = fields.Char(readonly=True)
    locale = fields.Char(string="Customer's Language", readonly=True)
    email = fields.Char(readonly=True)
    phone = fields.Char(readonly=True)
    warnings = fields.Text(readonly=True, help="What was understood in an unusual way at import.")

    reserve_pending = fields.Boolean(
        readonly=True, copy=False, help="Stock will be reserved by a job."
    )
    comparison = fields.Html(compute="_compute_comparison", sanitize=False)
    log_count = fields.Integer(compute="_compute_counts")
    exception_count = fields.Integer(compute="_compute_counts")

    _sale_order_uniq = models.UniqueIndex(
        "(sale_order_id) WHERE sale_order_id IS NOT NULL",
        "A sale order belongs to one Shopify order only.",
    )
    _reserve_pending_idx = models.Index("(backend_id, id) WHERE reserve_pending")
    _processed_at_idx = models.Index("(processed_at DESC, id DESC)")

    # === COMPUTE METHODS === #

    @api.depends("financial_status", "fulfillment_status", "cancelled_at", "deleted")
    def _compute_status_summary(self):
        for order in self:
            parts = [order.financial_status, order.fulfillment_status]
            if order.cancelled_at:
                parts.append(self.env._("cancelled"))
            if order.deleted:
                parts.append(self.env._("deleted"))
            order.status_summary = ", ".join(part.replace("_", " ") for part in parts if part)

    @api.depends("sale_order_id.amount_total", "figures")
    def _compute_comparison(self):
        for order in self:
            order.comparison = self.env["ir.qweb"]._render(
                "shopify_connector.order_comparison", order._comparison_values()
            )

    def _comparison_values(self):
        """Shopify's figures beside Odoo's, for the page of the order."""
        self.ensure_one()
        # Auditors may not read sale orders; these figures are part of the Shopify order.
        sale, money = self.sale_order_id.sudo(), self.currency_id
        ours = sale._shopify_figures() if sale else {}
        # Shopify states shipping and discounts with or without the discount on shipping.
        on_shipping = ours.get("shipping_discount", 0.0)
        rows = [
            (self.env._("Total"), self.amount_total, ours.get("total"), 0.0),
            (self.env._("Taxes"), self.amount_tax, ours.get("tax"), 0.0),
            (self.env._("Shipping"), self.amount_shipping, ours.get("shipping"), on_shipping),
            (self.env._("Discounts"), self.amount_discount, ours.get("discount"), -on_shipping),
        ]
        figures = self.figures or {}
        tax_ids = {line["tax_id"] for line in figures.get("taxes", [])} - {False}
        taxes = {
            tax.id: tax.display_name
            for tax in self.env["account.tax"].sudo().browse(tax_ids).exists()
        }
        return {
            "order": self,
            "sale": sale,
            "rows": [
                self._comparison_row(label, theirs, own, other)
                for label, theirs, own, other in rows
            ],
            "taxes": [
                {
                    **line,
                    "percent": "" if line["rate"] is None else f"{line['rate']:.6g} %",
                    "shopify": money.format(line["amount"]),
                    "odoo_tax": taxes.get(line["tax_id"], ""),
                }
                for line in figures.get("taxes", [])
            ],
            "discounts": [
                {**line, "shopify": money.format(line["amount"])}
                for line in figures.get("discounts", [])
            ],
        }

    def _comparison_row(self, label, theirs, own, other):
        """:param other: what may be added to Odoo's figure to get Shopify's"""
        money = self.currency_id
        if own is not None and not money.compare_amounts(theirs, own + other):
            own += other
        return {
            "label": label,
            "shopify": money.format(theirs),
            "odoo": "" if own is None else money.format(own),
            "same": own is None or not money.compare_amounts(theirs, own),
        }

    def _compute_counts(self):
        gids = self.mapped("shopify_gid")
        logs = dict(
            self.env["shopify.sync.log"]._read_group([("gid", "in", gids)], ["gid"], ["__count"])
        )
        waiting = dict(
            self.env["shopify.exception.line"]._read_group(
                [("gid", "in", gids), ("state", "=", "waiting")], ["gid"], ["__count"]
            )
        )
        for order in self:
            order.log_count = logs.get(order.shopify_gid, 0)
            order.exception_count = waiting.get(order.shopify_gid, 0)

    # === ACTIONS === #

    def _check_operator(self):
        """The facts are read-only for people; what operators may do goes through here."""
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group("shopify_connector.group_operator")):
            raise AccessError(self.env._("Only operators of the Shopify connector may do this."))

    def action_refresh(self):
        """Read these orders from Shopify again."""
        self._check_operator()
        Inbox = self.env["shopify.inbox"]
        for backend, orders in self.grouped("backend_id").items():
            Inbox._put(
                backend,
                [
                    {"topic": "manual", "gid": order.shopify_gid, "source": "manual"}
                    for order in orders
                ],
            )
            Inbox._kick(backend)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("Read from Shopify again in a moment."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_open_in_shopify(self):
        """Open the order in Shopify's admin."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"https://{self.backend_id.shop_domain}/admin/orders/{self.legacy_id}",
            "target": "new",
        }

    def action_view_sale_order(self):
        """Open the sale order."""
        self.ensure_one()
        return self.sale_order_id._get_records_action()

    def action_view_log(self):
        """List what happened with this order."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Log"),
            "res_model": "shopify.sync.log",
            "view_mode": "list,form",
            "domain": [("gid", "in", self.mapped("shopify_gid"))],
        }

    def action_view_exceptions(self):
        """List the causes that this order waits for."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Exceptions"),
            "res_model": "shopify.exception",
            "view_mode": "list,form",
            "domain": [("line_ids.gid", "in", self.mapped("shopify_gid"))],
        }
