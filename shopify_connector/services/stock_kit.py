from collections import defaultdict

from odoo import models
from odoo.tools import SQL

from .finding import Finding


class ShopifyStockKit(models.AbstractModel):
    """Kits: products that are delivered as their components. Without Manufacturing there are
    none, and nothing is asked.
    """

    _name = "shopify.stock.kit"
    _description = "Shopify Kits"

    def _parts(self, company, product_ids):
        """What a company's kits consist of, down to products that are no kits.

        :return: ``{kit id: {component id: quantity in its own unit for one kit}}`` of those that
            are kits. Components whose stock Odoo does not keep are left out.
        """
        products = self._kits(company, product_ids)
        if not products:
            return {}
        boms, todo = {}, products
        while todo:
            found = self._boms(company, todo)
            boms.update(found)
            lines = self.env["mrp.bom.line"].union(*(bom.bom_line_ids for bom in found.values()))
            todo = lines.product_id - products.union(*boms)
        return {kit.id: self._spread(kit, boms) for kit in products if kit in boms}

    def _kits(self, company, product_ids):
        """Products that may be kits; one query, because most are none."""
        Product = self.env["product.product"]
        if not product_ids or "mrp.bom" not in self.env:
            return Product
        self.env["mrp.bom"].flush_model(
            ["active", "type", "company_id", "product_id", "product_tmpl_id"]
        )
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT p.id FROM product_product p JOIN mrp_bom b ON b.product_id = p.id
                    OR b.product_id IS NULL AND b.product_tmpl_id = p.product_tmpl_id
                WHERE p.id = ANY(%s) AND b.active AND b.type = 'phantom'
                    AND (b.company_id IS NULL OR b.company_id = %s)
                """,
                list(product_ids),
                company.id,
            )
        )
        return Product.browse(product_id for (product_id,) in self.env.cr.fetchall())

    def _boms(self, company, products):
        found = self.env["mrp.bom"]._bom_find(products, company_id=company.id, bom_type="phantom")
        return {product: bom for product, bom in found.items() if bom}

    def _spread(self, kit, boms):
        """``{component id: quantity}`` of one kit; as Odoo delivers it, rounded up."""
        parts, todo = defaultdict(float), [(kit, 1.0)]
        while todo:
            product, quantity = todo.pop()
            bom = boms[product]
            times = product.uom_id._compute_quantity(quantity, bom.product_uom_id, round=False)
            for line in bom.bom_line_ids:
                component, unit = line.product_id, line.product_uom_id
                wanted = times / bom.product_qty * line.product_qty
                if not wanted or line._skip_bom_line(product):
                    continue
                if component not in boms:
                    wanted = unit.round(wanted, rounding_method="UP")
                wanted = unit._compute_quantity(wanted, component.uom_id, round=False)
                if component in boms:
                    todo.append((component, wanted))
                elif component.is_storable:
                    parts[component.id] += wanted
        return dict(parts)

    def _containing(self, product_ids):
        """:return: ids of these products and of all kits that have them as components"""
        found, fresh = set(product_ids), set(product_ids)
        while fresh and "mrp.bom.line" in self.env:
            lines = self.env["mrp.bom.line"].search(
                [("product_id", "in", list(fresh)), ("bom_id.type", "=", "phantom")]
            )
            kits = self._products_of(lines.bom_id)
            fresh = set(kits.ids) - found
            found |= fresh
        return found

    def _products_of(self, boms):
        """The products that bills of materials are of."""
        of_all = boms.filtered(lambda bom: not bom.product_id).product_tmpl_id
        return boms.product_id | of_all.with_context(active_test=False).product_variant_ids

    def _related(self, product_ids):
        """:return: ids of all products that a sale of these takes stock from"""
        if "mrp.bom" not in self.env:
            return set(product_ids)
        found, fresh = set(product_ids), set(product_ids)
        while fresh:
            boms = self.env["mrp.bom"].search(
                [
                    ("type", "=", "phantom"),
                    "|",
                    ("product_id", "in", list(fresh)),
                    "&",
                    ("product_id", "=", False),
                    ("product_tmpl_id.product_variant_ids", "in", list(fresh)),
                ]
            )
            fresh = set(boms.bom_line_ids.product_id.ids) - found
            found |= fresh
        return self._containing(found)


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _import(self, backend, orders, bindings):
        """Shopify takes an order off what it names. Of kits Odoo has to take it off their
        components and off other kits with them, even when the order has to wait.
        """
        capture = self.env["shopify.stock.capture"]
        if "mrp.bom" in self.env and capture._watched()[0]:
            gids = {line.variant_gid for order in orders for line in order.lines} - {None, ""}
            variants = self.env["shopify.variant"].search(
                [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids))]
            )
            sold = set(variants.product_id._ids)
            capture._note(self.env["shopify.stock.kit"]._related(sold) - sold, "order")
        return super()._import(backend, orders, bindings)


class ShopifyConnectionChecker(models.AbstractModel):
    _inherit = "shopify.connection.checker"

    def _check_server(self, backend):
        return super()._check_server(backend) + self._check_kits(backend)

    def _check_kits(self, backend):
        """Shopify takes open orders from what is on hand, and knows nothing of components."""
        places = backend.location_ids.filtered(
            lambda place: place.push_stock and place.stock_basis == "on_hand"
        )
        if not backend.push_stock or not places:
            return []
        variants = self.env["shopify.variant"].search([("backend_id", "=", backend.id)])
        kits = self.env["shopify.stock.kit"]._kits(backend.company_id, variants.product_id.ids)
        if not kits:
            return []
        return [
            Finding(
                "warning",
                self.env._("Kits are shown by what is on hand"),
                self.env._(
                    "%(count)s kits are sold from %(places)s. A component that is promised to an"
                    " open order of one product is offered again with another.",
                    count=len(kits),
                    places=", ".join(places.mapped("name")),
                ),
                self.env._("Choose another Quantity for the location, e.g. Free to use."),
                "stock",
            )
        ]
