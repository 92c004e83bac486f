"""``python -m benchmarks [NAME ...]``: run all benchmarks, or the named ones.

Figures are printed and written to ``benchmarks/results.json``, one object per benchmark.
"""

import argparse
import importlib
import json
from pathlib import Path

from devenv import postgres
from devenv.console import DevenvError, fail, say

RESULTS = Path(__file__).with_name("results.json")
NAMES = (
    "webhook_intake",
    "order_import",
    "flash_sale",
    "order_to_cash",
    "fulfillment_export",
    "stock_export",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    names = parser.parse_args().names or NAMES
    unknown = set(names) - set(NAMES)
    if unknown:
        parser.error(f"unknown benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    try:
        postgres.start()
        with postgres.durable():
            for name in names:
                _run(name)
    except DevenvError as error:
        fail(error)


def _run(name: str) -> None:
    say(f"benchmark {name}")
    figures = importlib.import_module(f".{name}", __package__).run()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[name] = figures
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n")
    print(f"\n{name}")
    for figure, value in figures.items():
        print(f"  {figure:32} {value}")
    print(flush=True)


if __name__ == "__main__":
    main()
