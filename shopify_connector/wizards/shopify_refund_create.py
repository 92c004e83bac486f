from decimal import Decimal
from uuid import uuid4

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ..mappers.refund_request import RefundLineRequest, amount_text, lines_input, refund_input

# Shopify takes so many elements in a list.
LINES_MAXIMUM = 250
RESTOCK = [
    ("RETURN", "Came back: restock"),
    ("CANCEL", "Never left: restock"),
    ("NO_RESTOCK", "Do not restock"),
]


class ShopifyRefundCreate(models.TransientModel):
    """Refunds an order in Shopify, after showing what Shopify calculates."""

    _name = "shopify.refund.create"
    _description = "Refund in Shopify"

    order_id = fields.Many2one("shopify.order", required=True, readonly=True, ondelete="cascade")
    backend_id = fields.Many2one(related="order_id.backend_id")
    move_id = fields.Many2one("account.move", string="Credit Note", readonly=True)
    picking_id = fields.Many2one("stock.picking", string="Return of Goods", readonly=True)
    token = fields.Char(required=True, readonly=True, default=lambda _self: str(uuid4()))
    currency_id = fields.Many2one(
        "res.currency", readonly=True, help="The currency that the customer paid in."
    )
    line_ids = fields.One2many("shopify.refund.create.line", "wizard_id")
    payment_ids = fields.One2many("shopify.refund.create.payment", "wizard_id")
    shipping_amount = fields.Monetary(
        string="Shipping", help="Shipping that is given back, as Shopify states its price."
    )
    shipping_maximum = fields.Monetary(string="Refundable Shipping", readonly=True)
    note = fields.Char(
        size=255, help="Kept with the refund in Shopify; it also helps to find the refund again."
    )
    notify_customer = fields.Boolean(string="Notify the Customer", help="Shopify sends a mail.")

    # what Shopify calculated, and for what
    asked = fields.Json(readonly=True)
    known = fields.Json(readonly=True)
    stale = fields.Boolean(compute="_compute_stale")
    amount_subtotal = fields.Monetary(string="Lines", readonly=True)
    amount_tax = fields.Monetary(string="Taxes", readonly=True)
    amount_duties = fields.Monetary(string="Duties", readonly=True)
    amount_shipping = fields.Monetary(string="Shipping Given Back", readonly=True)
    amount_suggested = fields.Monetary(
        string="Shopify Calculates", readonly=True, help="As far as money is left to give back."
    )
    amount_maximum = fields.Monetary(string="At Most", readonly=True)
    credit_currency_id = fields.Many2one(related="move_id.currency_id", compute_sudo=True)
    credit_amount = fields.Monetary(
        string="Credit Note's Total",
        related="move_id.amount_total",
        currency_field="credit_currency_id",
        compute_sudo=True,
    )
    suggested_for_credit = fields.Monetary(
        currency_field="credit_currency_id",
        readonly=True,
        help="What Shopify calculates, in the currency of the credit note.",
    )
    comparable = fields.Boolean(readonly=True)
    amount = fields.Monetary(string="Goes Back to the Customer", compute="_compute_amount")
    reason = fields.Selection(
        [
            ("CUSTOMER", "Agreed with the customer"),
            ("DAMAGE", "Damaged goods"),
            ("RESTOCK", "Restocking"),
            ("OTHER", "Other"),
        ],
        string="Reason of the Difference",
        default="OTHER",
        required=True,
        help="Kept in Shopify when the money is not what it calculates.",
    )
    differs = fields.Boolean(compute="_compute_differences")
    differences = fields.Text(compute="_compute_differences")
    confirmed = fields.Boolean(string="The differences are intended")

    # === COMPUTE METHODS === #

    @api.depends("asked", "line_ids.quantity", "shipping_amount")
    def _compute_stale(self):
        for wizard in self:
            wizard.stale = wizard.asked != wizard._question()

    @api.depends("payment_ids.amount")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = sum(wizard.payment_ids.mapped("amount"))

    @api.depends("amount", "amount_suggested", "suggested_for_credit", "credit_amount")
    def _compute_differences(self):
        for wizard in self:
            found = wizard._differences()
            wizard.differs = bool(found)
            wizard.differences = "\n".join(found)

    @api.onchange("payment_ids", "shipping_amount", "line_ids")
    def _onchange_amounts(self):
        self.confirmed = False

    def _differences(self):
        """What must be confirmed: sentences."""
        self.ensure_one()
        found, currency, credit = [], self.currency_id, self.credit_currency_id
        if not currency:
            return found
        differs = currency.compare_amounts(self.amount, self.amount_suggested)
        if differs:
            found.append(
                self.env._(
                    "%(amount)s go back, and Shopify calculates %(suggested)s.",
                    amount=currency.format(self.amount),
                    suggested=currency.format(self.amount_suggested),
                )
            )
        if not self.move_id:
            return found
        ours = self.amount if credit == currency else self.suggested_for_credit
        if not self.comparable or (differs and credit != currency):
            found.append(
                self.env._(
                    "The credit note %(move)s is over %(credit)s; what goes back is in"
                    " %(currency)s and cannot be compared.",
                    move=self.move_id.sudo().name,
                    credit=credit.format(self.credit_amount),
                    currency=currency.name,
                )
            )
        elif credit.compare_amounts(ours, self.credit_amount):
            found.append(
                self.env._(
                    "%(ours)s go back, and the credit note %(move)s is over %(credit)s: a"
                    " difference of %(difference)s.",
                    ours=credit.format(ours),
                    move=self.move_id.sudo().name,
                    credit=credit.format(self.credit_amount),
                    difference=credit.format(ours - self.credit_amount),
                )
            )
        return found

    # === OPENING === #

    @api.model
    def _open_for(self, order, move=None, picking=None):
        """A wizard filled with what can be refunded, and with Shopify's calculation.

        :raises UserError: Shopify does not answer, or does not hold the order
        """
        desk = self.env["shopify.refund.desk"]
        nodes = desk._refundable_lines(order)
        wanted, shipping = desk._wanted(order, move, picking)
        document = (move or picking).sudo().name if move or picking else order.name
        wizard = self.create(
            {
                "order_id": order.id,
                "move_id": move.id if move else False,
                "picking_id": picking.id if picking else False,
                "note": self.env._("Odoo: %s", document),
                "line_ids": [
                    Command.create(vals) for vals in desk._line_vals(order, nodes, wanted, picking)
                ],
            }
        )
        wizard._ask()
        shipping = wizard._shipping_wanted(shipping)
        if shipping:
            wizard.shipping_amount = shipping
            wizard._ask()
        return wizard

    def _shipping_wanted(self, credited):
        """What the credit note gives back of the shipping, in the customer's currency."""
        if self.credit_currency_id == self.currency_id:
            return min(credited, self.shipping_maximum)
        everything = self.order_id.amount_shipping
        return self.shipping_maximum if credited and credited >= everything else 0.0

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Refund %s in Shopify", self.order_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    # === WHAT SHOPIFY CALCULATES === #

    def _requests(self):
        return [
            RefundLineRequest(
                line_gid=line.line_gid,
                quantity=line.quantity,
                restock=line.restock,
                location_gid=line.location_id.shopify_gid or "",
            )
            for line in self.line_ids
        ]

    def _whole_shipping(self):
        currency = self.currency_id
        return bool(
            currency
            and self.shipping_amount > 0
            and not currency.compare_amounts(self.shipping_amount, self.shipping_maximum)
        )

    def _question(self):
        """What the calculation depends on: variables of the query."""
        # How goods are put back changes no amount.
        lines = [
            {"lineItemId": item["lineItemId"], "quantity": item["quantity"]}
            for item in lines_input(self._requests())
        ]
        question = {"lines": lines, "refundShipping": self._whole_shipping()}
        if self.shipping_amount > 0 and not question["refundShipping"]:
            question["shippingAmount"] = amount_text(
                _exact(self.shipping_amount), self.currency_id.name
            )
        return question

    def _ask(self):
        """Take Shopify's calculation over."""
        question = self._question()
        if len(question["lines"]) > LINES_MAXIMUM:
            raise UserError(
                self.env._(
                    "Shopify refunds %(maximum)s lines at once, and these are %(count)s. Refund"
                    " the others afterwards.",
                    maximum=LINES_MAXIMUM,
                    count=len(question["lines"]),
                )
            )
        suggestion = self.env["shopify.refund.desk"]._suggestion(self.order_id, question)
        currency = self._currency(suggestion.currency)
        shipping = suggestion.shipping.presentment.amount
        if "shippingAmount" in question and shipping != Decimal(question["shippingAmount"]):
            raise UserError(
                self.env._(
                    "Shopify would give back %(theirs)s of the shipping instead of %(ours)s. In"
                    " orders that were paid in another currency, give back all of the shipping or"
                    " nothing.",
                    theirs=currency.format(float(shipping)),
                    ours=currency.format(self.shipping_amount),
                )
            )
        in_credit = suggestion.total_in(self.credit_currency_id.name or "")
        self.write(
            {
                "currency_id": currency.id,
                "known": list(suggestion.refund_gids),
                "shipping_maximum": float(suggestion.shipping_maximum.presentment.amount),
                "amount_subtotal": float(suggestion.subtotal.presentment.amount),
                "amount_tax": float(suggestion.tax.presentment.amount),
                "amount_duties": float(suggestion.duties.presentment.amount),
                "amount_shipping": float(shipping),
                "amount_suggested": float(suggestion.total.presentment.amount),
                "amount_maximum": float(suggestion.maximum.presentment.amount),
                "suggested_for_credit": float(in_credit.amount) if in_credit else 0.0,
                "comparable": in_credit is not None,
                "confirmed": False,
                "payment_ids": [
                    Command.clear(),
                    *(Command.create(_payment_vals(one)) for one in suggestion.payments),
                ],
            }
        )
        self.asked = self._question()

    def _currency(self, code):
        currency = (
            self.env["res.currency"].with_context(active_test=False).search([("name", "=", code)])
        )
        if not currency:
            raise UserError(
                self.env._("The customer paid in %s, a currency that Odoo does not know.", code)
            )
        return currency

    # === ACTIONS === #

    def action_ask(self):
        """Let Shopify calculate once more."""
        self.ensure_one()
        self.order_id._check_can_refund()
        self._ask()
        return self._reopen()

    def action_take_credit_amount(self):
        """Give back what the credit note is over, as far as the payments reach."""
        self.ensure_one()
        left = self.credit_amount
        for payment in self.payment_ids:
            payment.amount = self.currency_id.round(min(left, payment.maximum))
            left -= payment.amount
        return self._reopen()

    def action_refund(self):
        """Make the refund in Shopify."""
        self.ensure_one()
        self.order_id._check_can_refund()
        self._check()
        differs = self.currency_id.compare_amounts(self.amount, self.amount_suggested)
        content = refund_input(
            self.order_id.shopify_gid,
            self.currency_id.name,
            self._requests(),
            [(one.gid, one.gateway, _exact(one.amount)) for one in self.payment_ids],
            shipping=_exact(self.shipping_amount),
            whole_shipping=self._whole_shipping(),
            note=self.note or "",
            notify=self.notify_customer,
            reason=self.reason if differs else "",
        )
        state, message = self.env["shopify.refund.sender"]._send(
            self.order_id,
            {
                "token": self.token,
                "content": content,
                "known": self.known or [],
                "amount": self.amount,
                "currency_id": self.currency_id.id,
                "move_id": self.move_id.id,
                "picking_id": self.picking_id.id,
            },
        )
        if state in ("refused", "lost"):
            raise UserError(message)
        if state == "sending":
            message = self.env._(
                "Shopify did not answer, and shows no such refund yet. It is looked for by itself;"
                " nothing is sent again. (%s)",
                message or "",
            )
        notice = self.backend_id._notify(message, "success" if state == "done" else "warning")
        notice["params"]["next"] = {"type": "ir.actions.act_window_close"}
        return notice

    def _check(self):
        """:raises UserError: this cannot be sent"""
        if self.stale:
            raise UserError(
                self.env._("Quantities or the shipping changed: ask Shopify for its calculation.")
            )
        chosen = self.line_ids.filtered("quantity")
        if not (chosen or self.amount or self.shipping_amount):
            raise UserError(self.env._("Choose what to refund: a quantity, shipping or an amount."))
        homeless = chosen.filtered(
            lambda line: line.restock != "NO_RESTOCK" and not line.location_id
        )
        if homeless:
            raise UserError(
                self.env._(
                    "%s: choose the location that it is restocked at, or do not restock it.",
                    homeless[0].name,
                )
            )
        if self.differs and not self.confirmed:
            raise UserError(
                self.env._("%s\nTick 'The differences are intended' if they are.", self.differences)
            )


