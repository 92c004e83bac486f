"""From ``Refund`` nodes (``refunds_by_ids.graphql``) to :class:`Refund`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .errors import UNREADABLE, MappingError, problem_of
from .money import MoneyBag
from .order_lines import LineContext
from .refund_types import Refund, RefundAdjustment, RefundDuty, RefundLine, RefundShipping
from .text import clean, lower, nodes, parse_datetime, whole

__all__ = ["Refund", "RefundAdjustment", "RefundDuty", "RefundLine", "RefundShipping"]

NOT_READ = "not read"


def map_refunds(
    items: Iterable[Mapping] | None, context: LineContext, returned: Mapping[str, str]
) -> tuple[Refund, ...]:
    """Map the refunds of an order, oldest first.

    A refund that cannot be understood says so in ``problem``: it must not stop its order.

    :param items: nodes; those with no more than ``id`` and ``createdAt`` were not read
    :param returned: gid of the return by gid of its refund
    """
    refunds = [_refund(node, context, returned.get(node["id"], "")) for node in nodes(items)]
    return tuple(sorted(refunds, key=lambda refund: (str(refund.created_at or ""), refund.gid)))


def _refund(node: Mapping, context: LineContext, return_gid: str) -> Refund:
    head = {
        "gid": node["id"],
        "return_gid": return_gid,
        "note": clean(node.get("note")),
    }
    try:
        head["created_at"] = parse_datetime(node.get("createdAt"))
        if "refundLineItems" not in node:
            return Refund(**head, problem=NOT_READ)
        return Refund(
            **head,
            processed_at=parse_datetime(node.get("processedAt")),
            updated_at=parse_datetime(node.get("updatedAt")),
            **_content(node, context),
        )
    except UNREADABLE as error:
        return Refund(**head, problem=problem_of(error))


def _content(node: Mapping, context: LineContext) -> dict:
    transactions = whole(node, "transactions")
    content = {
        "lines": tuple(
            _line(item, context, f"refundLineItems[{position}]", f"{node['id']}/line/{position}")
            for position, item in enumerate(whole(node, "refundLineItems"))
        ),
        "shipping": tuple(
            _shipping(item, context, f"refundShippingLines[{position}]")
            for position, item in enumerate(whole(node, "refundShippingLines"))
        ),
        "adjustments": tuple(
            _adjustment(item, context, f"orderAdjustments[{position}]")
            for position, item in enumerate(whole(node, "orderAdjustments"))
        ),
        "duties": tuple(
            RefundDuty(
                line_gid=(item.get("originalDuty") or {}).get("id") or "",
                **_moneys(item, "amountSet", context, f"duties[{position}]", "amount"),
            )
            for position, item in enumerate(node.get("duties") or ())
        ),
        "transaction_gids": tuple(item["id"] for item in transactions),
    }
    if node.get("totalRefundedSet") is not None:
        content |= _moneys(node, "totalRefundedSet", context, "", "total")
    return content


def _line(node: Mapping, context: LineContext, path: str, spare_gid: str) -> RefundLine:
    quantity = node["quantity"]
    if quantity < 0:
        raise MappingError(f"{path}.quantity", f"{quantity} units")
    return RefundLine(
        gid=node.get("id") or spare_gid,
        line_gid=_id(node, "lineItem", path),
        quantity=quantity,
        restock_type=lower(node.get("restockType")) or "unknown",
        restocked=bool(node.get("restocked")),
        location_gid=(node.get("location") or {}).get("id") or "",
        **_moneys(node, "subtotalSet", context, path, "subtotal"),
        **_moneys(node, "totalTaxSet", context, path, "tax"),
    )


def _shipping(node: Mapping, context: LineContext, path: str) -> RefundShipping:
    return RefundShipping(
        gid=node["id"],
        line_gid=(node.get("shippingLine") or {}).get("id") or "",
        **_moneys(node, "subtotalAmountSet", context, path, "amount"),
        **_moneys(node, "taxAmountSet", context, path, "tax"),
    )


def _adjustment(node: Mapping, context: LineContext, path: str) -> RefundAdjustment:
    return RefundAdjustment(
        gid=node["id"],
        reason=lower(node.get("reason")),
        **_moneys(node, "amountSet", context, path, "amount"),
        **_moneys(node, "taxAmountSet", context, path, "tax"),
    )


def _id(node: Mapping, key: str, path: str) -> str:
    found = (node.get(key) or {}).get("id")
    if not found:
        raise MappingError(f"{path}.{key}", "missing in Shopify's answer")
    return found


def _moneys(node: Mapping, key: str, context: LineContext, path: str, name: str) -> dict:
    """One amount under its three names: ``name``, ``shop_name`` and ``customer_name``."""
    bag: MoneyBag = context.bag(node, key, path)
    return {
        name: bag.pick(context.policy),
        f"shop_{name}": bag.shop,
        f"customer_{name}": bag.presentment,
    }
