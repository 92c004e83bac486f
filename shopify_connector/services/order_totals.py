"""Amounts as Shopify states them, in the form that Odoo's tax engine takes over, and their proof.

``extra_tax_data`` of a line (the engine's own field, on order and invoice lines) carries the base
and the amount of each tax. The engine takes them as they are while currency, unit price, discount
and quantity of the line are those that stand beside them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from ..mappers.order_types import Order, OrderLine

# The engine looks at manual amounts only where the mapping by tax is not empty: a line without
# taxes gets an entry of this id, which no tax has.
NO_TAX = "0"


def taxes_by_id(line: OrderLine, taxes) -> dict[int, list[Decimal]]:
    """Tax id -> [amount, amount in the store's currency], in Shopify's order.

    Several of Shopify's taxes may be mapped to one of Odoo: they are added up.
    """
    found: dict[int, list[Decimal]] = {}
    for tax in line.taxes:
        amounts = found.setdefault(taxes[tax.key].id, [Decimal(0), Decimal(0)])
        amounts[0] += tax.amount.amount
        amounts[1] += tax.shop_amount.amount
    return found


def extra_tax_data(
    line: OrderLine,
    amounts: dict[int, list[Decimal]],
    *,
    currency_id: int,
    price_unit: float,
    discount: float,
    books: bool,
    rate: float,
) -> dict:
    """The value of ``sale.order.line.extra_tax_data``.

    :param amounts: of :func:`taxes_by_id`
    :param books: the store's currency is the company's and not the order's: the store's amounts
        then are what is written in the books
    :param rate: units of the order's currency for one of the company's; only with ``books``
    """
    excluded = float(line.total_excluded.amount)
    data = {
        "currency_id": currency_id,
        "price_unit": price_unit,
        "discount": discount,
        "quantity": float(line.quantity),
        "manual_total_excluded_currency": excluded,
        "manual_tax_amounts": {
            str(tax_id): {
                "tax_amount_currency": float(amount),
                "base_amount_currency": excluded,
            }
            for tax_id, (amount, _shop_amount) in amounts.items()
        }
        or {NO_TAX: {}},
    }
    if books:
        excluded = float(line.shop_total_excluded.amount)
        data["rate"] = rate
        data["manual_total_excluded"] = excluded
        for tax_id, (_amount, shop_amount) in amounts.items():
            data["manual_tax_amounts"][str(tax_id)].update(
                tax_amount=float(shop_amount), base_amount=excluded
            )
    return data


def books_rate(order: Order) -> float | None:
    """Units of the order's currency for one of the store's, as Shopify converted; None at zero.

    By what was ordered: lines that change later have the rate of the others.
    """
    lines = [line.without_taxes(order.left_out) for line in order.lines]
    total = sum(line.total_included.amount for line in lines)
    shop_total = sum(line.shop_total_included.amount for line in lines)
    if not total or not shop_total:
        return None
    return float(total / shop_total)


def expected_figures(order: Order) -> dict[str, Decimal]:
    """What the sale order must say, by the lines (:func:`~..mappers.proof.prove` ties them to
    Shopify's totals), less the taxes that are left out."""
    figures: dict[str, Decimal] = defaultdict(Decimal)
    for line in order.booked_lines:
        figures["total"] += line.total_included.amount
        figures["tax"] += line.tax_total.amount
        figures["untaxed"] += line.total_excluded.amount
        figures["discount"] += line.discount_total.amount
        if line.kind == "shipping":
            figures["shipping"] += line.net.amount
    return {key: figures[key] for key in ("total", "tax", "untaxed", "shipping", "discount")}


def left_out_figures(order: Order) -> dict[str, float]:
    """By how much Shopify's figures are above those that are booked, because of taxes that are
    left out; empty where none is."""
    if not order.left_out:
        return {}
    booked = expected_figures(order)
    whole = expected_figures(replace(order, left_out=frozenset()))
    return {figure: float(whole[figure] - booked[figure]) for figure in whole}


def taken_off_figures(order: Order) -> dict[str, float]:
    """By how much Shopify's figures, which are of what was ordered first, are above those of what
    is left of it; empty where nothing was taken off."""
    if order.kept_lines is order.lines:
        return {}
    kept = expected_figures(replace(order, left_out=frozenset()))
    whole = expected_figures(replace(order, left_out=frozenset(), shrunk=()))
    return {figure: float(whole[figure] - kept[figure]) for figure in whole}
