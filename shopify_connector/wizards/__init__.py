from . import shopify_onboarding, shopify_order_import
