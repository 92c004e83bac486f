from odoo import api, fields, models

from .shopify_outbox import REASONS


class ShopifyStockLevel(models.Model):
    """A variant at a location of its store: what Shopify was told, and what it said.

    Written by the exporter alone, in transactions of its own.
    """

    _name = "shopify.stock.level"
    _description = "Shopify Stock Level"
    _rec_name = "variant_id"
    _log_access = False
    _order = "pushed_at desc nulls last, id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    variant_id = fields.Many2one(
        "shopify.variant", required=True, readonly=True, ondelete="cascade", index=True
    )
    location_id = fields.Many2one(
        "shopify.location", required=True, readonly=True, ondelete="cascade", index=True
    )
    product_id = fields.Many2one(related="variant_id.product_id")
    sku = fields.Char(related="variant_id.sku")
    quantity_name = fields.Char(
        string="Quantity Kind", readonly=True, help="Shopify's name: available or on_hand."
    )
    known = fields.Integer(
        string="In Shopify", readonly=True, aggregator=False, help="As far as Odoo knows."
    )
    known_at = fields.Datetime(string="Known Since", readonly=True, help="Empty: not read yet.")
    stocked = fields.Boolean(readonly=True, help="The item is active at this location in Shopify.")
    pushed_quantity = fields.Integer(string="Last Sent", readonly=True, aggregator=False)
    pushed_at = fields.Datetime(string="Sent At", readonly=True)
    pushed_reason = fields.Selection(REASONS, string="Because", readonly=True)
    state = fields.Selection(
        [
            ("new", "Not looked at yet"),
            ("same", "In step"),
            ("held", "Sent less for now"),
            ("waiting", "Waits"),
            ("off", "Not sent"),
            ("failed", "Refused"),
        ],
        default="new",
        required=True,
        readonly=True,
    )
    message = fields.Char(string="Note", readonly=True)
    held = fields.Integer(
        string="Held Back",
        default=0,
        readonly=True,
        aggregator=False,
        help="Units that Shopify has sold and whose orders are not in Odoo yet, as it seems.",
    )
    held_at = fields.Datetime(readonly=True)
    # Up to where orders were known when `known` was, and units of those that waited for their
    # import: what came later explains a drop.
    seen_order = fields.Integer(default=0, readonly=True, aggregator=False)
    seen_waiting = fields.Float(default=0.0, readonly=True, aggregator=False)
    # What is being sent; still there afterwards when nobody knows whether it got through.
    intent_key = fields.Char(string="Idempotency Key", readonly=True)
    intent_quantity = fields.Integer(readonly=True, aggregator=False)
    intent_at = fields.Datetime(readonly=True)
    explanation = fields.Html(compute="_compute_explanation", sanitize=False)

    _variant_location_uniq = models.Constraint(
        "UNIQUE (variant_id, location_id)", "One level per variant and location."
    )
    _backend_idx = models.Index("(backend_id, state)")

    @api.depends("variant_id", "location_id")
    def _compute_explanation(self):
        Explainer = self.env["shopify.stock.quantity"]
        for level in self:
            level.explanation = Explainer._explain(level)

    def action_push_now(self):
        """Look at these variants at once."""
        return self.variant_id.action_push_stock()
