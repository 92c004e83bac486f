"""Taxes: what identifies one, and how much of it a line bears."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from .errors import MappingError
from .money import Money, MoneyBag


@dataclass(frozen=True, slots=True)
class TaxKey:
    """What a tax is mapped by. Two tax lines with equal keys are one tax for the books.

    ``rate`` is a fraction (``Decimal("0.0725")`` for 7.25 %) without trailing zeros, or None where
    Shopify states none. ``country_code`` is where the goods go (the store's country otherwise).
    """

    title: str
    rate: Decimal | None
    included: bool
    country_code: str | None
    channel_liable: bool

    @property
    def percent(self) -> Decimal | None:
        """The rate in percent, e.g. ``Decimal("7.25")``."""
        return None if self.rate is None else (self.rate * 100).normalize() + 0


@dataclass(frozen=True, slots=True)
class TaxAmount:
    """An amount of one tax, in the order's currency and in the store's."""

    key: TaxKey
    amount: Money
    shop_amount: Money


_RATES: dict[float | int | str, Decimal] = {}


def parse_rate(value: float | int | str | None) -> Decimal | None:
    """Read a rate by its shortest decimal writing: 0.07250 is ``Decimal("0.0725")``."""
    if value is None:
        return None
    rate = _RATES.get(value)
    if rate is None:
        rate = Decimal(str(value)).normalize()
        if rate == 0:
            rate = Decimal(0)
        if len(_RATES) < 10_000:
            _RATES[value] = rate
    return rate


def map_taxes(
    tax_lines: Iterable[Mapping] | None,
    *,
    policy: str,
    included: bool,
    country_code: str | None,
    path: str,
) -> tuple[TaxAmount, ...]:
    """Map the ``taxLines`` of one line; lines of one key are added up, none is lost.

    Taxes of zero are kept: a 0 % tax is a statement that the books need.

    :param policy: ``shop`` or ``presentment``, the currency of ``amount``
    :raises MappingError: a tax line without an amount
    """
    if not tax_lines:
        return ()
    found: dict[TaxKey, TaxAmount] = {}
    for position, node in enumerate(tax_lines):
        bag = MoneyBag.parse(node.get("priceSet"))
        if bag is None:
            raise MappingError(f"{path}.taxLines[{position}].priceSet", "the tax has no amount")
        key = TaxKey(
            title=(node.get("title") or "").strip(),
            rate=parse_rate(node.get("rate")),
            included=included,
            country_code=country_code,
            channel_liable=bool(node.get("channelLiable")),
        )
        amount, shop_amount = bag.pick(policy), bag.shop
        known = found.get(key)
        if known is not None:
            amount, shop_amount = known.amount + amount, known.shop_amount + shop_amount
        found[key] = TaxAmount(key, amount, shop_amount)
    return tuple(found.values())


def sum_taxes(taxes: Iterable[TaxAmount]) -> tuple[TaxAmount, ...]:
    """Add up tax amounts of several lines by key, in the order of first appearance."""
    found: dict[TaxKey, TaxAmount] = {}
    for tax in taxes:
        known = found.get(tax.key)
        found[tax.key] = (
            tax
            if known is None
            else TaxAmount(tax.key, known.amount + tax.amount, known.shop_amount + tax.shop_amount)
        )
    return tuple(found.values())
