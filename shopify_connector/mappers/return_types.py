"""Returns as the connector sees them: frozen data.

A return is a plan. Its status moves neither money nor goods; what was processed does: refunds
(money and units) and dispositions (where the goods went). Currencies, dates and enum values are
as in :mod:`.refund_types`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .money import Money


@dataclass(frozen=True, slots=True)
class ReturnFee:
    """What the merchant keeps for a return; a positive amount.

    ``kind`` is restocking or return_shipping.
    """

    gid: str
    kind: str
    amount: Money
    shop_amount: Money
    customer_amount: Money
    percentage: float | None = None


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units of one order line that are to come back.

    ``line_gid`` is empty for goods that could not be traced to a line (unverified).
    """

    gid: str
    line_gid: str
    quantity: int
    processed_quantity: int
    refunded_quantity: int
    reason: str = ""
    reason_name: str = ""
    note: str = ""
    customer_note: str = ""
    fulfillment_line_gid: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """What the customer gets instead; once processed it is a line of the order (``line_gids``)."""

    gid: str
    quantity: int
    processed_quantity: int
    product_gid: str = ""
    variant_gid: str = ""
    sku: str = ""
    title: str = ""
    line_gids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Disposition:
    """What became of returned units.

    ``kind``: restocked, not_restocked, processing_required, missing.
    """

    gid: str
    kind: str
    quantity: int
    location_gid: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReverseLine:
    gid: str
    line_gid: str
    quantity: int
    dispositions: tuple[Disposition, ...] = ()


@dataclass(frozen=True, slots=True)
class ReverseOrder:
    """The goods on their way back to one place. ``status``: open, closed, canceled."""

    gid: str
    status: str
    lines: tuple[ReverseLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Return:
    """A return of an order. ``status``: requested, open, closed, canceled, declined.

    ``problem`` says why the content is not known.
    """

    gid: str
    name: str = ""
    status: str = ""
    created_at: datetime | None = None
    approved_at: datetime | None = None
    closed_at: datetime | None = None
    decline_reason: str = ""
    decline_note: str = ""
    lines: tuple[ReturnLine, ...] = ()
    exchanges: tuple[ExchangeLine, ...] = ()
    fees: tuple[ReturnFee, ...] = ()
    refund_gids: tuple[str, ...] = ()
    reverse_orders: tuple[ReverseOrder, ...] = ()
    problem: str = ""
