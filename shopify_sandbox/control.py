"""Control of the sandbox itself, under ``/_sandbox``: what no real shop has."""

import random
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from . import dump
from .faults import KINDS
from .loading import Change, InvalidObject
from .orders import NothingToSell, Wishes, place_orders
from .profiles import PROFILES, describe
from .shop import Shop
from .web import Request, Response

if TYPE_CHECKING:
    from .server import Sandbox


def handle(sandbox: "Sandbox", request: Request) -> Response:
    """Route ``/_sandbox/health`` and ``/_sandbox/{shop}/{what}``."""
    parts = [part for part in request.path.split("/") if part][1:]
    if parts in ([], ["health"]):
        return Response(200, {"status": "ok", "shops": sorted(sandbox.shops)})
    try:
        shop = sandbox.shop(parts[0])
        action = ACTIONS.get((request.method, "/".join(parts[1:])))
        if action is None:
            known = sorted(f"{method} /_sandbox/{{shop}}/{path}" for method, path in ACTIONS)
            return Response(404, {"error": "unknown control endpoint", "known": known})
        return Response(200, action(sandbox, shop, request))
    except (InvalidObject, NothingToSell) as error:
        return Response(422, {"error": str(error)})
    except (ValueError, TypeError, KeyError) as error:
        return Response(400, {"error": f"{type(error).__name__}: {error}"})


