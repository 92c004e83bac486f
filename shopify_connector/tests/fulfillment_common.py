"""What the tests of shipments share."""

from odoo import fields

from .order_common import OrderCase
from .order_nodes import OrderNode


class FulfillmentCase(OrderCase):
    """The US store, told of deliveries, with goods in stock and orders that both sides have."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.us.write({"export_fulfillments": True, "reserve": False})
        cls.goods = {sku: cls.product(cls, sku) for sku in "ABC"}
        for product in cls.goods.values():
            cls.stock(cls, cls.us, product, 10000)
        cls.elsewhere = cls.env["stock.warehouse"].create({"name": "Elsewhere", "code": "ELSE"})
        cls.ship_product = cls.product(cls, "SHIP", type="service")
        cls.carrier = cls.new_carrier("UPS Ground")

    @classmethod
    def new_carrier(cls, name):
        return cls.env["delivery.carrier"].create({"name": name, "product_id": cls.ship_product.id})

    def setUp(self):
        super().setUp()
        shop = self.shop(self.us)
        places = shop.store.all("Location")
        self.places = [place["id"] for place in places]
        self.locations = self.env["shopify.location"].create(
            [
                {
                    "backend_id": self.us.id,
                    "shopify_gid": place["id"],
                    "name": shop.read(place, "name"),
                }
                for place in places
            ]
        )
        self.main, self.other = self.locations[0], self.locations[1]
        self.main.warehouse_id = self.us.warehouse_id
        self.other.warehouse_id = self.elsewhere

    # -- orders ---------------------------------------------------------------------------------

    def order(self, number=1001, lines=(("A", 3), ("B", 1)), place=0, **fields):
        """An order in the store and in Odoo, to be shipped from a place; returns the sale."""
        builder = OrderNode(number, **fields)
        for sku, quantity in lines:
            options = {}
            if sku not in self.goods:
                options = {"requiresShipping": False, "isGiftCard": sku == "GIFT"}
                options |= {"variant": None, "product": None}
            builder.line(sku, "10.00", quantity, **options)
        node = {**builder.node, "fulfillmentOrders": [self.waiting(builder, place)]}
        self.sandbox.load([node], self.us.shop_domain)
        return self.sale(self.us, builder.node)

    def waiting(self, builder, place=0):
        shop = self.shop(self.us)
        location = shop.store.get(self.places[place])
        return {
            "id": builder.gid("FulfillmentOrder", 1),
            "status": "OPEN",
            "requestStatus": "UNSUBMITTED",
            "assignedLocation": {
                "name": shop.read(location, "name"),
                "countryCode": "US",
                "location": {"id": location["id"]},
            },
            "lineItems": {
                "nodes": [
                    {
                        "id": builder.gid("FulfillmentOrderLineItem", index + 1),
                        "totalQuantity": line["quantity"],
                        "remainingQuantity": line["quantity"],
                        "lineItem": {"id": line["id"]},
                    }
                    for index, line in enumerate(builder.lines)
                ]
            },
        }

    def ship(self, sale, quantities=None, tracking="1Z999", carrier=None):
        """Validate the open delivery of a sale; ``{sku: quantity}`` leaves a backorder.

        :return: the delivery
        """
        picking = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
        picking.ensure_one()
        picking.carrier_id = carrier or self.carrier
        picking.carrier_tracking_ref = tracking
        picking.action_assign()
        for move in picking.move_ids:
            if quantities is not None:
                move.quantity = quantities.get(move.product_id.default_code, 0)
            move.picked = bool(move.quantity)
        picking.with_context(skip_backorder=True)._action_done()
        self.assertEqual(picking.state, "done")
        return picking

    # -- jobs -----------------------------------------------------------------------------------

    def push(self, later=True):
        """What the jobs do until nothing is due any more.

        :param later: also what is put off
        """
        for _round in range(8):
            self.env.flush_all()
            if later:
                self.rows().filtered("next_attempt_at").next_attempt_at = fields.Datetime.now()
                self.env.flush_all()
            said = self.us._job_push_fulfillments()
            self.env.invalidate_all()
            if said == "Nothing waits.":
                break
            if not later:
                break
        return said

    def rows(self, picking=None, **wanted):
        domain = [("backend_id", "=", self.us.id)]
        domain += [("picking_id", "=", picking.id)] if picking else []
        domain += [(name, "=", value) for name, value in wanted.items()]
        return self.env["shopify.fulfillment"].search(domain, order="id")

    def exceptions(self):
        return self.env["shopify.exception"].search(
            [("backend_id", "=", self.us.id), ("state", "=", "open")]
        )

    # -- the store ------------------------------------------------------------------------------

    def fulfillments(self, sale):
        """What the store holds for an order, oldest first."""
        shop = self.shop(self.us)
        order = shop.store.get(sale.shopify_order_id.shopify_gid)
        return shop.store.related(order, "fulfillments")

    def shipped(self, sale):
        """``[({sku: units}, [numbers], mailed)]`` of what the store holds and is not cancelled."""
        store = self.shop(self.us).store
        found = []
        for item in self.fulfillments(sale):
            if item["status"] == "CANCELLED":
                continue
            lines = {}
            for line in store.resolve_all(item["fulfillmentLineItems"]):
                name = store.get(line["lineItem"])["title"].removeprefix("Title ")
                lines[name] = line["quantity"]
            numbers = [info["number"] for info in item["trackingInfo"]]
            found.append((lines, numbers, item["_notified"]))
        return found

    def calls(self, name):
        """How often an operation was asked for."""
        return sum(entry["operation"] == name for entry in self.shop(self.us).log)

    def fault(self, kind, operation="FulfillmentCreate", count=1, **options):
        self.shop(self.us).faults.add(kind=kind, operation=operation, count=count, **options)
