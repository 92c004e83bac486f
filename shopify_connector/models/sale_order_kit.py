"""Lines of kits (Manufacturing): they are delivered as their components, and remember which."""

from collections import defaultdict

from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # {product id: quantity in its own unit}; a bill of materials may change after the order
    shopify_kit_parts = fields.Json(
        copy=False, readonly=True, help="What one unit of a kit takes of each component."
    )

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        result = super()._action_launch_stock_rule(
            previous_product_uom_qty=previous_product_uom_qty
        )
        if "mrp.bom" in self.env:
            self.filtered(
                lambda line: (
                    line.shopify_gid and line.state == "sale" and not line.shopify_kit_parts
                )
            )._shopify_keep_kit_parts()
        return result

    def _shopify_keep_kit_parts(self):
        """Remember the components of lines whose deliveries were just planned."""
        for line in self:
            moves = line.move_ids.filtered(lambda move: move.state != "cancel")
            if line.product_uom_qty <= 0 or not moves or line.product_id in moves.product_id:
                continue
            parts = {}
            for product, own in moves.grouped("product_id").items():
                step = next(iter(own.grouped("location_dest_id").values()))
                planned = sum(step.mapped("product_qty"))
                parts[product.id] = planned / line.product_uom_qty
            line.shopify_kit_parts = parts

    def _shopify_parts(self):
        """``{product: quantity in its own unit}`` that one unit of the line is delivered as: the
        product itself, or the components of a kit.
        """
        self.ensure_one()
        if self.shopify_kit_parts:
            Product = self.env["product.product"]
            return {Product.browse(int(key)): part for key, part in self.shopify_kit_parts.items()}
        unit = self.product_id.uom_id
        return {self.product_id: self.product_uom_id._compute_quantity(1, unit, round=False)}

    def _shopify_units(self, moves, quantity):
        """Units of the line that moves are; of a kit those that are complete.

        :param quantity: function of a move, in the move's unit
        """
        found = defaultdict(float)
        for move in moves:
            found[move.product_id] += move.product_uom._compute_quantity(
                quantity(move), move.product_id.uom_id, round=False
            )
        units = min(found[product] / part for product, part in self._shopify_parts().items())
        # sums of floats miss whole numbers
        return round(units, 6)

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Odoo looks for what today's bill of materials says, and finds nothing of it planned
        when it has changed.
        """
        if not self.shopify_kit_parts:
            return super()._get_qty_procurement(previous_product_uom_qty)
        live = self.move_ids.filtered(
            lambda move: move.state != "cancel" and move.location_dest_usage != "inventory"
        )
        back = live.filtered(lambda move: move.to_refund and move.location_usage == "customer")
        # Of several steps the first one: it is there before the others.
        out = (live - back).filtered(
            lambda move: (
                (move.location_final_id or move.location_dest_id).usage == "customer"
                and (move.to_refund or not move.origin_returned_move_id)
                and not move.move_orig_ids & live - back
            )
        )
        return self._shopify_units(
            out | back, lambda move: _planned(move) if move in out else -_planned(move)
        )


def _planned(move):
    return move.quantity if move.state == "done" else move.product_uom_qty
