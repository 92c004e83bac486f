"""Checks of a large store, whose jobs run one after another."""

import time
from unittest.mock import patch

from odoo.addons.queue_job.job import Job

from ..services import stock_reader
from .stock_common import StockCase

JOBS = ("_job_advance", "_job_check_stock", "_job_confirm_stock")


class ExportCase(StockCase):
    """Any store is a large one; its checks run as their jobs do, one after another."""

    def setUp(self):
        super().setUp()
        self.shop(self.us).settings.bulk_ms = 0
        self.enterContext(patch.object(stock_reader, "EXPORT_FROM", 1))
        self.in_step()

    def many(self, count, quantity=10):
        """Further variants with a level at each location, in step; `self.variants` are all."""
        places = [self.location.shopify_gid, self.other.shopify_gid]
        nodes = [_variant(number, places, quantity) for number in range(count)]
        self.shop(self.us).load(
            [
                {
                    "__typename": "Product",
                    "id": "gid://shopify/Product/770001",
                    "title": "Many",
                    "variants": {"nodes": nodes},
                }
            ]
        )
        flat = [{**node, "inventoryItem": node["inventoryItem"]["id"]} for node in nodes]
        many = self.link(flat, quantity)
        self.variants |= many
        self.flush()
        self.outbox().unlink()
        return many

    def start(self, purpose="manual"):
        self.flush()
        return self.env["shopify.stock.check"]._start(self.us, purpose)

    def waiting(self):
        """The next job; those that are due later are due now."""
        self.env.flush_all()
        jobs = [("state", "=", "pending"), ("method_name", "in", JOBS)]
        return self.env["queue.job"].search(jobs, order="id", limit=1)

    def step(self):
        """Do the next job; whether there was one."""
        waiting = self.waiting()
        if waiting:
            job = self.perform(waiting)
            job.set_done()
            job.store()
            self.env.flush_all()
            self.env.invalidate_all()
            time.sleep(0.002)
        return bool(waiting)

    def perform(self, waiting):
        job = Job.load(self.env, waiting.uuid)
        job.set_started()
        job.store()
        self.env.flush_all()
        job.perform()
        return job

    def steps(self, until):
        for _step in range(500):
            if until() or not self.step():
                return
        self.fail("it does not end")

    def finish(self, check):
        self.steps(lambda: check.state != "running")
        self.assertEqual(check.state, "done", check.message)
        self.assertFalse(self.readings(), "what was kept of the export is still there")
        return check

    def read_export(self, check):
        """The jobs until the file was read, before anything is compared."""
        self.steps(lambda: check.operation_id.state == "done")

    def check(self, purpose="manual"):
        return self.finish(self.start(purpose))

    def readings(self):
        return self.env["shopify.stock.reading"].search([])

    def put_item(self, variant, **values):
        self.shop(self.us).store.put(variant.inventory_item_gid, "InventoryItem", values)

    def told(self, check):
        """What a check says."""
        lines = check.line_ids.sorted(lambda line: line.level_id.id)
        names = ("level_id", "problem", "found", "wanted", "difference", "size", "state")
        return [
            (check.compared, check.skipped, check.line_count, check.units),
            *(tuple(line[name] for name in names) for line in lines),
        ]


def _variant(number, places, quantity):
    item = 77_000_000 + number
    return {
        "id": f"gid://shopify/ProductVariant/{item}",
        "sku": f"MANY-{number}",
        "inventoryItem": {
            "id": f"gid://shopify/InventoryItem/{item}",
            "tracked": True,
            "inventoryLevels": {
                "nodes": [
                    {
                        "id": f"gid://shopify/InventoryLevel/{item}{index}",
                        "location": {"id": place},
                        "isActive": True,
                        "quantities": [
                            {"name": name, "quantity": quantity}
                            for name in ("available", "on_hand")
                        ],
                    }
                    for index, place in enumerate(places)
                ]
            },
        },
    }
