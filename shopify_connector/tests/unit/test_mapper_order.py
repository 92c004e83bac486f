"""Handmade orders, one for each thing that goes wrong elsewhere."""

from datetime import datetime

import pytest
from mapper_nodes import (
    allocation,
    bag,
    kinds,
    line_item,
    order,
    proved,
    shipping_line,
    tax,
    usd,
)

from shopify_connector.mappers.order import MappingError, map_order, prove

# --- head -----------------------------------------------------------------------------------------


def test_head():
    mapped = map_order(
        order(
            total=0,
            processedAt="2026-10-04T22:30:00-04:00",
            cancelledAt="2026-10-06T00:00:00Z",
            cancelReason="FRAUD",
            tags=["a", "b"],
            customAttributes=[{"key": "gift", "value": "yes"}, {"key": "empty", "value": None}],
            attribution={"handle": "web", "displayName": "Online Store"},
            app={"name": "Draft Orders"},
            poNumber="PO-1",
            risk={
                "recommendation": "INVESTIGATE",
                "assessments": [{"riskLevel": "LOW"}, {"riskLevel": "HIGH"}],
            },
            email="ADA@Example.com",
            refunds=[{"id": "gid://shopify/Refund/1", "createdAt": None}],
            paymentTerms={
                "paymentTermsName": "Net 30",
                "paymentTermsType": "NET",
                "dueInDays": 30,
                "paymentSchedules": {"nodes": [{"dueAt": "2026-11-04T00:00:00Z"}, {"dueAt": None}]},
            },
        )
    )
    assert mapped.processed_at == datetime(2026, 10, 5, 2, 30)
    assert mapped.cancelled_at == datetime(2026, 10, 6)
    assert (mapped.cancel_reason, mapped.financial_status) == ("fraud", "paid")
    assert mapped.attributes == (("gift", "yes"), ("empty", ""))
    assert (mapped.channel, mapped.channel_handle) == ("Online Store", "web")
    assert (mapped.risk, mapped.risk_level) == ("investigate", "high")
    assert mapped.email == "ada@example.com"
    assert mapped.refunds[0].created_at is None
    assert mapped.payment_terms.due_dates == (datetime(2026, 11, 4),)
    assert (mapped.number, mapped.legacy_id, mapped.tags) == (1001, "1", ("a", "b"))


NULLABLE = """
confirmationNumber cancelledAt closedAt cancelReason displayFinancialStatus note sourceName
attribution app poNumber customerLocale email phone retailLocation billingAddress shippingAddress
customer purchasingEntity paymentTerms subtotalPriceSet totalTaxSet totalDiscountsSet
originalTotalDutiesSet originalTotalAdditionalFeesSet
"""
LINE_NULLABLE = "variantTitle sku vendor variant product sellingPlan lineItemGroup"
SHIPPING_NULLABLE = "id code source carrierIdentifier"
TRANSACTION_NULLABLE = """
gateway formattedGateway processedAt paymentId parentTransaction amountRoundingSet
settlementCurrency settlementCurrencyRate
"""


def nulls(names):
    return dict.fromkeys(names.split())


def test_every_null_that_the_schema_allows():
    mapped = proved(
        order(
            [line_item(1, 500, **nulls(LINE_NULLABLE))],
            [shipping_line(1, 100, **nulls(SHIPPING_NULLABLE))],
            total=600,
            transactions=[
                {
                    **nulls(TRANSACTION_NULLABLE),
                    "id": "gid://shopify/OrderTransaction/1",
                    "kind": "SALE",
                    "status": "SUCCESS",
                    "amountSet": bag(600),
                }
            ],
            **nulls(NULLABLE),
        )
    )
    assert (mapped.customer, mapped.billing, mapped.shipping, mapped.company) == (None,) * 4
    assert mapped.financial_status == "" and mapped.totals.tax is None
    assert kinds(mapped) == ["custom", "shipping"]
    assert mapped.lines[1].gid
    assert mapped.paid == usd(6)


