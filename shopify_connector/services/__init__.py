from . import (
    carrier_matcher,
    catalog_importer,
    client_factory,
    connection_checker,
    customer_matcher,
    inbox,
    location_importer,
    order_importer,
    product_matcher,
    reconciler,
    tax_matcher,
    webhook_registrar,
)
