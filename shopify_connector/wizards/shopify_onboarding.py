from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..client.errors import ShopifyError

STEPS = ["store", "check", "locations", "orders", "webhooks", "import"]


class ShopifyOnboarding(models.TransientModel):
    """Leads from the credentials of a store to its first import, a page for each step."""

    _name = "shopify.onboarding"
    _inherit = "shopify.secrets"
    _description = "Connect a Shopify Store"

    step = fields.Selection(
        [
            ("store", "Store"),
            ("check", "Check"),
            ("locations", "Locations"),
            ("orders", "Orders"),
            ("webhooks", "Webhooks"),
            ("import", "First Import"),
        ],
        default="store",
        required=True,
    )
    backend_id = fields.Many2one("shopify.backend", readonly=True, ondelete="cascade")

    # page "Store"
    name = fields.Char(string="Name in Odoo")
    shop_domain = fields.Char(string="Store Address")
    company_id = fields.Many2one("res.company", default=lambda self: self._default_company_id())
    user_id = fields.Many2one(
        "res.users",
        string="Integration User",
        default=lambda self: self._default_user_id(),
        domain="[('share', '=', False), ('company_ids', 'in', company_id)]",
    )
    auth_method = fields.Selection(
        lambda self: self._selection_auth_method(),
        string="Authentication",
        default="client_credentials",
        required=True,
    )
    client_id = fields.Char(string="Client ID")
    secret_set = fields.Boolean(compute="_compute_set")
    token_set = fields.Boolean(compute="_compute_set")

    # the other pages show the store itself
    state = fields.Selection(related="backend_id.state")
    last_check_result = fields.Html(related="backend_id.last_check_result")
    has_token = fields.Boolean(related="backend_id.has_token")
    oauth_redirect_url = fields.Char(related="backend_id.oauth_redirect_url")
    warehouse_id = fields.Many2one(related="backend_id.warehouse_id", readonly=False)
    location_ids = fields.One2many(related="backend_id.location_ids", readonly=False)
    import_from = fields.Datetime(related="backend_id.import_from", readonly=False)
    financial_filter = fields.Selection(related="backend_id.financial_filter", readonly=False)
    confirm_policy = fields.Selection(related="backend_id.confirm_policy", readonly=False)
    reserve = fields.Boolean(related="backend_id.reserve", readonly=False)
    order_name_pattern = fields.Char(related="backend_id.order_name_pattern", readonly=False)
    order_code = fields.Char(related="backend_id.order_code", readonly=False)
    currency_policy = fields.Selection(related="backend_id.currency_policy", readonly=False)
    customer_strategy = fields.Selection(related="backend_id.customer_strategy", readonly=False)
    customer_id = fields.Many2one(related="backend_id.customer_id", readonly=False)
    match_sku = fields.Boolean(related="backend_id.match_sku", readonly=False)
    match_barcode = fields.Boolean(related="backend_id.match_barcode", readonly=False)
    missing_product = fields.Selection(related="backend_id.missing_product", readonly=False)
    use_webhooks = fields.Boolean(related="backend_id.use_webhooks", readonly=False)
    use_polling = fields.Boolean(related="backend_id.use_polling", readonly=False)
    webhook_base_url = fields.Char(related="backend_id.webhook_base_url", readonly=False)

    # page "First Import"
    message = fields.Char(readonly=True, help="What the last step has done.")
    import_catalog = fields.Boolean(
        string="Link the Products",
        default=True,
        help="Reads the store's products and links them by SKU or barcode; creates none in Odoo.",
    )

    def _default_company_id(self):
        return self.env.company

    def _default_user_id(self):
        return self.env.user

    def _selection_auth_method(self):
        return self.env["shopify.backend"]._fields["auth_method"]._description_selection(self.env)

    def _compute_set(self):
        for wizard in self:
            holders = (wizard.sudo(), wizard.backend_id.sudo())
            wizard.secret_set = any(holder.client_secret_enc for holder in holders)
            wizard.token_set = any(holder.access_token_enc for holder in holders)

    @api.model
    def default_get(self, fields_list):
        """Go on with a store that was begun before."""
        values = super().default_get(fields_list)
        backend = self.env["shopify.backend"].browse(values.get("backend_id"))
        if backend:
            names = ("name", "shop_domain", "company_id", "user_id", "auth_method", "client_id")
            values.update(backend._convert_to_write({name: backend[name] for name in names}))
            values["step"] = "check" if backend.last_check_at else "store"
        return {name: value for name, value in values.items() if name in fields_list}

    @api.onchange("shop_domain")
    def _onchange_shop_domain(self):
        if not self.shop_domain:
            return
        self.shop_domain = self.env["shopify.backend"]._normalised_shop(self.shop_domain)
        if not self.name:
            self.name = self.shop_domain.split(".", 1)[0].replace("-", " ").title()

    # === STEPS === #

    def action_next(self):
        """Finish this page and show the next one."""
        self.ensure_one()
        self.message = False
        getattr(self, f"_leave_{self.step}")()
        return self._show(STEPS[STEPS.index(self.step) + 1])

    def action_back(self):
        """Show the page before."""
        self.ensure_one()
        return self._show(STEPS[max(STEPS.index(self.step) - 1, 0)])

    def action_check(self):
        """Check again without leaving the page."""
        self.ensure_one()
        self.backend_id._check_connection()
        return self._show("check")

    def action_install(self):
        """Leave for Shopify, which comes back to the store's form."""
        self.ensure_one()
        return self.backend_id.action_oauth_install()

    def action_import_locations(self):
        """Fetch the locations again."""
        self.ensure_one()
        self._fetch_locations()
        return self._show("locations")

    def action_finish(self):
        """Start the first import and show the store."""
        self.ensure_one()
        if self.import_catalog:
            self.backend_id.action_import_catalog()
        return {
            "type": "ir.actions.act_window",
            "res_model": "shopify.backend",
            "res_id": self.backend_id.id,
            "views": [(False, "form")],
            "target": "main",
        }

    def action_import_orders(self):
        """As `action_finish`, and choose which orders to import."""
        self.ensure_one()
        self.action_finish()
        return self.backend_id.action_import_orders()

    def _leave_store(self):
        """Create or correct the store, and check it."""
        values = {
            "name": self.name,
            "shop_domain": self.shop_domain,
            "company_id": self.company_id.id,
            "user_id": self.user_id.id,
            "auth_method": self.auth_method,
            "client_id": self.client_id,
        }
        if not (self.name and self.shop_domain):
            raise ValidationError(self.env._("Enter a name and the address of the store."))
        for name in ("client_secret", "access_token"):
            if secret := self._secret(name):
                values[name] = secret
        if self.backend_id:
            self.backend_id.write(values)
        else:
            self.backend_id = self.env["shopify.backend"].create(values)
        # From here on only the store holds them.
        self.sudo().write({"client_secret_enc": False, "access_token_enc": False})
        self.backend_id._check_connection()

    def _leave_check(self):
        if not self.backend_id.shop_gid:
            raise UserError(
                self.env._(
                    "The store could not be reached yet. Go back and correct the credentials, or"
                    " follow the advice here and use Check Again."
                )
            )
        self._fetch_locations()

    def _fetch_locations(self):
        try:
            self.env["shopify.location.importer"]._import(self.backend_id)
        except ShopifyError as error:
            raise UserError(str(error)) from error

    def _leave_locations(self):
        """Nothing to do: the mapping is saved already."""

    def _leave_orders(self):
        """Nothing to do: the policies are saved already."""

    def _leave_webhooks(self):
        if self.use_webhooks:
            try:
                shown = self.backend_id.action_register_webhooks()
            except ShopifyError as error:
                raise UserError(str(error)) from error
            self.message = shown["params"]["message"]

    def _show(self, step):
        self.step = step
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connect a Shopify Store"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }
