"""Mutations: what they change, what they refuse, in the words of a real store."""

import random
from decimal import Decimal

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.derive import amounts, quantity_of
from shopify_sandbox.orders import Wishes, place_orders
from shopify_sandbox.profiles import new_shop

from . import replay

SET = """mutation Set($input: InventorySetQuantitiesInput!, $idempotencyKey: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $idempotencyKey) {
    inventoryAdjustmentGroup { reason referenceDocumentUri
      changes { name delta quantityAfterChange item { id } location { id name } } }
    userErrors { field message code } } }"""
ADJUST = SET.replace("SetQuantities", "AdjustQuantities").replace("inventorySet", "inventoryAdjust")
REFUND = """mutation Refund($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id totalRefundedSet { shopMoney { amount } }
      refundLineItems(first: 10) { nodes { quantity restockType subtotalSet { shopMoney { amount } }
        totalTaxSet { shopMoney { amount } } } }
      orderAdjustments(first: 5) { nodes { reason amountSet { shopMoney { amount } } } }
      transactions(first: 5) { nodes { gateway kind status } } }
    order { id displayFinancialStatus totalPriceSet { shopMoney { amount } }
      currentTotalPriceSet { shopMoney { amount } } totalRefundedSet { shopMoney { amount } }
      lineItems(first: 10) { nodes { quantity currentQuantity } } }
    userErrors { field message } } }"""
FULFILL = """mutation Fulfill($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status name trackingInfo { number url company }
      fulfillmentLineItems(first: 20) { nodes { quantity lineItem { id } } } }
    userErrors { field message } } }"""


@pytest.fixture
def us(engine):
    """A shop with a catalogue, and the way to ask it."""
    shop = new_shop("mutations.myshopify.com", "us")
    catalog.fill(shop)

    def run(query, variables=None):
        body = engine.execute(shop, {"query": query, "variables": variables or {}}).body
        return body

    return shop, run


def payload(body, name):
    assert "errors" not in body, body["errors"]
    return body["data"][name]


# Stock ----------------------------------------------------------------------------------------


def stock(shop):
    level = shop.store.all("InventoryLevel")[0]
    return level, {
        "inventoryItemId": level["item"],
        "locationId": level["location"],
    }


def set_input(entries, name="available", reason="correction"):
    return {"name": name, "reason": reason, "quantities": entries}


def test_set_quantities_compares_and_sets(us):
    shop, run = us
    level, pair = stock(shop)
    before = quantity_of(level, "available")
    entry = {**pair, "quantity": before + 7, "changeFromQuantity": before}
    found = payload(
        run(SET, {"input": set_input([entry]), "idempotencyKey": "a"}), "inventorySetQuantities"
    )
    changes = found["inventoryAdjustmentGroup"]["changes"]
    assert [(c["name"], c["delta"], c["quantityAfterChange"]) for c in changes] == [
        ("available", 7, None),
        ("on_hand", 7, None),
    ]
    assert quantity_of(shop.store.get(level["id"]), "on_hand") == before + 7
    stale = payload(
        run(SET, {"input": set_input([entry]), "idempotencyKey": "b"}), "inventorySetQuantities"
    )
    assert stale["inventoryAdjustmentGroup"] is None
    assert stale["userErrors"][0]["code"] == "CHANGE_FROM_QUANTITY_STALE"
    assert stale["userErrors"][0]["field"][:3] == ["input", "quantities", "0"]
    unchecked = {**pair, "quantity": -5, "changeFromQuantity": None}
    found = payload(
        run(SET, {"input": set_input([unchecked]), "idempotencyKey": "c"}), "inventorySetQuantities"
    )
    assert found["userErrors"] == []
    assert quantity_of(shop.store.get(level["id"]), "available") == -5


