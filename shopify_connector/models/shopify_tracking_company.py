from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..mappers.tracking_companies import NAMES, known_company


class ShopifyTrackingCompany(models.Model):
    """What Shopify calls the carrier of a delivery method, and where its parcels are followed."""

    _name = "shopify.tracking.company"
    _description = "Shopify Tracking Company"
    _check_company_auto = True
    _rec_name = "carrier_id"
    _order = "backend_id, carrier_id"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="backend_id.company_id", store=True, index=True, precompute=True
    )
    carrier_id = fields.Many2one(
        "delivery.carrier",
        string="Delivery Method",
        required=True,
        check_company=True,
        ondelete="cascade",
        index=True,
    )
    company = fields.Selection(
        [(name, name) for name in NAMES],
        string="Carrier in Shopify",
        compute="_compute_company",
        store=True,
        readonly=False,
        help="Of these Shopify makes the tracking links itself.",
    )
    other_company = fields.Char(
        string="Other Carrier", help="Shown to the customer when the carrier is not in the list."
    )
    tracking_url = fields.Char(
        string="Tracking Link",
        help="{number} stands for the tracking number, e.g. https://example.com/?id={number}."
        " Empty: the link of the delivery method, or Shopify's own.",
    )

    _carrier_uniq = models.UniqueIndex(
        "(backend_id, carrier_id)", "This delivery method is in the list already."
    )

    @api.depends("carrier_id")
    def _compute_company(self):
        for row in self:
            row.company = row.company or known_company(row.carrier_id.name)

    @api.constrains("tracking_url")
    def _check_tracking_url(self):
        for row in self:
            url = row.tracking_url
            if url and not (url.startswith(("https://", "http://")) and "{number}" in url):
                raise ValidationError(
                    self.env._(
                        "The tracking link of %s must begin with https:// and hold {number} where"
                        " the tracking number belongs.",
                        row.carrier_id.name,
                    )
                )
