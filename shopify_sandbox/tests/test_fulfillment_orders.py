"""Holds, moves and splits of fulfilment orders: quantities and ids as a real store gave them."""

import random

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.orders import Wishes, place_orders
from shopify_sandbox.profiles import new_shop

FIELDS = """
fragment F on FulfillmentOrder {
  id status assignedLocation { location { id } } fulfillmentHolds { id }
  lineItems(first: 5) { nodes { id totalQuantity remainingQuantity lineItem { id } } } }"""
MOVE = """mutation M($id: ID!, $to: ID!, $lines: [FulfillmentOrderLineItemInput!]) {
  fulfillmentOrderMove(id: $id, newLocationId: $to, fulfillmentOrderLineItems: $lines) {
    movedFulfillmentOrder { ...F } originalFulfillmentOrder { ...F }
    remainingFulfillmentOrder { ...F } userErrors { field message } } }"""
HOLD = """mutation H($id: ID!, $hold: FulfillmentOrderHoldInput!) {
  fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
    fulfillmentHold { id heldByRequestingApp } fulfillmentOrder { ...F }
    remainingFulfillmentOrder { ...F } userErrors { field message } } }"""
RELEASE = """mutation R($id: ID!, $holds: [ID!]) {
  fulfillmentOrderReleaseHold(id: $id, holdIds: $holds) {
    fulfillmentOrder { ...F } userErrors { field message } } }"""
SPLIT = """mutation S($splits: [FulfillmentOrderSplitInput!]!) {
  fulfillmentOrderSplit(fulfillmentOrderSplits: $splits) {
    fulfillmentOrderSplits { fulfillmentOrder { ...F } remainingFulfillmentOrder { ...F } }
    userErrors { field message } } }"""
FULFILL = """mutation F($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id fulfillmentLineItems(first: 5) { nodes { quantity lineItem { id } } } }
    userErrors { message } } }"""
CANCEL = "mutation C($id: ID!) { fulfillmentCancel(id: $id) { userErrors { message } } }"


@pytest.fixture
def us(engine):
    """A shop with a catalogue, and the way to run a mutation on it."""
    shop = new_shop("holds.myshopify.com", "us")
    catalog.fill(shop)

    def run(query, **variables):
        if "...F" in query:
            query += FIELDS
        body = engine.execute(shop, {"query": query, "variables": variables}).body
        assert "errors" not in body, body["errors"]
        (payload,) = body["data"].values()
        return payload

    return shop, run


@pytest.fixture
def todo(us):
    """A fulfilment order of two lines with 2 and 3 units, as in the recordings."""
    shop, _run = us
    for seed in range(50):
        (order,) = place_orders(
            shop, 1, random.Random(seed), Wishes(payment="paid", extras=False, lines=2)
        )
        found = shop.store.related(order, "fulfillmentOrders")
        if len(found) == 1 and len(found[0]["lineItems"]) == 2:
            break
    lines = shop.store.resolve_all(found[0]["lineItems"])
    for line, quantity in zip(lines, (2, 3), strict=True):
        values = {"totalQuantity": quantity, "remainingQuantity": quantity}
        shop.store.put(line["id"], line["__typename"], values)
    return found[0], lines


def quantities(record):
    return [
        (line["totalQuantity"], line["remainingQuantity"]) for line in record["lineItems"]["nodes"]
    ]


def named(lines, *counts):
    return [
        {"id": line["id"], "quantity": count} for line, count in zip(lines, counts, strict=True)
    ]


def another_place(shop, record):
    here = record["assignedLocation"]["location"]
    return next(place["id"] for place in shop.store.all("Location") if place["id"] != here)


def test_a_part_that_is_moved_gets_a_new_id(us, todo):
    shop, run = us
    record, lines = todo
    place = another_place(shop, record)
    found = run(MOVE, id=record["id"], to=place, lines=named(lines, 2, 1))
    moved, original = found["movedFulfillmentOrder"], found["originalFulfillmentOrder"]
    assert moved["id"] != record["id"]
    assert moved["assignedLocation"]["location"]["id"] == place
    assert quantities(moved) == [(2, 2), (1, 1)]
    assert original["id"] == record["id"]
    assert quantities(original) == [(2, 2)]
    assert original == found["remainingFulfillmentOrder"]


def test_all_that_is_moved_keeps_its_id(us, todo):
    shop, run = us
    record, _lines = todo
    place = another_place(shop, record)
    found = run(MOVE, id=record["id"], to=place)
    assert found["movedFulfillmentOrder"]["id"] == record["id"]
    assert found["movedFulfillmentOrder"]["assignedLocation"]["location"]["id"] == place
    assert found["remainingFulfillmentOrder"] is None


