from . import (
    test_catalog,
    test_exception,
    test_inbox_concurrency,
    test_inbox_drain,
    test_inbox_notices,
    test_inbox_poll,
    test_match_customer,
    test_match_product,
    test_match_tax,
    test_webhook_registrar,
    test_webhook_route,
)
