from odoo import fields, models

HOLD_SETTINGS = (
    "hold_cancel",
    "hold_investigate",
    "hold_high",
    "hold_medium",
    "hold_pending",
    "hold_unknown",
)


class ShopifyBackend(models.Model):
    """Which orders of a store wait for a decision because of their risk of fraud.

    Each setting is looked at by itself: one that applies is enough.
    """

    _inherit = "shopify.backend"

    hold_cancel = fields.Boolean(
        string="Advice to Cancel",
        default=True,
        tracking=True,
        help="Orders that Shopify advises to cancel are imported as quotations and not confirmed"
        " until somebody releases them.",
    )
    hold_investigate = fields.Boolean(
        string="Advice to Investigate",
        tracking=True,
        help="Hold orders whose customer Shopify advises to contact first.",
    )
    hold_high = fields.Boolean(
        string="High Risk",
        default=True,
        tracking=True,
        help="Hold orders of which Shopify, or an app in Shopify, assessed a high risk.",
    )
    hold_medium = fields.Boolean(
        string="Medium Risk",
        tracking=True,
        help="Hold orders of which Shopify, or an app in Shopify, assessed a medium risk.",
    )
    hold_pending = fields.Boolean(
        string="Assessment Pending",
        tracking=True,
        help="Hold orders while Shopify says that their assessment is pending; they go on by"
        " themselves when it is done and good.",
    )
    hold_unknown = fields.Boolean(
        string="Unknown Advice or Risk",
        tracking=True,
        help="Hold orders of which Shopify says something that this version does not know.",
    )
    held_count = fields.Integer(compute="_compute_held_count")

    def _compute_held_count(self):
        held = dict(
            self.env["shopify.order"]._read_group(
                [("backend_id", "in", self.ids), ("hold", "in", ("held", "late"))],
                ["backend_id"],
                ["__count"],
            )
        )
        for backend in self:
            backend.held_count = held.get(backend, 0)

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(HOLD_SETTINGS):
            held = self.env["shopify.order"].sudo()
            held.search(
                [("backend_id", "in", self.ids), ("hold", "in", ("held", "late"))]
            )._look_again()
        return result

    def action_view_held(self):
        """List the orders that wait for a decision about their risk."""
        return self._open_mine("action_shopify_order_held")
