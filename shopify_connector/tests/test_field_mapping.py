"""Details and metafields that are kept in fields of Odoo."""

from datetime import date

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.tools import mute_logger

from .order_common import OrderCase
from .order_nodes import OrderNode


class TestFieldMapping(OrderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product(cls, "A")

    def field(self, name, model="sale.order"):
        return self.env["ir.model.fields"]._get(model, name)

    def map(self, key, name, model="sale.order", source="attribute", kind="text", **values):
        return self.env["shopify.field.mapping"].create(
            {
                "backend_id": self.us.id,
                "source": source,
                "key": key,
                "kind": kind,
                "model": model,
                "field_id": self.field(name, model).id,
                **values,
            }
        )

    def order(self, number=1, customer=None, **attributes):
        """An order with additional details."""
        items = [{"key": key, "value": value} for key, value in attributes.items()]
        node = OrderNode(number, customAttributes=items).line("A", "10.00")
        node.fields["customer"] = {**node.node["customer"], **(customer or {})}
        return node

    def test_what_cannot_be_written_is_refused(self):
        for values in (
            {"name": "amount_total", "kind": "decimal"},
            {"name": "partner_id"},
            {"name": "order_line"},
            {"name": "create_date", "kind": "datetime"},
            {"name": "state"},
            {"name": "name"},
            {"name": "shopify_backend_id"},
            {"name": "commitment_date", "kind": "integer"},
            {"name": "commitment_date", "kind": "text"},
            {"name": "email", "model": "res.partner"},
            {"name": "contact_address", "model": "res.partner"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.map("key", **values)
        mapping = self.map("key", "client_order_ref")
        with self.assertRaises(ValidationError):
            mapping.kind = "boolean"
            mapping.field_id = self.field("commitment_date")
            mapping.flush_recordset()
        with self.assertRaises(ValidationError):
            mapping.model = "res.partner"

    def test_managers_decide(self):
        values = {
            "backend_id": self.us.id,
            "key": "reference",
            "field_id": self.field("client_order_ref").id,
        }
        Mapping = self.env["shopify.field.mapping"]
        with self.assertRaises(AccessError):
            Mapping.with_user(self.operator).create(values)
        self.assertTrue(Mapping.with_user(self.manager).create(values))

    def test_metafields_have_a_namespace(self):
        with self.assertRaises(ValidationError):
            self.map("delivery", "client_order_ref", source="order_metafield")

    @mute_logger("odoo.sql_db")
    def test_a_field_has_one_source(self):
        self.map("one", "client_order_ref")
        with self.assertRaises(IntegrityError), self.cr.savepoint():
            self.map("two", "client_order_ref")

    def test_details_of_the_order(self):
        self.map("Wish Date", "commitment_date", kind="datetime")
        self.map("reference", "client_order_ref")
        order = self.order(**{"wish date": "2026-12-24", "reference": "R 1", "other": "x"})
        sale = self.sale(self.us, order)
        self.assertEqual(sale.commitment_date.date(), date(2026, 12, 24))
        self.assertEqual(sale.client_order_ref, "R 1")
        self.assertFalse(sale.shopify_order_ids.warnings)
        plain = self.sale(self.us, self.order(2))
        self.assertEqual(plain.client_order_ref, "#2", "not stated is not emptied")

    def test_bad_values_are_noted(self):
        self.map("wish", "commitment_date", kind="datetime")
        self.map("sequence", "color", "res.partner", kind="integer")
        sale = self.sale(self.us, self.order(wish="tomorrow", sequence="99999999999"))
        self.assertFalse(sale.commitment_date)
        self.assertEqual(sale.partner_id.color, 0)
        warnings = sale.shopify_order_ids.warnings
        self.assertIn("tomorrow", warnings)
        self.assertIn("99999999999", warnings)
        other = self.sale(self.us, self.order(2, wish="2026-12-24", sequence="3"))
        self.assertEqual(other.partner_id.color, 3)

    def test_values_of_contacts(self):
        self.map("vat", "vat", "res.partner")
        self.map("function", "function", "res.partner", overwrite=True)
        customer = {"id": "gid://shopify/Customer/70"}
        sale = self.sale(self.us, self.order(1, customer, vat="not a number", function="Boss"))
        partner = sale.partner_id
        self.assertEqual((partner.vat, partner.function), ("not a number", "Boss"))
        self.sale(self.us, self.order(2, customer, vat="other", function="Chief"))
        self.assertEqual(partner.vat, "not a number", "only empty fields are filled")
        self.assertEqual(partner.function, "Chief")

    def test_contact_of_all_customers_is_left_alone(self):
        self.map("function", "function", "res.partner", overwrite=True)
        shop = self.env["res.partner"].create({"name": "Shop"})
        self.us.write({"customer_strategy": "single", "customer_id": shop.id})
        sale = self.sale(self.us, self.order(function="Boss"))
        self.assertFalse(shop.function)
        self.assertIn("Shop", sale.shopify_order_ids.warnings)

    def test_quotation_follows(self):
        self.us.confirm_policy = "quotation"
        self.map("reference", "client_order_ref")
        sale = self.sale(self.us, self.order(reference="one"))
        again = self.order(reference="two").line("A", "5.00")
        again.fields["updatedAt"] = "2026-11-03T10:00:00Z"
        self.assertEqual(self.sale(self.us, again), sale)
        self.assertEqual(sale.client_order_ref, "two")

    # -- metafields -----------------------------------------------------------------------------

    def metafields(self, **values):
        return {
            "nodes": [
                {
                    "__typename": "Metafield",
                    "id": f"gid://shopify/Metafield/{abs(hash(key)) % 10**9}",
                    "namespace": "custom",
                    "key": key,
                    "type": "single_line_text_field",
                    "value": value,
                }
                for key, value in values.items()
            ]
        }

    def operations(self):
        return [entry["operation"] for entry in self.shop(self.us).log]

    def place(self, number=1):
        node = self.order(number).node
        node["metafields"] = self.metafields(gift="For Bob", unused="x")
        node["customer"]["metafields"] = self.metafields(level="Gold")
        self.sandbox.load([node], self.us.shop_domain)
        return node["id"]

    def test_metafields_are_read_only_when_a_mapping_asks(self):
        [node] = self.fetch(self.us, [self.place()])
        self.assertNotIn("OrderMetafields", self.operations())
        self.assertNotIn("metafields", node)

    def test_metafields_of_order_and_customer(self):
        self.map("custom.gift", "client_order_ref", source="order_metafield")
        self.map("custom.level", "function", "res.partner", source="customer_metafield")
        gids = [self.place(1), self.place(2)]
        nodes = self.fetch(self.us, gids)
        self.assertEqual(self.operations().count("OrderMetafields"), 1, "one question for all")
        self.assertEqual(len(nodes[0]["metafields"]["nodes"]), 1)
        for node in nodes:
            sale = self.sale(self.us, node)
            self.assertEqual(sale.client_order_ref, "For Bob")
            self.assertEqual(sale.partner_id.function, "Gold")

    def test_a_mapping_that_is_removed_asks_no_more(self):
        mapping = self.map("custom.gift", "client_order_ref", source="order_metafield")
        gid = self.place()
        self.fetch(self.us, [gid])
        self.assertEqual(self.operations().count("OrderMetafields"), 1)
        mapping.unlink()
        self.fetch(self.us, [gid])
        self.assertEqual(self.operations().count("OrderMetafields"), 1)

    def test_more_metafields_than_one_page(self):
        keys = [f"key{number}" for number in range(12)]
        names = [
            field.name
            for field in self.env["ir.model.fields"].search(
                [
                    ("model", "=", "res.partner"),
                    ("ttype", "in", ("char", "text")),
                    ("store", "=", True),
                    ("readonly", "=", False),
                    ("name", "not in", ("name", "email", "lang", "vat")),
                ],
            )
            if not self.env["res.partner"]._fields[field.name].readonly
        ]
        for key, name in zip(keys, names, strict=False):
            self.map(f"custom.{key}", name, "res.partner", source="order_metafield")
        node = self.order().node
        node["metafields"] = self.metafields(**{key: key for key in keys})
        self.sandbox.load([node], self.us.shop_domain)
        [fetched] = self.fetch(self.us, [node["id"]])
        self.assertEqual({item["key"] for item in fetched["metafields"]["nodes"]}, set(keys))
