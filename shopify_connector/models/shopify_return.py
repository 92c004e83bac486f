from odoo import api, fields, models


class ShopifyReturn(models.Model):
    """A return as Shopify states it. Its status moves neither money nor goods: its refunds and
    its dispositions do.
    """

    _name = "shopify.return"
    _inherit = "shopify.binding"
    _description = "Shopify Return"
    _rec_name = "name"
    _order = "requested_at desc, id desc"

    name = fields.Char(required=True, readonly=True)
    order_id = fields.Many2one(
        "shopify.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    sale_order_id = fields.Many2one(related="order_id.sale_order_id")
    # Shopify adds values to its enumerations between versions, so these are no selections.
    status = fields.Char(readonly=True, index=True)
    requested_at = fields.Datetime(string="Requested", readonly=True)
    approved_at = fields.Datetime(string="Approved", readonly=True)
    closed_at = fields.Datetime(string="Closed", readonly=True)
    decline_reason = fields.Char(readonly=True)
    decline_note = fields.Text(readonly=True)
    problem = fields.Char(readonly=True)
    content = fields.Char(readonly=True, copy=False, help="Fingerprint of the lines.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    restocking_fee = fields.Monetary(readonly=True)
    shipping_fee = fields.Monetary(string="Return Shipping Fee", readonly=True)
    line_ids = fields.One2many("shopify.return.line", "return_id", readonly=True)
    disposition_ids = fields.One2many("shopify.return.disposition", "return_id", readonly=True)
    refund_ids = fields.One2many("shopify.refund", "return_id", readonly=True)
    units = fields.Integer(compute="_compute_units")
    reasons = fields.Char(compute="_compute_units")

    @api.depends("line_ids.quantity", "line_ids.reason_name", "line_ids.kind")
    def _compute_units(self):
        for item in self:
            lines = item.line_ids.filtered(lambda line: line.kind == "return")
            item.units = int(sum(lines.mapped("quantity")))
            item.reasons = ", ".join(sorted(set(filter(None, lines.mapped("reason_name")))))

    def action_view_order(self):
        """Open the Shopify order."""
        return self.order_id._get_records_action()

    def action_view_refunds(self):
        """Open the refunds."""
        return self.refund_ids._get_records_action(name=self.env._("Refunds"))


class ShopifyReturnLine(models.Model):
    """Units that are to come back, or that the customer gets instead."""

    _name = "shopify.return.line"
    _description = "Shopify Return Line"
    _order = "return_id, id"

    return_id = fields.Many2one(
        "shopify.return", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="return_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [("return", "Comes Back"), ("exchange", "Given Instead")], required=True, readonly=True
    )
    shopify_gid = fields.Char(readonly=True)
    line_gid = fields.Char(readonly=True)
    sale_line_id = fields.Many2one(
        "sale.order.line", readonly=True, ondelete="set null", index="btree_not_null"
    )
    title = fields.Char(string="Description", readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True)
    processed_quantity = fields.Float(string="Processed", digits="Product Unit", readonly=True)
    refunded_quantity = fields.Float(string="Refunded", digits="Product Unit", readonly=True)
    reason = fields.Char(string="Reason Code", readonly=True)
    reason_name = fields.Char(string="Reason", readonly=True)
    note = fields.Char(readonly=True)
    customer_note = fields.Char(readonly=True)


class ShopifyReturnDisposition(models.Model):
    """What became of returned units, as somebody recorded it in Shopify; without a kind yet for
    goods that are on their way.
    """

    _name = "shopify.return.disposition"
    _description = "Shopify Return Disposition"
    _order = "return_id, id"

    return_id = fields.Many2one(
        "shopify.return", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="return_id.company_id", store=True, index=True)
    shopify_gid = fields.Char(readonly=True, help="Of the disposition, or of the expected line.")
    reverse_order_gid = fields.Char(readonly=True)
    reverse_order_status = fields.Char(string="Status", readonly=True)
    line_gid = fields.Char(readonly=True)
    sale_line_id = fields.Many2one(
        "sale.order.line", readonly=True, ondelete="set null", index="btree_not_null"
    )
    kind = fields.Char(string="Disposition", readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True)
    location_gid = fields.Char(readonly=True)
    location_id = fields.Many2one("shopify.location", readonly=True, ondelete="set null")
    disposed_at = fields.Datetime(readonly=True)
