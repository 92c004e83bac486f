"""Bulk operations: their life, their file, and what is refused in the words of a real store."""

import json
import time
from itertools import pairwise

import pytest
import requests

from shopify_sandbox.profiles import new_shop
from shopify_sandbox.testing import running_sandbox

from . import replay

FOLDER = "2026-04/bulk-operations/"
ORDERS = '{ orders(query: "status:any") { edges { node { id name } } } }'
NESTED = """{ orders { edges { node { id name totalPriceSet { shopMoney { amount } }
  lineItems { edges { node { id quantity } } } } } } }"""
RUN = """mutation Run($query: String!, $grouped: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {
    bulkOperation { id status objectCount url createdAt completedAt }
    userErrors { field message code } } }"""
READ = """query Read($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl completedAt } }"""
CANCEL = """mutation Cancel($id: ID!) { bulkOperationCancel(id: $id) {
  bulkOperation { id status } userErrors { field message } } }"""


@pytest.fixture(scope="module")
def server():
    with running_sandbox() as store:
        yield store


@pytest.fixture
def store(server):
    server.reset("sandbox-us").settings.bulk_ms = 0
    return server


def run(store, query=ORDERS, grouped=False):
    body = store.graphql(RUN, {"query": query, "grouped": grouped})
    return body["data"]["bulkOperationRunQuery"]


def read(store, gid):
    return store.graphql(READ, {"id": gid})["data"]["bulkOperation"]


def finished(store, gid):
    for _try in range(500):
        operation = read(store, gid)
        if operation["status"] not in ("CREATED", "RUNNING", "CANCELING"):
            return operation
        time.sleep(0.01)
    raise AssertionError(f"{gid} does not finish")


def lines_of(url):
    return [json.loads(line) for line in requests.get(url, timeout=10).text.splitlines()]


def test_life_of_an_operation(store):
    orders = store.place_orders(count=7)
    store.shop().settings.bulk_ms = 300
    started = run(store)
    assert started["userErrors"] == []
    assert started["bulkOperation"]["status"] == "CREATED"
    assert started["bulkOperation"]["objectCount"] == "0"
    gid = started["bulkOperation"]["id"]
    seen = {read(store, gid)["status"]}
    while "COMPLETED" not in seen:
        seen.add(read(store, gid)["status"])
    assert {"RUNNING", "COMPLETED"} <= seen
    operation = read(store, gid)
    assert operation["objectCount"] == operation["rootObjectCount"] == "7"
    assert operation["completedAt"]
    assert operation["partialDataUrl"] is None
    answer = requests.get(operation["url"], timeout=10)  # no token
    assert operation["fileSize"] == str(len(answer.content))
    assert {line["id"] for line in lines_of(operation["url"])} == {o["id"] for o in orders}


@pytest.mark.parametrize("grouped", [True, False])
def test_children_are_lines(store, grouped):
    store.place_orders(count=20, lines=3, extras=False)
    operation = finished(store, run(store, NESTED, grouped)["bulkOperation"]["id"])
    lines = lines_of(operation["url"])
    roots = [line["id"] for line in lines if "__parentId" not in line]
    assert (operation["objectCount"], operation["rootObjectCount"]) == ("80", "20")
    assert (len(lines), len(roots)) == (80, 20)
    assert all("lineItems" not in line for line in lines)
    parents = [line.get("__parentId") or line["id"] for line in lines]
    together = sum(one != other for one, other in pairwise(parents)) == 19
    assert together is grouped


def test_without_results_there_is_no_file(store):
    operation = finished(store, run(store)["bulkOperation"]["id"])
    assert operation["status"] == "COMPLETED"
    assert (operation["objectCount"], operation["url"]) == ("0", None)


def test_sixth_operation_waits(store):
    store.shop().settings.bulk_ms = 60_000
    started = [run(store)["bulkOperation"]["id"] for _index in range(5)]
    refused = run(store)
    assert refused["bulkOperation"] is None
    (error,) = refused["userErrors"]
    assert error["code"] == "OPERATION_IN_PROGRESS"
    assert error["message"].endswith(f"already in progress: {', '.join(started)}.")
    canceled = store.graphql(CANCEL, {"id": started[0]})["data"]["bulkOperationCancel"]
    assert canceled["bulkOperation"]["status"] == "CANCELING"
    store.shop().settings.bulk_ms = 0


def test_cancel(store):
    store.shop().settings.bulk_ms = 2000
    gid = run(store)["bulkOperation"]["id"]
    store.graphql(CANCEL, {"id": gid})
    operation = finished(store, gid)
    assert operation["status"] == "CANCELED"
    again = store.graphql(CANCEL, {"id": gid})["data"]["bulkOperationCancel"]
    assert again["userErrors"][0]["message"].endswith("when it is canceled")
    unknown = store.graphql(CANCEL, {"id": "gid://shopify/BulkOperation/1"})
    assert unknown["data"]["bulkOperationCancel"]["userErrors"][0]["field"] == ["id"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("bulk_failed", "FAILED", "INTERNAL_SERVER_ERROR"),
        ("bulk_canceled", "CANCELED", None),
        ("bulk_expired", "EXPIRED", None),
    ],
)
def test_faults(store, kind, status, code):
    store.place_orders(count=6)
    store.shop().faults.add(kind=kind, count=1)
    operation = finished(store, run(store)["bulkOperation"]["id"])
    assert (operation["status"], operation["errorCode"]) == (status, code)
    assert operation["url"] is None
    assert len(lines_of(operation["partialDataUrl"])) == 3


