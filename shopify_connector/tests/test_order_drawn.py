"""Hundreds of drawn orders in a database: order, invoices and payments to the cent.

What is drawn is the same in each run. ``SHOPIFY_CONNECTOR_DRAWN_ORDERS=5000`` draws more,
``SHOPIFY_CONNECTOR_DRAWN_SEED=7`` draws others.
"""

import itertools
import os
from dataclasses import dataclass

from .accounting_check import Figures, OrderCheck
from .drawn_common import SEED, SEEN, SHOP, DrawnCase

try:
    import hypothesis
    from hypothesis import strategies as st

    from .order_drawn import DIGITS, decimal, orders, story
    from .order_reduced import reduce
except ImportError:
    hypothesis = None

COUNT = int(os.environ.get("SHOPIFY_CONNECTOR_DRAWN_ORDERS", "232"))
BATCH = 29


@dataclass(frozen=True)
class Way:
    """How a batch goes through the books.

    :ivar store: ``us`` or ``eu``: books in USD or in EUR
    :ivar policy: the store's currency policy, and the side of the drawn amounts that it takes
    :ivar when: value of the store's ``invoice_when``; ``hand``: a person invoices parts
    """

    store: str
    policy: tuple
    rounding: str
    when: str


WAYS = (
    Way("us", SHOP, "round_per_line", "payment"),
    Way("eu", SEEN, "round_globally", "confirmation"),
    Way("us", SEEN, "round_per_line", "delivery"),
    Way("eu", SHOP, "round_globally", "hand"),
    Way("us", SEEN, "round_globally", "hand"),
    Way("eu", SHOP, "round_per_line", "delivery"),
    Way("us", SHOP, "round_globally", "confirmation"),
    Way("eu", SEEN, "round_per_line", "payment"),
)


FEATURES = {
    *("1 parts", "2 parts", "3 parts"),
    *("1 lines", "8 lines", "500 units", "free", "discounts", "twin taxes", "tax of 0"),
    *("prices with tax", "prices without tax", "paid by the channel", "foreign"),
    *("shipping", "discount on shipping", "tip line", "tip apart", "duty", "fee", "gift card"),
    *("no product", "0 decimals", "2 decimals", "3 decimals", "cash with change"),
    *("several payments", "several captures", "gift card as tender", "store credit as tender"),
    *("PAID", "PARTIALLY_PAID", "PENDING", "attempts"),
}


def features(node, books):
    """What makes an order worth testing: names in :data:`FEATURES`."""
    items, shipping = node["lineItems"]["nodes"], node["shippingLines"]["nodes"]
    goods = [item for item in items if item["title"] != "Tip"]
    taxes = [tax for item in (*goods, *shipping) for tax in item["taxLines"]]
    paid = [item for item in node["transactions"] if item["status"] == "SUCCESS"]
    tenders = {item["gateway"] for item in paid}
    names = {
        f"{len(goods)} lines": True,
        "500 units": any(item["quantity"] >= 500 for item in goods),
        "free": not books.total[0] and goods,
        "discounts": any(len(item["discountAllocations"]) > 1 for item in goods),
        "twin taxes": any(
            len({(tax["title"], tax["rate"]) for tax in item["taxLines"]}) < len(item["taxLines"])
            for item in goods
        ),
        "tax of 0": any(tax["rate"] == 0 for tax in taxes),
        "prices with tax": node["taxesIncluded"] and taxes,
        "prices without tax": not node["taxesIncluded"] and taxes,
        "paid by the channel": any(tax["channelLiable"] for tax in taxes),
        "foreign": node["currencyCode"] != node["presentmentCurrencyCode"],
        "shipping": shipping,
        "discount on shipping": any(item["discountAllocations"] for item in shipping),
        "tip line": goods != items,
        "tip apart": goods == items and float(_seen(node["totalTipReceivedSet"])),
        "duty": any(item["duties"] for item in goods),
        "fee": node["additionalFees"],
        "gift card": any(item["isGiftCard"] for item in goods),
        "no product": any(not item["variant"] for item in goods),
        f"{DIGITS[node['presentmentCurrencyCode']]} decimals": True,
        "cash with change": "cash" in tenders,
        "several payments": sum(item["kind"] == "SALE" for item in paid) > 1,
        "several captures": sum(item["kind"] == "CAPTURE" for item in paid) > 1,
        "gift card as tender": "gift_card" in tenders,
        "store credit as tender": "shopify_store_credit" in tenders,
        node["displayFinancialStatus"]: True,
        "attempts": len(paid) < len(node["transactions"]),
    }
    return {name for name, there in names.items() if there}


