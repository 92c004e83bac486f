"""The order as the connector sees it: frozen data, no behaviour beyond sums.

Every :class:`~.money.Money` of an order is in ``Order.currency`` (the store's or the customer's,
by the currency policy); fields named ``shop_*`` are in ``Order.shop_currency``, which the books
need beside it. Dates are naive UTC. Absent texts are empty strings. Enum values are Shopify's own
in lower case, also those that this version does not know.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from .address import Address
from .customer import Company, Customer
from .money import Money, MoneyBag, currency_digits
from .refund_types import Refund
from .return_types import Return
from .tax import TaxAmount, TaxKey, sum_taxes

LINE_KINDS = ("product", "custom", "gift_card", "tip", "shipping", "duty", "fee")
GOODS_KINDS = frozenset({"product", "custom", "gift_card"})


@dataclass(frozen=True, slots=True)
class Discount:
    """A positive amount taken off one line.

    ``kind`` is manual, automatic, code or script. ``target`` is line_item or shipping_line.
    ``order_level``: given on the whole order and spread over its lines, not on chosen lines.
    """

    amount: Money
    shop_amount: Money
    kind: str
    code_or_title: str
    target: str = "line_item"
    order_level: bool = False


@dataclass(frozen=True, slots=True)
class LineGroup:
    """The bundle that a line is a component of."""

    gid: str
    title: str
    quantity: int
    product_gid: str = ""
    variant_gid: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of the order, as ordered.

    ``gross`` is ``unit_price * quantity``, ``net`` is ``gross`` less ``discounts``, both as Shopify
    states prices: with tax where ``taxes_included``. ``quantity`` is what was ordered and never
    changes by refunds; ``current_quantity`` is what is left of it. ``sent_quantity`` is what was
    fulfilled and ``waiting_quantity`` what still waits for it; None where that was not read.

    ``code``, ``source`` and ``carrier`` speak of shipping lines. ``parent_gid`` is the line that a
    duty is charged for.
    """

    kind: str
    gid: str
    title: str
    quantity: int
    current_quantity: int
    unit_price: Money
    gross: Money
    net: Money
    shop_net: Money
    taxes_included: bool
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[TaxAmount, ...] = ()
    parent_gid: str = ""
    product_gid: str = ""
    variant_gid: str = ""
    sku: str = ""
    barcode: str = ""
    variant_title: str = ""
    name: str = ""
    vendor: str = ""
    requires_shipping: bool = False
    is_gift_card: bool = False
    taxable: bool = True
    attributes: tuple[tuple[str, str], ...] = ()
    selling_plan: str = ""
    group: LineGroup | None = None
    code: str = ""
    source: str = ""
    carrier: str = ""
    sent_quantity: int | None = None
    waiting_quantity: int | None = None

    @property
    def tax_total(self) -> Money:
        return Money.sum((tax.amount for tax in self.taxes), self.net.currency)

    @property
    def discount_total(self) -> Money:
        return self.gross - self.net

    @property
    def total_excluded(self) -> Money:
        return self.net - self.tax_total if self.taxes_included else self.net

    @property
    def total_included(self) -> Money:
        return self.net if self.taxes_included else self.net + self.tax_total

    @property
    def shop_tax_total(self) -> Money:
        return Money.sum((tax.shop_amount for tax in self.taxes), self.shop_net.currency)

    @property
    def shop_total_excluded(self) -> Money:
        return self.shop_net - self.shop_tax_total if self.taxes_included else self.shop_net

    @property
    def shop_total_included(self) -> Money:
        return self.shop_net if self.taxes_included else self.shop_net + self.shop_tax_total

    def without_taxes(self, keys: Collection[TaxKey]) -> OrderLine:
        """The line as if these taxes had never been charged; what is left stays to the cent.

        Where prices include tax, ``net`` goes down by the taxes, and so does ``unit_price``, to
        whole cents; ``total_excluded`` is the same before and after.
        """
        gone = [tax for tax in self.taxes if tax.key in keys]
        if not gone:
            return self
        taxes = tuple(tax for tax in self.taxes if tax.key not in keys)
        if not self.taxes_included:
            return replace(self, taxes=taxes)
        net = self.net - Money.sum((tax.amount for tax in gone), self.net.currency)
        shop_net = self.shop_net - Money.sum(
            (tax.shop_amount for tax in gone), self.shop_net.currency
        )
        unit_price = self.unit_price
        if self.net:
            # down: a line without discount then shows none
            cent = Decimal(1).scaleb(-currency_digits(net.currency))
            amount = unit_price.amount * net.amount / self.net.amount
            unit_price = Money(amount.quantize(cent, ROUND_DOWN), net.currency)
        return replace(
            self,
            taxes=taxes,
            net=net,
            shop_net=shop_net,
            unit_price=unit_price,
            gross=unit_price * self.quantity,
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """Shopify's own totals of the ordered quantities, before refunds and returns.

    ``total``, ``tax``, ``shipping``, ``discount`` and ``subtotal`` are what :func:`~.proof.prove`
    compares with the lines. None where Shopify gives no figure. ``current_total`` is after edits,
    refunds and returns. ``cash_rounding`` belongs to the payment, not to the total.
    """

    total: Money
    tax: Money | None
    shipping: Money | None
    discount: Money | None
    subtotal: Money | None
    tip: Money
    duties: Money
    fees: Money
    refunded: Money
    refunded_shipping: Money
    received: Money
    outstanding: Money
    current_total: Money
    cash_rounding: Money


@dataclass(frozen=True, slots=True)
class TransactionFee:
    """What the payment provider keeps (Shopify Payments only), in the payout's currency."""

    kind: str
    amount: Money
    tax_amount: Money | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """One movement (or attempt) of money. Only status ``success`` moved anything.

    ``kind``: authorization, sale, capture, refund, void, change ... ``rounding`` is the cash
    rounding of this payment.
    """

    gid: str
    kind: str
    status: str
    amount: MoneyBag
    gateway: str = ""
    formatted_gateway: str = ""
    manual: bool = False
    processed_at: datetime | None = None
    parent_gid: str = ""
    payment_id: str = ""
    test: bool = False
    rounding: MoneyBag | None = None
    settlement_currency: str = ""
    settlement_rate: Decimal | None = None
    fees: tuple[TransactionFee, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """When a business customer pays. ``kind``: net, fixed, receipt, fulfillment, unknown."""

    name: str
    kind: str
    due_in_days: int | None = None
    due_dates: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A Shopify order.

    ``risk`` is Shopify's recommendation (none, accept, investigate, cancel), ``risk_level`` the
    highest level that was assessed (none, low, medium, high, pending).
    ``refunds`` are oldest first. ``returns`` are empty also where the app may not read them.
    ``warnings`` tell the user what was understood in an unusual way.
    ``metafields`` are pairs of ``namespace.key`` and text; only those that were asked for.
    ``shrunk`` are lines off which units were taken before they were delivered, with what is left
    (:mod:`~.taken_off`), ``taken_before`` are line gids with the units of which that is known from
    an earlier reading, ``refunds_before`` the gids of the refunds that it was of, ``left_out`` are
    taxes that are not to be booked, see :attr:`booked_lines`; ``lines`` and ``totals`` are
    Shopify's all the same.
    """

    gid: str
    legacy_id: str
    name: str
    number: int
    currency: str
    shop_currency: str
    presentment_currency: str
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    totals: Totals
    lines: tuple[OrderLine, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    refunds: tuple[Refund, ...] = ()
    returns: tuple[Return, ...] = ()
    confirmation_number: str = ""
    cancelled_at: datetime | None = None
    closed_at: datetime | None = None
    taxes_included: bool = False
    tax_exempt: bool = False
    duties_included: bool = False
    test: bool = False
    edited: bool = False
    confirmed: bool = True
    financial_status: str = ""
    fulfillment_status: str = ""
    return_status: str = ""
    cancel_reason: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    source_name: str = ""
    channel: str = ""
    channel_handle: str = ""
    app_name: str = ""
    po_number: str = ""
    locale: str = ""
    email: str = ""
    phone: str = ""
    risk: str = "none"
    risk_level: str = "none"
    discount_codes: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    customer: Customer | None = None
    company: Company | None = None
    billing: Address | None = None
    shipping: Address | None = None
    location_gid: str = ""
    payment_terms: PaymentTerms | None = None
    warnings: tuple[str, ...] = ()
    shrunk: tuple[OrderLine, ...] = ()
    taken_before: tuple[tuple[str, int], ...] = ()
    refunds_before: frozenset[str] = frozenset()
    left_out: frozenset[TaxKey] = frozenset()
    metafields: tuple[tuple[str, str], ...] = ()

    @property
    def kept_lines(self) -> tuple[OrderLine, ...]:
        """The lines less the units that were taken off before they were delivered.

        An order that was cancelled shows what had been ordered.
        """
        if not self.shrunk or self.cancelled_at is not None:
            return self.lines
        shrunk = {line.gid: line for line in self.shrunk}
        return tuple(shrunk.get(line.gid, line) for line in self.lines)

    @property
    def booked_lines(self) -> tuple[OrderLine, ...]:
        """The lines as they are booked: those kept, less the taxes that are left out."""
        if not self.left_out:
            return self.kept_lines
        return tuple(line.without_taxes(self.left_out) for line in self.kept_lines)

    @property
    def taxes(self) -> tuple[TaxAmount, ...]:
        """All taxes of the order by key."""
        return sum_taxes(tax for line in self.lines for tax in line.taxes)

    @property
    def paid(self) -> Money:
        """What the customer has paid so far, refunds taken off: successful money only."""
        policy = "shop" if self.currency == self.shop_currency else "presentment"
        total = Money.zero(self.currency)
        for transaction in self.transactions:
            if transaction.status != "success":
                continue
            if transaction.kind in ("sale", "capture"):
                total += transaction.amount.pick(policy)
            elif transaction.kind in ("refund", "change"):
                total -= transaction.amount.pick(policy)
        return total
