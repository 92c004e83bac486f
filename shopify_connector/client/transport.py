"""The only place that touches the network: one pooled `requests.Session`, nothing clever.

It sends once, with timeouts, over verified TLS, follows no redirect and keeps no cookie. What
an answer means is decided elsewhere.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from .errors import ProtocolError, TransientError

USER_AGENT = "odoo-shopify-connector/19.0"
# Larger than any page of 250 full orders; a bulk result is not read through here.
MAX_BYTES = 64 * 1024 * 1024
# Small, because the total timeout is looked at between two pieces.
CHUNK = 8 * 1024


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, whatever its status. `duration` is in seconds; header lookup ignores case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    duration: float

    @property
    def request_id(self) -> str | None:
        return self.headers.get("X-Request-Id")

    def json(self) -> dict:
        """The body as a JSON object.

        :raises ProtocolError: when it is none.
        """
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise ProtocolError(
                f"The store answered HTTP {self.status} with something that is not a JSON object",
                request_id=self.request_id,
                http_status=self.status,
            )
        return value


class _Session(requests.Session):
    """Looks into the environment (proxies, certificates) once for each host and not for each
    request, and takes no password from a `.netrc`: tokens are the connector's own affair.
    """

    def __init__(self):
        super().__init__()
        self._settings = {}
        self.auth = _no_password

    def merge_environment_settings(self, url, proxies, stream, verify, cert):
        key = (*urlsplit(url)[:2], *proxies.items(), stream, verify, cert)
        if key not in self._settings:
            self._settings[key] = super().merge_environment_settings(
                url, proxies, stream, verify, cert
            )
        return self._settings[key]


def _no_password(request):
    return request


class Transport:
    """Sends requests and never retries them. May be shared by threads.

    :param connect_timeout: seconds until the connection stands.
    :param read_timeout: seconds without a byte from the store.
    :param total_timeout: seconds for the whole answer, against one that trickles.
    """

    def __init__(
        self,
        connect_timeout: float = 5,
        read_timeout: float = 20,
        *,
        total_timeout: float = 60,
        max_bytes: int = MAX_BYTES,
        pool_size: int = 16,
    ):
        self._timeout = (connect_timeout, read_timeout)
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._session = _Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=pool_size, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def post_json(self, url: str, payload: dict, headers: Mapping[str, str] | None = None) -> Reply:
        """POST a JSON object. Nulls are sent: to Shopify an explicit null has a meaning.

        :raises TransientError: no answer, or half of one.
        :raises ProtocolError: the answer is larger than `max_bytes`, or not decodable.
        """
        body = json.dumps(payload, separators=(",", ":")).encode()
        return self._post(url, body, {"Content-Type": "application/json", **(headers or {})})

    def post_form(self, url: str, data: Mapping[str, str]) -> Reply:
        """POST form fields; raises as `post_json`."""
        return self._post(url, data, {})

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """GET a file whose body the caller reads piece by piece; raises as `post_json`, also
        while it is read. However long that takes: a job reads a part and comes back.
        """
        with (
            _classified(),
            self._session.get(
                url, headers=headers, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response,
        ):
            yield response

    def close(self):
        self._session.close()

    def _post(self, url: str, data, headers: Mapping[str, str]) -> Reply:
        start = time.monotonic()
        with (
            _classified(),
            self._session.post(
                url,
                data=data,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = self._read(response, start + self._total_timeout)
            return Reply(response.status_code, response.headers, body, time.monotonic() - start)

    def _read(self, response: requests.Response, deadline: float) -> bytes:
        parts, size = [], 0
        for part in response.iter_content(CHUNK):
            size += len(part)
            if size > self._max_bytes:
                raise ProtocolError(f"The answer is larger than {self._max_bytes} bytes")
            if time.monotonic() > deadline:
                raise TransientError("The store did not finish its answer in time")
            parts.append(part)
        return b"".join(parts)


@contextmanager
def _classified() -> Iterator[None]:
    """Failures of the network as errors of the client."""
    try:
        yield
    except requests.ConnectTimeout as error:
        raise TransientError("No connection to the store in time", sent=False) from error
    except requests.exceptions.SSLError as error:
        raise TransientError(f"TLS failed: {_reason(error)}", sent=False) from error
    except requests.Timeout as error:
        raise TransientError("The store did not answer in time") from error
    except requests.exceptions.ContentDecodingError as error:
        raise ProtocolError("The answer of the store cannot be decoded") from error
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        sent = not _never_connected(error)
        raise TransientError(
            f"The connection {'broke' if sent else 'failed'}: {_reason(error)}", sent=sent
        ) from error
    except requests.RequestException as error:
        raise ProtocolError(f"The request cannot be sent: {_reason(error)}") from error


def _cause(error: BaseException) -> BaseException:
    """The innermost cause, which urllib3 keeps as `reason` or as an argument."""
    inner = getattr(error, "reason", None) or (error.args[0] if error.args else None)
    return _cause(inner) if isinstance(inner, BaseException) else error


def _reason(error: BaseException) -> str:
    """What failed, without the URL and without addresses of Python objects."""
    cause = _cause(error)
    text = getattr(cause, "strerror", None) or str(cause).rpartition(": ")[2]
    return text or type(cause).__name__


def _never_connected(error: requests.RequestException) -> bool:
    return type(_cause(error)).__name__ in ("NewConnectionError", "NameResolutionError")


@cache
def shared_transport() -> Transport:
    """The transport of this process; its connections outlive the job that opened them."""
    return Transport()


# A forked worker must not talk over the sockets of its parent.
os.register_at_fork(after_in_child=shared_transport.cache_clear)
