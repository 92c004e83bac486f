"""``python -m devenv psql [database] [psql arguments]``."""

import os

from . import postgres


def main(arguments):
    postgres.start()
    tool = postgres.bin_dir() / "psql"
    os.execve(tool, [str(tool), *(arguments or ["postgres"])], {**os.environ, **postgres.environ()})
