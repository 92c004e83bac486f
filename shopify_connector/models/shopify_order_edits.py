from odoo import fields, models
from odoo.exceptions import UserError

from ..services.order_snapshot import fingerprint
from ..services.order_updater import NOTHING_WAITS


class ShopifyOrder(models.Model):
    """What waits of a change in Shopify, and what a person does about it."""

    _inherit = "shopify.order"

    snapshot = fields.Json(
        prefetch=False, copy=False, readonly=True, help="The content that the order stands for."
    )
    fingerprint = fields.Char(copy=False, readonly=True)
    difference = fields.Text(
        copy=False,
        readonly=True,
        help="What changed in Shopify and was not applied to the confirmed order.",
    )
    seen = fields.Json(prefetch=False, copy=False, readonly=True, help="The content that differs.")
    pending = fields.Json(
        copy=False, readonly=True, help="What is left to decide of changes that were applied."
    )
    choices = fields.Char(copy=False, readonly=True, help="What a person can do about it.")
    apply_anyway = fields.Boolean(
        copy=False, readonly=True, help="A person chose to apply what waits."
    )

    # === ACTIONS === #

    def action_accept_difference(self):
        """A person dealt with what changed in Shopify: take it as applied."""
        self._check_operator()
        for order in self.sudo().filtered("difference"):
            order.write(
                {"snapshot": order.seen, "fingerprint": fingerprint(order.seen), **NOTHING_WAITS}
            )
            order.sale_order_id.message_post(
                body=self.env._("What changed in Shopify was dealt with by hand.")
            )
            self.env["shopify.exception"]._resolve(
                order.backend_id, "order_changed", order.shopify_gid
            )

    def action_apply_difference(self):
        """Apply what waits although it would be left to a person else."""
        self._check_operator()
        waiting = self.sudo().filtered(lambda order: "apply" in (order.choices or ""))
        waiting.apply_anyway = True
        return self.action_refresh()

    def action_return_goods(self):
        """Open the return of what was delivered; the change is applied once it is here."""
        self.ensure_one()
        self._check_operator()
        sent = self.sale_order_id.picking_ids.filtered(
            lambda pick: pick.state == "done" and pick.picking_type_code == "outgoing"
        )
        if not sent:
            raise UserError(self.env._("Nothing of %s was delivered.", self.name))
        if len(sent) == 1:
            action = self.env["ir.actions.act_window"]._for_xml_id("stock.act_stock_return_picking")
            action["context"] = {"active_id": sent.id, "active_model": "stock.picking"}
            return action
        action = self.env["ir.actions.act_window"]._for_xml_id("stock.action_picking_tree_all")
        return {**action, "domain": [("id", "in", sent.ids)], "context": {}}

    def _look_again(self):
        """Something happened in Odoo for which a change waits: try it again."""
        Inbox = self.env["shopify.inbox"]
        for backend, orders in self.grouped("backend_id").items():
            Inbox._put(
                backend,
                [
                    {"topic": "retry", "gid": order.shopify_gid, "source": "retry"}
                    for order in orders
                ],
            )
            Inbox._kick(backend)
