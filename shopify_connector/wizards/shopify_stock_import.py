from odoo import api, fields, models
from odoo.exceptions import UserError

from ..mappers.stock import MAX_CALL, map_level


class ShopifyStockImport(models.TransientModel):
    """Takes Shopify's stock as a first count, for a person to review and apply.

    The only way in which stock ever comes from Shopify, and only while none goes there.
    """

    _name = "shopify.stock.import"
    _description = "Import Stock from Shopify"

    backend_id = fields.Many2one("shopify.backend", string="Store", required=True)
    company_id = fields.Many2one(related="backend_id.company_id")
    push_stock = fields.Boolean(related="backend_id.push_stock")
    location_ids = fields.Many2many(
        "shopify.location",
        string="Locations",
        compute="_compute_location_ids",
        store=True,
        readonly=False,
        domain="[('backend_id', '=', backend_id), ('stock_location_id', '!=', False)]",
        help="Only those that are linked with a stock location.",
    )
    only_empty = fields.Boolean(
        string="Only Products without Stock",
        default=True,
        help="Products that Odoo has stock of in that location are left as they are.",
    )
    understood = fields.Boolean(
        string="The counts are to be reviewed before they are applied",
        help="Nothing changes in the stock until somebody applies the counts in Inventory.",
    )
    result = fields.Text(readonly=True)

    @api.depends("backend_id")
    def _compute_location_ids(self):
        for wizard in self:
            wizard.location_ids = wizard.backend_id.location_ids.filtered(
                lambda location: location.push_stock and location.stock_location_id
            )

    def action_import(self):
        """Read Shopify's stock on hand and enter it as counts that are not applied."""
        self.ensure_one()
        self.backend_id.check_access("write")
        self._refuse()
        found = self._read()
        quants, skipped = self._count(found)
        action = self.env["stock.quant"].action_view_inventory()
        action["domain"] = [("id", "in", quants.ids)]
        action["context"] = {**(action.get("context") or {}), "search_default_internal_loc": 0}
        if not quants:
            self.result = self.env._("There is nothing to count: %s", skipped)
            return {
                "type": "ir.actions.act_window",
                "res_model": self._name,
                "res_id": self.id,
                "view_mode": "form",
                "target": "new",
            }
        return action

    def _refuse(self):
        if self.backend_id.push_stock:
            raise UserError(
                self.env._(
                    "%s is told the stock by Odoo, so its quantities are Odoo's own. Switch that"
                    " off first, on the page Stock of the store.",
                    self.backend_id.name,
                )
            )
        if not self.understood:
            raise UserError(self.env._("Tick that the counts are reviewed before they apply."))
        if not self.location_ids:
            raise UserError(
                self.env._("No location is linked: choose the warehouse of each location first.")
            )

    def _variants(self):
        return self.env["shopify.variant"].search(
            [
                ("backend_id", "=", self.backend_id.id),
                ("product_id.is_storable", "=", True),
                ("inventory_item_gid", "!=", False),
                ("remote_deleted", "=", False),
            ]
        )

    def _read(self):
        """:return: ``{(stock.location, product): units on hand in Shopify}``; network only"""
        client = self.env["shopify.client.factory"]._client(self.backend_id)
        products = {variant.inventory_item_gid: variant.product_id for variant in self._variants()}
        found = {}
        for location in self.location_ids:
            nodes, _faults = client.nodes(
                "inventory_levels",
                list(products),
                variables={"location": location.shopify_gid},
                chunk_size=MAX_CALL,
            )
            for gid, node in nodes.items():
                level = map_level(node or {})
                if level.tracked and level.stocked:
                    found[location.stock_location_id, products[gid]] = level.on_hand
        return found

    def _count(self, found):
        """Enter counts; lots and serial numbers are for people, kits have no stock of their own."""
        Quant = self.env["stock.quant"].with_context(inventory_mode=True)
        kept = self._known(found) if self.only_empty else set()
        kits = self.env["shopify.stock.kit"]._kits(
            self.backend_id.company_id, [product.id for _place, product in found]
        )
        todo = {
            pair: units
            for pair, units in found.items()
            if units >= 0
            and pair not in kept
            and pair[1].tracking == "none"
            and pair[1] not in kits
        }
        quants = Quant.create(
            [
                {"location_id": place.id, "product_id": product.id, "inventory_quantity": units}
                for (place, product), units in todo.items()
            ]
        )
        skipped = self.env._(
            "%(kept)s have stock already, %(tracked)s are tracked by lots or serial numbers,"
            " %(negative)s are negative in Shopify, %(kits)s are kits.",
            kept=len(kept),
            tracked=sum(product.tracking != "none" for _place, product in found),
            negative=sum(units < 0 for units in found.values()),
            kits=sum(product in kits for _place, product in found),
        )
        return quants, skipped

    def _known(self, found):
        groups = self.env["stock.quant"]._read_group(
            [
                ("product_id", "in", [product.id for _place, product in found]),
                ("location_id", "in", [place.id for place, _product in found]),
                ("quantity", "!=", 0),
            ],
            ["location_id", "product_id"],
        )
        return set(groups) & set(found)
