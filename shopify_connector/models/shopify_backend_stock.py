from itertools import combinations

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ShopifyBackend(models.Model):
    """How stock of a store is told to Shopify."""

    _inherit = "shopify.backend"

    push_stock = fields.Boolean(
        string="Tell Shopify the Stock",
        copy=False,
        tracking=True,
        help="Shopify shows what Odoo has, within seconds. Never the other way round.",
    )
    stock_untracked = fields.Selection(
        [("report", "Report them"), ("switch", "Let Shopify track them")],
        string="Untracked Variants",
        default="report",
        required=True,
        tracking=True,
        help="Variants whose quantity Shopify does not track sell without limit.",
    )
    stock_check = fields.Boolean(
        string="Compare Daily",
        default=True,
        tracking=True,
        help="All quantities are compared with Shopify's once a day.",
    )
    stock_check_policy = fields.Selection(
        [("repair", "Send Odoo's quantity"), ("report", "Only list it")],
        string="When They Differ",
        default="repair",
        required=True,
        tracking=True,
    )
    stock_check_threshold = fields.Integer(
        string="Alert Above (units)",
        default=10,
        tracking=True,
        help="One alert tells of all differences when they are more units in sum.",
    )
    stock_check_ids = fields.One2many("shopify.stock.check", "backend_id")
    stock_rule_ids = fields.One2many("shopify.stock.rule", "backend_id")
    outbox_count = fields.Integer(compute="_compute_outbox_count")

    def _compute_outbox_count(self):
        groups = self.env["shopify.outbox"]._read_group(
            [("backend_id", "in", self.ids)], ["backend_id"], ["variant_id:count_distinct"]
        )
        counts = {backend.id: count for backend, count in groups}
        for backend in self:
            backend.outbox_count = counts.get(backend.id, 0)

    @api.constrains("push_stock")
    def _check_push_stock(self):
        for backend in self.filtered("push_stock"):
            backend._refuse_overlap()

    def _refuse_overlap(self):
        """:raises ValidationError: two of its locations show the same stock"""
        self.ensure_one()
        shown = self.sudo().location_ids.filtered(lambda location: location.push_stock)
        places = [(location, source) for location in shown for source in location._stock_sources()]
        for (one, here), (other, there) in combinations(places, 2):
            same = here.parent_path.startswith(there.parent_path) or there.parent_path.startswith(
                here.parent_path
            )
            if one != other and same:
                raise ValidationError(
                    self.env._(
                        "%(one)s and %(other)s would both show the stock of %(place)s, so that"
                        " each unit is offered twice. Untick Stock from Odoo on one of these"
                        " locations, or choose other stock for it.",
                        one=one.name,
                        other=other.name,
                        place=max(here, there, key=lambda x: len(x.parent_path)).display_name,
                    )
                )

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"push_stock", "active"}:
            self.env["shopify.stock.capture"]._look_anew()
        return result

    def _job_push_stock(self, force=False):
        """Tell a store what changed in the stock."""
        return self.env["shopify.stock.exporter"]._push(self, force=force)

    def action_check_stock(self):
        """Compare all quantities with Shopify's; before the first time that they are sent, this
        is what the decision is based on.
        """
        self.ensure_one()
        self.check_access("write")
        self._refuse_overlap()
        purpose = "manual" if self.push_stock else "switch_on"
        check = self.env["shopify.stock.check"].sudo()._start(self, purpose)
        return check._get_records_action()

    def action_switch_stock_off(self):
        """Stop telling Shopify; what waits is forgotten, for the next start compares again."""
        self.check_access("write")
        self.push_stock = False
        self.env["shopify.outbox"].sudo().search([("backend_id", "in", self.ids)]).unlink()

    def action_import_stock(self):
        """Open the wizard that takes Shopify's stock as the first count."""
        self.ensure_one()
        return self._open("action_shopify_stock_import", default_backend_id=self.id)

    def _job_check_stock(self, check_id, after=0):
        """Compare the next quantities of a check with Shopify's."""
        return self.env["shopify.stock.checker"]._look(self, check_id, after)

    def _job_confirm_stock(self, check_id):
        """Look once more at what differed."""
        return self.env["shopify.stock.checker"]._confirm(self, check_id)

    @api.model
    def _cron_check_stock(self):
        """Compare all stores, each in jobs of its own."""
        for backend in self.search([("push_stock", "=", True), ("stock_check", "=", True)]):
            if backend._can_call():
                self.env["shopify.stock.check"]._start(backend, "schedule")

    def action_push_stock_now(self):
        """Look at all variants of the store now."""
        for backend in self:
            backend.check_access("write")
            self.env["shopify.outbox"].sudo()._put_all(backend, "manual")
            self.env["shopify.stock.exporter"]._kick(backend)
        return self._notify(self.env._("Quantities are compared and sent in a moment."), "info")

    def action_view_outbox(self):
        return self._open_mine("action_shopify_outbox")

    def action_view_stock_levels(self):
        return self._open_mine("action_shopify_stock_level")


