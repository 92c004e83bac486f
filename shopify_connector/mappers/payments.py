"""What the kinds of transactions and tenders mean for the books."""

from __future__ import annotations

# Money that came in, and cash that was given back at the till.
BOOKED_KINDS = ("sale", "capture", "change")
# Tenders that settle what the merchant owes already: no money comes in.
LIABILITIES = ("gift_card", "store_credit")
