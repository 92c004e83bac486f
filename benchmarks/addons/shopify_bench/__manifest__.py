{
    "name": "Shopify Connector: bare routes to measure against",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "license": "LGPL-3",
    "author": "Shopify Connector contributors",
    "depends": ["base"],
    "data": [],
}
