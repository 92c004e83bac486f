import socket
import sys

import pytest

from devenv import paths, servers
from devenv.console import DevenvError


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_busy_port_that_was_asked_for_is_an_error(busy_port):
    with pytest.raises(DevenvError, match=f"port {busy_port} is in use.*--odoo-port"):
        servers.choose_port(busy_port, 8069, "--odoo-port")


def test_busy_default_port_is_passed_over(busy_port):
    assert servers.choose_port(None, busy_port, "--odoo-port") > busy_port


def test_the_ports_after_it_are_looked_at_too(busy_port, monkeypatch):
    # Other programs may use the port before it.
    really_free = servers.is_free
    monkeypatch.setattr(servers, "is_free", lambda port: port == busy_port - 1 or really_free(port))
    with pytest.raises(DevenvError, match=f"port {busy_port} is in use"):
        servers.choose_port(busy_port - 1, 8069, "--odoo-port", neighbours=1)


@pytest.fixture
def run_dir(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "RUN", tmp_path)
    return tmp_path


def test_server_is_waited_for_and_ended(run_dir):
    port = servers.free_port()
    command = [sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"]
    server = servers.Server("files", command, f"http://127.0.0.1:{port}/").start()
    try:
        server.wait_ready(seconds=30)
        assert server.is_running()
    finally:
        server.stop()
    assert not server.is_running()
    assert servers.is_free(port)
    assert not (run_dir / "files.pid").exists()


def test_server_that_ends_while_starting_shows_its_log(run_dir):
    command = [sys.executable, "-c", "raise SystemExit('no module named shop')"]
    server = servers.Server("broken", command, "http://127.0.0.1:9/").start()
    with pytest.raises(DevenvError, match="no module named shop"):
        server.wait_ready(seconds=30)
    server.stop()
