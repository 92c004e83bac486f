import json
import threading
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import shopify
from requests.structures import CaseInsensitiveDict

from shopify_connector.client import auth
from shopify_connector.client.auth import AuthorizationCode, ClientCredentials, StaticToken, Token
from shopify_connector.client.errors import (
    AuthError,
    ProtocolError,
    ShopUnavailableError,
    TransientError,
)
from shopify_connector.client.transport import Reply

SHOP_URL = "https://foo.myshopify.com"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=timezone.utc)


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class MemoryStore:
    def __init__(self, token=None):
        self.token = token
        self.saved = []
        self._lock = threading.Lock()
        self.locked = False

    def load(self):
        return self.token

    def save(self, token):
        assert self.locked, "a token is saved under the lock"
        self.token = token
        self.saved.append(token)

    @contextmanager
    def lock(self):
        with self._lock:
            self.locked = True
            try:
                yield
            finally:
                self.locked = False


class Endpoint:
    """Answers token requests with what is prepared, in turn; the last one stays."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.forms = []

    def post_form(self, url, data):
        assert url == f"{SHOP_URL}/admin/oauth/access_token"
        self.forms.append(dict(data))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(status, CaseInsensitiveDict({"X-Request-Id": "r-1"}), raw, 0.01)


def granted(token, **more):
    return 200, {"access_token": token, "scope": "write_orders,read_products", **more}


def client_credentials(endpoint, store=None, clock=None):
    store = store or MemoryStore()
    return ClientCredentials(SHOP_URL, "id", "hush", store, endpoint, now=clock or Clock())


def authorization_code(endpoint, store=None, clock=None):
    store = store or MemoryStore()
    return AuthorizationCode(SHOP_URL, "id", "hush", store, endpoint, now=clock or Clock())


# -- static ----------------------------------------------------------------------------------


def test_static_token():
    assert StaticToken("shpat_1").get() == "shpat_1"


def test_static_token_cannot_be_renewed():
    with pytest.raises(AuthError, match="uninstalled") as caught:
        StaticToken("shpat_1").renew("shpat_1")
    assert caught.value.reason == "invalid_token"


def test_no_static_token():
    with pytest.raises(AuthError) as caught:
        StaticToken("").get()
    assert caught.value.reason == "no_token"


# -- client credentials ----------------------------------------------------------------------


def test_token_is_asked_for_once_and_kept():
    endpoint = Endpoint(granted("t1", expires_in=86399))
    store = MemoryStore()
    provider = client_credentials(endpoint, store)
    assert provider.get() == "t1"
    assert provider.get() == "t1"
    assert client_credentials(endpoint, store).get() == "t1"
    assert endpoint.forms == [
        {"client_id": "id", "client_secret": "hush", "grant_type": "client_credentials"}
    ]
    assert store.saved == [
        Token("t1", NOW + timedelta(seconds=86399), scopes=("read_products", "write_orders"))
    ]


def test_token_is_renewed_ten_minutes_before_it_lapses():
    clock = Clock()
    endpoint = Endpoint(granted("t1", expires_in=86400), granted("t2", expires_in=86400))
    provider = client_credentials(endpoint, clock=clock)
    provider.get()
    clock.now = NOW + timedelta(hours=24, minutes=-11)
    assert provider.get() == "t1"
    clock.now = NOW + timedelta(hours=24, minutes=-9)
    assert provider.get() == "t2"


def test_naive_times_are_utc():
    naive = (NOW + timedelta(hours=1)).replace(tzinfo=None)
    endpoint = Endpoint(granted("t2"))
    assert client_credentials(endpoint, MemoryStore(Token("t1", naive))).get() == "t1"


def test_renewal_that_fails_uses_a_token_that_is_still_good():
    clock = Clock()
    store = MemoryStore(Token("t1", NOW + timedelta(minutes=5)))
    endpoint = Endpoint(TransientError("busy"))
    assert client_credentials(endpoint, store, clock).get() == "t1"
    clock.now = NOW + timedelta(minutes=5)
    with pytest.raises(TransientError):
        client_credentials(endpoint, store, clock).get()


def test_rejected_token_is_replaced():
    store = MemoryStore(Token("t1", NOW + timedelta(hours=20)))
    endpoint = Endpoint(granted("t2", expires_in=86399))
    provider = client_credentials(endpoint, store)
    assert provider.get() == "t1"
    assert provider.renew("t1") == "t2"
    assert provider.get() == "t2"


def test_rejected_token_that_somebody_replaced_costs_no_request():
    store = MemoryStore(Token("t1", NOW + timedelta(hours=20)))
    endpoint = Endpoint(granted("t3"))
    provider = client_credentials(endpoint, store)
    provider.get()
    store.token = Token("t2", NOW + timedelta(hours=20))
    assert provider.renew("t1") == "t2"
    assert endpoint.forms == []


def test_rejected_token_is_never_given_again():
    store = MemoryStore(Token("t1", NOW + timedelta(hours=20)))
    provider = client_credentials(Endpoint(TransientError("busy")), store)
    with pytest.raises(TransientError):
        provider.renew("t1")


@pytest.mark.parametrize("action", [lambda p: p.get(), lambda p: p.renew("t1")])
def test_two_threads_make_one_request(action):
    """Both want a new token at once; the second one waits for the lock and takes the first's."""
    store = MemoryStore(Token("t1", NOW + timedelta(minutes=1)))
    inside, go_on = threading.Event(), threading.Event()

    class Slow(Endpoint):
        def post_form(self, url, data):
            inside.set()
            assert go_on.wait(10)
            return super().post_form(url, data)

    endpoint = Slow(granted("t2", expires_in=86399), granted("t3", expires_in=86399))
    got = []
    waiting = threading.Event()

    class Noticing(MemoryStore):
        def lock(self):
            if inside.is_set():
                waiting.set()
            return super().lock()

    store = Noticing(store.token)
    threads = [
        threading.Thread(target=lambda: got.append(action(client_credentials(endpoint, store))))
        for _ in range(2)
    ]
    threads[0].start()
    assert inside.wait(10)
    threads[1].start()
    assert waiting.wait(10)
    go_on.set()
    for thread in threads:
        thread.join()
    assert got == ["t2", "t2"]
    assert len(endpoint.forms) == 1


