"""Refunds and returns in recorded answers of a real store, as the states that their orders went
through, one answer after the other.

An answer tells a part of the fields. The sandbox takes it as it is; which order, which units and
why is taken from the request that was answered, where the answer does not tell.
"""

import copy
import json
from dataclasses import dataclass, field

from .recorded_orders import RECORDINGS, recordings

PLACED_AT = "2026-01-01T00:00:00Z"
# What changes while an order is refunded and returned; told by the states.
_LATER = (
    "currentTotalPriceSet",
    "displayFinancialStatus",
    "displayFulfillmentStatus",
    "fulfillmentOrders",
    "fulfillments",
    "refunds",
    "returnStatus",
    "returns",
    "totalRefundedSet",
    "updatedAt",
)
_TOLD = frozenset(
    {
        "Fulfillment",
        "Order",
        "Refund",
        "Return",
        "ReturnLineItem",
        "ReverseFulfillmentOrder",
        "ReverseFulfillmentOrderLineItem",
    }
)
_GIVEN_BACK = ("Refund", "Return")
# The status in which a return begins, for answers that tell no more than its id.
_BEGINS = {"returnRequest": "REQUESTED", "returnCreate": "OPEN"}
# The recorder's own requests: what it read beforehand, and how it cleaned up.
_FIRST, _LAST = "upstreamCalls", "cleanup"


@dataclass
class State:
    """What one answer tells.

    :ivar name: where the answer stands in the recording
    :ivar objects: nodes that the sandbox takes
    :ivar orders: gids of the orders that it tells about
    :ivar told: ``{gid: fields}`` of all that was told up to here; lists of nodes are lists of gids
    """

    name: str
    objects: list
    orders: list
    told: dict


@dataclass
class History:
    """The orders of a recording as they were placed, and what became of them."""

    orders: dict
    states: list = field(default_factory=list)


def histories():
    """``{name: History}`` of the recordings that hold a refund or a return."""
    found = {}
    for name, orders in recordings().items():
        recording = _Recording(json.loads((RECORDINGS / f"{name}.json").read_text()), orders)
        if recording.holds_any():
            states = recording.states()
            gids = dict.fromkeys(gid for state in states for gid in state.orders)
            found[name] = History({gid: placed(orders[gid]) for gid in gids}, states)
    return found


def placed(order):
    """An order before anything was sent, given back or taken off."""
    return {
        **{key: value for key, value in order.items() if key not in _LATER},
        "lineItems": [
            {key: value for key, value in line.items() if key != "currentQuantity"}
            for line in order.get("lineItems") or ()
        ],
        "transactions": [
            item for item in order.get("transactions") or () if item.get("kind") != "REFUND"
        ],
        "updatedAt": PLACED_AT,
    }


def own(told, order_gid, kind):
    """``{gid: fields}`` of the refunds, returns or fulfilments of an order."""
    return {gid: told[gid] for gid in _gids(told, kind) if told[gid].get("order") == order_gid}


def _gids(told, *kinds):
    return [gid for gid in told if _kind(gid) in kinds]


def _kind(gid):
    return gid.split("/")[3] if str(gid).startswith("gid://shopify/") else ""


def _nodes_of(value):
    if isinstance(value, dict) and ("nodes" in value or "edges" in value):
        return value.get("nodes") or [edge["node"] for edge in value.get("edges") or ()]
    return value if isinstance(value, list) else None


