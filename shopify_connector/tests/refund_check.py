"""An order, its credit notes, payments and goods against what a history says they must be."""

from collections import Counter, defaultdict
from decimal import Decimal

from .order_drawn import decimal, minor, plus
from .refund_books import BOOKED, EXCEPTION, NOT_BOOKED
from .refund_steps import NOTHING

# The state that a refund has in Odoo.
STATES = {BOOKED: {"booked"}, NOT_BOOKED: {"not_booked"}, EXCEPTION: {"exception"}}


class HistoryCheck:
    """Compares; what differs becomes a sentence in :attr:`wrong`.

    :param side: of the pairs, the one in which the order is kept
    """

    def __init__(self, binding, ledger, side):
        self.binding, self.ledger, self.side = binding, ledger, side
        self.store, self.sale, self.env = ledger.store, binding.sale_order_id, binding.env
        self.currency = self.sale.currency_id
        self.lines = {line.shopify_gid: line for line in self.sale.order_line}
        self.refunds = {refund.shopify_gid: refund for refund in binding.refund_ids}
        self.policy = binding.backend_id.refund_policy
        self.wrong = []

    def check(self):
        self.goods()
        self.order()
        self.credit_notes()
        self.invoices()
        self.taxes()
        self.payments()
        return self.wrong

    def _compare(self, what, expected, found):
        if expected != found:
            self.wrong.append(f"{what}: {expected} expected, {found} found")

    def _near(self, what, expected, found, slack):
        """:param slack: in minor units"""
        unit = Decimal(1).scaleb(-self.currency.decimal_places)
        if abs(found - expected) > slack * unit:
            self.wrong.append(f"{what}: {expected} expected, {found} found")

    def _exact(self, amount):
        return Decimal(str(self.currency.round(amount))) + 0

    def _amount(self, pair):
        code = ("presentmentCurrencyCode", "currencyCode")[self.side]
        return decimal(pair[self.side], self.store.node[code]) + 0

    def _line(self, index):
        return self.lines[self.store.lines[index].node["id"]]

    def _live(self, kind):
        return self.sale.invoice_ids.filtered(
            lambda move: move.move_type == kind and move.state != "cancel"
        )

    # -- goods ------------------------------------------------------------------------------------

    def goods(self):
        """Of each line: what was sent, came back, is expected, and is still to be sent."""
        for index, goods in self.ledger.goods.items():
            line = self._line(index)
            found, names = Counter(), ("sent", "back", "expected", "open")
            for move in line.move_ids.filtered(lambda move: move.state != "cancel"):
                done = move.state == "done"
                if move.location_dest_usage == "customer":
                    found["sent" if done else "open"] += self._units(move)
                else:
                    found["back" if done else "expected"] += self._units(move)
            self._compare(
                f"goods of line {index + 1}",
                {name: getattr(goods, name) for name in names},
                {name: found[name] for name in names},
            )
            self._compare(
                f"delivered of line {index + 1}", found["sent"] - found["back"], line.qty_delivered
            )
            # what Shopify sent already may still wait here
            sold = self.store.lines[index]
            if found["open"] > sold.open + max(sold.fulfilled - found["sent"], 0):
                self.wrong.append(f"line {index + 1}: units wait to be sent that are gone")

    def _units(self, move):
        return move.quantity if move.state == "done" else move.product_uom_qty

    # -- order ------------------------------------------------------------------------------------

    def order(self):
        """What is still ordered, and what it is worth."""
        total, tax = self.store.total, minor(self.store.node["totalTaxSet"])
        for entry in self.ledger.taken_off:
            tax = plus(tax, entry.tax, -1)
            whole = entry.net if self.store.included else plus(entry.net, entry.tax)
            total = plus(total, whole, -1)
        for index, line in enumerate(self.store.lines):
            ordered = line.quantity - self.ledger.taken(index)
            found = self._line(index).product_uom_qty
            self._compare(f"ordered of line {index + 1}", ordered, found)
        self._compare("order total", self._amount(total), self._exact(self.sale.amount_total))
        self._compare("order tax", self._amount(tax), self._exact(self.sale.amount_tax))

    # -- refunds ----------------------------------------------------------------------------------

    def credit_notes(self):
        """Each refund has at most one, over the money that went back for what was invoiced."""
        self._compare("refunds", {r.gid for r in self.store.refunds}, set(self.refunds))
        for refund in self.store.refunds:
            booking, record = self.ledger.bookings[refund.gid], self.refunds.get(refund.gid)
            if not record:
                continue
            name = f"refund {refund.gid.rpartition('/')[2]}"
            moves = record._live_moves()
            expected = STATES.get(booking.state, {"to_book", "waiting"})
            moneyless = self.policy != "paid" or not refund.transactions
            if booking.state == BOOKED and not booking.credit and moneyless:
                expected = {"booked" if refund.pays_out else "not_booked"}
            if record.state not in expected:
                self.wrong.append(f"{name} is {record.state} ({record.state_note}), not {expected}")
            due = booking.credit is not None
            if len(moves) != due:
                self.wrong.append(f"{name} has {len(moves)} credit notes ({record.state_note})")
            if moves and due:
                self._credit_note(name, refund, booking, moves)
            self._compare(
                f"money of {name}", self._amount(refund.paid), self._exact(record.amount_money)
            )
        notes = self._live("out_refund")
        of_refunds = self.binding.refund_ids.move_ids.filtered(lambda move: move.state != "cancel")
        self._compare("credit notes", len(of_refunds), len(notes))

    def _credit_note(self, name, refund, booking, move):
        state = "draft" if self.policy == "draft" else "posted"
        self._compare(f"state of the credit note of {name}", state, move.state)
        slack = 0 if booking.exact else 2 * len(refund.entries)
        expected = self._amount(booking.credit)
        self._near(f"credit note of {name}", expected, self._exact(move.amount_total), slack)
        if booking.exact:
            tax = NOTHING
            for position, entry in enumerate(refund.entries):
                if booking.credited[position]:
                    tax = plus(tax, entry.tax)
            for _index, _net, amount, _whole in refund.shipping:
                if booking.shipped:
                    tax = plus(tax, amount)
            self._compare(f"tax of {name}", self._amount(tax), self._exact(move.amount_tax))

    # -- invoices ---------------------------------------------------------------------------------

    def invoices(self):
        """Units, and the sum of all documents once nothing is left to be invoiced."""
        invoices, notes = self._live("out_invoice"), self._live("out_refund")
        self._compare("states of invoices", set(), set(invoices.mapped("state")) - {"posted"})
        for index in range(len(self.store.lines)):
            line = self._line(index)
            found = sum(
                row.quantity if row.move_id in invoices else -row.quantity
                for row in line.invoice_lines
                if row.move_id in (invoices | notes)
            )
            self._compare(f"invoiced of line {index + 1}", self.ledger.net(index), found)
            if line.qty_to_invoice > max(self.ledger.to_come(index), 0):
                self.wrong.append(f"{line.qty_to_invoice} of line {index + 1} would be invoiced")
        if self.ledger.is_complete:
            left, slack = self.ledger.remainder()
            found = sum(invoices.mapped("amount_total")) - sum(notes.mapped("amount_total"))
            self._near("invoices less credit notes", self._amount(left), self._exact(found), slack)
            if not self.side and not slack:
                self._in_books(left[1], invoices | notes)

    def _in_books(self, left, moves):
        """The same at the rate of the order, where the books are in the store's currency."""
        books, code = self.sale.company_id.currency_id, self.store.node["currencyCode"]
        if books.name == code:
            left += sum(
                refund.exchange for refund in self.store.refunds if self.ledger.is_booked(refund)
            )
            found = Decimal(str(books.round(sum(moves.mapped("amount_total_signed")))))
            self._compare("in the books", decimal(left, code), found + 0)

    # -- taxes ------------------------------------------------------------------------------------

    def taxes(self):
        """What is left of each tax; Shopify states one amount over all taxes of refunded units."""
        ledger = self.ledger
        if ledger.is_guessed or not ledger.is_complete or self._is_kept_whole():
            return
        expected, slack, total = defaultdict(Decimal), Counter(), 0
        for node, whole, back, unsure in self._taxed():
            total += whole - back
            for tax in node["taxLines"]:
                own = minor(tax["priceSet"])[self.side]
                gone = Decimal(back) * own / whole if whole else 0
                expected[self._key(tax)] += own - gone
            for key in {self._key(tax) for tax in node["taxLines"]}:
                slack[key] += unsure
        found = self._found_taxes()
        for key in {*expected, *found}:
            self._near(f"tax {key}", self._minor(expected[key]), found[key], slack[key])
        rounded = sum(len(self.store.lines[index].node["taxLines"]) for index in ledger.rounded)
        self._near("all taxes", self._minor(total), sum(found.values()), rounded)

    def _minor(self, amount):
        return amount * Decimal(1).scaleb(-self.currency.decimal_places)

    def _is_kept_whole(self):
        """Whether all that a refund would credit was kept, so that its taxes stay due."""
        return any(
            booking.state == BOOKED and booking.credit is None and refund.kept[self.side] > 0
            for refund in self.store.refunds
            for booking in [self.ledger.bookings[refund.gid]]
        )

    def _key(self, tax):
        return tax["title"], tax["rate"], bool(tax["channelLiable"])

    def _taxed(self):
        """``(node, its tax, what of it is on no document any more, minor units that each tax of it
        may be off)``
        """
        refunds, ledger = self.store.refunds, self.ledger
        for index, line in enumerate(self.store.lines):
            never = ledger.never(index)
            taxes = [
                entry.tax[self.side]
                for refund in refunds
                for entry in refund.entries
                if entry.line == index and (ledger.is_booked(refund) or never)
            ]
            yield self._tax_of(line, taxes, index in ledger.rounded)
        for index, line in enumerate(self.store.shipping):
            taxes = [
                tax[self.side]
                for refund in refunds
                for item, _net, tax, _whole in refund.shipping
                if item == index and (ledger.is_booked(refund) or not ledger.shipped[index])
            ]
            yield self._tax_of(line, taxes, False)
        for fee in self.store.node["additionalFees"]:
            yield fee, sum(minor(tax["priceSet"])[self.side] for tax in fee["taxLines"]), 0, 0

    def _tax_of(self, line, taxes, rounded):
        whole, back = line.tax[self.side], sum(taxes)
        several = len({self._key(tax) for tax in line.node["taxLines"]}) > 1
        unsure = len(taxes) if several and back != whole else 0
        return line.node, whole, back, unsure + (len(line.node["taxLines"]) if rounded else 0)

    def _found_taxes(self):
        keys = {
            row.tax_id: (row.title, None if row.no_rate else row.rate, row.channel_liable)
            for row in self.binding.backend_id.tax_mapping_ids
        }
        found = defaultdict(Decimal)
        moves = self._live("out_invoice") | self._live("out_refund")
        for line in moves.line_ids.filtered("tax_line_id"):
            found[keys[line.tax_line_id]] -= self._exact(line.amount_currency)
        return found

    # -- payments ---------------------------------------------------------------------------------

    def payments(self):
        """Each transaction that moved money once; nothing is open that belongs together."""
        rows = self.binding.payment_ids.filtered("move_id")
        self._compare("entries of payments", len(rows), len(rows.move_id))
        signs = {"SALE": 1, "CAPTURE": 1, "CHANGE": -1}
        expected = [
            signs[item["kind"]] * self._amount(minor(item["amountSet"]))
            for item in self.store.node["transactions"]
            if item["status"] == "SUCCESS" and item["kind"] in signs
        ]
        if self.policy == "paid":
            expected += [-self._amount(pair) for pair in self.ledger.paid_back]
        booked = {row: self._booked(row) for row in rows}
        self._compare("booked payments", sorted(filter(None, expected)), sorted(booked.values()))
        notes = self._live("out_refund").filtered(lambda move: move.state == "posted")
        owed = sum(self._live("out_invoice").mapped("amount_total"))
        owed = self._exact(owed - sum(notes.mapped("amount_total")))
        moves = self._live("out_invoice") | notes | rows.move_id
        lines = moves.line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        found = self._exact(sum(lines.mapped("amount_residual_currency")))
        self._compare("open", owed - sum(booked.values()), found)
        if self.policy == "paid" and len({line.amount_residual_currency > 0 for line in lines}) > 1:
            self.wrong.append(f"debit and credit are both open: {lines.mapped('move_name')}")
        for move in moves:
            self._compare(
                f"balance of {move.name}", 0, self._exact(sum(move.line_ids.mapped("balance")))
            )

    def _booked(self, row):
        lines = row.move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        return -self._exact(sum(lines.mapped("amount_currency")))
