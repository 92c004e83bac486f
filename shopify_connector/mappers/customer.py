"""Customers and companies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .address import Address, map_address
from .text import clean, lower, metafields, nodes

_NOT_DIGIT = re.compile(r"\D+")
_EXTENSION = re.compile(r"\s*(?:ext\.?|extension|x|#)\s*\d+\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who bought; absent texts are empty strings.

    ``email`` and ``phone`` are normalised. Consents and ``state`` are Shopify's enum values in
    lower case ("subscribed", "enabled"), empty where unknown. ``metafields`` are pairs of
    ``namespace.key`` and the text of the value.
    """

    gid: str
    first_name: str = ""
    last_name: str = ""
    name: str = ""
    email: str = ""
    phone: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    locale: str = ""
    tax_exempt: bool = False
    tax_id: str = ""
    verified: bool = False
    state: str = ""
    addresses: tuple[Address, ...] = ()
    default_address: Address | None = None
    email_consent: str = ""
    sms_consent: str = ""
    metafields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Company:
    """A business that buys (B2B), seen from one of its locations.

    ``billing`` and ``shipping`` are the location's own addresses, the name being who receives.
    """

    gid: str
    name: str
    external_id: str = ""
    location_gid: str = ""
    location_name: str = ""
    location_external_id: str = ""
    tax_id: str = ""
    tax_exempt: bool = False
    contact_gid: str = ""
    contact_title: str = ""
    billing: Address | None = None
    shipping: Address | None = None


# Countries by international calling code, those that ship most. Numbers of other countries keep
# their form unless they are written with + or 00.
_COUNTRIES = {
    "1": "US CA PR DO JM BS BB TT",
    "20": "EG",
    "27": "ZA",
    "30": "GR",
    "31": "NL",
    "32": "BE",
    "33": "FR",
    "34": "ES",
    "36": "HU",
    "39": "IT",
    "40": "RO",
    "41": "CH",
    "43": "AT",
    "44": "GB GG JE IM",
    "45": "DK",
    "46": "SE",
    "47": "NO SJ",
    "48": "PL",
    "49": "DE",
    "51": "PE",
    "52": "MX",
    "53": "CU",
    "54": "AR",
    "55": "BR",
    "56": "CL",
    "57": "CO",
    "58": "VE",
    "60": "MY",
    "61": "AU",
    "62": "ID",
    "63": "PH",
    "64": "NZ",
    "65": "SG",
    "66": "TH",
    "81": "JP",
    "82": "KR",
    "84": "VN",
    "86": "CN",
    "90": "TR",
    "91": "IN",
    "92": "PK",
    "94": "LK",
    "212": "MA",
    "213": "DZ",
    "216": "TN",
    "221": "SN",
    "225": "CI",
    "233": "GH",
    "234": "NG",
    "254": "KE",
    "256": "UG",
    "262": "RE",
    "351": "PT",
    "352": "LU",
    "353": "IE",
    "354": "IS",
    "355": "AL",
    "356": "MT",
    "357": "CY",
    "358": "FI AX",
    "359": "BG",
    "370": "LT",
    "371": "LV",
    "372": "EE",
    "373": "MD",
    "376": "AD",
    "377": "MC",
    "378": "SM",
    "380": "UA",
    "381": "RS",
    "382": "ME",
    "385": "HR",
    "386": "SI",
    "387": "BA",
    "389": "MK",
    "420": "CZ",
    "421": "SK",
    "423": "LI",
    "502": "GT",
    "503": "SV",
    "504": "HN",
    "505": "NI",
    "506": "CR",
    "507": "PA",
    "591": "BO",
    "593": "EC",
    "595": "PY",
    "598": "UY",
    "852": "HK",
    "853": "MO",
    "880": "BD",
    "886": "TW",
    "961": "LB",
    "962": "JO",
    "964": "IQ",
    "965": "KW",
    "966": "SA",
    "967": "YE",
    "968": "OM",
    "971": "AE",
    "972": "IL",
    "973": "BH",
    "974": "QA",
    "977": "NP",
    "995": "GE",
}
CALLING_CODES = {
    country: code for code, countries in _COUNTRIES.items() for country in countries.split()
}
# Countries whose national numbers keep a leading zero after the calling code.
_KEEP_ZERO = frozenset({"IT", "SM"})


