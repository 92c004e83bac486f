import logging
import re

from odoo import http
from odoo.http import request
from odoo.tools import SQL

from ..client.webhook import WebhookHeaders, verify

_logger = logging.getLogger(__name__)

MAX_BODY = 5 * 1024 * 1024
HEADER_LENGTH = 128
# How payloads of orders and products begin. Anything else is left to the drain, which has
# the time to decode it.
_OWN_GID = re.compile(
    rb'\s*\{\s*"id"\s*:\s*\d+\s*,\s*"admin_graphql_api_id"\s*:\s*'
    rb'"gid:\\?/\\?/shopify\\?/(Order|Product)\\?/(\d+)"'
)
_AREAS = {"orders": "Order", "products": "Product"}


class ShopifyWebhookController(http.Controller):
    """Takes deliveries in: check the signature, one INSERT, 200. All else is the drain's."""

    @http.route(
        "/shopify/webhook/<string:key>",
        type="http",
        auth="none",
        methods=["POST"],
        csrf=False,
        save_session=False,
        max_content_length=MAX_BODY,
    )
    def receive(self, key, **_params):
        """Take in one delivery.

        :return: 200 also for one that came before; 401 when it cannot be Shopify's; 413 when
            it is longer than ``MAX_BODY``
        """
        body = request.httprequest.get_data()
        headers = WebhookHeaders.parse(request.httprequest.headers)
        door = request.env["shopify.backend"]._webhook_doors().get(key)
        if not door:
            return _refuse("unknown key", headers, body)
        backend_id, shop, secrets, keep_body = door
        if not verify(body, headers.hmac, secrets):
            return _refuse("wrong signature", headers, body)
        if headers.shop != shop:
            return _refuse("other shop", headers, body)
        if _insert(request.env.cr, backend_id, headers, body, keep_body):
            Inbox = request.env["shopify.inbox"]
            request.env.cr.postcommit.add(lambda: Inbox._wake(backend_id))
        return request.make_response("")


def _insert(cr, backend_id, headers, body, keep_body):
    """:return: whether it is a new delivery"""
    topic = headers.topic.lower()[:HEADER_LENGTH] or "unknown"
    gid = _gid(topic, body)
    # Without its gid the drain needs the body to find out what it is about.
    text = _text(body) if keep_body or not gid else None
    cr.execute(
        SQL(
            """
            INSERT INTO shopify_webhook_event (
                backend_id, topic, resource_gid, source, state, priority, attempts,
                received_at, next_attempt_at, webhook_id, event_id, triggered_at,
                api_version, remote_ip, body)
            VALUES (%s, %s, %s, 'webhook', 'pending', 10, 0, now() AT TIME ZONE 'utc',
                now() AT TIME ZONE 'utc', %s, %s, %s, %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            backend_id,
            topic,
            gid,
            headers.webhook_id[:HEADER_LENGTH] or None,
            headers.event_id[:HEADER_LENGTH] or None,
            headers.triggered_at[:HEADER_LENGTH] or None,
            headers.api_version[:HEADER_LENGTH] or None,
            request.httprequest.remote_addr,
            text,
        )
    )
    return cr.rowcount == 1


def _gid(topic, body):
    """The gid of the order or product, when the payload begins as Shopify's do."""
    match = _OWN_GID.match(body)
    if not match:
        return None
    kind, number = match[1].decode(), match[2].decode()
    return f"gid://shopify/{kind}/{number}" if _AREAS.get(topic.split("/")[0]) == kind else None


def _text(body):
    # PostgreSQL keeps no NUL in texts.
    return body.decode("utf-8", "replace").replace("\0", "")


def _refuse(reason, headers, body):
    request_ = request.httprequest
    _logger.warning(
        "Webhook refused (%s): shop %.80r, topic %.80r, %s bytes, encoding %.40r, type %.80r,"
        " from %s",
        reason,
        headers.shop,
        headers.topic,
        len(body),
        request_.headers.get("Content-Encoding", ""),
        request_.headers.get("Content-Type", ""),
        request_.remote_addr,
    )
    return request.make_response("", status=401)