def page(text):
    return f"<html><title>Oauth error {text}</title><body>Oauth error {text}</body></html>".encode()


@pytest.mark.parametrize(
    ("status", "body", "reason", "text"),
    [
        (401, {"error": "invalid_client"}, "invalid_client", "client secret"),
        (400, {"error": "invalid_client"}, "invalid_client", "client secret"),
        (401, b"", "invalid_client", "client secret"),
        (
            400,
            page("shop_not_permitted: Client credentials cannot be performed on this shop."),
            "shop_not_permitted",
            "same Shopify organization",
        ),
        (
            400,
            {"error": "app_not_installed", "error_description": "not installed on this shop."},
            "app_not_installed",
            "Install it",
        ),
        (
            400,
            page("application_cannot_be_found: Could not find Shopify API application"),
            "app_not_found",
            "client id",
        ),
        (400, {"error": "invalid_request"}, "invalid_grant", "Dev Dashboard"),
        (400, {"error": "new_one", "error_description": "Sorry."}, "rejected", "new_one Sorry."),
        (400, b"<html>", "rejected", "HTTP 400"),
    ],
)
def test_refusals_say_what_is_wrong_and_what_to_do(status, body, reason, text):
    with pytest.raises(AuthError, match=text) as caught:
        client_credentials(Endpoint((status, body))).get()
    assert caught.value.reason == reason
    assert caught.value.http_status == status
    assert str(caught.value).endswith("(request id r-1)")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, ShopUnavailableError), (402, ShopUnavailableError), (503, TransientError)],
)
def test_refusals_that_are_not_about_the_app(status, kind):
    with pytest.raises(kind):
        client_credentials(Endpoint((status, b"<html>"))).get()


def test_answer_without_a_token():
    with pytest.raises(ProtocolError):
        client_credentials(Endpoint((200, {"scope": ""}))).get()


def test_secrets_do_not_show():
    token = Token("shpat_1", NOW, "shprt_1", NOW)
    assert "shp" not in repr(token)


# -- authorization code ----------------------------------------------------------------------

PAIR = {"expires_in": 3600, "refresh_token_expires_in": 7776000}


