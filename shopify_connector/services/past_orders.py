"""Orders of the past: listed by an export, imported through the inbox, treated as past."""

from odoo import fields, models
from odoo.tools import SQL

from .order_policies import NOT_FULFILLED

# Outcomes of orders that are still to be dealt with.
WAITING = ("listed", "waiting")
# So many go into the inbox at once, when no more than the lesser number wait there: a pause then
# takes effect soon, and the inbox stays readable.
FEED, FEED_BELOW = 500, 200
FEED_SECONDS = 5
# Behind everything else in the inbox.
PRIORITY = 50
# Nothing of what happened long ago is news to anybody.
_QUIET = {"mail_auto_subscribe_no_notify": True, "mail_notrack": True}


class ShopifyOrderLister(models.AbstractModel):
    """Lists the orders of an import by an export, and feeds the inbox with them bit by bit."""

    _name = "shopify.order.lister"
    _description = "Shopify Order Lister"

    def _query(self, history):
        """Shopify's search; without a status some of its lists show open orders only."""
        until = min(filter(None, (history.date_to, history.started_at)))
        parts = ["status:any"]
        if history.date_from:
            parts.append(f"processed_at:>='{history.date_from.isoformat()}Z'")
        parts.append(f"processed_at:<='{until.isoformat()}Z'")
        return " ".join(parts)

    # === LISTING === #

    def _history(self, operation):
        return (
            self.env["shopify.order.history"]
            .sudo()
            .search([("operation_id", "=", operation.id)], limit=1)
        )

    def _bulk_record(self, operation):
        return self._history(operation)

    def _bulk_query(self, operation):
        return "orders", {"query": self._query(self._history(operation))}

    def _bulk_lines(self, operation, values):
        history = self._history(operation)
        columns = [
            [value["id"] for value in values],
            [value.get("name") for value in values],
            [value.get("processedAt") for value in values],
            [(value.get("displayFulfillmentStatus") or "").lower() for value in values],
        ]
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_order_history_line
                    (history_id, backend_id, outcome, live, gid, name, processed_at,
                    fulfillment_status)
                SELECT %s, %s, 'listed', FALSE, t.gid, t.name, t.at AT TIME ZONE 'utc', t.status
                FROM unnest(%s::varchar[], %s::varchar[], %s::timestamptz[], %s::varchar[])
                    AS t (gid, name, at, status)
                ON CONFLICT DO NOTHING
                """,
                history.id,
                history.backend_id.id,
                *columns,
            )
        )
        history.line_ids.invalidate_model()

    def _bulk_done(self, operation):
        history = self._history(operation)
        if history.state == "running":
            history._continue()

    def _bulk_failed(self, operation):
        history = self._history(operation)
        if history.state == "running":
            history.write({"state": "failed", "ended_at": fields.Datetime.now()})

    # === FEEDING === #

    def _feed(self, history):
        """Put the next orders into the inbox, when few of this import are there.

        :return: a sentence for the job
        """
        history = history.sudo().exists()
        if not history or history.state != "running" or not self._lock(history):
            return self.env._("Nothing is to be done now.")
        waiting, listed = self._left(history)
        if listed and waiting <= FEED_BELOW:
            self._put(history)
            waiting, listed = self._left(history)
        if not waiting and not listed and history.operation_id.state in ("done", False):
            history.write({"state": "done", "ended_at": fields.Datetime.now()})
            return self.env._("All orders were dealt with.")
        if waiting or listed:
            history._continue(delay=FEED_SECONDS)
        return self.env._(
            "%(waiting)s wait in the inbox, %(listed)s before it.", waiting=waiting, listed=listed
        )

    def _lock(self, history):
        self.env.cr.execute(
            SQL(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
                f"shopify.history:{history.id}",
            )
        )
        return self.env.cr.fetchone()[0]

    def _left(self, history):
        """How many wait in the inbox, and whether any is still before it."""
        self.env.cr.execute(
            SQL(
                """
                SELECT count(*) FILTER (WHERE outcome = 'waiting'),
                    count(*) FILTER (WHERE outcome = 'listed')
                FROM shopify_order_history_line
                WHERE history_id = %s AND outcome = ANY(%s)
                """,
                history.id,
                list(WAITING),
            )
        )
        return self.env.cr.fetchone()

    def _put(self, history):
        backend = history.backend_id
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_order_history_line l SET outcome = 'waiting',
                    live = l.processed_at >= %(live_since)s AND EXISTS (
                        SELECT 1 FROM shopify_webhook_event e
                        WHERE e.backend_id = l.backend_id AND e.resource_gid = l.gid
                            AND e.source IN ('webhook', 'poll')
                            AND e.state IN ('pending', 'blocked', 'failed'))
                WHERE id IN (
                    SELECT id FROM shopify_order_history_line
                    WHERE history_id = %(history)s AND outcome = 'listed'
                    ORDER BY id LIMIT %(limit)s)
                RETURNING gid
                """,
                live_since=backend.import_from or backend.create_date,
                history=history.id,
                limit=FEED,
            )
        )
        items = [
            {"topic": "history", "gid": gid, "source": "history", "priority": PRIORITY}
            for (gid,) in self.env.cr.fetchall()
        ]
        self.env["shopify.inbox"]._put(backend, items)
        self.env["shopify.inbox"]._trigger(backend)


