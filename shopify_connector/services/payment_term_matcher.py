"""When business customers pay, as payment terms of Odoo."""

from __future__ import annotations

from odoo import models

from ..mappers.titles import title_key
from .dry_run import note

# Terms whose first day is the order's own; the others start later, or name a day.
AT_ONCE = frozenset({"receipt"})


class ShopifyPaymentTermMatcher(models.AbstractModel):
    """Terms are those of the store's mapping by name, else those of Odoo with that name, else
    those that ask for everything after that number of days.

    An order is never stopped by its terms: without any it has none, and a note.
    """

    _name = "shopify.payment.term.matcher"
    _description = "Shopify Payment Term Matcher"

    def _match(self, backend, orders):
        """Find the payment terms of a batch of orders.

        :param orders: list of :class:`~..mappers.order_types.Order`, with and without terms
        :return: ``({order.gid: account.payment.term}, {order.gid: note})``
        """
        orders = [order for order in orders if order.payment_terms]
        found, notes = {}, {}
        if not orders:
            return found, notes
        mapped = {
            row.name_key: row
            for row in self.env["shopify.payment.term.mapping"].search(
                [("backend_id", "=", backend.id)]
            )
            if row.payment_term_id
        }
        Term = self.env["account.payment.term"]
        known = Term.search([("company_id", "in", (False, backend.company_id.id))])
        by_name = {}
        for term in known:
            by_name.setdefault(title_key(term.name), term)
        for order in orders:
            terms = order.payment_terms
            key = title_key(terms.name)
            row = mapped.get(key)
            term = row.payment_term_id if row else by_name.get(key) or self._of_days(known, terms)
            if term:
                found[order.gid] = term
                rule = "mapping" if row else "name" if key in by_name else "days"
                note(self.env, "payment_term", rule, {order.gid: row})
            else:
                notes[order.gid] = self.env._(
                    'No payment terms of Odoo stand for "%(name)s". The due date is taken from'
                    " Shopify where it states one.",
                    name=terms.name or terms.kind,
                )
        return found, notes

    def _of_days(self, known, terms):
        """Everything in one amount, that many days after the invoice."""
        days = 0 if terms.kind in AT_ONCE else terms.due_in_days
        if days is None:
            return known.browse()
        return known.filtered(lambda term: self._days(term) == days)[:1]

    def _days(self, term):
        line = term.line_ids
        if len(line) != 1 or line.delay_type != "days_after" or term.early_discount:
            return None
        return line.nb_days
