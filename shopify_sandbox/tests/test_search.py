"""The ``query:`` language and pages."""

import base64
import json

import pytest

ORDERS = [
    {
        "name": "#1001",
        "createdAt": "2026-11-01T10:00:00Z",
        "updatedAt": "2026-11-10T08:00:00Z",
        "tags": ["vip"],
        "displayFinancialStatus": "PAID",
        "email": "ada@example.com",
    },
    {
        "name": "#1002",
        "createdAt": "2026-11-02T10:00:00Z",
        "updatedAt": "2026-11-10T09:00:00Z",
        "tags": [],
        "displayFinancialStatus": "PENDING",
        "email": "ben@example.com",
        "test": True,
    },
    {
        "name": "#1003",
        "createdAt": "2026-11-03T10:00:00Z",
        "updatedAt": "2026-11-10T09:00:00Z",
        "tags": ["vip", "b2b"],
        "displayFinancialStatus": "PAID",
        "sourceName": "pos",
        "cancelledAt": "2026-11-04T10:00:00Z",
        "closedAt": "2026-11-04T10:00:00Z",
    },
    {
        "name": "#1010",
        "createdAt": "2026-11-05T23:30:00Z",
        "updatedAt": "2026-11-11T00:00:00Z",
        "displayFinancialStatus": "REFUNDED",
        "closedAt": "2026-11-06T10:00:00Z",
        "lineItems": {"nodes": [{"title": "Pan", "sku": "PAN-1"}]},
    },
]


@pytest.fixture
def orders(shop, run):
    for number, values in enumerate(ORDERS, start=1):
        shop.load([{"__typename": "Order", "id": f"gid://shopify/Order/{number}", **values}])

    def names(query, **arguments):
        body = run(
            "query S($q: String, $key: OrderSortKeys) { orders(first: 50, query: $q, sortKey: $key)"
            " { nodes { name } } }",
            {"q": query, "key": "ID", **arguments},
        )
        return [node["name"] for node in body["data"]["orders"]["nodes"]]

    return names


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (None, "1 2 3 10"),
        ("", "1 2 3 10"),
        ("status:any", "1 2 3 10"),
        ("name:#1001", "1"),
        ("name:1001", "1"),
        ("name:100*", "1 2 3"),
        ("id:2", "2"),
        ("id:>=3", "3 10"),
        ("tag:vip", "1 3"),
        ("-tag:vip", "2 10"),
        ("NOT tag:vip", "2 10"),
        ("tag_not:b2b", "1 2 10"),
        ("tag:vip tag:b2b", "3"),
        ("tag:vip AND tag:b2b", "3"),
        ("tag:b2b OR name:1002", "2 3"),
        ("(tag:b2b OR name:1002) status:open", "2"),
        ("financial_status:paid", "1 3"),
        ("financial_status:paid,pending", "1 2 3"),
        ("status:cancelled", "3"),
        ("status:closed", "3 10"),
        ("status:not_closed", "1 2"),
        ("test:true", "2"),
        ("test:false", "1 3 10"),
        ("email:ben@example.com", "2"),
        ("source_name:pos", "3"),
        ("sku:PAN-1", "10"),
        ("sku:pan-1", "10"),
        ("updated_at:>'2026-11-10T08:00:00Z'", "2 3 10"),
        ("updated_at:>='2026-11-10T09:00:00Z'", "2 3 10"),
        ('updated_at:>="2026-11-10T09:00:00Z" updated_at:<"2026-11-11T00:00:00Z"', "2 3"),
        ("updated_at:>=2026-11-10T10:00:00+01:00", "2 3 10"),
        ("created_at:2026-11-02", "2"),
        ("created_at:<=2026-11-05", "1 2 3 10"),
        ("created_at:>2026-11-03", "10"),
        ("created_at:<now", "1 2 3 10"),
        ("ada", "1"),
        ("name:9999", ""),
    ],
)
def test_order_filters(orders, query, expected):
    wanted = [f"#{1000 + int(number)}" for number in expected.split()]
    assert orders(query) == wanted


def test_an_unknown_filter_is_ignored_with_a_warning(shop, run, orders):
    body = run('{ orders(first: 5, query: "shoe_size:44 tag:b2b") { nodes { name } } }')
    assert [node["name"] for node in body["data"]["orders"]["nodes"]] == ["#1003"]
    (warning,) = body["extensions"]["search"]
    assert warning["warnings"][0]["field"] == "shoe_size"


