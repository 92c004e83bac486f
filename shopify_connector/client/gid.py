"""Global ids: `gid://shopify/<Type>/<number>`, sometimes with a query string."""

from __future__ import annotations

import re

_GID = re.compile(r"gid://shopify/([A-Za-z]+)/([^/?\s]+)(?:\?\S*)?")


def gid(type: str, id: int | str) -> str:
    """`gid("Order", 1)` -> `gid://shopify/Order/1`."""
    return f"gid://shopify/{type}/{id}"


def parse(gid: str) -> tuple[str, str]:
    """`gid://shopify/InventoryLevel/1?inventory_item_id=2` -> `("InventoryLevel", "1")`.

    :raises ValueError: when it is no gid.
    """
    match = _GID.fullmatch(gid)
    if not match:
        raise ValueError(f"{gid!r} is not a Shopify global id")
    return match[1], match[2]


def legacy_id(gid: str) -> int:
    """The number that the REST API, webhooks and admin URLs use.

    :raises ValueError: when it is no gid, or one without a number.
    """
    return int(parse(gid)[1])
