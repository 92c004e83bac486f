"""The Admin API over HTTP: tokens, versions, scopes, cost, refusals, faults, control."""

import concurrent.futures
import hashlib
import hmac
import time
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from shopify_sandbox.cost import Bucket, growth
from shopify_sandbox.testing import CLIENT_ID, CLIENT_SECRET, STATIC_TOKEN

SHOP = "{ shop { name } }"


def post(
    store,
    query=SHOP,
    variables=None,
    *,
    shop="sandbox-us",
    version="2026-10",
    token=STATIC_TOKEN,
    timeout=10,
):
    return requests.post(
        f"{store.url}/shops/{shop}/admin/api/{version}/graphql.json",
        json={"query": query, "variables": variables or {}},
        headers={"X-Shopify-Access-Token": token},
        timeout=timeout,
    )


def token(store, shop="sandbox-us", **form):
    body = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
    return requests.post(
        f"{store.url}/shops/{shop}/admin/oauth/access_token", data=body, timeout=10
    )


def control(store, path, body=None, shop="sandbox-us", method="POST"):
    answer = requests.request(method, f"{store.url}/_sandbox/{shop}/{path}", json=body, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


# Tokens ---------------------------------------------------------------------------------------


def test_client_credentials(store, us):
    answer = token(store, grant_type="client_credentials")
    assert answer.status_code == 200
    body = answer.json()
    assert body["expires_in"] == 86399
    assert "read_orders" in body["scope"].split(",")
    assert post(store, token=body["access_token"]).json()["data"]["shop"]["name"] == "Sandbox Us"


def test_token_request_as_json(store, us):
    answer = requests.post(
        f"{store.url}/shops/sandbox-us/admin/oauth/access_token",
        json={
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        },
        timeout=10,
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "settings", "error"),
    [
        ({"client_secret": "wrong"}, {}, "invalid_client"),
        ({"client_id": "wrong"}, {}, "application_cannot_be_found"),
        ({}, {"client_credentials_allowed": False}, "shop_not_permitted"),
        ({}, {"installed": False}, "app_not_installed"),
        ({"grant_type": "password"}, {}, "unsupported_grant_type"),
    ],
)
def test_token_refusals(store, us, form, settings, error):
    control(store, "settings", settings)
    answer = token(store, **{"grant_type": "client_credentials", **form})
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_tokens_expire_and_invalid_ones_are_refused(store, us):
    control(store, "settings", {"token_seconds": 0})
    expired = token(store, grant_type="client_credentials").json()["access_token"]
    for value in (expired, "shpat_nonsense", ""):
        answer = post(store, token=value)
        assert answer.status_code == 401
        assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


def test_authorization_code_with_expiring_token_and_rotation(store, us):
    answer = requests.get(
        f"{store.url}/shops/sandbox-us/admin/oauth/authorize",
        params={
            "client_id": CLIENT_ID,
            "scope": "read_orders",
            "state": "s1",
            "redirect_uri": "http://127.0.0.1:1/callback",
        },
        allow_redirects=False,
        timeout=10,
    )
    assert answer.status_code == 302
    query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    digest = query.pop("hmac")
    message = urlencode(sorted(query.items()))
    assert digest == hmac.new(CLIENT_SECRET.encode(), message.encode(), hashlib.sha256).hexdigest()
    assert query["state"] == "s1"
    assert query["shop"] == "sandbox-us.myshopify.com"
    first = token(store, code=query["code"], expiring=1).json()
    assert first["expires_in"] == 3600
    assert first["refresh_token_expires_in"] == 7776000
    assert token(store, code=query["code"]).status_code == 400  # a code works once
    second = token(store, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert post(store, token=second["access_token"]).status_code == 200
    # The answer of a refresh may get lost: the old one still works for a while.
    assert (
        token(store, grant_type="refresh_token", refresh_token=first["refresh_token"]).status_code
        == 200
    )


# Versions and state ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("2026-10", "2026-10"), ("2026-04", "2026-04"), ("2024-01", "2026-01")],
)
def test_versions_fall_forward(store, us, asked, answered):
    answer = post(store, version=asked)
    assert answer.status_code == 200
    assert answer.headers["X-Shopify-API-Version"] == answered
    assert answer.headers["X-Request-Id"]


def test_a_field_of_a_later_version_is_unknown_before(store, us):
    query = "{ orders(first: 1) { nodes { attribution { handle } } } }"
    assert "errors" not in post(store, query).json()
    body = post(store, query, version="2026-04").json()
    assert body["errors"][0]["message"] == "Field 'attribution' doesn't exist on type 'Order'"


