"""How to talk to Shopify: authentication, transport, errors, documents. Knows nothing of Odoo."""
