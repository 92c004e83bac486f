"""What happens in Odoo when an imported order changes in Shopify: the decision table.

Pure data and functions; the service ``shopify.order.editor`` carries the rules out, one method for
each, and ``docs/edits.rst`` shows the same table to people.
"""

from __future__ import annotations

from dataclasses import dataclass

APPLIED = "applied"
IN_PART = "applied_in_part"
EXCEPTION = "exception"

# What a person can do about an exception: `apply` it all the same, `return` delivered goods,
# `accept` Odoo's order as it is.
CHOICES = ("apply", "return", "accept")

# Of the order; for a change of one line, of that line.
STATES = (
    "quotation",
    "confirmed",
    "partly_delivered",
    "delivered",
    "invoiced",  # a posted invoice, something still to be delivered
    "paid",  # the same, and the invoices are paid
    "invoiced_delivered",
    "paid_delivered",
    "locked",
    "cancelled",  # in Odoo
)

# The store's restocking concerns Shopify's stock, which Odoo's replaces: it decides on nothing.
CANCELLATIONS = (
    "cancelled_restocked_refunded",
    "cancelled_refunded",
    "cancelled_restocked",
    "cancelled",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done, and which choices a person has about what is left."""

    outcome: str
    choices: tuple[str, ...] = ()


RULES = {
    # the quotation is rewritten as Shopify's order is
    "rewrite": Rule(APPLIED),
    # statuses, tags and notes are recorded
    "record": Rule(APPLIED),
    "nothing": Rule(APPLIED),
    # more is ordered: delivered and invoiced in addition
    "add": Rule(APPLIED),
    # less is ordered: what is still here is not delivered
    "take_off": Rule(APPLIED),
    "take_off_open": Rule(IN_PART, ("return", "accept")),
    # every removal is a refund in Shopify, with or without money: its credit note follows
    "take_off_invoiced": Rule(APPLIED),
    "keep_delivered": Rule(EXCEPTION, ("return", "accept")),
    # other amounts of a line
    "reprice": Rule(APPLIED),
    "keep_invoiced": Rule(EXCEPTION, ("apply", "accept")),
    # who and where
    "redirect": Rule(APPLIED),
    "redirect_late": Rule(IN_PART, ("accept",)),
    "rebill": Rule(APPLIED),
    "rebill_late": Rule(IN_PART, ("accept",)),
    "change_customer": Rule(APPLIED),
    "keep_customer": Rule(EXCEPTION, ("apply", "accept")),
    "keep_invoiced_customer": Rule(EXCEPTION, ("accept",)),
    # the end, and its end
    "cancel": Rule(APPLIED),
    "cancel_invoiced": Rule(APPLIED),
    "cancel_unsettled": Rule(IN_PART, ("accept",)),
    "cancel_open": Rule(IN_PART, ("return", "accept")),
    "keep_cancelled": Rule(EXCEPTION, ("return", "accept")),
    "reopen": Rule(EXCEPTION, ("apply", "accept")),
    # nothing is touched
    "keep_locked": Rule(EXCEPTION, ("apply", "accept")),
    "keep_closed": Rule(EXCEPTION, ("accept",)),
}


def _row(*rules, **others):
    """One rule for each state, in this order: quotation, confirmed, partly delivered, delivered,
    invoiced, invoiced and delivered. Paid invoices are treated as others are, unless it is said.
    """
    quotation, confirmed, partly, delivered, invoiced, invoiced_delivered = rules
    return {
        "quotation": quotation,
        "confirmed": confirmed,
        "partly_delivered": partly,
        "delivered": delivered,
        "invoiced": invoiced,
        "paid": invoiced,
        "invoiced_delivered": invoiced_delivered,
        "paid_delivered": invoiced_delivered,
        "locked": "keep_locked",
        "cancelled": "keep_closed",
        **others,
    }


_MORE = _row("rewrite", "add", "add", "add", "add", "add")
_LESS = _row(
    "rewrite", "take_off", "take_off_open", "keep_delivered", "take_off_invoiced", "keep_delivered"
)
_AMOUNT = _row("rewrite", "reprice", "reprice", "reprice", "keep_invoiced", "keep_invoiced")
_REFUNDED = _row(
    "cancel",
    "cancel",
    "cancel_open",
    "keep_cancelled",
    "cancel_invoiced",
    "keep_cancelled",
    cancelled="nothing",
)
_UNSETTLED = _row(
    "cancel",
    "cancel_unsettled",
    "cancel_open",
    "keep_cancelled",
    "cancel_unsettled",
    "keep_cancelled",
    cancelled="nothing",
)

# change -> state -> name of the rule
TABLE: dict[str, dict[str, str]] = {
    "quantity_up": _MORE,
    "quantity_down": _LESS,
    "line_added": _MORE,
    "line_removed": _LESS,
    "discount": _AMOUNT,  # discount, price or taxes of a line
    "shipping": _AMOUNT,  # amount of a shipping line, or its removal
    "shipping_address": _row(
        "rewrite", "redirect", "redirect", "redirect_late", "redirect", "redirect_late"
    ),
    "billing_address": _row("rewrite", "rebill", "rebill", "rebill", "rebill_late", "rebill_late"),
    "customer": _row(
        "rewrite",
        "change_customer",
        "keep_customer",
        "keep_customer",
        "keep_invoiced_customer",
        "keep_invoiced_customer",
    ),
    "tags_notes": dict.fromkeys(STATES, "record"),
    "cancelled_restocked_refunded": _REFUNDED,
    "cancelled_refunded": _REFUNDED,
    "cancelled_restocked": _UNSETTLED,
    "cancelled": _UNSETTLED,
    "reopened": {**dict.fromkeys(STATES, "nothing"), "cancelled": "reopen"},
}
CHANGES = tuple(TABLE)

# What is done instead where a part of what is invoiced was delivered: it stays what it is.
PARTLY_SENT = {
    "take_off_invoiced": "take_off_open",
    "cancel_invoiced": "cancel_open",
    "cancel_unsettled": "cancel_open",
}

# What "Apply Anyway" does instead.
FORCED = {
    "keep_invoiced": "reprice",
    "keep_customer": "change_customer",
    "reopen": "rewrite",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sale order, or one of its lines, has come.

    :ivar state: of the sale order, Odoo's value
    :ivar sent: something was delivered; ``open``: something is still to be
    :ivar invoiced: on a posted invoice and not credited in whole; ``paid``: all of these are paid
    """

    state: str
    locked: bool = False
    sent: bool = False
    open: bool = True
    invoiced: bool = False
    paid: bool = False


def state_of(progress: Progress) -> str:
    """One of :data:`STATES`."""
    if progress.state == "cancel":
        return "cancelled"
    if progress.state != "sale":
        return "quotation"
    if progress.locked:
        return "locked"
    delivered = progress.sent and not progress.open
    if progress.invoiced:
        return ("paid" if progress.paid else "invoiced") + ("_delivered" if delivered else "")
    if delivered:
        return "delivered"
    return "partly_delivered" if progress.sent else "confirmed"


def decide(change: str, state: str, *, sent: bool = False, forced: bool = False) -> str:
    """Name of the rule for a change, see :data:`RULES`.

    :param sent: something was delivered
    :param forced: a person chose to apply what would wait else
    """
    rule = TABLE[change][state]
    if sent:
        rule = PARTLY_SENT.get(rule, rule)
    return FORCED.get(rule, rule) if forced else rule
