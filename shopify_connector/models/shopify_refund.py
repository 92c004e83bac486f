from odoo import api, fields, models
from odoo.exceptions import UserError

from ..services.outcome import Block

REFUND_STATES = [
    ("waiting", "Waiting for Money"),
    ("to_book", "To Book"),
    ("booked", "Booked"),
    ("not_booked", "Nothing to Book"),
    ("exception", "Exception"),
]
# What the log says of a state.
LOGGED = {
    "booked": "created",
    "not_booked": "skipped",
    "waiting": "retry",
    "exception": "blocked",
}
LINE_KINDS = [
    ("item", "Item"),
    ("shipping", "Shipping"),
    ("duty", "Duty"),
    ("adjustment", "Adjustment"),
    ("restocking", "Restocking Fee"),
    ("return_shipping", "Return Shipping Fee"),
    ("goodwill", "Goodwill"),
    ("exchange", "Exchange Difference"),
]


class ShopifyRefund(models.Model):
    """A refund as Shopify states it, and the documents that were made for it.

    The unique Shopify id of the binding sees to it that no refund is credited twice.
    """

    _name = "shopify.refund"
    _inherit = "shopify.binding"
    _description = "Shopify Refund"
    _rec_name = "name"
    _order = "processed_at desc, id desc"

    name = fields.Char(compute="_compute_name", store=True)
    order_id = fields.Many2one(
        "shopify.order", required=True, readonly=True, ondelete="cascade", index=True
    )
    sale_order_id = fields.Many2one(related="order_id.sale_order_id")
    return_id = fields.Many2one(
        "shopify.return", readonly=True, ondelete="set null", index="btree_not_null"
    )
    processed_at = fields.Datetime(string="Date", readonly=True)
    note = fields.Text(readonly=True)
    state = fields.Selection(
        REFUND_STATES,
        default="to_book",
        required=True,
        readonly=True,
        index=True,
        help="Waiting for money: the payment provider has not confirmed it yet. Nothing to book:"
        " no money moved, or nothing of it was invoiced.",
    )
    state_note = fields.Text(string="Why", readonly=True)
    money_state = fields.Selection(
        [("none", "No Money"), ("pending", "Pending"), ("failed", "Failed"), ("done", "Returned")],
        string="Money",
        readonly=True,
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_value = fields.Monetary(
        string="Worth", readonly=True, help="Of the lines, with tax, fees and adjustments."
    )
    amount_money = fields.Monetary(
        string="Returned",
        readonly=True,
        help="Of the transactions that succeeded. The credit note equals it, and the exchanged.",
    )
    amount_gap = fields.Monetary(
        string="Unexplained", readonly=True, help="By how much the lines exceed the money."
    )
    amount_exchanged = fields.Monetary(
        string="Exchanged",
        readonly=True,
        help="What was set off against items that the customer got instead. The credit note is"
        " over it as well; it is matched with the invoice of these items.",
    )
    pays_out = fields.Boolean(
        readonly=True,
        help="Pays for units that were taken off of the order before; they are credited already.",
    )
    uninvoiced = fields.Boolean(
        readonly=True,
        copy=False,
        help="Nothing of it was on an invoice when it was looked at; later ones leave it out.",
    )
    problem = fields.Char(readonly=True)
    content = fields.Char(readonly=True, copy=False, help="Fingerprint of the lines.")
    booked_money = fields.Monetary(
        readonly=True, copy=False, help="The money returned when the credit note was made."
    )
    line_ids = fields.One2many("shopify.refund.line", "refund_id", readonly=True)
    payment_ids = fields.One2many("shopify.payment", "refund_id", readonly=True)
    move_ids = fields.One2many(
        "account.move", "shopify_refund_id", string="Credit Notes", readonly=True
    )
    picking_ids = fields.One2many(
        "stock.picking", "shopify_refund_id", string="Returns of Goods", readonly=True
    )
    units = fields.Integer(compute="_compute_units")
    move_count = fields.Integer(compute="_compute_counts")
    is_credited = fields.Boolean(compute="_compute_is_credited")
    booking_count = fields.Integer(compute="_compute_counts")
    picking_count = fields.Integer(compute="_compute_counts")

    _to_do_idx = models.Index("(order_id) WHERE state IN ('to_book', 'waiting', 'exception')")

    @api.depends("order_id.name", "processed_at")
    def _compute_name(self):
        for refund in self:
            number = refund.shopify_gid.rpartition("/")[2]
            refund.name = self.env._(
                "Refund %(number)s of %(order)s", number=number, order=refund.order_id.name
            )

    @api.depends("line_ids.quantity")
    def _compute_units(self):
        for refund in self:
            refund.units = int(sum(refund.line_ids.mapped("quantity")))

    @api.depends("move_ids", "payment_ids.move_id", "picking_ids", "return_id")
    def _compute_counts(self):
        for refund in self:
            refund.move_count = len(refund.sudo().move_ids)
            refund.booking_count = len(refund.payment_ids.filtered("move_id"))
            refund.picking_count = len(refund.sudo()._receipts())

    @api.depends("move_ids.state")
    def _compute_is_credited(self):
        for refund in self:
            refund.is_credited = bool(refund.sudo()._live_moves())

    def _live_moves(self):
        """The credit notes that stand."""
        return self.move_ids.filtered(lambda move: move.state != "cancel")

    def _link_move(self, move, why):
        """Take a credit note that was not made from here as that of the refund."""
        self.ensure_one()
        move.shopify_refund_id = self
        self.booked_money = self.amount_money
        self._set_state("to_book", why)

    def _set_state(self, state, note=""):
        """Write only what changes; refunds are looked at often."""
        changed = self.filtered(
            lambda refund: refund.state != state or (refund.state_note or "") != note
        )
        changed.write({"state": state, "state_note": note})
        if state in LOGGED:
            changed._log_state()

    def _log_state(self):
        """Lines of the log about what became of refunds."""
        for backend, refunds in self.grouped("backend_id").items():
            self.env["shopify.sync.log"].sudo()._log(
                backend,
                [
                    {
                        "direction": "in",
                        "res_model": self._name,
                        "res_id": refund.id,
                        "name": refund.name,
                        "gid": refund.shopify_gid,
                        "outcome": LOGGED[refund.state],
                        "message": refund._documents_sentence() or refund.state_note,
                        "job_uuid": self.env.context.get("job_uuid"),
                    }
                    for refund in refunds
                ],
            )

    def _documents_sentence(self):
        """What was booked for a refund."""
        if self.state != "booked":
            return ""
        documents = self.sudo()._live_moves() | self.sudo().payment_ids.move_id
        return ", ".join(documents.mapped("display_name"))

    def _block(self, message, title=None, remedy=None):
        """The Block of a refund that needs a person."""
        self.ensure_one()
        return Block(
            category="accounting",
            key=self.shopify_gid,
            title=title or self.env._("A refund of order %s cannot be booked", self.order_id.name),
            message=self.env._(
                "%(refund)s over %(amount)s: %(message)s",
                refund=self.name,
                amount=self.currency_id.format(self.amount_money) if self.currency_id else "?",
                message=message,
            ),
            remedy=remedy
            or self.env._(
                "Compare the refund with Shopify. Make the credit note by hand and link it"
                " (button Link a Credit Note on the refund), or put right what the message says"
                " and retry."
            ),
            res_model="shopify.refund",
            res_id=self.id,
        )

    # === ACTIONS === #

    def action_book(self):
        """Look at these refunds again."""
        self.order_id._check_operator()
        # whose credit note was deleted or cancelled
        self.sudo().filtered(lambda refund: not refund._live_moves())._set_state("to_book")
        self.env["shopify.accounting.task"].sudo()._add(self.order_id)
        return self.backend_id[:1]._notify(self.env._("Looked at in a moment."), reload=True)

    def action_link_move(self):
        """Choose a credit note that was made by hand."""
        self.ensure_one()
        if self._live_moves():
            raise UserError(self.env._("%s has its credit note already.", self.name))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Link a Credit Note"),
            "res_model": "shopify.refund.link",
            "view_mode": "form",
            "target": "new",
            "context": {"default_refund_id": self.id},
        }

    def action_view_moves(self):
        """Open the credit notes."""
        return self.move_ids._get_records_action(name=self.env._("Credit Notes"))

    def action_view_payments(self):
        """List the transactions of the refund and what was booked for them."""
        return self.payment_ids._get_records_action(name=self.env._("Payments"))

    def action_view_pickings(self):
        """Open the returns of goods."""
        return self._receipts()._get_records_action(name=self.env._("Returns of Goods"))

    def action_view_order(self):
        """Open the Shopify order."""
        return self.order_id._get_records_action()


