"""Products and variants of the store's catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from .text import clean, lower, nodes, parse_datetime


@dataclass(frozen=True, slots=True)
class Variant:
    """One sellable variant. Prices are in the store's currency; None means that none is set.

    ``option_values`` are (option, value) pairs; a product without options has one pair
    ("Title", "Default Title"), left out here.
    """

    gid: str
    product_gid: str = ""
    sku: str = ""
    barcode: str = ""
    title: str = ""
    price: Decimal | None = None
    compare_at_price: Decimal | None = None
    position: int = 0
    taxable: bool = True
    requires_shipping: bool = True
    inventory_item_gid: str = ""
    tracked: bool = False
    option_values: tuple[tuple[str, str], ...] = ()
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product with its variants. ``status`` is active, draft, archived or unlisted."""

    gid: str
    title: str = ""
    status: str = ""
    handle: str = ""
    vendor: str = ""
    product_type: str = ""
    is_gift_card: bool = False
    tags: tuple[str, ...] = ()
    updated_at: datetime | None = None
    variants: tuple[Variant, ...] = ()


def map_product(node: Mapping) -> Product:
    """Map a ``Product`` node; pages of variants beyond the first must have been appended."""
    return Product(
        gid=node["id"],
        title=clean(node.get("title")),
        status=lower(node.get("status")),
        handle=clean(node.get("handle")),
        vendor=clean(node.get("vendor")),
        product_type=clean(node.get("productType")),
        is_gift_card=bool(node.get("isGiftCard")),
        tags=tuple(node.get("tags") or ()),
        updated_at=parse_datetime(node.get("updatedAt")),
        variants=tuple(map_variant(item, node["id"]) for item in nodes(node.get("variants"))),
    )


def map_variant(node: Mapping, product_gid: str = "") -> Variant:
    """Map a ``ProductVariant`` node."""
    item = node.get("inventoryItem") or {}
    options = tuple(
        (option["name"], option["value"]) for option in node.get("selectedOptions") or ()
    )
    if options == (("Title", "Default Title"),):
        options = ()
    title = clean(node.get("title"))
    return Variant(
        gid=node["id"],
        product_gid=product_gid or (node.get("product") or {}).get("id") or "",
        sku=clean(node.get("sku") or item.get("sku")),
        barcode=clean(node.get("barcode")),
        title="" if title == "Default Title" else title,
        price=_price(node.get("price")),
        compare_at_price=_price(node.get("compareAtPrice")),
        position=node.get("position") or 0,
        taxable=node.get("taxable") is not False,
        requires_shipping=item.get("requiresShipping") is not False,
        inventory_item_gid=item.get("id") or "",
        tracked=bool(item.get("tracked")),
        option_values=options,
        updated_at=parse_datetime(node.get("updatedAt")),
    )


def _price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
