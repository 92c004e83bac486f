"""Returns: statuses move nothing; what is processed or disposed of does."""

import random
from decimal import Decimal

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.derive import amounts, quantity_of
from shopify_sandbox.orders import Wishes, place_orders
from shopify_sandbox.profiles import new_shop
from shopify_sandbox.webhooks import events_of

RETURN = """return { id name status closedAt totalQuantity
  returnLineItems(first: 5) { nodes { id quantity processedQuantity unprocessedQuantity } }
  exchangeLineItems(first: 5) { nodes { id quantity processedQuantity variantSku
    lineItems { id quantity } } }
  returnShippingFees { amountSet { shopMoney { amount } } }
  refunds(first: 5) { nodes { id } }
  reverseFulfillmentOrders(first: 5) { nodes { id status
    lineItems(first: 5) { nodes { id totalQuantity dispositions { type quantity } } } } }
  order { returnStatus } } userErrors { field message code }"""
SHIP = """mutation Ship($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id fulfillmentLineItems(first: 9) { nodes { id quantity lineItem { id } } } }
  userErrors { message } } }"""


def mutation(name, argument, kind):
    return f"mutation M($value: {kind}) {{ {name}({argument}: $value) {{ {RETURN} }} }}"


class Case:
    """A paid and shipped order of a shop with taxes on top."""

    def __init__(self, engine, quantity=3):
        self.shop = new_shop("returns.myshopify.com", "us")
        catalog.fill(self.shop)
        self.engine = engine
        wishes = Wishes(lines=1, payment="paid", region="US/NY", extras=False, discounts=False)
        (self.order,) = place_orders(self.shop, 1, random.Random(3), wishes)
        store = self.shop.store
        self.line = store.get(self.order["lineItems"][0])
        store.put(self.line["id"], "LineItem", {"quantity": quantity})
        for todo in store.related(self.order, "fulfillmentOrders"):
            for item in store.resolve_all(todo["lineItems"]):
                store.put(item["id"], item["__typename"], {"remainingQuantity": quantity})
            given = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": todo["id"]}]}
            shipped = self.run(SHIP, {"fulfillment": given})["fulfillmentCreate"]["fulfillment"]
        (self.shipped,) = shipped["fulfillmentLineItems"]["nodes"]

    def run(self, query, variables):
        body = self.engine.execute(self.shop, {"query": query, "variables": variables}).body
        assert "errors" not in body, body["errors"]
        return body["data"]

    def do(self, name, argument, kind, value):
        return self.run(mutation(name, argument, kind), {"value": value})[name]

    def create(self, quantity=2, **fields):
        line = {"fulfillmentLineItemId": self.shipped["id"], "quantity": quantity}
        line["returnReason"] = "UNWANTED"
        line |= fields.pop("line", {})
        value = {"orderId": self.order["id"], "returnLineItems": [line], **fields}
        return self.do("returnCreate", "returnInput", "ReturnInput!", value)

    def process(self, record, **fields):
        value = {"returnId": record["id"], **fields}
        return self.do("returnProcess", "input", "ReturnProcessInput!", value)

    def available(self):
        store = self.shop.store
        item = store.get(store.get(self.line["variant"])["inventoryItem"])
        return sum(
            quantity_of(level, "available") for level in store.related(item, "inventoryLevels")
        )

    @property
    def current(self):
        return self.shop.read(self.shop.store.get(self.line["id"]), "currentQuantity")


@pytest.fixture
def case(engine):
    return Case(engine)


def test_a_request_counts_more_than_an_open_return(case):
    """As a real store was seen to say."""
    case.create(1)
    line = {
        "fulfillmentLineItemId": case.shipped["id"],
        "quantity": 1,
        "returnReason": "UNWANTED",
    }
    value = {"orderId": case.order["id"], "returnLineItems": [line]}
    asked = case.do("returnRequest", "input", "ReturnRequestInput!", value)["return"]
    assert asked["order"]["returnStatus"] == "RETURN_REQUESTED"


