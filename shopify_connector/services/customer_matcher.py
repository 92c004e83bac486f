"""Which contacts an order belongs to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from odoo import fields, models

from ..const import GUEST_PREFIX
from ..mappers.address import Address
from ..mappers.customer import normalise_email, normalise_phone
from ..mappers.titles import title_key
from .dry_run import note
from .outcome import Block

PHONE_SUFFIX = 7


@dataclass(frozen=True, slots=True)
class Partners:
    """The contacts of one order, each a ``res.partner`` of one record.

    ``invoice`` and ``shipping`` are ``partner`` itself, a child of it or a contact of its company.
    ``person`` is who bought: ``partner``, or a contact of it; empty where one contact stands for
    many people. ``notes`` are sentences for the user about what was understood in an unusual way.
    """

    partner: models.BaseModel
    invoice: models.BaseModel
    shipping: models.BaseModel
    person: models.BaseModel
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """Who bought, as far as the order says. ``address`` is the one the contact itself gets.

    ``owner`` is the contact of the company that the person bought for; its id is 0 without one.
    """

    gid: str
    name: str
    email: str
    phone: str
    locale: str
    vat: str
    company: str
    address: Address | None
    consents: tuple[str, str] = ("", "")
    owner_id: int = 0

    @property
    def identity(self) -> tuple:
        """Equal for people who are one contact."""
        return self.owner_id, self.email or self.phone or self.gid


class ShopifyCustomerMatcher(models.AbstractModel):
    """A customer is known by the link to the store, else by e-mail address, else by phone number.

    - The e-mail address is the identity. Upper and lower case are the same.
    - Where several contacts share it: one that is linked to this store, else one that is a contact
      of its own rather than an address, else one without a parent, else the oldest.
    - The phone number counts only where the order or the contact has no e-mail address. Where
      several contacts share it, none of them is taken.
    - Contacts of other companies (of the database) are never taken. New ones belong to the
      store's company.
    - Who buys for a company (B2B) is a contact of that company, another one than the same
      person's private contact or than their contact at another company.
    - A private order never goes to a contact of a company that buys from this store, nor to a
      contact of a company while its invoice address names another one.
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
        collective = {order.gid: self._collective(backend, order) for order in orders}
        people = {gid: people[gid] for gid, partner in collective.items() if not partner}
        businesses = self.env["shopify.company.matcher"]._match(
            backend, [order for order in orders if order.gid in people]
        )
        for gid, business in businesses.items():
            people[gid] = replace(people[gid], owner_id=business.company.id)
        identified, new = self._identify(backend, people, places)
        for gid, partner in collective.items():
            if partner:
                identified[gid] = (partner, ())
        answers = self._answers(backend, orders, identified, businesses, places=places, new=new)
        for gid in collective.keys() - people.keys():
            answers[gid] = replace(answers[gid], person=new.browse())
        return answers, blocks

    def _collective(self, backend, order):
        """The contact that stands for all customers, or all guests, if this order's is one."""
        if backend.customer_strategy == "single":
            return backend.customer_id
        if backend.guest_strategy == "single" and not (order.customer or order.company):
            return backend.guest_customer_id
        return backend.customer_id.browse()

    def _answers(self, backend, orders, identified, businesses, *, places, new):
        wanted, defaults = [], []
        for order in orders:
            business = businesses.get(order.gid)
            person = identified[order.gid][0]
            owner = business.company if business else person
            roles = {"invoice": order.billing, "delivery": order.shipping}
            default = {"invoice": owner, "delivery": owner}
            if business:
                default = {"invoice": business.invoice, "delivery": business.shipping}
            addresses = {
                role: address
                for role, address in roles.items()
                if address
                and not (
                    business and self._is_location(default[role], address, places, business, person)
                )
            }
            wanted.append((owner, addresses))
            defaults.append(default)
        contacts = self.env["shopify.address.matcher"]._match(backend, wanted, places, new)
        answers = {}
        for order, default, found in zip(orders, defaults, contacts, strict=True):
            business = businesses.get(order.gid)
            person, sentences = identified[order.gid]
            sentences = [*sentences, *(business.notes if business else ())]
            for address in (order.billing, order.shipping):
                sentences += places[address].notes if address else ()
            company_buys = business and backend.customer_strategy == "company"
            answers[order.gid] = Partners(
                partner=business.company if company_buys else person,
                invoice=found.get("invoice", default["invoice"]),
                shipping=found.get("delivery", default["delivery"]),
                person=person,
                notes=tuple(dict.fromkeys(sentences)),
            )
        return answers

    def _is_location(self, contact, address, places, business, person):
        """Whether an order goes to the location itself, not to somebody else's name there."""
        names = business.recipients | {person.name, contact.name, ""}
        return (
            address.name.casefold() in {(name or "").casefold() for name in names}
            and self.env["shopify.address.matcher"]._partner_place(contact) == places[address].key
        )

    def _blocks(self, backend, orders, unknown):
        blocks = defaultdict(list)
        for order in orders:
            for address in dict.fromkeys((order.billing, order.shipping)):
                if address in unknown and unknown[address] not in blocks[order.gid]:
                    blocks[order.gid].append(unknown[address])
            if backend.customer_strategy == "single" and not backend.customer_id:
                blocks[order.gid].append(self._no_customer_block(backend))
        return {gid: found for gid, found in blocks.items() if found}

    def _no_customer_block(self, backend):
        return Block(
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
        gid = customer.gid if customer else GUEST_PREFIX + (email or phone or order.gid)
        if company:
            gid = company.contact_gid or f"{gid}@{company.gid}"
        return Person(
            gid=gid,
            name=name,
            email=email,
            phone=phone,
            locale=order.locale or (customer and customer.locale) or "",
            vat=(customer and customer.tax_id) or "",
            company=next((a.company for a in addresses if a.company), ""),
            address=next(iter(same_name or addresses), None),
            consents=(customer.email_consent, customer.sms_consent) if customer else ("", ""),
        )

    def _identify(self, backend, people, places):
        """The contact of each person.

        :param people: ``{order gid: Person}``
        :return: ``({order gid: (partner, notes)}, partners that were created)``
        """
        if not people:
            return {}, self.env["res.partner"]
        by_gid = {person.gid: person for person in people.values()}
        links = self._links(backend, by_gid)
        found = {gid: link.partner_id for gid, link in links.items() if self._usable(backend, link)}
        note(self.env, "customer", "link", {gid: links[gid] for gid in found})
        left = [person for gid, person in by_gid.items() if gid not in found]
        matched, notes = self._by_email(backend, left)
        note(self.env, "customer", "email", dict.fromkeys(matched))
        left = [person for person in left if person.gid not in matched]
        by_phone = self._by_phone(backend, left)
        note(self.env, "customer", "phone", dict.fromkeys(by_phone))
        matched |= by_phone
        left = [person for person in left if person.gid not in matched]
        created, new = self._create(backend, left, places)
        note(self.env, "customer", "created", dict.fromkeys(created))
        matched |= created
        self._note_vat_numbers(created, left, notes)
        self._refresh(links, by_gid)
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
            ["shopify_gid", "partner_id", "email_consent", "sms_consent"],
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
        at_companies = self._at_companies(backend, hits)
        by_email = hits.grouped("email_normalized")
        several = hits.browse().union(*(group for group in by_email.values() if len(group) > 1))
        linked = self._linked_here(backend, several)
        found, notes = {}, {}
        for person in people:
            group = by_email.get(person.email, hits.browse()).filtered(
                lambda hit, person=person: self._fits(person, hit, at_companies)
            )
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

    def _at_companies(self, backend, partners):
        """Ids of those of ``partners`` that are contacts of a company that buys from this store."""
        if not partners.parent_id:
            return set()
        companies = partners.commercial_partner_id
        linked = self.env["shopify.company"].search_fetch(
            [("backend_id", "=", backend.id), ("partner_id", "in", companies.ids)], ["partner_id"]
        )
        return set(
            partners.filtered(lambda hit: hit.commercial_partner_id in linked.partner_id).ids
        )

    def _fits(self, person, hit, at_companies):
        """Whether a contact may be this person: no one is put into another company."""
        if person.owner_id:
            return hit.commercial_partner_id.id == person.owner_id
        if not hit.parent_id:
            return True
        named = title_key(person.company)
        other = named and named != title_key(hit.commercial_company_name)
        return hit.id not in at_companies and not other

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
        found, at_companies = {}, self._at_companies(backend, hits)
        for person in people:
            group = by_phone.get(person.phone, Partner).filtered(
                lambda hit, person=person: self._fits(person, hit, at_companies)
            )
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
        if person.owner_id:
            return self._contact_values(backend, person, langs)
        address = person.address if person.address in places else None
        values = {
            "name": person.name,
            "email": person.email or False,
            "phone": person.phone or (address.phone if address else False),
            "company_name": address.company if address else False,
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

    def _contact_values(self, backend, person, langs):
        """Values of a new contact of a company: with its address, terms and VAT number."""
        owner = self.env["res.partner"].sudo().browse(person.owner_id)
        return {
            **owner._get_commercial_values(),
            **{
                name: owner[name].id if owner._fields[name].type == "many2one" else owner[name]
                for name in ("street", "street2", "city", "zip", "state_id", "country_id")
            },
            "parent_id": owner.id,
            "is_company": False,
            "name": person.name,
            "email": person.email or False,
            "phone": person.phone or False,
            "lang": self._lang(person.locale, langs),
            "company_id": owner.company_id.id,
            "type": "contact",
        }

    def _note_vat_numbers(self, created, people, notes):
        """Say which numbers of new contacts are not valid; they are kept."""
        Companies = self.env["shopify.company.matcher"]
        for person in people:
            if person.vat and not person.owner_id:
                found = Companies._invalid_vat_notes(created[person.gid], person.vat)
                notes.setdefault(person.gid, []).extend(found)

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

    def _refresh(self, links, people):
        """What the customers of known links let the store send them."""
        for gid, link in links.items():
            consents = people[gid].consents
            if any(consents) and consents != (link.email_consent or "", link.sms_consent or ""):
                link.write(self._consent_values(people[gid]))

    def _consent_values(self, person):
        email, sms = person.consents
        return {"email_consent": email or False, "sms_consent": sms or False}

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
                    **self._consent_values(person),
                }
            )
        if vals_list:
            self.env["shopify.customer"].create(vals_list)
