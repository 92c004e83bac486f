"""One shop: its objects, settings, tokens and what happens to them."""

import threading
import time
import zlib
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timezone

from . import schema
from .completion import complete
from .cost import Bucket
from .faults import Faults
from .loading import Change, Loader
from .store import Store
from .values import Reading

LOG_SIZE = 20_000
CLIENT_ID = "sandbox-client-id"
CLIENT_SECRET = "shpss_sandbox_secret"
STATIC_TOKEN = "shpat_sandbox_static_token"
SCOPES = [
    "read_all_orders",
    "read_assigned_fulfillment_orders",
    "read_customers",
    "read_fulfillments",
    "read_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "read_orders",
    "read_payment_terms",
    "read_products",
    "read_publications",
    "read_returns",
    "read_third_party_fulfillment_orders",
    "write_assigned_fulfillment_orders",
    "write_customers",
    "write_fulfillments",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
    "write_orders",
    "write_order_edits",
    "write_products",
    "write_returns",
    "write_third_party_fulfillment_orders",
]
# Restore rate (points/s) per plan; the bucket holds 20 seconds of it.
PLANS = {"Basic": 100, "Standard": 100, "Advanced": 200, "Plus": 1000, "Enterprise": 2000}


def timestamp(moment: datetime | None = None) -> str:
    """The ``DateTime`` scalar, in UTC with seconds."""
    moment = moment or datetime.now(timezone.utc)
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Settings:
    """What a merchant or Shopify decides for a shop. Changed by ``/_sandbox/{shop}/settings``."""

    name: str
    currency: str = "USD"
    country: str = "US"
    timezone: str = "America/New_York"
    taxes_included: bool = False
    presentment_currencies: list[str] = field(default_factory=list)
    plan: str = "Standard"
    scopes: list[str] = field(default_factory=lambda: list(SCOPES))
    protected_data_withheld: bool = False
    client_id: str = CLIENT_ID
    # The oldest unrevoked secret comes first: it signs the webhooks.
    client_secrets: list[str] = field(default_factory=lambda: [CLIENT_SECRET])
    static_token: str = STATIC_TOKEN
    installed: bool = True
    local_webhooks: bool = True  # http://127.0.0.1 addresses, which Shopify refuses
    client_credentials_allowed: bool = True
    token_seconds: int = 86399
    state: str = "active"  # or frozen, forbidden, gone, locked
    api_versions: list[str] = field(default_factory=list)
    order_prefix: str = "#"
    bucket_size: int = 0
    restore_rate: int = 0
    bulk_ms: int = 100  # how long a bulk operation takes


class Shop:
    """State of one shop. Changes are made under ``store.lock``; reads take no lock."""

    def __init__(self, domain: str, settings: Settings, profile: str = "blank") -> None:
        self.domain = domain
        # Every shop has a number of its own, as stores in one database are told apart by it.
        self.gid = f"gid://shopify/Shop/{zlib.crc32(domain.encode())}"
        self.settings = settings
        self.profile = profile
        self.api = schema.load()
        self.store = Store()
        self.created_at = timestamp()
        self.faults = Faults()
        self.log: deque[dict] = deque(maxlen=LOG_SIZE)
        self.bucket = Bucket(*self.bucket_limits())
        self.tokens: dict[str, float] = {settings.static_token: float("inf")}
        self.refresh_tokens: dict[str, float] = {}
        self.codes: dict[str, float] = {}
        self.idempotency: dict[str, tuple] = {}
        self.on_change: list = []
        self.order_number = 1000
        self.numbers = threading.Lock()
        self.stop_customers: list[threading.Event] = []
        self.files: dict[str, bytes] = {}  # results of bulk operations
        self.base_url = f"https://{domain}"
        self._reading = Reading(self.api)

    @property
    def currency(self) -> str:
        return self.settings.currency

    @property
    def country(self) -> str:
        return self.settings.country

    @property
    def taxes_included(self) -> bool:
        return self.settings.taxes_included

    @property
    def scopes(self) -> frozenset[str]:
        """Granted scopes, with the read scope that a write scope includes."""
        granted = set(self.settings.scopes)
        granted.update("read_" + name[6:] for name in self.settings.scopes if name[:6] == "write_")
        return frozenset(granted)

    def bucket_limits(self) -> tuple[int, int]:
        rate = self.settings.restore_rate or PLANS.get(self.settings.plan, 100)
        return self.settings.bucket_size or rate * 20, rate

    def read(self, record: dict, field_name: str, type_name: str | None = None):
        """The answer of a field: held, derived or neutral. References are not resolved."""
        return self._reading(record, field_name, type_name, self)

    def now(self) -> str:
        return timestamp()

    def load(self, objects: list[dict], deliver: bool = False) -> tuple[list[Change], list[str]]:
        """Upsert Admin-API-shaped objects; tell the listeners when ``deliver``.

        :return: the changes, and remarks on fields that the schema does not have
        :raises InvalidObject: nothing of that object is loaded, earlier ones are
        """
        changes: list[Change] = []
        warnings: list[str] = []
        for data in objects:
            loader = Loader(self.store, self.api, self.currency, self.now())
            loader.load(data)
            complete(self, loader.changes)
            changes.extend(loader.changes)
            warnings.extend(loader.warnings)
        if deliver:
            self.tell(changes)
        return changes, list(dict.fromkeys(warnings))

    def tell(self, changes: list[Change]) -> None:
        """Tell the listeners (webhooks) what changed."""
        for listener in self.on_change:
            listener(self, changes)

    def skip_order_number(self, number: int) -> None:
        """Loaded orders have taken this number."""
        with self.numbers:
            self.order_number = max(self.order_number, number)

    def next_order_number(self) -> int:
        with self.numbers:
            self.order_number += 1
            return self.order_number

    def record(self, entry: dict) -> None:
        self.log.append({"at": self.now(), "time": time.time(), **entry})
