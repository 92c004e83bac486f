"""Drawn histories of refunds in a database: after each step, credit notes, payments and goods.

What is drawn is the same in each run; see :mod:`.test_order_drawn` for how to draw more, or others.
"""

import copy
import itertools
import os
import re
from dataclasses import dataclass

from .drawn_common import SEED, SEEN, SHOP, DrawnCase
from .refund_check import HistoryCheck

try:
    import hypothesis

    from .order_drawn import DIGITS
    from .refund_books import EXCEPTION, Ledger
    from .refund_drawn import at_one_rate, first_import, histories, reduce, tell
    from .refund_steps import CatchUp, Receive, Refund, Ship
    from .refund_store import Store
except ImportError:
    hypothesis = None

COUNT = int(os.environ.get("SHOPIFY_CONNECTOR_DRAWN_ORDERS", "100"))
BATCH = 20


@dataclass(frozen=True)
class Way:
    """How a batch goes through books and warehouse.

    :ivar store: ``us`` or ``eu``: books in USD or in EUR
    :ivar policy: the store's currency policy, and the side of the drawn amounts that it takes
    :ivar when, refunds, goods: ``invoice_when``, ``refund_policy`` and ``return_policy``
    """

    store: str
    policy: tuple
    rounding: str
    when: str
    refunds: str = "paid"
    goods: str = "done"


WAYS = (
    Way("us", SHOP, "round_per_line", "payment"),
    Way("eu", SEEN, "round_globally", "delivery"),
    Way("us", SEEN, "round_per_line", "delivery", goods="ready"),
    Way("eu", SHOP, "round_globally", "confirmation"),
    Way("us", SHOP, "round_globally", "delivery", refunds="posted"),
    Way("eu", SEEN, "round_per_line", "payment", refunds="draft", goods="ready"),
)


FEATURES = {
    *("1 refunds", "2 refunds", "3 refunds", "4 refunds"),
    *("CANCEL", "RETURN", "NO_RESTOCK", "NO_RESTOCK unsent", "of a line fulfilled in part"),
    *(
        "part of a line",
        "several kinds",
        "twin taxes",
        "prices with tax",
        "foreign",
        "another rate",
    ),
    *("0 decimals", "2 decimals", "3 decimals", "shipping in part", "shipping", "amount alone"),
    *("exact", "kept", "more", "none", "waived", "unexplained", "pays out", "several transactions"),
    *("gift_card", "paypal", "pending", "failed", "pending, then done", "Odoo is late", "past"),
}


def features(history):
    """What makes a history worth testing: names in :data:`FEATURES`."""
    store, found = Store(history.order), set()
    for step in history.steps:
        partly = [0 < line.fulfilled < line.quantity for line in store.lines]
        was_pending = [refund for refund in store.refunds if refund.state == "pending"]
        done = store.apply(step)
        if any(refund.state == "done" for refund in was_pending):
            found.add("pending, then done")
        if isinstance(step, Ship) and step.late and done:
            found.add("Odoo is late")
        if isinstance(step, Refund) and done:
            found |= _refund_features(store, done, partly)
    taxes = [line.node["taxLines"] for line in store.lines]
    names = {
        f"{len(store.refunds)} refunds": True,
        f"{DIGITS[store.pen.seen]} decimals": True,
        "foreign": store.pen.seen != store.pen.shop,
        "prices with tax": store.included and any(taxes),
        "twin taxes": any(len({(t["title"], t["rate"]) for t in own}) < len(own) for own in taxes),
        "past": first_import(history),
    }
    return found | {name for name, there in names.items() if there}


def _refund_features(store, refund, partly):
    entries = refund.entries
    kinds = {entry.restock for entry in entries}
    names = {
        refund.money: any(refund.worth),
        refund.state: True,
        "NO_RESTOCK unsent": any(one.unsent and one.restock == "NO_RESTOCK" for one in entries),
        "several kinds": len(kinds) > 1,
        "part of a line": any(one.units < store.lines[one.line].quantity for one in entries),
        "of a line fulfilled in part": any(partly[one.line] for one in entries),
        "shipping": any(whole for *_amounts, whole in refund.shipping),
        "shipping in part": any(not whole for *_amounts, whole in refund.shipping),
        "amount alone": not entries and not refund.shipping and not refund.pays_out,
        "pays out": refund.pays_out,
        "another rate": refund.exchange,
        "several transactions": len(refund.transactions) > 1,
    }
    names |= {kind: not all(e.unsent for e in entries) for kind in kinds & {"NO_RESTOCK"}}
    names |= dict.fromkeys(kinds - {"NO_RESTOCK"}, True)
    names |= {item["gateway"]: True for item in refund.transactions}
    return {name for name, there in names.items() if there}


