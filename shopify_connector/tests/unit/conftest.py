"""Lets the unit tests import ``shopify_connector.client`` and ``.mappers`` without Odoo.

Importing the addon, or its package of tests, would import its models. Bare packages of the same
names, which only know where the folders are, stand in for them. This folder must therefore have no
``__init__.py``.
"""

import sys
import types
from pathlib import Path

ADDON = Path(__file__).resolve().parents[2]

for name, folder in ((ADDON.name, ADDON), (f"{ADDON.name}.tests", ADDON / "tests")):
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
