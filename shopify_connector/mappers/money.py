"""Money: an exact amount that never loses its currency.

Amounts are :class:`decimal.Decimal` in major units (``Decimal("12.50")`` dollars), currencies are
ISO 4217 codes. Nothing here rounds by itself: Shopify's amounts are kept as Shopify states them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation

# Currencies whose number of decimals is not 2 (ISO 4217, list one).
_CURRENCIES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
CURRENCY_DIGITS = {
    code: digits for digits, codes in _CURRENCIES_BY_DIGITS.items() for code in codes.split()
}

ZERO = Decimal(0)


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were combined."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(f"Cannot combine amounts in {left} and in {right}.")
        self.left = left
        self.right = right


def currency_digits(currency: str) -> int:
    """Return the number of decimals of an ISO 4217 currency (2 unless listed otherwise)."""
    return CURRENCY_DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units of one currency.

    Zero is false: where None is possible compare with it, ``money or default`` loses zeros.
    """

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, node: Mapping | None) -> Money | None:
        """Read a ``MoneyV2`` node ``{"amount": "10.0", "currencyCode": "USD"}``; null gives None.

        :raises ValueError: the amount is not a finite decimal number
        """
        if node is None:
            return None
        text = node["amount"]
        try:
            amount = Decimal(text if isinstance(text, str) else str(text))
        except InvalidOperation:
            raise ValueError(f"{text!r} is not an amount of money.") from None
        if not amount.is_finite():
            raise ValueError(f"{text!r} is not an amount of money.")
        return cls(amount, node["currencyCode"])

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(ZERO, currency)

    @classmethod
    def sum(cls, moneys: Iterable[Money], currency: str) -> Money:
        """Add up ``moneys``; an empty iterable is zero ``currency``.

        :raises CurrencyMismatch: one of them is not in ``currency``
        """
        total = ZERO
        for money in moneys:
            if money.currency != currency:
                raise CurrencyMismatch(currency, money.currency)
            total += money.amount
        return cls(total, currency)

    def _check(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)

    def __add__(self, other: Money) -> Money:
        self._check(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._check(other)
        return Money(self.amount - other.amount, self.currency)

    def __mul__(self, factor: int) -> Money:
        return Money(self.amount * factor, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{self.quantize().amount} {self.currency}"

    def quantize(self, currency: str | None = None) -> Money:
        """Round half up to the decimals of ``currency`` (own currency by default)."""
        digits = currency_digits(currency or self.currency)
        exponent = Decimal(1).scaleb(-digits)
        return Money(self.amount.quantize(exponent, ROUND_HALF_UP), self.currency)


@dataclass(frozen=True, slots=True)
class MoneyBag:
    """One amount in the store's currency and in the currency that the customer saw."""

    shop: Money
    presentment: Money

    @classmethod
    def parse(cls, node: Mapping | None) -> MoneyBag | None:
        """Read a ``MoneyBag`` node; null gives None.

        Where only ``shopMoney`` was asked for, it stands for both.
        """
        if node is None:
            return None
        shop = Money.parse(node["shopMoney"])
        other = node.get("presentmentMoney")
        if other is None or other == node["shopMoney"]:
            return cls(shop, shop)
        return cls(shop, Money.parse(other))

    def pick(self, policy: str) -> Money:
        """Return the amount of the store's currency policy, ``shop`` or ``presentment``."""
        if policy == "shop":
            return self.shop
        if policy == "presentment":
            return self.presentment
        raise ValueError(f"Unknown currency policy {policy!r}: shop or presentment.")


def allocate(
    total: Money, weights: Sequence[int | Decimal], digits: int | None = None
) -> tuple[Money, ...]:
    """Split ``total`` by ``weights`` with the largest remainder; the parts sum to it exactly.

    Parts have ``digits`` decimals (those of the currency by default). What is finer than that in
    ``total`` goes to the last part that has a weight. All weights zero: the first part takes all.

    :raises ValueError: no weights, or a negative one
    """
    if not weights:
        raise ValueError("Nothing to allocate to: no weights were given.")
    if any(weight < 0 for weight in weights):
        raise ValueError("Weights cannot be negative.")
    whole = sum(weights)
    if not whole:
        weights, whole = [1] + [0] * (len(weights) - 1), 1
    if digits is None:
        digits = currency_digits(total.currency)
    unit = Decimal(1).scaleb(-digits)
    sign = -1 if total.amount < 0 else 1
    units = (abs(total.amount) / unit).to_integral_value(ROUND_FLOOR)
    exact = [units * Decimal(weight) / Decimal(whole) for weight in weights]
    shares = [share.to_integral_value(ROUND_FLOOR) for share in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: int(units - sum(shares))]:
        shares[i] += 1
    amounts = [share * unit * sign for share in shares]
    last = max(i for i, weight in enumerate(weights) if weight)
    amounts[last] += total.amount - sum(amounts)
    return tuple(Money(amount, total.currency) for amount in amounts)
