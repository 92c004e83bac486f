import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools.urls import urljoin

from ..client.auth import normalise_shop


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
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
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
    shop_currency_id = fields.Many2one(
        "res.currency", string="Store Currency", readonly=True, copy=False
    )
    shop_country_id = fields.Many2one(
        "res.country", string="Store Country", readonly=True, copy=False
    )
    shop_timezone = fields.Char(string="Time Zone", readonly=True, copy=False)
    shop_taxes_included = fields.Boolean(string="Prices Include Tax", readonly=True, copy=False)
    last_check_at = fields.Datetime(string="Last Check", readonly=True, copy=False)
    last_check_result = fields.Html(string="Result of the Last Check", readonly=True, copy=False)
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
    foreign_database = fields.Boolean(
        compute="_compute_foreign_database",
        help="This database is a copy of the one that is connected with the store.",
    )
    location_ids = fields.One2many("shopify.location", "backend_id")

    order_count = fields.Integer(compute="_compute_counts")
    product_count = fields.Integer(compute="_compute_counts")
    customer_count = fields.Integer(compute="_compute_counts")
    exception_count = fields.Integer(compute="_compute_counts")
    inbox_count = fields.Integer(compute="_compute_counts")

    _shop_domain_uniq = models.Constraint(
        "UNIQUE (shop_domain)", "This Shopify store is already connected."
    )
    _shop_gid_uniq = models.Constraint(
        "UNIQUE (shop_gid)", "This Shopify store is already connected."
    )
    _webhook_key_uniq = models.Constraint("UNIQUE (webhook_key)", "The webhook key must be unique.")

    def _default_company_id(self):
        return self.env.company

    def _default_user_id(self):
        return self.env.user

    def _default_webhook_key(self):
        return secrets.token_urlsafe(16)

    # === COMPUTES === #

    @api.depends("company_id")
    def _compute_warehouse_id(self):
        Warehouse = self.env["stock.warehouse"]
        for backend in self:
            if backend.warehouse_id.company_id != backend.company_id:
                backend.warehouse_id = Warehouse.search(
                    [("company_id", "=", backend.company_id.id)], limit=1
                )

    @api.depends("database_uuid")
    def _compute_foreign_database(self):
        uuid = self._current_database_uuid()
        for backend in self:
            owner = backend.sudo().database_uuid
            backend.foreign_database = bool(owner) and owner != uuid

    def _compute_counts(self):
        domain = [("backend_id", "in", self.ids)]
        counted = (
            ("order_count", "shopify.order", []),
            ("product_count", "shopify.product", []),
            ("customer_count", "shopify.customer", []),
            ("exception_count", "shopify.exception", [("state", "=", "open")]),
            ("inbox_count", "shopify.webhook.event", [("state", "=", "pending")]),
        )
        for name, model, extra in counted:
            groups = self.env[model]._read_group(domain + extra, ["backend_id"], ["__count"])
            counts = {backend.id: count for backend, count in groups}
            for backend in self:
                backend[name] = counts.get(backend.id, 0)

    # === CONSTRAINTS === #

    @api.onchange("shop_domain")
    def _onchange_shop_domain(self):
        if self.shop_domain:
            self.shop_domain = self._normalised_shop(self.shop_domain)

    @api.constrains("user_id", "company_id")
    def _check_user_company(self):
        for backend in self:
            if backend.company_id not in backend.user_id.sudo().company_ids:
                raise ValidationError(
                    self.env._(
                        "The integration user %(user)s has no access to company %(company)s."
                        " Allow that company in the user's settings, or choose another user.",
                        user=backend.user_id.name,
                        company=backend.company_id.name,
                    )
                )

    @api.model
    def _normalised_shop(self, text):
        """:raises ValidationError: it is no address of a Shopify store"""
        try:
            return normalise_shop(text)
        except ValueError:
            raise ValidationError(
                self.env._(
                    "%(text)s is not the address of a Shopify store. Paste the address that ends in"
                    " .myshopify.com (Shopify shows it under Settings > Domains), or the one of"
                    " the store's admin, such as https://admin.shopify.com/store/my-store.",
                    text=f'"{(text or "").strip()}"',
                )
            ) from None

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("shop_domain"):
                vals["shop_domain"] = self._normalised_shop(vals["shop_domain"])
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("shop_domain"):
            vals = dict(vals, shop_domain=self._normalised_shop(vals["shop_domain"]))
        if "company_id" in vals:
            self._refuse_other_company(vals["company_id"])
        return super().write(vals)

    def copy_data(self, default=None):
        """A copy serves as template for another store: it is not connected to anything."""
        vals_list = super().copy_data(default)
        for backend, vals in zip(self, vals_list, strict=True):
            if "name" not in (default or {}):
                vals["name"] = self.env._("%s (copy)", backend.name)
            if "shop_domain" not in (default or {}):
                handle = backend.shop_domain.split(".", 1)[0]
                vals["shop_domain"] = f"copy-{secrets.token_hex(4)}-{handle}.myshopify.com"
        return vals_list

    def _refuse_other_company(self, company_id):
        moved = self.filtered(lambda backend: backend.company_id.id != company_id)
        orders = self.env["shopify.order"].sudo()
        if orders.search_count([("backend_id", "in", moved.ids)], limit=1):
            raise UserError(
                self.env._(
                    "The company of a store cannot be changed once orders were imported."
                    " Archive this store and connect it again in the other company."
                )
            )

    # === INTEGRATION USER === #

    def _as_integration_user(self):
        """This store as its jobs see it: user, company, and no chatter for what they write."""
        self.ensure_one()
        context = {
            "tracking_disable": True,
            "mail_notrack": True,
            "mail_create_nolog": True,
            "mail_create_nosubscribe": True,
        }
        # Nothing of the caller's context, such as its language, reaches the jobs.
        env = self.env(user=self.user_id.id, su=False, context=context)
        return self.with_env(env).with_company(self.company_id)

    # === DATABASE GUARD === #

    @api.model
    def _current_database_uuid(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def action_claim_database(self):
        """This database is now the one that is connected with the store."""
        if not self.env.is_system():
            raise UserError(
                self.env._("Only a system administrator can make this database the owner.")
            )
        for backend in self:
            backend.database_uuid = self._current_database_uuid()
            backend._message_log(
                body=self.env._(
                    "%(user)s made this database the one that is connected with the store.",
                    user=self.env.user.name,
                )
            )

    # === DOORS === #

    def action_check_connection(self):
        """Find out what works and what does not, and show it."""
        self.ensure_one()
        self._check_connection()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connection of %s", self.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [
                (self.env.ref("shopify_connector.shopify_backend_view_form_check").id, "form")
            ],
            "target": "new",
        }

    def _check_connection(self):
        """Check, keep the result and what the store told of itself.

        :return: list of Finding
        """
        self.ensure_one()
        self.check_access("write")
        return self.env["shopify.connection.checker"]._check_and_store(self)

    def action_import_locations(self):
        """Fetch the locations of the store."""
        self.ensure_one()
        self.check_access("write")
        locations = self.env["shopify.location.importer"]._import(self)
        return self._notify(
            self.env._(
                "%(count)s locations, %(open)s of them without warehouse.",
                count=len(locations),
                open=len(locations.filtered(lambda location: not location.warehouse_id)),
            ),
            reload=True,
        )

    def action_import_orders(self):
        """Open the wizard that imports orders by date or number."""
        self.ensure_one()
        return self._open("action_shopify_order_import", default_backend_id=self.id)

    def action_onboarding(self):
        """Open the wizard that leads from the credentials to the first import."""
        self.ensure_one()
        return self._open("action_shopify_onboarding", default_backend_id=self.id)

    def action_view_orders(self):
        return self._open_mine("action_shopify_order")

    def action_view_exceptions(self):
        return self._open_mine("action_shopify_exception")

    def action_view_inbox(self):
        return self._open_mine("action_shopify_webhook_event")

    def action_view_log(self):
        return self._open_mine("action_shopify_sync_log")

    def action_open_admin(self):
        """Open the store's admin at Shopify."""
        self.ensure_one()
        handle = self.shop_domain.split(".", 1)[0]
        return {
            "type": "ir.actions.act_url",
            "url": urljoin("https://admin.shopify.com/store/", handle),
            "target": "new",
        }

    # === HELPERS === #

    def _open_mine(self, xmlid):
        """An action of the addon, on the records of this store only."""
        self.ensure_one()
        action = self._open(xmlid, default_backend_id=self.id)
        action["domain"] = [("backend_id", "=", self.id)]
        return action

    def _open(self, xmlid, **context):
        action = self.env["ir.actions.act_window"]._for_xml_id(f"shopify_connector.{xmlid}")
        action["context"] = context
        return action

    def _notify(self, message, kind="success", *, reload=False):
        """A message in the corner of the screen."""
        params = {"message": message, "type": kind, "sticky": kind != "success"}
        if reload:
            params["next"] = {"type": "ir.actions.client", "tag": "soft_reload"}
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": params,
        }