@dataclass
class Run:
    """A history on its way.

    :ivar nodes: the order as it was after each step that changed it
    """

    history: object
    store: object
    ledger: object
    first: int
    nodes: list

    @property
    def gid(self):
        return self.history.order["id"]


class TestRefundDrawn(DrawnCase):
    # -- what is drawn --------------------------------------------------------------------------

    def drawn(self):
        """The same histories each time, none twice."""
        numbers, found = itertools.count(1), {}

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            # Neighbours are much alike.
            max_examples=3 * COUNT,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(histories(lambda: next(numbers)))
        def keep(history):
            text = tell(history)
            if "REFUND" in text:
                found.setdefault(text.partition(" ")[2], history)

        keep()
        return list(found.values())[::2][:COUNT]

    # -- the test -------------------------------------------------------------------------------

    def test_drawn_refunds_to_the_cent(self):
        drawn = self.drawn()
        for start, way in zip(range(0, len(drawn), BATCH), itertools.cycle(WAYS), strict=False):
            batch = drawn[start : start + BATCH]
            problems = self.tried(way, batch)
            if problems:
                self.explain(way, batch, problems)

    def test_enough_is_drawn(self):
        """Guards the test above: histories without much in them would prove nothing."""
        drawn = self.drawn()
        self.assertGreaterEqual(len(drawn), min(COUNT, 100))
        seen = set()
        for history in drawn:
            seen |= features(history)
        self.assertEqual(FEATURES - seen, set())

    def explain(self, way, batch, problems):
        """Fail with the simplest history that still goes wrong in the same way."""
        text = f"{len(problems)} of {len(batch)} histories go wrong, {way}"
        history, sentences = problems[0]
        found = self.wrong_alone(way, history)
        if found:
            heads = _heads(found)
            history = reduce(history, lambda one: heads & _heads(self.wrong_alone(way, one)))
            sentences = self.wrong_alone(way, history)
            text += "; the simplest:"
        self.fail("\n".join([text, *_report(history, sentences)]))

    def wrong_alone(self, way, history):
        """Sentences about a history that is a batch of its own."""
        problems = self.tried(way, [history])
        return problems[0][1] if problems else []

    def tried(self, way, batch):
        """What goes wrong with a batch, of which nothing stays: ``[(history, [sentence])]``."""
        savepoint = self.env.cr.savepoint()
        try:
            return self.run_batch(way, batch)
        except Exception as error:
            return [(history, [repr(error)]) for history in batch]
        finally:
            self.env.invalidate_all(flush=False)
            savepoint.close(rollback=True)

    def run_batch(self, way, batch):
        """Take a batch through its histories, step by step, until something is wrong."""
        backend = self.prepare(way)
        runs = [self.begin(way, history) for history in batch]
        for number in range(1 + max(len(run.history.steps) for run in runs)):
            due = [run for run in runs if number <= len(run.history.steps)]
            for run in due if number else ():
                self.step(run, number)
            read = [run for run in due if number >= run.first]
            self.bring_in(backend, [run.store.node for run in read])
            self.settle(backend, read)
            wrong = self.compare(way, backend, read, number)
            wrong = wrong or self.compare_again(backend, read, number)
            if wrong:
                return wrong
        return []

    def prepare(self, way):
        backend = getattr(self, way.store)
        backend.company_id.tax_calculation_rounding_method = way.rounding
        backend.write(
            {
                "currency_policy": way.policy[0],
                "invoice_policy": "paid",
                "invoice_when": way.when,
                "refund_policy": way.refunds,
                "return_policy": way.goods,
            }
        )
        return backend

    def begin(self, way, history):
        if way.policy == SHOP and (way.when == "delivery" or history.known_from):
            # A difference of rates over what is on no invoice is for a person.
            history = at_one_rate(history)
        store = Store(history.order)
        ledger = Ledger(store, way.policy[1], way.when, way.goods == "done")
        return Run(history, store, ledger, first_import(history), [])

    # -- steps ----------------------------------------------------------------------------------

    def step(self, run, number):
        """The next step, on both sides."""
        step = run.history.steps[number - 1]
        known = number > run.first
        run.nodes.append(copy.deepcopy(run.store.node))
        done = run.store.apply(step)
        if not known:
            return
        if isinstance(step, Ship) and not step.late:
            self.deliver_units(run, run.ledger.send(done))
        elif isinstance(step, CatchUp):
            self.deliver_units(run, run.ledger.catch_up())
        elif isinstance(step, Receive):
            run.ledger.receive()
            self.receive(run)

    def binding_of(self, run):
        return self.env["shopify.order"].search([("shopify_gid", "=", run.gid)])

    def deliver_units(self, run, units):
        """The warehouse sends ``{position: units}`` of what is open."""
        sale = self.binding_of(run).sale_order_id
        gids = {run.store.lines[index].node["id"]: number for index, number in units.items()}
        moves = sale.order_line.move_ids.filtered(
            lambda move: (
                move.state not in ("done", "cancel") and move.location_dest_usage == "customer"
            )
        )
        for move in moves:
            quantity = min(gids.get(move.sale_line_id.shopify_gid, 0), move.product_uom_qty)
            if quantity:
                gids[move.sale_line_id.shopify_gid] -= quantity
            move.quantity = quantity
            move.picked = bool(quantity)
        moves.filtered("quantity").picking_id.with_context(skip_backorder=True)._action_done()

    def receive(self, run):
        receipts = self.binding_of(run).sale_order_id.picking_ids.filtered(
            lambda pick: (
                pick.state not in ("done", "cancel") and pick.picking_type_code == "incoming"
            )
        )
        receipts.move_ids.picked = True
        receipts.with_context(skip_backorder=True)._action_done()

    def settle(self, backend, runs):
        """What the jobs do, in Odoo and in the ledgers."""
        for run in runs:
            run.ledger.hear()
        backend._job_restock()
        self.account(backend)
        for run in runs:
            run.ledger.account()

    def read_again(self, backend, nodes, source):
        self.sandbox.load(nodes, backend.shop_domain)
        self.put(backend, [node["id"] for node in nodes], "orders/updated", source)
        self.drain(backend)
        backend._job_restock()
        self.env["shopify.accounting.task"]._add(
            self.env["shopify.order"].search(
                [("shopify_gid", "in", [node["id"] for node in nodes])]
            )
        )
        self.account(backend)

    # -- checks ---------------------------------------------------------------------------------

    def compare(self, way, backend, runs, number):
        """``[(history, [sentence])]`` of what is not as the ledgers say."""
        messages = dict(self.waiting(backend, {run.gid: run.gid for run in runs}))
        problems = []
        for run in runs:
            binding = self.binding_of(run)
            found = messages.get(run.gid, [])
            if not binding.sale_order_id:
                problems.append((run.history, ["was not imported", *found]))
                continue
            wrong = HistoryCheck(binding, run.ledger, way.policy[1]).check()
            due = any(one.state == EXCEPTION for one in run.ledger.bookings.values())
            if bool(found) != due:
                wrong.append(f"exceptions: {found}")
            if wrong:
                problems.append((run.history, [f"after step {number}:", *wrong]))
        others = self.exceptions(backend).filtered(lambda one: not one.line_ids or not one.remedy)
        self.assertFalse(others, others.mapped("message"))
        return problems

    def compare_again(self, backend, runs, number):
        """The same payload once more, or the one of before, which comes late, changes nothing."""
        before = {run.gid: self.traces(run) for run in runs}
        late = number % 2 == 0
        nodes = [
            run.nodes[-1] if late and len(run.nodes) > run.first else run.store.node for run in runs
        ]
        self.read_again(backend, nodes, "webhook" if late else "manual")
        problems = []
        for run in runs:
            now = self.traces(run)
            payload = "an old payload" if late else "the same payload"
            changed = [
                f"{name} changed by {payload}: {old} -> {now[name]}"
                for name, old in before[run.gid].items()
                if old != now[name]
            ]
            if changed:
                problems.append((run.history, [f"after step {number}:", *changed]))
        return problems

    def traces(self, run):
        """What there is of an order, in a form that can be compared."""
        binding = self.binding_of(run)
        sale = binding.sale_order_id
        moves = sale.invoice_ids | binding.payment_ids.move_id
        return {
            "documents": [(m.id, m.state, m.amount_total, m.payment_state) for m in moves.sorted()],
            "payments": [(p.id, p.status, p.move_id.id) for p in binding.payment_ids.sorted("id")],
            "refunds": [
                (r.id, r.state, r.money_state, r.amount_money, r.amount_value)
                for r in binding.refund_ids.sorted("id")
            ],
            "goods": [
                (m.id, m.state, m.product_uom_qty, m.quantity)
                for m in sale.order_line.move_ids.sorted("id")
            ],
            "lines": [
                (line.id, line.product_uom_qty, line.price_total, line.qty_to_invoice)
                for line in sale.order_line
            ],
        }


def _heads(sentences):
    """What sentences are about, without the figures."""
    return {re.split(r"[:(]", text)[0] for text in sentences if not text.startswith("after")}


def _report(history, sentences):
    return [tell(history), *(f"  -> {sentence}" for sentence in dict.fromkeys(sentences))]
