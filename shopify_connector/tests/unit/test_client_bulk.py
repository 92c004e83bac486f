"""Bulk operations: against the sandbox store, and against file servers that misbehave."""

import json
import time
import tracemalloc
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from shopify_connector import const
from shopify_connector.client import auth, bulk, documents
from shopify_connector.client.client import ShopifyClient
from shopify_connector.client.errors import (
    BulkBusyError,
    FileGoneError,
    ProtocolError,
    TransientError,
    UserErrorsError,
)
from shopify_connector.client.throttle import Throttle
from shopify_connector.client.transport import Transport
from shopify_sandbox import bulk_rules
from shopify_sandbox import schema as official
from shopify_sandbox.testing import STATIC_TOKEN, running_sandbox

NAME = "bulk-tests"
ANY = {"query": "status:any"}


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox() as store:
        yield store


@pytest.fixture
def shop(sandbox):
    shop = sandbox.reset(NAME, profile="us")
    shop.settings.bulk_ms = 0
    return shop


@pytest.fixture
def client(sandbox, shop):
    transport = Transport(connect_timeout=5, read_timeout=5)
    yield ShopifyClient(
        shop.domain,
        auth.StaticToken(STATIC_TOKEN),
        api_version=const.API_VERSION,
        transport=transport,
        throttle=Throttle(),
        base_url=sandbox.api_url,
    )
    transport.close()


def finished(client, operation):
    for _try in range(500):
        operation = bulk.poll(client, operation.gid)
        if not operation.running:
            return operation
        time.sleep(0.01)
    raise AssertionError(f"{operation} does not finish")


def run(client, variables=ANY):
    return finished(client, bulk.start(client, bulk.inline("orders", variables)))


# The query ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [n.removeprefix("bulk_query_") for n in documents.names() if "bulk_query" in n]
)
def test_query_may_run_in_bulk(name):
    if const.API_VERSION not in official.available_versions():
        pytest.skip("the official schema is not here")
    given = documents.document(f"bulk_query_{name}").partition("(")[2].partition(")")[0]
    variables = {part.split(":")[0].strip(" $"): "x" for part in given.split(",") if part}
    text = bulk.inline(name, variables, "mark")
    # raises what a store would refuse
    query = bulk_rules.read(official.load(const.API_VERSION), text)
    assert query.operation.name.value.startswith("BulkQuery")


def test_values_are_written_out():
    text = bulk.inline("orders", {"query": 'name:"#1" note:é\\'}, "import-7")
    assert text.startswith("# import-7\nquery BulkQueryOrders {")
    assert r'orders(query: "name:\"#1\" note:é\\", sortKey' in text


def test_missing_value_is_refused():
    with pytest.raises(KeyError):
        bulk.inline("orders", {})


# Life -----------------------------------------------------------------------------------------


def test_from_start_to_lines(sandbox, client):
    placed = sandbox.place_orders(NAME, count=30)
    operation = run(client)
    assert (operation.status, operation.objects, operation.roots) == ("completed", 30, 30)
    read = list(client.lines(operation.url))
    assert [line.value["id"] for line in read] == [order["id"] for order in placed]
    assert read[-1].end == operation.size
    half = list(client.lines(operation.url, begin=read[14].end))
    assert half == read[15:]
    assert list(client.lines(operation.url, begin=operation.size)) == []


def test_nothing_found(client):
    operation = run(client)
    assert operation.completed
    assert operation.url is None


def test_sixth_has_to_wait(shop, client):
    shop.settings.bulk_ms = 60_000
    query = bulk.inline("orders", ANY)
    running = [bulk.start(client, query).gid for _index in range(5)]
    with pytest.raises(BulkBusyError) as caught:
        bulk.start(client, query)
    assert caught.value.gids == tuple(running)
    assert caught.value.retry_after
    assert not caught.value.sent
    assert bulk.cancel(client, running[0]).status == "canceling"
    shop.settings.bulk_ms = 0


def test_wrong_query_is_no_reason_to_wait(client):
    with pytest.raises(UserErrorsError, match="at least one connection"):
        bulk.start(client, "{ shop { name } }")


def test_cancelling_what_has_ended(client):
    operation = run(client)
    assert bulk.cancel(client, operation.gid) == operation


