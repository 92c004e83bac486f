"""What an order consists of, in a form that can be kept, compared and told. No Odoo in here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ..mappers.address import Address
from ..mappers.money import Money
from ..mappers.odoo_values import line_description
from ..mappers.order_types import Order


def snapshot(order: Order) -> dict:
    """The ordered content: what must be the same in Odoo. JSON values only.

    Statuses, payments, tags and notes are no part of it: they change without the order changing.
    """
    return {
        "currency": order.currency,
        "total": _plain(order.totals.total),
        "cancelled": order.cancelled_at is not None,
        "customer": _customer(order),
        "billing": _address(order.billing),
        "shipping": _address(order.shipping),
        "lines": {
            line.gid: [
                line_description(line).partition("\n")[0],
                line.quantity,
                line.current_quantity,
                _plain(line.net),
                [[tax.key.title, str(tax.key.rate), _plain(tax.amount)] for tax in line.taxes],
            ]
            for line in order.lines
        },
    }


def _customer(order: Order) -> list:
    """What is compared, and what is shown."""
    customer, company = order.customer, order.company
    gids = [customer.gid if customer else order.email, company.location_gid if company else ""]
    names = [company.name if company else "", customer.name if customer else order.email]
    return [gids, ", ".join(filter(None, names)) or "-"]


def _plain(money: Money) -> str:
    """Equal amounts give equal texts: 10.00 and 10.0 are "10"."""
    return format(money.amount.normalize() + 0, "f")


def _address(address: Address | None) -> list | None:
    """What is compared, and what is shown."""
    if address is None:
        return None
    city = " ".join(part for part in (address.zip, address.city) if part)
    parts = (
        address.name or address.company,
        address.address1,
        address.address2,
        city,
        address.province_code,
        address.country_code or address.country,
    )
    return [list(address.key), ", ".join(part for part in parts if part)]


def fingerprint(content: Mapping) -> str:
    """Equal for equal snapshots, whatever the order of their keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: Mapping, new: Mapping) -> list[tuple[str, dict]]:
    """What changed from one snapshot to another, as ``(kind, values for the sentence)``.

    Kinds: ``cancelled``, ``reopened``, ``currency``, ``line_added``, ``line_removed``,
    ``quantity``, ``left`` (units taken away by refunds or edits), ``amount``, ``taxes``,
    ``customer``, ``billing``, ``shipping``, ``total``.
    """
    found: list[tuple[str, dict]] = []
    if old["cancelled"] != new["cancelled"]:
        found.append(("cancelled" if new["cancelled"] else "reopened", {}))
    if old["currency"] != new["currency"]:
        found.append(("currency", {"old": old["currency"], "new": new["currency"]}))
    found += _line_differences(old["lines"], new["lines"])
    if old["customer"][0] != new["customer"][0]:
        found.append(("customer", {"old": old["customer"][1], "new": new["customer"][1]}))
    for place in ("billing", "shipping"):
        before, after = old[place], new[place]
        if (before and before[0]) != (after and after[0]):
            found.append(
                (place, {"old": before[1] if before else "-", "new": after[1] if after else "-"})
            )
    if old["total"] != new["total"]:
        found.append(("total", {"old": old["total"], "new": new["total"]}))
    return found


def _line_differences(old: Mapping, new: Mapping) -> list[tuple[str, dict]]:
    found: list[tuple[str, dict]] = []
    for gid, (title, quantity, left, net, taxes) in new.items():
        before = old.get(gid)
        if before is None:
            found.append(("line_added", {"line": title, "new": quantity}))
            continue
        for kind, was, now in (("quantity", before[1], quantity), ("amount", before[3], net)):
            if was != now:
                found.append((kind, {"line": title, "old": was, "new": now}))
        if before[1] - before[2] != quantity - left:
            found.append(("left", {"line": title, "old": before[2], "new": left}))
        if before[4] != taxes:
            found.append(("taxes", {"line": title}))
    found += [
        ("line_removed", {"line": line[0], "old": line[1]})
        for gid, line in old.items()
        if gid not in new
    ]
    return found
