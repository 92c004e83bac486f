"""The store as a process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from shopify_sandbox.testing import STATIC_TOKEN

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def serve():
    started = []

    def start(*options):
        process = subprocess.Popen(
            [sys.executable, "-m", "shopify_sandbox", "serve", "--port", "0", *options],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        return process, process.stdout.readline()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_it_says_when_it_is_ready_and_stops_cleanly(serve, tmp_path):
    folder = tmp_path / "corner"
    folder.mkdir()
    order = {"__typename": "Order", "id": "gid://shopify/Order/1", "name": "#77"}
    (folder / "orders.json").write_text(json.dumps([order]))
    process, line = serve("--shop", "corner=blank", "--objects", str(tmp_path))
    assert line.startswith("Sandbox store ready on http://127.0.0.1:")
    url = line.split()[-1]
    assert requests.get(f"{url}/_sandbox/health", timeout=5).json()["status"] == "ok"
    answer = requests.post(
        f"{url}/shops/corner/admin/api/2026-10/graphql.json",
        json={"query": "{ orders(first: 1) { nodes { name } } }"},
        headers={"X-Shopify-Access-Token": STATIC_TOKEN},
        timeout=5,
    )
    assert answer.json()["data"]["orders"]["nodes"] == [{"name": "#77"}]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_customers_order_by_themselves(serve):
    _process, line = serve("--orders-per-minute", "6000")
    url = line.split()[-1]
    orders = []
    for _try in range(200):
        orders = requests.get(f"{url}/_sandbox/sandbox-eu/objects?type=Order", timeout=5).json()
        if orders:
            break
    assert orders[0]["name"] == "#1001"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shop", "x=moon"), "the kind is one of us, eu, blank"),
        (("--port", "not-a-port"), "invalid int value"),
    ],
)
def test_wrong_options(serve, options, message):
    process, line = serve(*options)
    assert line == ""
    assert message in process.communicate(timeout=10)[1]
    assert process.returncode


def test_without_schema_it_says_what_to_do(tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "shopify_sandbox", "serve", "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SHOPIFY_SCHEMA_DIR": str(tmp_path)},
    )
    assert result.returncode == 1
    assert "@shopify/dev-mcp" in result.stderr
