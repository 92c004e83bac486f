"""What the tests of kits share; they need Manufacturing (`mrp` and `sale_mrp`)."""

from unittest import SkipTest

from odoo.fields import Command

MODULES = ("mrp", "sale_mrp")


class KitMixin:
    """To be put before a case: products with bills of materials of the type kit."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        module = cls.env["ir.module.module"].sudo()
        missing = [name for name in MODULES if module._get(name).state != "installed"]
        if missing:
            raise SkipTest(f"not installed: {', '.join(missing)}")

    @classmethod
    def bom(cls, kit, *parts, **values):
        """Make a product a kit.

        :param parts: pairs of product and quantity, with a unit of measure if it is another one
        """
        return cls.env["mrp.bom"].create(
            {
                "product_tmpl_id": kit.product_tmpl_id.id,
                "type": "phantom",
                "bom_line_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_qty": quantity,
                            "product_uom_id": (unit or [product.uom_id])[0].id,
                        }
                    )
                    for product, quantity, *unit in parts
                ],
                **values,
            }
        )

    @classmethod
    def component(cls, name, quantity=0, place=None, **values):
        """A storable product with so much of it in stock."""
        product = cls.env["product.product"].create(
            {"name": name, "default_code": name, "is_storable": True, **values}
        )
        if quantity:
            place = place or cls.us.warehouse_id.lot_stock_id
            cls.env["stock.quant"]._update_available_quantity(product, place, quantity)
        return product

    @classmethod
    def make_kit(cls, kit):
        """Make a product a kit of 2 C, twice 1 D and 500 g of E, which is kept in kg.

        :return: the bill of materials; `cls.parts` are the components by name, 100 of each
        """
        cls.parts = {name: cls.component(name, 100) for name in "CD"}
        cls.parts["E"] = cls.component("E", 100, uom_id=cls.env.ref("uom.product_uom_kgm").id)
        c, d, e = cls.parts.values()
        gram = cls.env.ref("uom.product_uom_gram")
        own = cls.env["stock.quant"].search([("product_id", "=", kit.id)])
        own.sudo().unlink()
        return cls.bom(kit, (c, 2), (d, 1), (d, 1), (e, 500, gram))

    @staticmethod
    def kits(units):
        """What so many kits of :meth:`make_kit` consist of."""
        return {"C": 2 * units, "D": 2 * units, "E": units / 2} if units else {}

    def send(self, sale, units, without=()):
        """Deliver units of each line, and leave a backorder for the rest.

        :param units: ``{sku of the line: units}``
        :param without: names of components that stay here
        :return: the delivery
        """
        picking = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
        picking.ensure_one()
        picking.action_assign()
        for move in picking.move_ids:
            wanted = units.get(move.sale_line_id.product_id.default_code, 0)
            if move.product_id.default_code in without:
                wanted = 0
            move.quantity = wanted * self.needed(move)
            move.picked = bool(move.quantity)
        picking.with_context(skip_backorder=True)._action_done()
        return picking

    @staticmethod
    def needed(move):
        """What a move takes for one unit of its line, in the unit of the move."""
        bom_line = move.bom_line_id
        if not bom_line:
            return 1
        return bom_line.product_uom_id._compute_quantity(bom_line.product_qty, move.product_uom)

    def by_bom_line(self, moves):
        """``{(name, position in the bill): quantity}``"""
        found = {}
        for bom_line, own in moves.grouped("bom_line_id").items():
            for name, quantity in self.amounts(own).items():
                found[name, bom_line.bom_id.bom_line_ids.ids.index(bom_line.id)] = quantity
        return found

    def amounts(self, moves):
        """``{name: quantity in the product's unit}`` of moves, done or planned."""
        found = {}
        for move in moves:
            quantity = move.quantity if move.state == "done" else move.product_uom_qty
            quantity = move.product_uom._compute_quantity(quantity, move.product_id.uom_id)
            name = move.product_id.default_code
            found[name] = round(found.get(name, 0) + quantity, 3)
        return found

    def to_send(self, sale):
        """What the open deliveries hold."""
        return self.amounts(
            sale.picking_ids.move_ids.filtered(
                lambda move: (
                    move.location_dest_usage == "customer" and move.state not in ("done", "cancel")
                )
            )
        )
