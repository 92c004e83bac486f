from odoo import api, fields, models

from .sale_order import _take_computed


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    shopify_gid = fields.Char(
        string="Shopify Line ID", copy=False, readonly=True, index="btree_not_null"
    )
    shopify_kind = fields.Selection(
        [
            ("product", "Product"),
            ("custom", "Custom Item"),
            ("gift_card", "Gift Card"),
            ("tip", "Tip"),
            ("shipping", "Shipping"),
            ("duty", "Duty"),
            ("fee", "Additional Fee"),
        ],
        copy=False,
        readonly=True,
    )
    shopify_sku = fields.Char(string="Shopify SKU", copy=False, readonly=True)
    shopify_variant_gid = fields.Char(string="Shopify Variant ID", copy=False, readonly=True)
    shopify_taxes_included = fields.Boolean(
        copy=False, readonly=True, help="Shopify states the prices of this line with tax."
    )
    # values of stored computed fields that the importer knows; see `_take_computed`
    shopify_computed = fields.Json(store=False)

    @api.model
    def _add_precomputed_values(self, vals_list):
        _take_computed(self, vals_list)
        super()._add_precomputed_values(vals_list)

    @api.depends("extra_tax_data")
    def _compute_amount(self):
        """An update from Shopify may change nothing but the tax amounts."""
        return super()._compute_amount()
