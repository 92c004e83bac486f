"""The client against scripted answers, so that each refusal comes exactly when it should."""

import json
import logging

import pytest
from requests.structures import CaseInsensitiveDict

from shopify_connector.client import client as module
from shopify_connector.client import documents
from shopify_connector.client.auth import StaticToken
from shopify_connector.client.client import ShopifyClient
from shopify_connector.client.errors import (
    AuthError,
    CostExceededError,
    ProtocolError,
    QueryError,
    ScopeError,
    ThrottledError,
    TransientError,
    UserErrorsError,
    VersionError,
)
from shopify_connector.client.throttle import Throttle
from shopify_connector.client.transport import Reply

VERSION = "2026-10"
END = {"hasNextPage": False, "endCursor": None}


def more(cursor):
    return {"hasNextPage": True, "endCursor": cursor}


def reply(body, status=200, **headers):
    headers = {"X-Request-Id": "r-1", "X-Shopify-API-Version": VERSION, **headers}
    return Reply(status, CaseInsensitiveDict(headers), json.dumps(body).encode(), 0.01)


def cost(requested, available, restored=100, maximum=2000):
    status = {
        "maximumAvailable": maximum,
        "currentlyAvailable": available,
        "restoreRate": restored,
    }
    return {"cost": {"requestedQueryCost": requested, "throttleStatus": status}}


