"""What answers mean: recorded ones of a real store, and statuses that were not recorded."""

import json
from pathlib import Path

import pytest
from requests.structures import CaseInsensitiveDict

from shopify_connector.client import answers
from shopify_connector.client.errors import (
    AuthError,
    CostExceededError,
    GraphQLFault,
    ProtocolError,
    QueryError,
    ScopeError,
    ShopifyError,
    ShopUnavailableError,
    ThrottledError,
    TransientError,
    UserError,
    UserErrorsError,
)
from shopify_connector.client.transport import Reply

RECORDINGS = Path(__file__).resolve().parents[4] / "shared" / "recordings"
VERSION = "2026-10"
BUDGET = {"maximumAvailable": 2000, "currentlyAvailable": 40, "restoreRate": 100}


def reply(body, status=200, **headers):
    headers = {"X-Request-Id": "r-1", "X-Shopify-API-Version": VERSION, **headers}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, CaseInsensitiveDict(headers), raw, 0.01)


def read(body, **kwargs):
    return answers.read(reply(body), VERSION, **kwargs)


def fault(code, message="Something", **extensions):
    return {"message": message, "extensions": {"code": code, **extensions}}


def recorded(path):
    file = RECORDINGS / path
    if not file.exists():
        pytest.skip(f"the recordings are not at {RECORDINGS}")
    return json.loads(file.read_text(encoding="utf-8"))


def payloads(value):
    """Every recorded GraphQL answer inside a recording."""
    if isinstance(value, dict):
        if "data" in value or isinstance(value.get("errors"), list):
            data, errors = value.get("data"), value.get("errors")
            if (data is None or isinstance(data, dict)) and (
                errors is None or all(isinstance(e, dict) and "message" in e for e in errors)
            ):
                yield {key: value[key] for key in ("data", "errors", "extensions") if key in value}
        for inner in value.values():
            yield from payloads(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from payloads(inner)


# -- recorded --------------------------------------------------------------------------------


def test_recorded_missing_scope_is_named():
    recording = recorded("2025-01/payments/shopify-payments-account-access-denied.json")
    with pytest.raises(ScopeError) as caught:
        read({key: recording[key] for key in ("data", "errors", "extensions")})
    error = caught.value
    assert error.scopes == ("read_shopify_payments", "read_shopify_payments_accounts")
    assert error.path == "shopifyPaymentsAccount"
    assert error.code == "ACCESS_DENIED"
    assert error.budget.available == 1999
    assert "read_shopify_payments" in str(error)
    assert str(error).endswith("(request id r-1)")


def test_every_recorded_answer_is_understood():
    kinds = {}
    if not RECORDINGS.exists():
        pytest.skip(f"the recordings are not at {RECORDINGS}")
    for file in sorted(RECORDINGS.rglob("*.json")):
        for payload in payloads(json.loads(file.read_text(encoding="utf-8"))):
            if not payload.get("errors") and not payload.get("data"):
                continue
            try:
                kind = "partial" if read(payload).errors else "data"
            except ShopifyError as error:
                kind = type(error).__name__
                assert error.message
            kinds.setdefault(kind, []).append(file.name)
    assert set(kinds) == {"data", "partial", "ScopeError", "QueryError"}
    # Most of what was recorded went well; whatever did not was a wrong request or a missing scope.
    assert len(kinds["data"]) > 500


def test_recorded_missing_directive_is_a_wrong_request():
    recording = recorded("2026-04/products/inventory-quantity-contracts-2026-04.json")
    refused = [
        payload
        for payload in payloads(recording)
        if any("idempotent" in error["message"] for error in payload.get("errors") or ())
    ]
    assert refused
    for payload in refused:
        with pytest.raises(QueryError, match="@idempotent directive is required") as caught:
            read(payload)
        assert caught.value.code == "BAD_REQUEST"


# -- partial data ----------------------------------------------------------------------------

PARTIAL = {
    "data": {"orders": {"nodes": [{"id": "gid://shopify/Order/1", "customer": None}]}},
    "errors": [
        {
            "message": "Access denied for customer field. Required access: `read_customers` "
            "access scope.",
            "path": ["orders", "nodes", 0, "customer"],
            "extensions": {
                "code": "ACCESS_DENIED",
                "requiredAccess": "`read_customers` access scope.",
            },
        }
    ],
}


def test_partial_data_is_kept_and_reported():
    result = read(PARTIAL)
    assert result.data == PARTIAL["data"]
    [denied] = result.errors
    assert denied == GraphQLFault(
        PARTIAL["errors"][0]["message"],
        "ACCESS_DENIED",
        ("orders", "nodes", 0, "customer"),
        ("read_customers",),
    )


def test_partial_data_is_an_error_when_not_allowed():
    with pytest.raises(ScopeError) as caught:
        read(PARTIAL, allow_partial=False)
    assert caught.value.path == "orders.nodes.0.customer"
    assert caught.value.scopes == ("read_customers",)


def test_one_of_two_roots_is_partial_data():
    body = {"data": {"shop": {"id": "1"}, "orders": None}, "errors": [fault("ACCESS_DENIED")]}
    assert read(body).data["shop"] == {"id": "1"}


def test_null_without_errors_is_an_answer():
    assert read({"data": {"product": None}}).data == {"product": None}


# -- errors in an answer with status 200 -----------------------------------------------------


def test_throttled_waits_for_the_missing_points():
    cost = {"requestedQueryCost": 140, "actualQueryCost": None, "throttleStatus": BUDGET}
    body = {"errors": [fault("THROTTLED", "Throttled")], "extensions": {"cost": cost}}
    with pytest.raises(ThrottledError) as caught:
        read(body)
    assert caught.value.retry_after == 1.0
    assert caught.value.sent is False
    assert caught.value.budget.available == 40


@pytest.mark.parametrize("body", [{"errors": [{"message": "Throttled"}]}, {"errors": "Throttled"}])
def test_throttled_without_figures_waits_a_second(body):
    with pytest.raises(ThrottledError) as caught:
        read(body)
    assert caught.value.retry_after == answers.DEFAULT_RETRY_AFTER


def test_too_expensive_says_how_much():
    message = "Query cost is 2003, which exceeds the single query max cost limit (1000)."
    with pytest.raises(CostExceededError, match="2003") as caught:
        read({"errors": [fault("MAX_COST_EXCEEDED", message, cost=2003, maxCost=1000)]})
    assert (caught.value.cost, caught.value.max_cost) == (2003, 1000)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INTERNAL_SERVER_ERROR", TransientError),
        ("TIMEOUT", TransientError),
        ("SHOP_INACTIVE", ShopUnavailableError),
        ("BAD_REQUEST", QueryError),
        ("undefinedField", QueryError),
        ("RESOURCE_NOT_FOUND", QueryError),
        (None, QueryError),
        ("SOMETHING_NEW", QueryError),
    ],
)
def test_code_decides(code, kind):
    with pytest.raises(ShopifyError) as caught:
        read({"data": None, "errors": [fault(code)]})
    assert type(caught.value) is kind
    assert caught.value.code == code