def test_all_or_nothing(us):
    shop, run = us
    level, pair = stock(shop)
    good = {**pair, "quantity": 1, "changeFromQuantity": None}
    bad = {**good, "inventoryItemId": "gid://shopify/InventoryItem/42"}
    before = quantity_of(level, "available")
    found = payload(
        run(SET, {"input": set_input([good, bad]), "idempotencyKey": "a"}), "inventorySetQuantities"
    )
    assert found["userErrors"] == [
        {
            "field": ["input", "quantities", "1", "inventoryItemId"],
            "message": "The specified inventory item could not be found.",
            "code": "INVALID_INVENTORY_ITEM",
        }
    ]
    assert quantity_of(shop.store.get(level["id"]), "available") == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"name": "on_hand", "quantity": -1}, "INVALID_QUANTITY_NEGATIVE"),
        ({"quantity": 1_000_000_001}, "INVALID_QUANTITY_TOO_HIGH"),
        ({"quantity": -2_000_000_000}, "INVALID_QUANTITY_TOO_LOW"),
        ({"reason": "because", "quantity": 1}, "INVALID_REASON"),
        ({"name": "reserved", "quantity": 1}, "INVALID_NAME"),
    ],
)
def test_refused_quantities(us, change, code):
    shop, run = us
    _level, pair = stock(shop)
    entry = {**pair, "quantity": change.pop("quantity"), "changeFromQuantity": None}
    found = payload(
        run(SET, {"input": {**set_input([entry]), **change}, "idempotencyKey": "a"}),
        "inventorySetQuantities",
    )
    assert [error["code"] for error in found["userErrors"]] == [code]


def test_idempotency_and_explicit_null_are_mandatory(us):
    shop, run = us
    _level, pair = stock(shop)
    entry = {**pair, "quantity": 1, "changeFromQuantity": None}
    body = run(
        "mutation M($input: InventorySetQuantitiesInput!) "
        "{ inventorySetQuantities(input: $input) { userErrors { message } } }",
        {"input": set_input([entry])},
    )
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert error["message"] == (
        "The @idempotent directive is required for this mutation but was not provided."
    )
    assert body["data"] == {"inventorySetQuantities": None}
    del entry["changeFromQuantity"]
    body = run(SET, {"input": set_input([entry]), "idempotencyKey": "x"})
    (error,) = body["errors"]
    assert error["extensions"] == {"code": "INVALID_FIELD_ARGUMENTS"}
    assert error["message"] == (
        "InventoryQuantityInput must include the following argument: changeFromQuantity."
    )


def test_a_key_belongs_to_its_parameters(us):
    shop, run = us
    _level, pair = stock(shop)

    def send(quantity):
        entry = {**pair, "quantity": quantity, "changeFromQuantity": None}
        return payload(
            run(SET, {"input": set_input([entry]), "idempotencyKey": "same"}),
            "inventorySetQuantities",
        )["userErrors"]

    assert send(5) == []
    assert send(5) == []
    assert [error["code"] for error in send(6)] == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]


def test_more_than_250_entries_are_refused(us):
    shop, run = us
    _level, pair = stock(shop)
    entries = [{**pair, "quantity": 1, "changeFromQuantity": None}] * 251
    body = run(SET, {"input": set_input(entries), "idempotencyKey": "x"})
    assert body["errors"][0]["extensions"]["code"] == "MAX_INPUT_SIZE_EXCEEDED"


def test_a_change_of_nothing_has_no_group(us):
    shop, run = us
    level, pair = stock(shop)
    entry = {**pair, "quantity": quantity_of(level, "available"), "changeFromQuantity": None}
    found = payload(
        run(SET, {"input": set_input([entry]), "idempotencyKey": "x"}), "inventorySetQuantities"
    )
    assert found == {"inventoryAdjustmentGroup": None, "userErrors": []}


