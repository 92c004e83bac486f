"""Build what is missing in ``.devenv``. Standard library only: run with the machine's Python."""

import gzip
import importlib.util
import json
import shutil
import sys
import tarfile
from pathlib import Path

from . import debian, paths
from .console import DevenvError, run, say
from .stamps import digest, forget, is_done, locked, mark_done

# Raise it when a step below puts things elsewhere: every environment is then built anew.
LAYOUT = 2
MIN_PYTHON = (3, 10)
SCHEMA_PACKAGE = "@shopify/dev-mcp@1.16.0"
SCHEMA_API = "admin"
HERE = Path(__file__).parent
REQUIREMENTS = (
    HERE / "requirements-odoo.txt",
    paths.REPO / "requirements.txt",
    HERE / "requirements-dev.txt",
)


def check_machine():
    """Raise with every missing tool at once, before anything is downloaded."""
    missing = []
    if sys.version_info < MIN_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        missing.append(f"Python >= 3.10 (found {found}): run make PYTHON=python3.11")
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        missing.append("the venv module: install python3-venv")
    if not paths.odoo_dir():
        missing += [
            f"{tool}: needs a Debian-like machine, or set ODOO_DIR to existing Odoo 19 sources"
            for tool in ("apt-get", "dpkg")
            if not shutil.which(tool)
        ]
    elif not (paths.odoo_dir() / "odoo/release.py").is_file():
        missing.append(f"Odoo sources: {paths.odoo_dir()} (ODOO_DIR) has no odoo/release.py")
    if not shutil.which("npm"):
        missing.append("npm (it fetches Shopify's API schema): install npm")
    if missing:
        raise DevenvError("this machine lacks:\n" + "\n".join(f"  - {line}" for line in missing))


def _step(name, key, action):
    if not is_done(name, key):
        forget(name)
        action()
        mark_done(name, key)


def _build_odoo():
    if not paths.odoo_dir():
        debian.install()


def _build_venv():
    say("creating the virtualenv")
    forget("packages")
    run([sys.executable, "-m", "venv", "--clear", paths.VENV], what="python -m venv")
    site = next((paths.VENV / "lib").glob("python3*")) / "site-packages"
    odoo = paths.odoo_dir() or debian.site_dir()
    # A .pth file and not a link: packages of OCA then land in the virtualenv, beside `odoo`,
    # which is a namespace package, and never inside somebody's sources.
    (site / "odoo.pth").write_text(f"{odoo}\n")
    # What OCA's packages ask for: "odoo==19.0.*".
    info = site / "odoo-19.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odoo\nVersion: 19.0\n")
    # The server re-executes argv[0] when it runs with several workers: it must be a file.
    paths.ODOO_BIN.write_text(
        f"#!{paths.VENV_PYTHON}\nimport odoo.cli\n\nif __name__ == '__main__':\n"
        "    odoo.cli.main()\n"
    )
    paths.ODOO_BIN.chmod(0o755)


def _build_packages():
    say("installing Python packages (1 to 2 minutes)")
    files = [part for path in REQUIREMENTS for part in ("-r", path)]
    pip = [paths.VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    run([*pip, *files], what="pip install")
    release = run([paths.ODOO_BIN, "--version"], what="odoo --version").splitlines()[-1]
    if not release.startswith("Odoo Server 19.0"):
        raise DevenvError(f"Odoo 19.0 is needed, found: {release}")
    say(f"{release} is installed")


def _build_schema():
    say(f"fetching Shopify's Admin API schema ({SCHEMA_PACKAGE})")
    folder = paths.CACHE / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    tarball = folder / (SCHEMA_PACKAGE.strip("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not tarball.is_file():
        run(["npm", "pack", "--ignore-scripts", SCHEMA_PACKAGE], cwd=folder, what="npm pack")
    shutil.rmtree(paths.SCHEMA, ignore_errors=True)
    paths.SCHEMA.mkdir(parents=True)
    with tarfile.open(tarball) as archive:
        for member in archive:
            name = Path(member.name).name
            if Path(member.name).parent == Path("package/dist/data") and name.startswith(
                f"{SCHEMA_API}_"
            ):
                (paths.SCHEMA / name).write_bytes(archive.extractfile(member).read())
    for path in paths.SCHEMA.glob(f"{SCHEMA_API}_*.json.gz"):
        scopes = json.loads(gzip.decompress(path.read_bytes()))["offline_scopes"]
        version = path.name.removeprefix(f"{SCHEMA_API}_").removesuffix(".json.gz")
        (paths.SCHEMA / f"offline_scopes_{version}.json").write_text(json.dumps(scopes))


def build():
    """Build whatever is missing or outdated; returns quickly when nothing is."""
    python = digest(sys.version, sys.base_prefix)
    odoo_key = digest(LAYOUT, paths.odoo_dir(), debian.ODOO_PACKAGES, debian.OWN_SUITE_PACKAGES)
    venv_key = digest(odoo_key, python, paths.VENV)
    packages_key = digest(venv_key, *REQUIREMENTS)
    schema_key = digest(LAYOUT, SCHEMA_PACKAGE)
    steps = (
        ("odoo", odoo_key, _build_odoo),
        ("venv", venv_key, _build_venv),
        ("packages", packages_key, _build_packages),
        ("schema", schema_key, _build_schema),
    )
    if all(is_done(name, key) for name, key, _action in steps):
        return
    check_machine()
    with locked("build"):
        for name, key, action in steps:
            _step(name, key, action)
        say(f"the environment is ready in {paths.ROOT}")
