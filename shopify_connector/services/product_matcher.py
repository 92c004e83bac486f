"""Which products the lines of orders are."""

from odoo import fields, models

from ..const import SKU_PREFIX
from .dry_run import note
from .outcome import Block

# Field of the store that holds the product of a kind of line.
SPECIAL_PRODUCTS = {
    "shipping": "shipping_product_id",
    "tip": "tip_product_id",
    "duty": "duty_product_id",
    "fee": "fee_product_id",
    "gift_card": "gift_card_product_id",
}
GOODS = ("product", "custom", "gift_card")


class ShopifyProductMatcher(models.AbstractModel):
    """A variant is known by its link, else by SKU, else by barcode; a hit becomes a link.

    - SKUs are compared exactly, as Shopify does; space around them does not count.
    - Several products with one SKU are never guessed at: a person chooses.
    - A link to an archived product, or to one of another company, counts as none; the SKU is tried.
    - Custom lines and lines whose variant was deleted get the store's placeholder.
    """

    _name = "shopify.product.matcher"
    _description = "Shopify Product Matcher"

    def _match(self, backend, lines):
        """Find the product of every line of a batch of orders.

        Lines of every kind are answered; for the delivery method of shipping lines and their
        product ask ``shopify.carrier.matcher``.

        :param backend: the store, one record
        :param lines: list of :class:`~..mappers.order_types.OrderLine`
        :return: ``({line.gid: product.product}, {line.gid: Block})``; every line is in one of them
        """
        goods, found, blocks = [], {}, {}
        for line in lines:
            if line.kind in GOODS:
                goods.append(line)
            else:
                found[line.gid] = backend[SPECIAL_PRODUCTS[line.kind]]
        items = {line.gid: self._item(line) for line in goods}
        matches, ambiguous, links = self._match_items(
            backend, {item["shopify_gid"]: item for item in items.values() if item}
        )
        missing = {}
        for line in goods:
            gid = items[line.gid] and items[line.gid]["shopify_gid"]
            if gid in matches:
                found[line.gid] = matches[gid]
            elif gid in ambiguous:
                blocks[line.gid] = (items[line.gid], ambiguous[gid])
            elif line.kind == "gift_card" or line.is_gift_card:
                found[line.gid] = backend.gift_card_product_id
            elif not line.variant_gid or backend.missing_product == "placeholder":
                found[line.gid] = self._placeholder(backend, line)
                note(self.env, "product", "placeholder", {line.gid: None})
            else:
                blocks[line.gid] = (items[line.gid], None)
            if gid not in matches and (line.variant_gid or gid in ambiguous):
                missing[gid] = items[line.gid]
        if missing:
            self._list(backend, missing, links)
        return self._without_empty(backend, lines, found, blocks, links)

    def _without_empty(self, backend, lines, found, blocks, links):
        """Replace what could not be answered by its cause."""
        causes = {}
        for line in lines:
            if line.gid in blocks:
                item, products = blocks[line.gid]
                causes[line.gid] = self._block(
                    backend, item, links.get(item["shopify_gid"]), products
                )
            elif not found[line.gid]:
                del found[line.gid]
                causes[line.gid] = self._configuration_block(backend, line)
        return found, causes

    def _item(self, line):
        """What a line says about its variant, as values of ``shopify.variant``; None: nothing."""
        sku = (line.sku or "").strip()
        if not line.variant_gid and not sku:
            return None
        return {
            "shopify_gid": line.variant_gid or SKU_PREFIX + sku,
            "sku": sku,
            "barcode": (line.barcode or "").strip(),
            "title": " - ".join(filter(None, (line.title, line.variant_title))),
        }

    def _placeholder(self, backend, line):
        if line.requires_shipping:
            return backend.placeholder_product_id
        return backend.placeholder_service_id

    # === MATCHING, ALSO FOR THE CATALOGUE === #

    def _match_items(self, backend, items):
        """Find the products of variants.

        :param items: ``{gid: {"sku", "barcode", ...}}``
        :return: ``({gid: product}, {gid: several products}, {gid: shopify.variant})``
        """
        if not items:
            return {}, {}, {}
        links = self.env["shopify.variant"].search_fetch(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(items))],
            ["shopify_gid", "product_id", "sku", "barcode"],
        )
        links = {link.shopify_gid: link for link in links}
        found = {
            gid: link.product_id
            for gid, link in links.items()
            if self._usable(backend, link.product_id)
        }
        note(self.env, "product", "link", {gid: links[gid] for gid in found})
        left = {gid: item for gid, item in items.items() if gid not in found}
        matched, ambiguous = self._by_codes(backend, left)
        self._remember(backend, {gid: left[gid] for gid in matched}, matched, links)
        return found | matched, ambiguous, links

    def _usable(self, backend, product):
        return (
            product and product.active and product.company_id.id in (False, backend.company_id.id)
        )

    def _by_codes(self, backend, items):
        """Match by SKU, else by barcode, as far as the store allows it."""
        found, ambiguous = {}, {}
        for enabled, field, code in (
            (backend.match_sku, "default_code", "sku"),
            (backend.match_barcode, "barcode", "barcode"),
        ):
            left = {
                gid: item[code]
                for gid, item in items.items()
                if item[code] and gid not in found and gid not in ambiguous
            }
            if not enabled or not left:
                continue
            products = self.env["product.product"].search_fetch(
                [
                    ("company_id", "in", (False, backend.company_id.id)),
                    (field, "in", list(set(left.values()))),
                ],
                [field],
                order="id",
            )
            groups = products.grouped(field)
            for gid, value in left.items():
                hits = groups.get(value)
                if hits:
                    (found if len(hits) == 1 else ambiguous)[gid] = hits
                    note(self.env, "product", code, {gid: None})
        return found, ambiguous

    def _remember(self, backend, items, products, links):
        """Keep what was found as links, so that later changes of the SKU do no harm."""
        new = []
        for gid, item in items.items():
            if gid in links:
                links[gid].product_id = products[gid]
            else:
                new.append({**self._link_values(backend, item), "product_id": products[gid].id})
        if new and backend._may_remember("variant"):
            self.env["shopify.variant"].create(new)

    def _list(self, backend, missing, links):
        """Unmapped variants are listed, so that they can be mapped."""
        new = {gid: item for gid, item in missing.items() if gid not in links}
        if new and backend._may_remember("variant"):
            rows = self.env["shopify.variant"].create(
                [self._link_values(backend, item) for item in new.values()]
            )
            links.update(zip(new, rows, strict=True))

    def _link_values(self, backend, item):
        return {
            "backend_id": backend.id,
            "shopify_gid": item["shopify_gid"],
            "sku": item["sku"] or False,
            "barcode": item["barcode"] or False,
            "title": item["title"] or False,
            "synced_at": fields.Datetime.now(),
        }

    # === TEXTS === #

    def _block(self, backend, item, link, products):
        sku = item["sku"]
        name = f"{item['title']} ({self.env._('SKU %s', sku)})" if sku else item["title"]
        if products:
            title = self.env._("Product %s is ambiguous", name)
            message = self.env._(
                "%(count)s products have the SKU or barcode of %(name)s: %(products)s.",
                count=len(products),
                name=name,
                products=", ".join(f"{hit.display_name} (id {hit.id})" for hit in products[:5]),
            )
        elif link and link.product_id:
            title = self.env._("The product linked with %s cannot be sold", name)
            message = self.env._(
                "%(name)s is linked with %(product)s, which is archived or belongs to another"
                " company, and no other product has its SKU or barcode.",
                name=name,
                product=link.product_id.display_name,
            )
        else:
            title = self.env._("Product %s is not mapped", name)
            message = self.env._(
                "No product of %(company)s has the SKU or barcode of %(name)s.",
                company=backend.company_id.name,
                name=name,
            )
            if not sku and not item["barcode"]:
                message = self.env._("%s has neither SKU nor barcode in Shopify.", name)
        return Block(
            category="product",
            key=item["shopify_gid"],
            title=title,
            message=message,
            remedy=self.env._(
                "Choose the product, or give a product this SKU. All orders that wait for it will"
                " be imported."
            ),
            res_model="shopify.variant",
            res_id=link.id if link else None,
            values=None if link else self._block_values(backend, item),
        )

    def _block_values(self, backend, item):
        values = self._link_values(backend, item)
        del values["synced_at"]
        return values

    def _configuration_block(self, backend, line):
        field = SPECIAL_PRODUCTS.get(line.kind) or (
            "placeholder_product_id" if line.requires_shipping else "placeholder_service_id"
        )
        label = backend._fields[field]._description_string(self.env)
        return Block(
            category="configuration",
            key=field,
            title=self.env._('%(store)s has no product "%(name)s"', store=backend.name, name=label),
            message=self.env._(
                'The line "%(line)s" needs the product that is set as "%(name)s" in the store.',
                line=line.title,
                name=label,
            ),
            remedy=self.env._("Choose it in the store's settings, then retry."),
            res_model="shopify.backend",
            res_id=backend.id,
        )
