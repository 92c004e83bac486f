"""Which contacts an order belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from odoo import models


@dataclass(frozen=True, slots=True)
class Partners:
    """The contacts of one order, each a ``res.partner`` of one record.

    ``invoice`` and ``shipping`` are ``partner`` itself or a child of it. ``notes`` are sentences for
    the user about what was understood in an unusual way.
    """

    partner: models.BaseModel
    invoice: models.BaseModel
    shipping: models.BaseModel
    notes: tuple[str, ...] = ()


class ShopifyCustomerMatcher(models.AbstractModel):
    _name = "shopify.customer.matcher"
    _description = "Shopify Customer Matcher"

    def _match(self, backend, orders):
        """Find or create the contacts of a batch of orders.

        :param backend: the store, one record
        :param orders: list of :class:`~..mappers.order_types.Order`
        :return: ``({order.gid: Partners}, {order.gid: list[Block]})``; an order with blocks has no
            partners, and nothing was written for it
        """
        raise NotImplementedError
