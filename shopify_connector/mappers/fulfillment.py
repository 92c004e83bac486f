"""Fulfilments: what Shopify still waits for, and which calls say that it was shipped.

Pure: from an order of ``order_fulfillment_orders.graphql`` and what was delivered to calls.
Quantities are whole units of the Shopify order line; ``lines`` are ``{gid of the line: units}``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .text import clean, lower, nodes, parse_datetime

# A fulfilment order takes fulfilments in the first two; the third has to be opened by its time.
_READY = ("open", "in_progress")
_FINISHED = ("closed", "cancelled", "incomplete")
# The goods were asked of somebody who ships for the merchant.
_REQUESTED = ("submitted", "accepted", "cancellation_requested")
# Elements of one array in a call. Source: https://shopify.dev/docs/api/usage/limits
MAX_LINES = 250
# By which the clocks of two servers may differ.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Tracking:
    """Tracking of the parcels of one shipment; ``urls`` stand at the places of ``numbers``."""

    company: str = ""
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    def says_more_than(self, known: Tracking) -> bool:
        """Whether Shopify would learn something; links that it made itself are left alone."""
        if not self.numbers:
            return False
        if self.numbers != known.numbers:
            return True
        if self.company and self.company != known.company:
            return True
        return bool(self.urls) and self.urls != known.urls

    def variables(self) -> dict | None:
        """``FulfillmentTrackingInput``, None when there is nothing to say."""
        if not self.numbers:
            return None
        given: dict = {"company": self.company} if self.company else {}
        if len(self.numbers) == 1:
            given["number"] = self.numbers[0]
            if self.urls:
                given["url"] = self.urls[0]
        else:
            given["numbers"] = list(self.numbers)
            if self.urls:
                given["urls"] = list(self.urls)
        return given


@dataclass(frozen=True)
class Hold:
    """A hold on a fulfilment order; ``ours`` was put on it by this app."""

    gid: str
    reason: str
    ours: bool


@dataclass(frozen=True)
class WaitingLine:
    """What remains to be shipped of an order line in one fulfilment order."""

    gid: str
    line_gid: str
    remaining: int
    ships: bool = True
    gift_card: bool = False


@dataclass(frozen=True)
class FulfillmentOrder:
    """Goods that one location is to ship. ``status`` and the other enums are lower case."""

    gid: str
    status: str
    request_status: str
    location_gid: str
    location_name: str
    method: str = ""
    holds: tuple[Hold, ...] = ()
    lines: tuple[WaitingLine, ...] = ()


@dataclass(frozen=True)
class Fulfillment:
    """A parcel, or several, that Shopify knows of; ``created_at`` is naive UTC."""

    gid: str
    name: str
    status: str
    location_gid: str
    created_at: datetime | None
    tracking: Tracking = Tracking()
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def cancelled(self) -> bool:
        """Whether nothing was shipped by it."""
        return self.status in ("cancelled", "error", "failure")


@dataclass(frozen=True)
class OrderState:
    """An order as far as shipping goes."""

    gid: str
    name: str
    cancelled: bool
    orders: tuple[FulfillmentOrder, ...]
    fulfillments: tuple[Fulfillment, ...]

    def fulfillment(self, gid: str) -> Fulfillment | None:
        return next((item for item in self.fulfillments if item.gid == gid), None)


@dataclass(frozen=True)
class Create:
    """One ``fulfillmentCreate``: fulfilment orders of one location.

    :ivar takes: ``((gid of the fulfilment order, ((gid of its line, units), ...)), ...)``
    :ivar lines: the same by order line
    """

    location_gid: str
    takes: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]
    lines: Mapping[str, int]

    def variables(self, tracking: Tracking, notify: bool) -> dict:
        """Variables of ``fulfillment_create.graphql``."""
        given: dict = {
            "lineItemsByFulfillmentOrder": [
                {
                    "fulfillmentOrderId": gid,
                    "fulfillmentOrderLineItems": [
                        {"id": line, "quantity": quantity} for line, quantity in lines
                    ],
                }
                for gid, lines in self.takes
            ],
            "notifyCustomer": notify,
        }
        info = tracking.variables()
        if info:
            given["trackingInfo"] = info
        return {"fulfillment": given}


@dataclass(frozen=True)
class Move:
    """One ``fulfillmentOrderMove``: the goods are shipped from elsewhere."""

    gid: str
    location_gid: str
    lines: tuple[tuple[str, int], ...]

    def variables(self) -> dict:
        """Variables of ``fulfillment_order_move.graphql``."""
        return {
            "id": self.gid,
            "newLocationId": self.location_gid,
            "fulfillmentOrderLineItems": [
                {"id": gid, "quantity": quantity} for gid, quantity in self.lines
            ],
        }


@dataclass(frozen=True)
class Release:
    """One ``fulfillmentOrderReleaseHold`` of holds of our own."""

    gid: str
    holds: tuple[str, ...]

    def variables(self) -> dict:
        """Variables of ``fulfillment_order_release_hold.graphql``."""
        return {"id": self.gid, "holdIds": list(self.holds)}


@dataclass(frozen=True)
class Problem:
    """Units that cannot be fulfilled.

    :ivar reason: ``hold``, ``location``, ``service`` (asked of a fulfilment service),
        ``scheduled``, ``elsewhere`` (fulfilled by somebody else), ``not_asked`` (in no fulfilment
        order, as what needs no shipping) or ``nothing_left``
    :ivar what: for people: the reason of the hold, or the name of the location
    """

    reason: str
    line_gid: str
    quantity: int
    what: str = ""


# They go by when somebody does something about them; nothing is sent before.
BLOCKING = ("hold", "location", "service", "scheduled")


@dataclass(frozen=True)
class Plan:
    """How to tell of one shipment. Moves and releases come first; then one has to look again."""

    creates: tuple[Create, ...] = ()
    moves: tuple[Move, ...] = ()
    releases: tuple[Release, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def blocked(self) -> tuple[Problem, ...]:
        """Problems for which the whole shipment waits: its customer is mailed once."""
        return tuple(problem for problem in self.problems if problem.reason in BLOCKING)


# === READING === #


def map_order_state(node: Mapping) -> OrderState:
    """:param node: of ``order_fulfillment_orders.graphql``, all pages appended"""
    return OrderState(
        gid=node["id"],
        name=clean(node.get("name")),
        cancelled=bool(node.get("cancelledAt")),
        orders=tuple(_fulfillment_order(item) for item in nodes(node.get("fulfillmentOrders"))),
        fulfillments=map_fulfillments(node),
    )


def map_fulfillments(node: Mapping) -> tuple[Fulfillment, ...]:
    """The fulfilments of an order, in Shopify's order."""
    return tuple(_fulfillment(item) for item in nodes(node.get("fulfillments")))


