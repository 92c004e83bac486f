"""``python -m devenv odoo [--db NAME] [--port N] [odoo arguments]``: Odoo's own command line."""

import argparse
import os

from . import config, database, paths, postgres
from .console import say


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m devenv odoo", add_help=False)
    parser.add_argument("--db", default="dev")
    parser.add_argument("--port", type=int, default=8069)
    options, rest = parser.parse_known_args(arguments)
    postgres.start()
    if not postgres.exists(options.db):
        say(f"making the database {options.db}")
        database.copy(database.addon_template(), options.db)
    conf = config.write(options.db, database=options.db, port=options.port)
    # A sub-command (shell, upgrade_code) stands before the options.
    command = [rest.pop(0)] if rest and not rest[0].startswith("-") else []
    env = {**os.environ, **postgres.environ(), "SHOPIFY_SCHEMA_DIR": str(paths.SCHEMA)}
    os.execve(paths.ODOO_BIN, [str(paths.ODOO_BIN), *command, "-c", str(conf), *rest], env)
