import re
import threading
from decimal import Decimal

import pytest

from devenv import demo, demo_check, servers
from devenv.store import Store
from shopify_sandbox.testing import running_sandbox

SHOP = "sandbox-us.myshopify.com"


@pytest.fixture(scope="module")
def store():
    with running_sandbox() as sandbox:
        port = int(re.search(r":(\d+)$", sandbox.url)[1])
        yield Store(port, SHOP)


class Books:
    """Answers for Odoo with sale orders that are exact copies of the store's, or changed ones."""

    def __init__(self, store, gids):
        self.rows, self.sales = [], []
        for number, (gid, (name, total, taxes, currency)) in enumerate(store.totals(gids).items()):
            self.rows.append({"shopify_gid": gid, "sale_order_id": [number, name]})
            self.sales.append(
                {
                    "id": number,
                    "name": name,
                    "amount_total": float(total),
                    "amount_tax": float(taxes),
                    "currency_id": [1, currency],
                    "company_id": [1, "Sandbox"],
                }
            )
        self.namesakes = 0

    def search_read(self, model, _domain, _fields):
        return self.rows if model == "shopify.order" else self.sales

    def call(self, _model, _method, _domain):
        return self.namesakes


@pytest.fixture
def placed(store):
    return demo_check.place([store], 4)


@pytest.fixture
def books(store, placed):
    return Books(store, placed[store])


def result(books, placed):
    return demo_check.compare(books, placed, [1])[0]


def test_orders_are_spread_over_the_stores(store):
    port = int(store.server.rpartition(":")[2])
    stores = [store, Store(port, "sandbox-eu.myshopify.com")]
    placed = demo_check.place(stores, 7)
    assert [len(placed[store]) for store in stores] == [3, 4]


def test_store_totals_are_decimals_with_currency(store, placed):
    for name, total, taxes, currency in store.totals(placed[store]).values():
        assert name.startswith("#")
        assert isinstance(total, Decimal)
        assert 0 <= taxes < total
        assert currency == "USD"


def test_equal_books(books, placed):
    assert result(books, placed) == (4, 0, 0, 0)


def test_missing_order_is_counted(books, placed):
    books.rows.pop()
    assert result(books, placed) == (4, 1, 0, 0)


@pytest.mark.parametrize("field", ["amount_total", "amount_tax"])
def test_a_cent_of_difference_is_counted(books, placed, field):
    books.sales[0][field] += 0.01
    assert result(books, placed) == (4, 0, 0, 1)


def test_wrong_currency_is_counted(books, placed):
    books.sales[0]["currency_id"] = [2, "EUR"]
    assert result(books, placed) == (4, 0, 0, 1)


def test_order_bound_twice_is_counted(books, placed):
    books.rows.append(dict(books.rows[0], sale_order_id=[1, "again"]))
    assert result(books, placed)[2] == 1


def test_namesake_is_counted(books, placed):
    books.namesakes = 1
    assert result(books, placed)[2] == 1


def test_demo_runs_once_at_a_time(monkeypatch, tmp_path):
    monkeypatch.setattr(demo.paths, "RUN", tmp_path)
    refused = []

    def second():
        try:
            with demo.only_once("demo"):
                pass
        except demo.DevenvError as error:
            refused.append(str(error))

    with demo.only_once("demo"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused == ["demo is already running in this checkout"]


def test_store_address_for_odoo():
    assert servers.store_url(9292) == "http://127.0.0.1:9292/shops/{shop}"
