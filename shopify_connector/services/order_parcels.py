from odoo import models

_ASKED = {"retry", "manual"}


def read_parcels(client, nodes, wanted):
    """Read the parcels of orders, in place: ``parcels`` of their nodes.

    :param wanted: gids
    :return: faults; orders that could not be read are taken out of ``nodes``
    """
    if not wanted:
        return ()
    found, faults = client.nodes("order_fulfillments", wanted)
    for gid in wanted:
        if gid not in found:
            # The whole order is read again, rather than without its parcels.
            del nodes[gid]
        elif found[gid]:
            nodes[gid]["parcels"] = found[gid]["fulfillments"]
    return faults


class ShopifyOrderImporter(models.AbstractModel):
    """Parcels are part of an order: they are read with it, and noted when it was imported."""

    _inherit = "shopify.order.importer"

    def _fetch(self, backend, client, gids):
        nodes, faults = super()._fetch(backend, client, gids)
        if not backend.sudo()._reads_fulfillments():
            return nodes, faults
        # The order's document only tells whether there are any.
        wanted = [gid for gid, node in nodes.items() if node and node.get("fulfillments")]
        return nodes, (*faults, *read_parcels(client, nodes, wanted))

    def _process_batch(self, backend, nodes, context):
        outcomes = super()._process_batch(backend, nodes, context)
        known = {gid: outcome for gid, outcome in outcomes.items() if outcome.record and nodes[gid]}
        if known:
            asked = {
                gid for gid in known if _ASKED & set((context.get("sources") or {}).get(gid, ()))
            }
            bindings = self._bindings(backend, list(known))
            self.env["shopify.fulfillment.importer"]._note(
                backend, {binding: nodes[gid] for gid, binding in bindings.items()}, asked
            )
        return outcomes
