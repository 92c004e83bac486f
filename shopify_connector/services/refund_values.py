"""What is on the credit note of a refund, with Shopify's amounts to the cent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from odoo import models
from odoo.fields import Command

from ..mappers.invoice_totals import BOOKS, DOCUMENT, exact
from ..mappers.money import Money, allocate
from ..mappers.refund_value import split_tax
from .order_totals import NO_TAX

_PRODUCTS = {
    "adjustment": "shopify_connector.product_refund_adjustment",
    "goodwill": "shopify_connector.product_refund_adjustment",
    "restocking": "shopify_connector.product_restocking_fee",
    "return_shipping": "shopify_connector.product_return_shipping_fee",
}


@dataclass
class Credit:
    """What is credited of one line of a refund; amounts positive for the customer.

    :ivar taxes: ``{tax id: amount}``, booked taxes only
    :ivar template: ``account.move.line`` of the invoice, where there is one
    """

    line: Any
    quantity: float
    untaxed: Decimal
    tax: Decimal
    shop_untaxed: Decimal = Decimal(0)
    shop_tax: Decimal = Decimal(0)
    taxes: dict[int, Decimal] = field(default_factory=dict)
    shop_taxes: dict[int, Decimal] = field(default_factory=dict)
    template: Any = None


class NoPlaceForTax(Exception):
    """Shopify gives back tax on something that was invoiced without."""


class CreditedByHand(Exception):
    """What Shopify gives back is on a credit note that stands for no refund."""


class ShopifyRefundValues(models.AbstractModel):
    """Values of credit notes."""

    _name = "shopify.refund.values"
    _description = "Shopify Refund Values"

    def _move_vals(self, backend, refund):
        """The credit note of a refund.

        :return: ``(values of account.move, its total)``; or ``(state, note)`` where none is due
            now; or a Block
        """
        invoices = self._invoices(refund)
        try:
            credits = self._credits(refund, invoices)
        except NoPlaceForTax as error:
            return refund._block(
                self.env._(
                    "Shopify gives back tax on %s, which was invoiced without tax", error.args[0]
                )
            )
        except CreditedByHand as error:
            line, moves = error.args
            return refund._block(
                self.env._(
                    "%(line)s was credited by hand already (%(moves)s); link that credit note",
                    line=line,
                    moves=", ".join(moves.mapped("display_name")),
                )
            )
        if credits is None:
            return "to_book", self.env._("Waits for the invoice of the order.")
        total = sum((credit.untaxed + sum(credit.taxes.values()) for credit in credits), Decimal(0))
        if not credits or not total:
            accountant = self.env["shopify.refund.accountant"]
            return "to_book", accountant._uninvoiced_note()
        if total < 0:
            return refund._block(
                self.env._(
                    "%s was kept of something that was never invoiced; make an invoice over it",
                    refund.currency_id.format(-float(total)),
                )
            )
        expected = self._expected(refund, credits)
        if total != expected:
            return refund._block(
                self.env._(
                    "the credit note would be over %(ours)s, and must be over %(theirs)s",
                    ours=refund.currency_id.format(float(total)),
                    theirs=refund.currency_id.format(float(expected)),
                )
            )
        unknown = [credit.line for credit in credits if self._lost(credit)]
        if unknown:
            return refund._block(self.env._("%s is not a line of the sale order", unknown[0].name))
        return self._vals(backend, refund, invoices, credits), float(total)

    def _expected(self, refund, credits):
        """What the credit note must be over: the money that was returned and what was exchanged,
        less what it was returned for and is on no invoice, less taxes that the store does not book.
        """
        done = refund.money_state == "done"
        stated = exact(refund.amount_money if done else refund.amount_value)
        stated += exact(refund.amount_exchanged)
        worth = sum((exact(line.amount_untaxed) for line in refund.line_ids), Decimal(0))
        worth += sum((exact(line.amount_tax) for line in refund.line_ids), Decimal(0))
        for credit in credits:
            worth -= credit.untaxed + credit.tax
            if credit.line.left_out_tax:
                worth += credit.tax - sum(credit.taxes.values())
        return stated - worth

    def _invoices(self, refund):
        """The invoices of the order that stand, newest first."""
        return refund.sale_order_id.invoice_ids.filtered(
            lambda move: move.move_type == "out_invoice" and move.state != "cancel"
        ).sorted("id", reverse=True)

    def _lost(self, credit):
        return credit.line.kind in ("item", "shipping", "duty") and not credit.template

    # === HOW MUCH === #

    def _credits(self, refund, invoices):
        """What is to be credited; None when that has to wait for an invoice."""
        credits, units = [], {}
        for line in refund.line_ids:
            if line.kind == "item":
                credit = self._item(line, units)
                units[line] = credit.quantity if credit and line.quantity else 0.0
            elif line.kind in ("shipping", "duty"):
                if line.sale_line_id and not self._invoice_lines(line):
                    if line.full_amount:
                        continue
                    return None
                self._left(line, 1.0)
                credit = self._whole(line, 1.0)
            else:
                credit = self._whole(line, 1.0)
            if credit:
                credits.append(credit)
        if not credits:
            return []
        if not invoices:
            return None
        for position, credit in enumerate(credits):
            self._split(credit, invoices, credits[:position])
        return credits

    def _invoice_lines(self, line):
        return line.sale_line_id.invoice_lines.filtered(
            lambda row: row.move_id.move_type == "out_invoice" and row.parent_state != "cancel"
        )

    def _whole(self, line, quantity):
        return Credit(
            line=line,
            quantity=quantity,
            untaxed=exact(line.amount_untaxed),
            tax=exact(line.amount_tax),
            shop_untaxed=exact(line.shop_untaxed),
            shop_tax=exact(line.shop_tax),
            template=self._invoice_lines(line).sorted("id")[-1:],
        )

    def _item(self, line, before):
        """Units that are on an invoice are credited, the others are never invoiced.

        :param before: ``{line: units credited}`` of the lines of the refund that come before
        """
        if not line.quantity:
            return self._whole(line, 1.0) if line.amount_total else None
        if not line.sale_line_id:
            return self._whole(line, line.quantity)
        units = self._units(line, before)
        if not units:
            return None
        credit = self._whole(line, units)
        if units < line.quantity:
            weights = (exact(units), exact(line.quantity - units))
            for name in ("untaxed", "tax", "shop_untaxed", "shop_tax"):
                amount = Money(getattr(credit, name), "")
                digits = self._digits(line, name)
                setattr(credit, name, allocate(amount, weights, digits)[0].amount)
        return credit

    def _digits(self, line, name):
        """Decimals of an amount: ``shop_...`` are in the currency of the books, if they count."""
        shop = name.startswith("shop_")
        currency = line.company_id.currency_id if shop else line.currency_id
        return currency.decimal_places

    def _units(self, line, before):
        """How many units of a line are to be credited.

        What had been sent is looked for on the invoices first, whether or not it came back; of
        anything else the units that are not invoiced yet go first.
        """
        rows = self._invoice_lines(line)
        if not rows:
            return 0.0
        own = {
            other: units
            for other, units in before.items()
            if other.sale_line_id == line.sale_line_id
        }
        if line.had_left and not line.refund_id.uninvoiced:
            return self._left(line, line.quantity, sum(own.values()))
        invoiced = sum(rows.mapped("quantity"))
        others = line.sale_line_id.shopify_refund_line_ids - line.refund_id.line_ids
        gone = sum(self._left_uninvoiced(line, other) for other in others)
        gone += sum(other.quantity - units for other, units in own.items())
        not_invoiced = max(line.ordered_quantity - invoiced - gone, 0.0)
        return self._left(line, max(line.quantity - not_invoiced, 0.0), sum(own.values()))

    def _left(self, line, wanted, taken=0.0):
        """How many of the wanted units are invoiced and on no credit note yet.

        :param taken: units that the credit note to be made has already
        :raises CreditedByHand: the others are on a credit note that stands for no refund
        """
        credits = line.sale_line_id.invoice_lines.filtered(
            lambda row: row.move_id.move_type == "out_refund" and row.parent_state != "cancel"
        )
        invoiced = sum(self._invoice_lines(line).mapped("quantity"))
        left = max(invoiced - sum(credits.mapped("quantity")) - taken, 0.0)
        by_hand = credits.move_id.filtered(lambda move: not move.shopify_refund_id)
        if wanted > left and by_hand:
            raise CreditedByHand(line.name, by_hand)
        return min(wanted, left)

    def _left_uninvoiced(self, line, other):
        """Units of another refund that are never to be invoiced, when it was made before: it comes
        first, also where it is not decided yet.
        """
        refund = other.refund_id

        def moment(item):
            return item.processed_at, item.id

        if moment(refund) > moment(line.refund_id):
            return 0.0
        if refund.state in ("booked", "not_booked") or refund._live_moves():
            return other._uncredited()
        return 0.0 if other.had_left else other.quantity

    # === TAXES === #

    def _split(self, credit, invoices, before):
        """Spread Shopify's tax over the taxes of the invoice.

        :param before: the credits that the credit note has already
        """
        line, currency = credit.line, credit.line.currency_id.name or ""
        if credit.template:
            weights = self._weights(credit, before)
            left_out = self._left_out(credit, weights)
        else:
            weights = self._order_weights(credit, invoices)
            left_out = self._left_out(credit, weights)
        moneys = {tax_id: Money(weight, currency) for tax_id, weight in weights.items()}
        try:
            for name, taxes in (("tax", credit.taxes), ("shop_tax", credit.shop_taxes)):
                amount = Money(getattr(credit, name), currency)
                digits = self._digits(line, name)
                shares = split_tax(amount, moneys, Money(left_out, currency), digits)
                taxes.update({tax_id: share.amount for tax_id, share in shares.items()})
        except ValueError:
            raise NoPlaceForTax(line.name) from None

    def _weights(self, credit, before):
        """Amount of each tax of the invoice line that is invoiced and not credited yet."""
        sale_line = credit.line.sale_line_id
        moves = sale_line.invoice_lines.move_id.filtered(lambda move: move.state != "cancel")
        invoiced = sale_line._shopify_invoiced(moves).amounts
        taxes = credit.template.tax_ids.flatten_taxes_hierarchy()
        credited = self._credited_without_units(sale_line)
        for other in before:
            if other.line.sale_line_id == sale_line:
                for tax_id, amount in other.taxes.items():
                    credited[str(tax_id)] += amount
        weights = {
            tax.id: max(
                invoiced.get((str(tax.id), DOCUMENT), Decimal(0)) - credited[str(tax.id)],
                Decimal(0),
            )
            for tax in taxes
        }
        if sum(weights.values()) < abs(credit.tax):
            # More comes back than is left: by what was invoiced.
            sold = moves.filtered(lambda move: move.move_type == "out_invoice")
            invoiced = sale_line._shopify_invoiced(sold).amounts
            weights = {
                tax_id: invoiced.get((str(tax_id), DOCUMENT), Decimal(0)) for tax_id in weights
            }
        return weights

    def _credited_without_units(self, sale_line):
        """``{tax id: amount}`` of credit notes over a part of a line's amount, which are not linked
        with the line.
        """
        rows = sale_line.shopify_refund_line_ids.credit_line_ids - sale_line.invoice_lines
        credited = defaultdict(Decimal)
        for row in rows.filtered(lambda row: row.parent_state != "cancel" and row.extra_tax_data):
            for tax_id, amounts in row.extra_tax_data["manual_tax_amounts"].items():
                credited[tax_id] += exact(amounts.get(f"tax_amount{DOCUMENT}", 0.0))
        return credited

    def _left_out(self, credit, weights):
        """The weight of taxes that Shopify charged and the store does not book."""
        left_out = exact(credit.line.left_out_tax)
        booked = exact(credit.line.ordered_tax) - left_out
        if left_out <= 0:
            return Decimal(0)
        return left_out * sum(weights.values()) / booked if booked > 0 else left_out

    def _order_weights(self, credit, invoices):
        """Of what stands for no line: all taxes of the invoices, if it has tax at all."""
        weights = defaultdict(Decimal)
        if credit.tax:
            for row in invoices.line_ids.filtered(lambda row: row.display_type == "tax"):
                weights[row.tax_line_id.id] += exact(abs(row.amount_currency))
        return weights

    # === VALUES === #

    def _vals(self, backend, refund, invoices, credits):
        """Values of ``account.move``; open to extension."""
        sale, invoice = refund.sale_order_id, invoices[:1]
        of_lines = invoices.filtered(
            lambda move: move.line_ids & refund.line_ids.sale_line_id.invoice_lines
        )
        invoice = of_lines[:1] or invoice
        reversed_entry = (
            of_lines if len(of_lines) == 1 else invoices if len(invoices) == 1 else None
        )
        rate = self._rate(sale)
        vals = {
            "move_type": "out_refund",
            "company_id": backend.company_id.id,
            "journal_id": invoice.journal_id.id,
            "partner_id": invoice.partner_id.id,
            "partner_shipping_id": invoice.partner_shipping_id.id,
            "fiscal_position_id": invoice.fiscal_position_id.id,
            "currency_id": sale.currency_id.id,
            "invoice_date": self.env["shopify.accountant"]._date(backend, refund.processed_at),
            "invoice_origin": sale.name,
            "invoice_user_id": invoice.invoice_user_id.id,
            "team_id": invoice.team_id.id,
            "invoice_payment_term_id": False,
            "ref": refund.name,
            "narration": refund.note or False,
            "shopify_refund_id": refund.id,
            "invoice_line_ids": [
                Command.create(self._line_vals(backend, credit, rate)) for credit in credits
            ],
        }
        if reversed_entry and reversed_entry.state == "posted":
            vals["reversed_entry_id"] = reversed_entry.id
        if rate:
            vals["invoice_currency_rate"] = rate
        return vals

    def _rate(self, sale):
        """Shopify's rate of the order, where the books take the store's amounts over."""
        if sale.currency_id == sale.company_id.currency_id:
            return None
        stated = next((line.extra_tax_data for line in sale.order_line if line.shopify_gid), None)
        return (stated or {}).get("rate")

    def _line_vals(self, backend, credit, rate):
        line, template = credit.line, credit.template
        sale_line = line.sale_line_id
        total = credit.untaxed + sum(credit.taxes.values())
        shown = total if sale_line.shopify_taxes_included else credit.untaxed
        price = float(shown / exact(credit.quantity))
        vals = {
            "name": template.name or line.name,
            "quantity": credit.quantity,
            "price_unit": price,
            "discount": 0.0,
            "tax_ids": [Command.set(list(credit.taxes))],
            "shopify_refund_line_id": line.id,
            "extra_tax_data": self._extra_tax_data(credit, price, rate),
        }
        if template:
            vals |= {
                "product_id": template.product_id.id,
                "product_uom_id": template.product_uom_id.id,
                "account_id": template.account_id.id,
                "analytic_distribution": template.analytic_distribution,
                # amounts without units leave the invoiced quantity alone
                "sale_line_ids": [Command.set(sale_line.ids if line.quantity else [])],
            }
        elif line.kind == "exchange":
            vals["account_id"] = self._exchange_account(backend, total).id
        else:
            product = self.env.ref(_PRODUCTS[line.kind])
            vals |= {"product_id": product.id, "product_uom_id": product.uom_id.id}
        return vals

    def _exchange_account(self, backend, total):
        company = backend.company_id
        if total > 0:
            return company.expense_currency_exchange_account_id
        return company.income_currency_exchange_account_id

    def _extra_tax_data(self, credit, price, rate):
        """As :func:`.order_totals.extra_tax_data`, of a line of a credit note."""
        untaxed = float(credit.untaxed)
        data = {
            "currency_id": credit.line.currency_id.id,
            "price_unit": price,
            "discount": 0.0,
            "quantity": float(credit.quantity),
            f"manual_total_excluded{DOCUMENT}": untaxed,
            "manual_tax_amounts": {
                str(tax_id): {
                    f"tax_amount{DOCUMENT}": float(amount),
                    f"base_amount{DOCUMENT}": untaxed,
                }
                for tax_id, amount in credit.taxes.items()
            }
            or {NO_TAX: {}},
        }
        if rate:
            books = float(credit.shop_untaxed)
            data |= {"rate": rate, f"manual_total_excluded{BOOKS}": books}
            for tax_id, amount in credit.shop_taxes.items():
                data["manual_tax_amounts"][str(tax_id)] |= {
                    f"tax_amount{BOOKS}": float(amount),
                    f"base_amount{BOOKS}": books,
                }
        return data
