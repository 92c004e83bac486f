from odoo import fields, models


class ShopifyBackend(models.Model):
    """How orders of a store are imported."""

    _inherit = "shopify.backend"

    import_orders = fields.Boolean(default=True, tracking=True)
    order_name_pattern = fields.Char(
        string="Order Name",
        default="{name}",
        required=True,
        tracking=True,
        help="{name} is Shopify's order name (#1001), {number} its digits, {store} the"
        " code below.",
    )
    order_code = fields.Char(
        string="Store Code", tracking=True, help="Value of {store} in the order name."
    )
    currency_policy = fields.Selection(
        [
            ("shop", "Store currency"),
            ("presentment", "Currency the customer paid in"),
        ],
        default="shop",
        required=True,
        tracking=True,
    )
    import_from = fields.Datetime(
        string="Orders From",
        tracking=True,
        help="Orders processed before are not imported automatically.",
    )
    financial_filter = fields.Selection(
        [
            ("any", "Any"),
            ("authorized", "Authorized or paid"),
            ("paid", "Paid"),
        ],
        string="Payment Status",
        default="any",
        required=True,
        tracking=True,
    )
    fulfillment_filter = fields.Selection(
        [("any", "Any"), ("open", "Not completely fulfilled")],
        string="Fulfilment Status",
        default="any",
        required=True,
        tracking=True,
    )
    tag_filter = fields.Char(
        string="Only with Tags", tracking=True, help="Comma separated; any of them."
    )
    tag_exclude = fields.Char(
        string="Not with Tags", tracking=True, help="Comma separated; none of them."
    )
    channel_filter = fields.Char(
        string="Only Channels",
        tracking=True,
        help="Comma separated source names, e.g. web, pos, shopify_draft_order.",
    )
    import_test_orders = fields.Boolean(tracking=True)
    confirm_policy = fields.Selection(
        [
            ("quotation", "Keep as quotation"),
            ("paid", "Confirm when paid"),
            ("always", "Confirm always"),
        ],
        string="Confirmation",
        default="paid",
        required=True,
        tracking=True,
    )
    reserve = fields.Boolean(
        string="Reserve Stock",
        default=True,
        tracking=True,
        help="Reserve the goods as soon as the order is confirmed.",
    )
    customer_strategy = fields.Selection(
        [
            ("each", "One contact per customer"),
            ("single", "One contact for the whole store"),
        ],
        default="each",
        required=True,
        tracking=True,
    )
    customer_id = fields.Many2one(
        "res.partner",
        string="Store Customer",
        check_company=True,
        tracking=True,
        help="Takes all orders of the store; addresses are still kept per order.",
    )
    match_sku = fields.Boolean(
        string="Link by SKU", default=True, tracking=True
    )
    match_barcode = fields.Boolean(
        string="Link by Barcode", default=True, tracking=True
    )
    missing_product = fields.Selection(
        [
            ("placeholder", "Use the placeholder product, map it later"),
            ("stop", "Stop the order until the product is mapped"),
        ],
        default="stop",
        required=True,
        tracking=True,
        help="What happens to an order line whose variant is known in Shopify but in no"
        " way in Odoo. Custom lines and deleted variants always use the placeholder.",
    )
    team_id = fields.Many2one("crm.team", check_company=True, tracking=True)
    salesperson_id = fields.Many2one("res.users", tracking=True)
    order_ids = fields.One2many("shopify.order", "backend_id")
