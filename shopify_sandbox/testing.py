"""The sandbox store inside of a test process."""

import atexit
import contextlib
import random
import threading
from collections.abc import Iterator

import requests

from .orders import Wishes, place_orders
from .server import Sandbox, Server
from .shop import CLIENT_ID, CLIENT_SECRET, STATIC_TOKEN, Shop
from .webhooks import Delivery

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "STATIC_TOKEN",
    "SandboxHandle",
    "running_sandbox",
    "shared_sandbox",
]


class SandboxHandle:
    """A running sandbox. Everything can be reached in process, without HTTP.

    ``url`` is the base (``http://127.0.0.1:PORT``); ``api_url`` is what the connector's option of
    that name takes.
    """

    def __init__(self, sandbox: Sandbox, server: Server) -> None:
        self.sandbox, self.server = sandbox, server
        self.url = server.url
        self.api_url = f"{server.url}/shops/{{shop}}"

    def shop(self, name: str = "sandbox-us") -> Shop:
        return self.sandbox.shop(name)

    def reset(self, name: str = "sandbox-us", profile: str | None = None) -> Shop:
        """Start a shop anew: objects, settings, tokens, faults, log."""
        return self.sandbox.reset(name, profile)

    def place_orders(
        self, name: str = "sandbox-us", count: int = 1, seed: int = 1, **wishes
    ) -> list[dict]:
        """Customers place orders; see :class:`~shopify_sandbox.orders.Wishes`."""
        return place_orders(self.shop(name), count, random.Random(seed), Wishes(**wishes))

    def load(self, objects: list[dict], name: str = "sandbox-us", deliver: bool = False):
        """Upsert Admin-API-shaped objects."""
        return self.shop(name).load(objects, deliver)

    def graphql(
        self,
        query: str,
        variables: dict | None = None,
        name: str = "sandbox-us",
        version: str = "2026-10",
    ) -> dict:
        """Execute over HTTP with the static token; returns the body."""
        answer = requests.post(
            f"{self.url}/shops/{name}/admin/api/{version}/graphql.json",
            json={"query": query, "variables": variables or {}},
            headers={"X-Shopify-Access-Token": self.shop(name).settings.static_token},
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()

    def deliveries(self, name: str = "sandbox-us", topic: str | None = None) -> list[Delivery]:
        """Webhooks of a shop so far, after waiting for those under way."""
        self.sandbox.deliveries.wait()
        shop = self.shop(name)
        return [
            item
            for item in self.sandbox.deliveries.log
            if item.shop is shop and topic in (None, item.topic)
        ]


@contextlib.contextmanager
def running_sandbox(
    profiles: dict[str, str] | None = None,
    port: int = 0,
    retry_base: float = 0.01,
    latency_ms: int = 0,
) -> Iterator[SandboxHandle]:
    """A sandbox on a free port for the duration of the block.

    :param retry_base: webhook retries come quickly, so that tests need not wait
    """
    sandbox = Sandbox(profiles, latency_ms, retry_base)
    server = Server(sandbox, port=port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield SandboxHandle(sandbox, server)
    finally:
        server.shutdown()
        server.server_close()
        sandbox.stop()
        thread.join(5)


_shared: list[SandboxHandle] = []
_shared_lock = threading.Lock()


def shared_sandbox(**options) -> SandboxHandle:
    """One sandbox for the whole process, started on first use and stopped at exit."""
    with _shared_lock:
        if not _shared:
            stack = contextlib.ExitStack()
            _shared.append(stack.enter_context(running_sandbox(**options)))
            atexit.register(stack.close)
        return _shared[0]
