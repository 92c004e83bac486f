from odoo import fields, models


class ShopifyLocation(models.Model):
    """Who ships from a location."""

    _inherit = "shopify.location"

    shopify_ships = fields.Boolean(
        help="Parcels of this location are sent from Shopify, by an app or by another company;"
        " Odoo's deliveries follow them. Otherwise Odoo's deliveries lead.",
    )

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"warehouse_id", "stock_location_id", "shopify_ships"}:
            self.backend_id._retry_fulfillments()
        if "shopify_ships" in vals:
            self.backend_id._update_fulfillment_topics()
        return result
