"""What each refund of an order is worth, line by line, proved by the money that was moved.

The money truth is the refund's successful transactions. What its lines say is compared with that,
and a difference must have a name: a fee of the return, an adjustment that Shopify wrote down, the
rate of another day. What has no name stays as a gap, which a person must look at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

from .money import Money, allocate
from .order_types import Order, Transaction
from .refund_types import Refund

PENDING = frozenset({"pending", "awaiting_response", "unknown", ""})
GOODWILL, EXCHANGE = "goodwill", "exchange"


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a refund's worth; positive is given to the customer.

    ``kind``: item, shipping, duty; adjustment, restocking, return_shipping, goodwill and exchange
    (difference by the exchange rate), which stand for no line of the order. ``tax`` is Shopify's,
    over all taxes. ``gid`` is that of the refund's line, fee or adjustment.
    """

    kind: str
    gid: str
    untaxed: Money
    tax: Money
    shop_untaxed: Money
    shop_tax: Money
    customer_total: Money
    line_gid: str = ""
    quantity: int = 0
    reason: str = ""
    restock_type: str = ""
    restocked: bool = False
    location_gid: str = ""

    @property
    def total(self) -> Money:
        return self.untaxed + self.tax


@dataclass(frozen=True, slots=True)
class Value:
    """The worth of one refund.

    ``money_state``: none (no transactions), pending, failed, done. ``money``, ``shop_money``: what
    was given back so far. ``gap``: by how much the parts exceed the money for no known reason;
    zero when all is well. ``exchanged``: by how much they exceed it because the customer got other
    items instead. ``pays_out``: the money belongs to units that earlier refunds took off without
    paying, so that nothing more is to be credited. ``problem``: why nothing can be said.
    """

    money_state: str
    money: Money
    shop_money: Money
    parts: tuple[Part, ...] = ()
    gap: Money | None = None
    exchanged: Money | None = None
    pays_out: bool = False
    problem: str = ""

    @property
    def total(self) -> Money:
        return Money.sum((part.total for part in self.parts), self.money.currency)

    @property
    def credited(self) -> Money:
        """What is taken off the order's lines, before what is kept of it."""
        positive = (part.total for part in self.parts if part.total.amount > 0)
        return Money.sum(positive, self.money.currency)


def value_refunds(order: Order) -> dict[str, Value]:
    """The worth of every refund of an order by its gid, oldest first."""
    transactions = {transaction.gid: transaction for transaction in order.transactions}
    values: dict[str, Value] = {}
    owed, returned = _Owed(order), _Returned(order)
    for refund in order.refunds:
        own = [transactions[gid] for gid in refund.transaction_gids if gid in transactions]
        head = _money(order, own)
        problem = refund.problem or _problem(refund, own)
        if problem:
            values[refund.gid] = replace(head, problem=problem)
            continue
        values[refund.gid] = owed.settle(_value(order, refund, head, returned))
    return values


def _problem(refund: Refund, transactions: Sequence[Transaction]) -> str:
    """Why the money of a refund cannot be told from its transactions; empty where it can."""
    if len(transactions) < len(refund.transaction_gids):
        return "a transaction of the refund is not among the order's"
    if refund.total and not any(item.kind == "refund" for item in transactions):
        return f"{refund.total} were returned by no transaction"
    return ""


def _money(order: Order, transactions: Iterable[Transaction]) -> Value:
    policy = "shop" if order.currency == order.shop_currency else "presentment"
    refunds = [item for item in transactions if item.kind == "refund"]
    done = [item for item in refunds if item.status == "success"]
    if any(item.status in PENDING for item in refunds):
        state = "pending"
    else:
        state = "done" if done else "failed" if refunds else "none"
    return Value(
        state,
        Money.sum((item.amount.pick(policy) for item in done), order.currency),
        Money.sum((item.amount.shop for item in done), order.shop_currency),
    )


def _value(order: Order, refund: Refund, head: Value, returned: _Returned) -> Value:
    """The parts of one refund."""
    adjustments = [_adjustment(item) for item in refund.adjustments]
    readings = list(_readings(order, refund))
    if head.money_state in ("pending", "failed"):
        return replace(head, parts=readings[0])
    exchanged = returned.exchanged(refund)
    if head.money_state == "none":
        plain = (*readings[0], *adjustments)
        if not exchanged and not _worth(order, plain):
            # Units without money: an adjustment over their whole worth says that none is owed.
            return replace(head, parts=plain)
        # Of an exchange it may stand for what the customer got instead: that is sold apart.
        kept = () if exchanged else adjustments
        parts = (*readings[0], *returned.charged(refund), *kept)
        returned.settle(refund, _worth(order, parts), parts)
        return replace(head, parts=parts)
    fees = returned.fees(refund)
    money = _customer_money(order, refund)
    for parts in readings:
        named = _explain(_customer_total(parts, money) - money, fees, adjustments)
        if named is not None and not (exchanged and named):
            returned.settle(refund, Money.zero(order.currency), named)
            return _with_exchange(order, replace(head, parts=(*parts, *named)))
    if exchanged:
        for parts in readings:
            found = _net_of_exchange(order, head, parts, exchanged, (fees, adjustments))
            if found:
                returned.settle(refund, found.exchanged, found.parts)
                return found
    if not any(part.total for part in readings[0]):
        return replace(head, parts=(*readings[0], _goodwill(order, refund, head, money)))
    parts = readings[0]
    return replace(head, parts=parts, gap=_worth(order, parts) - head.money)


