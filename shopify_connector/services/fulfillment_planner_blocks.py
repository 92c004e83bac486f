from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import timedelta

from odoo import fields, models

from .fulfillment_exporter import FLOW
from .outcome import Block

# How soon goods that somebody holds are looked at again without being asked.
RECHECK = timedelta(hours=1)


class ShopifyFulfillmentPlanner(models.AbstractModel):
    """Shipments that wait for a decision: why, and what to do about it.

    Blocks are kept with their rows, because all that waits for one order is reported together.
    """

    _inherit = "shopify.fulfillment.planner"

    def _wait(self, row, *blocks, recheck=False):
        """A shipment waits for a person; with ``recheck`` it is looked at again by itself."""
        row.write(
            {
                "state": "waiting",
                "blocks": self._kept(blocks),
                "message": "; ".join(block.title for block in blocks),
                "next_attempt_at": fields.Datetime.now() + RECHECK if recheck else False,
            }
        )
        return []

    def _kept(self, blocks):
        return [asdict(block) for block in blocks] or False

    def _report(self, orders):
        """Put what waits for these ``shopify.order`` on the list of exceptions, or off it.

        :return: number of shipments that wait
        """
        Exceptions, waiting = self.env["shopify.exception"], 0
        rows = self.env["shopify.fulfillment"].search(
            [("order_id", "in", orders.ids), ("blocks", "!=", False)]
        )
        for backend, mine in orders.grouped("backend_id").items():
            told = {}
            for order in mine:
                own = rows.filtered(lambda row, order=order: row.order_id == order and row.blocks)
                waiting += len(own.filtered(lambda row: row.state == "waiting"))
                blocks = [Block(**data) for row in own for data in row.blocks]
                if blocks:
                    told[order.shopify_gid] = (order.name, blocks)
            clear = [gid for gid in mine.mapped("shopify_gid") if gid not in told]
            if clear:
                Exceptions._clear_waiting(backend, clear, flow=FLOW)
            if told:
                Exceptions._report(backend, told, flow=FLOW)
        return waiting

    def _fail(self, rows, message, details=None):
        """Something went wrong that trying again does not put right."""
        for row in rows.filtered(lambda row: row.state in ("pending", "sending")):
            self._wait(row, self._failure_block(row, message))
        self._report(rows.order_id)
        if details:
            keys = [block["key"] for row in rows for block in row.blocks or ()]
            self.env["shopify.exception"].search(
                [("key", "in", keys), ("state", "=", "open")]
            ).details = details

    def _give_up(self, rows):
        """Shopify's answer got lost too often."""
        self._fail(
            rows,
            self.env._("Shopify did not answer, time and again. It may have done it all the same."),
        )

    # === BLOCKS === #

    def _block(self, row, reason, title, message, remedy):
        return Block(
            category="fulfillment",
            key=f"{row.order_id.shopify_gid}|{row.id}|{reason}",
            title=title,
            message=message,
            remedy=remedy,
            res_model="shopify.fulfillment",
            res_id=row.id,
        )

    def _names(self, row):
        return {
            "order": row.order_id.name,
            "delivery": row.picking_id.name or self.env._("digital goods"),
        }

    def _failure_block(self, row, message):
        return self._block(
            row,
            "failed",
            self.env._("%(order)s: %(delivery)s could not be told to Shopify", **self._names(row)),
            message,
            self.env._(
                "Put right what the message names, then press Retry: what Shopify has already is"
                " found and not sent again."
            ),
        )

    def _refused_block(self, row, message):
        return self._block(
            row,
            "refused",
            self.env._("%(order)s: Shopify refuses %(delivery)s", **self._names(row)),
            self.env._(
                "%(order)s, %(delivery)s: Shopify says: %(message)s",
                message=message,
                **self._names(row),
            ),
            self.env._(
                "Look at the order in Shopify. If access is denied, give the app the scope"
                " write_merchant_managed_fulfillment_orders. Then press Retry."
            ),
        )

    def _place_block(self, row):
        warehouse = row.picking_id.picking_type_id.warehouse_id
        return Block(
            category="fulfillment",
            key=f"warehouse|{warehouse.id}",
            title=self.env._("%s stands for no location in Shopify", warehouse.name),
            message=self.env._(
                "%(order)s, %(delivery)s: no location of %(store)s is mapped to the warehouse"
                " %(warehouse)s that shipped it.",
                store=row.backend_id.name,
                warehouse=warehouse.name,
                **self._names(row),
            ),
            remedy=self.env._(
                "Open the store, page Locations, and choose this warehouse for a location; what"
                " waits is sent then."
            ),
            res_model="shopify.backend",
            res_id=row.backend_id.id,
        )

    def _follow_block(self, row, why):
        """A parcel that Odoo's deliveries cannot follow."""
        names = {"order": row.order_id.name, "parcel": row.name or row.shopify_gid, "why": why}
        return self._block(
            row,
            "follow",
            self.env._("%(order)s: parcel %(parcel)s fits no delivery in Odoo", **names),
            self.env._(
                "%(order)s was shipped by Shopify as %(parcel)s, but %(why)s.",
                **names,
            ),
            self.env._(
                "Make the delivery in Odoo fit, or do it by hand with these quantities; then press"
                " Retry."
            ),
        )

    def _cancelled_block(self, row):
        names = {**self._names(row), "parcel": row.name or row.shopify_gid}
        return self._block(
            row,
            "cancelled",
            self.env._("%(order)s: fulfilment %(parcel)s was cancelled in Shopify", **names),
            self.env._(
                "%(order)s: Shopify waits for the goods of %(delivery)s again, which left the"
                " warehouse in Odoo.",
                **names,
            ),
            self.env._(
                "If they did leave, open the delivery and press Push to Shopify Now; if not, return"
                " the delivery. Then press Retry."
            ),
        )

    def _problem_blocks(self, row, problems):
        """One Block for each reason."""
        groups = defaultdict(list)
        for problem in problems:
            groups[problem.reason].append(problem)
        return [self._problem_block(row, reason, items) for reason, items in groups.items()]

    def _problem_block(self, row, reason, problems):
        names = {
            **self._names(row),
            "goods": self._goods(row, problems),
            "what": "; ".join(dict.fromkeys(item.what for item in problems if item.what)),
        }
        title, message, remedy = self._sentences()[reason]
        return self._block(row, reason, title % names, message % names, remedy % names)

    def _goods(self, row, problems):
        """*2 x Mug, 1 x Plate*"""
        lines = self.env["sale.order.line"].search(
            [
                ("order_id", "=", row.order_id.sale_order_id.id),
                ("shopify_gid", "in", [item.line_gid for item in problems]),
            ]
        )
        names = {line.shopify_gid: line.product_id.display_name for line in lines}
        return ", ".join(
            f"{item.quantity} x {names.get(item.line_gid, item.line_gid)}" for item in problems
        )

    def _sentences(self):
        """``{reason: (title, message, remedy)}``"""
        return {**self._place_sentences(), **self._quantity_sentences()}

    def _place_sentences(self):
        return {
            "hold": (
                self.env._("%(order)s: %(delivery)s is on hold in Shopify"),
                self.env._("%(order)s, %(delivery)s: %(goods)s are on hold: %(what)s."),
                self.env._(
                    "Release the hold in Shopify. Odoo looks again each hour; Retry looks at once."
                ),
            ),
            "location": (
                self.env._("%(order)s: Shopify expects %(delivery)s from %(what)s"),
                self.env._("%(order)s, %(delivery)s: Shopify expects %(goods)s from %(what)s."),
                self.env._(
                    "Move the goods in Shopify to the location that shipped, or let the store move"
                    " them (page Shipping of the store); then press Retry."
                ),
            ),
            "service": (
                self.env._("%(order)s: %(what)s was asked to ship %(delivery)s"),
                self.env._(
                    "%(order)s, %(delivery)s: the fulfilment service %(what)s was asked to ship"
                    " %(goods)s."
                ),
                self.env._(
                    "Cancel the request in Shopify, or make sure that nothing is sent twice."
                ),
            ),
        }

    def _quantity_sentences(self):
        return {
            "scheduled": (
                self.env._("%(order)s: %(delivery)s is not due in Shopify"),
                self.env._(
                    "%(order)s, %(delivery)s: %(goods)s cannot be fulfilled in Shopify yet."
                ),
                self.env._(
                    "Mark them as open in Shopify if they are to go now. Odoo looks again each"
                    " hour."
                ),
            ),
            "elsewhere": (
                self.env._("%(order)s: parts of %(delivery)s were fulfilled elsewhere"),
                self.env._("%(order)s, %(delivery)s: %(goods)s were fulfilled in Shopify already."),
                self.env._("Make sure that nothing is sent twice, then press Ignore."),
            ),
            "nothing_left": (
                self.env._("%(order)s: more was delivered by %(delivery)s than Shopify waits for"),
                self.env._(
                    "%(order)s, %(delivery)s: Shopify does not wait for %(goods)s: they were"
                    " removed, refunded or cancelled there, or more was delivered than ordered."
                ),
                self.env._(
                    "Compare the order with Shopify. Add the goods there and press Retry, take"
                    " them back, or press Ignore."
                ),
            ),
        }
