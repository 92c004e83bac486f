"""From Shopify's dicts to frozen dataclasses, and to plain values.

Pure functions without Odoo, database or network.
"""
