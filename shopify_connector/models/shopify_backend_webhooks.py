import logging

from odoo import SUPERUSER_ID, api, fields, models, tools
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)

# What a delivery is checked against; see _webhook_doors.
DOOR_FIELDS = {"active", "webhook_key", "shop_domain", "payload_retention_days"}


class ShopifyBackend(models.Model):
    """How changes of a store reach Odoo: webhooks, polling and retention."""

    _inherit = "shopify.backend"

    use_webhooks = fields.Boolean(
        string="Webhooks",
        default=True,
        tracking=True,
        help="Shopify tells of each change at once; needs a public https address.",
    )
    use_polling = fields.Boolean(
        string="Polling",
        default=True,
        tracking=True,
        help="Every few minutes Odoo asks for what changed, so nothing is missed when a"
        " webhook gets lost.",
    )
    webhook_base_url = fields.Char(
        string="Public Address",
        tracking=True,
        help="Public address of this Odoo; empty: the system's web.base.url.",
    )
    log_retention_days = fields.Integer(
        string="Keep Logs (days)",
        default=90,
        tracking=True,
        help="Processed events and log lines are deleted afterwards; 0 keeps them.",
    )
    payload_retention_days = fields.Integer(
        string="Keep Payloads (days)",
        default=7,
        tracking=True,
        help="The contents of webhooks are deleted afterwards; 0 stores none but those that"
        " the law on personal data asks to act on.",
    )
    alert_user_ids = fields.Many2many(
        "res.users",
        "shopify_backend_alert_user_rel",
        string="Tell of Problems",
        help="They get one message when new exceptions turn up, at most once an hour. Empty:"
        " all Shopify managers.",
    )
    subscription_ids = fields.One2many("shopify.webhook.subscription", "backend_id")
    uninstalled_at = fields.Datetime(
        readonly=True, copy=False, help="The app was uninstalled in Shopify; no calls since."
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        backends = super().create(vals_list)
        self.env.registry.clear_cache()
        return backends

    def write(self, vals):
        if vals.get("state") == "ready":
            vals = {"uninstalled_at": False, **vals}
        result = super().write(vals)
        if any(name in DOOR_FIELDS or name.endswith("_enc") for name in vals):
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    # === BUSINESS METHODS === #

    @api.model
    @tools.ormcache()
    def _webhook_doors(self):
        """What the webhook route checks deliveries against, kept in each process.

        :return: ``{key: (backend id, shop domain, [secrets], keep bodies)}``
        """
        doors = {}
        for backend in self.with_user(SUPERUSER_ID).search([]):
            try:
                secrets = tuple(backend._webhook_secrets())
            except UserError as error:
                _logger.error("Webhooks of %s are refused: %s", backend.name, error)
                secrets = ()
            doors[backend.webhook_key] = (
                backend.id,
                backend.shop_domain.lower(),
                secrets,
                backend.payload_retention_days > 0,
            )
        return doors

    def _can_call(self):
        """Whether this store is to be called at all."""
        self.ensure_one()
        store = self.sudo()
        return store.active and store.state != "draft" and not store.uninstalled_at

    def _delay(self, identity_key, **options):
        """Jobs of a store run as its integration user, in its company.

        :param identity_key: no second job is enqueued while one with it waits
        """
        self.ensure_one()
        backend = self.with_user(self.sudo().user_id).with_company(self.sudo().company_id)
        return backend.with_delay(identity_key=identity_key, **options)

    # === JOBS === #

    def _job_drain_inbox(self, force=False):
        """Process the events that wait in the inbox of a store."""
        return self.env["shopify.inbox"]._drain(self, force=force)

    def _job_poll(self):
        """Ask a store for what changed since the last time."""
        return self.env["shopify.reconciler"]._poll(self)

    def _job_poll_returns(self):
        """Ask a store for orders with returns of which no webhook told."""
        return self.env["shopify.reconciler"]._poll_returns(self)

    def _job_reconcile_webhooks(self):
        """Compare and repair the webhook subscriptions of a store."""
        return self.env["shopify.webhook.registrar"]._job_reconcile(self)

    @api.model
    def _cron_poll(self):
        """Poll all stores, each in a job of its own."""
        for backend in self.search([("use_polling", "=", True)]):
            if backend._can_call():
                backend._delay(f"shopify:{backend.id}:poll")._job_poll()

    @api.model
    def _cron_poll_returns(self):
        """Look for changed returns in all stores, each in a job of its own."""
        for backend in self.search([("use_polling", "=", True)]):
            if backend._can_call():
                backend._delay(f"shopify:{backend.id}:poll-returns")._job_poll_returns()

    # === ACTIONS === #

    def action_register_webhooks(self):
        """Make the subscriptions in Shopify what they should be."""
        self.ensure_one()
        self.check_access("write")
        result = self.env["shopify.webhook.registrar"]._reconcile(self)
        if result["refused"]:
            message = self.env._(
                "Shopify refused %(refused)s webhooks; the list says why. %(created)s created,"
                " %(updated)s changed, %(deleted)s removed, %(kept)s were right.",
                **{key: len(topics) for key, topics in result.items()},
            )
            return self._notify(message, "warning", reload=True)
        message = self.env._(
            "Webhooks: %(created)s created, %(updated)s changed, %(deleted)s removed,"
            " %(kept)s were right.",
            **{key: len(topics) for key, topics in result.items()},
        )
        return self._notify(message, reload=True)

    def action_reconcile_now(self):
        """Ask for what changed since the last time, without waiting for the next poll."""
        for backend in self:
            backend.check_access("write")
            backend._delay(f"shopify:{backend.id}:poll", priority=5)._job_poll()
            backend._delay(f"shopify:{backend.id}:poll-returns", priority=5)._job_poll_returns()
        return self._notify(self.env._("Shopify is asked for changes in a moment."), "info")

    def action_view_subscriptions(self):
        """List the webhook subscriptions of this store."""
        return self._open_mine("action_shopify_webhook_subscription")
