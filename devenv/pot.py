"""``python -m devenv pot``: export the addon's terms to ``i18n/shopify_connector.pot``."""

from . import config, database, paths, postgres
from .console import run, say

NAME = "pot"


def main(_arguments):
    postgres.start()
    template = database.addon_template()
    database.drop(NAME)
    database.copy(template, NAME)
    conf = config.write(NAME, database=NAME, log_level="warn")
    (paths.ADDON / "i18n").mkdir(exist_ok=True)
    command = [paths.ODOO_BIN, "i18n", "export", "-c", conf, "-d", NAME, paths.ADDON.name]
    try:
        run(command, env=postgres.environ(), what="odoo i18n export")
    finally:
        conf.unlink()
        database.drop(NAME)
    target = paths.ADDON / "i18n" / f"{paths.ADDON.name}.pot"
    terms = target.read_text().count("\nmsgid ")
    say(f"{terms} terms in {target.relative_to(paths.REPO)}")
    return 0
