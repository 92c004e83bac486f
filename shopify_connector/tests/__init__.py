from . import (
    test_catalog,
    test_match_customer,
    test_match_product,
    test_match_tax,
)
