"""The transport against servers on this machine that behave, or do not."""

import gzip
import json
import os
import socket
import struct
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shopify_connector.client.errors import ProtocolError, TransientError
from shopify_connector.client.transport import Transport, shared_transport


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer):
        self.answer = answer
        self.seen = []
        self.connections = set()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/graphql.json"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((dict(self.headers), body))
        self.server.connections.add(self.client_address)
        self.server.answer(self)

    do_GET = do_POST

    def reply(self, body=b"{}", status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@contextmanager
def serving(answer=lambda handler: handler.reply()):
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def transport():
    transport = Transport(connect_timeout=2, read_timeout=2)
    yield transport
    transport.close()


def test_json_round_trip(transport):
    answer = json.dumps({"data": {"name": "Ä"}}).encode()
    headers = [("X-Request-Id", "r-1"), ("Content-Type", "application/json")]
    with serving(lambda handler: handler.reply(answer, headers=headers)) as server:
        reply = transport.post_json(server.url, {"query": "q", "x": None}, {"X-Token": "t"})
    assert reply.status == 200
    assert reply.json() == {"data": {"name": "Ä"}}
    assert reply.request_id == "r-1"
    assert reply.headers["x-request-id"] == "r-1"
    [(sent, body)] = server.seen
    assert json.loads(body) == {"query": "q", "x": None}
    assert sent["Content-Type"] == "application/json"
    assert sent["X-Token"] == "t"


def test_form_is_form_encoded(transport):
    with serving() as server:
        transport.post_form(server.url, {"grant_type": "client_credentials", "a": "b&c"})
    [(sent, body)] = server.seen
    assert sent["Content-Type"] == "application/x-www-form-urlencoded"
    assert body == b"grant_type=client_credentials&a=b%26c"


def test_compressed_answers_are_read(transport):
    packed = gzip.compress(b'{"data": {}}')
    headers = [("Content-Encoding", "gzip")]
    with serving(lambda handler: handler.reply(packed, headers=headers)) as server:
        assert transport.post_json(server.url, {}).json() == {"data": {}}
        assert "gzip" in server.seen[0][0]["Accept-Encoding"]


def test_proxy_of_the_environment_is_used(transport, monkeypatch):
    """As the environment says for each host."""
    with serving() as proxy, serving() as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        for _ in range(2):
            transport.post_json("http://store.test/graphql.json", {})
            transport.post_json(server.url, {})
    assert len(proxy.seen) == len(server.seen) == 2
    assert {sent["Host"] for sent, _body in proxy.seen} == {"store.test"}


def test_no_password_of_the_machine_is_sent(transport, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with serving() as server:
        transport.post_json(server.url, {}, {"X-Token": "t"})
    [(sent, _body)] = server.seen
    assert sent["X-Token"] == "t"
    assert "Authorization" not in sent


def test_connections_are_kept(transport):
    with serving() as server:
        for _ in range(5):
            transport.post_json(server.url, {})
    assert len(server.connections) == 1


def test_threads_share_it(transport):
    with serving() as server:
        replies = []

        def work():
            for _ in range(10):
                replies.append(transport.post_json(server.url, {}).status)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert replies == [200] * 80
    assert len(server.connections) <= 8


def test_redirects_are_not_followed(transport):
    with serving() as other:
        away = [("Location", other.url)]
        for status in (301, 302, 307, 308):
            with serving(lambda handler, s=status: handler.reply(b"", s, away)) as server:
                assert transport.post_json(server.url, {}).status == status
        assert other.seen == []


def test_cookies_are_not_kept(transport):
    with serving(lambda handler: handler.reply(headers=[("Set-Cookie", "a=b")])) as server:
        transport.post_json(server.url, {})
        transport.post_json(server.url, {})
    assert "Cookie" not in server.seen[1][0]


def test_errors_of_the_server_are_not_retried(transport):
    with serving(lambda handler: handler.reply(b"busy", 503)) as server:
        assert transport.post_json(server.url, {}).status == 503
        assert len(server.seen) == 1


def test_nobody_listens(transport):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(TransientError, match="connection failed") as caught:
        transport.post_json(url, {})
    assert caught.value.sent is False


def test_unknown_host(transport):
    with pytest.raises(TransientError) as caught:
        transport.post_json("http://store.invalid/", {})
    assert caught.value.sent is False


def test_connection_that_never_stands():
    transport = Transport(connect_timeout=0.05)
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = listener.getsockname()[1]
    # A full backlog leaves further connections waiting.
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(("127.0.0.1", port))
        fillers.append(filler)
    try:
        with pytest.raises(TransientError, match="No connection") as caught:
            transport.post_json(f"http://127.0.0.1:{port}/", {})
        assert caught.value.sent is False
    finally:
        for filler in fillers:
            filler.close()
        listener.close()


def test_answer_that_does_not_come():
    release = threading.Event()
    with serving(lambda handler: release.wait(10)) as server:
        try:
            with pytest.raises(TransientError, match="did not answer in time") as caught:
                Transport(read_timeout=0.05).post_json(server.url, {})
        finally:
            release.set()
    assert caught.value.sent is True


def test_answer_that_trickles():
    sent, release = [], threading.Event()

    def trickle(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while len(sent) < 500 and not release.wait(0.02):
            handler.wfile.write(b"1\r\n \r\n")
            sent.append(1)
        handler.wfile.write(b"0\r\n\r\n")

    with serving(trickle) as server:
        try:
            with pytest.raises(TransientError, match="did not finish") as caught:
                Transport(read_timeout=5, total_timeout=0.1).post_json(server.url, {})
            assert len(sent) < 500
        finally:
            release.set()
    assert caught.value.sent is True


def test_connection_reset():
    def reset(handler):
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()
        handler.close_connection = True

    with serving(reset) as server, pytest.raises(TransientError, match="broke") as caught:
        Transport().post_json(server.url, {})
    assert caught.value.sent is True


def test_truncated_answer():
    def cut(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"data"')
        handler.close_connection = True

    with serving(cut) as server, pytest.raises(TransientError) as caught:
        Transport().post_json(server.url, {})
    assert caught.value.sent is True


def test_answer_that_is_too_large():
    bomb = gzip.compress(b" " * 1_000_000)
    headers = [("Content-Encoding", "gzip")]
    with (
        serving(lambda handler: handler.reply(bomb, headers=headers)) as server,
        pytest.raises(ProtocolError, match="larger"),
    ):
        Transport(max_bytes=100_000).post_json(server.url, {})


def test_answer_that_cannot_be_unpacked():
    headers = [("Content-Encoding", "gzip")]
    with (
        serving(lambda handler: handler.reply(b"not gzip", headers=headers)) as server,
        pytest.raises(ProtocolError),
    ):
        Transport().post_json(server.url, {})


def test_plain_text_where_tls_is_expected(transport):
    with serving() as server, pytest.raises(TransientError, match="TLS") as caught:
        transport.post_json(server.url.replace("http://", "https://"), {})
    assert caught.value.sent is False


def test_address_that_is_none(transport):
    with pytest.raises(ProtocolError):
        transport.post_json("http://[", {})


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"", b'{"data": ', b"\xff\xfe"])
def test_what_is_no_json_object(transport, body):
    headers = [("X-Request-Id", "r-9")]
    with serving(lambda handler: handler.reply(body, headers=headers)) as server:
        reply = transport.post_json(server.url, {})
    with pytest.raises(ProtocolError, match=r"r-9"):
        reply.json()


def test_messages_name_no_url_and_no_objects(transport):
    with pytest.raises(TransientError) as caught:
        transport.post_json("http://127.0.0.1:1/secret-path?token=abc", {})
    assert "secret-path" not in str(caught.value)
    assert "0x" not in str(caught.value)


def test_one_transport_per_process():
    assert shared_transport() is shared_transport()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_gets_its_own():
    parent = shared_transport()
    child = os.fork()
    if not child:
        os._exit(0 if shared_transport() is not parent else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert shared_transport() is parent
