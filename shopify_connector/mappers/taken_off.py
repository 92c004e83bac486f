"""Units that were taken off an order before they were delivered.

An edit that removes units, and a refund of units that were not sent yet, leave ``quantity`` and all
``total...`` figures as they were, lower ``currentQuantity`` and make a Refund; that of an edit has
no transactions. A refund of delivered goods lowers ``currentQuantity`` as well, but takes nothing
off what was ordered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .money import Money, allocate
from .order_types import Order, OrderLine
from .refund_types import Refund, RefundLine
from .tax import TaxAmount

# Restock types of goods that came back to be sold again.
RESTOCKED = frozenset({"return", "legacy_restock"})
# Shopify's values of before anything was sent.
NOT_FULFILLED = frozenset({"", "unfulfilled", "fulfillment_not_required", "scheduled", "on_hold"})


def taken_units(order: Order) -> Counter:
    """``{line gid: units}`` that were taken off before they were delivered.

    All that are gone, while nothing of the order is fulfilled. Later, those that Shopify put back
    as cancelled, and those of edits: only units that are not fulfilled can be edited away; and
    those that were taken off before. What is gone stays gone when the rest is fulfilled.
    """
    gone = Counter(
        {line.gid: line.quantity - max(line.current_quantity, 0) for line in order.lines}
    )
    if order.fulfillment_status in NOT_FULFILLED:
        return +gone
    units: Counter = Counter()
    stated: Counter = Counter()
    others: Counter = Counter()
    for refund in order.refunds:
        before = refund.gid in order.refunds_before
        for line in refund.lines:
            off = is_taken_off(refund, line)
            if off:
                units[line.line_gid] += line.quantity
            if before:
                found = stated if off else others
                found[line.line_gid] += line.quantity
    for line in order.lines:
        if line.kind == "shipping":
            units[line.gid] = gone[line.gid]
    for gid, known in order.taken_before:
        # beside those of which the refunds of then say it themselves
        units[gid] += min(max(known - stated[gid], 0), others[gid])
    # Units that an edit put back stay in its refund.
    return +Counter({gid: min(taken, gone[gid]) for gid, taken in units.items()})


def unsent_units(order: Order) -> Counter:
    """``{line gid: units}`` that were refunded without restocking, and that never left.

    All that were, while nothing of the order is fulfilled. Later, what is neither fulfilled nor
    waits for it, less what was taken off; none where that was not read.
    """
    given_up: Counter = Counter()
    taken_off: Counter = Counter()
    refunded: Counter = Counter()
    for refund in order.refunds:
        for line in refund.lines:
            refunded[line.line_gid] += line.quantity
            if is_taken_off(refund, line):
                taken_off[line.line_gid] += line.quantity
            elif line.restock_type == "no_restock" and not refund.return_gid:
                given_up[line.line_gid] += line.quantity
    if order.fulfillment_status in NOT_FULFILLED:
        return given_up
    units: Counter = Counter()
    for line in order.lines:
        if line.sent_quantity is None or line.waiting_quantity is None:
            continue
        # Units that an edit put back stay in its refund.
        put_back = max(refunded[line.gid] - (line.quantity - line.current_quantity), 0)
        never = line.quantity - line.sent_quantity - line.waiting_quantity
        never -= max(taken_off[line.gid] - put_back, 0)
        units[line.gid] = min(given_up[line.gid], never)
    return +units


def had_left(order: Order, refund: Refund, line: RefundLine) -> bool:
    """Whether Shopify says that the units of a refund's line had been sent, all of them."""
    if line.restock_type in RESTOCKED:
        return not is_taken_off(refund, line)
    if line.restock_type != "no_restock" or is_taken_off(refund, line):
        return False
    sold = next((one for one in order.lines if one.gid == line.line_gid), None)
    known = sold is not None and None not in (sold.sent_quantity, sold.waiting_quantity)
    return known and not unsent_units(order)[line.line_gid]


def is_taken_off(refund: Refund, line: RefundLine) -> bool:
    """Whether a refund says itself that its units never left: it cancels them, or is an edit's."""
    edit = not (refund.transaction_gids or refund.return_gid)
    return line.restock_type == "cancel" or (edit and line.restock_type != "return")


def shrunk_lines(order: Order) -> tuple[OrderLine, ...]:
    """The lines off which units were taken, with what is left of them.

    A line is worth what it was less what Shopify says that the units are worth; where it says
    nothing, or where the order would not be worth its current total then, less their share by the
    largest remainder.
    """
    units = taken_units(order)
    lines = [line for line in order.lines if units[line.gid]]
    if not lines:
        return ()
    stated = _stated(order, units)
    readings = [
        tuple(_without(line, units[line.gid], stated.get(line.gid)) for line in lines),
        tuple(_without(line, units[line.gid], None) for line in lines),
    ]
    if not _is_all(order, units):
        return readings[0]
    fitting = (some for some in readings if _total(order, some) == order.totals.current_total)
    return next(fitting, readings[0])


