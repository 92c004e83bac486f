"""Order editing: as a real store was seen to do it, and what it does to goods and money."""

import random

import pytest

from shopify_sandbox import catalog
from shopify_sandbox.derive import amounts, quantity_of
from shopify_sandbox.orders import Wishes, place_orders
from shopify_sandbox.profiles import new_shop
from shopify_sandbox.webhooks import events_of

from . import replay

recorded = pytest.mark.skipif(
    not replay.RECORDINGS.is_dir(), reason=f"no recordings in {replay.RECORDINGS}"
)
LINE = "calculatedLineItem { id quantity title originalUnitPriceSet { shopMoney { amount } } }"
ORDER = "calculatedOrder { id totalPriceSet { shopMoney { amount } } subtotalLineItemsQuantity }"
BEGIN = """mutation Begin($id: ID!) { orderEditBegin(id: $id) { calculatedOrder { id
  lineItems(first: 9) { nodes { id quantity } } } orderEditSession { id }
  userErrors { field message } } }"""
SET = f"""mutation Set($id: ID!, $line: ID!, $quantity: Int!, $restock: Boolean) {{
  orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $quantity, restock: $restock) {{
    {LINE} {ORDER} userErrors {{ field message }} }} }}"""
ADD = f"""mutation Add($id: ID!, $variant: ID!, $quantity: Int!, $twice: Boolean) {{
  orderEditAddVariant(id: $id, variantId: $variant, quantity: $quantity, allowDuplicates: $twice) {{
    {LINE} {ORDER} userErrors {{ field message }} }} }}"""
CUSTOM = f"""mutation Custom($id: ID!, $price: MoneyInput!) {{
  orderEditAddCustomItem(id: $id, title: "Gift wrap", quantity: 2, price: $price, taxable: false) {{
    {LINE} {ORDER} userErrors {{ field message }} }} }}"""
COMMIT = """mutation Commit($id: ID!) { orderEditCommit(id: $id) { order { id
  totalPriceSet { shopMoney { amount } } currentTotalPriceSet { shopMoney { amount } }
  lineItems(first: 9) { nodes { id quantity currentQuantity } } }
  successMessages userErrors { field message } } }"""


# As it was recorded ---------------------------------------------------------------------------


class Replay:
    """Executes recorded requests one after the other, in one shop."""

    def __init__(self, engine, name):
        self.engine, self.content = engine, replay.read(f"2026-04/orders/{name}.json")
        self.shop = new_shop("recorded.myshopify.com", "blank")
        self.session = None
        location = {"__typename": "Location", "id": "gid://shopify/Location/1", "isActive": True}
        self.shop.load([location])
        for call in self.content["upstreamCalls"]:
            (node,) = call["response"]["body"]["data"].values()
            if "price" in node:
                # Objects of their own, whose numbers were not asked for.
                node["inventoryItem"]["id"] = "gid://shopify/InventoryItem/1"
                node["product"] = {"id": "gid://shopify/Product/1", "title": self.added_title()}
            self.shop.load([{**node, "taxesIncluded": False} if "lineItems" in node else node])

    def added_title(self):
        """Of the product of the variant that is added."""
        for call in (self.content.get("addVariant"), *(self.content.get("cases") or {}).values()):
            response = (call or {}).get("response") or {}
            data = (response.get("payload") or response).get("data") or {}
            line = (data.get("orderEditAddVariant") or {}).get("calculatedLineItem")
            if line and line.get("title"):
                return line["title"]
        return None

    def run(self, name):
        """``(recorded, answered)``; ids that a store gives are left out of both."""
        call = self.content
        for key in name.split("."):
            call = call[key]
        variables = dict(call["variables"])
        if self.session and "id" in variables and "CalculatedOrder" in variables["id"]:
            variables["id"] = self.session
        body = self.engine.execute(
            self.shop, {"query": call.get("query") or call["document"], "variables": variables}
        ).body
        assert "errors" not in body, body["errors"]
        begun = body["data"].get("orderEditBegin")
        if begun:
            self.session = begun["calculatedOrder"]["id"]
        response = call["response"]
        response = response.get("payload") or response
        return plain(response["data"]), plain(body["data"])


NEW = ("CalculatedOrder", "OrderEditSession", "FulfillmentOrder", "FulfillmentOrderLineItem")


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("id")).split("/")
    made = len(kind) > 3 and (kind[3] in NEW or "-" in kind[-1])
    left_out = {"updatedAt", "events", "name"} | ({"id"} if made else set())
    return {key: plain(item) for key, item in value.items() if key not in left_out}


