"""Objects in the Admin API's shape: what is loaded, derived, neutral, and found again."""

import pytest

from shopify_sandbox.dump import dump
from shopify_sandbox.loading import InvalidObject


def money(amount, currency="USD"):
    value = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": value, "presentmentMoney": value}


ORDER = {
    "__typename": "Order",
    "id": "gid://shopify/Order/1",
    "name": "#1001",
    "customer": {"id": "gid://shopify/Customer/5", "firstName": "Ada", "lastName": "Abel"},
    "lineItems": {
        "nodes": [
            {
                "id": "gid://shopify/LineItem/1",
                "title": "Harbor Tee",
                "quantity": 3,
                "originalUnitPriceSet": money("10.00"),
                "discountAllocations": [{"allocatedAmountSet": money("4.50")}],
                "taxLines": [
                    {"title": "State", "rate": 0.04, "priceSet": money("1.02")},
                    {"title": "City", "rate": 0.045, "priceSet": money("1.15")},
                ],
            }
        ]
    },
    "shippingLines": {
        "nodes": [
            {
                "title": "Standard",
                "originalPriceSet": money("7.90"),
                "taxLines": [{"title": "State", "rate": 0.04, "priceSet": money("0.32")}],
            }
        ]
    },
    "transactions": [
        {
            "id": "gid://shopify/OrderTransaction/1",
            "kind": "SALE",
            "status": "SUCCESS",
            "amountSet": money("35.89"),
        }
    ],
    "refunds": [],
}
READ = """query Read($id: ID!) { order(id: $id) {
  name totalPrice
  totalPriceSet { shopMoney { amount } }
  subtotalPriceSet { shopMoney { amount } }
  totalTaxSet { shopMoney { amount } }
  totalShippingPriceSet { presentmentMoney { amount currencyCode } }
  totalDiscountsSet { shopMoney { amount } }
  totalRefundedSet { shopMoney { amount } }
  displayFinancialStatus displayFulfillmentStatus returnStatus
  note poNumber tags test
  billingAddress { city }
  customer { displayName numberOfOrders }
  risk { recommendation }
  lineItems(first: 10) { nodes { name quantity currentQuantity unfulfilledQuantity sku
    taxLines { title ratePercentage } } }
  fulfillments(first: 5) { id }
  returns(first: 5) { nodes { id } pageInfo { hasNextPage } }
  merchantBusinessEntity { primary }
  paymentCollectionDetails { additionalPaymentCollectionUrl }
} }"""


def read(run, gid=ORDER["id"]):
    body = run(READ, {"id": gid})
    assert "errors" not in body
    return body["data"]["order"]


def test_left_out_figures_are_derived(shop, run):
    shop.load([ORDER])
    order = read(run)
    assert order["subtotalPriceSet"]["shopMoney"]["amount"] == "25.5"
    assert order["totalTaxSet"]["shopMoney"]["amount"] == "2.49"
    assert order["totalPriceSet"]["shopMoney"]["amount"] == "35.89"
    assert order["totalPrice"] == "35.89"
    assert order["totalDiscountsSet"]["shopMoney"]["amount"] == "4.5"
    assert order["totalShippingPriceSet"]["presentmentMoney"] == {
        "amount": "7.9",
        "currencyCode": "USD",
    }
    assert order["displayFinancialStatus"] == "PAID"
    assert order["lineItems"]["nodes"][0]["taxLines"][1] == {
        "title": "City",
        "ratePercentage": 4.5,
    }


def test_null_only_where_the_schema_allows_it(shop, run):
    shop.load([{"__typename": "Order", "id": "gid://shopify/Order/7"}])
    order = read(run, "gid://shopify/Order/7")
    assert order["note"] is None
    assert order["billingAddress"] is None
    assert order["customer"] is None
    assert order["displayFinancialStatus"] is None
    assert order["tags"] == []
    assert order["fulfillments"] == []
    assert order["returns"] == {"nodes": [], "pageInfo": {"hasNextPage": False}}
    assert order["name"] == "#7"
    assert order["test"] is False
    assert order["totalRefundedSet"]["shopMoney"]["amount"] == "0.0"
    assert order["displayFulfillmentStatus"] == "UNFULFILLED"
    assert order["risk"] == {"recommendation": "NONE"}
    assert order["merchantBusinessEntity"] == {"primary": False}