class ShopifyRefundLine(models.Model):
    """One line of what a refund is worth; positive is given to the customer."""

    _name = "shopify.refund.line"
    _description = "Shopify Refund Line"
    _order = "refund_id, id"
    _check_company_auto = True

    refund_id = fields.Many2one(
        "shopify.refund", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="refund_id.company_id", store=True, index=True)
    kind = fields.Selection(LINE_KINDS, required=True, readonly=True)
    shopify_gid = fields.Char(readonly=True)
    line_gid = fields.Char(readonly=True, index="btree_not_null")
    sale_line_id = fields.Many2one(
        "sale.order.line", readonly=True, ondelete="set null", index="btree_not_null"
    )
    name = fields.Char(string="Description", compute="_compute_name")
    reason = fields.Char(readonly=True)
    quantity = fields.Float(digits="Product Unit", readonly=True)
    ordered_quantity = fields.Float(digits="Product Unit", readonly=True)
    gone_quantity = fields.Float(
        digits="Product Unit",
        readonly=True,
        help="Of the ordered units those that are gone now, by all refunds and edits.",
    )
    restock_type = fields.Char(string="Restock", readonly=True)
    restocked = fields.Boolean(readonly=True, help="Shopify's stock went up already.")
    had_left = fields.Boolean(readonly=True, help="Shopify says that the units had been sent.")
    location_gid = fields.Char(readonly=True)
    location_id = fields.Many2one("shopify.location", readonly=True, ondelete="set null")
    currency_id = fields.Many2one(related="refund_id.currency_id")
    amount_untaxed = fields.Monetary(string="Untaxed", readonly=True)
    amount_tax = fields.Monetary(
        string="Tax", readonly=True, help="Over all taxes, as Shopify states it."
    )
    amount_total = fields.Monetary(string="Total", compute="_compute_amount_total")
    # in the store's currency, which the books may be kept in
    shop_untaxed = fields.Float(readonly=True)
    shop_tax = fields.Float(readonly=True)
    ordered_tax = fields.Float(
        readonly=True, help="Shopify's tax of the whole ordered line, or order."
    )
    left_out_tax = fields.Float(readonly=True, help="The part of it that the store does not book.")
    full_amount = fields.Boolean(readonly=True, help="All that was left of the line's amount.")
    credit_line_ids = fields.One2many("account.move.line", "shopify_refund_line_id", readonly=True)

    def _is_taken_off(self):
        """Whether the units were taken off before they were delivered; see
        :mod:`~..mappers.taken_off`.
        """
        edit = self.refund_id.money_state == "none" and not self.refund_id.return_id
        return self.restock_type == "cancel" or (edit and self.restock_type != "return")

    @api.depends("amount_untaxed", "amount_tax")
    def _compute_amount_total(self):
        for line in self:
            line.amount_total = line.amount_untaxed + line.amount_tax

    @api.depends("kind", "sale_line_id.name", "reason")
    def _compute_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for line in self:
            name = line.sudo().sale_line_id.name or kinds[line.kind]
            reason = (line.reason or "").replace("_", " ")
            line.name = f"{name.partition(chr(10))[0]} ({reason})" if reason else name

    def _credited(self):
        """How many of the units are on a credit note; amounts without units have none."""
        self.ensure_one()
        live = self.credit_line_ids.filtered(lambda line: line.parent_state != "cancel")
        return min(sum(live.mapped("quantity")), self.quantity)

    def _uncredited(self):
        """Units that were never invoiced and are not to be."""
        self.ensure_one()
        moves = self.refund_id._live_moves()
        if moves and not moves.invoice_line_ids.shopify_refund_line_id:
            # a credit note by hand stands for the whole refund
            return 0.0
        return max(self.quantity - self._credited(), 0.0)


class StockPicking(models.Model):
    _inherit = "stock.picking"

    shopify_refund_id = fields.Many2one(
        "shopify.refund", readonly=True, ondelete="set null", index="btree_not_null", copy=False
    )


class ShopifyOrder(models.Model):
    _inherit = "shopify.order"

    refund_ids = fields.One2many("shopify.refund", "order_id", readonly=True)
    return_ids = fields.One2many("shopify.return", "order_id", readonly=True)
    refund_count = fields.Integer(compute="_compute_refund_counts")
    return_count = fields.Integer(compute="_compute_refund_counts")

    @api.depends("refund_ids", "return_ids")
    def _compute_refund_counts(self):
        for order in self:
            order.refund_count = len(order.refund_ids)
            order.return_count = len(order.return_ids)

    def action_view_refunds(self):
        """Open the refunds of the order."""
        return self.refund_ids._get_records_action(name=self.env._("Refunds"))

    def action_view_returns(self):
        """Open the returns of the order."""
        return self.return_ids._get_records_action(name=self.env._("Returns"))
