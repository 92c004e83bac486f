from odoo import fields, models

from .shopify_outbox import UncheckedMany2one


class ShopifyStockReading(models.Model):
    """What an export of Shopify said of a variant, or of its level at a location.

    Written by plain SQL, and gone when its check is over.
    """

    _name = "shopify.stock.reading"
    _description = "Shopify Stock Check: Exported Level"
    _log_access = False
    _order = "id"

    check_id = fields.Many2one(
        "shopify.stock.check", required=True, readonly=True, ondelete="cascade"
    )
    variant_id = UncheckedMany2one("shopify.variant", required=True, readonly=True)
    location_id = UncheckedMany2one(
        "shopify.location", readonly=True, help="Empty: the inventory item itself."
    )
    tracked = fields.Boolean(readonly=True, help="Of the inventory item.")
    stocked = fields.Boolean(readonly=True)
    available = fields.Integer(readonly=True, aggregator=False)
    on_hand = fields.Integer(readonly=True, aggregator=False)

    _place_uniq = models.UniqueIndex("(check_id, variant_id, coalesce(location_id, 0))")
