from odoo import fields, models


class ShopifyCustomer(models.Model):
    _name = "shopify.customer"
    _inherit = "shopify.binding"
    _description = "Shopify Customer"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", required=True, ondelete="restrict", index=True
    )
    email = fields.Char(help="Normalised e-mail address, as it is compared.")
    phone = fields.Char(help="Normalised phone number, as it is compared.")
