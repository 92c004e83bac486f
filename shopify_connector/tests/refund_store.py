"""Shopify's side of one order: what its steps make of lines, money and payload.

Real refunds keep what was ordered (``quantity``, ``totalPriceSet``) and lower what is left of it
(``currentQuantity``, ``currentTotalPriceSet``).
"""

from __future__ import annotations

import copy
from collections import Counter
from datetime import datetime, timedelta

from .order_drawn import Pen, minor, plus, round_half_up, transaction
from .refund_steps import NOTHING, UNPAID, Entry, Given, Line, page, share, some

FIRST = datetime(2026, 10, 6, 10)
# Less in minor units is nothing at all in some other currency.
LEAST = 20


class Store:
    """Carries steps out on an order.

    :ivar node: the order as the Admin API shows it now
    :ivar lines: its goods and services, ``shipping`` its shipping lines, tips left out
    """

    def __init__(self, node):
        self.node = copy.deepcopy(node)
        self.pen = Pen(node["number"], node["presentmentCurrencyCode"], node["currencyCode"], 1000)
        self.included = node["taxesIncluded"]
        items = [item for item in self.node["lineItems"]["nodes"] if item["title"] != "Tip"]
        self.lines = [self._line(item, item["quantity"]) for item in items]
        self.shipping = [self._line(item, 1) for item in self.node["shippingLines"]["nodes"]]
        self.shipping_back = [NOTHING for _line in self.shipping]
        self.total = minor(node["totalPriceSet"])
        # a tip or a fee: never refunded here
        self.has_extras = len(items) < len(self.node["lineItems"]["nodes"]) or bool(
            node["additionalFees"] or minor(node["totalTipReceivedSet"])[0]
        )
        self.refunds: list[Given] = []
        self.edited = False
        self.changes = 0
        self.numbers = Counter()
        self.node |= {"refunds": [], "fulfillments": []}
        self._write()

    def _line(self, item, quantity):
        price = minor(item.get("originalUnitPriceSet") or item["originalPriceSet"])
        net = tuple(amount * quantity for amount in price)
        for allocation in item["discountAllocations"]:
            net = plus(net, minor(allocation["allocatedAmountSet"]), -1)
        tax = NOTHING
        for taxed in item["taxLines"]:
            tax = plus(tax, minor(taxed["priceSet"]))
        return Line(item, quantity, net, tax)

    def _gid(self, kind):
        self.numbers[kind] += 1
        return self.pen.gid(kind, 500 + self.numbers[kind])

    def apply(self, step):
        """Carry a step out.

        :return: for ``Ship`` the units by line, for ``Refund`` the Given; None: nothing to do
        """
        done = getattr(self, f"_{type(step).__name__.lower()}")(step)
        self.changes += 1
        self._write()
        return done

    # === STEPS === #

    def _pay(self, step):
        left = plus(self.current, plus(self.received, self.returned, -1), -1)
        if left[0] > 0 and left[1] > 0:
            self._add_transaction("SALE", "SUCCESS", left)

    def _catchup(self, step):
        """Shopify knows already."""

    _receive = _catchup

    def _ship(self, step):
        sent = {}
        for index, line in enumerate(self.lines):
            share = step.share if step.share == 1000 else (step.share + 389 * index) % 1000
            units = line.open * share // 1000
            line.fulfilled += units
            if units:
                sent[index] = units
        if sent:
            lines = [
                {
                    "id": self._gid("FulfillmentLineItem"),
                    "lineItem": {"id": self.lines[index].node["id"]},
                    "quantity": units,
                }
                for index, units in sent.items()
            ]
            self.node["fulfillments"].append(
                {
                    "id": self._gid("Fulfillment"),
                    "name": f"{self.node['name']}-F{len(self.node['fulfillments']) + 1}",
                    "status": "SUCCESS",
                    "createdAt": self._now(),
                    "fulfillmentLineItems": page(lines),
                }
            )
        return sent

    def _settle(self, step):
        for refund in self.refunds:
            if refund.state != "pending":
                continue
            for item in refund.transactions:
                item["status"] = step.status
            refund.state = "done" if step.status == "SUCCESS" else "failed"
            refund.node["updatedAt"] = self._now()
            if refund.state == "done":
                self._adjust(refund)

    def _refund(self, step):
        entries = []
        for wish in step.units:
            entries += self._entries(*wish, {(entry.line, entry.restock) for entry in entries})
        shipping = self._shipping_back(step.shipping)
        worth = NOTHING
        for parts in (*((entry.net, entry.tax) for entry in entries), *(s[1:3] for s in shipping)):
            for pair in parts[: 1 if self.included else 2]:
                worth = plus(worth, pair)
        refund = Given(self._gid("Refund"), {}, entries, shipping, worth)
        money = self._money(refund, step)
        if not (entries or shipping or money):
            return None
        if not money:
            self._take_back(refund)
        refund.node = self._refund_node(refund)
        self.refunds.append(refund)
        self.node["refunds"].append(refund.node)
        if money:
            self._give_back(refund, money, step)
        elif refund.money == "none" and not any(entry.restock == "RETURN" for entry in entries):
            self.edited = True
        self._adjust(refund, step.adjusted)
        return refund

    # === WHAT IS GIVEN BACK === #

    def _entries(self, position, per_mille, restock, known):
        """Units of a line, as far as there are any of that kind.

        :param known: ``{(position, restock type)}`` of the refund so far: each comes once
        """
        if position >= len(self.lines):
            return
        line = self.lines[position]
        restock = self._restock(line, restock)
        unsent = restock in ("CANCEL", "GIVE_UP") or not line.kept
        restock = "NO_RESTOCK" if restock == "GIVE_UP" else restock
        units = some(line.open if unsent else line.kept, per_mille)
        if not units or (position, restock) in known:
            return
        parts = [share(pair, line.gone, units, line.quantity) for pair in (line.net, line.tax)]
        if unsent:
            line.cancelled += units
        elif restock == "RETURN":
            line.returned += units
        else:
            line.given_up += units
        yield Entry(position, units, restock, unsent, *parts)

    def _restock(self, line, restock):
        if restock in ("CANCEL", "GIVE_UP") and not line.open:
            return "RETURN"
        if restock == "RETURN" and not line.kept:
            return "CANCEL"
        return restock

    def _shipping_back(self, per_mille):
        found = []
        for index, line in enumerate(self.shipping):
            before = self.shipping_back[index]
            left = plus(line.net, before, -1)
            seen = some(left[0], per_mille)
            if not seen or not all(left):
                continue
            after = before[0] + seen
            marks = tuple(amount * after // line.net[0] for amount in line.net)
            net = plus(marks, before, -1)
            tax = tuple(
                round_half_up(line.tax[side] * marks[side], line.net[side])
                - round_half_up(line.tax[side] * before[side], line.net[side])
                for side in (0, 1)
            )
            self.shipping_back[index] = marks
            found.append((index, net, tax, seen == line.net[0]))
        return found

    def _money(self, refund, step):
        """What goes back (seen, store's), and why that is not what the lines are worth; None:
        nothing.
        """
        kind = step.money
        if self.node["displayFinancialStatus"] in UNPAID:
            kind = "none"
        elif not all(amount > 0 for amount in self.net):
            kind = "waived"
        elif not any(refund.worth) and not refund.entries:
            return self._amount_alone(refund, step)
        elif not all(refund.worth):
            kind = "none"
        if kind == "none" and self._is_unexplained():
            # Nobody could say what a later amount pays for.
            kind = "exact" if all(refund.worth) else kind
        refund.money = kind
        if kind == "waived":
            refund.kept = refund.worth
        return None if kind in ("none", "waived") else self._money_for(refund, step)

    def _is_unexplained(self):
        return any(refund.money == "unexplained" for refund in self.refunds)

    def _amount_alone(self, refund, step):
        """Goodwill, or what the customer is owed for units that were taken off without money."""
        limit = self.net
        owed = plus(limit, self.current, -1)
        if all(amount > 0 for amount in owed) and not self._is_unexplained():
            refund.pays_out, limit = True, owed
        money = self._part(limit, step.extra)
        refund.kept = tuple(-amount for amount in money or NOTHING)
        return money

    def _money_for(self, refund, step):
        """What goes back for lines and shipping."""
        worth, net = refund.worth, self.net
        money, difference = worth, self._part(worth, step.extra) or NOTHING
        if refund.money in ("kept", "unexplained"):
            money = plus(worth, difference, -1)
        elif refund.money == "more" and max(plus(net, self.current, -1)) <= 0:
            money = plus(worth, difference)
        if min(money) < LEAST or money == worth:
            refund.money, money = "exact", worth
        if money[0] > net[0] or money[1] > net[1]:
            refund.money, money = "kept", tuple(map(min, zip(money, net, strict=True)))
        if refund.money != "unexplained":
            refund.kept = plus(worth, money, -1)
        return money

    def _take_back(self, refund):
        """Without money, units that are not put back into stock are those of an edit, which were
        not sent: those that were are taken back.
        """
        for entry in refund.entries:
            if entry.restock == "NO_RESTOCK" and not entry.unsent:
                entry.restock = "RETURN"
                self.lines[entry.line].given_up -= entry.units
                self.lines[entry.line].returned += entry.units

    def _part(self, pair, per_mille):
        """A part of a pair that is something in both currencies, or None."""
        seen = max(1, pair[0] * per_mille // 1000) if pair[0] else 0
        part = (seen, pair[1] * seen // pair[0] if pair[0] else 0)
        return part if all(part) else None

    def _give_back(self, refund, money, step):
        """Transactions, from one payment after the other."""
        refund.state = {"SUCCESS": "done", "PENDING": "pending", "FAILURE": "failed"}[step.status]
        given = []
        for parent, left in self._payments(step.tender):
            rest = left
            for cut in (step.cut, 1000):
                due = money[0] - sum(given)
                seen = min(rest, max(1, due * cut // 1000), due)
                if seen > 0:
                    given.append(seen)
                    rest -= seen
                    refund.transactions.append(parent)
        shop = money[1]
        explained = any(refund.worth) or step.adjusted
        foreign = self.pen.seen != self.pen.shop
        if step.rate != 1000 and foreign and explained and not refund.pays_out:
            shop = max(1, shop * step.rate // 1000)
            refund.exchange = shop - money[1]
        ends, before, nodes = 0, 0, []
        for seen, parent in zip(given, refund.transactions, strict=True):
            ends += seen
            after = shop * ends // money[0]
            self._add_transaction("REFUND", step.status, (seen, after - before), parent)
            nodes.append(self.node["transactions"][-1])
            before = after
        refund.transactions = nodes

    def _payments(self, first):
        """``[(payment, what is left of it as the customer sees it)]``"""
        items = self.node["transactions"]
        found = [
            item
            for item in items
            if item["kind"] in ("SALE", "CAPTURE") and item["status"] == "SUCCESS"
        ]
        change = sum(minor(item["amountSet"])[0] for item in items if item["kind"] == "CHANGE")
        first %= len(found)
        for item in (*found[first:], *found[:first]):
            back = sum(
                minor(other["amountSet"])[0]
                for other in items
                if other.get("parentTransaction") == {"id": item["id"]}
                and other["status"] != "FAILURE"
            )
            yield item, minor(item["amountSet"])[0] - back - change

    def _add_transaction(self, kind, status, pair, parent=None):
        """:param parent: the payment that money goes back to"""
        gid, gateway = self._gid("OrderTransaction"), "shopify_payments"
        item = transaction(
            gid, kind, status, self.pen.bag(pair), parent["gateway"] if parent else gateway
        )
        item["processedAt"] = self._now()
        if parent:
            item["parentTransaction"] = {"id": parent["id"]}
        self.node["transactions"].append(item)

    # === PAYLOAD === #

    def _now(self):
        return f"{FIRST + timedelta(hours=self.changes):%Y-%m-%dT%H:%M:%SZ}"

    def _refund_node(self, refund):
        bag, now = self.pen.bag, self._now()
        return {
            "id": refund.gid,
            "createdAt": now,
            "processedAt": now,
            "updatedAt": now,
            "note": None,
            "refundLineItems": page(
                {
                    "id": self._gid("RefundLineItem"),
                    "quantity": entry.units,
                    "restockType": entry.restock,
                    "restocked": entry.restock != "NO_RESTOCK",
                    "lineItem": {"id": self.lines[entry.line].node["id"]},
                    "location": None,
                    "subtotalSet": bag(entry.net),
                    "totalTaxSet": bag(entry.tax),
                }
                for entry in refund.entries
            ),
            "refundShippingLines": page(
                {
                    "id": self._gid("RefundShippingLine"),
                    "shippingLine": {"id": self.shipping[index].node["id"]},
                    "subtotalAmountSet": bag(net),
                    "taxAmountSet": bag(tax),
                }
                for index, net, tax, _whole in refund.shipping
            ),
            "duties": [],
        }

    def _adjust(self, refund, adjusted=True):
        """The adjustments of a refund, and its money."""
        found = []
        if any(refund.kept) and (adjusted or any(refund.worth)):
            found.append((refund.kept, "REFUND_DISCREPANCY"))
        if refund.state in ("pending", "failed"):
            pending = plus(refund.worth, refund.kept, -1)
            found.append((pending, "PENDING_REFUND_DISCREPANCY"))
        refund.node["orderAdjustments"] = page(
            {
                "id": self._gid("OrderAdjustment"),
                "reason": reason,
                "amountSet": self.pen.bag(pair),
                "taxAmountSet": self.pen.bag(NOTHING),
            }
            for pair, reason in found
        )
        refund.node["transactions"] = page({"id": item["id"]} for item in refund.transactions)
        refund.node["totalRefundedSet"] = self.pen.bag(refund.paid)

    # === FIGURES === #

    @property
    def current(self):
        """What the order is worth now."""
        current = self.total
        for refund in self.refunds:
            current = plus(current, refund.lowers, -1)
        return current

    @property
    def received(self):
        signs = {"SALE": 1, "CAPTURE": 1, "CHANGE": -1}
        received = NOTHING
        for item in self.node["transactions"]:
            if item["status"] == "SUCCESS" and item["kind"] in signs:
                received = plus(received, minor(item["amountSet"]), signs[item["kind"]])
        return received

    @property
    def returned(self):
        """Money that went back, in the store's currency at the rate of the order."""
        returned = NOTHING
        for refund in self.refunds:
            if refund.state == "done":
                returned = plus(returned, refund.paid)
                returned = plus(returned, (0, refund.exchange), -1)
        return returned

    @property
    def net(self):
        """Money that is here and not on its way back."""
        net = plus(self.received, self.returned, -1)
        for refund in self.refunds:
            if refund.state == "pending":
                on_its_way = [minor(item["amountSet"]) for item in refund.transactions]
                for pair in on_its_way:
                    net = plus(net, pair, -1)
                net = plus(net, (0, refund.exchange))
        return net

    @property
    def to_send(self):
        return sum(line.open for line in self.lines)

    def _financial_status(self):
        received, returned = self.received, self.returned
        if returned[0]:
            return "REFUNDED" if returned[0] >= received[0] else "PARTIALLY_REFUNDED"
        if received[0] >= self.current[0]:
            return "PAID"
        return "PARTIALLY_PAID" if received[0] else "PENDING"

    def _fulfillment_status(self):
        if not any(line.fulfilled for line in self.lines):
            return "UNFULFILLED"
        return "PARTIALLY_FULFILLED" if self.to_send else "FULFILLED"

    def _write(self):
        for line in self.lines:
            line.node["currentQuantity"] = line.quantity - line.gone
            line.node["unfulfilledQuantity"] = line.open
        bag = self.pen.bag
        back = tuple(sum(refund.paid[side] for refund in self.refunds) for side in (0, 1))
        self.node.update(
            updatedAt=self._now(),
            edited=self.edited,
            currentTotalPriceSet=bag(self.current),
            totalReceivedSet=bag(self.received),
            totalRefundedSet=bag(back),
            totalOutstandingSet=bag(plus(self.current, plus(self.received, self.returned, -1), -1)),
            displayFinancialStatus=self._financial_status(),
            displayFulfillmentStatus=self._fulfillment_status(),
        )
