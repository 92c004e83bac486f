"""What happens to an order, as somebody wishes it, and what became of that.

All amounts are pairs of whole minor units: (seen by the customer, in the store's currency).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .order_drawn import minor, plus, round_half_up

NOTHING = (0, 0)
UNPAID = ("PENDING", "PARTIALLY_PAID")


@dataclass(frozen=True)
class Pay:
    """The customer pays what is open."""


@dataclass(frozen=True)
class Ship:
    """Shares per mille of what is open are sent; ``late``: Odoo's deliveries follow later."""

    share: int
    late: bool = False


@dataclass(frozen=True)
class CatchUp:
    """Odoo delivers what Shopify says was sent."""


@dataclass(frozen=True)
class Receive:
    """The warehouse takes in what was expected."""


@dataclass(frozen=True)
class Settle:
    """The payment provider says what became of pending money."""

    status: str


@dataclass(frozen=True)
class Refund:
    """What somebody wants to give back; the store gives what there is.

    :ivar units: ``[(position of the line, share per mille, restock type)]``; ``GIVE_UP``: units
        that were not sent, without restocking them
    :ivar shipping: share per mille of what is left of it
    :ivar money: ``exact``; ``kept``: less than the lines; ``more``; ``none``; ``waived``: none, on
        purpose; ``unexplained``: less, and nobody says why
    :ivar extra: share per mille by which it differs
    :ivar tender: the payment that it goes back to first; ``cut``: share per mille of the first
        transaction
    :ivar rate: of the day, per mille of the order's
    """

    units: tuple = ()
    shipping: int = 0
    money: str = "exact"
    extra: int = 300
    tender: int = 0
    cut: int = 1000
    status: str = "SUCCESS"
    adjusted: bool = True
    rate: int = 1000


@dataclass
class Line:
    """What became of the units of a line."""

    node: dict
    quantity: int
    net: tuple
    tax: tuple
    fulfilled: int = 0
    cancelled: int = 0
    returned: int = 0
    given_up: int = 0

    @property
    def gone(self):
        return self.cancelled + self.returned + self.given_up

    @property
    def open(self):
        """Still to be sent."""
        return self.quantity - self.fulfilled - self.cancelled

    @property
    def kept(self):
        """With the customer."""
        return self.fulfilled - self.returned - self.given_up


@dataclass
class Entry:
    """Units of a refund; ``unsent``: they never left."""

    line: int
    units: int
    restock: str
    unsent: bool
    net: tuple
    tax: tuple


@dataclass
class Given:
    """A refund that was made.

    :ivar shipping: ``[(position, net, tax, whether it is all of it at once)]``
    :ivar kept: what its money is less than its worth; negative: more
    :ivar exchange: difference of the store's money by the rate of the day
    :ivar transactions: nodes of the order
    :ivar state: done, pending, failed, none
    :ivar to_fulfill: whether nothing was sent when it was made
    """

    gid: str
    node: dict
    entries: list
    shipping: list
    worth: tuple
    kept: tuple = NOTHING
    exchange: int = 0
    money: str = "exact"
    transactions: list = field(default_factory=list)
    state: str = "none"
    pays_out: bool = False

    @property
    def paid(self):
        """Money that went back."""
        done = [minor(item["amountSet"]) for item in self.transactions if _is_done(item)]
        return tuple(sum(pair[side] for pair in done) for side in (0, 1))

    @property
    def lowers(self):
        """By how much the order is worth less."""
        if self.state in ("pending", "failed") or self.money == "waived" or self.pays_out:
            return NOTHING
        return plus(self.worth, self.kept, -1)


def _is_done(item):
    return item["status"] == "SUCCESS" and item["kind"] == "REFUND"


def page(nodes=()):
    return {"nodes": list(nodes), "pageInfo": {"hasNextPage": False}}


def share(whole, before, units, of):
    """The part of a pair that some units carry; the parts of all units are the whole."""
    return tuple(
        round_half_up(amount * (before + units), of) - round_half_up(amount * before, of)
        for amount in whole
    )


def some(available, per_mille):
    """At least one, unless nothing is asked for."""
    return min(available, -(-available * per_mille // 1000))
