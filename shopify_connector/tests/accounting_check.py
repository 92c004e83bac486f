"""An order, its invoices and its payments against what they must say."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Figures:
    """What Shopify says of an order, in major units of the order's currency.

    :ivar shipping: before its discount; None, as all but ``total`` may be: not known
    :ivar taxes: ``{(title, rate, liability of the channel): amount}``
    :ivar payments: amounts of the transactions that moved money, negative where it went back
    :ivar books: ``(total, tax)`` in the currency of the company's books, None in others
    """

    total: Decimal
    tax: Decimal | None
    shipping: Decimal | None = None
    discount: Decimal | None = None
    taxes: dict | None = field(default_factory=dict)
    payments: list = field(default_factory=list)
    books: tuple | None = None


class OrderCheck:
    """Compares; what differs becomes a sentence in :attr:`wrong`.

    :ivar invoiced: whether all of the order is due to be invoiced
    """

    def __init__(self, binding, figures, invoiced=True):
        self.binding, self.figures, self.invoiced = binding, figures, invoiced
        self.sale = binding.sale_order_id
        self.env = binding.env
        self.currency = self.sale.currency_id
        self.wrong = []
        self._tax_keys = {
            row.tax_id: (row.title, None if row.no_rate else row.rate, row.channel_liable)
            for row in binding.backend_id.tax_mapping_ids
        }

    def _exact(self, amount):
        return Decimal(str(self.currency.round(amount))) + 0

    def _compare(self, what, expected, found):
        if expected is not None and expected != found:
            self.wrong.append(f"{what}: {expected} expected, {found} found")

    # -- order ----------------------------------------------------------------------------------

    def order(self):
        """Totals, taxes, shipping and discount of the sale order."""
        sale, figures = self.sale, self.figures
        self._compare("order total", figures.total, self._exact(sale.amount_total))
        self._compare("order tax", figures.tax, self._exact(sale.amount_tax))
        if figures.tax is not None:
            untaxed = figures.total - figures.tax
            self._compare("order untaxed", untaxed, self._exact(sale.amount_untaxed))
        self._compare("order taxes", _some(figures.taxes), self._order_taxes())
        shipping = discount = Decimal(0)
        for line in sale.order_line:
            gross = line.price_unit * line.product_uom_qty
            net = line.price_total if line.shopify_taxes_included else line.price_subtotal
            discount += self._exact(gross - net)
            if line.is_delivery:
                shipping += self._exact(gross)
        self._compare("shipping", figures.shipping, shipping)
        self._compare("discount", figures.discount, discount)

    def _order_taxes(self):
        """What Odoo's engine makes of the lines, by tax."""
        Tax = self.env["account.tax"]
        lines = [line._prepare_base_line_for_taxes_computation() for line in self.sale.order_line]
        Tax._add_tax_details_in_base_lines(lines, self.sale.company_id)
        Tax._round_base_lines_tax_details(lines, self.sale.company_id)
        found = defaultdict(Decimal)
        for line in lines:
            for data in line["tax_details"]["taxes_data"]:
                amount = self._exact(data["tax_amount_currency"])
                found[self._tax_keys[data["tax"]]] += amount
        return _some(found)

    # -- invoices -------------------------------------------------------------------------------

    def invoices(self):
        """All invoices together: totals, taxes, and the same in the books."""
        figures = self.figures
        moves = self.sale.invoice_ids.filtered(lambda move: move.move_type == "out_invoice")
        if not self.invoiced:
            self._compare("invoices", 0, len(moves))
            return
        if not moves:
            self._compare("total of no invoice", figures.total, Decimal(0))
            return
        self._compare("states of invoices", {"posted"}, set(moves.mapped("state")))
        self._compare("invoiced", figures.total, self._sum(moves, "amount_total"))
        self._compare("invoiced tax", figures.tax, self._sum(moves, "amount_tax"))
        taxes = defaultdict(Decimal)
        for line in moves.line_ids.filtered("tax_line_id"):
            taxes[self._tax_keys[line.tax_line_id]] -= self._exact(line.amount_currency)
        self._compare("invoiced taxes", _some(figures.taxes), _some(taxes))
        for line in self.sale.order_line:
            self._compare(f"invoiced of {line.name}", line.product_uom_qty, line.qty_invoiced)
        if not figures.books:
            self._at_rate(moves)
        if figures.books and figures.total:
            books = self.sale.company_id.currency_id
            for name, expected in zip(("total", "tax"), figures.books, strict=True):
                found = sum(moves.mapped(f"amount_{name}_signed"))
                self._compare(f"{name} in the books", expected, Decimal(str(books.round(found))))

    def _at_rate(self, moves):
        """Invoices in another currency than the books, at Odoo's rate: to a cent for each line."""
        books = self.sale.company_id.currency_id
        for move in moves.filtered(lambda move: move.currency_id != books):
            for line in move.line_ids:
                slack = books.rounding * len(move.line_ids)
                if abs(line.balance - line.amount_currency / move.invoice_currency_rate) > slack:
                    self.wrong.append(f"{line.name}: {line.amount_currency} is {line.balance}")

    def shares(self):
        """Each invoice has its share of what was left of a line, to half a cent per amount."""
        half = Decimal(1).scaleb(-self.currency.decimal_places) / 2
        for line in self.sale.order_line:
            left = Decimal(line.product_uom_qty)
            amounts = [self._exact(line.price_subtotal), self._exact(line.price_total)]
            for part in line.invoice_lines.sorted("id"):
                quantity = Decimal(part.quantity)
                found = [self._exact(part.price_subtotal), self._exact(part.price_total)]
                for index, amount in enumerate(found):
                    off = abs(amount - amounts[index] * quantity / left)
                    if off > half * (1 + index * (1 + len(line.tax_ids))):
                        self.wrong.append(
                            f"{quantity} of {left} x {line.name}: {amount} of {amounts[index]}"
                        )
                    amounts[index] -= amount
                left -= quantity

    def _sum(self, moves, name):
        return self._exact(sum(moves.mapped(name)))

    # -- payments -------------------------------------------------------------------------------

    def payments(self):
        """Each transaction booked once, matched with the invoices, and nothing else open."""
        rows = self.binding.payment_ids.filtered("move_id")
        expected = sorted(amount for amount in self.figures.payments if amount)
        self._compare("booked payments", expected, sorted(self._booked(row) for row in rows))
        self._compare("entries of payments", len(rows), len(rows.move_id))
        invoices = self.sale.invoice_ids
        owed = self.figures.total if self.invoiced else Decimal(0)
        left = owed - sum(expected)
        self._compare("residual", max(left, Decimal(0)), self._sum(invoices, "amount_residual"))
        lines = (invoices | rows.move_id).line_ids.filtered(
            lambda line: line.account_type == "asset_receivable" and not line.reconciled
        )
        self._compare("open", left, self._exact(sum(lines.mapped("amount_residual_currency"))))
        if len({line.amount_residual_currency > 0 for line in lines}) > 1:
            self.wrong.append(f"debit and credit are both open: {lines.mapped('name')}")
        for invoice in invoices:
            self._payment_state(invoice)
        for move in invoices | rows.move_id:
            self._compare(f"balance of {move.name}", 0, self._sum(move.line_ids, "balance"))

    def _booked(self, row):
        lines = row.move_id.line_ids.filtered(lambda line: line.account_type == "asset_receivable")
        return -self._exact(sum(lines.mapped("amount_currency")))

    def _payment_state(self, invoice):
        residual = self._exact(invoice.amount_residual)
        if not residual:
            allowed = ("paid", "in_payment")
        elif residual == self._exact(invoice.amount_total):
            allowed = ("not_paid",)
        else:
            allowed = ("partial",)
        if invoice.payment_state not in allowed:
            self.wrong.append(f"{invoice.name} is {invoice.payment_state}, {residual} is open")


def _some(amounts):
    if amounts is None:
        return None
    return {key: amount for key, amount in sorted(amounts.items(), key=str) if amount}
