"""Webhooks: subscriptions, signature, retries, removal, faults, topics."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shopify_sandbox.testing import CLIENT_SECRET

CREATE = """mutation C($topic: WebhookSubscriptionTopic!, $input: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $input) {
    webhookSubscription { id topic uri format filter includeFields name
      apiVersion { handle } endpoint { __typename ... on WebhookHttpEndpoint { callbackUrl } } }
    userErrors { field message } } }"""


class Receiver:
    """An app: keeps what it gets; ``answers`` are the statuses it gives, then 200."""

    def __init__(self):
        receiver = self
        self.got, self.answers = [], []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def topics(self):
        return [headers["X-Shopify-Topic"] for headers, _body in self.got]


@pytest.fixture
def receiver():
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def subscribe(store, topic, uri, shop="sandbox-us", **options):
    body = store.graphql(CREATE, {"topic": topic, "input": {"uri": uri, **options}}, shop)
    return body["data"]["webhookSubscriptionCreate"]


def test_a_placed_order_is_announced_and_signed(store, us, receiver):
    subscription = subscribe(store, "ORDERS_CREATE", receiver.url, name="orders-new")
    assert subscription["webhookSubscription"]["apiVersion"] == {"handle": "2026-10"}
    (order,) = store.place_orders(count=1)
    (delivery,) = store.deliveries(topic="orders/create")
    assert (delivery.status, delivery.attempts) == (200, 1)
    ((headers, body),) = receiver.got
    digest = hmac.new(CLIENT_SECRET.encode(), body, hashlib.sha256).digest()
    assert headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()
    assert headers["X-Shopify-Shop-Domain"] == "sandbox-us.myshopify.com"
    assert headers["X-Shopify-API-Version"] == "2026-10"
    assert headers["X-Shopify-Name"] == "orders-new"
    assert headers["X-Shopify-Triggered-At"]
    assert headers["X-Shopify-Webhook-Id"] != headers["X-Shopify-Event-Id"]
    content = json.loads(body)
    assert content["admin_graphql_api_id"] == order["id"]
    assert content["name"] == order["name"]
    assert content["updated_at"] == order["updatedAt"]


def test_the_oldest_unrevoked_secret_signs(store, us, receiver):
    us.settings.client_secrets = ["old-secret", "new-secret"]
    subscribe(store, "ORDERS_CREATE", receiver.url)
    store.place_orders(count=1)
    store.deliveries()
    ((headers, body),) = receiver.got
    digest = hmac.new(b"old-secret", body, hashlib.sha256).digest()
    assert headers["X-Shopify-Hmac-Sha256"] == base64.b64encode(digest).decode()


def test_one_action_has_one_event_id(store, us, receiver):
    for topic in ("ORDERS_CREATE", "ORDERS_PAID", "INVENTORY_LEVELS_UPDATE"):
        subscribe(store, topic, receiver.url)
    store.place_orders(count=1, payment="paid", lines=2, extras=False, seed=2)
    store.deliveries()
    assert set(receiver.topics()) == {"orders/create", "orders/paid", "inventory_levels/update"}
    assert len({headers["X-Shopify-Event-Id"] for headers, _body in receiver.got}) == 1
    ids = [headers["X-Shopify-Webhook-Id"] for headers, _body in receiver.got]
    assert len(set(ids)) == len(ids)


def test_failures_are_retried_with_the_same_id(store, us, receiver):
    receiver.answers = [500, 302, 503]
    subscribe(store, "ORDERS_CREATE", receiver.url)
    store.place_orders(count=1)
    (delivery,) = store.deliveries(topic="orders/create")
    assert (delivery.attempts, delivery.status) == (4, 200)
    assert len({headers["X-Shopify-Webhook-Id"] for headers, _body in receiver.got}) == 1
    assert len({body for _headers, body in receiver.got}) == 1


def test_after_eight_retries_the_subscription_is_gone(store, us, receiver):
    receiver.answers = [500] * 9
    subscribe(store, "ORDERS_CREATE", receiver.url)
    subscribe(store, "ORDERS_UPDATED", receiver.url + "/other")
    store.shop().faults.add(kind="webhook_lost", operation="orders/updated")
    store.place_orders(count=1)
    (delivery,) = store.deliveries(topic="orders/create")
    assert delivery.attempts == 9
    assert [item["topic"] for item in us.store.all("WebhookSubscription")] == ["ORDERS_UPDATED"]


def test_nobody_listens(store, us):
    subscribe(store, "ORDERS_CREATE", "http://127.0.0.1:9/none")
    store.place_orders(count=1)
    (delivery,) = store.deliveries(topic="orders/create")
    assert delivery.status == "ConnectionError"
    assert us.store.all("WebhookSubscription") == []


def test_lost_doubled_late_and_forged(store, us, receiver):
    subscribe(store, "ORDERS_CREATE", receiver.url)
    us.faults.add(kind="webhook_lost", operation="orders/create", count=1)
    store.place_orders(count=1)
    assert store.deliveries()[-1].status == "lost"
    assert receiver.got == []
    us.faults.add(kind="webhook_duplicate", count=1)
    store.place_orders(count=1, seed=2)
    store.deliveries()
    assert len(receiver.got) == 2
    assert receiver.got[0][1] == receiver.got[1][1]
    us.faults.add(kind="webhook_bad_signature", count=1)
    store.place_orders(count=1, seed=3)
    store.deliveries()
    headers, body = receiver.got[-1]
    digest = base64.b64encode(hmac.new(CLIENT_SECRET.encode(), body, hashlib.sha256).digest())
    assert headers["X-Shopify-Hmac-Sha256"] != digest.decode()


def test_late_webhooks_come_in_another_order(store, us, receiver):
    subscribe(store, "ORDERS_CREATE", receiver.url)
    us.faults.add(kind="webhook_late", count=1, ms=300)
    first, second = store.place_orders(count=2)
    store.deliveries()
    names = [json.loads(body)["name"] for _headers, body in receiver.got]
    assert names == [second["name"], first["name"]]


ORDER = {"__typename": "Order", "id": "gid://shopify/Order/1", "name": "#1"}
REFUND = {"id": "gid://shopify/Refund/1", "note": "broken"}
RISK = {"recommendation": "CANCEL", "assessments": [{"riskLevel": "HIGH"}]}
PAID = {"id": "gid://shopify/OrderTransaction/1", "kind": "SALE", "status": "SUCCESS"}


@pytest.mark.parametrize(
    ("change", "topics"),
    [
        ({"note": "new"}, {"orders/updated"}),
        ({"displayFinancialStatus": "PAID"}, {"orders/updated", "orders/paid"}),
        ({"transactions": [PAID]}, {"orders/updated", "orders/paid", "order_transactions/create"}),
        ({"cancelledAt": "2026-11-01T00:00:00Z"}, {"orders/updated", "orders/cancelled"}),
        ({"lineItems": {"nodes": [{"title": "Added"}]}}, {"orders/updated", "orders/edited"}),
        ({"displayFulfillmentStatus": "FULFILLED"}, {"orders/updated", "orders/fulfilled"}),
        ({"risk": RISK}, {"orders/updated", "orders/risk_assessment_changed"}),
        ({"refunds": [REFUND]}, {"orders/updated", "refunds/create"}),
    ],
)
def test_topics_of_a_changed_order(store, blank, receiver, change, topics):
    store.load([ORDER], "blank")
    for topic in (
        "ORDERS_CREATE",
        "ORDERS_UPDATED",
        "ORDERS_PAID",
        "ORDERS_CANCELLED",
        "ORDERS_EDITED",
        "ORDERS_RISK_ASSESSMENT_CHANGED",
        "ORDERS_FULFILLED",
        "REFUNDS_CREATE",
        "ORDER_TRANSACTIONS_CREATE",
    ):
        subscribe(store, topic, receiver.url, "blank")
    store.load([{**ORDER, **change}], "blank", deliver=True)
    store.deliveries("blank")
    assert sorted(receiver.topics()) == sorted(topics)
    bodies = {h["X-Shopify-Topic"]: json.loads(b) for h, b in receiver.got}
    if "risk" in change:
        assert bodies["orders/risk_assessment_changed"]["order_id"] == 1
    if "refunds" in change:
        assert bodies["refunds/create"]["order_id"] == 1


def test_loading_is_silent_unless_told(store, blank, receiver):
    subscribe(store, "ORDERS_CREATE", receiver.url, "blank")
    store.load([ORDER], "blank")
    assert store.deliveries("blank") == []


def test_include_fields_and_filter(store, blank, receiver):
    subscribe(
        store,
        "ORDERS_CREATE",
        receiver.url,
        "blank",
        includeFields=["id", "name"],
        filter="test:false",
    )
    store.load([{**ORDER, "test": True}], "blank", deliver=True)
    store.load([{**ORDER, "id": "gid://shopify/Order/2", "name": "#2"}], "blank", deliver=True)
    store.deliveries("blank")
    assert [json.loads(body) for _headers, body in receiver.got] == [{"id": 2, "name": "#2"}]


def test_compliance_topics_are_sent_by_hand(store, blank, receiver):
    import requests

    requests.post(
        f"{store.url}/_sandbox/blank/webhooks",
        json={"topic": "customers/redact", "uri": receiver.url, "payload": {"customer": {"id": 1}}},
        timeout=10,
    ).raise_for_status()
    store.deliveries("blank")
    assert receiver.topics() == ["customers/redact"]


def test_uninstall(store, us, receiver):
    import requests

    subscribe(store, "APP_UNINSTALLED", receiver.url)
    requests.post(f"{store.url}/_sandbox/sandbox-us/uninstall", json={}, timeout=10)
    store.deliveries()
    assert receiver.topics() == ["app/uninstalled"]
    assert us.store.all("WebhookSubscription") == []
    with pytest.raises(requests.HTTPError, match="401"):
        store.graphql("{ shop { name } }")


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        ({"uri": ""}, ["webhookSubscription", "callbackUrl"], "Address can't be blank"),
        (
            {"uri": "http://example.com"},
            ["webhookSubscription", "callbackUrl"],
            "Address protocol http:// is not supported",
        ),
        (
            {"uri": "https://x.myshopify.com/h"},
            ["webhookSubscription", "callbackUrl"],
            "Address cannot be a Shopify or an internal domain",
        ),
        (
            {"uri": "https://example.com/a", "filter": "totally bogus"},
            ["webhookSubscription"],
            "The specified filter is invalid, please ensure you specify the field(s) you wish to "
            "filter on.",
        ),
        (
            {"uri": "https://example.com/taken"},
            ["webhookSubscription", "callbackUrl"],
            "Address for this topic has already been taken",
        ),
    ],
)
def test_refused_subscriptions(store, blank, options, field, message):
    subscribe(store, "ORDERS_CREATE", "https://example.com/taken", "blank")
    answer = subscribe(store, "ORDERS_CREATE", **options, shop="blank")
    assert answer == {
        "webhookSubscription": None,
        "userErrors": [{"field": field, "message": message}],
    }


def test_local_addresses_only_where_allowed(store, blank):
    blank.settings.local_webhooks = False
    answer = subscribe(store, "ORDERS_CREATE", "http://127.0.0.1:1/x", "blank")
    assert answer["userErrors"][0]["message"] == "Address protocol http:// is not supported"


def test_a_topic_asks_for_a_scope(store, blank):
    blank.settings.scopes = ["read_products"]
    refused = subscribe(store, "ORDERS_CREATE", "https://example.com/a", "blank")
    assert refused["userErrors"] == [
        {
            "field": ["topic"],
            "message": "You do not have permission to create or update webhooks with "
            "orders/create topic",
        }
    ]
    for topic in ("PRODUCTS_CREATE", "APP_UNINSTALLED"):
        assert subscribe(store, topic, "https://example.com/a", "blank")["userErrors"] == []


def test_names_on_the_wire(engine):
    names = {topic: info.name for topic, info in engine.api.topics.items()}
    assert names["ORDERS_PARTIALLY_FULFILLED"] == "orders/partially_fulfilled"
    assert names["FULFILLMENT_ORDERS_PLACED_ON_HOLD"] == "fulfillment_orders/placed_on_hold"
    assert names["ORDER_TRANSACTIONS_CREATE"] == "order_transactions/create"
    assert names["APP_SCOPES_UPDATE"] == "app/scopes_update"
    assert names["CUSTOMER_TAGS_ADDED"] == "customer.tags_added"