class ShopifyInbox(models.AbstractModel):
    _inherit = "shopify.inbox"

    def _log_verdicts(self, backend, verdicts, nodes):
        """What became of an order is noted in the imports that it is part of, in the transaction
        that brought it about.
        """
        result = super()._log_verdicts(backend, verdicts, nodes)
        told = {
            gid: verdict
            for gid, verdict in verdicts.items()
            if verdict.outcome != "retry" and "/Order/" in gid
        }
        if told:
            self.env.cr.execute(
                SQL(
                    """
                    UPDATE shopify_order_history_line l
                    SET outcome = t.outcome, message = t.message
                    FROM unnest(%s::varchar[], %s::varchar[], %s::varchar[])
                        AS t (gid, outcome, message)
                    WHERE l.backend_id = %s AND l.gid = t.gid
                        AND l.outcome IN ('waiting', 'blocked', 'failed')
                    """,
                    list(told),
                    [verdict.outcome for verdict in told.values()],
                    [verdict.message for verdict in told.values()],
                    backend.id,
                )
            )
            self.env["shopify.order.history.line"].invalidate_model(flush=False)
        return result


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _process_batch(self, backend, nodes, context):
        """Orders of an import of the past apart from the new ones, and quietly."""
        imports = self._past_imports(backend, list(nodes))
        new = {gid: node for gid, node in nodes.items() if gid not in imports}
        past = {gid: node for gid, node in nodes.items() if gid in imports}
        outcomes = super()._process_batch(backend, new, context) if new or not past else {}
        if past:
            quiet = {**_QUIET, "shopify_past_imports": imports}
            worker = self.with_context(**quiet)
            outcomes |= super(ShopifyOrderImporter, worker)._process_batch(
                backend.with_context(**quiet), past, context
            )
        return outcomes

    def _past_imports(self, backend, gids):
        """Which orders a person asked to import as part of the past: ``{gid: import's id}``.

        That holds however they come in: an order that waited for a decision is released by a
        retry or by a webhook.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT DISTINCT ON (gid) gid, history_id FROM shopify_order_history_line
                WHERE backend_id = %s AND gid = ANY(%s::varchar[]) AND outcome != 'listed'
                    AND NOT live
                ORDER BY gid, id DESC
                """,
                backend.id,
                gids,
            )
        )
        return dict(self.env.cr.fetchall())

    def _settled(self, backend, order, binding, by_hand):
        """Somebody asked for these orders, so the store's first date does not matter; those that
        are in Odoo and up to date stay as they are.
        """
        asked = not binding and order.gid in self.env.context.get("shopify_past_imports", ())
        return super()._settled(backend, order, binding, by_hand or asked)


class ShopifyOrderCreator(models.AbstractModel):
    _inherit = "shopify.order.creator"

    def _further_vals(self, backend, order):
        imports = self.env.context.get("shopify_past_imports") or {}
        history = self.env["shopify.order.history"].sudo().browse(imports.get(order.gid))
        vals = super()._further_vals(backend, order)
        if not history:
            return vals
        vals["history_id"] = history.id
        if history.as_new:
            return vals
        delivered = order.fulfillment_status not in NOT_FULFILLED
        without = history.deliveries == "none" or (history.deliveries == "open" and delivered)
        vals.update(
            historical=True,
            without_delivery=without,
            without_accounting=history.accounting == "none",
        )
        if without or not history.reserve:
            vals["reserve_pending"] = False
        return vals


class ShopifyOrderConfirmer(models.AbstractModel):
    _inherit = "shopify.order.confirmer"

    def _create_references(self, sales):
        """Where nothing is delivered, nothing is to be linked with deliveries."""
        past = sales.shopify_order_ids.filtered("without_delivery").sale_order_id
        return super()._create_references(sales - past)


class ShopifyOrderHolder(models.AbstractModel):
    _inherit = "shopify.order.holder"

    def _holds(self, backend, order, binding=None):
        """Whether to send what was sent long ago is no question any more."""
        past = order.gid in (self.env.context.get("shopify_past_imports") or {})
        if (past or (binding and binding.historical)) and (
            order.fulfillment_status not in NOT_FULFILLED
        ):
            return False
        return super()._holds(backend, order, binding)


class ShopifyAccountant(models.AbstractModel):
    _inherit = "shopify.accountant"

    def _account(self, backend, orders):
        return super()._account(
            backend, orders.filtered(lambda order: not order.without_accounting)
        )
