from odoo import api, fields, models


class ShopifySyncLog(models.Model):
    """One line per record and attempt."""

    _name = "shopify.sync.log"
    _description = "Shopify Sync Log"
    _order = "id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    direction = fields.Selection(
        [("in", "From Shopify"), ("out", "To Shopify")], required=True, readonly=True
    )

    @api.model
    def _log(self, backend, rows):
        """Add lines in one INSERT.

        :param rows: list of ``{direction, res_model, res_id, name, gid, outcome,
            message, duration_ms, request_id, job_uuid}``; only ``direction`` ('in' or
            'out') and ``outcome`` are needed
        """
        raise NotImplementedError
