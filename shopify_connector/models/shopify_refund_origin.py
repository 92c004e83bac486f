"""Where a refund in Shopify can be asked for: its order, a credit note, a return of goods."""

from odoo import api, fields, models
from odoo.exceptions import UserError


class ShopifyBackend(models.Model):
    _inherit = "shopify.backend"

    refund_in_shopify = fields.Boolean(
        string="Refund in Shopify",
        tracking=True,
        help="Operators may give money back in Shopify from a credit note, from a return of goods"
        " or from the order. Shopify's own calculation is shown first, and nothing is refunded"
        " without being asked.",
    )


class ShopifyOrder(models.Model):
    _inherit = "shopify.order"

    refund_request_ids = fields.One2many("shopify.refund.request", "order_id", readonly=True)
    refund_request_count = fields.Integer(compute="_compute_refund_request_count")
    can_refund = fields.Boolean(compute="_compute_can_refund")

    @api.depends("refund_request_ids")
    def _compute_refund_request_count(self):
        for order in self:
            order.refund_request_count = len(order.refund_request_ids)

    @api.depends("backend_id.refund_in_shopify", "deleted")
    def _compute_can_refund(self):
        for order in self:
            order.can_refund = order.backend_id.refund_in_shopify and not order.deleted

    def _check_can_refund(self):
        """:raises UserError: why nothing of this order can be refunded from here"""
        self.ensure_one()
        self._check_operator()
        order = self.sudo()
        on_its_way = order.refund_request_ids.filtered(lambda one: one.state == "sending")
        reasons = (
            (
                not order.backend_id.refund_in_shopify,
                self.env._(
                    "Store %s does not let Odoo refund. A manager may switch it on: page Orders,"
                    " 'Refund in Shopify'.",
                    order.backend_id.name,
                ),
            ),
            (
                not order.backend_id._can_call(),
                self.env._("Store %s is not connected.", order.backend_id.name),
            ),
            (order.deleted, self.env._("%s was deleted in Shopify.", order.name)),
            (
                on_its_way,
                self.env._(
                    "Shopify has not answered yet to a refund of %(amount)s for %(order)s. It is"
                    " looked for by itself; wait until that is decided.",
                    amount=on_its_way.currency_id.format(on_its_way.amount) if on_its_way else "",
                    order=order.name,
                ),
            ),
        )
        for applies, message in reasons:
            if applies:
                raise UserError(message)

    # === ACTIONS === #

    def action_refund_in_shopify(self, move=None, picking=None):
        """Choose what to refund; opens with Shopify's own calculation."""
        self._check_can_refund()
        wizard = self.env["shopify.refund.create"]._open_for(self, move, picking)
        return wizard._reopen()

    def action_view_refund_requests(self):
        """List the refunds that were asked for from Odoo."""
        self.ensure_one()
        return self.refund_request_ids._get_records_action(name=self.env._("Asked For in Odoo"))


class AccountMove(models.Model):
    _inherit = "account.move"

    shopify_refund_request_ids = fields.One2many("shopify.refund.request", "move_id", readonly=True)
    shopify_can_refund = fields.Boolean(compute="_compute_shopify_can_refund", compute_sudo=True)

    @api.depends("state", "move_type", "shopify_refund_id", "shopify_refund_request_ids.state")
    def _compute_shopify_can_refund(self):
        for move in self:
            move.shopify_can_refund = bool(
                move.state == "posted"
                and move.move_type == "out_refund"
                and not (move.shopify_refund_id or move._shopify_refunded())
                and move._shopify_orders().can_refund
            )

    def _shopify_orders(self):
        """The Shopify order whose sale a credit note takes back; none when there are several."""
        lines = self.invoice_line_ids | self.reversed_entry_id.invoice_line_ids
        orders = lines.sale_line_ids.order_id.shopify_order_ids
        return orders if len(orders) == 1 else orders.browse()

    def _shopify_refunded(self):
        """Whether the money of this credit note went back already, or is on its way."""
        return self.shopify_refund_request_ids._gave_back()

    def action_refund_in_shopify(self):
        """Give the money of a credit note back in Shopify."""
        self.ensure_one()
        if not self.sudo().shopify_can_refund:
            raise UserError(
                self.env._(
                    "%s cannot be refunded in Shopify: it must be a posted credit note of one"
                    " Shopify order whose store allows it, and not refunded yet.",
                    self.display_name,
                )
            )
        return self.sudo()._shopify_orders().sudo(False).action_refund_in_shopify(move=self)


class StockPicking(models.Model):
    _inherit = "stock.picking"

    shopify_refund_request_ids = fields.One2many(
        "shopify.refund.request", "picking_id", readonly=True
    )
    shopify_can_refund = fields.Boolean(compute="_compute_shopify_can_refund", compute_sudo=True)

    @api.depends(
        "state", "location_id", "sale_id", "shopify_refund_id", "shopify_refund_request_ids.state"
    )
    def _compute_shopify_can_refund(self):
        for picking in self:
            picking.shopify_can_refund = bool(
                picking.state == "done"
                and picking.location_id.usage == "customer"
                and not (picking.shopify_refund_id or picking._shopify_refunded())
                and picking.sale_id.shopify_order_ids[:1].can_refund
            )

    def _shopify_refunded(self):
        """Whether the money of this return went back already, or is on its way."""
        return self.shopify_refund_request_ids._gave_back()

    def action_refund_in_shopify(self):
        """Give the money of returned goods back in Shopify."""
        self.ensure_one()
        if not self.sudo().shopify_can_refund:
            raise UserError(
                self.env._(
                    "%s cannot be refunded in Shopify: it must be a validated return of a Shopify"
                    " order whose store allows it, and not refunded yet.",
                    self.display_name,
                )
            )
        order = self.sudo().sale_id.shopify_order_ids.sudo(False)
        return order.action_refund_in_shopify(picking=self)
