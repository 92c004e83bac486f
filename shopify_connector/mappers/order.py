"""From an ``Order`` node of the Admin API (``order_by_ids.graphql``) to :class:`Order`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from .address import Address, map_address
from .customer import map_company, map_customer, normalise_email, normalise_phone
from .errors import MappingError
from .fulfillment import map_fulfillments
from .money import Money, MoneyBag
from .order_lines import (
    LineContext,
    map_duties,
    map_fees,
    map_line_items,
    map_shipping_lines,
    tip_line,
)
from .order_types import (
    Discount,
    LineGroup,
    Order,
    OrderLine,
    PaymentTerms,
    Totals,
    Transaction,
    TransactionFee,
)
from .proof import Difference, Reading, prove, removed_units, settle
from .refund import map_refunds
from .returns import map_returns, refunds_of_returns
from .taken_off import shrunk_lines
from .text import attributes, clean, lower, metafields, nodes, parse_datetime, whole

__all__ = [
    "Difference",
    "Discount",
    "LineGroup",
    "MappingError",
    "Order",
    "OrderLine",
    "PaymentTerms",
    "Totals",
    "Transaction",
    "TransactionFee",
    "map_order",
    "prove",
]

_RISK_RANK = {"": 0, "none": 0, "pending": 1, "low": 2, "medium": 3, "high": 4}
_TIP_TITLES = frozenset({"tip", "tips", "gratuity"})


def map_order(
    node: Mapping,
    *,
    policy: str = "shop",
    shop_country: str | None = None,
    taken_before: tuple[tuple[str, int], ...] = (),
    refunds_before: frozenset[str] = frozenset(),
) -> Order:
    """Map an order with everything on it.

    :param node: a whole order: pages of lines beyond the first must have been appended
    :param policy: ``shop`` (the store's currency) or ``presentment`` (the customer's)
    :param shop_country: ISO code of the store's country, for taxes of orders without an address
    :param taken_before: :attr:`.order_types.Order.taken_before`, and ``refunds_before``
    :raises MappingError: the order contradicts itself or is not whole. Sums that do not fit are no
        such case: :func:`prove` tells them
    """
    try:
        return _map_order(node, policy, shop_country, taken_before, refunds_before)
    except MappingError:
        raise
    except KeyError as error:
        raise MappingError(str(error.args[0]), "missing in Shopify's answer") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise MappingError(node.get("name") or "order", f"not readable ({error})") from error


def _map_order(
    node: Mapping,
    policy: str,
    shop_country: str | None,
    taken_before: tuple[tuple[str, int], ...],
    refunds_before: frozenset[str],
) -> Order:
    shop_currency = node["currencyCode"]
    presentment_currency = node.get("presentmentCurrencyCode") or shop_currency
    billing = map_address(node.get("billingAddress"))
    shipping = map_address(node.get("shippingAddress"))
    context = LineContext(
        order_gid=node["id"],
        policy=policy,
        currency=shop_currency if policy == "shop" else presentment_currency,
        shop_currency=shop_currency,
        taxes_included=bool(node.get("taxesIncluded")),
        country_code=_tax_country(node, shipping, billing, shop_country),
    )
    lines, totals, warnings = _lines(node, context, _totals(node, context))
    lines = _with_sent(lines, node)
    address = shipping or billing
    returns = map_returns(node.get("returns"), context)
    order = Order(
        gid=node["id"],
        currency=context.currency,
        shop_currency=shop_currency,
        presentment_currency=presentment_currency,
        taxes_included=context.taxes_included,
        lines=lines,
        totals=totals,
        warnings=warnings,
        billing=billing,
        shipping=shipping,
        customer=map_customer(node.get("customer")),
        company=map_company(node.get("purchasingEntity")),
        email=normalise_email(node.get("email")),
        phone=normalise_phone(node.get("phone"), address.country_code if address else None),
        transactions=_transactions(node.get("transactions")),
        refunds=map_refunds(node.get("refunds"), context, refunds_of_returns(returns)),
        returns=returns,
        payment_terms=_payment_terms(node.get("paymentTerms")),
        taken_before=taken_before,
        refunds_before=refunds_before,
        **_head(node),
    )
    if all(line.current_quantity == line.quantity for line in lines):
        return order
    return replace(order, shrunk=shrunk_lines(order))


def _head(node: Mapping) -> dict:
    """What needs no more than reading."""
    risk, attribution = node.get("risk") or {}, node.get("attribution") or {}
    return {
        "legacy_id": str(node.get("legacyResourceId") or node["id"].rpartition("/")[2]),
        "name": clean(node.get("name")),
        "number": node.get("number") or 0,
        "confirmation_number": clean(node.get("confirmationNumber")),
        "created_at": _date(node, "createdAt"),
        "processed_at": _date(node, "processedAt"),
        "updated_at": _date(node, "updatedAt"),
        "cancelled_at": parse_datetime(node.get("cancelledAt")),
        "closed_at": parse_datetime(node.get("closedAt")),
        "duties_included": bool(node.get("dutiesIncluded")),
        "tax_exempt": bool(node.get("taxExempt")),
        "test": bool(node.get("test")),
        "edited": bool(node.get("edited")),
        "confirmed": node.get("confirmed") is not False,
        "financial_status": lower(node.get("displayFinancialStatus")),
        "fulfillment_status": lower(node.get("displayFulfillmentStatus")),
        "return_status": lower(node.get("returnStatus")),
        "cancel_reason": lower(node.get("cancelReason")),
        "note": clean(node.get("note")),
        "tags": tuple(node.get("tags") or ()),
        "attributes": attributes(node.get("customAttributes")),
        "metafields": metafields(node.get("metafields")),
        "source_name": clean(node.get("sourceName")),
        "channel": clean(attribution.get("displayName")),
        "channel_handle": clean(attribution.get("handle")),
        "app_name": clean((node.get("app") or {}).get("name")),
        "po_number": clean(node.get("poNumber")),
        "locale": clean(node.get("customerLocale")),
        "risk": lower(risk.get("recommendation")) or "none",
        "risk_level": _risk_level(risk.get("assessments")),
        "discount_codes": tuple(node.get("discountCodes") or ()),
        "gateways": tuple(node.get("paymentGatewayNames") or ()),
        "location_gid": (node.get("retailLocation") or {}).get("id") or "",
    }


def _date(node: Mapping, key: str) -> datetime:
    text = node.get(key) or node["createdAt"]
    try:
        return parse_datetime(text)
    except ValueError:
        raise MappingError(key, f"{text!r} is not a date") from None


def _tax_country(
    node: Mapping, shipping: Address | None, billing: Address | None, shop_country: str | None
) -> str | None:
    """Where the taxes belong: the destination; for sales at a till, the shop's place."""
    if shipping and shipping.country_code:
        return shipping.country_code
    retail = node.get("retailLocation")
    if retail:
        return (retail.get("address") or {}).get("countryCode") or shop_country
    if billing and billing.country_code:
        return billing.country_code
    return shop_country


