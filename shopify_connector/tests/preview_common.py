"""What a preview must leave as it was."""

import os

from odoo.tools import SQL, config

from .accounting_common import AccountingCase
from .order_nodes import OrderNode

# What a preview asks Shopify for; none of these changes anything there.
QUERIES = {"OrdersIds", "OrderByIds", "OrderPageLineItems"}


class PreviewCase(AccountingCase):
    """Orders in the stand-in store, and a look at everything that could have been written."""

    def setUp(self):
        super().setUp()
        self.us.shop_country_id = self.env.ref("base.us")
        # The token that Shopify gives is the connection's, not the order's.
        self.previewer._read(self.us, self.load(OrderNode(900).line("A", "1.00"))["name"])

    @property
    def previewer(self):
        return self.env["shopify.order.previewer"]

    def load(self, order):
        """Put an order into the store; returns its node."""
        node = order.node if isinstance(order, OrderNode) else order
        self.sandbox.load([node], self.us.shop_domain)
        return node

    def preview(self, order, **options):
        """Preview an order, and see that nothing was written."""
        name = order if isinstance(order, str) else self.load(order)["name"]
        self.env.flush_all()
        before, calls = self.everything(), self.calls()
        try:
            return self.previewer._preview(self.us, name, **options)
        finally:
            self.assertSame(before, self.everything())
            asked = self.calls()[len(calls) :]
            self.assertLessEqual({*asked}, QUERIES)

    def calls(self):
        """Names of the operations that the store was asked for, in order."""
        return [entry["operation"] for entry in self.shop(self.us).log]

    def everything(self):
        return everything(self.env)

    def assertSame(self, before, after):
        changed = {key for key in before.keys() | after if before.get(key) != after.get(key)}
        self.assertFalse(changed)


def everything(env):
    """Contents of all tables (with the transaction that wrote each row), next numbers of all
    sequences of Odoo, files, what caches were told, hooks that wait for the commit."""
    found = {table: _digest(env.cr, table) for table in _tables(env.cr)}
    found |= {("sequence", name): value for name, value in _numbers(env.cr)}
    found["files"] = _files(env.cr)
    found["caches"] = set(env.registry.cache_invalidated)
    found["hooks"] = len(env.cr.postcommit._funcs)
    return found


def _tables(cr):
    cr.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema ORDER BY 1")
    return [name for (name,) in cr.fetchall()]


def _digest(cr, table):
    cr.execute(
        SQL(
            "SELECT count(*), sum(hashtextextended(t.xmin::text || t::text, 0)::numeric) FROM %s t",
            SQL.identifier(table),
        )
    )
    return cr.fetchone()


def _numbers(cr):
    cr.execute("SELECT sequencename FROM pg_sequences WHERE sequencename ~ '^ir_sequence_[0-9_]+$'")
    for (name,) in cr.fetchall():
        cr.execute(SQL("SELECT last_value, is_called FROM %s", SQL.identifier(name)))
        yield name, cr.fetchone()


def _files(cr):
    found = set()
    for folder, _folders, names in os.walk(config.filestore(cr.dbname)):
        found |= {os.path.join(folder, name) for name in names}
    return found
