"""Transactions of orders: kept as Shopify states them, booked once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from odoo import models
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..mappers.payments import BOOKED_KINDS, LIABILITIES
from ..mappers.titles import title_key
from .dry_run import note
from .inbox_verdict import describe
from .outcome import Block

_logger = logging.getLogger(__name__)

# Shopify's own gateways for what the merchant owes the customer already.
_KINDS = {"gift_card": "gift_card", "shopify_store_credit": "store_credit"}
# What Shopify may tell of a transaction after it was booked.
_AFTERWARDS = ("fee", "fee_tax", "fee_currency_id", "settlement_currency", "settlement_rate")
# Sources of events that somebody waits for.
_ASKED = {"manual", "retry"}


@dataclass(frozen=True)
class Target:
    """Where the money of a gateway is booked."""

    kind: str
    journal: Any = None
    method: Any = None
    account: Any = None


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _after_apply(self, backend, applied, context):
        """Keep the transactions of the orders; a job makes invoices and books payments.

        An order that was up to date is looked at only when a person, or the fix of an
        exception, asked for it.
        """
        super()._after_apply(backend, applied, context)
        if not applied or not backend._does_accounting():
            return
        sources = context.get("sources") or {}
        orders = [
            order
            for order, outcome in applied
            if outcome.status != "unchanged" or _ASKED & set(sources.get(order.gid, ()))
        ]
        if not orders:
            return
        try:
            with self.env.cr.savepoint():
                bindings = self._bindings(backend, [order.gid for order in orders])
                self.env["shopify.payment.importer"]._store(backend, orders, bindings)
                tasks = self.env["shopify.accounting.task"]
                tasks._add(self.env["shopify.order"].union(*bindings.values()))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            # The orders are right as they are.
            _logger.exception("Transactions of %s orders could not be kept", len(orders))
            self.env["shopify.accountant"]._report(
                backend, {order.gid: (order.name, describe(error)) for order in orders}
            )


class ShopifyPaymentImporter(models.AbstractModel):
    """Keeps transactions (``shopify.payment``) and books those that moved money."""

    _name = "shopify.payment.importer"
    _description = "Shopify Payment Importer"

    # === KEEPING === #

    def _store(self, backend, orders, bindings):
        """Create or update the transactions of orders.

        :param orders: list of :class:`~..mappers.order_types.Order`
        :param bindings: ``{gid: shopify.order}``
        """
        stated = {
            transaction.gid: (order, transaction)
            for order in orders
            for transaction in order.transactions
        }
        if not stated:
            return
        Payment = self.env["shopify.payment"]
        known = Payment.search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(stated))]
        )
        currencies = self._currencies(stated.values())
        for payment in known:
            order, transaction = stated.pop(payment.shopify_gid)
            vals = self._vals(order, transaction, currencies)
            if payment.move_id:
                vals = {name: vals[name] for name in _AFTERWARDS}
            payment.write(self._changed(payment, vals))
        Payment.create(
            [
                {
                    "backend_id": backend.id,
                    "shopify_gid": gid,
                    "order_id": bindings[order.gid].id,
                    **self._vals(order, transaction, currencies),
                }
                for gid, (order, transaction) in stated.items()
                if order.gid in bindings
            ]
        )

    def _currencies(self, stated):
        codes = set()
        for _order, transaction in stated:
            codes |= {transaction.amount.shop.currency, transaction.amount.presentment.currency}
            codes |= {fee.amount.currency for fee in transaction.fees}
        found = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search_fetch([("name", "in", list(codes))], ["name"])
        )
        return {currency.name: currency.id for currency in found}

    def _vals(self, order, transaction, currencies):
        """Values of ``shopify.payment``; amounts are in major units."""
        policy = "shop" if order.currency == order.shop_currency else "presentment"
        amount, bag = transaction.amount.pick(policy), transaction.amount
        fees = transaction.fees
        taxes = [fee.tax_amount.amount for fee in fees if fee.tax_amount is not None]
        rounding = transaction.rounding.pick(policy).amount if transaction.rounding else 0
        return {
            "parent_gid": transaction.parent_gid,
            "kind": transaction.kind,
            "status": transaction.status,
            "gateway": transaction.gateway,
            "gateway_title": transaction.formatted_gateway,
            "manual": transaction.manual,
            "processed_at": transaction.processed_at or order.processed_at,
            "reference": transaction.payment_id,
            "test": transaction.test,
            "currency_id": currencies.get(amount.currency),
            "amount": float(amount.amount),
            "shop_currency_id": currencies.get(bag.shop.currency),
            "shop_amount": float(bag.shop.amount),
            "customer_currency_id": currencies.get(bag.presentment.currency),
            "customer_amount": float(bag.presentment.amount),
            "rounding": float(rounding),
            "fee_currency_id": currencies.get(fees[0].amount.currency) if fees else False,
            "fee": float(sum(fee.amount.amount for fee in fees)),
            "fee_tax": float(sum(taxes)),
            "settlement_currency": transaction.settlement_currency,
            "settlement_rate": float(transaction.settlement_rate or 0),
        }

    def _changed(self, payment, vals):
        fields = payment._fields
        return {
            name: value
            for name, value in vals.items()
            if fields[name].convert_to_write(payment[name], payment) != (value or False)
            and (payment[name] or value)
        }

    # === BOOKING === #

    def _book(self, backend, orders, plan):
        """Book the money of these orders that is not booked yet.

        :param orders: ``shopify.order``
        :param plan: ``{shopify.order: Plan}``
        :return: ``{shopify.order: [Block]}`` of payments that could not be booked
        """
        due = orders.filtered(lambda order: backend.book_payments or plan[order].policy == "paid")
        payments = self.env["shopify.payment"].search(
            [
                ("order_id", "in", due.ids),
                ("move_id", "=", False),
                ("ignored", "=", False),
                ("status", "=", "success"),
                ("kind", "in", BOOKED_KINDS),
            ],
            order="processed_at, id",
        )
        return self._book_rows(backend, payments)

    def _book_rows(self, backend, payments):
        """Book these transactions where their gateways say.

        :param payments: ``shopify.payment`` that succeeded and are not booked
        :return: ``{shopify.order: [Block]}`` of those that could not be booked
        """
        if not payments:
            return {}
        targets = {
            gateway: self._target(backend, gateway, some.mapped("manual"))
            for gateway, some in payments.grouped("gateway").items()
        }
        blocks = {}
        for payment in payments:
            block = self._obstacle(backend, payment, targets[payment.gateway])
            if block:
                blocks.setdefault(payment.order_id, []).append(block)
                payments -= payment
        ignored = payments.filtered(
            lambda payment: not payment.amount or targets[payment.gateway].kind == "ignore"
        )
        ignored.ignored = True
        payments -= ignored
        owed = payments.filtered(lambda payment: targets[payment.gateway].kind in LIABILITIES)
        self._book_money(backend, payments - owed, targets)
        self._book_liabilities(backend, owed, targets)
        return blocks

    def _target(self, backend, gateway, manual):
        """Where the money of a gateway goes, None when nobody said it."""
        key = title_key(gateway)
        mapping = backend.payment_mapping_ids.filtered(
            lambda row: row.gateway_key == key and row.complete
        )
        note(self.env, "gateway", "mapping" if mapping else "setting", {gateway: mapping or None})
        kind = mapping.kind or _KINDS.get(key) or ("manual" if all(manual) else "normal")
        account = mapping.account_id
        if kind == "ignore":
            return Target(kind)
        if kind in LIABILITIES:
            default = {
                "gift_card": backend.gift_card_account_id,
                "store_credit": backend.store_credit_account_id,
            }
            account = account or default[kind]
            journal = mapping.journal_id or self._entry_journal(backend)
            return Target(kind, journal=journal, account=account) if account else None
        journal, method = mapping.journal_id, mapping.payment_method_line_id
        journal = journal or backend.payment_journal_id
        return Target(kind, journal=journal, method=method) if journal else None

    def _entry_journal(self, backend):
        Journal = self.env["account.journal"]
        return Journal.search(
            [*Journal._check_company_domain(backend.company_id), ("type", "=", "general")], limit=1
        )

    def _method(self, target, payment_type):
        if payment_type == "inbound" and target.method:
            return target.method
        return target.journal._get_available_payment_method_lines(payment_type)[:1]

    def _obstacle(self, backend, payment, target):
        """The Block that keeps a payment from being booked, or None."""
        accountant = self.env["shopify.accountant"]
        if target is None:
            return self._gateway_block(payment)
        if payment.currency_id != payment.order_id.currency_id:
            return self._currency_block(payment)
        if target.kind == "ignore":
            return None
        if not target.journal:
            return accountant._journal_block(backend, "general")
        if target.kind not in LIABILITIES:
            if not self._method(target, _direction(payment)):
                return self._method_block(payment, target)
            if payment.rounding and not backend.rounding_account_id:
                return self._rounding_block(payment)
        date = accountant._date(backend, payment.processed_at)
        return accountant._period_block(backend, payment.order_id, date, target.journal, False)

    def _gateway_block(self, payment):
        gateway = payment.gateway or ""
        kind = _KINDS.get(title_key(gateway)) or ("manual" if payment.manual else "normal")
        return Block(
            category="accounting",
            key=f"gateway|{gateway}",
            title=self.env._(
                "Payments by %(gateway)s are not mapped", gateway=payment.gateway_title or gateway
            ),
            message=self.env._(
                "Order %(order)s: %(amount)s by %(gateway)s cannot be booked, because nobody"
                " said in which journal or account.",
                order=payment.order_id.name,
                amount=payment.currency_id.format(payment.amount),
                gateway=payment.gateway_title or gateway,
            ),
            remedy=self.env._(
                "Open the mapping and choose the journal (for gift cards and store credit the"
                " liability account); the payments that wait are booked then."
            ),
            res_model="shopify.payment.mapping",
            res_id=payment.backend_id.payment_mapping_ids.filtered(
                lambda row: row.gateway_key == title_key(gateway)
            ).id
            or None,
            values={"gateway": gateway, "kind": kind},
        )

    def _currency_block(self, payment):
        known = payment.currency_id
        return Block(
            category="accounting",
            key=payment.shopify_gid,
            title=self.env._("A payment of order %s is in another currency", payment.order_id.name),
            message=self.env._(
                "Order %(order)s is in %(currency)s, its payment of %(amount)s by %(gateway)s is"
                " not, so it was not booked.",
                order=payment.order_id.name,
                currency=payment.order_id.currency_id.name,
                amount=known.format(payment.amount) if known else payment.amount,
                gateway=payment.gateway_title or payment.gateway,
            ),
            remedy=self.env._("Compare the payment with Shopify and book it by hand."),
            res_model="sale.order",
            res_id=payment.sale_order_id.id,
        )

    def _method_block(self, payment, target):
        return Block(
            category="accounting",
            key=f"method|{target.journal.id}|{_direction(payment)}",
            title=self.env._("%s has no payment method", target.journal.name),
            message=self.env._(
                "Order %(order)s: %(amount)s cannot be booked, because journal %(journal)s has no"
                " payment method of this direction.",
                order=payment.order_id.name,
                amount=payment.currency_id.format(payment.amount),
                journal=target.journal.name,
            ),
            remedy=self.env._("Add one to the journal, then retry."),
            res_model="account.journal",
            res_id=target.journal.id,
        )

    def _rounding_block(self, payment):
        return Block(
            category="accounting",
            key="rounding",
            title=self.env._("%s has no account for cash rounding", payment.backend_id.name),
            message=self.env._(
                "Order %(order)s: %(cash)s in cash for %(amount)s cannot be booked, because"
                " nobody said where the difference of %(rounding)s goes.",
                order=payment.order_id.name,
                cash=payment.currency_id.format(payment._cash()),
                amount=payment.currency_id.format(payment.amount),
                rounding=payment.currency_id.format(payment.rounding),
            ),
            remedy=self.env._(
                "Choose the cash rounding account on the page Accounting of the store; the"
                " payments that wait are booked then."
            ),
            res_model="shopify.backend",
            res_id=payment.backend_id.id,
        )

    # === ENTRIES === #

    def _book_money(self, backend, payments, targets):
        def lacks_account(row):
            return not self._method(targets[row.gateway], _direction(row)).payment_account_id

        # Odoo's accounting makes no entry of such a payment by itself: it would settle nothing, and
        # be booked again.
        for force, rows in payments.grouped(lacks_account).items():
            Payment = self.env["account.payment"].with_context(force_payment_move=force)
            booked = Payment.create(
                [self._payment_vals(backend, row, targets[row.gateway]) for row in rows]
            )
            booked.action_post()
            for row, payment in zip(rows, booked, strict=True):
                row.write({"payment_id": payment.id, "move_id": payment.move_id.id})

    def _payment_vals(self, backend, row, target):
        """Values of ``account.payment``; open to extension."""
        direction = _direction(row)
        partner = row.sale_order_id.partner_invoice_id.commercial_partner_id
        method = self._method(target, direction)
        vals = {
            "payment_type": direction,
            "partner_type": "customer",
            "partner_id": partner.id,
            "amount": row._cash(),
            "currency_id": row.currency_id.id,
            "date": self.env["shopify.accountant"]._date(backend, row.processed_at),
            "journal_id": target.journal.id,
            "company_id": backend.company_id.id,
            "payment_method_line_id": method.id,
            "memo": f"{row.order_id.name} {row.gateway_title or row.gateway}",
            "payment_reference": row.reference,
            "destination_account_id": self._receivable(backend, row).id,
        }
        balance = self._balance(backend, row)
        if row.rounding:
            vals["write_off_line_vals"] = [self._rounding_line(backend, row, vals)]
        elif balance is not None:
            vals["force_balance"] = balance
        return vals

    def _rounding_line(self, backend, row, vals):
        """The item that takes the cash rounding, so that the order is settled by the exact amount.

        Tills round in the store's own currency, so a currency that is not that of the books is
        taken at Odoo's rate.
        """
        company, currency = backend.company_id, row.currency_id
        amount = row.rounding if _direction(row) == "outbound" else -row.rounding
        return {
            "name": self.env._("Cash rounding of %s", row.order_id.name),
            "account_id": backend.rounding_account_id.id,
            "partner_id": vals["partner_id"],
            "currency_id": currency.id,
            "amount_currency": amount,
            "balance": currency._convert(amount, company.currency_id, company, vals["date"]),
        }

    def _receivable(self, backend, row):
        """The account of the order's invoice, so that the two can be matched."""
        invoices = row.sale_order_id.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state != "cancel"
        )
        lines = invoices.line_ids.filtered(lambda line: line.display_type == "payment_term")
        partner = row.sale_order_id.partner_invoice_id.commercial_partner_id
        return (
            lines.account_id[:1]
            or partner.with_company(backend.company_id).property_account_receivable_id
        )

    def _balance(self, backend, row):
        """What the store's money says in the company's currency; None where it says nothing."""
        books = backend.company_id.currency_id
        if row.currency_id == books or row.shop_currency_id != books:
            return None
        return row.shop_amount

    def _book_liabilities(self, backend, payments, targets):
        if not payments:
            return
        moves = self.env["account.move"].create(
            [self._entry_vals(backend, row, targets[row.gateway]) for row in payments]
        )
        moves._post(soft=False)
        for row, move in zip(payments, moves, strict=True):
            row.move_id = move

    def _entry_vals(self, backend, row, target):
        """Values of the entry that settles an order by what was owed to the customer."""
        company, currency = backend.company_id, row.currency_id
        date = self.env["shopify.accountant"]._date(backend, row.processed_at)
        balance = self._balance(backend, row)
        if balance is None:
            balance = currency._convert(row.amount, company.currency_id, company, date)
        sign = 1 if _direction(row) == "inbound" else -1
        label = f"{row.order_id.name} {row.gateway_title or row.gateway}"
        common = {
            "name": label,
            "currency_id": currency.id,
            "partner_id": row.sale_order_id.partner_invoice_id.commercial_partner_id.id,
        }
        accounts = ((target.account, sign), (self._receivable(backend, row), -sign))
        return {
            "move_type": "entry",
            "journal_id": target.journal.id,
            "company_id": company.id,
            "date": date,
            "ref": label,
            "line_ids": [
                Command.create(
                    {
                        **common,
                        "account_id": account.id,
                        "amount_currency": side * row.amount,
                        "balance": side * balance,
                    }
                )
                for account, side in accounts
            ],
        }


def _direction(payment):
    return "outbound" if payment.kind in ("change", "refund") else "inbound"
