"""Refunds that were asked for in Odoo come back from Shopify: they have their documents already."""

from __future__ import annotations

from odoo import models


class ShopifyRefundAccountant(models.AbstractModel):
    _inherit = "shopify.refund.accountant"

    def _book(self, backend, orders, plan):
        waiting = self._link_own(orders)
        return super()._book(backend, orders - waiting, plan)

    def _link_own(self, orders):
        """Link refunds with the credit notes and returns that they were asked for from.

        :return: orders with a refund on its way: as long as its answer is not known, no refund of
            theirs may get a credit note. The end of the request books them.
        """
        requests = self.env["shopify.refund.request"].search(
            [("order_id", "in", orders.ids), ("state", "in", ("sending", "done"))]
        )
        own = {request.refund_gid: request for request in requests if request.refund_gid}
        refunds = self.env["shopify.refund"].search(
            [("order_id", "in", orders.ids), ("shopify_gid", "in", list(own))]
        )
        for refund in refunds:
            request = own[refund.shopify_gid]
            # Money that is not there yet may still fail.
            if refund.money_state in ("pending", "failed"):
                continue
            move, picking = request.move_id, request.picking_id
            if (
                move
                and move.state != "cancel"
                and not (refund._live_moves() or move.shopify_refund_id)
            ):
                refund._link_move(move, self.env._("The credit note was refunded from Odoo."))
            if picking and not picking.shopify_refund_id:
                picking.shopify_refund_id = refund
        return requests.filtered(lambda request: request.state == "sending").order_id
