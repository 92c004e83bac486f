"""The store itself and its locations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .address import Address, map_address
from .text import clean


@dataclass(frozen=True, slots=True)
class Shop:
    """What a store says of itself.

    ``currencies`` are all in which customers may pay, the store's own first. ``timezone`` is an
    IANA name. ``order_prefix`` and ``order_suffix`` stand around order numbers ("#" and "").
    """

    gid: str
    name: str
    domain: str
    plan: str = ""
    currency: str = ""
    currencies: tuple[str, ...] = ()
    timezone: str = ""
    taxes_included: bool = False
    tax_shipping: bool = False
    country_code: str = ""
    email: str = ""
    primary_domain: str = ""
    development: bool = False
    plus: bool = False
    order_prefix: str = ""
    order_suffix: str = ""


@dataclass(frozen=True, slots=True)
class Location:
    """A place where the store keeps or sells goods."""

    gid: str
    name: str
    active: bool = True
    fulfils_online: bool = False
    ships_inventory: bool = False
    fulfillment_service: bool = False
    address: Address | None = None


def map_shop(node: Mapping) -> Shop:
    """Map the ``shop`` node of ``shop_info.graphql``."""
    plan, primary = node.get("plan") or {}, node.get("primaryDomain") or {}
    currency = node.get("currencyCode") or ""
    others = node.get("enabledPresentmentCurrencies") or ()
    return Shop(
        gid=node.get("id") or "",
        name=clean(node.get("name")),
        domain=clean(node.get("myshopifyDomain")).lower(),
        plan=clean(plan.get("publicDisplayName")),
        currency=currency,
        currencies=tuple(dict.fromkeys(code for code in (currency, *others) if code)),
        timezone=clean(node.get("ianaTimezone")),
        taxes_included=bool(node.get("taxesIncluded")),
        tax_shipping=bool(node.get("taxShipping")),
        country_code=clean((node.get("shopAddress") or {}).get("countryCodeV2")).upper(),
        email=clean(node.get("contactEmail") or node.get("email")),
        primary_domain=clean(primary.get("host")),
        development=bool(plan.get("partnerDevelopment")),
        plus=bool(plan.get("shopifyPlus")),
        order_prefix=node.get("orderNumberFormatPrefix") or "",
        order_suffix=node.get("orderNumberFormatSuffix") or "",
    )


def map_location(node: Mapping) -> Location:
    """Map a ``Location`` node of ``locations.graphql``."""
    return Location(
        gid=node["id"],
        name=clean(node.get("name")),
        active=node.get("isActive") is not False,
        fulfils_online=bool(node.get("fulfillsOnlineOrders")),
        ships_inventory=bool(node.get("shipsInventory")),
        fulfillment_service=bool(node.get("isFulfillmentService")),
        address=map_address(node.get("address")),
    )
