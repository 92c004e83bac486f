"""Customers place orders: a basket becomes an order in the Admin API's shape."""

import random
from decimal import Decimal

from .basket import Basket, NothingToSell, Wishes
from .loading import Change, Loader
from .payments import pay
from .pricing import Priced
from .routing import commit_stock, fulfillment_orders
from .shop import Shop

__all__ = ["NothingToSell", "Wishes", "place_orders"]


def place_orders(
    shop: Shop, count: int, rng: random.Random, wishes: Wishes | None = None
) -> list[dict]:
    """Place orders and send their webhooks.

    :return: the stored orders
    :raises NothingToSell: for a blank shop
    """
    placed = []
    for _index in range(count):
        order, changes = _place(Basket(shop, rng, wishes or Wishes()))
        shop.tell(changes)
        placed.append(order)
    return placed


def _place(basket: Basket) -> tuple[dict, list[Change]]:
    shop = basket.shop
    basket.choose()
    shop_side, other = basket.price(shop.currency), basket.price(basket.presentment)
    data = {**_header(basket), **_figures(basket, shop_side, other)}
    data["lineItems"] = {
        "nodes": [_line(basket, i, shop_side, other) for i in range(len(basket.lines))]
    }
    data["shippingLines"] = {"nodes": _shipping_lines(basket, shop_side, other)}
    data["fulfillmentOrders"] = {"nodes": fulfillment_orders(basket, data)}
    pay(basket, data, shop_side, other)
    loader = Loader(shop.store, shop.api, basket.currency, shop.now())
    loader.load(data)
    with shop.store.lock:
        changes = loader.changes + commit_stock(shop, basket.reserved)
    return shop.store.get(data["id"]), changes


def _header(basket: Basket) -> dict:
    """Who ordered what kind of order, when and where to."""
    shop, rng = basket.shop, basket.rng
    number, now = shop.next_order_number(), shop.now()
    shipped_to = _snapshot(basket, basket.shipping_address) if basket.rate else None
    notes = (None, None, None, "Please leave at the door.", "Gift — no invoice")
    return {
        "__typename": "Order",
        "id": shop.store.new_gid("Order"),
        "name": f"{shop.settings.order_prefix}{number}",
        "number": number,
        "confirmationNumber": "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=9)),
        "createdAt": now,
        "processedAt": now,
        "updatedAt": now,
        "confirmed": True,
        "test": basket.wishes.test,
        "currencyCode": basket.currency,
        "presentmentCurrencyCode": basket.presentment,
        "taxesIncluded": shop.taxes_included,
        "dutiesIncluded": False,
        "taxExempt": False,
        "email": basket.email,
        "phone": basket.billing.get("phone"),
        "customer": {"id": basket.customer["id"]} if basket.customer else None,
        "customerLocale": {"DE": "de", "FR": "fr"}.get(basket.region.country_code, "en"),
        "billingAddress": _snapshot(basket, basket.billing),
        "shippingAddress": shipped_to,
        "sourceName": "web",
        "attribution": {"handle": "online_store", "displayName": "Online Store"},
        "note": rng.choice(notes),
        "tags": rng.choice(([], [], ["vip"], ["wholesale", "priority"])),
        "customAttributes": rng.choice(([], [{"key": "gift", "value": "yes"}])),
        "risk": _risk(basket),
        "discountApplications": {"nodes": [item for _d, item in basket.discounts]},
        "displayFulfillmentStatus": "UNFULFILLED",
    }


def _figures(basket: Basket, shop_side: Priced, other: Priced) -> dict:
    """Totals in both moneys; nothing is edited yet, so the current ones equal them."""
    both = basket.bag
    total = both(shop_side.total, other.total)
    subtotal = both(shop_side.subtotal, other.subtotal)
    tax = both(shop_side.tax, other.tax)
    shipping = both(shop_side.shipping_net, other.shipping_net)
    discounts = both(shop_side.discount, other.discount)
    duties = both(sum(shop_side.duties), sum(other.duties)) if basket.duties else None
    fee = both(shop_side.fee, other.fee) if basket.fee else None
    taxes = _order_taxes(basket, shop_side, other)
    quantity = sum(line["quantity"] for line in basket.lines if not line.get("tip"))
    figures = {
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
        "taxLines": taxes,
        "currentTaxLines": taxes,
    }
    if fee:
        gid = basket.shop.store.new_gid("AdditionalFee")
        figures["additionalFees"] = [
            {"id": gid, "name": "Handling fee", "price": fee, "taxLines": []}
        ]
    return figures