def test_unknown_enum_values_are_kept():
    mapped = proved(
        order(
            [
                line_item(
                    1,
                    500,
                    discountAllocations=[
                        allocation(
                            100,
                            __typename="LoyaltyDiscountApplication",
                            targetType="BASKET",
                        )
                    ],
                )
            ],
            total=400,
            displayFinancialStatus="PAID_IN_SHELLS",
            displayFulfillmentStatus="TELEPORTED",
            returnStatus="PONDERING",
            risk={
                "recommendation": "PRAY",
                "assessments": [{"riskLevel": "COSMIC"}, {"riskLevel": "HIGH"}],
            },
            transactions=[
                {
                    "id": "gid://shopify/OrderTransaction/1",
                    "kind": "BARTER",
                    "status": "MAYBE",
                    "amountSet": bag(400),
                }
            ],
        )
    )
    assert mapped.financial_status == "paid_in_shells"
    assert mapped.fulfillment_status == "teleported"
    assert (mapped.return_status, mapped.risk, mapped.risk_level) == ("pondering", "pray", "cosmic")
    assert mapped.lines[0].discounts[0].kind == "loyalty"
    assert mapped.lines[0].discounts[0].target == "basket"
    assert mapped.transactions[0].kind == "barter"
    assert not mapped.paid


def test_only_successful_money_is_paid():
    def transaction(number, kind, status, minor):
        return {
            "id": f"gid://shopify/OrderTransaction/{number}",
            "kind": kind,
            "status": status,
            "amountSet": bag(minor),
        }

    mapped = map_order(
        order(
            total=1000,
            transactions=[
                transaction(1, "AUTHORIZATION", "SUCCESS", 1000),
                transaction(2, "CAPTURE", "SUCCESS", 600),
                transaction(3, "CAPTURE", "FAILURE", 400),
                transaction(4, "SALE", "PENDING", 400),
                transaction(5, "REFUND", "SUCCESS", 100),
                transaction(6, "REFUND", "PENDING", 100),
            ],
        )
    )
    assert mapped.paid == usd(5)


# --- lines ----------------------------------------------------------------------------------------


def test_kinds_of_goods():
    mapped = proved(
        order(
            [
                line_item(1, 100),
                line_item(2, 200, variant=None),
                line_item(3, 300, variant=None, product=None),
                line_item(4, 2500, isGiftCard=True, requiresShipping=False),
            ],
            total=3100,
        )
    )
    assert kinds(mapped) == ["product", "product", "custom", "gift_card"]
    deleted = mapped.lines[2]
    assert (deleted.sku, deleted.title, deleted.variant_gid) == ("SKU-3", "Article 3", "")


def test_bundle_subscription_and_personalisation():
    line = map_order(
        order(
            [
                line_item(
                    1,
                    100,
                    sellingPlan={"name": "Monthly"},
                    customAttributes=[{"key": "engraving", "value": "Ada"}],
                    lineItemGroup={
                        "id": "gid://shopify/LineItemGroup/9",
                        "title": "Picnic set",
                        "quantity": 2,
                        "productId": None,
                        "variantId": "gid://shopify/ProductVariant/5",
                        "variantSku": "SET",
                    },
                )
            ],
            total=100,
        )
    ).lines[0]
    assert (line.selling_plan, line.attributes) == ("Monthly", (("engraving", "Ada"),))
    assert (line.group.title, line.group.quantity, line.group.sku) == ("Picnic set", 2, "SET")


def test_no_lines_at_all():
    assert proved(order(total=0)).lines == ()


def test_500_lines():
    items = [line_item(number, 199, 3, taxLines=[tax("VAT", 0.1, 60)]) for number in range(1, 501)]
    mapped = proved(order(items, total=500 * (3 * 199 + 60), totalTaxSet=bag(500 * 60)))
    assert len(mapped.lines) == 500
    assert len({line.gid for line in mapped.lines}) == 500
    assert mapped.taxes[0].amount == usd(300)


def test_an_order_of_which_pages_are_missing_is_refused():
    node = order([line_item(1, 100)], total=100)
    node["lineItems"]["pageInfo"]["hasNextPage"] = True
    with pytest.raises(MappingError, match="lineItems: not all pages"):
        map_order(node)


