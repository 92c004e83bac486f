"""Misbehaviour on demand: what a network, a busy Shopify or a lost webhook does to a client."""

import fnmatch
import random
import threading
from dataclasses import dataclass, field

API_KINDS = frozenset(
    [
        "latency",
        "http_error",
        "throttled",
        "reset",
        "timeout_after_write",
        "no_answer",
        "graphql_error",
    ]
)
WEBHOOK_KINDS = frozenset(
    [
        "webhook_lost",
        "webhook_duplicate",
        "webhook_late",
        "webhook_reorder",
        "webhook_bad_signature",
    ]
)
BULK_KINDS = frozenset(["bulk_failed", "bulk_canceled", "bulk_expired"])
DOWNLOAD_KINDS = API_KINDS | {"cut"}
KINDS = API_KINDS | WEBHOOK_KINDS | BULK_KINDS | DOWNLOAD_KINDS


@dataclass
class Fault:
    """One fault.

    :param kind: one of ``KINDS``
    :param operation: operation name, root field or webhook topic (``orders/create``), wildcards
        allowed; everything when empty. ``oauth`` is the token endpoint, ``bulk_result`` the
        download of a bulk operation's result.
    :param count: how often it may strike; None is without end
    :param skip: how many fitting requests pass before the first strike
    :param probability: 0 to 1
    :param ms: duration for ``latency``, ``webhook_late``, ``no_answer``
    :param status: HTTP status for ``http_error``
    """

    kind: str
    operation: str = ""
    count: int | None = None
    skip: int = 0
    probability: float = 1.0
    ms: int = 1000
    status: int = 503
    retry_after: str | None = None
    message: str = "Internal error. Looks like something went wrong on our end."
    struck: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known are {', '.join(sorted(KINDS))}")

    def fits(self, names: list[str]) -> bool:
        return not self.operation or any(
            fnmatch.fnmatchcase(name, self.operation) for name in names if name
        )


@dataclass
class Faults:
    """The faults of one shop."""

    active: list[Fault] = field(default_factory=list)
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **options) -> Fault:
        fault = Fault(**options)
        with self._lock:
            self.active.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self.active.clear()

    def strike(self, kinds: frozenset[str] | set[str], names: list[str]) -> list[Fault]:
        """The faults of these kinds that hit this request or delivery now."""
        if not self.active:
            return []
        hit = []
        with self._lock:
            for fault in list(self.active):
                if fault.kind not in kinds or not fault.fits(names):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if self._random.random() >= fault.probability:
                    continue
                fault.struck += 1
                hit.append(fault)
                if fault.count is not None and fault.struck >= fault.count:
                    self.active.remove(fault)
        return hit
