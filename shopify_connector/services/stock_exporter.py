import logging
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..client.errors import ShopifyError, TransientError, UserErrorsError
from ..mappers import stock as mapper
from .stock_claim import CLAIM_LIMIT

_logger = logging.getLogger(__name__)

# How often a level is read and decided again when it changes in Shopify at the same time.
ROUNDS = 4
NO_RULES = MappingProxyType({})
# Seconds after which an export stops sending, well before its lease ends.
DEADLINE = 150


@dataclass(eq=False)
class Item:
    """A level at work: what was known, what is wanted, what came of it.

    :ivar sold: units of orders that are not reserved in Odoo yet
    :ivar pool: units of orders that came into Odoo since `known`; they explain a drop
    :ivar unsure: nobody knows what Shopify has: never read, or a call without an answer
    :ivar intent: what a call without an answer was to set
    :ivar before: state, message and key of the level, so that only changes are written
    :ivar verdict: state of the level, None while undecided
    :ivar wait: seconds after which the variant is to be looked at again, None for not at all
    """

    level_id: int
    variant_id: int
    variant_gid: str
    label: str
    product_id: int
    item_gid: str
    location_id: int
    location_gid: str
    name: str
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
    sold: float = 0.0
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
    """Deciding and sending; see `stock_claim.py` for the whole."""

    _inherit = "shopify.stock.exporter"

    def _push(self, backend, limit=CLAIM_LIMIT, force=False):
        """Tell a store what is due.

        :param force: also while the store is left alone because it did not answer
        :return: a sentence for the job
        """
        backend.ensure_one()
        backend = backend.sudo()
        if not backend.push_stock:
            return self.env._("Stock of this store is not sent.")
        if not backend._can_call():
            return self.env._("The store is not connected: changes wait.")
        claim = self._claim(backend, limit, force=force)
        if claim.paused_for:
            self._trigger(backend, claim.paused_for, key="stock:later")
            return self.env._(
                "The store is left alone for %(seconds)s more seconds.",
                seconds=round(claim.paused_for),
            )
        if not claim.reasons:
            return self.env._("Nothing waits.")
        run = Run(claim)
        try:
            self._export(backend, run)
        except (ShopifyError, UserError) as error:
            run.fault = error
        self._settle(backend, run)
        return self.env._(
            "%(variants)s variants: %(sent)s quantities sent in %(calls)s calls.",
            variants=len(claim.reasons),
            sent=run.sent,
            calls=run.calls,
        )

    def _export(self, backend, run):
        client = self.env["shopify.client.factory"]._client(backend)
        crowded = self.env["shopify.stock.inflight"]._refresh(backend, client)
        self._ensure_levels(backend, list(run.claim.reasons))
        self._plan(backend, run, list(run.claim.reasons))
        for _round in range(ROUNDS):
            todo = [item for item in run.items.values() if item.verdict is None]
            unread = [item for item in todo if item.unsure]
            if unread:
                self._read(client, unread)
                self._judge_read(backend, client, unread)
            self._decide(todo, crowded)
            todo = [item for item in todo if item.verdict is None]
            if not todo:
                return
            self._send_all(backend, client, run, todo)
            stale = [item for item in todo if item.verdict is None]
            if not stale or run.late:
                break
            # A younger snapshot: the order that made it stale may be in Odoo by now.
            self._plan(backend, run, list({item.variant_id for item in stale}), stale)
        for item in run.items.values():
            if item.verdict is None:
                item.verdict, item.wait = "waiting", 2
                item.message = self.env._("Shopify's quantity changes all the time.")

    # === PLANNING === #

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
        self.env.cr.execute(
            """
            SELECT s.id, v.id, v.shopify_gid, coalesce(v.sku, v.title, v.shopify_gid),
                v.product_id, v.inventory_item_gid, l.id, l.shopify_gid,
                CASE WHEN l.stock_basis = 'on_hand' THEN 'on_hand' ELSE 'available' END AS name,
                coalesce(s.known, 0), s.known_at, s.stocked, coalesce(s.held, 0), s.held_at,
                s.seen_order, s.seen_waiting,
                s.known_at IS NULL OR s.intent_key IS NOT NULL OR s.quantity_name IS DISTINCT FROM
                    CASE WHEN l.stock_basis = 'on_hand' THEN 'on_hand' ELSE 'available' END,
                CASE WHEN s.intent_key IS NOT NULL THEN s.intent_quantity END,
                s.state, s.message, s.intent_key
            FROM shopify_stock_level s JOIN shopify_variant v ON v.id = s.variant_id
            JOIN shopify_location l ON l.id = s.location_id
            WHERE s.variant_id = ANY(%s) AND s.location_id = ANY(%s)
                AND v.product_id IS NOT NULL AND v.inventory_item_gid IS NOT NULL
                AND NOT coalesce(v.remote_deleted, false)
            ORDER BY l.id, v.id
            """,
            (variant_ids, locations.ids),
        )
        return [Item(*row[:-3], before=row[-3:]) for row in self.env.cr.fetchall()]

    def _compute(self, backend, run, locations, items):
        """What is wanted of each item, and which orders explain a drop."""
        product_ids = list({item.product_id for item in items})
        Quantity = self.env["shopify.stock.quantity"]
        offer = Quantity._offer(backend, locations, product_ids)
        book = Quantity._rule_book(backend)
        products = self.env["product.product"].browse(product_ids)
        rules = Quantity._rules_of(book, products, locations)
        self._find_arrived(backend, run, items, offer.sold)
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
            item.sold = offer.sold.get(pair, 0.0)
            item.wanted = mapper.reckon(
                bases[item.location_id],
                offer.stocks.get(pair, mapper.NO_STOCK),
                mine,
                waiting=offer.waiting.get(pair, 0.0),
                held=item.held,
            )

    def _find_arrived(self, backend, run, items, sold):
        """Orders that came since each item's quantity was known; they may explain its drop.

        Only those of the product itself: what a kit takes from its components, Shopify does not
        know.
        """
        Inflight = self.env["shopify.stock.inflight"]
        run.last_order = Inflight._last_order(backend)
        known = [item for item in items if item.known_at]
        oldest = min((item.seen_order for item in known), default=run.last_order)
        if oldest >= run.last_order and not sold:
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
            item.pool = max(0.0, units + sold.get(pair, 0.0) - item.seen_waiting)
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

    # === READING SHOPIFY === #

    def _read(self, client, items):
        """Read the levels of items, and decide on them anew."""
        told = set()
        for item, node in self._fetch_levels(client, items):
            told.add(item)
            self._take_level(item, node)
        for item in items:
            if item not in told:
                item.verdict, item.wait = "waiting", 10
                item.message = self.env._("Shopify could not read its quantity.")

    def _fetch_levels(self, client, items):
        """Read the levels of items, a location at a time; network only.

        :return: iterator of Item and inventory item (None for one that is gone); those that
            Shopify failed to read are left out
        """
        by_location = {}
        for item in items:
            by_location.setdefault(item.location_gid, []).append(item)
        for location_gid, some in by_location.items():
            gids = [item.item_gid for item in some]
            nodes, _faults = client.nodes(
                "inventory_levels",
                gids,
                variables={"location": location_gid},
                chunk_size=mapper.MAX_CALL,
            )
            for item in some:
                if item.item_gid in nodes:
                    yield item, nodes[item.item_gid]

    def _take_level(self, item, node):
        if node is None:
            item.refusal = ("GONE", self.env._("Its inventory item is not in Shopify any more."))
            item.verdict, item.message = "failed", item.refusal[1]
            return
        level = mapper.map_level(node)
        found = level.quantity(item.name)
        if item.known_at and item.name == "available" and found != item.intent:
            # Carried out or not: the higher one may be what was sold from.
            known = max(item.known, item.intent or 0)
            fresh, item.pool = mapper.unexplained(known, found, item.pool)
            if fresh:
                item.held += fresh
                item.wanted = max(0, item.wanted - fresh)
                item.held_at = fields.Datetime.now()
        item.known, item.known_at = found, fields.Datetime.now()
        item.stocked, item.tracked = level.stocked, level.tracked
        item.unsure, item.touched, item.pool = False, True, 0.0
        item.key = item.intent = None

    def _judge_read(self, backend, client, items):
        """Items that Shopify does not track, or has not stocked at the location."""
        for item in items:
            if item.verdict is not None:
                continue
            if not item.tracked:
                self._track(backend, client, item)
            if item.verdict is None and not item.stocked and item.wanted > 0:
                self._activate(client, item)
            if item.verdict == "failed":
                item.known_at = None  # to be looked at before the next try

    def _track(self, backend, client, item):
        message = self.env._("Shopify does not track its quantity.")
        if backend.stock_untracked == "switch":
            try:
                client.mutate("inventory_item_track", {"id": item.item_gid})
                item.tracked = True
                return
            except UserErrorsError as error:
                message = "; ".join(map(str, error.errors))
        item.verdict, item.message, item.refusal = "failed", message, ("UNTRACKED", message)

    def _activate(self, client, item):
        """Stock the item at the location; Shopify keeps quantities that it had there before."""
        variables = {
            "item": item.item_gid,
            "location": item.location_gid,
            "key": str(uuid.uuid4()),
        }
        try:
            payload = client.mutate("inventory_activate", variables)
        except UserErrorsError as error:
            item.verdict, item.message = "failed", "; ".join(map(str, error.errors))
            item.refusal = ("ACTIVATE", item.message)
            return
        level = mapper.map_level({"tracked": True, "inventoryLevel": payload["inventoryLevel"]})
        item.known, item.stocked = level.quantity(item.name), True

    # === DECIDING === #

    def _decide(self, items, crowded):
        """Which items are in step already."""
        for item in items:
            if item.verdict is not None:
                continue
            base = item.known - int(item.pool)
            if base == item.wanted or (not item.stocked and not item.wanted):
                item.verdict = "held" if item.held else "same"
                item.wait = 5 if item.held else None
            elif crowded and item.wanted > base:
                item.verdict, item.wait = "waiting", 5
                item.message = self.env._("Many orders of Shopify are on their way into Odoo.")

    # === SENDING === #

    def _send_all(self, backend, client, run, items):
        """Send in calls of 250. Afterwards those without verdict are stale."""
        by_name = {}
        for item in items:
            by_name.setdefault(item.name, []).append(item)
        batches = [some for same in by_name.values() for some in mapper.calls(same)]
        self._intend(backend, batches)
        for number, batch in enumerate(batches):
            try:
                if run.late:
                    raise TransientError(self.env._("There is more than fits in."), sent=False)
                self._send(backend, client, run, batch)
            except ShopifyError as error:
                lost = not isinstance(error, TransientError) or error.sent
                for item in batch:
                    if item.verdict is None:
                        item.lost = lost
                for item in (item for rest in batches[number + 1 :] for item in rest):
                    item.key = None
                raise

    def _send(self, backend, client, run, items):
        """One call; what is refused goes out of it, and the others are sent again."""
        items = list(items)
        for attempt in range(ROUNDS):
            if attempt:
                self._intend(backend, [items])
            at = fields.Datetime.now()
            try:
                run.calls += 1
                client.mutate("inventory_set_quantities", self._variables(items))
            except UserErrorsError as error:
                refusal = mapper.read_refusal(error.errors, len(items))
                items = self._take_refusal(items, refusal, error)
                if not items:
                    return
                continue
            run.sent += len(items)
            run.request_ids.append(client.last_request_id)
            for item in items:
                item.known, item.known_at, item.pool = item.wanted, at, 0.0
                item.pushed = item.touched = True
                item.stocked = True
                item.verdict = "held" if item.held else "same"
                item.wait = 5 if item.held else None
            return
        for item in items:
            item.verdict, item.wait = "waiting", 5
            item.message = self.env._("Shopify refused the call several times.")

    def _variables(self, items):
        return {
            "key": items[0].key,
            "input": {
                "name": items[0].name,
                "reason": "correction",
                "referenceDocumentUri": f"odoo://shopify-connector/stock/{items[0].key}",
                "quantities": [
                    {
                        "inventoryItemId": item.item_gid,
                        "locationId": item.location_gid,
                        "quantity": item.wanted,
                        "changeFromQuantity": item.known - int(item.pool),
                    }
                    for item in items
                ],
            },
        }

    def _take_refusal(self, items, refusal, error):
        """:return: the items that are to be sent again"""
        if refusal.busy:
            raise TransientError(str(error), retry_after=2, request_id=error.request_id)
        if refusal.whole:
            for item in items:
                item.verdict, item.message = "failed", refusal.whole[1]
                item.refusal = refusal.whole
            return []
        for index in refusal.stale:
            items[index].unsure = True
        for index, (code, message) in refusal.bad.items():
            item = items[index]
            item.verdict, item.message, item.refusal = "failed", message, (code, message)
            item.known_at, item.touched = None, True
        return [item for item in items if item.verdict is None and not item.unsure]
