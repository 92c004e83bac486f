from odoo import api, fields, models

from ..mappers.titles import title_key


class ShopifyCarrierMapping(models.Model):
    """Which delivery method stands for a shipping rate of Shopify."""

    _name = "shopify.carrier.mapping"
    _inherit = "shopify.mapping"
    _description = "Shopify Carrier Mapping"
    _rec_name = "title"
    _order = "backend_id, title, id"

    _target_field = "carrier_id"
    _exception_category = "carrier"

    title = fields.Char(required=True, help="As the customer sees it; case does not matter.")
    title_key = fields.Char(compute="_compute_title_key", store=True, precompute=True)
    code = fields.Char(help="Shopify's code of the rate. Empty: every rate with this title.")
    source = fields.Char(readonly=True, help="Who offered the rate, e.g. shopify, ups.")
    carrier_id = fields.Many2one(
        "delivery.carrier",
        string="Delivery Method",
        check_company=True,
        index="btree_not_null",
        help="Empty: orders get the store's shipping product and no delivery method, or wait,"
        " by the store's setting.",
    )

    _key_uniq = models.UniqueIndex(
        "(backend_id, title_key, COALESCE(code, ''))",
        "This shipping rate is in the list of carrier mappings already.",
    )

    @api.depends("title")
    def _compute_title_key(self):
        for mapping in self:
            mapping.title_key = title_key(mapping.title)

    def _covers(self, key):
        code, _bar, title = key.partition("|")
        return title_key(title) == self.title_key and self.code in (False, "", code)
