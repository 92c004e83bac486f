"""What a handler says about each resource it was given. No Odoo in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STATUSES = ("created", "updated", "unchanged", "skipped", "blocked", "deleted")


@dataclass(frozen=True)
class Block:
    """One cause that keeps records waiting until a person decides.

    :param category: a value of ``shopify.exception.category``
    :param key: names the cause within store and category: two records that wait
        for the same thing must give the same key
    :param title: one line for the list: *Tax "NY STATE TAX" 4 % (US) is not mapped*
    :param message: why; names the record and the figure or key that is missing
    :param remedy: what the user can do
    :param res_model: model of the record that the fix opens
    :param res_id: that record, when there is one already
    :param values: defaults for a new one (JSON values only)
    """

    category: str
    key: str
    title: str
    message: str
    remedy: str = ""
    res_model: str | None = None
    res_id: int | None = None
    values: Mapping[str, Any] | None = None


@dataclass
class Outcome:
    """Result of one resource.

    :param status: one of ``STATUSES``
    :param record: the record (a recordset of one) that was made or changed
    :param message: a sentence for the log
    :param blocks: the causes, when the status is ``blocked``
    """

    status: str
    record: Any = None
    message: str = ""
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"unknown outcome {self.status!r}")
        self.blocks = tuple(self.blocks)
        if self.status == "blocked" and not self.blocks:
            raise ValueError("a blocked outcome needs its causes")


class Blocked(Exception):
    """Raised while one record is processed: a person must act first."""

    def __init__(self, blocks: Block | Iterable[Block]) -> None:
        self.blocks = (blocks,) if isinstance(blocks, Block) else tuple(blocks)
        super().__init__("; ".join(block.title for block in self.blocks))
