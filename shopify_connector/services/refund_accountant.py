"""From kept refunds to credit notes and payments, once."""

from __future__ import annotations

from collections import defaultdict

from odoo import fields, models

from .outcome import Block, Blocked


class ShopifyAccountant(models.AbstractModel):
    _inherit = "shopify.accountant"

    def _steps(self):
        steps = super()._steps()
        # after the invoices and payments that they refer to, before what is left is matched
        position = steps.index(("shopify.accountant", "_match"))
        return [*steps[:position], ("shopify.refund.accountant", "_book"), *steps[position:]]

    def _moves_to_match(self, order):
        """With the credit notes of units that were taken off without money, or exchanged: they
        lower what the customer has to pay.
        """
        open_ones = order.refund_ids.filtered(
            lambda refund: refund.money_state == "none" or refund.amount_exchanged
        )
        return super()._moves_to_match(order) | open_ones.move_ids

    def _is_settled_abroad(self, order):
        """What the customer may still get back is no exchange difference."""
        return super()._is_settled_abroad(order) and not order.refund_ids.filtered(
            self._may_be_owed
        )

    def _may_be_owed(self, refund):
        """Whether a refund may leave the customer with more than was paid for."""
        if refund.state in ("waiting", "to_book", "exception"):
            return True
        if refund.money_state not in ("none", "failed"):
            return False
        paid = refund.order_id.payment_ids.filtered(lambda payment: payment._is_money())
        if refund.processed_at <= max(paid.mapped("processed_at")):
            # What was paid after it was that much less.
            return False
        moves = refund._live_moves()
        if not moves:
            return bool(refund.line_ids)
        if any(moves.mapped("amount_residual")):
            return True
        # Matched with an invoice, a credit note leaves that much of the payment.
        matched = moves.line_ids.matched_debit_ids.debit_move_id.move_id
        return not refund.amount_exchanged and "out_invoice" in matched.mapped("move_type")


