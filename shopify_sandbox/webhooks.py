"""Deliveries: which topics a change sends, the signature, retries, and when Shopify gives up."""

import base64
import hashlib
import heapq
import hmac
import itertools
import json
import logging
import threading
import time
import uuid
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from . import payload
from .faults import WEBHOOK_KINDS
from .loading import Change
from .search import Filter, compile_search
from .shop import Shop

_logger = logging.getLogger(__name__)

RETRIES = 8
CONNECT_SECONDS, TOTAL_SECONDS = 1.0, 5.0
WORKERS = 16
LOG_SIZE = 20_000

# Topic of a new, a changed and a deleted object.
TOPICS = {
    "Order": ("ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_DELETE"),
    "Product": ("PRODUCTS_CREATE", "PRODUCTS_UPDATE", "PRODUCTS_DELETE"),
    "Customer": ("CUSTOMERS_CREATE", "CUSTOMERS_UPDATE", "CUSTOMERS_DELETE"),
    "Refund": ("REFUNDS_CREATE", None, None),
    "OrderTransaction": ("ORDER_TRANSACTIONS_CREATE", None, None),
    "Fulfillment": ("FULFILLMENTS_CREATE", "FULFILLMENTS_UPDATE", None),
    "InventoryItem": ("INVENTORY_ITEMS_CREATE", "INVENTORY_ITEMS_UPDATE", "INVENTORY_ITEMS_DELETE"),
    "InventoryLevel": (
        "INVENTORY_LEVELS_CONNECT",
        "INVENTORY_LEVELS_UPDATE",
        "INVENTORY_LEVELS_DISCONNECT",
    ),
    "Location": ("LOCATIONS_CREATE", "LOCATIONS_UPDATE", "LOCATIONS_DELETE"),
    "Company": ("COMPANIES_CREATE", "COMPANIES_UPDATE", "COMPANIES_DELETE"),
    "CompanyLocation": (
        "COMPANY_LOCATIONS_CREATE",
        "COMPANY_LOCATIONS_UPDATE",
        "COMPANY_LOCATIONS_DELETE",
    ),
    "Shop": (None, "SHOP_UPDATE", None),
    "BulkOperation": (None, "BULK_OPERATIONS_FINISH", None),
}
RETURN_TOPICS = {
    "REQUESTED": "RETURNS_REQUEST",
    "OPEN": "RETURNS_APPROVE",
    "DECLINED": "RETURNS_DECLINE",
    "CANCELED": "RETURNS_CANCEL",
    "CLOSED": "RETURNS_CLOSE",
}
# A change of the part is a change of the whole.
PARENT_FIELD = {
    "Refund": "order",
    "Fulfillment": "order",
    "OrderTransaction": "order",
    "FulfillmentOrder": "order",
    "Return": "order",
    "ProductVariant": "product",
}


def events_of(shop: Shop, changes: list[Change]) -> list[tuple[str, dict]]:
    """Topics and objects that these changes announce, each once."""
    events: dict[tuple[str, str], dict] = {}

    def announce(topic: str | None, record: dict | None) -> None:
        if topic and record:
            events.setdefault((topic, record["id"]), record)

    for change in changes:
        created, updated, deleted = TOPICS.get(change.type_name, (None, None, None))
        if not change.after:
            announce(deleted, change.before)
            continue
        announce(updated if change.before else created, change.after)
        if change.type_name == "Order":
            for topic in _order_topics(shop, change, changes):
                announce(topic, change.after)
        elif change.type_name == "InventoryLevel" and not change.before:
            announce("INVENTORY_LEVELS_UPDATE", change.after)
        elif change.type_name == "Return":
            announce(_return_topic(change), change.after)
        parent = shop.store.get(change.after.get(PARENT_FIELD.get(change.type_name, "")))
        if parent:
            announce(TOPICS[parent["__typename"]][1], parent)
    return [(topic, record) for (topic, _gid), record in events.items()]


