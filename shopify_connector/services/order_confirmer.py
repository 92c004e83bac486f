"""Confirmation of imported orders, and when their stock is reserved."""

from __future__ import annotations

from odoo import models

from .order_policies import may_confirm


class ShopifyOrderConfirmer(models.AbstractModel):
    """Confirms orders by the store's policy.

    Drains that confirm side by side would collide on the quantities of one product, so stock is
    reserved afterwards, by one job per store.
    """

    _name = "shopify.order.confirmer"
    _description = "Shopify Order Confirmer"

    def _wanted(self, backend, order, binding=None):
        """Whether the policy confirms this Shopify order; open to extension.

        :param binding: its ``shopify.order``; None while there is none
        """
        if self.env["shopify.order.holder"]._holds(backend, order, binding):
            return False
        return may_confirm(backend.confirm_policy, order)

    def _confirm(self, backend, pairs):
        """Confirm the quotations among ``pairs`` that the policy lets, all at once.

        :param pairs: ``[(Order, sale.order)]``
        :return: the sale orders that were confirmed
        """
        ids = [
            sale.id
            for order, sale in pairs
            if sale.state in ("draft", "sent")
            and self._wanted(backend, order, sale.shopify_order_ids[:1])
        ]
        return self._confirm_sales(backend, self.env["sale.order"].browse(ids))

    def _confirm_sales(self, backend, sales):
        """Confirm quotations at once; their stock is reserved by a job."""
        if not sales:
            return sales
        self._create_references(sales)
        sales.with_context(
            shopify_defer_reservation=True, sale_no_log_for_new_lines=True
        ).action_confirm()
        if backend.reserve:
            backend._trigger_reservation()
        return sales

    def _create_references(self, sales):
        """What links orders and transfers; Odoo makes them one by one otherwise."""
        lines = [
            sale.order_line.filtered(lambda line: line.product_id.type == "consu")[:1]
            for sale in sales
            if not sale.stock_reference_ids
        ]
        self.env["stock.reference"].create(
            [line._prepare_reference_vals() for line in lines if line]
        )
