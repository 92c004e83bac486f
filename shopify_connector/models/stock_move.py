from odoo import models
from odoo.tools import plaintext2html


class StockMove(models.Model):
    _inherit = "stock.move"

    def _action_assign(self, force_qty=False):
        """Orders that are imported side by side are reserved later, by one job per store."""
        if self.env.context.get("shopify_defer_reservation"):
            return None
        return super()._action_assign(force_qty=force_qty)

    def _get_new_picking_values(self):
        """What the customer wrote on the order is for those who pack it."""
        values = super()._get_new_picking_values()
        # whoever confirms the order may not read what came from Shopify
        note = self.sudo().reference_ids.sale_ids.shopify_order_ids[:1].note
        if note and not values.get("note"):
            values["note"] = plaintext2html(note)
        return values
