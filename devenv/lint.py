"""``make lint``: ruff, pylint-odoo and module checks as OCA has them, XML by Odoo's grammar."""

import argparse
import subprocess

from . import paths
from .console import run

# As Odoo's own files have it: "utf-8" in lower case, numbers as text.
OCA_DISABLED = "xml-header-wrong,xml-field-numeric-without-eval"


def _tool(name, *arguments):
    print(f"--- {name} {arguments[0]}", flush=True)
    command = [str(paths.VENV / "bin" / name), *arguments]
    return subprocess.run(command, cwd=paths.REPO).returncode == 0


def _odoo_grammar():
    source = (
        "import odoo.tools, os; print(os.path.join(odoo.tools.config.root_path, 'import_xml.rng'))"
    )
    return run([paths.VENV_PYTHON, "-c", source], what="looking up Odoo").splitlines()[-1]


def check_xml(folder):
    """Problems of the XML files below ``folder``: not well-formed, or no valid Odoo data file."""
    from lxml import etree

    grammar = etree.RelaxNG(etree.parse(_odoo_grammar()))
    problems = []
    for path in sorted(folder.rglob("*.xml")):
        try:
            document = etree.parse(path)
        except etree.XMLSyntaxError as error:
            problems.append(f"{path}: {error}")
            continue
        if document.getroot().tag == "odoo" and not grammar.validate(document):
            problems += [f"{path}:{entry.line}: {entry.message}" for entry in grammar.error_log]
    return problems


def _check_addon():
    addon = paths.ADDON.name
    print("--- XML against Odoo's grammar", flush=True)
    problems = check_xml(paths.ADDON)
    print("\n".join(problems), end="\n" if problems else "")
    return [
        not problems,
        _tool("pylint", "--rcfile=.pylintrc", "--jobs=2", addon),
        _tool("oca-checks-odoo-module", f"--disable={OCA_DISABLED}", addon),
    ]


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m devenv lint")
    parser.add_argument("--addon", action="store_true", help="only what ruff does not check")
    options = parser.parse_args(arguments)
    results = [] if options.addon else [_tool("ruff", "check"), _tool("ruff", "format", "--check")]
    results += _check_addon()
    print("lint: clean" if all(results) else "lint: problems found", flush=True)
    return 0 if all(results) else 1
