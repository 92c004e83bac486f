"""What importing an order costs, beside plain ORM calls that have nothing to find out.

Orders of three lines with taxes and discounts, from distinct customers with addresses of
their own, are imported and confirmed by the inbox's drain and the reservation job. The same
orders are then created and confirmed by plain ORM calls whose partners, products, taxes and
amounts are known: in batches, and one by one. All run in this process, in turns, so that CPU
time is comparable; then the import once more with a store that takes 150 ms to answer.
"""

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass

from devenv import config, servers
from devenv.console import say

from .world import ADDONS_PATH, WISHES, World, world

ROUNDS = 6
BATCH = 50
LATENCY_MS = 150


@dataclass
class Cost:
    """Sums over orders. Seconds; ``cpu`` is that of the Odoo process."""

    orders: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    queries: int = 0


def run() -> dict:
    with world("import", workers=2) as bench:
        bench.odoo_server.stop()
        with _registry(bench) as registry:
            costs = _measure(bench, registry)
    ours, batched, single = costs["ours"], costs["batched"], costs["one_by_one"]
    late = costs["ours_late"]
    return {
        "orders": ours.orders,
        "cpu_ratio_batched": _ratio(ours.cpu, batched.cpu),
        "cpu_ratio_one_by_one": _ratio(ours.cpu, single.cpu),
        "queries_per_order": round(ours.queries / ours.orders, 1),
        "latency_penalty": round(late.wall / late.orders / (ours.wall / ours.orders) - 1, 3),
        **{
            f"{name}_{what}_ms": round(getattr(cost, what) / cost.orders * 1000, 1)
            for name, cost in costs.items()
            for what in ("cpu", "wall")
        },
        "batched_queries_per_order": round(batched.queries / batched.orders, 1),
        "one_by_one_queries_per_order": round(single.queries / single.orders, 1),
    }


def _ratio(one: float, other: float) -> float:
    return round(one / other, 2)


@contextmanager
def _registry(bench: World):
    """Odoo in this process, without its servers."""
    import os

    conf = config.write(
        "bench-import-process",
        database=bench.database,
        log_level="warn",
        api_url=servers.store_url(bench.store_port),
        options={"addons_path": ADDONS_PATH},
    )
    from odoo.modules.registry import Registry
    from odoo.tools import config as odoo_config

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    odoo_config.parse_config(["-c", str(conf)], setup_logging=True)
    registry = Registry(bench.database)
    try:
        yield registry
    finally:
        from odoo.sql_db import close_all

        close_all()


def _measure(bench: World, registry) -> dict[str, Cost]:
    costs: dict[str, Cost] = defaultdict(Cost)
    # The first round fills caches; it does not count.
    for number in range(ROUNDS + 1):
        counted = costs if number else defaultdict(Cost)
        gids = _place(bench, registry)
        _timed(counted["ours"], lambda: _import(registry, bench.backend))
        specs = _specifications(registry, gids)
        _timed(counted["batched"], lambda specs=specs: _plain(registry, specs, BATCH))
        _timed(counted["one_by_one"], lambda specs=specs: _plain(registry, specs, 1))
        _place(bench, registry)
        bench.store.set_faults([{"kind": "latency", "ms": LATENCY_MS, "count": 1_000_000}])
        _timed(counted["ours_late"], lambda: _import(registry, bench.backend))
        bench.store.set_faults([])
        say(f"round {number} of {ROUNDS}")
    return costs


def _timed(cost: Cost, work: Callable[[], None]) -> None:
    from odoo import sql_db

    before = (time.perf_counter(), time.process_time(), sql_db.sql_counter)
    work()
    cost.wall += time.perf_counter() - before[0]
    cost.cpu += time.process_time() - before[1]
    cost.queries += sql_db.sql_counter - before[2]
    cost.orders += BATCH


@contextmanager
def _environment(registry, backend_id=None):
    from odoo import SUPERUSER_ID, api

    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        if backend_id:
            backend = env["shopify.backend"].browse(backend_id)
            env = env(user=backend.user_id, su=False)
        yield env


def _place(bench: World, registry) -> list[str]:
    """Let customers order, and put what they ordered into the inbox, as webhooks do."""
    gids = bench.store.place_orders(BATCH, **WISHES)["ids"]
    with _environment(registry) as env:
        backend = env["shopify.backend"].browse(bench.backend)
        items = [{"topic": "orders/create", "gid": gid, "source": "webhook"} for gid in gids]
        env["shopify.inbox"]._put(backend, items)
    return gids


def _import(registry, backend_id: int) -> None:
    """What the jobs do: drain the inbox, then reserve."""
    for job in ("_job_drain_inbox", "_job_reserve"):
        with _environment(registry, backend_id) as env:
            getattr(env["shopify.backend"].browse(backend_id), job)()


def _specifications(registry, gids: list[str]) -> list[dict]:
    """The imported orders as values for ``create``, everything resolved."""
    with _environment(registry) as env:
        bindings = env["shopify.order"].search([("shopify_gid", "in", gids)])
        if len(bindings.sale_order_id) != len(gids):
            raise AssertionError(f"{len(gids) - len(bindings.sale_order_id)} were not imported")
        if set(bindings.sale_order_id.mapped("state")) != {"sale"}:
            raise AssertionError("not all of them were confirmed")
        return [_specification(order) for order in bindings.sale_order_id]


def _specification(order) -> dict:
    from odoo.fields import Command

    fields = ("partner_id", "partner_invoice_id", "partner_shipping_id", "pricelist_id")
    fields += ("warehouse_id", "company_id")
    return {
        **{field: order[field].id for field in fields},
        "date_order": order.date_order,
        "order_line": [
            Command.create(
                {
                    "product_id": line.product_id.id,
                    "name": line.name,
                    "product_uom_qty": line.product_uom_qty,
                    "price_unit": line.price_unit,
                    "discount": line.discount,
                    "tax_ids": [Command.set(line.tax_ids.ids)],
                }
            )
            for line in order.order_line
        ],
    }


def _plain(registry, specs: list[dict], size: int) -> None:
    for start in range(0, len(specs), size):
        with _environment(registry) as env:
            env["sale.order"].create(specs[start : start + size]).action_confirm()
