"""Template databases: install once, copy in a second.

The first template holds the modules that the addon depends on; it outlives most work. The second,
made from it, holds the addon as well and is renewed when a file that the installation reads has
changed. There is such a pair for each set of further modules that tests need beside the addon.
"""

import ast
import os
import shutil
from pathlib import Path

from . import config, paths, postgres
from .console import DevenvError, run, say
from .stamps import digest, locked

# Used until the addon names its own.
DEPENDS = ("sale_management", "sale_stock", "stock_delivery", "account", "queue_job")
PREFIX = "tmpl"
KEPT = 16
# Modules that the addon works with and does not depend on. No underscore in a key: it is part of
# the templates' names.
BESIDE = {"mrp": ("mrp", "sale_mrp")}

# Python that leaves no trace in a database, and files that no installation reads.
NOT_INSTALLED = {"tests", "client", "mappers", "readme", "i18n", "static", "__pycache__"}
INSTALLED_SUFFIXES = {".py", ".xml", ".csv", ".sql", ".json"}


def dependencies():
    """Modules that the addon depends on, from its manifest."""
    manifest = paths.ADDON / "__manifest__.py"
    if not manifest.is_file():
        return DEPENDS
    return tuple(ast.literal_eval(manifest.read_text())["depends"])


def installed_files():
    """The files of the addon that an installation puts into the database."""
    return sorted(
        path
        for path in paths.ADDON.rglob("*")
        if path.suffix in INSTALLED_SUFFIXES
        and not NOT_INSTALLED.intersection(path.relative_to(paths.ADDON).parts)
    )


def install(database, modules, *, update=False):
    """Install (or update) ``modules`` in ``database``."""
    conf = config.write(f"install-{database}", database=database, log_level="warn")
    flag = "-u" if update else "-i"
    try:
        output = run(
            [
                paths.ODOO_BIN,
                "-c",
                conf,
                "-d",
                database,
                flag,
                ",".join(modules),
                "--stop-after-init",
            ],
            what=f"installing {', '.join(modules)}",
        )
    finally:
        conf.unlink()
    problems = [line for line in output.splitlines() if " ERROR " in line or " CRITICAL " in line]
    if problems:
        raise DevenvError("\n".join(["the installation logged errors:", *problems]))


def _make(name, source, modules):
    """Make the template ``name``: ``modules`` installed in a copy of ``source``."""
    if postgres.exists(name):
        return
    with locked(f"template-{name.split('_')[1]}"):
        if postgres.exists(name):
            return
        say(f"installing {', '.join(modules)} in a template database")
        building = f"building_{name}"
        drop(building)
        copy(source, building)
        try:
            install(building, modules)
        except DevenvError:
            drop(building)
            raise
        _move_files(building, name)
        postgres.rename(building, name)
        _forget_old(name)


def _forget_old(name):
    kind = name.rpartition("_")[0]
    for old in postgres.databases(f"{kind}\\_%")[:-KEPT]:
        drop(old)


def dependencies_template(beside=""):
    """Name of the template with the addon's dependencies; made when missing (about a minute).

    :param beside: key of ``BESIDE``: with these modules as well
    """
    modules = dependencies() + BESIDE.get(beside, ())
    release = next(
        (paths.VENV / "lib").glob("python3*/site-packages/odoo_addon_queue_job-*"), ""
    ).name
    odoo = (paths.STAMPS / "odoo").read_text()
    name = f"{PREFIX}_deps{beside}_{digest(modules, release, odoo)[:12]}"
    _make(name, "template0", modules)
    return name


def addon_template(beside=""):
    """Name of the template with the addon installed; made when one of its files has changed.

    :param beside: key of ``BESIDE``: in a database with these modules
    """
    source = dependencies_template(beside)
    files = installed_files()
    names = [str(path.relative_to(paths.ADDON)) for path in files]
    name = f"{PREFIX}_addon{beside}_{digest(source, names, *files)[:12]}"
    _make(name, source, [paths.ADDON.name])
    return name


def _filestore(database):
    return paths.DATA / "filestore" / database


def _move_files(database, name):
    shutil.rmtree(_filestore(name), ignore_errors=True)
    if _filestore(database).exists():
        _filestore(database).rename(_filestore(name))


def copy(source, database):
    """Copy ``source`` with its attachments (as links: their names are hashes of their content)."""
    postgres.create(database, source)
    if _filestore(source).exists():
        shutil.rmtree(_filestore(database), ignore_errors=True)
        shutil.copytree(_filestore(source), _filestore(database), copy_function=os.link)


def drop(database):
    """Drop ``database`` and its attachments, if they exist."""
    postgres.drop(database)
    shutil.rmtree(_filestore(database), ignore_errors=True)


def drop_left_over(prefix):
    """Drop databases named ``<prefix>_<pid>`` whose process is gone."""
    for name in postgres.databases(f"{prefix}\\_%"):
        pid = name.rpartition("_")[2]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            drop(name)
