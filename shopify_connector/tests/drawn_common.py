"""What the tests of drawn orders share."""

import os
from unittest import SkipTest

from .accounting_common import AccountingCase

try:
    import hypothesis

    from .order_drawn import CURRENCIES
except ImportError:
    hypothesis = None

SEED = int(os.environ.get("SHOPIFY_CONNECTOR_DRAWN_SEED", "1"))
# A store's currency policy, and the side of the drawn amounts that it takes.
SHOP, SEEN = ("shop", 1), ("presentment", 0)


class DrawnCase(AccountingCase):
    """Two stores for drawn orders: all their currencies, products and liabilities."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if hypothesis is None:
            raise SkipTest("the package hypothesis is not there")
        cls.env["res.currency"].with_context(active_test=False).search(
            [("name", "in", CURRENCIES)]
        ).active = True
        cls.env["product.product"].create(
            [
                {
                    "name": f"SKU-{number}",
                    "default_code": f"SKU-{number}",
                    "type": "consu",
                    "is_storable": number == 1,
                    "invoice_policy": "delivery" if number % 2 else "order",
                }
                for number in range(1, 9)
            ]
        )
        cls._prepare_books(cls.us)
        cls._prepare_books(cls.eu)

    @classmethod
    def _prepare_books(cls, backend):
        company = backend.company_id
        cls.env["res.currency.rate"].create(
            [
                {
                    "currency_id": cls.env.ref(f"base.{code}").id,
                    "company_id": company.id,
                    "name": "2026-01-01",
                    "rate": rate,
                }
                for code, rate in (("USD", 1.1), ("EUR", 0.9), ("JPY", 151.3), ("KWD", 0.307))
                if code != company.currency_id.name
            ]
        )
        accounts = cls.env["account.account"].create(
            [
                {
                    "name": name,
                    "code": f"2398{index}{company.id}",
                    "account_type": "liability_current",
                    "company_ids": [(6, 0, company.ids)],
                }
                for index, name in enumerate(("Gift Cards", "Store Credit"))
            ]
        )
        backend.write(
            {
                "missing_product": "placeholder",
                "payment_journal_id": cls.env["account.journal"]
                .search([("company_id", "=", company.id), ("type", "=", "bank")], limit=1)
                .id,
                "gift_card_account_id": accounts[0].id,
                "store_credit_account_id": accounts[1].id,
                "shop_timezone": "UTC",
            }
        )

    def bring_in(self, backend, nodes):
        """Orders come through the inbox; taxes are mapped while they wait."""
        self.sandbox.load(nodes, backend.shop_domain)
        bindings = self.import_orders(backend, nodes)
        if len(bindings) < len(nodes):
            self.map_taxes(backend)
            bindings = self.import_orders(backend, nodes)
        return bindings

    def waiting(self, backend, nodes):
        """``[(node, messages)]`` of the orders that wait for a person."""
        found = {}
        for line in self.exceptions(backend).line_ids:
            found.setdefault(line.gid, []).append(line.exception_id.message)
        return [(nodes[gid], messages) for gid, messages in found.items() if gid in nodes]