def test_start_without_answer_is_found_again(shop, client):
    run(client)
    shop.faults.add(kind="timeout_after_write", operation="bulkOperationRunQuery", count=1, ms=0)
    with pytest.raises(TransientError):
        bulk.start(client, bulk.inline("orders", ANY, "import-7"))
    assert bulk.find(client, "import-7").status in ("created", "running", "completed")
    assert bulk.find(client, "import-8") is None


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_failure(sandbox, shop, client, status):
    sandbox.place_orders(NAME, count=4)
    shop.faults.add(kind=f"bulk_{status}", count=1)
    operation = run(client)
    assert operation.failed
    assert (operation.status, operation.url) == (status, None)
    assert operation.partial_url


def test_unknown_status_is_looked_at_again():
    assert bulk.BulkOperation.parse(
        {"id": "gid://shopify/BulkOperation/1", "status": "NEW"}
    ).running


def test_unknown_operation(client):
    assert bulk.poll(client, "gid://shopify/BulkOperation/1") is None


# The file -------------------------------------------------------------------------------------


def test_file_breaks_off_and_goes_on(sandbox, shop, client):
    sandbox.place_orders(NAME, count=40)
    url = run(client).url
    shop.faults.add(kind="cut", operation="bulk_result", count=1)
    taken = []
    with pytest.raises(TransientError):
        taken.extend(client.lines(url))
    # What came in one piece with the break may be lost; nothing is there twice.
    for line in client.lines(url):
        taken.append(line)
        if len(taken) == 10:
            break
    taken.extend(client.lines(url, begin=taken[-1].end))
    assert len({line.value["id"] for line in taken}) == len(taken) == 40


@pytest.mark.parametrize(
    ("status", "error"), [(403, FileGoneError), (503, TransientError), (302, ProtocolError)]
)
def test_refusals_of_the_file_server(sandbox, shop, client, status, error):
    sandbox.place_orders(NAME, count=2)
    url = run(client).url
    shop.faults.add(kind="http_error", operation="bulk_result", status=status, count=1)
    with pytest.raises(error):
        list(client.lines(url))
    assert len(list(client.lines(url))) == 2


class Files:
    """A transport whose answers are made up."""

    def __init__(self, chunks, status=200, headers=None):
        self.asked = []
        self._response = SimpleNamespace(
            status_code=status, headers=headers or {}, iter_content=lambda _size: iter(chunks)
        )

    @contextmanager
    def stream(self, url, headers):
        self.asked.append((url, headers))
        yield self._response


@pytest.mark.parametrize(
    "url", ["http://storage.test/x", "ftp://storage.test/x", "file:///etc/passwd", "/x"]
)
def test_only_https_is_asked(url):
    files = Files([b"{}"])
    with pytest.raises(ProtocolError):
        list(bulk.lines(files, url, trusted="http://127.0.0.1:9292/shops/x"))
    assert not files.asked


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_do_not_depend_on_chunks(size):
    values = [{"id": "é" * n} for n in range(9)]
    content = "\n".join(json.dumps(v, ensure_ascii=False) for v in values).encode()
    chunks = [content[i : i + size] for i in range(0, len(content), size)]
    read = list(bulk.lines(Files(chunks), "https://storage.test/x"))
    assert [line.value for line in read] == values
    for index in range(1, 9):
        begin = read[index - 1].end
        part = Files([content[begin:]], 206)
        assert list(bulk.lines(part, "https://storage.test/x", begin=begin)) == read[index:]
        whole = Files(chunks)  # a server that knows no ranges
        assert list(bulk.lines(whole, "https://storage.test/x", begin=begin)) == read[index:]
        assert whole.asked[0][1]["Range"] == f"bytes={begin}-"


def test_half_a_file_is_no_file():
    files = Files([b'{"id": 1}\n{"id"'], headers={"Content-Length": "30"})
    taken = []
    with pytest.raises(TransientError):
        taken.extend(bulk.lines(files, "https://storage.test/x"))


@pytest.mark.parametrize("text", [b"[1]\n", b"<html>\n", b"{\n", b"\xff\n"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ProtocolError, match="byte"):
        list(bulk.lines(Files([text]), "https://storage.test/x"))


def test_endless_line_is_refused(monkeypatch):
    monkeypatch.setattr(bulk, "MAX_LINE", 100)
    with pytest.raises(ProtocolError, match="longer"):
        list(bulk.lines(Files([b"x" * 60] * 3), "https://storage.test/x"))


def test_memory_does_not_grow_with_the_file():
    chunk = b"".join(b'{"id": "gid://shopify/Order/%09d"}\n' % n for n in range(1000))
    tracemalloc.start()
    count = sum(1 for _line in bulk.lines(Files([chunk] * 200), "https://storage.test/x"))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 200_000
    # 8 MB of text; servers of other tests in this process are counted as well.
    assert peak < 2_000_000
