"""Customers place orders: what they buy, what it costs, how they pay, where it ships from."""

import random
from dataclasses import dataclass, fields
from decimal import Decimal

from . import customers
from .loading import Change, Loader
from .money import bag, rounded
from .payments import pay
from .pricing import Discount, LineInput, Priced, price_order
from .profiles import PROFILES, Profile, Region
from .routing import commit_stock, fulfillment_orders
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


def place_orders(
    shop: Shop, count: int, rng: random.Random, wishes: Wishes | None = None
) -> list[dict]:
    """Place orders and send their webhooks.

    :return: the stored orders
    :raises NothingToSell: for a blank shop
    """
    placed = []
    for _index in range(count):
        order, changes = _Order(shop, rng, wishes or Wishes()).place()
        shop.tell(changes)
        placed.append(order)
    return placed


class _Order:
    """One order in the making."""

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

    def place(self) -> tuple[dict, list[Change]]:
        self._choose_customer()
        self._choose_currency()
        self._choose_lines()
        self._choose_discounts()
        self._choose_shipping()
        priced = self._price(self.shop.currency)
        presented = self._price(self.presentment)
        data = self._order(priced, presented)
        pay(self, data, priced, presented)
        loader = Loader(self.shop.store, self.shop.api, self.currency, self.shop.now())
        loader.load(data)
        with self.shop.store.lock:
            changes = loader.changes + commit_stock(self.shop, self.reserved)
        return self.shop.store.get(data["id"]), changes

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

    def _convert(self, amount: Decimal, currency: str) -> Decimal:
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

    def _price(self, currency: str) -> Priced:
        inputs = []
        for line in self.lines:
            unit = self._convert(line["price"], currency)
            duty = unit * line["quantity"] * self.duties if line["ships"] else Decimal(0)
            rates = [Decimal(rate) for _title, rate in line["taxes"]]
            inputs.append(LineInput(unit, line["quantity"], rates, duty, bool(line.get("tip"))))
        discounts = [
            Discount(
                discount.percentage,
                None if discount.amount is None else self._convert(discount.amount, currency),
                discount.lines,
            )
            for discount, _application in self.discounts
        ]
        shipping = self._convert(Decimal(self.rate[2]), currency) if self.rate else Decimal(0)
        taxes = self.region.taxes if self.profile.tax_shipping else ()
        return price_order(
            currency,
            inputs,
            discounts,
            taxes_included=self.shop.taxes_included,
            shipping=shipping,
            shipping_rates=[Decimal(rate) for _title, rate in taxes] if self.rate else [],
            fee=self._convert(self.fee, currency),
        )

    def _bag(self, shop_amount: Decimal, amount: Decimal) -> dict:
        return bag(shop_amount, self.currency, amount, self.presentment)

    # Composition ------------------------------------------------------------------------------

    def _order(self, shop_side: Priced, other: Priced) -> dict:
        shop, rng = self.shop, self.rng
        number = shop.next_order_number()
        now = shop.now()
        both = self._bag
        total = both(shop_side.total, other.total)
        subtotal = both(shop_side.subtotal, other.subtotal)
        tax = both(shop_side.tax, other.tax)
        shipping = both(shop_side.shipping_net, other.shipping_net)
        discounts = both(shop_side.discount, other.discount)
        duties = both(sum(shop_side.duties), sum(other.duties)) if self.duties else None
        fee = both(shop_side.fee, other.fee) if self.fee else None
        lines = [self._line(i, shop_side, other) for i in range(len(self.lines))]
        quantity = sum(line["quantity"] for line in self.lines if not line.get("tip"))
        data = {
            "__typename": "Order",
            "id": shop.store.new_gid("Order"),
            "name": f"{shop.settings.order_prefix}{number}",
            "number": number,
            "confirmationNumber": "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=9)),
            "createdAt": now,
            "processedAt": now,
            "updatedAt": now,
            "confirmed": True,
            "test": self.wishes.test,
            "currencyCode": self.currency,
            "presentmentCurrencyCode": self.presentment,
            "taxesIncluded": shop.taxes_included,
            "dutiesIncluded": False,
            "taxExempt": False,
            "email": self.email,
            "phone": self.billing.get("phone"),
            "customer": {"id": self.customer["id"]} if self.customer else None,
            "customerLocale": {"DE": "de", "FR": "fr"}.get(self.region.country_code, "en"),
            "billingAddress": self._snapshot(self.billing),
            "shippingAddress": self._snapshot(self.shipping_address) if self.rate else None,
            "sourceName": "web",
            "attribution": {"handle": "online_store", "displayName": "Online Store"},
            "note": rng.choice(
                (None, None, None, "Please leave at the door.", "Gift — no invoice")
            ),
            "tags": rng.choice(([], [], ["vip"], ["wholesale", "priority"])),
            "customAttributes": rng.choice(([], [{"key": "gift", "value": "yes"}])),
            "risk": self._risk(),
            "lineItems": {"nodes": lines},
            "discountApplications": {"nodes": [item for _d, item in self.discounts]},
            "shippingLines": {"nodes": self._shipping_lines(shop_side, other)},
            "subtotalPriceSet": subtotal,
            "currentSubtotalPriceSet": subtotal,
            "totalTaxSet": tax,
            "currentTotalTaxSet": tax,
            "totalShippingPriceSet": shipping,
            "currentShippingPriceSet": shipping,
            "totalDiscountsSet": discounts,
            "currentTotalDiscountsSet": discounts,
            "totalTipReceivedSet": both(shop_side.tip, other.tip),
            "originalTotalDutiesSet": duties,
            "currentTotalDutiesSet": duties,
            "originalTotalAdditionalFeesSet": fee,
            "currentTotalAdditionalFeesSet": fee,
            "totalPriceSet": total,
            "originalTotalPriceSet": total,
            "currentTotalPriceSet": total,
            "subtotalLineItemsQuantity": quantity,
            "currentSubtotalLineItemsQuantity": quantity,
            "taxLines": self._order_taxes(lines, shop_side, other),
            "displayFulfillmentStatus": "UNFULFILLED",
            "fulfillmentOrders": {"nodes": []},
        }
        data["currentTaxLines"] = data["taxLines"]
        data["fulfillmentOrders"]["nodes"] = fulfillment_orders(self, data)
        if self.fee:
            data["additionalFees"] = [
                {
                    "id": shop.store.new_gid("AdditionalFee"),
                    "name": "Handling fee",
                    "price": fee,
                    "taxLines": [],
                }
            ]
        return data

    def _snapshot(self, address: dict) -> dict:
        gid = self.shop.store.new_gid("MailingAddress") + "?model_name=Address"
        return {**address, "id": gid}

    def _risk(self) -> dict:
        doubtful = self.chance(0.04)
        return {
            "recommendation": "INVESTIGATE" if doubtful else "ACCEPT",
            "assessments": [
                {"riskLevel": "MEDIUM" if doubtful else "LOW", "facts": [], "provider": None}
            ],
        }

    def _line(self, index: int, shop_side: Priced, other: Priced) -> dict:
        line = self.lines[index]
        allocations = [
            {
                "allocatedAmountSet": self._bag(amount, other.allocations[index].get(key, 0)),
                "discountApplication": self.discounts[key][1],
            }
            for key, amount in shop_side.allocations[index].items()
        ]
        unit = [self._convert(line["price"], code) for code in (self.currency, self.presentment)]
        quantity = line["quantity"]
        data = {
            "id": self.shop.store.new_gid("LineItem"),
            "title": line["title"],
            "variantTitle": line["variantTitle"],
            "sku": line["sku"],
            "name": " - ".join(filter(None, (line["title"], line["variantTitle"]))),
            "vendor": line["vendor"],
            "quantity": quantity,
            "requiresShipping": line["ships"],
            "taxable": line["taxable"],
            "isGiftCard": line["gift_card"],
            "variant": {"id": line["variant"]} if line["variant"] else None,
            "product": {"id": line["product"]} if line["product"] else None,
            "originalUnitPriceSet": self._bag(*unit),
            "originalTotalSet": self._bag(unit[0] * quantity, unit[1] * quantity),
            "discountAllocations": allocations,
            "taxLines": _tax_lines(
                line["taxes"], shop_side.taxes[index], other.taxes[index], self._bag
            ),
            "duties": [],
            "customAttributes": [],
        }
        if shop_side.duties[index]:
            data["duties"] = [
                {
                    "id": self.shop.store.new_gid("Duty"),
                    "price": self._bag(shop_side.duties[index], other.duties[index]),
                    "harmonizedSystemCode": line["item"].get("harmonizedSystemCode"),
                    "countryCodeOfOrigin": line["item"].get("countryCodeOfOrigin"),
                    "taxLines": [],
                }
            ]
        return data

    def _shipping_lines(self, shop_side: Priced, other: Priced) -> list[dict]:
        if not self.rate:
            return []
        title, code, _price = self.rate
        reduced = self._bag(shop_side.shipping_net, other.shipping_net)
        return [
            {
                "id": self.shop.store.new_gid("ShippingLine"),
                "title": title,
                "code": code,
                "source": "shopify",
                "carrierIdentifier": None,
                "custom": False,
                "isRemoved": False,
                "originalPriceSet": self._bag(shop_side.shipping, other.shipping),
                "discountedPriceSet": reduced,
                "currentDiscountedPriceSet": reduced,
                "discountAllocations": [
                    {
                        "allocatedAmountSet": self._bag(
                            amount, other.shipping_allocations.get(key, 0)
                        ),
                        "discountApplication": self.discounts[key][1],
                    }
                    for key, amount in shop_side.shipping_allocations.items()
                ],
                "taxLines": _tax_lines(
                    self.region.taxes, shop_side.shipping_taxes, other.shipping_taxes, self._bag
                ),
            }
        ]

    def _order_taxes(self, lines: list[dict], shop_side: Priced, other: Priced) -> list[dict]:
        """Taxes of the whole order, one entry per title and rate."""
        sums: dict[tuple[str, str], list[Decimal]] = {}
        groups = [
            (line["taxes"], shop_side.taxes[i], other.taxes[i]) for i, line in enumerate(self.lines)
        ]
        groups.append((self.region.taxes, shop_side.shipping_taxes, other.shipping_taxes))
        for taxes, left, right in groups:
            for key, amount, other_amount in zip(taxes, left, right, strict=False):
                entry = sums.setdefault(key, [Decimal(0), Decimal(0)])
                entry[0] += amount
                entry[1] += other_amount
        return _tax_lines(
            list(sums), [v[0] for v in sums.values()], [v[1] for v in sums.values()], self._bag
        )


def _tax_lines(taxes, amounts, other_amounts, both) -> list[dict]:
    return [
        {
            "title": title,
            "rate": float(rate),
            "ratePercentage": float(Decimal(rate) * 100),
            "priceSet": both(amount, other),
            "channelLiable": False,
            "source": "shopify",
        }
        for (title, rate), amount, other in zip(taxes, amounts, other_amounts, strict=False)
    ]
