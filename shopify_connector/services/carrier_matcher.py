"""Which delivery methods the shipping lines of orders are."""

from odoo import models

from ..mappers.titles import title_key
from .dry_run import note
from .outcome import Block

NO_TITLE = "-"


def _title(line):
    return title_key(line.title) or NO_TITLE


class ShopifyCarrierMatcher(models.AbstractModel):
    """Rates are the same when code and title are; a row without code answers every code."""

    _name = "shopify.carrier.matcher"
    _description = "Shopify Carrier Matcher"

    def _match(self, backend, lines):
        """Find the delivery method and the product of every shipping line of a batch of orders.

        :param backend: the store, one record
        :param lines: list of :class:`~..mappers.order_types.OrderLine` of kind ``shipping``
        :return: ``({line.gid: (delivery.carrier, product.product)}, {line.gid: Block})``; the
            carrier is an empty record where none is mapped; every line is in one of them
        """
        if not lines:
            return {}, {}
        rows = self.env["shopify.carrier.mapping"].search_fetch(
            [
                ("backend_id", "=", backend.id),
                ("title_key", "in", list({_title(line) for line in lines})),
            ],
            ["title_key", "code", "carrier_id"],
        )
        rows = {(row.title_key, row.code or ""): row for row in rows}
        missing = {}
        carriers = {}
        for line in lines:
            own = rows.get(self._key(line))
            general = rows.get((_title(line), ""))
            row = next((row for row in (own, general) if row and row.carrier_id), None)
            carriers[line.gid] = row and row.carrier_id
            note(self.env, "carrier", "mapping" if row else "setting", {line.gid: row})
            if row is None and not own and not general:
                missing.setdefault(self._key(line), line)
        rows |= self._add_rows(backend, missing)
        if backend.missing_carrier != "stop":
            return {line.gid: self._answer(backend, carriers[line.gid]) for line in lines}, {}
        found = {
            gid: self._answer(backend, carrier) for gid, carrier in carriers.items() if carrier
        }
        blocks = {
            line.gid: self._block(backend, line, rows) for line in lines if line.gid not in found
        }
        return found, blocks

    def _key(self, line):
        return _title(line), line.code or ""

    def _answer(self, backend, carrier):
        if carrier:
            return carrier, carrier.product_id
        return self.env["delivery.carrier"], backend.shipping_product_id

    def _add_rows(self, backend, missing):
        """Rates seen for the first time are listed, so that they can be mapped."""
        if not missing or not backend._may_remember("carrier"):
            return {}
        rows = self.env["shopify.carrier.mapping"].create(
            [self._row_values(backend, line) for line in missing.values()]
        )
        return dict(zip(missing, rows, strict=True))

    def _row_values(self, backend, line):
        return {
            "backend_id": backend.id,
            "title": line.title or NO_TITLE,
            "code": line.code or False,
            "source": line.source or False,
        }

    def _block(self, backend, line, rows):
        row = rows.get(self._key(line)) or rows.get((_title(line), ""))
        return Block(
            category="carrier",
            key=f"{line.code}|{line.title or NO_TITLE}",
            title=self.env._('Shipping rate "%s" is not mapped', line.title),
            message=self.env._(
                'The order is shipped by "%(title)s" (code %(code)s); no delivery method is chosen'
                " for it in %(store)s.",
                title=line.title,
                code=line.code or "-",
                store=backend.name,
            ),
            remedy=self.env._(
                "Open the mapping and choose a delivery method, or let the store import unknown"
                " rates without one."
            ),
            res_model="shopify.carrier.mapping",
            res_id=row.id if row else None,
            values=None if row else self._row_values(backend, line),
        )
