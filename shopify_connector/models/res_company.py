from odoo import api, models

from odoo.addons.account.models.company import LOCK_DATE_FIELDS


def _retry_closed_periods(companies):
    """Invoices and payments of Shopify orders that wait for an open period are tried again."""
    backends = companies.env["shopify.backend"].sudo()
    backends.search([("company_id", "child_of", companies.ids)])._resolve_accounting({"period"})


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & set(LOCK_DATE_FIELDS):
            _retry_closed_periods(self)
        return result


class AccountLockException(models.Model):
    _inherit = "account.lock_exception"

    @api.model_create_multi
    def create(self, vals_list):
        exceptions = super().create(vals_list)
        _retry_closed_periods(exceptions.company_id)
        return exceptions
