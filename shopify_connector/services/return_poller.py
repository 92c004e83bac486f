import logging
from datetime import datetime, timedelta, timezone

from odoo import models
from odoo.exceptions import UserError

from ..client.errors import ShopifyError

_logger = logging.getLogger(__name__)

# Orders that are older are asked for only while Odoo knows of an open return of theirs.
LOOK_BACK = timedelta(days=90)
PAGE_SIZE = 250
MAX_ITEMS = 5_000
# Values of ``Order.returnStatus``. Those of the first kind may hide any change.
OPEN = ("return_requested", "in_progress", "inspection_complete")
OVER = ("returned", "return_failed")
# Values of ``Return.status``.
FINAL = ("closed", "canceled", "declined")


class ShopifyReconciler(models.AbstractModel):
    """Returns of which no webhook told.

    A return that is requested, approved, declined or closed does not change ``Order.updatedAt``,
    so that polling by time of change never sees it.
    """

    _inherit = "shopify.reconciler"

    def _poll_returns(self, backend):
        """Put orders into the inbox whose returns may not be in Odoo as they are in Shopify:
        all with open returns, and others when their return status is not the one known.

        :return: a sentence for the job
        """
        backend.ensure_one()
        backend = backend.sudo()
        if not backend.use_polling or not backend._can_call():
            return self.env._("The store is not polled.")
        try:
            client = self.env["shopify.client.factory"]._client(backend)
            stated = self._read_return_statuses(client)
        except (ShopifyError, UserError) as error:
            # Asked again at the next run.
            _logger.info("Polling returns of %s: %s", backend.name, error)
            return self.env._("Shopify could not be asked: %(error)s", error=error)
        gids = self._with_other_returns(backend, stated)
        items = [{"topic": "returns/poll", "gid": gid, "source": "poll"} for gid in gids]
        if items:
            self.env["shopify.inbox"]._put(backend, items)
            self.env["shopify.inbox"]._trigger(backend)
        return self.env._("%(count)s orders with returns", count=len(items))

    def _read_return_statuses(self, client):
        """:return: ``{gid of an order: its return status}``, the newest first"""
        since = datetime.now(timezone.utc).replace(tzinfo=None, microsecond=0) - LOOK_BACK
        statuses = " OR ".join(f"return_status:{status}" for status in (*OPEN, *OVER))
        variables = {
            "query": f"({statuses}) AND processed_at:>='{since.isoformat()}Z'",
            "sortKey": "PROCESSED_AT",
            "reverse": True,
        }
        found = {}
        for page in client.pages("orders_ids", "orders", variables, page_size=PAGE_SIZE):
            found |= {node["id"]: (node["returnStatus"] or "").lower() for node in page.nodes}
            if len(found) >= MAX_ITEMS:
                break
        return found

    def _with_other_returns(self, backend, stated):
        """Orders that are in Odoo; of others the polling of orders tells.

        :return: list of gids
        """
        orders = self.env["shopify.order"].search_fetch(
            [
                ("backend_id", "=", backend.id),
                ("deleted", "=", False),
                "|",
                ("return_ids.status", "not in", FINAL),
                ("shopify_gid", "in", list(stated)),
            ],
            ["shopify_gid", "return_status"],
        )
        return [
            order.shopify_gid
            for order in orders
            if stated.get(order.shopify_gid) not in OVER
            or stated[order.shopify_gid] != order.return_status
        ]
