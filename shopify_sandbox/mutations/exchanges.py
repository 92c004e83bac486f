"""Exchange items of a return: new lines of the order once they are processed."""

from ..context import Context
from ..errors import UserErrors, user_error
from ..store import Ref
from .added_lines import add_lines, line_of_variant
from .registry import find, update


def check_exchange_items(entries: list, field: list[str], context: Context) -> None:
    for index, entry in enumerate(entries):
        if find(context, "ProductVariant", entry.get("variantId") or "") is None:
            where = [*field, str(index), "variantId"]
            raise UserErrors(user_error(where, "Product variant not found.", "NOT_FOUND"))


def exchange_items(entries: list, context: Context) -> list[dict]:
    store = context.shop.store
    found = []
    for entry in entries:
        variant = store.get(entry["variantId"])
        product = store.get(variant.get("product")) or {}
        found.append(
            {
                "__typename": "ExchangeLineItem",
                "id": store.new_gid("ExchangeLineItem"),
                "quantity": entry["quantity"],
                "variantId": variant["id"],
                "variantSku": variant.get("sku"),
                "variantTitle": variant.get("title"),
                "productId": product.get("id"),
                "title": product.get("title"),
            }
        )
    return found


def add_exchange_items(order: dict, items: list[tuple], context: Context) -> None:
    """Processed exchange items become lines and a fulfilment order; the totals rise by them.

    :param items: ``[(exchange line, entry with the quantity)]``
    """
    store = context.shop.store
    new = [
        line_of_variant(store.get(item["variantId"]), entry["quantity"], context)
        for item, entry in items
    ]
    for line in new:
        line.values["requiresShipping"] = True
    for (item, _entry), line in zip(items, add_lines(order, new, context), strict=True):
        made = [*store.resolve_all(item.get("lineItems")), line]
        update(context, item["id"], {"lineItems": [Ref(record["id"]) for record in made]})
