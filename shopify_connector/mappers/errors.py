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