def _worth(order: Order, parts: Iterable[Part]) -> Money:
    return Money.sum((part.total for part in parts), order.currency)


def _net_of_exchange(
    order: Order,
    head: Value,
    parts: tuple[Part, ...],
    exchanged: Money,
    reasons: tuple[Sequence[Part], Sequence[Part]],
) -> Value | None:
    """A refund that gives back what returned items are worth more than those given instead.

    The whole of what was given is set off, with or without fees; else the fees alone say why
    less is given back; else a part of it is set off.
    """
    gap = _worth(order, parts) - head.money
    fees, adjustments = reasons
    zero = Money.zero(order.currency)
    for settled, groups in ((exchanged, (fees, adjustments)), (zero, (fees, ()))):
        for chosen in _combinations(*groups):
            if _worth(order, chosen) == settled - gap:
                return replace(head, parts=(*parts, *chosen), exchanged=settled)
    if zero.amount < gap.amount <= exchanged.amount:
        return replace(head, parts=parts, exchanged=gap)
    return None


class _Returned:
    """What the returns of an order charge and give instead; each refund uses up its part of it."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.spent: set[str] = set()
        lines = {line.gid: line for line in order.lines}
        self.given = {
            item.gid: Money.sum(
                (
                    lines[gid].total_included
                    for exchange in item.exchanges
                    for gid in exchange.line_gids
                    if gid in lines
                ),
                order.currency,
            )
            for item in order.returns
        }

    def exchanged(self, refund: Refund) -> Money | None:
        """What the items are worth that were given instead and are not set off yet."""
        given = self.given.get(refund.return_gid)
        return given if given and given.amount > 0 else None

    def fees(self, refund: Refund) -> list[Part]:
        if not refund.return_gid:
            return []
        return _fees(self.order, refund.return_gid, self.spent)

    def charged(self, refund: Refund) -> list[Part]:
        """The fees of a return that was processed without money: the customer owes them, unless
        Shopify's total says that he does not.
        """
        fees, order = self.fees(refund), self.order
        stated = [next(iter(_readings(order, one))) for one in order.refunds]
        left = order.totals.total - _worth(order, chain.from_iterable(stated))
        return [] if order.totals.current_total == left else fees

    def settle(self, refund: Refund, exchanged: Money, parts: Iterable[Part]) -> None:
        """Note what a refund used up."""
        self.spent.update(part.gid for part in parts)
        if refund.return_gid in self.given:
            self.given[refund.return_gid] -= exchanged


def _customer_money(order: Order, refund: Refund) -> Money:
    gids = set(refund.transaction_gids)
    done = [
        item.amount.presentment
        for item in order.transactions
        if item.gid in gids and item.kind == "refund" and item.status == "success"
    ]
    return Money.sum(done, done[0].currency)


def _customer_total(parts: Iterable[Part], money: Money) -> Money:
    return Money.sum((part.customer_total for part in parts), money.currency)


def _readings(order: Order, refund: Refund) -> Iterable[tuple[Part, ...]]:
    """The refund's own lines; where prices include tax, in the ways that Shopify may mean them."""
    ways = [(True, True), (True, False), (False, False)] if order.taxes_included else [(False,) * 2]
    for items_included, shipping_included in ways:
        yield (
            *(
                _part(
                    "item",
                    line,
                    "subtotal",
                    items_included,
                    quantity=line.quantity,
                    restock_type=line.restock_type,
                    restocked=line.restocked,
                    location_gid=line.location_gid,
                )
                for line in refund.lines
            ),
            *(_part("shipping", item, "amount", shipping_included) for item in refund.shipping),
            *(_duty(refund, position) for position in range(len(refund.duties))),
        )


def _part(kind: str, source, amount: str, included: bool, **fields) -> Part:
    """A part of something that states an amount and its tax in three currencies."""
    stated, tax = getattr(source, amount), source.tax
    shop, shop_tax = getattr(source, f"shop_{amount}"), source.shop_tax
    customer = getattr(source, f"customer_{amount}")
    return Part(
        kind=kind,
        gid=source.gid,
        line_gid=source.line_gid,
        untaxed=stated - tax if included else stated,
        tax=tax,
        shop_untaxed=shop - shop_tax if included else shop,
        shop_tax=shop_tax,
        customer_total=customer if included else customer + source.customer_tax,
        **fields,
    )


