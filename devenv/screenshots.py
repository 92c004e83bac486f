"""``make screenshots``: the pictures of the guide, from a new database with two stores.

The database goes through the life of a connection: empty, the first store set up in the wizard,
orders that wait for decisions, the decisions, a second store, daily work. A picture is taken at
each step. ``--serve`` leaves the servers running afterwards for a look by hand.
"""

import argparse
import signal
from contextlib import ExitStack

from . import database, demo, paths, servers
from .browser import browser, programs
from .console import run, say
from .demo_seed import COMPANIES, Seed
from .rpc import Odoo
from .screenshot_scenes import Scenes
from .stamps import digest, is_done, mark_done
from .store import Store

NAME = "screenshots"
FAILED = paths.RUN / "screenshots-failed.png"
IMAGES = paths.REPO / "docs" / "images"
REQUIREMENTS = paths.REPO / "devenv" / "requirements-screenshots.txt"


def _install_driver():
    key = digest(REQUIREMENTS, (paths.STAMPS / "venv").read_text())
    if not is_done("screenshots", key):
        say("installing what drives the browser")
        pip = [paths.VENV_PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        run([*pip, "-r", REQUIREMENTS], what="pip install")
        mark_done("screenshots", key)


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="make screenshots")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="save these pictures only")
    parser.add_argument("--serve", action="store_true", help="leave the servers running")
    parser.add_argument("--odoo-port", type=int)
    parser.add_argument("--store-port", type=int)
    return parser.parse_args(arguments)


def _start(stack, options):
    """A new database, a stand-in store and Odoo, with nothing connected."""
    odoo_port = servers.choose_port(
        options.odoo_port, servers.ODOO_PORT, "--odoo-port", neighbours=1
    )
    store_port = servers.choose_port(options.store_port, servers.STORE_PORT, "--store-port")
    demo.make_database(NAME)
    stack.callback(database.drop, NAME)
    demo.started(stack, servers.store(f"{NAME}-store", store_port), demo.STORE_WAIT)
    odoo = servers.odoo(f"{NAME}-odoo", NAME, odoo_port, workers=3, store_port=store_port)
    demo.started(stack, odoo, demo.ODOO_WAIT)
    session = Odoo(f"http://127.0.0.1:{odoo_port}", NAME)
    return Seed(session, [Store(store_port, shop) for shop in COMPANIES], session.url)


def main(arguments):
    options = _parse(arguments)
    programs()
    _install_driver()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with demo.only_once(NAME), ExitStack() as stack:
        seed = _start(stack, options)
        tab = stack.enter_context(browser(seed.odoo.url))
        IMAGES.mkdir(parents=True, exist_ok=True)
        scenes = Scenes(seed, tab, IMAGES, options.only)
        try:
            scenes.run()
        except Exception:
            tab.save(FAILED)
            say(f"what was seen at the failure: {FAILED}")
            raise
        size = sum(path.stat().st_size for path in IMAGES.glob("*.png"))
        say(f"{scenes.count} pictures in {IMAGES} ({size / 1e6:.1f} MB in all)")
        if options.serve:
            say(f"Odoo stays at {seed.odoo.url} until Ctrl-C")
            signal.pause()
    return 0
