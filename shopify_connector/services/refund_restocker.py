"""Goods of refunds and returns: receipts for what came back, no delivery of what never left."""

from __future__ import annotations

import logging
from dataclasses import replace

from odoo import models
from odoo.exceptions import LockError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import float_compare

from ..mappers.goods_back import DISCARD, RETURN, UNSENT, GoodsBack, goods_back
from ..mappers.taken_off import NOT_FULFILLED
from .inbox_verdict import describe
from .order_quantities import goes_out
from .outcome import Block
from .restock_task import Part, Task

_logger = logging.getLogger(__name__)


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _after_apply(self, backend, applied, context):
        """Note the goods that came back; a job moves them."""
        result = super()._after_apply(backend, applied, context)
        orders = [item for item in applied if item[0].refunds or item[0].returns]
        if orders:
            self.env["shopify.refund.restocker"]._note(backend, orders)
        return result


class ShopifyOrderConfirmer(models.AbstractModel):
    _inherit = "shopify.order.confirmer"

    def _confirm_sales(self, backend, sales):
        """What came back before the order was confirmed is not delivered."""
        confirmed = super()._confirm_sales(backend, sales)
        if any(confirmed.sudo().shopify_order_ids.mapped("restock_pending")):
            backend._trigger_restock()
        return confirmed


