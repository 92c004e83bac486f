from odoo import models

from .outcome import Outcome


class ShopifyInbox(models.AbstractModel):
    _inherit = "shopify.inbox"

    def _handlers(self):
        return {**super()._handlers(), "BulkOperation": "shopify.bulk.news"}


class ShopifyBulkNews(models.AbstractModel):
    """Handler of the inbox: Shopify tells that an export has ended, so it is looked at now."""

    _name = "shopify.bulk.news"
    _description = "Shopify Exports: Webhook"

    def _fetch(self, backend, client, gids):
        return {gid: {} for gid in gids}, ()

    def _process(self, backend, nodes, context):
        operations = self.env["shopify.bulk.operation"].sudo()
        operations = operations.search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(nodes))]
        )
        for operation in operations.filtered(lambda item: item.state == "running"):
            operation._continue()
        known = set(operations.mapped("shopify_gid"))
        return {
            gid: Outcome("updated", message=self.env._("The export is looked at now."))
            if gid in known
            else Outcome("skipped", message=self.env._("An export that others asked for."))
            for gid in nodes
        }
