"""What goods and books must be after each step of a history: plain counting.

The rules are those of docs/refunds.rst: units are credited when they are on an invoice, first those
that had been sent; what was refunded is never invoiced again; goods move once. No code of the
connector is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from .order_drawn import minor, plus
from .refund_steps import NOTHING

NOT_BOOKED, BOOKED, WAITS, EXCEPTION = "not_booked", "booked", "waits", "exception"


@dataclass
class Goods:
    """Units of a line in Odoo's warehouse.

    :ivar sent: delivered, whatever came back; ``back``: received, ``expected``: on open receipts
    :ivar kept: refunded while the customer keeps them
    :ivar dropped: never to be sent
    """

    ordered: int
    sent: int = 0
    back: int = 0
    expected: int = 0
    kept: int = 0
    dropped: int = 0

    @property
    def open(self):
        return self.ordered - self.dropped - self.sent

    @property
    def here(self):
        """With the customer, and not given up."""
        return self.sent - self.back - self.expected - self.kept


@dataclass
class Booking:
    """What became of a refund in the books.

    :ivar credited: units by position of its entries; ``shipped``: whether its shipping is credited
    :ivar credit: what its credit note is over (seen, store's), None: none
    :ivar exact: False where units of one entry are credited in part
    """

    state: str = WAITS
    credited: Counter = field(default_factory=Counter)
    shipped: bool = False
    credit: tuple | None = None
    exact: bool = True


class Ledger:
    """Odoo's side of a :class:`~.refund_store.Store`.

    :ivar taken_off: entries of refunds whose units are not ordered any more
    :ivar parted: lines of which some units were invoiced before others
    :param side: of the pairs, the one in which the order is kept
    :param when: the store's ``invoice_when``; ``validated``: receipts are validated at once
    """

    def __init__(self, store, side, when, validated):
        self.store, self.side, self.when, self.validated = store, side, when, validated
        self.goods = {
            index: Goods(line.quantity)
            for index, line in enumerate(store.lines)
            if line.node["requiresShipping"]
        }
        self.taken_off: list = []
        self.invoiced, self.credited = Counter(), Counter()
        self.shipped = [False for _line in store.shipping]
        self.is_invoiced = False
        self.parted: set[int] = set()
        self.bookings = defaultdict(Booking)
        self.heard = 0

    # === GOODS === #

    def send(self, units):
        """Odoo delivers ``{position: units}``; returns those that are goods."""
        sent = {
            index: min(number, self.goods[index].open)
            for index, number in units.items()
            if index in self.goods
        }
        for index, number in sent.items():
            self.goods[index].sent += number
        return {index: number for index, number in sent.items() if number}

    def catch_up(self):
        """Odoo delivers what only Shopify has sent; returns ``{position: units}``."""
        behind = {
            index: goods.open - self.store.lines[index].open for index, goods in self.goods.items()
        }
        return self.send({index: number for index, number in behind.items() if number > 0})

    def receive(self):
        for goods in self.goods.values():
            goods.back, goods.expected = goods.back + goods.expected, 0

    def hear(self):
        """Odoo hears of what is in Shopify."""
        unfulfilled = self.store.node["displayFulfillmentStatus"] == "UNFULFILLED"
        for refund in self.store.refunds[self.heard :]:
            for entry in refund.entries:
                if entry.line in self.goods:
                    self._move(self.goods[entry.line], entry)
                edit = not refund.transactions and entry.restock != "RETURN"
                if unfulfilled or (entry.unsent and (entry.restock == "CANCEL" or edit)):
                    self.taken_off.append(entry)
        self.heard = len(self.store.refunds)
        if self.validated:
            self.receive()

    def taken(self, index):
        """Units of a line that are not ordered any more."""
        return sum(entry.units for entry in self.taken_off if entry.line == index)

    def _move(self, goods, entry):
        units = entry.units
        if not entry.unsent:
            here = min(units, max(goods.here, 0))
            units -= here
            if entry.restock == "RETURN":
                goods.expected += here
            else:
                goods.kept += here
        goods.dropped += min(units, goods.open)

    # === BOOKS === #

    def account(self):
        """Invoices, then refunds, until nothing more is due."""
        before = None
        while before != (now := self._state()):
            before = now
            self._invoice()
            for refund in self.store.refunds:
                booking = self.bookings[refund.gid]
                if booking.state == WAITS:
                    self._book(refund, booking)

    def _state(self):
        states = [booking.state for booking in self.bookings.values()]
        return dict(self.invoiced), dict(self.credited), list(self.shipped), states

    def net(self, index):
        """Units of a line that are invoiced and not credited."""
        return self.invoiced[index] - self.credited[index]

    def to_come(self, index):
        """Units that an invoice will be made of, now or when they are sent."""
        line = self.store.lines[index]
        return line.quantity - line.gone - self.net(index)

    def _is_due(self):
        if self.when == "payment":
            return self.store.node["displayFinancialStatus"] in ("PAID", "PARTIALLY_REFUNDED")
        if self.when == "delivery":
            ordered = [i for i, goods in self.goods.items() if goods.ordered > self.taken(i)]
            delivered = [goods.sent - goods.back for goods in self.goods.values()]
            return not ordered or any(units > 0 for units in delivered)
        return True

    def _invoice(self):
        if not self._is_due():
            return
        for index, line in enumerate(self.store.lines):
            wanted = line.quantity - line.gone
            if self.when == "delivery" and index in self.goods:
                wanted = min(wanted, self.goods[index].sent - self.goods[index].back)
            more = wanted - self.net(index)
            if 0 < more < line.quantity - line.gone or (more > 0 and self.invoiced[index]):
                self.parted.add(index)
            if more > 0:
                self.invoiced[index] += more
                self.is_invoiced = True
        for index in range(len(self.shipped)):
            if not self._is_whole(index):
                self.shipped[index] = self.is_invoiced = True
        if self.store.has_extras:
            self.is_invoiced = True

    def _is_whole(self, index):
        """Whether all of a shipping line was refunded at once."""
        found = [item for refund in self.store.refunds for item in refund.shipping]
        return any(item[0] == index and item[3] for item in found)

    def _book(self, refund, booking):
        if refund.money == "unexplained" and refund.state == "done":
            booking.state = EXCEPTION
        elif refund.state == "failed" or refund.money == "waived":
            booking.state = NOT_BOOKED
        elif refund.pays_out:
            booking.state = BOOKED if refund.state == "done" else WAITS
        elif refund.state != "pending":
            self._credit(refund, booking)

    def _credit(self, refund, booking):
        credit, exact, found = NOTHING, True, Counter()
        for position, entry in enumerate(refund.entries):
            units = self._creditable(entry, found, refund)
            found[position] = units
            exact = exact and units in (0, entry.units)
            whole = entry.net if self.store.included else plus(entry.net, entry.tax)
            credit = plus(credit, tuple(amount * units // entry.units for amount in whole))
        shipping = [item for item in refund.shipping if self.shipped[item[0]]]
        something = refund.worth[self.side] or refund.paid[self.side]
        if something and any(not self.shipped[item[0]] and not item[3] for item in refund.shipping):
            return
        for _index, net, tax, _whole in shipping:
            credit = plus(credit, net if self.store.included else plus(net, tax))
        money = refund.paid if refund.state == "done" else plus(refund.worth, refund.kept, -1)
        beside = plus(money, refund.worth, -1)
        if not self.is_invoiced and (credit[self.side] or beside[self.side]):
            return
        total = credit[self.side] + beside[self.side]
        if total < 0:
            booking.state = EXCEPTION
            return
        booking.state, booking.exact = BOOKED, exact
        booking.shipped = bool(shipping)
        if total > 0:
            booking.credit, booking.credited = plus(credit, beside), found
            for position, units in found.items():
                self.credited[refund.entries[position].line] += units

    def _creditable(self, entry, found, refund):
        """Units that are on an invoice; of units that never left, those that are not go first."""
        before = sum(
            units
            for position, units in found.items()
            if refund.entries[position].line == entry.line
        )
        left = self.net(entry.line) - before
        if not entry.unsent:
            return min(entry.units, left)
        line = self.store.lines[entry.line]
        others = 0
        for other in self.store.refunds[: self.store.refunds.index(refund)]:
            booking = self.bookings[other.gid]
            decided = booking.state in (BOOKED, NOT_BOOKED)
            others += sum(
                item.units - booking.credited[position]
                for position, item in enumerate(other.entries)
                if item.line == entry.line and (decided or item.unsent)
            )
        others += sum(
            refund.entries[position].units - units
            for position, units in found.items()
            if refund.entries[position].line == entry.line
        )
        free = max(line.quantity - self.invoiced[entry.line] - others, 0)
        return min(max(entry.units - free, 0), left)

    # === WHAT IT ADDS UP TO === #

    @property
    def paid_back(self):
        """Amounts of the transactions that are booked."""
        return [
            minor(item["amountSet"])
            for refund in self.store.refunds
            if refund.state == "done" and self.bookings[refund.gid].state == BOOKED
            for item in refund.transactions
        ]

    @property
    def is_complete(self):
        """Whether all that is still the customer's is invoiced."""
        lines = range(len(self.store.lines))
        shipped = all(done or self._is_whole(index) for index, done in enumerate(self.shipped))
        return self.is_invoiced and shipped and all(self.to_come(index) <= 0 for index in lines)

    def remainder(self):
        """What invoices less credit notes must be over, once all is invoiced: ``(pair, slack)``.

        What a posted invoice says of some units of a line may be rounded otherwise than those that
        were cancelled later.
        """
        left = self.store.total
        for refund in self.store.refunds:
            if self.is_booked(refund) and not refund.pays_out:
                done = refund.state == "done"
                left = plus(left, refund.paid if done else plus(refund.worth, refund.kept, -1), -1)
        for net, tax in self._never_invoiced():
            left = plus(left, net if self.store.included else plus(net, tax), -1)
        slack = sum(1 + len(self.store.lines[index].node["taxLines"]) for index in self.rounded)
        return left, slack + sum(map(self._guessed, range(len(self.store.lines))))

    def is_booked(self, refund):
        return self.bookings[refund.gid].state == BOOKED

    def _never_invoiced(self):
        """``(net, tax)`` of what was refunded without being booked and is on no document."""
        for index in range(len(self.store.lines)):
            never, entries = self.never(index), self._unbooked(index)
            units = sum(entry.units for entry in entries)
            for entry in entries if never else ():
                yield tuple(
                    tuple(amount * never // units for amount in pair)
                    for pair in (entry.net, entry.tax)
                )
        for refund in self.store.refunds:
            for index, net, tax, _whole in refund.shipping:
                if not self.is_booked(refund) and not self.shipped[index]:
                    yield net, tax

    def _guessed(self, index):
        """Minor units by which a share of several refunds may be wrong: nobody says of which of
        them the units were invoiced.
        """
        never, entries = self.never(index), self._unbooked(index)
        exact = never in (0, sum(entry.units for entry in entries))
        return 0 if exact else 3 * len(entries)

    @property
    def is_guessed(self):
        return any(map(self._guessed, range(len(self.store.lines))))

    @property
    def rounded(self):
        """Lines of which some units were invoiced before others were given up."""
        return {
            entry.line
            for refund in self.store.refunds
            for position, entry in enumerate(refund.entries)
            if entry.line in self.parted
            and entry.units > self.bookings[refund.gid].credited[position]
        }

    def never(self, index):
        """Units that were refunded without being booked and are on no invoice."""
        booked = sum(
            entry.units
            for refund in self.store.refunds
            if self.is_booked(refund)
            for entry in refund.entries
            if entry.line == index
        )
        left = self.store.lines[index].quantity - booked
        return left - self.net(index) - max(self.to_come(index), 0)

    def _unbooked(self, index):
        return [
            entry
            for refund in self.store.refunds
            if not self.is_booked(refund)
            for entry in refund.entries
            if entry.line == index
        ]
