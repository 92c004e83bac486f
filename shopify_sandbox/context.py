"""What an execution carries from field to field."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql import FieldNode

from .connections import SortKey
from .errors import ApiError
from .schema import ApiSchema

if TYPE_CHECKING:
    from .loading import Change
    from .shop import Shop

Resolver = Callable[[dict, dict, "Context"], object]


class NullHere(Exception):
    """A field that must not be null has no value: its parent becomes null."""


@dataclass
class Listing:
    """Objects of a connection before paging; ``key`` sorts root objects."""

    items: list
    key: SortKey | None = None


@dataclass
class Context:
    """One execution.

    :param whole_lists: connections give all their objects, as in a bulk operation
    """

    shop: "Shop"
    api: ApiSchema
    variables: dict
    errors: list[dict] = field(default_factory=list)
    warnings: list[dict] = field(default_factory=list)
    path: list = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    arguments: dict[int, dict] = field(default_factory=dict)
    changes: "list[Change]" = field(default_factory=list)
    idempotency_key: str | None = None
    whole_lists: bool = False
    bulk_operations: list[str] = field(default_factory=list)

    def fail(self, error: ApiError, node: FieldNode) -> None:
        location = node.loc.start_token
        entry = {
            "message": error.message,
            "locations": [{"line": location.line, "column": location.column}],
        }
        if error.extensions:
            entry["extensions"] = error.extensions
        self.errors.append({**entry, "path": list(self.path)})
