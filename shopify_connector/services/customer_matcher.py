"""Which contacts an order belongs to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from odoo import fields, models

from ..const import GUEST_PREFIX
from ..mappers.address import Address
from ..mappers.customer import normalise_email, normalise_phone
from .outcome import Block

PHONE_SUFFIX = 7


@dataclass(frozen=True, slots=True)
class Partners:
    """The contacts of one order, each a ``res.partner`` of one record.

    ``invoice`` and ``shipping`` are ``partner`` itself or a child of it. ``notes`` are sentences
    for the user about what was understood in an unusual way.
    """

    partner: models.BaseModel
    invoice: models.BaseModel
    shipping: models.BaseModel
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Who bought, as far as the order says. ``address`` is the one the contact itself gets."""

    gid: str
    name: str
    email: str
    phone: str
    locale: str
    vat: str
    company: str
    address: Address | None

    @property
    def identity(self) -> str:
        """Equal for people who are one contact."""
        return self.email or self.phone or self.gid


class ShopifyCustomerMatcher(models.AbstractModel):
    """A customer is known by the link to the store, else by e-mail address, else by phone number.

    - The e-mail address is the identity. Upper and lower case are the same.
    - Where several contacts share it: one that is linked to this store, else one that is a contact
      of its own rather than an address, else one without a parent, else the oldest.
    - The phone number counts only where the order or the contact has no e-mail address. Where
      several contacts share it, none of them is taken.
    - Contacts of other companies are never taken. New ones belong to the store's company.
    - Nothing is ever written to a contact that was there before.
    """

    _name = "shopify.customer.matcher"
    _description = "Shopify Customer Matcher"

    def _match(self, backend, orders):
        """Find or create the contacts of a batch of orders.

        :param backend: the store, one record
        :param orders: list of :class:`~..mappers.order_types.Order`
        :return: ``({order.gid: Partners}, {order.gid: list[Block]})``; an order with blocks has no
            partners, and nothing was written for it
        """
        people = {order.gid: self._person(backend, order) for order in orders}
        addresses = {address for order in orders for address in (order.billing, order.shipping)}
        addresses |= {person.address for person in people.values()}
        places, unknown = self.env["shopify.address.matcher"]._places(backend, addresses - {None})
        blocks = self._blocks(backend, orders, unknown)
        orders = [order for order in orders if order.gid not in blocks]
        if backend.customer_strategy == "single":
            single = (backend.customer_id, ())
            identified = dict.fromkeys((order.gid for order in orders), single)
            new = backend.customer_id.browse()
        else:
            people = {order.gid: people[order.gid] for order in orders}
            identified, new = self._identify(backend, people, places)
        return self._answers(backend, orders, identified, places, new), blocks

    def _answers(self, backend, orders, identified, places, new):
        wanted = [
            (
                identified[order.gid][0],
                {
                    role: address
                    for role, address in (("invoice", order.billing), ("delivery", order.shipping))
                    if address
                },
            )
            for order in orders
        ]
        contacts = self.env["shopify.address.matcher"]._match(backend, wanted, places, new)
        answers = {}
        for order, (partner, addresses), found in zip(orders, wanted, contacts, strict=True):
            sentences = [*identified[order.gid][1]]
            for address in addresses.values():
                sentences += places[address].notes
            answers[order.gid] = Partners(
                partner=partner,
                invoice=found.get("invoice", partner),
                shipping=found.get("delivery", partner),
                notes=tuple(dict.fromkeys(sentences)),
            )
        return answers

    def _blocks(self, backend, orders, unknown):
        blocks = defaultdict(list)
        for order in orders:
            for address in dict.fromkeys((order.billing, order.shipping)):
                if address in unknown and unknown[address] not in blocks[order.gid]:
                    blocks[order.gid].append(unknown[address])
            if backend.customer_strategy == "single" and not backend.customer_id:
                blocks[order.gid].append(
                    Block(
                        category="configuration",
                        key="customer_id",
                        title=self.env._("%s has no store customer", backend.name),
                        message=self.env._(
                            "Orders of %s go to one contact for the whole store, but none is set.",
                            backend.name,
                        ),
                        remedy=self.env._("Choose the store customer in the store's settings."),
                        res_model="shopify.backend",
                        res_id=backend.id,
                    )
                )
        return {gid: found for gid, found in blocks.items() if found}

    # === WHO IT IS === #

    def _person(self, backend, order):
        customer = order.customer
        addresses = [address for address in (order.billing, order.shipping) if address]
        if not addresses and customer and customer.default_address:
            addresses = [customer.default_address]
        country = addresses[0].country_code if addresses else backend.shop_country_id.code
        email = (customer and customer.email) or normalise_email(order.email)
        phone = (customer and customer.phone) or normalise_phone(order.phone, country)
        names = [customer and customer.name, *(address.name for address in addresses)]
        names += [address.company for address in addresses]
        name = next(filter(None, names), "") or email or phone
        name = name or self.env._("Guest %s", order.name)
        company = order.company
        same_name = [a for a in addresses if not a.name or a.name.casefold() == name.casefold()]
        return Person(
            gid=customer.gid if customer else GUEST_PREFIX + (email or phone or order.gid),
            name=name,
            email=email,
            phone=phone,
            locale=(customer and customer.locale) or order.locale,
            vat=(company and company.tax_id) or (customer and customer.tax_id) or "",
            company=company.name if company else "",
            address=next(iter(same_name or addresses), None),
        )

    def _identify(self, backend, people, places):
        """The contact of each person.

        :param people: ``{order gid: Person}``
        :return: ``({order gid: (partner, notes)}, partners that were created)``
        """
        by_gid = {person.gid: person for person in people.values()}
        links = self._links(backend, by_gid)
        found = {gid: link.partner_id for gid, link in links.items() if self._usable(backend, link)}
        left = [person for gid, person in by_gid.items() if gid not in found]
        matched, notes = self._by_email(backend, left)
        left = [person for person in left if person.gid not in matched]
        matched |= self._by_phone(backend, left)
        left = [person for person in left if person.gid not in matched]
        created, new = self._create(backend, left, places)
        matched |= created
        self._link(backend, [by_gid[gid] for gid in matched], matched, links)
        found |= matched
        identified = {
            order_gid: (found[person.gid], notes.get(person.gid, ()))
            for order_gid, person in people.items()
        }
        return identified, new

    def _links(self, backend, gids):
        links = self.env["shopify.customer"].search_fetch(
            [("backend_id", "=", backend.id), ("shopify_gid", "in", list(gids))],
            ["shopify_gid", "partner_id"],
        )
        return {link.shopify_gid: link for link in links}

    def _usable(self, backend, link):
        return link.partner_id.company_id.id in (False, backend.company_id.id)

    def _domain(self, backend):
        return [("company_id", "in", (False, backend.company_id.id))]

    def _by_email(self, backend, people):
        emails = list({person.email for person in people if person.email})
        if not emails:
            return {}, {}
        hits = self.env["res.partner"].search_fetch(
            [*self._domain(backend), ("email_normalized", "in", emails)],
            ["email_normalized", "type", "parent_id", "name"],
            order="id",
        )
        by_email = hits.grouped("email_normalized")
        several = hits.browse().union(*(group for group in by_email.values() if len(group) > 1))
        linked = self._linked_here(backend, several)
        found, notes = {}, {}
        for person in people:
            group = by_email.get(person.email)
            if not group:
                continue
            best = min(
                group,
                key=lambda hit: (
                    hit.id not in linked,
                    hit.type != "contact",
                    bool(hit.parent_id),
                    hit.id,
                ),
            )
            if best.type != "contact" and best.parent_id:
                best = best.parent_id
            found[person.gid] = best
            if len(group) > 1:
                notes[person.gid] = [
                    self.env._(
                        "%(count)s contacts have the e-mail address %(email)s; %(name)s (id"
                        " %(id)s) was taken.",
                        count=len(group),
                        email=person.email,
                        name=best.display_name,
                        id=best.id,
                    )
                ]
        return found, notes

    def _linked_here(self, backend, partners):
        """Ids of those of ``partners`` that are linked to a customer of this store."""
        if not partners:
            return set()
        links = self.env["shopify.customer"].search_fetch(
            [("backend_id", "=", backend.id), ("partner_id", "in", partners.ids)], ["partner_id"]
        )
        return set(links.partner_id.ids)

    def _by_phone(self, backend, people):
        people = [person for person in people if person.phone]
        if not people:
            return {}
        suffixes = list({person.phone[-PHONE_SUFFIX:] for person in people})
        Partner = self.env["res.partner"]
        Partner.flush_model(["phone", "active", "type", "company_id"])
        self.env.cr.execute(
            r"""SELECT id FROM res_partner
                 WHERE right(regexp_replace(phone, '\D', '', 'g'), %s) = ANY(%s)
                   AND phone IS NOT NULL AND active AND type = 'contact'
                   AND (company_id IS NULL OR company_id = %s)""",
            (PHONE_SUFFIX, suffixes, backend.company_id.id),
        )
        hits = Partner.search([("id", "in", [row[0] for row in self.env.cr.fetchall()])])
        by_phone = defaultdict(Partner.browse)
        own_country = backend.company_id.country_id.code
        for hit in hits:
            number = normalise_phone(hit.phone, hit.country_id.code or own_country)
            by_phone[number] |= hit
        found = {}
        for person in people:
            group = by_phone.get(person.phone, Partner)
            if person.email:
                group = group.filtered(lambda hit: not hit.email)
            if len(group) == 1:
                found[person.gid] = group
        return found

    # === NEW CONTACTS AND LINKS === #

    def _create(self, backend, people, places):
        """One contact per identity, all in one go: ``({person gid: partner}, partners)``."""
        Partner = self.env["res.partner"]
        if not people:
            return {}, Partner
        first = {}
        for person in people:
            first.setdefault(person.identity, person)
        langs = self._langs(backend)
        vals_list = [
            self._partner_values(backend, person, places, langs) for person in first.values()
        ]
        partners = Partner.with_context(
            _partners_skip_fields_sync=True, no_vat_validation=True
        ).create(vals_list)
        partners = partners.with_env(self.env)
        by_identity = dict(zip(first, partners, strict=True))
        return {person.gid: by_identity[person.identity] for person in people}, partners

    def _partner_values(self, backend, person, places, langs):
        """Values of a new contact."""
        address = person.address if person.address in places else None
        values = {
            "name": person.name,
            "email": person.email or False,
            "phone": person.phone or (address.phone if address else False),
            "company_name": person.company or (address.company if address else False),
            "lang": self._lang(person.locale, langs),
            "company_id": backend.company_id.id,
            "type": "contact",
            "customer_rank": 1,
        }
        if person.vat:
            values["vat"] = person.vat
        if address:
            values |= places[address].values
        return values

    def _langs(self, backend):
        """Installed languages by code and by language; ``""`` is the company's own."""
        codes = [code for code, _name in self.env["res.lang"].get_installed()]
        langs = {}
        own = backend.company_id.partner_id.lang or self.env.lang
        for code in (own, *codes):
            if code:
                langs.setdefault(code, code)
                langs.setdefault(code.split("_")[0], code)
        langs[""] = own
        return langs

    def _lang(self, locale, langs):
        code = (locale or "").replace("-", "_")
        return langs.get(code) or langs.get(code.split("_")[0]) or langs[""]

    def _link(self, backend, people, partners, links):
        """Remember the contacts, so that the next order finds them at once."""
        now = fields.Datetime.now()
        vals_list = []
        for person in people:
            partner = partners[person.gid]
            if person.gid in links:
                links[person.gid].partner_id = partner
                continue
            vals_list.append(
                {
                    "backend_id": backend.id,
                    "shopify_gid": person.gid,
                    "partner_id": partner.id,
                    "email": person.email or False,
                    "phone": person.phone or False,
                    "synced_at": now,
                }
            )
        if vals_list:
            self.env["shopify.customer"].create(vals_list)
