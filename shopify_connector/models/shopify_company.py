from odoo import fields, models


class ShopifyCompany(models.Model):
    """A company that buys from a store (B2B), and the company contact that stands for it."""

    _name = "shopify.company"
    _inherit = "shopify.binding"
    _description = "Shopify Company"
    _rec_name = "name"
    _order = "name, id"

    name = fields.Char(readonly=True)
    external_id = fields.Char(string="External ID", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('company_id', 'in', (company_id, False)), ('is_company', '=', True)]",
    )
    location_ids = fields.One2many("shopify.company.location", "shopify_company_id")


class ShopifyCompanyLocation(models.Model):
    """A branch of a company in Shopify and its address contacts in Odoo."""

    _name = "shopify.company.location"
    _inherit = "shopify.binding"
    _description = "Shopify Company Location"
    _rec_name = "name"
    _order = "name, id"

    shopify_company_id = fields.Many2one(
        "shopify.company", required=True, ondelete="cascade", index=True
    )
    name = fields.Char(readonly=True)
    external_id = fields.Char(string="External ID", readonly=True)
    tax_id = fields.Char(string="VAT Number", readonly=True, help="As it stands in Shopify.")
    tax_exempt = fields.Boolean(string="Tax-exempt", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Delivery Contact",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('company_id', 'in', (company_id, False))]",
    )
    invoice_partner_id = fields.Many2one(
        "res.partner",
        string="Invoice Contact",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('company_id', 'in', (company_id, False))]",
    )
