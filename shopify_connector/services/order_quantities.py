"""Ordered quantities of confirmed orders, and the deliveries that follow them."""

from __future__ import annotations

from odoo import models
from odoo.tools import float_compare

from ..mappers.edit_amounts import at_quantity


class ShopifyOrderEditor(models.AbstractModel):
    """Carries changes of Shopify out on orders that are confirmed in Odoo."""

    _name = "shopify.order.editor"
    _description = "Shopify Order Editor"

    def _set_ordered_quantities(self, quantities, values=None):
        """Set the ordered quantities of confirmed lines; open deliveries follow.

        A quantity never goes below what is delivered, and no line is ever removed. Harmless when
        the lines have these quantities already.

        :param quantities: ``{sale.order.line: quantity}``, of any number of orders
        :param values: ``{sale.order.line: values of the line at that quantity}``, with
            ``extra_tax_data``; without them a line keeps its share of the amounts that it has, by
            the largest remainder
        :return: ``{sale.order.line: quantity that it has now}``
        """
        values = values or {}
        before, found = {}, {}
        for line, wanted in quantities.items():
            quantity = found[line] = self._attainable(line, wanted)
            vals = self._line_at(line, quantity, wanted, values.get(line))
            if self._compare(line, quantity, line.product_uom_qty):
                before[line.id] = line.product_uom_qty
            elif line not in values:
                continue
            line.with_context(skip_procurement=True).write(vals)
        lines = self.env["sale.order.line"].browse(before)
        more = lines.filtered(lambda line: line.product_uom_qty > before[line.id])
        self._deliver_less(lines - more, before)
        self._deliver_more(more, before)
        return found

    def _attainable(self, line, wanted):
        """The quantity nearest to what is wanted that leaves what is delivered alone."""
        delivered = line.qty_delivered if line._shopify_is_delivered() else 0.0
        if self._compare(line, delivered, line.product_uom_qty) > 0:
            # More was sent than ordered: Odoo lets nobody change such a line.
            return line.product_uom_qty
        return max(wanted, delivered, 0.0)

    def _compare(self, line, left, right):
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return float_compare(left, right, precision_digits=digits)

    def _line_at(self, line, quantity, wanted, vals):
        """Values of a line at a quantity, which may be more than what is wanted."""
        if vals and not self._compare(line, quantity, wanted):
            return vals
        data, target = line.extra_tax_data, vals and vals["extra_tax_data"]
        taken_off = line.shopify_taken_off
        if vals:
            taken_off = vals["shopify_taken_off"] + wanted - quantity
        if not line._shopify_amounts_stand() or self._compare(line, quantity, data["quantity"]) > 0:
            # Nobody stated amounts for this: it is worth what Odoo computes.
            return {"product_uom_qty": quantity, "shopify_taken_off": taken_off}
        return {
            "product_uom_qty": quantity,
            "shopify_taken_off": taken_off,
            # Odoo would compute them anew from the price list
            "price_unit": line.price_unit,
            "technical_price_unit": line.price_unit,
            "discount": line.discount,
            "extra_tax_data": at_quantity(
                data,
                quantity,
                target,
                digits=line.currency_id.decimal_places,
                books_digits=line.company_id.currency_id.decimal_places,
            ),
        }

    # === DELIVERIES === #

    def _deliver_more(self, lines, before):
        """Odoo makes the further deliveries; a job of the store reserves them."""
        if lines:
            lines.with_context(shopify_defer_reservation=True)._action_launch_stock_rule(
                previous_product_uom_qty={line.id: before.get(line.id, 0.0) for line in lines}
            )

    def _deliver_less(self, lines, before):
        """Take what is not to be delivered any more from open moves, latest first.

        Odoo itself would look for one move that is the same in all respects, and make a return
        where it finds none: of goods that never left.
        """
        to_cancel = self.env["stock.move"]
        for line in lines:
            moves = line.move_ids.filtered(lambda move: move.state != "cancel" and goes_out(move))
            if not line.shopify_kit_parts and moves.product_id - line.product_id:
                # Something else is delivered in its place: Odoo knows what.
                line._action_launch_stock_rule(previous_product_uom_qty={line.id: before[line.id]})
                continue
            units = line.product_uom_qty - line.shopify_not_sent
            for own, part in line._shopify_grouped(moves):
                for step in own.grouped("location_dest_id").values():
                    to_cancel |= self._shrink(line, step, self._planned(step) - units * part)
        to_cancel._action_cancel()

    def _planned(self, moves):
        """What these moves of a product sent or will send, in its unit."""
        return sum(
            move.product_uom._compute_quantity(
                move.quantity if move.state == "done" else move.product_uom_qty,
                move.product_id.uom_id,
                round=False,
            )
            for move in moves
        )

    def _shrink(self, line, moves, excess):
        """Lower the open moves of one product in one step of the delivery.

        :param excess: by how much, in the unit of the product
        :return: those of which nothing is left
        """
        uom, empty = moves.product_id.uom_id, self.env["stock.move"]
        for move in moves.sorted(lambda move: (move.picked, -move.id)):
            if move.state == "done" or self._compare(line, excess, 0) <= 0:
                continue
            demand = move.product_uom._compute_quantity(move.product_uom_qty, uom, round=False)
            taken = min(demand, excess)
            excess -= taken
            if not self._compare(line, taken, demand):
                empty |= move
                continue
            rest = uom._compute_quantity(demand - taken, move.product_uom, round=False)
            if self._compare(line, move.quantity, rest) > 0:
                # What is reserved for the rest stays so.
                move.quantity = rest
            move.product_uom_qty = rest
        return empty

    def _owed(self, sale):
        """By how much posted invoices, less credit notes, are above the lines they are for.

        :return: amount with taxes in the order's currency, not below zero
        """
        owed = 0.0
        for line in sale.order_line:
            moves = line.invoice_lines.move_id.filtered(lambda move: move.state == "posted")
            if moves and line.shopify_gid:
                ordered = 0.0 if sale.state == "cancel" else line.price_total
                over = sale.currency_id.round(self._invoiced(line, moves) - ordered)
                owed += max(over, 0.0)
        return owed

    def _invoiced(self, line, moves):
        """What these invoices say of a line, with taxes, credit notes taken off."""
        amounts = line._shopify_invoiced(moves).amounts
        return float(sum(amount for (_figure, suffix), amount in amounts.items() if suffix))


def goes_out(move):
    """A step of a delivery: neither its return, nor the storing of what came back, nor what was
    bought for it.
    """
    if move.origin_returned_move_id or move.location_dest_usage == "inventory":
        return False
    if move.location_dest_usage == "customer":
        return True
    inside = ("internal", "transit", "view")
    return (
        move.location_usage in inside
        and move.location_dest_usage in inside
        and not _stores_returned(move)
    )


def _stores_returned(move):
    """A further step of a receipt from the customer."""
    return any(
        origin.location_usage == "customer" or _stores_returned(origin)
        for origin in move.move_orig_ids
    )
