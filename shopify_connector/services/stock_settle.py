import logging
import random
import uuid

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..client.errors import (
    AuthError,
    ScopeError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
)
from .inbox import _after
from .inbox_process import FAILURES_TO_REPORT, LONG_PAUSE, MAX_PAUSE
from .inbox_verdict import describe
from .outcome import Block
from .sql_values import int_array
from .stock_claim import _now
from .stock_inflight import SEARCH_LAG

_logger = logging.getLogger(__name__)

FLOW = "stock"
# What many levels have in common; beside it each has its id and its quantity.
_COMMON = (
    ("quantity_name", "varchar"),
    ("known_at", "timestamp"),
    ("stocked", "bool"),
    ("held", "int"),
    ("held_at", "timestamp"),
    ("seen_order", "int"),
    ("seen_waiting", "float8"),
    ("state", "varchar"),
    ("message", "varchar"),
    ("pushed", "bool"),
    ("reason", "varchar"),
    ("intent_key", "varchar"),
)


class ShopifyStockExporter(models.AbstractModel):
    """Writing down: what is about to be sent, and what came of it. READ COMMITTED transactions
    of their own, so that a killed worker leaves a trace of each.
    """

    _inherit = "shopify.stock.exporter"

    def _intend(self, backend, batches):
        """Give each call a key, and commit what it is going to say."""
        keys = [str(uuid.uuid4()) for _batch in batches]
        rows = []
        for number, items in enumerate(batches):
            for item in items:
                item.key = keys[number]
                rows.append((item.level_id, item.wanted, number))
        with self.env["shopify.inbox"]._read_committed() as env:
            env.cr.execute(
                SQL(
                    """
                    UPDATE shopify_stock_level s SET intent_key = (%s::varchar[])[t.number + 1],
                        intent_quantity = t.quantity, intent_at = %s
                    FROM unnest(%s, %s, %s) AS t (id, quantity, number)
                    WHERE s.id = t.id
                    """,
                    keys,
                    _now(),
                    *map(int_array, zip(*rows, strict=True)),
                )
            )

    def _settle(self, backend, run):
        """Write down what came of an export, and when to go on."""
        if run.fault:
            self._interrupt(backend, run)
        waits, done = {}, []
        by_variant = {variant_id: [] for variant_id in run.claim.reasons}
        for item in run.items.values():
            by_variant[item.variant_id].append(item)
        for variant_id, items in by_variant.items():
            times = [item.wait for item in items if item.wait is not None]
            undecided = run.fault and (not items or any(item.verdict is None for item in items))
            if undecided:
                waits[variant_id] = (0, describe(run.fault)[:200])
            elif times:
                first = min((item for item in items if item.wait is not None), key=_wait)
                waits[variant_id] = (min(times), first.message or self._held_message(first))
            else:
                done.append(variant_id)
        with self.env["shopify.inbox"]._read_committed() as env:
            exporter = env[self._name]
            exporter._write_levels(run)
            exporter._finish(run.claim, done)
            groups = {}
            for variant_id, wait in waits.items():
                groups.setdefault(wait, []).append(variant_id)
            for (delay, message), variant_ids in groups.items():
                exporter._release(run.claim, variant_ids, delay, message)
            exporter._report_refusals(backend, run)
            exporter._log_calls(backend, run)
            if not run.fault and run.claim.failures:
                exporter._set_pause(backend.id, 0, 0)
                env["shopify.exception"]._resolve_now(backend, "remote", ["unreachable"])
        self._go_on(backend, run, [delay for delay, _message in waits.values()])

    def _held_message(self, item):
        return self.env._(
            "%(units)s units are held back: Shopify has sold them, and their orders are not in"
            " Odoo yet.",
            units=item.held,
        )

    def _write_levels(self, run):
        rows, common = [], {}
        for item in run.items.values():
            state = item.verdict or "waiting"
            message = item.message or (self._held_message(item) if item.held else None)
            key = item.key if item.lost else None
            if not item.touched and (state, message, key) == item.before and not item.key:
                continue
            values = (
                item.name,
                item.known_at,
                item.stocked,
                item.held,
                item.held_at if item.held else None,
                run.last_order if item.touched else item.seen_order,
                item.unimported if item.touched else item.seen_waiting,
                state,
                message,
                item.pushed,
                run.claim.reasons[item.variant_id],
                key,
            )
            rows.append((item.level_id, item.known, common.setdefault(values, len(common))))
        if rows:
            self._update_levels(rows, common)

    def _update_levels(self, rows, common):
        """
        :param rows: ``[(level id, known quantity, number), ...]``
        :param common: ``{values of _COMMON: number}``
        """
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_stock_level s SET quantity_name = t.quantity_name,
                    known = r.known, known_at = t.known_at, stocked = t.stocked,
                    held = t.held, held_at = t.held_at, seen_order = t.seen_order,
                    seen_waiting = t.seen_waiting, state = t.state, message = t.message,
                    pushed_quantity = CASE WHEN t.pushed THEN r.known ELSE s.pushed_quantity END,
                    pushed_at = CASE WHEN t.pushed THEN t.known_at ELSE s.pushed_at END,
                    pushed_reason = CASE WHEN t.pushed THEN t.reason ELSE s.pushed_reason END,
                    intent_key = t.intent_key
                FROM unnest(%s, %s, %s) AS r (id, known, number)
                JOIN unnest(%s, %s) AS t (number, %s) ON t.number = r.number
                WHERE s.id = r.id
                """,
                *map(int_array, zip(*rows, strict=True)),
                int_array(common.values()),
                SQL(", ").join(
                    SQL("%s::%s[]", list(values), SQL(kind))  # pylint: disable=sql-injection
                    for (_name, kind), values in zip(
                        _COMMON, zip(*common, strict=True), strict=True
                    )
                ),
                SQL(", ").join(SQL.identifier(name) for name, _kind in _COMMON),
            )
        )

    # === WHAT NEEDS A PERSON === #

    def _report_refusals(self, backend, run):
        refused, fine = {}, {}
        for item in run.items.values():
            if item.refusal:
                _name, blocks = refused.setdefault(item.variant_gid, (item.label, []))
                blocks.append(self._refusal_block(item))
            elif item.verdict in ("same", "held", "off"):
                fine[item.variant_gid] = True
        Exceptions = self.env["shopify.exception"]
        if refused:
            Exceptions._report(backend, refused, flow=FLOW)
        fine = [gid for gid in fine if gid not in refused]
        if fine:
            Exceptions._clear_waiting(backend, fine, flow=FLOW)

    def _refusal_block(self, item):
        code, message = item.refusal
        code = _SAME_CAUSE.get(code, code)
        # One exception for all variants that the same step puts right.
        common = {
            "UNTRACKED": self.env._("Shopify does not track the quantity of variants"),
            "GONE": self.env._("The inventory items of variants are gone in Shopify"),
            "NON_MUTABLE_INVENTORY_ITEM": self.env._("Variants are bundles in Shopify"),
        }
        remedies = {
            "UNTRACKED": self.env._(
                "Open the variants in Shopify and tick Track quantity, or let Odoo do so: set"
                " Untracked Variants on the store's page Stock, then press Retry. For those that"
                " are to sell without limit make a stock rule Do Not Send."
            ),
            "GONE": self.env._(
                "Import the catalogue, so that Odoo learns of the new inventory items, then press"
                " Retry."
            ),
            "INVALID_LOCATION": self.env._(
                "Import the locations of the store; where the location is gone, Odoo sends"
                " nothing to it any more. Then press Retry."
            ),
            "NON_MUTABLE_INVENTORY_ITEM": self.env._(
                "Shopify computes the stock of a bundle from its parts. Make a stock rule Do Not"
                " Send for each."
            ),
        }
        return Block(
            category="stock",
            key=code if code in common else f"{code}:{item.item_gid}:{item.location_gid}",
            title=common.get(code) or self.env._("The stock of %s cannot be sent", item.label),
            message=self.env._(
                "%(item)s, quantity %(quantity)s: %(message)s",
                item=item.label,
                quantity=item.wanted,
                message=message,
            ),
            remedy=remedies.get(code)
            or self.env._("Correct what the message names, then press Retry."),
            res_model=None if code in common else "shopify.variant",
            res_id=None if code in common else item.variant_id,
        )

    def _log_calls(self, backend, run):
        if not run.sent:
            return
        self.env["shopify.sync.log"]._log(
            backend,
            [
                {
                    "direction": "out",
                    "outcome": "updated",
                    "name": self.env._("Stock"),
                    "message": self.env._(
                        "%(sent)s quantities in %(calls)s calls", sent=run.sent, calls=run.calls
                    ),
                    "request_id": next(iter(reversed(run.request_ids)), None),
                    "job_uuid": self.env.context.get("job_uuid"),
                }
            ],
        )

    # === GOING ON === #

    def _interrupt(self, backend, run):
        """The store can't be asked now: leave it alone, the longer the more often in vain."""
        error, claim = run.fault, run.claim
        failures, block = claim.failures + 1, None
        if isinstance(error, ThrottledError):
            failures, seconds = claim.failures, max(error.retry_after, 0.5)
        elif isinstance(error, TransientError):
            seconds = max(
                error.retry_after or 0, min(2**failures, MAX_PAUSE) * random.uniform(0.8, 1.2)
            )
            if failures >= FAILURES_TO_REPORT:
                block = ("remote", "unreachable")
        elif isinstance(error, ScopeError):
            seconds, block = LONG_PAUSE, ("scope", ",".join(error.scopes) or "stock")
        elif isinstance(error, AuthError | UserError):
            seconds, block = LONG_PAUSE, ("credentials", getattr(error, "reason", "client"))
        else:
            reason = "unavailable" if isinstance(error, ShopUnavailableError) else "stock"
            seconds, block = LONG_PAUSE, ("remote", reason)
        with self.env["shopify.inbox"]._read_committed() as env:
            env[self._name]._set_pause(backend.id, seconds, failures)
            if block:
                report = env["shopify.inbox"]._store_block(backend, *block, error)
                env["shopify.exception"]._report(backend, {False: (backend.name, [report])})
        self._trigger(backend, seconds, key="stock:later")
        log = _logger.warning if isinstance(error, UserError) else _logger.info
        log("Stock of %s waits for %.0f s: %s", backend.name, seconds, error)

    def _go_on(self, backend, run, delays):
        if run.fault:
            return
        if run.claim.more:
            self._trigger(backend, key="stock:more")
        else:
            # Later than any change that relies on this export; see _wake.
            self._trigger(backend, delay=1.2)
        if delays and min(delays) > 0:
            self._trigger(backend, delay=min(delays), key="stock:later")
        if any(item.held for item in run.items.values()):
            # Whose orders are they? Asked once Shopify's search knows of them.
            self.env["shopify.inbox"]._kick(backend)
            backend._delay(
                f"shopify:{backend.id}:poll:stock", eta=_after(SEARCH_LAG + 1)
            )._job_poll()


# Shopify's code of a call that is refused, and what a read tells of the same.
_SAME_CAUSE = {"INVALID_INVENTORY_ITEM": "GONE"}


def _wait(item):
    return item.wait
