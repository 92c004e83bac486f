from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import float_compare, float_is_zero

from ..mappers.invoice_totals import BOOKS, DOCUMENT, exact
from ..mappers.money import Money
from ..mappers.refund_value import split_tax

_DEPENDS = (
    "shopify_taken_off",
    "shopify_refund_line_ids.quantity",
    "shopify_refund_line_ids.gone_quantity",
)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.depends("shopify_order_ids.refund_ids.move_ids")
    def _get_invoiced(self):
        """With credit notes of amounts that stand for no line, such as goodwill."""
        result = super()._get_invoiced()
        for order in self.sudo().filtered("shopify_backend_id"):
            moves = order.shopify_order_ids.refund_ids.move_ids
            if moves - order.invoice_ids:
                order.invoice_ids |= moves
                order.invoice_count = len(order.invoice_ids)
        return result


class SaleOrderLine(models.Model):
    """Units that Shopify took back are never invoiced again."""

    _inherit = "sale.order.line"

    shopify_refund_line_ids = fields.One2many(
        "shopify.refund.line", "sale_line_id", readonly=True, copy=False
    )

    def _shopify_refunded(self):
        """Units that were taken back, with money or without; not those that an edit put back,
        which stay in their refund.
        """
        lines = self.sudo().shopify_refund_line_ids
        if self.is_delivery or self.shopify_kind == "duty":
            return sum(lines.mapped("quantity"))
        gone = max(lines.mapped("gone_quantity"), default=0.0)
        return min(sum(lines.mapped("quantity")), gone)

    def _shopify_never_invoiced(self):
        """``{refund line: units}`` that were taken back, are on no credit note, and are still
        among the ordered units of this line.
        """
        # First those whose units edits have taken off this line, or put back.
        lines = self.sudo().shopify_refund_line_ids.sorted(lambda line: not line._is_taken_off())
        found = {line: line._uncredited() for line in lines}
        put_back = sum(lines.mapped("quantity")) - self._shopify_refunded()
        for line in lines:
            back = min(found[line], put_back)
            put_back -= back
            found[line] -= back
        lowered = self.shopify_taken_off
        for line in lines:
            taken = min(found[line], lowered)
            lowered -= taken
            found[line] -= taken
        return {line: units for line, units in found.items() if units}

    def _shopify_to_keep(self):
        """Units that are ordered and were not taken back."""
        taken = max(self._shopify_refunded() - self.shopify_taken_off, 0.0)
        return max(self.product_uom_qty - taken, 0.0)

    @api.depends(*_DEPENDS)
    def _compute_qty_to_invoice(self):
        result = super()._compute_qty_to_invoice()
        for line in self:
            if line.qty_to_invoice > 0 and line.sudo().shopify_refund_line_ids:
                rest = max(line._shopify_to_keep() - line.qty_invoiced, 0.0)
                line.qty_to_invoice = min(line.qty_to_invoice, rest)
        return result

    @api.depends(*_DEPENDS)
    def _compute_invoice_status(self):
        """What was invoiced, or taken back before it was, is dealt with."""
        result = super()._compute_invoice_status()
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        for line in self.filtered(lambda line: line.invoice_status == "no"):
            if (
                line.invoice_lines
                and line.state == "sale"
                and line.sudo().shopify_refund_line_ids
                and float_compare(
                    line.qty_invoiced, line._shopify_to_keep(), precision_digits=digits
                )
                >= 0
            ):
                line.invoice_status = "invoiced"
        return result

    def _shopify_quantity_to_invoice(self, when):
        """What the customer keeps, less what is invoiced and not credited with a refund."""
        refunds = self.sudo().shopify_refund_line_ids
        if not refunds:
            return super()._shopify_quantity_to_invoice(when)
        wanted = self._shopify_to_keep()
        if when == "delivery" and self._shopify_is_delivered():
            wanted = min(self.qty_delivered, wanted)
        for line in self.invoice_lines:
            if line.move_id.move_type == "out_invoice" and line.parent_state != "cancel":
                wanted -= line.quantity
        wanted += sum(line._credited() for line in refunds)
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        return 0.0 if wanted < 0 or float_is_zero(wanted, precision_digits=digits) else wanted

    def _shopify_invoiced(self, moves):
        """With :meth:`_shopify_never_invoiced` when the next share of an invoice is asked for:
        whoever invoices the last unit must not take over what these were worth.
        """
        asked = self.env.context.get("shopify_share_of_rest")
        if not asked or not self.sudo().shopify_refund_line_ids:
            return super()._shopify_invoiced(moves)
        if self.shopify_taken_off >= self._shopify_refunded():
            # The line says itself what is left.
            return super()._shopify_invoiced(moves)
        # What a refund's credit note took back is not invoiced again.
        taken_off = self._shopify_credits_of_taken_off().move_id
        invoiced = super()._shopify_invoiced(
            moves.filtered(lambda move: not move.shopify_refund_id or move in taken_off)
        )
        for line, units in self._shopify_never_invoiced().items():
            share = exact(units) / exact(line.quantity)
            invoiced.quantity += exact(units)
            for suffix, currency, untaxed, tax in (
                (DOCUMENT, self.currency_id, line.amount_untaxed, line.amount_tax),
                (BOOKS, self.company_id.currency_id, line.shop_untaxed, line.shop_tax),
            ):
                places = Decimal(1).scaleb(-currency.decimal_places)

                def part(amount, share=share, places=places):
                    return float((amount * share).quantize(places))

                invoiced.add("excluded", suffix, part(exact(untaxed)))
                for tax_id, amount in self._shopify_tax_shares(line, tax).items():
                    invoiced.add(str(tax_id), suffix, part(amount.amount))
        return invoiced

    def _shopify_tax_shares(self, refund_line, amount):
        """Shopify's tax of a refund's line over the taxes of this one: ``{tax id: Money}``."""
        stated = self.extra_tax_data["manual_tax_amounts"]
        weights = {
            int(tax_id): Money(exact(amounts["tax_amount_currency"]), self.currency_id.name)
            for tax_id, amounts in stated.items()
            if "tax_amount_currency" in amounts
        }
        booked = sum((weight.amount for weight in weights.values()), Decimal(0))
        left_out = exact(refund_line.left_out_tax)
        charged = exact(refund_line.ordered_tax) - left_out
        if left_out and charged > 0:
            left_out = left_out * booked / charged
        tax = Money(exact(amount), self.currency_id.name)
        if not booked and not left_out:
            return {}
        return split_tax(
            tax,
            weights,
            Money(left_out, self.currency_id.name),
            self.currency_id.decimal_places,
        )

    def _shopify_credits_of_taken_off(self):
        rows = super()._shopify_credits_of_taken_off()
        lines = self.sudo().shopify_refund_line_ids
        taken_off = lines.filtered(lambda line: line._is_taken_off()).refund_id
        left = self.shopify_taken_off
        for row in self.invoice_lines.sorted("id") if taken_off and left else rows:
            refund = row.move_id.sudo().shopify_refund_id
            if refund in taken_off and row.parent_state != "cancel" and row.quantity <= left:
                left -= row.quantity
                rows |= row
        return rows

    def _shopify_invoice_share(self, quantity):
        asking = self.with_context(shopify_share_of_rest=True)
        return super(SaleOrderLine, asking)._shopify_invoice_share(quantity)
