"""Texts of metafields and details as values."""

from datetime import date, datetime

import pytest

from shopify_connector.mappers.field_values import read_value


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (" Hello ", "text", "Hello"),
        ('["red", "blue"]', "text", "red, blue"),
        ("[not a list", "text", "[not a list"),
        ("a\0b", "text", "ab"),
        ("", "text", None),
        ("", "date", None),
        ("5", "integer", 5),
        ("5.0", "integer", 5),
        ("-2.50", "decimal", -2.5),
        ('{"amount": "5.99", "currency_code": "CAD"}', "decimal", 5.99),
        ('{"value": 25.0, "unit": "cm"}', "decimal", 25.0),
        ("true", "boolean", True),
        ("No", "boolean", False),
        ("", "boolean", False),
        ("2026-12-24", "date", date(2026, 12, 24)),
        ("2026-12-24T10:00:00+02:00", "datetime", datetime(2026, 12, 24, 8)),
    ],
)
def test_values(text, kind, value):
    assert read_value(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("perhaps", "boolean"),
        ("5.5", "integer"),
        ("3000000000", "integer"),
        ("five", "decimal"),
        ("NaN", "decimal"),
        ("1e400", "decimal"),
        ("{broken", "decimal"),
        ("tomorrow", "date"),
        ("2026-02-30", "datetime"),
    ],
)
def test_what_is_no_such_value_is_refused(text, kind):
    with pytest.raises(ValueError, match=r"."):
        read_value(text, kind)
