from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

from ..client.auth import covers
from ..client.errors import (
    AuthError,
    ScopeError,
    ShopifyError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
)
from ..const import API_VERSION, SCOPES, supported_until
from ..mappers.shop import map_shop
from .finding import Finding, render

# A version of the API that ends sooner than this is worth a warning.
VERSION_WARNING = timedelta(days=90)


class ShopifyConnectionChecker(models.AbstractModel):
    """Finds out what works between Odoo and a store, what does not, and what to do about it."""

    _name = "shopify.connection.checker"
    _description = "Shopify Connection Checker"

    def _check(self, backend):
        """
        :return: list of Finding; reads only
        """
        return self._examine(backend)[0]

    def _check_and_store(self, backend):
        """Check, and keep the result and what the store told of itself.

        :return: list of Finding
        """
        findings, shop = self._examine(backend)
        failed = any(finding.level == "error" for finding in findings)
        values = {
            "state": "error" if failed else "ready",
            "last_check_at": fields.Datetime.now(),
            "last_check_result": render(findings),
        }
        if shop and not self._other_shop(backend, shop):
            values.update(self._shop_values(shop))
            if not backend.sudo().database_uuid:
                backend.sudo().database_uuid = backend._current_database_uuid()
        backend.write(values)
        return findings

    def _examine(self, backend):
        """
        :return: list of Finding, and the Shop or None
        """
        shop, findings = None, []
        try:
            client = self.env["shopify.client.factory"]._client(backend)
            result = client.execute("shop_info")
            shop = map_shop(result.data["shop"])
        except UserError as error:
            copy = backend.foreign_database
            title = self.env._("This database is a copy") if copy else self.env._("Not configured")
            findings.append(Finding("error", title, str(error), feature="connection"))
        except ShopifyError as error:
            findings.append(self._failure(error))
        if shop:
            findings += self._check_shop(backend, shop)
            findings += self._check_remote(backend, client)
            findings += self._check_currency(backend, shop)
        findings += self._check_user(backend)
        findings += self._check_server(backend)
        findings += self._check_notices(backend)
        return findings, shop

    def _shop_values(self, shop):
        currencies = self.env["res.currency"].with_context(active_test=False)
        return {
            "shop_gid": shop.gid,
            "shop_name": shop.name,
            "shop_plan": shop.plan,
            "shop_currency_id": currencies.search([("name", "=", shop.currency)], limit=1).id,
            "shop_country_id": self.env["res.country"]
            .search([("code", "=", shop.country_code)], limit=1)
            .id,
            "shop_timezone": shop.timezone,
            "shop_taxes_included": shop.taxes_included,
        }

    # === THE STORE === #

    def _failure(self, error):
        """The finding for a store that could not be asked at all."""
        if isinstance(error, AuthError):
            title = {
                "invalid_client": self.env._("The client ID or the client secret is wrong"),
                "shop_not_permitted": self.env._("The app belongs to another organization"),
                "app_not_installed": self.env._("The app is not installed on the store"),
                "app_not_found": self.env._("Shopify knows no app with this client ID"),
                "invalid_token": self.env._("The access token is refused"),
                "no_token": self.env._("The app is not installed yet"),
                "invalid_grant": self.env._("The installation of the app is not valid any more"),
                "refresh_expired": self.env._("The installation of the app has lapsed"),
            }.get(error.reason, self.env._("The store refuses the credentials"))
        elif isinstance(error, ShopUnavailableError):
            title = self.env._("The store is not available")
        elif isinstance(error, ScopeError):
            title = self.env._("The app may not read the store")
        elif isinstance(error, ThrottledError):
            return Finding(
                "error",
                self.env._("The store is busy"),
                str(error),
                self.env._("Check again in a minute."),
                "connection",
            )
        elif isinstance(error, TransientError):
            return Finding(
                "error",
                self.env._("The store cannot be reached"),
                str(error),
                self.env._(
                    "Check the address of the store, and that this server may open HTTPS"
                    " connections to it."
                ),
                "connection",
            )
        else:
            title = self.env._("The store gave an unusable answer")
        return Finding("error", title, str(error), feature="connection")

    def _check_shop(self, backend, shop):
        if self._other_shop(backend, shop):
            return [
                Finding(
                    "error",
                    self.env._("This is another store"),
                    self.env._(
                        "The credentials lead to %(found)s (%(domain)s), but the records here"
                        " belong to %(known)s.",
                        found=shop.name,
                        domain=shop.domain,
                        known=backend.shop_name or backend.shop_domain,
                    ),
                    self.env._(
                        "Enter the address and credentials of %(known)s again, or connect the"
                        " other store as a new one.",
                        known=backend.shop_name or backend.shop_domain,
                    ),
                    "connection",
                )
            ]
        findings = [
            Finding(
                "ok",
                self.env._("Connected with %s", shop.name),
                self.env._(
                    "Plan %(plan)s, currency %(currency)s, time zone %(timezone)s, %(taxes)s.",
                    plan=shop.plan or "?",
                    currency=shop.currency,
                    timezone=shop.timezone,
                    taxes=(
                        self.env._("prices include tax")
                        if shop.taxes_included
                        else self.env._("prices without tax")
                    ),
                ),
                feature="connection",
            )
        ]
        if shop.domain != backend.shop_domain:
            findings.append(
                Finding(
                    "error",
                    self.env._("The store has another address now"),
                    self.env._(
                        "Shopify calls it %(found)s; webhooks come from there and are refused.",
                        found=shop.domain,
                    ),
                    self.env._("Enter %s as the address of the store.", shop.domain),
                    "connection",
                )
            )
        return findings

    def _other_shop(self, backend, shop):
        """Whether the credentials lead to another store than the one of the records here."""
        if backend.shop_gid:
            return backend.shop_gid != shop.gid
        twins = backend.sudo().with_context(active_test=False)
        return bool(twins.search_count([("shop_gid", "=", shop.gid)], limit=1))

    def _check_remote(self, backend, client):
        """What needs further questions; one that fails does not hide the others."""
        findings = []
        for check in (
            self._check_scopes,
            self._check_customer_data,
            self._check_locations,
            self._check_version,
        ):
            try:
                findings += check(backend, client)
            except ShopifyError as error:
                findings.append(self._failure(error))
        return findings

    def _check_scopes(self, backend, client):
        installation = client.execute("current_app_installation").data["currentAppInstallation"]
        granted = [scope["handle"] for scope in installation["accessScopes"]]
        missing = [scope for scope in SCOPES if not covers(granted, scope.handle)]
        if not missing:
            return [Finding("ok", self.env._("All access scopes are granted"))]
        labels, remedy = self._feature_labels(), self._scope_remedy(backend)
        findings = []
        for feature in dict.fromkeys(scope.feature for scope in missing):
            mine = [scope for scope in missing if scope.feature == feature]
            required = any(scope.required for scope in mine)
            findings.append(
                Finding(
                    "error" if required else "warning",
                    self.env._(
                        "%(feature)s: the app lacks %(scopes)s",
                        feature=labels[feature],
                        scopes=", ".join(scope.handle for scope in mine),
                    ),
                    "" if required else self.env._("Nothing else needs it; the rest works."),
                    remedy,
                    feature,
                )
            )
        return findings

    def _scope_remedy(self, backend):
        if backend.auth_method == "authorization_code":
            return self.env._(
                "Add the scope to the app's version in the Dev Dashboard and release it; then use"
                " Install App here again."
            )
        if backend.auth_method == "static_token":
            return self.env._(
                "Tick the scope in the app's Admin API configuration, then install the app again."
            )
        return self.env._(
            "Add the scope to the app's version in the Dev Dashboard, release it, and approve it"
            " on the store."
        )

    def _feature_labels(self):
        return {
            "connection": self.env._("Connection"),
            "orders": self.env._("Order import"),
            "customers": self.env._("Customers of orders"),
            "products": self.env._("Product links"),
            "locations": self.env._("Locations"),
            "history": self.env._("Orders older than 60 days"),
            "payment_terms": self.env._("Payment terms of companies"),
            "payments": self.env._("Payments told to Shopify"),
            "fulfilment": self.env._("Deliveries told to Shopify"),
            "returns": self.env._("Returns"),
            "stock": self.env._("Stock told to Shopify"),
        }

    def _check_customer_data(self, backend, client):
        """Names and addresses may be withheld although the scopes are granted."""
        try:
            result = client.execute("protected_customer_data")
        except ScopeError:
            return []  # the scopes' check says so
        withheld = sorted(
            {
                str(fault.path[-1])
                for fault in result.errors
                if fault.code == "ACCESS_DENIED" and fault.path and not fault.scopes
            }
        )
        if withheld:
            return [
                Finding(
                    "error",
                    self.env._("Customer data is withheld"),
                    self.env._(
                        "Shopify does not give this app: %s. Orders would arrive without knowing"
                        " whom to deliver to.",
                        ", ".join(withheld),
                    ),
                    self.env._(
                        "In the app's settings, under API access requests, ask for access to"
                        " protected customer data with name, address, e-mail and phone. With a"
                        " custom app it also depends on the store's plan."
                    ),
                    "customers",
                )
            ]
        if result.errors or not result.data["orders"]["nodes"]:
            return []
        return [Finding("ok", self.env._("Customer data can be read"), feature="customers")]

    def _check_locations(self, backend, client):
        try:
            found = list(client.paginate("locations", "locations"))
        except ScopeError:
            return []
        active = [node["name"] for node in found if node["isActive"]]
        title = self.env._("%(count)s locations found", count=len(active))
        findings = [Finding("ok", title, ", ".join(active), feature="locations")]
        unmapped = backend.location_ids.filtered(lambda location: not location.warehouse_id)
        if unmapped:
            findings.append(
                Finding(
                    "info",
                    self.env._("Locations without warehouse"),
                    self.env._(
                        "%(names)s: their orders are delivered from %(warehouse)s.",
                        names=", ".join(unmapped.mapped("name")),
                        warehouse=backend.warehouse_id.name,
                    ),
                    self.env._("Choose their warehouse on the page Locations."),
                    "locations",
                )
            )
        return findings

    def _check_version(self, backend, client):
        result = client.execute("public_api_versions")
        served = {
            version["handle"]
            for version in result.data["publicApiVersions"]
            if version["supported"]
        }
        until = supported_until(API_VERSION)
        if result.fell_forward or API_VERSION not in served:
            return [
                Finding(
                    "error",
                    self.env._("Shopify no longer serves API version %s", API_VERSION),
                    self.env._("It answers with %s, which may differ.", result.api_version),
                    self.env._("Update the Shopify Connector."),
                    "connection",
                )
            ]
        level, remedy = "ok", ""
        if fields.Date.context_today(self) > until - VERSION_WARNING:
            level, remedy = "warning", self.env._("Update the Shopify Connector before that day.")
        return [
            Finding(
                level,
                self.env._("API version %s", API_VERSION),
                self.env._("Shopify serves it until %s at least.", until),
                remedy,
                "connection",
            )
        ]
