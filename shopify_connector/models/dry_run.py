"""What a rollback would not undo, or what others would notice; see ``services/dry_run.py``."""

from odoo import api, models

from ..services.dry_run import trial_of


class IrSequence(models.Model):
    _inherit = "ir.sequence"

    def _next_do(self):
        """PostgreSQL never takes back the number of a sequence."""
        trial = trial_of(self.env)
        if trial is None or self.implementation != "standard":
            return super()._next_do()
        return self.get_next_char(trial.next_number(self, self.number_increment))


class IrSequenceDateRange(models.Model):
    _inherit = "ir.sequence.date_range"

    def _next(self):
        trial, sequence = trial_of(self.env), self.sequence_id
        if trial is None or sequence.implementation != "standard":
            return super()._next()
        return sequence.get_next_char(trial.next_number(self, sequence.number_increment))


class IrAttachment(models.Model):
    _inherit = "ir.attachment"

    @api.model
    def _storage(self):
        """Files stay when a transaction is rolled back; rows do not."""
        return "db" if trial_of(self.env) is not None else super()._storage()

    def _file_delete(self, fname):
        return super()._file_delete(fname) if trial_of(self.env) is None else None


class ShopifyException(models.Model):
    _inherit = "shopify.exception"

    @api.model
    def _report(self, backend, blocks_by_gid, details=None, flow="import"):
        """A dry run collects what would be reported; it locks no exception of the list."""
        trial = trial_of(self.env)
        if trial is None:
            return super()._report(backend, blocks_by_gid, details=details, flow=flow)
        for _name, blocks in blocks_by_gid.values():
            trial.reports += [(flow, block) for block in blocks]
        return self.browse()


class ShopifyBackend(models.Model):
    _inherit = "shopify.backend"

    def _may_remember(self, what):
        """A dry run keeps nobody from remembering."""
        return True if trial_of(self.env) is not None else super()._may_remember(what)