def test_a_level_that_was_never_stocked_is_inactive_until_activated(us):
    shop, run = us
    _level, pair = stock(shop)
    location = "gid://shopify/Location/77"
    shop.load([{"__typename": "Location", "id": location, "name": "New place"}])
    entry = {
        "inventoryItemId": pair["inventoryItemId"],
        "locationId": location,
        "quantity": 4,
        "changeFromQuantity": 0,
    }
    payload(
        run(SET, {"input": set_input([entry]), "idempotencyKey": "x"}), "inventorySetQuantities"
    )
    read = """query L($id: ID!, $location: ID!, $all: Boolean) { inventoryItem(id: $id) {
      inventoryLevel(locationId: $location, includeInactive: $all) { isActive
        quantities(names: ["available"]) { quantity } } } }"""
    ids = {"id": pair["inventoryItemId"], "location": location}
    assert run(read, ids)["data"]["inventoryItem"]["inventoryLevel"] is None
    level = run(read, {**ids, "all": True})["data"]["inventoryItem"]["inventoryLevel"]
    assert level == {"isActive": False, "quantities": [{"quantity": 4}]}
    activate = """mutation A($id: ID!, $location: ID!) {
      inventoryActivate(inventoryItemId: $id, locationId: $location) @idempotent(key: "k") {
        inventoryLevel { isActive } userErrors { message } } }"""
    found = payload(run(activate, ids), "inventoryActivate")
    assert found == {"inventoryLevel": {"isActive": True}, "userErrors": []}


@pytest.mark.skipif(not replay.RECORDINGS.is_dir(), reason="no recordings")
@pytest.mark.parametrize(
    "path",
    [
        "inventorySetQuantities",
        "inventoryAdjustQuantities",
        "unknownIdValidation:setUnknownInventoryItem",
        "unknownIdValidation:setUnknownLocation",
        "unknownIdValidation:adjustUnknownInventoryItem",
    ],
)
def test_recorded_quantities(shop, run, path):
    recorded = replay.read("2026-04/products/inventory-quantity-contracts-2026-04.json")
    for key in path.split(":"):
        recorded = recorded[key]
    name, wanted = next(iter(recorded["response"]["data"].items()))
    entries = (
        recorded["variables"]["input"].get("quantities")
        or (recorded["variables"]["input"]["changes"])
    )
    shop.load(
        [
            {
                "__typename": "Location",
                "id": "gid://shopify/Location/106318430514",
                "name": "Shop location",
            },
            {
                "__typename": "InventoryItem",
                "id": "gid://shopify/InventoryItem/53469430055218",
                "inventoryLevels": {
                    "nodes": [
                        {
                            "location": {"id": "gid://shopify/Location/106318430514"},
                            "quantities": [
                                {"name": "available", "quantity": entries[0]["changeFromQuantity"]}
                            ],
                        }
                    ]
                },
            },
        ]
    )
    query = SET if name == "inventorySetQuantities" else ADJUST
    found = payload(run(query, recorded["variables"]), name)
    group = wanted["inventoryAdjustmentGroup"]
    if group:
        group = {k: v for k, v in group.items() if k not in ("id", "createdAt")}
    assert found == {"inventoryAdjustmentGroup": group, "userErrors": wanted["userErrors"]}


# Refunds --------------------------------------------------------------------------------------


def paid_order(shop, seed=1, **wishes):
    given = {"lines": 2, "payment": "paid", "extras": False, **wishes}
    (order,) = place_orders(shop, 1, random.Random(seed), Wishes(**given))
    (payment,) = shop.store.related(order, "transactions")
    return order, payment


def money_back(order, payment, amount):
    return [
        {
            "amount": str(amount),
            "gateway": "whatever",
            "kind": "REFUND",
            "orderId": order["id"],
            "parentId": payment["id"],
        }
    ]


