"""Units that came back, or were given up, by what was processed: never by a status.

A processed return states the same units twice: as dispositions of the goods and as lines of its
refund. Whichever says more counts, and the other is a part of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from .order_types import Order
from .refund_types import RefundLine
from .return_types import Return
from .taken_off import RESTOCKED, is_taken_off, unsent_units

RETURN, DISCARD, UNSENT = "return", "discard", "unsent"


@dataclass(frozen=True, slots=True)
class GoodsBack:
    """Units of one line that somebody processed at one time.

    ``kind``: return (they are to be sold again), discard (refunded or received, and not put back
    into stock) or unsent (the same of units that never left). ``location_gid`` is where Shopify put
    them, empty where it does not say. ``refund_gid`` and ``return_gid`` name what they came with.
    """

    kind: str
    quantity: int
    location_gid: str = ""
    refund_gid: str = ""
    return_gid: str = ""

    @property
    def values(self) -> list:
        """What :class:`GoodsBack` takes, as a JSON value."""
        return [self.kind, self.quantity, self.location_gid, self.refund_gid, self.return_gid]


def goods_back(order: Order) -> dict[str, list[GoodsBack]]:
    """``{line gid: [GoodsBack]}``, oldest first.

    The sum of a line only ever grows, so whoever remembers how many units were dealt with knows
    which are new. Units that were taken off the order before they were sent, by a refund that
    cancels them or by an edit, are not among them.
    """
    known = {item.gid: item for item in order.returns if not item.problem}
    found: dict[str, list] = defaultdict(list)
    groups: dict[tuple[str, str], _Group] = {}
    unsent = unsent_units(order)
    for refund in order.refunds:
        for line in refund.lines:
            if refund.return_gid in known:
                key = (refund.return_gid, line.line_gid)
                groups.setdefault(key, _Group()).refunded.append((refund, line))
                continue
            kind = "" if is_taken_off(refund, line) else _kind(line)
            stayed = min(line.quantity, unsent[line.line_gid]) if kind == DISCARD else 0
            unsent[line.line_gid] -= stayed
            for part, units in ((UNSENT, stayed), (kind, line.quantity - stayed)):
                if part and units:
                    goods = _of_refund(part, units, refund, line)
                    found[line.line_gid].append((refund.created_at, goods))
    for item in known.values():
        for line_gid, dispositions in _dispositions(item):
            groups.setdefault((item.gid, line_gid), _Group()).disposed += dispositions
    for (return_gid, line_gid), group in groups.items():
        found[line_gid] += group.goods(return_gid)
    return {
        line_gid: [goods for _at, goods in sorted(dated, key=lambda item: str(item[0] or ""))]
        for line_gid, dated in found.items()
        if line_gid and dated
    }


def _kind(line: RefundLine) -> str:
    if line.restock_type in RESTOCKED:
        return RETURN
    return DISCARD if line.restock_type == "no_restock" else ""


def _of_refund(kind: str, quantity: int, refund, line: RefundLine) -> GoodsBack:
    return GoodsBack(kind, quantity, line.location_gid, refund.gid, refund.return_gid)


def _dispositions(item: Return) -> Iterable[tuple[str, list]]:
    for reverse in item.reverse_orders:
        for line in reverse.lines:
            yield line.line_gid, list(line.dispositions)


class _Group:
    """What one return says of one line: dispositions, and lines of its refunds."""

    def __init__(self) -> None:
        self.disposed: list = []
        self.refunded: list = []

    def goods(self, return_gid: str) -> Iterable[tuple[datetime | None, GoodsBack]]:
        """``(when, GoodsBack)``; refunds add what no disposition says."""
        units: Counter = Counter()
        for item in self.disposed:
            units[item.kind] += item.quantity
            kind = {"restocked": RETURN, "not_restocked": DISCARD}.get(item.kind)
            if kind and item.quantity:
                goods = GoodsBack(kind, item.quantity, item.location_gid, "", return_gid)
                yield item.created_at, self._named(goods)
        covered = {RETURN: units["restocked"], DISCARD: units.total()}
        for refund, line in self.refunded:
            kind = _kind(line)
            if not kind:
                continue
            told = min(line.quantity, covered[kind])
            covered[kind] -= told
            if line.quantity > told:
                yield (
                    refund.created_at,
                    _of_refund(kind, line.quantity - told, refund, line),
                )

    def _named(self, goods: GoodsBack) -> GoodsBack:
        """With the refund of the return, where there is only one."""
        refunds = {refund.gid for refund, _line in self.refunded}
        if len(refunds) != 1:
            return goods
        return replace(goods, refund_gid=refunds.pop())
