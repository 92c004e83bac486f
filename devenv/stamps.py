"""Steps that are done once, and again when their inputs change; and locks between processes."""

import fcntl
import hashlib
from contextlib import contextmanager
from pathlib import Path

from . import paths


def digest(*parts):
    """Short hash over texts and files (a file counts with its content)."""
    total = hashlib.sha256()
    for part in parts:
        is_file = isinstance(part, Path) and part.is_file()
        data = part.read_bytes() if is_file else str(part).encode()
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:16]


def is_done(step, key):
    stamp = paths.STAMPS / step
    return stamp.is_file() and stamp.read_text() == key


def mark_done(step, key):
    paths.STAMPS.mkdir(parents=True, exist_ok=True)
    (paths.STAMPS / step).write_text(key)


def forget(step):
    (paths.STAMPS / step).unlink(missing_ok=True)


@contextmanager
def locked(name):
    """Hold an exclusive lock between processes of this checkout; it ends with the process."""
    paths.ROOT.mkdir(parents=True, exist_ok=True)
    with (paths.ROOT / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