def test_every_field_of_an_order_can_be_read(shop, run, engine):
    """The schema's promise: no field that is not nullable comes back null."""
    from graphql import get_named_type, is_leaf_type

    shop.load([{"__typename": "Order", "id": "gid://shopify/Order/8"}])
    shop.settings.scopes = [s for a in engine.api.type_access.values() for s in a.scopes]
    fields = engine.api.type("Order").fields
    leaves = [
        name
        for name, field in fields.items()
        if is_leaf_type(get_named_type(field.type))
        and not any(str(argument.type).endswith("!") for argument in field.args.values())
    ]
    bags = [name for name, f in fields.items() if get_named_type(f.type).name == "MoneyBag"]
    query = " ".join(leaves) + "".join(f" {n} {{ shopMoney {{ amount }} }}" for n in bags)
    body = run(f'{{ order(id: "gid://shopify/Order/8") {{ {query} }} }}')
    assert "errors" not in body
    values = body["data"]["order"]
    missing = [
        name
        for name in (*leaves, *bags)
        if values[name] is None and str(fields[name].type).endswith("!")
    ]
    assert missing == []


def test_nested_objects_are_found_by_their_id(shop, run):
    shop.load([ORDER])
    body = run(
        """query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id __typename
           ... on LineItem { title } ... on Customer { firstName }
           ... on OrderTransaction { order { name } } } }""",
        {
            "ids": [
                "gid://shopify/LineItem/1",
                "gid://shopify/Customer/5",
                "gid://shopify/OrderTransaction/1",
                "gid://shopify/Order/404",
            ]
        },
    )
    line, customer, transaction, unknown = body["data"]["nodes"]
    assert line == {
        "id": "gid://shopify/LineItem/1",
        "__typename": "LineItem",
        "title": "Harbor Tee",
    }
    assert customer["firstName"] == "Ada"
    assert transaction["order"]["name"] == "#1001"
    assert unknown is None


def test_upsert_merges_and_replaces_owned_lists(shop, run):
    shop.load([ORDER])
    shop.load([{"__typename": "Order", "id": ORDER["id"], "note": "ring twice"}])
    order = read(run)
    assert order["note"] == "ring twice"
    assert order["lineItems"]["nodes"][0]["name"] == "Harbor Tee"
    refund = {
        "id": "gid://shopify/Refund/1",
        "refundLineItems": {
            "nodes": [{"quantity": 1, "lineItem": {"id": "gid://shopify/LineItem/1"}}]
        },
    }
    shop.load([{"__typename": "Order", "id": ORDER["id"], "refunds": [refund]}])
    assert read(run)["lineItems"]["nodes"][0]["currentQuantity"] == 2
    shop.load([{"__typename": "Order", "id": ORDER["id"], "refunds": []}])
    assert read(run)["lineItems"]["nodes"][0]["currentQuantity"] == 3
    assert shop.store.get("gid://shopify/Refund/1") is None


def test_objects_without_id_inside_get_one(shop, run):
    line = {key: value for key, value in ORDER["lineItems"]["nodes"][0].items() if key != "id"}
    shop.load([{**ORDER, "lineItems": {"nodes": [line]}}])
    order = read(run)
    assert order["lineItems"]["nodes"][0]["currentQuantity"] == 3


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "#1"}, 'every object needs an "id"'),
        ({"id": "1"}, "not a global id"),
        ({"id": "gid://shopify/Nonsense/1"}, "no type Nonsense"),
        ({**ORDER, "lineItems": {"lines": []}}, "a connection is"),
        ({**ORDER, "transactions": "none"}, "a list was expected"),
    ],
)
def test_what_cannot_be_loaded_is_refused(shop, data, message):
    with pytest.raises(InvalidObject, match=message):
        shop.load([data])


def test_unknown_fields_are_reported(shop):
    _changes, warnings = shop.load([{**ORDER, "colour": "red"}])
    assert warnings == ["Order has no field colour in 2026-10"]


def test_dump_can_be_loaded_again(shop, run):
    shop.load([ORDER])
    before = read(run)
    copy = dump(shop, shop.store.get(ORDER["id"]))
    assert copy["lineItems"]["nodes"][0]["title"] == "Harbor Tee"
    assert copy["customer"] == {"id": "gid://shopify/Customer/5"}
    shop.store.delete(ORDER["id"])
    shop.load([copy])
    assert read(run) == before