def test_refund_of_one_unit(us):
    """``total...`` stays, ``current...`` drops; the line keeps its quantity."""
    shop, run = us
    order, payment = paid_order(shop, currency="USD")
    line = shop.store.get(order["lineItems"][0])
    net = amounts(shop.read(line, "priceAfterAllDiscountsBeforeTaxesSet"))[0]
    tax = sum(amounts(item["priceSet"])[0] for item in line["taxLines"])
    amount = net + tax
    given = {
        "orderId": order["id"],
        "refundLineItems": [
            {
                "lineItemId": line["id"],
                "quantity": line["quantity"],
                "restockType": "RETURN",
                "locationId": shop.store.all("Location")[0]["id"],
            }
        ],
        "transactions": money_back(order, payment, amount),
    }
    total = amounts(order["totalPriceSet"])[0]
    found = payload(run(REFUND, {"input": given, "key": "k1"}), "refundCreate")
    assert found["userErrors"] == []
    (returned,) = found["refund"]["refundLineItems"]["nodes"]
    assert Decimal(returned["subtotalSet"]["shopMoney"]["amount"]) == net
    assert Decimal(returned["totalTaxSet"]["shopMoney"]["amount"]) == tax
    assert found["refund"]["orderAdjustments"]["nodes"] == []
    after = found["order"]
    assert Decimal(after["totalPriceSet"]["shopMoney"]["amount"]) == total
    assert Decimal(after["currentTotalPriceSet"]["shopMoney"]["amount"]) == total - amount
    assert after["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert after["lineItems"]["nodes"][0] == {"quantity": line["quantity"], "currentQuantity": 0}


def test_refund_of_money_only_is_a_discrepancy(us):
    shop, run = us
    order, payment = paid_order(shop, currency="USD")
    given = {"orderId": order["id"], "transactions": money_back(order, payment, "1.00")}
    found = payload(run(REFUND, {"input": given, "key": "k"}), "refundCreate")
    assert found["refund"]["transactions"]["nodes"] == [
        {"gateway": payment["gateway"], "kind": "REFUND", "status": "SUCCESS"}
    ]
    assert found["refund"]["orderAdjustments"]["nodes"] == [
        {"reason": "REFUND_DISCREPANCY", "amountSet": {"shopMoney": {"amount": "-1.0"}}}
    ]


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"orderId": "gid://shopify/Order/1"}, [(["orderId"], "Order does not exist")]),
        ({"kind": "AUTHORIZATION"}, [(None, "Kind authorization is not a valid transaction")]),
        (
            {"parentId": "gid://shopify/OrderTransaction/9"},
            [(["transactions"], "Transactions require a parent_id associated with the order")],
        ),
        (
            {"quantity": 99},
            [
                (
                    ["refundLineItems", "0", "quantity"],
                    "Quantity cannot refund more items than were purchased",
                )
            ],
        ),
    ],
)
def test_refused_refunds(us, change, errors):
    shop, run = us
    order, payment = paid_order(shop)
    (transaction,) = money_back(order, payment, "1.00")
    given = {"orderId": change.get("orderId", order["id"])}
    if "quantity" in change:
        given["refundLineItems"] = [
            {"lineItemId": order["lineItems"][0], "quantity": change["quantity"]}
        ]
    elif "orderId" not in change:
        given["transactions"] = [{**transaction, **change}]
    found = payload(run(REFUND, {"input": given, "key": "k"}), "refundCreate")
    assert found["refund"] is None
    assert [(error["field"], error["message"]) for error in found["userErrors"]] == errors
    assert (found["order"] is None) is ("orderId" in change)


def test_no_more_than_was_paid(us):
    shop, run = us
    order, payment = paid_order(shop)
    total = amounts(order["totalPriceSet"])[0]
    given = {"orderId": order["id"], "transactions": money_back(order, payment, "9999.00")}
    found = payload(run(REFUND, {"input": given, "key": "k"}), "refundCreate")
    assert found["userErrors"][0]["message"] == (
        f"Refund amount $9999.00 is greater than net payment received ${total:.2f}"
    )


# Fulfilment -----------------------------------------------------------------------------------


