"""Orders as the mappers give them, small enough to see what a test is about."""

from dataclasses import fields
from datetime import datetime
from decimal import Decimal

from odoo.tests import TransactionCase, new_test_user

from ..mappers.address import Address
from ..mappers.customer import Customer
from ..mappers.money import Money
from ..mappers.order_types import Order, OrderLine, Totals
from ..mappers.tax import TaxKey

MOMENT = datetime(2026, 10, 1)
ZERO = Money(Decimal(0), "USD")
TOTALS = Totals(*[ZERO] * len(fields(Totals)))


def address(**values):
    values = {
        "name": "Jane Doe",
        "address1": "1 Main Street",
        "city": "Albany",
        "zip": "12207",
        "province": "New York",
        "province_code": "NY",
        "country": "United States",
        "country_code": "US",
        **values,
    }
    return Address(**values)


def customer(number=1, **values):
    values = {"name": "Jane Doe", "email": "jane@example.com", **values}
    return Customer(gid=f"gid://shopify/Customer/{number}", **values)


def order(number=1, **values):
    values = {"customer": customer(), "billing": address(), "shipping": address(), **values}
    return Order(
        gid=f"gid://shopify/Order/{number}",
        legacy_id=str(number),
        name=f"#{number}",
        number=number,
        currency="USD",
        shop_currency="USD",
        presentment_currency="USD",
        created_at=MOMENT,
        processed_at=MOMENT,
        updated_at=MOMENT,
        totals=TOTALS,
        **values,
    )


def line(number=1, **values):
    values = {
        "kind": "product",
        "title": "Mug",
        "variant_gid": f"gid://shopify/ProductVariant/{number}",
        "requires_shipping": True,
        **values,
    }
    return OrderLine(
        gid=f"gid://shopify/LineItem/{number}",
        quantity=1,
        current_quantity=1,
        unit_price=ZERO,
        gross=ZERO,
        net=ZERO,
        shop_net=ZERO,
        taxes_included=False,
        **values,
    )


def tax_key(title="VAT", rate="0.19", included=True, country="DE", liable=False):
    rate = None if rate is None else Decimal(rate)
    return TaxKey(title, rate, included, country, liable)


class MatchCase(TransactionCase):
    """One store; ``other_company`` has another."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = cls.env["res.company"].create(
            {"name": "Match Company", "country_id": cls.env.ref("base.us").id}
        )
        cls.env.user.company_ids |= company
        cls.company = company
        cls.jobs_user = new_test_user(
            cls.env,
            "match_jobs",
            "shopify_connector.group_integration",
            company_id=company.id,
            company_ids=[(6, 0, (company | cls.env.ref("base.main_company")).ids)],
        )
        cls.backend = cls._create_backend(company, "match-one")
        cls.other_company = cls.env.ref("base.main_company")

    @classmethod
    def _create_backend(cls, company, name):
        return (
            cls.env["shopify.backend"]
            .with_company(company)
            .create(
                {
                    "name": name,
                    "shop_domain": f"{name}.myshopify.com",
                    "company_id": company.id,
                    "user_id": cls.jobs_user.id,
                }
            )
        )

    def _match(self, what, items, backend=None):
        """What a matcher says to the integration user, as whom the jobs run."""
        worker = (backend or self.backend)._as_integration_user()
        found, blocks = worker.env[f"shopify.{what}.matcher"]._match(worker, items)
        self.env.flush_all()
        return found, blocks

    def _customers(self, *orders, backend=None):
        """Partners by order number; no order may be blocked."""
        found, blocks = self._match("customer", list(orders), backend)
        self.assertFalse(blocks)
        return [found[one.gid] for one in orders]

    def _products(self, *lines):
        return self._match("product", list(lines))

    def _taxes(self, *keys):
        return self._match("tax", set(keys))

    def _wait_for(self, block, gid="gid://shopify/Order/77"):
        """An order waits for a cause; returns the exception."""
        return self.env["shopify.exception"]._report(self.backend, {gid: ("#77", [block])})

    def _create_partner(self, **values):
        return self.env["res.partner"].create({"name": "Jane", **values})

    def _create_product(self, **values):
        return self.env["product.product"].create({"name": "Mug", **values})
