import pytest

from shopify_connector.client import gid


def test_gid_round_trip():
    assert gid.gid("Order", 5) == "gid://shopify/Order/5"
    assert gid.parse("gid://shopify/Order/5") == ("Order", "5")
    assert gid.legacy_id("gid://shopify/Order/5") == 5


def test_gid_with_query_string():
    level = "gid://shopify/InventoryLevel/7?inventory_item_id=9"
    assert gid.parse(level) == ("InventoryLevel", "7")
    assert gid.legacy_id(level) == 7


def test_gid_with_a_name_instead_of_a_number():
    uuid = "gid://shopify/ShopifyPaymentsDispute/0a1b-2c"
    assert gid.parse(uuid) == ("ShopifyPaymentsDispute", "0a1b-2c")
    with pytest.raises(ValueError):
        gid.legacy_id(uuid)


@pytest.mark.parametrize(
    "text", ["", "5", "gid://shopify/Order", "gid://other/Order/5", "gid://shopify/Order/5/6"]
)
def test_what_is_no_gid(text):
    with pytest.raises(ValueError, match="not a Shopify global id"):
        gid.parse(text)
