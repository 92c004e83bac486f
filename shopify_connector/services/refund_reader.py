"""Refunds and returns of the orders that are read: asked for apart, put into their orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from odoo import models

from ..client.errors import GraphQLFault, ScopeError
from ..mappers.text import nodes as nodes_of
from .order_parcels import read_parcels

# How many refunds and transactions the order's own document asks for. The lists have no pages,
# so a full one may be cut off.
LISTED = 50


class ShopifyOrderImporter(models.AbstractModel):
    """The order's document names its refunds only: most orders have none, and their lines would
    make every order dear.
    """

    _inherit = "shopify.order.importer"

    def _fetch(self, backend, client, gids):
        nodes, faults = super()._fetch(backend, client, gids)
        for read in (
            self._fetch_long_lists,
            self._fetch_refunds,
            self._fetch_returns,
            self._fetch_sent,
        ):
            faults = (*faults, *read(client, nodes))
        return nodes, faults

    def _fetch_long_lists(self, client, nodes):
        """Read the lists again that were full, in place.

        :return: faults; orders that could not be read are taken out of ``nodes``
        """
        full = [
            gid
            for gid, node in nodes.items()
            if node and any(len(node.get(key) or ()) >= LISTED for key in _LISTS)
        ]
        if not full:
            return ()
        found, faults = client.nodes("order_long_lists", full)
        for gid in full:
            if found.get(gid):
                nodes[gid] |= {key: found[gid][key] for key in _LISTS}
            else:
                del nodes[gid]
        return faults

    def _fetch_refunds(self, client, nodes):
        """Read what is in the refunds of orders, in place; as :meth:`_fetch_long_lists`."""
        return _fetch_parts(client, nodes, "refunds_by_ids", "refunds", _refunds)

    def _fetch_returns(self, client, nodes):
        """Read the returns of orders, in place; nothing where the app may not read them."""
        gids = [
            gid
            for gid, node in nodes.items()
            if node and node.get("returnStatus") not in (None, "NO_RETURN")
        ]
        if not gids:
            return ()
        try:
            found, faults = client.nodes("orders_returns", gids)
        except ScopeError:
            # The connection check says that the scope is missing; the orders do not need it.
            return ()
        lists = {
            gid: holder["returns"]["nodes"]
            for gid, holder in found.items()
            if holder and holder.get("returns")
        }
        # An order whose returns are withheld is complete without them.
        failed = {fault.gid for fault in faults if fault.transient}
        for gid in gids:
            if gid in lists:
                nodes[gid]["returns"] = lists[gid]
            elif failed & {gid, None}:
                del nodes[gid]
        more = _fetch_parts(client, nodes, "returns_by_ids", "returns", _returns)
        return (*(fault for fault in faults if fault.transient), *more)

    def _fetch_sent(self, client, nodes):
        """Read the fulfilments of orders, in place, where they tell whether refunded units had
        been sent; as :meth:`_fetch_long_lists`.
        """
        wanted = [
            gid
            for gid, node in nodes.items()
            if node and "parcels" not in node and node.get("fulfillments") and _gave_up_units(node)
        ]
        return read_parcels(client, nodes, wanted)


_LISTS = ("transactions", "refunds")


def _refunds(node: Mapping) -> list:
    return node.get("refunds") or []


def _returns(node: Mapping) -> list:
    return node.get("returns") or []


def _gave_up_units(node: Mapping) -> bool:
    return any(
        line.get("restockType") == "NO_RESTOCK"
        for refund in _refunds(node)
        for line in nodes_of(refund.get("refundLineItems"))
    )


def _fetch_parts(
    client, nodes: dict[str, dict | None], document: str, key: str, listed
) -> tuple[GraphQLFault, ...]:
    """Replace the parts that orders name by what is in them.

    An order with a part that the store could not read now is taken out: it is read again later.
    A part that is gone stays as it is named.
    """
    owner = {part["id"]: gid for gid, node in nodes.items() if node for part in listed(node)}
    if not owner:
        return ()
    found, faults = client.nodes(document, list(owner))
    for gid in dict.fromkeys(owner[part] for part in owner if part not in found):
        del nodes[gid]
    for gid in dict.fromkeys(owner.values()):
        if gid in nodes:
            nodes[gid][key] = [found[part["id"]] or part for part in listed(nodes[gid])]
    return tuple(_name_order(fault, owner) for fault in faults)


def _name_order(fault: GraphQLFault, owner: Mapping[str, str]) -> GraphQLFault:
    path: Iterable = (owner.get(step, step) for step in fault.path)
    return replace(fault, path=tuple(path))
