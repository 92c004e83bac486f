"""Histories of drawn orders: paid, sent, refunded up to four times, in any order of events.

What is drawn are wishes (:mod:`.refund_steps`): the store gives what there is. So any history can
be made simpler by leaving steps and wishes out of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from . import order_reduced
from .order_drawn import discounts, minor, orders, plus, story, taxes
from .refund_steps import CatchUp, Pay, Receive, Refund, Settle, Ship
from .refund_store import Store

RESTOCKS = ("CANCEL", "RETURN", "NO_RESTOCK", "GIVE_UP")
MONEY = (*["exact"] * 5, "kept", "more", "none", "none", "waived")
SHARES = st.sampled_from([1, 250, 334, 500, 667, 1000])


@dataclass(frozen=True)
class History:
    """An order as it was placed, and what happened to it.

    :ivar known_from: how many steps there were when Odoo first heard of it
    """

    order: dict
    steps: tuple
    known_from: int = 0


@st.composite
def modest_lines(draw, pen, number, included, edits):
    """One to six units of goods, or of a service that nobody delivers."""
    unit = pen.pair(draw(st.integers(10, 20_000)))
    quantity = draw(st.integers(1, 6))
    net = gross = (unit[0] * quantity, unit[1] * quantity)
    found = []
    if draw(st.integers(0, 2)) == 0:
        found, _seen = draw(discounts(pen, gross))
        for allocation in found:
            net = plus(net, minor(allocation["allocatedAmountSet"]), -1)
    if any(net) and min(net) < quantity:
        # Units that are worth something in one currency only are nobody's.
        found, net = [], gross
    goods = draw(st.sampled_from([True, True, True, False]))
    return {
        "id": pen.gid("LineItem", number),
        "title": f"Article {number}",
        "sku": f"SKU-{number}" if goods else None,
        "quantity": quantity,
        "currentQuantity": quantity,
        "requiresShipping": goods,
        "isGiftCard": False,
        "variant": {"id": f"gid://shopify/ProductVariant/{number}"} if goods else None,
        "product": None,
        "originalUnitPriceSet": pen.bag(unit),
        "discountAllocations": found,
        "taxLines": draw(taxes(pen, net[0], included)),
        "duties": [],
    }


@st.composite
def refunds(draw, unexplained):
    units = st.tuples(st.integers(0, 3), SHARES, st.sampled_from(RESTOCKS))
    return Refund(
        units=tuple(draw(st.lists(units, max_size=3))),
        shipping=draw(st.sampled_from([0, 0, 1, 400, 1000, 1000])),
        money="unexplained" if unexplained else draw(st.sampled_from(MONEY)),
        extra=draw(st.integers(1, 1000)),
        tender=draw(st.integers(0, 2)),
        cut=draw(st.sampled_from([1000, 1000, 1000, 600])),
        status=draw(st.sampled_from(["SUCCESS"] * 5 + ["PENDING", "PENDING", "FAILURE"])),
        adjusted=draw(st.booleans()),
        rate=draw(st.sampled_from([1000, 1000, 1000, 1031, 978])),
    )


@st.composite
def histories(draw, number):
    """Draw a :class:`History`; its last steps send and receive what is open.

    :param number: function that gives the number of the order
    """
    order, _books = draw(orders(number, edits=False, lines=modest_lines, counts=st.integers(1, 4)))
    ships = st.builds(Ship, SHARES, st.sampled_from([False, False, True]))
    between = st.one_of(ships, st.just(CatchUp()), st.just(Receive()), st.just(Pay()))
    steps = [Pay()] if draw(st.integers(0, 4)) else []
    unexplained = draw(st.sampled_from([False] * 7 + [True]))
    for position in range(draw(st.sampled_from([1, 2, 2, 3, 3, 4]))):
        steps += draw(st.lists(between, max_size=2))
        steps.append(draw(refunds(unexplained and not position)))
        if steps[-1].money == "none" and draw(st.booleans()):
            steps.append(Refund(extra=draw(SHARES)))
        if steps[-1].status == "PENDING":
            steps += draw(st.lists(ships, max_size=1))
            steps.append(Settle(draw(st.sampled_from(["SUCCESS", "SUCCESS", "FAILURE"]))))
    steps += [Pay(), Ship(1000), CatchUp(), Receive()]
    known_from = draw(st.sampled_from([0, 0, 0, 1, 2, 3]))
    return History(order, tuple(steps), known_from)


def first_import(history):
    """How many steps there were when Odoo first heard of the order: what was paid back wholly by
    then would not be confirmed.
    """
    store = Store(history.order)
    for step in history.steps[: history.known_from]:
        store.apply(step)
        if store.node["displayFinancialStatus"] == "REFUNDED":
            return 0
    return history.known_from


def at_one_rate(history):
    """The same where the rate of each refund is that of the order."""
    steps = (replace(one, rate=1000) if isinstance(one, Refund) else one for one in history.steps)
    return replace(history, steps=tuple(steps))


# === REDUCING === #


def reduce(history, goes_wrong, tries=120):
    """Leave out of a history whatever does not matter.

    :param goes_wrong: function of a History
    """
    found = True
    while found:
        found = False
        for smaller in _smaller(history):
            if tries <= 0:
                return history
            tries -= 1
            if goes_wrong(smaller):
                history, found = smaller, True
                break
    return history


def _smaller(history):
    """Histories that are simpler in one way, the boldest first."""
    steps = history.steps
    if history.known_from:
        yield replace(history, known_from=0)
    for index in reversed(range(len(steps))):
        yield replace(history, steps=(*steps[:index], *steps[index + 1 :]))
    for order, _books, _splits in order_reduced.simpler_orders(history.order, ()):
        yield replace(history, order=order)
    for index, step in enumerate(steps):
        if isinstance(step, Refund):
            for simpler in _simpler(step):
                yield replace(history, steps=(*steps[:index], simpler, *steps[index + 1 :]))


def _simpler(refund):
    for index in range(len(refund.units)):
        yield replace(refund, units=refund.units[:index] + refund.units[index + 1 :])
    plain = Refund(units=refund.units, extra=refund.extra, status=refund.status)
    for name in ("shipping", "money", "tender", "cut", "adjusted", "rate"):
        if getattr(refund, name) != getattr(plain, name):
            yield replace(refund, **{name: getattr(plain, name)})


# === READING === #


def tell(history):
    """A history in a few lines, for the message of a test that failed."""
    store, lines = Store(history.order), [story(history.order)]
    for number, step in enumerate(history.steps):
        if number == first_import(history):
            lines.append("  - Odoo hears of it")
        lines.append(f"  {number + 1}. {_sentence(store, step, store.apply(step))}")
    return "\n".join(lines)


def _sentence(store, step, done):
    if isinstance(step, Ship):
        sent = ", ".join(f"{units} of line {index + 1}" for index, units in done.items())
        return f"sent {sent or 'nothing'}{' (Odoo does not know)' if step.late else ''}"
    if isinstance(step, Settle):
        return f"pending money: {step.status}"
    if not isinstance(step, Refund):
        return type(step).__name__
    if done is None:
        return "nothing to refund"
    parts = [
        f"{entry.units} of line {entry.line + 1} {entry.restock}{' unsent' * entry.unsent}"
        f" {entry.net} + {entry.tax}"
        for entry in done.entries
    ]
    parts += [f"shipping {net} + {tax}" for _index, net, tax, _whole in done.shipping]
    money = [
        f"{minor(item['amountSet'])} {item['status']} {item['gateway']}"
        for item in done.transactions
    ]
    parts.append(f"money {done.money} {', '.join(money) or '-'}")
    if any(done.kept):
        parts.append(f"kept {done.kept}")
    if done.pays_out:
        parts.append("pays out")
    return f"REFUND {done.gid.rpartition('/')[2]}: " + "; ".join(parts)