def normalise_email(text: str | None) -> str:
    """Trim and lower-case an e-mail address; what is not one (no @) gives an empty string."""
    text = clean(text)
    if text.lower().startswith("mailto:"):
        text = text[7:]
    text = text.casefold()
    local, at, domain = text.rpartition("@")
    return text if at and local and domain else ""


def normalise_phone(text: str | None, country_code: str | None = None) -> str:
    """Write a phone number as + and digits where the country is known, else as digits.

    Spaces, dots, brackets, dashes and a leading 00 are understood; an extension is dropped. The
    country comes from the number itself, else from ``country_code``. Text without at least five
    digits gives an empty string.
    """
    text = _EXTENSION.sub("", clean(text))
    international = text.startswith(("+", "(+"))
    trunk_zero = "(0)" in text
    if trunk_zero:
        text = text.replace("(0)", "")
    digits = _NOT_DIGIT.sub("", text)
    if len(digits) < 5:
        return ""
    if international:
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    code = CALLING_CODES.get((country_code or "").upper())
    if code is None:
        return digits
    if code == "1":
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        return "+1" + digits if len(digits) == 10 else digits
    if digits.startswith("0") and country_code.upper() not in _KEEP_ZERO:
        digits = digits[1:]
    elif digits.startswith(code) and len(digits) > 10:
        return "+" + digits
    return "+" + code + digits


def map_customer(node: Mapping | None) -> Customer | None:
    """Map a ``Customer`` node; null (guest, or customer data withheld) gives None."""
    if not node:
        return None
    email_node = node.get("defaultEmailAddress") or {}
    phone_node = node.get("defaultPhoneNumber") or {}
    default_address = map_address(node.get("defaultAddress"))
    addresses = nodes(node.get("addressesV2"))
    first_name, last_name = clean(node.get("firstName")), clean(node.get("lastName"))
    sms = phone_node.get("smsMarketingConsent") or {}
    return Customer(
        gid=node["id"],
        first_name=first_name,
        last_name=last_name,
        name=f"{first_name} {last_name}".strip() or clean(node.get("displayName")),
        email=normalise_email(email_node.get("emailAddress")),
        phone=normalise_phone(
            phone_node.get("phoneNumber"), default_address and default_address.country_code
        ),
        note=clean(node.get("note")),
        tags=tuple(node.get("tags") or ()),
        locale=clean(node.get("locale")),
        tax_exempt=bool(node.get("taxExempt")),
        tax_id=clean((node.get("taxSettings") or {}).get("taxId")),
        verified=bool(node.get("verifiedEmail")),
        state=lower(node.get("state")),
        addresses=tuple(found for found in map(map_address, addresses) if found),
        default_address=default_address,
        email_consent=lower(email_node.get("marketingState")),
        sms_consent=lower(sms.get("state")),
        metafields=metafields(node.get("metafields")),
    )


def map_company(node: Mapping | None) -> Company | None:
    """Map the ``purchasingEntity`` of an order; None unless a company bought."""
    company = (node or {}).get("company")
    if not company:
        return None
    location, contact = node.get("location") or {}, node.get("contact") or {}
    tax = location.get("taxSettings") or {}
    return Company(
        gid=company["id"],
        name=clean(company.get("name")),
        external_id=clean(company.get("externalId")),
        location_gid=location.get("id") or "",
        location_name=clean(location.get("name")),
        location_external_id=clean(location.get("externalId")),
        tax_id=clean(tax.get("taxRegistrationId")),
        tax_exempt=bool(tax.get("taxExempt")),
        contact_gid=contact.get("id") or "",
        contact_title=clean(contact.get("title")),
        billing=map_address(location.get("billingAddress")),
        shipping=map_address(location.get("shippingAddress")),
    )
