"""From Shopify's orders to sale orders, in batches."""

from __future__ import annotations

from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import escape_psql

from ..mappers.errors import MappingError
from ..mappers.odoo_values import order_name
from ..mappers.order import map_order, prove
from .order_policies import skip_reason
from .order_values import Found
from .outcome import Block, Outcome

# Older orders are only shown to apps with the scope read_all_orders.
VISIBLE = timedelta(days=60)


class ShopifyOrderImporter(models.AbstractModel):
    """Handler of the inbox for orders.

    ``_process`` takes a batch through these steps, each once for the whole batch: map, filter,
    resolve (:meth:`_find`), create with proof (``shopify.order.creator``) or update
    (``shopify.order.updater``).
    """

    _name = "shopify.order.importer"
    _description = "Shopify Order Importer"

    def _fetch(self, backend, client, gids):
        """Read whole orders: ``({gid: node or None}, faults)``; touches no database."""
        return client.nodes("order_by_ids", gids)

    def _process(self, backend, nodes, context):
        """Import a batch of orders.

        :param backend: the store, as its integration user
        :param nodes: ``{gid: node of order_by_ids.graphql, None when it is gone}``
        :param context: ``sources``: ``{gid: sources of its events}``; those with ``manual``
            were asked for by a person
        :return: ``{gid: Outcome}``
        """
        # A job acts by its user's name, whatever that user may do by hand.
        backend = backend.sudo()
        return self.with_env(backend.env)._process_batch(backend, nodes, context)

    def _process_batch(self, backend, nodes, context):
        bindings = self._bindings(backend, nodes)
        outcomes, orders, mapped = {}, [], []
        for gid, node in nodes.items():
            if node is None:
                outcomes[gid] = self._gone(bindings.get(gid))
                continue
            binding = bindings.get(gid)
            try:
                order = self._map(backend, node, binding)
            except MappingError as error:
                outcomes[gid] = Outcome("blocked", blocks=[self._mapping_block(node, error)])
                continue
            mapped.append(order)
            by_hand = "manual" in (context.get("sources") or {}).get(gid, ())
            outcome = self._settled(backend, order, binding, by_hand)
            if outcome:
                outcomes[gid] = outcome
            else:
                orders.append(order)
        if orders:
            outcomes |= self._import(backend, orders, bindings)
        applied = [
            (order, outcomes[order.gid])
            for order in mapped
            if outcomes[order.gid].record and not self._is_outdated(bindings.get(order.gid), order)
        ]
        self._after_apply(backend, applied, context)
        return outcomes

    def _map(self, backend, node, binding):
        """An order stays in the currency in which it was imported, whatever the store's policy."""
        policy = (binding and binding.currency_policy) or backend.currency_policy
        lines = binding.sale_order_id.order_line if binding else ()
        return map_order(
            node,
            policy=policy,
            shop_country=backend.shop_country_id.code or None,
            taken_before=tuple(
                (line.shopify_gid, int(line.shopify_taken_off))
                for line in lines
                if line.shopify_gid and line.shopify_taken_off > 0
            ),
            refunds_before=frozenset(binding.refund_ids.mapped("shopify_gid") if binding else ()),
        )

    def _after_apply(self, backend, applied, context):
        """What follows from orders that are in Odoo now; open to extension.

        :param applied: ``[(Order, Outcome)]`` whose outcome has a record, also when nothing
            changed or when a change waits for a person
        :param context: as for :meth:`_process`
        """

    def _import(self, backend, orders, bindings):
        updater = self.env["shopify.order.updater"]
        known = {order.gid for order in orders if order.gid in bindings}
        facts_only = {
            order.gid
            for order in orders
            if order.gid in known and not updater._needs_resolving(bindings[order.gid], order)
        }
        found = Found()
        self._find_currencies(orders, found)
        outcomes = self._find(
            backend, [order for order in orders if order.gid not in facts_only], known, found
        )
        ready = [found.leave_out(order) for order in orders if order.gid not in outcomes]
        self._find_tags(ready, found)
        new = [order for order in ready if order.gid not in known]
        if new:
            outcomes |= self.env["shopify.order.creator"]._create_orders(backend, new, found)
        old = [order for order in ready if order.gid in known]
        if old:
            outcomes |= updater._update(backend, old, bindings, found)
        return outcomes

    def _bindings(self, backend, gids):
        bindings = self.env["shopify.order"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids))]
        )
        return {binding.shopify_gid: binding for binding in bindings}

    # === WHAT NEEDS NO IMPORT === #

    def _gone(self, binding):
        if not binding:
            return Outcome("skipped", message=self.env._("The order does not exist in Shopify."))
        if binding.processed_at and binding.processed_at < fields.Datetime.now() - VISIBLE:
            return Outcome(
                "skipped",
                record=binding.sale_order_id,
                message=self.env._(
                    "Shopify does not show %s. It is older than 60 days, which needs the scope"
                    " read_all_orders, or it was deleted; Odoo's order stays.",
                    binding.name,
                ),
            )
        binding.deleted = True
        return Outcome(
            "deleted",
            record=binding.sale_order_id,
            message=self.env._("%s was deleted in Shopify; Odoo's order stays.", binding.name),
        )

    def _settled(self, backend, order, binding, by_hand):
        """The outcome of an order that needs nothing, or None."""
        if not binding:
            reason = skip_reason(backend, order, by_hand)
            if reason:
                return Outcome("skipped", message=self._skip_sentence(order, *reason))
            return None
        if by_hand:
            return None
        settled = binding._has_applied(order.updated_at) and not binding.difference
        if settled or self._is_outdated(binding, order):
            return Outcome(
                "unchanged",
                record=binding.sale_order_id,
                message=self.env._("%s is up to date.", order.name),
            )
        return None

    def _is_outdated(self, binding, order):
        """Whether this was read before what is known: Shopify's answers may overtake each other."""
        known = binding and binding.shopify_updated_at
        return bool(known) and order.updated_at < known

    def _skip_sentence(self, order, kind, values):
        sentences = {
            "off": self.env._("%(order)s: this store imports no orders."),
            "test": self.env._("%(order)s is a test order."),
            "date": self.env._("%(order)s was placed before %(date)s."),
            "financial": self.env._("%(order)s has the payment status %(status)s."),
            "fulfilled": self.env._("%(order)s is fulfilled already."),
            "tag": self.env._("%(order)s has none of the tags %(tags)s."),
            "tag_excluded": self.env._("%(order)s has the tag %(tags)s."),
            "channel": self.env._("%(order)s came through the channel %(channel)s."),
        }
        return sentences[kind] % {"order": order.name, **values}

    def _mapping_block(self, node, error):
        name = node.get("name") or node["id"]
        return Block(
            category="mapping",
            key=node["id"],
            title=self.env._("Order %s cannot be understood", name),
            message=self.env._(
                "Order %(order)s, %(path)s: %(message)s",
                order=name,
                path=error.path,
                message=error.message,
            ),
            remedy=self.env._(
                "Look at the order in Shopify. When the figure is right there, tell the support"
                " of the connector."
            ),
        )

    # === WHAT STANDS FOR WHAT === #

    def _find(self, backend, orders, known, found):
        """Resolve everything that the orders refer to, into ``found``.

        :param known: gids of orders that have a name already
        :return: ``{gid: Outcome}`` of orders that must wait; nothing was written for them
        """
        env = self.env
        lines = [line for order in orders for line in order.lines]
        goods = [line for line in lines if line.kind != "shipping"]
        shipping = [line for line in lines if line.kind == "shipping"]
        found.products, product_blocks = env["shopify.product.matcher"]._match(backend, goods)
        found.carriers, carrier_blocks = env["shopify.carrier.matcher"]._match(backend, shipping)
        found.taxes, tax_blocks = env["shopify.tax.matcher"]._match(
            backend, {tax.key for line in lines for tax in line.taxes}
        )
        blocks = {}
        for order in orders:
            blocks[order.gid] = [
                *self._currency_blocks(order, found),
                *self._line_blocks(order, product_blocks, carrier_blocks, tax_blocks),
                *self._total_blocks(order),
            ]
        clear = [order for order in orders if not blocks[order.gid]]
        found.partners, customer_blocks = env["shopify.customer.matcher"]._match(backend, clear)
        blocks |= customer_blocks
        clear = [order for order in clear if not blocks[order.gid]]
        self._find_pricelists(backend, clear, found)
        self._find_warehouses(backend, clear, found)
        self._find_further(backend, clear, found)
        self._find_names(backend, [order for order in clear if order.gid not in known], found)
        return {
            gid: Outcome("blocked", blocks=_once(causes))
            for gid, causes in blocks.items()
            if causes
        }

    def _find_further(self, backend, orders, found):
        """Resolve what else orders refer to; open to extension.

        :param orders: those that nothing stops; what is put into ``found.further`` for them goes
            into their sale orders and warnings
        """

    def _line_blocks(self, order, product_blocks, carrier_blocks, tax_blocks):
        for line in order.lines:
            for known in (product_blocks, carrier_blocks):
                if line.gid in known:
                    yield known[line.gid]
            for tax in line.taxes:
                if tax.key in tax_blocks:
                    yield tax_blocks[tax.key]

    def _total_blocks(self, order):
        """Shopify's totals against Shopify's lines; see :func:`~..mappers.proof.prove`."""
        found = prove(order)
        return [self._totals_block(order, [str(item) for item in found])] if found else []

    def _totals_block(self, order, sentences):
        return Block(
            category="totals",
            key=order.gid,
            title=self.env._("The totals of order %s differ", order.name),
            message=self.env._(
                "Order %(order)s was not written, because these figures differ: %(figures)s.",
                order=order.name,
                figures="; ".join(sentences),
            ),
            remedy=self.env._(
                "Compare the order with Shopify. When Shopify is right, tell the support of the"
                " connector; the order is imported as soon as you retry."
            ),
        )

    def _find_currencies(self, orders, found):
        codes = {order.currency for order in orders}
        currencies = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search_fetch([("name", "in", list(codes))], ["name", "active"])
        )
        found.currencies = {currency.name: currency for currency in currencies}

    def _currency_blocks(self, order, found):
        currency = found.currencies.get(order.currency)
        if currency and currency.active:
            return
        yield Block(
            category="currency",
            key=order.currency,
            title=self.env._("Currency %s is not active", order.currency),
            message=self.env._(
                "Order %(order)s is in %(currency)s, which is not active in Odoo.",
                order=order.name,
                currency=order.currency,
            ),
            remedy=self.env._("Activate the currency; the orders that wait are imported then."),
            res_model="res.currency",
            res_id=currency.id if currency else None,
            values={"name": order.currency},
        )

    def _find_pricelists(self, backend, orders, found):
        """The store's price list of each currency, made on first use.

        Prices come from Shopify; the list only says which currency the order is in.
        """
        codes = {order.currency for order in orders}
        Pricelist = self.env["product.pricelist"]
        known = Pricelist.search([("shopify_backend_id", "=", backend.id)])
        found.pricelists = {pricelist.currency_id.name: pricelist for pricelist in known}
        missing = sorted(codes - found.pricelists.keys())
        created = Pricelist.create(
            [
                {
                    "name": f"Shopify {backend.name} {code}",
                    "currency_id": found.currencies[code].id,
                    "company_id": backend.company_id.id,
                    "shopify_backend_id": backend.id,
                    "sequence": 1000,
                }
                for code in missing
            ]
        )
        found.pricelists.update(zip(missing, created, strict=True))

    def _find_warehouses(self, backend, orders, found):
        gids = {order.location_gid for order in orders} - {""}
        if not gids:
            return
        locations = self.env["shopify.location"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids))]
        )
        found.warehouses = {
            location.shopify_gid: location.warehouse_id or location.stock_location_id.warehouse_id
            for location in locations
        }

    def _find_tags(self, orders, found):
        names = {}
        for order in orders:
            for tag in order.tags:
                if tag.strip():
                    names.setdefault(tag.strip().casefold(), tag.strip())
        if not names:
            return
        Tag = self.env["crm.tag"]
        known = Tag.search(
            Domain.OR([("name", "=ilike", escape_psql(name))] for name in names.values())
        )
        found.tags = {tag.name.casefold(): tag for tag in known}
        missing = [name for key, name in names.items() if key not in found.tags]
        for tag in Tag.create([{"name": name} for name in missing]):
            found.tags[tag.name.casefold()] = tag

    def _find_names(self, backend, orders, found):
        """A name by the store's pattern, which no other sale order of the company has."""
        names = {
            order.gid: order_name(backend.order_name_pattern, order, backend.order_code or "")
            for order in orders
        }
        taken = self._taken_names(backend, names.values())
        for gid, name in names.items():
            wanted, number = name, 2
            if wanted in taken:
                taken |= self._taken_names(backend, [f"{name}-{n}" for n in range(2, 100)])
            while wanted in taken:
                wanted, number = f"{name}-{number}", number + 1
            taken.add(wanted)
            found.names[gid] = wanted

    def _taken_names(self, backend, names):
        orders = self.env["sale.order"].search_fetch(
            [("company_id", "=", backend.company_id.id), ("name", "in", list(names))], ["name"]
        )
        return set(orders.mapped("name"))


def _once(blocks):
    """Without repetitions, in order."""
    return tuple({(block.category, block.key): block for block in blocks}.values())
