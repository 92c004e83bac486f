from datetime import timedelta

from odoo import fields, models

# Shopify's times have no fractions: what was read this soon after a change may lack another one
# of the same second. Long enough for the clocks of both, and for the way from there to here.
SAME_MOMENT = timedelta(seconds=30)


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

    def _has_applied(self, updated_at):
        """Whether nothing that Shopify changed up to this time can be new.

        :param updated_at: Shopify's time of a state (UTC, naive)
        """
        self.ensure_one()
        applied, read = self.shopify_updated_at, self.synced_at
        if not applied or updated_at > applied:
            return False
        return updated_at < applied or not read or read > applied + SAME_MOMENT
