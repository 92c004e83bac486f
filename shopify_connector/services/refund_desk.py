"""What of an order can be refunded, and what a credit note or a return asks for."""

from __future__ import annotations

from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import float_round

from ..client.errors import ShopifyError
from ..mappers.refund_request import map_suggestion


class ShopifyRefundDesk(models.AbstractModel):
    """Prepares refunds that are asked for in Odoo; open to extension."""

    _name = "shopify.refund.desk"
    _description = "Shopify Refund Desk"

    # === WHAT SHOPIFY SAYS === #

    def _suggestion(self, order, question):
        """Shopify's own calculation.

        :param question: variables of ``order_suggested_refund.graphql`` but for the order's id
        :return: :class:`~..mappers.refund_request.Suggestion`
        :raises UserError: Shopify does not answer, or does not hold the order
        """
        client = self.env["shopify.refund.sender"]._client(order)
        variables = {"id": order.shopify_gid, **question}
        try:
            node = client.execute("order_suggested_refund", variables).data["order"]
        except ShopifyError as error:
            raise UserError(str(error)) from error
        if not node or not node["suggested"]:
            raise self._gone(order)
        return map_suggestion(node)

    def _refundable_lines(self, order):
        """Nodes of ``order_refundable_lines.graphql``."""
        client = self.env["shopify.refund.sender"]._client(order)
        try:
            if not client.nodes("order_long_lists", [order.shopify_gid])[0].get(order.shopify_gid):
                raise self._gone(order)
            return list(
                client.paginate(
                    "order_refundable_lines", "order.lineItems", {"id": order.shopify_gid}
                )
            )
        except ShopifyError as error:
            raise UserError(str(error)) from error

    def _gone(self, order):
        return UserError(self.env._("Shopify does not hold %s any more.", order.name))

    # === WHAT ODOO WANTS === #

    def _wanted(self, order, move, picking):
        """What a document of Odoo gives back.

        :return: ``({gid of the line: units}, amount of shipping)``
        """
        if move:
            return self._wanted_by_move(order.sudo(), move.sudo())
        if picking:
            return self._units(picking.sudo().move_ids), 0.0
        return {}, 0.0

    def _wanted_by_move(self, order, move):
        wanted, shipping = defaultdict(float), 0.0
        for line in move.invoice_line_ids:
            sale_line = line.sale_line_ids[:1]
            if sale_line.shopify_kind == "shipping":
                included = sale_line.shopify_taxes_included
                shipping += line.price_total if included else line.price_subtotal
            elif sale_line.shopify_gid:
                wanted[sale_line.shopify_gid] += line.product_uom_id._compute_quantity(
                    line.quantity, sale_line.product_uom_id, round=False
                )
        return _whole_units(wanted), max(shipping, 0.0)

    def _units(self, moves):
        """``{gid of the order's line: units}`` of moves that are done."""
        done = moves.filtered(lambda move: move.state == "done" and move.sale_line_id.shopify_gid)
        return _whole_units(
            {
                line.shopify_gid: line._shopify_units(own, lambda move: move.quantity)
                for line, own in done.grouped("sale_line_id").items()
            }
        )

    # === LINES === #

    def _line_vals(self, order, nodes, wanted, picking):
        """Values of ``shopify.refund.create.line`` for the lines that can be refunded.

        :param wanted: as from :meth:`_wanted`
        """
        sale = order.sudo().sale_order_id
        moves = sale.order_line.move_ids
        sent = self._units(moves.filtered(lambda m: m.location_dest_id.usage == "customer"))
        back = self._units(moves.filtered(lambda m: m.location_id.usage == "customer"))
        never_left = {
            line.shopify_gid: int(line.shopify_taken_off + line.shopify_not_sent)
            for line in sale.order_line
        }
        home = self._home(order, picking)
        vals_list = []
        for node in nodes:
            gid, refundable = node["id"], node["refundableQuantity"]
            if refundable <= 0:
                continue
            gone = node["quantity"] - refundable
            waiting = max(node["quantity"] - sent.get(gid, 0), 0)
            never = min(never_left.get(gid, 0), gone, waiting)
            # others that were refunded before came back before
            came_back = max(back.get(gid, 0) - gone + never, 0)
            quantity = min(wanted.get(gid, 0), refundable)
            if picking:
                quantity = min(quantity, came_back)
            vals_list.append(
                {
                    "line_gid": gid,
                    "name": node["name"],
                    "sku": node["sku"],
                    "ordered": node["quantity"],
                    "refundable": refundable,
                    # an invoiced line of a credit note has units below zero
                    "quantity": max(quantity, 0),
                    "not_sent": min(node["unfulfilledQuantity"], waiting - never),
                    "came_back": came_back,
                    "home_id": home.id,
                }
            )
        return vals_list

    def _home(self, order, picking):
        """The location of the store that goods are put back at: that of the warehouse."""
        order = order.sudo()
        warehouse = (
            picking.sudo().picking_type_id.warehouse_id
            if picking
            else order.sale_order_id.warehouse_id
        )
        found = self.env["shopify.location"].search(
            [
                ("backend_id", "=", order.backend_id.id),
                ("warehouse_id", "=", warehouse.id),
                ("warehouse_id", "!=", False),
            ]
        )
        exact = found.filtered(
            lambda location: (
                picking
                and location.stock_location_id
                and (picking.sudo().location_dest_id.parent_path or "").startswith(
                    location.stock_location_id.parent_path
                )
            )
        )
        own = found.filtered(lambda location: not location.fulfillment_service)
        return (exact or own or found)[:1]


def _whole_units(units):
    """Shopify refunds whole units; a part of one is none."""
    return {
        gid: int(float_round(quantity, precision_digits=0, rounding_method="DOWN"))
        for gid, quantity in units.items()
    }
