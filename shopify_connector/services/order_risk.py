"""Orders of a risk that the store does not take: held, told, released."""

from __future__ import annotations

from odoo import models

from .order_policies import is_risky, risk_of
from .order_updater import OPEN
from .outcome import Block

RISK_FLOW = "risk"
# Sources of events after which what waited is reported again.
_ASKED = {"manual", "retry"}


class ShopifyOrderHolder(models.AbstractModel):
    """Decides which orders are held. A held order is a quotation that the confirmer leaves."""

    _name = "shopify.order.holder"
    _description = "Shopify Order Holder"

    def _holds(self, backend, order, binding=None):
        """Whether this order is not to be confirmed because of its risk; open to extension.

        :param order: :class:`~..mappers.order_types.Order`
        :param binding: its ``shopify.order``; None while there is none
        """
        if binding and binding.hold == "released":
            return False
        return is_risky(backend, order)

    def _review(self, backend, applied, asked):
        """Mark and report what is held, and end the holds whose reason is gone.

        :param applied: ``[(Order, Outcome)]`` of orders that are in Odoo
        :param asked: gids that a person asked for
        """
        if not applied:
            return
        importer = self.env["shopify.order.importer"]
        bindings = importer._bindings(backend, [order.gid for order, _outcome in applied])
        ended, blocks = self.env["shopify.order"], {}
        for order, outcome in applied:
            binding = bindings[order.gid]
            before, hold = binding.hold, self._state(backend, order, binding)
            if binding.risk_seen != risk_of(order):
                binding.risk_seen = risk_of(order)
            if hold != before:
                if hold:
                    binding.hold = hold
                else:
                    ended |= binding
            if hold in ("held", "late") and (hold != before or order.gid in asked):
                blocks[order.gid] = (order.name, [self._block(binding)])
            if hold == "held" and hold != before:
                outcome.message = self.env._(
                    "%(done)s It is on hold: %(reason)s.",
                    done=outcome.message,
                    reason=binding.hold_reason,
                )
            elif hold == "late" and hold != before:
                self._tell(binding)
        if ended:
            ended._end_hold()
        if blocks:
            self.env["shopify.exception"]._report(backend, blocks, flow=RISK_FLOW)

    def _state(self, backend, order, binding):
        """Value of ``hold`` that this order should have now."""
        sale = binding.sale_order_id
        if binding.hold == "released":
            return "released"
        if sale.state == "cancel" or not self._holds(backend, order, binding):
            return False
        if sale.state in OPEN:
            return "held"
        # Only what Shopify says anew is told; what was confirmed knowingly, or under other
        # settings, is not.
        worse = binding.risk_seen and binding.risk_seen != risk_of(order)
        return "late" if binding.hold or worse else False

    def _block(self, binding):
        sale = binding.sale_order_id
        figures = {
            "order": binding.name,
            "name": sale.name,
            "total": binding.currency_id.format(binding.amount_total),
            "reason": binding.hold_reason,
        }
        if binding.hold == "held":
            title = self.env._("Order %s is on hold because of its risk", binding.name)
            message = self.env._("%(order)s (%(name)s, %(total)s): %(reason)s.", **figures)
            remedy = self.env._(
                "Look at the order in Shopify. Then release it, which confirms it by the store's"
                " rule, or cancel it. It goes on by itself when Shopify assesses it better."
            )
        else:
            title = self.env._("Order %s became risky after it was confirmed", binding.name)
            message = self.env._(
                "%(order)s (%(name)s, %(total)s): %(reason)s. It was confirmed before; its"
                " deliveries are as they were.",
                **figures,
            )
            remedy = self.env._(
                "Stop the delivery if it is not too late. Then release the order to accept the"
                " risk, or cancel it."
            )
        return Block(
            category="risk",
            key=binding.shopify_gid,
            title=title,
            message=message,
            remedy=remedy,
            res_model="shopify.order",
            res_id=binding.id,
        )

    def _tell(self, binding):
        """A note where people look who send the goods."""
        sale = binding.sale_order_id
        message = self.env._(
            "Shopify assessed this order anew after it was confirmed: %s. Nothing was stopped.",
            binding.hold_reason,
        )
        sale.message_post(body=message)
        for picking in sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel")):
            picking.message_post(body=message)

    def _confirm_released(self, orders):
        """Confirm released quotations where the store's policy does, by what is kept of them.

        :return: the ``sale.order`` that were confirmed
        """
        confirmed = self.env["sale.order"]
        for backend, some in orders.grouped("backend_id").items():
            worker = backend._as_integration_user().sudo()
            due = some.with_env(worker.env).filtered(
                lambda order, policy=backend.confirm_policy: (
                    order.sale_order_id.state in OPEN and self._may_confirm(policy, order)
                )
            )
            if not due:
                continue
            confirmer = worker.env["shopify.order.confirmer"]
            confirmer._confirm_sales(worker, due.sale_order_id)
            due.reserve_pending = backend.reserve
            worker.env["shopify.accounting.task"]._add_sales(due.sale_order_id)
            confirmed |= due.sale_order_id
        return confirmed

    def _may_confirm(self, policy, order):
        """As :func:`.order_policies.may_confirm`, of what is kept of the order."""
        if order.cancelled_at or order.deleted or order.financial_status == "refunded":
            return False
        if policy == "paid":
            return self.env["shopify.invoicer"]._is_paid(order)
        return policy == "always"


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _settled(self, backend, order, binding, by_hand):
        """An assessment may come without Shopify counting it as a change of the order."""
        outcome = super()._settled(backend, order, binding, by_hand)
        if outcome is None or not binding:
            return outcome
        assessed = (binding.risk, binding.risk_level) != (order.risk, order.risk_level)
        lifted = binding.hold == "held" and not self.env["shopify.order.holder"]._holds(
            backend, order, binding
        )
        return None if assessed or lifted else outcome

    def _after_apply(self, backend, applied, context):
        result = super()._after_apply(backend, applied, context)
        sources = context.get("sources") or {}
        asked = {gid for gid, found in sources.items() if _ASKED & set(found)}
        self.env["shopify.order.holder"]._review(backend, applied, asked)
        return result
