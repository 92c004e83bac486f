"""How many webhooks a second our route takes in, beside what the server can do at most.

Three routes of one Odoo server without job runner get the same bodies of real size, in turns:
one that does nothing, one that does a single INSERT of the body, and ours with real
signatures. Then the same once more for the last two with the job runner on and a store that
does not answer at all.
"""

import itertools
import json
import statistics
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from devenv.console import DevenvError
from devenv.demo_seed import CLIENT_SECRET
from shopify_sandbox.payload import order as order_payload
from shopify_sandbox.testing import running_sandbox
from shopify_sandbox.webhooks import signature

from . import load
from .world import SHOP, World, start_odoo, world

ROUNDS = 7
SECONDS = 4.0
CLIENTS = 8
# More than any server of this size takes in within a round.
PREPARED = 4000
WORKERS = 4

Requests = Callable[[], Iterator[bytes]]


def run() -> dict:
    with world("intake", workers=WORKERS) as bench:
        routes = _routes(bench)
        bench.odoo_server.stop()
        with ExitStack() as stack:
            options = {"server_wide_modules": "base,web"}
            start_odoo(stack, bench, "intake", workers=WORKERS, options=options)
            normal = _interleaved(bench.odoo_port, routes)
        bench.store.set_faults([{"kind": "no_answer", "count": 100000}])
        with ExitStack() as stack:
            start_odoo(stack, bench, "intake", workers=WORKERS)
            silent = _interleaved(bench.odoo_port, {key: routes[key] for key in ("insert", "ours")})
    return {
        "ratio_to_insert": _ratio(normal, "ours", "insert"),
        "ratio_to_bare": _ratio(normal, "ours", "bare"),
        "p99_ms": round(_all(normal["ours"]).p99_ms, 1),
        "requests_per_s": round(_all(normal["ours"]).per_second, 1),
        "insert_requests_per_s": round(_all(normal["insert"]).per_second, 1),
        "bare_requests_per_s": round(_all(normal["bare"]).per_second, 1),
        "store_silent_ratio_to_insert": _ratio(silent, "ours", "insert"),
        "store_silent_requests_per_s": round(_all(silent["ours"]).per_second, 1),
    }


def _routes(bench: World) -> dict[str, Requests]:
    [backend] = bench.odoo.search_read(
        "shopify.backend", [("id", "=", bench.backend)], ["webhook_key"]
    )
    payload = _payload()
    body = json.dumps(payload).encode()
    path = f"/shopify/webhook/{backend['webhook_key']}"

    numbers = itertools.count(9 * 10**12)

    def signed() -> Iterator[bytes]:
        # Made before the round starts: signing is Shopify's work.
        return iter([delivery(next(numbers)) for _ in range(PREPARED)])

    def delivery(number: int) -> bytes:
        payload["id"] = number
        payload["admin_graphql_api_id"] = f"gid://shopify/Order/{number}"
        own = json.dumps(payload).encode()
        return load.post(path, bench.odoo_port, own, _headers(own))

    return {
        "bare": lambda: load.repeat(load.post("/bench/bare", bench.odoo_port, body, {})),
        "insert": lambda: load.repeat(load.post("/bench/insert", bench.odoo_port, body, {})),
        "ours": signed,
    }


def _payload() -> dict:
    """The body of the webhook of an order with three lines."""
    with running_sandbox() as store:
        [order] = store.place_orders(SHOP, count=1, lines=3, discounts=True, seed=1)
        return order_payload(order, store.shop(SHOP))


def _headers(body: bytes) -> dict[str, str]:
    return {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Hmac-Sha256": signature(CLIENT_SECRET, body),
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Event-Id": str(uuid.uuid4()),
        "X-Shopify-Triggered-At": "2026-11-20T12:00:00.000000000Z",
    }


def _interleaved(port: int, routes: dict[str, Requests]) -> dict[str, list[load.Load]]:
    """Every route in every round, each for ``SECONDS``; the first round only warms up."""
    runs = {route: [] for route in routes}
    for number in range(ROUNDS + 1):
        for route, requests in routes.items():
            seen = load.run(port, requests(), seconds=SECONDS, clients=CLIENTS)
            if set(seen.statuses) != {200}:
                raise DevenvError(f"the route {route} answered {seen.statuses}")
            if number:
                runs[route].append(seen)
    return runs


def _ratio(runs: dict[str, list[load.Load]], one: str, other: str) -> float:
    """Median over the rounds of how many requests a second ``one`` took to ``other``."""
    pairs = zip(runs[one], runs[other], strict=True)
    return round(statistics.median(a.per_second / b.per_second for a, b in pairs), 3)


def _all(runs: list[load.Load]) -> load.Load:
    total = load.Load()
    for seen in runs:
        total.merge(seen)
    return total
