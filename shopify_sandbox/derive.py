"""Values that a shop computes: what an object holds nothing for, but its answer must carry."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from .money import bag, decimal_text, money, money_text
from .store import legacy_id, type_of_gid

if TYPE_CHECKING:
    from .shop import Shop

Derivation = Callable[[dict, "Shop"], object]
DERIVED: dict[tuple[str, str], Derivation] = {}


def derived(type_name: str, *fields: str) -> Callable[[Derivation], Derivation]:
    """Register how a field is computed when the object holds no value for it."""

    def register(function: Derivation) -> Derivation:
        for name in fields:
            DERIVED[type_name, name] = function
        return function

    return register


def owner(record: dict, shop: "Shop", type_name: str) -> dict:
    """The object that holds this one, climbing until the type fits; empty when there is none."""
    current: dict | None = record
    while current is not None and current.get("__typename") != type_name:
        current = shop.store.get(current.get("_parent") or current.get("order"))
    return current or {}


def amounts(value: dict | None) -> tuple[Decimal, Decimal]:
    """Shop and presentment amount of a money bag."""
    if not value:
        return Decimal(0), Decimal(0)
    shop_money = value.get("shopMoney") or value["presentmentMoney"]
    other = value.get("presentmentMoney") or shop_money
    return Decimal(shop_money["amount"]), Decimal(other["amount"])


def total(bags: Iterable[dict | None]) -> tuple[Decimal, Decimal]:
    shop_total = other_total = Decimal(0)
    for value in bags:
        shop_amount, other_amount = amounts(value)
        shop_total += shop_amount
        other_total += other_amount
    return shop_total, other_total


def currencies(record: dict, shop: "Shop") -> tuple[str, str]:
    order = owner(record, shop, "Order")
    shop_currency = order.get("currencyCode") or shop.currency
    return shop_currency, order.get("presentmentCurrencyCode") or shop_currency


def make_bag(record: dict, shop: "Shop", value: tuple[Decimal, Decimal]) -> dict:
    shop_currency, currency = currencies(record, shop)
    return bag(value[0], shop_currency, value[1], currency)


def minus(left: tuple, right: tuple) -> tuple[Decimal, Decimal]:
    return left[0] - right[0], left[1] - right[1]


def plus(*values: tuple) -> tuple[Decimal, Decimal]:
    return sum(value[0] for value in values), sum(value[1] for value in values)


# Orders ---------------------------------------------------------------------------------------


def lines(order: dict, shop: "Shop") -> list[dict]:
    return shop.store.resolve_all(order.get("lineItems"))


def shipping_lines(order: dict, shop: "Shop") -> list[dict]:
    found = shop.store.resolve_all(order.get("shippingLines"))
    return found or [line for line in [order.get("shippingLine")] if line]


def discounts_of(line: dict) -> tuple[Decimal, Decimal]:
    return total(item.get("allocatedAmountSet") for item in line.get("discountAllocations") or ())


def taxes_of(line: dict) -> tuple[Decimal, Decimal]:
    return total(tax.get("priceSet") for tax in line.get("taxLines") or ())


def gross_of(line: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    quantity = shop.read(line, "quantity", "LineItem")
    return tuple(amount * quantity for amount in amounts(line.get("originalUnitPriceSet")))


def net_of(line: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    return minus(gross_of(line, shop), discounts_of(line))


def shipping_total(order: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    return plus(
        *(
            amounts(shop.read(line, "discountedPriceSet", "ShippingLine"))
            for line in shipping_lines(order, shop)
            if not line.get("isRemoved")
        )
    )


def tax_total(order: dict, shop: "Shop") -> tuple[Decimal, Decimal]:
    if order.get("taxLines"):
        return taxes_of(order)
    everything = [*lines(order, shop), *shipping_lines(order, shop)]
    return plus(*(taxes_of(line) for line in everything))


@derived("Order", "name")
def _order_name(order, shop):
    return f"#{order.get('number') or legacy_id(order['id'])}"


@derived("Order", "number")
def _order_number(order, shop):
    found = "".join(filter(str.isdigit, order.get("name") or legacy_id(order["id"])))
    return int(found or 0)


@derived("Order", "currencyCode")
def _order_currency(order, shop):
    return shop.currency


@derived("Order", "presentmentCurrencyCode")
def _order_presentment_currency(order, shop):
    return order.get("currencyCode") or shop.currency


@derived("Order", "taxesIncluded")
def _order_taxes_included(order, shop):
    return shop.taxes_included


@derived("Order", "subtotalPriceSet")
def _order_subtotal(order, shop):
    everything = plus(*(net_of(line, shop) for line in lines(order, shop)))
    return make_bag(order, shop, minus(everything, amounts(order.get("totalTipReceivedSet"))))


@derived("Order", "totalTaxSet")
def _order_tax(order, shop):
    return make_bag(order, shop, tax_total(order, shop))


@derived("Order", "totalShippingPriceSet")
def _order_shipping(order, shop):
    return make_bag(order, shop, shipping_total(order, shop))


@derived("Order", "totalDiscountsSet")
def _order_discounts(order, shop):
    everything = [*lines(order, shop), *shipping_lines(order, shop)]
    return make_bag(order, shop, plus(*(discounts_of(line) for line in everything)))


@derived("Order", "totalPriceSet")
def _order_total(order, shop):
    parts = [net_of(line, shop) for line in lines(order, shop)]
    parts.append(shipping_total(order, shop))
    parts.append(amounts(order.get("originalTotalDutiesSet")))
    parts.append(amounts(order.get("originalTotalAdditionalFeesSet")))
    if not shop.read(order, "taxesIncluded"):
        parts.append(amounts(shop.read(order, "totalTaxSet")))
    return make_bag(order, shop, plus(*parts))


@derived("Order", "originalTotalPriceSet")
def _order_original_total(order, shop):
    return shop.read(order, "totalPriceSet")


@derived("Order", "currentTotalPriceSet")
def _order_current_total(order, shop):
    refunded = amounts(shop.read(order, "totalRefundedSet"))
    return make_bag(order, shop, minus(amounts(shop.read(order, "totalPriceSet")), refunded))


@derived("Order", "currentSubtotalPriceSet")
def _order_current_subtotal(order, shop):
    returned = total(
        shop.read(item, "subtotalSet", "RefundLineItem") for item in refund_lines(order, shop)
    )
    return make_bag(order, shop, minus(amounts(shop.read(order, "subtotalPriceSet")), returned))


@derived("Order", "currentTotalTaxSet")
def _order_current_tax(order, shop):
    returned = total(
        shop.read(item, "totalTaxSet", "RefundLineItem") for item in refund_lines(order, shop)
    )
    return make_bag(order, shop, minus(amounts(shop.read(order, "totalTaxSet")), returned))


@derived("Order", "currentTotalDiscountsSet")
def _order_current_discounts(order, shop):
    return shop.read(order, "totalDiscountsSet")


@derived("Order", "currentShippingPriceSet")
def _order_current_shipping(order, shop):
    return shop.read(order, "totalShippingPriceSet")


@derived("Order", "currentTaxLines")
def _order_current_tax_lines(order, shop):
    return order.get("taxLines") or []


@derived("Order", "currentTotalDutiesSet")
def _order_current_duties(order, shop):
    return order.get("originalTotalDutiesSet")


@derived("Order", "currentTotalAdditionalFeesSet")
def _order_current_fees(order, shop):
    return order.get("originalTotalAdditionalFeesSet")


@derived("Order", "subtotalLineItemsQuantity")
def _order_quantity(order, shop):
    return sum(shop.read(line, "quantity", "LineItem") for line in lines(order, shop))


@derived("Order", "currentSubtotalLineItemsQuantity")
def _order_current_quantity(order, shop):
    return sum(shop.read(line, "currentQuantity", "LineItem") for line in lines(order, shop))


@derived("Order", "shippingLine")
def _order_shipping_line(order, shop):
    return next(iter(shop.store.resolve_all(order.get("shippingLines"))), None)


@derived("Order", "shippingLines")
def _order_shipping_lines(order, shop):
    return shipping_lines(order, shop)


@derived("Order", "displayAddress")
def _order_display_address(order, shop):
    return order.get("shippingAddress") or order.get("billingAddress")


@derived("Order", "billingAddressMatchesShippingAddress")
def _order_addresses_match(order, shop):
    keys = ("name", "address1", "address2", "city", "zip", "countryCodeV2")
    left, right = order.get("billingAddress") or {}, order.get("shippingAddress") or {}
    return all(left.get(key) == right.get(key) for key in keys)


@derived("Order", "discountCodes")
def _order_discount_codes(order, shop):
    found = shop.store.resolve_all(order.get("discountApplications"))
    return [item["code"] for item in found if item.get("code")]


@derived("Order", "discountCode")
def _order_discount_code(order, shop):
    return next(iter(shop.read(order, "discountCodes")), None)


@derived("Order", "requiresShipping", "fulfillable")
def _order_requires_shipping(order, shop):
    return any(shop.read(line, "requiresShipping", "LineItem") for line in lines(order, shop))


@derived("Order", "closed")
def _order_closed(order, shop):
    return bool(order.get("closedAt"))


@derived("Order", "confirmed", "merchantEditable", "refundable", "restockable")
def _order_true(order, shop):
    return True


@derived("Order", "sourceName")
def _order_source(order, shop):
    return "web"


@derived("Order", "displayFulfillmentStatus")
def _order_fulfillment_status(order, shop):
    shipped = shop.store.related(order, "fulfillments")
    if not any(item.get("status", "SUCCESS") == "SUCCESS" for item in shipped):
        return "UNFULFILLED"
    remaining = sum(shop.read(line, "unfulfilledQuantity", "LineItem") for line in
                    lines(order, shop))
    return "PARTIALLY_FULFILLED" if remaining else "FULFILLED"


@derived("Order", "returnStatus")
def _order_return_status(order, shop):
    states = {item.get("status") for item in shop.store.related(order, "returns")}
    if "OPEN" in states:
        return "IN_PROGRESS"
    if "REQUESTED" in states:
        return "RETURN_REQUESTED"
    return "RETURNED" if "CLOSED" in states else "NO_RETURN"


@derived("Order", "risk")
def _order_risk(order, shop):
    return {"assessments": [], "recommendation": "NONE"}


# Payments -------------------------------------------------------------------------------------


def paid(order: dict, shop: "Shop", *kinds: str) -> tuple[Decimal, Decimal]:
    """Sum of the order's successful transactions of the given kinds."""
    found = shop.store.related(order, "transactions")
    return total(
        item.get("amountSet")
        for item in found
        if item.get("kind") in kinds and item.get("status", "SUCCESS") == "SUCCESS"
    )