@dataclass
class Worth:
    """What refunds say of units of a line; ``net`` with tax where the order's prices include it."""

    units: int
    net: Money
    tax: Money
    shop_net: Money
    shop_tax: Money


def _stated(order: Order, units: Counter) -> dict[str, Worth]:
    """``{line gid: Worth}`` of the lines for whose units Shopify states amounts.

    A line may also have units that came back: of these nothing is taken off.
    """
    found: dict[str, Worth] = {}
    for counts in (is_taken_off, _is_not_restocked, _any):
        worths = _worths(order, counts)
        for gid, worth in worths.items():
            if worth.units == units[gid]:
                found.setdefault(gid, worth)
    return found


def _is_not_restocked(refund: Refund, line: RefundLine) -> bool:
    return line.restock_type not in RESTOCKED


def _any(refund: Refund, line: RefundLine) -> bool:
    return True


def _worths(order: Order, counts: Callable[[Refund, RefundLine], bool]) -> dict[str, Worth]:
    found: dict[str, Worth] = {}
    for refund in order.refunds:
        for line in refund.lines:
            if not (line.subtotal or line.tax) or not counts(refund, line):
                continue
            worth = Worth(line.quantity, line.subtotal, line.tax, line.shop_subtotal, line.shop_tax)
            known = found.get(line.line_gid)
            if known:
                worth = Worth(
                    worth.units + known.units,
                    worth.net + known.net,
                    worth.tax + known.tax,
                    worth.shop_net + known.shop_net,
                    worth.shop_tax + known.shop_tax,
                )
            found[line.line_gid] = worth
    return found


def _is_all(order: Order, units: Counter) -> bool:
    """Whether the current total is without these units, and without nothing else."""
    if order.totals.current_total == order.totals.total:
        # Shopify does not state it.
        return False
    return not (
        any(line.quantity - line.current_quantity != units[line.gid] for line in order.lines)
        or any(_says_more(order, refund) for refund in order.refunds)
        # gone with the units that they are for, which no refund tells
        or any(line.kind in ("duty", "fee") for line in order.lines)
    )


def _says_more(order: Order, refund: Refund) -> bool:
    """Whether a refund is of more than units, or its money is not what they are worth."""
    if refund.shipping or refund.adjustments or refund.duties:
        return True
    if not refund.transaction_gids or refund.total is None:
        return False
    worth = Money.sum((line.subtotal for line in refund.lines), order.currency)
    if not order.taxes_included:
        worth += Money.sum((line.tax for line in refund.lines), order.currency)
    return refund.total != worth


def _total(order: Order, shrunk: Iterable[OrderLine]) -> Money:
    lines = {line.gid: line for line in (*order.lines, *shrunk)}
    return Money.sum((line.total_included for line in lines.values()), order.currency)


def kept_totals(order: Order) -> tuple[Money, Money] | None:
    """What Shopify says that the order is worth now, and what the lines are worth without the
    units that were taken off; None where no figure of Shopify speaks of just these.
    """
    if order.kept_lines is order.lines or not _is_all(order, taken_units(order)):
        return None
    return order.totals.current_total, _total(order, order.shrunk)


def _without(line: OrderLine, units: int, worth: Worth | None) -> OrderLine:
    """The line without some of its units, which are worth this, or their share."""
    kept = line.quantity - units

    def part(amount: Money) -> Money:
        return allocate(amount, (kept, units))[0] if kept else Money.zero(amount.currency)

    if worth and kept and abs(worth.net.amount) <= abs(line.net.amount):
        net, shop_net = line.net - worth.net, line.shop_net - worth.shop_net
        taxes = tuple(_less_tax(line.taxes, worth))
    else:
        net, shop_net = part(line.net), part(line.shop_net)
        taxes = tuple(
            replace(tax, amount=part(tax.amount), shop_amount=part(tax.shop_amount))
            for tax in line.taxes
        )
    return replace(
        line,
        quantity=kept,
        current_quantity=min(line.current_quantity, kept),
        gross=line.unit_price * kept,
        net=net,
        shop_net=shop_net,
        taxes=taxes,
        discounts=tuple(
            replace(discount, amount=part(discount.amount), shop_amount=part(discount.shop_amount))
            for discount in line.discounts
        ),
    )


def _less_tax(taxes: Iterable[TaxAmount], worth: Worth) -> Iterable[TaxAmount]:
    """Shopify states one amount for all taxes of the units: each tax takes its share of it."""
    taxes = tuple(taxes)
    if not taxes:
        return
    shares = allocate(worth.tax, [abs(tax.amount.amount) for tax in taxes])
    shop_shares = allocate(worth.shop_tax, [abs(tax.shop_amount.amount) for tax in taxes])
    for tax, share, shop_share in zip(taxes, shares, shop_shares, strict=True):
        yield replace(tax, amount=tax.amount - share, shop_amount=tax.shop_amount - shop_share)
