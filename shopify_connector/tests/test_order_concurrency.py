"""One order, two workers, two connections."""

import threading
from unittest.mock import patch

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.tools import mute_logger

from .committed_common import SHOP, WAIT, CommittedCase
from .order_nodes import OrderNode

NUMBER = 7101
EMAIL = f"ada{NUMBER}@example.com"


class TestOrderConcurrency(CommittedCase):
    def backend_values(self):
        return {"missing_product": "placeholder", "confirm_policy": "quotation"}

    def place_orders(self):
        self.node = OrderNode(NUMBER).line("A", "10", 3).ship("4").node
        self.sandbox.load([self.node], SHOP)
        return [self.node]

    def forget(self, env):
        own = [("backend_id", "=", self.backend_id)]
        of_store = [("shopify_backend_id", "=", self.backend_id)]
        env["shopify.order"].search(own).unlink()
        env["sale.order"].search(of_store).unlink()
        env["shopify.customer"].search(own).unlink()
        env["shopify.variant"].search(own).unlink()
        env["product.pricelist"].search(of_store).unlink()
        env["res.partner"].search([("email", "=", EMAIL)]).unlink()

    def process(self):
        """Import the order in a transaction of its own; returns what became of it."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            backend = env["shopify.backend"].browse(self.backend_id)
            nodes = {self.node["id"]: self.node}
            outcomes = env["shopify.order.importer"]._process(backend, nodes, {})
            env.flush_all()
            return outcomes[self.node["id"]].status

    def attempt(self):
        try:
            return self.process()
        except Exception as error:
            return error

    def made(self):
        return self.rows(
            "SELECT (SELECT count(*) FROM sale_order WHERE shopify_backend_id = %s),"
            " (SELECT count(*) FROM shopify_order WHERE backend_id = %s),"
            " (SELECT count(*) FROM res_partner WHERE email = %s)",
            self.backend_id,
            self.backend_id,
            EMAIL,
        )[0]

    @mute_logger("odoo.sql_db")
    def test_two_workers_on_one_order(self):
        """Both see that the order is new; one makes it, the other one leaves nothing."""
        importer = self.registry["shopify.order.importer"]
        original, barrier = importer._bindings, threading.Barrier(2, timeout=WAIT)
        met = set()

        def _bindings(service, backend, gids):
            found = original(service, backend, gids)
            if threading.get_ident() not in met:
                met.add(threading.get_ident())
                barrier.wait()
            return found

        with patch.object(importer, "_bindings", _bindings):
            results = [result() for result in [self.start(self.attempt) for _ in range(2)]]
        self.assertEqual(results.count("created"), 1, results)
        (error,) = (result for result in results if result != "created")
        self.assertIsInstance(error, psycopg2.Error)
        self.assertEqual(self.made(), (1, 1, 1))
        self.assertEqual(self.process(), "unchanged")

    @mute_logger("odoo.sql_db")
    def test_two_drains_on_two_deliveries(self):
        """The order is told of again while it is imported; it is made once."""
        self.put(*self.gids)
        self.put(*self.gids)
        for result in [self.start(self.drain) for _ in range(2)]:
            result()
        for _round in range(3):
            self.drain()
        self.assertEqual({state for _gid, state, _attempts in self.states()}, {"done"})
        self.assertEqual(self.made(), (1, 1, 1))
