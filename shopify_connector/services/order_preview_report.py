"""What came of an order in a dry run, as plain values for its page."""

from __future__ import annotations

from odoo import models
from odoo.tools import format_date, format_datetime

from .dry_run import trial_of

# Fields of the sale order and of the Shopify order whose change is told.
_SALE_FIELDS = (
    "name",
    "state",
    "partner_id",
    "partner_invoice_id",
    "partner_shipping_id",
    "payment_term_id",
    "fiscal_position_id",
    "carrier_id",
    "tag_ids",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
)
_FACTS = (
    "financial_status",
    "fulfillment_status",
    "return_status",
    "cancelled_at",
    "deleted",
    "amount_received",
    "amount_refunded",
    "tags",
    "note",
    "difference",
)


class ShopifyOrderPreviewReport(models.AbstractModel):
    """Describes orders by what is in the database at the end of a dry run. Each section is a
    method of its own, open to extension; records are ``{"model", "id", "name"}``.
    """

    _name = "shopify.order.preview.report"
    _description = "Shopify Order Preview Report"

    def _describe(self, backend, binding, verdict, before, notes):
        """
        :param binding: the ``shopify.order``, empty when the order is not in Odoo afterwards
        :param verdict: the inbox's Verdict on the order
        :param before: :meth:`_state` of the order as it was
        :param notes: sentences
        :return: values of the template, JSON types only but for ``comparison``, which is Markup
        """
        order, sale = trial_of(self.env).order, binding.sale_order_id
        return {
            "order": self._order_facts(order, binding),
            "headline": self._headline(verdict, sale, bool(before)),
            "blocks": self._blocks(verdict),
            "changes": self._changes(before, self._state(binding)) if before else [],
            "matches": self.env["shopify.order.preview.matches"]._matches(backend, order, binding),
            "lines": self._lines(sale),
            "deliveries": self._deliveries(sale),
            "entries": self._entries(binding),
            "payments": self._payments(binding),
            "comparison": binding.comparison or "",
            "notes": [*(binding.warnings or "").split("\n"), *notes],
        }

    # === WHAT WOULD HAPPEN === #

    def _order_facts(self, order, binding):
        if order is None:
            return {"name": binding.name or "", "facts": []}
        total = order.totals.total
        facts = [
            (self.env._("Ordered"), format_datetime(self.env, order.processed_at)),
            (self.env._("Total"), f"{total.amount} {total.currency}"),
            (self.env._("Payment"), order.financial_status.replace("_", " ")),
            (self.env._("Fulfilment"), order.fulfillment_status.replace("_", " ")),
            (self.env._("Channel"), order.channel or order.source_name),
        ]
        return {"name": order.name, "facts": [fact for fact in facts if fact[1]]}

    def _headline(self, verdict, sale, known):
        """``{"level", "title", "message"}``; the level is one of Bootstrap's."""
        ours = {"name": sale.name}
        titles = {
            "created": {
                "sale": self.env._("It would be imported and confirmed as %(name)s."),
                "cancel": self.env._("It would be imported, cancelled, as %(name)s."),
            }.get(sale.state, self.env._("It would be imported as quotation %(name)s.")),
            "updated": self.env._("It is in Odoo as %(name)s, which would be brought up to date."),
            "unchanged": self.env._("It is in Odoo as %(name)s. Nothing would change."),
            "skipped": self.env._("It would not be imported."),
            "deleted": self.env._("It is in Odoo as %(name)s and was deleted in Shopify."),
            "blocked": self.env._("It is in Odoo as %(name)s. The change would wait.")
            if known
            else self.env._("It would wait for a decision."),
            "retry": self.env._("It would be tried again later."),
            "failed": self.env._("It would fail."),
        }
        levels = {
            "created": "success",
            "updated": "success",
            "blocked": "warning",
            "retry": "warning",
            "failed": "danger",
        }
        told = verdict.outcome in ("skipped", "retry", "failed")
        return {
            "level": levels.get(verdict.outcome, "info"),
            "outcome": verdict.outcome,
            "title": titles[verdict.outcome] % ours,
            "message": verdict.message if told else "",
        }

    def _blocks(self, verdict):
        """The exceptions that would arise: of the import, then of what follows."""
        labels = dict(
            self.env["shopify.exception"]._fields["category"]._description_selection(self.env)
        )
        blocks = [*verdict.blocks, *(block for _flow, block in trial_of(self.env).reports)]
        once = {(block.category, block.key): block for block in blocks}
        found = [
            {
                "category": labels.get(block.category, block.category),
                "title": block.title,
                "message": block.message,
                "remedy": block.remedy,
                "fix": self._fix(block),
            }
            for block in once.values()
        ]
        if verdict.kind == "failed":
            found.append(
                {
                    "category": labels.get(verdict.category, verdict.category),
                    "title": verdict.message,
                    "message": "",
                    "remedy": "",
                    "fix": None,
                }
            )
        return found

    def _fix(self, block):
        if not block.res_id or block.res_model not in self.env:
            return None
        return self._reference(self.env[block.res_model].browse(block.res_id))

    # === WHAT WOULD CHANGE === #

    def _state(self, binding):
        """What the page compares: ``{key: (label, text)}``; empty for an order that is not in
        Odoo."""
        if not binding:
            return {}
        sale = binding.sale_order_id
        found = {("fact", name): self._field(binding, name) for name in _FACTS}
        found |= {("sale", name): self._field(sale, name) for name in _SALE_FIELDS}
        for line in sale.order_line:
            if not line.display_type:
                found["line", line.id] = (line.name.split("\n")[0], self._line_text(line))
        for move in self._moves(binding):
            found["entry", move.id] = (move.journal_id.display_name, self._entry_text(move))
        for picking in sale.picking_ids:
            state = self._text(picking, "state")
            found["picking", picking.id] = (picking.picking_type_id.name, state)
        return found

    def _changes(self, before, after):
        """``[{"label", "before", "after"}]``"""
        keys = [*before, *(key for key in after if key not in before)]
        return [
            {"label": (after.get(key) or before[key])[0], "before": old, "after": new}
            for key in keys
            if (old := before.get(key, ("", ""))[1]) != (new := after.get(key, ("", ""))[1])
        ]

    def _line_text(self, line):
        return self.env._(
            "%(quantity)s x %(price)s = %(total)s",
            quantity=f"{line.product_uom_qty:g}",
            price=line.currency_id.format(line.price_unit),
            total=line.currency_id.format(line.price_total),
        )

    def _entry_text(self, move):
        total = move.currency_id.format(move.amount_total)
        return f"{total}, {self._text(move, 'state')}"

    # === WHAT WOULD BE THERE === #

    def _lines(self, sale):
        currency = sale.currency_id
        return [
            {
                "product": self._reference(line.product_id),
                "name": line.name,
                "quantity": f"{line.product_uom_qty:g}",
                "price": currency.format(line.price_unit),
                "discount": f"{line.discount:.6g} %" if line.discount else "",
                "taxes": [self._reference(tax) for tax in line.tax_ids],
                "tax": currency.format(line.price_tax),
                "total": currency.format(line.price_total),
            }
            for line in sale.order_line
            if not line.display_type
        ]

    def _deliveries(self, sale):
        """Transfers with what they move, from where, and what is free there now."""
        return [
            {
                "name": picking.picking_type_id.display_name,
                "state": self._text(picking, "state"),
                "partner": self._reference(picking.partner_id),
                "from": picking.location_id.display_name,
                "to": picking.location_dest_id.display_name,
                "moves": [
                    {
                        "product": self._reference(move.product_id),
                        "quantity": f"{move.product_uom_qty:g} {move.product_uom.name}",
                        "available": self._available(move),
                    }
                    for move in picking.move_ids
                ],
            }
            for picking in sale.picking_ids
        ]

    def _available(self, move):
        if not move.product_id.is_storable or move.state in ("done", "cancel"):
            return ""
        product = move.product_id.with_context(location=move.location_id.id)
        return f"{product.free_qty:g} {move.product_id.uom_id.name}"

    def _moves(self, binding):
        """The journal entries of the order; open to extension."""
        return binding.sale_order_id.invoice_ids | binding.payment_ids.move_id

    def _entries(self, binding):
        return [
            {
                "name": move.journal_id.display_name,
                "kind": self._text(move, "move_type"),
                "state": self._text(move, "state"),
                "date": format_date(self.env, move.invoice_date or move.date),
                "total": move.currency_id.format(move.amount_total),
                "payment": self._text(move, "payment_state") if move.is_invoice() else "",
                "record": self._reference(move),
                "foreign": move.currency_id != move.company_currency_id,
                "lines": [
                    self._entry_line(line)
                    for line in move.line_ids
                    if line.display_type not in ("line_section", "line_subsection", "line_note")
                ],
            }
            for move in self._moves(binding)
        ]

    def _entry_line(self, line):
        books = line.company_currency_id
        return {
            "account": self._reference(line.account_id),
            "label": (line.name or "").split("\n")[0],
            "taxes": [self._reference(tax) for tax in line.tax_ids],
            "debit": books.format(line.debit) if line.debit else "",
            "credit": books.format(line.credit) if line.credit else "",
            "amount": line.currency_id.format(line.amount_currency),
        }

    def _payments(self, binding):
        return [
            {
                "gateway": payment.gateway_title or payment.gateway,
                "kind": (payment.kind or "").replace("_", " "),
                "status": (payment.status or "").replace("_", " "),
                "amount": payment.currency_id.format(payment.amount),
                "state": self._text(payment, "state"),
            }
            for payment in binding.payment_ids.sorted("id")
        ]

    # === TEXTS === #

    def _reference(self, record):
        """One record as ``{"model", "id", "name"}``, None for none."""
        if not record:
            return None
        return {"model": record._name, "id": record.id, "name": record.display_name}

    def _field(self, record, name):
        return record._fields[name]._description_string(self.env), self._text(record, name)

    def _text(self, record, name):
        """The value of a field as people read it."""
        field, value = record._fields[name], record[name]
        if field.relational:
            return ", ".join(value.mapped("display_name"))
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value) or value or ""
        if field.type == "monetary":
            return record[field.get_currency_field(record)].format(value)
        if field.type == "datetime":
            return format_datetime(self.env, value) if value else ""
        if field.type == "boolean":
            return self.env._("yes") if value else self.env._("no")
        return str(value or "")
