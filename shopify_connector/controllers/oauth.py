import logging
import secrets
import time

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from ..client.auth import normalise_shop, verify_callback, verify_state
from ..client.errors import ShopifyError
from ..const import SCOPES
from ..models.shopify_backend_credentials import OAUTH_CALLBACK

_logger = logging.getLogger(__name__)

# Seconds that a person may take to agree at Shopify.
STATE_LIFETIME = 900
_SESSION_KEY = "shopify_oauth"


class ShopifyOAuth(http.Controller):
    """Installs the app on a store with the consent of the person who is logged in."""

    @http.route("/shopify/oauth/install/<int:backend_id>", type="http", auth="user")
    def install(self, backend_id, **_params):
        """Send the manager to Shopify's page of consent."""
        try:
            backend = self._backend(backend_id)
            app = self._app(backend)
        except (AccessError, UserError) as error:
            return self._refusal(str(error))
        state = secrets.token_urlsafe(24)
        request.session[_SESSION_KEY] = {
            "state": state,
            "backend_id": backend.id,
            "until": int(time.time()) + STATE_LIFETIME,
        }
        url = app.authorize_url(
            [scope.handle for scope in SCOPES], backend.oauth_redirect_url, state
        )
        return request.redirect(url, local=False)

    @http.route(OAUTH_CALLBACK, type="http", auth="user")
    def callback(self, **params):
        """Shopify sends the person back here, with a code that gives the token."""
        started = request.session.pop(_SESSION_KEY, None) or {}
        try:
            backend = self._started(started, params)
            self._verify(backend, params)
            self._app(backend).exchange(params["code"])
        except (AccessError, UserError) as error:
            _logger.info("OAuth callback refused: %s", error)
            return self._refusal(str(error), started.get("backend_id"))
        except ShopifyError as error:
            _logger.info("OAuth code not exchanged: %s", error)
            return self._refusal(str(error), started.get("backend_id"))
        backend._message_log(
            body=request.env._("App installed by %(user)s", user=request.env.user.name)
        )
        backend._check_connection()
        return request.redirect(self._form_url(backend.id))

    def _backend(self, backend_id):
        """The store, for somebody who may connect it.

        :raises AccessError: no manager, or another company's store
        :raises UserError: there is no such store, or it does not use OAuth
        """
        env = request.env
        if not env.user.has_group("shopify_connector.group_manager"):
            raise AccessError(env._("Only Shopify managers can install the app on a store."))
        backend = env["shopify.backend"].browse(backend_id).exists()
        if not backend:
            raise UserError(env._("This store does not exist in Odoo any more."))
        backend.check_access("write")
        if backend.auth_method != "authorization_code":
            raise UserError(
                env._(
                    "%s does not use OAuth. Choose it as authentication on the page Connection of"
                    " the store first.",
                    backend.name,
                )
            )
        return backend

    def _app(self, backend):
        factory = request.env["shopify.client.factory"]
        factory._refuse_foreign_database(backend)
        return factory._app(backend)

    def _started(self, started, params):
        """The store whose installation this session has started."""
        env = request.env
        if not verify_state(params.get("state"), started.get("state")):
            raise UserError(
                env._(
                    "This answer of Shopify belongs to no installation that you have started here."
                    " Use Install App of the store again, in this browser."
                )
            )
        if started["until"] < time.time():
            raise UserError(
                env._("The installation took too long. Use Install App of the store again.")
            )
        return self._backend(started["backend_id"])

    def _verify(self, backend, params):
        """:raises UserError: Shopify did not send this, or means another store"""
        env = request.env
        if not verify_callback(params, backend._webhook_secrets()):
            raise UserError(
                env._(
                    "The signature of Shopify's answer does not fit the client secret of"
                    " %(store)s. Enter the client secret again, then use Install App.",
                    store=backend.name,
                )
            )
        try:
            shop = normalise_shop(params.get("shop"))
        except ValueError:
            shop = None
        if shop != backend.shop_domain:
            raise UserError(
                env._(
                    "The app was installed on %(found)s, but %(store)s is %(shop)s. Log in to that"
                    " store at Shopify, then use Install App again.",
                    found=shop or params.get("shop"),
                    store=backend.name,
                    shop=backend.shop_domain,
                )
            )
        if not params.get("code"):
            raise UserError(env._("Shopify sent no code. Use Install App of the store again."))

    def _form_url(self, backend_id):
        return f"/odoo/action-shopify_connector.action_shopify_backend/{backend_id}"

    def _refusal(self, message, backend_id=None):
        """A page that says what went wrong and leads back."""
        page = request.render(
            "shopify_connector.oauth_refusal",
            {
                "message": message,
                "back_url": self._form_url(backend_id)
                if backend_id
                else "/odoo/action-shopify_connector.action_shopify_backend",
            },
        )
        page.status_code = 400
        return page
