"""What telling a store 10,000 changed quantities costs, and a user's transaction that causes them.

A store of 3,334 variants at three locations, each of which shows a stock location of its own. All
quantities change; the export's jobs run in this process until nothing waits, against a store that
takes 150 ms to answer. The CPU time of deciding what the store should show (stock, rules, orders
on their way) is compared with one plain grouped read of the same quantities; that of the whole
export, with its requests and what it writes down, stands beside it.

The same process then completes 100 moves, with stores that are told of stock and with none, in
turns. And the server with its job runner is timed from a user's commit to the call.
"""

import statistics
import time
from contextlib import contextmanager
from math import ceil

from devenv.console import say

from .order_import import _environment, _ratio, _registry
from .world import World, world

VARIANTS, LOCATIONS, CALL = 3_334, 3, 250
LATENCY_MS = 150
ROUNDS = 3
MOVES, MOVE_ROUNDS = 100, 12
WAITS = 30
SET = "InventorySetQuantities"


def run() -> dict:
    with world("stock", workers=2) as bench:
        variants = _add_catalogue(bench)
        with _registry(bench) as registry:
            sources = _set_up(bench, registry, variants)
            # The server's processes learn that this store is told.
            registry.signal_changes()
            _export(registry, bench.backend)
            waits = _waits(bench)
            bench.odoo_server.stop()
            figures = _measure(bench, registry, sources)
            figures |= _capture(registry, bench.backend, sources)
    waits.sort()
    return {
        **figures,
        "wait_median_s": round(statistics.median(waits), 2),
        "wait_p95_s": round(waits[ceil(len(waits) * 0.95) - 1], 2),
    }


# -- the world ------------------------------------------------------------------------------------


def _add_catalogue(bench: World) -> list[dict]:
    """A third location, and products of 100 variants with a level at each location."""
    bench.store.put(
        [{"__typename": "Location", "id": "gid://shopify/Location/990003", "name": "Third"}]
    )
    places = [place["id"] for place in bench.store.objects("Location")][:LOCATIONS]
    numbers = range(VARIANTS)
    for start in range(0, VARIANTS, CALL):
        some = numbers[start : start + CALL]
        nodes = [_variant(number, places) for number in some]
        product = {
            "__typename": "Product",
            "id": f"gid://shopify/Product/{880_000 + start}",
            "title": f"Bench {start}",
            "variants": {"nodes": nodes},
        }
        bench.store.put([product])
    return [_variant(number, places) for number in numbers]


def _variant(number: int, places: list[str]) -> dict:
    item = 88_000_000 + number
    return {
        "id": f"gid://shopify/ProductVariant/{item}",
        "sku": f"BENCH-{number}",
        "inventoryItem": {
            "id": f"gid://shopify/InventoryItem/{item}",
            "tracked": True,
            "inventoryLevels": {
                "nodes": [
                    {
                        "id": f"gid://shopify/InventoryLevel/{item}{index}",
                        "location": {"id": place},
                        "isActive": True,
                        "quantities": [{"name": "available", "quantity": 1}],
                    }
                    for index, place in enumerate(places)
                ]
            },
        },
    }


def _set_up(bench: World, registry, variants: list[dict]) -> list[int]:
    """Locations, products, stock and links in Odoo; returns the ids of the stock locations."""
    with _environment(registry) as env:
        backend = env["shopify.backend"].browse(bench.backend)
        env["shopify.location.importer"]._import(backend)
        locations = env["shopify.location"].search([("backend_id", "=", backend.id)])
        sources = env["stock.location"].create(
            [
                {"name": location.name, "usage": "internal", "company_id": backend.company_id.id}
                for location in locations
            ]
        )
        for location, source in zip(locations, sources, strict=True):
            location.stock_source_ids = source
        products = env["product.product"].create(
            [
                {"name": node["sku"], "default_code": node["sku"], "is_storable": True}
                for node in variants
            ]
        )
        env["shopify.variant"].search([("sku", "like", "BENCH-")]).unlink()
        env["shopify.variant"].create(
            [
                {
                    "backend_id": backend.id,
                    "shopify_gid": node["id"],
                    "sku": node["sku"],
                    "inventory_item_gid": node["inventoryItem"]["id"],
                    "product_id": product.id,
                }
                for node, product in zip(variants, products, strict=True)
            ]
        )
        env["stock.quant"].create(
            [
                {"product_id": product.id, "location_id": source.id, "quantity": 50}
                for source in sources
                for product in products
            ]
        )
        backend.push_stock = True
        env["shopify.outbox"]._put_all(backend, "setting")
        return sources.ids


def _products(env):
    return env["product.product"].search([("default_code", "=like", "BENCH-%")])


# -- the export -----------------------------------------------------------------------------------


def _change(registry, sources: list[int]) -> None:
    with _environment(registry) as env:
        quants = env["stock.quant"].search([("location_id", "in", sources)])
        for quant in quants:
            quant.quantity += 1


def _export(registry, backend_id: int) -> int:
    """What the jobs do, until nothing waits; returns how many it took."""
    for jobs in range(1, 50):
        with _environment(registry, backend_id) as env:
            env["shopify.backend"].browse(backend_id)._job_push_stock(force=True)
        with _environment(registry) as env:
            if not env["shopify.outbox"].search_count([]):
                return jobs
    raise AssertionError("changes are left in the outbox")


