"""What would become of an order, without doing it."""

from __future__ import annotations

from odoo import models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..client.errors import ShopifyError
from ..client.gid import gid as make_gid
from ..client.gid import parse
from ..mappers.text import plain_name, quoted
from .dry_run import dry_run, trial_of
from .inbox_verdict import describe

IMPORTER = "shopify.order.importer"
# Transactions that collide with others are started again this often.
TRANSACTIONS = 3
# Goods go through so many steps of a warehouse at most.
STEPS = 6


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = IMPORTER

    def _map(self, backend, node, binding):
        order = super()._map(backend, node, binding)
        trial = trial_of(self.env)
        if trial is not None:
            trial.order = order
        return order

    def _find(self, backend, orders, known, found):
        trial = trial_of(self.env)
        if trial is not None:
            trial.found = found
        return super()._find(backend, orders, known, found)


class ShopifyOrderPreviewer(models.AbstractModel):
    """Imports an order as a job does, in a transaction that is always rolled back, and describes
    what came of it. The import itself is not known here: what extends it shows.
    """

    _name = "shopify.order.previewer"
    _description = "Shopify Order Previewer"

    def _preview(self, backend, name, by_hand=False, delivered=False):
        """Preview an order.

        :param backend: the store; the caller has checked that the user may read it
        :param name: order name, with or without #, id in URLs or gid
        :param by_hand: as if a person imported this very order, not a webhook or the polling
        :param delivered: as if all goods left at once
        :return: values of the template ``shopify_connector.order_preview``
        :raises UserError: there is no such order, or the store does not answer
        """
        try:
            gid, node = self._read(backend, name)
        except ShopifyError as error:
            raise UserError(str(error)) from error
        for left in reversed(range(TRANSACTIONS)):
            try:
                with dry_run(self.env) as (env, _trial):
                    previewer = env[self._name].sudo()
                    values = previewer._try(
                        previewer.env["shopify.backend"].browse(backend.id),
                        {gid: node},
                        by_hand,
                        delivered,
                    )
                break
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
                if not left:
                    raise UserError(
                        self.env._(
                            "Somebody else is at work on the same records. Try again in a moment."
                        )
                    ) from error
        self._link(values)
        return values

    # === READING FROM SHOPIFY === #

    def _read(self, backend, name):
        """:return: gid of the order, and its node as the importer reads it, None when it is gone
        :raises ShopifyError: the store does not answer
        """
        client = self.env["shopify.client.factory"]._client(backend.sudo())
        gid = self._gid(client, name.strip())
        if gid is None:
            raise self._unknown(backend, name)
        worker = backend._as_integration_user().sudo()
        nodes, faults = worker.env[IMPORTER]._fetch(worker, client, [gid])
        if gid not in nodes:
            raise UserError(
                "; ".join(fault.message for fault in faults)
                or self.env._("Shopify did not answer for %s.", name)
            )
        known = [("backend_id", "=", backend.id), ("shopify_gid", "=", gid)]
        if nodes[gid] is None and not self.env["shopify.order"].sudo().search_count(known):
            raise self._unknown(backend, name)
        return gid, nodes[gid]

    def _gid(self, client, name):
        """The gid of the order that is called so, None when there is none."""
        if name.startswith("gid://"):
            try:
                kind, _number = parse(name)
            except ValueError:
                kind = None
            return name if kind == "Order" else None
        found = client.paginate(
            "orders_ids",
            "orders",
            {"query": f"status:any (name:{quoted(name)})", "sortKey": "PROCESSED_AT"},
            page_size=25,
        )
        gids = [node["id"] for node in found if plain_name(node["name"]) == plain_name(name)]
        if gids:
            return gids[-1]
        # maybe it is the number in the address of the order's page
        number = plain_name(name)
        return make_gid("Order", number) if number.isdecimal() else None

    def _unknown(self, backend, name):
        return UserError(
            self.env._(
                "%(store)s has no order %(name)s that this app may read. Orders older than 60 days"
                " are only shown to apps with the scope read_all_orders.",
                store=backend.name,
                name=name,
            )
        )

    # === TRYING === #

    def _try(self, backend, nodes, by_hand, delivered):
        """Import in this transaction, which is a dry run.

        :param nodes: the one order, ``{gid: node or None}``
        :return: what :meth:`_preview` returns, with records as ``{"model", "id", "name"}``
        """
        (gid,) = nodes
        known = [("backend_id", "=", backend.id), ("shopify_gid", "=", gid)]
        report = self.env["shopify.order.preview.report"]
        before = report._state(self.env["shopify.order"].search(known))
        worker = backend._as_integration_user()
        sources = {gid: {"manual" if by_hand else "webhook"}}
        verdict = worker.env["shopify.inbox"]._run(worker, IMPORTER, nodes, {"sources": sources})[
            gid
        ]
        binding = worker.env["shopify.order"].sudo().search(known)
        notes = []
        if binding.sale_order_id:
            notes = self._follow_up(worker.sudo(), binding, delivered)
        self.env.flush_all()
        self.env.invalidate_all()
        # as the user sees it, in the user's language
        return report._describe(backend, binding.with_env(self.env), verdict, before, notes)

    def _follow_up(self, backend, binding, delivered):
        """What jobs would do next with an order that is in Odoo now; open to extension.

        :return: sentences about what could not be shown
        """
        notes = []
        if self.env["shopify.accounting.task"].search_count([("order_id", "=", binding.id)]):
            backend.env["shopify.accountant"]._account(backend, binding)
        if delivered:
            try:
                with self.env.cr.savepoint():
                    self._deliver(binding.sale_order_id)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:
                return [self.env._("The delivery cannot be shown: %s", describe(error))]
            if backend._does_accounting():
                backend.env["shopify.accountant"]._account(backend, binding)
        return notes

    def _deliver(self, sale):
        """All goods leave. By their moves: validating a transfer would order labels from the
        carrier and send messages to the customer, which nobody could take back.
        """
        for _step in range(STEPS):
            moves = sale.picking_ids.move_ids.filtered(
                lambda move: move.state not in ("done", "cancel")
            )
            if not moves:
                return
            for move in moves:
                move.quantity = move.product_uom_qty
            moves.picked = True
            moves._action_done()

    # === LINKS === #

    def _link(self, values):
        """Tell the records that are there from those that would be made: ``{"new": bool}``, and
        ``url`` for those that the user may open.
        """
        references = list(_references(values))
        for model in {reference["model"] for reference in references}:
            some = [reference for reference in references if reference["model"] == model]
            records = self.env[model].browse([reference["id"] for reference in some])
            there = set(records.sudo().exists().ids)
            open_to = set((records.browse(there))._filtered_access("read").ids)
            for reference in some:
                reference["new"] = reference["id"] not in there
                if reference["id"] in open_to:
                    reference["url"] = f"/odoo/{model}/{reference['id']}"


def _references(values):
    """All ``{"model", "id", "name"}`` anywhere in nested lists and dictionaries."""
    if isinstance(values, dict):
        if "model" in values and "id" in values:
            yield values
        for value in values.values():
            yield from _references(value)
    elif isinstance(values, list):
        for value in values:
            yield from _references(value)
