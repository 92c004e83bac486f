"""Units that came back: whatever states them twice, they count once."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from shopify_connector.mappers.goods_back import goods_back
from shopify_connector.mappers.return_types import Disposition, Return, ReverseLine, ReverseOrder

LINE, RETURN = "gid://shopify/LineItem/1", "gid://shopify/Return/1"


@dataclass
class Line:
    restock_type: str
    quantity: int
    line_gid: str = LINE
    location_gid: str = ""


@dataclass
class Refund:
    gid: str
    lines: list
    return_gid: str = ""
    day: int = 1
    transaction_gids: tuple = ("t",)

    @property
    def created_at(self):
        return datetime(2026, 11, self.day)


@dataclass
class Sold:
    """Five units, of which so many were sent and wait to be."""

    sent_quantity: int | None
    waiting_quantity: int | None
    current_quantity: int
    quantity: int = 5
    gid: str = LINE


@dataclass
class Order:
    refunds: list = field(default_factory=list)
    returns: list = field(default_factory=list)
    lines: list = field(default_factory=list)
    fulfillment_status: str = "partially_fulfilled"


def returned(*dispositions, **fields):
    dispositions = [
        Disposition(f"d{number}", kind, units, "here", datetime(2026, 11, 5 + number))
        for number, (kind, units) in enumerate(dispositions)
    ]
    reverse = ReverseOrder("o", "open", (ReverseLine("l", LINE, 9, tuple(dispositions)),))
    return Return(RETURN, reverse_orders=(reverse,), **fields)


def told(order):
    return [tuple(goods.values) for goods in goods_back(order).get(LINE, ())]


def test_types_of_refunds():
    types = ("cancel", "return", "no_restock", "legacy_restock", "unknown", "teleported")
    refunds = [Refund(f"r{day}", [Line(kind, 1)], day=day) for day, kind in enumerate(types, 1)]
    order = Order(refunds)
    assert told(order) == [
        ("return", 1, "", "r2", ""),
        ("discard", 1, "", "r3", ""),
        ("return", 1, "", "r4", ""),
    ]


def given_up(sold, *units, status="partially_fulfilled", edits=0):
    """``{kind: units}`` of refunds without restocking, one after the other."""
    refunds = [
        Refund(f"r{day}", [Line("no_restock", some)], day=day) for day, some in enumerate(units, 1)
    ]
    if edits:
        refunds.append(Refund("e", [Line("no_restock", edits)], day=9, transaction_gids=()))
    found = Counter()
    for kind, some, *_rest in told(Order(refunds, lines=[sold], fulfillment_status=status)):
        found[kind] += some
    return found


def test_units_that_were_refunded_before_or_after_they_were_sent():
    """Two of five were sent, two were refunded: those, or others?"""
    assert given_up(Sold(2, 3, 3), 2) == {"discard": 2}
    assert given_up(Sold(2, 1, 3), 2) == {"unsent": 2}
    assert given_up(Sold(2, 2, 3), 2) == {"discard": 1, "unsent": 1}
    assert given_up(Sold(2, 2, 3), 1, 1) == {"discard": 1, "unsent": 1}


def test_units_that_never_left_stay_so():
    assert given_up(Sold(0, 3, 3), 2, status="unfulfilled") == {"unsent": 2}
    assert given_up(Sold(None, None, 3), 2, status="unfulfilled") == {"unsent": 2}
    assert given_up(Sold(3, 0, 3), 2, status="fulfilled") == {"unsent": 2}


def test_where_the_fulfilments_were_not_read():
    assert given_up(Sold(None, 1, 3), 2) == {"discard": 2}
    assert given_up(Sold(2, None, 3), 2) == {"discard": 2}


def test_units_of_edits_are_no_others():
    assert given_up(Sold(2, 1, 2), 1, edits=2) == {"discard": 1}
    assert given_up(Sold(2, 0, 2), 1, edits=2) == {"unsent": 1}
    # an edit put its two units back
    assert given_up(Sold(2, 2, 4), 1, edits=2) == {"unsent": 1}


def test_what_came_back_by_a_return_had_been_sent():
    order = Order(
        [Refund("r", [Line("no_restock", 2)], RETURN)], [returned()], lines=[Sold(2, 1, 3)]
    )
    assert told(order) == [("discard", 2, "", "r", RETURN)]


def test_units_of_an_edit_never_left():
    def edit(kind):
        return Refund("r", [Line(kind, 1)], transaction_gids=())

    assert told(Order([edit("no_restock"), edit("legacy_restock"), edit("cancel")])) == []
    assert told(Order([edit("return")])) == [("return", 1, "", "r", "")]


def test_status_alone_moves_nothing():
    for status in ("requested", "open", "declined", "canceled", "closed"):
        assert goods_back(Order(returns=[returned(status=status)])) == {}
    assert told(Order(returns=[returned(("missing", 1), ("processing_required", 2))])) == []


def test_processed_return_and_its_refund_are_the_same_units():
    order = Order([Refund("r", [Line("return", 2)], RETURN)], [returned(("restocked", 2))])
    assert told(order) == [("return", 2, "here", "r", RETURN)]


def test_refund_before_the_goods():
    refund = Refund("r", [Line("return", 2)], RETURN)
    assert told(Order([refund], [returned()])) == [("return", 2, "", "r", RETURN)]
    order = Order([refund], [returned(("restocked", 1))])
    assert sum(units for _kind, units, *_rest in told(order)) == 2
    order = Order([refund], [returned(("restocked", 1), ("restocked", 1))])
    assert sum(units for _kind, units, *_rest in told(order)) == 2


def test_refund_without_restock_and_goods_later():
    refund = Refund("r", [Line("no_restock", 2)], RETURN)
    assert told(Order([refund], [returned()])) == [("discard", 2, "", "r", RETURN)]
    order = Order([refund], [returned(("restocked", 1), ("missing", 1))])
    assert told(order) == [("return", 1, "here", "r", RETURN)]
    order = Order([refund], [returned(("restocked", 1), ("not_restocked", 1))])
    assert [values[:2] for values in told(order)] == [("return", 1), ("discard", 1)]


def test_several_returns_and_a_refund_apart():
    order = Order([Refund("r", [Line("return", 1)], day=9)], [returned(("restocked", 1))])
    assert told(order) == [("return", 1, "here", "", RETURN), ("return", 1, "", "r", "")]


def test_a_return_that_could_not_be_read():
    order = Order([Refund("r", [Line("return", 1)], RETURN)], [returned(problem="not read")])
    assert told(order) == [("return", 1, "", "r", RETURN)]
