import secrets

from odoo import api, fields, models


class ShopifyBackend(models.Model):
    """One Shopify store: identity, company, integration user and its state."""

    _name = "shopify.backend"
    _description = "Shopify Store"
    _inherit = ["mail.thread"]
    _check_company_auto = True
    _order = "sequence, id"

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    color = fields.Integer()
    state = fields.Selection(
        [("draft", "To Connect"), ("ready", "Connected"), ("error", "Needs Attention")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self._default_company_id(),
        tracking=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Integration User",
        required=True,
        default=lambda self: self._default_user_id(),
        tracking=True,
        help="Jobs run as this user; orders and pickings are created in its name.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        check_company=True,
        compute="_compute_warehouse_id",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="Orders are delivered from here unless their location is mapped elsewhere.",
    )

    shop_domain = fields.Char(
        string="Store Address",
        required=True,
        tracking=True,
        help="Any address of the store can be pasted; it is kept as name.myshopify.com.",
    )
    shop_gid = fields.Char(string="Shop ID", readonly=True, copy=False)
    shop_name = fields.Char(readonly=True, copy=False)
    shop_plan = fields.Char(string="Plan", readonly=True, copy=False)
    shop_currency_id = fields.Many2one("res.currency", readonly=True, copy=False)
    shop_country_id = fields.Many2one("res.country", readonly=True, copy=False)
    shop_timezone = fields.Char(string="Time Zone", readonly=True, copy=False)
    shop_taxes_included = fields.Boolean(
        string="Prices Include Tax", readonly=True, copy=False
    )
    webhook_key = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._default_webhook_key(),
        groups="shopify_connector.group_manager",
    )
    database_uuid = fields.Char(
        readonly=True,
        copy=False,
        groups="base.group_system",
        help="Database that connected this store; a copy of it must not write to the store.",
    )
    location_ids = fields.One2many("shopify.location", "backend_id")

    _shop_domain_uniq = models.Constraint(
        "UNIQUE (shop_domain)", "This Shopify store is already connected."
    )
    _shop_gid_uniq = models.Constraint(
        "UNIQUE (shop_gid)", "This Shopify store is already connected."
    )
    _webhook_key_uniq = models.Constraint(
        "UNIQUE (webhook_key)", "The webhook key must be unique."
    )

    def _default_company_id(self):
        return self.env.company

    def _default_user_id(self):
        return self.env.user

    def _default_webhook_key(self):
        return secrets.token_urlsafe(16)

    @api.depends("company_id")
    def _compute_warehouse_id(self):
        Warehouse = self.env["stock.warehouse"]
        for backend in self:
            if backend.warehouse_id.company_id != backend.company_id:
                backend.warehouse_id = Warehouse.search(
                    [("company_id", "=", backend.company_id.id)], limit=1
                )
