from __future__ import annotations

import json
import math

from odoo import models

from ..mappers.fulfillment import Tracking, split_numbers
from ..mappers.tracking_companies import known_company

# Quantities are computed in floating point; so much below a whole unit is one.
TOLERANCE = 1e-6


class ShopifyFulfillmentValues(models.AbstractModel):
    """What a delivery tells: units by Shopify line, where it left, and its tracking."""

    _name = "shopify.fulfillment.values"
    _description = "Shopify Fulfilment Values"

    # === UNITS === #

    def _lines(self, row):
        """Units that a shipment has to tell: ``{gid of the Shopify line: units}``.

        Whole units only; parts of a unit, and components of a kit, are told with the delivery that
        completes it. When other products are delivered than were ordered, that is what Odoo counts
        as delivered and no other shipment tells.
        """
        siblings = row.search(
            [
                ("order_id", "=", row.order_id.id),
                ("kind", "=", "create"),
                ("state", "!=", "cancelled"),
            ]
        )
        if row.part:
            return row.quantities or {}
        parts = siblings.filtered(lambda other: other.part and other.picking_id == row.picking_id)
        earlier = siblings.filtered(lambda other: not other.part and other.id < row.id).picking_id
        earlier |= self._untold(row.picking_id, siblings)
        lines = {}
        sale = row.order_id.sale_order_id
        for sale_line in row.picking_id.move_ids.sale_line_id.filtered(
            lambda line: line.shopify_gid and line.order_id == sale
        ):
            gid = sale_line.shopify_gid
            own = self._moves(row.picking_id, sale_line)
            kinds = sale_line._shopify_parts()
            if all(product in kinds for product in own.product_id):
                before = self._delivered(self._moves(earlier, sale_line), sale_line)
                after = self._delivered(self._moves(earlier | row.picking_id, sale_line), sale_line)
                units = _whole(after) - _whole(before)
                told = parts
            else:
                units = _whole(sale_line.qty_delivered)
                told = siblings - row
            units -= sum((other.quantities or {}).get(gid, 0) for other in told)
            if units > 0:
                lines[gid] = units
        return lines

    def _untold(self, picking, siblings):
        """Deliveries before this one that no shipment stands for, e.g. because nothing was told
        then: they may hold components of the kits that this one completes.
        """
        return picking.sale_id.picking_ids.filtered(
            lambda other: (
                other.state == "done"
                and other.location_dest_id.usage == "customer"
                and other not in siblings.picking_id
                and (other.date_done, other.id) < (picking.date_done, picking.id)
            )
        )

    def _moves(self, pickings, sale_line):
        return pickings.move_ids.filtered(
            lambda move: move.sale_line_id == sale_line and move.state == "done"
        )

    def _delivered(self, moves, sale_line):
        """Units of the sale line, without what has come back."""

        def kept(move):
            back = sum(
                other.product_uom._compute_quantity(other.quantity, move.product_uom, round=False)
                for other in move.returned_move_ids
                if other.state == "done"
            )
            return move.quantity - back

        return sale_line._shopify_units(moves, kept)

    # === PLACE === #

    def _locations(self, row):
        """Where a delivery left, as gids of Shopify locations, the closest first.

        :return: None for goods that never were in a warehouse, an empty list when Shopify ships
            from there, False when no location is mapped
        """
        picking = row.picking_id
        if picking.location_id.usage == "supplier":
            return None
        known = row.backend_id.location_ids
        path = picking.location_id.parent_path or ""
        inside = known.filtered(
            lambda place: (
                place.stock_location_id and path.startswith(place.stock_location_id.parent_path)
            )
        ).sorted(lambda place: -len(place.stock_location_id.parent_path))
        warehouse = picking.picking_type_id.warehouse_id
        fitting = inside | known.filtered(
            lambda place: warehouse and place.warehouse_id == warehouse
        )
        if fitting and all(fitting.mapped("shopify_ships")):
            return []
        if warehouse == row.backend_id.warehouse_id:
            # A location that is not mapped stands for the store's warehouse.
            fitting |= known.filtered(
                lambda place: not place.warehouse_id and not place.fulfillment_service
            )
        if not fitting:
            return False
        return fitting.filtered(lambda place: not place.shopify_ships).mapped("shopify_gid")

    # === TRACKING === #

    def _tracking(self, backend, picking):
        """:class:`Tracking` of a delivery; empty when it has no tracking number."""
        numbers = split_numbers(picking.carrier_tracking_ref)
        if not numbers:
            return Tracking()
        carrier = picking.carrier_id
        row = backend.tracking_company_ids.filtered(lambda row: row.carrier_id == carrier)
        company = row.company or row.other_company or known_company(carrier.name) or carrier.name
        urls = self._urls(picking, row, numbers)
        return Tracking(company or "", numbers, urls)

    def _urls(self, picking, row, numbers):
        """A link per number, or none."""
        carrier = picking.carrier_id
        if row.tracking_url:
            urls = [row.tracking_url.replace("{number}", number) for number in numbers]
        elif carrier.tracking_url:
            mark = "<shipmenttrackingnumber>"
            urls = [carrier.tracking_url.replace(mark, number) for number in numbers]
        else:
            urls = self._carrier_urls(picking.carrier_tracking_url, numbers)
        urls = [url for url in urls if url and url.startswith(("https://", "http://"))]
        return tuple(urls) if len(urls) == len(numbers) else ()

    def _carrier_urls(self, text, numbers):
        """What addons of carriers give: one link, or ``[[number, link], ...]`` as JSON."""
        try:
            known = dict(json.loads(text or ""))
        except (TypeError, ValueError):
            return [text] if text and len(numbers) == 1 else []
        return [known.get(number) for number in numbers]


def _whole(quantity):
    return math.floor(quantity + TOLERANCE)