def _lines(
    node: Mapping, context: LineContext, totals: Totals
) -> tuple[tuple[OrderLine, ...], Totals, tuple[str, ...]]:
    """Build all lines, choosing the reading of open points by the order's total."""
    items = whole(node, "lineItems")
    goods = map_line_items(items, context)
    shipping, removed_shipping = map_shipping_lines(whole(node, "shippingLines"), context)
    duties = map_duties(items, context)
    fees = map_fees(node.get("additionalFees"), context)
    charges = fees if node.get("dutiesIncluded") else duties + fees
    plain = goods + shipping + charges
    tip = MoneyBag.parse(node.get("totalTipReceivedSet"))
    tip_apart = tip_line(tip, context) if tip and tip.pick(context.policy) else None
    readings = _readings(
        node,
        context,
        tip=tip_apart,
        removed_shipping=removed_shipping,
        duties=duties,
        charges=charges,
        goods=goods,
    )
    lines, totals, chosen = settle(plain, totals, readings, context.currency)
    warnings = [reading.warning for reading in chosen if reading.warning]
    if tip_apart and tip_apart not in lines:
        lines, warning = _name_tip(lines, tip_apart)
        warnings += warning
    return tuple(lines), totals, tuple(warnings)


def _with_sent(lines: tuple[OrderLine, ...], node: Mapping) -> tuple[OrderLine, ...]:
    """The lines with what was fulfilled of them, where the fulfilments were read."""
    if "parcels" not in node:
        return lines
    sent: Counter = Counter()
    for fulfillment in map_fulfillments({"fulfillments": node["parcels"]}):
        if not fulfillment.cancelled:
            sent.update(fulfillment.lines)
    return tuple(
        replace(line, sent_quantity=sent[line.gid]) if line.waiting_quantity is not None else line
        for line in lines
    )


def _readings(
    node: Mapping,
    context: LineContext,
    *,
    tip: OrderLine | None,
    removed_shipping: list[OrderLine],
    duties: list[OrderLine],
    charges: list[OrderLine],
    goods: list[OrderLine],
) -> list[Reading]:
    """What this order leaves open, likeliest first; empty for nearly all orders."""
    readings, currency = [], context.currency
    if tip:
        readings.append(Reading(effect=tip.net, add=(tip,)))
    if removed_shipping:
        worth = Money.sum((line.total_included for line in removed_shipping), currency)
        readings.append(
            Reading(
                effect=worth,
                add=tuple(removed_shipping),
                warning=f"Shopify's total still counts removed shipping of {worth}.",
            )
        )
    if duties:
        readings.append(_other_duties(duties, bool(node.get("dutiesIncluded")), currency))
    taxed = [line for line in charges if line.taxes]
    if context.taxes_included and taxed:
        on_top = Money.sum((line.tax_total for line in taxed), currency)
        readings.append(
            Reading(effect=on_top, drop=tuple(taxed), add=tuple(map(_tax_on_top, taxed)))
        )
    if node.get("edited"):
        worth = removed_units(goods, currency)
        if worth:
            readings.append(
                Reading(
                    effect=-worth,
                    restate=True,
                    warning=f"Shopify's totals leave out removed units worth {worth}.",
                )
            )
    return readings


def _other_duties(duties: list[OrderLine], included: bool, currency: str) -> Reading:
    """Duties against the flag that says whether the prices include them."""
    worth = Money.sum((line.total_included for line in duties), currency)
    if included:
        return Reading(effect=worth, add=tuple(duties))
    warning = f"Duties of {worth} are not part of Shopify's total."
    return Reading(effect=-worth, drop=tuple(duties), warning=warning)


def _tax_on_top(line: OrderLine) -> OrderLine:
    taxes = tuple(replace(tax, key=replace(tax.key, included=False)) for tax in line.taxes)
    return replace(line, taxes=taxes, taxes_included=False)


def _name_tip(
    lines: Iterable[OrderLine], tip: OrderLine
) -> tuple[list[OrderLine], tuple[str, ...]]:
    """Mark the line among ``lines`` that is the tip; its total already counts it."""
    lines = list(lines)
    custom = [line for line in lines if line.kind == "custom" and not line.requires_shipping]
    named = [line for line in custom if line.title.casefold() in _TIP_TITLES]
    if Money.sum((line.net for line in named), tip.net.currency) != tip.net:
        named = [line for line in custom if line.net == tip.net]
        if len(named) != 1:
            return lines, (f"The tip of {tip.net} could not be found among the lines.",)
    gids = {line.gid for line in named}
    return [replace(line, kind="tip") if line.gid in gids else line for line in lines], ()


def _totals(node: Mapping, context: LineContext) -> Totals:
    def money(key: str, default: Money | None = None) -> Money | None:
        return default if node.get(key) is None else context.bag(node, key).pick(context.policy)

    zero = Money.zero(context.currency)
    total = context.bag(node, "totalPriceSet").pick(context.policy)
    rounding = MoneyBag.parse((node.get("totalCashRoundingAdjustment") or {}).get("paymentSet"))
    return Totals(
        total=total,
        tax=money("totalTaxSet"),
        shipping=money("totalShippingPriceSet"),
        discount=money("totalDiscountsSet"),
        subtotal=money("subtotalPriceSet"),
        tip=money("totalTipReceivedSet", zero),
        duties=money("originalTotalDutiesSet", zero),
        fees=money("originalTotalAdditionalFeesSet", zero),
        refunded=money("totalRefundedSet", zero),
        refunded_shipping=money("totalRefundedShippingSet", zero),
        received=money("totalReceivedSet", zero),
        outstanding=money("totalOutstandingSet", zero),
        current_total=money("currentTotalPriceSet", total),
        cash_rounding=rounding.pick(context.policy) if rounding else zero,
    )


def _risk_level(assessments: Iterable[Mapping] | None) -> str:
    """The highest level; one that is not known here may be higher than all that are."""
    levels = [lower(item.get("riskLevel")) or "none" for item in assessments or ()]
    return max(levels, key=lambda level: _RISK_RANK.get(level, 5), default="none")


def _transactions(items: Iterable[Mapping] | None) -> tuple[Transaction, ...]:
    return tuple(
        Transaction(
            gid=node["id"],
            kind=lower(node.get("kind")),
            status=lower(node.get("status")),
            amount=MoneyBag.parse(node["amountSet"]),
            gateway=clean(node.get("gateway")),
            formatted_gateway=clean(node.get("formattedGateway")),
            manual=bool(node.get("manualPaymentGateway")),
            processed_at=parse_datetime(node.get("processedAt")),
            parent_gid=(node.get("parentTransaction") or {}).get("id") or "",
            payment_id=clean(node.get("paymentId")),
            test=bool(node.get("test")),
            rounding=MoneyBag.parse(node.get("amountRoundingSet")),
            settlement_currency=node.get("settlementCurrency") or "",
            settlement_rate=_decimal(node.get("settlementCurrencyRate")),
            fees=tuple(
                TransactionFee(
                    kind=clean(fee.get("type")),
                    amount=Money.parse(fee["amount"]),
                    tax_amount=Money.parse(fee.get("taxAmount")),
                    rate=_decimal(fee.get("rate")),
                )
                for fee in node.get("fees") or ()
            ),
        )
        for node in nodes(items)
    )


def _decimal(value) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _payment_terms(node: Mapping | None) -> PaymentTerms | None:
    if not node:
        return None
    dates = (schedule.get("dueAt") for schedule in nodes(node.get("paymentSchedules")))
    return PaymentTerms(
        name=clean(node.get("paymentTermsName")),
        kind=lower(node.get("paymentTermsType")),
        due_in_days=node.get("dueInDays"),
        due_dates=tuple(parse_datetime(text) for text in dates if text),
    )
