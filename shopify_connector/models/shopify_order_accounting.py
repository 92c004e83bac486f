from odoo import fields, models
from odoo.exceptions import UserError

from ..client.errors import ShopifyError, TransientError


class ShopifyOrder(models.Model):
    """Payments of an order, and what is sent back to Shopify about them on demand."""

    _inherit = "shopify.order"

    payment_ids = fields.One2many("shopify.payment", "order_id", readonly=True)
    invoice_ids = fields.Many2many(related="sale_order_id.invoice_ids", string="Invoices")

    def _outstanding_authorisations(self):
        """``[(authorisation, amount in the customer's currency that is not captured)]``"""
        self.ensure_one()
        found = []
        done = self.payment_ids.filtered(lambda payment: payment.status == "success")
        voided = done.filtered(lambda payment: payment.kind == "void").mapped("parent_gid")
        for payment in done.filtered(
            lambda payment: (
                payment.kind in ("authorization", "emv_authorization")
                and payment.shopify_gid not in voided
            )
        ):
            captured = done.filtered(
                lambda other, gid=payment.shopify_gid: (
                    other.kind == "capture" and other.parent_gid == gid
                )
            )
            left = payment.customer_amount - sum(captured.mapped("customer_amount"))
            if payment.customer_currency_id.compare_amounts(left, 0) > 0:
                found.append((payment, payment.customer_currency_id.round(left)))
        return found

    # === ACTIONS === #

    def action_mark_as_paid(self):
        """Record in Shopify that the outstanding amount was paid outside of it."""
        self.ensure_one()
        self._check_operator()
        done = self.env._("Shopify takes %s as paid now.", self.name)
        return self._tell_shopify(
            [("order_mark_as_paid", {"input": {"id": self.shopify_gid}})], done
        )

    def action_capture(self):
        """Claim the money that the customer's bank has only reserved so far."""
        self.ensure_one()
        self._check_operator()
        authorisations = self._outstanding_authorisations()
        if not authorisations:
            raise UserError(
                self.env._(
                    "No authorised payment of %s is known that could be captured. Press 'Read"
                    " again' if there is one in Shopify.",
                    self.name,
                )
            )
        calls, amounts = [], []
        for payment, amount in authorisations:
            currency = payment.customer_currency_id
            amounts.append(currency.format(amount))
            calls.append(
                (
                    "order_capture",
                    {
                        "input": {
                            "id": self.shopify_gid,
                            "parentTransactionId": payment.shopify_gid,
                            "amount": f"{amount:.{currency.decimal_places}f}",
                            "currency": currency.name,
                        }
                    },
                )
            )
        done = self.env._(
            "%(amount)s of %(order)s were captured.", amount=", ".join(amounts), order=self.name
        )
        return self._tell_shopify(calls, done)

    def _tell_shopify(self, calls, done):
        """Carry out mutations; the result is shown and logged, and the order read again.

        :param calls: ``[(document, variables)]``
        :param done: what to say when all went well
        """
        ok, message, _payloads = self._send_to_shopify(calls, done)
        return self.backend_id._notify(message, "success" if ok else "danger", reload=True)

    def _send_to_shopify(self, calls, done):
        """Carry out mutations; the result is logged, and the order read again.

        :param calls: ``[(document, variables)]``
        :param done: what to say when all went well
        :return: whether all went well, what to say, payloads of what was carried out
        """
        backend = self.sudo().backend_id
        outcome, message, client, payloads = "updated", done, None, []
        try:
            client = self.env["shopify.client.factory"].sudo()._client(backend)
            for document, variables in calls:
                payloads.append(client.mutate(document, variables))
        except ShopifyError as error:
            outcome, message = "failed", str(error)
            if isinstance(error, TransientError) and error.sent:
                message = self.env._(
                    "%(error)s Shopify may have done it all the same: the order is read again,"
                    " look at it before you try once more.",
                    error=message,
                )
        self._log_sent(outcome, message, client and client.last_request_id)
        self.action_refresh()
        return outcome == "updated", message, payloads

    def _log_sent(self, outcome, message, request_id=None):
        """A line of the log about something that was told to Shopify."""
        self.env["shopify.sync.log"].sudo()._log(
            self.sudo().backend_id,
            [
                {
                    "direction": "out",
                    "res_model": "sale.order",
                    "res_id": self.sale_order_id.id,
                    "name": self.name,
                    "gid": self.shopify_gid,
                    "outcome": outcome,
                    "message": message,
                    "request_id": request_id,
                }
            ],
        )