def test_missing_scope_fails_the_operation(store):
    shop = store.shop()
    store.place_orders(count=2)
    shop.settings.scopes = [s for s in shop.settings.scopes if "customer" not in s]
    query = "{ orders { edges { node { id customer { id } } } } }"
    operation = finished(store, run(store, query)["bulkOperation"]["id"])
    assert (operation["status"], operation["errorCode"]) == ("FAILED", "ACCESS_DENIED")


def test_old_orders_need_a_scope(store):
    shop = store.shop()
    old, new = store.place_orders(count=2)
    store.load([{"__typename": "Order", "id": old["id"], "createdAt": "2024-01-01T00:00:00Z"}])
    assert finished(store, run(store)["bulkOperation"]["id"])["objectCount"] == "2"
    shop.settings.scopes = [s for s in shop.settings.scopes if s != "read_all_orders"]
    operation = finished(store, run(store)["bulkOperation"]["id"])
    assert [line["id"] for line in lines_of(operation["url"])] == [new["id"]]


def test_file_can_be_read_from_a_byte_on(store):
    store.place_orders(count=30)
    url = finished(store, run(store)["bulkOperation"]["id"])["url"]
    whole = requests.get(url, timeout=10).content
    part = requests.get(url, headers={"Range": "bytes=100-"}, timeout=10)
    assert (part.status_code, part.content) == (206, whole[100:])
    assert part.headers["Content-Range"] == f"bytes 100-{len(whole) - 1}/{len(whole)}"
    beyond = requests.get(url, headers={"Range": f"bytes={len(whole)}-"}, timeout=10)
    assert beyond.status_code == 416


def test_download_breaks_off(store):
    store.place_orders(count=30)
    url = finished(store, run(store)["bulkOperation"]["id"])["url"]
    store.shop().faults.add(kind="cut", operation="bulk_result", count=1)
    with pytest.raises(requests.RequestException):
        requests.get(url, timeout=10)
    assert len(lines_of(url)) == 30


def test_webhook_tells_the_end(store):
    subscribe = """mutation { webhookSubscriptionCreate(topic: BULK_OPERATIONS_FINISH,
      webhookSubscription: {uri: "http://127.0.0.1:9/hook"}) { userErrors { message } } }"""
    assert store.graphql(subscribe)["data"]["webhookSubscriptionCreate"]["userErrors"] == []
    gid = run(store)["bulkOperation"]["id"]
    finished(store, gid)
    (delivery,) = store.deliveries(topic="bulk_operations/finish")
    content = json.loads(delivery.body)
    assert content["admin_graphql_api_id"] == gid
    assert (content["status"], content["type"]) == ("completed", "query")


def test_list(store):
    gid = finished(store, run(store)["bulkOperation"]["id"])["id"]
    query = """query List($query: String) { bulkOperations(first: 5, query: $query) {
      nodes { id status } } }"""
    for text, found in (("status:COMPLETED operation_type:query", [gid]), ("status:running", [])):
        nodes = store.graphql(query, {"query": text})["data"]["bulkOperations"]["nodes"]
        assert [node["id"] for node in nodes] == found


def recorded(name):
    path = f"{FOLDER}{name}.json"
    if not (replay.RECORDINGS / path).is_file():
        return []
    return [item for item in replay.interactions(path) if "RunQuery" in item.query]


def answered(engine, shop, item):
    body = engine.execute(shop, {"query": item.query, "variables": item.variables}).body
    return body["data"]["bulkOperationRunQuery"]


@pytest.mark.parametrize(
    "item", recorded("bulk-operation-run-query-validators"), ids=lambda item: item.name
)
def test_recorded_refusal(engine, item):
    shop = new_shop("recorded.myshopify.com", "blank")
    assert answered(engine, shop, item) == item.body["data"]["bulkOperationRunQuery"]


def test_recorded_limit(engine):
    items = recorded("bulk-operation-run-query-concurrency-limit")
    if not items:
        pytest.skip("recordings are not here")
    shop = new_shop("recorded.myshopify.com", "blank")
    shop.settings.bulk_ms = 60_000
    ids = {}
    for item in items:
        told, ours = item.body["data"]["bulkOperationRunQuery"], answered(engine, shop, item)
        if told["bulkOperation"]:
            ids[told["bulkOperation"]["id"]] = ours["bulkOperation"]["id"]
            for name in ("id", "createdAt"):
                told["bulkOperation"][name] = ours["bulkOperation"][name]
        for error in told["userErrors"]:
            for theirs, own in ids.items():
                error["message"] = error["message"].replace(theirs, own)
        assert ours == told
    assert len(ids) == 5
    shop.settings.bulk_ms = 0
