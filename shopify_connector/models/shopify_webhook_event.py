import json

from odoo import api, fields, models

from ..services.inbox_verdict import label

STATES = [
    ("pending", "Waiting"),
    ("done", "Done"),
    ("skipped", "Nothing to do"),
    ("blocked", "Needs a decision"),
    ("failed", "Failed"),
]
SOURCES = [
    ("webhook", "Webhook"),
    ("poll", "Polling"),
    ("manual", "Manual"),
    ("retry", "Retry"),
    ("history", "Import of orders"),
]


class ShopifyWebhookEvent(models.Model):
    """The inbox: one line per delivery, poll hit, manual request or retry.

    Lines are written by plain SQL (``controllers/webhook.py``, ``services/inbox*.py``), so
    there are no computed stored fields and no log columns here.
    """

    _name = "shopify.webhook.event"
    _description = "Shopify Inbox Event"
    _log_access = False
    _order = "id desc"
    _rec_name = "topic"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    topic = fields.Char(required=True, readonly=True)
    resource_gid = fields.Char(string="Shopify ID", readonly=True)
    resource_name = fields.Char(string="Record", compute="_compute_resource_name")
    source = fields.Selection(SOURCES, required=True, readonly=True, default="webhook")
    state = fields.Selection(STATES, default="pending", required=True, readonly=True)
    priority = fields.Integer(
        default=10, required=True, readonly=True, help="Lower goes first.", aggregator=False
    )
    received_at = fields.Datetime(
        string="Received", required=True, readonly=True, default=fields.Datetime.now
    )
    processed_at = fields.Datetime(string="Processed", readonly=True)
    message = fields.Char(readonly=True)

    webhook_id = fields.Char(
        string="Delivery ID", readonly=True, help="Shopify's id of this delivery."
    )
    event_id = fields.Char(
        string="Event ID",
        readonly=True,
        help="Shopify's id of what happened; its deliveries have it in common.",
    )
    triggered_at = fields.Char(
        string="Triggered", readonly=True, help="When it happened, as Shopify says."
    )
    api_version = fields.Char(string="API Version", readonly=True)
    remote_ip = fields.Char(string="Sender", readonly=True, help="Address it came from.")
    updated_at = fields.Datetime(
        string="Updated in Shopify", readonly=True, help="Known for events of polling only."
    )
    body = fields.Text(
        prefetch=False,
        readonly=True,
        groups="shopify_connector.group_manager",
        help="A hint only: what is imported is read again from Shopify.",
    )
    body_pretty = fields.Text(
        string="Payload",
        compute="_compute_body_pretty",
        groups="shopify_connector.group_manager",
    )

    next_attempt_at = fields.Datetime(
        string="Next Attempt", required=True, readonly=True, default=fields.Datetime.now
    )
    attempts = fields.Integer(default=0, required=True, readonly=True, aggregator=False)
    lease_token = fields.Char(readonly=True, help="The drain that is at work on it.")
    lease_pid = fields.Integer(
        readonly=True, aggregator=False, help="Database process of that drain."
    )
    lease_until = fields.Datetime(readonly=True, help="Afterwards another drain takes it over.")

    # Webhook ids are unique per delivery; the topic is part of it because apps that share
    # one address get one event under several topics.
    _delivery_uniq = models.UniqueIndex(
        "(backend_id, webhook_id, topic) WHERE webhook_id IS NOT NULL",
        "This delivery was already received.",
    )
    _waiting_idx = models.Index("(backend_id, priority, id) WHERE state = 'pending'")
    _resource_idx = models.Index("(backend_id, resource_gid)")

    @api.depends("body")
    def _compute_body_pretty(self):
        for event in self:
            try:
                event.body_pretty = json.dumps(
                    json.loads(event.body or ""), indent=2, ensure_ascii=False
                )
            except ValueError:
                event.body_pretty = event.body

    @api.depends("resource_gid", "backend_id")
    def _compute_resource_name(self):
        names = self.env["shopify.sync.log"]._binding_names(
            self.backend_id, set(self.mapped("resource_gid"))
        )
        for event in self:
            gid = event.resource_gid or ""
            event.resource_name = names.get((event.backend_id.id, gid)) or label(gid, None)

    def action_retry(self):
        """Process these resources again."""
        Inbox = self.env["shopify.inbox"]
        self.check_access("read")
        for backend, events in self.grouped("backend_id").items():
            items = [
                {"topic": event.topic, "gid": event.resource_gid, "source": "manual"}
                for event in events
                if event.resource_gid
            ]
            Inbox._put(backend, items)
            Inbox._kick(backend)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("They are read from Shopify again in a moment."),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def action_open_record(self):
        """Open what was made from this resource."""
        self.ensure_one()
        record = self.env["shopify.sync.log"]._find_record(self.backend_id, self.resource_gid)
        return record._get_records_action() if record else False

    def _job_process(self):
        """Process the resource of one event that failed for a passing reason."""
        return self.env["shopify.inbox"]._drain_event(self)

    @api.model
    def _cron_drain(self):
        """Net below the jobs: no due event waits longer than a minute."""
        self.env["shopify.inbox"]._trigger_due()

    @api.model
    def _cron_watch(self):
        """Tell people when events wait and no job runs, and of new exceptions."""
        self.env["shopify.watchdog"]._watch()

    @api.autovacuum
    def _gc_events(self):
        return self.env["shopify.inbox"]._purge()
