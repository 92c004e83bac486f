"""The decision table, cell by cell: what Odoo's records say afterwards."""

from dataclasses import dataclass, field, replace

from odoo.tests import tagged

from ..mappers.order import map_order
from ..mappers.order_decisions import CHANGES, RULES, STATES, TABLE, state_of
from ..services.order_snapshot import Change
from .edit_common import EditCase

# What is still to be shipped before the change.
OPEN = {
    "quotation": {},
    "confirmed": {"A": 3, "B": 1},
    "partly_delivered": {"A": 1, "B": 1},
    "delivered": {},
    "invoiced": {"A": 3, "B": 1},
    "paid": {"A": 3, "B": 1},
    "invoiced_delivered": {},
    "paid_delivered": {},
    "locked": {"A": 3, "B": 1},
    "cancelled": {},
}
INVOICED = [state for state in STATES if state.startswith(("invoiced", "paid"))]
SENT = ["delivered", "invoiced_delivered", "paid_delivered"]


@dataclass
class Facts:
    """What a cell leaves behind.

    :ivar ordered: ``{sku: quantity}`` of the sale order
    :ivar ship: what is still to be shipped
    :ivar choices: of the person, empty when nothing waits
    :ivar tells: what the exception says
    """

    ordered: dict = field(default_factory=lambda: {"A": 3, "B": 1})
    ship: dict = field(default_factory=dict)
    total: float = 47.35
    state: str = "sale"
    choices: str = ""
    tells: tuple = ()


LOCKED = {"choices": "accept,apply", "tells": ("locked",)}
CLOSED = {"choices": "accept", "tells": ("is cancelled",)}


def cells():
    """``{(change, state): Facts}``, written by hand."""
    found = {}
    for change in CHANGES:
        for state in STATES:
            before = Facts(ship=dict(OPEN[state]))
            before.state = {"quotation": "draft", "cancelled": "cancel"}.get(state, "sale")
            special = {"locked": LOCKED, "cancelled": CLOSED}.get(state)
            if special and change != "tags_notes":
                found[change, state] = replace(before, **special)
            else:
                found[change, state] = globals()[f"_{change}"](state, before)
    # nothing is left to do, or to decide
    for change in [change for change in CHANGES if change.startswith("cancelled")]:
        found[change, "cancelled"] = Facts(state="cancel")
    found["reopened", "locked"] = Facts(ship=dict(OPEN["locked"]))
    found["reopened", "cancelled"] = Facts(
        state="cancel", choices="accept,apply", tells=("taken back", "is cancelled")
    )
    return found


def _more(state, facts, added, ordered, total):
    sku, units = added
    ship = dict(facts.ship)
    if state != "quotation":
        ship[sku] = ship.get(sku, 0) + units
    return replace(facts, ordered=ordered, ship=ship, total=total)


def _quantity_up(state, facts):
    return _more(state, facts, ("A", 1), {"A": 4, "B": 1}, 58.20)


def _line_added(state, facts):
    return _more(state, facts, ("C", 2), {"A": 3, "B": 1, "C": 2}, 62.54)


def _less(state, facts, left, totals):
    """A has ``left`` units afterwards, where nothing is in the way."""
    total, partial_total = totals
    if state in SENT:
        told = (f"and is {left}" if left else "was removed", "Already delivered: 3")
        return replace(facts, choices="accept,return", tells=told)
    if state == "partly_delivered":
        return replace(
            facts,
            ordered={"A": 2, "B": 1},
            ship={"B": 1},
            total=partial_total,
            choices="accept,return",
            tells=("Already delivered: 2",),
        )
    ship = {"A": left, "B": 1} if state != "quotation" else {}
    ship = {sku: units for sku, units in ship.items() if units}
    return replace(facts, ordered={"A": left, "B": 1}, ship=ship, total=total)


def _quantity_down(state, facts):
    return _less(state, facts, 1, (25.92, 36.65))


def _line_removed(state, facts):
    return _less(state, facts, 0, (15.20, 36.63))


def _amount(state, facts, total, told):
    if state in INVOICED:
        return replace(facts, choices="accept,apply", tells=(*told, "invoiced"))
    return replace(facts, total=total)


def _discount(state, facts):
    return _amount(state, facts, 46.27, ("29.6", "28.6"))


def _shipping(state, facts):
    return _amount(state, facts, 46.26, ("Standard", "4", "3"))


def _shipping_address(state, facts):
    if state in SENT:
        return replace(facts, choices="accept", tells=("OUT", "was sent"))
    return facts


def _billing_address(state, facts):
    if state in INVOICED:
        return replace(facts, choices="accept", tells=("INV", "was posted"))
    return facts


def _customer(state, facts):
    if state in INVOICED:
        return replace(facts, choices="accept", tells=("Invoices were made",))
    if state in ("partly_delivered", "delivered"):
        return replace(facts, choices="accept,apply", tells=("Goods were delivered",))
    return facts


def _tags_notes(state, facts):
    return facts


def _reopened(state, facts):
    return facts


def _cancelled_refunded(state, facts):
    if state in ("partly_delivered", *SENT):
        facts = replace(facts, choices="accept,return", tells=("It was cancelled", "delivered"))
        if state == "partly_delivered":
            # 2 x A are worth their share, B nothing, the shipping stays
            facts = replace(facts, ordered={"A": 2, "B": 0}, ship={}, total=25.78)
        return facts
    return replace(facts, state="cancel", ship={})


_cancelled_restocked_refunded = _cancelled_refunded


def _cancelled(state, facts):
    facts = _cancelled_refunded(state, facts)
    if facts.state == "cancel" and state != "quotation":
        facts = replace(facts, choices="accept", tells=("47.35", "was not paid back"))
    return facts


