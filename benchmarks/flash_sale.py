"""From "the customer pays" to "confirmed in Odoo" for 1,000 orders placed in one minute.

Whole servers: the store delivers its webhooks, Odoo takes them in, drains and confirms, all
on this machine.
"""

import time
from concurrent.futures import Future, ThreadPoolExecutor

from devenv.console import say

from .world import WISHES, World, query, world

ORDERS = 1000
PER_MINUTE = 1000
WORKERS = 4
PATIENCE = 600

CONFIRMED = """
    SELECT b.shopify_gid FROM shopify_order b JOIN sale_order s ON s.id = b.sale_order_id
    WHERE s.state = 'sale'
"""


def run() -> dict:
    with world("flash", workers=WORKERS) as bench, ThreadPoolExecutor(1) as pool:
        earlier = {gid for [gid] in query(bench, CONFIRMED)}
        customers = pool.submit(_place, bench)
        confirmed = _watch(bench, earlier, customers)
        placed = customers.result()
        doubled = _doubled(bench, placed)
    last = max(placed.values())
    waits = sorted(at - placed[gid] for gid, at in confirmed.items())
    after = sorted(max(0.0, at - last) for at in confirmed.values())
    seconds = max(confirmed.values()) - min(placed.values())
    return {
        "orders": len(placed),
        "p95_s": _percentile(after, 0.95),
        "lost": len(placed) - len(confirmed),
        "doubled": doubled,
        "last_s": round(after[-1], 1),
        "wait_median_s": _percentile(waits, 0.5),
        "wait_p95_s": _percentile(waits, 0.95),
        "orders_per_minute": round(60 * len(confirmed) / seconds),
    }


def _percentile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


def _place(bench: World) -> dict[str, float]:
    """Let the customers come at an even pace; returns when each one paid."""
    placed: dict[str, float] = {}
    start = time.time()
    step = 60 / PER_MINUTE * 10
    for number in range(ORDERS // 10):
        time.sleep(max(0.0, start + number * step - time.time()))
        for gid in bench.store.place_orders(10, **WISHES)["ids"]:
            placed[gid] = time.time()
        if number % 25 == 24:
            say(f"{len(placed)} orders placed")
    return placed


def _watch(bench: World, earlier: set[str], customers: Future) -> dict[str, float]:
    """When each new order was first seen confirmed, until all of them are."""
    seen: dict[str, float] = {}
    deadline = time.time() + PATIENCE
    while time.time() < deadline:
        now = time.time()
        for [gid] in query(bench, CONFIRMED):
            if gid not in earlier:
                seen.setdefault(gid, now)
        if customers.done() and len(seen) >= len(customers.result()):
            break
        time.sleep(0.5)
    return seen


def _doubled(bench: World, placed: dict[str, float]) -> int:
    """Sale orders beyond the first for one Shopify order, whether linked to it or not."""
    gids = ", ".join(f"'{gid}'" for gid in placed)
    [[count]] = query(
        bench,
        f"""
        SELECT count(*) FROM sale_order s WHERE s.origin IN (
            SELECT b.name FROM shopify_order b WHERE b.shopify_gid IN ({gids}))
        """,
    )
    return int(count) - len(placed)