class ShopifyRefundRestocker(models.AbstractModel):
    """Compares the units that came back in Shopify with those that each line remembers, and moves
    the difference: so each moves once, whatever arrives twice.
    """

    _name = "shopify.refund.restocker"
    _description = "Shopify Refund Restocker"

    def _note(self, backend, applied):
        """Keep what came back of orders, and have it moved.

        :param applied: ``[(Order, Outcome)]``
        """
        bindings = self.env["shopify.order.importer"]._bindings(
            backend, [order.gid for order, _outcome in applied]
        )
        pending = False
        for order, outcome in applied:
            binding = bindings.get(order.gid)
            units = {
                gid: [goods.values for goods in lines] for gid, lines in goods_back(order).items()
            }
            if not binding or units == (binding.goods_back or {}):
                continue
            binding.goods_back = units
            past = binding.without_delivery and outcome.status == "created"
            if past or order.fulfillment_status in NOT_FULFILLED:
                # Nothing was sent in Shopify: all that is gone was taken off the order. Or all
                # of it happened before this order came to Odoo, which delivers nothing of it.
                self._remember(binding)
            else:
                pending = binding.restock_pending = True
        if pending:
            backend._trigger_restock()

    def _remember(self, binding):
        for line, units in self._units(binding):
            line.write(_known(line, units))

    def _units(self, binding):
        """``[(sale.order.line, [GoodsBack])]`` of lines that are still in Odoo."""
        lines = {line.shopify_gid: line for line in binding.sale_order_id.order_line}
        return [
            (lines[gid], [GoodsBack(*values) for values in units])
            for gid, units in (binding.goods_back or {}).items()
            if gid in lines
        ]

    # === MOVING === #

    def _restock(self, backend, bindings):
        """Move what came back of these orders; each in a savepoint of its own."""
        places = self._places(backend, bindings)
        sources = self._sources(bindings)
        for binding in bindings:
            vals = {"restock_pending": False, "restock_error": False}
            try:
                with self.env.cr.savepoint():
                    blocks = self._restock_order(backend, binding, places, sources)
            except (LockError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
                raise
            except Exception as error:
                # It must not hold back the goods of others.
                if not isinstance(error, UserError):
                    _logger.exception("Goods of order %s could not be moved", binding.name)
                vals["restock_error"] = describe(error)
                blocks = [self._refused_block(binding, vals["restock_error"])]
            else:
                if binding.restock_error:
                    key = f"{binding.shopify_gid}/refused"
                    self.env["shopify.exception"]._resolve(backend, "stock", key)
            binding.write(vals)
            if blocks:
                self.env["shopify.exception"]._report(backend, {False: (binding.name, blocks)})

    def _places(self, backend, bindings):
        """``{gid: shopify.location}`` with a place in Odoo."""
        gids = {
            item.location_gid
            for binding in bindings
            for _line, units in self._units(binding)
            for item in units
        }
        found = self.env["shopify.location"].search(
            [
                ("backend_id", "=", backend.id),
                ("shopify_gid", "in", list(gids)),
                ("stock_location_id.active", "=", True),
            ]
        )
        return {location.shopify_gid: location for location in found}

    def _sources(self, bindings):
        """``{gid: shopify.refund or shopify.return}``"""
        sources = bindings.refund_ids, bindings.return_ids
        return {record.shopify_gid: record for records in sources for record in records}

    def _restock_order(self, backend, binding, places, sources):
        """:return: Blocks of what could not be taken back"""
        task = Task()
        for line, units in self._units(binding):
            self._plan(backend, task, line, units)
        for line, units in task.not_sent.items():
            self._do_not_send(line, units)
        pickings = self.env["stock.picking"]
        for (delivery, origin), moves in task.returns.items():
            pickings |= self._return(delivery, origin, moves, places, sources)
        self._log(binding, pickings)
        for line, vals in task.known.items():
            line.write({**vals, "shopify_not_sent": line.shopify_not_sent + task.not_sent[line]})
        blocks = []
        if task.short and not binding.cancelled_at:
            blocks.append(self._short_block(binding, task.short))
        if backend.return_policy == "done":
            blocks += self._validate(binding, pickings)
        return blocks

    def _log(self, binding, pickings):
        """Lines of the log about receipts."""
        self.env["shopify.sync.log"]._log(
            binding.backend_id,
            [
                {
                    "direction": "in",
                    "res_model": "stock.picking",
                    "res_id": picking.id,
                    "name": picking.name,
                    "gid": (picking.shopify_return_id or picking.shopify_refund_id).shopify_gid,
                    "outcome": "created",
                    "message": self.env._("Goods of order %s are expected back.", binding.name),
                    "job_uuid": self.env.context.get("job_uuid"),
                }
                for picking in pickings
            ],
        )

    def _plan(self, backend, task, line, units):
        known = _known(line, units)
        if all(line[name] == value for name, value in known.items()):
            return
        task.known[line] = known
        parts = self._parts(line)
        if backend.return_policy == "none" or line.product_id.type != "consu":
            return
        if not parts:
            short = known["shopify_taken_back"] - line.shopify_taken_back
            if short > 0:
                task.short[line] += short
            return
        here, waiting, skip = self._dealt_with(backend, line, units, parts)
        for item in units:
            skipped = min(skip[item.kind], item.quantity)
            skip[item.kind] -= skipped
            rest = item.quantity - skipped
            back = min(rest, here) if item.kind != UNSENT else 0
            here -= back
            if back and self._moves(backend, item):
                self._allocate(task, parts, back, item)
            kept = min(rest - back, waiting)
            waiting -= kept
            if kept:
                task.not_sent[line] += kept
            if rest > back + kept and item.kind == RETURN:
                task.short[line] += rest - back - kept

    def _dealt_with(self, backend, line, units, parts):
        """What is left to move of a line.

        :return: units that the customer has, units that wait to be sent, and ``{kind: units}`` that
            were moved or given up before, oldest first
        """
        here = min(part.units(sum(part.left.values())) for part in parts)
        sent = min(part.units(part.sent) for part in parts)
        # Of a kit also what completes one of which components were sent.
        waiting = min(part.units(part.sent + self._open(part)) for part in parts) - sent
        scrapped = max(part.units(part.scrapped) for part in parts)
        # What the warehouse took back on its own is back.
        back = min(sent, line.product_uom_qty) - here - scrapped
        # What was scrapped and is said to be restocked now is back, too.
        restated = min(line.shopify_discarded - _total(units, DISCARD), scrapped)
        # What was refunded before and left with the customer is not what comes back now. Where
        # such goods are scrapped, none is left: the warehouse had it.
        not_sent = max(line.shopify_not_sent - line.shopify_unsent, 0)
        kept = min(line.shopify_discarded, _total(units, DISCARD)) - scrapped - not_sent
        had = max(min(kept, back), 0) if backend.discard_policy == "scrap" else 0
        here = max(here - max(kept - had, 0), 0)
        returned = max(line.shopify_taken_back, _total(units, RETURN))
        skip = {
            RETURN: max(line.shopify_taken_back, back - had) + max(restated, 0),
            DISCARD: max(line.shopify_discarded, back + scrapped - returned),
            UNSENT: line.shopify_unsent,
        }
        return here, waiting, skip

    def _moves(self, backend, item):
        """Whether the store wants these units moved; open to extension."""
        return item.kind == RETURN or backend.discard_policy == "scrap"

    def _allocate(self, task, parts, units, item):
        """Take units from the deliveries that sent them, newest first."""
        origin = replace(item, quantity=0)
        for part in parts:
            needed = units * part.ratio
            for move, left in part.left.items():
                taken = min(needed, left)
                if self._compare(taken, 0) > 0:
                    task.returns[move.picking_id, origin][move] += taken
                    part.left[move] -= taken
                    needed -= taken

    def _compare(self, left, right):
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return float_compare(left, right, precision_digits=digits)

    # === WHAT WAS SENT === #

    def _parts(self, line):
        """The Parts of a line; several for a kit, none for a service."""
        moves = line.move_ids.filtered(lambda move: move.state != "cancel" and goes_out(move))
        parts = []
        for own, ratio in line._shopify_grouped(moves):
            done, ahead = _done_and_ahead(own)
            part = Part(ratio, ahead)
            for move in done.sorted(lambda move: (move.date, move.id), reverse=True):
                returns = _live(move.returned_move_ids)
                quantity = _quantity(move)
                part.sent += quantity
                part.left[move] = quantity - sum(map(_came_back, returns))
                part.scrapped += sum(map(_quantity, returns.filtered(_is_scrapped)))
            parts.append(part)
        return parts

    def _open(self, part):
        return sum(map(_quantity, part.open))

    def _settled(self, line):
        """Units of a line that came back, or never left, and are owed to nobody any more."""
        returns = _live(line.move_ids).filtered(
            lambda move: (
                move.to_refund
                and not _is_scrapped(move)
                and (move.picking_id.shopify_refund_id or move.picking_id.shopify_return_id)
            )
        )
        back = [
            part.units(
                sum(
                    _quantity(move) for move in returns if move.origin_returned_move_id in part.left
                )
            )
            for part in self._parts(line)
        ]
        return line.shopify_not_sent + min(back, default=0)

    # === WRITING === #

    def _do_not_send(self, line, units):
        """Cancel the delivery of units, the latest first; of several steps the first one first."""
        editor = self.env["shopify.order.editor"]
        to_cancel = self.env["stock.move"]
        moves = line.move_ids.filtered(lambda move: move.state != "cancel" and goes_out(move))
        for own, part in line._shopify_grouped(moves):
            done, ahead = _done_and_ahead(own)
            rest = editor._planned(done | ahead) - units * part
            for step in own.grouped("location_dest_id").values():
                to_cancel |= editor._shrink(line, step, editor._planned(step) - rest)
        to_cancel._action_cancel()

    def _return(self, delivery, item, moves, places, sources):
        """Make the receipt of goods of one delivery; lots and packages are those it sent.

        :param item: GoodsBack, whose units do not count
        :param moves: ``{move: quantity in the product's unit}``
        :return: the picking
        """
        refund, returned = sources.get(item.refund_gid), sources.get(item.return_gid)
        values = {
            "shopify_refund_id": refund.id if refund else False,
            "shopify_return_id": returned.id if returned else False,
            **self._destination(delivery, item.kind, places.get(item.location_gid)),
        }
        wizard = (
            self.env["stock.return.picking"]
            .with_context(shopify_return_values=values)
            .create({"picking_id": delivery.id})
        )
        rows = wizard.product_return_moves
        rows.filtered(lambda row: row.move_id not in moves).unlink()
        for row in wizard.product_return_moves:
            row.quantity = row.product_id.uom_id._compute_quantity(
                moves[row.move_id], row.uom_id, round=False
            )
            # what the customer owes goes down with what he keeps
            row.to_refund = item.kind == RETURN
        expected = wizard.product_return_moves.move_id.move_dest_ids.filtered(
            lambda move: move.state in ("assigned", "partially_available")
        )
        picking = wizard._create_return()
        # Odoo takes the lots from other receipts of the delivery that are still open, and gives
        # one lot to several of them that are assigned at once.
        for move in expected:
            move._action_assign()
        return picking

    def _destination(self, delivery, kind, place):
        """Where goods go: as Shopify says, else where the warehouse receives returns."""
        if kind == DISCARD:
            scrap = self.env["stock.location"].search(
                [("company_id", "=", delivery.company_id.id), ("usage", "=", "inventory")],
                order="id",
                limit=1,
            )
            if not scrap:
                raise UserError(
                    self.env._(
                        "Company %s has no location of the type Inventory Loss for goods that are"
                        " scrapped. Create one, or bring it back from the archive.",
                        delivery.company_id.name,
                    )
                )
            return {"location_dest_id": scrap.id}
        if not place:
            return {}
        values = {"location_dest_id": place.stock_location_id.id}
        warehouse = place.stock_location_id.warehouse_id
        if warehouse and warehouse != delivery.picking_type_id.warehouse_id:
            values["picking_type_id"] = warehouse.in_type_id.id
        return values

    def _validate(self, binding, pickings):
        """:return: Blocks of receipts that stay open, because something is missing"""
        blocks = []
        for picking in pickings:
            try:
                with self.env.cr.savepoint():
                    for move in picking.move_ids:
                        if self._compare(move.quantity, move.product_uom_qty):
                            move.quantity = move.product_uom_qty
                    picking.move_ids.picked = True
                    picking.with_context(skip_backorder=True, skip_sms=True)._action_done()
            except LockError:
                raise
            except UserError as error:
                blocks.append(self._open_block(binding, picking, str(error)))
        return blocks

    # === WHAT A PERSON MUST SEE TO === #

    def _block(self, binding, kind, **values):
        values = {"res_model": "sale.order", "res_id": binding.sale_order_id.id, **values}
        return Block(category="stock", key=f"{binding.shopify_gid}/{kind}", **values)

    def _short_block(self, binding, short):
        lines = "; ".join(
            self.env._(
                "%(line)s: %(units)s more than Odoo delivered",
                line=line.name.partition("\n")[0],
                units=f"{units:g}",
            )
            for line, units in short.items()
        )
        return self._block(
            binding,
            "short",
            title=self.env._("More of order %s came back than was delivered", binding.name),
            message=self.env._(
                "Order %(order)s: Shopify says that these units came back: %(lines)s. They were"
                " not moved.",
                order=binding.name,
                lines=lines,
            ),
            remedy=self.env._(
                "Compare the deliveries of the order with Shopify. When the goods are there, take"
                " them into stock by hand; then close this exception."
            ),
        )

    def _refused_block(self, binding, reason):
        return self._block(
            binding,
            "refused",
            title=self.env._("The goods of order %s could not be taken back", binding.name),
            message=self.env._(
                "Order %(order)s: Odoo refused the return: %(reason)s",
                order=binding.name,
                reason=reason,
            ),
            remedy=self.env._(
                "Put right what the message says, then press 'Take Back Goods' on the Shopify"
                " order."
            ),
            res_model="shopify.order",
            res_id=binding.id,
        )

    def _open_block(self, binding, picking, reason):
        return self._block(
            binding,
            f"open/{picking.id}",
            title=self.env._("Receipt %s could not be validated", picking.name),
            message=self.env._(
                "Receipt %(receipt)s of goods of order %(order)s stays open: %(reason)s",
                receipt=picking.name,
                order=binding.name,
                reason=reason,
            ),
            remedy=self.env._("Complete the receipt and validate it."),
            res_model="stock.picking",
            res_id=picking.id,
        )


def _total(units, kind):
    return sum(item.quantity for item in units if item.kind == kind)


def _known(line, units):
    """What a line remembers once these units are dealt with."""
    return {
        "shopify_taken_back": max(line.shopify_taken_back, _total(units, RETURN)),
        "shopify_discarded": _total(units, DISCARD),
        "shopify_unsent": _total(units, UNSENT),
    }


def _done_and_ahead(moves):
    """Steps of a delivery: what reached the customer, and what will; Odoo may plan a step only
    when the one before it is done.
    """
    done = moves.filtered(lambda move: move.state == "done")
    ahead = (moves - done).filtered(
        lambda move: all(following.state == "cancel" for following in move.move_dest_ids)
    )
    return done.filtered(lambda move: move.location_dest_usage == "customer"), ahead


def _live(moves):
    """Returns that came or are expected."""
    return moves.filtered(lambda move: move.state != "cancel" and move.origin_returned_move_id)


def _is_scrapped(move):
    return move.location_dest_usage == "inventory"


def _quantity(move):
    """Of a move in the product's unit: what was moved, or is to be."""
    quantity = move.quantity if move.state == "done" else move.product_uom_qty
    return move.product_uom._compute_quantity(quantity, move.product_id.uom_id, round=False)


def _came_back(move):
    """Of a return, less what was sent again."""
    return _quantity(move) - sum(map(_quantity, _live(move.returned_move_ids)))