def _fulfillment_order(node: Mapping) -> FulfillmentOrder:
    place = node.get("assignedLocation") or {}
    return FulfillmentOrder(
        gid=node["id"],
        status=lower(node.get("status")),
        request_status=lower(node.get("requestStatus")),
        location_gid=(place.get("location") or {}).get("id") or "",
        location_name=clean(place.get("name")),
        method=lower((node.get("deliveryMethod") or {}).get("methodType")),
        holds=tuple(_hold(item) for item in node.get("fulfillmentHolds") or ()),
        lines=tuple(_waiting_line(item) for item in nodes(node.get("lineItems"))),
    )


def _hold(node: Mapping) -> Hold:
    parts = (clean(node.get("displayReason")), clean(node.get("reasonNotes")))
    return Hold(
        gid=node["id"],
        reason=": ".join(part for part in parts if part),
        ours=bool(node.get("heldByRequestingApp")),
    )


def _waiting_line(node: Mapping) -> WaitingLine:
    line = node.get("lineItem") or {}
    return WaitingLine(
        gid=node["id"],
        line_gid=line.get("id") or "",
        remaining=node.get("remainingQuantity") or 0,
        ships=line.get("requiresShipping") is not False,
        gift_card=bool(line.get("isGiftCard")),
    )


def _fulfillment(node: Mapping) -> Fulfillment:
    lines: dict[str, int] = {}
    for item in nodes(node.get("fulfillmentLineItems")):
        gid = (item.get("lineItem") or {}).get("id")
        if gid:
            lines[gid] = lines.get(gid, 0) + (item.get("quantity") or 0)
    return Fulfillment(
        gid=node["id"],
        name=clean(node.get("name")),
        status=lower(node.get("status")),
        location_gid=(node.get("location") or {}).get("id") or "",
        created_at=parse_datetime(node.get("createdAt")),
        tracking=_tracking(node.get("trackingInfo") or ()),
        lines=lines,
    )