def _order_topics(shop: Shop, change: Change, changes: list[Change]):
    before, after = change.before or {}, change.after
    # An order is updated right after it was created, when its payment and risk are known.
    yield "ORDERS_UPDATED"
    status = shop.read(after, "displayFinancialStatus")
    if status == "PAID" and _status_is_new(shop, change, changes):
        yield "ORDERS_PAID"
    if after.get("cancelledAt") and not before.get("cancelledAt"):
        yield "ORDERS_CANCELLED"
    if before and any(before.get(name) != after.get(name) for name in ("lineItems", "_edits")):
        yield "ORDERS_EDITED"
    if before and before.get("risk") != after.get("risk"):
        yield "ORDERS_RISK_ASSESSMENT_CHANGED"
    shipped = shop.read(after, "displayFulfillmentStatus")
    if before and shipped != before.get("displayFulfillmentStatus"):
        if shipped == "FULFILLED":
            yield "ORDERS_FULFILLED"
        elif shipped == "PARTIALLY_FULFILLED":
            yield "ORDERS_PARTIALLY_FULFILLED"


def _status_is_new(shop: Shop, change: Change, changes: list[Change]) -> bool:
    if change.before is None:
        return True
    if "displayFinancialStatus" in change.after:
        return change.before.get("displayFinancialStatus") != "PAID"
    return any(
        other.type_name == "OrderTransaction"
        and not other.before
        and other.after.get("order") == change.gid
        for other in changes
    )


def _return_topic(change: Change) -> str:
    before, status = change.before or {}, change.after.get("status")
    if before.get("_processed") != change.after.get("_processed"):
        return "RETURNS_PROCESS"
    if before.get("status") == "CLOSED" and status == "OPEN":
        return "RETURNS_REOPEN"
    if before.get("status") == status:
        return "RETURNS_UPDATE"
    return RETURN_TOPICS.get(status, "RETURNS_UPDATE")


