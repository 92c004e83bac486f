"""From what was delivered to calls: where it is taken from, what is in the way, what exists."""

from datetime import datetime

import pytest

from shopify_connector.mappers.fulfillment import (
    Problem,
    Tracking,
    allocate,
    digital_lines,
    find_existing,
    map_order_state,
    split_numbers,
)
from shopify_connector.mappers.tracking_companies import NAMES, known_company

HERE, THERE = "gid://shopify/Location/1", "gid://shopify/Location/2"
A, B, C = (f"gid://shopify/LineItem/{number}" for number in (1, 2, 3))


def waiting(number, place=HERE, status="OPEN", holds=(), request="UNSUBMITTED", **lines):
    """A fulfilment order; ``lines`` by letter: ``a=2``."""
    return {
        "id": f"gid://shopify/FulfillmentOrder/{number}",
        "status": status,
        "requestStatus": request,
        "assignedLocation": {"name": place[-1], "location": {"id": place}},
        "deliveryMethod": None,
        "fulfillmentHolds": [
            {
                "id": f"gid://shopify/FulfillmentHold/{number}{index}",
                "displayReason": "Other",
                "reasonNotes": "wait" if not ours else None,
                "heldByRequestingApp": ours,
            }
            for index, ours in enumerate(holds)
        ],
        "lineItems": {"nodes": [line(number, name, count) for name, count in lines.items()]},
    }


def line(number, name, count, **item):
    item_gid = f"gid://shopify/LineItem/{'abc'.index(name) + 1}"
    return {
        "id": f"gid://shopify/FulfillmentOrderLineItem/{number}{name}",
        "remainingQuantity": count,
        "lineItem": {"id": item_gid, "isGiftCard": False, "requiresShipping": True, **item},
    }


def shipped(number, lines, *numbers, status="SUCCESS", at="2026-11-02T10:00:00Z", company="UPS"):
    return {
        "id": f"gid://shopify/Fulfillment/{number}",
        "name": f"#1-F{number}",
        "status": status,
        "createdAt": at,
        "location": {"id": HERE},
        "trackingInfo": [{"company": company, "number": n, "url": None} for n in numbers],
        "fulfillmentLineItems": {
            "nodes": [{"quantity": q, "lineItem": {"id": gid}} for gid, q in lines.items()]
        },
    }


def state(*orders, fulfillments=()):
    return map_order_state(
        {
            "id": "gid://shopify/Order/1",
            "name": "#1",
            "cancelledAt": None,
            "fulfillmentOrders": {"nodes": list(orders)},
            "fulfillments": list(fulfillments),
        }
    )


def reasons(plan):
    return sorted((problem.reason, problem.quantity) for problem in plan.problems)


def test_a_part_is_taken_from_one_fulfilment_order():
    plan = allocate(state(waiting(1, a=3, b=1)), {A: 2}, [HERE])
    (create,) = plan.creates
    assert create.lines == {A: 2}
    given = create.variables(Tracking("UPS", ("1Z",)), True)["fulfillment"]
    assert given == {
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": "gid://shopify/FulfillmentOrder/1",
                "fulfillmentOrderLineItems": [
                    {"id": "gid://shopify/FulfillmentOrderLineItem/1a", "quantity": 2}
                ],
            }
        ],
        "notifyCustomer": True,
        "trackingInfo": {"company": "UPS", "number": "1Z"},
    }
    assert not plan.problems


def test_several_fulfilment_orders_of_a_location_go_in_one_call():
    plan = allocate(state(waiting(1, a=1), waiting(2, a=2, b=1)), {A: 3, B: 1}, [HERE])
    (create,) = plan.creates
    assert create.lines == {A: 3, B: 1}
    assert len(create.takes) == 2


def test_each_location_has_a_call_of_its_own():
    plan = allocate(state(waiting(1, a=1), waiting(2, THERE, b=1)), {A: 1, B: 1}, [HERE, THERE])
    assert [create.location_gid for create in plan.creates] == [HERE, THERE]
    plan = allocate(state(waiting(1, a=1), waiting(2, THERE, b=1)), {A: 1, B: 1}, None)
    assert len(plan.creates) == 2


