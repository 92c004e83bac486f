"""``make clean``: stop PostgreSQL and delete ``.devenv``; the cache of downloads stays."""

import shutil

from . import paths, postgres
from .console import DevenvError, say
from .servers import command_line


def main(_arguments):
    for pid_file in paths.RUN.glob("*.pid"):
        if str(paths.ROOT) in command_line(int(pid_file.read_text())):
            raise DevenvError(f"{pid_file.stem} is still running (process {pid_file.read_text()})")
    postgres.stop()
    if paths.ROOT.exists():
        say(f"deleting {paths.ROOT}")
        shutil.rmtree(paths.ROOT)