class ShopifyLocation(models.Model):
    """Which of Odoo's stock a location of Shopify shows."""

    _inherit = "shopify.location"

    push_stock = fields.Boolean(
        string="Stock from Odoo",
        compute="_compute_push_stock",
        store=True,
        readonly=False,
        precompute=True,
        help="Off: the stock of this location is not Odoo's affair, e.g. that of a 3PL.",
    )
    stock_basis = fields.Selection(
        [
            ("free", "Free to use"),
            ("on_hand", "On hand"),
            ("free_incoming", "Free and expected within days"),
            ("forecast", "Forecast"),
        ],
        string="Quantity",
        default="free",
        required=True,
        help="Free to use: on hand without what is reserved. On hand: Shopify itself takes its"
        " open orders from it. Forecast: on hand and incoming, without outgoing.",
    )
    stock_days = fields.Integer(
        string="Days Ahead",
        default=7,
        help="Goods that are expected later do not count; 0 counts all of them.",
    )
    stock_source_ids = fields.Many2many(
        "stock.location",
        "shopify_location_stock_source_rel",
        string="Stock of",
        domain="[('usage', 'in', ('internal', 'view', 'transit')),"
        " ('company_id', 'in', (company_id, False))]",
        help="These and the locations below them are added up. Empty: the stock location.",
    )

    @api.depends("fulfillment_service")
    def _compute_push_stock(self):
        for location in self:
            location.push_stock = not location.fulfillment_service

    @api.model_create_multi
    def create(self, vals_list):
        locations = super().create(vals_list)
        self.env["shopify.stock.capture"]._look_anew()
        return locations

    def write(self, vals):
        result = super().write(vals)
        names = {"active", "push_stock", "stock_basis", "stock_days", "stock_source_ids"}
        if vals.keys() & (names | {"stock_location_id", "warehouse_id"}):
            self.env["shopify.stock.capture"]._look_anew()
            for backend in self.sudo().backend_id:
                self.env["shopify.outbox"].sudo()._put_all(backend, "setting")
        return result

    @api.constrains("active", "push_stock", "stock_source_ids", "stock_location_id", "warehouse_id")
    def _check_stock_overlap(self):
        """Two locations that show the same stock would sell each unit twice."""
        for backend in self.backend_id.filtered("push_stock"):
            backend._refuse_overlap()

    def _stock_sources(self):
        """:return: the ``stock.location`` whose stock this location shows"""
        self.ensure_one()
        return self.stock_source_ids or self.stock_location_id


class ShopifyVariant(models.Model):
    _inherit = "shopify.variant"

    stock_level_ids = fields.One2many("shopify.stock.level", "variant_id", readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        variants = super().create(vals_list)
        self.env["shopify.outbox"].sudo()._put_variants(variants.filtered("product_id"), "link")
        return variants

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"product_id", "inventory_item_gid", "remote_deleted"}:
            self.env["shopify.outbox"].sudo()._put_variants(self, "link")
        return result

    def action_push_stock(self):
        """Compare and send the quantities of these variants now."""
        self.check_access("write")
        for backend, variants in self.sudo().grouped("backend_id").items():
            self.env["shopify.outbox"].sudo()._put_variants(variants, "manual")
            self.env["shopify.stock.exporter"]._kick(backend)
        return self.backend_id[:1]._notify(
            self.env._("Quantities are compared and sent in a moment."), "info"
        )
