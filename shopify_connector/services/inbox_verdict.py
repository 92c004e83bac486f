"""What became of each resource of a drain. No Odoo in here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from ..client.errors import ShopifyError, TransientError
from ..mappers.errors import MappingError
from .outcome import Block, Blocked, Outcome


@dataclass
class Verdict:
    """How one resource fared.

    :ivar kind: ``done`` (its handler had its way), ``blocked`` (waits for a person),
        ``failed`` (no use to try again), ``passing`` (may go well in a moment), ``busy``
        (somebody else is at work on it)
    :ivar outcome: what the log says
    :ivar record: ``(model, id)`` of what was made or changed
    :ivar category: of the exception that a failure becomes
    """

    kind: str
    outcome: str
    message: str = ""
    record: tuple[str | None, int | None] = (None, None)
    blocks: tuple[Block, ...] = ()
    details: str | None = None
    request_id: str | None = None
    duration_ms: int = 0
    category: str = "other"

    @classmethod
    def of(cls, outcome: Outcome) -> Verdict:
        """Of what a handler answered."""
        if outcome.status == "blocked":
            return cls.blocked(outcome.blocks)
        record = outcome.record
        reference = (record._name, record.id) if record else (None, None)
        return cls("done", outcome.status, outcome.message, reference)

    @classmethod
    def blocked(cls, blocks: tuple[Block, ...]) -> Verdict:
        """Of something that a person must decide first."""
        return cls(
            "blocked", "blocked", "; ".join(block.title for block in blocks), blocks=tuple(blocks)
        )

    @classmethod
    def of_error(cls, error: Exception, details: str | None = None) -> Verdict:
        """Of what a handler raised for one resource."""
        if isinstance(error, Blocked):
            return cls.blocked(error.blocks)
        passing = isinstance(error, TransientError)
        category = "mapping" if isinstance(error, MappingError) else "other"
        return cls(
            "passing" if passing else "failed",
            "retry" if passing else "failed",
            describe(error),
            details=details,
            request_id=getattr(error, "request_id", None),
            category="remote" if isinstance(error, ShopifyError) else category,
        )

    @property
    def state(self) -> str:
        """State of the events."""
        if self.kind == "done":
            return "skipped" if self.outcome == "skipped" else "done"
        return self.kind


@dataclass
class Batch:
    """Resources of one type in a drain.

    :ivar claim: the Claim that they are part of
    :ivar model: of their handler
    :ivar alone: a single resource in a job of its own, so none is to be enqueued for it
    :ivar nodes: what the store told of them, None for one that is gone
    :ivar request_id: of the last answer
    """

    claim: Any
    model: str
    gids: list[str]
    alone: bool = False
    nodes: dict[str, dict | None] = field(default_factory=dict)
    request_id: str | None = None


@dataclass
class Result:
    """What a drain did.

    :ivar counts: number of resources by outcome
    :ivar pause: seconds for which the store is left alone now, 0 for not at all
    :ivar pause_reason: why
    :ivar passing: message of those that shall be tried again soon, by gid
    """

    counts: Counter[str] = field(default_factory=Counter)
    pause: float = 0.0
    pause_reason: str = ""
    passing: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        done = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.counts.items()))
        if self.pause:
            waits = f"again in {round(self.pause)} s: {self.pause_reason}"
            return f"{done}; {waits}" if done else waits
        return done or "nothing"


def describe(error: Exception) -> str:
    """A sentence for the user."""
    if isinstance(error, ShopifyError | MappingError):
        return str(error)
    message = error.args[0] if error.args else ""
    if type(error).__module__.startswith("odoo.exceptions") and isinstance(message, str):
        return message
    return f"Unexpected error: {type(error).__name__}: {error}"


def label(gid: str, node: Any) -> str:
    """What people call a resource: *Order #1042*."""
    kind, _, number = gid.removeprefix("gid://shopify/").partition("/")
    name = (node or {}).get("name") or (node or {}).get("title") or number
    return f"{kind} {name}" if number else gid