def test_a_product_brings_variants_items_and_levels(shop, run):
    shop.load(
        [
            {
                "__typename": "Product",
                "id": "gid://shopify/Product/1",
                "title": "Pan",
                "variants": {
                    "nodes": [
                        {
                            "id": "gid://shopify/ProductVariant/1",
                            "sku": "PAN",
                            "price": "49.9",
                            "inventoryItem": {
                                "id": "gid://shopify/InventoryItem/1",
                                "inventoryLevels": {
                                    "nodes": [
                                        {
                                            "id": "gid://shopify/InventoryLevel/1",
                                            "location": {
                                                "id": "gid://shopify/Location/1",
                                                "name": "Main",
                                            },
                                            "quantities": [{"name": "available", "quantity": 4}],
                                        }
                                    ]
                                },
                            },
                        }
                    ]
                },
            }
        ]
    )
    body = run(
        """{ product(id: "gid://shopify/Product/1") { totalInventory status
        variants(first: 5) { nodes { price sku product { title } inventoryQuantity
          inventoryItem { sku tracked inventoryLevels(first: 5) { nodes { location { name }
            quantities(names: ["available", "on_hand"]) { name quantity } } } } } } } }"""
    )
    product = body["data"]["product"]
    assert product["totalInventory"] == 4
    (variant,) = product["variants"]["nodes"]
    assert variant["price"] == "49.90"
    assert variant["product"] == {"title": "Pan"}
    assert variant["inventoryItem"]["sku"] == "PAN"
    (level,) = variant["inventoryItem"]["inventoryLevels"]["nodes"]
    assert level["quantities"] == [
        {"name": "available", "quantity": 4},
        {"name": "on_hand", "quantity": 0},
    ]


def test_discounted_totals_leave_out_what_shopify_leaves_out(shop, run):
    """``discountedTotalSet`` knows the line's own discounts; the allocations are the truth."""

    def application(kind, method):
        return {"__typename": kind, "index": 0, "allocationMethod": method}

    allocations = [
        {
            "allocatedAmountSet": money("3.00"),
            "discountApplication": application("AutomaticDiscountApplication", "EACH"),
        },
        {
            "allocatedAmountSet": money("2.00"),
            "discountApplication": application("DiscountCodeApplication", "EACH"),
        },
        {
            "allocatedAmountSet": money("1.00"),
            "discountApplication": application("ManualDiscountApplication", "ACROSS"),
        },
    ]
    line = {**ORDER["lineItems"]["nodes"][0], "discountAllocations": allocations}
    shop.load([{**ORDER, "lineItems": {"nodes": [line]}}])
    body = run(
        """{ order(id: "gid://shopify/Order/1") { lineItems(first: 1) { nodes {
          plain: discountedTotalSet { shopMoney { amount } }
          codes: discountedTotalSet(withCodeDiscounts: true) { shopMoney { amount } }
          totalDiscountSet { shopMoney { amount } }
          discountedUnitPriceSet { shopMoney { amount } }
          discountedUnitPriceAfterAllDiscountsSet { shopMoney { amount } } } } } }"""
    )
    (node,) = body["data"]["order"]["lineItems"]["nodes"]
    assert {name: bag["shopMoney"]["amount"] for name, bag in node.items()} == {
        "plain": "27.0",
        "codes": "25.0",
        "totalDiscountSet": "5.0",
        "discountedUnitPriceSet": "9.0",
        "discountedUnitPriceAfterAllDiscountsSet": "8.0",
    }


def test_a_given_null_stays_null(shop, run):
    """A real store was recorded with no financial status beside transactions."""
    shop.load([{**ORDER, "displayFinancialStatus": None}])
    assert read(run)["displayFinancialStatus"] is None


def test_what_a_store_makes_by_itself(shop, run):
    """Loaded variants get inventory items, loaded orders a fulfilment order."""
    shop.load(
        [
            {"__typename": "Location", "id": "gid://shopify/Location/1", "name": "Main"},
            {"__typename": "ProductVariant", "id": "gid://shopify/ProductVariant/3", "sku": "PAN"},
            {
                **ORDER,
                "name": "#1041",
                "lineItems": {
                    "nodes": [
                        {
                            **ORDER["lineItems"]["nodes"][0],
                            "variant": {"id": "gid://shopify/ProductVariant/3"},
                        }
                    ]
                },
            },
        ]
    )
    body = run("""{ order(id: "gid://shopify/Order/1") { fulfillmentOrders(first: 5) { nodes {
      status assignedLocation { location { name } }
      lineItems(first: 5) { nodes { remainingQuantity sku inventoryItemId } } } } }
      inventoryItem(id: "gid://shopify/InventoryItem/3") { sku } }""")
    (todo,) = body["data"]["order"]["fulfillmentOrders"]["nodes"]
    assert todo["assignedLocation"] == {"location": {"name": "Main"}}
    assert todo["lineItems"]["nodes"] == [
        {"remainingQuantity": 3, "sku": None, "inventoryItemId": "gid://shopify/InventoryItem/3"}
    ]
    assert body["data"]["inventoryItem"] == {"sku": "PAN"}
    assert shop.next_order_number() == 1042