_cancelled_restocked = _cancelled


@tagged("post_install", "-at_install", "shopify")
class TestOrderEditCells(EditCase):
    def apply(self, change, state, sale):
        """Shopify's side of a change; returns the node."""
        fields = {
            "displayFinancialStatus": "PAID" if state.startswith("paid") else "PENDING",
            "money": ["SALE"] if state.startswith("paid") else [],
        }
        changes = {
            "quantity_up": {"a": (4, "0.37", "1.58", "1.83")},
            "quantity_down": {"off": (2, "19.73", "1.70")},
            "line_added": {"c": True},
            "line_removed": {"off": (3, "29.60", "2.55")},
            "discount": {"a": (3, "1.37", "1.14", "1.33")},
            "shipping": {"ship": ("3.00", "0.12", "0.14")},
            "tags_notes": {"tags": ["vip"], "note": "Ring twice"},
        }.get(change, {})
        if change.startswith("cancelled"):
            changes["cancelledAt"] = "2026-11-03T10:00:00Z"
            changes["money"] = ["SALE", "REFUND"] if "refunded" in change else ["SALE"]
            if change.endswith("refunded") and state.startswith("invoiced"):
                changes["money"] = []
        node = self.build(**{**fields, **changes})
        moved = {**node.address, "address1": "2 Other Street"}
        if change == "shipping_address":
            node.fields["shippingAddress"] = moved
        elif change == "billing_address":
            node.fields["billingAddress"] = moved
        elif change == "customer":
            node.fields["customer"] = {
                "id": "gid://shopify/Customer/99",
                "displayName": "Eve Other",
                "defaultEmailAddress": {"emailAddress": "eve@example.com"},
            }
        elif change.startswith("cancelled"):
            first, second = node.lines
            worth = [(first, 3, "29.60", "2.55"), (second, 1, "10.00", "0.85")]
            self.take_off(node, worth, restock="restocked" in change, everything=True)
        elif change == "reopened":
            binding = sale.shopify_order_ids
            binding.snapshot = {**binding.snapshot, "cancelled": True}
            binding.fingerprint = "another"
        return node

    def test_every_cell(self):
        for (change, state), facts in cells().items():
            self.minute = 0
            with self.subTest(change=change, state=state):
                savepoint = self.env.cr.savepoint(flush=True)
                try:
                    self.check(change, state, facts)
                finally:
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()

    def check(self, change, state, facts):
        sale = self.reach(state)
        editor = self.env["shopify.order.editor"]
        self.assertEqual(state_of(editor._progress(sale)), state)
        lines, posted = sale.order_line, self.posted(sale)
        parties = (sale.partner_id, sale.partner_invoice_id, sale.partner_shipping_id)
        node = self.apply(change, state, sale)
        if change.startswith("cancelled"):
            (told,) = editor._refined(map_order(node.node), [Change("cancelled")])
            self.assertEqual(told.kind, change)
        # the second time nothing happens any more
        for _time in range(2):
            (outcome,) = self.process(self.us, node)
            self.compare(sale, facts, outcome)
        outcome = RULES[TABLE[change][state]].outcome
        self.assertEqual(outcome == "applied", not facts.choices)
        self.assertFalse(lines - sale.order_line, "no line is ever removed")
        self.assertEqual(self.posted(sale), posted, "posted invoices stay")
        self.assertParties(change, state, sale, parties)
        if change == "tags_notes":
            self.assertEqual(sale.tag_ids.mapped("name"), ["vip"])
            self.assertEqual(sale.shopify_order_ids.note, "Ring twice")

    def compare(self, sale, facts, outcome):
        self.assertEqual(sale.state, facts.state)
        self.assertEqual(self.ordered(sale), facts.ordered)
        self.assertEqual(self.still_to_ship(sale), facts.ship)
        self.assertEqual(round(sale.amount_total, 2), facts.total)
        binding = sale.shopify_order_ids
        self.assertEqual(binding.choices or "", facts.choices)
        self.assertEqual(bool(binding.difference), bool(facts.choices))
        if not facts.choices:
            self.assertFalse(outcome.blocks, outcome.blocks)
            return
        self.assertEqual(outcome.status, "blocked")
        (block,) = outcome.blocks
        self.assertEqual((block.category, block.res_id), ("order_changed", binding.id))
        for text in facts.tells:
            self.assertIn(text, block.message)
            self.assertIn(text, binding.difference)
        for choice, label in (
            ("apply", "Apply Anyway"),
            ("return", "Return Goods"),
            ("accept", "Dealt With"),
        ):
            self.assertEqual(label in block.remedy, choice in facts.choices)

    def assertParties(self, change, state, sale, before):
        partner, invoice, shipping = before
        applied = TABLE[change][state] not in (
            "keep_locked",
            "keep_closed",
            "keep_customer",
            "keep_invoiced_customer",
        )
        streets = (sale.partner_invoice_id.street, sale.partner_shipping_id.street)
        self.assertEqual(
            streets,
            (
                "2 Other Street" if applied and change == "billing_address" else invoice.street,
                "2 Other Street" if applied and change == "shipping_address" else shipping.street,
            ),
        )
        changed = applied and change == "customer"
        self.assertEqual(sale.partner_id.name, "Eve Other" if changed else partner.name)
        for picking in sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel")):
            self.assertEqual(picking.partner_id, sale.partner_shipping_id)
            self.assertEqual(picking.move_ids.partner_id, sale.partner_shipping_id)
        done = sale.picking_ids.filtered(lambda pick: pick.state == "done")
        self.assertLessEqual(done.partner_id, shipping)
