"""What people are told about changes of confirmed orders."""

from __future__ import annotations

from odoo import models

from .outcome import Block


class ShopifyOrderEditor(models.AbstractModel):
    _inherit = "shopify.order.editor"

    def _change_sentence(self, change):
        sentences = {
            "cancelled": self.env._("It was cancelled."),
            "reopened": self.env._("Its cancellation was taken back."),
            "line_added": self.env._("%(new)s x %(line)s was added."),
            "line_removed": self.env._("%(old)s x %(line)s was removed."),
            "quantity_up": self.env._("The quantity of %(line)s was %(old)s and is %(new)s."),
            "discount": self.env._("The amount of %(line)s was %(old)s and is %(new)s."),
            "customer": self.env._("The customer was %(old)s and is %(new)s."),
            "billing_address": self.env._("The invoice address was %(old)s and is %(new)s."),
            "shipping_address": self.env._("The delivery address was %(old)s and is %(new)s."),
        }
        sentences["quantity_down"] = sentences["quantity_up"]
        sentences["shipping"] = sentences["discount"]
        kind = "cancelled" if change.kind.startswith("cancelled") else change.kind
        return sentences[kind] % change.values

    def _reason(self, edit, rule, change):
        """Why a change waits."""
        sale, line = edit.sale, self._line(edit, change.gid)
        reasons = {
            "keep_invoiced": self.env._("It is invoiced with the other amount."),
            "keep_customer": self.env._(
                "Goods were delivered for %s.", sale.partner_id.display_name
            ),
            "keep_invoiced_customer": self.env._(
                "Invoices were made for %s.", sale.partner_invoice_id.display_name
            ),
            "keep_locked": self.env._("Odoo's order is locked."),
            "keep_closed": self.env._("Odoo's order is cancelled."),
            "reopen": self.env._("Odoo's order is cancelled."),
            "cancel_open": self.env._("What was delivered is not taken back by this."),
        }
        reasons["keep_cancelled"] = reasons["cancel_open"]
        delivered = self.env._(
            "Already delivered: %(quantity)s.", quantity=f"{line.qty_delivered:g}"
        )
        return reasons.get(rule, delivered)

    def _left_sentences(self, edit, pending):
        """What waits, and why: one sentence or two for each."""
        sentences = [
            f"{self._change_sentence(change)} {self._reason(edit, rule, change)}"
            for rule, change in edit.told
        ]
        return sentences + [self._pending_sentence(edit, name) for name in sorted(pending)]

    def _pending_sentence(self, edit, name):
        sale, money = edit.sale, edit.sale.currency_id
        if name == "owed":
            return self.env._(
                "%(amount)s more is invoiced than is ordered, and no refund of Shopify is credited"
                " for it.",
                amount=money.format(self._uncovered(edit)),
            )
        if name == "unsettled":
            return self.env._(
                "It was cancelled, and %(amount)s of what the customer paid was not paid back.",
                amount=money.format(float(edit.order.paid.amount)),
            )
        if name == "sent":
            sent = sale.picking_ids.filtered(lambda pick: pick.state == "done")
            return self.env._(
                "The delivery address changed to %(address)s after %(deliveries)s was sent.",
                address=sale.partner_shipping_id.display_name,
                deliveries=", ".join(sent.mapped("name")),
            )
        posted = sale.invoice_ids.filtered(lambda move: move.state == "posted")
        return self.env._(
            "The invoice address changed to %(address)s after %(invoices)s was posted.",
            address=sale.partner_invoice_id.display_name,
            invoices=", ".join(posted.mapped("name")),
        )

    def _done_sentence(self, edit):
        told = " ".join(self._change_sentence(change) for change in edit.done)
        return self.env._("%(order)s was changed: %(changes)s", order=edit.order.name, changes=told)

    def _block(self, edit, sentences):
        order, sale = edit.order, edit.sale
        message = self.env._(
            "%(order)s (%(name)s): %(changes)s",
            order=order.name,
            name=sale.name,
            changes=" ".join(sentences),
        )
        if edit.done:
            done = " ".join(self._change_sentence(change) for change in edit.done)
            message = self.env._("%(message)s Applied: %(done)s", message=message, done=done)
        return Block(
            category="order_changed",
            key=order.gid,
            title=self.env._(
                "Order %(order)s changed in Shopify after it was confirmed", order=order.name
            ),
            message=message,
            remedy=" ".join(self._remedies(edit)),
            res_model="shopify.order",
            res_id=edit.binding.id,
        )

    def _remedies(self, edit):
        remedies = {
            "apply": self.env._(
                "'Apply Anyway' on the Shopify order changes Odoo's order all the same."
            ),
            "return": self.env._(
                "'Return Goods' takes back what was delivered; the change is applied then."
            ),
            "accept": self.env._("'Dealt With' leaves Odoo's order as it is now."),
        }
        return [text for choice, text in remedies.items() if choice in edit.choices]
