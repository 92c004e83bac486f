"""Values for PostgreSQL."""

from odoo.tools import SQL


def int_array(numbers):
    """An array of whole numbers for PostgreSQL. A list would be adapted number by number, which
    for thousands of quantities takes longer than all that is computed of them.
    """
    return SQL("%s::int[]", f"{{{','.join(map(str, numbers))}}}")
