"""What of Odoo stands for what of Shopify in one order, and which rule decided so."""

from __future__ import annotations

from odoo import models

from ..const import SKU_PREFIX
from .dry_run import trial_of


class ShopifyOrderPreviewMatches(models.AbstractModel):
    """Rows of *In Shopify*, *In Odoo*, *Why*. Nothing is decided here: the rows are read from what
    the matchers found (``Found``) and noted (``dry_run.note``).
    """

    _name = "shopify.order.preview.matches"
    _description = "Shopify Order Preview: Matches"

    def _matches(self, backend, order, binding):
        """
        :param order: the mapped Order, None when it could not be read
        :return: ``[{"kind", "stated", "records", "rule", "why", "by"}]``; ``records`` are
            references of what was found, ``by`` is that of the mapping that decided, or None
        """
        found = trial_of(self.env).found
        if order is None or found is None:
            return []
        rows = [*self._of_lines(order, found), *self._of_taxes(order, found)]
        if order.gid in found.partners:
            sale = binding.sale_order_id
            rows = [
                *self._of_people(order, found),
                *self._of_order(backend, order, found, sale),
                *rows,
            ]
        rows += self._of_gateways(backend, binding)
        return self._finish(rows)

    def _finish(self, rows):
        """Records as references: those that are still there when an error took back the rest."""
        there = {}
        for row in rows:
            for record in row["records"]:
                there.setdefault(record._name, record.browse())
                there[record._name] |= record
        there = {model: set(records.exists().ids) for model, records in there.items()}
        report, rules = self.env["shopify.order.preview.report"], self._rules()
        return [
            {
                **row,
                "why": rules[row["rule"]],
                "by": report._reference(row["by"]),
                "records": [
                    report._reference(record)
                    for record in row["records"]
                    if record.id in there[record._name]
                ],
            }
            for row in rows
        ]

    def _rules(self):
        """Why something stands for something: ``{rule: sentence}``."""
        return {
            "mapping": self.env._("mapped"),
            "general": self.env._("mapped for all countries"),
            "automatic": self.env._("the only tax with this rate, mapped by itself"),
            "link": self.env._("linked"),
            "sku": self.env._("same SKU"),
            "barcode": self.env._("same barcode"),
            "placeholder": self.env._("the store's placeholder"),
            "setting": self.env._("the store's setting"),
            "email": self.env._("same e-mail address"),
            "phone": self.env._("same phone number"),
            "created": self.env._("not known yet"),
            "name": self.env._("same name"),
            "days": self.env._("same number of days"),
            "address": self.env._("by the address"),
            "company": self.env._("the company that bought"),
            "currency": self.env._("the store's price list of this currency"),
            "location": self.env._("the warehouse of this location"),
            "odoo": self.env._("found by Odoo for the addresses"),
            "exempt": self.env._("the customer is exempt from taxes"),
            "left_out": self.env._("mapped: left out of the books"),
            "missing": self.env._("nothing yet"),
        }

    def _row(self, kind, stated, records, rule, by=None):
        return {
            "kind": kind,
            "stated": stated or "",
            "records": [record.with_env(self.env) for record in records if record],
            "rule": rule,
            "by": by.with_env(self.env).exists() if by else None,
        }

    def _noted(self, kind, *keys, default):
        """What was noted of the first of these keys of which anything was."""
        notes = trial_of(self.env).notes
        return next((notes[kind, key] for key in keys if (kind, key) in notes), (default, None))

    # === PARTS === #

    def _of_people(self, order, found):
        partners = found.partners[order.gid]
        keys = [key for kind, key in trial_of(self.env).notes if kind == "customer"]
        rule, by = self._noted("customer", *keys, default="setting")
        person = partners.person or partners.partner
        who = order.customer.name if order.customer else ""
        yield self._row(
            self.env._("Customer") if order.customer else self.env._("Guest"),
            " ".join(filter(None, (who, order.email))),
            [person],
            rule,
            by,
        )
        if order.company:
            company = partners.partner.commercial_partner_id
            stated = ", ".join(filter(None, (order.company.name, order.company.location_name)))
            yield self._row(self.env._("Company"), stated, [company], "company")
        for label, address, contact in (
            (self.env._("Invoice address"), order.billing, partners.invoice),
            (self.env._("Delivery address"), order.shipping, partners.shipping),
        ):
            yield self._row(label, _one_line(address), [contact], "address")

    def _of_order(self, backend, order, found, sale):
        """What the sale order has besides lines and people."""
        pricelist = found.pricelists.get(order.currency)
        yield self._row(self.env._("Currency"), order.currency, [pricelist], "currency")
        warehouse = found.warehouses.get(order.location_gid)
        yield self._row(
            self.env._("Warehouse"),
            order.location_gid,
            [warehouse or backend.warehouse_id],
            "location" if warehouse else "setting",
        )
        further = found.further.get(order.gid, {}).get("values", {})
        position = sale.fiscal_position_id
        if position:
            rule = "exempt" if "fiscal_position_id" in further else "odoo"
            yield self._row(self.env._("Fiscal position"), "", [position], rule)
        if order.payment_terms:
            rule, by = self._noted("payment_term", order.gid, default="missing")
            terms = self.env["account.payment.term"].browse(further.get("payment_term_id") or [])
            name = order.payment_terms.name or order.payment_terms.kind
            yield self._row(self.env._("Payment terms"), name, [terms], rule, by)
        for label, record in (
            (self.env._("Sales team"), backend.team_id),
            (self.env._("Salesperson"), backend.salesperson_id),
        ):
            if record:
                yield self._row(label, order.channel or order.source_name, [record], "setting")

    def _of_lines(self, order, found):
        """One row for each product and each shipping rate."""
        shown = set()
        kinds = {
            "tip": self.env._("Tip"),
            "duty": self.env._("Duty"),
            "fee": self.env._("Fee"),
            "gift_card": self.env._("Gift card"),
        }
        for line in order.lines:
            if line.kind == "shipping":
                yield self._of_shipping(line, found)
                continue
            key = (line.variant_gid or line.gid, line.sku)
            if key in shown:
                continue
            shown.add(key)
            product = found.products.get(line.gid)
            keys = [line.gid, line.variant_gid, _sku_key(line)]
            rule, by = self._noted("product", *keys, default="setting")
            sku = line.sku and self.env._("SKU %s", line.sku)
            yield self._row(
                kinds.get(line.kind) or self.env._("Product"),
                ", ".join(filter(None, (line.title, line.variant_title, sku))),
                [product],
                rule if product else "missing",
                by,
            )

    def _of_shipping(self, line, found):
        carrier, product = found.carriers.get(line.gid) or (None, None)
        rule, by = self._noted("carrier", line.gid, default="setting")
        return self._row(
            self.env._("Shipping rate"),
            line.title,
            [carrier, product],
            rule if product else "missing",
            by,
        )

    def _of_taxes(self, order, found):
        Matcher = self.env["shopify.tax.matcher"]
        for tax in order.taxes:
            rule, by = self._noted("tax", tax.key, default="missing")
            stands = found.taxes.get(tax.key)
            if stands is not None and not stands:
                rule = "left_out"
            yield self._row(self.env._("Tax"), Matcher._label(tax.key), [stands], rule, by)

    def _of_gateways(self, backend, binding):
        """Where the money of each gateway that was looked at is booked."""
        for (kind, gateway), (rule, by) in trial_of(self.env).notes.items():
            if kind != "gateway":
                continue
            payments = binding.payment_ids.filtered(
                lambda payment, gateway=gateway: payment.gateway == gateway
            )
            journals = payments.move_id.journal_id or (
                by.journal_id if by else backend.payment_journal_id
            )
            yield self._row(
                self.env._("Payment gateway"),
                payments[:1].gateway_title or gateway,
                [*journals],
                rule if journals else "missing",
                by,
            )


def _sku_key(line):
    return SKU_PREFIX + (line.sku or "").strip()


def _one_line(address):
    if address is None:
        return ""
    parts = (address.name, address.address1, address.zip, address.city, address.country_code)
    return ", ".join(filter(None, parts))
