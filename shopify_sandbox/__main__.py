"""``python -m shopify_sandbox serve``: the sandbox store as a process."""

import argparse
import gc
import json
import logging
import random
import signal
import threading
from pathlib import Path

from . import schema
from .control import start_customers
from .profiles import PROFILES
from .server import Sandbox, Server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shopify_sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the store until SIGTERM or Ctrl-C")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=9292)
    serve.add_argument(
        "--shop",
        action="append",
        default=[],
        metavar="NAME=us|eu|blank",
        help="kind of a shop; sandbox-us and sandbox-eu exist without saying",
    )
    serve.add_argument(
        "--objects",
        type=Path,
        metavar="DIR",
        help="load DIR/*.json into the first shop, and DIR/<shop>/*.json into that",
    )
    serve.add_argument("--latency-ms", type=int, default=0, help="added to every API answer")
    serve.add_argument(
        "--orders-per-minute",
        type=float,
        default=0,
        help="customers order in every shop that has a catalogue",
    )
    serve.add_argument(
        "--webhook-retry-base",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="before the first retry, then doubled (Shopify: about 56)",
    )
    serve.add_argument("--seed", type=int, default=1, help="of catalogue and customers")
    serve.add_argument("--verbose", action="store_true", help="log every request")
    commands.add_parser("versions", help="list the API versions of the schema folder")
    return parser


def _shops(options: list[str]) -> dict[str, str]:
    profiles = {}
    for option in options:
        name, _, kind = option.partition("=")
        kind = kind or "blank"
        if kind not in PROFILES:
            raise SystemExit(f"--shop {option}: the kind is one of {', '.join(PROFILES)}")
        profiles[name if "." in name else f"{name}.myshopify.com"] = kind
    return profiles


def _load_objects(sandbox: Sandbox, folder: Path, first: str) -> None:
    for path in sorted(folder.glob("**/*.json")):
        shop = sandbox.shop(first if path.parent == folder else path.parent.name)
        content = json.loads(path.read_text())
        objects = content.get("objects", [content]) if isinstance(content, dict) else content
        _changes, warnings = shop.load(objects)
        for warning in warnings:
            logging.getLogger(__name__).warning("%s: %s", path, warning)


def serve(options: argparse.Namespace) -> None:
    profiles = _shops(options.shop)
    sandbox = Sandbox(profiles, options.latency_ms, options.webhook_retry_base, options.seed)
    names = list(profiles) or ["sandbox-us.myshopify.com", "sandbox-eu.myshopify.com"]
    for name in names:
        sandbox.shop(name)
    if options.objects:
        _load_objects(sandbox, options.objects, names[0])
    server = Server(sandbox, options.host, options.port)
    if options.orders_per_minute:
        for name in names:
            shop = sandbox.shop(name)
            if shop.profile != "blank":
                rng = random.Random(options.seed)
                shop.stop_customers.append(start_customers(shop, options.orders_per_minute, rng))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_args: stopped.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # The schema lives as long as the process: searching it for garbage would only cost pauses.
    gc.collect()
    gc.freeze()
    print(f"Sandbox store ready on {server.url}", flush=True)
    stopped.wait()
    server.shutdown()
    server.server_close()
    sandbox.stop()


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    if options.command == "versions":
        print("\n".join(schema.available_versions()))
        return
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        serve(options)
    except (FileNotFoundError, OSError) as error:
        raise SystemExit(f"The sandbox store cannot start: {error}") from None


if __name__ == "__main__":
    main()
