"""What mappers raise."""

from __future__ import annotations


class MappingError(ValueError):
    """Shopify's data contradicts itself: the document cannot be represented.

    :ivar path: where, as in the API, e.g. ``lineItems[2].originalUnitPriceSet``
    :ivar message: what is wrong there
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


# What reading a malformed answer raises.
UNREADABLE = (MappingError, KeyError, TypeError, ValueError, AttributeError)


def problem_of(error: Exception) -> str:
    """Why a part of an answer could not be read, for a person."""
    if isinstance(error, MappingError):
        return str(error)
    if isinstance(error, KeyError):
        return f"{error.args[0]}: missing in Shopify's answer"
    return f"not readable ({error})"
