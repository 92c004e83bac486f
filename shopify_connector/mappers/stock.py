"""Stock for Shopify: which quantity is shown, what has to be sent, what an answer means.

Quantities of Odoo are floats in the unit of measure of the product, in which its variant is sold;
those of Shopify are integers. Nothing is ever rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

MAX_CALL = 250
# Shopify's bounds of a quantity.
LIMIT = 1_000_000_000
# Sums of floats miss whole numbers by less than this.
_EPSILON = 1e-6

BASES = ("free", "on_hand", "free_incoming", "forecast")
EFFECTS = ("buffer_fixed", "buffer_percent", "minimum", "maximum", "no_push")


class Stock(NamedTuple):
    """What Odoo holds of a product in the sources of a location."""

    on_hand: float = 0.0
    reserved: float = 0.0
    incoming: float = 0.0
    outgoing: float = 0.0


NO_STOCK = Stock()


@dataclass(frozen=True)
class Rule:
    """A wish of the merchant about what is shown.

    :ivar effect: one of `EFFECTS`; `value` is units, or percent for `buffer_percent`
    :ivar location, template, product: ids that it is limited to, None for all
    :ivar category: id of the category that it is limited to, with those below it
    :ivar start, end: valid from (included) until (excluded), naive UTC, None without bound
    """

    id: int
    effect: str
    value: float = 0.0
    name: str = ""
    location: int | None = None
    category: int | None = None
    template: int | None = None
    product: int | None = None
    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (
            self.end is None or moment < self.end
        )


class RuleBook:
    """The rules of a store; for each effect the most specific one counts.

    In this order: product variant, product, category (the nearest), location, with dates before
    without, the younger one. A percentage and a fixed buffer are one effect.
    """

    def __init__(self, rules: Iterable[Rule], moment: datetime):
        self.rules = tuple(rule for rule in rules if rule.holds(moment))

    def __bool__(self) -> bool:
        return bool(self.rules)

    def find(
        self, location: int, product: int, template: int, categories: Sequence[int]
    ) -> dict[str, Rule]:
        """
        :param categories: ids of the product's category and those above it, the nearest first
        :return: ``{"buffer" | "minimum" | "maximum" | "no_push": Rule}``
        """
        found: dict[str, tuple[tuple, Rule]] = {}
        for rule in self.rules:
            if (
                rule.location not in (None, location)
                or rule.product not in (None, product)
                or rule.template not in (None, template)
                or (rule.category is not None and rule.category not in categories)
            ):
                continue
            near = -categories.index(rule.category) if rule.category is not None else 0
            rank = (
                rule.product is not None,
                rule.template is not None,
                rule.category is not None,
                near,
                rule.location is not None,
                rule.start is not None or rule.end is not None,
                rule.id,
            )
            effect = "buffer" if rule.effect.startswith("buffer") else rule.effect
            if effect not in found or found[effect][0] < rank:
                found[effect] = (rank, rule)
        return {effect: rule for effect, (_rank, rule) in found.items()}


@dataclass(frozen=True)
class Step:
    """One line of how a quantity came about: what was added, and the sum so far."""

    kind: str
    change: float
    total: float
    source: str = ""


def reckon(
    basis: str,
    stock: Stock,
    rules: dict[str, Rule],
    *,
    waiting: float = 0.0,
    held: int = 0,
    trail: list[Step] | None = None,
) -> int:
    """The quantity that is shown in Shopify.

    :param basis: one of `BASES`. `on_hand` is Shopify's quantity of that name, from which it takes
        its open orders itself; the others are its `available`
    :param waiting: units that Shopify has sold and Odoo has not reserved yet
    :param held: units that vanished in Shopify for a reason that Odoo does not know yet
    :param trail: receives the steps
    """
    total = _counted(basis, stock, waiting + held)
    shown = math.floor(total + _EPSILON)
    if trail is not None:
        _note_stock(trail, basis, stock, waiting, held)
        _note(trail, "floor", shown - total, shown)
    if not rules and trail is None:
        return min(max(shown, 0), LIMIT)
    shown = _buffered(shown, rules.get("buffer"), trail)
    for kind, better in (("maximum", min), ("minimum", max)):
        if (rule := rules.get(kind)) is not None:
            bound = better(shown, math.floor(rule.value))
            _note(trail, kind, bound - shown, bound, rule.name)
            shown = bound
    bound = min(max(shown, 0), LIMIT)
    _note(trail, "zero", bound - shown, bound)
    return bound


def _counted(basis: str, stock: Stock, gone: float) -> float:
    on_hand, reserved, incoming, outgoing = stock
    total = on_hand
    if basis in ("free", "free_incoming"):
        total -= reserved
    if basis in ("free_incoming", "forecast"):
        total += incoming
    if basis == "forecast":
        total -= outgoing
    return total if basis == "on_hand" else total - gone


def scarcest(basis: str, parts: dict[int, tuple[float, Stock, float]]) -> tuple[int, Stock, float]:
    """The component that bounds how many kits there are.

    :param parts: ``{component: (quantity for one kit, Stock, units that are sold)}``
    :return: the component, and its Stock and sold units counted in kits
    """

    def kits(component: int) -> float:
        needed, stock, waiting = parts[component]
        return _counted(basis, stock, waiting) / needed

    component = min(parts, key=kits)
    needed, stock, waiting = parts[component]
    return component, Stock(*(amount / needed for amount in stock)), waiting / needed


def _note_stock(trail, basis, stock, waiting, held):
    counted = {
        "on_hand": stock.on_hand,
        "reserved": -stock.reserved if basis in ("free", "free_incoming") else 0,
        "incoming": stock.incoming if basis in ("free_incoming", "forecast") else 0,
        "outgoing": -stock.outgoing if basis == "forecast" else 0,
        "waiting": -waiting if basis != "on_hand" else 0,
        "held": -held if basis != "on_hand" else 0,
    }
    total = 0.0
    for kind, change in counted.items():
        total += change
        _note(trail, kind, change, total)


def _buffered(shown: int, rule: Rule | None, trail: list[Step] | None) -> int:
    if rule is None or shown <= 0:
        return shown
    buffer = rule.value
    if rule.effect == "buffer_percent":
        buffer = shown * rule.value / 100
    left = max(0, math.floor(shown - buffer + _EPSILON))
    _note(trail, rule.effect, left - shown, left, rule.name)
    return left


def _note(trail, kind, change, total, source=""):
    if trail is not None and (abs(change) > _EPSILON or kind == "on_hand"):
        trail.append(Step(kind, change, total, source))


def unexplained(known: int, found: int, pool: float) -> tuple[int, float]:
    """Units that Shopify has sold since we knew its quantity, and Odoo knows nothing of.

    :param pool: units of orders that came to Odoo since then and explain as much
    :return: them, and what is left of the pool
    """
    drop = max(0, known - found)
    taken = min(drop, pool)
    return math.ceil(drop - taken - _EPSILON), pool - taken


def calls(items: Sequence, size: int = MAX_CALL) -> Iterator[Sequence]:
    """Slices of at most `size`, as few as can be."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


