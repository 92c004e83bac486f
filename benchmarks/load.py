"""Sends prepared HTTP requests from a few concurrent clients and keeps every answer time."""

import asyncio
import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Load:
    """What one run saw. Times in seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def p99_ms(self) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000

    def merge(self, other: "Load") -> None:
        self.seconds += other.seconds
        self.latencies += other.latencies
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count


def post(path: str, port: int, body: bytes, headers: dict[str, str]) -> bytes:
    """One HTTP/1.1 POST as bytes, to be sent on a connection of its own."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _send(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        answer = await reader.read()
        return int(answer.split(b" ", 2)[1])
    finally:
        writer.close()


async def _client(port: int, requests: Iterable[bytes], until: float, load: Load) -> None:
    for request in requests:
        start = time.perf_counter()
        if start >= until:
            return
        status = await _send(port, request)
        load.latencies.append(time.perf_counter() - start)
        load.statuses[status] = load.statuses.get(status, 0) + 1


async def _run(port: int, requests: Iterable[bytes], seconds: float, clients: int) -> Load:
    load = Load()
    start = time.perf_counter()
    shared = iter(requests)
    await asyncio.gather(*(_client(port, shared, start + seconds, load) for _ in range(clients)))
    load.seconds = time.perf_counter() - start
    return load


def run(port: int, requests: Iterable[bytes], *, seconds: float, clients: int = 8) -> Load:
    """Send ``requests`` (endless or long enough) for ``seconds`` from ``clients`` at once."""
    return asyncio.run(_run(port, requests, seconds, clients))


def repeat(request: bytes) -> Iterable[bytes]:
    """The same request again and again."""
    return itertools.repeat(request)
