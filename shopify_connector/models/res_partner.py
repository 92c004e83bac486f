from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    shopify_customer_ids = fields.One2many("shopify.customer", "partner_id")
