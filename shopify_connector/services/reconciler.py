import logging
from collections import namedtuple
from datetime import datetime, timedelta, timezone

from odoo import fields, models
from odoo.exceptions import UserError

from ..client.errors import ShopifyError

_logger = logging.getLogger(__name__)

Feed = namedtuple("Feed", "topic operation path kind binding")

# Shopify's search index lags behind by seconds to minutes, and clocks differ.
OVERLAP = timedelta(minutes=5)
PAGE_SIZE = 250
MAX_ITEMS = 5_000


class ShopifyReconciler(models.AbstractModel):
    """Polling: finds what no webhook told, by time of change.

    It reads first and writes afterwards: events and the position in one transaction, so the
    position never gets ahead of the inbox.

    The first poll starts at the store's *Orders From*, or when the store was created in Odoo
    where that is empty, so that connecting a store never imports its history by itself; that
    is what the import wizard is for. A later change of *Orders From* moves nothing.
    """

    _name = "shopify.reconciler"
    _description = "Shopify Polling"

    def _feeds(self):
        """What is polled; the query of each operation takes ``updated_at``."""
        return [
            Feed("products", "products_ids", "products", "Product", "shopify.product"),
            Feed("orders", "orders_ids", "orders", "Order", "shopify.order"),
        ]

    def _poll(self, backend):
        """Put what changed since the last time into the inbox.

        :return: a sentence for the job
        """
        backend.ensure_one()
        backend = backend.sudo()
        if not backend.use_polling or not backend._can_call():
            return self.env._("The store is not polled.")
        asked_at = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0)
        try:
            client = self.env["shopify.client.factory"]._client(backend)
            windows = [
                (feed, *self._read_window(client, feed, self._position(backend, feed)))
                for feed in self._feeds()
            ]
        except (ShopifyError, UserError) as error:
            # The next poll starts at the same place, and the drain reports a store that
            # does not answer.
            _logger.info("Polling %s: %s", backend.name, error)
            return self.env._("Shopify could not be asked: %(error)s", error=error)
        counts = {}
        for feed, found, complete in windows:
            counts[feed.topic] = self._keep(backend, feed, found)
            self._move(backend, feed, asked_at if complete else max(found.values()) + OVERLAP)
        if any(counts.values()):
            self.env["shopify.inbox"]._trigger(backend)
        if not all(complete for _feed, _found, complete in windows):
            backend._delay(f"shopify:{backend.id}:poll")._job_poll()
        return ", ".join(f"{count} {topic}" for topic, count in counts.items())

    def _keep(self, backend, feed, found):
        """Put what is new into the inbox.

        :return: number of events
        """
        items = [
            {"topic": f"{feed.topic}/poll", "gid": gid, "source": "poll", "updated_at": updated_at}
            for gid, updated_at in self._news(backend, feed, found).items()
        ]
        return self.env["shopify.inbox"]._put(backend, items)

    def _position(self, backend, feed):
        cursor = (
            self.env["shopify.cursor"]
            .sudo()
            .search([("backend_id", "=", backend.id), ("topic", "=", feed.topic)], limit=1)
        )
        return cursor.position or self._start(backend, feed)

    def _move(self, backend, feed, position):
        """Move the position, in the transaction that put the events."""
        Cursor = self.env["shopify.cursor"].sudo()
        values = {"position": position, "polled_at": fields.Datetime.now()}
        cursor = Cursor.search([("backend_id", "=", backend.id), ("topic", "=", feed.topic)])
        if cursor:
            cursor.write(values)
        else:
            Cursor.create({"backend_id": backend.id, "topic": feed.topic, **values})

    def _start(self, backend, feed):
        connected = backend.create_date or fields.Datetime.now()
        return (feed.topic == "orders" and backend.import_from) or connected

    def _read_window(self, client, feed, position):
        """:return: ``{gid: updated at (UTC, naive)}``, and whether that is all"""
        since = (position - OVERLAP).replace(microsecond=0)
        query = f"updated_at:>='{since.isoformat()}Z'"
        found = {}
        pages = client.pages(feed.operation, feed.path, {"query": query}, page_size=PAGE_SIZE)
        for page in pages:
            found.update((node["id"], _moment(node["updatedAt"])) for node in page.nodes)
            if len(found) >= MAX_ITEMS and page.cursor:
                return found, False
        return found, True

    def _news(self, backend, feed, found):
        """Leave out what was applied in that state or a later one."""
        bindings = (
            self.env[feed.binding]
            .sudo()
            .search_fetch(
                [("backend_id", "=", backend.id), ("shopify_gid", "in", list(found))],
                ["shopify_gid", "shopify_updated_at", "synced_at"],
            )
        )
        known = {binding.shopify_gid: binding for binding in bindings}
        return {
            gid: updated_at
            for gid, updated_at in found.items()
            if gid not in known or not known[gid]._has_applied(updated_at)
        }


def _moment(text):
    return (
        datetime.fromisoformat(text.replace("Z", "+00:00"))
        .astimezone(timezone.utc)
        .replace(tzinfo=None)
    )
