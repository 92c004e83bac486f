from odoo import api, fields, models

from ..mappers.titles import title_key


class ShopifyCountryMapping(models.Model):
    """Which country a text in an address means that Odoo does not know."""

    _name = "shopify.country.mapping"
    _inherit = "shopify.mapping"
    _description = "Shopify Country Mapping"
    _rec_name = "name"
    _order = "backend_id, name, id"

    _target_field = "country_id"
    _exception_category = "country"

    name = fields.Char(
        string="Country in Shopify", required=True, help="Text or code as it stands in orders."
    )
    name_key = fields.Char(compute="_compute_name_key", store=True, precompute=True)
    country_id = fields.Many2one("res.country", help="Empty: orders to this country wait.")

    _key_uniq = models.UniqueIndex(
        "(backend_id, name_key)", "This country is in the list of country mappings already."
    )

    @api.depends("name")
    def _compute_name_key(self):
        for mapping in self:
            mapping.name_key = title_key(mapping.name)

    def _covers(self, key):
        return title_key(key) == self.name_key
