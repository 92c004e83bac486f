"""The client against the sandbox store: real HTTP, real schema, real tokens, real faults."""

import re
import threading
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from shopify_connector import const
from shopify_connector.client import auth, documents
from shopify_connector.client.client import ShopifyClient
from shopify_connector.client.errors import (
    AuthError,
    ScopeError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
    UserErrorsError,
    VersionError,
)
from shopify_connector.client.throttle import Throttle
from shopify_connector.client.transport import Transport
from shopify_sandbox.testing import CLIENT_ID, CLIENT_SECRET, STATIC_TOKEN, running_sandbox

NAME = "client-tests"
SHOP = f"{NAME}.myshopify.com"


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox() as store:
        yield store


@pytest.fixture
def shop(sandbox):
    return sandbox.reset(NAME, profile="us")


@pytest.fixture
def transport():
    transport = Transport(connect_timeout=5, read_timeout=5)
    yield transport
    transport.close()


class MemoryStore:
    def __init__(self):
        self.token = None
        self.saves = 0
        self._lock = threading.Lock()

    def load(self):
        return self.token

    def save(self, token):
        self.token = token
        self.saves += 1

    @contextmanager
    def lock(self):
        with self._lock:
            yield


@pytest.fixture
def make(sandbox, shop, transport):
    def make(tokens=None, **kwargs):
        options = {"api_version": const.API_VERSION, "throttle": Throttle(), **kwargs}
        return ShopifyClient(
            SHOP,
            tokens or auth.StaticToken(STATIC_TOKEN),
            transport=transport,
            base_url=sandbox.api_url,
            **options,
        )

    return make


@pytest.fixture
def credentials(sandbox, shop, transport):
    def credentials(kind=auth.ClientCredentials, secret=CLIENT_SECRET, store=None):
        url = auth.shop_url(SHOP, sandbox.api_url)
        return kind(url, CLIENT_ID, secret, store or MemoryStore(), transport)

    return credentials


def operations(shop):
    return [entry["operation"] for entry in shop.log if entry["operation"]]


def test_shop_and_scopes(make):
    client = make()
    info = client.execute("shop_info").data["shop"]
    assert info["myshopifyDomain"] == SHOP
    assert info["currencyCode"] == "USD"
    installation = client.execute("current_app_installation").data["currentAppInstallation"]
    granted = [scope["handle"] for scope in installation["accessScopes"]]
    assert all(auth.covers(granted, scope) for scope in const.REQUIRED_SCOPES)
    versions = client.execute("public_api_versions").data["publicApiVersions"]
    assert const.API_VERSION in [v["handle"] for v in versions if v["supported"]]


def test_every_query_is_answered(make, sandbox):
    order = sandbox.place_orders(NAME, count=1)[0]
    client = make()
    for name in documents.names():
        text = documents.document(name)
        if re.search(r"^mutation\b", text, re.MULTILINE) or name.startswith("bulk_query_"):
            continue
        gid = order["id"]
        variables = {
            "first": 1,
            "ids": [gid],
            "id": gid,
            "location": "gid://shopify/Location/1",
            "query": "",
            "limit": 5,
        }
        used = {key: value for key, value in variables.items() if f"${key}:" in text}
        result = client.execute(name, used)
        assert not result.errors, name
        assert result.cost.requested is not None


def test_catalogue_page_by_page(make, shop):
    client = make()
    whole = list(client.paginate("products", "products"))
    small = list(client.paginate("products", "products", page_size=3))
    assert whole == small
    assert len(whole) > 6
    variants = [variant for product in whole for variant in product["variants"]["nodes"]]
    assert all(variant["inventoryItem"]["id"] for variant in variants)
    found, faults = client.nodes("variants_by_ids", [v["id"] for v in variants], chunk_size=250)
    assert not faults
    assert [found[v["id"]]["sku"] for v in variants] == [v["sku"] for v in variants]


def test_whole_orders_in_few_calls(make, sandbox, shop):
    placed = [order["id"] for order in sandbox.place_orders(NAME, count=20)]
    client = make()
    listed = [node["id"] for node in client.paginate("orders_ids", "orders")]
    assert sorted(listed) == sorted(placed)
    shop.log.clear()
    gone = "gid://shopify/Order/999999999999"
    found, faults = client.nodes("order_by_ids", [*placed, gone])
    assert not faults
    assert found.pop(gone) is None
    assert set(found) == set(placed)
    assert operations(shop) == ["OrderByIds"]


def test_order_with_more_lines_than_a_page_is_whole(make, sandbox, shop):
    [order] = sandbox.place_orders(NAME, count=1, lines=60)
    found, faults = make().nodes("order_by_ids", [order["id"]])
    assert not faults
    lines = found[order["id"]]["lineItems"]["nodes"]
    assert len(lines) > 50
    assert [line["id"] for line in lines] == order["lineItems"]
    assert "OrderPageLineItems" in operations(shop)