def _snapshot(basket: Basket, address: dict) -> dict:
    gid = basket.shop.store.new_gid("MailingAddress") + "?model_name=Address"
    return {**address, "id": gid}


def _risk(basket: Basket) -> dict:
    doubtful = basket.chance(0.04)
    return {
        "recommendation": "INVESTIGATE" if doubtful else "ACCEPT",
        "assessments": [
            {"riskLevel": "MEDIUM" if doubtful else "LOW", "facts": [], "provider": None}
        ],
    }


def _line(basket: Basket, index: int, shop_side: Priced, other: Priced) -> dict:
    line = basket.lines[index]
    unit = [basket.convert(line["price"], code) for code in (basket.currency, basket.presentment)]
    quantity = line["quantity"]
    data = {
        "id": basket.shop.store.new_gid("LineItem"),
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
        "originalUnitPriceSet": basket.bag(*unit),
        "originalTotalSet": basket.bag(unit[0] * quantity, unit[1] * quantity),
        "discountAllocations": _allocations(
            basket, shop_side.allocations[index], other.allocations[index]
        ),
        "taxLines": _tax_lines(
            line["taxes"], shop_side.taxes[index], other.taxes[index], basket.bag
        ),
        "duties": [],
        "customAttributes": [],
    }
    if shop_side.duties[index] or other.duties[index]:
        data["duties"] = [
            {
                "id": basket.shop.store.new_gid("Duty"),
                "price": basket.bag(shop_side.duties[index], other.duties[index]),
                "harmonizedSystemCode": line["item"].get("harmonizedSystemCode"),
                "countryCodeOfOrigin": line["item"].get("countryCodeOfOrigin"),
                "taxLines": [],
            }
        ]
    return data


def _allocations(basket: Basket, shares: dict, other_shares: dict) -> list[dict]:
    """Allocations of one line; a share may be worth nothing in one of the currencies."""
    return [
        {
            "allocatedAmountSet": basket.bag(shares.get(key, 0), other_shares.get(key, 0)),
            "discountApplication": basket.discounts[key][1],
        }
        for key in sorted({*shares, *other_shares})
    ]


def _shipping_lines(basket: Basket, shop_side: Priced, other: Priced) -> list[dict]:
    if not basket.rate:
        return []
    title, code, _price = basket.rate
    reduced = basket.bag(shop_side.shipping_net, other.shipping_net)
    return [
        {
            "id": basket.shop.store.new_gid("ShippingLine"),
            "title": title,
            "code": code,
            "source": "shopify",
            "carrierIdentifier": None,
            "custom": False,
            "isRemoved": False,
            "originalPriceSet": basket.bag(shop_side.shipping, other.shipping),
            "discountedPriceSet": reduced,
            "currentDiscountedPriceSet": reduced,
            "discountAllocations": _allocations(
                basket, shop_side.shipping_allocations, other.shipping_allocations
            ),
            "taxLines": _tax_lines(
                basket.region.taxes, shop_side.shipping_taxes, other.shipping_taxes, basket.bag
            ),
        }
    ]


def _order_taxes(basket: Basket, shop_side: Priced, other: Priced) -> list[dict]:
    """Taxes of the whole order, one entry per title and rate."""
    sums: dict[tuple[str, str], list[Decimal]] = {}
    groups = [
        (line["taxes"], shop_side.taxes[i], other.taxes[i]) for i, line in enumerate(basket.lines)
    ]
    groups.append((basket.region.taxes, shop_side.shipping_taxes, other.shipping_taxes))
    for taxes, left, right in groups:
        for key, amount, other_amount in zip(taxes, left, right, strict=False):
            entry = sums.setdefault(key, [Decimal(0), Decimal(0)])
            entry[0] += amount
            entry[1] += other_amount
    return _tax_lines(
        list(sums), [v[0] for v in sums.values()], [v[1] for v in sums.values()], basket.bag
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
