from collections import defaultdict
from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from ..mappers.stock import Demand, map_demand
from .sql_values import int_array

# Orders that are looked at before the export goes on; more than these come into Odoo first.
MAX_ORDERS = 250
# Shopify's statuses of orders whose goods have left, or never will.
_SHIPPED = ("fulfilled", "restocked", "fulfillment_not_required")
_NOTHING = Demand("", 0)
# Seconds after which Shopify's search shows an order, and after which its events have come in.
SEARCH_LAG = 5
EVENT_LAG = 60
# Without polling: after so long all webhooks should have come.
WEBHOOK_PATIENCE = 180


class ShopifyStockInflight(models.AbstractModel):
    """What Shopify has sold and Odoo has not reserved yet.

    Three kinds of orders: those that wait for their import (in the inbox, or for a person); those
    that are quotations in Odoo; those that are confirmed and not reserved. Their units are
    subtracted, so that a quantity from Odoo never sells them a second time.
    """

    _name = "shopify.stock.inflight"
    _description = "Orders on Their Way into Odoo"

    # === ORDERS THAT ARE NOT IN ODOO === #

    def _refresh(self, backend, client):
        """Read the orders that wait for their import and are not known yet.

        :return: whether there are more than were read
        """
        waiting = self._waiting_orders(backend)
        known = self._known_orders(backend)
        fresh = [gid for gid, since in waiting.items() if known.get(gid, since) <= since]
        gone = [gid for gid in known if gid not in waiting]
        if not fresh and not gone:
            return False
        nodes = {}
        if fresh:
            nodes, _faults = client.nodes("order_demand", fresh[:MAX_ORDERS])
        self._store(backend, nodes, gone)
        return len(fresh) > MAX_ORDERS

    def _waiting_orders(self, backend):
        """:return: ``{gid: when it last came in}`` of orders without a sale order"""
        with self.env["shopify.inbox"]._read_committed() as env:
            env.cr.execute(
                SQL(
                    """
                    SELECT gid, max(since) FROM (
                        SELECT resource_gid AS gid, received_at AS since
                        FROM shopify_webhook_event
                        WHERE backend_id = %(backend)s AND state = 'pending'
                        UNION ALL
                        SELECT gid, last_seen FROM shopify_exception_line
                        WHERE backend_id = %(backend)s AND flow = 'import'
                            AND state IN ('waiting', 'released')
                    ) t
                    WHERE gid LIKE 'gid://shopify/Order/%%' AND NOT EXISTS (
                        SELECT 1 FROM shopify_order o WHERE o.backend_id = %(backend)s
                            AND o.shopify_gid = t.gid AND o.sale_order_id IS NOT NULL)
                    GROUP BY gid ORDER BY max(since) DESC
                    """,
                    backend=backend.id,
                )
            )
            return dict(env.cr.fetchall())

    def _known_orders(self, backend):
        with self.env["shopify.inbox"]._read_committed() as env:
            env.cr.execute(
                SQL(
                    "SELECT order_gid, min(read_at) FROM shopify_stock_waiting"
                    " WHERE backend_id = %s GROUP BY order_gid",
                    backend.id,
                )
            )
            return dict(env.cr.fetchall())

    def _store(self, backend, nodes, gone):
        rows = [
            (gid, (node or {}).get("name"), _place(node), demand.variant_gid, demand.quantity)
            for gid, node in nodes.items()
            # An order without goods is kept too, so that it is not read again.
            for demand in map_demand(node) or (_NOTHING,)
        ]
        with self.env["shopify.inbox"]._read_committed() as env:
            env.cr.execute(
                SQL(
                    "DELETE FROM shopify_stock_waiting WHERE backend_id = %s"
                    " AND order_gid = ANY(%s::varchar[])",
                    backend.id,
                    [*nodes, *gone],
                )
            )
            if rows:
                env.cr.execute(
                    SQL(
                        """
                        INSERT INTO shopify_stock_waiting (backend_id, order_gid, order_name,
                            location_gid, variant_gid, quantity, read_at)
                        SELECT %s, t.*, clock_timestamp() AT TIME ZONE 'utc'
                        FROM unnest(%s::varchar[], %s::varchar[], %s::varchar[], %s::varchar[],
                            %s::int[]) t
                        """,
                        backend.id,
                        *map(list, zip(*rows, strict=True)),
                    )
                )

    # === UNITS === #

    def _waiting(self, backend, locations, product_ids):
        """Units to subtract.

        :return: three times ``{(location id, product id): units}``: of orders that are not in
            Odoo yet, of those that are, and of the components that orders of kits are to deliver
        """
        outside, inside, taken = defaultdict(float), defaultdict(float), defaultdict(float)
        if not locations or not product_ids:
            return outside, inside, taken
        for rows, ordered, planned in (
            (self._unimported(backend, product_ids), outside, False),
            (self._quotations(product_ids), inside, False),
            (self._unreserved(product_ids), inside, True),
        ):
            for product_id, location_gid, path, units, as_ordered in rows:
                place = self._place(locations, location_gid, path)
                # A forecast is without what is planned to go out already.
                if place and not (planned and place.stock_basis == "forecast"):
                    (ordered if as_ordered else taken)[place.id, product_id] += float(units)
        return outside, inside, taken

    def _place(self, locations, gid, path):
        """The location that shows the stock from which an order is delivered."""
        if gid:
            known = locations.filtered(lambda location: location.shopify_gid == gid)
            if known:
                return known
            path = path or locations.backend_id.warehouse_id.lot_stock_id.parent_path
        for location in locations:
            sources = location._stock_sources()
            if any((path or "").startswith(source.parent_path) for source in sources):
                return location
        return locations.browse()

    def _unimported(self, backend, product_ids):
        stock = backend.warehouse_id.lot_stock_id.parent_path
        self.env.cr.execute(
            SQL(
                """
                SELECT v.product_id, coalesce(w.location_gid, ''), %s, sum(w.quantity), true
                FROM shopify_stock_waiting w JOIN shopify_variant v
                    ON v.backend_id = w.backend_id AND v.shopify_gid = w.variant_gid
                WHERE w.backend_id = %s AND v.product_id = ANY(%s)
                GROUP BY v.product_id, w.location_gid
                """,
                stock,
                backend.id,
                int_array(product_ids),
            )
        )
        return self.env.cr.fetchall()

    def _quotations(self, product_ids):
        """Of all stores: they sell the same stock."""
        self.env.cr.execute(
            SQL(
                """
                SELECT l.product_id, '', stock.parent_path, sum(l.product_uom_qty
                    * line_uom.factor / product_uom.factor), true
                FROM sale_order_line l JOIN sale_order s ON s.id = l.order_id
                JOIN shopify_order o ON o.sale_order_id = s.id
                JOIN stock_warehouse w ON w.id = s.warehouse_id
                JOIN stock_location stock ON stock.id = w.lot_stock_id
                JOIN product_product p ON p.id = l.product_id
                JOIN product_template t ON t.id = p.product_tmpl_id
                JOIN uom_uom line_uom ON line_uom.id = l.product_uom_id
                JOIN uom_uom product_uom ON product_uom.id = t.uom_id
                WHERE l.product_id = ANY(%s) AND s.state IN ('draft', 'sent')
                    AND o.cancelled_at IS NULL AND o.closed_at IS NULL
                    AND NOT coalesce(o.deleted, false)
                    AND coalesce(o.fulfillment_status, '') NOT IN %s
                GROUP BY l.product_id, stock.parent_path
                """,
                int_array(product_ids),
                _SHIPPED,
            )
        )
        return self.env.cr.fetchall()

    def _unreserved(self, product_ids):
        """The first moves of deliveries: what comes after them is reserved by them."""
        self.env.cr.execute(
            SQL(
                """
                SELECT m.product_id, '', place.parent_path,
                    sum(m.product_qty - m.quantity * move_uom.factor / product_uom.factor),
                    m.product_id = l.product_id
                FROM stock_move m JOIN sale_order_line l ON l.id = m.sale_line_id
                JOIN shopify_order o ON o.sale_order_id = l.order_id
                JOIN stock_location place ON place.id = m.location_id
                JOIN product_product p ON p.id = m.product_id
                JOIN product_template t ON t.id = p.product_tmpl_id
                JOIN uom_uom move_uom ON move_uom.id = m.product_uom
                JOIN uom_uom product_uom ON product_uom.id = t.uom_id
                WHERE m.product_id = ANY(%s)
                    AND m.state IN ('waiting', 'confirmed', 'partially_available')
                    AND NOT EXISTS (
                        SELECT 1 FROM stock_move_move_rel r WHERE r.move_dest_id = m.id)
                GROUP BY m.product_id, place.parent_path, m.product_id = l.product_id
                """,
                int_array(product_ids),
            )
        )
        return self.env.cr.fetchall()

    # === WHAT EXPLAINS A DROP IN SHOPIFY === #

    def _last_order(self, backend):
        """:return: id of the youngest order that this snapshot shows"""
        self.env.cr.execute(
            SQL("SELECT max(id) FROM shopify_order WHERE backend_id = %s", backend.id)
        )
        return self.env.cr.fetchone()[0] or 0

    def _arrived(self, backend, product_ids, since):
        """Units of the orders that came into Odoo since.

        :param since: id of the youngest order before
        :return: ``{product id: [(order id, units), ...]}``
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT l.product_id, o.id, sum(l.product_uom_qty) FROM shopify_order o
                JOIN sale_order_line l ON l.order_id = o.sale_order_id
                WHERE o.backend_id = %s AND o.id > %s AND l.product_id = ANY(%s)
                GROUP BY l.product_id, o.id
                """,
                backend.id,
                since,
                int_array(product_ids),
            )
        )
        found = defaultdict(list)
        for product_id, order_id, units in self.env.cr.fetchall():
            found[product_id].append((order_id, float(units)))
        return found

    def _caught_up(self, backend, since):
        """Whether all orders that were placed before a moment are in Odoo, or known to wait.

        :param since: naive UTC
        """
        limit = since + timedelta(seconds=EVENT_LAG)
        self.env.cr.execute(
            SQL(
                """
                SELECT EXISTS (
                    SELECT 1 FROM shopify_webhook_event e WHERE e.backend_id = %(backend)s
                        AND e.state = 'pending' AND e.received_at <= %(limit)s
                        AND e.resource_gid LIKE 'gid://shopify/Order/%%'),
                    (SELECT position FROM shopify_cursor
                     WHERE backend_id = %(backend)s AND topic = 'orders')
                """,
                backend=backend.id,
                limit=limit,
            )
        )
        pending, polled_until = self.env.cr.fetchone()
        if pending:
            return False
        if not backend.use_polling:
            return fields.Datetime.now() > since + timedelta(seconds=WEBHOOK_PATIENCE)
        return bool(polled_until) and polled_until > since + timedelta(seconds=SEARCH_LAG)


def _place(node):
    return ((node or {}).get("retailLocation") or {}).get("id") or ""