@derived("Order", "displayFinancialStatus")
def _order_financial_status(order, shop):
    if not shop.store.related(order, "transactions"):
        return None
    received = paid(order, shop, "SALE", "CAPTURE")
    refunded = paid(order, shop, "REFUND")
    if refunded[0]:
        return "REFUNDED" if refunded[0] >= received[0] else "PARTIALLY_REFUNDED"
    if received[0]:
        due = amounts(shop.read(order, "totalPriceSet"))
        return "PAID" if received[0] >= due[0] else "PARTIALLY_PAID"
    return "AUTHORIZED" if paid(order, shop, "AUTHORIZATION")[0] else "PENDING"


@derived("Order", "totalReceivedSet")
def _order_received(order, shop):
    return make_bag(order, shop, paid(order, shop, "SALE", "CAPTURE"))


@derived("Order", "totalRefundedSet")
def _order_refunded(order, shop):
    return make_bag(order, shop, paid(order, shop, "REFUND"))


@derived("Order", "netPaymentSet")
def _order_net_payment(order, shop):
    received = paid(order, shop, "SALE", "CAPTURE")
    return make_bag(order, shop, minus(received, paid(order, shop, "REFUND")))


@derived("Order", "totalCapturableSet")
def _order_capturable_amount(order, shop):
    authorized = paid(order, shop, "AUTHORIZATION")
    used = plus(paid(order, shop, "CAPTURE"), paid(order, shop, "VOID"))
    return make_bag(order, shop, tuple(max(Decimal(0), a - u) for a, u in zip(authorized, used)))