def test_goods_here_are_taken_before_those_elsewhere():
    plan = allocate(state(waiting(1, THERE, a=5), waiting(2, HERE, a=1)), {A: 2}, [HERE], move=True)
    (create,), (move,) = plan.creates, plan.moves
    assert create.lines == {A: 1}
    assert move.variables() == {
        "id": "gid://shopify/FulfillmentOrder/1",
        "newLocationId": HERE,
        "fulfillmentOrderLineItems": [
            {"id": "gid://shopify/FulfillmentOrderLineItem/1a", "quantity": 1}
        ],
    }


def test_another_location_is_reported_unless_it_may_be_moved():
    plan = allocate(state(waiting(1, THERE, a=2)), {A: 2}, [HERE])
    assert not plan.creates
    assert plan.blocked == (Problem("location", A, 2, THERE[-1]),)


def test_what_a_service_was_asked_to_ship_is_not_moved():
    order = waiting(1, THERE, request="ACCEPTED", a=1)
    assert reasons(allocate(state(order), {A: 1}, [HERE], move=True)) == [("service", 1)]
    assert allocate(state(order), {A: 1}, [THERE]).creates


def test_holds_are_respected():
    order = waiting(1, status="ON_HOLD", holds=[True, False], a=1)
    plan = allocate(state(order), {A: 1}, [HERE], release=True)
    assert plan.blocked == (Problem("hold", A, 1, "Other; Other: wait"),)
    assert not plan.creates
    assert not plan.releases


def test_only_holds_of_our_own_are_released():
    order = waiting(1, status="ON_HOLD", holds=[True], a=1)
    assert reasons(allocate(state(order), {A: 1}, [HERE])) == [("hold", 1)]
    (release,) = allocate(state(order), {A: 1}, [HERE], release=True).releases
    assert release.variables()["holdIds"] == ["gid://shopify/FulfillmentHold/10"]


def test_what_is_not_on_hold_is_taken_first():
    plan = allocate(
        state(waiting(1, status="ON_HOLD", holds=[False], a=1), waiting(2, a=1)), {A: 1}, [HERE]
    )
    assert plan.creates[0].takes[0][0].endswith("/2")
    assert not plan.problems


def test_scheduled_goods_wait_for_their_time():
    assert reasons(allocate(state(waiting(1, status="SCHEDULED", a=1)), {A: 1}, [HERE])) == [
        ("scheduled", 1)
    ]


@pytest.mark.parametrize("status", ["CLOSED", "CANCELLED", "INCOMPLETE"])
def test_finished_fulfilment_orders_have_nothing_left(status):
    plan = allocate(state(waiting(1, status=status, a=1)), {A: 1}, [HERE])
    assert reasons(plan) == [("nothing_left", 1)]
    assert not plan.blocked


def test_an_unknown_status_is_no_way_to_ship():
    assert reasons(allocate(state(waiting(1, status="ODD", a=1)), {A: 1}, [HERE])) == [
        ("scheduled", 1)
    ]


def test_what_is_in_no_fulfilment_order_was_never_asked_for():
    assert reasons(allocate(state(waiting(1, a=1)), {A: 1, B: 2}, [HERE])) == [("not_asked", 2)]


def test_never_more_than_remains():
    plan = allocate(state(waiting(1, a=2)), {A: 5}, [HERE])
    assert plan.creates[0].lines == {A: 2}
    assert reasons(plan) == [("nothing_left", 3)]


def test_what_another_shipment_takes_is_not_free():
    taken = {"gid://shopify/FulfillmentOrderLineItem/1a": 1}
    plan = allocate(state(waiting(1, a=2)), {A: 2}, [HERE], reserved=taken)
    assert plan.creates[0].lines == {A: 1}


def test_units_fulfilled_by_others_are_told_apart():
    found = state(
        waiting(1, status="CLOSED", a=0),
        fulfillments=[shipped(1, {A: 2}), shipped(2, {A: 9}, status="CANCELLED")],
    )
    assert reasons(allocate(found, {A: 3}, [HERE])) == [("elsewhere", 2), ("nothing_left", 1)]
    own = allocate(found, {A: 3}, [HERE], taken={"gid://shopify/Fulfillment/1"})
    assert reasons(own) == [("nothing_left", 3)]


def test_more_than_250_lines_go_in_several_calls():
    order = waiting(1)
    order["lineItems"]["nodes"] = [
        {
            "id": f"gid://shopify/FulfillmentOrderLineItem/{number}",
            "remainingQuantity": 1,
            "lineItem": {"id": f"gid://shopify/LineItem/{number}"},
        }
        for number in range(500)
    ]
    wanted = {f"gid://shopify/LineItem/{number}": 1 for number in range(500)}
    plan = allocate(state(order), wanted, [HERE])
    assert [len(create.takes[0][1]) for create in plan.creates] == [250, 250]


