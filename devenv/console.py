"""Progress lines and failures that name the remedy."""

import os
import subprocess
import sys
import time

# Kept over the change from the machine's Python to the virtualenv's.
_START = float(os.environ.setdefault("DEVENV_STARTED_AT", str(time.time())))


class DevenvError(Exception):
    """Something is missing or failed; the text says what, and what to do."""


def say(text):
    """Print a progress line with the seconds since the command started."""
    print(f"[{time.time() - _START:6.1f} s] {text}", flush=True)


def run(command, *, env=None, cwd=None, what=None):
    """Run ``command`` quietly and return its output; on failure raise with the end of it."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        raise DevenvError(f"{what or command[0]} failed (exit {done.returncode}):\n{tail}")
    return done.stdout


def fail(error):
    """Print ``error`` and end the process with exit code 1."""
    print(f"\nerror: {error}", file=sys.stderr, flush=True)
    raise SystemExit(1)
