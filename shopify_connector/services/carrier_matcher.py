"""Which delivery methods the shipping lines of orders are."""

from odoo import models


class ShopifyCarrierMatcher(models.AbstractModel):
    _name = "shopify.carrier.matcher"
    _description = "Shopify Carrier Matcher"

    def _match(self, backend, lines):
        """Find the delivery method and the product of every shipping line of a batch of orders.

        :param backend: the store, one record
        :param lines: list of :class:`~..mappers.order_types.OrderLine` of kind ``shipping``
        :return: ``({line.gid: (delivery.carrier, product.product)}, {line.gid: Block})``; the
            carrier is an empty record where none is mapped; every line is in one of them
        """
        raise NotImplementedError
