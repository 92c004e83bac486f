"""What happens when an order that was imported changes in Shopify."""

from __future__ import annotations

from odoo import models
from odoo.fields import Command

from .order_policies import is_dead
from .order_snapshot import differences, fingerprint, snapshot
from .outcome import Blocked, Outcome

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
_PARTIES = {"customer", "billing_address", "shipping_address"}
NOTHING_WAITS = {
    "seen": False,
    "difference": False,
    "pending": False,
    "choices": False,
    "apply_anyway": False,
}
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

    The ordered content is applied to a quotation here; on a confirmed order by
    ``shopify.order.editor``, as far as it can be.
    """

    _name = "shopify.order.updater"
    _description = "Shopify Order Updater"

    def _needs_resolving(self, binding, order):
        """Whether the content will be written, so that its products, taxes and contacts count.

        Nothing else may stop an update: a status is recorded whatever is mapped.
        """
        changes = self._differences(binding, order)
        if self._is_rewritten(binding, changes):
            return bool(changes)
        return self.env["shopify.order.editor"]._needs_content(binding, changes)

    def _is_rewritten(self, binding, changes):
        """Whether the content is written as a whole: on a quotation, or a reopened order."""
        state = binding.sale_order_id.state
        return state in OPEN or (
            state == "cancel"
            and binding.apply_anyway
            and any(change.kind == "reopened" for change in changes)
        )

    def _update(self, backend, orders, bindings, found):
        """Bring imported orders up to date.

        :param orders: list of :class:`~..mappers.order_types.Order`
        :param bindings: ``{gid: shopify.order}``
        :param found: :class:`~.order_values.Found`, complete for those that `_needs_resolving`
        :return: ``{gid: Outcome}``
        """
        outcomes, done, edits = {}, [], []
        for order in orders:
            binding = bindings[order.gid]
            changes = self._differences(binding, order)
            if self._is_rewritten(binding, changes):
                outcome = self._rewrite(backend, order, binding, changes, found)
            else:
                outcome = self._record(order, binding, changes, found)
                if changes or binding.pending:
                    edits.append((order, binding, changes))
            outcomes[order.gid] = outcome
            if outcome.status != "blocked":
                done.append((order, binding.sale_order_id))
        if edits:
            outcomes |= self.env["shopify.order.editor"]._edit(backend, edits, found)
        confirmed = self._confirm(backend, done, bindings)
        for order, sale in done:
            if sale in confirmed:
                outcomes[order.gid] = Outcome(
                    "updated", record=sale, message=self.env._("%s was confirmed.", order.name)
                )
        return outcomes

    def _rewrite(self, backend, order, binding, changes, found):
        """Apply all of an order to its quotation; a cancelled one becomes a quotation again."""
        sale, values = binding.sale_order_id, self.env["shopify.order.values"]
        newer = self._is_newer(order, binding) or bool(changes) or bool(binding.difference)
        facts = values._facts(order, found)
        if changes:
            if sale.state == "cancel":
                sale.action_draft()
            block = self._apply(backend, binding, order, found, changes)
            if block:
                return Outcome("blocked", record=sale, blocks=[block])
            facts |= values._applied(order, found)
        binding.write({**facts, **NOTHING_WAITS})
        self._apply_tags(sale, order, found)
        if is_dead(order):
            sale._action_cancel()
        return Outcome(
            "updated" if newer else "unchanged",
            record=sale,
            message=self._sentence(order, changes, newer),
        )

    def _record(self, order, binding, changes, found):
        """Statuses, payments, tags and notes of an order whose content is not rewritten."""
        sale = binding.sale_order_id
        newer = self._is_newer(order, binding) or bool(binding.difference)
        facts = self.env["shopify.order.values"]._facts(order, found)
        if not changes and not binding.pending:
            facts |= NOTHING_WAITS
        if not changes and not binding.cancel_requested_at:
            content = snapshot(order)
            facts |= {"snapshot": content, "fingerprint": fingerprint(content)}
        binding.write(facts)
        self._apply_tags(sale, order, found)
        return Outcome(
            "updated" if newer else "unchanged",
            record=sale,
            message=self._sentence(order, [], newer),
        )

    def _is_newer(self, order, binding):
        return not binding.shopify_updated_at or order.updated_at > binding.shopify_updated_at

    def _differences(self, binding, order):
        """What of the content changed since it was applied: list of Changes."""
        content = snapshot(order)
        if fingerprint(content) == binding.fingerprint:
            return []
        if binding.sale_order_id.state == "cancel" and (
            order.cancelled_at or binding.cancel_requested_at
        ):
            # Nothing is left to be done of what is cancelled on both sides.
            return []
        return differences(binding.snapshot, content)

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

    def _apply(self, backend, binding, order, found, changes):
        """Rewrite a quotation; what a user set on it and Shopify does not state stays.

        :param changes: of :func:`~.order_snapshot.differences`
        :return: the Block that stopped it; nothing was written then
        """
        sale = binding.sale_order_id
        vals = self.env["shopify.order.values"]._order_vals(backend, order, found)
        commands = self._line_commands(backend, sale, vals["order_line"])
        kinds = {change.kind for change in changes}
        kept = _KEPT if kinds & _PARTIES else _KEPT | _OF_CUSTOMER
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
