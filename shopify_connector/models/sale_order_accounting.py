from decimal import Decimal

from odoo import models
from odoo.tools import float_is_zero

from ..mappers.invoice_totals import BOOKS, DOCUMENT, Invoiced, exact, in_force, share


class SaleOrder(models.Model):
    """Invoices of Shopify orders, whoever makes them, say what Shopify says."""

    _inherit = "sale.order"

    def _action_confirm(self):
        """An order that a person confirms may be due for its invoice."""
        result = super()._action_confirm()
        if not self.env.context.get("shopify_defer_reservation"):
            self.env["shopify.accounting.task"].sudo()._add_sales(self)
        return result

    def _get_invoiceable_lines(self, final=False):
        """Of the job that invoices Shopify orders: the lines and quantities that it decided on,
        whatever the invoicing policy of the products.
        """
        quantities = self.env.context.get("shopify_invoice_quantities")
        if quantities is None:
            return super()._get_invoiceable_lines(final)
        return self.order_line.filtered(lambda line: line.id in quantities)

    def _prepare_invoice(self):
        values = super()._prepare_invoice()
        values.update(self.env.context.get("shopify_invoice_values", {}).get(self.id, {}))
        if self.shopify_backend_id and self.currency_id != self.company_id.currency_id:
            stated = next((line.extra_tax_data for line in self.order_line if line.shopify_gid), {})
            if stated and stated.get("rate"):
                # The books take Shopify's amounts over, so the rate must be Shopify's.
                values["invoice_currency_rate"] = stated["rate"]
        return values


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _compute_qty_to_invoice(self):
        """What the customer has paid may be invoiced before it is delivered, also where the
        product is invoiced by delivery: then there is nothing to take back.
        """
        result = super()._compute_qty_to_invoice()
        for line in self:
            if line.shopify_gid and line.qty_to_invoice < 0 <= line.product_uom_qty:
                line.qty_to_invoice = min(line.product_uom_qty - line.qty_invoiced, 0.0)
        return result

    def _prepare_invoice_line(self, **optional_values):
        quantities = self.env.context.get("shopify_invoice_quantities")
        if quantities is not None:
            optional_values = {"quantity": quantities.get(self.id, 0.0), **optional_values}
        values = super()._prepare_invoice_line(**optional_values)
        if self.shopify_gid and self._shopify_amounts_stand():
            stated = self._shopify_invoice_share(values["quantity"])
            if stated:
                values["extra_tax_data"] = stated
        return values

    def _shopify_amounts_stand(self):
        """Whether price, discount and quantity still are those that Shopify gave amounts for."""
        return in_force(
            self.extra_tax_data,
            price_unit=self.price_unit,
            discount=self.discount,
            quantity=self.product_uom_qty,
            digits=self.currency_id.decimal_places,
        )

    def _shopify_invoice_share(self, quantity):
        """``extra_tax_data`` for an invoice of this quantity, None where there is no share."""
        data = self.extra_tax_data
        moves = self.invoice_lines.move_id.filtered(lambda move: move.state != "cancel")
        if not moves and data["quantity"] == quantity:
            return data
        return share(
            data,
            exact(quantity),
            self._shopify_invoiced(moves),
            digits=self.currency_id.decimal_places,
            books_digits=self.company_id.currency_id.decimal_places,
        )

    def _shopify_invoiced(self, moves):
        """What these invoices and credit notes say of this line: :class:`Invoiced`."""
        invoiced = Invoiced()
        for move in moves:
            sign = -1 if move.move_type == "out_refund" else 1
            base_lines, _tax_lines = move._get_rounded_base_and_tax_lines()
            for base_line in base_lines:
                record = base_line["record"]
                if record not in self.invoice_lines:
                    continue
                invoiced.quantity += Decimal(sign) * exact(record.quantity)
                details = base_line["tax_details"]
                for suffix, currency in (
                    (DOCUMENT, self.currency_id),
                    (BOOKS, self.company_id.currency_id),
                ):
                    excluded = details[f"total_excluded{suffix}"]
                    excluded += details[f"delta_total_excluded{suffix}"]
                    invoiced.add("excluded", suffix, sign * currency.round(excluded))
                    for tax_data in details["taxes_data"]:
                        amount = currency.round(tax_data[f"tax_amount{suffix}"])
                        invoiced.add(str(tax_data["tax"].id), suffix, sign * amount)
        return invoiced

    def _shopify_quantity_to_invoice(self, when):
        """What is to be invoiced now and is on no invoice yet. What a credit note took back
        is not invoiced again.

        :param when: ``payment``, ``delivery`` or ``confirmation``; with ``delivery`` the units
            that were delivered, and what is not delivered with the first of them
        """
        wanted = self.product_uom_qty
        if when == "delivery" and self._shopify_is_delivered():
            wanted = min(self.qty_delivered, wanted)
        for line in self.invoice_lines:
            if line.move_id.move_type == "out_invoice" and line.parent_state != "cancel":
                wanted -= line.quantity
        wanted += sum(self._shopify_credits_of_taken_off().mapped("quantity"))
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return 0.0 if wanted < 0 or float_is_zero(wanted, precision_digits=digits) else wanted

    def _shopify_credits_of_taken_off(self):
        """Lines of credit notes over units that are not among those ordered any more; other
        units that were credited are not invoiced again.
        """
        return self.env["account.move.line"]

    def _shopify_is_delivered(self):
        return self.qty_delivered_method == "stock_move"