def test_what_passes_by_waiting_comes_first():
    body = {"errors": [fault("ACCESS_DENIED"), fault("undefinedField"), fault("TIMEOUT")]}
    with pytest.raises(TransientError):
        read(body)


def test_all_missing_scopes_are_collected():
    errors = [fault("ACCESS_DENIED", f"`read_{name}` access scope.") for name in ("a", "b", "a")]
    with pytest.raises(ScopeError) as caught:
        read({"errors": errors})
    assert caught.value.scopes == ("read_a", "read_b")


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": []}, b"<html>", b'{"data": {"a":'])
def test_answers_that_are_none(body):
    with pytest.raises(ProtocolError, match="r-1"):
        read(body)


# -- statuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ShopUnavailableError),
        (307, ShopUnavailableError),
        (400, QueryError),
        (401, AuthError),
        (402, ShopUnavailableError),
        (403, ShopUnavailableError),
        (404, ShopUnavailableError),
        (406, QueryError),
        (408, TransientError),
        (423, ShopUnavailableError),
        (429, ThrottledError),
        (430, QueryError),
        (500, TransientError),
        (502, TransientError),
        (503, TransientError),
        (504, TransientError),
        (520, TransientError),
    ],
)
def test_status_decides(status, kind):
    with pytest.raises(ShopifyError) as caught:
        answers.read(reply(b"<html>whatever</html>", status), VERSION)
    assert type(caught.value) is kind
    assert caught.value.http_status == status
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize(("header", "seconds"), [("2.0", 2.0), ("7", 7.0), ("-1", 0.0), ("x", 1.0)])
def test_retry_after_may_have_decimals(header, seconds):
    with pytest.raises(ThrottledError) as caught:
        answers.read(reply(b"", 429, **{"Retry-After": header}), VERSION)
    assert caught.value.retry_after == seconds


def test_overloaded_store_may_say_when():
    with pytest.raises(TransientError) as caught:
        answers.read(reply(b"", 503, **{"Retry-After": "30"}), VERSION)
    assert caught.value.retry_after == 30.0
    with pytest.raises(TransientError) as caught:
        answers.read(reply(b"", 503), VERSION)
    assert caught.value.retry_after is None


# -- the rest of a result --------------------------------------------------------------------


def test_result_carries_what_came_with_it():
    cost = {"requestedQueryCost": 9, "actualQueryCost": 3, "throttleStatus": BUDGET}
    result = read({"data": {"a": 1}, "extensions": {"cost": cost}})
    assert (result.cost.requested, result.cost.actual, result.cost.available) == (9, 3, 40)
    assert result.request_id == "r-1"
    assert result.api_version == VERSION
    assert not result.fell_forward


def test_another_version_answers():
    answer = reply({"data": {"a": 1}}, **{"X-Shopify-API-Version": "2027-01"})
    result = answers.read(answer, VERSION)
    assert result.fell_forward
    assert result.api_version == "2027-01"


# -- errors as such --------------------------------------------------------------------------


def test_error_without_request_id():
    assert str(ShopifyError("No way")) == "No way"


def test_user_errors_name_fields():
    errors = (
        UserError(("input", "quantities", "0"), "is invalid", "INVALID"),
        UserError((), "Sorry"),
    )
    error = UserErrorsError("stock_set", errors, payload={}, request_id="r-2")
    assert str(error) == "stock_set: input.quantities.0: is invalid; Sorry (request id r-2)"
    assert error.code == "INVALID"


def test_reasons_are_a_closed_set():
    with pytest.raises(ValueError, match="unknown reason"):
        AuthError("x", reason="whatever")
