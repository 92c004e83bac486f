from odoo import fields, models
from odoo.tools import SQL

from ..mappers.stock import Level, map_exported

# From so many quantities on an export is asked for: as pages they would take 40 calls.
EXPORT_FROM = 10_000


class ShopifyStockReader(models.AbstractModel):
    """Reads all levels of a store by an export, and keeps them until they were compared.

    Whatever differs by the export is read once more afterwards: it may have changed since Shopify
    wrote the file.
    """

    _name = "shopify.stock.reader"
    _description = "Shopify Stock Reader"

    def _start(self, check):
        """Have the store exported for a check; the runner tells when its file was read."""
        runner = self.env["shopify.bulk.runner"]
        check.operation_id = runner._start(check.backend_id, "stock_levels")

    def _abandon(self, check):
        """Nobody waits for the export any more. Shopify is not told: it ends by itself."""
        self._forget(check)
        operation = check.operation_id
        if operation.state in ("waiting", "running", "reading"):
            operation.write({"state": "canceled", "ended_at": fields.Datetime.now()})

    def _check(self, operation):
        """The check that waits for an export; none when it is over."""
        checks = self.env["shopify.stock.check"].sudo()
        return checks.search(
            [("operation_id", "=", operation.id), ("state", "=", "running")], limit=1
        )

    # === THE EXPORT === #

    def _bulk_query(self, operation):
        return "inventory_levels", {}

    def _bulk_lines(self, operation, values):
        check = self._check(operation)
        if not check:
            return
        if not operation.position:
            # Of a file that was not read to its end nothing may stay.
            self._forget(check)
        locations = self.env["shopify.stock.exporter"]._locations(operation.backend_id)
        columns = list(map(list, zip(*map(map_exported, values), strict=True)))
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_stock_reading (
                    check_id, variant_id, location_id, tracked, stocked, available, on_hand)
                SELECT DISTINCT ON (v.id, l.id) %(check)s, v.id, l.id, t.tracked, t.stocked,
                    t.available, t.on_hand
                FROM unnest(%(items)s::varchar[], %(places)s::varchar[], %(tracked)s::bool[],
                    %(stocked)s::bool[], %(available)s::int[], %(on_hand)s::int[])
                    AS t (item, place, tracked, stocked, available, on_hand)
                JOIN shopify_variant v ON v.inventory_item_gid = t.item
                    AND v.backend_id = %(backend)s AND v.product_id IS NOT NULL
                LEFT JOIN shopify_location l ON l.shopify_gid = t.place
                    AND l.id = ANY(%(locations)s)
                WHERE t.place IS NULL OR l.id IS NOT NULL
                ON CONFLICT (check_id, variant_id, coalesce(location_id, 0)) DO UPDATE SET
                    tracked = EXCLUDED.tracked, stocked = EXCLUDED.stocked,
                    available = EXCLUDED.available, on_hand = EXCLUDED.on_hand
                """,
                check=check.id,
                backend=operation.backend_id.id,
                locations=locations.ids,
                items=columns[0],
                places=columns[1],
                tracked=columns[2],
                stocked=columns[3],
                available=columns[4],
                on_hand=columns[5],
            )
        )

    def _bulk_done(self, operation):
        check = self._check(operation)
        if check:
            if not operation.line_count:
                self._forget(check)
            self.env["shopify.stock.checker"]._continue(check)

    def _bulk_failed(self, operation):
        """Reading pages takes longer, but it works; nobody has to do anything."""
        check = self._check(operation)
        if check:
            self._forget(check)
            self.env["shopify.stock.checker"]._continue(check)
        return True

    # === WHAT IT SAID === #

    def _levels(self, check, items):
        """
        :param items: Items of the exporter
        :return: iterator of Item and Level, None for an item that the export did not name
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT variant_id, location_id, tracked, stocked, available, on_hand
                FROM shopify_stock_reading WHERE check_id = %s AND variant_id = ANY(%s)
                """,
                check.id,
                list({item.variant_id for item in items}),
            )
        )
        told = {(variant, place): row for variant, place, *row in self.env.cr.fetchall()}
        nowhere = (False, False, 0, 0)
        for item in items:
            own = told.get((item.variant_id, None))
            level = told.get((item.variant_id, item.location_id), nowhere)
            yield item, Level(own[0], *level[1:]) if own else None

    def _forget(self, checks):
        """Take away what was kept of exports."""
        self.env.cr.execute(
            SQL("DELETE FROM shopify_stock_reading WHERE check_id = ANY(%s)", checks.ids)
        )
