"""How much may be asked now: the cost budget of one (store, app), as Shopify reports it.

Nothing here sleeps. The figures come only from `extensions.cost` of earlier answers, because
bucket sizes and prices are not published and may be lowered at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Cost:
    """`extensions.cost` of an answer, in points; `None` where the answer had none.

    :ivar restored: points that come back per second.
    """

    requested: float | None = None
    actual: float | None = None
    maximum: float | None = None
    available: float | None = None
    restored: float | None = None

    @classmethod
    def parse(cls, extensions: dict | None) -> Cost | None:
        """Read the `extensions` of an answer."""
        cost = (extensions or {}).get("cost")
        if not isinstance(cost, dict):
            return None
        status = cost.get("throttleStatus") or {}
        return cls(
            requested=cost.get("requestedQueryCost"),
            actual=cost.get("actualQueryCost"),
            maximum=status.get("maximumAvailable"),
            available=status.get("currentlyAvailable"),
            restored=status.get("restoreRate"),
        )


class Throttle:
    """The budget of one (store, app) as this process knows it. Thread-safe.

    Also remembers what each operation asked for last, and the sizes at which an operation
    fits into one call, since both are learnt from answers only.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._available = self._maximum = self._restored = None
        self._at = 0.0
        self._costs: dict[Hashable, float] = {}
        self._sizes: dict[str, int] = {}

    def wait_for(self, requested_cost: float) -> float:
        """Seconds until `requested_cost` points are there; 0.0 while nothing is known."""
        with self._lock:
            if not self._restored:
                return 0.0
            # More than the bucket holds is never there: a full bucket must do.
            missing = min(requested_cost, self._maximum) - self._now_available()
            return max(0.0, missing / self._restored)

    def spend(self, requested_cost: float):
        """Count a request that is about to be sent, so that other threads see it."""
        with self._lock:
            if self._restored:
                self._available = self._now_available() - requested_cost
                self._at = self._clock()

    def update(self, cost: Cost | None):
        """Take over what the store reported."""
        if cost is None or not cost.restored or cost.available is None:
            return
        with self._lock:
            self._available, self._restored = cost.available, cost.restored
            self._maximum = cost.maximum or cost.available
            self._at = self._clock()

    def expected(self, key: Hashable) -> float:
        """What the request under `key` asked for last time; 0.0 when it is new."""
        return self._costs.get(key, 0.0)

    def learn(self, key: Hashable, cost: Cost | None):
        """Remember what the request under `key` asked for."""
        if cost and cost.requested:
            self._costs[key] = cost.requested

    def size(self, operation: str, wanted: int) -> int:
        """The page or chunk size to use for an operation: `wanted`, or what fitted before."""
        return min(wanted, self._sizes.get(operation, wanted))

    def limit_size(self, operation: str, size: int):
        """Never ask for more than `size` objects at once in this operation again."""
        self._sizes[operation] = size

    def _now_available(self) -> float:
        restored = (self._clock() - self._at) * self._restored
        return min(self._maximum, self._available + restored)


_throttles: dict[tuple[str, str], Throttle] = {}
_throttles_lock = threading.Lock()


def shared_throttle(shop: str, app: str) -> Throttle:
    """The one budget of this process for a store and an app."""
    with _throttles_lock:
        return _throttles.setdefault((shop, app), Throttle())
