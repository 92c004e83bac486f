from odoo import api, fields, models
from odoo.exceptions import UserError

from .shopify_fulfillment import OPEN_STATES

STATES = [
    ("waiting", "Needs a decision"),
    ("pending", "On its way"),
    ("done", "Fulfilled"),
    ("cancelled", "Cancelled"),
    ("skipped", "Nothing to do"),
]


class StockPicking(models.Model):
    """Deliveries of Shopify orders are told to Shopify, by a job."""

    _inherit = "stock.picking"

    shopify_fulfillment_ids = fields.One2many(
        "shopify.fulfillment",
        "picking_id",
        string="Shopify Fulfilments",
        readonly=True,
        groups="shopify_connector.group_auditor",
    )
    shopify_fulfillment_state = fields.Selection(
        STATES, string="Shopify", compute="_compute_shopify_fulfillment", compute_sudo=True
    )
    shopify_fulfillment_message = fields.Char(
        compute="_compute_shopify_fulfillment", compute_sudo=True
    )
    shopify_can_push = fields.Boolean(compute="_compute_shopify_fulfillment", compute_sudo=True)

    @api.depends("state", "shopify_fulfillment_ids.state", "shopify_fulfillment_ids.message")
    def _compute_shopify_fulfillment(self):
        for picking in self:
            rows = picking.shopify_fulfillment_ids
            # A cancelled one may have been sent again; other news count while they are underway.
            made = rows.filtered(lambda row: row.kind == "create")
            told = made.filtered(lambda row: row.state != "cancelled") or made
            told |= (rows - made).filtered(lambda row: row.state in OPEN_STATES)
            states = {{"sending": "pending"}.get(row.state, row.state) for row in told}
            state = next((name for name, _label in STATES if name in states), False)
            picking.shopify_fulfillment_state = state
            own = rows.filtered(lambda row: row.message and row.state not in ("done", "skipped"))
            picking.shopify_fulfillment_message = own[:1].message
            picking.shopify_can_push = (
                picking.state == "done"
                and picking.location_dest_id.usage == "customer"
                and bool(picking.sale_id.shopify_order_ids)
                and state != "done"
            )

    def _action_done(self):
        """One insert for those that a store is to be told of; nobody is asked here."""
        result = super()._action_done()
        done = self.filtered(lambda picking: picking.state == "done" and picking.sale_id)
        if done and not self.env.context.get("shopify_fulfilled"):
            self.env["shopify.fulfillment"].sudo()._put_deliveries(done.sudo())
        returned = self.filtered(lambda picking: picking.state == "done" and picking.return_id)
        if returned:
            returned.sudo()._shopify_cancel_returned()
        return result

    def _send_confirmation_email(self):
        """Nothing where a parcel of Shopify is followed: the customer was told from there."""
        if self.env.context.get("shopify_fulfilled"):
            return None
        return super()._send_confirmation_email()

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"carrier_tracking_ref", "carrier_id"}:
            done = self.filtered(lambda picking: picking.state == "done")
            if done and not self.env.context.get("shopify_fulfilled"):
                self.env["shopify.fulfillment"].sudo()._put_tracking(done)
        return result

    def _shopify_cancel_returned(self):
        """Deliveries that came back as a whole are cancelled in Shopify, by the store's policy."""
        origins = self.return_id.filtered(
            lambda picking: (
                picking.sale_id.shopify_backend_id.fulfillment_return_policy == "cancel"
                and all(
                    move.product_uom.compare(
                        sum(
                            back.product_uom._compute_quantity(back.quantity, move.product_uom)
                            for back in move.returned_move_ids
                            if back.state == "done"
                        ),
                        move.quantity,
                    )
                    >= 0
                    for move in picking.move_ids
                    if move.state == "done"
                )
            )
        )
        rows = origins.shopify_fulfillment_ids.filtered(lambda row: row.direction == "out")
        rows._put_cancellations()

    def action_shopify_push(self):
        """Tell Shopify of these deliveries now, also when the store does not do so by itself."""
        rows = self.env["shopify.fulfillment"]
        rows._check_operator()
        fit = self.filtered(lambda picking: picking.sudo().shopify_can_push)
        if not fit:
            raise UserError(
                self.env._("Only done deliveries of Shopify orders that wait can be pushed.")
            )
        rows = rows.sudo()
        # Without the switch of the store: a person asked for it.
        rows._insert(rows._items(fit.sudo()), "create")
        rows = fit.sudo().shopify_fulfillment_ids
        rows.filtered(lambda row: row.kind == "create" and row.state == "skipped").state = "pending"
        rows._due_now()
        return (
            fit.sudo()
            .sale_id.shopify_backend_id[:1]
            ._notify(self.env._("Shopify is told in a moment."), "info", reload=True)
        )

    def action_view_shopify_fulfillments(self):
        """List what Shopify was told of this delivery."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "shopify_connector.action_shopify_fulfillment"
        )
        action["domain"] = [("picking_id", "=", self.id)]
        action["context"] = {}
        return action
