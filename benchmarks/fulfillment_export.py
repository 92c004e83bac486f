"""What it takes to tell Shopify of deliveries: calls per delivery, and none twice.

A thousand orders are delivered in Odoo, each with a tracking number, and told by the jobs that do
it in production. Now and then an answer of the store gets lost after it did what was asked.
"""

import time
from collections import Counter

from devenv.console import say

from .order_import import _environment, _registry
from .world import WISHES, World, world

DELIVERIES = 1000
BATCH = 50
# Answers of the store that get lost after it did what was asked; one in about a hundred.
LOST_ANSWERS = 10
PATIENCE = 900


def run() -> dict:
    with world("fulfillment", workers=2) as bench:
        bench.odoo_server.stop()
        with _registry(bench) as registry:
            numbers = _deliver(bench, registry)
            say(f"{len(numbers)} deliveries validated")
            bench.store.set_faults(
                [
                    {
                        "kind": "timeout_after_write",
                        "operation": "FulfillmentCreate",
                        "probability": 0.02,
                        "count": LOST_ANSWERS,
                        "ms": 1,
                    }
                ]
            )
            before = len(bench.store.requests())
            seconds = _push(registry, bench.backend)
            calls = len(bench.store.requests()) - before
        return {
            "deliveries": len(numbers),
            "calls_per_delivery": round(calls / len(numbers), 3),
            **_compare(bench, numbers),
            "lost_answers": LOST_ANSWERS,
            "deliveries_per_s": round(len(numbers) / seconds, 1),
        }


def _deliver(bench: World, registry) -> dict[str, str]:
    """Import orders and validate their deliveries; returns ``{gid: tracking number}``."""
    numbers = {}
    with _environment(registry) as env:
        env["shopify.backend"].browse(bench.backend).export_fulfillments = True
        # Odoo's own texts to customers would be sent while deliveries are validated.
        companies = env["res.company"].search([])
        companies.write({"stock_text_confirmation": False, "stock_move_email_validation": False})
    while len(numbers) < DELIVERIES:
        gids = bench.store.place_orders(BATCH, **WISHES)["ids"]
        _import(bench, registry, gids)
        with _environment(registry) as env:
            orders = env["shopify.order"].search([("shopify_gid", "in", gids)])
            for order in orders:
                picking = order.sale_order_id.picking_ids
                numbers[order.shopify_gid] = f"1Z{order.legacy_id}"
                picking.carrier_tracking_ref = numbers[order.shopify_gid]
            pickings = orders.sale_order_id.picking_ids
            pickings.action_assign()
            for move in pickings.move_ids:
                move.quantity = move.product_uom_qty
                move.picked = True
            pickings._action_done()
    return numbers


def _import(bench: World, registry, gids: list[str]) -> None:
    with _environment(registry) as env:
        backend = env["shopify.backend"].browse(bench.backend)
        items = [{"topic": "orders/create", "gid": gid, "source": "webhook"} for gid in gids]
        env["shopify.inbox"]._put(backend, items)
    with _environment(registry, bench.backend) as env:
        env["shopify.backend"].browse(bench.backend)._job_drain_inbox()


def _push(registry, backend_id: int) -> float:
    """Run the job until nothing is open; what is put off is waited for."""
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE:
        with _environment(registry, backend_id) as env:
            said = env["shopify.backend"].browse(backend_id)._job_push_fulfillments()
        with _environment(registry) as env:
            rows = env["shopify.fulfillment"]
            if not rows.search_count([("state", "in", ("pending", "sending"))], limit=1):
                return time.perf_counter() - start
        if said == "Nothing waits.":
            time.sleep(1)
    raise AssertionError("some deliveries still wait")


def _compare(bench: World, numbers: dict[str, str]) -> dict[str, int]:
    """What the store holds, beside what was delivered: all units, each once, with its number."""
    told: dict[str, Counter] = {gid: Counter() for gid in numbers}
    for item in bench.store.objects("Fulfillment"):
        gid = item["order"]["id"]
        if gid in told and [info["number"] for info in item["trackingInfo"]] == [numbers[gid]]:
            for line in item["fulfillmentLineItems"]["nodes"]:
                told[gid][line["lineItem"]["id"]] += line["quantity"]
    doubled = missing = 0
    for order in bench.store.objects("Order"):
        if order["id"] in told:
            found = told[order["id"]]
            wanted = {
                line["id"]: line["quantity"]
                for line in order["lineItems"]["nodes"]
                if line["requiresShipping"]
            }
            doubled += any(found[gid] > count for gid, count in wanted.items())
            missing += any(found[gid] < count for gid, count in wanted.items())
    return {"doubled": doubled, "missing": missing}
