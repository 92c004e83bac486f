from odoo import api, fields, models


class ShopifyMapping(models.AbstractModel):
    """Base of what a person maps: orders wait until the target is chosen."""

    _name = "shopify.mapping"
    _description = "Shopify Mapping"
    _check_company_auto = True

    # field that holds the target, and category of the exceptions that it solves
    _target_field = None
    _exception_category = None

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records.filtered(self._target_field)._resolve_exceptions()
        return records

    def write(self, vals):
        result = super().write(vals)
        if vals.get(self._target_field):
            self._resolve_exceptions()
        return result

    def _resolve_exceptions(self):
        """Process again what waited for these mappings."""
        Exceptions = self.env["shopify.exception"].sudo()
        for backend, mappings in self.grouped("backend_id").items():
            keys = mappings._exception_keys(backend)
            if keys:
                Exceptions._resolve(backend, self._exception_category, keys)

    def _exception_keys(self, backend):
        """Keys of the exceptions of ``backend`` that these mappings solve."""
        known = (
            self.env["shopify.exception"]
            .sudo()
            .search_fetch(
                [
                    ("backend_id", "=", backend.id),
                    ("category", "=", self._exception_category),
                    ("state", "=", "open"),
                ],
                ["key"],
            )
        )
        return [key for key in known.mapped("key") if any(row._covers(key) for row in self)]

    def _covers(self, key):
        """Whether this mapping answers the cause named ``key``."""
        raise NotImplementedError
