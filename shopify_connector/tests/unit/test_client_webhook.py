import pytest

from shopify_connector.client.webhook import WebhookHeaders, resource_gid, sign, verify

SENT = {
    "X-Shopify-Topic": "orders/create",
    "X-Shopify-Hmac-Sha256": "c2lnbmF0dXJl",
    "X-Shopify-Shop-Domain": "Foo.myshopify.com",
    "X-Shopify-API-Version": "2026-10",
    "X-Shopify-Webhook-Id": "w-1",
    "X-Shopify-Event-Id": "e-1",
    "X-Shopify-Triggered-At": "2026-11-20T10:00:00.1Z",
    "X-Shopify-Name": "odoo-orders",
    "Content-Type": "application/json",
}
EXPECTED = WebhookHeaders(
    topic="orders/create",
    hmac="c2lnbmF0dXJl",
    shop="foo.myshopify.com",
    api_version="2026-10",
    webhook_id="w-1",
    event_id="e-1",
    triggered_at="2026-11-20T10:00:00.1Z",
    name="odoo-orders",
)


@pytest.mark.parametrize("change", [str, str.lower, str.upper, lambda key: key.removeprefix("X-")])
def test_headers_in_any_spelling(change):
    assert WebhookHeaders.parse({change(key): value for key, value in SENT.items()}) == EXPECTED


def test_absent_headers_are_empty():
    assert WebhookHeaders.parse({"Host": "odoo.example.com"}) == WebhookHeaders()


def test_signature_is_the_one_that_shopify_documents():
    # printf '{"id":1}' | openssl dgst -sha256 -hmac hush -binary | base64
    assert sign(b'{"id":1}', "hush") == "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY="


def test_current_and_previous_secret_verify():
    body = '{"name": "Ärger"}'.encode()
    assert verify(body, sign(body, "new"), ["new", "old"])
    assert verify(body, sign(body, "old"), ["new", "old"])
    assert not verify(body, sign(body, "other"), ["new", "old"])


def test_any_changed_byte_fails():
    body = b'{"id": 1}'
    assert not verify(body + b" ", sign(body, "new"), ["new"])


@pytest.mark.parametrize("signature", ["", "ä", "\udc80", "A" * 44])
def test_rubbish_signatures_fail(signature):
    assert not verify(b"{}", signature, ["new"])


def test_no_secret_verifies_nothing():
    assert not verify(b"{}", sign(b"{}", ""), ["", None])
    assert not verify(b"{}", sign(b"{}", ""), [])


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("orders/create", {"id": 1, "admin_graphql_api_id": "gid://shopify/Order/1"}, "Order/1"),
        ("ORDERS_CREATE", {"id": 1}, "Order/1"),
        ("orders/delete", {"id": 1}, "Order/1"),
        ("orders/edited", {"order_edit": {"id": 9, "order_id": 1}}, "Order/1"),
        (
            "orders/risk_assessment_changed",
            {"order_id": 1, "admin_graphql_api_order_id": "gid://shopify/Order/1"},
            "Order/1",
        ),
        ("ORDERS_RISK_ASSESSMENT_CHANGED", {"order_id": 1, "risk_level": "high"}, "Order/1"),
        (
            "refunds/create",
            {"id": 2, "order_id": 1, "admin_graphql_api_id": "gid://shopify/Refund/2"},
            "Order/1",
        ),
        ("REFUNDS_CREATE", {"id": 2, "order_id": 1}, "Order/1"),
        ("refunds/create", {"id": 2}, None),
        ("order_transactions/create", {"id": 3, "order_id": 1}, "Order/1"),
        ("ORDER_TRANSACTIONS_CREATE", {"id": 3, "order_id": 1}, "Order/1"),
        ("fulfillments/create", {"id": 4, "order_id": 1}, "Order/1"),
        ("returns/request", {"id": 5, "order": {"id": 1}}, "Order/1"),
        ("returns/close", {"admin_graphql_api_id": "gid://shopify/Return/5"}, "Return/5"),
        (
            "fulfillment_orders/moved",
            {"moved_fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/6"}},
            "FulfillmentOrder/6",
        ),
        ("products/update", {"admin_graphql_api_id": "gid://shopify/Product/7"}, "Product/7"),
        ("products/delete", {"id": 7}, "Product/7"),
        ("customers/redact", {"shop_id": 1, "customer": {"id": 8}}, "Customer/8"),
        ("customers/update", {"id": 8}, "Customer/8"),
        ("shop/redact", {"shop_id": 9, "shop_domain": "foo.myshopify.com"}, "Shop/9"),
        ("app/uninstalled", {"id": 9, "domain": "foo.com"}, "Shop/9"),
        (
            "inventory_levels/disconnect",
            {"inventory_item_id": 3, "location_id": 4},
            "InventoryItem/3",
        ),
        ("carts/create", {"id": "abc"}, None),
        ("orders/create", {}, None),
        ("", {}, None),
    ],
)
def test_resource_to_read_again(topic, body, expected):
    assert resource_gid(topic, body) == (expected and f"gid://shopify/{expected}")
