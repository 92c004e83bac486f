"""The register of implemented mutations, and what all of them share."""

import json
from collections.abc import Callable

from ..context import Context
from ..errors import ApiError, UserErrors
from ..loading import Change

Mutation = Callable[[dict, Context], dict]
MUTATIONS: dict[str, Mutation] = {}


def mutation(name: str, *, errors: str = "userErrors", empty: tuple[str, ...] = ()):
    """Register a mutation.

    :param name: field name in the schema
    :param errors: payload field that carries user errors
    :param empty: payload fields that are null on refusal (all others are left to the schema)
    """

    def register(function: Mutation) -> Mutation:
        def run(_root: dict, arguments: dict, context: Context) -> dict:
            try:
                payload = function(arguments, context)
            except UserErrors as refused:
                return {**dict.fromkeys(empty), errors: refused.errors}
            payload.setdefault(errors, [])
            return payload

        MUTATIONS[name] = run
        return function

    return register


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


def fingerprint(arguments: dict) -> str:
    return json.dumps(arguments, sort_keys=True, default=str)


def refuse_page(values: list, name: str) -> None:
    """Array inputs take 250 elements at most."""
    if len(values) > 250:
        raise ApiError(
            f"The input array size of {len(values)} is greater than the maximum allowed of 250.",
            "MAX_INPUT_SIZE_EXCEEDED",
            argumentName=name,
        )
