from __future__ import annotations

import logging

from odoo import models
from odoo.exceptions import LockError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.queue_job.exception import RetryableJobError

from ..mappers.fulfillment import map_fulfillments
from ..models.shopify_fulfillment import OPEN_STATES

_logger = logging.getLogger(__name__)

BATCH = 20
# The money is there, so a gift card may be handed out.
_PAID = ("paid", "partially_refunded")


class ShopifyFulfillmentImporter(models.AbstractModel):
    """Parcels that were sent outside of Odoo: its deliveries follow them.

    The import of orders only notes them; a job of its own validates deliveries, because that
    touches stock that others move too.
    """

    _name = "shopify.fulfillment.importer"
    _description = "Shopify Fulfilment Import"

    # === NOTING === #

    def _note(self, backend, nodes, asked):
        """Compare what Shopify has with what is known here.

        :param nodes: ``{shopify.order: its node}``, with ``parcels`` when it has any
        :param asked: gids of the orders that somebody wants to be looked at again
        """
        orders = self.env["shopify.order"].union(*nodes)
        Rows = self.env["shopify.fulfillment"]
        rows = Rows.search([("order_id", "in", orders.ids)])
        own = rows.grouped("order_id")
        again = orders.filtered(lambda order: order.shopify_gid in asked)
        touched, new = self._forget_notes(rows.filtered(lambda row: row.order_id in again)), []
        places = {place.shopify_gid: place for place in backend.location_ids if place.shopify_ships}
        follows = backend.sudo()._reads_fulfillments()
        for order, node in nodes.items():
            if not follows or "parcels" not in node:
                continue
            mine = own.get(order, Rows).filtered(lambda row: row.kind == "create")
            known = {row.shopify_gid: row for row in mine if row.shopify_gid}
            for item in map_fulfillments({"fulfillments": node["parcels"]}):
                if item.gid in known:
                    if self._note_change(known[item.gid], item):
                        touched |= order
                elif not item.cancelled and item.location_gid in places:
                    new.append(self._row_values(order, item, places[item.location_gid]))
        Rows.create(new)
        self._note_digital(backend, orders, own)
        if touched:
            self.env["shopify.fulfillment.planner"]._report(touched)
        rows.filtered(lambda row: row.state == "waiting")._due_now()
        if new:
            backend._trigger_apply_fulfillments()

    def _row_values(self, order, item, place):
        return {
            "backend_id": order.backend_id.id,
            "order_id": order.id,
            "direction": "in",
            "shopify_gid": item.gid,
            "name": item.name,
            "location_id": place.id,
            "quantities": dict(item.lines),
            **self.env["shopify.fulfillment.planner"]._tracking_vals(item.tracking),
        }

    def _note_change(self, row, item):
        """A parcel that is known was cancelled in Shopify, or has another tracking.

        :return: whether people are to be told
        """
        planner = self.env["shopify.fulfillment.planner"]
        if item.cancelled:
            if row.state == "cancelled":
                return False
            shipped = row.state == "done" and row.picking_id
            planner._cancelled(row)
            if shipped:
                row.blocks = planner._kept([planner._cancelled_block(row)])
            return bool(shipped)
        values = planner._tracking_vals(item.tracking)
        if row.direction == "in" and any(row[name] != value for name, value in values.items()):
            row.write({**values, "state": "pending"})
            row.backend_id._trigger_apply_fulfillments()
        return False

    def _forget_notes(self, rows):
        """What people were told of and have seen: they asked to look again.

        :return: the orders concerned
        """
        seen = rows.filtered(lambda row: row.blocks and row.state not in OPEN_STATES)
        seen.blocks = False
        return seen.order_id

    def _note_digital(self, backend, orders, own):
        """Gift cards and digital goods of orders that are paid and confirmed."""
        if backend.digital_policy != "apart" or not backend.export_fulfillments:
            return
        due = orders.filtered(
            lambda order: (
                order.financial_status in _PAID
                and order.sale_order_id.state == "sale"
                and order.fulfillment_status != "fulfilled"
                and not any(not row.picking_id for row in own.get(order, ()))
                and any(
                    line.shopify_kind in ("product", "custom", "gift_card")
                    and line.product_id.type == "service"
                    for line in order.sale_order_id.order_line
                )
            )
        )
        self.env["shopify.fulfillment"]._put_digital(due)

    # === APPLYING === #

    def _apply(self, backend):
        """Validate the deliveries of parcels that wait.

        :return: a sentence for the job
        """
        backend = backend._as_integration_user().sudo()
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"shopify.fulfillment.in:{backend.id}"],
        )
        if not self.env.cr.fetchone()[0]:
            raise RetryableJobError(
                self.env._("Parcels of this store are worked on already."),
                seconds=2,
                ignore_retry=True,
            )
        rows = backend.env["shopify.fulfillment"].search(
            [
                ("backend_id", "=", backend.id),
                ("direction", "=", "in"),
                ("state", "=", "pending"),
            ],
            order="id",
            limit=BATCH + 1,
        )
        more, rows = len(rows) > BATCH, rows[:BATCH]
        for row in rows:
            self.with_env(backend.env)._apply_safely(row)
        backend.env["shopify.fulfillment.planner"]._report(rows.order_id)
        if more:
            backend._trigger_apply_fulfillments()
        return self.env._("%s parcels.", len(rows)) if rows else self.env._("Nothing waits.")

    def _apply_safely(self, row):
        planner = self.env["shopify.fulfillment.planner"]
        try:
            with self.env.cr.savepoint():
                self._apply_one(row)
        except LockError as error:
            raise row.backend_id._stock_is_busy() from error
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            if not isinstance(error, UserError):
                _logger.exception("Parcel %s could not be applied", row.shopify_gid)
            row.invalidate_recordset()
            planner._wait(row, planner._follow_block(row, str(error)))

    def _apply_one(self, row):
        planner, sale = self.env["shopify.fulfillment.planner"], row.order_id.sale_order_id
        if row.picking_id:
            self._set_tracking(row.picking_id, row)
            return planner._settle(row, "done", False)
        if sale.state != "sale":
            return planner._wait(
                row, planner._follow_block(row, self.env._("the order is not confirmed in Odoo"))
            )
        pickings = self._open_pickings(row, sale)
        chosen, missing = self._allocate(row, pickings)
        if missing:
            done = self._delivered_already(row, sale)
            if done:
                row.picking_id = done
                self._set_tracking(done, row)
                return planner._settle(row, "done", False)
        if not chosen:
            return planner._wait(row, self._missing_block(row, sale, missing))
        for picking, quantities in chosen.items():
            self._validate(picking, quantities, row)
        row.picking_id = next(iter(chosen))
        notes = [self._missing_block(row, sale, missing)] if missing else []
        return planner._settle(row, "done", False, planner._kept(notes))

    def _open_pickings(self, row, sale):
        """Deliveries that a parcel of this location may be."""
        pickings = sale.picking_ids.filtered(
            lambda picking: (
                picking.state in ("confirmed", "assigned", "waiting")
                and picking.location_dest_id.usage == "customer"
            )
        )
        warehouse = row.location_id.warehouse_id
        own = pickings.filtered(lambda picking: picking.picking_type_id.warehouse_id == warehouse)
        return own if warehouse else pickings

    def _allocate(self, row, pickings):
        """:return: ``({picking: {move: quantity}}, {sale line or gid: units without delivery})``"""
        lines = {line.shopify_gid: line for line in row.order_id.sale_order_id.order_line}
        chosen, missing = {}, {}
        for gid, units in (row.quantities or {}).items():
            line = lines.get(gid)
            if not line:
                missing[gid] = units
                continue
            moves = pickings.move_ids.filtered(
                lambda move, line=line: (
                    move.sale_line_id == line and move.state not in ("done", "cancel")
                )
            )
            if not moves:
                if line.product_id.type != "service":
                    missing[gid] = units
                continue
            short = 0
            for same, part in line._shopify_grouped(moves):
                left, uom = units * part, same.product_id.uom_id
                for move in same:
                    demand = move.product_uom._compute_quantity(
                        move.product_uom_qty, uom, round=False
                    )
                    taken = min(left, demand)
                    if taken > 0:
                        quantity = uom._compute_quantity(taken, move.product_uom)
                        chosen.setdefault(move.picking_id, {})[move] = quantity
                        left -= taken
                short = max(short, round(left / part))
            if short:
                missing[gid] = short
        return chosen, missing

    def _validate(self, picking, quantities, row):
        """Validate a delivery with just these quantities; the rest becomes a backorder."""
        picking = picking.with_context(shopify_fulfilled=True, skip_backorder=True)
        self._set_tracking(picking, row)
        if not picking.carrier_tracking_ref and (
            picking.carrier_id.integration_level == "rate_and_ship"
        ):
            # The parcel is on its way: no label is to be bought for it.
            picking.carrier_id = False
        for move in picking.move_ids.filtered(lambda move: move.state not in ("done", "cancel")):
            quantity = quantities.get(move, 0.0)
            move.quantity = quantity
            move.picked = bool(quantity)
        picking._action_done()

    def _set_tracking(self, picking, row):
        numbers = ",".join((row.tracking_numbers or "").split())
        if numbers and picking.carrier_tracking_ref != numbers:
            picking.with_context(shopify_fulfilled=True).carrier_tracking_ref = numbers

    def _delivered_already(self, row, sale):
        """A done delivery of just these goods that no parcel stands for yet."""
        for picking in sale.picking_ids.filtered(
            lambda picking: picking.state == "done" and not picking.shopify_fulfillment_ids
        ):
            moves = picking.move_ids.filtered("sale_line_id.shopify_gid")
            units = {
                line.shopify_gid: line._shopify_units(own, lambda move: move.quantity)
                for line, own in moves.grouped("sale_line_id").items()
            }
            if units == row.quantities:
                return picking
        return None

    def _missing_block(self, row, sale, missing):
        planner = self.env["shopify.fulfillment.planner"]
        names = {line.shopify_gid: line.product_id.display_name for line in sale.order_line}
        goods = ", ".join(f"{units:g} x {names.get(gid, gid)}" for gid, units in missing.items())
        warehouse = row.location_id.warehouse_id.name or self.env._("any warehouse")
        return planner._follow_block(
            row,
            self.env._(
                "no open delivery from %(warehouse)s holds %(goods)s",
                warehouse=warehouse,
                goods=goods,
            ),
        )
