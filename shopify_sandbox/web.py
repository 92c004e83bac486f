"""Requests and responses, apart from how they travel."""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qs


class Dropped(Exception):
    """The connection ends without an answer; ``reset`` sends RST instead of FIN."""

    def __init__(self, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict
    body: bytes

    def json(self):
        """The body as JSON.

        :raises ValueError: when it is none
        """
        return json.loads(self.body or b"null")

    def form(self) -> dict:
        """Fields of a JSON or form body."""
        if "json" in (self.headers.get("content-type") or ""):
            content = self.json()
            return content if isinstance(content, dict) else {}
        return {
            name: values[0] for name, values in parse_qs(self.body.decode(errors="replace")).items()
        }


@dataclass
class Response:
    status: int
    content: object = None
    headers: dict = field(default_factory=dict)
    cut: bool = False  # the connection closes in the middle of the content

    def encoded(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        if isinstance(self.content, str):
            return self.content.encode()
        return json.dumps(self.content, separators=(",", ":")).encode()
