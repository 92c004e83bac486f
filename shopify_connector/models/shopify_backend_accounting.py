from odoo import api, fields, models

from odoo.addons.queue_job.exception import RetryableJobError

from .shopify_payment_mapping import INVOICE_MOMENTS, INVOICE_POLICIES

ACCOUNTING_BATCH = 50
# Settings whose change may be what blocked orders wait for.
_REMEDIES = {
    "booking_date": "period",
    "invoice_journal_id": "journal",
    "payment_journal_id": "gateway",
    "gift_card_account_id": "gateway",
    "store_credit_account_id": "gateway",
    "rounding_account_id": "rounding",
}


class ShopifyBackend(models.Model):
    """How orders of a store are invoiced and their payments booked."""

    _inherit = "shopify.backend"

    invoice_policy = fields.Selection(
        INVOICE_POLICIES,
        string="Invoices",
        default="none",
        required=True,
        tracking=True,
        help="May be chosen differently per payment gateway.",
    )
    invoice_when = fields.Selection(
        INVOICE_MOMENTS,
        string="Invoice Orders",
        default="payment",
        required=True,
        tracking=True,
    )
    book_payments = fields.Boolean(
        string="Book Payments Always",
        tracking=True,
        help="Book each successful payment as soon as Shopify tells of it, whether or not its"
        " order is invoiced. Otherwise payments are booked for orders whose invoices are to be"
        " posted with their payments.",
    )
    booking_date = fields.Selection(
        [
            ("event", "When it happened"),
            ("today", "When it is booked"),
        ],
        string="Date of Invoices and Payments",
        default="event",
        required=True,
        tracking=True,
        help="Bookings on the day of the event in Shopify or in the warehouse keep months as"
        " the customer saw them, but wait when the period is closed.",
    )
    invoice_journal_id = fields.Many2one(
        "account.journal",
        check_company=True,
        domain="[('type', '=', 'sale')]",
        tracking=True,
        help="Empty: the company's first sales journal.",
    )
    payment_journal_id = fields.Many2one(
        "account.journal",
        check_company=True,
        domain="[('type', 'in', ('bank', 'cash', 'credit'))]",
        tracking=True,
        help="Money of gateways that have no mapping of their own. Empty: their orders wait"
        " until the gateway is mapped.",
    )
    gift_card_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        tracking=True,
        help="Liability for gift cards sold: debited when an order is paid with one.",
    )
    store_credit_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        tracking=True,
        help="Liability for store credit granted: debited when an order is paid with it.",
    )
    rounding_account_id = fields.Many2one(
        "account.account",
        string="Cash Rounding Account",
        check_company=True,
        tracking=True,
        help="Takes what tills round cash payments by, so that invoices are paid to the cent. Only"
        " needed where Shopify POS rounds cash.",
    )
    payment_mapping_ids = fields.One2many("shopify.payment.mapping", "backend_id")

    def write(self, vals):
        result = super().write(vals)
        prefixes = {prefix for name, prefix in _REMEDIES.items() if vals.get(name)}
        if prefixes:
            self._resolve_accounting(prefixes)
        return result

    def _does_accounting(self):
        """Whether invoices or payments of this store can be asked of us at all."""
        self.ensure_one()
        if self.invoice_policy != "none" or self.book_payments:
            return True
        return any(self.payment_mapping_ids.mapped("invoice_policy"))

    def _resolve_accounting(self, prefixes):
        """Orders that wait for such causes are tried again."""
        Exceptions = self.env["shopify.exception"].sudo()
        for backend in self:
            known = Exceptions.search_fetch(
                [
                    ("backend_id", "=", backend.id),
                    ("category", "=", "accounting"),
                    ("state", "=", "open"),
                ],
                ["key"],
            )
            keys = [key for key in known.mapped("key") if key.partition("|")[0] in prefixes]
            if keys:
                Exceptions._resolve(backend, "accounting", keys)

    # === JOB === #

    def _trigger_accounting(self):
        """Look at the accounting of the orders that wait, once this transaction is through."""
        self.ensure_one()
        self._delay(
            f"shopify:{self.id}:accounting",
            description=self.env._("Invoices and payments of %s", self.name),
        )._job_account()

    def _job_account(self):
        """Make the invoices of orders and book their payments."""
        self.ensure_one()
        backend = self._as_integration_user().sudo()
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"shopify:{self.id}:accounting"],
        )
        if not self.env.cr.fetchone()[0]:
            raise RetryableJobError(
                self.env._("The accounting of this store is at work already."),
                seconds=2,
                ignore_retry=True,
            )
        tasks = backend.env["shopify.accounting.task"].search(
            [("backend_id", "=", backend.id)], order="id", limit=ACCOUNTING_BATCH + 1
        )
        more, tasks = len(tasks) > ACCOUNTING_BATCH, tasks[:ACCOUNTING_BATCH]
        if not tasks:
            return self.env._("No order waits for its accounting.")
        orders = tasks.order_id
        tasks.unlink()
        blocks = backend.env["shopify.accountant"]._account(backend, orders)
        if more:
            backend._trigger_accounting()
        return self.env._(
            "%(count)s orders, %(blocked)s of them wait.", count=len(orders), blocked=len(blocks)
        )

    @api.model
    def _cron_account(self):
        """Net below the jobs: orders for which no job comes."""
        groups = self.env["shopify.accounting.task"]._read_group([], ["backend_id"])
        for (backend,) in groups:
            backend._trigger_accounting()