def test_discounts_of_every_kind():
    mapped = proved(
        order(
            [
                line_item(
                    1,
                    1000,
                    2,
                    discountAllocations=[
                        allocation(100, title=None, description="Dented"),
                        allocation(
                            200,
                            __typename="DiscountCodeApplication",
                            title=None,
                            code="SPRING",
                            targetSelection="ALL",
                            allocationMethod="ACROSS",
                        ),
                        allocation(
                            50,
                            __typename="AutomaticDiscountApplication",
                            title="Two",
                            targetSelection="ALL",
                        ),
                        allocation(25, __typename="ScriptDiscountApplication", title="Script"),
                        allocation(0, title="Nothing"),
                    ],
                )
            ],
            [
                shipping_line(
                    1,
                    500,
                    discountAllocations=[allocation(500, title="Free", targetType="SHIPPING_LINE")],
                )
            ],
            total=1625,
            totalDiscountsSet=bag(875),
            totalShippingPriceSet=bag(500),
        )
    )
    goods, shipping = mapped.lines
    assert [(d.kind, d.code_or_title, d.order_level) for d in goods.discounts] == [
        ("manual", "Dented", False),
        ("code", "SPRING", True),
        ("automatic", "Two", False),
        ("script", "Script", False),
    ]
    assert (goods.gross, goods.net, goods.discount_total) == (usd(20), usd("16.25"), usd("3.75"))
    assert shipping.net == usd(0) and shipping.discounts[0].target == "shipping_line"


def test_shipping_may_be_stated_after_its_discount():
    free = [allocation(500, targetType="SHIPPING_LINE")]
    node = order(
        [],
        [shipping_line(1, 500, discountAllocations=free)],
        total=0,
        totalShippingPriceSet=bag(0),
        totalDiscountsSet=bag(0),
    )
    proved(node)
    node["totalShippingPriceSet"] = bag(1)
    assert [difference.figure for difference in prove(map_order(node))] == ["shipping"]


def test_shipping_may_be_stated_after_its_refunds():
    node = order(
        [],
        [shipping_line(1, 500)],
        total=500,
        totalShippingPriceSet=bag(300),
        totalRefundedShippingSet=bag(200),
    )
    assert proved(node).totals.refunded_shipping == usd(2)
    node["totalRefundedShippingSet"] = bag(199)
    assert [difference.figure for difference in prove(map_order(node))] == ["shipping"]


# --- taxes ----------------------------------------------------------------------------------------


def test_taxes_on_top():
    line = proved(
        order(
            [line_item(1, 1000, 2, taxLines=[tax("STATE", 0.04, 80), tax("CITY", 0.04, 79)])],
            total=2159,
            totalTaxSet=bag(159),
        )
    ).lines[0]
    assert [part.amount for part in line.taxes] == [usd("0.80"), usd("0.79")]
    assert (line.total_excluded, line.tax_total, line.total_included) == (
        usd(20),
        usd("1.59"),
        usd("21.59"),
    )


def test_two_taxes_of_one_name_and_rate_are_not_lost():
    line = proved(
        order(
            [line_item(1, 1000, taxLines=[tax("LOCAL", 0.01, 10), tax("LOCAL", 0.01, 11)])],
            total=1021,
            totalTaxSet=bag(21),
        )
    ).lines[0]
    assert [part.amount for part in line.taxes] == [usd("0.21")]


def test_taxes_within_the_price():
    mapped = proved(
        order(
            [line_item(1, 6900, currency="EUR", taxLines=[tax("VAT", 0.19, 1102, "EUR")])],
            [shipping_line(1, 490, "EUR", taxLines=[tax("VAT", 0.19, 78, "EUR")])],
            total=7390,
            currency="EUR",
            totalTaxSet=bag(1180, "EUR"),
            totalShippingPriceSet=bag(490, "EUR"),
            taxesIncluded=True,
        )
    )
    line = mapped.lines[0]
    assert str(line.total_included) == "69.00 EUR"
    assert str(line.total_excluded) == "57.98 EUR"
    assert line.taxes[0].key.included and len(mapped.taxes) == 1


GERMANY = {"address1": "Allee 1", "countryCodeV2": "DE"}
FRANCE = {"address1": "Rue 1", "countryCodeV2": "FR"}
TILL = {"id": "gid://shopify/Location/1", "address": {"countryCode": "AT"}}


@pytest.mark.parametrize(
    ("places", "country"),
    [
        ({"shippingAddress": GERMANY, "billingAddress": FRANCE}, "DE"),
        ({"billingAddress": FRANCE}, "FR"),
        ({"billingAddress": FRANCE, "retailLocation": TILL}, "AT"),
        ({"shippingAddress": GERMANY, "retailLocation": TILL}, "DE"),
        ({"shippingAddress": {**GERMANY, "countryCodeV2": None}}, "US"),
        ({}, "US"),
    ],
)
def test_country_of_the_taxes(places, country):
    node = order([line_item(1, 100, taxLines=[tax("T", 0.1, 10)])], total=110, **places)
    mapped = proved(node, shop_country="US")
    assert mapped.taxes[0].key.country_code == country
