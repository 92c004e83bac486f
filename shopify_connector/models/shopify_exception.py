from odoo import api, fields, models


class ShopifyException(models.Model):
    """A cause that needs a person, with the records that wait for it."""

    _name = "shopify.exception"
    _description = "Shopify Exception"
    _order = "last_seen desc, id desc"

    backend_id = fields.Many2one(
        "shopify.backend", string="Store", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="backend_id.company_id")
    name = fields.Char(required=True, readonly=True)
    last_seen = fields.Datetime(readonly=True)
    line_ids = fields.One2many("shopify.exception.line", "exception_id")

    @api.model
    def _report(self, backend, blocks_by_gid):
        """Open (or see again) one exception per cause, with the records that wait.

        :param blocks_by_gid: ``{gid: (name of the waiting record, [Block, ...])}``
        :return: the open exceptions
        """
        raise NotImplementedError

    @api.model
    def _resolve(self, backend, category, key):
        """The cause is gone: close it and process again all that waited for it.

        :param key: one key, or a collection of keys
        :return: the exceptions that were closed
        """
        raise NotImplementedError

    @api.model
    def _clear_waiting(self, backend, gids):
        """These went through: they wait for nothing any more."""
        raise NotImplementedError

    def action_fix(self):
        """Open what has to be decided, with its defaults filled in."""
        raise NotImplementedError

    def action_retry(self):
        """Process again all that wait for these causes."""
        raise NotImplementedError

    def action_ignore(self):
        """Close without processing; who did it and when is kept."""
        raise NotImplementedError


class ShopifyExceptionLine(models.Model):
    """A record that waits for an exception to be fixed."""

    _name = "shopify.exception.line"
    _description = "Shopify Exception: Waiting Record"

    exception_id = fields.Many2one(
        "shopify.exception", required=True, ondelete="cascade", index=True
    )