class _Recording:
    """Reads the states of one recording."""

    def __init__(self, content, orders):
        self.content, self.orders = content, orders
        self.told = {}
        self.line_orders = {
            line["id"]: gid
            for gid, order in orders.items()
            for line in order.get("lineItems") or ()
            if line.get("id")
        }

    def holds_any(self):
        """Whether an answer tells of a refund or a return."""
        answers = self._answers(skip=(_LAST,))
        return any(_kind(gid) in _GIVEN_BACK for _n, _asked, data in answers for gid in _all(data))

    def states(self):
        known = {
            gid for _name, _asked, data in self._answers(skip=(_FIRST, _LAST)) for gid in _all(data)
        }
        found = []
        for name, asked, data in self._answers(skip=(_LAST,)):
            if name.startswith(_FIRST) and not _new(data, known):
                # Read again later, or empty.
                continue
            objects = [self._complete(copy.deepcopy(node), asked, data) for node in _outer(data)]
            if not objects:
                continue
            for node in objects:
                self._tell(node)
            orders = list(dict.fromkeys(self._orders_of(objects)))
            if orders:
                objects += [self._changed(gid, len(found)) for gid in orders]
                found.append(State(name, objects, orders, copy.deepcopy(self.told)))
        return found

    def _answers(self, skip):
        """``(where it stands, variables, data)``; what was read beforehand comes first."""
        keys = sorted(self.content, key=lambda key: key != _FIRST)
        for key in keys:
            if key not in skip:
                yield from _answers(self.content[key], key)

    # -- completing -----------------------------------------------------------------------------

    def _complete(self, node, asked, data):
        """Name the order of a node, and what the request says of it."""
        kind = _kind(node["id"])
        if kind == "Return":
            self._complete_return(node, asked, next(iter(data)))
        elif kind == "Refund":
            self._complete_refund(node, asked)
        elif kind == "Fulfillment":
            if node["id"] not in self.told:
                line = _nodes_of(node["fulfillmentLineItems"])[0]["lineItem"]
                node["order"] = {"id": self.line_orders[line["id"]]}
        elif kind == "Order":
            for refund in _nodes_of(node.get("refunds")) or ():
                refund["order"] = {"id": node["id"]}
                self._complete_refund_lines(refund, node)
        return node

    def _complete_return(self, node, asked, root):
        known = self.told.get(node["id"])
        if known:
            node.setdefault("order", {"id": known["order"]})
            return
        request = next(
            value
            for value in asked.values()
            if isinstance(value, dict) and value.get("returnLineItems")
        )
        node.setdefault("order", {"id": request["orderId"]})
        node.setdefault("status", _BEGINS[root])
        lines = _nodes_of(node.get("returnLineItems"))
        wanted = request["returnLineItems"]
        if lines is None:
            gid = node["id"].replace("/Return/", "/ReturnLineItem/")
            lines = [{"id": f"{gid}{number}"} for number in range(len(wanted))]
        node["returnLineItems"] = {
            "nodes": [
                {**self._wanted(entry), **line} for line, entry in zip(lines, wanted, strict=True)
            ]
        }

    def _wanted(self, entry):
        """A line of a return as it was asked for."""
        line = {
            "quantity": entry["quantity"],
            "processedQuantity": 0,
            "fulfillmentLineItem": {"id": entry["fulfillmentLineItemId"]},
        }
        for name in ("returnReason", "returnReasonNote", "customerNote"):
            if entry.get(name):
                line[name] = entry[name]
        if entry.get("returnReasonDefinitionId"):
            gid = entry["returnReasonDefinitionId"]
            line["returnReasonDefinition"] = next(
                node for node in _find(self.content, gid) if len(node) > 1
            )
        return line

    def _complete_refund(self, node, asked):
        request = asked["input"]
        node["order"] = {"id": request["orderId"]}
        for item in _nodes_of(node["transactions"]):
            item["order"] = node["order"]

    def _complete_refund_lines(self, refund, order):
        """A refund of which only the sum was read.

        Its money is in the transactions of the order, its units are those that are gone.
        """
        refund["transactions"] = {
            "nodes": [
                {**item, "order": {"id": order["id"]}}
                for item in order["transactions"]
                if item["kind"] == "REFUND"
            ]
        }
        refund["refundLineItems"] = {
            "nodes": [
                {
                    "lineItem": {"id": line["id"]},
                    "quantity": line["quantity"] - line["currentQuantity"],
                    # How the recorder refunds units of this order in the requests that follow.
                    "restockType": "NO_RESTOCK",
                    "subtotalSet": refund["totalRefundedSet"],
                }
                for line in _nodes_of(order["lineItems"])
                if line["quantity"] > line["currentQuantity"]
            ]
        }

    def _changed(self, gid, number):
        """The order's time of change: the one told, else a later one with each refund."""
        updated = self.told.get(gid, {}).get("updatedAt", PLACED_AT)
        if own(self.told, gid, "Refund"):
            updated = max(updated, f"2026-09-01T00:{number:02}:00Z")
        return {"__typename": "Order", "id": gid, "updatedAt": updated}

    # -- what was told --------------------------------------------------------------------------

    def _tell(self, value):
        """Remember what a node and all in it tell; the later one wins."""
        if isinstance(value, list):
            return [self._tell(item) for item in value]
        if not isinstance(value, dict):
            return value
        nodes = _nodes_of(value)
        if nodes is not None:
            return [self._tell(item) for item in nodes]
        fields = {key: self._tell(item) for key, item in value.items()}
        gid = str(value.get("id"))
        if not _kind(gid):
            return fields
        self.told.setdefault(gid, {}).update(fields)
        for name in ("refunds", "returns", "fulfillments"):
            for child in fields.get(name) or ():
                self.told[child]["order"] = gid
        return gid

    def _orders_of(self, objects):
        for node in objects:
            kind, gid = _kind(node["id"]), node["id"]
            if kind == "Order":
                yield gid
            elif "order" in self.told[gid]:
                yield self.told[gid]["order"]
            else:
                yield from self._order_of_part(gid)

    def _order_of_part(self, gid):
        """The order of a part of a return."""
        for return_gid in _gids(self.told, "Return"):
            told = self.told[return_gid]
            reverse = told.get("reverseFulfillmentOrders") or []
            lines = [line for one in reverse for line in self.told[one].get("lineItems") or ()]
            if gid in (*told.get("returnLineItems", ()), *reverse, *lines):
                yield told["order"]


def _answers(value, name):
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _answers(item, f"{name}[{number}]")
    elif isinstance(value, dict):
        answer = value.get("response")
        if isinstance(answer, dict):
            answer = answer.get("payload") or answer.get("body") or answer
            if isinstance(answer.get("data"), dict):
                yield name, value.get("variables") or {}, answer["data"]
                return
        for key, item in value.items():
            yield from _answers(item, f"{name}.{key}")


def _outer(value):
    """The outermost nodes of an answer that tell of orders, refunds or returns."""
    if isinstance(value, dict):
        if _kind(value.get("id")) in _TOLD and (len(value) > 1 or _kind(value["id"]) == "Return"):
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _outer(item)


def _all(value):
    """Gids of all nodes in an answer."""
    if isinstance(value, dict):
        if _kind(value.get("id")):
            yield value["id"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _all(item)


def _new(data, known):
    return any(_kind(gid) in _GIVEN_BACK and gid not in known for gid in _all(data))


def _find(value, gid):
    if isinstance(value, dict):
        if value.get("id") == gid:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _find(item, gid)
