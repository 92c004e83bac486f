from odoo import fields, models
from odoo.exceptions import UserError


class ShopifyLineMapping(models.TransientModel):
    """Puts products in the place of the placeholders of an order."""

    _name = "shopify.line.mapping"
    _description = "Choose Products of Shopify Lines"

    order_id = fields.Many2one("sale.order", required=True, readonly=True)
    company_id = fields.Many2one(related="order_id.company_id")
    line_ids = fields.One2many("shopify.line.mapping.line", "mapping_id")

    def action_apply(self):
        """Replace the products that were chosen; the other lines stay as they are."""
        self.ensure_one()
        chosen = self.line_ids.filtered("product_id")
        if not chosen:
            raise UserError(self.env._("Choose a product for at least one line."))
        for line in chosen:
            line.sale_line_id._shopify_replace_product(line.product_id)
        return {"type": "ir.actions.act_window_close"}


class ShopifyLineMappingLine(models.TransientModel):
    _name = "shopify.line.mapping.line"
    _description = "Choose Products of Shopify Lines: Line"

    mapping_id = fields.Many2one(
        "shopify.line.mapping", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="mapping_id.company_id")
    sale_line_id = fields.Many2one("sale.order.line", required=True, readonly=True)
    name = fields.Text(related="sale_line_id.name", string="In Shopify")
    sku = fields.Char(related="sale_line_id.shopify_sku", string="SKU")
    quantity = fields.Float(related="sale_line_id.product_uom_qty")
    product_id = fields.Many2one(
        "product.product",
        domain="[('sale_ok', '=', True), ('company_id', 'in', (False, company_id))]",
    )
