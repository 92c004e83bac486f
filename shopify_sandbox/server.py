"""The HTTP server: routing, the Admin API, tokens. Everything of the store itself is elsewhere."""

import logging
import re
import socket
import struct
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from . import auth, catalog, control, schema
from .engine import Engine
from .faults import API_KINDS, DOWNLOAD_KINDS, Fault
from .profiles import DEFAULT_PROFILES, new_shop
from .resolvers import supported_versions
from .shop import Shop
from .web import Dropped, Request, Response
from .webhooks import Deliveries

_logger = logging.getLogger(__name__)

SHOP_DOMAIN = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9-]*\.myshopify\.com$")
BULK_RESULT = re.compile(r"^/bulk/(?P<name>[0-9a-f]+)\.jsonl$")
GRAPHQL = re.compile(r"^/admin/api/(?P<version>[\w-]+)/graphql\.json$")
STATUS_OF_STATE = {"frozen": 402, "forbidden": 403, "gone": 404, "locked": 423}
BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"
MAX_BODY = 50 * 1024 * 1024


class Sandbox:
    """All shops of one server. Shops are made on first use.

    :param profiles: shop domain -> ``us``, ``eu`` or ``blank``; others are blank
    :param latency_ms: added to every answer of the Admin API
    :param retry_base: seconds before the first retry of a webhook
    """

    def __init__(
        self,
        profiles: dict[str, str] | None = None,
        latency_ms: int = 0,
        retry_base: float = 1.0,
        seed: int = 1,
    ) -> None:
        self.profiles = {**DEFAULT_PROFILES, **(profiles or {})}
        self.latency_ms, self.seed = latency_ms, seed
        self.deliveries = Deliveries(retry_base)
        self.shops: dict[str, Shop] = {}
        self._engines: dict[str, Engine] = {}
        self._lock = threading.RLock()
        self.engine(schema.DEFAULT_VERSION)

    # Shops and engines ------------------------------------------------------------------------

    def shop(self, name: str) -> Shop:
        """The shop of that name (``.myshopify.com`` may be left out), made when new.

        :raises ValueError: no valid shop name
        """
        domain = name.lower() if "." in name else f"{name.lower()}.myshopify.com"
        if domain not in self.shops:
            if not SHOP_DOMAIN.match(domain):
                raise ValueError(f"{domain} is not a shop domain")
            with self._lock:
                if domain not in self.shops:
                    self.shops[domain] = self._new_shop(domain)
        return self.shops[domain]

    def _new_shop(self, domain: str, profile: str | None = None) -> Shop:
        shop = new_shop(domain, profile or self.profiles.get(domain, "blank"))
        if shop.profile != "blank":
            catalog.fill(shop, self.seed)
        shop.on_change.append(self.deliveries.on_change)
        return shop

    def reset(self, name: str, profile: str | None = None) -> Shop:
        """Forget everything of a shop and start anew."""
        domain = self.shop(name).domain
        with self._lock:
            self.shops[domain] = self._new_shop(domain, profile)
        return self.shops[domain]

    def engine(self, version: str) -> Engine:
        if version not in self._engines:
            with self._lock:
                if version not in self._engines:
                    self._engines[version] = Engine(version)
        return self._engines[version]

    def _version(self, shop: Shop, wanted: str) -> str | None:
        """The version to answer in: Shopify falls forward to the oldest supported one."""
        supported = supported_versions(shop) or [schema.DEFAULT_VERSION]
        if wanted in supported or wanted == "unstable":
            return wanted
        if not re.match(r"^\d{4}-(01|04|07|10)$", wanted):
            return None
        return "unstable" if wanted > supported[-1] else supported[0]

    # Requests ---------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer one request.

        :raises Dropped: the connection is to end without an answer
        """
        parts = request.path.split("/")
        if request.path.startswith("/_sandbox"):
            return control.handle(self, request)
        if request.path.startswith("/shops/") and len(parts) > 3:
            shop_name, path = parts[2], "/" + "/".join(parts[3:])
        else:
            shop_name, path = (request.headers.get("host") or "").split(":")[0], request.path
            if not SHOP_DOMAIN.match(shop_name):
                return Response(404, {"errors": "Not Found"})
        try:
            shop = self.shop(shop_name)
        except ValueError:
            return Response(404, {"errors": "Not Found"})
        graphql = GRAPHQL.match(path)
        if graphql and request.method == "POST":
            return self._graphql(shop, graphql["version"], request)
        result = BULK_RESULT.match(path)
        if result and request.method == "GET":
            return self._bulk_result(shop, result["name"], request)
        if path == "/admin/oauth/access_token" and request.method == "POST":
            return self._token(shop, request)
        if path == "/admin/oauth/authorize" and request.method == "GET":
            return self._authorize(shop, request)
        return Response(404, {"errors": "Not Found"})

    def _token(self, shop: Shop, request: Request) -> Response:
        broken = self._misbehave(shop.faults.strike(API_KINDS, ["oauth"]))
        if broken:
            return broken
        form = {}
        try:
            form = request.form()
            answer = Response(200, auth.grant(shop, form))
        except auth.OAuthError as error:
            answer = Response(
                error.status, {"error": error.error, "error_description": error.description}
            )
        except ValueError:
            answer = Response(
                400, {"error": "invalid_request", "error_description": "The body is not valid."}
            )
        shop.record(
            {
                "operation": "oauth",
                "status": answer.status,
                "grant_type": form.get("grant_type"),
            }
        )
        return answer

    def _authorize(self, shop: Shop, request: Request) -> Response:
        redirect = request.query.get("redirect_uri")
        if request.query.get("client_id") != shop.settings.client_id or not redirect:
            return Response(
                400,
                {
                    "error": "invalid_request",
                    "error_description": "client_id or redirect_uri is wrong",
                },
            )
        target = auth.callback_url(shop, redirect, request.query.get("state", ""))
        return Response(302, "", {"Location": target})

    def _bulk_result(self, shop: Shop, name: str, request: Request) -> Response:
        """The file of a bulk operation: whoever knows the address may read it, as a signed one."""
        struck = shop.faults.strike(DOWNLOAD_KINDS, ["bulk_result"])
        wanted = request.headers.get("range", "")
        shop.record({"operation": "bulk_result", "range": wanted})
        broken = self._misbehave(struck)
        if broken:
            return broken
        content = shop.files.get(name)
        if content is None:
            return Response(403, "<Error><Code>AccessDenied</Code></Error>")
        cut = any(fault.kind == "cut" for fault in struck)
        first = re.match(r"^bytes=(\d+)-$", wanted)
        if not first:
            return Response(200, content, cut=cut)
        start = int(first[1])
        if start >= len(content):
            return Response(416, "", {"Content-Range": f"bytes */{len(content)}"})
        place = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return Response(206, content[start:], {"Content-Range": place}, cut=cut)

    def _graphql(self, shop: Shop, wanted: str, request: Request) -> Response:
        started = time.perf_counter()
        request_id = str(uuid.uuid4())
        version = self._version(shop, wanted)
        headers = {"X-Request-Id": request_id, "X-Shopify-API-Version": version or ""}
        refusal = self._refusal(shop, version, request)
        if refusal:
            refusal.headers.update(headers)
            shop.record({"operation": None, "status": refusal.status, "request_id": request_id})
            return refusal
        shop.base_url = f"http://{request.headers.get('host')}/shops/{shop.domain}"
        engine = self.engine(version)
        body = request.json()
        names = engine.names(body)
        struck = shop.faults.strike(API_KINDS, names)
        entry = {
            "operation": names[0] if names else "",
            "root_fields": names[1:],
            "variables": body.get("variables") or {},
            "version": version,
            "request_id": request_id,
            "status": 200,
            "faults": [fault.kind for fault in struck],
        }
        try:
            answer = self._answer(shop, engine, body, struck, entry)
        except Dropped:
            entry["status"] = None
            raise
        finally:
            entry["ms"] = round((time.perf_counter() - started) * 1000, 1)
            shop.record(entry)
        answer.headers.update(headers)
        return answer

    def _refusal(self, shop: Shop, version: str | None, request: Request) -> Response | None:
        if version is None:
            return Response(404, {"errors": "Not Found"})
        if shop.settings.state in STATUS_OF_STATE:
            return Response(
                STATUS_OF_STATE[shop.settings.state],
                {"errors": f"This shop is {shop.settings.state}"},
            )
        if not auth.token_is_valid(shop, request.headers.get("x-shopify-access-token")):
            return Response(401, {"errors": BAD_TOKEN})
        try:
            body = request.json()
        except ValueError:
            return Response(400, {"errors": "Invalid JSON"})
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return Response(400, {"errors": {"query": "Required parameter missing or invalid"}})
        return None

    def _answer(
        self, shop: Shop, engine: Engine, body: dict, struck: list[Fault], entry: dict
    ) -> Response:
        if self.latency_ms:
            time.sleep(self.latency_ms / 1000)
        broken = self._misbehave(struck)
        if broken:
            entry["status"] = broken.status
            return broken
        kinds = {fault.kind: fault for fault in struck}
        if "graphql_error" in kinds:
            error = {
                "message": kinds["graphql_error"].message,
                "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": entry["request_id"]},
            }
            return Response(200, {"errors": [error]})
        outcome = engine.execute(shop, body, throttled="throttled" in kinds)
        entry.update(requested_cost=outcome.requested, actual_cost=outcome.actual)
        if outcome.body.get("errors"):
            entry["errors"] = [error["message"] for error in outcome.body["errors"]]
        if "timeout_after_write" in kinds:
            time.sleep(kinds["timeout_after_write"].ms / 1000)
            raise Dropped
        return Response(200, outcome.body)

    def _misbehave(self, struck: list[Fault]) -> Response | None:
        """Faults that happen before the request is looked at."""
        for fault in struck:
            if fault.kind == "latency":
                time.sleep(fault.ms / 1000)
            elif fault.kind == "reset":
                raise Dropped(reset=True)
            elif fault.kind == "no_answer":
                time.sleep(fault.ms / 1000)
                raise Dropped
            elif fault.kind == "http_error":
                headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                return Response(fault.status, {"errors": fault.message}, headers)
        return None

    def stop(self) -> None:
        self.deliveries.stop()


class Handler(BaseHTTPRequestHandler):
    """One connection; kept alive."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: "Server"

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.send_error(413)
            return
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, parts.path, query, headers, self.rfile.read(length))
        try:
            response = self.server.sandbox.handle(request)
        except Dropped as dropped:
            self._drop(dropped.reset)
            return
        except Exception:
            _logger.exception("%s %s failed", self.command, self.path)
            response = Response(500, {"errors": "Internal Server Error"})
        self._send(response)

    do_GET = do_POST = do_DELETE = do_PUT = _handle

    def _send(self, response: Response) -> None:
        content = response.encoded()
        self.send_response_only(response.status)
        text = isinstance(response.content, (str, bytes))
        kind = "text/plain" if text else "application/json"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if response.cut else content)
        self.wfile.flush()
        if response.cut:
            self._drop(reset=False)

    def _drop(self, reset: bool) -> None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def log_message(self, format, *args):
        _logger.debug(format, *args)


class Server(ThreadingHTTPServer):
    """The sandbox behind a port."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), Handler)
        self.sandbox = sandbox

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]}:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        _logger.debug("Connection of %s ended", client_address, exc_info=True)