# -- requests and answers -----------------------------------------------------------------------

# userErrors that another key puts right, or waiting.
_KEY_CODES = ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED")
_BUSY_CODE = "IDEMPOTENCY_CONCURRENT_REQUEST"
_STALE_CODE = "CHANGE_FROM_QUANTITY_STALE"


@dataclass(frozen=True)
class Refusal:
    """What the `userErrors` of `inventorySetQuantities` say; nothing of the call was done.

    :ivar stale: indexes whose quantity in Shopify is another one than expected
    :ivar bad: ``{index: (code, message)}`` of entries that are refused whatever their quantity
    :ivar rekey: the same call needs another key
    :ivar busy: the same call is still under way at Shopify
    :ivar whole: (code, message) of a refusal that names no entry
    """

    stale: tuple[int, ...] = ()
    bad: dict[int, tuple[str, str]] = None
    rekey: bool = False
    busy: bool = False
    whole: tuple[str, str] | None = None


def read_refusal(errors: Iterable, count: int) -> Refusal:
    """
    :param errors: objects with `field` (path into the arguments), `message`, `code`
    :param count: entries of the call
    """
    stale, bad, whole, rekey, busy = [], {}, None, False, False
    for error in errors:
        code, index = error.code or "", _index(error.field, count)
        if code in _KEY_CODES:
            rekey = True
        elif code == _BUSY_CODE:
            busy = True
        elif index is None:
            whole = whole or (code, error.message)
        elif code == _STALE_CODE:
            stale.append(index)
        else:
            bad.setdefault(index, (code, error.message))
    only_stale = tuple(index for index in dict.fromkeys(stale) if index not in bad)
    return Refusal(only_stale, bad, rekey, busy, whole)


