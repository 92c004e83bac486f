from odoo import models
from odoo.tools import config

from ..mappers.money import currency_digits
from .config import option
from .finding import Finding

# What the integration user does in the import of orders, as (model, operation).
NEEDED_RIGHTS = (
    ("sale.order", "create"),
    ("sale.order", "write"),
    ("sale.order.line", "create"),
    ("res.partner", "create"),
    ("product.product", "read"),
    ("account.tax", "read"),
    ("stock.picking", "write"),
    ("stock.move", "write"),
    ("shopify.order", "create"),
    ("shopify.customer", "create"),
    ("shopify.product", "create"),
    ("shopify.variant", "create"),
)


class ShopifyConnectionChecker(models.AbstractModel):
    """The half of the check that looks at Odoo: currencies, the integration user, the server."""

    _inherit = "shopify.connection.checker"

    def _check_currency(self, backend, shop):
        """Currencies that orders come in, and whether Odoo can hold their amounts."""
        codes = shop.currencies if backend.currency_policy == "presentment" else (shop.currency,)
        currencies = self.env["res.currency"].with_context(active_test=False)
        known = {currency.name: currency for currency in currencies.search([("name", "in", codes)])}
        findings = []
        for code in codes:
            currency = known.get(code)
            if not currency or not currency.active:
                findings.append(
                    Finding(
                        "error",
                        self.env._("Currency %s is not active in Odoo", code),
                        self.env._("Orders in this currency cannot be imported."),
                        self.env._("Activate it under Accounting > Configuration > Currencies."),
                        "orders",
                    )
                )
            elif currency.decimal_places < currency_digits(code) or not _is_power(currency):
                findings.append(
                    Finding(
                        "error",
                        self.env._("Currency %s is rounded too coarsely", code),
                        self.env._(
                            "Odoo rounds it to %(rounding)s, the store keeps %(digits)s decimals,"
                            " so totals would differ.",
                            rounding=currency.rounding,
                            digits=currency_digits(code),
                        ),
                        self.env._("Correct the rounding factor of the currency."),
                        "orders",
                    )
                )
        if not findings:
            title = self.env._("Currency %s is active in Odoo", ", ".join(codes))
            # Seen on Odoo's engine: amounts given per line hold under either rounding method.
            message = self.env._(
                "The store's tax amounts are taken as they are, so totals agree whichever way"
                " %s rounds its taxes.",
                backend.company_id.name,
            )
            findings.append(Finding("ok", title, message, feature="orders"))
        return findings

    def _check_user(self, backend):
        """Whether the integration user may do what its jobs do."""
        user, company = backend.user_id, backend.company_id
        findings = []
        if not user.active:
            findings.append(
                Finding(
                    "error",
                    self.env._("The integration user %s is archived", user.name),
                    remedy=self.env._("Choose another integration user."),
                    feature="connection",
                )
            )
        if company not in user.sudo().company_ids:
            findings.append(
                Finding(
                    "error",
                    self.env._(
                        "%(user)s has no access to company %(company)s",
                        user=user.name,
                        company=company.name,
                    ),
                    remedy=self.env._("Allow the company in the user's settings."),
                    feature="connection",
                )
            )
        env = backend._as_integration_user().env
        lacking = [
            self.env._(
                "%(operation)s %(model)s",
                operation=operation,
                model=self.env["ir.model"]._get(model).name,
            )
            for model, operation in NEEDED_RIGHTS
            if not env[model].has_access(operation)
        ]
        if lacking:
            findings.append(
                Finding(
                    "error",
                    self.env._("%s lacks access rights", user.name),
                    ", ".join(lacking),
                    self.env._(
                        "Give the user the role %s in the user's settings.",
                        self.env.ref("shopify_connector.group_integration").full_name,
                    ),
                    "orders",
                )
            )
        if not findings:
            findings.append(Finding("ok", self.env._("%s may do what its jobs need", user.name)))
        return findings

    def _check_server(self, backend):
        """What depends on the installation of Odoo and not on the store."""
        findings = []
        if not backend.warehouse_id:
            findings.append(
                Finding(
                    "error",
                    self.env._("The store has no warehouse"),
                    self.env._("Orders could not be delivered."),
                    self.env._(
                        "Choose a warehouse of %s on the store's form; create one under Inventory >"
                        " Configuration if there is none.",
                        backend.company_id.name,
                    ),
                    "orders",
                )
            )
        if "queue_job" not in config["server_wide_modules"]:
            findings.append(
                Finding(
                    "error",
                    self.env._("The job runner is not loaded"),
                    self.env._("Orders would stay in the inbox."),
                    self.env._(
                        "Add queue_job to server_wide_modules in odoo.conf and restart Odoo with"
                        " at least two workers."
                    ),
                    "connection",
                )
            )
        local = bool(option("api_url"))
        if backend.use_webhooks and not local and not backend._public_url().startswith("https://"):
            findings.append(
                Finding(
                    "warning",
                    self.env._("Webhooks need a public HTTPS address"),
                    self.env._(
                        "Shopify cannot deliver to %s; changes arrive by polling only.",
                        backend._public_url(),
                    ),
                    self.env._(
                        "Enter the public address of this Odoo on the page Webhooks & Sync."
                    ),
                    "connection",
                )
            )
        if local:
            findings.append(
                Finding(
                    "info",
                    self.env._("Development server"),
                    self.env._("Option api_url leads to %s instead of Shopify.", option("api_url")),
                )
            )
        return findings

    def _check_notices(self, backend):
        """Whether customers hear of a delivery from both sides."""
        company = backend.company_id
        if not (backend.export_fulfillments and backend.notify_customer):
            return []
        if not (company.stock_move_email_validation or company.stock_text_confirmation):
            return []
        return [
            Finding(
                "warning",
                self.env._("Customers are told twice of each delivery"),
                self.env._("Shopify mails them, and so does Odoo, or sends a text message."),
                self.env._(
                    "Switch off one of the two: 'Mail the Customer' on the page Shipping, or 'Email"
                    " Confirmation' and 'SMS Confirmation' under Inventory > Configuration >"
                    " Settings."
                ),
                "fulfilment",
            )
        ]


def _is_power(currency):
    """Whether a currency is rounded to a power of ten, not to 0.05 or the like."""
    return currency.rounding == 10.0**-currency.decimal_places
