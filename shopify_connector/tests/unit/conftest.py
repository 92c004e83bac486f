"""Lets the unit tests import ``shopify_connector.client`` and ``.mappers`` without Odoo.

Importing the addon itself would import its models. A bare package of the same name, which only knows
where the addon is, stands in for it. This folder must therefore have no ``__init__.py``.
"""

import sys
import types
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2]

if ADDON.name not in sys.modules:
    package = types.ModuleType(ADDON.name)
    package.__path__ = [str(ADDON)]
    sys.modules[ADDON.name] = package
