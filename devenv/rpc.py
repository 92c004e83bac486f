"""Calls to a running Odoo, in a session as a browser has one."""

import requests

from .console import DevenvError


class RpcError(DevenvError):
    """Odoo answered with an error; the text is what a user would read."""


class Odoo:
    """A session of one user.

    :param url: ``http://127.0.0.1:8069``
    :ivar context: given to every call, e.g. the companies that are ticked in the company menu
    """

    def __init__(self, url, database, login="admin", password="admin"):
        self.url = url
        self.context = {}
        self._http = requests.Session()
        credentials = {"db": database, "login": login, "password": password}
        self.uid = self._post("/web/session/authenticate", credentials)["uid"]

    def _post(self, path, params):
        body = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = self._http.post(self.url + path, json=body, timeout=120).json()
        if "error" in answer:
            data = answer["error"].get("data", {})
            raise RpcError(data.get("message") or answer["error"]["message"])
        return answer.get("result")

    def call(self, model, method, *args, **kwargs):
        """``record_ids`` first, then the method's own arguments; returns its JSON result."""
        kwargs["context"] = {**self.context, **kwargs.get("context", {})}
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)

    def search_read(self, model, domain, fields, **kwargs):
        return self.call(model, "search_read", domain, fields, **kwargs)

    def search(self, model, domain, **kwargs):
        return self.call(model, "search", domain, **kwargs)

    def create(self, model, values, **kwargs):
        """Create one record and return its id."""
        return self.call(model, "create", [values], **kwargs)[0]

    def write(self, model, ids, values, **kwargs):
        return self.call(model, "write", ids, values, **kwargs)

    def ref(self, xmlid):
        """Id of the record with that external id."""
        module, _, name = xmlid.partition(".")
        domain = [("module", "=", module), ("name", "=", name)]
        return self.search_read("ir.model.data", domain, ["res_id"])[0]["res_id"]
