from . import (
    shopify_accounting_start,
    shopify_line_mapping,
    shopify_onboarding,
    shopify_order_cancel,
    shopify_order_import,
    shopify_order_preview,
    shopify_refund_create,
    shopify_refund_link,
    shopify_stock_import,
    stock_return_picking,
)
