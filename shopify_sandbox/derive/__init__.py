"""Values that a shop computes: what an object holds nothing for, but its answer must carry."""

from . import fulfillment, goods, lines, orders, payments, people, returns
from .base import (
    DERIVED,
    amount_of_set,
    amounts,
    concrete_type,
    currencies,
    derived,
    legacy_resource_id,
    make_bag,
    minus,
    owner,
    plus,
    quantity_of,
    total,
)
from .lines import taxes_of

__all__ = [
    "DERIVED",
    "amount_of_set",
    "amounts",
    "concrete_type",
    "currencies",
    "derived",
    "legacy_resource_id",
    "make_bag",
    "minus",
    "owner",
    "plus",
    "quantity_of",
    "taxes_of",
    "total",
]
