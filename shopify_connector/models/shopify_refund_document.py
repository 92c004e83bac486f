"""From each document that was made for a refund, the others are one click away."""

from odoo import api, fields, models


class ShopifyRefundDocument(models.AbstractModel):
    """A credit note, a payment or a receipt of goods that may have been made for a refund."""

    _name = "shopify.refund.document"
    _description = "Shopify Refund Document"

    shopify_refunds_count = fields.Integer(compute="_compute_shopify_documents", compute_sudo=True)
    shopify_credit_notes_count = fields.Integer(
        compute="_compute_shopify_documents", compute_sudo=True
    )
    shopify_refund_payments_count = fields.Integer(
        compute="_compute_shopify_documents", compute_sudo=True
    )
    shopify_receipts_count = fields.Integer(compute="_compute_shopify_documents", compute_sudo=True)

    def _compute_shopify_documents(self):
        for record in self:
            refunds = record._shopify_refunds()
            record.shopify_refunds_count = len(refunds)
            record.shopify_credit_notes_count = len(refunds.move_ids)
            record.shopify_refund_payments_count = len(refunds.payment_ids.move_id)
            record.shopify_receipts_count = len(refunds._receipts())

    def _shopify_refunds(self):
        """The refunds that this document stands for."""
        raise NotImplementedError

    def _shopify_documents(self):
        """The refunds, whoever asks: what may be seen of them is up to each document."""
        self.check_access("read")
        return self.sudo()._shopify_refunds()

    def action_view_shopify_refunds(self):
        """Open the refund in Shopify."""
        return self._shopify_documents().sudo(False)._get_records_action()

    def action_view_shopify_credit_notes(self):
        """Open the credit note of the refund."""
        return self._shopify_documents().move_ids.sudo(False)._get_records_action()

    def action_view_shopify_payments(self):
        """Open what was booked for the money of the refund."""
        return self._shopify_documents()._bookings().sudo(False)._get_records_action()

    def action_view_shopify_receipts(self):
        """Open the receipts of the goods."""
        return self._shopify_documents()._receipts().sudo(False)._get_records_action()


class ShopifyRefund(models.Model):
    _inherit = "shopify.refund"

    def _receipts(self):
        """The receipts of its goods, also those that its return made before the money went back."""
        return self.picking_ids | self.return_id.picking_ids

    def _bookings(self):
        """Its payments; journal entries where some are booked without one, as gift cards are."""
        booked = self.payment_ids.filtered("move_id")
        return booked.payment_id if all(row.payment_id for row in booked) else booked.move_id


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "shopify.refund.document"]

    shopify_payment_ids = fields.One2many("shopify.payment", "move_id", readonly=True)

    @api.depends("shopify_refund_id", "shopify_payment_ids.refund_id")
    def _compute_shopify_documents(self):
        return super()._compute_shopify_documents()

    def _shopify_refunds(self):
        return self.shopify_refund_id | self.shopify_payment_ids.refund_id


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = ["account.payment", "shopify.refund.document"]

    @api.depends("shopify_payment_ids.refund_id")
    def _compute_shopify_documents(self):
        return super()._compute_shopify_documents()

    def _shopify_refunds(self):
        return self.shopify_payment_ids.refund_id


class StockPicking(models.Model):
    _name = "stock.picking"
    _inherit = ["stock.picking", "shopify.refund.document"]

    @api.depends("shopify_refund_id", "shopify_return_id.refund_ids")
    def _compute_shopify_documents(self):
        return super()._compute_shopify_documents()

    def _shopify_refunds(self):
        return self.shopify_refund_id | self.shopify_return_id.refund_ids

    def action_view_shopify_return(self):
        """Open the return in Shopify."""
        return self.shopify_return_id._get_records_action()