def test_statuses_move_neither_money_nor_stock(case):
    value = {
        "orderId": case.order["id"],
        "returnLineItems": [
            {
                "fulfillmentLineItemId": case.shipped["id"],
                "quantity": 1,
                "returnReason": "OTHER",
            }
        ],
    }
    before = case.available()
    asked = case.do("returnRequest", "input", "ReturnRequestInput!", value)["return"]
    assert (asked["status"], asked["order"]["returnStatus"]) == ("REQUESTED", "RETURN_REQUESTED")
    assert asked["reverseFulfillmentOrders"]["nodes"] == []
    kind = "ReturnApproveRequestInput!"
    approved = case.do("returnApproveRequest", "input", kind, {"id": asked["id"]})["return"]
    assert (approved["status"], approved["order"]["returnStatus"]) == ("OPEN", "IN_PROGRESS")
    (reverse,) = approved["reverseFulfillmentOrders"]["nodes"]
    assert reverse["lineItems"]["nodes"][0]["totalQuantity"] == 1
    again = case.do("returnApproveRequest", "input", kind, {"id": asked["id"]})
    assert again["userErrors"][0]["code"] == "INVALID_STATE"
    closed = case.do("returnClose", "id", "ID!", asked["id"])["return"]
    assert (closed["status"], closed["order"]["returnStatus"]) == ("CLOSED", "RETURNED")
    opened = case.do("returnReopen", "id", "ID!", asked["id"])["return"]
    assert (opened["status"], opened["closedAt"]) == ("OPEN", None)
    cancelled = case.do("returnCancel", "id", "ID!", asked["id"])["return"]
    assert (cancelled["status"], cancelled["order"]["returnStatus"]) == ("CANCELED", "NO_RETURN")
    assert case.available() == before
    assert case.current == 3
    assert case.shop.store.related(case.order, "refunds") == []


def test_a_declined_return(case):
    value = {
        "orderId": case.order["id"],
        "returnLineItems": [
            {"fulfillmentLineItemId": case.shipped["id"], "quantity": 1, "returnReason": "OTHER"}
        ],
    }
    asked = case.do("returnRequest", "input", "ReturnRequestInput!", value)["return"]
    decline = {"id": asked["id"], "declineReason": "FINAL_SALE"}
    kind = "ReturnDeclineRequestInput!"
    declined = case.do("returnDeclineRequest", "input", kind, decline)["return"]
    assert (declined["status"], declined["order"]["returnStatus"]) == ("DECLINED", "NO_RETURN")
    again = case.do("returnDeclineRequest", "input", kind, decline)
    assert again["userErrors"][0]["message"] == "The return is already declined."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"quantity": 4}, "Return line item has an invalid quantity."),
        ({"line": {"returnReason": None}}, "Return line items Either return reason or return"),
        ({"line": {"returnReason": "OTHER"}}, "Return line items return reason note The note"),
        ({"line": {"fulfillmentLineItemId": "gid://shopify/FulfillmentLineItem/1"}}, "not found"),
    ],
)
def test_what_a_return_refuses(case, fields, message):
    found = case.create(**fields)
    assert found["return"] is None
    assert message in found["userErrors"][0]["message"]


def test_units_are_returned_once(case):
    assert case.create(2)["userErrors"] == []
    assert case.create(2)["userErrors"][0]["message"] == "Return line item has an invalid quantity."
    assert case.create(1)["return"]["name"].endswith("-R2")


def test_processing_refunds_and_restocks(case):
    record = case.create(2, line={"restockingFee": {"percentage": 10}})["return"]
    (reverse,) = record["reverseFulfillmentOrders"]["nodes"]
    payment = case.shop.store.related(case.order, "transactions")[0]
    place = case.shop.store.all("Location")[0]["id"]
    before, line = case.available(), record["returnLineItems"]["nodes"][0]
    money = {"amount": "5.00", "currencyCode": "USD"}
    disposition = {
        "reverseFulfillmentOrderLineItemId": reverse["lineItems"]["nodes"][0]["id"],
        "quantity": 2,
        "dispositionType": "RESTOCKED",
        "locationId": place,
    }
    done = case.process(
        record,
        returnLineItems=[{"id": line["id"], "quantity": 2, "dispositions": [disposition]}],
        financialTransfer={
            "issueRefund": {
                "orderTransactions": [{"parentId": payment["id"], "transactionAmount": money}]
            }
        },
    )
    assert done["userErrors"] == []
    assert done["return"]["status"] == "OPEN"
    assert done["return"]["returnLineItems"]["nodes"][0]["unprocessedQuantity"] == 0
    assert done["return"]["reverseFulfillmentOrders"]["nodes"][0]["status"] == "CLOSED"
    assert len(done["return"]["refunds"]["nodes"]) == 1
    assert case.available() == before + 2
    assert case.current == 1
    (refund,) = case.shop.store.related(case.order, "refunds")
    assert amounts(refund["totalRefundedSet"])[0] == Decimal("5.00")
    (given,) = case.shop.store.resolve_all(refund["refundLineItems"])
    assert (given["quantity"], given["restockType"]) == (2, "RETURN")
    again = case.process(record, returnLineItems=[{"id": line["id"], "quantity": 1}])
    assert again["return"] is None
    refused = case.do("returnCancel", "id", "ID!", record["id"])
    assert refused["userErrors"][0]["message"] == "Return is not cancelable."


