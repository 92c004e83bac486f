from odoo import fields, models


class ShopifyBinding(models.AbstractModel):
    """One Shopify resource of one store and the Odoo record that stands for it."""

    _name = "shopify.binding"
    _description = "Shopify Binding"
    _check_company_auto = True

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        ondelete="restrict",
        index=True,
        readonly=True,
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    shopify_gid = fields.Char(
        string="Shopify ID",
        required=True,
        readonly=True,
        copy=False,
        help="Global id of the record in Shopify, e.g. gid://shopify/Order/1.",
    )
    shopify_updated_at = fields.Datetime(
        string="Updated in Shopify",
        readonly=True,
        copy=False,
        help="Shopify's time of the state that was last applied (UTC).",
    )
    synced_at = fields.Datetime(string="Last Synchronised", readonly=True, copy=False)

    _backend_gid_uniq = models.Constraint(
        "UNIQUE (backend_id, shopify_gid)",
        "This Shopify record is already linked in this store.",
    )
