"""What is known, and to be done, of the goods of one order that came back."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from .fulfillment_values import TOLERANCE


@dataclass
class Part:
    """One product of an ordered line: the line's own, or a component of a kit.

    All quantities are in the product's unit.

    :ivar ratio: how much of it one unit of the line takes
    :ivar left: ``{done move: what of it is with the customer and not expected back}``, newest
        delivery first
    :ivar sent: what was delivered, whatever came back later; ``scrapped``: what of it was, or is
        to be, received by the scrap location
    :ivar open: moves that are not done, of several steps the one that the next step waits for
    """

    ratio: float
    open: Any
    left: dict = field(default_factory=dict)
    sent: float = 0.0
    scrapped: float = 0.0

    def units(self, quantity):
        """Whole units of the line."""
        return math.floor(quantity / self.ratio + TOLERANCE)


@dataclass
class Task:
    """What is to be done for one order.

    :ivar returns: ``{(delivery, GoodsBack without its units): {move: quantity}}``; quantities are
        in the product's unit
    :ivar known: ``{line: values to remember}``; ``not_sent``: ``{line: units to cancel}``
    :ivar short: ``{line: units that nobody can take back}``
    """

    returns: dict = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    known: dict = field(default_factory=dict)
    not_sent: Counter = field(default_factory=Counter)
    short: Counter = field(default_factory=Counter)