class ShopifyRefundCreateLine(models.TransientModel):
    """A line of the order, and how much of it is refunded."""

    _name = "shopify.refund.create.line"
    _description = "Line to Refund in Shopify"

    wizard_id = fields.Many2one("shopify.refund.create", required=True, ondelete="cascade")
    backend_id = fields.Many2one(related="wizard_id.backend_id")
    line_gid = fields.Char(required=True, readonly=True)
    name = fields.Char(string="Description", readonly=True)
    sku = fields.Char(string="SKU", readonly=True)
    ordered = fields.Integer(readonly=True)
    refundable = fields.Integer(readonly=True, help="Ordered and not refunded or removed yet.")
    quantity = fields.Integer(string="To Refund")
    # what the suggestion for restocking rests on
    not_sent = fields.Integer(readonly=True)
    came_back = fields.Integer(readonly=True)
    home_id = fields.Many2one("shopify.location", readonly=True)
    restock = fields.Selection(
        RESTOCK,
        compute="_compute_restock",
        store=True,
        precompute=True,
        readonly=False,
        required=True,
        help="What Shopify does with its stock. Where Odoo exports its stock, Odoo's figures"
        " replace Shopify's anyway.",
    )
    location_id = fields.Many2one(
        "shopify.location",
        string="Restock At",
        compute="_compute_location_id",
        store=True,
        precompute=True,
        readonly=False,
        domain="[('backend_id', '=', backend_id)]",
    )

    @api.depends("quantity")
    def _compute_restock(self):
        for line in self:
            quantity = max(line.quantity, 1)
            if line.home_id and line.came_back >= quantity:
                line.restock = "RETURN"
            elif line.home_id and line.not_sent >= quantity:
                line.restock = "CANCEL"
            else:
                line.restock = "NO_RESTOCK"

    @api.depends("restock")
    def _compute_location_id(self):
        for line in self:
            line.location_id = line.restock != "NO_RESTOCK" and (line.location_id or line.home_id)

    @api.constrains("quantity")
    def _check_quantity(self):
        for line in self:
            if not 0 <= line.quantity <= line.refundable:
                raise ValidationError(
                    self.env._(
                        "%(line)s: %(quantity)s units cannot be refunded, only 0 to %(maximum)s.",
                        line=line.name,
                        quantity=line.quantity,
                        maximum=line.refundable,
                    )
                )