def test_fulfil_in_two_parcels_and_take_back(us):
    shop, run = us
    order, _payment = paid_order(shop, seed=3)
    (todo,) = shop.store.related(order, "fulfillmentOrders")
    line = shop.store.get(todo["lineItems"][0])
    item = shop.store.get(line["inventoryItemId"])
    level = shop.store.related(item, "inventoryLevels")[0]
    on_hand, committed = quantity_of(level, "on_hand"), quantity_of(level, "committed")
    part = {
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": todo["id"],
                "fulfillmentOrderLineItems": [{"id": line["id"], "quantity": 1}],
            }
        ],
        "trackingInfo": {"company": "UPS", "numbers": ["1Z1", "1Z2"]},
    }
    first = payload(run(FULFILL, {"fulfillment": part}), "fulfillmentCreate")["fulfillment"]
    assert first["name"] == f"{order['name']}-F1"
    assert [info["number"] for info in first["trackingInfo"]] == ["1Z1", "1Z2"]
    level = shop.store.get(level["id"])
    assert quantity_of(level, "on_hand") == on_hand - 1
    assert quantity_of(level, "committed") == committed - 1
    assert shop.store.get(order["id"])["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    rest = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": todo["id"]}]}
    second = payload(run(FULFILL, {"fulfillment": rest}), "fulfillmentCreate")["fulfillment"]
    assert shop.store.get(order["id"])["displayFulfillmentStatus"] == "FULFILLED"
    assert shop.store.get(todo["id"])["status"] == "CLOSED"
    found = payload(run(FULFILL, {"fulfillment": rest}), "fulfillmentCreate")
    number = todo["id"].rsplit("/", 1)[-1]
    assert found["userErrors"] == [
        {
            "field": ["fulfillment"],
            "message": f"Fulfillment order {number} has an unfulfillable status= closed.",
        }
    ]
    cancel = (
        "mutation C($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { status } "
        "userErrors { message } } }"
    )
    taken = payload(run(cancel, {"id": second["id"]}), "fulfillmentCancel")
    assert taken["fulfillment"] == {"status": "CANCELLED"}
    assert shop.store.get(order["id"])["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    states = [fo["status"] for fo in shop.store.related(order, "fulfillmentOrders")]
    assert states == ["CLOSED", "OPEN"]


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (0, "Quantity must be greater than 0"),
        (99, "Invalid fulfillment order line item quantity requested."),
    ],
)
def test_refused_fulfilments(us, quantity, message):
    shop, run = us
    order, _payment = paid_order(shop, seed=3)
    (todo,) = shop.store.related(order, "fulfillmentOrders")
    given = {
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": todo["id"],
                "fulfillmentOrderLineItems": [{"id": todo["lineItems"][0], "quantity": quantity}],
            }
        ]
    }
    found = payload(run(FULFILL, {"fulfillment": given}), "fulfillmentCreate")
    assert found["fulfillment"] is None
    assert found["userErrors"][0]["message"] == message


def test_one_fulfilment_one_location(us):
    shop, run = us
    for seed in range(60):
        order, _payment = paid_order(shop, seed=seed, lines=4)
        todo = shop.store.related(order, "fulfillmentOrders")
        if len(todo) == 2:
            break
    given = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": fo["id"]} for fo in todo]}
    found = payload(run(FULFILL, {"fulfillment": given}), "fulfillmentCreate")
    places = sorted(fo["assignedLocation"]["location"].rsplit("/", 1)[-1] for fo in todo)
    assert found["userErrors"][0]["message"] == (
        "All fulfillment orders must be assigned to a single location. Multiple locations with"
        f" ids [{', '.join(places)}] were found."
    )


# Orders ---------------------------------------------------------------------------------------


def test_update_an_order(us):
    shop, run = us
    order, _payment = paid_order(shop)
    query = """mutation U($input: OrderInput!) { orderUpdate(input: $input) {
      order { note tags updatedAt } userErrors { field message } } }"""
    given = {"id": order["id"], "note": "gift", "tags": ["odoo", "b2b"]}
    found = payload(run(query, {"input": given}), "orderUpdate")["order"]
    assert (found["note"], found["tags"]) == ("gift", ["b2b", "odoo"])
    unknown = payload(run(query, {"input": {"id": "gid://shopify/Order/1"}}), "orderUpdate")
    assert unknown["userErrors"] == [{"field": ["id"], "message": "Order does not exist"}]


