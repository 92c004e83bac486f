"""What an order consists of, in a form that can be kept, compared and told. No Odoo in here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

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
                line.kind,
            ]
            for line in order.kept_lines
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


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed.

    :ivar kind: one of :data:`~..mappers.order_decisions.CHANGES`
    :ivar gid: the line, where one line is concerned
    :ivar values: for the sentence that tells it: ``line``, ``old``, ``new``
    """

    kind: str
    gid: str = ""
    values: Mapping = field(default_factory=dict)


def differences(old: Mapping, new: Mapping) -> list[Change]:
    """What changed from one snapshot to another.

    A cancellation is of the kind ``cancelled``: what became of its money no snapshot tells. It is
    all that counts of an order that is cancelled: nothing else will be delivered or invoiced.
    """
    if new["cancelled"]:
        return [] if old["cancelled"] else [Change("cancelled")]
    found = [Change("reopened")] if old["cancelled"] else []
    found += _line_differences(old["lines"], new["lines"])
    for part, kind in _PARTIES.items():
        before, after = old[part], new[part]
        if (before and before[0]) != (after and after[0]):
            values = {"old": before[1] if before else "-", "new": after[1] if after else "-"}
            found.append(Change(kind, values=values))
    return found


_PARTIES = {"customer": "customer", "billing": "billing_address", "shipping": "shipping_address"}


def _line_differences(old: Mapping, new: Mapping) -> list[Change]:
    found = []
    for gid, after in new.items():
        before = old.get(gid)
        kind = _line_change(before, after)
        if kind:
            values = {"line": after[0], "new": after[1], "old": before[1] if before else 0}
            if kind in ("discount", "shipping"):
                values |= {"old": before[3], "new": after[3]}
            found.append(Change(kind, gid, values))
    for gid, before in old.items():
        if gid not in new and before[1]:
            kind = "shipping" if _is_shipping(before) else "line_removed"
            values = {"line": before[0], "old": before[1], "new": 0}
            if kind == "shipping":
                values |= {"old": before[3], "new": "0"}
            found.append(Change(kind, gid, values))
    return found


def _line_change(before: list | None, after: list) -> str:
    """Kind of the change of one line, empty when it stayed as it was."""
    if before is None:
        return "line_added"
    (_title, was, _left, net_was, taxes_were), (_name, now, _rest, net, taxes) = (
        before[:5],
        after[:5],
    )
    if was == now and net_was == net and taxes_were == taxes:
        return ""
    if _is_shipping(after):
        return "shipping"
    if now > was:
        return "quantity_up"
    if now < was:
        return "quantity_down" if now else "line_removed"
    return "discount"


def _is_shipping(line: list) -> bool:
    # the kind is the last item, which snapshots of before it do not have
    return line[5:] == ["shipping"]


def applied(old: Mapping, new: Mapping, left: Mapping[str, int | None]) -> dict:
    """The snapshot of an order to which a change was applied, except for what is left.

    :param left: what waits: a line's gid with the quantity that it has in Odoo now (None: the line
        is as it was before), or the kind of a change that concerns no line
    """
    content = {**new, "lines": dict(new["lines"])}
    for key, quantity in left.items():
        if key.startswith("cancelled") or key == "reopened":
            content["cancelled"] = old["cancelled"]
        elif key in _PARTIES.values():
            part = next(part for part, kind in _PARTIES.items() if kind == key)
            content[part] = old[part]
        elif key not in old["lines"]:
            content["lines"].pop(key)
        elif quantity is None:
            content["lines"][key] = old["lines"][key]
        else:
            title, _quantity, *rest = old["lines"][key]
            content["lines"][key] = [title, quantity, *rest]
    return content
