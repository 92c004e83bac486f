"""Companies that buy from a store (B2B) and their locations, as contacts."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace

from odoo import fields, models
from odoo.exceptions import ValidationError

_NOT_ALNUM = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Business:
    """The company of an order; ``shipping`` and ``invoice`` are the contacts of its location."""

    company: models.BaseModel
    shipping: models.BaseModel
    invoice: models.BaseModel
    recipients: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class ShopifyCompanyMatcher(models.AbstractModel):
    """A company is known by its link to the store, else by its VAT number, else by its external
    id (the reference of the contact); never by its name.

    Locations are address contacts of the company. VAT numbers belong to the company in Odoo, so
    that of a further location is kept beside its link. No number is ever refused.
    """

    _name = "shopify.company.matcher"
    _description = "Shopify Company Matcher"

    def _match(self, backend, orders):
        """Find or create the companies of a batch of orders.

        :param orders: list of :class:`~..mappers.order_types.Order`; those of people are skipped
        :return: ``{order.gid: Business}``
        """
        of_orders = {order.gid: order.company for order in orders if order.company}
        if not of_orders:
            return {}
        by_gid = {company.gid: company for company in of_orders.values()}
        by_location = {c.location_gid: c for c in of_orders.values() if c.location_gid}
        addresses = {a for c in of_orders.values() for a in self._addresses(c).values()}
        places, _unknown = self.env["shopify.address.matcher"]._places(backend, addresses)
        companies, new, notes = self._companies(backend, by_gid, places)
        locations = self._locations(backend, by_location, companies, places, new)
        found = {}
        for order_gid, company in of_orders.items():
            partner = companies[company.gid].partner_id
            location = locations.get(company.location_gid)
            found[order_gid] = Business(
                company=partner,
                shipping=location.partner_id if location else partner,
                invoice=location.invoice_partner_id if location else partner,
                recipients=self._recipients(company),
                notes=(*notes.get(company.gid, ()), *self._vat_notes(company, partner)),
            )
        return found

    def _addresses(self, company):
        """The location's addresses, under its name: ``{"delivery" or "invoice": Address}``."""
        name = company.location_name or company.name
        stated = {"delivery": company.shipping or company.billing, "invoice": company.billing}
        return {
            role: replace(address, name=name, company="")
            for role, address in stated.items()
            if address
        }

    def _recipients(self, company):
        stated = [address.name for address in (company.shipping, company.billing) if address]
        return frozenset({company.name, company.location_name, *stated} - {""})

    def _usable(self, backend, partner):
        return partner.company_id.id in (False, backend.company_id.id)

    # === COMPANIES === #

    def _companies(self, backend, by_gid, places):
        """``({gid: shopify.company}, partners that were created, {gid: [note]})``"""
        links = self._links("shopify.company", backend, by_gid)
        known = {gid: link for gid, link in links.items() if self._usable(backend, link.partner_id)}
        left = {gid: company for gid, company in by_gid.items() if gid not in known}
        for gid, link in known.items():
            self._write_changed(link, self._company_facts(by_gid[gid]))
        if not left:
            return known, self.env["res.partner"], {}
        partners = self._by_vat(backend, left)
        rest = {gid: company for gid, company in left.items() if gid not in partners}
        partners |= self._by_reference(backend, rest)
        rest = {gid: company for gid, company in rest.items() if gid not in partners}
        created = self._create(backend, rest, places)
        partners |= created
        notes = {
            gid: self._invalid_vat_notes(partner, rest[gid].tax_id)
            for gid, partner in created.items()
        }
        known |= self._link(backend, left, partners, links)
        return known, self.env["res.partner"].union(*created.values()), notes

    def _links(self, model, backend, gids):
        links = self.env[model].search(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids))]
        )
        return {link.shopify_gid: link for link in links}

    def _write_changed(self, link, vals):
        changed = {key: value for key, value in vals.items() if (link[key] or "") != (value or "")}
        if changed:
            link.write(changed)

    def _company_facts(self, company):
        return {"name": company.name, "external_id": company.external_id or False}

    def _domain(self, backend):
        return [("company_id", "in", (False, backend.company_id.id)), ("parent_id", "=", False)]

    def _by_vat(self, backend, companies):
        """The one contact with the VAT number, however it is written."""
        wanted = {_vat(c.tax_id): gid for gid, c in companies.items() if c.tax_id}
        if not wanted:
            return {}
        Partner = self.env["res.partner"]
        Partner.flush_model(["vat", "active", "parent_id", "company_id"])
        self.env.cr.execute(
            r"""SELECT id FROM res_partner
                 WHERE upper(regexp_replace(vat, '[\W_]+', '', 'g')) = ANY(%s)
                   AND vat IS NOT NULL AND active AND parent_id IS NULL""",
            (list(wanted),),
        )
        hits = Partner.search(
            [*self._domain(backend), ("id", "in", [row[0] for row in self.env.cr.fetchall()])]
        )
        return self._single(hits, lambda hit: wanted[_vat(hit.vat)])

    def _by_reference(self, backend, companies):
        """The one company whose reference is the external id."""
        wanted = {c.external_id: gid for gid, c in companies.items() if c.external_id}
        if not wanted:
            return {}
        hits = self.env["res.partner"].search(
            [*self._domain(backend), ("is_company", "=", True), ("ref", "in", list(wanted))]
        )
        return self._single(hits, lambda hit: wanted[hit.ref])

    def _single(self, hits, key):
        groups = defaultdict(self.env["res.partner"].browse)
        for hit in hits:
            groups[key(hit)] |= hit
        return {gid: group for gid, group in groups.items() if len(group) == 1}

    def _create(self, backend, companies, places):
        if not companies:
            return {}
        partners = (
            self.env["res.partner"]
            .with_context(_partners_skip_fields_sync=True, no_vat_validation=True)
            .create(
                [self._partner_values(backend, company, places) for company in companies.values()]
            )
        )
        return dict(zip(companies, partners.with_env(self.env), strict=True))

    def _partner_values(self, backend, company, places):
        """Values of a new company contact; it has the invoice address of its first location."""
        addresses = self._addresses(company)
        address = addresses.get("invoice") or addresses.get("delivery")
        return {
            **(places[address].values if address in places else {}),
            "name": company.name or company.location_name or company.gid,
            "is_company": True,
            "type": "contact",
            "vat": company.tax_id or False,
            "ref": company.external_id or False,
            "company_id": backend.company_id.id,
            "customer_rank": 1,
        }

    def _link(self, backend, companies, partners, links):
        found, vals_list = {}, []
        for gid, company in companies.items():
            vals = {**self._company_facts(company), "partner_id": partners[gid].id}
            if gid in links:
                links[gid].write(vals)
                found[gid] = links[gid]
            else:
                now = fields.Datetime.now()
                own = {"backend_id": backend.id, "shopify_gid": gid, "synced_at": now}
                vals_list.append({**vals, **own})
        created = self.env["shopify.company"].create(vals_list)
        return found | {link.shopify_gid: link for link in created}

    # === LOCATIONS === #

    def _locations(self, backend, by_gid, companies, places, new):
        """``{gid: shopify.company.location}``, with their address contacts."""
        links = self._links("shopify.company.location", backend, by_gid)
        known, left = {}, {}
        for gid, company in by_gid.items():
            link, owner = links.get(gid), companies[company.gid]
            if link and link.partner_id.commercial_partner_id == owner.partner_id:
                known[gid] = link
                self._write_changed(link, self._location_facts(company))
            else:
                left[gid] = company
        if not left:
            return known
        wanted = [
            (
                companies[company.gid].partner_id,
                {role: a for role, a in self._addresses(company).items() if a in places},
            )
            for company in left.values()
        ]
        contacts = self.env["shopify.address.matcher"]._match(backend, wanted, places, new)
        vals_list = []
        for (gid, company), (owner, _addresses), found in zip(
            left.items(), wanted, contacts, strict=True
        ):
            vals = {
                **self._location_facts(company),
                "shopify_company_id": companies[company.gid].id,
                "partner_id": found.get("delivery", owner).id,
                "invoice_partner_id": found.get("invoice", owner).id,
            }
            if gid in links:
                links[gid].write(vals)
                known[gid] = links[gid]
            else:
                now = fields.Datetime.now()
                own = {"backend_id": backend.id, "shopify_gid": gid, "synced_at": now}
                vals_list.append({**vals, **own})
        created = self.env["shopify.company.location"].create(vals_list)
        return known | {link.shopify_gid: link for link in created}

    def _location_facts(self, company):
        return {
            "name": company.location_name or company.name,
            "external_id": company.location_external_id or False,
            "tax_id": company.tax_id or False,
            "tax_exempt": company.tax_exempt,
        }

    # === VAT NUMBERS === #

    def _vat_notes(self, company, partner):
        """A number that differs from the company's, which was not overwritten."""
        if not company.tax_id or _vat(company.tax_id) == _vat(partner.vat):
            return ()
        return (
            self.env._(
                "%(location)s has the VAT number %(vat)s in Shopify, %(partner)s has %(own)s in"
                " Odoo; nothing was changed.",
                location=company.location_name or company.name,
                vat=company.tax_id,
                partner=partner.display_name,
                own=partner.vat or "-",
            ),
        )

    def _invalid_vat_notes(self, partner, vat):
        """Where Odoo checks VAT numbers: that this one would be refused. It is kept."""
        if not vat:
            return ()
        try:
            partner._run_vat_checks(partner.country_id, vat, partner.name)
        except ValidationError:
            return (
                self.env._(
                    "The VAT number %(vat)s of %(partner)s is not valid; it was kept as it stands"
                    " in Shopify.",
                    vat=vat,
                    partner=partner.name,
                ),
            )
        return ()


def _vat(text) -> str:
    return _NOT_ALNUM.sub("", text or "").upper()