def post_objects(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """Upsert a JSON list, or ``{"objects": [...], "deliver": true}``."""
    body = request.json()
    options = body if isinstance(body, dict) and "objects" in body else {}
    objects = options.get("objects", body)
    objects = objects if isinstance(objects, list) else [objects]
    changes, warnings = shop.load(objects, deliver=bool(options.get("deliver")))
    return {
        "loaded": len(objects),
        "ids": list(dict.fromkeys(change.gid for change in changes)),
        "warnings": warnings,
    }


def get_objects(sandbox: "Sandbox", shop: Shop, request: Request) -> list[dict]:
    """What the store holds, in the shape in which objects are loaded."""
    if request.query.get("id"):
        record = shop.store.get(request.query["id"])
        return [dump.dump(shop, record)] if record else []
    type_name = request.query.get("type")
    if not type_name:
        raise ValueError("say ?type=Order or ?id=gid://shopify/Order/1")
    return [dump.dump(shop, record) for record in shop.store.all(type_name)]


def delete_objects(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """``{"ids": [...], "deliver": true}``: the objects are gone, as if deleted in the admin."""
    body = request.json()
    changes = []
    for gid in body["ids"]:
        record = shop.store.delete(gid)
        if record:
            changes.append(Change(gid, record["__typename"], dict(record), {}))
    if body.get("deliver"):
        shop.tell(changes)
    return {"deleted": [change.gid for change in changes]}


def update_order(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """``{"id": ..., "set": {...}}``: change one object as a merchant would, with webhooks."""
    body = request.json()
    record = shop.store.get(body["id"])
    if record is None:
        raise ValueError(f"{body['id']} is unknown")
    data = {"__typename": record["__typename"], "id": record["id"], **body["set"]}
    shop.load([data], deliver=body.get("deliver", True))
    return {"id": record["id"], "updatedAt": shop.store.get(record["id"]).get("updatedAt")}


def post_orders(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """``{"count": N, "per_minute": M, "seed": S, ...}``: customers place orders.

    With ``per_minute`` they come spread over time, and the answer comes at once without ids.
    """
    options = request.json() or {}
    count = int(options.get("count", 1))
    seed = options.get("seed")
    rng = random.Random(seed if seed is not None else random.randrange(2**32))
    wishes = Wishes.read(options)
    rate = options.get("per_minute")
    if rate:
        stop = start_customers(shop, float(rate), rng, wishes, count)
        shop.stop_customers.append(stop)
        return {"count": count, "per_minute": rate, "started": True}
    placed = place_orders(shop, count, rng, wishes)
    return {
        "count": len(placed),
        "ids": [order["id"] for order in placed],
        "names": [order["name"] for order in placed],
    }


def start_customers(
    shop: Shop,
    per_minute: float,
    rng: random.Random,
    wishes: Wishes | None = None,
    count: int | None = None,
) -> threading.Event:
    """Let customers order continuously, until the event is set or ``count`` is reached."""
    stop = threading.Event()

    def run() -> None:
        placed, started = 0, time.monotonic()
        while count is None or placed < count:
            due = started + (placed + 1) * 60.0 / per_minute
            if stop.wait(max(0.0, due - time.monotonic())):
                return
            place_orders(shop, 1, rng, wishes)
            placed += 1

    threading.Thread(target=run, daemon=True, name=f"customers-{shop.domain}").start()
    return stop


def stop_orders(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    stopped = len(shop.stop_customers)
    for event in shop.stop_customers:
        event.set()
    shop.stop_customers.clear()
    return {"stopped": stopped}


def get_log(sandbox: "Sandbox", shop: Shop, request: Request) -> list[dict]:
    """Requests, oldest first; ``?operation=`` and ``?limit=`` narrow it down."""
    wanted = request.query.get("operation")
    entries = [
        entry
        for entry in list(shop.log)
        if not wanted
        or wanted == entry.get("operation")
        or wanted in (entry.get("root_fields") or ())
    ]
    limit = int(request.query.get("limit") or 0)
    return entries[-limit:] if limit else entries


def clear_log(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    shop.log.clear()
    return {"log": []}


def post_faults(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """One fault, a list of them, or ``{"faults": [...], "clear": true}``."""
    body = request.json()
    options = body if isinstance(body, dict) else {}
    if options.get("clear"):
        shop.faults.clear()
    faults = body if isinstance(body, list) else options.get("faults")
    if faults is None:
        faults = [] if options.get("clear") else [options]
    for fault in faults:
        shop.faults.add(**{name: value for name, value in fault.items() if name != "clear"})
    return get_faults(sandbox, shop, request)


def get_faults(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    return {"faults": [asdict(fault) for fault in shop.faults.active], "kinds": sorted(KINDS)}


def clear_faults(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    shop.faults.clear()
    return get_faults(sandbox, shop, request)


def get_settings(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    return {"domain": shop.domain, "profile": shop.profile, **asdict(shop.settings)}


def post_settings(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """Change settings; ``available_points`` sets what is left in the bucket now."""
    body = request.json()
    points = body.pop("available_points", None)
    known = asdict(shop.settings)
    unknown = body.keys() - known.keys()
    if unknown:
        raise ValueError(f"unknown settings {sorted(unknown)}; known are {sorted(known)}")
    scopes_before = shop.settings.scopes
    for name, value in body.items():
        setattr(shop.settings, name, value)
    if "static_token" in body:
        shop.tokens[body["static_token"]] = float("inf")
    shop.bucket.resize(*shop.bucket_limits())
    if points is not None:
        shop.bucket.drain(int(points))
    describe(shop)
    if shop.settings.scopes != scopes_before:
        content = {"id": 1, "previous": scopes_before, "current": shop.settings.scopes}
        sandbox.deliveries.send(shop, "APP_SCOPES_UPDATE", content)
    return get_settings(sandbox, shop, request)


def post_reset(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """Start the shop anew; ``{"profile": "us"}`` changes what it is."""
    stop_orders(sandbox, shop, request)
    profile = (request.json() or {}).get("profile")
    if profile and profile not in PROFILES:
        raise ValueError(f"unknown profile {profile}; known are {sorted(PROFILES)}")
    fresh = sandbox.reset(shop.domain, profile)
    return {"shop": fresh.domain, "profile": fresh.profile}


def post_tokens(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """``{"revoke": "all"}`` or ``{"expire": true}``: tokens no longer open the door."""
    body = request.json() or {}
    if body.get("revoke") == "all":
        shop.tokens.clear()
        shop.refresh_tokens.clear()
    elif body.get("expire"):
        for token, until in list(shop.tokens.items()):
            if until != float("inf"):
                shop.tokens[token] = 0
    else:
        shop.tokens.pop(body.get("revoke"), None)
    return {"tokens": len(shop.tokens)}


def get_webhooks(sandbox: "Sandbox", shop: Shop, request: Request) -> list[dict]:
    """Deliveries of this shop, oldest first; ``?topic=orders/create`` narrows it down."""
    topic = request.query.get("topic")
    return [
        item.entry()
        for item in list(sandbox.deliveries.log)
        if item.shop is shop and (not topic or item.topic == topic)
    ]


def post_webhooks(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """Send one webhook by hand.

    ``{"topic": "customers/redact", "uri": ..., "payload": {...}}`` sends any topic to an address;
    without ``uri`` every subscription of the topic gets it.
    """
    body = request.json()
    content = body.get("payload") or {}
    if body.get("uri"):
        delivery = sandbox.deliveries.send_to(shop, body["uri"], body["topic"], content)
        return {"sent": 1 if delivery else 0}
    topic = body["topic"].upper().replace("/", "_")
    return {"sent": sandbox.deliveries.send(shop, topic, content)}


def post_uninstall(sandbox: "Sandbox", shop: Shop, request: Request) -> dict:
    """The merchant removes the app: tokens die, subscriptions go, app/uninstalled is sent."""
    content = {
        "id": 1,
        "name": shop.settings.name,
        "domain": shop.domain,
        "myshopify_domain": shop.domain,
    }
    sent = sandbox.deliveries.send(shop, "APP_UNINSTALLED", content)
    shop.settings.installed = False
    shop.refresh_tokens.clear()
    for item in shop.store.all("WebhookSubscription"):
        shop.store.delete(item["id"])
    return {"installed": False, "sent": sent}


ACTIONS = {
    ("POST", "objects"): post_objects,
    ("GET", "objects"): get_objects,
    ("DELETE", "objects"): delete_objects,
    ("POST", "orders"): post_orders,
    ("DELETE", "orders"): stop_orders,
    ("POST", "orders/update"): update_order,
    ("GET", "log"): get_log,
    ("DELETE", "log"): clear_log,
    ("POST", "faults"): post_faults,
    ("GET", "faults"): get_faults,
    ("DELETE", "faults"): clear_faults,
    ("GET", "settings"): get_settings,
    ("POST", "settings"): post_settings,
    ("POST", "reset"): post_reset,
    ("POST", "tokens"): post_tokens,
    ("GET", "webhooks"): get_webhooks,
    ("POST", "webhooks"): post_webhooks,
    ("POST", "uninstall"): post_uninstall,
}
