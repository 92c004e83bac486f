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
        if "mrp.bom" in self.env and not self.env.context.get("skip_procurement"):
            self.filtered(
                lambda line: (
                    line.shopify_gid and line.state == "sale" and not line.shopify_kit_parts
                )
            )._shopify_keep_kit_parts()
        return result

    def _shopify_keep_kit_parts(self):
        """Remember the components of lines whose deliveries were just planned."""
        for line in self:
            if line.product_uom_qty <= 0 or line.product_id in line.move_ids.product_id:
                continue
            moves = line._shopify_first_moves()
            if moves:
                line.shopify_kit_parts = {
                    product.id: _amount(own) / line.product_uom_qty
                    for product, own in moves.grouped("product_id").items()
                }

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

    def _shopify_first_moves(self):
        """What is sent to the customer; of several steps the first one, which is there before the
        others.
        """
        return self.move_ids.filtered(
            lambda move: (
                move.state != "cancel"
                and (move.location_final_id or move.location_dest_id).usage == "customer"
                and not move.origin_returned_move_id
                and not move.move_orig_ids & self.move_ids
            )
        )

    def _shopify_grouped(self, moves):
        """Moves by what of the line they deliver.

        A kit may take one product on two lines of its bill of materials, and Odoo counts the kits
        that are complete by these.

        :return: ``[(moves of one product, quantity of it for one unit of the line)]``
        """
        planned, parts, found = self._shopify_first_moves(), self._shopify_parts(), []
        for product, same in moves.grouped("product_id").items():
            whole = planned.filtered(lambda move, product=product: move.product_id == product)
            part = parts.get(product, 0.0)
            if product not in parts and not self.shopify_kit_parts:
                # Delivered in its place.
                units = self.product_uom_qty - self.shopify_not_sent
                part = _amount(whole) / units if units > 0 else 0.0
            total = _amount(whole) if self.shopify_kit_parts else 0
            if not total or "bom_line_id" not in same._fields:
                found.append((same, part))
                continue
            shares = whole.grouped("bom_line_id")
            for bom_line, own in same.grouped("bom_line_id").items():
                found.append((own, part * _amount(shares.get(bom_line, ())) / total))
        return [(own, part) for own, part in found if part > 0]

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Odoo looks for what today's bill of materials says, and finds nothing of it planned
        when it has changed.
        """
        if not self.shopify_kit_parts:
            return super()._get_qty_procurement(previous_product_uom_qty)
        back = self.move_ids.filtered(
            lambda move: (
                move.state != "cancel"
                and move.to_refund
                and move.location_usage == "customer"
                and move.location_dest_usage != "inventory"
            )
        )
        again = back.returned_move_ids.filtered(
            lambda move: move.state != "cancel" and move.to_refund
        )
        return self._shopify_units(
            self._shopify_first_moves() | again | back,
            lambda move: -_planned(move) if move in back else _planned(move),
        )


def _planned(move):
    return move.quantity if move.state == "done" else move.product_uom_qty


def _amount(moves):
    """What moves of a product sent or will send, in its unit."""
    return sum(
        move.product_uom._compute_quantity(_planned(move), move.product_id.uom_id, round=False)
        for move in moves
    )