@derived("Order", "capturable")
def _order_capturable(order, shop):
    return amounts(shop.read(order, "totalCapturableSet"))[0] > 0


@derived("Order", "totalOutstandingSet")
def _order_outstanding(order, shop):
    if order.get("cancelledAt"):
        return make_bag(order, shop, (Decimal(0), Decimal(0)))
    settled = plus(
        amounts(shop.read(order, "netPaymentSet")), amounts(shop.read(order, "totalCapturableSet"))
    )
    due = amounts(shop.read(order, "currentTotalPriceSet"))
    return make_bag(order, shop, minus(due, settled))


@derived("Order", "fullyPaid")
def _order_fully_paid(order, shop):
    return shop.read(order, "displayFinancialStatus") in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED")


@derived("Order", "unpaid")
def _order_unpaid(order, shop):
    return not paid(order, shop, "SALE", "CAPTURE")[0]


@derived("Order", "canMarkAsPaid")
def _order_can_mark_as_paid(order, shop):
    return shop.read(order, "displayFinancialStatus") in ("PENDING", "PARTIALLY_PAID", None)


@derived("Order", "paymentGatewayNames")
def _order_gateways(order, shop):
    found = [item.get("gateway") for item in shop.store.related(order, "transactions")]
    return list(dict.fromkeys(name for name in found if name))


