from odoo import fields, models


class ShopifyException(models.Model):
    """A cause that needs a person, with the records that wait for it."""

    _name = "shopify.exception"
    _description = "Shopify Exception"
    _order = "last_seen desc, id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    name = fields.Char(required=True, readonly=True)
    last_seen = fields.Datetime(readonly=True)
    line_ids = fields.One2many("shopify.exception.line", "exception_id")


class ShopifyExceptionLine(models.Model):
    """A record that waits for an exception to be fixed."""

    _name = "shopify.exception.line"
    _description = "Shopify Exception: Waiting Record"

    exception_id = fields.Many2one(
        "shopify.exception", required=True, ondelete="cascade", index=True
    )
