from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime

from odoo import fields, models

from ..mappers.fulfillment import (
    CLOCK_SKEW,
    OrderState,
    Plan,
    Tracking,
    allocate,
    digital_lines,
    find_existing,
)
from ..models.shopify_fulfillment import OPEN_STATES
from .fulfillment_steps import Step

# Looked at again after a while without being asked.
RECHECKED = ("hold", "scheduled")


@dataclass
class Shipment:
    """One row, and what is to be told of it.

    :ivar taken: gids of fulfilments that other rows account for
    :ivar reserved: units by line of a fulfilment order that other rows of this round take
    :ivar last: nothing is moved or released any more
    """

    row: models.Model
    state: OrderState
    taken: set[str]
    reserved: dict[str, int]
    last: bool
    lines: dict[str, int] = field(default_factory=dict)
    tracking: Tracking = field(default_factory=Tracking)


class ShopifyFulfillmentPlanner(models.AbstractModel):
    """Decides what the shipments of one order need, from what Shopify has and waits for.

    Runs in a short transaction of its own; asks nobody. All that a Step needs is noted in its row
    before the step is made.
    """

    _name = "shopify.fulfillment.planner"
    _description = "Shopify Fulfilment Planner"

    def _plan(self, rows, state: OrderState | None, refused, *, last):
        """
        :param rows: open rows of one order
        :param refused: ``{row id: what Shopify said}`` of the round before
        :param last: what is refused now waits for a decision
        :return: list of Step
        """
        rows = rows.filtered(lambda row: row.state in OPEN_STATES)
        if not rows:
            return []
        if state is None:
            self._settle(rows, "skipped", self.env._("The order does not exist in Shopify."))
            return []
        if last and refused:
            for row in rows.filtered(lambda row: row.id in refused):
                self._wait(row, self._refused_block(row, refused[row.id]))
            rows = rows.filtered(lambda row: row.state != "waiting" or row.id not in refused)
        steps = self._plan_cancellations(rows, state)
        steps += self._plan_shipments(rows, state, last=last)
        return steps + self._plan_tracking(rows, state)

    # === CANCELLATIONS === #

    def _plan_cancellations(self, rows, state):
        steps = []
        for row in rows.filtered(lambda row: row.kind == "cancel"):
            target = self._siblings(row).filtered(
                lambda other, gid=row.shopify_gid: other.shopify_gid == gid
            )[:1]
            known = state.fulfillment(row.shopify_gid)
            if known is None or known.cancelled:
                self._cancelled(target)
                self._settle(row, "done", False)
            else:
                row.write({"state": "sending", "sent_at": fields.Datetime.now()})
                steps.append(Step(row.id, "cancel", {"id": row.shopify_gid}, target.id))
        return steps

    def _cancelled(self, rows):
        rows.write({"state": "cancelled", "done_at": fields.Datetime.now(), "message": False})

    # === SHIPMENTS === #

    def _plan_shipments(self, rows, state, *, last):
        steps, reserved = [], defaultdict(int)
        for row in rows.filtered(lambda row: row.kind == "create").sorted("id"):
            if row.shopify_gid or row.state not in OPEN_STATES:
                continue
            shipment = Shipment(row, state, self._taken(row), reserved, last)
            found = self._look_up(shipment)
            steps += self._adopt(row, found) if found else self._plan_shipment(shipment)
        return steps

    def _look_up(self, shipment):
        """What an earlier attempt, whose answer got lost, left behind."""
        row = shipment.row
        if not row.sent_at or not row.quantities:
            return None
        numbers = (row.tracking_numbers or "").split()
        return find_existing(
            shipment.state, row.quantities, numbers, shipment.taken, since=row.sent_at
        )

    def _plan_shipment(self, shipment):
        row, values = shipment.row, self.env["shopify.fulfillment.values"]
        backend, places = row.backend_id, None
        if row.picking_id:
            places = values._locations(row)
            if places == []:
                return self._settle(row, "skipped", self.env._("Shopify ships from this location."))
            if places is False:
                return self._wait(row, self._place_block(row))
            shipment.lines = values._lines(row)
            shipment.tracking = values._tracking(backend, row.picking_id)
        else:
            shipment.lines = row.quantities or self._digital_lines(shipment)
        if not shipment.lines:
            return self._settle(
                row, "skipped", self.env._("It holds nothing that Shopify waits for.")
            )
        if not row.sent_at and shipment.tracking.numbers:
            found = self._same(shipment, shipment.tracking.numbers)
            if found:
                return self._adopt(row, found)
        plan = allocate(
            shipment.state,
            shipment.lines,
            places,
            move=backend.fulfillment_location_policy == "move",
            release=backend.fulfillment_release_holds,
            taken=shipment.taken,
            reserved=shipment.reserved,
        )
        return self._carry_out(shipment, plan)

    def _digital_lines(self, shipment):
        """What is told first; the rest gets rows of its own."""
        groups = list(digital_lines(shipment.state))
        further = groups[1:]
        for rest, quantities in zip(self._parts(shipment.row, len(further)), further, strict=True):
            free = {"lease_token": False, "lease_until": False}
            rest.write({"quantities": quantities, "state": "pending", **free})
        return groups[0] if groups else {}

    def _same(self, shipment, numbers=(), since=None):
        return find_existing(shipment.state, shipment.lines, numbers, shipment.taken, since=since)

    def _carry_out(self, shipment, plan: Plan):
        row = shipment.row
        plan = replace(plan, problems=self._relevant(row, plan.problems))
        if plan.blocked:
            recheck = all(problem.reason in RECHECKED for problem in plan.blocked)
            return self._wait(row, *self._problem_blocks(row, plan.blocked), recheck=recheck)
        first = [("release", item) for item in plan.releases]
        first += [("move", item) for item in plan.moves]
        if first and shipment.last:
            return self._wait(row, self._refused_block(row, self.env._("The goods keep moving.")))
        if first:
            row.state = "sending"
            return [
                Step(row.id, action, item.variables(), last=False, again=True)
                for action, item in first
            ]
        if plan.creates:
            for create in plan.creates:
                for _order_gid, takes in create.takes:
                    for gid, quantity in takes:
                        shipment.reserved[gid] += quantity
            return self._create_steps(shipment, plan)
        if not plan.problems:
            return self._settle(
                row, "skipped", self.env._("It holds nothing that Shopify waits for.")
            )
        if any(problem.reason != "elsewhere" for problem in plan.problems):
            return self._wait(row, *self._problem_blocks(row, plan.problems))
        found = self._same(shipment, since=datetime.min + CLOCK_SKEW)
        if found:
            return self._adopt(row, found)
        return self._settle(row, "done", self.env._("It was fulfilled in Shopify already."))

    def _relevant(self, row, problems):
        """Without goods that Shopify never wanted to have shipped, such as a ticket."""
        order = row.order_id
        changed = order.edited or order.cancelled_at or "refunded" in (order.financial_status or "")
        return tuple(
            replace(problem, reason="nothing_left") if problem.reason == "not_asked" else problem
            for problem in problems
            if changed or problem.reason != "not_asked"
        )

    def _create_steps(self, shipment, plan):
        """Note the intents, one row per call, and the calls."""
        row, tracking = shipment.row, shipment.tracking
        missing = [item for item in plan.problems if item.reason == "nothing_left"]
        rows = row | self._parts(row, len(plan.creates) - 1)
        notify = row.backend_id.notify_customer
        steps = []
        for intent, create in zip(rows, plan.creates, strict=True):
            # The customer is mailed once per delivery.
            mail = notify and not intent.part
            intent.write(
                {
                    "state": "sending",
                    "quantities": dict(create.lines),
                    "location_id": self._location(row.backend_id, create.location_gid).id,
                    "notified": mail,
                    "sent_at": fields.Datetime.now(),
                    "message": False,
                    "blocks": self._kept(self._problem_blocks(row, missing)),
                    **self._tracking_vals(tracking),
                }
            )
            steps.append(Step(intent.id, "create", create.variables(tracking, mail)))
        return steps

    def _parts(self, row, count):
        """Further rows for a shipment that takes several calls."""
        if count < 1:
            return row.browse()
        used = self._siblings(row).filtered(lambda other: other.picking_id == row.picking_id)
        part = max(used.mapped("part"), default=0)
        return row.create(
            [
                {
                    "backend_id": row.backend_id.id,
                    "order_id": row.order_id.id,
                    "picking_id": row.picking_id.id,
                    "part": part + number,
                    "state": "sending",
                    "attempts": row.attempts,
                    "next_attempt_at": fields.Datetime.now(),
                    "lease_token": row.lease_token,
                    "lease_pid": row.lease_pid,
                    "lease_until": row.lease_until,
                }
                for number in range(1, count + 1)
            ]
        )

    def _adopt(self, row, found):
        """Take what is in Shopify for ours; tracking that it lacks is told next."""
        row.write({"shopify_gid": found.gid, "name": found.name, "quantities": dict(found.lines)})
        self._settle(row, "done", False)
        return []

    # === TRACKING === #

    def _plan_tracking(self, rows, state):
        """Corrections of tracking, and what adopted fulfilments lack."""
        values, steps = self.env["shopify.fulfillment.values"], []
        for same in (
            rows.filtered(lambda row: row.kind == "tracking").grouped("picking_id").values()
        ):
            row = same.sorted("id")[-1:]
            self._settle(same - row, "done", False)
            tracking = values._tracking(row.backend_id, row.picking_id)
            due = []
            for target in self._siblings(row).filtered(
                lambda other, row=row: (
                    other.picking_id == row.picking_id
                    and other.shopify_gid
                    and other.state == "done"
                )
            ):
                known = state.fulfillment(target.shopify_gid)
                if known and not known.cancelled and tracking.says_more_than(known.tracking):
                    due.append(target)
            if not due:
                self._settle(row, "done", False)
                continue
            row.write(
                {
                    "state": "sending",
                    "sent_at": fields.Datetime.now(),
                    "notified": row.backend_id.notify_tracking,
                    **self._tracking_vals(tracking),
                }
            )
            for target in due:
                variables = {
                    "fulfillmentId": target.shopify_gid,
                    "trackingInfoInput": tracking.variables(),
                    "notifyCustomer": row.backend_id.notify_tracking,
                }
                last = target == due[-1]
                steps.append(Step(row.id, "tracking", variables, target.id, last=last))
        return steps

    def _tracking_vals(self, tracking):
        return {
            "tracking_company": tracking.company or False,
            "tracking_numbers": "\n".join(tracking.numbers) or False,
            "tracking_urls": "\n".join(tracking.urls) or False,
        }

    # === AFTER A STEP === #

    def _record(self, step: Step, payload, request_id):
        """Note that a step went through."""
        row = self.env["shopify.fulfillment"].browse(step.row_id)
        target = row.browse(step.target_id) if step.target_id else row
        row.request_id = request_id
        if step.action == "create":
            made = payload.get("fulfillment") or {}
            if not made.get("id"):
                # An odd answer: the next look at the order tells.
                return
            row.write({"shopify_gid": made["id"], "name": made.get("name")})
        elif step.action == "tracking":
            target.write(
                {name: row[name] for name in self._tracking_vals(Tracking())},
            )
        elif step.action == "cancel":
            self._cancelled(target)
        if step.last:
            self._settle(row, "done", False, row.blocks)

    def _settle(self, rows, state, message, blocks=False):
        """Nothing is left to do for these.

        :param blocks: what people are to know all the same
        """
        rows.write(
            {
                "state": state,
                "message": message,
                "blocks": blocks,
                "done_at": fields.Datetime.now(),
                "next_attempt_at": False,
                "lease_token": False,
                "lease_until": False,
            }
        )
        return []

    # === HELPERS === #

    def _siblings(self, row):
        """All shipments of the order."""
        return row.search([("order_id", "=", row.order_id.id), ("kind", "=", "create")])

    def _taken(self, row):
        """Fulfilments that other rows account for."""
        return set((self._siblings(row) - row).filtered("shopify_gid").mapped("shopify_gid"))

    def _location(self, backend, gid):
        return self.env["shopify.location"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "=", gid)], limit=1
        )
