from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _action_done(self):
        """What was returned may be taken off orders for which a change in Shopify waits."""
        result = super()._action_done()
        returned = self.filtered(
            lambda picking: picking.state == "done" and picking.picking_type_code == "incoming"
        )
        orders = returned.sale_id.sudo().shopify_order_ids
        orders.filtered("difference")._look_again()
        return result