def _tracking(infos: Sequence[Mapping]) -> Tracking:
    found = [info for info in infos if clean(info.get("number"))]
    urls = tuple(clean(info.get("url")) for info in found)
    return Tracking(
        company=next((clean(info.get("company")) for info in infos if info.get("company")), ""),
        numbers=tuple(clean(info["number"]) for info in found),
        urls=urls if all(urls) else (),
    )


def split_numbers(text: str | None) -> tuple[str, ...]:
    """Tracking numbers as carriers' addons join them: by comma, semicolon, plus or line."""
    parts = (clean(part) for part in re.split(r"[,;+\n]", text or ""))
    return tuple(dict.fromkeys(part for part in parts if part))


# === PLANNING === #


def allocate(
    state: OrderState,
    lines: Mapping[str, int],
    locations: Collection[str] | None,
    *,
    move: bool = False,
    release: bool = False,
    taken: Collection[str] = (),
    reserved: Mapping[str, int] | None = None,
) -> Plan:
    """Find the fulfilment orders that a shipment takes from.

    :param locations: where it was shipped from, the most fitting first; None for anywhere
    :param move: goods that are to be shipped from elsewhere are moved to the first of them
    :param release: holds are released that are all our own
    :param taken: gids of fulfilments that other shipments account for
    :param reserved: units by gid of a fulfilment order's line that other shipments take
    """
    reserved = reserved or {}
    chosen: dict[str, dict[str, int]] = {}
    problems: list[Problem] = []
    ranked = sorted(
        (order for order in state.orders if order.status not in _FINISHED),
        key=lambda order: _rank(order, locations),
    )
    free = {
        line.gid: line.remaining - reserved.get(line.gid, 0)
        for order in ranked
        for line in order.lines
    }
    for line_gid, wanted in lines.items():
        left = wanted
        for order, line in _places(ranked, line_gid):
            part = min(left, free[line.gid])
            if part > 0:
                chosen.setdefault(order.gid, {})[line.gid] = part
                free[line.gid] -= part
                left -= part
        if left > 0:
            problems += _left_over(state, line_gid, left, taken)
    creates, moves, releases = [], [], []
    for order in ranked:
        if order.gid not in chosen:
            continue
        takes = tuple(chosen[order.gid].items())
        obstacle = _obstacle(order, locations, move, release)
        if obstacle:
            reason, what = obstacle
            names = {line.gid: line.line_gid for line in order.lines}
            problems += [Problem(reason, names[gid], count, what) for gid, count in takes]
        elif order.status == "on_hold":
            releases.append(Release(order.gid, tuple(hold.gid for hold in order.holds)))
        elif _fits(order, locations):
            creates.append((order, takes))
        else:
            moves.append(Move(order.gid, next(iter(locations)), takes))
    return Plan(tuple(_by_location(creates)), tuple(moves), tuple(releases), tuple(problems))


