import time
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from odoo import api, models
from odoo.tools import SQL

from ..mappers import stock as mapper
from .sql_values import int_array

NO_RULES = MappingProxyType({})
# Seconds after which an export stops sending, well before its lease ends.
DEADLINE = 150


@dataclass(eq=False, slots=True)
class Item:
    """A level at work: what was known, what is wanted, what came of it.

    :ivar unimported: units of orders that are not in Odoo yet
    :ivar pool: units of orders that Odoo has come to know since `known`; they explain a drop
    :ivar unsure: nobody knows what Shopify has: never read, or a call without an answer
    :ivar intent: what a call without an answer was to set
    :ivar before: state, message and key of the level, so that only changes are written
    :ivar verdict: state of the level, None while undecided
    :ivar wait: seconds after which the variant is to be looked at again, None for not at all
    """

    variant_id: int
    variant_gid: str
    label: str
    product_id: int
    item_gid: str
    location_id: int
    location_gid: str
    name: str
    level_id: int
    known: int
    known_at: datetime | None
    stocked: bool
    held: int
    held_at: datetime | None
    seen_order: int
    seen_waiting: float
    unsure: bool
    intent: int | None
    before: tuple
    unimported: float = 0.0
    pool: float = 0.0
    wanted: int = 0
    verdict: str | None = None
    message: str | None = None
    wait: float | None = None
    pushed: bool = False
    touched: bool = False
    tracked: bool = True
    key: str | None = None
    lost: bool = False
    refusal: tuple | None = None


@dataclass
class Run:
    """One export.

    :ivar items: the Items by level id
    :ivar last_order: id of the youngest order that the quantities take into account
    :ivar calls: number of calls that set quantities; sent: number of quantities
    :ivar fault: what ended it early
    """

    claim: object
    items: dict = field(default_factory=dict)
    last_order: int = 0
    calls: int = 0
    sent: int = 0
    single: bool = False
    fault: Exception | None = None
    started: float = field(default_factory=time.monotonic)
    request_ids: list = field(default_factory=list)

    @property
    def late(self):
        return time.monotonic() - self.started > DEADLINE


