from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ShopifyBackend(models.Model):
    """Customers, businesses and what follows from them: terms, exemption, further fields."""

    _inherit = "shopify.backend"

    guest_strategy = fields.Selection(
        [
            ("each", "One contact per guest"),
            ("single", "One contact for all guests"),
        ],
        string="Guests",
        default="each",
        required=True,
        tracking=True,
        help="Orders without a customer: bought at the till, or without an account.",
    )
    guest_customer_id = fields.Many2one(
        "res.partner",
        check_company=True,
        tracking=True,
        help="Takes all orders of guests; addresses are still kept per order.",
    )
    import_customer_tags = fields.Boolean(
        string="Customer Tags",
        default=True,
        tracking=True,
        help="Tags of customers are added to the tags of their contacts. None is taken away.",
    )
    exempt_fiscal_position_id = fields.Many2one(
        "account.fiscal.position",
        string="Tax-exempt Orders",
        check_company=True,
        tracking=True,
        help="Fiscal position of orders, customers and companies that are exempt in Shopify."
        " Empty: as Odoo finds it.",
    )
    channel_tax_account_id = fields.Many2one(
        "account.account",
        string="Taxes Remitted by Channels",
        check_company=True,
        tracking=True,
        help="Account of the taxes that you create from the mapping of a tax which a marketplace"
        " remits. What the marketplace keeps from its payout is booked against it.",
    )
    field_mapping_ids = fields.One2many("shopify.field.mapping", "backend_id")
    payment_term_mapping_ids = fields.One2many("shopify.payment.term.mapping", "backend_id")

    @api.constrains("guest_customer_id", "guest_strategy")
    def _check_guest_customer_id(self):
        for backend in self:
            if backend.guest_strategy == "single" and not backend.guest_customer_id:
                raise ValidationError(self.env._("Choose the contact that takes guests' orders."))

    def action_view_companies(self):
        return self._open_mine("action_shopify_company")

    def action_view_field_mappings(self):
        return self._open_mine("action_shopify_field_mapping")

    def action_view_payment_term_mappings(self):
        return self._open_mine("action_shopify_payment_term_mapping")