@derived("OrderTransaction", "amountSet")
def _transaction_amount(transaction, shop):
    return make_bag(transaction, shop, (Decimal(0), Decimal(0)))


@derived("OrderTransaction", "status")
def _transaction_status(transaction, shop):
    return "SUCCESS"


@derived("OrderTransaction", "kind")
def _transaction_kind(transaction, shop):
    return "SALE"


@derived("OrderTransaction", "formattedGateway")
def _transaction_gateway(transaction, shop):
    return (transaction.get("gateway") or "").replace("_", " ").title() or None


# Lines ----------------------------------------------------------------------------------------


def refund_lines(order: dict, shop: "Shop") -> list[dict]:
    refunds = shop.store.related(order, "refunds") if order.get("id") else []
    return [
        line
        for refund in refunds
        for line in shop.store.resolve_all(refund.get("refundLineItems"))
    ]


@derived("LineItem", "quantity")
def _line_quantity(line, shop):
    return 1


@derived("LineItem", "currentQuantity", "refundableQuantity")
def _line_current_quantity(line, shop):
    order = owner(line, shop, "Order")
    returned = sum(
        item.get("quantity") or 0
        for item in refund_lines(order, shop)
        if item.get("lineItem") == line["id"]
    )
    return shop.read(line, "quantity") - returned


@derived("LineItem", "unfulfilledQuantity")
def _line_unfulfilled(line, shop):
    order = owner(line, shop, "Order")
    shipped = 0
    for fulfillment in shop.store.related(order, "fulfillments") if order else ():
        if fulfillment.get("status", "SUCCESS") == "SUCCESS":
            for item in shop.store.resolve_all(fulfillment.get("fulfillmentLineItems")):
                if item.get("lineItem") == line["id"]:
                    shipped += item.get("quantity") or 0
    return max(0, shop.read(line, "currentQuantity") - shipped)


@derived("LineItem", "nonFulfillableQuantity")
def _line_non_fulfillable(line, shop):
    return shop.read(line, "quantity") - shop.read(line, "unfulfilledQuantity")


@derived("LineItem", "name")
def _line_name(line, shop):
    title, variant = line.get("title") or "", line.get("variantTitle")
    return f"{title} - {variant}" if variant else title


@derived("LineItem", "taxable", "requiresShipping", "restockable", "merchantEditable")
def _line_true(line, shop):
    return True


@derived("LineItem", "originalUnitPriceSet")
def _line_unit_price(line, shop):
    return make_bag(line, shop, (Decimal(0), Decimal(0)))


@derived("LineItem", "originalTotalSet")
def _line_total(line, shop):
    return make_bag(line, shop, gross_of(line, shop))


@derived("LineItem", "totalDiscountSet")
def _line_discount(line, shop):
    return make_bag(line, shop, discounts_of(line))


@derived("LineItem", "discountedTotalSet", "priceAfterAllDiscountsBeforeTaxesSet")
def _line_discounted(line, shop):
    return make_bag(line, shop, net_of(line, shop))


@derived("LineItem", "discountedUnitPriceSet", "discountedUnitPriceAfterAllDiscountsSet")
def _line_discounted_unit(line, shop):
    quantity = shop.read(line, "quantity") or 1
    per_unit = tuple(round(amount / quantity, 2) for amount in net_of(line, shop))
    return make_bag(line, shop, per_unit)


@derived("ShippingLine", "discountedPriceSet", "currentDiscountedPriceSet")
def _shipping_discounted(line, shop):
    price = line.get("originalPriceSet")
    if not price:
        return None
    reduced = minus(amounts(price), discounts_of(line))
    moneys = (price["shopMoney"], price["presentmentMoney"])
    return bag(reduced[0], moneys[0]["currencyCode"], reduced[1], moneys[1]["currencyCode"])