def _duty(refund: Refund, position: int) -> Part:
    duty = refund.duties[position]
    return Part(
        kind="duty",
        gid=f"{refund.gid}/duty/{position}",
        line_gid=duty.line_gid,
        untaxed=duty.amount,
        tax=Money.zero(duty.amount.currency),
        shop_untaxed=duty.shop_amount,
        shop_tax=Money.zero(duty.shop_amount.currency),
        customer_total=duty.customer_amount,
    )


def _adjustment(item) -> Part:
    return Part(
        kind="adjustment",
        gid=item.gid,
        reason=item.reason,
        untaxed=-item.amount,
        tax=-item.tax,
        shop_untaxed=-item.shop_amount,
        shop_tax=-item.shop_tax,
        customer_total=-(item.customer_amount + item.customer_tax),
    )


def _fees(order: Order, return_gid: str, spent: set[str]) -> list[Part]:
    return [
        Part(
            kind=fee.kind,
            gid=fee.gid,
            untaxed=-fee.amount,
            tax=Money.zero(fee.amount.currency),
            shop_untaxed=-fee.shop_amount,
            shop_tax=Money.zero(fee.shop_amount.currency),
            customer_total=-fee.customer_amount,
        )
        for item in order.returns
        if item.gid == return_gid
        for fee in item.fees
        if fee.gid not in spent
    ]


def _explain(
    gap: Money, fees: Sequence[Part], adjustments: Sequence[Part]
) -> tuple[Part, ...] | None:
    """The fees and adjustments that make up a gap exactly; None when there are none."""
    for parts in _combinations(fees, adjustments):
        if _customer_total(parts, gap) == -gap:
            return parts
    return None


def _combinations(fees: Sequence[Part], adjustments: Sequence[Part]) -> Iterable[tuple[Part, ...]]:
    """Fees and adjustments that may apply together, few of them first."""
    restocking = [part for part in fees if part.kind == "restocking"]
    shipping = [part for part in fees if part.kind == "return_shipping"]
    groups = [group for group in (restocking, shipping, list(adjustments)) if group]
    for count in range(len(groups) + 1):
        for chosen in combinations(groups, count):
            yield tuple(part for group in chosen for part in group)


def _with_exchange(order: Order, value: Value) -> Value:
    """Add what the customer's currency does not show: the store's rate of another day."""
    rest = value.money - value.total
    if not rest:
        return value
    zero = Money.zero(order.shop_currency)
    part = Part(
        kind=EXCHANGE,
        gid=EXCHANGE,
        untaxed=rest,
        tax=Money.zero(order.currency),
        shop_untaxed=rest if order.currency == order.shop_currency else zero,
        shop_tax=zero,
        customer_total=Money.zero(order.presentment_currency),
    )
    return replace(value, parts=(*value.parts, part))


def _goodwill(order: Order, refund: Refund, head: Value, money: Money) -> Part:
    return Part(
        kind=GOODWILL,
        gid=f"{refund.gid}/{GOODWILL}",
        untaxed=head.money,
        tax=Money.zero(order.currency),
        shop_untaxed=head.shop_money,
        shop_tax=Money.zero(order.shop_currency),
        customer_total=money,
    )


class _Owed:
    """What refunds without money took off of an order that was paid: a later refund of nothing
    but money pays it out.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        policy = "shop" if order.currency == order.shop_currency else "presentment"
        self.paid = Money.sum(
            (
                item.amount.pick(policy)
                for item in order.transactions
                if item.status == "success" and item.kind in ("sale", "capture")
            ),
            order.currency,
        )
        self.unpaid_out = self.taken_off = Money.zero(order.currency)

    def settle(self, value: Value) -> Value:
        if value.money_state == "none":
            self.taken_off += value.total
            owed = self.paid - (self.order.totals.total - self.taken_off)
            self.unpaid_out = min(value.total + self.unpaid_out, owed, key=_amount)
        elif self._pays_out(value):
            self.unpaid_out -= value.money
            return replace(value, parts=(), gap=None, pays_out=True)
        return value

    def _pays_out(self, value: Value) -> bool:
        if value.money_state != "done" or any(part.line_gid for part in value.parts):
            return False
        return bool(value.money) and self.unpaid_out.amount >= value.money.amount


def _amount(money: Money):
    return money.amount


def split_tax(
    tax: Money, weights: dict[int, Money], left_out: Money, digits: int | None = None
) -> dict[int, Money]:
    """Split Shopify's total tax of a refund's line over the taxes of its invoice line.

    :param weights: amount of each tax that is invoiced and not credited yet, by id
    :param left_out: the tax that Shopify charged and that is not booked; its share is in no
        result
    :raises ValueError: there is tax, and nothing to put it on
    """
    if not tax:
        return {tax_id: Money.zero(tax.currency) for tax_id in weights}
    amounts = [weight.amount for weight in weights.values()]
    if not any(amounts) and not left_out:
        raise ValueError("no tax to put it on")
    shares = allocate(tax, [*amounts, left_out.amount], digits)
    return dict(zip(weights, shares[:-1], strict=True))
