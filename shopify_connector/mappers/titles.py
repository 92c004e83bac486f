"""Titles that people type: what makes two of them the same."""

from __future__ import annotations


def title_key(text: str | None) -> str:
    """Equal for titles that differ in upper and lower case or in white space only."""
    return " ".join((text or "").split()).casefold()
