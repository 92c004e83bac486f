"""Which products the lines of orders are."""

from odoo import models


class ShopifyProductMatcher(models.AbstractModel):
    _name = "shopify.product.matcher"
    _description = "Shopify Product Matcher"

    def _match(self, backend, lines):
        """Find the product of every line of a batch of orders.

        Lines of every kind are answered; for the delivery method of shipping lines and their product
        ask ``shopify.carrier.matcher``.

        :param backend: the store, one record
        :param lines: list of :class:`~..mappers.order_types.OrderLine`
        :return: ``({line.gid: product.product}, {line.gid: Block})``; every line is in one of them
        """
        raise NotImplementedError
