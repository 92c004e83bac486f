from odoo import api, fields, models


class ShopifyVariant(models.Model):
    """A variant of a store's product and the Odoo product that is sold for it.

    A line without a variant (made by hand, or its variant was deleted) whose SKU fits several
    products is kept here under ``sku:`` and the SKU, so that a person can choose one of them.
    """

    _name = "shopify.variant"
    _inherit = ["shopify.binding", "shopify.mapping"]
    _description = "Shopify Variant"
    _rec_name = "title"
    _order = "shopify_product_id, id"

    _target_field = "product_id"
    _exception_category = "product"

    backend_id = fields.Many2one(ondelete="restrict", readonly=True)
    shopify_product_id = fields.Many2one(
        "shopify.product", ondelete="cascade", index=True, readonly=True
    )
    title = fields.Char(readonly=True)
    sku = fields.Char(string="SKU", readonly=True, index="btree_not_null")
    barcode = fields.Char(readonly=True, index="btree_not_null")
    inventory_item_gid = fields.Char(
        string="Inventory Item ID", readonly=True, index="btree_not_null", copy=False
    )
    status = fields.Selection(related="shopify_product_id.status")
    remote_deleted = fields.Boolean(string="Deleted in Shopify", readonly=True)
    product_id = fields.Many2one(
        "product.product",
        string="Odoo Product",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Empty: not mapped yet; orders with this variant wait.",
    )
    product_default_code = fields.Char(
        related="product_id.default_code", string="Internal Reference"
    )

    @api.depends("title", "sku", "shopify_product_id.title")
    def _compute_display_name(self):
        for variant in self:
            name = variant.title or variant.shopify_gid or ""
            product = variant.shopify_product_id.title
            if product and product != name:
                name = f"{product} ({name})"
            variant.display_name = f"[{variant.sku}] {name}" if variant.sku else name

    def _exception_keys(self, backend):
        return self.mapped("shopify_gid")

    def action_open_product(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "product.product",
            "res_id": self.product_id.id,
            "view_mode": "form",
        }
