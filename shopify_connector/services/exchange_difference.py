"""Exchange differences of orders in the store's currency that were paid in another one."""

from __future__ import annotations

from odoo import models
from odoo.fields import Command

from .outcome import Block

# A larger part of the order than rates move between order and capture: something else is wrong.
_LIMIT = 0.1


class ShopifyAccountant(models.AbstractModel):
    """The customer owes and pays in the own currency. What Shopify counts as paid may then be
    worth more or less of the store's currency than the order was: an exchange difference, which
    Odoo cannot see, because all of its documents are in the store's currency.
    """

    _inherit = "shopify.accountant"

    def _steps(self):
        return [*super()._steps(), ("shopify.accountant", "_settle_exchange")]

    def _settle_exchange(self, backend, orders, plan):
        """Book what is left open of such orders once Shopify has them as paid.

        :return: ``{shopify.order: [Block]}``
        """
        blocks = {}
        for order in orders.filtered(self._is_settled_abroad):
            lines = self._open_lines(order)
            residual = order.currency_id.round(sum(lines.mapped("amount_residual_currency")))
            if not residual or len(lines.account_id) != 1:
                continue
            block = self._exchange_obstacle(backend, order, residual)
            if block:
                blocks[order] = [block]
            else:
                self._book_exchange(backend, order, lines, residual)
        return blocks

    def _is_settled_abroad(self, order):
        """Whether an order has all its invoices and all its money, part of it from abroad."""
        money = order.payment_ids.filtered(lambda payment: payment._is_money())
        return (
            order.financial_status == "paid"
            and any(row.customer_currency_id != row.currency_id for row in money)
            and all(row.move_id for row in money)
            and order.sale_order_id.invoice_status == "invoiced"
            and all(move.state == "posted" for move in self._moves_to_match(order))
        )

    def _open_lines(self, order):
        return self._moves_to_match(order).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )

    def _exchange_account(self, company, residual):
        if residual > 0:
            return company.expense_currency_exchange_account_id
        return company.income_currency_exchange_account_id

    def _exchange_obstacle(self, backend, order, residual):
        """The Block that keeps the difference from being booked, or None."""
        company = backend.company_id
        if abs(residual) > _LIMIT * order.amount_total:
            return self._block(
                order,
                self.env._(
                    "Shopify has it as paid, but %(residual)s of %(total)s are open, which is more"
                    " than exchange rates explain.",
                    residual=order.currency_id.format(residual),
                    total=order.currency_id.format(order.amount_total),
                ),
                title=self.env._("Order %s is paid in Shopify, but not in Odoo", order.name),
            )
        journal = company.currency_exchange_journal_id
        if not journal or not self._exchange_account(company, residual):
            return Block(
                category="accounting",
                key="exchange",
                title=self.env._("%s has no accounts for exchange differences", company.name),
                message=self.env._(
                    "Order %(order)s was paid in another currency; %(residual)s are left open.",
                    order=order.name,
                    residual=order.currency_id.format(residual),
                ),
                remedy=self.env._(
                    "Choose journal and accounts for exchange differences in the settings of"
                    " Invoicing, then retry."
                ),
                res_model="shopify.backend",
                res_id=backend.id,
            )
        return self._period_block(
            backend, order, self._exchange_date(backend, order), journal, False
        )

    def _exchange_date(self, backend, order):
        return self._date(backend, max(order.payment_ids.mapped("processed_at"), default=None))

    def _book_exchange(self, backend, order, lines, residual):
        company, partner = backend.company_id, lines.partner_id[:1]
        balance = sum(lines.mapped("amount_residual"))
        name = self.env._("Exchange difference of %s", order.name)
        common = {"name": name, "partner_id": partner.id, "currency_id": order.currency_id.id}
        move = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": company.currency_exchange_journal_id.id,
                "company_id": company.id,
                "date": self._exchange_date(backend, order),
                "ref": name,
                "line_ids": [
                    Command.create(
                        {
                            **common,
                            "account_id": lines.account_id.id,
                            "amount_currency": -residual,
                            "balance": -balance,
                        }
                    ),
                    Command.create(
                        {
                            **common,
                            "account_id": self._exchange_account(company, residual).id,
                            "amount_currency": residual,
                            "balance": balance,
                        }
                    ),
                ],
            }
        )
        move.action_post()
        settled = move.line_ids.filtered(lambda line: line.account_id == lines.account_id)
        (lines | settled).with_context(no_exchange_difference=True).reconcile()
