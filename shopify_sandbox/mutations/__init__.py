"""Mutations. One function each, in the module of its subject.

A mutation gets the coerced arguments and the context, and returns its payload with references and
plain values. It raises :class:`~..errors.UserErrors` to refuse and
:class:`~..errors.ApiError` for a top-level error. What it changed goes to ``context.changes``.
"""

import importlib
import pkgutil

from .registry import MUTATIONS, mutation

for _module in pkgutil.iter_modules(__path__):
    if _module.name != "registry":
        importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["MUTATIONS", "mutation"]
