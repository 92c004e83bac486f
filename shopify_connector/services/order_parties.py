"""What follows from who bought: terms, exemption, tags, mapped fields."""

from __future__ import annotations

from odoo import api, models
from odoo.fields import Command

from ..mappers.order_types import Order
from ..mappers.titles import title_key


def is_exempt(order: Order) -> bool:
    """The order says so, or the company's location, or the customer."""
    buyer = order.company or order.customer
    return order.tax_exempt or bool(buyer and buyer.tax_exempt)


class ShopifyOrderImporter(models.AbstractModel):
    _inherit = "shopify.order.importer"

    def _fetch(self, backend, client, gids):
        nodes, faults = super()._fetch(backend, client, gids)
        more = self.env["shopify.field.mapper"]._fetch_metafields(backend, client, nodes)
        return nodes, (*faults, *more)

    def _find_further(self, backend, orders, found):
        result = super()._find_further(backend, orders, found)
        terms, notes = self.env["shopify.payment.term.matcher"]._match(backend, orders)
        mapped = self.env["shopify.field.mapper"]._values(backend, orders)
        if mapped:
            self.env["shopify.field.mapper"]._write_partners(backend, mapped, found.partners)
        for order in orders:
            further = found.further.setdefault(order.gid, {"values": {}, "notes": []})
            if order.gid in mapped:
                further["values"] |= mapped[order.gid].sale
                further["notes"] += mapped[order.gid].notes
            if order.gid in terms:
                further["values"]["payment_term_id"] = terms[order.gid].id
            if order.gid in notes:
                further["notes"].append(notes[order.gid])
            if is_exempt(order) and backend.exempt_fiscal_position_id:
                further["values"]["fiscal_position_id"] = backend.exempt_fiscal_position_id.id
        if backend.import_customer_tags:
            self._add_customer_tags(backend, orders, found)
        return result

    def _add_customer_tags(self, backend, orders, found):
        """Shopify's tags of customers are added to the tags of their contacts."""
        wanted = {}
        for order in orders:
            person = found.partners[order.gid].person
            if order.customer and order.customer.tags and person:
                tags = {title_key(tag): tag.strip() for tag in order.customer.tags if tag.strip()}
                wanted.setdefault(person, {}).update(tags)
        if not wanted:
            return
        names = {key: name for tags in wanted.values() for key, name in tags.items()}
        categories = self._categories(backend, names)
        for person, tags in wanted.items():
            ids = {categories[key].id for key in tags if key in categories}
            missing = ids - set(person.category_id.ids)
            if missing:
                person.category_id = [Command.link(tag_id) for tag_id in sorted(missing)]

    def _categories(self, backend, names):
        """Tags of contacts by :func:`~..mappers.titles.title_key`; missing ones are made."""
        Category = self.env["res.partner.category"]
        known = {}
        for category in Category.search([("parent_id", "=", False)], order="id desc"):
            known[title_key(category.name)] = category
        missing = [key for key in names if key not in known]
        if missing and backend._may_remember("customer_tags"):
            created = Category.create([{"name": names[key]} for key in missing])
            known.update(zip(missing, created, strict=True))
        return known


class ShopifyOrderValues(models.AbstractModel):
    _inherit = "shopify.order.values"

    @api.model
    def _order_vals(self, backend, order, found):
        vals = super()._order_vals(backend, order, found)
        if order.gid in found.further:
            vals |= found.further[order.gid]["values"]
        return vals

    @api.model
    def _facts(self, order, found):
        terms, company = order.payment_terms, order.company
        return {
            **super()._facts(order, found),
            "business_name": company.name if company else False,
            "location_name": company.location_name if company else False,
            "tax_exempt": is_exempt(order),
            "payment_terms": (terms.name or terms.kind) if terms else False,
            "due_at": max(terms.due_dates, default=False) if terms else False,
        }

    @api.model
    def _applied(self, order, found):
        vals = super()._applied(order, found)
        notes = found.further.get(order.gid, {}).get("notes")
        if notes:
            vals["warnings"] = "\n".join(filter(None, (vals["warnings"], *notes)))
        return vals
