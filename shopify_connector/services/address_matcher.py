"""Postal addresses of orders as contacts of Odoo."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from odoo import models

from ..mappers.titles import title_key
from .outcome import Block

ADDRESS_TYPES = ("delivery", "invoice", "other")

# Parts of a country that stand in no postal address; Odoo's states of it are counties.
NOT_POSTAL = frozenset({("GB", "ENG"), ("GB", "SCT"), ("GB", "WLS"), ("GB", "NIR")})

_NOT_WORD = re.compile(r"[\W_]+")


def _fold(text) -> str:
    return _NOT_WORD.sub("", text or "").casefold()


@dataclass(slots=True)
class Place:
    """An address with its country and state found.

    :ivar values: ``street street2 city zip state_id country_id`` as in ``res.partner``
    :ivar key: equal for places that a person would call the same
    """

    values: dict
    key: tuple
    notes: tuple[str, ...] = field(default=())


def place_key(values) -> tuple:
    """Key of a place from its values (ids of state and country, not records)."""
    return (
        _fold(values["street"]) + _fold(values["street2"]),
        _fold(values["city"]),
        _fold(values["zip"]),
        values["state_id"] or 0,
        values["country_id"] or 0,
    )


class ShopifyAddressMatcher(models.AbstractModel):
    """Countries and states are looked up; contacts are reused when a person would call them equal.

    An unknown country stops the order: taxes and delivery depend on it. An unknown state does not:
    its name goes to the second line of the address, so that the parcel still arrives.
    """

    _name = "shopify.address.matcher"
    _description = "Shopify Address Matcher"

    def _places(self, backend, addresses):
        """Find country and state of addresses.

        :param addresses: set of :class:`~..mappers.address.Address`
        :return: ``({address: Place}, {address: Block})``
        """
        countries = self._countries(backend, addresses)
        states = self._states({country.id for country in countries.values() if country})
        places, blocks = {}, {}
        for address in addresses:
            country = countries[address]
            if country is None:
                blocks[address] = self._country_block(backend, address)
            else:
                places[address] = self._place(address, country, states)
        return places, blocks

    def _place(self, address, country, states):
        state_id, note, street2 = False, "", address.address2
        province = address.province or address.province_code
        code = address.province_code.removeprefix(f"{country.code}-")
        if country and province:
            known = states.get(country.id, {})
            state_id = known.get(("name", _fold(address.province)))
            state_id = state_id or known.get(("code", _fold(code)))
        if province and not state_id and (country.code, code) not in NOT_POSTAL:
            street2 = f"{street2}, {province}" if street2 else province
            note = self.env._(
                'The region "%(region)s" of %(country)s is not known in Odoo; it was kept in the'
                " second line of the address.",
                region=province,
                country=country.name or address.country or "-",
            )
        values = {
            "street": address.address1 or False,
            "street2": street2 or False,
            "city": address.city or False,
            "zip": address.zip or False,
            "state_id": state_id or False,
            "country_id": country.id,
        }
        return Place(values, place_key(values), (note,) if note else ())

    # === COUNTRIES AND STATES === #

    def _countries(self, backend, addresses):
        """Country of each address: by code, else by name, else as mapped; None if unknown.

        An address that names no country has the empty one.
        """
        Country = self.env["res.country"]
        codes = {address.country_code for address in addresses if address.country_code}
        known = Country.search_fetch([("code", "in", list(codes))], ["code"]) if codes else ()
        by_code = {country.code: country for country in known}
        by_name = None
        found = {}
        for address in addresses:
            text = address.country or address.country_code
            if address.country_code in by_code:
                found[address] = by_code[address.country_code]
            elif not text:
                found[address] = Country
            else:
                if by_name is None:
                    by_name = self._country_names(backend)
                found[address] = by_name.get(title_key(text))
        return found

    def _country_names(self, backend):
        names = {}
        for lang in dict.fromkeys(("en_US", self.env.lang, backend.company_id.partner_id.lang)):
            for country in self.env["res.country"].with_context(lang=lang or None).search([]):
                names.setdefault(title_key(country.name), country.with_env(self.env))
        rows = self.env["shopify.country.mapping"].search(
            [("backend_id", "=", backend.id), ("country_id", "!=", False)]
        )
        return names | {row.name_key: row.country_id for row in rows}

    def _states(self, country_ids):
        """``{country id: {("name" or "code", folded text): state id}}``"""
        states = defaultdict(dict)
        if country_ids:
            rows = self.env["res.country.state"].search_fetch(
                [("country_id", "in", list(country_ids))], ["country_id", "code", "name"]
            )
            for state in rows:
                country = state.country_id
                known = states[country.id]
                known.setdefault(("name", _fold(state.name)), state.id)
                code = state.code.removeprefix(f"{country.code}-")
                known.setdefault(("code", _fold(code)), state.id)
        return states

    def _country_block(self, backend, address):
        text = address.country or address.country_code
        return Block(
            category="country",
            key=text,
            title=self.env._('Country "%s" is not known', text),
            message=self.env._(
                'The address of %(name)s is in "%(country)s", which is no country that Odoo knows.',
                name=address.name or address.company or "-",
                country=text,
            ),
            remedy=self.env._("Choose the country that is meant; the orders will be imported."),
            res_model="shopify.country.mapping",
            values={"backend_id": backend.id, "name": text},
        )

    # === CONTACTS === #

    def _contact_name(self, address):
        """Name of an address contact: it has no field for the company of its own."""
        return ", ".join(filter(None, (address.company, address.name)))

    def _names(self, partner):
        """All writings of the name of a contact, with and without its company."""
        name = partner.name or partner.parent_id.name or ""
        companies = {partner.company_name or "", partner.commercial_company_name or ""}
        return {_fold(name), *(_fold(company) + _fold(name) for company in companies)}

    def _partner_place(self, partner):
        """The :func:`place_key` of a contact."""
        return place_key(
            {
                "street": partner.street,
                "street2": partner.street2,
                "city": partner.city,
                "zip": partner.zip,
                "state_id": partner.state_id.id,
                "country_id": partner.country_id.id,
            }
        )

    def _partner_keys(self, partner):
        """Keys under which a contact answers for an address."""
        place = self._partner_place(partner)
        return {(name, *place) for name in self._names(partner)}

    def _address_key(self, address, place, partner):
        """Key of an address; without a name it is that of the customer."""
        name = address.name or ("" if address.company else partner.name)
        return (_fold(address.company) + _fold(name), *place.key)

    def _match(self, backend, wanted, places, new_partners):
        """Find or create the address contacts of customers.

        :param wanted: list of ``(partner, {"delivery" or "invoice": Address})``
        :param places: ``{Address: Place}``
        :param new_partners: those of the partners that have no address contacts yet
        :return: list of ``{"delivery" or "invoice": res.partner}``, as in ``wanted``
        """
        known = self._known(backend, wanted, new_partners)
        missing = {}
        keyed = []
        for partner, addresses in wanted:
            keys = {
                role: (partner.id, self._address_key(address, places[address], partner))
                for role, address in addresses.items()
            }
            keyed.append(keys)
            for role, key in keys.items():
                if key not in known:
                    entry = missing.setdefault(key, (partner, addresses[role], set()))
                    entry[2].add(role)
        known |= self._create(backend, missing, places, new_partners)
        return [{role: known[key] for role, key in keys.items()} for keys in keyed]

    def _known(self, backend, wanted, new_partners):
        """``{(partner id, key): contact}`` of the customers themselves and their addresses."""
        partners = self.env["res.partner"].union(*(partner for partner, _addresses in wanted))
        old = partners - new_partners
        children = old.browse()
        if old:
            domain = [("parent_id", "in", old.ids), ("type", "in", ADDRESS_TYPES)]
            if (backend.customer_id | backend.guest_customer_id) & old:
                # One contact may have the addresses of many people.
                zips = {a.zip or False for _partner, adrs in wanted for a in adrs.values()}
                domain.append(("zip", "in", list(zips)))
            children = old.search_fetch(domain, order="id")
        known = {}
        for contact in (*partners, *children):
            owner = contact if contact in partners else contact.parent_id
            for key in self._partner_keys(contact):
                known.setdefault((owner.id, key), contact)
        return known

    def _create(self, backend, missing, places, new_partners):
        """Create the missing address contacts in one go."""
        if not missing:
            return {}
        taken_over, synced = {}, {}
        for key, (partner, address, roles) in missing.items():
            values = {
                **places[address].values,
                "parent_id": partner.id,
                "type": roles.copy().pop() if len(roles) == 1 else "other",
                "name": self._contact_name(address) or partner.name,
                "phone": address.phone or False,
                "lang": partner.lang,
                "company_id": partner.company_id.id,
            }
            if partner in new_partners and not partner.vat:
                taken_over[key] = values
            elif partner.company_id:
                # Terms, accounts and VAT of the customer, as Odoo itself would copy them.
                owner = partner.sudo().commercial_partner_id
                taken_over[key] = owner._get_commercial_values() | values
            else:
                # Every company has its own terms: Odoo copies them all, one by one.
                synced[key] = values
        # Some of the terms are for accountants only.
        Partner = self.env["res.partner"].sudo().with_context(no_vat_validation=True)
        created = {}
        for batch, skip in ((taken_over, True), (synced, False)):
            if batch:
                contacts = Partner.with_context(_partners_skip_fields_sync=skip).create(
                    list(batch.values())
                )
                created |= dict(zip(batch, contacts.with_env(self.env), strict=True))
        return created
