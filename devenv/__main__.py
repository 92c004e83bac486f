"""``python -m devenv <command>``: build what is missing, then run the command inside it."""

import importlib
import os
import sys

from . import paths
from .build import build
from .console import DevenvError, fail

COMMANDS = {
    "env": "build the environment: Odoo 19, PostgreSQL, Python packages, Shopify's API schema",
    "demo": "two stores with customers who order, connected with Odoo; --check compares totals",
    "test": "run the tests; further arguments go to pytest",
    "lint": "check style and the addon's metadata",
    "bench": "run the benchmarks",
    "screenshots": "take the pictures of the guide (needs chromium and chromium-driver)",
    "pot": "export the addon's terms for translators",
    "serve": "Odoo with workers and job runner on the demo database",
    "shell": "Odoo's Python shell on the demo database",
    "odoo": "an Odoo command line with a generated configuration",
    "psql": "open a database",
    "clean": "stop PostgreSQL and delete the environment",
}


def usage():
    lines = [f"  {name:11} {text}" for name, text in COMMANDS.items()]
    return "\n".join(["usage: python -m devenv <command> [options]", "", *lines])


def _enter_venv():
    """Replace this process by the same command in the virtualenv's Python."""
    if sys.prefix != str(paths.VENV):
        arguments = [str(paths.VENV_PYTHON), "-m", "devenv", *sys.argv[1:]]
        os.chdir(paths.REPO)
        os.execv(paths.VENV_PYTHON, arguments)


def main():
    command, *arguments = sys.argv[1:] or [""]
    if command not in COMMANDS:
        print(usage())
        raise SystemExit(0 if command in ("", "help", "-h", "--help") else 2)
    try:
        if command != "clean":
            build()
        if paths.VENV_PYTHON.exists():
            _enter_venv()
        module = importlib.import_module(f".{command}", __package__)
        raise SystemExit(module.main(arguments))
    except DevenvError as error:
        fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
