"""Settings of the server, not of a store: the environment first, then `odoo.conf`.

`encryption_key`: see `vault`. `api_url` (development only): where the stores are instead of
`https://{shop}.myshopify.com`, e.g. `http://127.0.0.1:9292/shops/{shop}`.
"""

import configparser
import functools
import os

from odoo.tools import config

SECTION = "shopify_connector"


def option(name: str, default: str | None = None) -> str | None:
    """The value of `SHOPIFY_CONNECTOR_<NAME>`, else of `name` in the section, else `default`."""
    value = os.environ.get(f"{SECTION}_{name}".upper())
    if value is None:
        value = _section(config["config"]).get(name)
    return value.strip() if value and value.strip() else default


@functools.lru_cache(maxsize=1)
def _section(path: str | None) -> dict[str, str]:
    """The section of a configuration file, which Odoo itself does not keep."""
    # Without interpolation, as Odoo reads its own sections: a % is a %.
    parser = configparser.RawConfigParser()
    parser.read(path or ())
    return dict(parser[SECTION]) if parser.has_section(SECTION) else {}
