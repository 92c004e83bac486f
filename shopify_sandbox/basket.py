"""A basket: what a generated customer chooses, and what it costs."""

import random
from dataclasses import dataclass, fields
from decimal import Decimal

from . import customers
from .money import bag, rounded
from .pricing import Discount, LineInput, Priced, price_order
from .profiles import PROFILES, Profile, Region
from .shop import Shop


@dataclass
class Wishes:
    """What generated orders look like. None leaves it to chance.

    :param lines: number of lines
    :param discounts: every order has some, or none has
    :param distinct_customers: each order has a new customer with an account and an own address
    :param currency: presentment currency
    :param payment: ``paid``, ``pending`` or ``authorized``
    :param extras: tips, gift cards, custom items, duties and fees may occur
    :param region: country code, or country and province code (``US/NY``)
    """

    lines: int | None = None
    discounts: bool | None = None
    distinct_customers: bool = False
    currency: str | None = None
    payment: str | None = None
    extras: bool = True
    region: str | None = None
    test: bool = False

    @classmethod
    def read(cls, options: dict) -> "Wishes":
        """From the body of a control request; keys that are no wish are ignored."""
        known = {item.name for item in fields(cls)}
        return cls(**{name: value for name, value in options.items() if name in known})


class NothingToSell(ValueError):
    """The shop has no catalogue or no locations."""


