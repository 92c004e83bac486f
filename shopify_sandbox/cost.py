"""Query cost and the leaky bucket, as observed on recorded answers.

An object costs 1, a scalar, a money bag and the direct fields of a mutation payload 0, a mutation
and a root ``...Count`` 10, a connection ``2 + g(n) * children`` where ``n`` is the page size and
``g(n) = max(1, floor(2 ln n))``. Every recorded cost of an ordinary query fits.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .errors import ApiError

SINGLE_QUERY_MAX = 1000
FREE_TYPES = frozenset(
    {"MoneyBag", "MoneyV2", "InventoryItemMeasurement", "Weight", "WebhookSubscriptionEndpoint"}
)


def growth(count: int) -> int:
    """Weight of a page of ``count`` objects."""
    return max(1, math.floor(2 * math.log(count))) if count > 0 else 0


@dataclass
class Costed:
    """Cost of one selected field: what it costs itself and how its children count.

    ``kind``: ``object``; ``connection``, whose ``size`` reads the page size asked for; ``page``,
    each object of a connection; ``either``, of which the dearest child counts.
    """

    own: int
    kind: str
    key: int
    children: list["Costed"] = field(default_factory=list)
    size: Callable[[dict], int] | None = None

    def requested(self, variables: dict) -> int:
        costs = [child.requested(variables) for child in self.children]
        if self.kind == "either":
            return max(costs)
        inner = sum(costs)
        if self.kind == "connection":
            return 2 + growth(self.size(variables)) * inner
        return self.own + inner

    def actual(self, seen: dict[int, int]) -> int:
        """``seen``: for each field that had a value, the largest page met."""
        if self.key and self.key not in seen:
            return 2 if self.kind == "connection" else 0
        costs = [child.actual(seen) for child in self.children]
        if self.kind == "either":
            return max(costs)
        inner = sum(costs)
        if self.kind == "connection":
            return 2 + growth(seen[self.key]) * inner
        return self.own + inner


class Bucket:
    """Points of one app on one shop, refilled at ``rate`` points per second up to ``size``."""

    def __init__(self, size: int, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.size, self.rate, self._clock = size, rate, clock
        self._level, self._at = float(size), clock()
        self._lock = threading.Lock()

    def _refill(self) -> None:
        now = self._clock()
        self._level = min(float(self.size), self._level + (now - self._at) * self.rate)
        self._at = now

    def resize(self, size: int, rate: int) -> None:
        with self._lock:
            self._refill()
            self.size, self.rate = size, rate
            self._level = min(self._level, float(size))

    def take(self, points: int) -> bool:
        """Reserve the requested cost; False means THROTTLED."""
        with self._lock:
            self._refill()
            if self._level < points:
                return False
            self._level -= points
            return True

    def give_back(self, points: int) -> None:
        with self._lock:
            self._refill()
            self._level = min(float(self.size), self._level + points)

    def drain(self, remaining: int = 0) -> None:
        """Leave only so many points (for tests)."""
        with self._lock:
            self._refill()
            self._level = float(min(self._level, remaining))

    def status(self) -> dict:
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": self.size,
                "currentlyAvailable": int(self._level),
                "restoreRate": self.rate,
            }


def too_expensive(requested: int) -> ApiError:
    return ApiError(
        f"Query cost is {requested}, which exceeds the single query max cost limit "
        f"({SINGLE_QUERY_MAX}).\n\nSee https://shopify.dev/concepts/about-apis/rate-limits for "
        "more information on how the\ncost of a query is calculated.\n\nTo query larger amounts "
        "of data with fewer limits, bulk operations should be used instead.\nSee "
        "https://shopify.dev/tutorials/perform-bulk-operations-with-admin-api for usage details.\n",
        "MAX_COST_EXCEEDED",
        cost=requested,
        maxCost=SINGLE_QUERY_MAX,
        documentation="https://shopify.dev/api/usage/rate-limits",
    )
