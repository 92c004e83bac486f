"""Which Odoo taxes the tax lines of orders are."""

from collections import defaultdict

from odoo import models

from ..mappers.titles import title_key
from .dry_run import note
from .outcome import Block

RATE_DIGITS = 6
PERCENT_DIGITS = 4
NO_TITLE = "-"


def _title(key):
    return title_key(key.title) or NO_TITLE


def _rate(rate):
    """A rate as a text that is equal for equal rates; '' where Shopify states none."""
    return "" if rate is None else f"{rate:.{RATE_DIGITS}f}"


class ShopifyTaxMatcher(models.AbstractModel):
    """Taxes are the same when title, rate, price inclusion, country and channel are.

    A row of the country where the goods go beats a row without a country. A tax that no row maps
    gets a row of its own, which waits for a person. A tax that the channel remits may be left out
    of the books: its row says so in the place of a tax.
    """

    _name = "shopify.tax.matcher"
    _description = "Shopify Tax Matcher"

    def _match(self, backend, keys):
        """Find the tax of every key of a batch of orders.

        :param backend: the store, one record
        :param keys: set of :class:`~..mappers.tax.TaxKey`
        :return: ``({key: account.tax}, {key: Block})``; every key is in one of them. The tax is
            the empty record where the key is left out of the books
        """
        if not keys:
            return {}, {}
        rows = self._rows(backend, keys)
        found, missing = {}, {}
        for key in keys:
            exact, general = self._rows_of(rows, key)
            row = next((row for row in (exact, general) if row and row.is_mapped), None)
            if row is not None:
                found[key] = row.tax_id
                note(self.env, "tax", "mapping" if row == exact else "general", {key: row})
            else:
                missing[key] = exact
        blocks = {}
        if missing:
            automatic = self._map_automatically(backend, missing)
            found |= automatic
            note(self.env, "tax", "automatic", {key: missing[key] for key in automatic})
            missing = {key: row for key, row in missing.items() if key not in automatic}
            self._add_rows(backend, missing)
            blocks = {key: self._block(backend, key, row) for key, row in missing.items()}
        return found, blocks

    def _rows(self, backend, keys):
        """The mapping rows that may answer ``keys``, in one query."""
        rows = self.env["shopify.tax.mapping"].search_fetch(
            [
                ("backend_id", "=", backend.id),
                ("title_key", "in", list({_title(key) for key in keys})),
            ],
            [
                "title_key",
                "rate",
                "no_rate",
                "included",
                "channel_liable",
                "country_id",
                "tax_id",
                "left_out",
            ],
        )
        return {self._row_key(row): row for row in rows}

    def _row_key(self, row):
        return (
            row.title_key,
            "" if row.no_rate else _rate(row.rate),
            row.included,
            row.channel_liable,
            row.country_id.code or "",
        )

    def _rows_of(self, rows, key):
        """The row of the key's country, and the row of all countries."""
        common = (_title(key), _rate(key.rate), key.included, key.channel_liable)
        return rows.get((*common, key.country_code or "")), rows.get((*common, ""))

    # === WHAT IS NOT MAPPED === #

    def _map_automatically(self, backend, missing):
        """Where the store allows it, map what has exactly one candidate."""
        if not backend.auto_tax_mapping:
            return {}
        candidates = self._candidates(backend.company_id)
        found = {}
        for key in missing:
            tax = self._suggest(candidates, key, strict=True)
            if tax:
                found[key] = tax
        self._add_rows(backend, {key: missing[key] for key in found}, found)
        return found

    def _candidates(self, company):
        """The percentage taxes on sales that the company may use."""
        Tax = self.env["account.tax"].sudo()
        return Tax.search_fetch(
            [
                *Tax._check_company_domain(company),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
            ],
            ["name", "amount", "price_include_override", "country_id", "company_id"],
        ).with_env(self.env)

    def _suggest(self, candidates, key, strict=False):
        """The one tax of ``candidates`` with the rate, price inclusion and country of ``key``.

        None for a tax that the channel remits: those are taxes that the company owes.

        Taxes of the country itself come first, then, unless ``strict``, those of the company's own
        country. Of several, the one that is named like the key; else none.
        """
        none = candidates.browse()
        if key.rate is None or key.channel_liable:
            return none
        percent = round(float(key.percent), PERCENT_DIGITS)
        equal = candidates.filtered(
            lambda tax: (
                round(tax.amount, PERCENT_DIGITS) == percent
                and tax.sudo().price_include == key.included
            )
        )
        code = key.country_code
        own = equal.filtered(lambda tax: not code or tax.sudo().country_id.code == code)
        equal = own if own or strict else equal
        if len(equal) > 1 and not strict:
            title = title_key(key.title)
            equal = equal.filtered(lambda tax: title_key(tax.name).startswith(title))
        return equal if len(equal) == 1 else none

    def _add_rows(self, backend, missing, taxes=None):
        """Write a row for every key of ``missing`` that has none; its value becomes that row.

        Two batches side by side would make the same rows; the second leaves it to the first.
        """
        taxes = taxes or {}
        new = [key for key, row in missing.items() if not row]
        for key in missing:
            if missing[key] and key in taxes:
                missing[key].tax_id = taxes[key]
        if not new or not backend._may_remember("tax"):
            return
        country_ids = self._country_ids(new)
        by_identity = defaultdict(list)
        for key in new:
            if not key.country_code or key.country_code in country_ids:
                by_identity[self._exception_key(key)].append(key)
        rows = self.env["shopify.tax.mapping"].create(
            [
                {
                    **self._row_values(backend, keys[0], country_ids),
                    "tax_id": keys[0] in taxes and taxes[keys[0]].id,
                }
                for keys in by_identity.values()
            ]
        )
        for row, keys in zip(rows, by_identity.values(), strict=True):
            missing.update(dict.fromkeys(keys, row))

    def _country_ids(self, keys):
        codes = [key.country_code for key in keys if key.country_code]
        countries = self.env["res.country"].search_fetch([("code", "in", codes)], ["code"])
        return {country.code: country.id for country in countries}

    def _row_values(self, backend, key, country_ids):
        return {
            "backend_id": backend.id,
            "title": key.title or NO_TITLE,
            "rate": float(key.rate or 0),
            "no_rate": key.rate is None,
            "included": key.included,
            "country_id": country_ids.get(key.country_code, False),
            "channel_liable": key.channel_liable,
        }

    # === TEXTS === #

    def _exception_key(self, key):
        """What an unmapped tax is called among the exceptions of a store."""
        rate = "" if key.rate is None else f"{key.rate.normalize() + 0:f}"
        return f"{_title(key)}|{rate}|{key.included}|{key.country_code or ''}|{key.channel_liable}"

    def _label(self, key):
        """``"NY STATE TAX" 4 % (US)``, and whether it is included in the price."""
        rate = self.env._("without a rate") if key.rate is None else f"{key.percent:f} %"
        label = f'"{key.title}" {rate}'
        if key.country_code:
            label += f" ({key.country_code})"
        if key.included:
            label += self.env._(", included in the price")
        if key.channel_liable:
            label += self.env._(", remitted by the channel")
        return label

    def _block(self, backend, key, row):
        label = self._label(key)
        return Block(
            category="tax",
            key=self._exception_key(key),
            title=self.env._("Tax %s is not mapped", label),
            message=self.env._(
                "Shopify charged the tax %(tax)s; no Odoo tax is chosen for it in %(store)s.",
                tax=label,
                store=backend.name,
            ),
            remedy=self.env._(
                "Open the mapping and choose the tax that the channel's money is booked with, or"
                " leave the tax out. All orders that wait for it will be imported."
            )
            if key.channel_liable
            else self.env._(
                "Open the mapping and choose an Odoo tax, or create it there. All orders that"
                " wait for it will be imported."
            ),
            res_model="shopify.tax.mapping",
            res_id=row.id if row else None,
            values=None if row else self._row_values(backend, key, self._country_ids([key])),
        )
