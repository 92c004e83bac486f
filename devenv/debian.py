"""Odoo 19 from Debian's package, unpacked into a directory: no root, nothing is installed."""

import os
import re
import shutil
from pathlib import Path

from . import paths
from .console import DevenvError, run, say

ODOO_SUITE = "sid"
ODOO_PACKAGES = (
    "odoo-19",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-montserrat",
    "fonts-roboto-unhinted",
    "fonts-inconsolata",
)
# Odoo's stylesheets are written for version 4, which the stable suites still carry.
OWN_SUITE_PACKAGES = ("fonts-font-awesome",)
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

MIRROR_HELP = (
    "The apt configuration of this machine names no Debian mirror.\n"
    "Set DEVENV_DEBIAN_MIRROR to the URL of one, or ODOO_DIR to existing Odoo 19 sources."
)


def site_dir():
    """The directory of the unpacked package that holds the Python package ``odoo``."""
    return paths.ODOO_PREFIX / "usr/lib/python3/dist-packages"


def machine_mirror():
    """(URL, suite) of the Debian archive that this machine's apt uses, as apt itself reads it."""
    fields = "$(IDENTIFIER)|$(REPO_URI)|$(RELEASE)"
    output = run(["apt-get", "indextargets", "--format", fields], what="apt-get indextargets")
    release = _os_release()
    suite = release.get("VERSION_CODENAME") or "stable"
    mirrors = [line.split("|") for line in output.splitlines() if line.startswith("Packages|")]
    forced = os.environ.get("DEVENV_DEBIAN_MIRROR")
    if forced:
        return forced, suite if release.get("ID") == "debian" else "stable"
    for _identifier, uri, found in mirrors:
        if re.search(r"/debian/?$", uri) and found in (
            suite,
            "stable",
            "testing",
            "unstable",
            "sid",
        ):
            return uri, found
    raise DevenvError(MIRROR_HELP)


def _os_release():
    pairs = re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.M)
    return dict(pairs)


def _apt_options(state):
    """Options that keep every file that apt writes below ``state``."""
    options = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Cache::archives": state / "cache/archives",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": state / "parts",
        "Dir::Etc::preferencesparts": state / "parts",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled": "false",
        "Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled": "false",
        "Acquire::Retries": "3",
        # apt drops to a user of its own when run as root; it may not enter our directory.
        "APT::Sandbox::User": "root",
    }
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def _download(target):
    mirror, suite = machine_mirror()
    state = target / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    lines = [f"deb {signed}{mirror} {name} main\n" for name in dict.fromkeys((ODOO_SUITE, suite))]
    (state / "sources.list").write_text("".join(lines))
    options = _apt_options(state)
    say(f"reading the package lists of {ODOO_SUITE} and {suite}")
    run(["apt-get", *options, "update"], what="apt-get update")
    debs = target / "debs"
    debs.mkdir(exist_ok=True)
    say("downloading Odoo 19 and its fonts (130 MB)")
    wanted = [*ODOO_PACKAGES, *(f"{name}/{suite}" for name in OWN_SUITE_PACKAGES)]
    run(["apt-get", *options, "download", *wanted], cwd=debs, what="apt-get download")
    # Older versions of a package stay in the cache: take the newest file of each.
    return [_newest(debs, name.partition("/")[0]) for name in wanted]


def _newest(folder, package):
    return max(folder.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)


def install():
    """Download and unpack Odoo below ``paths.ODOO_PREFIX``."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    debs = _download(paths.CACHE)
    say("unpacking Odoo 19")
    unpacking = paths.ODOO_PREFIX.with_name("odoo.unpacking")
    shutil.rmtree(unpacking, ignore_errors=True)
    for deb in debs:
        run(["dpkg", "-x", deb, unpacking], what=f"unpacking {deb.name}")
    shutil.rmtree(paths.ODOO_PREFIX, ignore_errors=True)
    unpacking.rename(paths.ODOO_PREFIX)
    # It asks for psycopg2 and PyPDF2, which would need a compiler; see requirements-odoo.txt.
    for info in site_dir().glob("odoo-*.egg-info"):
        shutil.rmtree(info)
    if not (site_dir() / "odoo/release.py").exists():
        raise DevenvError(f"Debian's odoo-19 package has no {site_dir() / 'odoo'}")
