"""What the tests of orders share."""

from collections import Counter

from .common import ShopifyCase
from .order_nodes import OrderNode


class OrderCase(ShopifyCase):
    """Orders go straight to the importer, from the sandbox or as nodes made by hand."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.us | cls.eu).write({"confirm_policy": "always", "auto_tax_mapping": False})
        cls.us.shop_country_id = cls.env.ref("base.us")
        cls.eu.shop_country_id = cls.env.ref("base.de")

    # -- importing ------------------------------------------------------------------------------

    def process(self, backend, *nodes, sources=()):
        """Import nodes (or :class:`OrderNode`); returns the outcomes in the same order."""
        nodes = [node.node if isinstance(node, OrderNode) else node for node in nodes]
        worker = backend._as_integration_user()
        outcomes = worker.env["shopify.order.importer"]._process(
            worker,
            {node["id"]: node for node in nodes},
            {"sources": {node["id"]: set(sources) for node in nodes}},
        )
        self.env.flush_all()
        return [outcomes[node["id"]] for node in nodes]

    def fetch(self, backend, gids):
        """Read orders of the sandbox as the importer does."""
        worker = backend._as_integration_user()
        client = worker.env["shopify.client.factory"]._client(worker.sudo())
        nodes, faults = worker.env["shopify.order.importer"]._fetch(worker, client, gids)
        self.assertFalse(faults)
        return [nodes[gid] for gid in gids]

    def sale(self, backend, node, **options):
        """Import one order that must go through; returns the sale order."""
        (outcome,) = self.process(backend, node, **options)
        self.assertFalse(outcome.blocks, outcome.blocks)
        self.assertIn(outcome.status, ("created", "updated"), outcome.message)
        return outcome.record.with_env(self.env)

    def binding(self, backend, node):
        gid = node.node["id"] if isinstance(node, OrderNode) else node["id"]
        return self.env["shopify.order"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "=", gid)]
        )

    def statuses(self, outcomes):
        return Counter(outcome.status for outcome in outcomes)

    # -- what orders refer to -------------------------------------------------------------------

    def tax(self, backend, title, rate, country="US", included=False, **values):
        """A tax of its own, mapped."""
        tax = (
            self.env["account.tax"]
            .with_company(backend.company_id)
            .create(
                {
                    "name": f"{title} {rate} {country} {included} {values}",
                    "amount": (rate or 0) * 100,
                    "type_tax_use": "sale",
                    "company_id": backend.company_id.id,
                    "tax_group_id": self.tax_group(backend).id,
                    "price_include_override": "tax_included" if included else "tax_excluded",
                }
            )
        )
        self.env["shopify.tax.mapping"].create(
            {
                "backend_id": backend.id,
                "title": title,
                "rate": rate,
                "included": included,
                "country_id": self.env["res.country"].search([("code", "=", country)]).id,
                "tax_id": tax.id,
                **values,
            }
        )
        return tax

    def tax_group(self, backend):
        company = backend.company_id
        Group = self.env["account.tax.group"]
        return Group.search(
            [
                ("company_id", "=", company.id),
                ("country_id", "=", company.account_fiscal_country_id.id),
            ],
            limit=1,
        ) or Group.create(
            {
                "name": "Taxes",
                "company_id": company.id,
                "country_id": company.account_fiscal_country_id.id,
            }
        )

    def product(self, sku, **values):
        return self.env["product.product"].create(
            {"name": sku, "default_code": sku, "type": "consu", "is_storable": True, **values}
        )

    def stock(self, backend, product, quantity):
        location = backend.warehouse_id.lot_stock_id
        self.env["stock.quant"]._update_available_quantity(product, location, quantity)

    def map_taxes(self, backend):
        """Map the taxes that wait to taxes of their own."""
        Tax = self.env["account.tax"].with_company(backend.company_id)
        group = self.tax_group(backend)
        for mapping in backend.tax_mapping_ids.filtered(lambda row: not row.tax_id):
            mapping.tax_id = Tax.create(
                {
                    "name": f"{mapping.display_name} {mapping.id}",
                    "amount": mapping.rate * 100,
                    "type_tax_use": "sale",
                    "company_id": backend.company_id.id,
                    "tax_group_id": group.id,
                    "price_include_override": "tax_included"
                    if mapping.included
                    else "tax_excluded",
                }
            )
