from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _action_done(self):
        """Deliveries may be due for an invoice: a job looks at it, not the one who delivers."""
        result = super()._action_done()
        delivered = self.filtered(lambda picking: picking.state == "done").sale_id
        self.env["shopify.accounting.task"].sudo()._add_sales(delivered)
        return result

    def _is_date_in_lock_period(self):
        """When an order of a closed month should have been sent books nothing: of a Shopify order
        only the day counts on which the goods left.
        """
        if not self.sale_id.shopify_backend_id:
            return super()._is_date_in_lock_period()
        return bool(
            self.date_done
            and self.company_id._get_lock_date_violations(
                self.date_done.date(), sale=False, purchase=False, tax=False
            )
        )
