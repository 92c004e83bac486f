"""The accounting of imported orders: invoices, payments, and what belongs together."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timezone
from zoneinfo import ZoneInfo

from odoo import fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..mappers.titles import title_key
from .inbox_verdict import describe
from .outcome import Block, Blocked

_logger = logging.getLogger(__name__)

FLOW = "accounting"
# Odoo's constraint: a line of an entry has an account.
_NO_ACCOUNT = "account_move_line_check_accountable_required_fields"
# Attempts that say nothing about how an order is paid.
_NO_TENDER = ("failure", "error")


@dataclass(frozen=True)
class Plan:
    """How an order is invoiced: values of the store's fields of the same names."""

    policy: str
    when: str


class ShopifyAccountant(models.AbstractModel):
    """Takes orders through invoices, payments and their matching, each for all orders at once.

    Each step looks at what is there already, so it may run again at any time. Orders that
    cannot go through become exceptions and wait; the others go on.
    """

    _name = "shopify.accountant"
    _description = "Shopify Accountant"

    def _account(self, backend, orders):
        """Do all that is due for these ``shopify.order``.

        :return: ``{shopify.order: [Block]}`` of those that wait
        """
        orders = orders.filtered("sale_order_id")
        plan = self._plan(backend, orders)
        blocks = defaultdict(list)
        for model, method in self._steps():
            step = getattr(self.env[model], method)
            for order, found in self._in_batch(step, backend, orders, plan).items():
                blocks[order] += found
        self._report_blocks(backend, orders, blocks)
        return blocks

    def _steps(self):
        """``[(model, method)]``; each method takes ``(backend, orders, plan)`` and returns the
        Blocks by order. Open to extension.
        """
        return [
            ("shopify.invoicer", "_invoice"),
            ("shopify.payment.importer", "_book"),
            ("shopify.accountant", "_match"),
        ]

    def _plan(self, backend, orders):
        """``{shopify.order: Plan}``: the store's, or that of the gateway of the largest payment."""
        own = Plan(backend.invoice_policy, backend.invoice_when)
        special = {
            row.gateway_key: Plan(row.invoice_policy or own.policy, row.invoice_when or own.when)
            for row in backend.payment_mapping_ids
            if row.invoice_policy or row.invoice_when
        }
        if not special:
            return dict.fromkeys(orders, own)
        plan = {}
        for order in orders:
            tenders = order.payment_ids.filtered(
                lambda payment: (
                    payment.kind in ("sale", "authorization", "emv_authorization", "capture")
                    and payment.status not in _NO_TENDER
                )
            )
            main = max(tenders, key=lambda payment: payment.amount, default=None)
            plan[order] = special.get(title_key(main.gateway), own) if main else own
        return plan

    def _in_batch(self, step, backend, orders, plan):
        """A step for all orders at once; when that fails, one by one."""
        try:
            with self.env.cr.savepoint():
                return step(backend, orders, plan)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Blocked as error:
            if len(orders) == 1:
                return {orders: list(error.blocks)}
        except Exception as error:
            if len(orders) == 1:
                _logger.info("Accounting of %s failed", orders.name, exc_info=True)
                return {orders: [self._failure_block(backend, orders, error)]}
            _logger.info("Accounting of %s orders failed, now one by one", len(orders))
        blocks = {}
        for order in orders:
            blocks |= self._in_batch(step, backend, order, plan)
        return blocks

    # === MATCHING === #

    def _match(self, backend, orders, plan):
        """Reconcile the invoices of each order with what was booked for it."""
        matches = []
        for order in orders:
            lines = self._moves_to_match(order).line_ids.filtered(
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
        return {}

    def _moves_to_match(self, order):
        """What of an order may be reconciled among itself; open to extension."""
        return order.payment_ids.move_id | order.sale_order_id.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice"
        )

    # === DATES AND PERIODS === #

    def _date(self, backend, moment):
        """The day of a moment (naive UTC) where the store is, or today, by the store's setting."""
        if backend.booking_date == "today" or not moment:
            moment = fields.Datetime.now()
        zone = backend.shop_timezone or self.env.user.tz
        if not zone:
            return moment.date()
        return moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zone)).date()

    def _period_block(self, backend, order, date, journal, has_tax):
        """The Block of a closed period, or None."""
        locks = backend.company_id._get_violated_lock_dates(date, has_tax, journal)
        if not locks:
            return None
        lock_date, _field = locks[-1]
        until = fields.Date.to_string(lock_date)
        return Block(
            category="accounting",
            key=f"period|{until}|{journal.type}",
            title=self.env._("The accounting period until %s is closed", until),
            message=self.env._(
                "Order %(order)s: nothing can be booked on %(date)s in %(journal)s.",
                order=order.name,
                date=fields.Date.to_string(date),
                journal=journal.name,
            ),
            remedy=self.env._(
                "Open the period (Accounting > Lock Dates), or let the store date invoices and"
                " payments on the day they are booked; those that wait are booked then."
            ),
            res_model="shopify.backend",
            res_id=backend.id,
        )

    def _journal_block(self, backend, kind):
        names = {"sale": self.env._("sales"), "general": self.env._("miscellaneous")}
        return Block(
            category="accounting",
            key=f"journal|{kind}",
            title=self.env._(
                "%(company)s has no %(kind)s journal",
                company=backend.company_id.name,
                kind=names[kind],
            ),
            message=self.env._("Nothing can be booked without it."),
            remedy=self.env._("Create the journal, or choose one on the store; then retry."),
            res_model="shopify.backend",
            res_id=backend.id,
        )

    def _failure_block(self, backend, order, error):
        """The Block of what a step raised for one order."""
        diagnosis = getattr(error, "diag", None)
        if diagnosis is not None and diagnosis.constraint_name == _NO_ACCOUNT:
            return self._account_block(backend, order)
        return self._block(order, describe(error))

    def _account_block(self, backend, order):
        """An entry cannot be written, because it is not known on which account."""
        sale = order.sale_order_id.with_company(backend.company_id)
        product = sale.order_line.product_id.filtered(
            lambda product: not product.product_tmpl_id.get_product_accounts()["income"]
        )[:1]
        holder = product or sale.partner_invoice_id
        return Block(
            category="accounting",
            key=f"account|{holder._name}|{holder.id}",
            title=self.env._("%s has no account", holder.display_name),
            message=self.env._(
                "Order %(order)s: no %(kind)s account is set for %(name)s in %(company)s.",
                order=order.name,
                kind=self.env._("income") if product else self.env._("receivable"),
                name=holder.display_name,
                company=backend.company_id.name,
            ),
            remedy=self.env._(
                "Set the account there, on the product's category, or as the default of the"
                " company; then retry."
            ),
            res_model=holder._name,
            res_id=holder.id,
        )

    # === REPORTING === #

    def _block(self, order, message, title=None):
        return Block(
            category="accounting",
            key=order.shopify_gid,
            title=title or self.env._("The accounting of order %s failed", order.name),
            message=self.env._("Order %(order)s: %(message)s", order=order.name, message=message),
            remedy=self.env._(
                "Put right what the message says, then retry. The sale order is not concerned."
            ),
            res_model="sale.order",
            res_id=order.sale_order_id.id,
        )

    def _report(self, backend, messages):
        """Report orders whose accounting failed: ``{gid: (name, message)}``."""
        orders = self.env["shopify.order"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(messages))]
        )
        self._report_blocks(
            backend,
            orders,
            {order: [self._block(order, messages[order.shopify_gid][1])] for order in orders},
        )

    def _report_blocks(self, backend, orders, blocks):
        Exceptions = self.env["shopify.exception"]
        done = orders.filtered(lambda order: not blocks.get(order))
        if done:
            Exceptions._clear_waiting(backend, done.mapped("shopify_gid"), flow=FLOW)
        waiting = {
            order.shopify_gid: (
                order.name,
                list({(block.category, block.key): block for block in found}.values()),
            )
            for order, found in blocks.items()
            if found
        }
        if waiting:
            Exceptions._report(backend, waiting, flow=FLOW)
