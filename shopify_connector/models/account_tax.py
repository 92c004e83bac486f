from odoo import api, models


class AccountTax(models.Model):
    _inherit = "account.tax"

    @api.model
    def _aggregate_base_line_tax_details(self, base_line, grouping_function):
        """Of several taxes that are stated in the document's currency only, Odoo aims at the last
        in the company's currency: where prices include them, the base would lack the others.
        """
        found = super()._aggregate_base_line_tax_details(base_line, grouping_function)
        stated = base_line["manual_tax_amounts"]
        if stated:
            for values in found.values():
                taxes_data = values["taxes_data"]
                if len(taxes_data) > 1:
                    amounts = (_target(stated.get(str(t["tax"].id), {}), t) for t in taxes_data)
                    values["target_tax_amount"] = sum(amounts)
        return found


def _target(stated, tax_data):
    """Of one tax, in the company's currency."""
    if "tax_amount" in stated:
        return stated["tax_amount"] * (-1 if tax_data["is_reverse_charge"] else 1)
    return tax_data["tax_amount" if "tax_amount_currency" in stated else "raw_tax_amount"]
