from odoo import models

from ..services.stock_settle import FLOW


class ShopifyException(models.Model):
    _inherit = "shopify.exception"

    def _release(self):
        """Variants whose stock was refused are sent again, after they were read again."""
        lines = self.sudo().line_ids.filtered(
            lambda line: line.flow == FLOW and line.state == "waiting"
        )
        found = [(line.backend_id, line.gid) for line in lines]
        result = super()._release()
        for backend in lines.backend_id:
            gids = [gid for store, gid in found if store == backend]
            variants = (
                self.env["shopify.variant"]
                .sudo()
                .search([("backend_id", "=", backend.id), ("shopify_gid", "in", gids)])
            )
            self.env["shopify.outbox"].sudo()._put_variants(variants, "again", delay=2)
            self.env["shopify.stock.exporter"]._trigger(backend, delay=3, key="stock:later")
        return result