def test_webhook_subscriptions_through_their_life(make):
    client = make()
    uri = "https://odoo.example.com/shopify/webhook/1"
    wanted = {"topic": "ORDERS_CREATE", "webhookSubscription": {"uri": uri}}
    made = client.mutate("webhook_subscription_create", wanted)["webhookSubscription"]
    assert (made["topic"], made["uri"]) == ("ORDERS_CREATE", uri)
    with pytest.raises(UserErrorsError, match="already been taken") as caught:
        client.mutate("webhook_subscription_create", wanted)
    assert caught.value.errors[0].field
    changed = {"id": made["id"], "webhookSubscription": {"uri": uri + "0"}}
    client.mutate("webhook_subscription_update", changed)
    [listed] = client.paginate("webhook_subscriptions", "webhookSubscriptions")
    assert listed["uri"] == uri + "0"
    client.mutate("webhook_subscription_delete", {"id": made["id"]})
    assert list(client.paginate("webhook_subscriptions", "webhookSubscriptions")) == []


def test_locations(make):
    locations = list(make().paginate("locations", "locations"))
    assert len(locations) == 2
    assert all(location["isActive"] for location in locations)


# -- access ----------------------------------------------------------------------------------


def test_client_credentials(make, credentials):
    client = make(credentials())
    assert client.execute("shop_info").data["shop"]["myshopifyDomain"] == SHOP


def test_revoked_token_is_replaced_on_the_fly(make, credentials, shop):
    store = MemoryStore()
    client = make(credentials(store=store))
    client.execute("shop_info")
    before = store.token.access_token
    shop.tokens.clear()
    client.execute("shop_info")
    assert store.saves == 2
    assert store.token.access_token != before


def test_many_threads_with_a_revoked_token_make_one_renewal(make, credentials, shop):
    store = MemoryStore()
    make(credentials(store=store)).execute("shop_info")
    shop.tokens.clear()
    start, failures = threading.Barrier(8), []

    def work():
        client = make(credentials(store=store))
        start.wait(10)
        try:
            client.execute("shop_info")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert store.saves == 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"client_credentials_allowed": False}, "shop_not_permitted"),
        ({"installed": False}, "app_not_installed"),
    ],
)
def test_refused_client_credentials(credentials, shop, settings, reason):
    for name, value in settings.items():
        setattr(shop.settings, name, value)
    with pytest.raises(AuthError) as caught:
        credentials().get()
    assert caught.value.reason == reason


def test_wrong_secret(credentials):
    with pytest.raises(AuthError) as caught:
        credentials(secret="wrong").get()
    assert caught.value.reason == "invalid_client"


def test_installation_with_a_code_and_rotating_tokens(make, credentials, shop):
    store = MemoryStore()
    provider = credentials(auth.AuthorizationCode, store=store)
    page = provider.authorize_url(const.REQUIRED_SCOPES, "https://odoo.example.com/cb", "s1")
    answer = requests.get(page, allow_redirects=False, timeout=10)
    params = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert auth.verify_callback(params, [CLIENT_SECRET])
    assert not auth.verify_callback(params, ["wrong"])
    assert auth.verify_state(params["state"], "s1")
    first = provider.exchange(params["code"])
    assert first.refresh_token
    assert first.expires_at
    client = make(provider)
    client.execute("shop_info")
    shop.tokens.clear()
    client.execute("shop_info")
    assert store.token.refresh_token != first.refresh_token
    with pytest.raises(AuthError, match="installation again"):
        provider.exchange(params["code"])


def test_missing_scope_is_named(make, shop):
    shop.settings.scopes = ["read_products"]
    with pytest.raises(ScopeError) as caught:
        list(make().paginate("orders_ids", "orders"))
    assert "read_orders" in caught.value.scopes
    assert "read_orders" in str(caught.value)


def test_withheld_customer_data_is_told(make, sandbox, shop):
    sandbox.place_orders(NAME, count=1)
    client = make()
    assert not client.execute("protected_customer_data").errors
    shop.settings.protected_data_withheld = True
    result = client.execute("protected_customer_data")
    assert result.errors
    assert result.data["orders"]["nodes"][0]["email"] is None


# -- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "sent"),
    [
        ({"kind": "http_error", "status": 503}, TransientError, True),
        ({"kind": "reset"}, TransientError, True),
        ({"kind": "throttled"}, ThrottledError, False),
        ({"kind": "http_error", "status": 429, "retry_after": "2.0"}, ThrottledError, False),
    ],
)
def test_faults_are_classified_and_pass(make, shop, fault, kind, sent):
    shop.faults.add(count=1, **fault)
    client = make()
    with pytest.raises(kind) as caught:
        client.execute("shop_info")
    assert caught.value.sent is sent
    if kind is ThrottledError:
        assert caught.value.retry_after > 0
    client.execute("shop_info")


def test_store_that_is_too_slow(make, shop):
    shop.faults.add(kind="latency", ms=2000, count=1)
    slow = Transport(read_timeout=0.1)
    client = make()
    client._transport = slow
    with pytest.raises(TransientError, match="in time"):
        client.execute("shop_info")
    slow.close()


def test_spent_budget(make, shop):
    client = make()
    client.execute("shop_info")
    shop.bucket.drain(0)
    with pytest.raises(ThrottledError) as caught:
        list(client.paginate("products", "products", page_size=250))
    assert caught.value.retry_after > 0


def test_frozen_store(make, shop):
    shop.settings.state = "frozen"
    with pytest.raises(ShopUnavailableError, match="frozen"):
        make().execute("shop_info")


def test_version_that_is_no_longer_served(make, shop):
    result = make(api_version="2020-01").execute("shop_info")
    assert result.fell_forward
    with pytest.raises(VersionError):
        make(api_version="2020-01", strict_version=True).execute("shop_info")
