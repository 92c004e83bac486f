"""The store's products and variants, linked to Odoo's."""

from odoo import models


class ShopifyCatalogImporter(models.AbstractModel):
    """Handler of the inbox for products."""

    _name = "shopify.catalog.importer"
    _description = "Shopify Catalogue Importer"

    def _import(self, backend):
        """Read all products of the store, link them, and return how many were read."""
        raise NotImplementedError

    def _fetch(self, backend, client, gids):
        """Read products by id: ``({gid: node or None}, faults)``; touches no database."""
        raise NotImplementedError

    def _process(self, backend, nodes, context):
        """Create or update the bindings of a batch of products: ``{gid: Outcome}``."""
        raise NotImplementedError
