"""Refunds and returns of applied orders: kept as Shopify states them."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from odoo import fields, models
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..mappers.invoice_totals import DOCUMENT, exact
from ..mappers.refund_value import value_refunds
from ..mappers.taken_off import had_left
from .inbox_verdict import describe

_logger = logging.getLogger(__name__)

# A refund of which these change is to be looked at again.
_MONEY = {"money_state", "amount_money"}


@dataclass(frozen=True)
class Scene:
    """What the refunds and returns of a batch refer to.

    :ivar orders: ``{gid: shopify.order}``
    :ivar currencies: ``{code: id}``
    :ivar places: ``{gid: id of shopify.location}``
    :ivar lines: ``{(gid of the order, gid of the line): sale.order.line}``
    :ivar left_out: keys of taxes that the store does not book
    """

    backend: Any
    orders: dict
    currencies: dict
    places: dict
    lines: dict
    left_out: frozenset

    def line_id(self, order, gid):
        line = self.lines.get((order.gid, gid))
        return line.id if line else False


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _after_apply(self, backend, applied, context):
        """Keep the refunds and returns of the orders; a job makes the credit notes."""
        result = super()._after_apply(backend, applied, context)
        orders = [order for order, _outcome in applied if order.refunds or order.returns]
        if not orders:
            return result
        try:
            with self.env.cr.savepoint():
                bindings = self._bindings(backend, [order.gid for order in orders])
                self.env["shopify.refund.recorder"]._record(backend, orders, bindings)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            # The orders are right as they are.
            _logger.exception("Refunds of %s orders could not be kept", len(orders))
            self.env["shopify.accountant"]._report(
                backend, {order.gid: (order.name, describe(error)) for order in orders}
            )
        return result


class ShopifyRefundRecorder(models.AbstractModel):
    """Writes ``shopify.return`` and ``shopify.refund`` of a batch of orders."""

    _name = "shopify.refund.recorder"
    _description = "Shopify Refund Recorder"

    def _record(self, backend, orders, bindings):
        """Create or update the returns and refunds of orders.

        :param orders: list of :class:`~..mappers.order_types.Order`
        :param bindings: ``{gid: shopify.order}``
        """
        orders = [order for order in orders if order.gid in bindings]
        scene = Scene(
            backend,
            bindings,
            self._currencies(orders),
            self._places(backend, orders),
            self._sale_lines(bindings),
            self._left_out(backend, orders),
        )
        self.env["shopify.payment.importer"]._store(
            backend, [order for order in orders if order.refunds], bindings
        )
        self._note_return_status(scene, orders)
        returns = self._record_returns(scene, orders)
        changed = self._record_refunds(scene, orders, returns)
        if backend.refund_policy == "none":
            self.env["shopify.refund.accountant"]._keep(changed)
        elif changed:
            self.env["shopify.accounting.task"]._add(changed.order_id)

    # === WHAT THEY REFER TO === #

    def _currencies(self, orders):
        codes = {order.currency for order in orders}
        found = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search_fetch([("name", "in", list(codes))], ["name"])
        )
        return {currency.name: currency.id for currency in found}

    def _places(self, backend, orders):
        gids = {line.location_gid for o in orders for r in o.refunds for line in r.lines}
        gids |= {
            disposition.location_gid
            for order in orders
            for item in order.returns
            for reverse in item.reverse_orders
            for line in reverse.lines
            for disposition in line.dispositions
        }
        found = self.env["shopify.location"].search_fetch(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids - {""}))],
            ["shopify_gid"],
        )
        return {location.shopify_gid: location.id for location in found}

    def _left_out(self, backend, orders):
        keys = {tax.key for o in orders if o.refunds for line in o.lines for tax in line.taxes}
        taxes, _blocks = self.env["shopify.tax.matcher"]._match(backend, keys)
        return frozenset(key for key, tax in taxes.items() if not tax)

    def _sale_lines(self, bindings):
        """``{(gid of the order, gid of the line): sale.order.line}``"""
        return {
            (gid, line.shopify_gid): line
            for gid, binding in bindings.items()
            for line in binding.sale_order_id.order_line
            if line.shopify_gid
        }

    # === RETURNS === #

    def _note_return_status(self, scene, orders):
        """It changes without the order: one that was applied already is not written again."""
        for order in orders:
            binding = scene.orders[order.gid]
            if binding.return_status != order.return_status:
                binding.return_status = order.return_status

    def _record_returns(self, scene, orders):
        """:return: ``{gid: shopify.return}``"""
        stated = {item.gid: (order, item) for order in orders for item in order.returns}
        Return = self.env["shopify.return"]
        known = Return.search(
            [("backend_id", "=", scene.backend.id), ("shopify_gid", "in", list(stated))]
        )
        found, created = {}, []
        for record in known:
            order, item = stated.pop(record.shopify_gid)
            found[record.shopify_gid] = record
            record.write(_changed(record, self._return_vals(scene, order, item)))
        for gid, (order, item) in stated.items():
            vals = self._return_vals(scene, order, item)
            vals |= {
                "backend_id": scene.backend.id,
                "shopify_gid": gid,
                "order_id": scene.orders[order.gid].id,
            }
            created.append(vals)
        for record in Return.create(created):
            found[record.shopify_gid] = record
        return found

    def _return_vals(self, scene, order, item):
        fees = defaultdict(Decimal)
        for fee in item.fees:
            fees[fee.kind] += fee.amount.amount
        vals = {
            "name": item.name or item.gid.rpartition("/")[2],
            "status": item.status,
            "requested_at": item.created_at,
            "approved_at": item.approved_at,
            "closed_at": item.closed_at,
            "decline_reason": item.decline_reason,
            "decline_note": item.decline_note,
            "problem": item.problem,
            "currency_id": scene.currencies.get(order.currency),
            "restocking_fee": float(fees["restocking"]),
            "shipping_fee": float(fees["return_shipping"]),
        }
        if item.problem:
            return vals
        lines = self._return_lines(scene, order, item)
        dispositions = self._dispositions(scene, order, item)
        return {
            **vals,
            "content": _fingerprint(lines, dispositions),
            "line_ids": [Command.clear(), *map(Command.create, lines)],
            "disposition_ids": [Command.clear(), *map(Command.create, dispositions)],
        }

    def _return_lines(self, scene, order, item):
        return [
            {
                "kind": "return",
                "shopify_gid": line.gid,
                "line_gid": line.line_gid,
                "sale_line_id": scene.line_id(order, line.line_gid),
                "title": _title(order, line.line_gid),
                "quantity": line.quantity,
                "processed_quantity": line.processed_quantity,
                "refunded_quantity": line.refunded_quantity,
                "reason": line.reason,
                "reason_name": line.reason_name,
                "note": line.note,
                "customer_note": line.customer_note,
            }
            for line in item.lines
        ] + [
            {
                "kind": "exchange",
                "shopify_gid": line.gid,
                "line_gid": line.line_gids[0] if line.line_gids else "",
                "sale_line_id": scene.line_id(order, (line.line_gids or ("",))[0]),
                "title": line.title or line.sku,
                "quantity": line.quantity,
                "processed_quantity": line.processed_quantity,
            }
            for line in item.exchanges
        ]

    def _dispositions(self, scene, order, item):
        found = []
        for reverse in item.reverse_orders:
            for line in reverse.lines:
                common = {
                    "reverse_order_gid": reverse.gid,
                    "reverse_order_status": reverse.status,
                    "line_gid": line.line_gid,
                    "sale_line_id": scene.line_id(order, line.line_gid),
                }
                found += [
                    {
                        **common,
                        "shopify_gid": disposition.gid,
                        "kind": disposition.kind,
                        "quantity": disposition.quantity,
                        "location_gid": disposition.location_gid,
                        "location_id": scene.places.get(disposition.location_gid),
                        "disposed_at": disposition.created_at,
                    }
                    for disposition in line.dispositions
                ]
                rest = line.quantity - sum(one.quantity for one in line.dispositions)
                if rest > 0:
                    found.append({**common, "shopify_gid": line.gid, "quantity": rest})
        return found

    # === REFUNDS === #

    def _record_refunds(self, scene, orders, returns):
        """:return: the ``shopify.refund`` that are new or say something else than before"""
        stated = {
            refund.gid: (order, refund, value)
            for order in orders
            if order.refunds
            for values in [value_refunds(order)]
            for refund in order.refunds
            for value in [values[refund.gid]]
        }
        Refund = self.env["shopify.refund"]
        known = Refund.search(
            [("backend_id", "=", scene.backend.id), ("shopify_gid", "in", list(stated))]
        )
        changed, new = Refund, []
        records = {record.shopify_gid: record for record in known}
        for gid, (order, refund, value) in stated.items():
            vals = self._refund_vals(scene, order, refund, value)
            vals["return_id"] = (
                returns[refund.return_gid].id if refund.return_gid in returns else False
            )
            lines = self._refund_lines(scene, order, refund, value)
            vals["content"] = _fingerprint(lines)
            if record := records.get(gid):
                credited = record._live_moves()
                if credited:
                    # what was credited stays as it was; the accountant compares the money
                    vals["content"] = record.content
                vals["line_ids"] = [Command.clear(), *map(Command.create, lines)]
                if vals := _changed(record, vals):
                    if record.state == "not_booked" and vals.keys() & _MONEY:
                        vals["state"] = "to_book"
                    record.write(vals)
                    changed |= record
                if credited:
                    self._follow_quantities(record, lines)
            else:
                vals["line_ids"] = [*map(Command.create, lines)]
                vals |= {
                    "backend_id": scene.backend.id,
                    "shopify_gid": gid,
                    "order_id": scene.orders[order.gid].id,
                }
                new.append(vals)
        created = Refund.create(new)
        self._link_payments(scene.backend, stated, known | created)
        return changed | created

    def _follow_quantities(self, record, lines):
        """How much is ordered, and is left of it, may change after the refund was credited."""
        stated = {vals["shopify_gid"]: vals for vals in lines}
        for line in record.line_ids:
            for name in ("ordered_quantity", "gone_quantity"):
                quantity = stated.get(line.shopify_gid, line)[name]
                if line[name] != quantity:
                    line[name] = quantity

    def _refund_vals(self, scene, order, refund, value):
        return {
            "shopify_updated_at": refund.updated_at,
            "processed_at": refund.processed_at or refund.created_at or order.updated_at,
            "note": refund.note,
            "money_state": value.money_state,
            "currency_id": scene.currencies.get(order.currency),
            "amount_value": float(value.total.amount),
            "amount_money": float(value.money.amount),
            "amount_gap": float(value.gap.amount) if value.gap is not None else 0.0,
            "amount_exchanged": float(value.exchanged.amount) if value.exchanged else 0.0,
            "pays_out": value.pays_out,
            "problem": value.problem,
        }

    def _refund_lines(self, scene, order, refund, value):
        ordered = {line.gid: line for line in order.lines}
        left = {line.gid: had_left(order, refund, line) for line in refund.lines}
        vals_list = []
        for part in value.parts:
            line = ordered.get(part.line_gid)
            whole = bool(line) and part.total == line.total_included
            quantity = part.quantity
            if part.kind in ("shipping", "duty"):
                quantity = 1 if whole else 0
            vals_list.append(
                {
                    "kind": part.kind,
                    "shopify_gid": part.gid,
                    "line_gid": part.line_gid,
                    "sale_line_id": scene.line_id(order, part.line_gid),
                    "reason": part.reason,
                    "quantity": quantity,
                    "ordered_quantity": line.quantity if line else 0,
                    "gone_quantity": line.quantity - line.current_quantity if line else 0,
                    "restock_type": part.restock_type,
                    "restocked": part.restocked,
                    "had_left": left.get(part.gid, False),
                    "location_gid": part.location_gid,
                    "location_id": scene.places.get(part.location_gid),
                    "amount_untaxed": float(part.untaxed.amount),
                    "amount_tax": float(part.tax.amount),
                    "shop_untaxed": float(part.shop_untaxed.amount),
                    "shop_tax": float(part.shop_tax.amount),
                    **self._taxes(scene, order, [line] if line else order.lines),
                    "full_amount": whole,
                }
            )
        return vals_list

    def _taxes(self, scene, order, lines):
        """Shopify's tax of what a part of a refund is of: a line, else all of the order."""
        kept = {line.gid: line for line in order.kept_lines}
        pairs = [self._booked_taxes(scene, order, line, kept[line.gid]) for line in lines]
        return {
            "ordered_tax": float(sum(ordered for ordered, _left_out in pairs)),
            "left_out_tax": float(sum(left_out for _ordered, left_out in pairs)),
        }

    def _booked_taxes(self, scene, order, line, kept):
        """``(Shopify's tax, the part of it that is not booked)``: by the sale order, which may be
        older than the mapping of its taxes; by the mapping where that does not tell.
        """
        sale_line = scene.lines.get((order.gid, line.gid))
        data = (sale_line and sale_line.extra_tax_data) or {}
        stated = data.get("manual_tax_amounts")
        for one in (line, kept):
            if one.quantity and stated and data.get("quantity") == one.quantity:
                booked = sum(
                    exact(amounts.get(f"tax_amount{DOCUMENT}", 0.0)) for amounts in stated.values()
                )
                total = one.tax_total.amount
                if total == booked:
                    return line.tax_total.amount, Decimal(0)
                if total - booked in _sums(tax.amount.amount for tax in one.taxes):
                    return total, total - booked
        left_out = [tax.amount.amount for tax in line.taxes if tax.key in scene.left_out]
        return line.tax_total.amount, sum(left_out, Decimal(0))

    def _link_payments(self, backend, stated, records):
        """Say of each transaction which refund it belongs to."""
        gids = {
            gid for _order, refund, _value in stated.values() for gid in refund.transaction_gids
        }
        payments = self.env["shopify.payment"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids))]
        )
        by_gid = {payment.shopify_gid: payment for payment in payments}
        for record in records:
            own = self.env["shopify.payment"].union(
                *(
                    by_gid[gid]
                    for gid in stated[record.shopify_gid][1].transaction_gids
                    if gid in by_gid
                )
            )
            missing = own.filtered(lambda payment, record=record: payment.refund_id != record)
            if missing:
                missing.refund_id = record


def _sums(amounts):
    """What any of the amounts add up to."""
    found = {Decimal(0)}
    for amount in amounts:
        found |= {known + amount for known in found}
    return found


def _title(order, line_gid):
    return next((line.name for line in order.lines if line.gid == line_gid), "")


def _fingerprint(*lists):
    return hashlib.sha256(repr(lists).encode()).hexdigest()


def _changed(record, vals):
    """Of the values those that differ; lines only when the fingerprint does."""
    lines = {name: vals[name] for name in vals if name.endswith("_ids")}
    plain = {
        name: value
        for name, value in vals.items()
        if name not in lines
        and (record[name] or value)
        and record._fields[name].convert_to_write(record[name], record) != (value or False)
    }
    if "content" in plain:
        plain |= lines
    if plain:
        plain["synced_at"] = fields.Datetime.now()
    return plain
