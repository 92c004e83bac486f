"""Refunds that are made in Shopify from Odoo: stored first, sent once, looked for after a time-out.

The transaction of whoever presses the button stays without any write: what is to be sent, and what
came of it, are committed apart. So neither a rollback nor a repetition of that transaction makes
a refund forgotten or sends it twice.
"""

from __future__ import annotations

from contextlib import contextmanager
from uuid import uuid4

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..client.errors import ProtocolError, ShopifyError, TransientError, UserErrorsError
from ..mappers.refund_request import is_made_from
from .dry_run import trial_of

# The first one with this key is still at work.
_UNDECIDED_CODES = ("IDEMPOTENCY_CONCURRENT_REQUEST",)


class ShopifyRefundSender(models.AbstractModel):
    """Sends refunds to Shopify."""

    _name = "shopify.refund.sender"
    _description = "Shopify Refund Sender"

    def _client(self, order):
        """
        :raises UserError: nothing may be sent from here
        """
        if trial_of(self.env) is not None:
            raise UserError(self.env._("A preview sends nothing to Shopify."))
        return self.env["shopify.client.factory"].sudo()._client(order.sudo().backend_id)

    def _send(self, order, values):
        """Make a refund, unless the same press of the button made it before.

        :param order: ``shopify.order``
        :param values: of ``shopify.refund.request``: ``token``, ``content``,
            ``known``, ``amount``, ``currency_id``, ``move_id``, ``picking_id``
        :return: ``(state of the request, message)``
        :raises UserError: nothing was sent
        """
        client = self._client(order)
        self.env.flush_all()
        request_id, key = self._begin(order, values, client)
        if key:
            self._finish(request_id, client, self._call(client, values["content"], key))
        with self._apart() as env:
            request = env["shopify.refund.request"].browse(request_id)
            result = request.state, request.message
        self.env.invalidate_all(flush=False)
        return result

    def _finish(self, request_id, client, outcome):
        """Write down what came of a call; without an answer, look for the refund first."""
        if outcome["state"] == "sending":
            outcome |= self._look_at_once(request_id, client)
        with self._apart() as env:
            request = env["shopify.refund.request"].browse(request_id)
            if outcome["state"] == "sending":
                request.message = outcome["message"]
                return
            if outcome["state"] == "done":
                request.refund_gid = outcome["refund_gid"]
                outcome["message"] = outcome["message"] or request._done_message()
            request._close(**outcome, request_id=client.last_request_id)

    @contextmanager
    def _apart(self):
        """An environment in a transaction of its own, committed at the end."""
        with self.env.registry.cursor() as cr:
            yield api.Environment(cr, self.env.uid, self.env.context, True)

    # === BEFORE === #

    def _begin(self, order, values, client):
        """Store the request.

        :return: its id, and the key to send it with; None when it was sent before
        """
        with self._apart() as env:
            request = self._request_of(env, values)
            if request.state in ("sending", "done"):
                return request.id, None
        self._check_unchanged(order, values, client)
        started = {"state": "sending", "sent_at": fields.Datetime.now(), "message": False}
        try:
            with self._apart() as env:
                request = self._request_of(env, values)
                if request.state == "lost" and request.content == values["content"]:
                    # Shopify may know it, so it gets the same key.
                    request.write(started)
                else:
                    request = request.create(
                        {**values, **started, "order_id": order.id, "key": str(uuid4())}
                    )
                request._follow()
                return request.id, request.key
        except psycopg2.errors.UniqueViolation:
            raise UserError(
                self.env._(
                    "%s is being refunded already. Look at its refunds in a moment.", order.name
                )
            ) from None

    def _request_of(self, env, values):
        return env["shopify.refund.request"].search([("token", "=", values["token"])], limit=1)

    def _check_unchanged(self, order, values, client):
        """The order must have the refunds that were there when Shopify calculated."""
        try:
            node = client.nodes("order_long_lists", [order.shopify_gid])[0].get(order.shopify_gid)
        except ShopifyError as error:
            raise UserError(str(error)) from error
        if not node:
            raise UserError(self.env._("Shopify does not hold %s any more.", order.name))
        if {refund["id"] for refund in node["refunds"]} - set(values["known"]):
            raise UserError(
                self.env._(
                    "%s was refunded by somebody else in the meantime. Ask Shopify again.",
                    order.name,
                )
            )

    # === THE CALL === #

    def _call(self, client, content, key):
        """:return: values for ``shopify.refund.request._close``"""
        try:
            payload = client.mutate("refund_create", {"input": content, "key": key})
        except UserErrorsError as error:
            made = (error.payload or {}).get("refund")
            if made:
                return {"state": "done", "refund_gid": made["id"], "message": str(error)}
            state = "sending" if error.code in _UNDECIDED_CODES else "refused"
            return {"state": state, "message": self._refusal(error)}
        except ShopifyError as error:
            unknown = isinstance(error, ProtocolError) or (
                isinstance(error, TransientError) and error.sent
            )
            return {"state": "sending" if unknown else "refused", "message": str(error)}
        if not payload["refund"]:
            return {"state": "sending", "message": self.env._("Shopify's answer is empty.")}
        return {"state": "done", "refund_gid": payload["refund"]["id"], "message": ""}

    def _refusal(self, error):
        return self.env._(
            "Shopify refused the refund: %(reasons)s (request id %(request)s)",
            reasons="; ".join(fault.message for fault in error.errors),
            request=error.request_id,
        )

    # === AFTER A TIME-OUT === #

    def _look_at_once(self, request_id, client):
        """The answer was lost: is the refund there all the same?"""
        with self._apart() as env:
            request = env["shopify.refund.request"].browse(request_id)
            asked = request._to_look_for()
        try:
            found = self._find(client, *asked)
        except ShopifyError:
            # The job looks again.
            found = None
        if not found:
            return {}
        return {"state": "done", "refund_gid": found, "message": ""}

    def _look(self, request):
        """The gid of the refund that a request made, or None.

        :raises ShopifyError: Shopify does not say it
        """
        return self._find(self._client(request.order_id), *request._to_look_for())

    def _find(self, client, order_gid, known, content):
        node = client.nodes("order_long_lists", [order_gid])[0].get(order_gid)
        new = [refund["id"] for refund in (node or {}).get("refunds") or ()]
        new = [gid for gid in new if gid not in known]
        if not new:
            return None
        found, _faults = client.nodes("refunds_by_ids", new)
        if len(found) < len(new):
            raise TransientError(self.env._("Shopify could not read all refunds of the order."))
        return next((gid for gid in new if found[gid] and is_made_from(found[gid], content)), None)
