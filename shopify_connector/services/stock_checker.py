from datetime import timedelta
from typing import NamedTuple

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from ..client.errors import ShopifyError, TransientError
from ..mappers.stock import map_level
from . import stock_reader
from .inbox import _after
from .inbox_verdict import describe
from .outcome import Block
from .stock_claim import StockClaim
from .stock_inflight import SEARCH_LAG
from .stock_plan import Run

# Variants that one job compares.
PAGE = 1_000
KEY = "check"
RETRY_SECONDS = 30
# A check that does not get on for so long is given up.
PATIENCE = timedelta(hours=6)


class Compared(NamedTuple):
    """A page of a check.

    :ivar told: ids of the levels of which Shopify told
    :ivar left_out: ids of those that are not sent, and of those that Shopify could not read
    :ivar unread: ids of the latter
    :ivar found: values of a line for each that differs
    """

    told: set
    left_out: set
    unread: set
    found: list


class ShopifyStockChecker(models.AbstractModel):
    """The full check: reads first and writes afterwards, a page of variants per job.

    Small stores are read page by page, large ones by an export (`stock_reader.py`). What differs
    is looked at twice, with a poll of the orders in between: an order that was placed a moment
    ago is no difference, nor is what changed since Shopify wrote an export.
    """

    _name = "shopify.stock.checker"
    _description = "Shopify Stock Checker"

    def _begin(self, check):
        if self._amount(check.backend_id) < stock_reader.EXPORT_FROM:
            self._continue(check)
        else:
            self.env["shopify.stock.reader"]._start(check)

    def _amount(self, backend):
        """How many quantities there are to compare."""
        locations = self.env["shopify.stock.exporter"]._locations(backend)
        variants = self.env["shopify.variant"].sudo().search_count(self._domain(backend))
        return len(locations) * variants

    def _domain(self, backend):
        return [
            ("backend_id", "=", backend.id),
            ("product_id", "!=", False),
            ("inventory_item_gid", "!=", False),
            ("remote_deleted", "=", False),
        ]

    def _continue(self, check):
        """Enqueue the next page."""
        backend, after = check.backend_id, check.position
        backend._delay(f"shopify:{backend.id}:stock:check:{check.id}:{after}")._job_check_stock(
            check.id, after
        )

    # === FIRST LOOK === #

    def _look(self, backend, check_id, after=0):
        """Compare the next page of variants.

        :param after: id of the last variant of the page before
        """
        backend, check = backend.sudo(), self._check(check_id, after)
        if not check:
            return self.env._("Nothing is left to do.")
        domain = [*self._domain(backend), ("id", ">", after)]
        variants = self.env["shopify.variant"].sudo()
        variants = variants.search_fetch(domain, ["id"], order="id", limit=PAGE)
        try:
            page = self._compare(backend, variants.ids, check if check._is_exported() else None)
        except (ShopifyError, UserError) as error:
            return self._fail(check, error)
        # Levels were made meanwhile, which the snapshot of this job does not show.
        with self.env["shopify.inbox"]._read_committed() as env:
            env[self._name]._keep(check.id, page, after, variants.ids)
        return self.env._("%s quantities compared.", len(page.told))

    def _keep(self, check_id, page, after, variant_ids):
        """Write down a page of a check, once, and go on."""
        self._lock(check_id)
        check = self._check(check_id, after)
        if not check:
            return
        check.compared += len(page.told)
        check.skipped += len(page.left_out)
        check.position = variant_ids[-1] if variant_ids else after
        self._list(check, page.found)
        if len(variant_ids) == PAGE:
            self._continue(check)
        elif self._seen(check, limit=1):
            check.confirming = True
            # What was sold a moment ago is in Odoo by then.
            backend = check.backend_id
            backend._delay(
                f"shopify:{backend.id}:poll:stock", eta=_after(SEARCH_LAG + 1)
            )._job_poll()
            self._confirm_next(check, eta=_after(4 * SEARCH_LAG))
        else:
            self._finish(check)

    def _looks_twice(self, check):
        """Before stock is sent nothing follows from a difference; but an export may be old."""
        return check.purpose != "switch_on" or check._is_exported()

    def _list(self, check, found):
        state = "seen" if self._looks_twice(check) else "open"
        self.env["shopify.stock.check.line"].sudo().create(
            [{**values, "check_id": check.id, "state": state} for values in found]
        )

    # === SECOND LOOK === #

    def _confirm_next(self, check, **options):
        backend = check.backend_id
        key = f"shopify:{backend.id}:stock:confirm:{check.id}"
        backend._delay(key, **options)._job_confirm_stock(check.id)

    def _confirm(self, backend, check_id):
        """Look once more at the next of what differed; what is in step by now is none."""
        backend, check = backend.sudo(), self._check(check_id)
        if not check:
            return self.env._("Nothing is left to do.")
        variant_ids = self._seen(check, limit=PAGE).level_id.variant_id.ids
        try:
            page = self._compare(backend, variant_ids)
        except (ShopifyError, UserError) as error:
            return self._fail(check, error)
        with self.env["shopify.inbox"]._read_committed() as env:
            env[self._name]._settle(check.id, page, variant_ids)
        return self.env._("%s differences.", len(page.found))

    def _seen(self, check, limit=None, variant_ids=None):
        domain = [("check_id", "=", check.id), ("state", "=", "seen")]
        if variant_ids is not None:
            domain.append(("level_id.variant_id", "in", variant_ids))
        return self.env["shopify.stock.check.line"].sudo().search(domain, order="id", limit=limit)

    def _settle(self, check_id, page, variant_ids):
        """Write down a second look, and go on."""
        self._lock(check_id)
        check = self._check(check_id)
        if not check:
            return
        still = {values["level_id"]: values for values in page.found}
        for line in self._seen(check, variant_ids=variant_ids):
            level_id = line.level_id.id
            if level_id in still:
                line.write({**still[level_id], "state": "open"})
            else:
                # Nothing is concluded from what Shopify could not read.
                line.state = "open" if level_id in page.unread else "gone"
        if self._seen(check, limit=1):
            self._confirm_next(check)
        else:
            self._finish(check)

    # === BOTH === #

    def _check(self, check_id, after=None):
        """:return: the check; none when it is over, or beyond this page of the first look"""
        check = self.env["shopify.stock.check"].sudo().browse(check_id).exists()
        if check.state != "running":
            return check.browse()
        if after is not None and (check.confirming or check.position != after):
            return check.browse()
        return check

    def _lock(self, check_id):
        """Against a second job, which comes when the first one was thought to be dead."""
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
                f"shopify.stock.check:{check_id}",
            )
        )

    def _fail(self, check, error):
        """:raises RetryableJobError: it may pass"""
        if isinstance(error, TransientError) and not check._is_stale():
            raise RetryableJobError(
                str(error), seconds=int(error.retry_after or RETRY_SECONDS), ignore_retry=True
            ) from error
        return self._give_up(check, describe(error))

    def _give_up(self, check, reason):
        remedy = self.env._("Press Check Connection on the store, then Compare Again here.")
        check.write({"state": "failed", "message": f"{reason}\n{remedy}"})
        self.env["shopify.stock.reader"]._abandon(check)
        return reason

    def _compare(self, backend, variant_ids, exported=None):
        """
        :param exported: the check whose export tells what Shopify has; else it is asked
        """
        exporter, reader = self.env["shopify.stock.exporter"], self.env["shopify.stock.reader"]
        run = Run(StockClaim("", 0, dict.fromkeys(variant_ids, KEY)))
        client = self.env["shopify.client.factory"]._client(backend)
        self.env["shopify.stock.inflight"]._refresh(backend, client)
        exporter._ensure_levels(backend, variant_ids)
        exporter._plan(backend, run, variant_ids)
        wanted = [item for item in run.items.values() if not item.verdict]
        if exported:
            levels = dict(reader._levels(exported, wanted))
        else:
            nodes = exporter._fetch_levels(client, wanted)
            levels = {item: node and map_level(node) for item, node in nodes}
        busy = self._on_their_way(backend)
        found = [
            self._difference(item, level)
            for item, level in levels.items()
            if item.variant_id not in busy
        ]
        told = {item.level_id for item in levels}
        return Compared(
            told=told,
            left_out=run.items.keys() - told,
            unread={item.level_id for item in wanted} - told,
            found=[values for values in found if values],
        )

    def _difference(self, item, level):
        """:return: values of a line, None when Shopify has what Odoo wants"""
        values = {"level_id": item.level_id, "wanted": item.wanted}
        if level is None:
            return {**values, "problem": "gone", **_units(0, 0)}
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

    # === THE END === #

    def _finish(self, check):
        backend = check.backend_id
        check.write({"state": "done", "done_at": fields.Datetime.now()})
        self.env["shopify.stock.reader"]._forget(check)
        if check.purpose == "switch_on":
            return
        self._alert(backend, check)
        if backend.stock_check_policy == "repair" and backend.push_stock:
            check._repair()

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
