"""Orders in the Admin API's shape, made by Shopify's arithmetic. For tests only."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

DIGITS = {"JPY": 0, "KWD": 3}


def money(amount, currency="USD"):
    return {"amount": str(amount), "currencyCode": currency}


def bag(amount, currency="USD", presentment=None):
    """A money bag; ``presentment`` is ``(amount, currency)`` where it differs."""
    return {
        "shopMoney": money(amount, currency),
        "presentmentMoney": money(*presentment) if presentment else money(amount, currency),
    }


class OrderNode:
    """Builds one order: add lines, then take :attr:`node`.

    :param rate: units of the presentment currency for one of the store's
    """

    def __init__(
        self, number=1001, currency="USD", included=False, presentment=None, rate=1, **fields
    ):
        self.number, self.currency, self.included = number, currency, included
        self.presentment, self.rate = presentment or currency, Decimal(str(rate))
        self.lines, self.shipping, self.fees, self.fields = [], [], [], fields
        self.total = self.tax = self.discount = self.shipped = Decimal(0)
        # the same sums in the customer's currency: each part is converted, not the sum
        self.seen = dict.fromkeys(("total", "tax", "discount", "shipped"), Decimal(0))
        self.extra = {}

    def gid(self, kind, number):
        return f"gid://shopify/{kind}/{self.number * 1000 + number}"

    def bag(self, amount):
        amount = Decimal(str(amount))
        if self.presentment == self.currency:
            return bag(amount, self.currency)
        return bag(amount, self.currency, (self._convert(amount), self.presentment))

    def _convert(self, amount):
        amount = Decimal(str(amount))
        if self.presentment == self.currency:
            return amount
        return self._round(amount * self.rate, DIGITS.get(self.presentment, 2))

    def _sum(self, name):
        if self.presentment == self.currency:
            return bag(getattr(self, name), self.currency)
        return bag(getattr(self, name), self.currency, (self.seen[name], self.presentment))

    def _round(self, amount, digits=None):
        digits = DIGITS.get(self.currency, 2) if digits is None else digits
        return amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)

    def _taxes(self, net, taxes):
        """Tax lines; ``taxes`` are ``(title, rate)`` or ``(title, rate, amount)``."""
        nodes, total = [], Decimal(0)
        rates = sum(Decimal(str(tax[1])) for tax in taxes)
        for title, rate, *given in taxes:
            share = Decimal(str(rate))
            if given:
                amount = Decimal(str(given[0]))
            elif self.included:
                amount = self._round(net * share / (1 + rates))
            else:
                amount = self._round(net * share)
            total += amount
            nodes.append(
                {
                    "title": title,
                    "rate": rate,
                    "ratePercentage": None if rate is None else float(share * 100),
                    "channelLiable": False,
                    "source": None,
                    "priceSet": self.bag(amount),
                }
            )
        return nodes, total

    def _money(self, price, quantity, discount, code, taxes):
        net = Decimal(str(price)) * quantity - Decimal(str(discount))
        nodes, tax = self._taxes(net, taxes)
        self.tax += tax
        self.discount += Decimal(str(discount))
        self.total += net if self.included else net + tax
        seen_net = self._convert(price) * quantity - self._convert(discount)
        seen_tax = sum(
            (Decimal(n["priceSet"]["presentmentMoney"]["amount"]) for n in nodes), Decimal(0)
        )
        self.seen["tax"] += seen_tax
        self.seen["discount"] += self._convert(discount)
        self.seen["total"] += seen_net if self.included else seen_net + seen_tax
        allocations = []
        if discount:
            allocations = [
                {
                    "allocatedAmountSet": self.bag(discount),
                    "discountApplication": {
                        "__typename": "DiscountCodeApplication",
                        "index": 0,
                        "allocationMethod": "ACROSS",
                        "targetSelection": "ALL",
                        "targetType": "LINE_ITEM",
                        "code": code,
                    },
                }
            ]
        return net, {"discountAllocations": allocations, "taxLines": nodes}

    def line(self, sku, price, quantity=1, taxes=(), *, discount=0, code="SAVE", **fields):
        number = len(self.lines) + 1
        _net, amounts = self._money(price, quantity, discount, code, taxes)
        node = {
            "id": self.gid("LineItem", number),
            "title": f"Title {sku}",
            "name": f"Title {sku}",
            "variantTitle": None,
            "sku": sku,
            "vendor": None,
            "quantity": quantity,
            "currentQuantity": quantity,
            "requiresShipping": True,
            "isGiftCard": False,
            "taxable": True,
            "customAttributes": [],
            "variant": {"id": f"gid://shopify/ProductVariant/{sku}", "barcode": None},
            "product": {"id": f"gid://shopify/Product/{sku}"},
            "originalUnitPriceSet": self.bag(price),
            "duties": [],
            "sellingPlan": None,
            "lineItemGroup": None,
            **amounts,
            **fields,
        }
        self.lines.append(node)
        return self

    def ship(self, price, taxes=(), discount=0, title="Standard", **fields):
        net, amounts = self._money(price, 1, discount, "SHIP", taxes)
        self.shipped += net
        self.seen["shipped"] += self._convert(price) - self._convert(discount)
        self.shipping.append(
            {
                "id": self.gid("ShippingLine", len(self.shipping) + 1),
                "title": title,
                "code": title,
                "source": "shopify",
                "carrierIdentifier": None,
                "isRemoved": False,
                "originalPriceSet": self.bag(price),
                **amounts,
                **fields,
            }
        )
        return self

    def fee(self, name, price, taxes=()):
        _net, amounts = self._money(price, 1, 0, "", taxes)
        self.fees.append(
            {
                "id": self.gid("AdditionalFee", len(self.fees) + 1),
                "name": name,
                "price": self.bag(price),
                "taxLines": amounts["taxLines"],
            }
        )
        return self

    def tip(self, amount):
        self.total += Decimal(str(amount))
        self.seen["total"] += self._convert(amount)
        self.extra["totalTipReceivedSet"] = self.bag(amount)
        return self

    @property
    def address(self):
        return {
            "firstName": "Ada",
            "lastName": f"Buyer{self.number}",
            "name": f"Ada Buyer{self.number}",
            "company": None,
            "address1": f"{self.number} Main Street",
            "address2": None,
            "city": "Albany",
            "zip": "12207",
            "province": "New York",
            "provinceCode": "NY",
            "country": "United States",
            "countryCodeV2": "US",
            "phone": None,
        }

    @property
    def node(self):
        zero, total = self.bag(0), self._sum("total")
        node = {
            "__typename": "Order",
            "id": f"gid://shopify/Order/{self.number}",
            "legacyResourceId": str(self.number),
            "name": f"#{self.number}",
            "number": self.number,
            "confirmationNumber": f"C{self.number}",
            "createdAt": "2026-11-02T10:00:00Z",
            "processedAt": "2026-11-02T10:00:00Z",
            "updatedAt": "2026-11-02T10:00:05Z",
            "cancelledAt": None,
            "closedAt": None,
            "cancelReason": None,
            "currencyCode": self.currency,
            "presentmentCurrencyCode": self.presentment,
            "taxesIncluded": self.included,
            "dutiesIncluded": False,
            "taxExempt": False,
            "test": False,
            "edited": False,
            "confirmed": True,
            "displayFinancialStatus": "PAID",
            "displayFulfillmentStatus": "UNFULFILLED",
            "returnStatus": "NO_RETURN",
            "note": None,
            "tags": [],
            "customAttributes": [],
            "sourceName": "web",
            "attribution": {"handle": "web", "displayName": "Online Store"},
            "app": {"name": "Online Store"},
            "poNumber": None,
            "customerLocale": "en",
            "email": f"ada{self.number}@example.com",
            "phone": None,
            "discountCodes": ["SAVE"] if self.discount else [],
            "paymentGatewayNames": ["bogus"],
            "retailLocation": None,
            "risk": {"recommendation": "ACCEPT", "assessments": [{"riskLevel": "LOW"}]},
            "totalPriceSet": total,
            "currentTotalPriceSet": total,
            "subtotalPriceSet": total,
            "totalTaxSet": self._sum("tax"),
            "totalShippingPriceSet": self._sum("shipped"),
            "totalDiscountsSet": self._sum("discount"),
            "totalTipReceivedSet": zero,
            "originalTotalDutiesSet": None,
            "originalTotalAdditionalFeesSet": None,
            "totalReceivedSet": total,
            "totalRefundedSet": zero,
            "totalOutstandingSet": zero,
            "totalCashRoundingAdjustment": {"paymentSet": zero},
            "billingAddress": self.address,
            "shippingAddress": self.address,
            "customer": {
                "id": f"gid://shopify/Customer/{self.number}",
                "firstName": "Ada",
                "lastName": f"Buyer{self.number}",
                "displayName": f"Ada Buyer{self.number}",
                "defaultEmailAddress": {"emailAddress": f"ada{self.number}@example.com"},
                "defaultPhoneNumber": None,
                "locale": "en",
                "tags": [],
            },
            "purchasingEntity": None,
            "paymentTerms": None,
            "lineItems": {"nodes": self.lines, "pageInfo": {"hasNextPage": False}},
            "shippingLines": {"nodes": self.shipping, "pageInfo": {"hasNextPage": False}},
            "additionalFees": self.fees,
            "transactions": [],
            "refunds": [],
        }
        return {**node, **self.extra, **self.fields}