def test_no_lines_make_no_call():
    assert allocate(state(waiting(1, a=2)), {}, [HERE]).creates == ()


def test_digital_lines_are_apart():
    order = waiting(1, a=1)
    order["lineItems"]["nodes"] += [
        line(1, "b", 2, requiresShipping=False),
        line(1, "c", 1, requiresShipping=False, isGiftCard=True),
    ]
    assert list(digital_lines(state(order))) == [{C: 1}, {B: 2}]


def test_what_exists_is_found_by_lines_and_numbers():
    found = state(fulfillments=[shipped(1, {A: 1}, "1Z1"), shipped(2, {A: 1}, "1Z2")])
    assert find_existing(found, {A: 1}, ["1Z2"], ()).gid.endswith("/2")
    assert find_existing(found, {A: 2}, ["1Z2"], ()) is None
    assert find_existing(found, {A: 1}, ["1Z3"], ()) is None
    assert find_existing(found, {A: 1}, ["1Z2"], {"gid://shopify/Fulfillment/2"}) is None


def test_without_numbers_it_is_ours_only_after_we_tried():
    found = state(fulfillments=[shipped(1, {A: 1})])
    assert find_existing(found, {A: 1}, (), ()) is None
    assert find_existing(found, {A: 1}, (), (), datetime(2026, 11, 2, 10, 2)).gid.endswith("/1")
    assert find_existing(found, {A: 1}, (), (), datetime(2026, 11, 2, 11)) is None


def test_cancelled_fulfilments_are_nobodys():
    found = state(fulfillments=[shipped(1, {A: 1}, "1Z", status="CANCELLED")])
    assert find_existing(found, {A: 1}, ["1Z"], ()) is None


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1Z1", ("1Z1",)),
        ("1Z1,1Z2", ("1Z1", "1Z2")),
        (" 1Z1 + 1Z2;1Z3\n1Z1 ", ("1Z1", "1Z2", "1Z3")),
        ("", ()),
        (None, ()),
    ],
)
def test_numbers_are_split(text, numbers):
    assert split_numbers(text) == numbers


def test_several_parcels():
    tracking = Tracking("UPS", ("1", "2"), ("https://t/1", "https://t/2"))
    assert tracking.variables() == {
        "company": "UPS",
        "numbers": ["1", "2"],
        "urls": ["https://t/1", "https://t/2"],
    }
    assert Tracking("UPS").variables() is None


def test_only_what_is_new_is_told():
    known = map_order_state(
        {"id": "x", "fulfillments": [shipped(1, {A: 1}, "1Z1")], "fulfillmentOrders": None}
    ).fulfillments[0]
    assert not Tracking("UPS", ("1Z1",)).says_more_than(known.tracking)
    assert not Tracking().says_more_than(known.tracking)
    assert Tracking("UPS", ("1Z2",)).says_more_than(known.tracking)
    assert Tracking("DPD", ("1Z1",)).says_more_than(known.tracking)
    assert Tracking("UPS", ("1Z1",), ("https://t",)).says_more_than(known.tracking)


def test_missing_values_are_no_accident():
    found = map_order_state(
        {
            "id": "gid://shopify/Order/1",
            "name": None,
            "fulfillmentOrders": {
                "nodes": [
                    {
                        "id": "gid://shopify/FulfillmentOrder/1",
                        "status": None,
                        "assignedLocation": None,
                        "lineItems": {"nodes": [{"id": "x", "lineItem": None}]},
                    }
                ]
            },
            "fulfillments": [{"id": "gid://shopify/Fulfillment/1", "trackingInfo": None}],
        }
    )
    assert allocate(found, {A: 1}, [HERE]).creates == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("UPS", "UPS"),
        ("ups ground", "UPS"),
        ("DHL Express Worldwide", "DHL Express"),
        ("UPSALA Post", None),
        ("Bring it to me", None),
        ("bring", "Bring"),
        ("Our own van", None),
        (None, None),
    ],
)
def test_carriers_that_shopify_knows(text, name):
    assert known_company(text) == name


def test_names_stand_once():
    assert len(set(NAMES)) == len(NAMES)
