"""Start and stop the stand-in store and Odoo; busy ports are found before anything starts."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from . import config, paths, postgres
from .console import DevenvError, say

ODOO_PORT = 8069
STORE_PORT = 9292


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def choose_port(wanted, default, option, *, neighbours=0):
    """The wanted port, or the first free one from ``default`` on when none is asked for.

    :param neighbours: how many ports after it are needed too
    :raises DevenvError: the wanted port is in use
    """
    needed = range(neighbours + 1)
    if wanted:
        busy = [wanted + step for step in needed if not is_free(wanted + step)]
        if busy:
            raise DevenvError(f"port {busy[0]} is in use: choose another one with {option}")
        return wanted
    for port in range(default, default + 200, neighbours + 1):
        if all(is_free(port + step) for step in needed):
            if port != default:
                say(f"port {default} is in use, taking {port} ({option} chooses another one)")
            return port
    raise DevenvError(f"no free port from {default} on: choose one with {option}")


class Server:
    """A child process with a log file, in a process group of its own: Ctrl-C reaches only us.

    :param ready_url: answers with any HTTP status once the server is ready
    """

    def __init__(self, name, command, ready_url, env=None):
        self.name = name
        self.command = [str(part) for part in command]
        self.ready_url = ready_url
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self.log = paths.RUN / f"{name}.log"
        self.pid_file = paths.RUN / f"{name}.pid"
        self.process = None

    def start(self):
        self._end_left_over()
        paths.RUN.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=paths.REPO,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid_file.write_text(str(self.process.pid))
        return self

    def wait_ready(self, seconds=120):
        """Return once the server answers.

        :raises DevenvError: it ended or did not answer in time; with the end of its log
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise DevenvError(f"{self.name} ended while starting:\n{self.log_tail()}")
            if answers(self.ready_url):
                return self
            time.sleep(0.1)
        raise DevenvError(f"{self.name} is not ready after {seconds} s:\n{self.log_tail()}")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log_tail(self, lines=25):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, seconds=15):
        """End the process and its children: politely, then firmly."""
        if self.process is None:
            return
        for sign, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5)):
            if self.is_running():
                self._signal(sign)
                try:
                    self.process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue
        # Workers whose master was killed.
        self._signal(signal.SIGKILL)
        self.pid_file.unlink(missing_ok=True)

    def _signal(self, sign):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, sign)

    def _end_left_over(self):
        """End a server of the same name that an earlier, killed run left behind."""
        if not self.pid_file.is_file():
            return
        pid = int(self.pid_file.read_text())
        if str(paths.ROOT) in command_line(pid):
            say(f"ending {self.name}, left over from an earlier run")
            os.killpg(pid, signal.SIGKILL)
            time.sleep(0.5)
        self.pid_file.unlink()


def command_line(pid):
    """Command line of a process, empty when there is none."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return handle.read().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def answers(url):
    """Whether anything answers HTTP there, with whatever status."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def store(name, port, *options):
    """The stand-in store (`shopify_sandbox`), not started."""
    command = [sys.executable, "-m", "shopify_sandbox", "serve", "--port", port, *options]
    return Server(
        name,
        command,
        f"http://127.0.0.1:{port}/_sandbox/health",
        env={"SHOPIFY_SCHEMA_DIR": str(paths.SCHEMA)},
    )


def store_url(port):
    """The value of ``[shopify_connector] api_url`` that leads to the stand-in store."""
    return f"http://127.0.0.1:{port}/shops/{{shop}}"


def odoo(name, database, port, *, workers=2, store_port=None, options=None, arguments=()):
    """An Odoo server with its job runner (when it has workers), not started."""
    conf = config.write(
        name,
        database=database,
        port=port,
        workers=workers,
        cron_threads=1,
        api_url=store_url(store_port) if store_port else None,
        options=options,
    )
    command = [paths.ODOO_BIN, "-c", conf, "-d", database, *arguments]
    return Server(
        name,
        command,
        f"http://127.0.0.1:{port}/web/health",
        env={**postgres.environ(), "SHOPIFY_SCHEMA_DIR": str(paths.SCHEMA)},
    )
