from odoo import api, fields, models

from ..const import GUEST_PREFIX


class ShopifyCustomer(models.Model):
    """A customer of a store, or a guest, and the contact that stands for it.

    A guest has no id in Shopify. It is kept under ``guest:`` and what tells it from others: the
    e-mail address, else the phone number, else the order. So two orders of one guest that are
    imported side by side cannot make two contacts.
    """

    _name = "shopify.customer"
    _inherit = "shopify.binding"
    _description = "Shopify Customer"
    _rec_name = "partner_id"
    _order = "id desc"

    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        required=True,
        ondelete="restrict",
        index=True,
        domain="[('company_id', 'in', (company_id, False))]",
    )
    email = fields.Char(readonly=True, help="As it is compared: trimmed, in lower case.")
    phone = fields.Char(readonly=True, help="As it is compared: + and digits.")
    # Shopify adds values to its enumerations between versions, so these are no selections.
    email_consent = fields.Char(
        string="E-mail Marketing",
        readonly=True,
        help="What the customer agreed to, e.g. subscribed.",
    )
    sms_consent = fields.Char(
        string="SMS Marketing", readonly=True, help="What the customer agreed to, e.g. subscribed."
    )
    is_guest = fields.Boolean(
        string="Guest",
        compute="_compute_is_guest",
        search="_search_is_guest",
        help="Bought without an account in the store.",
    )

    @api.depends("shopify_gid")
    def _compute_is_guest(self):
        for customer in self:
            customer.is_guest = (customer.shopify_gid or "").startswith(GUEST_PREFIX)

    def _search_is_guest(self, operator, value):
        if operator != "in":
            return NotImplemented
        if len(value) != 1:
            return fields.Domain.TRUE if value else fields.Domain.FALSE
        return [("shopify_gid", "=like" if True in value else "not =like", GUEST_PREFIX + "%")]