def digital_lines(state: OrderState) -> Iterator[dict[str, int]]:
    """Open lines that nobody carries anywhere: gift cards, then the others, each apart."""
    for gift_card in (True, False):
        found: dict[str, int] = {}
        for order in state.orders:
            if order.status in _FINISHED:
                continue
            for line in order.lines:
                if not line.ships and line.gift_card is gift_card and line.remaining > 0:
                    found[line.line_gid] = found.get(line.line_gid, 0) + line.remaining
        if found:
            yield found


def find_existing(
    state: OrderState,
    lines: Mapping[str, int],
    numbers: Collection[str],
    taken: Collection[str],
    since: datetime | None = None,
) -> Fulfillment | None:
    """The fulfilment that a shipment has already, made by us before an answer got lost, or by hand.

    Without tracking numbers it is only taken for ours when we tried, at ``since`` (naive UTC).
    """
    for item in state.fulfillments:
        if item.cancelled or item.gid in taken or dict(item.lines) != dict(lines):
            continue
        if numbers:
            if set(item.tracking.numbers) == set(numbers):
                return item
        elif since and item.created_at and item.created_at >= since - CLOCK_SKEW:
            return item
    return None


def _rank(order: FulfillmentOrder, locations: Collection[str] | None) -> tuple:
    places = list(locations or ())
    fits = _fits(order, locations)
    place = places.index(order.location_gid) if order.location_gid in places else len(places)
    return (order.status == "on_hold", order.status not in _READY, not fits, place, order.gid)


def _fits(order: FulfillmentOrder, locations: Collection[str] | None) -> bool:
    return locations is None or order.location_gid in locations


def _places(
    orders: Iterable[FulfillmentOrder], line_gid: str
) -> Iterator[tuple[FulfillmentOrder, WaitingLine]]:
    for order in orders:
        for line in order.lines:
            if line.line_gid == line_gid:
                yield order, line


def _obstacle(
    order: FulfillmentOrder, locations: Collection[str] | None, move: bool, release: bool
) -> tuple[str, str] | None:
    """Why nothing can be taken from this fulfilment order, and what is in the way."""
    if order.status == "on_hold":
        if release and order.holds and all(hold.ours for hold in order.holds):
            return None
        return "hold", "; ".join(hold.reason for hold in order.holds)
    if not _fits(order, locations):
        if order.request_status in _REQUESTED:
            return "service", order.location_name
        if not move:
            return "location", order.location_name
    if order.status not in _READY:
        return "scheduled", order.location_name
    return None


def _left_over(
    state: OrderState, line_gid: str, quantity: int, taken: Collection[str]
) -> Iterator[Problem]:
    """Units that no fulfilment order waits for: somebody else has fulfilled them, or nobody."""
    others = sum(
        item.lines.get(line_gid, 0)
        for item in state.fulfillments
        if not item.cancelled and item.gid not in taken
    )
    elsewhere = min(quantity, others)
    if elsewhere:
        yield Problem("elsewhere", line_gid, elsewhere)
    if quantity > elsewhere:
        asked = any(line.line_gid == line_gid for order in state.orders for line in order.lines)
        reason = "nothing_left" if asked else "not_asked"
        yield Problem(reason, line_gid, quantity - elsewhere)


def _by_location(creates: list) -> Iterator[Create]:
    """One call per location and at most 250 lines."""
    places: dict[str, list] = {}
    for order, takes in creates:
        names = {line.gid: line.line_gid for line in order.lines}
        for gid, count in takes:
            places.setdefault(order.location_gid, []).append((order.gid, gid, names[gid], count))
    for location_gid, parts in places.items():
        for start in range(0, len(parts), MAX_LINES):
            takes, lines = {}, {}
            for order_gid, gid, line_gid, count in parts[start : start + MAX_LINES]:
                takes.setdefault(order_gid, []).append((gid, count))
                lines[line_gid] = lines.get(line_gid, 0) + count
            yield Create(
                location_gid, tuple((gid, tuple(found)) for gid, found in takes.items()), lines
            )
