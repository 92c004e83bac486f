"""Which Odoo taxes the tax lines of orders are."""

from odoo import models


class ShopifyTaxMatcher(models.AbstractModel):
    _name = "shopify.tax.matcher"
    _description = "Shopify Tax Matcher"

    def _match(self, backend, keys):
        """Find the tax of every key of a batch of orders.

        :param backend: the store, one record
        :param keys: set of :class:`~..mappers.tax.TaxKey`
        :return: ``({key: account.tax}, {key: Block})``; every key is in one of them
        """
        raise NotImplementedError
