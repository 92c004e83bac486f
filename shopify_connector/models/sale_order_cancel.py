from odoo import api, fields, models


class SaleOrder(models.Model):
    """Cancelling a sale order offers to cancel its Shopify order."""

    _inherit = "sale.order"

    shopify_can_cancel = fields.Boolean(compute="_compute_shopify_can_cancel", compute_sudo=True)

    @api.depends("shopify_order_ids.can_cancel")
    def _compute_shopify_can_cancel(self):
        for order in self:
            order.shopify_can_cancel = order.shopify_order_ids[:1].can_cancel

    def action_cancel(self):
        """The button of the form asks about Shopify first; code that cancels is not asked."""
        if (
            self.env.context.get("shopify_offer_cancel")
            and len(self) == 1
            and not self.locked
            and self.shopify_can_cancel
            and self.env.user.has_group("shopify_connector.group_operator")
        ):
            return self.action_shopify_cancel()
        return super().action_cancel()

    def action_shopify_cancel(self):
        """Choose how to cancel the order in Shopify."""
        self.ensure_one()
        return self.shopify_order_ids.action_cancel_in_shopify()
