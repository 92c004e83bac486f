"""``make demo``: two stores with customers who order, and an Odoo that receives the orders."""

import argparse
import fcntl
import itertools
import signal
import time
from contextlib import ExitStack, contextmanager

from . import database, demo_check, paths, postgres, servers
from .console import DevenvError, say
from .demo_seed import COMPANIES, OPEN_ORDERS, Seed
from .rpc import Odoo
from .store import Store

STORE_WAIT = 60
ODOO_WAIT = 180


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="make demo", description="With make: make demo DEMO_ARGS='--check'"
    )
    parser.add_argument(
        "--check", action="store_true", help="place orders, compare every total, end with 0 or 1"
    )
    parser.add_argument("--orders", type=int, default=100, help="how many orders --check places")
    parser.add_argument(
        "--every", type=float, default=4, metavar="SECONDS", help="time between two orders"
    )
    parser.add_argument("--odoo-port", type=int, help=f"default: {servers.ODOO_PORT} or next free")
    parser.add_argument("--store-port", type=int, help=f"default: {servers.STORE_PORT} or next")
    parser.add_argument("--workers", type=int, default=2, help="Odoo workers (default: 2)")
    parser.add_argument("--latency-ms", type=int, default=0, help="answer time of the stores")
    parser.add_argument("--keep", action="store_true", help="keep the database of --check")
    return parser.parse_args(arguments)


@contextmanager
def only_once(name):
    """Refuse a second demo of this checkout on the same database."""
    paths.RUN.mkdir(parents=True, exist_ok=True)
    with (paths.RUN / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DevenvError(f"{name} is already running in this checkout") from None
        yield


def make_database(name):
    """Make the database anew from the template."""
    template = database.addon_template()
    say("copying the template database")
    database.drop(name)
    database.copy(template, name)
    # A copied database is another one for the addon's guard against copies.
    postgres.psql(
        name,
        "UPDATE ir_config_parameter SET value = gen_random_uuid() WHERE key = 'database.uuid'",
    )


def started(stack, server, seconds):
    """Start a server that ends with the stack, and wait until it answers."""
    say(f"starting {server.name}")
    server.start()
    stack.callback(server.stop)
    return server.wait_ready(seconds)


def _start(stack, name, options):
    """Start everything; returns (session, stores, ids of the backends, servers)."""
    odoo_port = servers.choose_port(
        options.odoo_port, servers.ODOO_PORT, "--odoo-port", neighbours=1
    )
    store_port = servers.choose_port(options.store_port, servers.STORE_PORT, "--store-port")
    postgres.start()
    make_database(name)
    shop_server = servers.store(f"{name}-store", store_port, "--latency-ms", options.latency_ms)
    odoo_server = servers.odoo(
        f"{name}-odoo", name, odoo_port, workers=options.workers, store_port=store_port
    )
    running = [
        started(stack, shop_server, STORE_WAIT),
        started(stack, odoo_server, ODOO_WAIT),
    ]
    odoo = Odoo(f"http://127.0.0.1:{odoo_port}", name)
    stores = [Store(store_port, shop) for shop in COMPANIES]
    backends = Seed(odoo, stores, odoo.url).run()
    return odoo, stores, backends, running


GUIDE = """
Odoo runs at {url} - login admin, password admin (a new database at every start)
  Sales > Shopify        the stores, orders, exceptions, the inbox of webhooks and the log
  Sales > Orders         what became of the orders; both companies are in the company menu
The stores run at {store}: {shops}
A customer orders every {every:g} seconds. Ctrl-C ends the demo.
"""


def _watch(odoo, stores, backends, running, every):
    """Let customers order, and say what has become of their orders, until Ctrl-C."""
    placed = OPEN_ORDERS * len(stores)
    for number, store in enumerate(itertools.cycle(stores)):
        for server in running:
            if not server.is_running():
                raise DevenvError(f"{server.name} has ended:\n{server.log_tail()}")
        placed += store.place_orders(1)["count"]
        demo_check.map_taxes(odoo)
        if number % 5 == 4:
            done = odoo.call("shopify.order", "search_count", [("sale_order_id", "!=", False)])
            waiting = odoo.call("shopify.exception", "search_count", [("state", "=", "open")])
            say(f"{placed} orders in the stores, {done} in Odoo, {waiting} exceptions")
        time.sleep(every)


def main(arguments):
    options = parse(arguments)
    # Ended from outside is ended cleanly, too: the servers must not outlive us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    name = "demo_check" if options.check else "demo"
    with only_once(name), ExitStack() as stack:
        if options.check and not options.keep:
            stack.callback(database.drop, name)
        odoo, stores, backends, running = _start(stack, name, options)
        if options.check:
            return demo_check.check(odoo, stores, backends, options.orders)
        shops = ", ".join(store.shop for store in stores)
        print(GUIDE.format(url=odoo.url, store=stores[0].server, shops=shops, every=options.every))
        try:
            _watch(odoo, stores, backends, running, options.every)
        except KeyboardInterrupt:
            print()
            say("ending")
    return 0
