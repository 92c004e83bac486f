"""Where things are. Everything that is built lives in one git-ignored directory."""

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
ADDON = REPO / "shopify_connector"

ROOT = Path(os.environ.get("DEVENV_DIR") or REPO / ".devenv").resolve()
ODOO_PREFIX = ROOT / "odoo"
VENV = ROOT / "venv"
SCHEMA = ROOT / "schema"
PGDATA = ROOT / "pg"
RUN = ROOT / "run"
DATA = ROOT / "data"
STAMPS = ROOT / "stamps"

VENV_PYTHON = VENV / "bin" / "python"
ODOO_BIN = VENV / "bin" / "odoo"

CACHE = Path(
    os.environ.get("DEVENV_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopify-connector-devenv"
)


def odoo_dir():
    """Directory of existing Odoo 19 sources (``ODOO_DIR``), or None for the Debian package."""
    value = os.environ.get("ODOO_DIR")
    return Path(value).expanduser().resolve() if value else None