def signature(secret: str, body: bytes) -> str:
    """Base64 HMAC-SHA256 of the raw body with the app's client secret."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


@dataclass
class Delivery:
    """One event on its way to one address."""

    shop: Shop
    topic: str
    uri: str
    body: bytes
    subscription: str | None
    name: str | None
    api_version: str
    event_id: str
    triggered_at: str
    webhook_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    status: int | str | None = None
    delivered_at: str | None = None

    def headers(self, bad_signature: bool = False) -> dict:
        secret = self.shop.settings.client_secrets[0]
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": self.topic,
            "X-Shopify-Hmac-Sha256": signature("wrong" if bad_signature else secret, self.body),
            "X-Shopify-Shop-Domain": self.shop.domain,
            "X-Shopify-API-Version": self.api_version,
            "X-Shopify-Webhook-Id": self.webhook_id,
            "X-Shopify-Event-Id": self.event_id,
            "X-Shopify-Triggered-At": self.triggered_at,
        }
        if self.name:
            headers["X-Shopify-Name"] = self.name
        return headers

    def entry(self) -> dict:
        names = (
            "topic",
            "uri",
            "subscription",
            "event_id",
            "webhook_id",
            "triggered_at",
            "attempts",
            "status",
            "delivered_at",
        )
        return {name: getattr(self, name) for name in names}


class Deliveries:
    """Sends webhooks of all shops from a pool of threads.

    :param retry_base: seconds before the first retry, doubled each time (Shopify: about 56)
    """

    def __init__(self, retry_base: float = 1.0, workers: int = WORKERS) -> None:
        self.retry_base = retry_base
        self.log: deque[Delivery] = deque(maxlen=LOG_SIZE)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="webhook")
        self._local = threading.local()
        self._queue: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._wake = threading.Condition()
        self._running = True
        self._in_flight = 0
        self._timer = threading.Thread(target=self._schedule, daemon=True, name="webhook-timer")
        self._timer.start()

    # What to send -----------------------------------------------------------------------------

    def on_change(self, shop: Shop, changes: list[Change]) -> None:
        """Listener of a shop: send the webhooks of these changes."""
        subscriptions = shop.store.all("WebhookSubscription")
        if not subscriptions:
            return
        wanted = {item["topic"] for item in subscriptions}
        event_id = str(uuid.uuid4())
        for topic, record in events_of(shop, changes):
            if topic in wanted:
                content = payload.body(topic, record, shop)
                self.send(shop, topic, content, event_id, subscriptions)

    def send(
        self,
        shop: Shop,
        topic: str,
        content: dict,
        event_id: str | None = None,
        subscriptions: list[dict] | None = None,
    ) -> int:
        """Send a topic (as in the enum) to every subscription; returns how many there are."""
        sent = 0
        if subscriptions is None:
            subscriptions = shop.store.all("WebhookSubscription")
        for item in subscriptions:
            if item["topic"] == topic and _passes(item, content):
                chosen = _included(item, content)
                self.send_to(
                    shop,
                    item["uri"],
                    shop.api.topics[topic].name,
                    chosen,
                    event_id=event_id,
                    subscription=item,
                )
                sent += 1
        return sent

    def send_to(
        self,
        shop: Shop,
        uri: str,
        topic: str,
        content: dict,
        *,
        event_id: str | None = None,
        subscription: dict | None = None,
    ) -> Delivery | None:
        """Send one body to one address, e.g. a compliance topic that has no subscription."""
        subscription = subscription or {}
        delivery = Delivery(
            shop,
            topic,
            uri,
            json.dumps(content, separators=(",", ":")).encode(),
            subscription.get("id"),
            subscription.get("name"),
            subscription.get("_api_version", shop.api.version),
            event_id or str(uuid.uuid4()),
            shop.now(),
        )
        if not uri.startswith(("http://", "https://")):
            return None
        delay, copies = 0.0, 1
        for fault in shop.faults.strike(WEBHOOK_KINDS, [topic]):
            if fault.kind == "webhook_lost":
                delivery.status = "lost"
                self.log.append(delivery)
                return delivery
            if fault.kind == "webhook_duplicate":
                copies += 1
            elif fault.kind == "webhook_late":
                delay += fault.ms / 1000
            elif fault.kind == "webhook_reorder":
                delay += (hash(delivery.webhook_id) % 1000) / 1000 * fault.ms / 1000
            elif fault.kind == "webhook_bad_signature":
                delivery.status = "bad signature"
        for _copy in range(copies):
            self.log.append(delivery)
            self._put(delivery, delay)
        return delivery

    # Sending ----------------------------------------------------------------------------------

    def _put(self, delivery: Delivery, delay: float) -> None:
        with self._wake:
            self._in_flight += 1
            entry = (time.monotonic() + delay, next(self._order), delivery)
            heapq.heappush(self._queue, entry)
            self._wake.notify()

    def _schedule(self) -> None:
        while True:
            with self._wake:
                while self._running and (not self._queue or self._queue[0][0] > time.monotonic()):
                    pause = self._queue[0][0] - time.monotonic() if self._queue else None
                    self._wake.wait(pause)
                if not self._running:
                    return
                delivery = heapq.heappop(self._queue)[2]
            self._pool.submit(self._attempt, delivery)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        return self._local.session

    def _attempt(self, delivery: Delivery) -> None:
        try:
            self._deliver(delivery)
        except Exception:
            _logger.exception("Delivery of %s to %s failed", delivery.topic, delivery.uri)
        finally:
            with self._wake:
                self._in_flight -= 1
                self._wake.notify_all()

    def _deliver(self, delivery: Delivery) -> None:
        bad_signature = delivery.status == "bad signature"
        delivery.attempts += 1
        try:
            answer = self._session().post(
                delivery.uri,
                data=delivery.body,
                headers=delivery.headers(bad_signature),
                timeout=(CONNECT_SECONDS, TOTAL_SECONDS - CONNECT_SECONDS),
                allow_redirects=False,
            )
            delivery.status = answer.status_code
        except requests.RequestException as error:
            delivery.status = type(error).__name__
        if isinstance(delivery.status, int) and 200 <= delivery.status < 300:
            delivery.delivered_at = delivery.shop.now()
        elif delivery.attempts <= RETRIES:
            self._put(delivery, self.retry_base * 2 ** (delivery.attempts - 1))
        elif delivery.subscription:
            _logger.warning(
                "Subscription %s to %s removed after %s failures",
                delivery.topic,
                delivery.uri,
                delivery.attempts,
            )
            delivery.shop.store.delete(delivery.subscription)

    def wait(self, seconds: float = 10.0) -> bool:
        """Wait until nothing is queued or in flight; False when it takes longer."""
        with self._wake:
            return self._wake.wait_for(lambda: self._in_flight == 0, seconds)

    def stop(self) -> None:
        with self._wake:
            self._running = False
            self._wake.notify_all()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _passes(subscription: dict, content: dict) -> bool:
    """The subscription's filter, over the fields of the body."""
    if not subscription.get("filter"):
        return True
    filters = {
        name: Filter(
            "boolean" if isinstance(value, bool) else "string",
            lambda record, key=name: record.get(key),
        )
        for name, value in content.items()
    }
    filters.setdefault("customer_id", Filter("string", lambda record: record.get("id")))
    return compile_search(subscription["filter"], filters).matches(content)


def _included(subscription: dict, content: dict) -> dict:
    names = subscription.get("includeFields")
    return {name: content[name] for name in names if name in content} if names else content
