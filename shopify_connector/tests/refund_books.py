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
    :ivar dropped: never to be sent; ``taken``: of these, not ordered any more
    """

    ordered: int
    sent: int = 0
    back: int = 0
    expected: int = 0
    kept: int = 0
    dropped: int = 0
    taken: int = 0

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
        self.taken = Counter()
        self.invoiced, self.credited = Counter(), Counter()
        self.shipped = [False for _line in store.shipping]
        self.is_invoiced = False
        self.bookings = defaultdict(Booking)
        self.seen = 0

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
        lines, status = self.store.lines, self.store.node["displayFulfillmentStatus"]
        for refund in self.store.refunds[self.seen :]:
            for entry in refund.entries:
                if entry.line in self.goods:
                    self._move(self.goods[entry.line], entry)
                edit = not refund.transactions and entry.restock != "RETURN"
                if entry.unsent and (entry.restock == "CANCEL" or edit):
                    self.taken[entry.line] += entry.units
        self.seen = len(self.store.refunds)
        if status == "UNFULFILLED":
            for index, line in enumerate(lines):
                self.taken[index] = max(self.taken[index], line.gone)
        if self.validated:
            self.receive()

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
            ordered = [i for i, goods in self.goods.items() if goods.ordered > self.taken[i]]
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
        if any(not self.shipped[item[0]] and not item[3] for item in refund.shipping):
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
        for other in self.store.refunds:
            booking = self.bookings[other.gid]
            decided = booking.state in (BOOKED, NOT_BOOKED)
            earlier = self.store.refunds.index(other) < self.store.refunds.index(refund)
            if other is not refund and (decided or earlier):
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

        Units that were refunded without being booked, and never invoiced, are on no document.
        """
        left, slack = self.store.total, 0
        for refund in self.store.refunds:
            booking = self.bookings[refund.gid]
            if booking.state == BOOKED and not refund.pays_out:
                done = refund.state == "done"
                left = plus(left, refund.paid if done else plus(refund.worth, refund.kept, -1), -1)
        for index in range(len(self.store.lines)):
            never, entries = self.never(index), self._unbooked(index)
            units = sum(entry.units for entry in entries)
            if never and units:
                for entry in entries:
                    whole = entry.net if self.store.included else plus(entry.net, entry.tax)
                    left = plus(left, tuple(amount * never // units for amount in whole), -1)
                slack += 0 if never == units else 3 * len(entries)
        for refund in self.store.refunds:
            if self.bookings[refund.gid].state != BOOKED:
                for index, net, tax, _whole in refund.shipping:
                    if not self.shipped[index]:
                        left = plus(left, net if self.store.included else plus(net, tax), -1)
        return left, slack

    def never(self, index):
        """Units that were refunded without being booked and are on no invoice."""
        booked = sum(
            entry.units
            for refund in self.store.refunds
            if self.bookings[refund.gid].state == BOOKED
            for entry in refund.entries
            if entry.line == index
        )
        left = self.store.lines[index].quantity - booked
        return left - self.net(index) - max(self.to_come(index), 0)

    def _unbooked(self, index):
        return [
            entry
            for refund in self.store.refunds
            if self.bookings[refund.gid].state != BOOKED
            for entry in refund.entries
            if entry.line == index
        ]
