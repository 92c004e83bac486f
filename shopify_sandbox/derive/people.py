"""Customers and addresses."""

from ..money import money
from .base import derived, total


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
    city = " ".join(
        filter(None, (address.get("city"), address.get("provinceCode"), address.get("zip")))
    )
    parts = (
        address.get("company"),
        address.get("address1"),
        address.get("address2"),
        city,
        address.get("country"),
    )
    return [part for part in parts if part]