def _seen(bag):
    return bag["presentmentMoney"]["amount"]


class TestOrderDrawn(DrawnCase):
    # -- what is drawn --------------------------------------------------------------------------

    def drawn(self):
        """``[(order node, Books, splits)]``, none twice; the same ones each time.

        ``splits`` are per mille of what is left, for each part but the last.
        """
        numbers, found = itertools.count(1), {}

        @hypothesis.seed(SEED)
        @hypothesis.settings(
            # some are drawn twice
            max_examples=2 * COUNT,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(
            orders(lambda: next(numbers), edits=False), st.lists(st.integers(0, 1000), max_size=2)
        )
        def keep(order, splits):
            found.setdefault(_key(order[0]), (*order, splits))

        keep()
        return list(found.values())[:COUNT]

    # -- the test -------------------------------------------------------------------------------

    def test_drawn_orders_to_the_cent(self):
        drawn = self.drawn()
        checked = 0
        for start, way in zip(range(0, len(drawn), BATCH), itertools.cycle(WAYS), strict=False):
            batch = drawn[start : start + BATCH]
            problems = self.tried(way, batch)
            if problems:
                self.explain(way, batch, problems)
            checked += len(batch)
        self.assertGreaterEqual(checked, min(COUNT, 200))

    def test_enough_is_drawn(self):
        """Guards the test above: easy orders, or few of them, would prove nothing."""
        drawn = self.drawn()
        self.assertGreaterEqual(len(drawn), 200)
        seen = set()
        for node, books, splits in drawn:
            seen |= features(node, books) | {f"{len(splits) + 1} parts"}
        self.assertEqual(FEATURES - seen, set())

    def explain(self, way, batch, problems):
        """Fail with the simplest order that still goes wrong."""

        def alone(*drawn):
            return self.tried(way, [drawn])

        text = f"{len(problems)} of {len(batch)} orders go wrong, {way}"
        wrong = {node["id"] for node, _sentences in problems}
        for drawn in batch:
            if drawn[0]["id"] in wrong and alone(*drawn):
                simplest = reduce(drawn[0], drawn[2], alone)
                problems = alone(*simplest)
                text += f"; the simplest with splits {simplest[2]}:"
                break
        self.fail("\n".join([text, *(_report(*problem) for problem in problems)]))

    def tried(self, way, batch):
        """What goes wrong with a batch, of which nothing stays: ``[(node, [sentence])]``."""
        savepoint = self.env.cr.savepoint()
        try:
            return self.run_batch(way, batch)
        except Exception as error:
            return [(node, [repr(error)]) for node, _books, _splits in batch]
        finally:
            self.env.invalidate_all(flush=False)
            savepoint.close(rollback=True)

    def run_batch(self, way, batch):
        """Import, invoice and pay a batch, then once more; returns ``[(node, [sentence])]``."""
        backend = getattr(self, way.store)
        by_hand = way.when == "hand"
        backend.company_id.tax_calculation_rounding_method = way.rounding
        backend.write(
            {
                "currency_policy": way.policy[0],
                "invoice_policy": "none" if by_hand else "paid",
                "invoice_when": "payment" if by_hand else way.when,
                "book_payments": by_hand,
            }
        )
        nodes = {node["id"]: node for node, _books, _splits in batch}
        bindings = self.bring_in(backend, list(nodes.values()))
        if len(bindings) < len(nodes):
            return self.waiting(backend, nodes)
        checks = [
            OrderCheck(binding, self.figures(way, node, books), self.is_invoiced(way, node))
            for binding, (node, books, _splits) in zip(bindings, batch, strict=True)
        ]
        splits = [splits for _node, _books, splits in batch]
        self.invoice(way, backend, [check.sale for check in checks], splits)
        if self.account(backend):
            return self.waiting(backend, nodes)
        self.compare(checks)
        before = self.counts()
        self.bring_in(backend, list(nodes.values()))
        self.env["shopify.accounting.task"]._add(bindings)
        if self.account(backend):
            return self.waiting(backend, nodes)
        self.compare(checks)
        self.assertEqual(self.counts(), before, "a second import made records")
        wrong = [check for check in checks if check.wrong]
        return [(nodes[check.binding.shopify_gid], check.wrong) for check in wrong]

    def compare(self, checks):
        for check in checks:
            check.order()
            check.invoices()
            check.shares()
            check.payments()

    def figures(self, way, node, books):
        side = way.policy[1]
        currency = node[("presentmentCurrencyCode", "currencyCode")[side]]
        shop = node["currencyCode"]

        def amount(pair):
            return decimal(pair[side], currency) + 0

        in_books = None
        if shop == getattr(self, way.store).company_id.currency_id.name:
            in_books = tuple(decimal(pair[1], shop) + 0 for pair in (books.total, books.tax))
        return Figures(
            total=amount(books.total),
            tax=amount(books.tax),
            shipping=amount(books.shipping),
            discount=amount(books.discount),
            taxes={key: amount(pair) for key, pair in books.taxes.items()},
            payments=[amount(pair) for pair in books.payments],
            books=in_books,
        )

    def is_invoiced(self, way, node):
        return way.when != "payment" or node["displayFinancialStatus"] == "PAID"

    # -- invoices -------------------------------------------------------------------------------

    def invoice(self, way, backend, sales, splits):
        """Invoice the orders as the store does; by deliveries or by hand in parts."""
        for part in range(3 if way.when in ("delivery", "hand") else 0):
            for sale, shares in zip(sales, splits, strict=True):
                share = shares[part] if part < len(shares) else 1000
                if way.when == "delivery":
                    self.deliver_share(sale, share)
                else:
                    self.invoice_share(sale, share)
            self.account(backend)

    def deliver_share(self, sale, share):
        picking = sale.picking_ids.filtered(lambda pick: pick.state not in ("done", "cancel"))
        for index, move in enumerate(picking.move_ids):
            move.quantity = _part(move.product_uom_qty, share, index)
            move.picked = bool(move.quantity)
        if any(picking.move_ids.mapped("quantity")):
            picking.with_context(skip_backorder=True)._action_done()

    def invoice_share(self, sale, share):
        for index, line in enumerate(sale.order_line):
            line.qty_to_invoice = _part(line.product_uom_qty - line.qty_invoiced, share, index)
        if any(sale.order_line.mapped("qty_to_invoice")):
            sale._create_invoices().action_post()

    def counts(self):
        self.env.flush_all()
        return {
            model: self.env[model].search_count([])
            for model in (
                "sale.order",
                "sale.order.line",
                "res.partner",
                "account.move",
                "account.move.line",
                "account.payment",
                "account.partial.reconcile",
                "shopify.order",
                "shopify.payment",
                "stock.move",
            )
        }


def _part(quantity, share, index):
    """A share per mille of whole units, another one on each line; 1000 is all."""
    if share < 1000:
        share = (share + 389 * index) % 1000
    return int(quantity) * share // 1000


def _key(node):
    """What an order is, whatever its number."""
    return story(node).partition(" ")[2]


def _report(node, sentences):
    return "\n".join([story(node), *(f"  -> {sentence}" for sentence in dict.fromkeys(sentences))])