@recorded
def test_recorded_edit_with_its_fulfilment_orders(engine):
    """3 units become 1, and 2 of another variant are added."""
    case = Replay(engine, "order-edit-commit-history-and-fulfillment-orders")
    for name in ("begin", "setQuantity", "addVariant", "commit"):
        expected, found = case.run(name)
        assert found == expected, name
    expected, found = case.run("downstreamRead")
    (added,) = (
        line
        for line in found["order"]["lineItems"]["nodes"]
        if line["id"] != expected["order"]["lineItems"]["nodes"][0]["id"]
    )
    # The new line has a number that a store gives.
    new = expected["order"]["lineItems"]["nodes"][1]["id"]
    assert replaced(found, added["id"], new) == expected


def replaced(value, old, new):
    if isinstance(value, list):
        return [replaced(item, old, new) for item in value]
    if isinstance(value, dict):
        return {key: replaced(item, old, new) for key, item in value.items()}
    return new if value == old else value


@recorded
def test_recorded_quantities_that_are_refused(engine):
    case = Replay(engine, "orderEdit-quantity-validation")
    case.run("begin")
    for name in ("setQuantityNegative", "addVariantZero", "addVariantNegative"):
        expected, found = case.run(f"cases.{name}")
        assert found == expected, name


@recorded
def test_recorded_removal(engine):
    """A removed line stays, with nothing left of it."""
    content = replay.read("2026-04/orders/order-edit-existing-order-zero-removal.json")
    case = Replay(engine, "order-edit-existing-order-zero-removal")
    (order,) = case.shop.store.all("Order")
    edit = Edit(engine, case.shop, order)
    recorded_line = content["setZero"]["response"]["data"]["orderEditSetQuantity"]
    title = recorded_line["calculatedLineItem"]["title"]
    line = next(item for item in case.shop.store.all("LineItem") if item["title"] == title)
    edit.set(line, 0, restock=True)
    committed = edit.commit()["order"]["lineItems"]["nodes"]
    expected = content["commitRemove"]["response"]["data"]["orderEditCommit"]["order"]["lineItems"]
    names = ("id", "quantity", "currentQuantity")
    assert committed == [{key: line[key] for key in names} for line in expected["nodes"]]


# What it does ---------------------------------------------------------------------------------


class Edit:
    """A session of an order."""

    def __init__(self, engine, shop, order):
        self.engine, self.shop, self.order = engine, shop, order
        self.begun = self.run(BEGIN, id=order["id"])
        self.id = self.begun["calculatedOrder"]["id"]

    def run(self, query, **variables):
        context = self.engine.execute(self.shop, {"query": query, "variables": variables})
        assert "errors" not in context.body, context.body["errors"]
        (payload,) = context.body["data"].values()
        return payload

    def set(self, line, quantity, restock=False):
        number = line["id"].rsplit("/", 1)[1]
        gid = f"gid://shopify/CalculatedLineItem/{number}"
        return self.run(SET, id=self.id, line=gid, quantity=quantity, restock=restock)

    def commit(self):
        return self.run(COMMIT, id=self.id)


@pytest.fixture
def case(engine):
    """A paid order that was not sent, with taxes on top."""
    shop = new_shop("edits.myshopify.com", "us")
    catalog.fill(shop)
    wishes = Wishes(lines=2, payment="paid", region="US/NY", extras=False, discounts=False)
    (order,) = place_orders(shop, 1, random.Random(7), wishes)
    return Edit(engine, shop, order)


def lines_of(case):
    return case.shop.store.resolve_all(case.shop.store.get(case.order["id"])["lineItems"])


def available(case):
    return sum(quantity_of(level, "available") for level in case.shop.store.all("InventoryLevel"))


def test_nothing_changes_before_the_commit(case):
    line = lines_of(case)[0]
    before = case.shop.read(case.order, "totalPriceSet")
    staged = case.set(line, 0)
    assert staged["calculatedLineItem"]["quantity"] == 0
    total = float(staged["calculatedOrder"]["totalPriceSet"]["shopMoney"]["amount"])
    assert total < float(before["shopMoney"]["amount"])
    assert case.shop.read(case.shop.store.get(line["id"]), "currentQuantity") == line["quantity"]
    assert case.shop.store.related(case.order, "refunds") == []


