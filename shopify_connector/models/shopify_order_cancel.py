from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import ShopifyError
from ..services.outcome import Block

CANCEL_FLOW = "cancel"
# Shopify cancels in a job of its own: seconds until the first look, and how long it may take.
FIRST_LOOK = 10
PATIENCE = timedelta(hours=1)


class ShopifyBackend(models.Model):
    _inherit = "shopify.backend"

    cancel_in_shopify = fields.Boolean(
        string="Cancel in Shopify",
        tracking=True,
        help="Operators may cancel orders of this store from Odoo, with refund, restocking and"
        " a mail to the customer as they choose. Nothing is cancelled in Shopify without being"
        " asked.",
    )


class ShopifyOrder(models.Model):
    """Orders that are cancelled in Odoo, and in Shopify because of it."""

    _inherit = "shopify.order"

    cancel_requested_at = fields.Datetime(
        string="Cancellation Asked For",
        readonly=True,
        copy=False,
        help="Somebody cancelled it in Odoo, and Shopify has not said yet that it is done.",
    )
    can_cancel = fields.Boolean(compute="_compute_can_cancel")

    @api.depends(
        "backend_id.cancel_in_shopify",
        "cancelled_at",
        "closed_at",
        "deleted",
        "cancel_requested_at",
    )
    def _compute_can_cancel(self):
        for order in self:
            order.can_cancel = bool(order.backend_id.cancel_in_shopify) and not (
                order.cancelled_at or order.closed_at or order.deleted or order.cancel_requested_at
            )

    def write(self, vals):
        """What was asked for has happened, or was done by somebody else."""
        ended = self.browse()
        if vals.get("cancelled_at"):
            ended = self.filtered(lambda order: not order.cancelled_at)
        result = super().write(vals)
        if ended:
            ended._end_cancellation()
        return result

    def _end_cancellation(self):
        self.cancel_requested_at = False
        for backend, orders in self.grouped("backend_id").items():
            self.env["shopify.exception"]._clear_waiting(
                backend, orders.mapped("shopify_gid"), flow=CANCEL_FLOW
            )

    def _check_can_cancel(self):
        """:raises UserError: why this order cannot be cancelled from here"""
        self.ensure_one()
        self._check_operator()
        order = self.sudo()
        reasons = (
            (
                not order.backend_id.cancel_in_shopify,
                self.env._(
                    "Store %s does not let Odoo cancel orders. A manager may switch it on: page"
                    " Orders, 'Cancel in Shopify'.",
                    order.backend_id.name,
                ),
            ),
            (order.deleted, self.env._("%s was deleted in Shopify.", order.name)),
            (order.cancelled_at, self.env._("%s is cancelled in Shopify already.", order.name)),
            (
                order.closed_at,
                self.env._(
                    "%s is archived in Shopify. Unarchive it there, press 'Import Again', then"
                    " cancel it.",
                    order.name,
                ),
            ),
            (
                order.cancel_requested_at,
                self.env._("Shopify was asked to cancel %s and is still at it.", order.name),
            ),
            (
                order.sale_order_id.locked and order.sale_order_id.state == "sale",
                self.env._(
                    "%s is locked. Unlock it before it is cancelled.", order.sale_order_id.name
                ),
            ),
        )
        for applies, message in reasons:
            if applies:
                raise UserError(message)

    # === ACTIONS === #

    def action_cancel_in_shopify(self):
        """Choose how to cancel the order, in Shopify and in Odoo."""
        self._check_can_cancel()
        values = {"order_id": self.id}
        if self.hold in ("held", "late"):
            values["reason"] = "FRAUD"
        wizard = self.env["shopify.order.cancel"].create(values)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Cancel %s", self.name),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def _cancel_in_shopify(self, arguments):
        """Ask Shopify to cancel the order; then cancel the sale order.

        :param arguments: of the mutation, but for the order's id
        :return: a notification
        """
        self._check_can_cancel()
        done = self.env._("Shopify cancels %s now.", self.name)
        ok, message, payloads = self._send_to_shopify(
            [("order_cancel", {"orderId": self.shopify_gid, **arguments})], done
        )
        if ok:
            order = self.sudo()
            order.cancel_requested_at = fields.Datetime.now()
            self.env["shopify.exception"].sudo()._clear_waiting(
                order.backend_id, [order.shopify_gid], flow=CANCEL_FLOW
            )
            order._follow_cancellation((payloads[0].get("jobResult") or {}).get("id"))
            trouble = order._cancel_sale_order()
            if trouble:
                ok, message = False, f"{message} {trouble}"
        return self.backend_id._notify(message, "success" if ok else "danger", reload=True)

    def _cancel_sale_order(self):
        """Cancel the sale order too; what keeps Odoo from it is told, for Shopify goes ahead.

        :return: a sentence, or an empty string
        """
        sale = self.sale_order_id
        if sale.state == "cancel":
            return ""
        try:
            with self.env.cr.savepoint():
                sale.with_context(shopify_offer_cancel=False).action_cancel()
        except UserError as error:
            return self.env._(
                "The sale order %(name)s could not be cancelled: %(error)s",
                name=sale.name,
                error=error,
            )
        return ""

    # === HOW IT WENT === #

    def _follow_cancellation(self, result_gid):
        backend = self.backend_id
        worker = self.with_user(backend.user_id).with_company(backend.company_id)
        worker.with_delay(
            eta=FIRST_LOOK,
            identity_key=f"shopify:{backend.id}:cancel:{self.shopify_gid}",
            description=self.env._("Cancellation of %s", self.name),
        )._job_check_cancellation(result_gid)

    def _job_check_cancellation(self, result_gid):
        """Ask Shopify whether it has cancelled an order."""
        backend = self.backend_id._as_integration_user().sudo()
        order = self.with_env(backend.env)
        if not order.cancel_requested_at:
            return self.env._("Shopify has told it already.")
        status, reason = order._ask_cancellation(result_gid)
        if status == "SUCCEEDED":
            # The order itself says that it is cancelled.
            order.action_refresh()
            return self.env._("Cancelled; the order is read again.")
        waited = fields.Datetime.now() - order.cancel_requested_at
        if status != "FAILED" and waited < PATIENCE:
            pause = max(FIRST_LOOK, waited.total_seconds() / 4)
            raise RetryableJobError(reason, seconds=int(pause), ignore_retry=True)
        order._cancellation_failed(reason)
        return self.env._("Shopify did not cancel it.")

    def _ask_cancellation(self, result_gid):
        """``(status, reason)``: an ``OrderCancelStatus`` or None, and what Shopify says."""
        silence = self.env._("Shopify does not say whether it was cancelled")
        if not result_gid:
            return None, silence
        client = self.env["shopify.client.factory"]._client(self.backend_id)
        try:
            result = client.execute("order_cancel_result", {"id": result_gid}).data["node"]
        except ShopifyError as error:
            return None, str(error)
        if not result or not result["done"]:
            return None, silence
        messages = [error["message"] for error in result["errors"] or ()]
        return result["status"], "; ".join(messages) or silence

    def _cancellation_failed(self, reason):
        self.cancel_requested_at = False
        sale = self.sale_order_id
        block = Block(
            category="other",
            key=f"cancel|{self.shopify_gid}",
            title=self.env._("Shopify did not cancel order %s", self.name),
            message=self.env._(
                "Order %(order)s was to be cancelled, and %(name)s is cancelled in Odoo. Shopify"
                " says: %(reason)s.",
                order=self.name,
                name=sale.name,
                reason=reason,
            ),
            remedy=self.env._(
                "Look at the order in Shopify. Cancel it there or once more from here; or set the"
                " sale order to quotation again and confirm it."
            ),
            res_model="shopify.order",
            res_id=self.id,
        )
        self.env["shopify.exception"]._report(
            self.backend_id, {self.shopify_gid: (self.name, [block])}, flow=CANCEL_FLOW
        )
        sale.message_post(body=self.env._("Shopify did not cancel the order: %s", reason))
