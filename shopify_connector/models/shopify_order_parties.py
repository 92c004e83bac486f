from collections import defaultdict
from datetime import timezone
from zoneinfo import ZoneInfo

from odoo import api, fields, models


class ShopifyOrder(models.Model):
    """Who bought for which company, when it is due, and what became of each tax."""

    _inherit = "shopify.order"

    business_name = fields.Char(string="Company in Shopify", readonly=True)
    location_name = fields.Char(string="Location of the Company", readonly=True)
    tax_exempt = fields.Boolean(string="Tax-exempt", readonly=True)
    payment_terms = fields.Char(readonly=True, help="As Shopify calls them.")
    due_at = fields.Datetime(string="Due", readonly=True, help="When the last payment is due.")
    due_date = fields.Date(
        compute="_compute_due_date", help="The day on which it is due where the store is."
    )

    @api.depends("due_at", "backend_id.shop_timezone")
    def _compute_due_date(self):
        for order in self:
            moment, zone = order.due_at, order.backend_id.shop_timezone
            if moment and zone:
                moment = moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zone))
            order.due_date = moment and moment.date()

    def _comparison_values(self):
        """With what Odoo has of each tax, and what the mappings leave out."""
        values = super()._comparison_values()
        figures = self.figures or {}
        left_out = figures.get("left_out") or {}
        if left_out or figures.get("taken_off"):
            self._explain_less(
                values["rows"], values["sale"], left_out, figures.get("taken_off") or {}
            )
        odoo = self._odoo_taxes(values["sale"])
        shown = set()
        for tax in values["taxes"]:
            tax["included"] = tax.get("included", self.taxes_included)
            tax["left_out"] = tax.get("left_out", False)
            tax["country"] = tax.get("country", "")
            # several taxes of Shopify may be one of Odoo: its amount stands beside the first
            first = tax["tax_id"] and tax["tax_id"] not in shown
            shown.add(tax["tax_id"])
            tax["odoo"] = self.currency_id.format(odoo.get(tax["tax_id"], 0.0)) if first else ""
        values["left_out"] = self.currency_id.format(left_out["total"]) if left_out else ""
        return values

    def _explain_less(self, rows, sale, left_out, taken_off):
        """Figures are the same when they differ by the taxes that are left out and by the units
        that were taken off, and by no more.
        """
        money, ours = self.currency_id, sale._shopify_figures() if sale else {}
        stated = {
            "total": self.amount_total,
            "tax": self.amount_tax,
            "shipping": self.amount_shipping,
            "discount": self.amount_discount,
        }
        # see the rows' own tolerance: shipping and discounts with or without that on shipping
        other = ours.get("shipping_discount", 0.0)
        others = {"total": 0.0, "tax": 0.0, "shipping": other, "discount": -other}
        for row, figure in zip(rows, stated, strict=True):
            own = ours.get(figure)
            if own is not None:
                less = left_out.get(figure, 0.0) + taken_off.get(figure, 0.0)
                row["same"] = any(
                    not money.compare_amounts(stated[figure], own + less + extra)
                    for extra in (0.0, others[figure])
                )

    def _odoo_taxes(self, sale):
        """``{account.tax id: amount}`` of the sale order, by Odoo's tax engine."""
        found = defaultdict(float)
        if not sale:
            return found
        AccountTax = self.env["account.tax"].sudo()
        base_lines = [
            line._prepare_base_line_for_taxes_computation()
            for line in sale.order_line
            if not line.display_type
        ]
        AccountTax._add_tax_details_in_base_lines(base_lines, sale.company_id)
        AccountTax._round_base_lines_tax_details(base_lines, sale.company_id)
        for base_line in base_lines:
            for data in base_line["tax_details"]["taxes_data"]:
                found[data["tax"].id] += data["tax_amount_currency"]
        return found
