from odoo import models


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _prepare_invoice(self):
        """Business customers pay when Shopify says, whatever day the invoice is of."""
        values = super()._prepare_invoice()
        due = self.shopify_order_ids[:1].due_date if self.shopify_backend_id else None
        if due:
            values.update(invoice_payment_term_id=False, invoice_date_due=due)
        return values
