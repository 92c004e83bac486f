from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..services.order_importer import VISIBLE

# New orders go first.
PRIORITY = 30


class ShopifyAccountingStart(models.TransientModel):
    """Invoices and payments for orders that were imported before a store's accounting was on."""

    _name = "shopify.accounting.start"
    _description = "Account for Imported Shopify Orders"

    backend_id = fields.Many2one("shopify.backend", string="Store", required=True, readonly=True)
    date_from = fields.Date(
        string="Ordered From",
        required=True,
        default=lambda self: fields.Date.context_today(self).replace(day=1),
        help="Orders of earlier days are left as they are.",
    )
    order_count = fields.Integer(string="Orders", compute="_compute_counts")
    read_count = fields.Integer(
        compute="_compute_counts",
        help="Their payments are not in Odoo: the orders are read from Shopify again.",
    )
    old_count = fields.Integer(compute="_compute_counts")
    first_date = fields.Date(compute="_compute_counts", help="Of the first order in Odoo.")

    @api.depends("backend_id", "date_from")
    def _compute_counts(self):
        Order = self.env["shopify.order"]
        for wizard in self:
            domain = wizard._domain()
            unread = domain & Domain("payment_ids", "=", False)
            old = unread & Domain("processed_at", "<", fields.Datetime.now() - VISIBLE)
            wizard.order_count = Order.search_count(domain)
            wizard.read_count = Order.search_count(unread)
            wizard.old_count = Order.search_count(old)
            first = Order.search(
                [("backend_id", "=", wizard.backend_id.id)], order="processed_at", limit=1
            )
            wizard.first_date = first.processed_at and first.processed_at.date()

    def _domain(self):
        """Orders that there is something to account for; what is done is not done again."""
        return Domain(
            [
                ("backend_id", "=", self.backend_id.id),
                ("sale_order_id", "!=", False),
                ("deleted", "=", False),
                ("processed_at", ">=", self.date_from),
            ]
        )

    def action_start(self):
        """Make the tasks; orders whose payments are not known are read again first."""
        self.ensure_one()
        Order = self.env["shopify.order"]
        Order._check_operator()
        backend = self.backend_id.sudo()
        if not backend._does_accounting():
            raise UserError(
                self.env._(
                    "%s makes no invoices and books no payments. Choose on the page Accounting"
                    " of the store what it shall do, and save it first.",
                    backend.name,
                )
            )
        orders = Order.sudo().search(self._domain(), order="processed_at, id")
        unread = orders.filtered(lambda order: not order.payment_ids)
        Inbox = self.env["shopify.inbox"].sudo()
        Inbox._put(
            backend,
            [
                {"topic": "accounting", "gid": gid, "source": "retry", "priority": PRIORITY}
                for gid in unread.mapped("shopify_gid")
            ],
        )
        if unread:
            Inbox._kick(backend)
        self.env["shopify.accounting.task"].sudo()._add(orders - unread)
        message = self.env._(
            "%(count)s orders are accounted for in the background; what cannot be booked is"
            " listed under Exceptions.",
            count=len(orders),
        )
        result = backend._notify(message)
        result["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return result
