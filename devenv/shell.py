"""``make shell``: Odoo's Python shell on the demo database."""

from . import odoo


def main(arguments):
    return odoo.main(arguments, command=["shell"], database_name="demo")
