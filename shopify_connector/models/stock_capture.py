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


# Of Manufacturing.
BOM_MODELS = ("mrp.bom", "mrp.bom.line")


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
                    products = outbox.env[self._name]._with_kits(products, why)
                    outbox._put_products(products, why)

        # A move says more than the end of its reservation, which comes with it.
        for product_id in product_ids:
            if pending.get(product_id) != "stock":
                pending[product_id] = reason

    @api.model
    def _with_kits(self, product_ids, reason):
        """Add the products that are shown by the stock of these: the kits that they are
        components of. An order of a kit changes what is left of its components, too.
        """
        Kit = self.env["shopify.stock.kit"]
        return list(
            Kit._related(product_ids) if reason == "order" else Kit._containing(product_ids)
        )

    def _register_hook(self):
        """Watch the bills of materials of kits, where Manufacturing is installed."""
        result = super()._register_hook()
        for name in BOM_MODELS:
            if name in self.env:
                _watch_boms(self.env.registry[name])
        return result

    def _unregister_hook(self):
        result = super()._unregister_hook()
        for name in BOM_MODELS:
            if name in self.env:
                _forget_boms(self.env.registry[name])
        return result


def _watch_boms(Model):
    """Patch a model that this addon cannot inherit, because it may not be there."""

    def note(records):
        capture = records.env["shopify.stock.capture"]
        if capture._watched()[0]:
            boms = records if records._name == "mrp.bom" else records.bom_id
            kits = boms.sudo().filtered(lambda bom: bom.type == "phantom")
            capture._note(capture.env["shopify.stock.kit"].sudo()._products_of(kits)._ids, "kit")

    @api.model_create_multi
    def create(self, vals_list):
        records = create.origin(self, vals_list)
        note(records)
        return records

    def write(self, vals):
        note(self)
        result = write.origin(self, vals)
        note(self)
        return result

    def unlink(self):
        note(self)
        return unlink.origin(self)

    _forget_boms(Model)
    for method in (create, write, unlink):
        method.origin = getattr(Model, method.__name__)
        setattr(Model, method.__name__, method)


def _forget_boms(Model):
    for name in ("create", "write", "unlink"):
        if hasattr(vars(Model).get(name), "origin"):
            delattr(Model, name)


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
