"""The demo's check: every order that was placed is in Odoo, once, to the cent."""

import time
from collections import Counter
from decimal import Decimal

from .console import say

PATIENCE = 300


def place(stores, count):
    """Let customers place ``count`` orders, spread over the stores; returns {store: gids}."""
    placed = {}
    for index, store in enumerate(stores):
        share = count * (index + 1) // len(stores) - count * index // len(stores)
        placed[store] = set(store.place_orders(share)["ids"]) if share else set()
    return placed


def map_taxes(odoo):
    """Do what the accountant does once: make the Odoo tax of every tax that is new."""
    waiting = odoo.search("shopify.tax.mapping", [("tax_id", "=", False)])
    if waiting:
        odoo.call("shopify.tax.mapping", "action_create_tax", waiting)
    return len(waiting)


def imported(odoo, backend, gids):
    """Rows of shopify.order with a sale order, of these orders."""
    domain = [
        ("backend_id", "=", backend),
        ("shopify_gid", "in", sorted(gids)),
        ("sale_order_id", "!=", False),
    ]
    return odoo.search_read("shopify.order", domain, ["shopify_gid", "sale_order_id"])


def wait(odoo, placed, backends):
    """Wait until every order is in Odoo or nothing has moved for ``PATIENCE`` seconds."""
    total = sum(map(len, placed.values()))
    last, moved = -1, time.monotonic()
    while True:
        made = map_taxes(odoo)
        rows = [
            row
            for (_store, gids), backend in zip(placed.items(), backends, strict=True)
            for row in imported(odoo, backend, gids)
        ]
        done = len({row["shopify_gid"] + str(row["sale_order_id"]) for row in rows})
        if done != last or made:
            say(f"{done} of {total} orders are in Odoo")
            last, moved = done, time.monotonic()
        if done >= total or time.monotonic() - moved > PATIENCE:
            return
        time.sleep(0.5)


def compare(odoo, placed, backends):
    """Compare with the stores; returns (orders, missing, duplicate, different) and remarks."""
    orders = missing = duplicate = different = 0
    remarks = []
    for (store, gids), backend in zip(placed.items(), backends, strict=True):
        rows = imported(odoo, backend, gids)
        sales = {
            sale["id"]: sale
            for sale in odoo.search_read(
                "sale.order",
                [("id", "in", [row["sale_order_id"][0] for row in rows])],
                ["amount_total", "amount_tax", "currency_id", "name", "company_id"],
            )
        }
        times = Counter(row["shopify_gid"] for row in rows)
        duplicate += sum(count - 1 for count in times.values())
        duplicate += _unbound(odoo, sales)
        by_gid = {row["shopify_gid"]: sales[row["sale_order_id"][0]] for row in rows}
        for gid, (name, total, taxes, currency) in store.totals(gids).items():
            orders += 1
            sale = by_gid.get(gid)
            if sale is None:
                missing += 1
                remarks.append(f"{store.shop} {name}: not in Odoo")
                continue
            found = (_cents(sale["amount_total"]), _cents(sale["amount_tax"]))
            if found != (total, taxes) or sale["currency_id"][1] != currency:
                different += 1
                remarks.append(
                    f"{store.shop} {name}: {total} {currency} with {taxes} taxes in the store,"
                    f" {found[0]} {sale['currency_id'][1]} with {found[1]} in Odoo"
                )
    return (orders, missing, duplicate, different), remarks


def _unbound(odoo, sales):
    """Sale orders that carry the name of an imported one and are not it."""
    domain = [
        ("name", "in", [sale["name"] for sale in sales.values()]),
        ("company_id", "in", [sale["company_id"][0] for sale in sales.values()]),
        ("id", "not in", list(sales)),
    ]
    return odoo.call("sale.order", "search_count", domain) if sales else 0


def _cents(amount):
    return Decimal(str(round(amount, 2)))


def check(odoo, stores, backends, count=100):
    """Place orders, wait, compare and print the result; returns the exit code."""
    say(f"customers place {count} orders")
    start = time.monotonic()
    placed = place(stores, count)
    wait(odoo, placed, backends)
    seconds = time.monotonic() - start
    (orders, missing, duplicate, different), remarks = compare(odoo, placed, backends)
    for remark in remarks[:20]:
        print(f"  {remark}")
    print(f"{orders} orders, {missing} missing, {duplicate} duplicate, {different} different")
    print(f"{seconds:.1f} seconds", flush=True)
    return int(bool(missing or duplicate or different or orders != count))
