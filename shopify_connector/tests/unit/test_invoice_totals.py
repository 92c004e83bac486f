"""Shares of amounts for invoices of parts: they add up to Shopify's amounts, always."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from shopify_connector.mappers.invoice_totals import Expected, Invoiced, exact, in_force, share

CENTS = st.decimals(0, 5000, places=2)


def data(quantity, excluded, taxes, books=None):
    """``extra_tax_data`` of an order line."""
    found = {
        "currency_id": 1,
        "price_unit": 10.0,
        "discount": 0.0,
        "quantity": float(quantity),
        "manual_total_excluded_currency": float(excluded),
        "manual_tax_amounts": {
            tax_id: {"tax_amount_currency": float(tax), "base_amount_currency": float(excluded)}
            for tax_id, tax in taxes.items()
        },
    }
    if books is not None:
        found["manual_total_excluded"] = float(books)
        for amounts in found["manual_tax_amounts"].values():
            amounts.update(tax_amount=amounts["tax_amount_currency"] * 2, base_amount=float(books))
    return found


def note(invoiced, part, sign=1):
    """What an invoice (or credit note) with this part says."""
    invoiced.quantity += sign * exact(part["quantity"])
    for suffix in ("_currency", ""):
        if f"manual_total_excluded{suffix}" in part:
            invoiced.add("excluded", suffix, sign * part[f"manual_total_excluded{suffix}"])
        for tax_id, amounts in part["manual_tax_amounts"].items():
            if f"tax_amount{suffix}" in amounts:
                invoiced.add(tax_id, suffix, sign * amounts[f"tax_amount{suffix}"])


@settings(max_examples=300)
@given(
    parts=st.lists(st.integers(1, 300), min_size=1, max_size=6),
    excluded=CENTS,
    taxes=st.lists(CENTS, max_size=3),
    books=st.none() | CENTS,
)
def test_parts_add_up(parts, excluded, taxes, books):
    whole = data(sum(parts), excluded, {str(i): tax for i, tax in enumerate(taxes)}, books)
    invoiced = Invoiced()
    for quantity in parts:
        part = share(whole, Decimal(quantity), invoiced, digits=2, books_digits=2)
        for amounts in part["manual_tax_amounts"].values():
            assert amounts["base_amount_currency"] == part["manual_total_excluded_currency"]
            assert amounts["tax_amount_currency"] == round(amounts["tax_amount_currency"], 2)
        assert part["quantity"] == quantity
        note(invoiced, part)
    assert invoiced.amounts.get(("excluded", "_currency")) == excluded
    for i, tax in enumerate(taxes):
        assert invoiced.amounts[str(i), "_currency"] == tax
        if books is not None:
            assert invoiced.amounts[str(i), ""] == exact(float(tax) * 2)
    if books is not None:
        assert invoiced.amounts["excluded", ""] == books


def test_share_is_fair():
    """No unit bears more than a cent more than another."""
    whole, invoiced = data(7, "10.00", {"1": "0.81"}), Invoiced()
    seen = []
    for _unit in range(7):
        part = share(whole, Decimal(1), invoiced, digits=2, books_digits=2)
        seen.append(
            (
                part["manual_total_excluded_currency"],
                part["manual_tax_amounts"]["1"]["tax_amount_currency"],
            )
        )
        note(invoiced, part)
    assert {excluded for excluded, _tax in seen} == {1.42, 1.43}
    assert {tax for _excluded, tax in seen} == {0.11, 0.12}


def test_currency_without_decimals():
    part = share(data(3, "100", {"1": "10"}), Decimal(1), Invoiced(), digits=0, books_digits=2)
    assert part["manual_total_excluded_currency"] == 33
    assert part["manual_tax_amounts"]["1"]["tax_amount_currency"] == 3


def test_taken_back():
    """A credit of a part takes its share of what was invoiced; of all, everything."""
    whole, invoiced = data(3, "10.00", {"1": "0.85"}), Invoiced()
    note(invoiced, share(whole, Decimal(2), invoiced, digits=2, books_digits=2))
    assert invoiced.amounts["excluded", "_currency"] == Decimal("6.67")
    back = share(whole, Decimal(-2), invoiced, digits=2, books_digits=2)
    assert back["manual_total_excluded_currency"] == -6.67
    assert back["quantity"] == -2
    one = share(whole, Decimal(-1), invoiced, digits=2, books_digits=2)
    assert one["manual_total_excluded_currency"] in (-3.33, -3.34)


def test_after_a_credit_note_of_all():
    whole, invoiced = data(3, "10.00", {"1": "0.85"}), Invoiced()
    note(invoiced, whole)
    note(invoiced, whole, -1)
    again = share(whole, Decimal(3), invoiced, digits=2, books_digits=2)
    assert again["manual_total_excluded_currency"] == 10.0


def test_more_than_there_is():
    whole, invoiced = data(3, "10.00", {}), Invoiced()
    assert share(whole, Decimal(4), invoiced, digits=2, books_digits=2) is None
    assert share(whole, Decimal(-1), invoiced, digits=2, books_digits=2) is None


def test_line_without_taxes_stays_manual():
    """The engine looks at manual amounts only where the mapping by tax is not empty."""
    whole = data(2, "10.00", {})
    whole["manual_tax_amounts"] = {"0": {}}
    part = share(whole, Decimal(1), Invoiced(), digits=2, books_digits=2)
    assert part["manual_tax_amounts"] == {"0": {}}
    assert part["manual_total_excluded_currency"] == 5.0
    expected = Expected()
    expected.add(part)
    assert (expected.untaxed, expected.taxes, expected.tax) == (Decimal("5.0"), {}, 0)


def test_in_force():
    whole = data(2, "10.00", {"1": "0.8"})
    line = {"price_unit": 10.0, "discount": 0.0, "quantity": 2.0, "digits": 2}
    assert in_force(whole, **line)
    assert in_force({**whole, "price_unit": 10.004}, **line)
    assert not in_force(whole, **{**line, "discount": 5.0})
    assert not in_force(whole, **{**line, "quantity": 3.0})
    assert not in_force(whole, **{**line, "price_unit": 10.01})
    assert not in_force({"computation_key": "x"}, **line)
    assert not in_force(None, **line)