@pytest.mark.parametrize(("state", "status"), [("frozen", 402), ("gone", 404), ("locked", 423)])
def test_shops_that_are_closed(store, us, state, status):
    control(store, "settings", {"state": state})
    assert post(store).status_code == status


def test_what_is_no_request_is_refused(store, us):
    url = f"{store.url}/shops/sandbox-us/admin/api/2026-10/graphql.json"
    headers = {"X-Shopify-Access-Token": STATIC_TOKEN}
    answer = requests.post(url, json={"variables": {}}, headers=headers, timeout=10)
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"query": "Required parameter missing or invalid"}}
    assert requests.post(url, data=b"{", headers=headers, timeout=10).status_code == 400
    assert requests.get(f"{store.url}/nowhere", timeout=10).status_code == 404
    assert (
        requests.post(
            f"{store.url}/shops/bad_name!/admin/api/2026-10/graphql.json", timeout=10
        ).status_code
        == 404
    )


def test_public_api_versions(store, us):
    body = post(store, "{ publicApiVersions { handle supported displayName } }").json()
    versions = {item["handle"]: item["supported"] for item in body["data"]["publicApiVersions"]}
    assert versions["2026-10"] is True
    assert versions["2027-01"] is False
    assert "2025-10" not in versions


# Scopes and customer data ---------------------------------------------------------------------


def test_a_missing_scope_is_named_and_the_rest_stays(store, us):
    store.place_orders(count=1, distinct_customers=True)
    control(store, "settings", {"scopes": ["read_orders"]})
    body = post(
        store,
        "{ orders(first: 1) { nodes { name customer { id } } } "
        "locations(first: 1) { nodes { id } } }",
    ).json()
    assert body["data"] is None  # locations must not be null
    denied = {error["path"][-1]: error for error in body["errors"]}
    assert denied["customer"]["extensions"] == {
        "code": "ACCESS_DENIED",
        "documentation": "https://shopify.dev/api/usage/access-scopes",
        "requiredAccess": "`read_customers` access scope.",
    }
    assert denied["customer"]["path"] == ["orders", "nodes", 0, "customer"]
    assert "read_locations" in denied["locations"]["message"]
    body = post(store, "{ orders(first: 1) { nodes { name customer { id } } } }").json()
    assert body["data"]["orders"]["nodes"][0] == {"name": "#1001", "customer": None}


def test_a_write_scope_includes_reading(store, us):
    control(store, "settings", {"scopes": ["write_orders"]})
    assert "errors" not in post(store, "{ orders(first: 1) { nodes { name } } }").json()
    body = post(store, "{ currentAppInstallation { accessScopes { handle } } }").json()
    scopes = body["data"]["currentAppInstallation"]["accessScopes"]
    assert scopes == [{"handle": "write_orders"}]


def test_a_mutation_asks_for_the_write_scope(store, us):
    control(store, "settings", {"scopes": ["read_orders"]})
    body = post(
        store,
        'mutation { orderUpdate(input: {id: "gid://shopify/Order/1"}) { userErrors { message } } }',
    ).json()
    assert body["data"] == {"orderUpdate": None}
    assert "`write_orders` access scope" in body["errors"][0]["message"]


def test_nodes_of_a_type_without_scope(store, us):
    (order,) = store.place_orders(count=1, distinct_customers=True)
    control(store, "settings", {"scopes": ["read_orders"]})
    body = post(
        store,
        "query N($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": [order["customer"], order["id"]]},
    ).json()
    assert body["data"]["nodes"] == [None, {"id": order["id"]}]
    assert body["errors"][0]["path"] == ["nodes", 0]


def test_protected_customer_data_withheld(store, us):
    store.place_orders(count=1, distinct_customers=True)
    control(store, "settings", {"protected_data_withheld": True})
    body = post(
        store, "{ orders(first: 1) { nodes { name email billingAddress { firstName city } } } }"
    ).json()
    (order,) = body["data"]["orders"]["nodes"]
    assert order["email"] is None
    assert order["billingAddress"]["firstName"] is None
    assert order["billingAddress"]["city"]
    assert {error["extensions"]["code"] for error in body["errors"]} == {"ACCESS_DENIED"}


def test_what_is_not_implemented_says_so(store, us):
    control(store, "settings", {"scopes": ["read_products", "write_products"]})
    body = post(store, "{ collections(first: 1) { nodes { id } } }").json()
    assert body["errors"][0]["extensions"]["code"] == "NOT_IMPLEMENTED"
    assert "'collections'" in body["errors"][0]["message"]


# Cost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "weight"),
    [(0, 0), (1, 1), (2, 1), (5, 3), (10, 4), (20, 5), (50, 7), (100, 9), (250, 11)],
)
def test_growth_of_a_page(count, weight):
    assert growth(count) == weight


