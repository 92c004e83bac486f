"""The stand-in stores of a running `shopify_sandbox`, through its control routes."""

from decimal import Decimal

import requests

from .console import DevenvError

CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "shpss_sandbox_secret"


class Store:
    """One store.

    :param shop: ``sandbox-us.myshopify.com``
    """

    def __init__(self, port, shop):
        self.shop = shop
        self.server = f"http://127.0.0.1:{port}"
        self._url = f"{self.server}/_sandbox/{shop}"

    def _json(self, method, path, **kwargs):
        answer = requests.request(method, f"{self._url}/{path}", timeout=120, **kwargs)
        if not answer.ok:
            raise DevenvError(f"the store answers {answer.status_code} to {path}: {answer.text}")
        return answer.json()

    def objects(self, type_name):
        """What the store holds of a type, in the shape of the Admin API."""
        answer = self._json("GET", "objects", params={"type": type_name})
        return answer["objects"] if isinstance(answer, dict) else answer

    def place_orders(self, count, **wishes):
        """Let customers place orders; ``wishes`` as the sandbox's README names them."""
        return self._json("POST", "orders", json={"count": count, **wishes})

    def forget(self, type_name):
        """Delete all objects of a type, without webhooks."""
        ids = [item["id"] for item in self.objects(type_name)]
        return self._json("DELETE", "objects", json={"ids": ids})

    def change(self, gid, values):
        """Change an object as a person in the store does, with all webhooks of it."""
        return self._json("POST", "orders/update", json={"id": gid, "set": values})

    def load(self, objects, deliver=True):
        """Put objects into the store as the sandbox's README says, and send their webhooks."""
        return self._json("POST", "objects", json={"objects": objects, "deliver": deliver})

    def set_faults(self, faults):
        """Make the store misbehave as listed, and in no other way."""
        return self._json("POST", "faults", json={"faults": faults, "clear": True})

    def requests(self):
        """The operations that the store was asked for, oldest first."""
        return [entry["operation"] for entry in self._json("GET", "log")]

    def put(self, objects):
        """Upsert objects in the shape of the Admin API."""
        return self._json("POST", "objects", json=objects)

    def log(self, operation=""):
        """The requests that the store got, oldest first."""
        answer = self._json("GET", "log", params={"operation": operation} if operation else {})
        return answer["log"] if isinstance(answer, dict) else answer

    def clear_log(self):
        return self._json("DELETE", "log")

    def order_gids(self):
        return {order["id"] for order in self.objects("Order")}

    def totals(self, gids):
        """{gid: (name, total, taxes, currency)} in the currency of the store."""
        return {
            order["id"]: (
                order["name"],
                _amount(order["totalPriceSet"]),
                _amount(order["totalTaxSet"]),
                order["totalPriceSet"]["shopMoney"]["currencyCode"],
            )
            for order in self.objects("Order")
            if order["id"] in gids
        }


def _amount(bag):
    return Decimal((bag or {"shopMoney": {"amount": "0"}})["shopMoney"]["amount"])
