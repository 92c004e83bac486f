import uuid

from odoo import fields, models
from odoo.exceptions import UserError

from ..client.errors import ShopifyError, TransientError, UserErrorsError
from ..mappers import stock as mapper
from .stock_claim import CLAIM_LIMIT
from .stock_plan import Run

# How often a level is read and decided again when it changes in Shopify at the same time.
ROUNDS = 4


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
