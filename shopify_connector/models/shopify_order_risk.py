from odoo import api, fields, models

from ..services.order_risk import RISK_FLOW


class ShopifyOrder(models.Model):
    """Orders that wait for a decision because of their risk of fraud."""

    _inherit = "shopify.order"

    hold = fields.Selection(
        [
            ("held", "On Hold"),
            ("late", "Risk After Confirmation"),
            ("released", "Released"),
        ],
        readonly=True,
        copy=False,
        help="On hold: not confirmed because of the risk. Released: somebody decided to go on;"
        " that stays, whatever Shopify says later.",
    )
    hold_reason = fields.Char(compute="_compute_hold_reason")
    risk_seen = fields.Char(
        readonly=True, copy=False, help="The risk when it was last decided whether to hold."
    )
    released_at = fields.Datetime(string="Released", readonly=True, copy=False)
    released_by_id = fields.Many2one("res.users", readonly=True, copy=False)

    _hold_idx = models.Index("(backend_id) WHERE hold IN ('held', 'late')")

    @api.depends("risk", "risk_level")
    def _compute_hold_reason(self):
        for order in self:
            order.hold_reason = order._risk_sentence()

    def _risk_sentence(self):
        """What Shopify says of the risk, also in words that are not known here."""
        advice = {
            "none": "",
            "accept": self.env._("Shopify advises to accept"),
            "investigate": self.env._("Shopify advises to investigate"),
            "cancel": self.env._("Shopify advises to cancel"),
        }.get(self.risk or "none", self.env._("Shopify advises: %s", self.risk))
        level = {
            "none": "",
            "low": self.env._("low risk"),
            "medium": self.env._("medium risk"),
            "high": self.env._("high risk"),
            "pending": self.env._("risk not assessed yet"),
        }.get(self.risk_level or "none", self.env._("risk: %s", self.risk_level))
        return ", ".join(filter(None, (advice, level)))

    # === RELEASE === #

    def action_release(self):
        """A person takes the risk: confirm by the store's policy, and hold no more."""
        self._check_operator()
        orders = self.sudo().filtered(lambda order: order.hold in ("held", "late"))
        orders._mark_released()
        confirmed = self.env["shopify.order.holder"].sudo()._confirm_released(orders)
        quotations = orders.sale_order_id.filtered(lambda sale: sale.state in ("draft", "sent"))
        if confirmed or not quotations:
            message = self.env._("Released; %s orders were confirmed.", len(confirmed))
        else:
            message = self.env._(
                "Released. It stays a quotation until the store's rule confirms it, for example"
                " when it is paid."
            )
        return self.backend_id[:1]._notify(message, reload=True)

    def _mark_released(self):
        """Note who decided, in the order, its chatter and the log; nothing waits any more."""
        if not self:
            return
        self.write(
            {
                "hold": "released",
                "released_at": fields.Datetime.now(),
                "released_by_id": self.env.uid,
            }
        )
        for backend, orders in self.grouped("backend_id").items():
            rows = []
            for order in orders:
                message = self.env._(
                    "Released by %(user)s in spite of the risk: %(reason)s.",
                    user=self.env.user.name,
                    reason=order.hold_reason,
                )
                order.sale_order_id.message_post(body=message)
                rows.append(
                    {
                        "direction": "in",
                        "res_model": "sale.order",
                        "res_id": order.sale_order_id.id,
                        "name": order.name,
                        "gid": order.shopify_gid,
                        "outcome": "updated",
                        "message": message,
                    }
                )
            self.env["shopify.sync.log"]._log(backend, rows)
            self.env["shopify.exception"]._clear_waiting(
                backend, orders.mapped("shopify_gid"), flow=RISK_FLOW
            )

    def _end_hold(self):
        """Nothing is left to be decided."""
        self.write({"hold": False})
        for backend, orders in self.grouped("backend_id").items():
            self.env["shopify.exception"]._clear_waiting(
                backend, orders.mapped("shopify_gid"), flow=RISK_FLOW
            )

    def _look_again(self):
        """Decide anew about these held orders, with what Shopify says now."""
        Inbox = self.env["shopify.inbox"]
        for backend, orders in self.grouped("backend_id").items():
            Inbox._put(
                backend,
                [
                    {"topic": "retry", "gid": gid, "source": "retry"}
                    for gid in orders.mapped("shopify_gid")
                ],
            )
            Inbox._kick(backend)


class ShopifyException(models.Model):
    _inherit = "shopify.exception"

    def action_release(self):
        """Release the orders that wait because of their risk."""
        risks = self.filtered(lambda cause: cause.category == "risk" and cause.state == "open")
        orders = self.env["shopify.order"]
        for backend, causes in risks.grouped("backend_id").items():
            orders |= orders.search(
                [("backend_id", "=", backend.id), ("shopify_gid", "in", causes.mapped("key"))]
            )
        return orders.action_release()
