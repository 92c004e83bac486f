"""Orders whose taxes are left out, in part or all, as drawn by Shopify's arithmetic."""

from dataclasses import replace

from hypothesis import given, settings

from shopify_connector.mappers.money import Money
from shopify_connector.mappers.order import map_order, prove
from shopify_connector.tests.order_drawn import orders


def leave_out(order, keys):
    return replace(order, left_out=frozenset(keys))


@settings(max_examples=200, deadline=None)
@given(orders())
def test_what_is_left_out_is_missing_to_the_cent(drawn):
    node, _books = drawn
    order = map_order(node)
    keys = {tax.key for tax in order.taxes}
    for gone in (keys, set(sorted(keys, key=str)[:1])):
        booked = leave_out(order, gone).booked_lines
        for line, less in zip(order.kept_lines, booked, strict=True):
            taken = Money.sum((tax.amount for tax in line.taxes if tax.key in gone), order.currency)
            assert less.total_included == line.total_included - taken
            assert less.total_excluded == line.total_excluded
            assert less.shop_total_excluded == line.shop_total_excluded
            assert not any(tax.key in gone for tax in less.taxes)
            assert less.gross == less.unit_price * less.quantity


def test_nothing_left_out_changes_nothing():
    @settings(max_examples=20, deadline=None)
    @given(orders())
    def check(drawn):
        order = map_order(drawn[0])
        assert order.booked_lines == order.kept_lines
        assert prove(leave_out(order, {tax.key for tax in order.taxes})) == prove(order)

    check()
