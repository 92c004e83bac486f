from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import ShopifyError, TransientError
from ..mappers.stock import map_level
from .inbox import _after
from .outcome import Block
from .stock_claim import StockClaim
from .stock_exporter import Run
from .stock_inflight import SEARCH_LAG

# Variants that one job compares.
PAGE = 1_000
KEY = "check"


class ShopifyStockChecker(models.AbstractModel):
    """The full check: reads first and writes afterwards, a page of variants per job.

    What differs is looked at twice, with a poll of the orders in between: an order that was
    placed a moment ago is no difference.
    """

    _name = "shopify.stock.checker"
    _description = "Shopify Stock Checker"

    def _look(self, backend, check_id, after=0):
        """Compare the next page of variants.

        :param after: id of the last variant of the page before
        """
        backend, check = backend.sudo(), self._check(check_id)
        if not check:
            return self.env._("The check is over.")
        variants = (
            self.env["shopify.variant"]
            .sudo()
            .search_fetch(
                [
                    ("backend_id", "=", backend.id),
                    ("product_id", "!=", False),
                    ("inventory_item_gid", "!=", False),
                    ("remote_deleted", "=", False),
                    ("id", ">", after),
                ],
                ["id"],
                order="id",
                limit=PAGE,
            )
        )
        try:
            items, found = self._compare(backend, variants.ids)
        except (ShopifyError, UserError) as error:
            return self._fail(check, error)
        # Levels were made meanwhile, which the snapshot of this job does not show.
        with self.env["shopify.inbox"]._read_committed() as env:
            last = variants[-1].id if len(variants) == PAGE else 0
            env[self._name]._keep(backend.id, check.id, items, found, last)
        return self.env._("%s quantities compared.", len(items))

    def _keep(self, backend_id, check_id, items, found, last):
        """Write down a page of a check, and go on.

        :param last: id of the last variant of the page, 0 when there are no more
        """
        backend = self.env["shopify.backend"].browse(backend_id)
        check = self._check(check_id)
        left_out = [item for item in items if item.verdict == "off"]
        check.compared += len(items) - len(left_out)
        check.skipped += len(left_out)
        self._list(check, found)
        if last:
            key = f"shopify:{backend.id}:stock:check:{check.id}:{last}"
            backend._delay(key)._job_check_stock(check.id, last)
        elif check.purpose == "switch_on" or not check.line_ids:
            self._finish(backend, check)
        else:
            # What was sold a moment ago is in Odoo by then.
            backend._delay(
                f"shopify:{backend.id}:poll:stock", eta=_after(SEARCH_LAG + 1)
            )._job_poll()
            backend._delay(
                f"shopify:{backend.id}:stock:confirm:{check.id}", eta=_after(4 * SEARCH_LAG)
            )._job_confirm_stock(check.id)

    def _confirm(self, backend, check_id):
        """Look once more at what differed; what is in step by now is none."""
        backend, check = backend.sudo(), self._check(check_id)
        if not check:
            return self.env._("The check is over.")
        seen = check.line_ids.filtered(lambda line: line.state == "seen")
        still, variant_ids = {}, seen.level_id.variant_id.ids
        try:
            for start in range(0, len(variant_ids), PAGE):
                _items, found = self._compare(backend, variant_ids[start : start + PAGE])
                still.update({values["level_id"]: values for values in found})
        except (ShopifyError, UserError) as error:
            return self._fail(check, error)
        with self.env["shopify.inbox"]._read_committed() as env:
            for line in seen.with_env(env):
                values = still.get(line.level_id.id)
                line.write({**values, "state": "open"} if values else {"state": "gone"})
            env[self._name]._finish(backend.with_env(env), check.with_env(env))
        return self.env._("%s differences.", len(still))

    def _fail(self, check, error):
        """:raises RetryableJobError: it may pass"""
        if isinstance(error, TransientError):
            raise RetryableJobError(str(error)) from error
        check.write({"state": "failed", "message": str(error)})
        return str(error)

    def _check(self, check_id):
        check = self.env["shopify.stock.check"].sudo().browse(check_id).exists()
        return check.filtered(lambda one: one.state == "running")

    def _compare(self, backend, variant_ids):
        """:return: the Items of the variants, and the values of a line for each that differs"""
        exporter = self.env["shopify.stock.exporter"]
        run = Run(StockClaim("", 0, dict.fromkeys(variant_ids, KEY)))
        client = self.env["shopify.client.factory"]._client(backend)
        self.env["shopify.stock.inflight"]._refresh(backend, client)
        exporter._ensure_levels(backend, variant_ids)
        exporter._plan(backend, run, variant_ids)
        items = list(run.items.values())
        told = exporter._fetch_levels(client, [item for item in items if not item.verdict])
        found = [(item, self._difference(item, node)) for item, node in told]
        busy = self._on_their_way(backend)
        return items, [values for item, values in found if values and item.variant_id not in busy]

    def _difference(self, item, node):
        """:return: values of a line, None when Shopify has what Odoo wants"""
        values = {"level_id": item.level_id, "wanted": item.wanted}
        if node is None:
            return {**values, "problem": "gone", **_units(0, 0)}
        level = map_level(node)
        found = level.quantity(item.name)
        if not level.tracked:
            return {**values, "problem": "untracked", **_units(found, found)}
        if not level.stocked:
            if not item.wanted:
                return None
            return {**values, "problem": "inactive", **_units(0, item.wanted)}
        if found == item.wanted:
            return None
        return {**values, "problem": "quantity", **_units(found, item.wanted)}

    def _on_their_way(self, backend):
        """Variants whose quantity is to be sent anyway."""
        rows = (
            self.env["shopify.outbox"]
            .sudo()
            ._read_group([("backend_id", "=", backend.id), ("kind", "=", "stock")], ["variant_id"])
        )
        return {variant.id for (variant,) in rows}

    def _list(self, check, found):
        state = "open" if check.purpose == "switch_on" else "seen"
        self.env["shopify.stock.check.line"].sudo().create(
            [{**values, "check_id": check.id, "state": state} for values in found]
        )

    def _finish(self, backend, check):
        check.write({"state": "done", "done_at": fields.Datetime.now()})
        if check.purpose == "switch_on":
            return
        self._alert(backend, check)
        if backend.stock_check_policy == "repair" and backend.push_stock:
            check.line_ids._repair()

    def _alert(self, backend, check):
        """One exception for all differences, however many; the watchdog mails it once."""
        Exceptions = self.env["shopify.exception"].sudo()
        if check.units <= backend.stock_check_threshold:
            Exceptions._resolve_now(backend, "stock", [KEY])
            return
        repaired = backend.stock_check_policy == "repair"
        block = Block(
            category="stock",
            key=KEY,
            title=self.env._(
                "The stock of %(store)s differed by %(units)s units",
                store=backend.name,
                units=check.units,
            ),
            message=self.env._(
                "%(lines)s of %(all)s quantities were others in Shopify than in Odoo.",
                lines=check.line_count,
                all=check.compared,
            ),
            remedy=self.env._(
                "Odoo's quantities were sent. Find out who else changes stock in Shopify: another"
                " app, or people in its admin."
            )
            if repaired
            else self.env._("Open the check, look at the differences and press Send Odoo's Stock."),
            res_model="shopify.stock.check",
            res_id=check.id,
        )
        Exceptions._report(backend, {False: (backend.name, [block])})


def _units(found, wanted):
    return {"found": found, "difference": wanted - found, "size": abs(wanted - found)}
