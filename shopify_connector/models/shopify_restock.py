import random

from odoo import api, fields, models
from odoo.exceptions import LockError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.queue_job.exception import RetryableJobError

RESTOCK_BATCH = 20


class ShopifyBackend(models.Model):
    """What becomes of goods that come back."""

    _inherit = "shopify.backend"

    return_policy = fields.Selection(
        [
            ("none", "Only keep them"),
            ("ready", "Receipts for the warehouse"),
            ("done", "Receipts, validated"),
        ],
        string="Returned Goods",
        default="ready",
        required=True,
        tracking=True,
        help="What is made of units that Shopify says came back. The warehouse validates receipts"
        " when the goods are there; validated ones raise the stock at once.",
    )
    discard_policy = fields.Selection(
        [("none", "No movement"), ("scrap", "Return to the scrap location")],
        string="Goods Not Restocked",
        default="none",
        required=True,
        tracking=True,
        help="What is made of units that were refunded, or received, without being put back into"
        " stock.",
    )

    def _trigger_restock(self):
        """Take goods back once this transaction is through.

        One job per store, beside the one that reserves: both change quantities of products.
        """
        for backend in self:
            worker = backend.with_user(backend.user_id).with_company(backend.company_id)
            worker.with_delay(
                channel="root.shopify.reserve",
                identity_key=f"shopify:{backend.id}:restock",
                description=self.env._("Take back goods of %s", backend.name),
            )._job_restock()

    def _job_restock(self):
        """Make the receipts of goods that came back."""
        self.ensure_one()
        backend = self._as_integration_user().sudo().with_company(self.company_id)
        orders = backend.env["shopify.order"].search(
            [
                ("backend_id", "=", backend.id),
                ("restock_pending", "=", True),
                # A quotation may be confirmed yet.
                ("sale_order_id.state", "in", ("sale", "cancel")),
            ],
            limit=RESTOCK_BATCH + 1,
            order="id",
        )
        more, orders = len(orders) > RESTOCK_BATCH, orders[:RESTOCK_BATCH]
        if not orders:
            return self.env._("No goods came back.")
        try:
            backend.env["shopify.refund.restocker"]._restock(backend, orders)
        except (LockError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY) as error:
            raise RetryableJobError(
                self.env._("Somebody else is moving these goods."),
                seconds=random.randint(1, 4),
                ignore_retry=True,
            ) from error
        if more:
            backend._trigger_restock()
        return self.env._("Goods of %s orders looked at.", len(orders))

    @api.model
    def _cron_reserve(self):
        """Net below the jobs: goods that no job will take back."""
        result = super()._cron_reserve()
        groups = self.env["shopify.order"]._read_group(
            [("restock_pending", "=", True), ("sale_order_id.state", "in", ("sale", "cancel"))],
            ["backend_id"],
        )
        for (backend,) in groups:
            backend._trigger_restock()
        return result


class ShopifyOrder(models.Model):
    _inherit = "shopify.order"

    goods_back = fields.Json(
        prefetch=False,
        copy=False,
        readonly=True,
        help="Units that came back in Shopify, by line; see GoodsBack.",
    )
    restock_pending = fields.Boolean(copy=False, readonly=True)
    restock_error = fields.Char(
        copy=False, readonly=True, help="Why the goods that came back could not be taken in."
    )

    _restock_pending_idx = models.Index("(backend_id, id) WHERE restock_pending")

    def action_take_back(self):
        """Try again to take in the goods that came back."""
        self._check_operator()
        orders = self.sudo()
        orders.restock_pending = True
        orders.backend_id._trigger_restock()
        return self.backend_id[:1]._notify(self.env._("Looked at in a moment."), reload=True)

    def action_return_goods(self):
        """Goods that are expected already must not be returned twice."""
        expected = self.sale_order_id.picking_ids.filtered(
            lambda picking: (
                picking.state not in ("done", "cancel")
                and (picking.shopify_refund_id or picking.shopify_return_id)
            )
        )
        if not expected:
            return super().action_return_goods()
        self._check_operator()
        return expected._get_records_action(name=self.env._("Returned Goods"))


class ShopifyReturn(models.Model):
    _inherit = "shopify.return"

    picking_ids = fields.One2many(
        "stock.picking", "shopify_return_id", string="Returned Goods", readonly=True
    )
    picking_count = fields.Integer(compute="_compute_picking_count")

    @api.depends("picking_ids")
    def _compute_picking_count(self):
        for item in self:
            item.picking_count = len(item.sudo().picking_ids)

    def action_view_pickings(self):
        """Open the receipts of the goods."""
        return self.picking_ids._get_records_action(name=self.env._("Returned Goods"))


class StockPicking(models.Model):
    _inherit = "stock.picking"

    shopify_return_id = fields.Many2one(
        "shopify.return", readonly=True, ondelete="set null", index="btree_not_null", copy=False
    )


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    shopify_taken_back = fields.Float(
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="Units that came back in Shopify and were dealt with here. No unit is dealt with"
        " twice.",
    )
    shopify_discarded = fields.Float(
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="The same of units that were not put back into stock.",
    )
    shopify_unsent = fields.Float(
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="The same of units that had not been sent.",
    )
    shopify_not_sent = fields.Float(
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="Those of all three that never left: their delivery was cancelled.",
    )

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """What came back by a refund or a return is not owed to the customer again."""
        quantity = super()._get_qty_procurement(previous_product_uom_qty)
        if not (self.shopify_taken_back or self.shopify_not_sent):
            return quantity
        return quantity + self.env["shopify.refund.restocker"]._settled(self)
