import json
import logging

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..client.errors import AuthError, ShopifyError, ShopUnavailableError, TransientError
from ..client.gid import gid as make_gid
from .inbox_claim import LeaseLost
from .inbox_verdict import Verdict
from .outcome import Block

_logger = logging.getLogger(__name__)


class ShopifyInbox(models.AbstractModel):
    """Events that are not about a record to import: the end of the installation, and what the
    law on personal data asks for.
    """

    _inherit = "shopify.inbox"

    def _notices(self):
        """Method that acts on a topic: ``{topic: name}``. It gets the store and the decoded
        body, in a READ COMMITTED transaction, and returns a Verdict. Those in
        ``_final_notices`` also get what :meth:`_still_installed` said.
        """
        return {
            "app/uninstalled": "_on_app_uninstalled",
            "customers/data_request": "_on_data_request",
            "customers/redact": "_on_customer_redact",
            "shop/redact": "_on_shop_redact",
        }

    def _final_notices(self):
        """Topics that say that the app was uninstalled."""
        return {"app/uninstalled", "shop/redact"}

    def _work_on_notices(self, backend, claim, gids, result):
        topics = {event.topic for gid in gids for event in claim.events[gid]}
        installed = None
        if topics & self._final_notices():
            # Before any transaction writes.
            installed = self._still_installed(backend)
        try:
            with self._read_committed() as env:
                inbox = env[self._name]
                bodies = inbox._bodies(claim.ids(gids))
                verdicts = {}
                for gid in gids:
                    for event in claim.events[gid]:
                        verdicts[gid] = inbox._act_on_notice(
                            env["shopify.backend"].browse(backend.id),
                            event.topic,
                            bodies.get(event.id),
                            installed,
                        )
                nodes = {gid: {"name": claim.events[gid][-1].topic} for gid in gids}
                waiting = [gid for gid in gids if verdicts[gid].kind == "passing"]
                inbox._release_events(claim, waiting, 60, count=True)
                inbox._finish_events(
                    claim,
                    {
                        gid: (verdict.state, verdict.message)
                        for gid, verdict in verdicts.items()
                        if verdict.kind != "passing"
                    },
                )
                inbox._log_verdicts(backend, verdicts, nodes)
        except LeaseLost:
            _logger.info("The lease of a drain lapsed; another one took over")
            return
        for verdict in verdicts.values():
            result.counts[verdict.outcome] += 1

    def _bodies(self, event_ids):
        self.env.cr.execute(
            SQL("SELECT id, body FROM shopify_webhook_event WHERE id = ANY(%s)", event_ids)
        )
        return dict(self.env.cr.fetchall())

    def _act_on_notice(self, backend, topic, body, installed):
        method = self._notices().get(topic)
        if not method:
            message = self.env._("Nothing here is done with %(topic)s.", topic=topic)
            return Verdict("done", "skipped", message)
        try:
            content = json.loads(body or "")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return Verdict("failed", "failed", self.env._("The contents are no JSON object."))
        # The signature covers the body, but not the topic: a body of another kind is not
        # taken for a notice.
        shop = content.get("shop_domain") or content.get("myshopify_domain")
        if (shop or "").lower() != backend.shop_domain.lower():
            return Verdict("failed", "failed", self.env._("The contents name another store."))
        act = getattr(self, method)
        if topic in self._final_notices():
            return act(backend, content, installed)
        return act(backend, content)

    # === UNINSTALLED === #

    def _on_app_uninstalled(self, backend, content, installed):
        if installed:
            return installed
        backend.write({"state": "error", "uninstalled_at": fields.Datetime.now()})
        backend._forget_tokens()
        block = Block(
            category="credentials",
            key="uninstalled",
            title=self.env._("The app was uninstalled from %(store)s", store=backend.name),
            message=self.env._(
                "Shopify does not let Odoo in any more. Nothing is imported or sent until the"
                " app is installed again; what the store has changed by then is fetched later."
            ),
            remedy=self.env._(
                "Install the app in Shopify again, then open the store and press Check"
                " Connection. If the store is not to be connected any more, archive it."
            ),
            res_model="shopify.backend",
            res_id=backend.id,
        )
        self.env["shopify.exception"]._report(backend, {False: (backend.name, [block])})
        return Verdict("done", "updated", self.env._("The store is not called any more."))

    def _still_installed(self, backend):
        """Ask the store, because a notice may come late, after a new installation.

        :return: None, or the Verdict on a notice that is not to be acted on now
        """
        try:
            client = self.env["shopify.client.factory"]._client(backend)
            client.execute("current_app_installation")
        except TransientError as error:
            return Verdict("passing", "retry", str(error))
        except (AuthError, ShopUnavailableError, UserError):
            return None
        except ShopifyError as error:
            _logger.info("%s answers after its notice of the end: %s", backend.name, error)
        return Verdict(
            "done",
            "skipped",
            self.env._("The app is installed: this notice is out of date."),
        )

    # === PERSONAL DATA === #

    def _on_data_request(self, backend, content):
        customer, name = _customer(content)
        partner, held = self._held(backend, customer)
        block = Block(
            category="customer",
            key=f"data_request:{customer}:{(content.get('data_request') or {}).get('id', '')}",
            title=self.env._("%(customer)s asks which data are stored", customer=name),
            message=self.env._(
                "The customer asked the store %(store)s for their personal data. Held in Odoo:"
                " %(held)s.",
                store=backend.name,
                held=held,
            ),
            remedy=self.env._(
                "Send the store's owner what is held, within 30 days of the request; then press"
                " Ignore, which keeps who dealt with it and when."
            ),
            **partner,
        )
        self.env["shopify.exception"]._report(backend, {False: (name, [block])})
        return Verdict("done", "created", block.title)

    def _on_customer_redact(self, backend, content):
        customer, name = _customer(content)
        orders = [make_gid("Order", number) for number in content.get("orders_to_redact") or ()]
        self.env.cr.execute(
            SQL(
                """
                UPDATE shopify_webhook_event SET body = NULL
                WHERE backend_id = %s AND resource_gid = ANY(%s::varchar[])
                    AND (state != 'pending' OR topic NOT IN %s)
                """,
                backend.id,
                [customer, *orders],
                tuple(self._notices()),
            )
        )
        partner, held = self._held(backend, customer)
        if not partner:
            return Verdict("done", "deleted", self.env._("Nothing of the customer is held."))
        block = Block(
            category="customer",
            key=f"redact:{customer}",
            title=self.env._("%(customer)s is to be forgotten", customer=name),
            message=self.env._(
                "Shopify asks to delete the personal data of this customer of %(store)s. The"
                " contents of webhooks were deleted. Still held in Odoo: %(held)s.",
                store=backend.name,
                held=held,
            ),
            remedy=self.env._(
                "Anonymise the contact within 30 days, unless the law obliges you to keep"
                " documents that name it; then press Ignore, which keeps who decided and when."
            ),
            **partner,
        )
        self.env["shopify.exception"]._report(backend, {False: (name, [block])})
        return Verdict("done", "deleted", block.title)

    def _on_shop_redact(self, backend, content, installed):
        if "customer" in content:
            return Verdict("failed", "failed", self.env._("The contents are not of this topic."))
        if installed:
            return installed
        self.env.cr.execute(
            SQL("UPDATE shopify_webhook_event SET body = NULL WHERE backend_id = %s", backend.id)
        )
        backend.action_forget_credentials()
        return Verdict(
            "done", "deleted", self.env._("Credentials and contents of webhooks were deleted.")
        )

    def _held(self, backend, customer):
        """What Odoo holds of a customer.

        :return: arguments for the Block that open the contact, and a sentence for people
        """
        binding = self.env["shopify.customer"].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "=", customer)], limit=1
        )
        partner = binding.partner_id
        if not partner:
            return {}, self.env._("no contact that is linked with this customer")
        orders = self.env["sale.order"].search_count([("partner_id", "child_of", partner.id)])
        held = self.env._(
            "contact %(contact)s and %(orders)s sale orders",
            contact=partner.display_name,
            orders=orders,
        )
        return {"res_model": "res.partner", "res_id": partner.id}, held


def _customer(content):
    """:return: gid, and a name that gives no personal data away"""
    number = (content.get("customer") or {}).get("id") or 0
    return make_gid("Customer", number), f"Customer {number}"
