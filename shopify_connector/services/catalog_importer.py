"""The store's products and variants, linked to Odoo's."""

from psycopg2.errors import UniqueViolation

from odoo import fields, models

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import ThrottledError, TransientError
from ..client.gid import parse
from ..mappers.product import map_product
from .outcome import Outcome

PAGE_SIZE = 50


class ShopifyCatalogImporter(models.AbstractModel):
    """Handler of the inbox for products; also reads the whole catalogue.

    A variant is linked when the product matcher finds exactly one product. A link is never
    changed, and nothing is deleted here: what Shopify no longer has is marked.
    """

    _name = "shopify.catalog.importer"
    _description = "Shopify Catalogue Importer"

    # === THE WHOLE CATALOGUE === #

    def _import(self, backend, create_missing=False):
        """Read all products of the store, link them, and return how many were read."""
        return self._import_pages(backend, create_missing=create_missing)[0]

    def _import_pages(self, backend, cursor=None, limit=None, create_missing=False):
        """Read up to ``limit`` pages of products after ``cursor``.

        First everything is read, then everything is written: no lock is held while Shopify is
        waited for.

        :return: (number of products, cursor of the page to go on with; None at the end)
        :raises RetryableJobError: Shopify could not answer now, or another job wrote the same
        """
        try:
            nodes, cursor = self._read_pages(backend, cursor, limit)
        except TransientError as error:
            raise RetryableJobError(
                str(error),
                seconds=error.retry_after,
                ignore_retry=isinstance(error, ThrottledError),
            ) from error
        try:
            with self.env.cr.savepoint():
                self._upsert(backend, [map_product(node) for node in nodes], create_missing)
        except UniqueViolation as error:
            raise RetryableJobError(
                self.env._("Another job was writing the same products."), seconds=5
            ) from error
        if not cursor:
            backend.sudo().catalog_synced_at = fields.Datetime.now()
        return len(nodes), cursor

    def _read_pages(self, backend, cursor, limit):
        client = self.env["shopify.client.factory"]._client(backend)
        nodes = []
        pages = client.pages("products", "products", page_size=PAGE_SIZE, after=cursor)
        for count, page in enumerate(pages, 1):
            nodes += page.nodes
            cursor = page.cursor
            if count == limit:
                break
        return nodes, cursor

    # === HANDLER OF THE INBOX === #

    def _fetch(self, backend, client, gids):
        """Read products by id: ``({gid: node or None}, faults)``; touches no database.

        A variant's id answers with its product.
        """
        variants = [gid for gid in gids if parse(gid)[0] == "ProductVariant"]
        owners, faults = {}, ()
        if variants:
            found, faults = client.nodes("variants_by_ids", variants)
            owners = {gid: node and node["product"]["id"] for gid, node in found.items()}
        wanted = [gid for gid in gids if gid not in variants] + list(filter(None, owners.values()))
        nodes, more = client.nodes("product_by_ids", wanted) if wanted else ({}, ())
        for gid, owner in owners.items():
            if owner is None or owner in nodes:
                nodes[gid] = owner and nodes[owner]
        return {gid: nodes[gid] for gid in gids if gid in nodes}, (*faults, *more)

    def _process(self, backend, nodes, context):
        """Create or update the bindings of a batch of products: ``{gid: Outcome}``."""
        gone = [gid for gid, node in nodes.items() if node is None]
        outcomes = self._mark_deleted(backend, gone)
        products = {node["id"]: node for node in nodes.values() if node}
        done = self._upsert(backend, [map_product(node) for node in products.values()])
        for gid, node in nodes.items():
            if node:
                outcomes[gid] = done[node["id"]]
        return outcomes

    def _mark_deleted(self, backend, gids):
        """Shopify has no such product (or variant) any more: ``{gid: Outcome}``."""
        outcomes = {
            gid: Outcome("skipped", message=self.env._("Deleted in Shopify, never linked."))
            for gid in gids
        }
        if not gids:
            return outcomes
        domain = [("backend_id", "=", backend.id), ("shopify_gid", "in", gids)]
        products = self.env["shopify.product"].search(domain)
        variants = self.env["shopify.variant"].search(domain)
        products.remote_deleted = True
        (variants | products.variant_ids).remote_deleted = True
        for record in (*products, *variants):
            outcomes[record.shopify_gid] = Outcome(
                "deleted", record, self.env._("Deleted in Shopify; the link is kept.")
            )
        return outcomes

    # === BINDINGS === #

    def _upsert(self, backend, products, create_missing=False):
        """Create or update the bindings of products and of their variants.

        :param products: list of :class:`~..mappers.product.Product`
        :return: ``{product gid: Outcome}``
        """
        domain = [("backend_id", "=", backend.id)]
        known = self.env["shopify.product"].search(
            [*domain, ("shopify_gid", "in", [product.gid for product in products])]
        )
        known = {record.shopify_gid: record for record in known}
        stale = {product.gid for product in products if self._is_stale(product, known)}
        fresh = [product for product in products if product.gid not in stale]
        outcomes = self._upsert_products(backend, fresh, known)
        bindings = {gid: outcome.record for gid, outcome in outcomes.items()}
        touched = self._upsert_variants(backend, fresh, bindings)
        if create_missing:
            # Whoever started the import may create products; the integration user need not.
            creator = self.env["shopify.catalog.creator"].sudo()
            touched |= creator._create_missing(
                backend, {bindings[product.gid]: product for product in fresh}
            )
        for gid, outcome in outcomes.items():
            if outcome.status == "unchanged" and bindings[gid] in touched:
                outcome.status = "updated"
            left = bindings[gid].unmapped_count
            if left:
                outcome.message = self.env._("%s variants are not mapped.", left)
        for gid in stale:
            outcomes[gid] = Outcome(
                "skipped", known[gid], self.env._("A newer state is known already.")
            )
        return outcomes

    def _is_stale(self, product, known):
        applied = product.gid in known and known[product.gid].shopify_updated_at
        return bool(applied and product.updated_at and product.updated_at < applied)

    def _upsert_products(self, backend, products, known):
        outcomes, new = {}, []
        for product in products:
            values = self._product_values(product)
            if product.gid in known:
                changed = self._write_changes(known[product.gid], values)
                outcomes[product.gid] = Outcome(
                    "updated" if changed else "unchanged", known[product.gid]
                )
            else:
                new.append({**values, "backend_id": backend.id, "shopify_gid": product.gid})
        for record in self.env["shopify.product"].create(new) if new else ():
            outcomes[record.shopify_gid] = Outcome("created", record)
        return outcomes

    def _upsert_variants(self, backend, products, bindings):
        """Returns the ``shopify.product`` whose variants changed."""
        variants = {
            variant.gid: (variant, product) for product in products for variant in product.variants
        }
        owners = self.env["shopify.product"].union(*bindings.values())
        known = self.env["shopify.variant"].search(
            [
                ("backend_id", "=", backend.id),
                "|",
                ("shopify_gid", "in", list(variants)),
                ("shopify_product_id", "in", owners.ids),
            ]
        )
        touched = self.env["shopify.product"]
        for record in known.filtered(lambda record: record.shopify_gid not in variants):
            # The product was read in whole, so this variant is gone.
            if self._write_changes(record, {"remote_deleted": True}):
                touched |= record.shopify_product_id
        known = {record.shopify_gid: record for record in known}
        links = self._find_links(backend, variants, known)
        new = []
        for gid, (variant, product) in variants.items():
            values = self._variant_values(variant, product, bindings[product.gid])
            if gid in links:
                values["product_id"] = links[gid].id
            if gid not in known:
                new.append({**values, "backend_id": backend.id, "shopify_gid": gid})
            elif self._write_changes(known[gid], values):
                touched |= bindings[product.gid]
        if new:
            touched |= self.env["shopify.variant"].create(new).shopify_product_id
        return touched

    def _find_links(self, backend, variants, known):
        """Products of the variants that are linked to none: ``{gid: product}``."""
        items = {
            gid: {"sku": variant.sku, "barcode": variant.barcode}
            for gid, (variant, _product) in variants.items()
            if gid not in known or not known[gid].product_id
        }
        return self.env["shopify.product.matcher"]._by_codes(backend, items)[0]

    def _write_changes(self, record, values):
        """Write what differs, and return whether anything did."""
        changes = {}
        for name, value in values.items():
            current = record[name]
            if isinstance(current, models.BaseModel):
                current = current.id
            if current != value:
                changes[name] = value
        if changes:
            record.write({**changes, "synced_at": fields.Datetime.now()})
        return bool(changes)

    def _product_values(self, product):
        """Values of the binding of a product."""
        statuses = dict(self.env["shopify.product"]._fields["status"].selection)
        return {
            "title": product.title or False,
            "handle": product.handle or False,
            "status": product.status if product.status in statuses else "unknown",
            "vendor": product.vendor or False,
            "product_type": product.product_type or False,
            "is_gift_card": product.is_gift_card,
            "remote_deleted": False,
            "shopify_updated_at": self._without_fraction(product.updated_at),
        }

    def _variant_values(self, variant, product, binding):
        """Values of the binding of a variant, without its link."""
        return {
            "shopify_product_id": binding.id,
            "title": variant.title or product.title or False,
            "sku": variant.sku or False,
            "barcode": variant.barcode or False,
            "inventory_item_gid": variant.inventory_item_gid or False,
            "remote_deleted": False,
            "shopify_updated_at": self._without_fraction(variant.updated_at),
        }

    def _without_fraction(self, moment):
        """Odoo's dates have no fractions of a second."""
        return moment.replace(microsecond=0) if moment else False
