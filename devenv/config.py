"""Generated Odoo configuration files, one per use (test, demo, bench, shell)."""

import configparser

from . import paths, postgres

LIMITS = {
    "limit_memory_soft": 2 * 1024**3,
    "limit_memory_hard": 3 * 1024**3,
    "limit_time_cpu": 120,
    "limit_time_real": 300,
}
JOB_CHANNELS = "root:2"


def write(
    name,
    *,
    database=None,
    port=8069,
    workers=0,
    cron_threads=0,
    api_url=None,
    log_level="info",
    options=None,
):
    """Write ``.devenv/run/odoo-<name>.conf`` and return its path.

    :param database: the only database that the server may open
    :param api_url: base URL of the stand-in store, with ``{shop}``; None for the real Shopify
    :param options: further entries of the section ``[options]``
    """
    parser = configparser.RawConfigParser()
    parser["options"] = {
        "addons_path": paths.REPO,
        "data_dir": paths.DATA,
        **postgres.odoo_options(),
        "db_name": database or False,
        "dbfilter": f"^{database}$" if database else "",
        "list_db": False,
        "http_interface": "127.0.0.1",
        "http_port": port,
        "gevent_port": port + 1,
        "proxy_mode": False,
        "server_wide_modules": "base,web,queue_job",
        "workers": workers,
        "max_cron_threads": cron_threads,
        "log_level": log_level,
        "without_demo": True,
        **LIMITS,
        **(options or {}),
    }
    parser["queue_job"] = {
        "channels": JOB_CHANNELS,
        "scheme": "http",
        "host": "127.0.0.1",
        "port": port,
    }
    if api_url:
        parser["shopify_connector"] = {"api_url": api_url}
    paths.RUN.mkdir(parents=True, exist_ok=True)
    target = paths.RUN / f"odoo-{name}.conf"
    with target.open("w") as handle:
        parser.write(handle)
    target.chmod(0o600)
    return target