@pytest.mark.parametrize("restock", [True, False])
def test_units_taken_off(case, restock):
    """A refund without money; what is not sent any more leaves the fulfilment order."""
    line = next(line for line in lines_of(case) if line["quantity"] > 1)
    before, units = available(case), line["quantity"] - 1
    staged = case.set(line, 1, restock)["calculatedOrder"]["totalPriceSet"]
    order = case.commit()["order"]
    assert order["currentTotalPriceSet"] == staged
    assert (
        amounts(case.shop.store.get(case.order["id"])["totalPriceSet"])[0]
        == (amounts(case.order["totalPriceSet"])[0])
    )
    (refund,) = case.shop.store.related(case.order, "refunds")
    (part,) = case.shop.store.resolve_all(refund["refundLineItems"])
    kind = "CANCEL" if restock else "NO_RESTOCK"
    assert (part["quantity"], part["restockType"]) == (units, kind)
    assert not refund["transactions"]
    assert available(case) == before + (units if restock else 0)
    (todo,) = case.shop.store.related(case.order, "fulfillmentOrders")
    left = {
        item["lineItem"]: item["remainingQuantity"]
        for item in case.shop.store.resolve_all(todo["lineItems"])
    }
    assert left[line["id"]] == 1


def test_lines_added(case):
    """A variant and a custom item; only what is shipped has a fulfilment order, of its own."""
    variant = case.shop.store.all("ProductVariant")[0]
    before = amounts(case.order["totalPriceSet"])[0]
    case.run(ADD, id=case.id, variant=variant["id"], quantity=2, twice=True)
    price = {"amount": "3.00", "currencyCode": "USD"}
    staged = case.run(CUSTOM, id=case.id, price=price)["calculatedOrder"]["totalPriceSet"]
    order = case.commit()["order"]
    assert order["totalPriceSet"] == order["currentTotalPriceSet"] == staged
    new = lines_of(case)[-2:]
    assert [line["quantity"] for line in new] == [2, 2]
    taxes = sum(amounts(tax["priceSet"])[0] for line in new for tax in line["taxLines"])
    goods = sum(amounts(line["originalUnitPriceSet"])[0] * 2 for line in new)
    assert taxes > 0
    assert not new[1]["taxLines"]
    assert float(staged["shopMoney"]["amount"]) == float(before + goods + taxes)
    todo = case.shop.store.related(case.order, "fulfillmentOrders")[-1]
    (item,) = case.shop.store.resolve_all(todo["lineItems"])
    assert (item["lineItem"], item["remainingQuantity"]) == (new[0]["id"], 2)
    assert case.shop.read(case.shop.store.get(case.order["id"]), "displayFinancialStatus") == (
        "PARTIALLY_PAID"
    )


def test_more_of_a_line(case):
    line = lines_of(case)[0]
    quantity = line["quantity"]
    staged = case.set(line, quantity + 1)["calculatedOrder"]["totalPriceSet"]
    order = case.commit()["order"]
    assert order["totalPriceSet"] == order["currentTotalPriceSet"] == staged
    found = next(item for item in order["lineItems"]["nodes"] if item["id"] == line["id"])
    assert (found["quantity"], found["currentQuantity"]) == (quantity + 1, quantity + 1)
    todo = case.shop.store.related(case.order, "fulfillmentOrders")[-1]
    (item,) = case.shop.store.resolve_all(todo["lineItems"])
    assert (item["lineItem"], item["remainingQuantity"]) == (line["id"], 1)


def test_what_is_refused(case):
    line = lines_of(case)[0]
    variant = line["variant"]
    refused = case.run(ADD, id=case.id, variant=variant, quantity=1, twice=False)
    assert refused["userErrors"][0]["field"] == ["variantId"]
    unknown = case.run(SET, id="gid://shopify/CalculatedOrder/9", line=line["id"], quantity=1)
    assert unknown["userErrors"] == [
        {"field": ["id"], "message": "The calculated order does not exist."}
    ]
    case.commit()
    again = case.run(COMMIT, id=case.id)
    assert again["userErrors"][0]["message"] == "The calculated order does not exist."


def test_an_edit_is_announced(case):
    case.set(next(line for line in lines_of(case) if line["quantity"] > 1), 1)
    changes = []
    case.shop.on_change.append(lambda _shop, found: changes.extend(found))
    case.commit()
    topics = {topic for topic, _record in events_of(case.shop, changes)}
    assert {"ORDERS_EDITED", "ORDERS_UPDATED", "REFUNDS_CREATE"} <= topics
