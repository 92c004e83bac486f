"""The decision table: complete, sensible, and the one that the documentation shows."""

import re
from pathlib import Path

import pytest

from shopify_connector.mappers.order_decisions import (
    APPLIED,
    CANCELLATIONS,
    CHANGES,
    CHOICES,
    EXCEPTION,
    FORCED,
    IN_PART,
    RULES,
    STATES,
    TABLE,
    Progress,
    decide,
    state_of,
)

DOCS = Path(__file__).parents[3] / "docs" / "edits.rst"
LETTERS = {"A": APPLIED, "P": IN_PART, "E": EXCEPTION}


def test_every_cell_has_one_rule():
    for change in CHANGES:
        assert set(TABLE[change]) == set(STATES)
        for state in STATES:
            assert decide(change, state) in RULES
    used = {rule for row in TABLE.values() for rule in row.values()}
    assert used == set(RULES), "no rule without a cell"


def test_what_waits_leaves_a_choice():
    for rule in RULES.values():
        assert set(rule.choices) <= set(CHOICES)
        assert (rule.outcome == APPLIED) == (not rule.choices)
        assert not rule.choices or "accept" in rule.choices


def test_a_choice_to_apply_leads_somewhere():
    for name, rule in RULES.items():
        if "apply" in rule.choices and name != "keep_locked":
            assert RULES[FORCED[name]].outcome == APPLIED
    assert decide("discount", "paid") == "keep_invoiced"
    assert decide("discount", "paid", forced=True) == "reprice"
    assert decide("line_removed", "delivered", forced=True) == "keep_delivered"


def test_what_was_sent_of_an_invoiced_order_stays():
    for state in ("invoiced", "paid"):
        for change in ("quantity_down", "line_removed", *CANCELLATIONS):
            assert decide(change, state, sent=True) == TABLE[change]["partly_delivered"]
        assert decide("quantity_up", state, sent=True) == "add"
    assert decide("cancelled", "paid_delivered", sent=True) == "keep_cancelled"


def test_restocking_in_shopify_decides_on_nothing():
    restocked_refunded, refunded, restocked, plain = CANCELLATIONS
    assert TABLE[restocked_refunded] == TABLE[refunded]
    assert TABLE[restocked] == TABLE[plain]


@pytest.mark.parametrize(
    ("progress", "state"),
    [
        (Progress("draft"), "quotation"),
        (Progress("sent", locked=True), "quotation"),
        (Progress("cancel", sent=True, invoiced=True), "cancelled"),
        (Progress("sale"), "confirmed"),
        (Progress("sale", open=False), "confirmed"),
        (Progress("sale", sent=True), "partly_delivered"),
        (Progress("sale", sent=True, open=False), "delivered"),
        (Progress("sale", invoiced=True), "invoiced"),
        (Progress("sale", sent=True, invoiced=True), "invoiced"),
        (Progress("sale", sent=True, open=False, invoiced=True), "invoiced_delivered"),
        (Progress("sale", invoiced=True, paid=True), "paid"),
        (Progress("sale", sent=True, open=False, invoiced=True, paid=True), "paid_delivered"),
        (Progress("sale", locked=True, sent=True, invoiced=True), "locked"),
    ],
)
def test_state(progress, state):
    assert state_of(progress) == state


def documented():
    """``{(change, state): outcome}`` of the table in the documentation."""
    text = DOCS.read_text(encoding="utf-8")
    start = text.index(".. list-table:: Outcomes")
    rows, row = [], []
    for line in text[start:].splitlines()[1:]:
        if line.startswith("   * - "):
            row = [line[7:].strip()]
            rows.append(row)
        elif line.startswith("     - "):
            row.append(line[7:].strip())
        elif line and not line.startswith("   "):
            break
    head, *body = rows
    names = [_name(cell) for cell in head[1:]]
    return {
        (_name(cells[0]), state): LETTERS[cell]
        for cells in body
        for state, cell in zip(names, cells[1:], strict=True)
    }


def _name(title):
    return re.sub(r"[^a-z]+", "_", title.lower()).strip("_")


def test_the_documentation_shows_this_table():
    expected = {
        (change, state): RULES[TABLE[change][state]].outcome
        for change in CHANGES
        for state in STATES
    }
    assert documented() == expected