TOO_EXPENSIVE = reply(
    {"errors": [{"message": "2003", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
)


class Script:
    """A transport that answers by calling `answer(variables)`, or with prepared replies in turn."""

    def __init__(self, *replies, answer=None):
        self.replies = list(replies)
        self.answer = answer
        self.requests = []
        self.tokens = []

    def post_json(self, url, payload, headers):
        assert url == f"https://foo.myshopify.com/admin/api/{VERSION}/graphql.json"
        self.requests.append(payload)
        self.tokens.append(headers["X-Shopify-Access-Token"])
        result = self.answer(payload["variables"]) if self.answer else self.replies.pop(0)
        if isinstance(result, Exception):
            raise result
        return result if isinstance(result, Reply) else reply(result)

    @property
    def variables(self):
        return [request["variables"] for request in self.requests]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def make_client(transport, tokens=None, clock=None, **kwargs):
    clock = clock or Clock()
    return ShopifyClient(
        "foo.myshopify.com",
        tokens or StaticToken("shpat_secret"),
        api_version=VERSION,
        transport=transport,
        throttle=Throttle(clock),
        sleep=clock.sleep,
        **kwargs,
    )


@pytest.fixture(autouse=True)
def _reported_anew(monkeypatch):
    monkeypatch.setattr(module, "_logged", set())


# -- execute ---------------------------------------------------------------------------------


def test_execute_sends_the_document_with_its_variables():
    script = Script({"data": {"orders": {"nodes": [], "pageInfo": END}}})
    result = make_client(script).execute("orders_ids", {"first": 3, "query": None})
    assert result.data["orders"]["nodes"] == []
    assert result.request_id == "r-1"
    assert script.requests == [
        {"query": documents.document("orders_ids"), "variables": {"first": 3, "query": None}}
    ]
    assert script.tokens == ["shpat_secret"]


def test_failures_are_not_tried_again():
    for failure in (TransientError("reset"), reply({}, 503), reply({}, 429)):
        script = Script(failure, {"data": {}})
        with pytest.raises(TransientError):
            make_client(script).execute("shop_info")
        assert len(script.requests) == 1


def test_denied_field_is_kept_or_refused_as_asked():
    denied = {"message": "`read_customers` access scope", "extensions": {"code": "ACCESS_DENIED"}}
    body = {"data": {"orders": {"nodes": []}}, "errors": [denied]}
    client = make_client(Script(body, body))
    assert client.execute("orders_ids").errors[0].scopes == ("read_customers",)
    with pytest.raises(ScopeError):
        client.execute("orders_ids", allow_partial=False)


# -- tokens ----------------------------------------------------------------------------------


class Tokens:
    app = "app"

    def __init__(self):
        self.rejected = []

    def get(self):
        return "old"

    def renew(self, rejected_token):
        self.rejected.append(rejected_token)
        return "new"


def test_refused_token_is_renewed_once():
    script, tokens = Script(reply({}, 401), {"data": {"shop": {}}}), Tokens()
    assert make_client(script, tokens).execute("shop_info").data == {"shop": {}}
    assert script.tokens == ["old", "new"]
    assert tokens.rejected == ["old"]


def test_token_refused_twice_is_an_error():
    script, tokens = Script(reply({}, 401), reply({}, 401), {"data": {}}), Tokens()
    with pytest.raises(AuthError, match="r-1"):
        make_client(script, tokens).execute("shop_info")
    assert len(script.requests) == 2


def test_refused_static_token_is_an_error():
    script = Script(reply({}, 401))
    with pytest.raises(AuthError, match="Enter the token"):
        make_client(script).execute("shop_info")
    assert len(script.requests) == 1


# -- budget ----------------------------------------------------------------------------------


def test_waits_for_the_points_that_the_operation_asked_for_last_time():
    clock = Clock()
    body = {"data": {"shop": {}}, "extensions": cost(requested=60, available=10)}
    client = make_client(Script(body, body), clock=clock)
    client.execute("shop_info")
    assert clock.slept == []
    client.execute("shop_info")
    assert clock.slept == [0.5]


def test_waits_no_longer_than_allowed():
    clock = Clock()
    script = Script({"data": {"shop": {}}, "extensions": cost(requested=300, available=100)})
    client = make_client(script, clock=clock)
    client.execute("shop_info")
    with pytest.raises(ThrottledError) as caught:
        client.execute("shop_info")
    assert caught.value.retry_after == 2.0
    assert clock.slept == []
    assert len(script.requests) == 1


def test_waits_no_longer_than_allowed_over_all_pages():
    clock = Clock()
    page = {
        "data": {"orders": {"nodes": [{"id": "1"}], "pageInfo": more("c")}},
        "extensions": cost(requested=60, available=0),
    }

    def answer(variables):
        cursor = more((variables["after"] or "") + "x")
        return {**page, "data": {"orders": {"nodes": [{"id": "1"}], "pageInfo": cursor}}}

    client = make_client(Script(answer=answer), clock=clock)
    with pytest.raises(ThrottledError):
        list(client.paginate("orders_ids", "orders"))
    assert clock.slept == [0.6]


def test_refusal_teaches_the_budget():
    clock = Clock()
    refused = {"errors": [{"message": "Throttled"}], "extensions": cost(50, 10)}
    script = Script(refused, {"data": {"shop": {}}})
    client = make_client(script, clock=clock)
    with pytest.raises(ThrottledError) as caught:
        client.execute("shop_info")
    assert caught.value.retry_after == 0.4
    client.execute("shop_info")
    assert clock.slept == [0.4]


# -- versions, logs --------------------------------------------------------------------------


def test_another_version_is_recorded_and_logged_once(caplog):
    newer = {"X-Shopify-API-Version": "2027-01"}
    answers = [reply({"data": {"shop": {}}}, **newer) for _ in range(2)]
    client = make_client(Script(*answers))
    assert client.execute("shop_info").fell_forward
    assert client.execute("shop_info").api_version == "2027-01"
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "2027-01" in warnings[0].getMessage()


def test_another_version_is_an_error_when_strict():
    script = Script(reply({"data": {"shop": {}}}, **{"X-Shopify-API-Version": "2027-01"}))
    with pytest.raises(VersionError, match="2027-01"):
        make_client(script, strict_version=True).execute("shop_info")


def test_deprecations_are_logged_once_each(caplog):
    def deprecated(text):
        return reply({"data": {}}, **{"X-Shopify-API-Deprecated-Reason": text})

    client = make_client(Script(*map(deprecated, ("Shop.a", "Shop.a", "Shop.b"))))
    for _ in range(3):
        client.execute("shop_info")
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 2


def test_logs_tell_what_happened_and_no_secrets(caplog):
    caplog.set_level(logging.DEBUG)
    refused = {"errors": [{"message": "jane@example.com is taken", "extensions": {"code": "X"}}]}
    good = {"data": {"orders": {}}, "extensions": cost(9, 1991)}
    client = make_client(Script(reply({}, 401), good, refused), Tokens())
    client.execute("orders_ids", {"query": "email:jane@example.com"})
    with pytest.raises(QueryError):
        client.execute("orders_ids", {"query": "email:jane@example.com"})
    text = caplog.text
    for expected in ("orders_ids", "10 ms", "of 9", "1991 left", "r-1", "QueryError X"):
        assert expected in text
    for secret in ("jane", "old", "new", "shpat"):
        assert secret not in text


# -- mutate ----------------------------------------------------------------------------------


def test_mutate_returns_the_payload():
    payload = {"webhookSubscription": {"id": "1"}, "userErrors": []}
    script = Script({"data": {"webhookSubscriptionCreate": payload}})
    assert make_client(script).mutate("webhook_subscription_create", {}) == payload


def test_mutate_raises_user_errors_and_keeps_what_went_through():
    payload = {
        "productVariants": [{"id": "1"}],
        "userErrors": [{"field": ["variants", "1", "price"], "message": "is bad", "code": "BAD"}],
        "mediaUserErrors": [{"field": None, "message": "no picture"}],
    }
    script = Script({"data": {"productVariantsBulkUpdate": payload}})
    with pytest.raises(UserErrorsError, match=r"variants\.1\.price: is bad.*r-1") as caught:
        make_client(script).mutate("webhook_subscription_create")
    first, second = caught.value.errors
    assert (first.field, first.code) == (("variants", "1", "price"), "BAD")
    assert (second.field, second.message) == ((), "no picture")
    assert caught.value.payload["productVariants"] == [{"id": "1"}]


def test_mutate_without_payload():
    with pytest.raises(ProtocolError):
        make_client(Script({"data": {"x": None}})).mutate("webhook_subscription_create")


# -- paginate --------------------------------------------------------------------------------


def numbered(count):
    """A store with `count` orders; the cursor is the index."""

    def answer(variables):
        start = int(variables["after"] or 0)
        end = start + variables["first"]
        nodes = [{"id": f"gid://shopify/Order/{i}"} for i in range(start, min(end, count))]
        info = more(str(end)) if end < count else END
        return {"data": {"orders": {"nodes": nodes, "pageInfo": info}}}

    return answer


def test_pages_follow_each_other():
    script = Script(answer=numbered(7))
    nodes = list(make_client(script).paginate("orders_ids", "orders", {"query": "q"}, page_size=3))
    assert [node["id"][-1] for node in nodes] == list("0123456")
    assert [(v["first"], v["after"], v["query"]) for v in script.variables] == [
        (3, None, "q"),
        (3, "3", "q"),
        (3, "6", "q"),
    ]


def test_pages_are_read_as_they_are_needed():
    script = Script(answer=numbered(100))
    nodes = make_client(script).paginate("orders_ids", "orders", page_size=10)
    for _ in range(10):
        next(nodes)
    assert len(script.requests) == 1


def test_pages_go_on_where_another_stopped():
    client = make_client(Script(answer=numbered(5)))
    first = next(client.pages("orders_ids", "orders", page_size=3))
    assert first.cursor == "3"
    [second] = client.pages("orders_ids", "orders", page_size=3, after=first.cursor)
    assert [node["id"][-1] for node in second.nodes] == ["3", "4"]
    assert second.cursor is None


def test_page_size_has_the_limit_of_shopify():
    script = Script(answer=numbered(1))
    list(make_client(script).paginate("orders_ids", "orders", page_size=1000))
    assert script.variables[0]["first"] == 250


def test_page_that_costs_too_much_is_halved_for_good():
    def answer(variables):
        return TOO_EXPENSIVE if variables["first"] > 30 else numbered(60)(variables)

    script = Script(answer=answer)
    client = make_client(script)
    assert len(list(client.paginate("orders_ids", "orders"))) == 60
    assert [v["first"] for v in script.variables] == [100, 50, 25, 25, 25]
    list(client.paginate("orders_ids", "orders"))
    assert script.variables[5]["first"] == 25


def test_one_object_that_costs_too_much():
    script = Script(answer=lambda variables: TOO_EXPENSIVE)
    with pytest.raises(CostExceededError):
        list(make_client(script).paginate("orders_ids", "orders", page_size=4))
    assert [v["first"] for v in script.variables] == [4, 2, 1]


@pytest.mark.parametrize("cursor", ["same", None])
def test_pages_that_go_in_circles(cursor):
    page = {"data": {"orders": {"nodes": [{"id": "1"}], "pageInfo": more(cursor)}}}
    script = Script(answer=lambda variables: page)
    with pytest.raises(ProtocolError, match="circles"):
        list(make_client(script).paginate("orders_ids", "orders"))
    assert len(script.requests) <= 2


def test_connection_deeper_down_and_with_edges():
    page = {"data": {"shop": {"things": {"edges": [{"node": {"id": "1"}}], "pageInfo": END}}}}
    nodes = make_client(Script(page)).paginate("shop_info", "shop.things")
    assert list(nodes) == [{"id": "1"}]


def test_connection_that_is_null():
    with pytest.raises(ProtocolError, match=r"shop\.things is null"):
        list(make_client(Script({"data": {"shop": None}})).paginate("shop_info", "shop.things"))


def fault(code, *path):
    return {"message": "x", "path": list(path), "extensions": {"code": code}}


def test_faults_of_pages_are_reported():
    faults = []
    page = numbered(1)({"after": None, "first": 1})
    script = Script({**page, "errors": [fault("ACCESS_DENIED", "orders", "nodes", 0, "x")]})
    nodes = list(make_client(script).paginate("orders_ids", "orders", faults=faults))
    assert len(nodes) == 1
    assert faults[0].code == "ACCESS_DENIED"


def test_page_with_gaps_is_refused():
    page = numbered(1)({"after": None, "first": 1})
    script = Script({**page, "errors": [fault("INTERNAL_SERVER_ERROR", "orders", "nodes", 0)]})
    with pytest.raises(TransientError):
        list(make_client(script).paginate("orders_ids", "orders"))


# -- nodes -----------------------------------------------------------------------------------


def order(number, **fields):
    return {"id": f"gid://shopify/Order/{number}", **fields}


def gids(*numbers):
    return [f"gid://shopify/Order/{number}" for number in numbers]


def test_nodes_come_by_gid_in_chunks():
    script = Script(answer=lambda v: {"data": {"nodes": [{"id": gid} for gid in v["ids"]]}})
    wanted = gids(*range(5))
    found, faults = make_client(script).nodes("order_by_ids", [*wanted, wanted[0]], chunk_size=2)
    assert found == {gid: {"id": gid} for gid in wanted}
    assert faults == ()
    assert [len(v["ids"]) for v in script.variables] == [2, 2, 1]


def test_no_gids_cost_no_request():
    assert make_client(Script()).nodes("order_by_ids", []) == ({}, ())


def test_deleted_objects_are_none():
    script = Script({"data": {"nodes": [order(1), None]}})
    found, _faults = make_client(script).nodes("order_by_ids", gids(1, 2))
    assert found == {"gid://shopify/Order/1": order(1), "gid://shopify/Order/2": None}


def test_failed_objects_are_left_out_and_named():
    script = Script(
        {
            "data": {
                "nodes": [order(1, customer=None), None, order(3, lines=None), None, order(5)]
            },
            "errors": [
                fault("ACCESS_DENIED", "nodes", 0, "customer"),
                fault("INTERNAL_SERVER_ERROR", "nodes", 1),
                fault("INTERNAL_SERVER_ERROR", "nodes", 2, "lines"),
                fault("ACCESS_DENIED", "nodes", 3),
            ],
        }
    )
    found, faults = make_client(script).nodes("order_by_ids", gids(1, 2, 3, 4, 5))
    assert list(found) == gids(1, 5)
    assert [(f.gid, f.transient, f.path[2:]) for f in faults] == [
        (*gids(1), False, ("customer",)),
        (*gids(2), True, ()),
        (*gids(3), True, ("lines",)),
        (*gids(4), False, ()),
    ]


def test_fault_without_a_place_makes_every_null_doubtful():
    script = Script(
        {"data": {"nodes": [order(1), None]}, "errors": [{"message": "?", "extensions": {}}]}
    )
    found, _faults = make_client(script).nodes("order_by_ids", gids(1, 2))
    assert list(found) == gids(1)


def test_chunks_that_cost_too_much_are_halved_for_good():
    def answer(variables):
        ids = variables["ids"]
        return TOO_EXPENSIVE if len(ids) > 3 else {"data": {"nodes": [{"id": g} for g in ids]}}

    script = Script(answer=answer)
    client = make_client(script)
    found, _faults = client.nodes("order_by_ids", gids(*range(8)))
    assert list(found) == gids(*range(8))
    assert [len(v["ids"]) for v in script.variables] == [8, 4, 2, 2, 2, 2]
    client.nodes("order_by_ids", gids(*range(3)))
    assert [len(v["ids"]) for v in script.variables[6:]] == [2, 1]


def test_further_pages_of_nested_connections_are_read():
    def answer(variables):
        if "ids" in variables:
            whole = order(1, lineItems={"nodes": [1, 2], "pageInfo": END})
            cut = order(2, lineItems={"nodes": [1, 2], "pageInfo": more("a")})
            return {"data": {"nodes": [whole, cut]}}
        assert variables["id"] == "gid://shopify/Order/2"
        nodes, info = {"a": ([3, 4], more("b")), "b": ([5], END)}[variables["after"]]
        return {"data": {"node": order(2, lineItems={"nodes": nodes, "pageInfo": info})}}

    script = Script(answer=answer)
    found, _faults = make_client(script).nodes("order_by_ids", gids(1, 2))
    assert [node["lineItems"]["nodes"] for node in found.values()] == [[1, 2], [1, 2, 3, 4, 5]]
    assert script.requests[1]["query"] == documents.document("order_page_line_items")
    assert len(script.requests) == 3


def test_nested_connections_of_paginated_objects_are_read_too():
    product = "gid://shopify/Product/1"

    def answer(variables):
        if "first" in variables:
            node = {"id": product, "variants": {"nodes": [1], "pageInfo": more("a")}}
            return {"data": {"products": {"nodes": [node], "pageInfo": END}}}
        return {"data": {"node": {"id": product, "variants": {"nodes": [2], "pageInfo": END}}}}

    [node] = make_client(Script(answer=answer)).paginate("products", "products")
    assert node["variants"]["nodes"] == [1, 2]


def test_nested_connection_in_a_list_of_further_pages():
    """A page that is fetched may bring objects with unfinished connections of their own."""
    product = "gid://shopify/Product/9"

    def answer(variables):
        if "ids" in variables:
            return {"data": {"nodes": [order(1, lineItems={"nodes": [], "pageInfo": more("a")})]}}
        if variables["id"] == product:
            return {"data": {"node": {"id": product, "variants": {"nodes": [2], "pageInfo": END}}}}
        line = {"product": {"id": product, "variants": {"nodes": [1], "pageInfo": more("b")}}}
        return {"data": {"node": order(1, lineItems={"nodes": [line], "pageInfo": END})}}

    found, _faults = make_client(Script(answer=answer)).nodes("order_by_ids", gids(1))
    [line] = found["gid://shopify/Order/1"]["lineItems"]["nodes"]
    assert line["product"]["variants"]["nodes"] == [1, 2]


def test_nested_connection_without_a_document_is_never_cut_off():
    cut = order(1, events={"nodes": [1], "pageInfo": more("a")})
    with pytest.raises(QueryError, match="order_page_events"):
        make_client(Script({"data": {"nodes": [cut]}})).nodes("order_by_ids", gids(1))


def test_nested_connection_that_goes_in_circles():
    def answer(variables):
        cut = order(1, lineItems={"nodes": [1], "pageInfo": more("a")})
        return {"data": {"nodes": [cut]} if "ids" in variables else {"node": cut}}

    script = Script(answer=answer)
    with pytest.raises(ProtocolError, match="circles"):
        make_client(script).nodes("order_by_ids", gids(1))
    assert len(script.requests) == 2


def test_object_that_vanishes_between_its_pages():
    def answer(variables):
        cut = order(1, lineItems={"nodes": [1], "pageInfo": more("a")})
        return {"data": {"nodes": [cut]} if "ids" in variables else {"node": None}}

    with pytest.raises(ProtocolError, match="vanished"):
        make_client(Script(answer=answer)).nodes("order_by_ids", gids(1))


def test_development_server():
    class Anywhere(Script):
        def post_json(self, url, payload, headers):
            self.url = url
            return reply({"data": {"shop": {}}})

    script = Anywhere()
    make_client(script, base_url="http://127.0.0.1:9292/shops/{shop}").execute("shop_info")
    assert script.url == f"http://127.0.0.1:9292/shops/foo/admin/api/{VERSION}/graphql.json"