@derived("TaxLine", "ratePercentage")
def _tax_percentage(tax, shop):
    rate = tax.get("rate")
    return None if rate is None else float(round(Decimal(str(rate)) * 100, 4))


# Everything else ------------------------------------------------------------------------------


@derived("Refund", "totalRefundedSet")
def _refund_total(refund, shop):
    found = shop.store.resolve_all(refund.get("transactions"))
    done = [
        item
        for item in found
        if item.get("kind") == "REFUND" and item.get("status", "SUCCESS") == "SUCCESS"
    ]
    return make_bag(refund, shop, total(item.get("amountSet") for item in done))


@derived("FulfillmentOrder", "orderId")
def _fulfillment_order_order(record, shop):
    return str(record.get("order") or "")


@derived("FulfillmentOrder", "orderName")
def _fulfillment_order_name(record, shop):
    order = shop.store.get(record.get("order"))
    return shop.read(order, "name") if order else ""


@derived("FulfillmentOrder", "orderProcessedAt")
def _fulfillment_order_processed(record, shop):
    order = shop.store.get(record.get("order")) or {}
    return order.get("processedAt") or shop.created_at


@derived("FulfillmentOrder", "status")
def _fulfillment_order_status(record, shop):
    return "OPEN"


@derived("FulfillmentOrder", "requestStatus")
def _fulfillment_order_request(record, shop):
    return "UNSUBMITTED"


@derived("FulfillmentOrderLineItem", "remainingQuantity")
def _fulfillment_order_remaining(record, shop):
    return record.get("totalQuantity") or 0


def _line_field(name: str, source: str) -> None:
    @derived("FulfillmentOrderLineItem", name)
    def read(record, shop):
        line = shop.store.get(record.get("lineItem"))
        return shop.read(line, source) if line else None


for _name, _source in {
    "sku": "sku",
    "productTitle": "title",
    "variantTitle": "variantTitle",
    "vendor": "vendor",
    "variant": "variant",
    "requiresShipping": "requiresShipping",
}.items():
    _line_field(_name, _source)


@derived("Fulfillment", "name")
def _fulfillment_name(record, shop):
    order = shop.store.get(record.get("order"))
    return f"{shop.read(order, 'name') if order else '#'}-F1"


@derived("Fulfillment", "totalQuantity")
def _fulfillment_quantity(record, shop):
    found = shop.store.resolve_all(record.get("fulfillmentLineItems"))
    return sum(item.get("quantity") or 0 for item in found)


@derived("Customer", "displayName")
def _customer_name(customer, shop):
    name = f"{customer.get('firstName') or ''} {customer.get('lastName') or ''}".strip()
    email = customer.get("defaultEmailAddress") or {}
    return name or customer.get("email") or email.get("emailAddress") or ""


@derived("Customer", "email")
def _customer_email(customer, shop):
    return (customer.get("defaultEmailAddress") or {}).get("emailAddress")


@derived("Customer", "phone")
def _customer_phone(customer, shop):
    return (customer.get("defaultPhoneNumber") or {}).get("phoneNumber")


@derived("Customer", "defaultEmailAddress")
def _customer_email_address(customer, shop):
    return {"emailAddress": customer["email"]} if customer.get("email") else None


@derived("Customer", "defaultPhoneNumber")
def _customer_phone_number(customer, shop):
    return {"phoneNumber": customer["phone"]} if customer.get("phone") else None


@derived("Customer", "numberOfOrders")
def _customer_orders(customer, shop):
    return str(len(shop.store.related(customer, "orders")))


@derived("Customer", "lastOrder")
def _customer_last_order(customer, shop):
    return next(reversed(shop.store.related(customer, "orders")), None)


@derived("Customer", "amountSpent")
def _customer_spent(customer, shop):
    orders = shop.store.related(customer, "orders")
    return money(total(shop.read(order, "netPaymentSet") for order in orders)[0], shop.currency)


@derived("Customer", "addressesV2", "addresses")
def _customer_addresses(customer, shop):
    return [item for item in [customer.get("defaultAddress")] if item]


@derived("MailingAddress", "name")
def _address_name(address, shop):
    return f"{address.get('firstName') or ''} {address.get('lastName') or ''}".strip() or None


