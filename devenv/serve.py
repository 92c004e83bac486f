"""``make serve``: Odoo with two workers and the job runner on the demo database, no store."""

from . import odoo


def main(arguments):
    return odoo.main(arguments, database_name="demo", workers=2)
