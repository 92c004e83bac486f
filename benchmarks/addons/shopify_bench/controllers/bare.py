from odoo import http
from odoo.http import request
from odoo.tools import SQL


class Bare(http.Controller):
    """What the server can do at most: a route that does nothing, and one with a single INSERT."""

    @http.route("/bench/bare", type="http", auth="public", csrf=False, methods=["POST"])
    def bare(self):
        return ""

    @http.route("/bench/insert", type="http", auth="public", csrf=False, methods=["POST"])
    def insert(self):
        body = request.httprequest.get_data().decode()
        request.env.cr.execute(SQL("INSERT INTO shopify_bench_body (body) VALUES (%s)", body))
        return ""
