from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..mappers.payments import LIABILITIES
from ..mappers.titles import title_key

INVOICE_POLICIES = [
    ("none", "No invoice"),
    ("draft", "Draft invoice"),
    ("posted", "Posted invoice"),
    ("paid", "Posted, with payments"),
]
INVOICE_MOMENTS = [
    ("payment", "When paid completely"),
    ("delivery", "When delivered, what is delivered"),
    ("confirmation", "When the order is confirmed"),
]


class ShopifyPaymentMapping(models.Model):
    """Where the money of a payment gateway is booked, and how its orders are invoiced."""

    _name = "shopify.payment.mapping"
    _inherit = "shopify.mapping"
    _description = "Shopify Payment Mapping"
    _rec_name = "gateway"
    _order = "backend_id, gateway, id"

    _target_field = "complete"
    _exception_category = "accounting"

    gateway = fields.Char(
        required=True,
        help="Shopify's name of the gateway, e.g. shopify_payments, paypal, gift_card, or"
        " the name of a manual payment method. Case does not matter.",
    )
    gateway_key = fields.Char(compute="_compute_gateway_key", store=True, precompute=True)
    kind = fields.Selection(
        [
            ("normal", "Card, wallet or online payment"),
            ("manual", "Manual: cash on delivery, bank transfer"),
            ("gift_card", "Gift card"),
            ("store_credit", "Store credit"),
            ("ignore", "Not booked"),
        ],
        required=True,
        default="normal",
    )
    journal_id = fields.Many2one(
        "account.journal",
        check_company=True,
        index="btree_not_null",
        help="Bank, cash or card journal of the payments; for gift cards and store credit the"
        " journal of the entry, by default the company's first miscellaneous journal.",
    )
    payment_method_line_id = fields.Many2one(
        "account.payment.method.line",
        string="Payment Method",
        domain="[('journal_id', '=', journal_id), ('payment_type', '=', 'inbound')]",
        help="Empty: the first incoming method of the journal.",
    )
    account_id = fields.Many2one(
        "account.account",
        string="Liability Account",
        check_company=True,
        help="What was owed to the customer: gift cards sold, credit granted.",
    )
    complete = fields.Boolean(compute="_compute_complete")
    invoice_policy = fields.Selection(
        INVOICE_POLICIES,
        string="Invoices",
        help="Empty: as the store says. Goes by the largest payment of an order.",
    )
    invoice_when = fields.Selection(
        INVOICE_MOMENTS, string="Invoice Orders", help="Empty: as the store says."
    )

    _key_uniq = models.UniqueIndex(
        "(backend_id, gateway_key)", "This gateway is in the list of payment mappings already."
    )

    @api.depends("gateway")
    def _compute_gateway_key(self):
        for mapping in self:
            mapping.gateway_key = title_key(mapping.gateway)

    @api.depends("kind", "journal_id", "account_id")
    def _compute_complete(self):
        for mapping in self:
            if mapping.kind == "ignore":
                mapping.complete = True
            elif mapping.kind in LIABILITIES:
                mapping.complete = bool(mapping.account_id)
            else:
                mapping.complete = bool(mapping.journal_id)

    @api.onchange("journal_id")
    def _onchange_journal_id(self):
        if self.payment_method_line_id.journal_id != self.journal_id:
            self.payment_method_line_id = False

    @api.constrains("kind", "journal_id", "payment_method_line_id")
    def _check_journal_id(self):
        for mapping in self:
            journal, method = mapping.journal_id, mapping.payment_method_line_id
            if mapping.kind in LIABILITIES:
                wrong = journal and journal.type != "general"
            else:
                wrong = journal and journal.type not in ("bank", "cash", "credit")
            if wrong:
                raise ValidationError(
                    self.env._(
                        "%(gateway)s: %(journal)s is no journal for this kind of payment. Money"
                        " is booked in a bank, cash or credit card journal, gift cards and store"
                        " credit in a miscellaneous one.",
                        gateway=mapping.gateway,
                        journal=journal.name,
                    )
                )
            if method and (method.journal_id != journal or method.payment_type != "inbound"):
                raise ValidationError(
                    self.env._(
                        "%(gateway)s: %(method)s is no incoming payment method of %(journal)s.",
                        gateway=mapping.gateway,
                        method=method.name,
                        journal=journal.name,
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"kind", "journal_id", "account_id"}:
            self.filtered("complete")._resolve_exceptions()
        return result

    def _covers(self, key):
        prefix, _bar, gateway = key.partition("|")
        return prefix == "gateway" and title_key(gateway) == self.gateway_key
