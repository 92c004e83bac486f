import logging
from urllib.parse import urlsplit

from odoo import fields, models
from odoo.exceptions import UserError

from ..client.auth import covers
from ..client.errors import ShopifyError, TransientError, UserErrorsError
from ..const import FULFILMENT_TOPICS, SCOPES, WEBHOOK_TOPICS
from .config import option
from .inbox_verdict import describe
from .outcome import Block

_logger = logging.getLogger(__name__)


class ShopifyWebhookRegistrar(models.AbstractModel):
    """Makes the webhook subscriptions of a store what they should be.

    Shopify deletes a subscription after eight failed deliveries in a row, so what was right
    once is compared again each day. Subscriptions of the same app at other addresses are
    shown and left alone.
    """

    _name = "shopify.webhook.registrar"
    _description = "Shopify Webhook Registration"

    def _topics(self, backend):
        """Topics that the store is to tell, as the API names them."""
        if not backend.use_webhooks:
            return []
        parcels = FULFILMENT_TOPICS if backend.sudo()._reads_fulfillments() else ()
        return [*WEBHOOK_TOPICS, *parcels]

    def _address(self, backend):
        """Where deliveries are to go.

        :raises UserError: Shopify can't reach that
        """
        base = backend._public_url()
        if not base.startswith("https://") and not option("api_url"):
            raise UserError(
                self.env._(
                    "Shopify delivers webhooks to https addresses only, and %(address)s is none."
                    " Enter the public https address of this Odoo in the store, page Webhooks;"
                    " or switch its webhooks off: polling goes on without them.",
                    address=base or self.env._("an empty address"),
                )
            )
        return base + self._path(backend)

    def _path(self, backend):
        return f"/shopify/webhook/{backend.sudo().webhook_key}"

    def _reconcile(self, backend):
        """Compare with what Shopify has; create, update and delete ours.

        :return: topics by what was done: ``{created, updated, deleted, kept, refused}``
        :raises ShopifyError: the store can't be asked
        :raises UserError: this Odoo has no address that Shopify can reach
        """
        backend.ensure_one()
        address = self._address(backend) if backend.use_webhooks else ""
        client = self.env["shopify.client.factory"]._client(backend)
        existing = list(client.paginate("webhook_subscriptions", "webhookSubscriptions"))
        result = {key: [] for key in ("created", "updated", "deleted", "kept", "refused")}
        ours, rows = {}, []
        for node in existing:
            if urlsplit(node["uri"]).path.endswith(self._path(backend)):
                ours.setdefault(node["topic"], []).append(node)
            else:
                rows.append(_row(node, "foreign"))
        for topic in self._granted(client, self._topics(backend)):
            nodes = ours.pop(topic, [])
            rows.append(self._repair(client, topic, address, nodes, result))
        for nodes in ours.values():
            self._delete(client, nodes, result)
        self._store(backend, rows)
        if not result["refused"]:
            self.env["shopify.exception"]._resolve_now(backend, "configuration", ["webhooks"])
        return result

    def _granted(self, client, topics):
        """Without topics of features whose scopes the app lacks: Shopify refuses these."""
        optional = {}
        for scope in SCOPES:
            if not scope.required:
                optional.setdefault(scope.feature, []).append(scope.handle)
        features = {**WEBHOOK_TOPICS, **FULFILMENT_TOPICS}
        if not any(features.get(topic) in optional for topic in topics):
            return topics
        installation = client.execute("current_app_installation").data["currentAppInstallation"]
        granted = [scope["handle"] for scope in installation["accessScopes"]]
        lacking = {
            feature
            for feature, handles in optional.items()
            if not all(covers(granted, handle) for handle in handles)
        }
        return [topic for topic in topics if features.get(topic) not in lacking]

    def _repair(self, client, topic, address, nodes, result):
        """Leave exactly one right subscription of a topic.

        :return: values of its line
        """
        right, wrong = None, []
        for node in nodes:
            if right is None and _version(node) == client.api_version:
                right = node
            else:
                wrong.append(node)
        try:
            # First, because Shopify refuses a second one with the same topic and address.
            # Payloads keep the API version in which their subscription was made.
            self._delete(client, wrong, result, repeated=True)
            if right is None:
                right = self._create(client, topic, address)
                result["updated" if wrong else "created"].append(topic)
            elif right["uri"] != address or right["format"] != "JSON":
                right = self._update(client, right["id"], address)
                result["updated"].append(topic)
            else:
                result["kept"].append(topic)
        except TransientError:
            raise
        except ShopifyError as error:
            _logger.info("Webhook %s was refused: %s", topic, error)
            result["refused"].append(topic)
            return {
                "topic": _path_of(topic),
                "state": "missing",
                "address": address,
                "message": describe(error),
            }
        return _row(right, "active")

    def _create(self, client, topic, address):
        payload = client.mutate(
            "webhook_subscription_create",
            {"topic": topic, "webhookSubscription": {"uri": address, "format": "JSON"}},
        )
        return payload["webhookSubscription"]

    def _update(self, client, gid, address):
        payload = client.mutate(
            "webhook_subscription_update",
            {"id": gid, "webhookSubscription": {"uri": address, "format": "JSON"}},
        )
        return payload["webhookSubscription"]

    def _delete(self, client, nodes, result, repeated=False):
        for node in nodes:
            try:
                client.mutate("webhook_subscription_delete", {"id": node["id"]})
            except UserErrorsError as error:
                # It is gone already, which is what was wanted.
                _logger.info("%s: %s", node["id"], error)
            if not repeated:
                result["deleted"].append(node["topic"])

    def _store(self, backend, rows):
        """Keep what was found; the time of the last delivery stays."""
        Subscription = self.env["shopify.webhook.subscription"].sudo()
        known = Subscription.search([("backend_id", "=", backend.id)])
        latest = {line.topic: line.last_delivery_at for line in known if line.state != "foreign"}
        known.unlink()
        now = fields.Datetime.now()
        Subscription.create(
            [
                {
                    "backend_id": backend.id,
                    "checked_at": now,
                    "last_delivery_at": row["state"] != "foreign" and latest.get(row["topic"]),
                    **row,
                }
                for row in rows
            ]
        )

    def _job_reconcile(self, backend):
        """:return: a sentence for the job"""
        backend = backend.sudo()
        if not backend._can_call():
            return self.env._("The store is not connected.")
        try:
            result = self._reconcile(backend)
        except TransientError as error:
            return self.env._("Shopify could not be asked: %(error)s", error=error)
        except (ShopifyError, UserError) as error:
            self._report(backend, describe(error))
            return describe(error)
        if result["refused"]:
            topics = ", ".join(map(_path_of, result["refused"]))
            self._report(
                backend, self.env._("Shopify refused these topics: %(topics)s", topics=topics)
            )
        return ", ".join(f"{len(topics)} {key}" for key, topics in result.items())

    def _report(self, backend, message):
        block = Block(
            category="configuration",
            key="webhooks",
            title=self.env._("%(store)s tells not all changes at once", store=backend.name),
            message=message,
            remedy=self.env._(
                "Open the store, correct what the message names, and press Register Webhooks."
                " Until then changes come with the next poll."
            ),
            res_model="shopify.backend",
            res_id=backend.id,
        )
        self.env["shopify.exception"]._report(backend, {False: (backend.name, [block])})


def _row(node, state):
    return {
        "topic": _path_of(node["topic"]),
        "state": state,
        "shopify_gid": node["id"],
        "address": node["uri"],
        "api_version": _version(node),
    }


def _version(node):
    return (node.get("apiVersion") or {}).get("handle")


def _path_of(topic):
    """``ORDERS_CREATE`` -> ``orders/create``, as deliveries name it."""
    return topic.lower().replace("_", "/", 1)
