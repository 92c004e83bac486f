from odoo import api, fields, models

# Shopify's
STAFF_NOTE_MAXIMUM = 255


class ShopifyOrderCancel(models.TransientModel):
    """Cancels an order in Shopify and in Odoo, after showing what that means."""

    _name = "shopify.order.cancel"
    _description = "Cancel a Shopify Order"

    order_id = fields.Many2one("shopify.order", required=True, readonly=True, ondelete="cascade")
    sale_order_id = fields.Many2one(related="order_id.sale_order_id")
    sale_state = fields.Selection(related="sale_order_id.state")
    currency_id = fields.Many2one(related="order_id.currency_id")
    # Shopify's OrderCancelReason
    reason = fields.Selection(
        [
            ("CUSTOMER", "The customer changed or cancelled it"),
            ("DECLINED", "The payment was declined"),
            ("FRAUD", "It is fraudulent"),
            ("INVENTORY", "Goods are not available"),
            ("STAFF", "A mistake of ours"),
            ("OTHER", "Other"),
        ],
        required=True,
        default="CUSTOMER",
    )
    amount_paid = fields.Monetary(
        compute="_compute_amount_paid", help="Received and not refunded yet, as Shopify states it."
    )
    refund = fields.Selection(
        [
            ("original", "Now, the way it was paid"),
            ("later", "Not now"),
        ],
        required=True,
        default="original",
        help="Not now: the money stays with you until it is refunded in Shopify.",
    )
    restock = fields.Boolean(
        string="Restock in Shopify",
        default=True,
        help="What was kept for the order in Shopify is available again. Where Odoo exports its"
        " stock, Odoo's figures replace Shopify's anyway.",
    )
    notify_customer = fields.Boolean(string="Notify the Customer", help="Shopify sends a mail.")
    staff_note = fields.Char(
        size=STAFF_NOTE_MAXIMUM, help="Kept with the order in Shopify; customers do not see it."
    )
    summary = fields.Html(compute="_compute_summary", sanitize=False)

    @api.depends("order_id")
    def _compute_amount_paid(self):
        for wizard in self:
            order = wizard.order_id
            paid = order.amount_received - order.amount_refunded
            wizard.amount_paid = max(paid, 0.0)

    @api.depends("refund", "restock", "notify_customer")
    def _compute_summary(self):
        for wizard in self:
            wizard.summary = self.env["ir.qweb"]._render(
                "shopify_connector.order_cancel_summary",
                {"facts": wizard._facts(), "warnings": wizard._warnings()},
            )

    def _facts(self):
        """What will happen: sentences."""
        order, sale = self.order_id, self.sale_order_id.sudo()
        facts = [
            self.env._(
                "Order %(order)s is cancelled in Shopify, and %(name)s in Odoo.",
                order=order.name,
                name=sale.name,
            )
        ]
        amount = self.currency_id.format(self.amount_paid)
        if self.amount_paid and self.refund == "original":
            facts.append(self.env._("%s is refunded the way it was paid.", amount))
        elif self.amount_paid:
            facts.append(self.env._("%s stays with you until you refund it in Shopify.", amount))
        for authorised, left in order.sudo()._outstanding_authorisations():
            amount = authorised.customer_currency_id.format(left)
            facts.append(self.env._("%s that is only authorised is released.", amount))
        for line in self._open_lines(sale):
            facts.append(
                self.env._(
                    "%(quantity)g x %(product)s will not be delivered.",
                    quantity=line.product_uom_qty - line.qty_delivered,
                    product=line.product_id.display_name,
                )
            )
        if self.restock:
            facts.append(self.env._("What Shopify kept for the order is available there again."))
        if self.notify_customer:
            facts.append(self.env._("Shopify tells the customer by mail."))
        return facts

    def _open_lines(self, sale):
        return sale.order_line.filtered(
            lambda line: (
                not line.display_type
                and line.product_id.type == "consu"
                and line.product_uom_qty > line.qty_delivered
            )
        )

    def _warnings(self):
        sale = self.sale_order_id.sudo()
        warnings = []
        done = sale.picking_ids.filtered(lambda pick: pick.state == "done")
        if done:
            warnings.append(
                self.env._(
                    "Goods have left already (%s). Shopify refuses to cancel what it counts as"
                    " sent.",
                    ", ".join(done.mapped("name")),
                )
            )
        posted = sale.invoice_ids.filtered(lambda move: move.state == "posted")
        if posted:
            warnings.append(
                self.env._(
                    "%s stays posted: it needs a credit note.", ", ".join(posted.mapped("name"))
                )
            )
        return warnings

    # === ACTIONS === #

    def action_cancel(self):
        """Cancel in Shopify and in Odoo."""
        self.ensure_one()
        refund = self.refund == "original" and self.amount_paid
        result = self.order_id._cancel_in_shopify(
            {
                "reason": self.reason,
                "restock": self.restock,
                "refundMethod": {"originalPaymentMethodsRefund": True} if refund else None,
                "notifyCustomer": self.notify_customer,
                "staffNote": self.staff_note or None,
            }
        )
        result["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return result

    def action_cancel_in_odoo(self):
        """Cancel the sale order only; the Shopify order stays as it is."""
        self.ensure_one()
        self.sale_order_id.with_context(shopify_offer_cancel=False).action_cancel()
        return {"type": "ir.actions.act_window_close"}