def test_without_read_all_orders_only_sixty_days(shop, run):
    old, new = "2020-01-01T00:00:00Z", shop.now()
    for number, created in enumerate((old, new), start=1):
        shop.load(
            [{"__typename": "Order", "id": f"gid://shopify/Order/{number}", "createdAt": created}]
        )
    query = "{ orders(first: 5, sortKey: ID) { nodes { id } } ordersCount { count } }"
    assert run(query)["data"]["ordersCount"] == {"count": 2}
    shop.settings.scopes = [name for name in shop.settings.scopes if name != "read_all_orders"]
    data = run(query)["data"]
    assert [node["id"] for node in data["orders"]["nodes"]] == ["gid://shopify/Order/2"]


PAGE = """query Page($first: Int, $last: Int, $after: String, $before: String, $reverse: Boolean,
  $key: OrderSortKeys) {
  orders(first: $first, last: $last, after: $after, before: $before, reverse: $reverse,
         sortKey: $key) {
    edges { cursor node { name } }
    nodes { name }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }"""


def page(run, **variables):
    found = run(PAGE, variables)["data"]["orders"]
    assert [edge["node"] for edge in found["edges"]] == found["nodes"]
    return [node["name"] for node in found["nodes"]], found["pageInfo"]


@pytest.mark.parametrize("key", ["UPDATED_AT", "ID", "CREATED_AT", "ORDER_NUMBER"])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_cover_everything_once(orders, run, key, reverse):
    seen, after = [], None
    while True:
        names, info = page(run, first=1, after=after, reverse=reverse, key=key)
        seen += names
        assert info["startCursor"] == info["endCursor"]
        assert info["hasPreviousPage"] is (after is not None)
        after = info["endCursor"]
        if not info["hasNextPage"]:
            break
    everything, _info = page(run, first=50, reverse=reverse, key=key)
    assert seen == everything
    assert len(seen) == 4


def test_last_and_before_walk_backwards(orders, run):
    names, info = page(run, last=2, key="ID")
    assert names == ["#1003", "#1010"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, True)
    names, info = page(run, last=2, before=info["startCursor"], key="ID")
    assert names == ["#1001", "#1002"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (True, False)


def test_a_cursor_is_a_place_that_survives_changes(shop, orders, run):
    """An order that moves behind the cursor while we page is met again, none is skipped."""
    _names, info = page(run, first=2, key="UPDATED_AT")
    shop.load(
        [
            {
                "__typename": "Order",
                "id": "gid://shopify/Order/1",
                "updatedAt": "2026-11-12T00:00:00Z",
            }
        ]
    )
    names, _info = page(run, first=50, after=info["endCursor"], key="UPDATED_AT")
    assert names == ["#1003", "#1010", "#1001"]


def test_cursor_holds_last_id_and_last_value(orders, run):
    _names, info = page(run, first=1, key="UPDATED_AT")
    assert json.loads(base64.b64decode(info["endCursor"])) == {
        "last_id": 1,
        "last_value": "2026-11-10T08:00:00Z",
    }


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "you must provide one of first or last"),
        ({"first": 251}, "first cannot exceed 250"),
        ({"first": 1, "after": "nonsense"}, "Invalid cursor for current pagination sort."),
    ],
)
def test_impossible_pages_are_refused(orders, run, variables, message):
    body = run(PAGE, variables)
    assert body["data"] is None
    assert body["errors"][0]["message"] == message
    assert body["errors"][0]["path"] == ["orders"]


def test_nested_pages(shop, run):
    lines = [{"id": f"gid://shopify/LineItem/{n}", "title": f"Line {n}"} for n in range(1, 6)]
    shop.load(
        [{"__typename": "Order", "id": "gid://shopify/Order/1", "lineItems": {"nodes": lines}}]
    )
    query = """query Lines($after: String) { order(id: "gid://shopify/Order/1") {
      lineItems(first: 2, after: $after) { nodes { title }
        pageInfo { hasNextPage endCursor } } } }"""
    seen, after = [], None
    for _page in range(3):
        found = run(query, {"after": after})["data"]["order"]["lineItems"]
        seen += [node["title"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
    assert seen == [f"Line {n}" for n in range(1, 6)]
    assert found["pageInfo"]["hasNextPage"] is False