def test_an_exchange_adds_a_line(case):
    store = case.shop.store
    variant = store.all("ProductVariant")[-1]
    record = case.create(1, exchangeLineItems=[{"variantId": variant["id"], "quantity": 2}])[
        "return"
    ]
    (item,) = record["exchangeLineItems"]["nodes"]
    assert item["variantSku"] == variant["sku"]
    assert len(store.get(case.order["id"])["lineItems"]) == 1
    total = amounts(case.shop.read(store.get(case.order["id"]), "totalPriceSet"))[0]
    line = record["returnLineItems"]["nodes"][0]
    done = case.process(
        record,
        returnLineItems=[{"id": line["id"], "quantity": 1}],
        exchangeLineItems=[{"id": item["id"], "quantity": 2}],
    )
    assert done["userErrors"] == []
    order = store.get(case.order["id"])
    new = store.get(order["lineItems"][1])
    assert (new["sku"], new["quantity"]) == (variant["sku"], 2)
    tax = sum(amounts(tax["priceSet"])[0] for tax in new["taxLines"])
    assert tax > 0
    goods = Decimal(variant["price"]) * 2
    assert amounts(case.shop.read(order, "totalPriceSet"))[0] == total + goods + tax
    todo = store.related(order, "fulfillmentOrders")[-1]
    (wanted,) = store.resolve_all(todo["lineItems"])
    assert (wanted["lineItem"], wanted["remainingQuantity"]) == (new["id"], 2)


def test_returns_announce_themselves(store):
    shop = store.reset("sandbox-us", "us")
    assert shop.store.all("ProductVariant")
    (order,) = store.place_orders("sandbox-us", count=1, seed=1, lines=1)
    data = {
        "__typename": "Return",
        "id": "gid://shopify/Return/77",
        "order": {"id": order["id"]},
        "name": "#1-R1",
        "status": "OPEN",
    }

    def topics(changes):
        return [topic for topic, record in events_of(shop, changes) if "RETURNS" in topic]

    assert topics(shop.load([data])[0]) == ["RETURNS_APPROVE"]
    assert topics(shop.load([{**data, "status": "CLOSED"}])[0]) == ["RETURNS_CLOSE"]
    assert topics(shop.load([{**data, "status": "OPEN"}])[0]) == ["RETURNS_REOPEN"]
    assert topics(shop.load([{**data, "name": "#1-R9"}])[0]) == ["RETURNS_UPDATE"]


def test_partial_refunds_add_up_to_the_line(engine):
    case = Case(engine, quantity=3)
    refund = """mutation R($input: RefundInput!, $key: String!) {
      refundCreate(input: $input) @idempotent(key: $key) {
        refund { id } userErrors { message } } }"""
    store = case.shop.store
    for number in range(3):
        given = {"lineItemId": case.line["id"], "quantity": 1, "restockType": "NO_RESTOCK"}
        value = {"orderId": case.order["id"], "refundLineItems": [given]}
        done = case.run(refund, {"input": value, "key": str(number)})["refundCreate"]
        assert done["userErrors"] == []
    parts = [
        part
        for item in store.related(case.order, "refunds")
        for part in store.resolve_all(item["refundLineItems"])
    ]
    line = store.get(case.line["id"])
    taxes = sum(amounts(tax["priceSet"])[0] for tax in line["taxLines"])
    assert sum(amounts(part["totalTaxSet"])[0] for part in parts) == taxes
    unit = amounts(line["originalUnitPriceSet"])[0]
    assert sum(amounts(part["subtotalSet"])[0] for part in parts) == unit * 3


def test_the_suggested_refund_is_what_a_refund_then_gives(case):
    query = """query S($id: ID!, $lines: [RefundLineItemInput!]) { order(id: $id) {
      suggestedRefund(refundLineItems: $lines, refundShipping: true) {
        amountSet { shopMoney { amount } } subtotalSet { shopMoney { amount } }
        totalTaxSet { shopMoney { amount } }
        shipping { amountSet { shopMoney { amount } } taxSet { shopMoney { amount } } }
        refundLineItems { quantity lineItem { id } }
        suggestedTransactions {
          amountSet { shopMoney { amount } } parentTransaction { id } } } } }"""
    lines = [{"lineItemId": case.line["id"], "quantity": 1}]
    asked = case.run(query, {"id": case.order["id"], "lines": lines})
    found = asked["order"]["suggestedRefund"]

    def amount(name, part=found):
        return Decimal(part[name]["shopMoney"]["amount"])

    whole = amount("subtotalSet") + amount("totalTaxSet")
    assert amount("amountSet") == whole + amount("amountSet", found["shipping"])
    (transaction,) = found["suggestedTransactions"]
    assert transaction["amountSet"] == found["amountSet"]
    assert found["refundLineItems"] == [{"quantity": 1, "lineItem": {"id": case.line["id"]}}]
    assert case.shop.store.related(case.order, "refunds") == []
