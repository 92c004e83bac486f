"""``make bench``: run the benchmarks in the environment; arguments go to ``benchmarks``."""

import os
import subprocess
import sys

from . import paths, postgres


def main(arguments):
    postgres.start()
    env = {**os.environ, **postgres.environ(), "SHOPIFY_SCHEMA_DIR": str(paths.SCHEMA)}
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=paths.REPO, env=env).returncode