class Basket:
    """One order in the making: what was chosen, and its price."""

    def __init__(self, shop: Shop, rng: random.Random, wishes: Wishes) -> None:
        self.shop, self.rng, self.wishes = shop, rng, wishes
        self.profile: Profile = PROFILES[shop.profile]
        self.locations = shop.store.all("Location")
        self.variants = shop.store.all("ProductVariant")
        if not self.variants or not self.locations or not self.profile.regions:
            raise NothingToSell(f"{shop.domain} has nothing to sell: use the profile us or eu")
        self.currency = shop.currency
        self.discounts: list[tuple[Discount, dict]] = []
        self.lines: list[dict] = []
        self.reserved: list[tuple[dict, str, int]] = []

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def surprise(self, probability: float) -> bool:
        return self.chance(probability) and self.wishes.extras

    def choose(self) -> None:
        """Who buys, what, at which discount and how it is shipped."""
        self._choose_customer()
        self._choose_currency()
        self._choose_lines()
        self._choose_discounts()
        self._choose_shipping()

    # Choices ----------------------------------------------------------------------------------

    def _choose_customer(self) -> None:
        shop, rng = self.shop, self.rng
        region = self._wished_region() or customers.pick_region(rng, self.profile)
        self.customer = None
        self.guest = not self.wishes.distinct_customers and self.chance(0.2)
        if self.guest:
            who = customers.person(rng)
            self.email = customers.email(rng, who)
            self.billing = customers.address(shop, rng, region, who)
        else:
            known = shop.store.all("Customer")
            if known and not (self.wishes.distinct_customers or self.chance(0.4)):
                self.customer = rng.choice(known)
                region = customers.region_of(self.customer, self.profile, rng)
            else:
                self.customer = customers.new_customer(shop, rng, region)
            self.email = shop.read(self.customer, "email")
            home = self.customer.get("defaultAddress")
            self.billing = home or customers.address(shop, rng, region, customers.person(rng))
        self.region: Region = region
        self.shipping_address = self.billing
        if not self.guest and self.chance(0.15):
            who = customers.person(rng)
            self.shipping_address = customers.address(shop, rng, region, who)

    def _wished_region(self) -> Region | None:
        wanted = (self.wishes.region or "").upper()
        for region in self.profile.regions:
            names = (region.country_code, f"{region.country_code}/{region.province_code}")
            if wanted and wanted in names:
                return region
        return None

    def _choose_currency(self) -> None:
        by_country = {"CA": "CAD", "GB": "GBP", "JP": "JPY", "CH": "CHF"}
        wanted = self.wishes.currency or by_country.get(self.region.country_code)
        use = self.wishes.currency or self.chance(0.7)
        self.presentment = wanted if use and wanted in self.profile.rates else self.currency

    def convert(self, amount: Decimal, currency: str) -> Decimal:
        if currency == self.shop.currency:
            return rounded(amount, currency)
        return rounded(amount * self.profile.rates[currency], currency)

    def _choose_lines(self) -> None:
        count = self.wishes.lines or self.rng.choice((1, 1, 2, 2, 3, 3, 4, 6))
        goods = [v for v in self.variants if not self._is_gift_card(v)]
        cards = [v for v in self.variants if self._is_gift_card(v)]
        for variant in self.rng.sample(goods, min(count, len(goods))):
            self.lines.append(self._variant_line(variant, self.rng.choice((1, 1, 1, 2, 3))))
        if cards and self.surprise(0.06):
            self.lines.append(self._variant_line(self.rng.choice(cards), 1))
        if self.surprise(0.06):
            price = Decimal(self.rng.randint(300, 4000)) / 100
            self.lines.append(self._custom_line("Gift wrapping", price, taxable=True))
        if self.surprise(0.1):
            price = Decimal(self.rng.choice(("1.50", "2.00", "3.33", "5.00")))
            self.lines.append({**self._custom_line("Tip", price, taxable=False), "tip": True})

    def _is_gift_card(self, variant: dict) -> bool:
        product = self.shop.store.get(variant.get("product")) or {}
        return bool(product.get("isGiftCard"))

    def _variant_line(self, variant: dict, quantity: int) -> dict:
        product = self.shop.store.get(variant.get("product")) or {}
        item = self.shop.store.get(variant.get("inventoryItem")) or {}
        reduced = product.get("productType") == "Books" and self.region.reduced
        taxable = self.shop.read(variant, "taxable")
        title = self.shop.read(variant, "title")
        return {
            "title": product.get("title") or "",
            "variantTitle": None if title == "Default Title" else title,
            "sku": self.shop.read(variant, "sku"),
            "vendor": product.get("vendor"),
            "variant": variant["id"],
            "product": product.get("id"),
            "price": Decimal(self.shop.read(variant, "price")),
            "quantity": quantity,
            "taxable": taxable,
            "taxes": (self.region.reduced if reduced else self.region.taxes) if taxable else (),
            "gift_card": bool(product.get("isGiftCard")),
            "ships": self.shop.read(item, "requiresShipping", "InventoryItem"),
            "item": item,
        }

    def _custom_line(self, title: str, price: Decimal, taxable: bool) -> dict:
        return {
            "title": title,
            "variantTitle": None,
            "sku": None,
            "vendor": None,
            "variant": None,
            "product": None,
            "price": price,
            "quantity": 1,
            "taxable": taxable,
            "taxes": self.region.taxes if taxable else (),
            "gift_card": False,
            "ships": False,
            "item": {},
        }

    def _choose_discounts(self) -> None:
        wanted = self.wishes.discounts
        if wanted is False or (wanted is None and self.chance(0.45)):
            return
        goods = [
            i for i, line in enumerate(self.lines) if not line["gift_card"] and not line.get("tip")
        ]
        kind = self.rng.choice(("code", "fixed", "line", "line+code", "manual"))
        if kind.startswith("line"):
            self._discount(
                "AutomaticDiscountApplication",
                [self.rng.choice(goods)],
                percentage=self.rng.choice((10, 15, 33)),
                title="Second season",
                method="EACH",
                selection="EXPLICIT",
            )
        if kind.endswith("code"):
            self._discount(
                "DiscountCodeApplication",
                goods,
                percentage=self.rng.choice(("10", "12.5", "20")),
                code="WELCOME",
            )
        if kind == "fixed":
            self._discount(
                "DiscountCodeApplication",
                goods,
                amount=Decimal(self.rng.choice(("5.00", "7.77", "10.00"))),
                code="SAVE-NOW",
            )
        if kind == "manual":
            self._discount(
                "ManualDiscountApplication",
                goods,
                percentage=5,
                title="Goodwill",
                description="Goodwill",
            )

    def _discount(
        self,
        type_name,
        lines,
        *,
        percentage=None,
        amount=None,
        method="ACROSS",
        selection="ALL",
        **names,
    ) -> None:
        value = (
            {"__typename": "PricingPercentageValue", "percentage": float(percentage)}
            if percentage is not None
            else bag(amount, self.currency)["shopMoney"] | {"__typename": "MoneyV2"}
        )
        application = {
            "__typename": type_name,
            "index": len(self.discounts),
            "allocationMethod": method,
            "targetSelection": selection,
            "targetType": "SHIPPING_LINE" if lines is None else "LINE_ITEM",
            "value": value,
            **names,
        }
        exact = Decimal(str(percentage)) if percentage is not None else None
        self.discounts.append((Discount(exact, amount, lines), application))

    def _choose_shipping(self) -> None:
        self.rate = None
        self.duties = self.fee = Decimal(0)
        if not any(line["ships"] for line in self.lines):
            return
        self.rate = self.rng.choice(self.profile.shipping)
        if self.wishes.discounts is not False and self.chance(0.12):
            self._discount(
                "DiscountCodeApplication",
                None,
                percentage=self.rng.choice((100, 50)),
                code="FREESHIP",
            )
        if self.region.foreign and self.surprise(0.3):
            self.duties = Decimal("0.065")
        if self.surprise(0.03):
            self.fee = Decimal("1.95")

    # Prices -----------------------------------------------------------------------------------

    def price(self, currency: str) -> Priced:
        inputs = []
        for line in self.lines:
            unit = self.convert(line["price"], currency)
            duty = unit * line["quantity"] * self.duties if line["ships"] else Decimal(0)
            rates = [Decimal(rate) for _title, rate in line["taxes"]]
            inputs.append(LineInput(unit, line["quantity"], rates, duty, bool(line.get("tip"))))
        discounts = [
            Discount(
                discount.percentage,
                None if discount.amount is None else self.convert(discount.amount, currency),
                discount.lines,
            )
            for discount, _application in self.discounts
        ]
        shipping = self.convert(Decimal(self.rate[2]), currency) if self.rate else Decimal(0)
        taxes = self.region.taxes if self.profile.tax_shipping else ()
        return price_order(
            currency,
            inputs,
            discounts,
            taxes_included=self.shop.taxes_included,
            shipping=shipping,
            shipping_rates=[Decimal(rate) for _title, rate in taxes] if self.rate else [],
            fee=self.convert(self.fee, currency),
        )

    def bag(self, shop_amount: Decimal, amount: Decimal) -> dict:
        """A money bag of the order's two currencies."""
        return bag(shop_amount, self.currency, amount, self.presentment)
