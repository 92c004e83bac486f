from shopify_connector.client.throttle import Cost, Throttle, shared_throttle


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def bucket(available, maximum=2000, restored=100, clock=None):
    throttle = Throttle(clock or Clock())
    throttle.update(Cost(available=available, maximum=maximum, restored=restored))
    return throttle


def test_nothing_known_means_no_wait():
    assert Throttle(Clock()).wait_for(1000) == 0.0


def test_wait_until_the_points_are_there():
    throttle = bucket(available=30)
    assert throttle.wait_for(30) == 0.0
    assert throttle.wait_for(130) == 1.0


def test_points_come_back_with_time_up_to_the_maximum():
    clock = Clock()
    throttle = bucket(available=0, clock=clock)
    clock.now += 2
    assert throttle.wait_for(250) == 0.5
    clock.now += 3600
    throttle.spend(2000)
    assert throttle.wait_for(100) == 1.0


def test_what_is_under_way_counts():
    throttle = bucket(available=100)
    throttle.spend(60)
    assert throttle.wait_for(60) == 0.2
    # The store has the last word.
    throttle.update(Cost(available=95, maximum=2000, restored=100))
    assert throttle.wait_for(60) == 0.0


def test_more_than_the_bucket_holds_waits_for_a_full_bucket():
    assert bucket(available=900, maximum=1000, restored=50).wait_for(5000) == 2.0


def test_lowered_limits_are_taken_over():
    throttle = bucket(available=2000)
    throttle.update(Cost(available=10, maximum=500, restored=10))
    assert throttle.wait_for(60) == 5.0


def test_answers_without_cost_change_nothing():
    throttle = bucket(available=0)
    throttle.update(None)
    throttle.update(Cost(requested=10))
    assert throttle.wait_for(100) == 1.0


def test_cost_is_read_from_extensions():
    cost = Cost.parse(
        {
            "cost": {
                "requestedQueryCost": 101,
                "actualQueryCost": None,
                "throttleStatus": {
                    "maximumAvailable": 2000.0,
                    "currentlyAvailable": 1,
                    "restoreRate": 100.0,
                },
            }
        }
    )
    assert cost == Cost(101, None, 2000.0, 1, 100.0)
    assert Cost.parse(None) is None
    assert Cost.parse({}) is None


def test_one_budget_per_store_and_app():
    assert shared_throttle("a", "app") is shared_throttle("a", "app")
    assert shared_throttle("a", "app") is not shared_throttle("b", "app")
    assert shared_throttle("a", "app") is not shared_throttle("a", "other")


def test_costs_and_sizes_are_learnt():
    throttle = Throttle(Clock())
    assert throttle.expected("x") == 0.0
    throttle.learn("x", Cost(requested=42))
    throttle.learn("x", None)
    assert throttle.expected("x") == 42
    assert throttle.size("x", 50) == 50
    throttle.limit_size("x", 25)
    assert throttle.size("x", 50) == 25
    assert throttle.size("x", 10) == 10
