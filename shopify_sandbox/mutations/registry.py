"""The register of implemented mutations, and what all of them share."""

import json
import time
from collections.abc import Callable

from ..context import Context
from ..errors import ApiError, UserErrors, user_error
from ..loading import Change

Mutation = Callable[[dict, Context], dict]
MUTATIONS: dict[str, Callable] = {}
KEY_SECONDS = 86400
IDEMPOTENT_SINCE = "2026-04"
MISMATCH = "The same idempotency key cannot be used with different operation parameters."


def mutation(
    name: str, *, errors: str = "userErrors", empty: tuple[str, ...] = (), idempotent: bool = False
):
    """Register a mutation.

    :param name: field name in the schema
    :param errors: payload field that carries user errors
    :param empty: payload fields that are null on refusal
    :param idempotent: ``@idempotent(key:)`` is mandatory since 2026-04. A key with other
        parameters is refused; the same parameters are evaluated again against the present state,
        as a real store was seen to do.
    """

    def register(function: Mutation) -> Mutation:
        def run(_root: dict, arguments: dict, context: Context) -> dict:
            try:
                if idempotent:
                    _check_key(name, arguments, context)
                payload = function(arguments, context)
            except UserErrors as refused:
                payload = {**dict.fromkeys(empty), **refused.payload, errors: refused.errors}
            payload.setdefault(errors, [])
            return payload

        MUTATIONS[name] = run
        return function

    return register


def _check_key(name: str, arguments: dict, context: Context) -> None:
    key = context.idempotency_key
    if key is None:
        if context.api.version < IDEMPOTENT_SINCE:
            return
        raise ApiError(
            "The @idempotent directive is required for this mutation but was not provided.",
            "BAD_REQUEST",
        )
    print_of_call = json.dumps([name, arguments], sort_keys=True, default=str)
    known = context.shop.idempotency
    seen, until = known.get(key, (None, 0))
    if seen and until > time.time() and seen != print_of_call:
        raise UserErrors(user_error(None, MISMATCH, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"))
    known[key] = (print_of_call, time.time() + KEY_SECONDS)


def changed(context: Context, gid: str, before: dict | None) -> None:
    """Remember a change for the webhooks."""
    record = context.shop.store.get(gid)
    after = dict(record) if record else {}
    type_name = (after or before)["__typename"]
    context.changes.append(Change(gid, type_name, before, after))


def update(context: Context, gid: str, values: dict) -> dict:
    """Change an object, touch ``updatedAt`` and remember it for the webhooks."""
    shop = context.shop
    record = shop.store.get(gid)
    before = dict(record)
    shop.store.put(gid, record["__typename"], {"updatedAt": shop.now(), **values})
    changed(context, gid, before)
    return shop.store.get(gid)


def create(context: Context, data: dict) -> dict:
    """Load a new object in the Admin API's shape and remember it for the webhooks."""
    changes, _warnings = context.shop.load([data])
    context.changes.extend(changes)
    return context.shop.store.get(data["id"])


def find(context: Context, type_name: str, gid: str) -> dict | None:
    record = context.shop.store.get(gid)
    return record if record and record["__typename"] == type_name else None


def refuse_long(values: list, name: str) -> None:
    """Array inputs take 250 elements at most."""
    if len(values) > 250:
        raise ApiError(
            f"The input array size of {len(values)} is greater than the maximum allowed of 250.",
            "MAX_INPUT_SIZE_EXCEEDED",
            argumentName=name,
        )
