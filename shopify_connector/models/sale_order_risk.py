from odoo import api, fields, models


class SaleOrder(models.Model):
    """Sale orders that wait because of the risk of their Shopify order."""

    _inherit = "sale.order"

    shopify_hold = fields.Selection(
        related="shopify_order_ids.hold", string="Shopify Hold", related_sudo=True
    )
    shopify_hold_reason = fields.Char(compute="_compute_shopify_hold_reason", compute_sudo=True)

    @api.depends("shopify_order_ids.risk", "shopify_order_ids.risk_level")
    def _compute_shopify_hold_reason(self):
        for order in self:
            order.shopify_hold_reason = order.shopify_order_ids[:1].hold_reason

    def action_shopify_release(self):
        """Go on in spite of the risk."""
        return self.shopify_order_ids.action_release()

    def _action_confirm(self):
        """Whoever confirms a held quotation by hand has decided."""
        if not self.env.context.get("shopify_defer_reservation"):
            orders = self.sudo().shopify_order_ids
            orders.filtered(lambda order: order.hold == "held")._mark_released()
        return super()._action_confirm()

    def _action_cancel(self):
        """What is cancelled needs no decision about its risk any more."""
        result = super()._action_cancel()
        orders = self.sudo().shopify_order_ids
        orders.filtered(lambda order: order.hold in ("held", "late"))._end_hold()
        return result
