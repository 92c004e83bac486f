from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain

from markupsafe import Markup

from odoo import fields, models
from odoo.tools import SQL, format_datetime

from ..mappers.stock import NO_STOCK, Rule, RuleBook, Stock, reckon, scarcest
from .sql_values import int_array


@dataclass
class Offer:
    """What locations have to sell; all by ``(location id, product id)``.

    :ivar stocks: Stock; of a kit that of its scarcest component, counted in kits
    :ivar unimported: units of the product in orders that are not in Odoo yet
    :ivar waiting: units to subtract from the stock: those that Shopify has sold and Odoo has not
        reserved yet, also as other products that share it
    :ivar scarcest: of kits, ``(component id, quantity for one kit)``
    :ivar uncounted: ids of products whose stock Odoo does not keep
    """

    stocks: dict
    unimported: dict
    waiting: dict
    scarcest: dict = field(default_factory=dict)
    uncounted: set = field(default_factory=set)


class ShopifyStockQuantity(models.AbstractModel):
    """What Odoo holds for the locations of a store, in grouped reads."""

    _name = "shopify.stock.quantity"
    _description = "Shopify Stock Quantity"

    def _offer(self, backend, locations, product_ids):
        """:return: the :class:`Offer` of the locations of a store"""
        Kit = self.env["shopify.stock.kit"]
        parts = Kit._parts(backend.company_id, product_ids)
        stocked = {*product_ids, *(part for takes in parts.values() for part in takes)}
        rivals = Kit._containing(stocked)
        if rivals - stocked:
            parts = Kit._parts(backend.company_id, rivals)
        stocks = self._read(locations, stocked)
        Inflight = self.env["shopify.stock.inflight"]
        unimported, imported, waiting = Inflight._waiting(backend, locations, rivals)
        for (place, product), units in chain(unimported.items(), imported.items()):
            for part, needed in parts.get(product, {product: 1.0}).items():
                waiting[place, part] += units * needed
        offer = Offer(stocks, unimported, waiting, uncounted=self._uncounted(product_ids, parts))
        for kit in parts.keys() & set(product_ids) - offer.uncounted:
            self._offer_kit(offer, locations, kit, parts[kit])
        return offer

    def _offer_kit(self, offer, locations, kit, parts):
        for location in locations:
            pair = (location.id, kit)
            found = {
                part: (
                    needed,
                    offer.stocks.get((location.id, part), NO_STOCK),
                    offer.waiting.get((location.id, part), 0.0),
                )
                for part, needed in parts.items()
            }
            part, *amounts = scarcest(location.stock_basis, found)
            offer.stocks[pair], offer.waiting[pair] = amounts
            offer.scarcest[pair] = part, parts[part]

    def _read(self, locations, product_ids):
        """
        :param locations: ``shopify.location`` of one store
        :return: ``{(location id, product id): Stock}``; pairs without any stock are left out
        """
        if not locations or not product_ids:
            return {}
        locations.warehouse_id.flush_recordset()
        amounts = self._quants(locations, product_ids)
        planned = locations.filtered(
            lambda location: location.stock_basis in ("free_incoming", "forecast")
        )
        moves = self._moves(planned, product_ids) if planned else {}
        found = {
            pair: Stock(on_hand, reserved, *moves.pop(pair, (0.0, 0.0)))
            for pair, (on_hand, reserved) in amounts.items()
        }
        found.update({pair: Stock(0.0, 0.0, *both) for pair, both in moves.items()})
        return found

    def _sources(self, locations):
        """Paths of the stock locations of each location, as SQL of a table (location, path)."""
        rows = [
            (location.id, source.parent_path)
            for location in locations
            for source in location._stock_sources()
        ]
        return SQL(
            "unnest(%s::int[], %s::varchar[]) AS source (location, path)",
            [row[0] for row in rows],
            [row[1] for row in rows],
        )

    def _quants(self, locations, product_ids):
        # A stock location below two sources of one location counts once.
        self.env["stock.quant"].flush_model(["quantity", "reserved_quantity", "location_id"])
        self.env.cr.execute(
            SQL(
                """
                WITH place AS (
                    SELECT DISTINCT source.location, l.id FROM %s
                    JOIN stock_location l ON l.parent_path LIKE source.path || '%%'
                    WHERE l.usage IN ('internal', 'transit'))
                SELECT place.location, q.product_id, sum(q.quantity), sum(q.reserved_quantity)
                FROM stock_quant q JOIN place ON place.id = q.location_id
                WHERE q.product_id = ANY(%s)
                GROUP BY place.location, q.product_id
                """,
                self._sources(locations),
                int_array(product_ids),
            )
        )
        return {(place, product): (a, b) for place, product, a, b in self.env.cr.fetchall()}

    def _moves(self, locations, product_ids):
        """:return: ``{(location id, product id): (incoming, outgoing)}``"""
        self.env["stock.move"].flush_model()
        today = fields.Datetime.now()
        limits = [
            today + timedelta(days=location.stock_days) if location.stock_days else None
            for location in locations
        ]
        self.env.cr.execute(
            SQL(
                """
                WITH place AS (
                    SELECT DISTINCT source.location, l.id FROM %s
                    JOIN stock_location l ON l.parent_path LIKE source.path || '%%'),
                horizon AS (SELECT * FROM unnest(%s::int[], %s::timestamp[]) t (location, until))
                SELECT h.location, m.product_id,
                    sum(m.product_qty) FILTER (WHERE goes_in.id IS NOT NULL
                        AND comes_from.id IS NULL),
                    sum(m.product_qty) FILTER (WHERE comes_from.id IS NOT NULL
                        AND goes_in.id IS NULL)
                FROM stock_move m CROSS JOIN horizon h
                LEFT JOIN place goes_in ON goes_in.id = coalesce(
                    m.location_final_id, m.location_dest_id) AND goes_in.location = h.location
                LEFT JOIN place comes_from ON comes_from.id = m.location_id
                    AND comes_from.location = h.location
                WHERE m.state IN ('waiting', 'confirmed', 'assigned', 'partially_available')
                    AND m.product_id = ANY(%s) AND (h.until IS NULL OR m.date <= h.until)
                GROUP BY h.location, m.product_id
                """,
                self._sources(locations),
                locations.ids,
                limits,
                int_array(product_ids),
            )
        )
        return {
            (place, product): (incoming or 0.0, outgoing or 0.0)
            for place, product, incoming, outgoing in self.env.cr.fetchall()
            if incoming or outgoing
        }

    def _uncounted(self, product_ids, parts):
        """Ids of the products whose stock Odoo does not keep, neither theirs nor their parts'."""
        loose = self.env["product.product"].with_context(active_test=False)
        found = set(loose._search([("id", "in", list(product_ids)), ("is_storable", "=", False)]))
        counted = {kit for kit, takes in parts.items() if takes}
        return (found | (parts.keys() & set(product_ids))) - counted

    # === RULES === #

    def _rule_book(self, backend):
        """The rules of a store that are in force."""
        rules = self.env["shopify.stock.rule"].search([("backend_id", "=", backend.id)])
        return RuleBook(
            [
                Rule(
                    id=rule.id,
                    effect=rule.effect,
                    value=rule.value,
                    name=rule.name,
                    location=rule.location_id.id or None,
                    category=rule.categ_id.id or None,
                    template=rule.product_tmpl_id.id or None,
                    product=rule.product_id.id or None,
                    start=rule.date_from or None,
                    end=rule.date_to or None,
                )
                for rule in rules
            ],
            fields.Datetime.now(),
        )

    def _rules_of(self, book, products, locations):
        """:return: ``{(location id, product id): {effect: Rule}}``"""
        if not book:
            return defaultdict(dict)
        found = defaultdict(dict)
        for product in products:
            path = (product.categ_id.parent_path or "").split("/")
            categories = [int(part) for part in reversed(path) if part]
            for location in locations:
                found[location.id, product.id] = book.find(
                    location.id, product.id, product.product_tmpl_id.id, categories
                )
        return found

    # === EXPLAINING === #

    def _explain(self, level):
        """How the quantity of a ``shopify.stock.level`` comes about now, as HTML."""
        level = level.sudo()
        location, product = level.location_id, level.product_id
        if not product:
            return False
        pair = (location.id, product.id)
        offer = self.sudo()._offer(level.backend_id, location, product.ids)
        book = self.sudo()._rule_book(level.backend_id)
        rules = self._rules_of(book, product, location)[pair]
        trail = []
        reckon(
            location.stock_basis,
            offer.stocks.get(pair, NO_STOCK),
            rules,
            waiting=offer.waiting.get(pair, 0.0),
            held=level.held,
            trail=trail,
        )
        rows = Markup("").join(
            Markup("<tr><td>%s</td><td class='text-end'>%s</td><td class='text-end'>%s</td></tr>")
            % (self._step_label(step), f"{step.change:+g}", f"{step.total:g}")
            for step in trail
        )
        notes = []
        if pair in offer.scarcest:
            part, needed = offer.scarcest[pair]
            notes.append(
                self.env._(
                    "Counted in kits, by the scarcest component: %(quantity)s x %(component)s each",
                    quantity=f"{needed:g}",
                    component=self.env["product.product"].sudo().browse(part).display_name,
                )
            )
        if "no_push" in rules:
            notes.append(self.env._("Not sent: %s", rules["no_push"].name))
        for note in notes:
            rows += Markup("<tr><td colspan='3'>%s</td></tr>") % note
        when = format_datetime(self.env, fields.Datetime.now())
        return Markup(
            "<table class='table table-sm o_shopify_explanation'><thead><tr><th>%s</th>"
            "<th class='text-end'>%s</th><th class='text-end'>%s</th></tr></thead>"
            "<tbody>%s</tbody></table>"
        ) % (
            self.env._("As of %s", when),
            self.env._("Change"),
            self.env._("Units"),
            rows,
        )

    def _step_label(self, step):
        labels = {
            "on_hand": self.env._("On hand"),
            "reserved": self.env._("Reserved"),
            "incoming": self.env._("Incoming"),
            "outgoing": self.env._("Outgoing"),
            "waiting": self.env._("Sold in Shopify, not reserved in Odoo yet"),
            "held": self.env._("Gone in Shopify, order not in Odoo yet"),
            "floor": self.env._("Fractions are not sold"),
            "buffer_fixed": self.env._("Kept back"),
            "buffer_percent": self.env._("Kept back"),
            "maximum": self.env._("Shown at most"),
            "minimum": self.env._("Shown at least"),
            "zero": self.env._("Never below zero"),
        }
        label = labels[step.kind]
        return f"{label}: {step.source}" if step.source else label