def _index(path: Sequence[str], count: int) -> int | None:
    """`("input", "quantities", "3", "locationId")` -> 3."""
    if len(path) > 2 and path[1] == "quantities" and path[2].isdigit() and int(path[2]) < count:
        return int(path[2])
    return None


@dataclass(frozen=True)
class Level:
    """What Shopify says of an inventory item at a location.

    :ivar tracked: Shopify counts this item at all
    :ivar stocked: the item is active at the location
    """

    tracked: bool
    stocked: bool
    available: int = 0
    on_hand: int = 0

    def quantity(self, name: str) -> int:
        return self.on_hand if name == "on_hand" else self.available


def map_level(node: dict) -> Level:
    """
    :param node: an `InventoryItem` with `tracked` and `inventoryLevel`, null where it never was
    """
    level = node.get("inventoryLevel") or {}
    amounts = {entry["name"]: entry.get("quantity") or 0 for entry in level.get("quantities") or ()}
    return Level(
        tracked=bool(node.get("tracked")),
        stocked=bool(level.get("isActive")),
        available=amounts.get("available", 0),
        on_hand=amounts.get("on_hand", 0),
    )


class Exported(NamedTuple):
    """A line of an export of all levels: an inventory item, or its level at a location.

    :ivar location_gid: None for the item itself, which alone knows whether it is tracked
    """

    item_gid: str
    location_gid: str | None
    tracked: bool
    stocked: bool
    available: int
    on_hand: int


def map_exported(line: dict) -> Exported:
    """
    :param line: of `bulk_query_inventory_levels.graphql`; levels name their item as parent
    """
    item_gid = line.get("__parentId")
    if item_gid is None:
        return Exported(line["id"], None, bool(line.get("tracked")), False, 0, 0)
    level = map_level({"inventoryLevel": line})
    location_gid = line["location"]["id"]
    return Exported(item_gid, location_gid, False, level.stocked, level.available, level.on_hand)


@dataclass(frozen=True)
class Demand:
    """Units of a variant that an order takes out of the stock."""

    variant_gid: str
    quantity: int


def map_demand(node: dict | None) -> tuple[Demand, ...]:
    """What an order takes out of the stock, delivered or not.

    :param node: an `Order` with `cancelledAt`, `lineItems` of `currentQuantity`; None for one
        that is gone
    """
    if not node or node.get("cancelledAt"):
        return ()
    wanted: dict[str, int] = {}
    for line in (node.get("lineItems") or {}).get("nodes") or ():
        variant, quantity = line.get("variant") or {}, line.get("currentQuantity") or 0
        if variant.get("id") and quantity > 0:
            wanted[variant["id"]] = wanted.get(variant["id"], 0) + quantity
    return tuple(Demand(gid, quantity) for gid, quantity in wanted.items())
