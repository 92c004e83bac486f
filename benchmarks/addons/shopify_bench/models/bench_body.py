from odoo import fields, models


class BenchBody(models.Model):
    """Table into which the bare INSERT route writes."""

    _name = "shopify.bench.body"
    _description = "Bare Body"

    body = fields.Text()
