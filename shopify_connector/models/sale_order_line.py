from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

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
    shopify_taken_off = fields.Float(
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="Units that Shopify took off the line before they were delivered.",
    )
    # values of stored computed fields that the importer knows; see `_take_computed`
    shopify_computed = fields.Json(store=False)

    @api.model
    def _add_precomputed_values(self, vals_list):
        _take_computed(self, vals_list)
        return super()._add_precomputed_values(vals_list)

    @api.depends("extra_tax_data")
    def _compute_amount(self):
        """An update from Shopify may change nothing but the tax amounts."""
        return super()._compute_amount()

    def _shopify_replace_product(self, product):
        """Put the right product in the place of a placeholder; amounts and texts stay.

        :raises UserError: something of the line was delivered or invoiced
        """
        self.ensure_one()
        if self.qty_delivered or self.qty_invoiced:
            raise UserError(
                self.env._(
                    "%s: a part was delivered or invoiced, so its product cannot change.",
                    self.name.partition("\n")[0],
                )
            )
        self.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))._action_cancel()
        # depends on the moves, not on their state
        self.invalidate_recordset(["product_updatable"])
        self.write(
            {
                "product_id": product.id,
                "product_uom_id": product.uom_id.id,
                "shopify_kit_parts": False,
                "product_uom_qty": self.product_uom_qty,
                "name": self.name,
                "price_unit": self.price_unit,
                "technical_price_unit": self.price_unit,
                "discount": self.discount,
                "tax_ids": [Command.set(self.tax_ids.ids)],
                "extra_tax_data": self.extra_tax_data,
            }
        )
        if self.state == "sale":
            self._action_launch_stock_rule()
