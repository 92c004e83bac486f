"""Development environment: Odoo 19, PostgreSQL and packages in ``.devenv``, and the commands that use them."""