@pytest.mark.parametrize(
    ("query", "requested"),
    [
        ("{ shop { currencyCode taxesIncluded } }", 1),
        ("{ locations(first: 100) { nodes { id } } }", 11),
        ("{ ordersCount { count } }", 10),
        (
            "{ products(first: 250) { nodes { variants(first: 250) { nodes { id } } "
            "media(first: 250) { nodes { id } } metafields(first: 250) { nodes { id } } } } }",
            442,
        ),
        ("{ shop { plan { shopifyPlus } } currentAppInstallation { accessScopes { handle } } }", 4),
    ],
)
def test_recorded_costs(store, us, query, requested):
    cost = post(store, query).json()["extensions"]["cost"]
    assert cost["requestedQueryCost"] == requested
    assert cost["actualQueryCost"] <= requested


def test_a_query_beyond_the_maximum_is_refused(store, us):
    query = (
        "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { "
        "variant { product { variants(first: 250) { nodes { id } } } } } } } } }"
    )
    body = post(store, query).json()
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert error["extensions"]["maxCost"] == 1000
    assert error["message"].startswith(f"Query cost is {error['extensions']['cost']}, which")


def test_throttled_is_http_200_and_waiting_helps(store, us):
    control(store, "settings", {"restore_rate": 50, "bucket_size": 1000, "available_points": 3})
    body = post(store, "{ orders(first: 50) { nodes { id } } }")
    assert body.status_code == 200
    content = body.json()
    assert content["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert "data" not in content
    cost = content["extensions"]["cost"]
    assert cost["actualQueryCost"] is None
    assert cost["throttleStatus"]["maximumAvailable"] == 1000
    needed = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
    time.sleep(needed / 50 + 0.05)
    assert "errors" not in post(store, "{ orders(first: 50) { nodes { id } } }").json()


def test_what_was_not_needed_is_given_back(store, us):
    control(store, "settings", {"restore_rate": 1, "bucket_size": 1000})
    cost = post(store, "{ orders(first: 250) { nodes { id } } }").json()["extensions"]["cost"]
    assert cost["actualQueryCost"] < cost["requestedQueryCost"] == 13
    assert cost["throttleStatus"]["currentlyAvailable"] == 1000 - cost["actualQueryCost"]


def test_the_bucket_refills_and_gives_back():
    now = [0.0]
    bucket = Bucket(100, 10, clock=lambda: now[0])
    assert bucket.take(100)
    assert not bucket.take(1)
    now[0] = 1.0
    assert bucket.status()["currentlyAvailable"] == 10
    bucket.give_back(500)
    assert bucket.status()["currentlyAvailable"] == 100


# Faults ---------------------------------------------------------------------------------------


def test_faults_strike_as_often_as_said(store, us):
    control(store, "faults", {"kind": "http_error", "status": 503, "count": 2, "operation": "shop"})
    assert post(store, "{ ordersCount { count } }").status_code == 200
    assert [post(store).status_code for _try in range(3)] == [503, 503, 200]
    assert control(store, "faults", method="GET")["faults"] == []


def test_too_many_requests_says_when(store, us):
    control(
        store, "faults", {"kind": "http_error", "status": 429, "retry_after": "2.0", "count": 1}
    )
    answer = post(store)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2.0")


def test_throttled_and_internal_error_on_demand(store, us):
    control(store, "faults", [{"kind": "throttled", "count": 1}])
    assert post(store).json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    control(store, "faults", [{"kind": "graphql_error", "count": 1}])
    answer = post(store)
    extensions = answer.json()["errors"][0]["extensions"]
    assert extensions == {
        "code": "INTERNAL_SERVER_ERROR",
        "requestId": answer.headers["X-Request-Id"],
    }


def test_connection_reset(store, us):
    control(store, "faults", {"kind": "reset", "count": 1})
    with pytest.raises(requests.ConnectionError):
        post(store)
    assert post(store).status_code == 200


def test_timeout_after_the_write(store, us):
    """The client learns nothing, but the store has changed."""
    control(
        store,
        "faults",
        {
            "kind": "timeout_after_write",
            "count": 1,
            "ms": 50,
            "operation": "webhookSubscriptionCreate",
        },
    )
    mutation = """mutation { webhookSubscriptionCreate(topic: ORDERS_CREATE,
      webhookSubscription: {uri: "https://example.com/x"}) { webhookSubscription { id } } }"""
    with pytest.raises(requests.ConnectionError):
        post(store, mutation)
    assert len(us.store.all("WebhookSubscription")) == 1


def test_no_answer(store, us):
    control(store, "faults", {"kind": "no_answer", "count": 1, "ms": 300})
    with pytest.raises((requests.ConnectionError, requests.Timeout)):
        post(store, timeout=0.1)


def test_token_endpoint_can_fail(store, us):
    control(store, "faults", {"kind": "http_error", "operation": "oauth", "count": 1})
    assert token(store, grant_type="client_credentials").status_code == 503


def test_an_unknown_fault_is_refused(store, us):
    answer = requests.post(
        f"{store.url}/_sandbox/sandbox-us/faults", json={"kind": "sabotage"}, timeout=10
    )
    assert answer.status_code == 400
    assert "known are" in answer.json()["error"]


# Control --------------------------------------------------------------------------------------


def test_log_tells_what_was_asked(store, us):
    post(store, "query Look($n: Int!) { orders(first: $n) { nodes { id } } }", {"n": 5})
    post(store, token="wrong")
    entries = control(store, "log", method="GET")
    assert entries[0]["operation"] == "Look"
    assert entries[0]["root_fields"] == ["orders"]
    assert entries[0]["variables"] == {"n": 5}
    assert entries[0]["requested_cost"] == 5
    assert entries[0]["ms"] > 0
    assert entries[1]["status"] == 401
    assert len(control(store, "log?operation=Look", method="GET")) == 1
    control(store, "log", method="DELETE")
    assert control(store, "log", method="GET") == []


def test_objects_by_list_and_by_envelope(store, blank):
    order = {"__typename": "Order", "id": "gid://shopify/Order/1", "name": "#9"}
    assert control(store, "objects", [order], "blank")["loaded"] == 1
    changed = {**order, "note": "new"}
    control(store, "objects", {"objects": [changed], "deliver": True}, "blank")
    (held,) = control(store, "objects?type=Order", shop="blank", method="GET")
    assert (held["name"], held["note"]) == ("#9", "new")
    control(store, "orders/update", {"id": order["id"], "set": {"note": "newer"}}, "blank")
    (held,) = control(store, f"objects?id={order['id']}", shop="blank", method="GET")
    assert held["note"] == "newer"
    assert control(store, "objects", {"ids": [order["id"]]}, "blank", "DELETE") == {
        "deleted": [order["id"]]
    }
    assert control(store, "objects?type=Order", shop="blank", method="GET") == []


def test_bad_objects_are_refused_with_the_reason(store, blank):
    answer = requests.post(f"{store.url}/_sandbox/blank/objects", json=[{"name": "x"}], timeout=10)
    assert answer.status_code == 422
    assert "id" in answer.json()["error"]


def test_customers_place_orders(store, us):
    body = control(store, "orders", {"count": 3, "lines": 2, "seed": 7, "discounts": False})
    assert body["names"] == ["#1001", "#1002", "#1003"]
    assert [us.store.get(gid)["name"] for gid in body["ids"]] == body["names"]
    answer = requests.post(f"{store.url}/_sandbox/blank/orders", json={"count": 1}, timeout=10)
    assert answer.status_code == 422


def test_orders_spread_over_time_can_be_stopped(store, us):
    control(store, "orders", {"count": 1000, "per_minute": 6000})
    deadline = time.monotonic() + 5
    while len(us.store.all("Order")) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert control(store, "orders", method="DELETE") == {"stopped": 1}
    assert 3 <= len(us.store.all("Order")) < 1000


def test_reset_starts_anew(store, us):
    control(store, "settings", {"plan": "Plus"})
    store.place_orders(count=1)
    assert control(store, "reset", {})["profile"] == "us"
    fresh = store.shop("sandbox-us")
    assert fresh.store.all("Order") == []
    assert fresh.settings.plan == "Standard"


def test_unknown_settings_are_refused(store, us):
    answer = requests.post(
        f"{store.url}/_sandbox/sandbox-us/settings", json={"colour": 1}, timeout=10
    )
    assert answer.status_code == 400
    assert "colour" in answer.json()["error"]


def test_many_clients_at_once(store, us):
    """Reads and writes side by side: no error, nothing lost, nothing doubled."""
    query = (
        "{ orders(first: 50, sortKey: UPDATED_AT) { nodes { id lineItems(first: 5) { nodes "
        "{ title } } } } }"
    )
    us.settings.bucket_size = us.settings.restore_rate = 10**6
    us.bucket.resize(10**6, 10**6)

    def work(index):
        if index % 2:
            return control(store, "orders", {"count": 5})["ids"]
        body = post(store, query).json()
        assert "errors" not in body
        return []

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = [gid for found in pool.map(work, range(24)) for gid in found]
    assert len(set(ids)) == 60
    assert len(us.store.all("Order")) == 60
    assert len({order["name"] for order in us.store.all("Order")}) == 60
