"""Webhook subscriptions, with the refusals that Shopify was recorded with."""

import re
from urllib.parse import urlsplit

from ..context import Context
from ..errors import UserErrors, user_error
from .registry import mutation

INPUT = "webhookSubscription"
NOT_FOUND = user_error(["id"], "Webhook subscription does not exist")
NO_PERMISSION = "You do not have permission to create or update webhooks with {} topic"
BAD_FILTER = (
    "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on."
)
BAD_PUBSUB = "Address is not a valid GCP pub/sub format. Format should be pubsub://project:topic"
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
PUBSUB = re.compile(r"^pubsub://[a-z][\w.-]{4,}:[A-Za-z][\w.~+%-]{2,}$")
NAME = re.compile(r"^[A-Za-z0-9_-]+$")


def _address_errors(uri: str | None, context: Context) -> list[dict]:
    field = [INPUT, "callbackUrl"]
    if not uri:
        return [user_error(field, "Address can't be blank")]
    parts = urlsplit(uri)
    host = (parts.hostname or "").lower()
    if parts.scheme == "pubsub" and not PUBSUB.match(uri):
        return [
            user_error(field, "Address protocol pubsub:// is not supported"),
            user_error(field, BAD_PUBSUB),
        ]
    if parts.scheme in ("pubsub", "arn"):
        return []
    if host in LOCAL_HOSTS and context.shop.settings.local_webhooks:
        return []
    if parts.scheme != "https":
        scheme = f"{parts.scheme}://" if parts.scheme else ""
        message = f"Address protocol {scheme} is not supported" if scheme else "Address is invalid"
        return [user_error(field, message)]
    if host.endswith((".myshopify.com", ".shopify.com", ".internal")) or host in LOCAL_HOSTS:
        return [user_error(field, "Address cannot be a Shopify or an internal domain")]
    return []


def _check(given: dict, topic: str, own_id: str | None, uri: str | None, context: Context) -> None:
    errors = _address_errors(uri, context)
    if given.get("filter"):
        terms = re.sub(r"\"[^\"]*\"|'[^']*'|[()]", "x", given["filter"]).split()
        if any(":" not in term for term in terms if term not in ("AND", "OR", "NOT", "x")):
            errors.append(user_error([INPUT], BAD_FILTER))
    name = given.get("name")
    if name and not NAME.match(name):
        errors.append(
            user_error(
                [INPUT, "name"],
                "Name can only contain alphanumeric characters, underscores, and hyphens",
            )
        )
    for other in context.shop.store.all("WebhookSubscription"):
        if other["id"] == own_id or errors:
            continue
        if name and other.get("name") == name:
            errors.append(user_error([INPUT, "name"], "Name has already been taken"))
        elif other["topic"] == topic and other["uri"] == uri and not name:
            message = "Address for this topic has already been taken"
            errors.append(user_error([INPUT, "callbackUrl"], message))
    if errors:
        raise UserErrors(*errors)


def _values(given: dict) -> dict:
    names = ("format", "filter", "includeFields", "metafieldNamespaces", "metafields", "name")
    return {name: given[name] for name in names if name in given}


def _uri(given: dict) -> str | None:
    return given.get("uri", given.get("callbackUrl"))


@mutation("webhookSubscriptionCreate", empty=(INPUT,))
def create(arguments: dict, context: Context) -> dict:
    given, shop = arguments[INPUT], context.shop
    uri = _uri(given)
    topic = context.api.topics[arguments["topic"]]
    if topic.scopes and topic.scopes.isdisjoint(shop.scopes):
        raise UserErrors(user_error(["topic"], NO_PERMISSION.format(topic.name)))
    _check(given, arguments["topic"], None, uri, context)
    gid = shop.store.new_gid("WebhookSubscription")
    now = shop.now()
    shop.store.put(
        gid,
        "WebhookSubscription",
        {
            "topic": arguments["topic"],
            "uri": uri,
            "format": "JSON",
            "includeFields": [],
            "metafieldNamespaces": [],
            "metafields": [],
            "createdAt": now,
            "updatedAt": now,
            "_api_version": context.api.version,
            **_values(given),
        },
    )
    return {INPUT: shop.store.get(gid)}


@mutation("webhookSubscriptionUpdate", empty=(INPUT,))
def update_subscription(arguments: dict, context: Context) -> dict:
    given, shop = arguments[INPUT], context.shop
    record = shop.store.get(arguments["id"])
    if record is None or record["__typename"] != "WebhookSubscription":
        raise UserErrors(NOT_FOUND)
    has_uri = "uri" in given or "callbackUrl" in given
    uri = _uri(given) if has_uri else record["uri"]
    _check(given, record["topic"], record["id"], uri, context)
    shop.store.put(
        record["id"],
        "WebhookSubscription",
        {
            **_values(given),
            "uri": uri,
            "updatedAt": shop.now(),
            "_api_version": context.api.version,
        },
    )
    return {INPUT: shop.store.get(record["id"])}


@mutation("webhookSubscriptionDelete", empty=("deletedWebhookSubscriptionId",))
def delete(arguments: dict, context: Context) -> dict:
    record = context.shop.store.get(arguments["id"])
    if record is None or record["__typename"] != "WebhookSubscription":
        raise UserErrors(NOT_FOUND)
    context.shop.store.delete(record["id"])
    return {"deletedWebhookSubscriptionId": record["id"]}