def test_a_part_that_is_held_keeps_the_id(us, todo):
    _shop, run = us
    record, lines = todo
    hold = {"reason": "OTHER", "fulfillmentOrderLineItems": named(lines, 2, 1)}
    found = run(HOLD, id=record["id"], hold=hold)
    assert found["fulfillmentOrder"]["id"] == record["id"]
    assert found["fulfillmentOrder"]["status"] == "ON_HOLD"
    assert quantities(found["fulfillmentOrder"]) == [(2, 2), (1, 1)]
    rest = found["remainingFulfillmentOrder"]
    assert (rest["status"], quantities(rest)) == ("OPEN", [(2, 2)])
    asked = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": record["id"]}]}
    refused = run(FULFILL, fulfillment=asked)
    assert "unfulfillable status= on_hold" in refused["userErrors"][0]["message"]


def test_named_holds_are_released_one_by_one(us, todo):
    shop, run = us
    record, _lines = todo
    holds = [
        run(HOLD, id=record["id"], hold={"reason": "OTHER"})["fulfillmentHold"]["id"]
        for _ in range(2)
    ]
    order = shop.store.get(record["order"])
    assert order["displayFulfillmentStatus"] == "ON_HOLD"
    found = run(RELEASE, id=record["id"], holds=holds[:1])["fulfillmentOrder"]
    assert (found["status"], found["fulfillmentHolds"]) == ("ON_HOLD", [{"id": holds[1]}])
    found = run(RELEASE, id=record["id"])["fulfillmentOrder"]
    assert (found["status"], found["fulfillmentHolds"]) == ("OPEN", [])
    assert order["displayFulfillmentStatus"] == "UNFULFILLED"


def test_what_is_split_off_gets_a_new_id(us, todo):
    _shop, run = us
    record, lines = todo
    splits = [
        {"fulfillmentOrderId": record["id"], "fulfillmentOrderLineItems": named(lines[1:], 1)}
    ]
    (found,) = run(SPLIT, splits=splits)["fulfillmentOrderSplits"]
    assert found["fulfillmentOrder"]["id"] == record["id"]
    assert quantities(found["fulfillmentOrder"]) == [(2, 2), (2, 2)]
    assert quantities(found["remainingFulfillmentOrder"]) == [(1, 1)]


def test_refusals_name_the_place(us, todo):
    shop, run = us
    record, lines = todo
    place = another_place(shop, record)
    gone = run(MOVE, id="gid://shopify/FulfillmentOrder/1", to=place)
    assert gone["userErrors"][0]["field"] == ["id"]
    assert run(MOVE, id=record["id"], to="gid://shopify/Location/1")["userErrors"][0]["field"] == [
        "newLocationId"
    ]
    many = run(MOVE, id=record["id"], to=place, lines=named(lines, 99, 1))
    assert many["userErrors"][0]["message"] == (
        "Invalid fulfillment order line item quantity requested."
    )
    assert run(RELEASE, id=record["id"])["userErrors"]


def test_lines_of_one_item_in_two_fulfilment_orders_become_one(us, todo):
    _shop, run = us
    record, lines = todo
    splits = [
        {"fulfillmentOrderId": record["id"], "fulfillmentOrderLineItems": named(lines[1:], 1)}
    ]
    (parts,) = run(SPLIT, splits=splits)["fulfillmentOrderSplits"]
    asked = [{"fulfillmentOrderId": part["id"]} for part in parts.values()]
    found = run(FULFILL, fulfillment={"lineItemsByFulfillmentOrder": asked})["fulfillment"]
    assert sorted(n["quantity"] for n in found["fulfillmentLineItems"]["nodes"]) == [2, 3]


def test_a_cancelled_fulfilment_opens_the_goods_again(us, todo):
    """The old fulfilment order stays closed and says that something remains, as recorded."""
    shop, run = us
    record, _lines = todo
    asked = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": record["id"]}]}
    fulfillment = run(FULFILL, fulfillment=asked)["fulfillment"]
    run(CANCEL, id=fulfillment["id"])
    order = shop.store.get(record["order"])
    old, new = shop.store.related(order, "fulfillmentOrders")
    assert (old["id"], old["status"], new["status"]) == (record["id"], "CLOSED", "OPEN")
    remaining = [
        [line["remainingQuantity"] for line in shop.store.resolve_all(fo["lineItems"])]
        for fo in (old, new)
    ]
    assert remaining == [[2, 3], [2, 3]]
    assert order["displayFulfillmentStatus"] == "UNFULFILLED"