class ShopifyRefundCreatePayment(models.TransientModel):
    """A payment, and how much of it goes back."""

    _name = "shopify.refund.create.payment"
    _description = "Payment to Give Back in Shopify"

    wizard_id = fields.Many2one("shopify.refund.create", required=True, ondelete="cascade")
    gid = fields.Char(required=True, readonly=True)
    gateway = fields.Char(readonly=True)
    name = fields.Char(string="Paid With", readonly=True)
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    suggested = fields.Monetary(readonly=True)
    maximum = fields.Monetary(string="At Most", readonly=True)
    amount = fields.Monetary(string="Give Back")

    @api.constrains("amount")
    def _check_amount(self):
        for payment in self:
            currency = payment.currency_id
            if payment.amount < 0 or currency.compare_amounts(payment.amount, payment.maximum) > 0:
                raise ValidationError(
                    self.env._(
                        "%(payment)s: %(amount)s cannot be given back, only up to %(maximum)s.",
                        payment=payment.name,
                        amount=currency.format(payment.amount),
                        maximum=currency.format(payment.maximum),
                    )
                )


def _exact(amount):
    return Decimal(str(round(amount, 6)))


def _payment_vals(payment):
    suggested = float(payment.suggested.presentment.amount)
    return {
        "gid": payment.gid,
        "gateway": payment.gateway,
        "name": payment.title,
        "suggested": suggested,
        "maximum": float(payment.maximum.presentment.amount),
        "amount": suggested,
    }
