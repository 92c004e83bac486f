"""A database, a stand-in store and an Odoo server for one benchmark, gone when it ends."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from devenv import database, demo_check, paths, postgres, servers
from devenv.demo_seed import COMPANIES, Seed
from devenv.rpc import Odoo
from devenv.store import Store

SHOP = next(iter(COMPANIES))
ADDONS_PATH = f"{paths.REPO},{Path(__file__).with_name('addons')}"
START_SECONDS = 240
# What the orders are like; from one region, so that the accountant's work is done once.
WISHES = {
    "lines": 3,
    "discounts": True,
    "distinct_customers": True,
    "payment": "paid",
    "region": "US/NY",
    "extras": False,
}


@dataclass
class World:
    """What a benchmark works with.

    :param database: name of the database
    :param backend: id of the ``shopify.backend`` of the only store
    """

    database: str
    store_server: servers.Server
    store: Store
    store_port: int
    odoo_server: servers.Server | None = None
    odoo_port: int = 0
    odoo: Odoo | None = None
    backend: int = 0


@contextmanager
def world(name: str, *, workers: int = 4, latency_ms: int = 0) -> Iterator[World]:
    """A new database with one store connected by the demo's merchant, all servers running."""
    with ExitStack() as stack:
        store_port = servers.free_port()
        store_server = servers.store(
            f"bench-{name}-store", store_port, "--latency-ms", latency_ms
        ).start()
        stack.callback(store_server.stop)
        store_server.wait_ready(START_SECONDS)
        bench = World(
            database=f"bench_{name}_{os.getpid()}",
            store_server=store_server,
            store=Store(store_port, SHOP),
            store_port=store_port,
        )
        database.drop_left_over(f"bench_{name}")
        database.copy(database.addon_template(), bench.database)
        stack.callback(database.drop, bench.database)
        start_odoo(stack, bench, name, workers=workers, arguments=("-i", "shopify_bench"))
        bench.odoo = Odoo(f"http://127.0.0.1:{bench.odoo_port}", bench.database)
        bench.backend = Seed(bench.odoo, [bench.store], bench.odoo.url).run()[0]
        _map_taxes(bench)
        yield bench


def _map_taxes(bench: World) -> None:
    """Import a few orders, mapping the taxes that turn up."""
    gids = set(bench.store.place_orders(10, **WISHES)["ids"])
    demo_check.wait(bench.odoo, {bench.store: gids}, [bench.backend])


def start_odoo(stack: ExitStack, bench: World, name: str, **server) -> None:
    """Start an Odoo server on the benchmark's database; stopped with ``stack``."""
    bench.odoo_port = bench.odoo_port or servers.choose_port(None, 8100, "", neighbours=1)
    options = {"addons_path": ADDONS_PATH, **server.pop("options", {})}
    bench.odoo_server = servers.odoo(
        f"bench-{name}-odoo",
        bench.database,
        bench.odoo_port,
        store_port=bench.store_port,
        options=options,
        **server,
    ).start()
    stack.callback(bench.odoo_server.stop)
    bench.odoo_server.wait_ready(START_SECONDS)


def query(bench: World, sql: str) -> list[list[str]]:
    """Rows of a query, as text."""
    lines = postgres.psql(bench.database, sql).splitlines()
    return [line.split("|") for line in lines if line]
