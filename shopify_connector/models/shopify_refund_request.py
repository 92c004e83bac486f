from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import ShopifyError
from ..services.outcome import Block

REFUND_FLOW = "refund_request"
# Until the first look at what became of a refund without answer, and until it is given up.
FIRST_LOOK = 60
PATIENCE = timedelta(minutes=5)


class ShopifyRefundRequest(models.Model):
    """A refund that was asked for in Odoo. It is stored before Shopify hears of it, so that money
    goes back once whatever becomes of the answer.
    """

    _name = "shopify.refund.request"
    _description = "Refund Asked For in Shopify"
    _order = "id desc"

    name = fields.Char(compute="_compute_name")
    order_id = fields.Many2one(
        "shopify.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    backend_id = fields.Many2one(related="order_id.backend_id", store=True, index=True)
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    sale_order_id = fields.Many2one(related="order_id.sale_order_id")
    move_id = fields.Many2one(
        "account.move",
        string="Credit Note",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    picking_id = fields.Many2one(
        "stock.picking",
        string="Return of Goods",
        readonly=True,
        ondelete="set null",
        index="btree_not_null",
    )
    state = fields.Selection(
        [
            ("sending", "No Answer Yet"),
            ("done", "Refunded"),
            ("refused", "Refused"),
            ("lost", "Not Arrived"),
        ],
        required=True,
        readonly=True,
        default="sending",
        help="No answer yet: Shopify's refunds are looked at before anything is sent again. Not"
        " arrived: Shopify never answered, and shows no such refund.",
    )
    key = fields.Char(
        string="Idempotency Key",
        required=True,
        readonly=True,
        copy=False,
        help="Shopify carries out a request with the same key once.",
    )
    token = fields.Char(
        required=True, readonly=True, copy=False, index=True, help="Of the form it came from."
    )
    content = fields.Json(readonly=True, help="The refund as it was sent.")
    known = fields.Json(readonly=True, help="The refunds that the order had before.")
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True, help="In the currency that the customer paid in.")
    sent_at = fields.Datetime(string="Sent", readonly=True, required=True)
    refund_gid = fields.Char(string="Shopify Refund", readonly=True, index="btree_not_null")
    message = fields.Text(readonly=True)
    request_id = fields.Char(
        string="Request ID", readonly=True, help="Tell it to Shopify's support."
    )

    _key_uniq = models.UniqueIndex("(key)")
    _one_at_a_time = models.UniqueIndex(
        "(order_id) WHERE state = 'sending'",
        "A refund of this order is on its way to Shopify already.",
    )
    _move_uniq = models.UniqueIndex(
        "(move_id) WHERE move_id IS NOT NULL AND state IN ('sending', 'done')",
        "This credit note was refunded in Shopify already.",
    )
    _picking_uniq = models.UniqueIndex(
        "(picking_id) WHERE picking_id IS NOT NULL AND state IN ('sending', 'done')",
        "This return was refunded in Shopify already.",
    )

    @api.depends("order_id.name", "amount", "currency_id")
    def _compute_name(self):
        for request in self:
            request.name = self.env._(
                "Refund of %(amount)s for %(order)s",
                amount=request.currency_id.format(request.amount) if request.currency_id else "",
                order=request.order_id.name,
            )

    def _to_look_for(self):
        """``(gid of the order, gids that are other refunds, what was sent)``"""
        self.ensure_one()
        others = self.search([("order_id", "=", self.order_id.id), ("id", "!=", self.id)])
        known = {*(self.known or ()), *filter(None, others.mapped("refund_gid"))}
        return self.order_id.shopify_gid, known, self.content

    # === HOW IT WENT === #

    def _gave_back(self):
        """Whether one of these gave money back, or is about to."""
        return any(request.state in ("sending", "done") for request in self)

    def _close(self, state, *, refund_gid=False, message="", request_id=None):
        """Write down what became of it, once, where people look for it."""
        self.ensure_one()
        if self.state != "sending":
            return
        order = self.order_id
        values = {"state": state, "refund_gid": refund_gid, "message": message}
        if request_id:
            values["request_id"] = request_id
        self.write(values)
        order._log_sent("updated" if state == "done" else "failed", message, request_id)
        if state == "done":
            (self.move_id or self.picking_id or order.sale_order_id).message_post(body=message)
            self.env["shopify.exception"]._clear_waiting(
                self.backend_id, [order.shopify_gid], flow=REFUND_FLOW
            )
        if order.refund_ids:
            # They waited for this.
            self.env["shopify.accounting.task"]._add(order)
        order.action_refresh()

    def _done_message(self):
        return self.env._(
            "%(amount)s of %(order)s were refunded in Shopify (refund %(number)s).",
            amount=self.currency_id.format(self.amount),
            order=self.order_id.name,
            number=self.refund_gid.rpartition("/")[2],
        )

    def _follow(self):
        """A job sees to it when whoever sent it hears no answer, or never comes back."""
        backend = self.backend_id
        worker = self.with_user(backend.user_id).with_company(backend.company_id)
        worker.with_delay(
            eta=FIRST_LOOK,
            identity_key=f"shopify:{backend.id}:refund:{self.id}",
            description=self.env._("Outcome of: %s", self.name),
        )._job_settle()

    def _job_settle(self):
        """Look in Shopify what became of a refund whose answer was lost."""
        backend = self.backend_id._as_integration_user().sudo()
        request = self.with_env(backend.env)
        if request.state != "sending":
            return self.env._("Known already.")
        try:
            found = self.env["shopify.refund.sender"]._look(request)
        except ShopifyError as error:
            raise RetryableJobError(
                str(error), seconds=request._pause(), ignore_retry=True
            ) from error
        if found:
            request.refund_gid = found
            request._close("done", refund_gid=found, message=request._done_message())
            return request.message
        if fields.Datetime.now() - request.sent_at < PATIENCE:
            raise RetryableJobError(
                self.env._("Shopify shows no such refund yet."),
                seconds=request._pause(),
                ignore_retry=True,
            )
        request._give_up()
        return request.message

    def _pause(self):
        waited = (fields.Datetime.now() - self.sent_at).total_seconds()
        return int(min(max(FIRST_LOOK, waited / 4), 3600))

    def _give_up(self):
        message = self.env._(
            "Shopify never answered, and order %s shows no such refund.", self.order_id.name
        )
        self._close("lost", message=message)
        block = Block(
            category="other",
            key=f"refund|{self.id}",
            title=self.env._("A refund of order %s did not reach Shopify", self.order_id.name),
            message=self.env._(
                "%(amount)s were to be refunded. %(message)s",
                amount=self.currency_id.format(self.amount),
                message=message,
            ),
            remedy=self.env._(
                "Look at the order in Shopify. If the refund is not there, refund once more from"
                " here."
            ),
            res_model="shopify.order",
            res_id=self.order_id.id,
        )
        self.env["shopify.exception"]._report(
            self.backend_id,
            {self.order_id.shopify_gid: (self.order_id.name, [block])},
            flow=REFUND_FLOW,
        )

    # === ACTIONS === #

    def action_settle(self):
        """Look now what became of it."""
        self.ensure_one()
        self.order_id._check_operator()
        try:
            message = self.sudo()._job_settle()
        except RetryableJobError as waiting:
            return self.backend_id._notify(str(waiting), "warning")
        kind = "success" if self.state == "done" else "warning"
        return self.backend_id._notify(message, kind, reload=True)

    def action_view_order(self):
        """Open the Shopify order."""
        self.ensure_one()
        return self.order_id._get_records_action()
