from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    shopify_refund_id = fields.Many2one(
        "shopify.refund",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        copy=False,
    )

    def _post(self, soft=True):
        """Refunds of an order may wait for its invoice, and payments that were booked before an
        invoice that a person posts are to be matched with it.
        """
        posted = super()._post(soft)
        sales = posted.filtered(
            lambda move: move.move_type == "out_invoice"
        ).line_ids.sale_line_ids.order_id.sudo()
        waiting = sales.shopify_order_ids.refund_ids.filtered(
            lambda refund: refund.state in ("to_book", "not_booked", "exception")
        )
        if waiting:
            wanted = waiting.order_id.filtered(
                lambda order: order.backend_id.refund_policy != "none"
            )
            self.env["shopify.accounting.task"].sudo()._add(wanted)
        if not self.env.context.get("shopify_in_job"):
            self.env["shopify.accounting.task"].sudo()._add_sales(sales)
        return posted

    def _reconcile_reversed_moves(self, reverse_moves, move_reverse_cancel):
        """The job matches the credit notes that it posts with their money first. Nor does it
        leave them to be paired by position, which fits only while no two name one invoice.
        """
        if self.env.context.get("shopify_match_later"):
            return reverse_moves
        return super()._reconcile_reversed_moves(reverse_moves, move_reverse_cancel)


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    shopify_refund_line_id = fields.Many2one(
        "shopify.refund.line",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
        copy=False,
    )
