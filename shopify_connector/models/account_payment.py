from odoo import fields, models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    shopify_payment_ids = fields.One2many(
        "shopify.payment", "payment_id", string="Shopify Payments", readonly=True
    )
    shopify_payment_id = fields.Many2one("shopify.payment", compute="_compute_shopify_facts")
    shopify_fee = fields.Monetary(
        currency_field="shopify_fee_currency_id",
        compute="_compute_shopify_facts",
        help="What Shopify Payments keeps of this payment.",
    )
    shopify_fee_currency_id = fields.Many2one("res.currency", compute="_compute_shopify_facts")

    def _compute_shopify_facts(self):
        for payment in self:
            source = payment.shopify_payment_ids[:1]
            payment.shopify_payment_id = source
            payment.shopify_fee = source.fee
            payment.shopify_fee_currency_id = source.fee_currency_id