def test_permission_page():
    before = dict(vars(shopify.Session))
    provider = authorization_code(Endpoint(granted("t")))
    url = urlsplit(provider.authorize_url(["read_orders", "write_x"], "https://o.com/cb", "s1"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{SHOP_URL}/admin/oauth/authorize"
    assert parse_qs(url.query) == {
        "client_id": ["id"],
        "scope": ["read_orders,write_x"],
        "redirect_uri": ["https://o.com/cb"],
        "state": ["s1"],
    }
    assert dict(vars(shopify.Session)) == before, "the library's process-wide settings stay"


def test_permission_page_of_a_development_server():
    provider = AuthorizationCode("http://127.0.0.1:9292/shops/foo", "id", "x", MemoryStore(), None)
    url = provider.authorize_url(["read_orders"], "https://o.com/cb", "s1")
    assert url.startswith("http://127.0.0.1:9292/shops/foo/admin/oauth/authorize?client_id=id&")


def test_code_becomes_an_expiring_token():
    endpoint = Endpoint(granted("t1", refresh_token="r1", **PAIR))
    store = MemoryStore()
    provider = authorization_code(endpoint, store)
    token = provider.exchange("c1")
    assert endpoint.forms == [
        {"client_id": "id", "client_secret": "hush", "code": "c1", "expiring": "1"}
    ]
    assert token == store.token
    assert token.expires_at == NOW + timedelta(hours=1)
    assert token.refresh_token == "r1"
    assert token.refresh_expires_at == NOW + timedelta(days=90)
    assert provider.get() == "t1"


def test_refresh_rotates_and_is_saved_before_it_is_used():
    clock = Clock()
    endpoint = Endpoint(
        granted("t1", refresh_token="r1", **PAIR),
        granted("t2", refresh_token="r2", **PAIR),
        granted("t3", refresh_token="r3", **PAIR),
    )
    store = MemoryStore()
    provider = authorization_code(endpoint, store, clock)
    provider.exchange("c1")
    for number in (2, 3):
        clock.now += timedelta(minutes=51)
        assert provider.get() == f"t{number}"
        assert store.token.refresh_token == f"r{number}"
        assert endpoint.forms[-1] == {
            "client_id": "id",
            "client_secret": "hush",
            "grant_type": "refresh_token",
            "refresh_token": f"r{number - 1}",
        }


def test_pair_that_cannot_be_saved_is_not_used():
    class Full(MemoryStore):
        def save(self, token):
            raise OSError("disk full")

    store = Full(Token("t1", NOW - timedelta(hours=1), "r1", NOW + timedelta(days=1)))
    with pytest.raises(OSError, match="disk full"):
        authorization_code(Endpoint(granted("t2", refresh_token="r2", **PAIR)), store).get()


def test_lost_answer_is_asked_for_again_with_the_same_refresh_token():
    store = MemoryStore(Token("t1", NOW - timedelta(hours=1), "r1", NOW + timedelta(days=1)))
    endpoint = Endpoint(TransientError("timeout"), granted("t2", refresh_token="r2", **PAIR))
    with pytest.raises(TransientError):
        authorization_code(endpoint, store).get()
    assert authorization_code(endpoint, store).get() == "t2"
    assert [form["refresh_token"] for form in endpoint.forms] == ["r1", "r1"]


def test_token_that_does_not_lapse():
    store = MemoryStore()
    provider = authorization_code(Endpoint(granted("t1")), store)
    assert provider.exchange("c1").expires_at is None
    assert provider.get() == "t1"
    with pytest.raises(AuthError, match="again") as caught:
        provider.renew("t1")
    assert caught.value.reason == "invalid_token"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (None, "no_token"),
        (Token("t", NOW, "r", NOW - timedelta(days=1)), "refresh_expired"),
        (Token("t", NOW), "invalid_token"),
    ],
)
def test_only_a_new_installation_helps(token, reason):
    endpoint = Endpoint(granted("t2"))
    with pytest.raises(AuthError, match="nstall") as caught:
        authorization_code(endpoint, MemoryStore(token)).get()
    assert caught.value.reason == reason
    assert endpoint.forms == []


def test_refused_refresh_token():
    store = MemoryStore(Token("t1", NOW, "r1", NOW + timedelta(days=1)))
    with pytest.raises(AuthError, match="Install the app") as caught:
        authorization_code(Endpoint((400, {"error": "invalid_grant"})), store).get()
    assert caught.value.reason == "invalid_grant"
    assert store.token.access_token == "t1"


def test_used_code():
    body = page("invalid_request: The authorization code was not found or was already used")
    with pytest.raises(AuthError, match="already used") as caught:
        authorization_code(Endpoint((400, body))).exchange("c1")
    assert caught.value.reason == "invalid_grant"


