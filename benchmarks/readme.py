"""``python3 -m benchmarks.readme``: write the figures of ``results.json`` into ``README.rst``."""

import json
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
README = Path(__file__).parents[1] / "README.rst"
BEGIN, END = ".. benchmarks: begin\n", ".. benchmarks: end\n"
# (what, benchmark, figure, how it is written)
ROWS = (
    ("Webhooks taken in per second", "webhook_intake", "requests_per_s", "{}"),
    ("... slowest of 100", "webhook_intake", "p99_ms", "{} ms"),
    ("... compared with a route that does one INSERT", "webhook_intake", "ratio_to_insert", "{}"),
    ("... compared with a route that does nothing", "webhook_intake", "ratio_to_bare", "{}"),
    (
        "... compared with the INSERT while Shopify does not answer",
        "webhook_intake",
        "store_silent_ratio_to_insert",
        "{}",
    ),
    (
        "CPU of an order, imported and confirmed, compared with plain batched ORM calls",
        "order_import",
        "cpu_ratio_batched",
        "{}",
    ),
    ("... compared with ORM calls one by one", "order_import", "cpu_ratio_one_by_one", "{}"),
    ("... SQL queries per order", "order_import", "queries_per_order", "{}"),
    ("... longer when Shopify takes 150 ms to answer", "order_import", "latency_penalty", "{:.0%}"),
    (
        "CPU of an order until it is invoiced and paid, compared with plain batched ORM calls",
        "order_to_cash",
        "cpu_ratio_batched",
        "{}",
    ),
    (
        "Calls for 10,000 changed quantities at 3 locations, compared with the fewest possible",
        "stock_export",
        "calls_ratio",
        "{}",
    ),
    ("... when Shopify takes 150 ms to answer", "stock_export", "seconds", "{} s"),
    (
        "... CPU of deciding what is shown, compared with one grouped read",
        "stock_export",
        "cpu_ratio",
        "{}",
    ),
    (
        "... CPU of the whole export, compared with the same",
        "stock_export",
        "export_cpu_ratio",
        "{}",
    ),
    ("... from a user's change to the call, 95 of 100", "stock_export", "wait_p95_s", "{} s"),
    ("... longer to complete 100 moves", "stock_export", "capture_cost", "{:.1%}"),
    ("Orders placed within one minute", "flash_sale", "orders", "{}"),
    ("... 95 of 100 are confirmed so long after the last one", "flash_sale", "p95_s", "{} s"),
    ("... lost", "flash_sale", "lost", "{}"),
    ("... doubled", "flash_sale", "doubled", "{}"),
    ("Calls to tell of a delivery with tracking", "fulfillment_export", "calls_per_delivery", "{}"),
    ("... fulfilments doubled when answers get lost", "fulfillment_export", "doubled", "{}"),
)


def table(results: dict) -> str:
    """The figures that there are, as a table in reStructuredText."""
    cells = [
        (what, text.format(results[benchmark][figure]))
        for what, benchmark, figure, text in ROWS
        if figure in results.get(benchmark, {})
    ]
    if not cells:
        return ""
    left, right = (max(map(len, column)) for column in zip(*cells, strict=True))
    border = f"{'=' * left}  {'=' * right}"
    lines = [border, *(f"{what:{left}}  {figure:>{right}}" for what, figure in cells), border]
    return "\n".join(lines) + "\n"


def main() -> None:
    text = README.read_text()
    head, _begin, rest = text.partition(BEGIN)
    _old, _end, tail = rest.partition(END)
    figures = table(json.loads(RESULTS.read_text()))
    README.write_text(f"{head}{BEGIN}\n{figures}\n{END}{tail}")


if __name__ == "__main__":
    main()
