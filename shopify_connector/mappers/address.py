"""Postal addresses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .text import clean

_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as the customer wrote it; absent parts are empty strings.

    ``country_code`` is ISO 3166-1 alpha-2 in capitals, or empty where Shopify knows no country.
    ``country`` is free text: apps send codes there too ("CA").
    """

    first_name: str = ""
    last_name: str = ""
    name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    zip: str = ""
    province: str = ""
    province_code: str = ""
    country: str = ""
    country_code: str = ""
    phone: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for addresses that a person would call the same (case, spaces, punctuation).

        The phone number is no part of it: a new number does not make a new address.
        """
        return (
            _fold(self.name),
            _fold(self.company),
            _fold(self.address1),
            _fold(self.address2),
            _fold(self.city),
            _fold(self.zip),
            _fold(self.province_code or self.province),
            _fold(self.country_code or self.country),
        )


def _fold(text: str) -> str:
    return _NOT_WORD.sub("", text).casefold()


def map_address(node: Mapping | None) -> Address | None:
    """Map a ``MailingAddress``, ``CompanyAddress`` or ``LocationAddress``; an empty one is None.

    A country code that stands in the place of the country's name is understood as the code.
    """
    if not node:
        return None
    first_name, last_name = clean(node.get("firstName")), clean(node.get("lastName"))
    country = clean(node.get("country"))
    code = clean(node.get("countryCodeV2") or node.get("countryCode")).upper()
    if not code and len(country) == 2 and country.isalpha():
        code = country.upper()
    address = Address(
        first_name=first_name,
        last_name=last_name,
        name=clean(node.get("name")) or f"{first_name} {last_name}".strip(),
        company=clean(node.get("company") or node.get("companyName")),
        address1=clean(node.get("address1")),
        address2=clean(node.get("address2")),
        city=clean(node.get("city")),
        zip=clean(node.get("zip")),
        province=clean(node.get("province")),
        province_code=clean(node.get("provinceCode") or node.get("zoneCode")).upper(),
        country=country,
        country_code="" if code == "ZZ" else code,
        phone=clean(node.get("phone")),
    )
    return None if address == _EMPTY else address


_EMPTY = Address()
