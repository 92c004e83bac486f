"""Work that is done for real and always rolled back, and what is to be learned from it.

A rollback does not undo everything: numbers that were taken from a PostgreSQL sequence, files,
what waits for the commit, what caches were told. ``models/dry_run.py`` and :func:`dry_run` see to
these. Whether a transaction is one of these is known by its cursor, because environments lose
their context on the way.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from odoo import api
from odoo.tools import SQL

# The dry runs of this process by their cursors; what a cursor caches itself is cleared on the way.
_trials = WeakKeyDictionary()
# A dry run waits so long (milliseconds) for rows that others have locked, and no longer.
LOCK_TIMEOUT = 5000


@dataclass
class Trial:
    """What is learned in one dry run.

    :ivar order: the mapped :class:`~..mappers.order_types.Order`
    :ivar found: the :class:`~.order_values.Found` of its batch
    :ivar notes: ``{(kind, key): (rule, record or None)}``: which rule or record decided
    :ivar reports: ``[(flow, Block)]`` that would have become exceptions
    """

    order: Any = None
    found: Any = None
    notes: dict = field(default_factory=dict)
    reports: list = field(default_factory=list)
    _numbers: dict = field(default_factory=dict)

    def next_number(self, sequence, step):
        """The number that the sequence would give, without taking it from PostgreSQL."""
        key = (sequence._name, sequence.id)
        number = self._numbers.get(key)
        if number is None:
            number = sequence.number_next_actual
        self._numbers[key] = number + step
        return number


def trial_of(env) -> Trial | None:
    """The dry run that this environment is part of, None for work that counts."""
    return _trials.get(env.cr)


def note(env, kind, rule, records):
    """Tell a dry run what decided on something; costs and does nothing otherwise.

    :param kind: ``product``, ``tax``, ``carrier``, ``customer``, ``payment_term``, ``gateway``
    :param rule: a key of ``shopify.order.preview.report._rules``
    :param records: ``{key of the thing: record that decided, or None}``
    """
    trial = trial_of(env)
    if trial is not None:
        trial.notes.update({(kind, key): (rule, record) for key, record in records.items()})


@contextmanager
def dry_run(env):
    """A transaction of its own that is rolled back at the end, whatever happens.

    :return: an environment of the same user in it, and its :class:`Trial`
    """
    registry = env.registry
    pending = set(registry.cache_invalidated)
    try:
        with closing(registry.cursor()) as cr:
            trial = _trials[cr] = Trial()
            try:
                cr.execute(SQL("SET LOCAL lock_timeout = %s", LOCK_TIMEOUT))
                yield api.Environment(cr, env.uid, env.context, su=env.su), trial
            finally:
                # Also drops the hooks that wait for a commit.
                cr.rollback()
                del _trials[cr]
    finally:
        # What was cached meanwhile is of records that never were; nobody else is to hear of it.
        registry.reset_changes()
        registry.cache_invalidated.update(pending)
