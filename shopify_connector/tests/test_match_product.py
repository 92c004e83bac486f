from odoo.tests import tagged

from .match_common import MatchCase, line


@tagged("post_install", "-at_install")
class TestMatchProduct(MatchCase):
    def _found(self, *lines):
        found, blocks = self._products(*lines)
        self.assertFalse(blocks)
        return [found[one.gid] for one in lines]

    def _blocked(self, one):
        found, blocks = self._products(one)
        self.assertFalse(found)
        self.assertEqual(blocks[one.gid].category, "product")
        return blocks[one.gid]

    def _variant(self, number=1, **values):
        return self.env["shopify.variant"].create(
            {
                "backend_id": self.backend.id,
                "shopify_gid": f"gid://shopify/ProductVariant/{number}",
                **values,
            }
        )

    def test_link_beats_sku(self):
        linked = self._create_product(default_code="OTHER")
        self._create_product(default_code="MUG")
        self._variant(product_id=linked.id)
        self.assertEqual(self._found(line(sku="MUG")), [linked])

    def test_sku_becomes_a_link(self):
        mug = self._create_product(default_code="MUG")
        self.assertEqual(self._found(line(sku=" MUG ", variant_title="Red")), [mug])
        link = mug.shopify_variant_ids
        self.assertEqual(link.shopify_gid, "gid://shopify/ProductVariant/1")
        self.assertEqual(link.sku, "MUG")
        self.assertEqual(link.title, "Mug - Red")
        mug.default_code = "CHANGED"
        self.assertEqual(self._found(line(sku="MUG")), [mug])

    def test_listed_variant_gets_its_link(self):
        variant = self._variant(sku="MUG")
        mug = self._create_product(default_code="MUG")
        self.assertEqual(self._found(line(sku="MUG")), [mug])
        self.assertEqual(variant.product_id, mug)

    def test_sku_is_case_sensitive(self):
        self._create_product(default_code="mug")
        block = self._blocked(line(sku="MUG"))
        self.assertEqual(block.key, "gid://shopify/ProductVariant/1")

    def test_barcode_after_sku(self):
        by_code = self._create_product(barcode="4006381333931")
        self.assertEqual(self._found(line(sku="NONE", barcode="4006381333931")), [by_code])
        by_sku = self._create_product(default_code="NONE")
        self.assertEqual(self._found(line(2, sku="NONE", barcode="4006381333931")), [by_sku])

    def test_store_decides_what_to_match_by(self):
        mug = self._create_product(default_code="MUG", barcode="4006381333931")
        self.backend.match_sku = self.backend.match_barcode = False
        block = self._blocked(line(sku="MUG", barcode="4006381333931"))
        self.assertEqual(block.category, "product")
        self.backend.match_barcode = True
        self.assertEqual(self._found(line(sku="MUG", barcode="4006381333931")), [mug])

    def test_ambiguous_sku_waits_for_a_person(self):
        first = self._create_product(default_code="MUG")
        second = self._create_product(default_code="MUG")
        self.backend.missing_product = "placeholder"
        block = self._blocked(line(sku="MUG"))
        self.assertIn(str(first.id), block.message)
        self.assertIn(str(second.id), block.message)
        exception = self._wait_for(block)
        self.env[block.res_model].browse(block.res_id).product_id = second
        self.assertEqual(exception.state, "resolved")
        self.assertEqual(self._found(line(sku="MUG")), [second])

    def test_ambiguous_sku_of_deleted_variant(self):
        first = self._create_product(default_code="MUG")
        self._create_product(default_code="MUG")
        gone = line(sku="MUG", variant_gid="")
        block = self._blocked(gone)
        self.assertEqual(block.key, "sku:MUG")
        self.env[block.res_model].browse(block.res_id).product_id = first
        self.assertEqual(self._found(gone), [first])

    def test_product_of_other_company_is_never_taken(self):
        self._create_product(default_code="MUG", company_id=self.other_company.id)
        self._blocked(line(sku="MUG"))
        own = self._create_product(default_code="MUG", company_id=self.company.id)
        self.assertEqual(self._found(line(sku="MUG")), [own])

    def test_archived_product_gives_way_to_its_successor(self):
        old = self._create_product(default_code="MUG")
        self.assertEqual(self._found(line(sku="MUG")), [old])
        old.active = False
        block = self._blocked(line(sku="MUG"))
        self.assertIn("archived", block.message)
        new = self._create_product(default_code="MUG")
        self.assertEqual(self._found(line(sku="MUG")), [new])

    def test_unmapped_variant_stops_or_gets_placeholder(self):
        block = self._blocked(line(sku="NONE"))
        variant = self.env["shopify.variant"].browse(block.res_id)
        self.assertEqual(variant.sku, "NONE")
        self.assertFalse(variant.product_id)
        self.assertEqual(self._blocked(line(sku="NONE")).res_id, variant.id)
        self.backend.missing_product = "placeholder"
        goods, service = self._found(line(sku="NONE"), line(2, sku="NONE", requires_shipping=False))
        self.assertEqual(goods, self.env.ref("shopify_connector.product_placeholder"))
        self.assertEqual(goods.type, "consu")
        self.assertEqual(service, self.env.ref("shopify_connector.product_placeholder_service"))

    def test_custom_line_and_deleted_variant(self):
        custom = line(kind="custom", variant_gid="")
        deleted = line(2, variant_gid="", sku="GONE")
        placeholder = self.backend.placeholder_product_id
        self.assertEqual(self._found(custom, deleted), [placeholder, placeholder])
        self.assertFalse(self.env["shopify.variant"].search([("sku", "=", "GONE")]))
        still_there = self._create_product(default_code="GONE")
        self.assertEqual(self._found(deleted), [still_there])

    def test_lines_that_are_no_goods(self):
        kinds = ("shipping", "tip", "duty", "fee", "gift_card")
        found = self._found(
            *(line(number, kind=kind, variant_gid="") for number, kind in enumerate(kinds))
        )
        expected = [self.env.ref(f"shopify_connector.product_{kind}") for kind in kinds]
        self.assertEqual(found, expected)
        for product in found:
            self.assertFalse(product.taxes_id)
            self.assertFalse(product.company_id)
            self.assertEqual(product.type, "service")
        tip = self._create_product(type="service")
        self.backend.tip_product_id = tip
        self.assertEqual(self._found(line(kind="tip", variant_gid="")), [tip])

    def test_gift_card_with_product(self):
        card = self._create_product(default_code="CARD")
        gift = line(kind="gift_card", sku="CARD", is_gift_card=True)
        self.assertEqual(self._found(gift), [card])

    def test_special_product_not_set(self):
        self.backend.tip_product_id = False
        tip = line(kind="tip", variant_gid="")
        found, blocks = self._products(tip)
        self.assertFalse(found)
        self.assertEqual(blocks[tip.gid].category, "configuration")
        self.assertEqual(blocks[tip.gid].key, "tip_product_id")

    def test_new_sku_retries_what_waits(self):
        exception = self._wait_for(self._blocked(line(sku="MUG")))
        mug = self._create_product()
        self.assertEqual(exception.state, "open")
        mug.default_code = "MUG"
        self.assertEqual(exception.state, "resolved")
        exception = self._wait_for(self._blocked(line(2, sku="CUP")))
        self._create_product(default_code="CUP")
        self.assertEqual(exception.state, "resolved")

    def test_queries_do_not_grow_with_the_batch(self):
        for number in range(100):
            self._create_product(default_code=f"SKU{number}")

        def queries(start, count):
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            self._found(*(line(n, sku=f"SKU{n}") for n in range(start, start + count)))
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        queries(0, 1)
        self.assertEqual(queries(10, 2), queries(20, 80))
        self.assertLessEqual(queries(20, 80), 3)
