from odoo import api, fields, models
from odoo.exceptions import UserError


class ShopifyRefundLink(models.TransientModel):
    """Says which credit note, made by hand, stands for a refund."""

    _name = "shopify.refund.link"
    _description = "Link a Credit Note to a Shopify Refund"

    refund_id = fields.Many2one("shopify.refund", required=True, readonly=True)
    company_id = fields.Many2one(related="refund_id.company_id")
    partner_id = fields.Many2one(
        "res.partner", compute="_compute_partner_id", help="Whom the order is invoiced to."
    )
    currency_id = fields.Many2one(related="refund_id.currency_id")
    amount_due = fields.Monetary(
        string="To Be Credited",
        compute="_compute_amount_due",
        help="The money that was returned, or what the refund is worth where none was; with what"
        " was exchanged.",
    )
    move_id = fields.Many2one(
        "account.move",
        string="Credit Note",
        required=True,
        domain="[('move_type', '=', 'out_refund'), ('state', '!=', 'cancel'),"
        " ('company_id', '=', company_id), ('shopify_refund_id', '=', False),"
        " ('commercial_partner_id', '=', partner_id)]",
    )
    difference = fields.Monetary(compute="_compute_difference")

    @api.depends("refund_id")
    def _compute_partner_id(self):
        for link in self:
            sale = link.refund_id.sale_order_id
            link.partner_id = sale.partner_invoice_id.commercial_partner_id

    @api.depends("refund_id")
    def _compute_amount_due(self):
        for link in self:
            refund = link.refund_id
            done = refund.money_state == "done"
            stated = refund.amount_money if done else refund.amount_value
            link.amount_due = stated + refund.amount_exchanged

    @api.depends("move_id", "amount_due")
    def _compute_difference(self):
        for link in self:
            same = link.move_id and link.move_id.currency_id == link.currency_id
            link.difference = link.move_id.amount_total - link.amount_due if same else 0.0

    def action_link(self):
        """Take the credit note as the refund's; from now on none is made for it."""
        self.ensure_one()
        refund, move = self.refund_id, self.move_id
        refund.order_id._check_operator()
        if refund._live_moves():
            raise UserError(self.env._("%s has its credit note already.", refund.name))
        if move.sudo().shopify_refund_id:
            raise UserError(
                self.env._(
                    "%(move)s stands for %(refund)s already. Choose another credit note.",
                    move=move.display_name,
                    refund=move.sudo().shopify_refund_id.name,
                )
            )
        if move.move_type != "out_refund" or move.state == "cancel":
            raise UserError(self.env._("%s is no credit note that stands.", move.display_name))
        if move.currency_id != refund.currency_id:
            raise UserError(
                self.env._(
                    "%(move)s is in %(ours)s, and the refund in %(theirs)s.",
                    move=move.display_name,
                    ours=move.currency_id.name,
                    theirs=refund.currency_id.name,
                )
            )
        refund.sudo()._link_move(move.sudo(), self.env._("The credit note was linked by hand."))
        self.env["shopify.accounting.task"].sudo()._add(refund.order_id)
        return {"type": "ir.actions.act_window_close"}
