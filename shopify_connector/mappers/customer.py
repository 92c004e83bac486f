"""Customers and companies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .address import Address, map_address
from .text import clean, lower, nodes

_NOT_DIGIT = re.compile(r"\D+")
_EXTENSION = re.compile(r"\s*(?:ext\.?|extension|x|#)\s*\d+\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Customer:
    """A person who bought; absent texts are empty strings.

    ``email`` and ``phone`` are normalised. Consents and ``state`` are Shopify's enum values in
    lower case ("subscribed", "enabled"), empty where unknown.
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


@dataclass(frozen=True, slots=True)
class Company:
    """A business that buys (B2B), seen from one of its locations."""

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


# International calling codes of the countries that ship most; numbers of others keep their form
# unless they are written with + or 00.
CALLING_CODES = {
    **dict.fromkeys("US CA PR DO JM BS BB TT".split(), "1"),
    **dict(
        pair.split(":")
        for pair in (
            "EG:20 ZA:27 GR:30 NL:31 BE:32 FR:33 ES:34 HU:36 IT:39 RO:40 CH:41 AT:43 GB:44 GG:44 "
            "JE:44 IM:44 DK:45 SE:46 NO:47 SJ:47 PL:48 DE:49 PE:51 MX:52 CU:53 AR:54 BR:55 CL:56 "
            "CO:57 VE:58 MY:60 AU:61 ID:62 PH:63 NZ:64 SG:65 TH:66 JP:81 KR:82 VN:84 CN:86 TR:90 "
            "IN:91 PK:92 LK:94 MA:212 DZ:213 TN:216 SN:221 CI:225 GH:233 NG:234 KE:254 UG:256 "
            "RE:262 PT:351 LU:352 IE:353 IS:354 AL:355 MT:356 CY:357 FI:358 AX:358 BG:359 LT:370 "
            "LV:371 EE:372 MD:373 AD:376 MC:377 SM:378 UA:380 RS:381 ME:382 HR:385 SI:386 BA:387 "
            "MK:389 CZ:420 SK:421 LI:423 GT:502 SV:503 HN:504 NI:505 CR:506 PA:507 BO:591 EC:593 "
            "PY:595 UY:598 HK:852 MO:853 BD:880 TW:886 LB:961 JO:962 IQ:964 KW:965 SA:966 YE:967 "
            "OM:968 AE:971 IL:972 BH:973 QA:974 NP:977 GE:995"
        ).split()
    ),
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
    )
