"""Exports of Shopify, from their start to the last line of their file."""

import logging
import time

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.queue_job.exception import RetryableJobError

from ..client import bulk
from ..client.errors import BulkBusyError, FileGoneError, ShopifyError, TransientError
from .inbox_verdict import describe
from .outcome import Block

_logger = logging.getLogger(__name__)

LINES_PER_JOB = 2000
SECONDS_PER_JOB = 20
# Shopify stops exports now and then for reasons of its own; these are started anew.
MAX_FAILURES = 3
FIRST_LOOK, LONGEST_PAUSE = 2, 60
RETRY_SECONDS = 30
# Keys of exceptions: this and the id of the export.
PREFIX = "bulk|"


class ShopifyBulkRunner(models.AbstractModel):
    """Takes exports from step to step, a short job each: start, look, read lines.

    A step reads first and writes afterwards, in the one transaction of its job, so a job that is
    killed at any point is done again without harm. Lines and the position in the file are written
    together.
    """

    _name = "shopify.bulk.runner"
    _description = "Shopify Exports"

    def _handlers(self):
        """Service that gets the lines of each kind of export: ``{kind: model name}``.

        Its methods, with the ``shopify.bulk.operation``:

        ``_bulk_query(operation)``
            ``(name, variables)`` of a document ``client/graphql/bulk_query_<name>.graphql``
        ``_bulk_lines(operation, values)``
            takes a batch of objects, children and parents in any order; a batch may come again
            when an export had to be started anew
        ``_bulk_done(operation)``, ``_bulk_failed(operation)``
            the end; a failed one may be resumed by a person, who is told of it unless the
            service answers that it goes on without the export
        ``_bulk_record(operation)``
            the record that a person opens when it failed; none is asked for when the service
            goes on without the export
        """
        return {
            "order_history": "shopify.order.lister",
            "stock_levels": "shopify.stock.reader",
        }

    def _start(self, backend, kind):
        """Start an export of a store, by a job.

        :return: ``shopify.bulk.operation``
        """
        operation = self.env["shopify.bulk.operation"].sudo()
        operation = operation.create(
            {"backend_id": backend.id, "kind": kind, "user_id": self.env.uid}
        )
        operation._continue()
        return operation

    def _resume(self, operation):
        """Go on with an export that failed or was cancelled."""
        operation = operation.sudo()
        self.env["shopify.exception"]._resolve(operation.backend_id, "other", _key(operation))
        if operation.state in ("failed", "canceled"):
            self._begin_anew(operation, failure_count=0)

    def _cancel(self, operation):
        """Stop an export; Shopify is told so that it does not go on in vain."""
        operation = operation.sudo()
        if operation.state == "running" and operation.shopify_gid:
            try:
                bulk.cancel(self._client(operation), operation.shopify_gid)
            except (ShopifyError, UserError) as error:
                _logger.info("Export %s could not be cancelled: %s", operation.id, error)
        operation.write({"state": "canceled", "ended_at": fields.Datetime.now()})

    # === STEPS === #

    def _advance(self, operation):
        """Take the step that is due.

        :return: a sentence for the job
        :raises RetryableJobError: Shopify can't be asked at present
        """
        operation = operation.sudo().exists()
        step = operation and self._steps().get(operation.state)
        if not step:
            return self.env._("Nothing is left to do.")
        if not operation.backend_id._can_call():
            return self.env._("The store is not connected: the export waits.")
        if not self._lock(operation):
            return self.env._("Another job is at work on it.")
        try:
            return getattr(self, step)(operation, self._client(operation))
        except TransientError as error:
            raise RetryableJobError(
                str(error), seconds=int(error.retry_after or RETRY_SECONDS), ignore_retry=True
            ) from error
        except (ShopifyError, UserError) as error:
            return self._fail(operation, describe(error))

    def _steps(self):
        return {"waiting": "_begin", "running": "_look", "reading": "_take"}

    def _lock(self, operation):
        """Against a second job; the row stays free for the buttons of people."""
        self.env.cr.execute(
            SQL(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                f"shopify.bulk:{operation.id}",
            )
        )
        return self.env.cr.fetchone()[0]

    def _begin(self, operation, client):
        # A start whose answer was lost, or whose job was killed, is not made again.
        found = bulk.find(client, operation.mark)
        if not found:
            name, variables = self._handler(operation)._bulk_query(operation)
            try:
                found = bulk.start(client, bulk.inline(name, variables, operation.mark))
            except BulkBusyError as error:
                operation.status = "busy"
                operation._continue(delay=int(error.retry_after))
                return str(error)
        operation.write(
            {
                "state": "running",
                "shopify_gid": found.gid,
                "status": found.status,
                "object_count": found.objects,
                "look_count": 0,
            }
        )
        operation._continue(delay=FIRST_LOOK)
        return self.env._("Shopify has begun the export.")

    def _look(self, operation, client):
        found = bulk.poll(client, operation.shopify_gid)
        if not found:
            return self._again(operation, "unknown")
        values = {"status": found.status, "object_count": found.objects}
        if found.running:
            looks = operation.look_count + 1
            operation.write({**values, "look_count": looks})
            operation._continue(delay=min(FIRST_LOOK + looks * looks // 4, LONGEST_PAUSE))
            return self.env._("Shopify has exported %s objects so far.", found.objects)
        operation.write(values)
        if found.failed:
            return self._again(operation, found.error_code or found.status)
        if not found.url:
            return self._finish(operation)
        operation.write({"state": "reading", "url": found.url, "file_size": found.size})
        operation._continue()
        return self.env._("Shopify has exported %s objects.", found.objects)

    def _take(self, operation, client):
        """Take the next lines of the file."""
        begin, values, more = int(operation.position), [], False
        position, until = begin, time.monotonic() + SECONDS_PER_JOB
        try:
            for line in client.lines(operation.url, begin):
                values.append(line.value)
                position = line.end
                if len(values) >= LINES_PER_JOB or time.monotonic() > until:
                    more = True
                    break
        except FileGoneError:
            return self._find_file(operation, client)
        except TransientError:
            # What came before the connection broke is taken; the rest comes later.
            if not values:
                raise
            more = True
        if values:
            self._handler(operation)._bulk_lines(operation, values)
            operation.write(
                {
                    "position": position,
                    "line_count": operation.line_count + len(values),
                    "failure_count": 0,
                }
            )
        if not more:
            return self._finish(operation)
        operation._continue()
        return self.env._("%s lines read.", operation.line_count)

    def _find_file(self, operation, client):
        """The address of the file lapsed: ask for a new one, else export anew."""
        found = bulk.poll(client, operation.shopify_gid)
        if found and found.url and found.url != operation.url:
            operation.url = found.url
            operation._continue()
            return self.env._("Shopify gave the file a new address.")
        return self._again(operation, "expired")

    # === ENDS === #

    def _finish(self, operation):
        operation.write({"state": "done", "url": False, "ended_at": fields.Datetime.now()})
        self._handler(operation)._bulk_done(operation)
        return self.env._("All %s lines were read.", operation.line_count)

    def _again(self, operation, reason):
        """Shopify did not bring the export to its end."""
        message = self._sentence(reason)
        if operation.failure_count + 1 >= MAX_FAILURES or reason == "access_denied":
            return self._fail(operation, message)
        self._begin_anew(
            operation, failure_count=operation.failure_count + 1, error=message, delay=RETRY_SECONDS
        )
        return message

    def _begin_anew(self, operation, delay=0, **values):
        operation.write(
            {
                "state": "waiting",
                "shopify_gid": False,
                "mark": operation._fields["mark"].default(operation),
                "status": False,
                "url": False,
                "position": 0,
                "line_count": 0,
                "object_count": 0,
                "ended_at": False,
                **values,
            }
        )
        operation._continue(delay=delay)

    def _sentence(self, reason):
        sentences = {
            "access_denied": self.env._("The app may not read what the export contains."),
            "timeout": self.env._("The export took Shopify too long."),
            "expired": self.env._("The file of the export is not kept by Shopify any more."),
            "canceled": self.env._("The export was cancelled in Shopify."),
            "unknown": self.env._("Shopify does not know the export any more."),
        }
        return sentences.get(reason) or self.env._("Shopify failed to export (%s).", reason)

    def _fail(self, operation, message):
        operation.write({"state": "failed", "error": message, "ended_at": fields.Datetime.now()})
        handler = self._handler(operation)
        if handler._bulk_failed(operation):
            return message
        backend, record = operation.backend_id, handler._bulk_record(operation)
        labels = dict(operation._fields["kind"]._description_selection(self.env))
        block = Block(
            category="other",
            key=_key(operation),
            title=self.env._(
                "%(kind)s of %(store)s stopped", kind=labels[operation.kind], store=backend.name
            ),
            message=message,
            remedy=self.env._(
                "Press Retry: it goes on where it stopped, and nothing comes twice. When it stops"
                " again, press Check Connection on the store."
            ),
            res_model=record._name,
            res_id=record.id,
        )
        self.env["shopify.exception"]._report(backend, {False: (backend.name, [block])})
        return message

    def _handler(self, operation):
        return self.env[self._handlers()[operation.kind]]

    def _client(self, operation):
        return self.env["shopify.client.factory"]._client(operation.backend_id)


def _key(operation):
    return f"{PREFIX}{operation.id}"
