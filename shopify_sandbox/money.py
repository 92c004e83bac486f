"""Decimal amounts as Shopify writes them, and their fair division."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

ZERO_DECIMAL_CURRENCIES = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
    ]
)
THREE_DECIMAL_CURRENCIES = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def digits(currency: str) -> int:
    """Decimal places of a currency."""
    if currency in ZERO_DECIMAL_CURRENCIES:
        return 0
    return 3 if currency in THREE_DECIMAL_CURRENCIES else 2


def unit(currency: str) -> Decimal:
    """The smallest amount of a currency, e.g. 0.01."""
    return Decimal(1).scaleb(-digits(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half up to the smallest unit of the currency."""
    return amount.quantize(unit(currency), rounding=ROUND_HALF_UP)


def decimal_text(amount) -> str:
    """The ``Decimal`` scalar: no trailing zeros, at least one decimal ("45.0", "32.29")."""
    text = f"{Decimal(str(amount)):f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def money_text(amount) -> str:
    """The ``Money`` scalar: two decimals at least ("45.00")."""
    amount = Decimal(str(amount))
    return f"{amount:.2f}" if -amount.as_tuple().exponent <= 2 else f"{amount:f}"


def money(amount, currency: str) -> dict:
    """A ``MoneyV2`` of the Admin API."""
    return {"amount": decimal_text(amount), "currencyCode": currency}


def bag(shop_amount, shop_currency: str, amount=None, currency: str | None = None) -> dict:
    """A ``MoneyBag``: shop money, and presentment money (the same when left out)."""
    shop_money = money(shop_amount, shop_currency)
    if amount is None or currency is None:
        return {"shopMoney": shop_money, "presentmentMoney": dict(shop_money)}
    return {"shopMoney": shop_money, "presentmentMoney": money(amount, currency)}


def allocate(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Divide ``total`` by ``weights`` to the smallest unit; the largest remainders get the rest."""
    whole = sum(weights)
    if not whole:
        return [Decimal(0)] * len(weights)
    smallest = unit(currency)
    exact = [total * weight / whole for weight in weights]
    shares = [share.quantize(smallest, rounding=ROUND_DOWN) for share in exact]
    missing = int((total - sum(shares)) / smallest)
    order = sorted(range(len(shares)), key=lambda i: (shares[i] - exact[i], i))
    for index in order[: abs(missing)]:
        shares[index] += smallest if missing > 0 else -smallest
    return shares
