from . import (
    test_match_customer,
    test_match_product,
    test_match_tax,
)
