"""What a job that tells of shipments has at hand. No models in here."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..client.client import ShopifyClient
from ..client.errors import ShopifyError


@dataclass
class Claim:
    """The shipments that one job has for itself until its lease ends.

    :ivar rows: ``{gid of the order: [ids]}``, oldest orders first
    :ivar more: there was more than was asked for
    """

    token: str
    pid: int
    rows: dict[str, list[int]] = field(default_factory=dict)
    more: bool = False


@dataclass
class Step:
    """One call that a row needs, decided and noted before it is made.

    :ivar action: ``create``, ``tracking``, ``cancel``, ``move`` or ``release``
    :ivar target_id: the row of the fulfilment that is changed
    :ivar last: the row is done when this step is
    :ivar again: afterwards the order has to be looked at again
    """

    row_id: int
    action: str
    variables: dict
    target_id: int = 0
    last: bool = True
    again: bool = False


@dataclass
class Call:
    """A step that is being carried out, for the log."""

    gid: str
    step: Step
    started: float = field(default_factory=time.monotonic)
    figures: dict = field(default_factory=dict)

    def ended(self, outcome: str, error: ShopifyError | None = None, request_id=None) -> Call:
        self.figures = {
            "outcome": outcome,
            "message": str(error or ""),
            "duration_ms": round((time.monotonic() - self.started) * 1000),
            "request_id": error.request_id if error else request_id,
        }
        return self


@dataclass
class Run:
    """What one job has at hand.

    :ivar counts: of what was done
    """

    backend: Any
    claim: Claim
    client: ShopifyClient | None = None
    counts: Counter = field(default_factory=Counter)
