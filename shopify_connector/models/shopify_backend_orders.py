import random

from odoo import api, fields, models
from odoo.exceptions import LockError, UserError, ValidationError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.queue_job.exception import RetryableJobError

from ..mappers.odoo_values import check_name_pattern
from ..services.outcome import Block

RESERVE_BATCH = 50


class ShopifyBackend(models.Model):
    """How orders of a store are imported."""

    _inherit = "shopify.backend"

    import_orders = fields.Boolean(default=True, tracking=True)
    order_name_pattern = fields.Char(
        string="Order Name",
        default="{name}",
        required=True,
        tracking=True,
        help="{name} is Shopify's order name (#1001), {number} its number, {store} the"
        " code below; also {confirmation}, {channel}, {year}. Example: {store}-{number:06d}",
    )
    order_code = fields.Char(
        string="Store Code", tracking=True, help="Value of {store} in the order name."
    )
    currency_policy = fields.Selection(
        [
            ("shop", "Store currency"),
            ("presentment", "Currency the customer paid in"),
        ],
        string="Order Currency",
        default="shop",
        required=True,
        tracking=True,
    )
    import_from = fields.Datetime(
        string="Orders From",
        tracking=True,
        help="Orders processed before are not imported automatically.",
    )
    financial_filter = fields.Selection(
        [
            ("any", "Any"),
            ("authorized", "Authorized or paid"),
            ("paid", "Paid"),
        ],
        string="Payment Status",
        default="any",
        required=True,
        tracking=True,
    )
    fulfillment_filter = fields.Selection(
        [("any", "Any"), ("open", "Not completely fulfilled")],
        string="Fulfilment Status",
        default="any",
        required=True,
        tracking=True,
    )
    tag_filter = fields.Char(
        string="Only with Tags", tracking=True, help="Comma separated; any of them."
    )
    tag_exclude = fields.Char(
        string="Not with Tags", tracking=True, help="Comma separated; none of them."
    )
    channel_filter = fields.Char(
        string="Only Channels",
        tracking=True,
        help="Comma separated source names, e.g. web, pos, shopify_draft_order.",
    )
    import_test_orders = fields.Boolean(tracking=True)
    confirm_policy = fields.Selection(
        [
            ("quotation", "Keep as quotation"),
            ("paid", "Confirm when paid"),
            ("always", "Confirm always"),
        ],
        string="Confirmation",
        default="paid",
        required=True,
        tracking=True,
    )
    reserve = fields.Boolean(
        string="Reserve Stock",
        default=True,
        tracking=True,
        help="Reserve the goods as soon as the order is confirmed.",
    )
    customer_strategy = fields.Selection(
        [
            ("each", "One contact per customer"),
            ("company", "The company of business customers"),
            ("single", "One contact for the whole store"),
        ],
        string="Customers",
        default="each",
        required=True,
        tracking=True,
        help="Whom orders belong to. A company's orders belong to the person who bought, a contact"
        " of that company, or to the company itself; private customers have a contact each.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        string="Store Customer",
        check_company=True,
        tracking=True,
        help="Takes all orders of the store; addresses are still kept per order.",
    )
    match_sku = fields.Boolean(string="Link by SKU", default=True, tracking=True)
    match_barcode = fields.Boolean(string="Link by Barcode", default=True, tracking=True)
    missing_product = fields.Selection(
        [
            ("placeholder", "Placeholder product, mapped later"),
            ("stop", "Stop the order until mapped"),
        ],
        default="stop",
        required=True,
        tracking=True,
        help="What happens to an order line whose variant is known in Shopify but in no"
        " way in Odoo. Custom lines and deleted variants always use the placeholder.",
    )
    team_id = fields.Many2one("crm.team", check_company=True, tracking=True)
    salesperson_id = fields.Many2one("res.users", tracking=True)
    order_ids = fields.One2many("shopify.order", "backend_id")

    @api.constrains("order_name_pattern")
    def _check_order_name_pattern(self):
        for backend in self:
            try:
                check_name_pattern(backend.order_name_pattern or "")
            except ValueError as error:
                raise ValidationError(str(error)) from error

    # === RESERVATION === #

    def _trigger_reservation(self):
        """Reserve the stock of the orders that wait for it, once this transaction is through."""
        self.ensure_one()
        worker = self.with_user(self.user_id).with_company(self.company_id)
        worker.with_delay(
            channel="root.shopify.reserve",
            identity_key=f"shopify:{self.id}:reserve",
            description=self.env._("Reserve stock of %s", self.name),
        )._job_reserve()

    def _job_reserve(self):
        """Reserve stock of confirmed orders."""
        self.ensure_one()
        backend = self._as_integration_user().sudo()
        orders = backend.env["shopify.order"].search(
            [("backend_id", "=", backend.id), ("reserve_pending", "=", True)],
            limit=RESERVE_BATCH + 1,
            order="id",
        )
        more, orders = len(orders) > RESERVE_BATCH, orders[:RESERVE_BATCH]
        if not orders:
            return self.env._("No order waits for its stock.")
        try:
            backend._reserve(orders)
        except (LockError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY) as error:
            raise self._stock_is_busy() from error
        if more:
            backend._trigger_reservation()
        return self.env._("%s orders reserved.", len(orders))

    def _stock_is_busy(self):
        return RetryableJobError(
            self.env._("Somebody else is moving these goods."),
            seconds=random.randint(1, 4),
            ignore_retry=True,
        )

    def _reserve(self, orders):
        """Reserve as Odoo does at confirmation: a batch at once, one by one when that fails."""
        try:
            with self.env.cr.savepoint():
                self._reservable_moves(orders)._action_assign()
                orders.reserve_pending = False
        except LockError:
            raise
        except UserError:
            for order in orders:
                self._reserve_alone(order)

    def _reserve_alone(self, order):
        try:
            with self.env.cr.savepoint():
                self._reservable_moves(order)._action_assign()
        except LockError:
            raise
        except UserError as error:
            block = Block(
                category="stock",
                key=order.shopify_gid,
                title=self.env._("The goods of order %s cannot be reserved", order.name),
                message=str(error),
                remedy=self.env._("Check availability on the delivery of the order."),
                res_model="sale.order",
                res_id=order.sale_order_id.id,
            )
            self.env["shopify.exception"]._report(self, {False: (order.name, [block])})
        order.reserve_pending = False

    def _reservable_moves(self, orders):
        moves = orders.sale_order_id.picking_ids.move_ids
        return moves.filtered(
            lambda move: (
                move.state in ("confirmed", "waiting", "partially_available")
                and (move._should_bypass_reservation() or move._should_assign_at_confirm())
            )
        )

    @api.model
    def _cron_reserve(self):
        """Net below the jobs: a reservation that no job will do."""
        groups = self.env["shopify.order"]._read_group(
            [("reserve_pending", "=", True)], ["backend_id"]
        )
        for (backend,) in groups:
            backend._trigger_reservation()
