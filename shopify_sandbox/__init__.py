"""A stand-in Shopify store: the Admin GraphQL API of the official schema, with state of its own."""

__version__ = "1.0.0"