def test_mark_as_paid(us):
    shop, run = us
    (order,) = place_orders(shop, 1, random.Random(1), Wishes(payment="pending", lines=1))
    query = """mutation P($id: ID!) { orderMarkAsPaid(input: {id: $id}) {
      order { displayFinancialStatus totalOutstandingSet { shopMoney { amount } }
        transactions { kind status gateway } } userErrors { field message } } }"""
    found = payload(run(query, {"id": order["id"]}), "orderMarkAsPaid")
    assert found["order"]["displayFinancialStatus"] == "PAID"
    assert found["order"]["totalOutstandingSet"]["shopMoney"]["amount"] == "0.0"
    assert found["order"]["transactions"][-1] == {
        "kind": "SALE",
        "status": "SUCCESS",
        "gateway": "manual",
    }
    again = payload(run(query, {"id": order["id"]}), "orderMarkAsPaid")
    assert again["userErrors"] == [{"field": ["id"], "message": "Order cannot be marked as paid."}]
    assert again["order"]["displayFinancialStatus"] == "PAID"


def test_capture_in_two_parts(us):
    shop, run = us
    wishes = Wishes(payment="authorized", lines=1, currency="CAD", extras=False)
    (order,) = place_orders(shop, 1, random.Random(2), wishes)
    (authorization,) = shop.store.related(order, "transactions")
    query = """mutation C($input: OrderCaptureInput!) { orderCapture(input: $input) {
      transaction { kind amountSet { shopMoney { amount } presentmentMoney { amount } } }
      userErrors { field message } } }"""
    given = {"id": order["id"], "parentTransactionId": authorization["id"], "amount": "5.00"}

    def capture(**change):
        return payload(run(query, {"input": {**given, **change}}), "orderCapture")

    assert capture()["userErrors"][0]["message"] == (
        "Currency Currency must match parent transaction CAD"
    )
    assert capture(currency="CAD", amount="0.00")["userErrors"][0]["message"] == (
        "Amount must be greater than zero for capture transactions"
    )
    whole = amounts(order["totalPriceSet"])
    assert capture(currency="CAD")["userErrors"] == []
    assert shop.store.get(order["id"])["displayFinancialStatus"] == "PARTIALLY_PAID"
    left = whole[1] - 5
    assert capture(currency="CAD", amount="99999")["userErrors"][0]["message"] == (
        f"Cannot capture more than the authorized {left:.2f} for this payment."
    )
    capture(currency="CAD", amount=str(left))
    after = shop.store.get(order["id"])
    assert after["displayFinancialStatus"] == "PAID"
    assert amounts(after["totalReceivedSet"]) == whole


def test_cancel_gives_everything_back(us):
    shop, run = us
    before = sum(quantity_of(x, "available") for x in shop.store.all("InventoryLevel"))
    order, _payment = paid_order(shop)
    query = """mutation X($id: ID!, $refund: Boolean, $method: OrderCancelRefundMethodInput) {
      orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refund: $refund,
                  refundMethod: $method) {
        job { id done } jobResult { id done status }
        orderCancelUserErrors { field message code } userErrors { message } } }"""
    both = {"id": order["id"], "refund": True, "method": {"originalPaymentMethodsRefund": True}}
    refused = payload(run(query, both), "orderCancel")
    assert refused["job"] is None
    assert refused["orderCancelUserErrors"] == [
        {
            "field": ["refund"],
            "code": "INVALID",
            "message": "Only one of the arguments `refund` or `refund_method` is allowed.",
        }
    ]
    assert len(refused["userErrors"]) == 1
    found = payload(run(query, {"id": order["id"], "refund": True}), "orderCancel")
    assert found["job"]["done"] is False
    job = run("query J($id: ID!) { job(id: $id) { done } }", {"id": found["job"]["id"]})
    assert job["data"]["job"] == {"done": True}
    after = shop.store.get(order["id"])
    assert after["cancelReason"] == "CUSTOMER"
    assert after["displayFinancialStatus"] == "REFUNDED"
    assert amounts(after["currentTotalPriceSet"]) == (0, 0)
    assert amounts(after["totalRefundedSet"]) == amounts(order["totalPriceSet"])
    assert sum(quantity_of(x, "available") for x in shop.store.all("InventoryLevel")) == before
    again = payload(run(query, {"id": order["id"]}), "orderCancel")
    assert again["orderCancelUserErrors"][0]["message"] == (
        "Cannot cancel an order that has already been canceled"
    )
