from odoo import api, fields, models
from odoo.tools import SQL

from ..mappers.payments import BOOKED_KINDS


class ShopifyPayment(models.Model):
    """A transaction of an order, as Shopify states it, and what was booked for it.

    The unique Shopify id of the binding sees to it that no transaction is booked twice.
    """

    _name = "shopify.payment"
    _inherit = "shopify.binding"
    _description = "Shopify Payment"
    _rec_name = "gateway"
    _order = "processed_at desc, id desc"

    order_id = fields.Many2one(
        "shopify.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    sale_order_id = fields.Many2one(related="order_id.sale_order_id")
    refund_id = fields.Many2one(
        "shopify.refund", readonly=True, ondelete="set null", index="btree_not_null"
    )
    parent_gid = fields.Char(string="Parent Transaction", readonly=True)
    # Shopify adds values to its enumerations between versions, so these are no selections.
    kind = fields.Char(readonly=True)
    status = fields.Char(readonly=True)
    gateway = fields.Char(readonly=True)
    gateway_title = fields.Char(string="Gateway Name", readonly=True)
    manual = fields.Boolean(string="Manual Gateway", readonly=True)
    processed_at = fields.Datetime(string="Date", readonly=True)
    reference = fields.Char(
        readonly=True, help="Id of the payment at the provider, as Shopify tells it."
    )
    test = fields.Boolean(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True, help="In the currency of the order.")
    shop_currency_id = fields.Many2one("res.currency", readonly=True)
    shop_amount = fields.Monetary(
        string="Amount in Store Currency", currency_field="shop_currency_id", readonly=True
    )
    customer_currency_id = fields.Many2one("res.currency", readonly=True)
    customer_amount = fields.Monetary(
        string="Amount Paid",
        currency_field="customer_currency_id",
        readonly=True,
        help="In the currency that the customer paid in.",
    )
    rounding = fields.Monetary(
        string="Cash Rounding",
        readonly=True,
        help="What the till took more than the amount (or less, when it is negative).",
    )
    fee_currency_id = fields.Many2one("res.currency", readonly=True)
    fee = fields.Monetary(
        currency_field="fee_currency_id",
        readonly=True,
        help="What Shopify Payments keeps of this payment, in the currency of the payout.",
    )
    fee_tax = fields.Monetary(
        string="Tax on the Fee", currency_field="fee_currency_id", readonly=True
    )
    settlement_currency = fields.Char(readonly=True)
    settlement_rate = fields.Float(readonly=True, digits=(16, 8))
    payment_id = fields.Many2one(
        "account.payment",
        string="Booked Payment",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
    )
    move_id = fields.Many2one(
        "account.move",
        string="Journal Entry",
        readonly=True,
        ondelete="restrict",
        index="btree_not_null",
        copy=False,
    )
    ignored = fields.Boolean(
        readonly=True, help="The gateway is mapped as not booked, or the amount is zero."
    )
    state = fields.Selection(
        [
            ("booked", "Booked"),
            ("ignored", "Not Booked"),
            ("open", "To Book"),
            ("no_money", "No Money"),
        ],
        compute="_compute_state",
        help="No money: authorised only, pending, failed or void; a refund is booked with its"
        " credit note.",
    )

    _to_book_idx = models.Index("(order_id) WHERE move_id IS NULL AND ignored IS NOT TRUE")

    @api.depends("kind", "status", "move_id", "ignored")
    def _compute_state(self):
        for payment in self:
            if payment.move_id:
                payment.state = "booked"
            elif not payment._is_money():
                payment.state = "no_money"
            else:
                payment.state = "ignored" if payment.ignored else "open"

    def _is_money(self):
        """Whether this moved money that is booked from here."""
        return self.status == "success" and self.kind in BOOKED_KINDS

    def _cash(self):
        """What really came in or went out: the amount, rounded at the till.

        Shopify's ``amountSet`` is the exact amount, which settles the order; the cash is
        ``amountSet + amountRoundingSet``. Source:
        https://shopify.dev/changelog/new-cash-rounding-on-order-and-order-transaction
        """
        self.ensure_one()
        return self.currency_id.round(self.amount + self.rounding)

    def action_view_booking(self):
        """Open the payment or the entry that was booked."""
        self.ensure_one()
        return (self.payment_id or self.move_id)._get_records_action()


class ShopifyAccountingTask(models.Model):
    """Orders whose invoices and payments are to be looked at; a job takes the rows away.

    Rows are only inserted, never changed, so whoever adds one waits for nobody; several rows
    of one order are worked on once.
    """

    _name = "shopify.accounting.task"
    _description = "Shopify Accounting Task"
    _log_access = False

    backend_id = fields.Many2one(
        "shopify.backend", required=True, readonly=True, ondelete="cascade", index=True
    )
    order_id = fields.Many2one(
        "shopify.order", required=True, readonly=True, ondelete="cascade", index=True
    )

    @api.model
    def _add(self, orders):
        """Insert a task for each of these ``shopify.order``, and see that a job comes."""
        if not orders:
            return
        orders.flush_recordset(["backend_id"])
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO shopify_accounting_task (backend_id, order_id)
                SELECT backend_id, id FROM shopify_order WHERE id = ANY(%s)
                """,
                orders.ids,
            )
        )
        for backend in orders.sudo().backend_id:
            backend._trigger_accounting()

    @api.model
    def _add_sales(self, sales):
        """The same for sale orders whose stores do accounting; nothing for all others."""
        sales = sales.sudo().filtered("shopify_backend_id")
        if not sales:
            return
        active = sales.shopify_backend_id.filtered(lambda backend: backend._does_accounting())
        self._add(sales.filtered(lambda sale: sale.shopify_backend_id in active).shopify_order_ids)
