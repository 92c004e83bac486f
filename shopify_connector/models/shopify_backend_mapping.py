from odoo import fields, models

from ..client.errors import AuthError, ScopeError, ShopifyError

CATALOG_PAGES_PER_JOB = 5


class ShopifyBackend(models.Model):
    """What stands for what: products that are no goods, taxes, carriers; catalogue links."""

    _inherit = "shopify.backend"

    placeholder_product_id = fields.Many2one(
        "product.product",
        string="Placeholder for Goods",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("placeholder"),
        help="Lines that are shipped and have no product of their own: custom lines, deleted"
        " variants. Title and SKU are kept on the line.",
    )
    placeholder_service_id = fields.Many2one(
        "product.product",
        string="Placeholder for Services",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("placeholder_service"),
        help="The same for lines that are not shipped.",
    )
    shipping_product_id = fields.Many2one(
        "product.product",
        string="Shipping",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("shipping"),
        help="Shipping lines whose rate is mapped to no delivery method.",
    )
    tip_product_id = fields.Many2one(
        "product.product",
        string="Tips",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("tip"),
    )
    duty_product_id = fields.Many2one(
        "product.product",
        string="Duties",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("duty"),
    )
    fee_product_id = fields.Many2one(
        "product.product",
        string="Additional Fees",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("fee"),
    )
    gift_card_product_id = fields.Many2one(
        "product.product",
        string="Gift Cards Sold",
        check_company=True,
        tracking=True,
        default=lambda self: self._default_special_product("gift_card"),
        help="Gift cards that are not linked to a product. Its income account should be a"
        " liability: the sale is made when the card is used.",
    )
    auto_tax_mapping = fields.Boolean(
        string="Map Taxes Automatically",
        tracking=True,
        help="A tax of Shopify is mapped without asking when the company has exactly one sales"
        " tax with its rate, price inclusion and country. Otherwise that tax is only suggested.",
    )
    missing_carrier = fields.Selection(
        [
            ("default", "Import without delivery method"),
            ("stop", "Stop the order until mapped"),
        ],
        string="Unknown Shipping Rates",
        default="default",
        required=True,
        tracking=True,
    )
    tax_mapping_ids = fields.One2many("shopify.tax.mapping", "backend_id")
    carrier_mapping_ids = fields.One2many("shopify.carrier.mapping", "backend_id")
    catalog_synced_at = fields.Datetime(string="Catalogue Imported", readonly=True, copy=False)

    def _default_special_product(self, name):
        return self.env.ref(f"shopify_connector.product_{name}", raise_if_not_found=False)

    def _may_remember(self, what):
        """Whether no other transaction is writing what this store learns about ``what``.

        Two batches side by side would learn the same and collide; what is only remembered to be
        faster, or to be listed, is left to the first of them.
        """
        self.env.cr.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))",
            (f"shopify:{self.id}:remember:{what}",),
        )
        return self.env.cr.fetchone()[0]

    # === ACTIONS === #

    def action_map_taxes(self):
        """Map every tax that waits to the Odoo tax that is suggested for it."""
        waiting = self.tax_mapping_ids.filtered(lambda mapping: not mapping.is_mapped)
        waiting.action_use_suggestion()
        left = waiting.filtered(lambda mapping: not mapping.is_mapped)
        mapped = len(waiting) - len(left)
        return self._notify(
            self.env._(
                "%(mapped)s taxes mapped, %(left)s left for you to decide.",
                mapped=mapped,
                left=len(left),
            ),
            "warning" if left else "success",
            reload=True,
        )

    def action_import_catalog(self):
        """Link the store's variants to Odoo's products by SKU and barcode."""
        return self._start_catalog_import(create_missing=False)

    def action_import_catalog_create(self):
        """The same, and make the products that Odoo does not have."""
        self.env["product.template"].check_access("create")
        return self._start_catalog_import(create_missing=True)

    def _start_catalog_import(self, create_missing):
        for backend in self:
            backend._delay_catalog_import(None, create_missing)
        return self._notify(
            self.env._(
                "The catalogue is read in the background. Products and variants appear under"
                " Shopify / Products as they are read."
            ),
            "info",
        )

    def _delay_catalog_import(self, cursor, create_missing):
        key = f"shopify:{self.id}:catalog:{cursor or ''}"
        self._delay(key)._job_import_catalog(cursor, create_missing)

    # === JOBS === #

    def _job_import_catalog(self, cursor=None, create_missing=False):
        """Read a slice of the store's catalogue; the rest goes to the next job."""
        backend = self._as_integration_user()
        try:
            count, cursor = backend.env["shopify.catalog.importer"]._import_pages(
                backend, cursor, CATALOG_PAGES_PER_JOB, create_missing
            )
        except ShopifyError as error:
            self._report_catalog_error(error)
            return self.env._("Shopify could not be asked: %(error)s", error=error)
        for category in ("credentials", "scope", "remote"):
            self.env["shopify.exception"].sudo()._resolve(self, category, "catalog")
        if cursor:
            self._delay_catalog_import(cursor, create_missing)
            return self.env._("%s products read, more follow.", count)
        return self.env._("%s products read, the catalogue is complete.", count)

    def _report_catalog_error(self, error):
        category = "remote"
        if isinstance(error, AuthError):
            category = "credentials"
        elif isinstance(error, ScopeError):
            category = "scope"
        block = self.env["shopify.inbox"]._store_block(self, category, "catalog", error)
        self.env["shopify.exception"].sudo()._report(self, {False: (self.name, [block])})

    def action_view_products(self):
        return self._open_mine("action_shopify_product")

    def action_view_customers(self):
        return self._open_mine("action_shopify_customer")

    def action_view_tax_mappings(self):
        return self._open_mine("action_shopify_tax_mapping")

    def action_view_carrier_mappings(self):
        return self._open_mine("action_shopify_carrier_mapping")
