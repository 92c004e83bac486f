"""From ``Return`` nodes (``returns_by_ids.graphql``) to :class:`Return`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import UNREADABLE, problem_of
from .order_lines import LineContext
from .refund import NOT_READ
from .return_types import (
    Disposition,
    ExchangeLine,
    Return,
    ReturnFee,
    ReturnLine,
    ReverseLine,
    ReverseOrder,
)
from .text import clean, lower, nodes, parse_datetime, whole


def map_returns(items: Iterable[Mapping] | None, context: LineContext) -> tuple[Return, ...]:
    """Map the returns of an order; one that cannot be understood says so in ``problem``."""
    return tuple(_return(node, context) for node in nodes(items))


def refunds_of_returns(returns: Iterable[Return]) -> dict[str, str]:
    """Gid of the return by gid of its refund."""
    return {refund: item.gid for item in returns for refund in item.refund_gids}


def _return(node: Mapping, context: LineContext) -> Return:
    head = {
        "gid": node["id"],
        "name": clean(node.get("name")),
        "status": lower(node.get("status")),
    }
    if "returnLineItems" not in node:
        return Return(**head, problem=NOT_READ)
    try:
        return Return(**head, **_content(node, context))
    except UNREADABLE as error:
        return Return(**head, problem=problem_of(error))


def _content(node: Mapping, context: LineContext) -> dict:
    items, decline = whole(node, "returnLineItems"), node.get("decline") or {}
    return {
        "created_at": parse_datetime(node.get("createdAt")),
        "approved_at": parse_datetime(node.get("requestApprovedAt")),
        "closed_at": parse_datetime(node.get("closedAt")),
        "decline_reason": lower(decline.get("reason")),
        "decline_note": clean(decline.get("note")),
        "lines": tuple(map(_line, items)),
        "exchanges": tuple(map(_exchange, whole(node, "exchangeLineItems"))),
        "fees": _fees(node, items, context),
        "refund_gids": tuple(item["id"] for item in whole(node, "refunds")),
        "reverse_orders": tuple(map(_reverse_order, whole(node, "reverseFulfillmentOrders"))),
    }


def _line(node: Mapping) -> ReturnLine:
    reason = node.get("returnReasonDefinition") or {}
    fulfilled = node.get("fulfillmentLineItem") or {}
    return ReturnLine(
        gid=node["id"],
        line_gid=(fulfilled.get("lineItem") or {}).get("id") or "",
        fulfillment_line_gid=fulfilled.get("id") or "",
        quantity=node.get("quantity") or 0,
        processed_quantity=node.get("processedQuantity") or 0,
        refunded_quantity=node.get("refundedQuantity") or 0,
        reason=clean(reason.get("handle")),
        reason_name=clean(reason.get("name")),
        note=clean(node.get("returnReasonNote")),
        customer_note=clean(node.get("customerNote")),
    )


def _exchange(node: Mapping) -> ExchangeLine:
    title, variant = clean(node.get("title")), clean(node.get("variantTitle"))
    return ExchangeLine(
        gid=node["id"],
        quantity=node.get("quantity") or 0,
        processed_quantity=node.get("processedQuantity") or 0,
        product_gid=node.get("productId") or "",
        variant_gid=node.get("variantId") or "",
        sku=clean(node.get("variantSku")),
        title=f"{title} - {variant}" if title and variant else title or variant,
        line_gids=tuple(line["id"] for line in node.get("lineItems") or ()),
    )


def _fees(node: Mapping, items: Iterable[Mapping], context: LineContext) -> tuple[ReturnFee, ...]:
    found = [
        ("restocking", item["restockingFee"], f"returnLineItems[{position}].restockingFee")
        for position, item in enumerate(items)
        if item.get("restockingFee")
    ]
    found += [
        ("return_shipping", fee, f"returnShippingFees[{position}]")
        for position, fee in enumerate(node.get("returnShippingFees") or ())
    ]
    fees = []
    for kind, fee, path in found:
        bag = context.bag(fee, "amountSet", path)
        fees.append(
            ReturnFee(
                gid=fee["id"],
                kind=kind,
                amount=bag.pick(context.policy),
                shop_amount=bag.shop,
                customer_amount=bag.presentment,
                percentage=fee.get("percentage"),
            )
        )
    return tuple(fees)


def _reverse_order(node: Mapping) -> ReverseOrder:
    return ReverseOrder(
        gid=node["id"],
        status=lower(node.get("status")),
        lines=tuple(map(_reverse_line, whole(node, "lineItems"))),
    )


def _reverse_line(node: Mapping) -> ReverseLine:
    fulfilled = node.get("fulfillmentLineItem") or {}
    return ReverseLine(
        gid=node["id"],
        line_gid=(fulfilled.get("lineItem") or {}).get("id") or "",
        quantity=node.get("totalQuantity") or 0,
        dispositions=tuple(
            Disposition(
                gid=item["id"],
                kind=lower(item.get("type")),
                quantity=item.get("quantity") or 0,
                location_gid=(item.get("location") or {}).get("id") or "",
                created_at=parse_datetime(item.get("createdAt")),
            )
            for item in node.get("dispositions") or ()
        ),
    )
