"""Odoo by hand: ``python -m devenv odoo|shell|serve [--db NAME] [--port N] [odoo arguments]``."""

import argparse
import os

from . import config, database, paths, postgres, servers
from .console import say


def main(arguments, *, command=(), database_name="dev", workers=0):
    """Replace this process by Odoo on a database that is made when it does not exist."""
    parser = argparse.ArgumentParser(prog="python -m devenv odoo", add_help=False)
    parser.add_argument("--db", default=database_name)
    parser.add_argument("--port", type=int)
    parser.add_argument("--store-port", type=int, default=servers.STORE_PORT)
    options, rest = parser.parse_known_args(arguments)
    postgres.start()
    if not postgres.exists(options.db):
        say(f"making the database {options.db}")
        database.copy(database.addon_template(), options.db)
    conf = config.write(
        f"by-hand-{options.db}",
        database=options.db,
        port=servers.choose_port(options.port, servers.ODOO_PORT, "--port", neighbours=1),
        workers=workers,
        cron_threads=1 if workers else 0,
        api_url=servers.store_url(options.store_port),
    )
    # A sub-command (shell, upgrade_code) stands before the options.
    command = [*command, *([rest.pop(0)] if rest and not rest[0].startswith("-") else [])]
    env = {**os.environ, **postgres.environ(), "SHOPIFY_SCHEMA_DIR": str(paths.SCHEMA)}
    line = [str(paths.ODOO_BIN), *command, "-c", str(conf), "-d", options.db, *rest]
    os.execve(paths.ODOO_BIN, line, env)
