"""``make test``: tests without a database first, then the Odoo tests on a copy of a template, then
those that need further modules, on copies of templates with these.
"""

import argparse
import os
import subprocess
import sys

from . import config, database, paths, postgres
from .console import say
from .servers import free_port

UNIT_PATHS = ("shopify_connector/tests/unit", "shopify_sandbox/tests", "devenv/tests")
ODOO_PATH = "shopify_connector/tests"
# Odoo tests that need modules beside the addon, by the key of `database.BESIDE`.
BESIDE_PATHS = {key: f"{ODOO_PATH}/with_{key}" for key in database.BESIDE}
# pytest's exit code when a selection matches no test.
NOTHING_COLLECTED = 5


def _pytest(arguments, env):
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=paths.REPO, env={**os.environ, **env}).returncode


def _is_unit(path):
    return any(
        (paths.REPO / path).resolve().is_relative_to(paths.REPO / unit) for unit in UNIT_PATHS
    )


def _split(arguments):
    """Sort pytest's arguments into (paths of unit tests, paths of Odoo tests, options)."""
    unit, odoo, options = [], [], []
    for argument in arguments:
        path = argument.partition("::")[0]
        if argument.startswith("-") or not (paths.REPO / path).exists():
            options.append(argument)
        else:
            (unit if _is_unit(path) else odoo).append(argument)
    return unit, odoo, options


def run_unit(selected, options):
    """Run the tests that need neither Odoo nor a database; return pytest's exit code."""
    where = selected or [path for path in UNIT_PATHS if (paths.REPO / path).is_dir()]
    return _pytest([*where, *options], _environ()) if where else NOTHING_COLLECTED


def _by_template(selected):
    """Sort paths of Odoo tests: ``{key of database.BESIDE, or "": paths}``, in order of running.

    Without paths that is everything, and so it is for a directory that holds both kinds.
    """
    found = {"": [], **{key: [] for key in BESIDE_PATHS}}
    for argument in selected or [ODOO_PATH]:
        path = (paths.REPO / argument.partition("::")[0]).resolve()
        own = {key: (paths.REPO / where).resolve() for key, where in BESIDE_PATHS.items()}
        inside = [key for key, where in own.items() if path.is_relative_to(where)]
        for key in inside or [""]:
            found[key].append(argument)
        for key, where in own.items():
            if where != path and where.is_relative_to(path):
                found[key].append(BESIDE_PATHS[key])
    return {key: where for key, where in found.items() if where}


def run_odoo(selected, options, *, name=None, keep=False):
    """Run the Odoo tests on copies of the template databases; return pytest's exit codes."""
    if not (paths.ADDON / "__manifest__.py").is_file():
        return [NOTHING_COLLECTED]
    postgres.start()
    database.drop_left_over("test")
    return [
        _run_on_copy(beside, where, options, name=name, keep=keep)
        for beside, where in _by_template(selected).items()
    ]


def _run_on_copy(beside, where, options, *, name, keep):
    parts = [name or "test", *([beside] if beside else []), *([] if name else [str(os.getpid())])]
    name = "_".join(parts)
    template = database.addon_template(beside)
    database.drop(name)
    database.copy(template, name)
    conf = config.write(f"test-{name}", database=name, port=free_port(), log_level="critical")
    plugin = [
        "-p",
        "pytest_odoo",
        "--odoo-config",
        str(conf),
        "--odoo-database",
        name,
        "--odoo-http",
    ]
    others = [f"{ODOO_PATH}/unit"]
    others += [path for key, path in BESIDE_PATHS.items() if key != beside]
    ignored = [f"--ignore={path}" for path in others]
    try:
        return _pytest([*plugin, *ignored, *where, *options], {**_environ(), **postgres.environ()})
    finally:
        conf.unlink(missing_ok=True)
        if keep:
            say(f"the database {name} is kept")
        else:
            database.drop(name)


def _environ():
    return {"SHOPIFY_SCHEMA_DIR": str(paths.SCHEMA)}


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m devenv test",
        description="Further arguments go to pytest. Paths choose the kind of run by themselves.",
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--unit", action="store_true", help="only the tests without a database")
    only.add_argument("--odoo", action="store_true", help="only the Odoo tests")
    parser.add_argument("--db", help="name of the test database (default: test_<pid>)")
    parser.add_argument("--keep", action="store_true", help="keep the test database")
    options, rest = parser.parse_known_args(arguments)
    unit, odoo, passed_on = _split(rest)
    codes = []
    if not options.odoo and (unit or not odoo):
        codes.append(run_unit(unit, passed_on))
    if not options.unit and (odoo or not unit):
        codes += run_odoo(odoo, passed_on, name=options.db, keep=options.keep)
    wrong = [code for code in codes if code not in (0, NOTHING_COLLECTED)]
    return wrong[0] if wrong else min(codes)
