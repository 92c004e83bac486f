"""Invoices of imported orders, with Shopify's amounts to the cent."""

from __future__ import annotations

from collections import defaultdict

from odoo import models

from ..mappers.invoice_totals import Expected
from .order_policies import PAID, UNPAID
from .outcome import Block, Blocked


class ShopifyInvoicer(models.AbstractModel):
    """Makes, proves and posts the invoices that are due."""

    _name = "shopify.invoicer"
    _description = "Shopify Invoicer"

    def _invoice(self, backend, orders, plan):
        """Invoice what is due of these orders and on no invoice yet.

        :param orders: ``shopify.order``
        :param plan: ``{shopify.order: Plan}``
        :return: ``{shopify.order: [Block]}``; these were not invoiced
        :raises Blocked: an invoice says something else than Shopify
        """
        quantities = {}
        for order in orders:
            if self._is_due(order, plan[order]):
                found = self._quantities(order.sale_order_id, plan[order].when)
                if found:
                    quantities[order] = found
        if not quantities:
            return {}
        journal = self._journal(backend)
        values, blocks = {}, {}
        for order in quantities:
            date = self.env["shopify.accountant"]._date(
                backend, self._moment(order, plan[order].when)
            )
            block = self._obstacle(backend, order, plan[order], journal, date)
            if block:
                blocks[order] = [block]
            else:
                values[order] = {"journal_id": journal.id, "invoice_date": date}
        if values:
            moves = self._create(values, quantities)
            self._post(moves, plan)
        return blocks

    # === WHAT IS DUE === #

    def _is_due(self, order, plan):
        """Whether the moment has come; open to extension."""
        sale = order.sale_order_id
        if plan.policy == "none" or sale.state != "sale":
            return False
        if any(line.is_downpayment for line in sale.order_line):
            # Somebody invoices this order by hand.
            return False
        return plan.when != "payment" or self._is_paid(order)

    def _is_paid(self, order):
        """As :func:`.order_policies.is_paid`, of what is kept of the order."""
        if order.financial_status in PAID:
            return True
        if order.financial_status in UNPAID:
            return False
        received = order.amount_received - order.amount_refunded
        return order.currency_id.compare_amounts(received, order.amount_total) >= 0

    def _quantities(self, sale, when):
        """``{sale.order.line id: quantity}`` to invoice now; empty when nothing is due."""
        lines = sale.order_line.filtered(lambda line: not line.display_type)
        if when == "delivery":
            goods = lines.filtered(
                lambda line: line.product_uom_qty and line._shopify_is_delivered()
            )
            if goods and not any(goods.mapped("qty_delivered")):
                return {}
        found = {line.id: line._shopify_quantity_to_invoice(when) for line in lines}
        return {line_id: quantity for line_id, quantity in found.items() if quantity}

    def _moment(self, order, when):
        """When that happened for which the order is invoiced, naive UTC."""
        if when == "payment":
            paid = order.payment_ids.filtered(lambda payment: payment._is_money())
            moments = paid.mapped("processed_at")
        elif when == "delivery":
            done = order.sale_order_id.picking_ids.filtered(lambda pick: pick.state == "done")
            moments = done.mapped("date_done")
        else:
            moments = []
        return max(moments, default=order.processed_at)

    def _journal(self, backend):
        Journal = self.env["account.journal"]
        return backend.invoice_journal_id or Journal.search(
            [*Journal._check_company_domain(backend.company_id), ("type", "=", "sale")], limit=1
        )

    def _obstacle(self, backend, order, plan, journal, date):
        accountant = self.env["shopify.accountant"]
        if not journal:
            return accountant._journal_block(backend, "sale")
        if plan.policy == "draft":
            return None
        taxed = bool(order.sale_order_id.order_line.tax_ids)
        return accountant._period_block(backend, order, date, journal, taxed)

    # === INVOICES === #

    def _create(self, values, quantities):
        """Create one invoice per order and prove it.

        :param values: ``{shopify.order: values of its invoice}``
        :return: ``{shopify.order: account.move}``
        """
        orders = list(values)
        sales = self.env["sale.order"].browse([order.sale_order_id.id for order in orders])
        due = {}
        for order in orders:
            due |= quantities[order]
        moves = sales.with_context(
            shopify_invoice_quantities=due,
            shopify_invoice_values={order.sale_order_id.id: values[order] for order in orders},
        )._create_invoices(grouped=True)
        moves = moves.with_env(self.env)
        found = dict(zip(orders, moves, strict=True))
        wrong = [
            self._totals_block(order, sentences)
            for order, move in found.items()
            if (sentences := self._unproved(order.sale_order_id, move))
        ]
        if wrong:
            raise Blocked(wrong)
        return found

    def _post(self, moves, plan):
        to_post = [move.id for order, move in moves.items() if plan[order].policy != "draft"]
        if to_post:
            # What the job posts it matches itself.
            moves = self.env["account.move"].with_context(shopify_in_job=True)
            moves.browse(to_post).action_post()

    # === PROOF === #

    def _unproved(self, sale, move):
        """What the invoice says differently from Shopify: sentences.

        An order that was changed in Odoo is invoiced as it is there.
        """
        lines = sale.order_line.filtered(lambda line: not line.display_type)
        if not all(line.shopify_gid and line._shopify_amounts_stand() for line in lines):
            return []
        expected = Expected()
        for line in move.invoice_line_ids:
            if line.display_type == "product":
                expected.add(line.extra_tax_data)
        ours = defaultdict(float)
        for line in move.line_ids:
            if line.display_type == "tax":
                ours[line.tax_line_id] -= line.amount_currency
        figures = [
            (self.env._("untaxed amount"), float(expected.untaxed), move.amount_untaxed),
            (self.env._("taxes"), float(expected.tax), move.amount_tax),
            (
                self.env._("total"),
                float(expected.untaxed + expected.tax),
                move.amount_total,
            ),
        ]
        taxes = self.env["account.tax"].browse(expected.taxes.keys() | {tax.id for tax in ours})
        figures += [
            (tax.name, float(expected.taxes.get(tax.id, 0)), ours.get(tax, 0.0)) for tax in taxes
        ]
        currency = move.currency_id
        return [
            self.env._(
                "%(figure)s: Shopify %(theirs)s, Odoo %(ours)s",
                figure=figure,
                theirs=currency.format(theirs),
                ours=currency.format(own),
            )
            for figure, theirs, own in figures
            if currency.compare_amounts(theirs, own)
        ]

    def _totals_block(self, order, sentences):
        return Block(
            category="accounting",
            key=order.shopify_gid,
            title=self.env._("The invoice of order %s would differ", order.name),
            message=self.env._(
                "The invoice of order %(order)s was not made, because these figures differ:"
                " %(figures)s.",
                order=order.name,
                figures="; ".join(sentences),
            ),
            remedy=self.env._(
                "Compare the taxes of the order with those of its products and its fiscal"
                " position; invoice the order by hand if Odoo is right."
            ),
            res_model="sale.order",
            res_id=order.sale_order_id.id,
        )