class ShopifyStockExporter(models.AbstractModel):
    """What the store should show, computed for a whole export in a few queries."""

    _inherit = "shopify.stock.exporter"

    def _plan(self, backend, run, variant_ids, again=()):
        """Compute what the store should show, in a snapshot that is younger than the claim.

        :param again: Items whose decision is to be made anew; else they are made here
        """
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            store = env["shopify.backend"].browse(backend.id)
            exporter = env[self._name]
            locations = exporter._locations(store)
            run.single = len(locations) == 1
            if not again:
                items = exporter._load(store, locations, variant_ids)
                run.items.update({item.level_id: item for item in items})
            else:
                items = again
            exporter._compute(store, run, locations, items)

    def _locations(self, backend):
        """The locations of a store that show Odoo's stock."""
        locations = self.env["shopify.location"].search(
            [("backend_id", "=", backend.id), ("push_stock", "=", True)]
        )
        return locations.filtered(lambda location: location._stock_sources())

    def _ensure_levels(self, backend, variant_ids):
        """Make the levels that are not there yet."""
        with self.env["shopify.inbox"]._read_committed() as env:
            locations = env[self._name]._locations(backend.with_env(env))
            env.cr.execute(
                """
                INSERT INTO shopify_stock_level (
                    backend_id, variant_id, location_id, state, stocked, held,
                    seen_order, seen_waiting)
                SELECT v.backend_id, v.id, l.id, 'new', false, 0, 0, 0
                FROM shopify_variant v, unnest(%s::int[]) AS l (id)
                WHERE v.id = ANY(%s) AND v.backend_id = %s AND v.inventory_item_gid IS NOT NULL
                    AND v.product_id IS NOT NULL AND NOT coalesce(v.remote_deleted, false)
                ON CONFLICT (variant_id, location_id) DO NOTHING
                """,
                (locations.ids, variant_ids, backend.id),
            )

    def _load(self, backend, locations, variant_ids):
        # Variants and locations are read once, not once for each level.
        self.env.cr.execute(
            SQL(
                """
                SELECT id, shopify_gid, coalesce(sku, title, shopify_gid), product_id,
                    inventory_item_gid
                FROM shopify_variant
                WHERE id = ANY(%s) AND product_id IS NOT NULL AND inventory_item_gid IS NOT NULL
                    AND NOT coalesce(remote_deleted, false)
                """,
                int_array(variant_ids),
            )
        )
        variants = {row[0]: row for row in self.env.cr.fetchall()}
        places = {
            location.id: (location.id, location.shopify_gid, _quantity_name(location))
            for location in locations
        }
        self.env.cr.execute(
            SQL(
                """
                SELECT variant_id, location_id, quantity_name,
                    known_at IS NULL OR intent_key IS NOT NULL,
                    CASE WHEN intent_key IS NOT NULL THEN intent_quantity END,
                    state, message, intent_key,
                    id, coalesce(known, 0), known_at, stocked, coalesce(held, 0), held_at,
                    seen_order, seen_waiting
                FROM shopify_stock_level
                WHERE variant_id = ANY(%s) AND location_id = ANY(%s)
                ORDER BY location_id, variant_id
                """,
                int_array(variants),
                locations.ids,
            )
        )
        items = []
        for row in self.env.cr.fetchall():
            variant_id, location_id, name, unsure, intent = row[:5]
            place = places[location_id]
            unsure = unsure or name != place[2]
            items.append(Item(*variants[variant_id], *place, *row[8:], unsure, intent, row[5:8]))
        return items

    def _compute(self, backend, run, locations, items):
        """What is wanted of each item, and which orders explain a drop."""
        product_ids = list({item.product_id for item in items})
        Quantity = self.env["shopify.stock.quantity"]
        offer = Quantity._offer(backend, locations, product_ids)
        book = Quantity._rule_book(backend)
        products = self.env["product.product"].browse(product_ids)
        rules = Quantity._rules_of(book, products, locations)
        self._find_arrived(backend, run, items, offer.unimported)
        bases = {location.id: location.stock_basis for location in locations}
        for item in items:
            pair = (item.location_id, item.product_id)
            mine = rules.get(pair, NO_RULES)
            if item.held:
                self._forget_held(backend, item)
            if item.product_id in offer.uncounted:
                item.verdict, item.message = "off", self.env._("Odoo does not count this product.")
            elif "no_push" in mine:
                item.verdict, item.message = "off", mine["no_push"].name
            item.unimported = offer.unimported.get(pair, 0.0)
            item.wanted = mapper.reckon(
                bases[item.location_id],
                offer.stocks.get(pair, mapper.NO_STOCK),
                mine,
                waiting=offer.waiting.get(pair, 0.0),
                held=item.held,
            )

    def _find_arrived(self, backend, run, items, unimported):
        """Orders that came since each item's quantity was known; they may explain its drop.

        Only those of the product itself: what a kit takes from its components, Shopify does not
        know.
        """
        Inflight = self.env["shopify.stock.inflight"]
        run.last_order = Inflight._last_order(backend)
        known = [item for item in items if item.known_at]
        oldest = min((item.seen_order for item in known), default=run.last_order)
        if oldest >= run.last_order and not unimported:
            for item in known:
                item.pool = 0.0
            return
        arrived = Inflight._arrived(backend, list({item.product_id for item in known}), oldest)
        for item in known:
            pair = (item.location_id, item.product_id)
            units = sum(
                units
                for order_id, units in arrived.get(item.product_id, ())
                if order_id > item.seen_order
            )
            # An order that waited for its import then may have arrived.
            item.pool = max(0.0, units + unimported.get(pair, 0.0) - item.seen_waiting)
            if item.held and item.pool:
                # Here are the orders for which units were held back.
                freed = min(item.held, int(item.pool))
                item.held -= freed
                item.pool -= freed
                item.touched = True
            if item.pool and not run.single:
                # Which location Shopify took them from, it alone knows.
                item.unsure = True

    def _forget_held(self, backend, item):
        """Units are held back until all orders that may be their reason are in Odoo."""
        if self.env["shopify.stock.inflight"]._caught_up(backend, item.held_at):
            item.held = 0
            item.touched = True


def _quantity_name(location):
    """Shopify's name of the quantity that a location shows."""
    return "on_hand" if location.stock_basis == "on_hand" else "available"