@derived("MailingAddress", "countryCode")
def _address_country(address, shop):
    return address.get("countryCodeV2")


@derived("MailingAddress", "formatted")
def _address_formatted(address, shop):
    city = " ".join(filter(None, (address.get("city"), address.get("provinceCode"),
                                  address.get("zip"))))
    parts = (address.get("company"), address.get("address1"), address.get("address2"), city,
             address.get("country"))
    return [part for part in parts if part]


@derived("Product", "totalInventory")
def _product_inventory(product, shop):
    variants = shop.store.related(product, "variants")
    return sum(shop.read(variant, "inventoryQuantity") or 0 for variant in variants)


@derived("Product", "handle")
def _product_handle(product, shop):
    return "-".join((product.get("title") or legacy_id(product["id"])).lower().split())


@derived("Product", "hasOnlyDefaultVariant")
def _product_single(product, shop):
    return len(shop.store.related(product, "variants")) <= 1


@derived("Product", "status")
def _product_status(product, shop):
    return "ACTIVE"


@derived("Product", "tracksInventory")
def _product_tracks(product, shop):
    return True


@derived("Product", "variantsCount")
def _product_variants_count(product, shop):
    return {"count": len(shop.store.related(product, "variants")), "precision": "EXACT"}


@derived("Product", "priceRangeV2", "priceRange")
def _product_price_range(product, shop):
    prices = [Decimal(shop.read(variant, "price"))
              for variant in shop.store.related(product, "variants")] or [Decimal(0)]
    return {
        "minVariantPrice": money(min(prices), shop.currency),
        "maxVariantPrice": money(max(prices), shop.currency),
    }


@derived("ProductVariant", "displayName")
def _variant_display_name(variant, shop):
    product = shop.store.get(variant.get("product")) or {}
    return f"{product.get('title') or ''} - {variant.get('title') or 'Default Title'}"


@derived("ProductVariant", "title")
def _variant_title(variant, shop):
    return "Default Title"


@derived("ProductVariant", "position")
def _variant_position(variant, shop):
    product = shop.store.get(variant.get("product"))
    siblings = shop.store.related(product, "variants") if product else [variant]
    return siblings.index(variant) + 1


@derived("ProductVariant", "taxable", "availableForSale")
def _variant_true(variant, shop):
    return True


@derived("ProductVariant", "sku")
def _variant_sku(variant, shop):
    item = shop.store.get(variant.get("inventoryItem")) or {}
    return item.get("sku")


@derived("ProductVariant", "inventoryQuantity")
def _variant_quantity(variant, shop):
    item = shop.store.get(variant.get("inventoryItem"))
    if not item:
        return 0
    return sum(
        quantity_of(level, "available")
        for level in shop.store.related(item, "inventoryLevels")
        if level.get("isActive", True)
    )


@derived("InventoryItem", "variant")
def _item_variant(item, shop):
    return next(iter(shop.store.related(item, "variants")), None)


@derived("InventoryItem", "sku")
def _item_sku(item, shop):
    variant = next(iter(shop.store.related(item, "variants")), {})
    return variant.get("sku")


@derived("InventoryItem", "tracked", "requiresShipping")
def _item_true(item, shop):
    return True


@derived("InventoryLevel", "isActive")
def _level_active(level, shop):
    return True


@derived("Location", "isActive", "fulfillsOnlineOrders", "shipsInventory", "hasActiveInventory")
def _location_true(location, shop):
    return True


def quantity_of(level: dict, name: str) -> int:
    """One named quantity of an inventory level, e.g. ``available``."""
    for item in level.get("quantities") or ():
        if item["name"] == name:
            return item["quantity"]
    return 0


def legacy_resource_id(record: dict, shop: "Shop") -> str:
    return legacy_id(record["id"])


def amount_of_set(record: dict, shop: "Shop", name: str, scalar: str):
    """Deprecated ``total`` beside ``totalSet``: the amount in shop currency."""
    value = shop.read(record, f"{name}Set")
    if value is None:
        return None
    if scalar == "MoneyV2":
        return value["shopMoney"]
    amount = value["shopMoney"]["amount"]
    return money_text(amount) if scalar == "Money" else decimal_text(amount)


def concrete_type(record: dict) -> str:
    return record.get("__typename") or type_of_gid(record["id"])
