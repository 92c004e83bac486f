from odoo import models


class ShopifyInbox(models.AbstractModel):
    """From the inbox to the handlers, in batches."""

    _name = "shopify.inbox"
    _description = "Shopify Inbox"

    def _handlers(self):
        """Model that handles each type of resource: ``{gid type: model name}``.

        A handler is an abstract model with ``_fetch(backend, client, gids)`` (network
        only) and ``_process(backend, nodes, context)`` (database only).
        """
        return {
            "Order": "shopify.order.importer",
            "Product": "shopify.catalog.importer",
        }

    def _put(self, backend, items):
        """Add events in one INSERT.

        :param items: list of ``{topic, gid, source, updated_at=None, priority=None}``,
            source being ``webhook``, ``poll``, ``manual`` or ``retry``
        :return: number of events added
        """
        raise NotImplementedError

    def _trigger(self, backend, delay=0):
        """Enqueue one drain of the store, in ``delay`` seconds."""
        raise NotImplementedError

    def _drain(self, backend, limit=50):
        """Process the events that are due; return a sentence for the job."""
        raise NotImplementedError
