"""What happens when an order that was imported changes in Shopify."""

from __future__ import annotations

from odoo import models
from odoo.fields import Command

from .order_policies import is_dead
from .order_snapshot import differences, fingerprint, snapshot
from .outcome import Block, Blocked, Outcome

# Set once and then the user's or Odoo's.
_KEPT = {
    "name",
    "company_id",
    "shopify_backend_id",
    "date_order",
    "pricelist_id",
    "user_id",
    "team_id",
    "origin",
    "warehouse_id",
    "require_signature",
    "require_payment",
    "prepayment_percent",
    "validity_date",
    "journal_id",
    "payment_term_id",
    "preferred_payment_method_line_id",
    "sale_order_template_id",
    "note",
    "tag_ids",
    "shopify_computed",
    "order_line",
}
_OF_CUSTOMER = {
    "partner_id",
    "partner_invoice_id",
    "partner_shipping_id",
    "fiscal_position_id",
}
OPEN = ("draft", "sent")
# What a line has from its product.
_OF_PRODUCT = {
    "product_id",
    "product_uom_id",
    "customer_lead",
    "product_custom_attribute_value_ids",
    "product_no_variant_attribute_value_ids",
}


class ShopifyOrderUpdater(models.AbstractModel):
    """Facts (statuses, payments, tags, notes) always follow Shopify.

    The ordered content is applied to a quotation; on a confirmed order what changed waits for a
    person.
    """

    _name = "shopify.order.updater"
    _description = "Shopify Order Updater"

    def _needs_resolving(self, binding, order):
        """Whether the content will be written, so that its products, taxes and contacts count.

        Nothing else may stop an update: a status is recorded whatever is mapped.
        """
        return binding.sale_order_id.state in OPEN and bool(self._differences(binding, order))

    def _update(self, backend, orders, bindings, found):
        """Bring imported orders up to date.

        :param orders: list of :class:`~..mappers.order_types.Order`
        :param bindings: ``{gid: shopify.order}``
        :param found: :class:`~.order_values.Found`, complete for those that `_needs_resolving`
        :return: ``{gid: Outcome}``
        """
        outcomes, done = {}, []
        for order in orders:
            binding = bindings[order.gid]
            outcome = self._update_one(backend, order, binding, found)
            outcomes[order.gid] = outcome
            if outcome.status != "blocked":
                done.append((order, binding.sale_order_id))
        confirmed = self._confirm(backend, done, bindings)
        for order, sale in done:
            if sale in confirmed:
                outcomes[order.gid] = Outcome(
                    "updated", record=sale, message=self.env._("%s was confirmed.", order.name)
                )
        return outcomes

    def _update_one(self, backend, order, binding, found):
        sale = binding.sale_order_id
        changes = self._differences(binding, order)
        newer = not binding.shopify_updated_at or order.updated_at > binding.shopify_updated_at
        facts = self.env["shopify.order.values"]._facts(order, found)
        if changes and sale.state in OPEN:
            kinds = {kind for kind, _values in changes}
            block = self._apply(backend, binding, order, found, kinds)
            if block:
                return Outcome("blocked", record=sale, blocks=[block])
            facts |= self.env["shopify.order.values"]._applied(order, found)
        elif not changes:
            facts |= {"seen": False, "difference": False}
        newer = newer or bool(changes) or bool(binding.difference)
        binding.write(facts)
        self._apply_tags(sale, order, found)
        if changes and sale.state not in OPEN:
            return self._record_difference(binding, order, changes)
        if sale.state in OPEN and is_dead(order):
            sale._action_cancel()
        return Outcome(
            "updated" if newer else "unchanged",
            record=sale,
            message=self._sentence(order, changes, newer),
        )

    def _differences(self, binding, order):
        """What of the content changed since it was applied."""
        content = snapshot(order)
        if fingerprint(content) == binding.fingerprint:
            return []
        changes = differences(binding.snapshot, content)
        if binding.sale_order_id.state == "cancel" and order.cancelled_at:
            # Nothing is left to be done of what is cancelled on both sides.
            return []
        if binding.sale_order_id.state == "cancel":
            # What Shopify cancels is what Odoo has cancelled.
            changes = [change for change in changes if change[0] != "cancelled"]
        return changes

    def _sentence(self, order, changes, newer):
        if changes:
            return self.env._("%s was applied to the quotation again.", order.name)
        if newer:
            return self.env._("%s: status, payment and notes were brought up to date.", order.name)
        return self.env._("%s is up to date.", order.name)

    def _confirm(self, backend, pairs, bindings):
        confirmed = self.env["shopify.order.confirmer"]._confirm(backend, pairs)
        if confirmed and backend.reserve:
            for order, sale in pairs:
                if sale in confirmed:
                    bindings[order.gid].reserve_pending = True
        return confirmed

    def _apply_tags(self, sale, order, found):
        """Shopify's tags are added to those that the order has in Odoo."""
        tags = self.env["shopify.order.values"]._tag_ids(order, found)
        if set(tags) - set(sale.tag_ids.ids):
            sale.tag_ids = [Command.link(tag) for tag in tags]

    # === QUOTATION === #

    def _apply(self, backend, binding, order, found, kinds):
        """Rewrite a quotation; what a user set on it and Shopify does not state stays.

        :param kinds: kinds of the differences, see :func:`~.order_snapshot.differences`
        :return: the Block that stopped it; nothing was written then
        """
        sale = binding.sale_order_id
        vals = self.env["shopify.order.values"]._order_vals(backend, order, found)
        commands = self._line_commands(backend, sale, vals["order_line"])
        kept = _KEPT if kinds & {"customer", "billing", "shipping"} else _KEPT | _OF_CUSTOMER
        vals = {key: value for key, value in vals.items() if key not in kept}
        if vals.get("partner_id", sale.partner_id.id) != sale.partner_id.id:
            # Odoo would take these from the new contact.
            vals |= {key: sale[key].id for key in ("pricelist_id", "user_id", "team_id")}
            vals |= {"payment_term_id": sale.payment_term_id.id, "note": sale.note}
        else:
            vals = self._changed_only(sale, vals)
        try:
            with self.env.cr.savepoint():
                sale.write({**vals, "order_line": commands})
                wrong = self.env["shopify.order.creator"]._unproved([order], sale)
                if wrong:
                    importer = self.env["shopify.order.importer"]
                    raise Blocked(importer._totals_block(order, wrong[order.gid]))
        except Blocked as blocked:
            return blocked.blocks[0]
        return None

    def _line_commands(self, backend, sale, creations):
        """By Shopify's line id: update, add, remove. Lines that a user added stay."""
        lines = {line.shopify_gid: line for line in sale.order_line if line.shopify_gid}
        placeholders = backend.placeholder_product_id | backend.placeholder_service_id
        commands = []
        for _code, _id, vals in creations:
            line = lines.pop(vals["shopify_gid"], None)
            if line is None:
                commands.append(Command.create(vals))
                continue
            kept = {"shopify_computed"}
            # a user may have mapped the placeholder meanwhile
            if vals["product_id"] in {*placeholders.ids, line.product_id.id}:
                kept |= _OF_PRODUCT
            commands.append(
                Command.update(line.id, {k: v for k, v in vals.items() if k not in kept})
            )
        return commands + [Command.delete(line.id) for line in lines.values()]

    def _changed_only(self, sale, vals):
        changed = {}
        for key, value in vals.items():
            kind = sale._fields[key].type
            if kind == "many2one" and sale[key].id == value:
                continue
            if kind in ("char", "text") and (sale[key] or "") == (value or ""):
                continue
            changed[key] = value
        return changed

    # === CONFIRMED ORDER === #

    def _record_difference(self, binding, order, changes):
        sentences = [self._difference_sentence(kind, values) for kind, values in changes]
        binding.write({"seen": snapshot(order), "difference": "\n".join(sentences)})
        sale = binding.sale_order_id
        block = Block(
            category="order_changed",
            key=order.gid,
            title=self.env._(
                "Order %(order)s changed in Shopify after it was confirmed", order=order.name
            ),
            message=self.env._(
                "%(order)s (%(name)s): %(changes)s",
                order=order.name,
                name=sale.name,
                changes=" ".join(sentences),
            ),
            remedy=self.env._(
                "Change the order in Odoo where it is needed, then press 'Dealt with' on the"
                " Shopify order."
            ),
            res_model="shopify.order",
            res_id=binding.id,
        )
        return Outcome("blocked", record=sale, message=" ".join(sentences), blocks=[block])

    def _difference_sentence(self, kind, values):
        sentences = {
            "cancelled": self.env._("It was cancelled."),
            "reopened": self.env._("Its cancellation was taken back."),
            "currency": self.env._("The currency was %(old)s and is %(new)s."),
            "line_added": self.env._("%(new)s x %(line)s was added."),
            "line_removed": self.env._("%(old)s x %(line)s was removed."),
            "quantity": self.env._("The quantity of %(line)s was %(old)s and is %(new)s."),
            "left": self.env._(
                "%(new)s of %(line)s are left after edits and refunds, before %(old)s."
            ),
            "amount": self.env._("The amount of %(line)s was %(old)s and is %(new)s."),
            "taxes": self.env._("The taxes of %(line)s changed."),
            "customer": self.env._("The customer was %(old)s and is %(new)s."),
            "billing": self.env._("The invoice address was %(old)s and is %(new)s."),
            "shipping": self.env._("The delivery address was %(old)s and is %(new)s."),
            "total": self.env._("The total was %(old)s and is %(new)s."),
        }
        return sentences[kind] % values
