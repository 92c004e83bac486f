from odoo import api, fields, models


class ShopifyProduct(models.Model):
    """A product of a store; its variants are what orders are linked by."""

    _name = "shopify.product"
    _inherit = "shopify.binding"
    _description = "Shopify Product"
    _rec_name = "title"
    _order = "title, id"

    title = fields.Char(readonly=True)
    handle = fields.Char(readonly=True)
    status = fields.Selection(
        [
            ("active", "Active"),
            ("draft", "Draft"),
            ("archived", "Archived"),
            ("unlisted", "Unlisted"),
            ("unknown", "Unknown"),
        ],
        string="Status in Shopify",
        readonly=True,
    )
    vendor = fields.Char(readonly=True)
    product_type = fields.Char(readonly=True)
    is_gift_card = fields.Boolean(string="Gift Card", readonly=True)
    remote_deleted = fields.Boolean(
        string="Deleted in Shopify",
        readonly=True,
        help="Kept here, because orders may still refer to it.",
    )
    product_tmpl_id = fields.Many2one(
        "product.template",
        string="Odoo Product",
        compute="_compute_product_tmpl_id",
        store=True,
        index="btree_not_null",
        help="The product of the linked variants, when all of them have the same.",
    )
    variant_ids = fields.One2many("shopify.variant", "shopify_product_id", readonly=True)
    variant_count = fields.Integer(compute="_compute_counts")
    unmapped_count = fields.Integer(
        string="Not Mapped", compute="_compute_counts", search="_search_unmapped_count"
    )

    @api.depends("variant_ids.product_id.product_tmpl_id")
    def _compute_product_tmpl_id(self):
        for product in self:
            templates = product.variant_ids.product_id.product_tmpl_id
            product.product_tmpl_id = templates if len(templates) == 1 else False

    @api.depends("variant_ids.product_id", "variant_ids.remote_deleted")
    def _compute_counts(self):
        for product in self:
            variants = product.variant_ids.filtered(lambda variant: not variant.remote_deleted)
            product.variant_count = len(variants)
            product.unmapped_count = len(variants.filtered(lambda variant: not variant.product_id))

    def _search_unmapped_count(self, operator, value):
        if operator != ">" or value != 0:
            return NotImplemented
        return [
            ("variant_ids", "any", [("product_id", "=", False), ("remote_deleted", "=", False)])
        ]
