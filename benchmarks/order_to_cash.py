"""What an order costs until it is paid and invoiced, beside plain ORM calls that do the same.

Orders as in :mod:`.order_import` are imported, confirmed and reserved, invoiced with Shopify's
amounts, posted, their payments booked and matched, by the jobs that do it in production. Then
plain ORM calls, whose partners, products, taxes and amounts are known, take the same orders from
creation to the matched payment, in batches. All run in this process, in turns, so that CPU time
is comparable.
"""

from collections import defaultdict

from devenv.console import say

from .order_import import (
    ROUNDS,
    Cost,
    _environment,
    _place,
    _ratio,
    _registry,
    _specifications,
    _timed,
)
from .world import World, world

JOBS = ("_job_drain_inbox", "_job_reserve", "_job_account")


def run() -> dict:
    with world("cash", workers=2) as bench:
        bench.odoo_server.stop()
        with _registry(bench) as registry:
            costs = _measure(bench, registry)
    ours, batched = costs["ours"], costs["batched"]
    return {
        "orders": ours.orders,
        "cpu_ratio_batched": _ratio(ours.cpu, batched.cpu),
        "queries_per_order": round(ours.queries / ours.orders, 1),
        "batched_queries_per_order": round(batched.queries / batched.orders, 1),
        **{
            f"{name}_{what}_ms": round(getattr(cost, what) / cost.orders * 1000, 1)
            for name, cost in costs.items()
            for what in ("cpu", "wall")
        },
    }


def _measure(bench: World, registry) -> dict[str, Cost]:
    costs: dict[str, Cost] = defaultdict(Cost)
    journal = _settings(registry, bench.backend)
    # The first round fills caches; it does not count.
    for number in range(ROUNDS + 1):
        counted = costs if number else defaultdict(Cost)
        gids = _place(bench, registry)
        _timed(counted["ours"], lambda: _to_cash(registry, bench.backend))
        _check(registry, gids)
        specs = _specifications(registry, gids)
        _timed(counted["batched"], lambda specs=specs: _plain(registry, specs, journal))
        say(f"round {number} of {ROUNDS}")
    return costs


def _settings(registry, backend_id: int) -> int:
    """Let the store invoice and book what is paid; returns the id of the bank journal."""
    with _environment(registry) as env:
        backend = env["shopify.backend"].browse(backend_id)
        journal = env["account.journal"].search(
            [("company_id", "=", backend.company_id.id), ("type", "=", "bank")], limit=1
        )
        backend.write({"invoice_policy": "paid", "payment_journal_id": journal.id})
        return journal.id


def _to_cash(registry, backend_id: int) -> None:
    """What the jobs do."""
    for job in JOBS:
        with _environment(registry, backend_id) as env:
            getattr(env["shopify.backend"].browse(backend_id), job)()


def _check(registry, gids: list[str]) -> None:
    """All of them are paid, to the cent."""
    with _environment(registry) as env:
        orders = env["shopify.order"].search([("shopify_gid", "in", gids)])
        invoices = orders.sale_order_id.invoice_ids
        if len(invoices) != len(gids) or set(invoices.mapped("state")) != {"posted"}:
            raise AssertionError(f"{len(invoices)} invoices for {len(gids)} orders")
        if any(invoices.mapped("amount_residual")):
            raise AssertionError("not all of them are paid")
        for order in orders:
            invoice = order.sale_order_id.invoice_ids
            if invoice.currency_id.compare_amounts(invoice.amount_total, order.amount_total):
                raise AssertionError(f"{order.name}: {invoice.amount_total}")


def _plain(registry, specs: list[dict], journal_id: int) -> None:
    with _environment(registry) as env:
        orders = env["sale.order"].create(specs)
        orders.action_confirm()
        invoices = orders._create_invoices(grouped=True)
        invoices.action_post()
        method = env["account.journal"].browse(journal_id).inbound_payment_method_line_ids[:1]
        payments = env["account.payment"].create(
            [
                {
                    "payment_type": "inbound",
                    "partner_type": "customer",
                    "partner_id": invoice.commercial_partner_id.id,
                    "amount": invoice.amount_total,
                    "currency_id": invoice.currency_id.id,
                    "journal_id": journal_id,
                    "payment_method_line_id": method.id,
                    "memo": invoice.invoice_origin,
                }
                for invoice in invoices
            ]
        )
        payments.action_post()
        env["account.move.line"]._reconcile_plan(
            [
                (invoice | payment.move_id).line_ids.filtered(
                    lambda line: line.account_type == "asset_receivable"
                )
                for invoice, payment in zip(invoices, payments, strict=True)
            ]
        )
