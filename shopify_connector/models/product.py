from odoo import api, fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    shopify_product_count = fields.Integer(
        compute="_compute_shopify_product_count", groups="shopify_connector.group_auditor"
    )

    @api.depends("product_variant_ids.shopify_variant_ids")
    def _compute_shopify_product_count(self):
        for template in self:
            variants = template.with_context(active_test=False).product_variant_ids
            template.shopify_product_count = len(variants.shopify_variant_ids)

    def action_view_shopify_variants(self):
        variants = self.with_context(active_test=False).product_variant_ids
        return variants.action_view_shopify_variants()


class ProductProduct(models.Model):
    _inherit = "product.product"

    shopify_variant_ids = fields.One2many("shopify.variant", "product_id", copy=False)
    shopify_variant_count = fields.Integer(
        compute="_compute_shopify_variant_count", groups="shopify_connector.group_auditor"
    )

    @api.depends("shopify_variant_ids")
    def _compute_shopify_variant_count(self):
        for product in self:
            product.shopify_variant_count = len(product.shopify_variant_ids)

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        products._retry_shopify_orders()
        return products

    def write(self, vals):
        result = super().write(vals)
        if vals.get("default_code") or vals.get("barcode") or vals.get("active"):
            self._retry_shopify_orders()
        return result

    def _retry_shopify_orders(self):
        """Orders that waited for a product with this SKU or barcode are tried again."""
        skus = [code for code in self.mapped("default_code") if code]
        barcodes = [code for code in self.mapped("barcode") if code]
        if not skus and not barcodes:
            return
        variants = (
            self.env["shopify.variant"]
            .sudo()
            .search(
                [
                    ("product_id", "=", False),
                    "|",
                    ("sku", "in", skus),
                    ("barcode", "in", barcodes),
                ]
            )
        )
        variants._resolve_exceptions()

    def action_view_shopify_variants(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "shopify_connector.action_shopify_variant"
        )
        action["domain"] = [("product_id", "in", self.ids)]
        action["context"] = {}
        return action
