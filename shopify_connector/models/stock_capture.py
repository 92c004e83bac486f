"""Which changes of stock Shopify is told of; they only add rows to the outbox.

On-hand and reserved quantities live in ``stock.quant`` and change by its ``create`` and ``write``
alone: moves, reservations, cancellations, adjustments, scraps and returns all end there. What is
planned (incoming, outgoing) lives in ``stock.move``, and matters only where a location shows it.
"""

from odoo import SUPERUSER_ID, api, models, tools

QUANT_FIELDS = {"quantity": "stock", "reserved_quantity": "reservation"}
MOVE_FIELDS = {
    "state",
    "date",
    "product_id",
    "product_uom",
    "product_uom_qty",
    "location_id",
    "location_dest_id",
}


class StockCapture(models.AbstractModel):
    """Collects the products whose stock changes in a transaction."""

    _name = "shopify.stock.capture"
    _description = "Shopify Stock Capture"

    @api.model
    @tools.ormcache()
    def _watched(self):
        """:return: whether any store is told of stock, and whether of planned stock"""
        self.env["shopify.backend"].flush_model(["active", "push_stock"])
        self.env["shopify.location"].flush_model(
            ["backend_id", "active", "push_stock", "stock_basis"]
        )
        self.env.cr.execute(
            """
            SELECT count(*) > 0, coalesce(bool_or(
                l.stock_basis IN ('free_incoming', 'forecast')), false)
            FROM shopify_backend b LEFT JOIN shopify_location l
                ON l.backend_id = b.id AND l.active AND l.push_stock
            WHERE b.active AND b.push_stock
            """
        )
        return self.env.cr.fetchone()

    @api.model
    def _look_anew(self):
        """What is watched may have changed: forget it now, and what others still saw before the
        transaction ended.
        """
        self.env.registry.clear_cache()
        self.env.cr.postcommit.add(self.env.registry.clear_cache)

    @api.model
    def _note(self, product_ids, reason):
        """Remember products; one INSERT follows when the transaction is flushed."""
        precommit = self.env.cr.precommit
        pending = precommit.data.get("shopify.stock")
        if pending is None:
            pending = precommit.data["shopify.stock"] = {}
            # The user who moves goods need not know of stores.
            outbox = self.env(user=SUPERUSER_ID, context={})["shopify.outbox"]

            @precommit.add
            def insert():
                by_reason = precommit.data.pop("shopify.stock", {})
                for why in dict.fromkeys(by_reason.values()):
                    products = [key for key, value in by_reason.items() if value == why]
                    outbox._put_products(outbox.env[self._name]._with_kits(products), why)

        # A move says more than the end of its reservation, which comes with it.
        for product_id in product_ids:
            if pending.get(product_id) != "stock":
                pending[product_id] = reason

    @api.model
    def _with_kits(self, product_ids):
        """Add the kits that these products are components of. Hook: without Manufacturing there
        are none.
        """
        if "mrp.bom.line" not in self.env:
            return product_ids
        kits, fresh = set(product_ids), set(product_ids)
        while fresh:
            lines = self.env["mrp.bom.line"].search(
                [("product_id", "in", list(fresh)), ("bom_id.type", "=", "phantom")]
            )
            boms = lines.bom_id
            found = set(boms.product_id.ids) | set(
                boms.filtered(lambda bom: not bom.product_id)
                .product_tmpl_id.with_context(active_test=False)
                .product_variant_ids.ids
            )
            fresh = found - kits
            kits |= fresh
        return list(kits)


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        capture = self.env["shopify.stock.capture"]
        if capture._watched()[0]:
            capture._note(quants.product_id._ids, "stock")
        return quants

    def write(self, vals):
        result = super().write(vals)
        reason = next((QUANT_FIELDS[name] for name in QUANT_FIELDS if name in vals), None)
        if reason:
            capture = self.env["shopify.stock.capture"]
            if capture._watched()[0]:
                capture._note(self.product_id._ids, reason)
        return result


class StockMove(models.Model):
    _inherit = "stock.move"

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        moves._note_shopify_plan()
        return moves

    def write(self, vals):
        planned = not MOVE_FIELDS.isdisjoint(vals)
        if planned and "product_id" in vals:
            self._note_shopify_plan()
        result = super().write(vals)
        if planned:
            self._note_shopify_plan()
        return result

    def unlink(self):
        self._note_shopify_plan()
        return super().unlink()

    def _note_shopify_plan(self):
        capture = self.env["shopify.stock.capture"]
        if capture._watched()[1]:
            capture._note(self.product_id._ids, "plan")


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def write(self, vals):
        """Quotations from Shopify hold stock back until they are confirmed or cancelled."""
        result = super().write(vals)
        if "state" in vals:
            capture = self.env["shopify.stock.capture"]
            ours = self.filtered("shopify_backend_id") if capture._watched()[0] else self.browse()
            if ours:
                capture._note(ours.order_line.product_id._ids, "order")
        return result