class ShopifyRefundAccountant(models.AbstractModel):
    """A step of the accounting of orders; looks at what is there, so it may run at any time."""

    _name = "shopify.refund.accountant"
    _description = "Shopify Refund Accountant"

    def _book(self, backend, orders, plan):
        """Make, post and pay the credit notes that are due.

        :param orders: ``shopify.order``
        :return: ``{shopify.order: [Block]}`` of refunds that a person must look at
        :raises Blocked: a credit note says something else than Shopify
        """
        refunds = self.env["shopify.refund"].search(
            [("order_id", "in", orders.ids)], order="processed_at, id"
        )
        if not refunds:
            return {}
        if backend.refund_policy == "none":
            self._keep(refunds)
            return {}
        blocks = defaultdict(list)
        waiting = refunds.filtered(self._is_undecided)
        known = refunds.order_id - waiting.order_id
        while waiting:
            # Each refund builds on what the one before it credited.
            batch = self.env["shopify.refund"].union(
                *(some[:1] for some in waiting.grouped("order_id").values())
            )
            self._credit(backend, batch, blocks)
            waiting -= batch
        for refund in refunds:
            block = self._changed_block(refund)
            if block:
                blocks[refund.order_id].append(block)
            elif refund.state == "exception" and refund._live_moves():
                # Its cause may be gone by now.
                refund._set_state("to_book")
        self._go_on(backend, refunds.filtered(lambda r: r.state == "to_book"), blocks)
        self._invoice_again(refunds.order_id - known, plan)
        return blocks

    def _keep(self, refunds):
        """Nothing is to be booked for refunds of this store."""
        open_ones = refunds.filtered(lambda refund: refund.state not in ("booked", "not_booked"))
        open_ones._set_state("not_booked", self.env._("Refunds of this store are only kept."))

    def _is_undecided(self, refund):
        """What was found to be on no invoice stays so: later invoices leave it out."""
        if refund._live_moves() or refund.state == "booked" or self._money_changed(refund):
            return False
        return refund.state != "not_booked" or not refund.uninvoiced

    def _invoice_again(self, orders, plan):
        """A credit note may let units be invoiced that waited for it."""
        invoicer = self.env["shopify.invoicer"]
        self.env["shopify.accounting.task"]._add(
            orders.filtered(
                lambda order: (
                    order.refund_ids.move_ids
                    and invoicer._is_due(order, plan[order])
                    and invoicer._quantities(order.sale_order_id, plan[order].when)
                )
            )
        )

    def _changed_block(self, refund):
        if not self._money_changed(refund):
            return None
        refund._set_state("exception", self.env._("The money changed after it was booked."))
        return refund._block(
            self.env._(
                "%(booked)s were booked as returned, and Shopify says %(money)s now",
                booked=refund.currency_id.format(self._booked_money(refund)),
                money=refund.currency_id.format(refund.amount_money),
            ),
            title=self.env._("A refund of order %s changed", refund.order_id.name),
            remedy=self.env._(
                "Compare the refund with Shopify. Cancel its credit note, and the payment of money"
                " that did not go back; then press Book on the refund."
            ),
        )

    def _money_changed(self, refund):
        """Whether Shopify says something else than what was booked; money fails afterwards too."""
        booked = self._booked_money(refund)
        if booked is None or refund.money_state == "pending":
            return False
        return bool(refund.currency_id.compare_amounts(booked, refund.amount_money))

    def _booked_money(self, refund):
        """The money that was booked as returned; None where that is not decided yet."""
        if refund._live_moves():
            return refund.booked_money
        done = refund.payment_ids.filtered(
            lambda row: (
                row.kind == "refund" and row.status == "success" and row.move_id.state != "cancel"
            )
        )
        if not done.move_id or not all(row.move_id or row.ignored for row in done):
            return None
        return sum(done.mapped("amount"))

    # === CREDIT NOTES === #

    def _credit(self, backend, refunds, blocks):
        """Make the credit notes of these refunds, of which no two are of one order."""
        values = {}
        for refund in refunds:
            verdict = self._verdict(refund)
            if verdict is None:
                verdict = self.env["shopify.refund.values"]._move_vals(backend, refund)
            if isinstance(verdict, Block):
                refund._set_state("exception", verdict.message)
                blocks[refund.order_id].append(verdict)
            elif isinstance(verdict[0], str):
                refund._set_state(*verdict)
                refund.uninvoiced = verdict[1] == self._uninvoiced_note()
            else:
                values[refund] = verdict
        if not values:
            return
        moves = self.env["account.move"].create([vals for vals, _total in values.values()])
        wrong = []
        for (refund, (_vals, expected)), move in zip(values.items(), moves, strict=True):
            self._settle_on(backend, refund, move)
            if move.currency_id.compare_amounts(move.amount_total, expected):
                message = self.env._(
                    "the credit note would be over %(ours)s, and must be over %(theirs)s",
                    ours=move.currency_id.format(move.amount_total),
                    theirs=move.currency_id.format(expected),
                )
                wrong.append(refund._block(message))
            refund.write({"booked_money": refund.amount_money, "uninvoiced": False})
            refund._set_state("to_book")
        if wrong:
            raise Blocked(wrong)

    def _settle_on(self, backend, refund, move):
        """The account of the invoice, as it is there, so that the two can be matched."""
        account = self.env["shopify.payment.importer"]._receivable(backend, refund)
        due = move.line_ids.filtered(lambda line: line.display_type == "payment_term")
        if account and due.account_id != account:
            due.account_id = account

    def _verdict(self, refund):
        """``(state, note)`` or a Block of a refund that gets no credit note now, else None."""
        if refund.problem:
            return refund._block(self.env._("its content could not be read (%s)", refund.problem))
        if refund.money_state == "pending":
            return "waiting", self.env._("The payment provider has not confirmed the money yet.")
        if refund.money_state == "failed":
            return "not_booked", self.env._("The money was never returned: the payment failed.")
        currency = refund.currency_id
        if not currency.is_zero(refund.amount_gap):
            return refund._block(
                self.env._(
                    "its lines are worth %(worth)s; no fee and no adjustment explains the"
                    " difference of %(gap)s",
                    worth=currency.format(refund.amount_value),
                    gap=currency.format(refund.amount_gap),
                )
            )
        if refund.pays_out:
            return "to_book", self.env._("Pays for units that were credited before.")
        if currency.is_zero(refund.amount_value) and currency.is_zero(refund.amount_money):
            return "not_booked", self.env._("Neither money nor anything of value was returned.")
        return None

    # === POSTING AND PAYING === #

    def _go_on(self, backend, refunds, blocks):
        """Post and pay, as far as the store wants and the invoices allow."""
        policy = backend.refund_policy
        ready = refunds.filtered(lambda r: r._live_moves() or self._needs_no_move(r))
        if policy == "draft":
            self._finish(ready)
            return
        drafts = ready.move_ids.filtered(lambda move: move.state == "draft")
        held = drafts.filtered(lambda move: self._draft_invoices(move.shopify_refund_id))
        if held:
            held.shopify_refund_id._set_state(
                "to_book", self.env._("The invoice is a draft; the credit note follows it.")
            )
            ready -= held.shopify_refund_id
        for move in drafts - held:
            block = self._period(backend, move)
            if block:
                move.shopify_refund_id._set_state("exception", block.message)
                blocks[move.shopify_refund_id.order_id].append(block)
                ready -= move.shopify_refund_id
        self._post(drafts & ready.move_ids)
        if policy == "paid":
            ready -= self._pay(backend, ready, blocks)
        self._match_invoices(ready._live_moves())
        self._finish(ready)

    def _post(self, moves):
        if moves:
            moves.with_context(shopify_match_later=True).action_post()

    def _match_invoices(self, moves):
        """What their money left open of credit notes, with the invoices that they name."""
        for move in moves.filtered(lambda move: move.state == "posted"):
            invoice = move.reversed_entry_id
            if invoice.state == "posted":
                invoice._reconcile_reversed_moves(move, False)

    def _needs_no_move(self, refund):
        """Nothing is to be credited, yet its money may be booked."""
        return refund.pays_out or refund.uninvoiced

    def _uninvoiced_note(self):
        return self.env._("Nothing of it was invoiced, so no credit note is due.")

    def _draft_invoices(self, refund):
        """Draft invoices of what the refund credits."""
        invoices = refund.sale_order_id.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state != "cancel"
        )
        lines = refund.line_ids.sale_line_id.invoice_lines
        own = invoices & lines.move_id or invoices
        return own.filtered(lambda move: move.state == "draft")

    def _period(self, backend, move):
        """The Block of a closed period, or None; a draft that was dated into it takes the date
        that the store's setting says now.
        """
        accountant, refund = self.env["shopify.accountant"], move.shopify_refund_id
        taxed = bool(move.invoice_line_ids.tax_ids)

        def block(date):
            return accountant._period_block(backend, refund.order_id, date, move.journal_id, taxed)

        date = accountant._date(backend, refund.processed_at)
        found = block(move.invoice_date or fields.Date.context_today(move))
        if not found or date == move.invoice_date or block(date):
            return found
        # with the rate that the lines were made at
        move.write({"invoice_date": date, "invoice_currency_rate": move.invoice_currency_rate})
        return None

    def _pay(self, backend, refunds, blocks):
        """Book the money of these refunds and match it with their credit notes.

        :return: the refunds whose money could not be booked
        """
        payments = refunds.filtered(self._money_is_due).payment_ids.filtered(
            lambda payment: (
                payment.kind == "refund"
                and payment.status == "success"
                and not payment.move_id
                and not payment.ignored
            )
        )
        found = self.env["shopify.payment.importer"]._book_rows(backend, payments)
        for order, causes in found.items():
            blocks[order] += causes
        left = payments.filtered(lambda payment: not payment.move_id and not payment.ignored)
        for refund in left.refund_id:
            causes = found.get(refund.order_id) or ()
            refund._set_state("exception", "\n".join(cause.message for cause in causes))
        self._match(refunds)
        return left.refund_id

    def _money_is_due(self, refund):
        """A payment back without credit note settles a payment that was booked; one by hand
        settled its credit note already.
        """
        if moves := refund._live_moves():
            return not self._is_paid_by_hand(refund, moves)
        return bool(refund.order_id.payment_ids.filtered("move_id")) or refund.pays_out

    def _is_paid_by_hand(self, refund, moves):
        """Whether somebody settled these credit notes with a payment or from the bank."""
        if not set(moves.mapped("payment_state")) <= {"in_payment", "paid"}:
            return False
        payments = moves.reconciled_payment_ids - refund.order_id.payment_ids.payment_id
        from_bank = moves.line_ids.matched_debit_ids.debit_move_id.statement_line_id
        return bool(payments or from_bank)

    def _match(self, refunds):
        matches = []
        for refund in refunds:
            moves = refund._live_moves() | refund.payment_ids.move_id
            lines = moves.line_ids.filtered(
                lambda line: (
                    line.parent_state == "posted"
                    and line.account_type == "asset_receivable"
                    and not line.reconciled
                )
            )
            for same in lines.grouped("account_id").values():
                if len({line.amount_residual_currency > 0 for line in same}) == 2:
                    matches.append(same)
        if matches:
            self.env["account.move.line"]._reconcile_plan(matches)

    def _finish(self, refunds):
        for refund in refunds:
            if refund._live_moves() or refund.payment_ids.move_id or refund.pays_out:
                refund._set_state("booked", refund.state_note or "")
            else:
                refund._set_state("not_booked", refund.state_note or "")
