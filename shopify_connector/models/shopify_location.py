from odoo import api, fields, models


class ShopifyLocation(models.Model):
    """A location of a store, mapped to a warehouse or a stock location."""

    _name = "shopify.location"
    _inherit = "shopify.binding"
    _description = "Shopify Location"
    _order = "backend_id, name"

    name = fields.Char(required=True, readonly=True)
    active = fields.Boolean(
        default=True, help="Archived when the store has deactivated or deleted the location."
    )
    address = fields.Char(readonly=True)
    fulfils_online = fields.Boolean(string="Fulfils Online Orders", readonly=True)
    fulfillment_service = fields.Boolean(
        readonly=True, help="Run by a fulfilment service (3PL), not by the merchant."
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        check_company=True,
        help="Orders of this location are delivered from here.",
    )
    stock_location_id = fields.Many2one(
        "stock.location",
        check_company=True,
        compute="_compute_stock_location_id",
        store=True,
        readonly=False,
        precompute=True,
        domain="[('usage', '=', 'internal')]",
        help="Whose stock the location holds; by default all stock of the warehouse.",
    )

    @api.depends("warehouse_id")
    def _compute_stock_location_id(self):
        for location in self:
            view = location.warehouse_id.view_location_id
            known = location.stock_location_id
            if not view:
                location.stock_location_id = False
            elif not known or not (known.parent_path or "").startswith(view.parent_path):
                location.stock_location_id = location.warehouse_id.lot_stock_id