def test_an_allocation_may_name_its_application_by_index(shop, run):
    line = {
        **ORDER["lineItems"]["nodes"][0],
        "discountAllocations": [
            {"allocatedAmountSet": money("4.50"), "discountApplication": {"index": 0}}
        ],
    }
    code = {
        "__typename": "DiscountCodeApplication",
        "index": 0,
        "code": "WELCOME",
        "allocationMethod": "ACROSS",
        "targetType": "LINE_ITEM",
        "targetSelection": "ALL",
        "value": {"percentage": 15.0},
    }
    shop.load(
        [{**ORDER, "lineItems": {"nodes": [line]}, "discountApplications": {"nodes": [code]}}]
    )
    body = run("""{ order(id: "gid://shopify/Order/1") { discountCodes
      lineItems(first: 1) { nodes { discountAllocations { discountApplication {
        index ... on DiscountCodeApplication { code }
        value { ... on PricingPercentageValue { percentage } } } } } } } }""")
    order = body["data"]["order"]
    assert order["discountCodes"] == ["WELCOME"]
    (allocation,) = order["lineItems"]["nodes"][0]["discountAllocations"]
    assert allocation["discountApplication"] == {
        "index": 0,
        "code": "WELCOME",
        "value": {"percentage": 15.0},
    }


def test_currencies_follow_the_money(shop, run):
    both = {
        "shopMoney": {"amount": "10.00", "currencyCode": "CAD"},
        "presentmentMoney": {"amount": "7.50", "currencyCode": "USD"},
    }
    shop.load(
        [
            {
                "__typename": "Order",
                "id": "gid://shopify/Order/1",
                "totalPriceSet": both,
                "displayFinancialStatus": "PAID",
            }
        ]
    )
    body = run("""{ order(id: "gid://shopify/Order/1") { currencyCode presentmentCurrencyCode
      totalReceivedSet { presentmentMoney { amount currencyCode } }
      totalOutstandingSet { shopMoney { amount currencyCode } } } }""")
    assert body["data"]["order"] == {
        "currencyCode": "CAD",
        "presentmentCurrencyCode": "USD",
        "totalReceivedSet": {"presentmentMoney": {"amount": "7.5", "currencyCode": "USD"}},
        "totalOutstandingSet": {"shopMoney": {"amount": "0.0", "currencyCode": "CAD"}},
    }


def test_a_line_of_a_refund_is_in_the_currency_of_its_order(shop, run):
    shop.load(
        [
            {
                "__typename": "Order",
                "id": "gid://shopify/Order/1",
                "lineItems": {
                    "nodes": [
                        {
                            "id": "gid://shopify/LineItem/1",
                            "originalUnitPriceSet": money("10.00", "CAD"),
                        }
                    ]
                },
                "refunds": [
                    {
                        "id": "gid://shopify/Refund/1",
                        "refundLineItems": {
                            "nodes": [
                                {
                                    "lineItem": {"id": "gid://shopify/LineItem/1"},
                                    "quantity": 1,
                                    "subtotalSet": money("10.00", "CAD"),
                                }
                            ]
                        },
                    }
                ],
            }
        ]
    )
    body = run("""{ refund(id: "gid://shopify/Refund/1") { refundLineItems(first: 1) { nodes {
      totalTaxSet { shopMoney { amount currencyCode } } } } } }""")
    (line,) = body["data"]["refund"]["refundLineItems"]["nodes"]
    assert line["totalTaxSet"]["shopMoney"] == {"amount": "0.0", "currencyCode": "CAD"}


def test_a_deleted_product_leaves_its_lines(shop, run):
    shop.load(
        [
            {
                "__typename": "Product",
                "id": "gid://shopify/Product/1",
                "title": "Pan",
                "variants": {"nodes": [{"id": "gid://shopify/ProductVariant/1", "sku": "PAN"}]},
            },
            {
                **ORDER,
                "lineItems": {
                    "nodes": [
                        {
                            "title": "Pan",
                            "sku": "PAN",
                            "product": {"id": "gid://shopify/Product/1"},
                            "variant": {"id": "gid://shopify/ProductVariant/1"},
                        }
                    ]
                },
            },
        ]
    )
    query = """{ order(id: "gid://shopify/Order/1") { lineItems(first: 1) { nodes {
      title sku product { title } variant { sku } } } }
      product(id: "gid://shopify/Product/1") { id }
      productVariant(id: "gid://shopify/ProductVariant/1") { id } }"""
    assert run(query)["data"]["productVariant"]
    shop.store.delete("gid://shopify/Product/1")
    body = run(query)
    assert "errors" not in body
    assert body["data"] == {
        "order": {
            "lineItems": {
                "nodes": [{"title": "Pan", "sku": "PAN", "product": None, "variant": None}]
            }
        },
        "product": None,
        "productVariant": None,
    }