def _read(registry, sources: list[int]) -> None:
    """The same quantities by one plain grouped read."""
    with _environment(registry) as env:
        groups = env["stock.quant"]._read_group(
            [("location_id", "in", sources), ("product_id", "in", _products(env).ids)],
            ["location_id", "product_id"],
            ["quantity:sum", "reserved_quantity:sum"],
        )
        {(place.id, product.id): total - held for place, product, total, held in groups}


def _decide(registry, backend_id: int, into: list[float]) -> None:
    """What the store should show, computed as an export does."""
    from odoo.addons.shopify_connector.services.stock_claim import StockClaim
    from odoo.addons.shopify_connector.services.stock_exporter import Run

    with _environment(registry) as env:
        exporter = env["shopify.stock.exporter"]
        backend = env["shopify.backend"].browse(backend_id)
        locations = exporter._locations(backend)
        variants = env["shopify.variant"].search([("sku", "=like", "BENCH-%")])
        items = exporter._load(backend, locations, variants.ids)
        with _cpu(into):
            exporter._compute(backend, Run(StockClaim("", 0)), locations, items)


@contextmanager
def _cpu(into: list[float]):
    before = time.process_time()
    yield
    into.append(time.process_time() - before)


def _measure(bench: World, registry, sources: list[int]) -> dict:
    exports, reads, decisions, walls, ratios = [], [], [], [], []
    levels = VARIANTS * LOCATIONS
    minimum = LOCATIONS * ceil(VARIANTS / CALL)
    for number in range(ROUNDS):
        _change(registry, sources)
        with _cpu(reads):
            _read(registry, sources)
        _decide(registry, bench.backend, decisions)
        bench.store.clear_log()
        bench.store.set_faults([{"kind": "latency", "ms": LATENCY_MS, "count": 1_000_000}])
        start = time.perf_counter()
        with _cpu(exports):
            _export(registry, bench.backend)
        walls.append(time.perf_counter() - start)
        bench.store.set_faults([])
        log = [entry for entry in bench.store.log() if entry.get("operation")]
        sent = sum(
            len(entry["variables"]["input"]["quantities"])
            for entry in log
            if entry["operation"] == SET
        )
        if sent != levels:
            raise AssertionError(f"{sent} of {levels} quantities were sent")
        ratios.append(len(log) / minimum)
        say(f"round {number + 1} of {ROUNDS}")
    return {
        "levels": levels,
        "calls_ratio": round(max(ratios), 3),
        "seconds": round(statistics.median(walls), 1),
        "cpu_ratio": _ratio(statistics.median(decisions), statistics.median(reads)),
        "export_cpu_ratio": _ratio(statistics.median(exports), statistics.median(reads)),
        "decide_cpu_ms": round(statistics.median(decisions) * 1000),
        "export_cpu_ms": round(statistics.median(exports) * 1000),
        "read_cpu_ms": round(statistics.median(reads) * 1000),
    }


# -- the user -------------------------------------------------------------------------------------


def _capture(registry, backend_id: int, sources: list[int]) -> dict:
    """100 moves are completed, with and without a store that is told."""
    costs = {True: [], False: []}
    for number in range(MOVE_ROUNDS * 2):
        told = bool(number % 2)
        with _environment(registry) as env:
            env["shopify.backend"].browse(backend_id).push_stock = told
        with _environment(registry) as env:
            moves = _moves(env, sources)
            with _cpu(costs[told]):
                moves._action_done()
                env.cr.flush()
            env.cr.rollback()
    with_it, without = (statistics.median(costs[told][1:]) for told in (True, False))
    return {
        "capture_cost": round(with_it / without - 1, 3),
        "moves_done_ms": round(without * 1000),
    }


def _moves(env, sources: list[int]):
    moves = env["stock.move"].create(
        [
            {
                "product_id": product.id,
                "product_uom_qty": 1,
                "location_id": sources[0],
                "location_dest_id": sources[1],
            }
            for product in _products(env)[:MOVES]
        ]
    )
    moves._action_confirm()
    moves._action_assign()
    moves.picked = True
    env.cr.flush()
    return moves


def _waits(bench: World) -> list[float]:
    """Seconds from a user's change to the answered call, on the server with its jobs."""
    domain = [("product_id.default_code", "=like", "BENCH-%")]
    quants = bench.odoo.search("stock.quant", domain, limit=WAITS, order="id")
    waits = []
    for number, quant in enumerate(quants):
        wanted = 1_000 + number
        context = {"inventory_mode": True}
        bench.odoo.write("stock.quant", [quant], {"inventory_quantity": wanted}, context=context)
        bench.odoo.call("stock.quant", "action_apply_inventory", [quant], context=context)
        done = time.time()
        waits.append(_called(bench, wanted) - done)
        time.sleep(0.37)
    return waits


def _called(bench: World, wanted: int) -> float:
    """When the store was told of a quantity, as epoch."""
    for _try in range(300):
        for entry in reversed(bench.store.log(SET)):
            rows = entry["variables"]["input"]["quantities"]
            if any(row["quantity"] == wanted for row in rows):
                return entry["time"]
        time.sleep(0.1)
    raise AssertionError("the store was not told")
