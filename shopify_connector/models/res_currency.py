from odoo import models


class ResCurrency(models.Model):
    _inherit = "res.currency"

    def write(self, vals):
        """Orders that waited for a currency are imported as soon as it is active."""
        activated = self.filtered(lambda currency: not currency.active)
        result = super().write(vals)
        names = activated.filtered("active").mapped("name")
        if names:
            for backend in self.env["shopify.backend"].sudo().search([]):
                self.env["shopify.exception"].sudo()._resolve(backend, "currency", names)
        return result