# -- callback --------------------------------------------------------------------------------


def callback(secret="hush", **params):
    """Signed as Shopify documents it: sorted `key=value` pairs, HMAC-SHA256, hex."""
    import hashlib
    import hmac
    import time

    params = {
        "code": "c1",
        "shop": "foo.myshopify.com",
        "state": "s1",
        "timestamp": str(int(time.time())),
        **params,
    }
    message = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
    params["hmac"] = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    return params


def test_callback_signed_with_current_or_previous_secret():
    assert auth.verify_callback(callback("new"), ["new", "old"])
    assert auth.verify_callback(callback("old"), ["new", "old"])
    assert auth.verify_callback(callback("new"), ["new", None])


def test_forged_callbacks():
    assert not auth.verify_callback(callback("other"), ["new", "old"])
    assert not auth.verify_callback(callback(""), [""])
    assert not auth.verify_callback({**callback(), "shop": "evil.myshopify.com"}, ["hush"])
    assert not auth.verify_callback({k: v for k, v in callback().items() if k != "hmac"}, ["hush"])
    assert not auth.verify_callback({**callback(), "hmac": "ä"}, ["hush"])
    assert not auth.verify_callback({}, ["hush"])


def test_old_callbacks():
    assert not auth.verify_callback(callback(timestamp="1600000000"), ["hush"])
    assert not auth.verify_callback(callback(timestamp="soon"), ["hush"])


def test_callback_leaves_the_library_alone():
    auth.verify_callback(callback(), ["hush"])
    assert shopify.Session.secret is None
    assert shopify.Session.api_key is None


def test_state():
    assert auth.verify_state("s1", "s1")
    assert not auth.verify_state("s1", "s2")
    assert not auth.verify_state("", "")
    assert not auth.verify_state(None, None)
    assert not auth.verify_state("ä", "s1")


# -- shops and scopes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "foo-2",
        "FOO-2",
        "  foo-2.myshopify.com ",
        "foo-2.myshopify.com/",
        "https://foo-2.myshopify.com",
        "HTTPS://Foo-2.MyShopify.com/admin/orders?x=1#top",
        "http://foo-2.myshopify.com/admin",
        "foo-2.myshopify.com/admin/products",
        "https://admin.shopify.com/store/foo-2",
        "https://admin.shopify.com/store/foo-2/orders?x=1",
        "admin.shopify.com/store/FOO-2/",
        "\u200bfoo-2.myshopify.com\u200b\n",
        "foo-2.myshopify.com.",
    ],
)
def test_shop_as_people_paste_it(text):
    assert auth.normalise_shop(text) == "foo-2.myshopify.com"


@pytest.mark.parametrize(
    "text",
    [
        "",
        None,
        "   ",
        "www.foo.com",
        "https://shop.foo.com/collections/all",
        "foo.myshopify.com.evil.com",
        "https://evil.com/foo.myshopify.com",
        "https://evil.com?foo.myshopify.com",
        "https://evil.com#foo.myshopify.com",
        "foo@evil.com",
        "https://user:pass@foo.myshopify.com",
        "foo.myshopify.com@evil.com",
        "evil.com\\.myshopify.com",
        "foo.myshopify.com:8443",
        "a.b.myshopify.com",
        "-foo",
        "my store",
        "fоо",  # Cyrillic o
        "https://admin.shopify.com/",
        "https://",
        "[::1]",
    ],
)
def test_what_is_no_shop(text):
    with pytest.raises(ValueError, match=r"myshopify\.com"):
        auth.normalise_shop(text)


def test_shop_url():
    assert auth.shop_url("foo.myshopify.com") == "https://foo.myshopify.com"
    server = "http://127.0.0.1:9292/shops/{shop}/"
    assert auth.shop_url("foo.myshopify.com", server) == "http://127.0.0.1:9292/shops/foo"


def test_scopes():
    granted_scopes = ["write_orders", "read_products", "customer_read_orders"]
    assert auth.covers(granted_scopes, "read_orders")
    assert auth.covers(granted_scopes, "write_orders")
    assert auth.covers(granted_scopes, "read_products")
    assert not auth.covers(granted_scopes, "write_products")
    assert not auth.covers(granted_scopes, "read_customers")
    assert not auth.covers([], "read_orders")
    assert auth.split_scopes(" write_b, read_a,,read_a") == ("read_a", "write_b")
    assert auth.split_scopes(None) == ()
