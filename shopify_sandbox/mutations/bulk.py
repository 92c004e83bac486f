"""Bulk operations: start and cancel."""

from .. import bulk, bulk_rules
from ..context import Context
from ..errors import UserErrors, user_error
from .registry import find, mutation

IN_PROGRESS = "A bulk query operation for this app and shop is already in progress: {}."
FINISHED = "A bulk operation cannot be canceled when it is {}"


@mutation("bulkOperationRunQuery", empty=("bulkOperation",))
def run_query(arguments: dict, context: Context) -> dict:
    shop, text = context.shop, arguments["query"]
    bulk_rules.read(context.api, text)
    others = bulk.under_way(shop)
    if len(others) >= bulk.MAX_AT_ONCE:
        message = IN_PROGRESS.format(", ".join(record["id"] for record in others))
        raise UserErrors(user_error(None, message, "OPERATION_IN_PROGRESS"))
    gid = shop.store.new_gid(bulk.TYPE)
    values = {
        "status": "CREATED",
        "type": "QUERY",
        "errorCode": None,
        "createdAt": shop.now(),
        "completedAt": None,
        "objectCount": "0",
        "rootObjectCount": "0",
        "fileSize": None,
        "url": None,
        "partialDataUrl": None,
        "query": text,
        "_grouped": arguments["groupObjects"],
    }
    shop.store.put(gid, bulk.TYPE, values)
    context.bulk_operations.append(gid)
    # The answer tells the state of this moment, whatever the operation does meanwhile.
    return {"bulkOperation": dict(shop.store.get(gid))}


@mutation("bulkOperationCancel", empty=("bulkOperation",))
def cancel(arguments: dict, context: Context) -> dict:
    record = find(context, bulk.TYPE, arguments["id"])
    if record is None:
        raise UserErrors(user_error(["id"], "Bulk operation does not exist"))
    if record["status"] not in bulk.UNDER_WAY:
        message = FINISHED.format(record["status"].lower())
        raise UserErrors(user_error(None, message), payload={"bulkOperation": record})
    context.shop.store.put(record["id"], bulk.TYPE, {"status": "CANCELING"})
    return {"bulkOperation": dict(context.shop.store.get(record["id"]))}
