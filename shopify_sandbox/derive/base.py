"""The register of computed fields, and the arithmetic of money bags that they share."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from ..money import bag, decimal_text, money_text
from ..store import legacy_id, type_of_gid

if TYPE_CHECKING:
    from ..shop import Shop

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
    """The object that holds this one, climbing until the type fits; empty when there is none.

    A line of a refund has no id and no holder; the line that it is of has.
    """
    current: dict | None = record
    while current is not None and current.get("__typename") != type_name:
        holder = current.get("_parent") or current.get("order") or current.get("lineItem")
        current = shop.store.get(holder)
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
    if not order:
        return shop.currency, shop.currency
    return shop.read(order, "currencyCode"), shop.read(order, "presentmentCurrencyCode")


def make_bag(record: dict, shop: "Shop", value: tuple[Decimal, Decimal]) -> dict:
    shop_currency, currency = currencies(record, shop)
    return bag(value[0], shop_currency, value[1], currency)


def minus(left: tuple, right: tuple) -> tuple[Decimal, Decimal]:
    return left[0] - right[0], left[1] - right[1]


def plus(*values: tuple) -> tuple[Decimal, Decimal]:
    return sum(value[0] for value in values), sum(value[1] for value in values)


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
