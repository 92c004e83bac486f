from odoo import api, fields, models
from odoo.exceptions import UserError


class ShopifyOrderPreview(models.TransientModel):
    """Shows what would become of an order. Only this form itself is written."""

    _name = "shopify.order.preview"
    _description = "Preview a Shopify Order"
    _transient_max_hours = 4.0

    backend_id = fields.Many2one(
        "shopify.backend",
        string="Store",
        required=True,
        ondelete="cascade",
        domain=[("state", "!=", "draft")],
        default=lambda self: self._default_backend_id(),
    )
    name = fields.Char(string="Order", required=True, help="As Shopify shows it, with or without #")
    way = fields.Selection(
        [
            ("auto", "by itself (webhook, polling)"),
            ("manual", "because somebody imports it"),
        ],
        string="It Arrives",
        default="auto",
        required=True,
        help="Who imports an order by hand gets it also when it is older than the store's first"
        " date, or when the store imports no orders by itself.",
    )
    delivered = fields.Boolean(
        string="As If Delivered", help="Also shows what is invoiced once all goods have left."
    )
    report = fields.Html(readonly=True)

    def _default_backend_id(self):
        backends = self.env["shopify.backend"].search([("state", "!=", "draft")], limit=2)
        return backends if len(backends) == 1 else False

    def _compute_display_name(self):
        self.display_name = self.env._("Preview an Order")

    def action_preview(self):
        """Read the order from Shopify and show what would be made of it."""
        self.ensure_one()
        self.backend_id.check_access("read")
        if not (self.name or "").strip():
            raise UserError(self.env._("Enter the number of an order."))
        values = self.env["shopify.order.previewer"]._preview(
            self.backend_id,
            self.name,
            by_hand=self.way == "manual",
            delivered=self.delivered,
        )
        self.name = values["order"]["name"] or self.name
        self.report = self.env["ir.qweb"]._render("shopify_connector.order_preview", values)

    def action_import(self):
        """Go on to the import of this order."""
        self.ensure_one()
        return self.backend_id._open(
            "action_shopify_order_import",
            default_backend_id=self.backend_id.id,
            default_mode="names",
            default_names=self.name,
        )


class ShopifyBackend(models.Model):
    _inherit = "shopify.backend"

    def action_preview_order(self):
        """Open the form that previews an order of this store."""
        self.ensure_one()
        return self._open("action_shopify_order_preview", default_backend_id=self.id)

    def _show_preview(self, name, way="auto"):
        """Preview an order and open what came of it."""
        self.check_access("read")
        preview = self.env["shopify.order.preview"].create(
            {"backend_id": self.id, "name": name, "way": way}
        )
        preview.action_preview()
        return {**self._open("action_shopify_order_preview"), "res_id": preview.id}


class ShopifyOrderImport(models.TransientModel):
    _inherit = "shopify.order.import"

    def action_preview(self):
        """See first what would become of the first of these orders."""
        self.ensure_one()
        names = (self.names or "").replace(",", " ").split()
        if not names:
            raise UserError(self.env._("Enter the number of an order."))
        return self.backend_id._show_preview(names[0], "manual")


class ShopifyExceptionLine(models.Model):
    _inherit = "shopify.exception.line"

    is_order = fields.Boolean(compute="_compute_is_order")

    @api.depends("gid")
    def _compute_is_order(self):
        for line in self:
            line.is_order = (line.gid or "").startswith("gid://shopify/Order/")

    def action_preview(self):
        """See what would become of the order now."""
        self.ensure_one()
        return self.backend_id._show_preview(self.gid)


class ShopifyOrder(models.Model):
    _inherit = "shopify.order"

    def action_preview(self):
        """See what importing the order again would change."""
        self.ensure_one()
        return self.backend_id._show_preview(self.shopify_gid, "manual")
