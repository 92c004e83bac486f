"""Changes in Shopify of orders that are confirmed in Odoo, by the decision table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from odoo import models

from ..mappers.order_decisions import RULES, Progress, decide, state_of
from ..mappers.refund_value import value_refunds
from .order_snapshot import Change, applied, fingerprint, snapshot
from .order_updater import NOTHING_WAITS
from .outcome import Outcome

# Set from the new contact by Odoo; they stay what they are.
_STAYS_WITH_ORDER = ("user_id", "team_id", "payment_term_id")


@dataclass
class Edit:
    """One order that changed, and what becomes of it.

    :ivar vals: values that the sale order would have if it were imported now, without its lines
    :ivar lines: ``{line gid: values}`` of the same
    :ivar left: what of the content waits, for :func:`~.order_snapshot.applied`
    :ivar pending: what is left to decide though the content is applied: names of `_open_<name>`
    :ivar told: ``[(rule, Change)]`` of what waits; ``done``: Changes that were applied
    """

    order: Any
    binding: Any
    sale: Any
    changes: list[Change]
    vals: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)
    write: dict = field(default_factory=dict)
    create: list = field(default_factory=list)
    created: Any = None
    quantities: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)
    left: dict = field(default_factory=dict)
    pending: set = field(default_factory=set)
    choices: set = field(default_factory=set)
    told: list = field(default_factory=list)
    done: list = field(default_factory=list)
    content_changed: bool = False
    cancel: bool = False
    relock: bool = False

    @property
    def forced(self):
        return self.binding.apply_anyway


class ShopifyOrderEditor(models.AbstractModel):
    """One method for each rule of the decision table: ``_rule_<name>(edit, change)``.

    The rules only plan; :meth:`_edit` then writes what all orders of a batch need, and launches
    their deliveries at once.
    """

    _inherit = "shopify.order.editor"

    def _edit(self, backend, items, found):
        """Carry out what changed on confirmed or cancelled orders.

        :param items: ``[(Order, shopify.order, [Change])]``
        :param found: :class:`~.order_values.Found`, complete for the orders that
            `_needs_content`
        :return: ``{gid: Outcome}``
        """
        edits = []
        for order, binding, changes in items:
            edit = Edit(order, binding, binding.sale_order_id, self._refined(order, changes))
            if self._needs_content(binding, changes):
                self._read_content(backend, edit, found)
            edit.relock = self._unlock(edit)
            for change in edit.changes:
                self._plan(edit, change)
            self._write(backend, edit)
            edits.append(edit)
        self._write_quantities(edits)
        for edit in edits:
            if edit.relock:
                edit.sale.action_lock()
        if backend.reserve and any(edit.content_changed for edit in edits):
            backend._trigger_reservation()
        return {edit.order.gid: self._settle(backend, edit, found) for edit in edits}

    def _needs_content(self, binding, changes):
        """Whether the order's products, taxes and contacts must be known to apply this."""
        sale = binding.sale_order_id
        if sale.state == "cancel" or (sale.locked and not binding.apply_anyway):
            return False
        return any(change.kind not in ("cancelled", "reopened") for change in changes)

    def _refined(self, order, changes):
        """A cancellation with what became of the money and of Shopify's stock."""
        kind = "cancelled"
        if any(line.restocked for refund in order.refunds for line in refund.lines):
            kind += "_restocked"
        if order.paid.amount <= 0:
            kind += "_refunded"
        return [Change(kind) if change.kind == "cancelled" else change for change in changes]

    def _read_content(self, backend, edit, found):
        vals = self.env["shopify.order.values"]._order_vals(backend, edit.order, found)
        edit.lines = {
            values["shopify_gid"]: values for _code, _id, values in vals.pop("order_line")
        }
        edit.vals = vals

    def _unlock(self, edit):
        if not (edit.sale.locked and edit.forced):
            return False
        edit.sale.action_unlock()
        return True

    # === PLANNING === #

    def _plan(self, edit, change):
        line = self._line(edit, change.gid) if change.gid else None
        progress = self._progress(edit.sale, line if line else None)
        rule = decide(change.kind, state_of(progress), sent=progress.sent, forced=edit.forced)
        if getattr(self, f"_rule_{rule}")(edit, change):
            edit.done.append(change)
        else:
            edit.told.append((rule, change))
            edit.choices.update(RULES[rule].choices)

    def _line(self, edit, gid):
        return edit.sale.order_line.filtered(lambda line: line.shopify_gid == gid)[:1]

    def _progress(self, sale, line=None):
        """How far the order, or one line of it, has come: :class:`~.order_decisions.Progress`."""
        lines = line or sale.order_line.filtered(lambda line: not line.display_type)
        goods = lines.filtered(lambda line: line._shopify_is_delivered())
        invoices = lines.invoice_lines.move_id.filtered(
            lambda move: (
                move.state == "posted"
                and move.move_type == "out_invoice"
                and move.payment_state != "reversed"
            )
        )
        return Progress(
            state=sale.state,
            locked=sale.locked,
            sent=any(self._compare(good, good.qty_delivered, 0) > 0 for good in goods),
            open=any(
                self._compare(good, good.qty_delivered, good.product_uom_qty) < 0 for good in goods
            ),
            invoiced=bool(invoices),
            paid=bool(invoices)
            and all(move.payment_state in ("paid", "in_payment") for move in invoices),
        )

    # -- each returns whether the change was applied whole ----------------------------------------

    def _rule_rewrite(self, edit, change):
        """Quotations are the updater's."""
        return True

    def _rule_record(self, edit, change):
        return True

    def _rule_nothing(self, edit, change):
        return True

    def _rule_add(self, edit, change):
        line = self._line(edit, change.gid)
        if not line:
            edit.create.append(edit.lines[change.gid])
            edit.content_changed = True
            return True
        if line.invoice_lines:
            edit.pending.add("owed")
        return self._rule_take_off(edit, change)

    def _rule_take_off(self, edit, change):
        """To the new quantity, as near as what is delivered lets it."""
        line, vals = self._line(edit, change.gid), edit.lines.get(change.gid)
        if not line:
            return True
        wanted = vals["product_uom_qty"] if vals else 0.0
        attainable = self._attainable(line, wanted)
        edit.quantities[line] = wanted
        if vals:
            edit.values[line] = self._amounts(vals)
        if self._compare(line, attainable, line.product_uom_qty):
            edit.content_changed = True
        if not self._compare(line, attainable, wanted):
            return True
        edit.left[change.gid] = int(attainable)
        return False

    def _rule_take_off_open(self, edit, change):
        if self._line(edit, change.gid).invoice_lines:
            edit.pending.add("owed")
        return self._rule_take_off(edit, change)

    def _rule_take_off_invoiced(self, edit, change):
        edit.pending.add("owed")
        return self._rule_take_off(edit, change)

    def _rule_keep_delivered(self, edit, change):
        if self._line(edit, change.gid).invoice_lines:
            edit.pending.add("owed")
        edit.left[change.gid] = None
        return False

    def _rule_reprice(self, edit, change):
        line, vals = self._line(edit, change.gid), edit.lines.get(change.gid)
        if not line:
            return self._rule_add(edit, change)
        if not vals:
            return self._rule_take_off(edit, change)
        if line.invoice_lines:
            edit.pending.add("owed")
        edit.quantities[line] = vals["product_uom_qty"]
        edit.values[line] = self._amounts(vals)
        edit.content_changed = True
        return True

    def _amounts(self, vals):
        """Of the values of a line those that an edit changes."""
        names = (
            "product_uom_qty",
            "price_unit",
            "technical_price_unit",
            "discount",
            "tax_ids",
            "extra_tax_data",
            "shopify_taken_off",
        )
        return {name: vals[name] for name in names}

    def _wait(self, edit, change):
        edit.left[change.gid or change.kind] = None
        return False

    def _rule_keep_invoiced(self, edit, change):
        return self._wait(edit, change)

    def _rule_redirect(self, edit, change):
        edit.write["partner_shipping_id"] = edit.vals["partner_shipping_id"]
        return True

    def _rule_redirect_late(self, edit, change):
        edit.pending.add("sent")
        return self._rule_redirect(edit, change)

    def _rule_rebill(self, edit, change):
        edit.write["partner_invoice_id"] = edit.vals["partner_invoice_id"]
        edit.content_changed = True
        return True

    def _rule_rebill_late(self, edit, change):
        edit.pending.add("billed")
        return self._rule_rebill(edit, change)

    def _rule_change_customer(self, edit, change):
        for name in ("partner_id", "partner_invoice_id", "partner_shipping_id"):
            edit.write[name] = edit.vals[name]
        edit.content_changed = True
        return True

    def _rule_keep_customer(self, edit, change):
        if edit.vals.get("partner_id") == edit.sale.partner_id.id:
            # A guest who has an account now.
            return True
        return self._wait(edit, change)

    _rule_keep_invoiced_customer = _rule_keep_customer
    _rule_keep_locked = _wait
    _rule_keep_closed = _wait
    _rule_reopen = _wait

    def _rule_cancel(self, edit, change):
        edit.cancel = True
        return True

    def _rule_cancel_invoiced(self, edit, change):
        edit.pending.add("owed")
        return self._rule_cancel(edit, change)

    def _rule_cancel_unsettled(self, edit, change):
        edit.pending.add("unsettled")
        return self._rule_cancel_invoiced(edit, change)

    def _rule_cancel_open(self, edit, change):
        """What is not delivered is not ordered any more."""
        for line in edit.sale.order_line:
            if line._shopify_is_delivered() and line.shopify_gid:
                quantity = self._attainable(line, 0.0)
                edit.left[line.shopify_gid] = int(quantity)
                if self._compare(line, quantity, line.product_uom_qty):
                    edit.quantities[line] = quantity
                    edit.content_changed = True
        edit.pending.add("owed")
        return self._wait(edit, change)

    _rule_keep_cancelled = _rule_cancel_open

    # === WRITING === #

    def _write(self, backend, edit):
        """Contacts, new lines and the end of an order; quantities follow for all at once."""
        sale = edit.sale
        if edit.cancel:
            sale._action_cancel()
            return
        if edit.write:
            self._write_parties(edit)
        if edit.create:
            edit.created = sale.order_line.with_context(skip_procurement=True).create(
                [{**vals, "order_id": sale.id} for vals in edit.create]
            )
        self._write_carrier(edit)

    def _write_parties(self, edit):
        """Contacts of the order and of the deliveries that are not sent yet."""
        sale = edit.sale
        vals = {name: sale[name].id for name in _STAYS_WITH_ORDER}
        vals |= {name: sale[name].id for name in ("partner_invoice_id", "partner_shipping_id")}
        vals |= {"note": sale.note, "fiscal_position_id": edit.vals["fiscal_position_id"]}
        # Odoo would ask somebody to do by hand what is done here.
        sale.with_context(mail_activity_automation_skip=True).write({**vals, **edit.write})
        if "partner_shipping_id" in edit.write:
            pickings = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
            pickings.partner_id = sale.partner_shipping_id

    def _write_carrier(self, edit):
        """The delivery method, where the shipping lines changed."""
        if not any(
            change.kind == "shipping" or edit.lines.get(change.gid, {}).get("is_delivery")
            for change in edit.done
        ):
            return
        carrier = edit.vals["carrier_id"]
        if carrier and carrier != edit.sale.carrier_id.id:
            edit.sale.carrier_id = carrier
            pickings = edit.sale.picking_ids.filtered(
                lambda pick: pick.state not in ("done", "cancel")
            )
            pickings.carrier_id = carrier

    def _write_quantities(self, edits):
        quantities, values = {}, {}
        new = self.env["sale.order.line"]
        for edit in edits:
            if edit.cancel:
                continue
            quantities |= edit.quantities
            values |= edit.values
            new |= edit.created or new
        self._set_ordered_quantities(quantities, values)
        self._deliver_more(new, {})

    # === RESULT === #

    def _settle(self, backend, edit, found):
        """Keep what was applied and what waits, and say so."""
        order, binding, sale = edit.order, edit.binding, edit.sale
        if edit.content_changed or edit.cancel:
            self._renew_drafts(sale)
        content = snapshot(order)
        pending = {
            name
            for name in edit.pending | set(binding.pending or ())
            if getattr(self, f"_open_{name}")(edit)
        }
        kept = applied(binding.snapshot, content, edit.left)
        if pending:
            edit.choices.add("accept")
        vals = {"snapshot": kept, "fingerprint": fingerprint(kept), "apply_anyway": False}
        if edit.vals and not edit.left:
            vals["figures"] = self.env["shopify.order.values"]._figures(order, found)
        if edit.content_changed and backend.reserve and sale.state == "sale":
            vals["reserve_pending"] = True
        if not edit.told and not pending:
            binding.write({**vals, **NOTHING_WAITS})
            return Outcome("updated", record=sale, message=self._done_sentence(edit))
        sentences = self._left_sentences(edit, pending)
        vals |= {
            "seen": content,
            "difference": "\n".join(sentences),
            "pending": sorted(pending),
            "choices": ",".join(sorted(edit.choices)),
        }
        binding.write(vals)
        return Outcome(
            "blocked",
            record=sale,
            message=" ".join(sentences),
            blocks=[self._block(edit, sentences)],
        )

    def _renew_drafts(self, sale):
        """Draft invoices say what the order said before: they are made anew."""
        drafts = sale.invoice_ids.filtered(
            lambda move: move.state == "draft" and move.move_type == "out_invoice"
        )
        if drafts:
            drafts.button_cancel()
            sale.message_post(
                body=self.env._(
                    "%(count)s draft invoices were cancelled, because the order changed in"
                    " Shopify after they were made.",
                    count=len(drafts),
                )
            )

    # -- what may be left to decide: a sentence while it is so ------------------------------------

    def _open_owed(self, edit):
        return self._uncovered(edit) > 0

    def _open_unsettled(self, edit):
        return edit.order.paid.amount > 0 or self._uncovered(edit) > 0

    def _open_sent(self, edit):
        return True

    _open_billed = _open_sent

    def _uncovered(self, edit):
        """What is invoiced above the order, less the credit notes that refunds still get, from
        here or, where they are only kept, from whoever books them.
        """
        sale = edit.sale
        owed = self._owed(sale)
        if not owed:
            return owed
        values = value_refunds(edit.order).values()
        if sale.shopify_backend_id.refund_policy == "none":
            # Nobody took what only an edit says for a refund.
            values = [value for value in values if value.money_state != "none"]
        worth = sum(value.credited.amount for value in values if not value.pays_out)
        if any(value.problem for value in values):
            # An exception of its own says so; its units are among those that are gone.
            worth = max(worth, self._taken_off(edit.order))
        credits = sale.invoice_ids.filtered(
            lambda move: move.move_type == "out_refund" and move.state == "posted"
        )
        coming = float(worth) - sum(credits.mapped("amount_total"))
        return sale.currency_id.round(owed - max(coming, 0.0))

    def _taken_off(self, order):
        """What the units are worth that were taken off, with taxes."""
        gone = sum(line.total_included.amount for line in order.lines)
        return gone - sum(line.total_included.amount for line in order.kept_lines)
