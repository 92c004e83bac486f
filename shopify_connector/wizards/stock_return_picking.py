from odoo import models


class StockReturnPicking(models.TransientModel):
    _inherit = "stock.return.picking"

    def _prepare_picking_default_values(self):
        """Where the goods go, and what they came with."""
        vals = super()._prepare_picking_default_values()
        return vals | (self.env.context.get("shopify_return_values") or {})
